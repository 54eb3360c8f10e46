/* Runs the passes. */
#include "passes/passes.h"

#include "base/error.h"
#include "base/log.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#define KT_PASS(name) kt_status kt_pass_##name(kt_graph *g);
#include "passes/passes.def"
#undef KT_PASS

#define KT_PASS(name) {#name, kt_pass_##name},
static const kt_pass passes[] = {
#include "passes/passes.def"
    {NULL, NULL}};
#undef KT_PASS

const kt_pass *kt_pass_all(void) { return passes; }

kt_pass_fn *kt_pass_find(const char *name) {
    for (int i = 0; passes[i].name; i++)
        if (!strcmp(passes[i].name, name)) return passes[i].run;
    return NULL;
}

static bool env_is_set(const char *name) {
    const char *v = getenv(name);
    return v && *v && *v != '0';
}

static kt_status dump(const kt_graph *g, const char *after) {
    kt_str s = {0};
    kt_str_addf(&s, "-- %s\n", after);
    const kt_status st = kt_graph_print(g, &s);
    if (st == KT_OK) kt_log("%s", s.s);
    kt_str_free(&s);
    return st;
}

kt_status kt_passes_run(kt_graph *g) {
    const bool verify = env_is_set("KT_VERIFY"), print = env_is_set("KT_DUMP");
    kt_status st = print ? dump(g, "traced") : KT_OK;
    for (int i = 0; passes[i].name && st == KT_OK; i++) {
        st = passes[i].run(g);
        if (st == KT_OK) st = g->status;
        if (st == KT_OK && verify) st = kt_graph_verify(g);
        if (st == KT_OK && print) st = dump(g, passes[i].name);
    }
    return st;
}
