/* build_config: the shapes for which a layer was built, both ways.
 *
 * Keras builds a layer at its first call, or, when it is read, for what the file says. Here it is
 * built at its first call in every case, which gives the same weights; the file's shapes are kept
 * beside it, since another call of a shared layer may come first in a walk through the graph. */
#include "base/mem.h"
#include "saving/configs.h"

#include <string.h>

static const char *const query_shapes[] = {"query_shape", "value_shape", "key_shape", NULL};

/* {name: shape …} */
static kt_json *named_shapes(const char *const *names, int n, const kt_shape *v) {
    kt_json *shapes = kt_json_new_dict();
    for (int i = 0; i < n && names[i]; i++)
        if (kt_json_put(shapes, names[i], kt_write_shape(&v[i]))) return kt_json_free(shapes), NULL;
    return shapes;
}

/* {"shapes_dict": {"query_shape": …, "value_shape": …}} */
static kt_json *separate_shapes(const kt_layer *l) {
    kt_json *o = kt_json_new_dict();
    if (!kt_json_put(o, "shapes_dict", named_shapes(query_shapes, l->n_built, l->built_for)))
        return o;
    kt_json_free(o);
    return NULL;
}

/* One shape, or a list of them. */
static kt_json *shape_or_list(int n, const kt_shape *v) {
    if (n == 1) return kt_write_shape(v);
    kt_json *shapes = kt_json_new_list();
    for (int i = 0; i < n; i++)
        if (kt_json_add(shapes, kt_write_shape(&v[i]))) return kt_json_free(shapes), NULL;
    return shapes;
}

/* {"shapes_dict": {"sequences_shape": …, "initial_state_shape": …}} of recurrent layers */
static kt_json *state_shapes(const kt_layer *l) {
    kt_json *o = kt_json_new_dict(), *shapes = kt_json_new_dict();
    kt_status st = kt_json_put(shapes, "sequences_shape", shape_or_list(l->n_built, l->built_for));
    if (st == KT_OK)
        st = kt_json_put(
            shapes,
            "initial_state_shape",
            shape_or_list(l->n_built_states, l->built_for + l->n_built));
    if (st == KT_OK)
        st = kt_json_put(o, "shapes_dict", shapes);
    else
        kt_json_free(shapes);
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}

static kt_json *build_config(const kt_layer *l) {
    if (kt_takes_separate(l)) return separate_shapes(l);
    if (l->n_built_states) return state_shapes(l);
    kt_json *o = kt_json_new_dict();
    const int n = kt_second_input(l) ? 1 : l->n_built;
    const char *const *keys = l->cls->input_keys;
    kt_json *shape = keys && n > 1 ? named_shapes(keys, n, l->built_for)
                                   : shape_or_list(n, l->built_for);
    if (!kt_json_put(o, "input_shape", shape)) return o;
    kt_json_free(o);
    return NULL;
}

kt_status kt_put_build_config(kt_json *o, kt_layer *l, const kt_config_form *form) {
    if (kt_is_model(l)) {
        const kt_model_state *s = l->state;
        const bool sequential = s->is_sequential;
        if (sequential && !s->n_in) return KT_OK;
        kt_json *b = kt_json_new_dict();
        const kt_status st = kt_json_put(
            b,
            "input_shape",
            sequential ? kt_write_shape(&s->in[0]->spec.shape) : kt_json_new_null());
        if (st) return kt_json_free(b), st;
        return kt_json_put(o, "build_config", b);
    }
    if (l->n_built && form && strstr(form->class_name, "Lookup"))
        return kt_json_put(o, "build_config", kt_json_new_dict()); /* it says that it needs none */
    if (!l->n_built || (form && !form->builds)) return KT_OK;
    return kt_json_put(o, "build_config", build_config(l));
}

/* Reading -------------------------------------------------------------------------------------- */

#define SHAPES_MAX 16

/* [null, 5]; false: it is something else. */
static bool take_shape(kt_shape *out, const kt_json *v) {
    *out = (kt_shape){kt_json_len(v), {0}};
    bool ok = kt_json_is(v, KT_JSON_LIST) && out->ndim <= KT_MAX_RANK;
    for (int i = 0; ok && i < out->ndim; i++) {
        const kt_json *d = kt_json_at(v, i);
        const bool open = kt_json_kind(d) == KT_JSON_NULL;
        ok = open || (kt_json_is(d, KT_JSON_INT) && kt_json_int(d) >= 0);
        if (ok) out->dim[i] = open ? KT_NONE : kt_json_int(d);
    }
    return ok;
}

/* One shape or a list of them; 0: nothing that could be kept. */
static int take_list(kt_shape *out, int most, const kt_json *v) {
    int n = 0;
    if (take_shape(out, v)) return 1;
    if (!kt_json_is(v, KT_JSON_LIST) || kt_json_len(v) > most) return 0;
    while (n < kt_json_len(v) && take_shape(&out[n], kt_json_at(v, n))) n++;
    return n == kt_json_len(v) ? n : 0;
}

static int take_named(kt_shape *out, const char *const *names, const kt_json *v) {
    int n = 0;
    while (names[n] && take_shape(&out[n], kt_json_get(v, names[n]))) n++;
    return n == kt_json_len(v) ? n : 0;
}

/* Inputs, or query, value and key, or inputs and initial states. */
static int take_shapes(kt_shape *out, const kt_layer *l, const kt_json *config, int *states) {
    const kt_json *dict = kt_json_get(config, "shapes_dict"),
                  *in = kt_json_get(config, "input_shape");
    *states = 0;
    if (!dict && l->cls->input_keys && kt_json_is(in, KT_JSON_DICT))
        return take_named(out, l->cls->input_keys, in);
    if (!dict) return take_list(out, SHAPES_MAX, in);
    if (kt_takes_separate(l)) return take_named(out, query_shapes, dict);
    int n = take_list(out, 1, kt_json_get(dict, "sequences_shape"));
    if (n) *states = take_list(out + n, SHAPES_MAX - n, kt_json_get(dict, "initial_state_shape"));
    return *states ? n : 0;
}

kt_status kt_read_built_for(kt_layer *l, const kt_json *config) {
    kt_shape shapes[SHAPES_MAX];
    int states = 0;
    const int n = l->n_built ? 0 : take_shapes(shapes, l, config, &states);
    if (!n) return KT_OK;
    l->built_for = kt_alloc_array(n + states, sizeof *l->built_for);
    if (!l->built_for) return KT_ENOMEM;
    memcpy(l->built_for, shapes, sizeof *shapes * (size_t)(n + states));
    l->n_built = n;
    l->n_built_states = states;
    return KT_OK;
}
