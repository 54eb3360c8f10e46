/* State of the optimizer from .h5 files of Keras 1 to 3. See legacy.h.
 *
 * Keras 3: iteration, learning_rate, then the slots, variable by variable. tf.keras 2.11 to 2.15:
 * the same without learning_rate. Before: iterations (not always), then slot by slot, each for all
 * variables, then what Keras 3 does not keep (one-element dummies of amsgrad, moments of an SGD
 * without momentum). What does not fit leaves the state as it is: Keras trains on from a fresh one
 * too. */
#include "nn/optimizers/optimizer.h"
#include "saving/legacy_plan.h"

#include <string.h>

/* Number of slots in the file before which the state of the first variable stands. */
typedef struct state_form {
    int scalars;   ///< iteration and learning rate
    bool by_slot;  ///< all first slots, then all second ones
    bool has_rate; ///< learning_rate is among them
    bool has_step; ///< and so is the iteration
} state_form;

static bool is_scalar(const kt_hdf5_node *d) { return kt_hdf5_shape(d).ndim == 0; }

static state_form form_of(const kt_legacy_nodes *d, const kt_legacy_origin *from) {
    state_form f = {.by_slot = from->major < 2 || (from->major == 2 && from->minor < 11)};
    while (f.scalars < d->n && f.scalars < 2 && is_scalar(d->v[f.scalars])) f.scalars++;
    /* a scalar weight's slot is no learning rate */
    f.has_step = f.scalars > 0;
    f.has_rate = from->major >= 3 && f.scalars == 2;
    if (!f.has_rate && f.scalars == 2) f.scalars = 1;
    return f;
}

/* Index in the file of the j-th of our slots, of n slots for `weights` variables. Ours stand
 * variable by variable, but for the last slot of amsgrad. */
static int place(const state_form *f, int j, int n, int weights, bool amsgrad) {
    const int k = weights && n % weights == 0 ? n / weights - amsgrad : 0;
    if (!f->by_slot || k < 1 || j >= k * weights) return f->scalars + j;
    return f->scalars + j % k * weights + j / k;
}

static bool fits(const kt_var *v, const kt_hdf5_node *d) {
    const kt_shape s = kt_hdf5_shape(d);
    return kt_shape_equal(&s, &v->spec.shape) && kt_hdf5_check(d) == KT_OK;
}

static kt_status plan_state(
    kt_legacy_plan *plan, bool *complete, kt_component *opt, const kt_legacy_nodes *d) {
    const state_form f = form_of(d, &plan->from);
    const int n_vars = kt_optimizer_n_vars(opt), weights = kt_optimizer_n_weights(opt);
    const bool own_rate = n_vars > 1 && !strcmp(kt_optimizer_var(opt, 1)->name, "learning_rate");
    const int own = 1 + own_rate, n = n_vars - own;
    const kt_var *last = n > 0 ? kt_optimizer_var(opt, n_vars - 1) : NULL;
    const bool amsgrad = last && strstr(last->name, "velocity_hat");
    kt_status st = KT_OK;
    *complete = true;
    for (int i = 0; i < n_vars && !st && *complete; i++) {
        kt_var *v = kt_optimizer_var(opt, i);
        if (i == 0 && !f.has_step) continue;
        if (i == 1 && own_rate && !f.has_rate) continue;
        const int at = i < own ? i : place(&f, i - own, n, weights, amsgrad);
        *complete = at < d->n && fits(v, d->v[at]);
        if (*complete) st = kt_vec_push(plan, ((kt_legacy_item){.var = v, .node = d->v[at]}));
    }
    return st;
}

kt_status kt_legacy_read_state(
    kt_component *opt,
    const kt_hdf5_node *group,
    const kt_legacy_origin *from,
    bool *complete,
    bool *unbuilt) {
    kt_var *own[4];
    int n_own = 0;
    kt_legacy_nodes d = {0};
    kt_legacy_plan plan = {.from = *from};
    kt_status st = kt_legacy_nodes_read(&d, group, "weight_names");
    if (!st) st = plan_state(&plan, complete, opt, &d);
    if (!st && *complete) st = kt_legacy_plan_run(&plan);
    if (!st) st = kt_optimizer_own_vars(opt, own, &n_own);
    *unbuilt = !st && !*complete && d.n == n_own && from->major >= 3;
    *complete = *complete || *unbuilt || d.n <= 2; /* then nothing is lost */
    kt_legacy_plan_free(&plan);
    kt_vec_free(&d);
    return st;
}
