/* A product with sparse_to_dense(…) becomes a product with the sparse matrix itself: the forward
 * product of the first layer, and the gradient of its kernel. Where the dense array has other uses
 * as well it stays, and is what it says. */
#include "base/error.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

kt_status kt_pass_sparse(kt_graph *g);

extern const kt_opdef kt_opdef_sparse_to_dense;

static void use_sparse(kt_graph *g, kt_node *n, kt_val **by, void *arg) {
    (void)arg;
    if (n->op != &kt_opdef_matmul) return;
    const matmul_attrs *a = n->attrs;
    kt_val *s = n->in[0], *b = n->in[1];
    if (!kt_is_op(s, &kt_opdef_sparse_to_dense) || a->tb || a->bias || a->epilogue) return;
    const sparse_attrs *of = s->def->attrs;
    by[0] = kt_g_sparse_matmul(g, s->def->in, b, of->width, a->ta);
}

kt_status kt_pass_sparse(kt_graph *g) { return kt_rewrite(g, use_sparse, NULL, NULL); }
