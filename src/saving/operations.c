/* Recorded operations (kt_op_* between kt_input and kt_functional) as Keras saves its `Operation`s,
 * and back. A file's slice over several axes becomes one slice per axis; Keras' activation
 * operations that are no primitive here become Activation layers. */
#include "nn/layers/operation.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/source.h"
#include "saving/configs.h"
#include "tensor/tensor.h"

#include <keratin/layers.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

bool kt_is_operation_module(const char *module) {
    return !strncmp(module, "keras.src.ops.", 14) || !strncmp(module, "keras.ops", 9) ||
           !strcmp(module, "keras.src.activations.activations");
}

bool kt_is_keras_tensor(const kt_json *v) {
    const char *name = kt_json_get_text(v, "class_name");
    return name && !strcmp(name, "__keras_tensor__");
}

/* What Keras' constructors have beside ours, at its default. */
static const struct {
    const char *class_name, *key, *value;
} constants[] = {
    {"Max", "initial", "null"},
    {"Min", "initial", "null"},
    {"Prod", "dtype", "null"},
    {"OneHot", "sparse", "false"},
    {"Round", "decimals", "0"},
};
#define N_CONSTANTS ((int)(sizeof constants / sizeof *constants))

/* Writing -------------------------------------------------------------------------------------- */

static bool is_slice(const kt_layer *l) { return !strcmp(l->class_name, "GetItem"); }

static const kt_op_form *form_of(const kt_layer *l) {
    const kt_op_class *op = kt_operation_of(l)->op;
    for (const kt_op_form *f = kt_op_forms(); f->op; f++)
        if (f->op == op) return f;
    return NULL;
}

/* Open dimensions of a new shape are -1 to Keras. */
static kt_json *close_shape(kt_json *list) {
    kt_json *out = kt_json_new_list();
    for (int i = 0; i < kt_json_len(list); i++) {
        kt_json *d = kt_json_at(list, i);
        const bool open = kt_json_kind(d) == KT_JSON_NULL;
        if (kt_json_add(out, open ? kt_json_new_int(-1) : kt_json_ref(d))) {
            kt_json_free(out);
            out = NULL;
            break;
        }
    }
    kt_json_free(list);
    return out;
}

static kt_json *operation_config(kt_layer *l) {
    const kt_operation_args *a = kt_operation_of(l);
    kt_json *out = kt_json_new_dict();
    kt_status st = kt_json_put(out, "name", kt_json_new_str(kt_layer_name(l)));
    for (const kt_field *f = form_of(l)->fields; st == KT_OK && !is_slice(l) && f && f->type; f++) {
        kt_json *v = kt_write_field(f, a->attrs, f->name, NULL);
        if (v && !strcmp(f->name, "newshape")) v = close_shape(v);
        st = v ? kt_json_put(out, f->name, v) : kt_json_failed();
    }
    for (int i = 0; st == KT_OK && i < N_CONSTANTS; i++) {
        kt_json *v;
        if (strcmp(constants[i].class_name, l->class_name) != 0) continue;
        st = kt_json_parse(&v, constants[i].value, strlen(constants[i].value), NULL);
        if (st == KT_OK) st = kt_json_put(out, constants[i].key, v);
    }
    if (st == KT_OK) return out;
    kt_json_free(out);
    return NULL;
}

kt_json *kt_write_operation(kt_layer *l) {
    const kt_op_form *f = form_of(l);
    char module[64];
    if (!f) {
        KT_FAIL(KT_EUNSUPPORTED, "operation %s has no form in Keras' files", l->class_name);
        kt_layer_context(l, KT_EUNSUPPORTED);
        return NULL;
    }
    snprintf(module, sizeof module, "keras.src.ops.%s", f->module);
    return kt_write_wrapped(module, f->op->name, operation_config(l), f->op->name);
}

static kt_json *constant(const kt_tensor *t) {
    kt_json *o = kt_json_new_dict(), *config = kt_json_new_dict();
    kt_status st = kt_json_put(config, "value", kt_write_tensor(t));
    if (st == KT_OK) st = kt_json_put(config, "dtype", kt_json_new_str(kt_dtype_name(t->dtype)));
    if (st == KT_OK) st = kt_json_put(o, "class_name", kt_json_new_str("__numpy__"));
    if (st == KT_OK)
        st = kt_json_put(o, "config", config);
    else
        kt_json_free(config);
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}

static kt_json *slice(int64_t start, int64_t stop) {
    kt_json *o = kt_json_new_dict(), *config = kt_json_new_dict();
    kt_status st = kt_json_put(
        config, "start", start == KT_NONE ? kt_json_new_null() : kt_json_new_int(start));
    if (st == KT_OK)
        st = kt_json_put(
            config, "stop", stop == KT_NONE ? kt_json_new_null() : kt_json_new_int(stop));
    if (st == KT_OK) st = kt_json_put(config, "step", kt_json_new_null());
    if (st == KT_OK) st = kt_json_put(o, "class_name", kt_json_new_str("__slice__"));
    if (st == KT_OK)
        st = kt_json_put(o, "config", config);
    else
        kt_json_free(config);
    if (st == KT_OK) return o;
    kt_json_free(o);
    return NULL;
}

/* x[:, a:b] */
static kt_json *slices(const kt_layer *l, int ndim) {
    const kt_operation_args *a = kt_operation_of(l);
    kt_json *list = kt_json_new_list();
    int64_t of[2] = {KT_NONE, KT_NONE};
    int axis = 0;
    for (const kt_field *f = form_of(l)->fields; f->type; f++) {
        if (!strcmp(f->name, "axis")) memcpy(&axis, a->attrs + f->offset, sizeof axis);
        if (!strcmp(f->name, "start")) memcpy(&of[0], a->attrs + f->offset, sizeof of[0]);
        if (!strcmp(f->name, "stop")) memcpy(&of[1], a->attrs + f->offset, sizeof of[1]);
    }
    if (axis < 0) axis += ndim;
    for (int i = 0; i <= axis; i++)
        if (kt_json_add(list, i < axis ? slice(KT_NONE, KT_NONE) : slice(of[0], of[1])))
            return kt_json_free(list), NULL;
    return list;
}

kt_json *kt_write_operation_args(const kt_layer *l, kt_json *const *tensors, int n) {
    const kt_operation_args *a = kt_operation_of(l);
    kt_json *args = kt_json_new_list(), *to = args;
    kt_status st = args ? KT_OK : KT_ENOMEM;
    int next = 0;
    if (!strcmp(l->class_name, "Concatenate")) {
        to = kt_json_new_list();
        st = kt_json_add(args, to);
    }
    for (int i = 0; i < a->n_operands; i++) {
        const kt_sym *s = a->fixed[i];
        kt_json *v = !s            ? (next < n ? kt_json_ref(tensors[next++]) : NULL)
                     : s->constant ? constant(s->constant)
                                   : kt_json_new_real(s->num);
        if (st == KT_OK)
            st = kt_json_add(to, v);
        else
            kt_json_free(v);
    }
    if (st == KT_OK && is_slice(l)) {
        const kt_json *shape = n ? kt_json_get(kt_json_get(tensors[0], "config"), "shape") : NULL;
        st = kt_json_add(args, slices(l, kt_json_len(shape)));
    }
    if (st == KT_OK) return args;
    kt_json_free(args);
    return NULL;
}

/* Reading -------------------------------------------------------------------------------------- */

static const kt_op_form *find_op(const char *class_name) {
    static const char *const same[][2] = {
        {"TrueDivide", "Divide"}, {"Abs", "Absolute"}, {"Amax", "Max"}, {"Amin", "Min"}};
    for (const kt_op_form *f = kt_op_forms(); f->op; f++)
        if (!strcmp(f->op->name, class_name)) return f;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (!strcmp(same[i][0], class_name)) return find_op(same[i][1]);
    return NULL;
}

static kt_sym *fixed_operand(kt_reader *r, const kt_json *v) {
    const char *class_name = kt_json_get_text(v, "class_name");
    const kt_json *config = kt_json_get(v, "config");
    if (kt_json_is(v, KT_JSON_BOOL)) return kt_reader_keep(r, kt_num(kt_json_bool(v)));
    if (kt_json_is_number(v)) return kt_reader_keep(r, kt_num(kt_json_number(v)));
    const bool array = class_name &&
                       (!strcmp(class_name, "__numpy__") || !strcmp(class_name, "__tensor__"));
    if (!array && !kt_json_is(v, KT_JSON_LIST))
        return kt_fail_object(kt_read_type_error("args", "a tensor or a number", v));
    const char *name = array ? kt_json_get_text(config, "dtype") : NULL;
    const kt_dtype dtype = name ? kt_dtype_of(name) : KT_FLOAT32;
    kt_tensor *t = kt_reader_keep(r, kt_read_tensor(array ? kt_json_get(config, "value") : v));
    if (!kt_failed(t) && dtype == KT_NO_DTYPE)
        return kt_fail_object(KT_FAIL(KT_EUNSUPPORTED, "a constant of an unknown dtype"));
    if (!kt_failed(t) && dtype != KT_FLOAT32) t = kt_reader_keep(r, kt_tensor_cast(t, dtype));
    return kt_failed(t) ? kt_fail_object(kt_check(t)) : kt_reader_keep(r, kt_const(t));
}

typedef struct {
    kt_reader *r;
    kt_find_sym *find;
    void *data;
    int n;
    kt_sym *in[KT_OP_MAX_IN];
} operands;

static kt_status take_operand(operands *o, const kt_json *v) {
    if (o->n == KT_OP_MAX_IN) return KT_FAIL(KT_ELIMIT, "more than %d operands", KT_OP_MAX_IN);
    kt_sym *s = kt_is_keras_tensor(v) ? o->find(o->data, v) : fixed_operand(o->r, v);
    o->in[o->n++] = s;
    return kt_check(s);
}

static bool has_tensor(const kt_json *list) {
    for (int i = 0; i < kt_json_len(list); i++)
        if (kt_is_keras_tensor(kt_json_at(list, i))) return true;
    return false;
}

/* One bound of a slice. */
static kt_status bound(int64_t *out, const kt_json *config, const char *key) {
    const kt_json *v = kt_json_get(config, key);
    *out = KT_NONE;
    if (kt_json_kind(v) == KT_JSON_NULL) return KT_OK;
    if (!kt_json_is(v, KT_JSON_INT)) return kt_read_type_error(key, "an integer or null", v);
    *out = kt_json_int(v);
    return KT_OK;
}

static kt_status take_index(kt_reader *r, kt_sym **x, const kt_json *v, int *axis) {
    const char *class_name = kt_json_get_text(v, "class_name");
    const kt_json *config = kt_json_get(v, "config");
    int64_t start, stop, step;
    if (kt_json_is(v, KT_JSON_INT)) { /* x[i]: the axis goes */
        const int64_t i = kt_json_int(v);
        kt_sym *one = kt_reader_keep(r, kt_op_slice(*x, *axis, i, i == -1 ? KT_NONE : i + 1));
        *x = kt_reader_keep(r, kt_op_squeeze(one, *axis));
        return kt_check(*x);
    }
    if (kt_json_kind(v) == KT_JSON_NULL) { /* x[None] */
        *x = kt_reader_keep(r, kt_op_expand_dims(*x, (*axis)++));
        return kt_check(*x);
    }
    if (!class_name || strcmp(class_name, "__slice__") != 0)
        return KT_FAIL(KT_EUNSUPPORTED, "GetItem: an index of this form is not supported");
    kt_status st = bound(&start, config, "start");
    if (st == KT_OK) st = bound(&stop, config, "stop");
    if (st == KT_OK) st = bound(&step, config, "step");
    if (st == KT_OK && step != KT_NONE && step != 1)
        st = KT_FAIL(KT_EUNSUPPORTED, "GetItem: a step of %lld", (long long)step);
    if (st == KT_OK && (start != KT_NONE || stop != KT_NONE))
        *x = kt_reader_keep(r, kt_op_slice(*x, *axis, start, stop));
    (*axis)++;
    return st ? st : kt_check(*x);
}

static kt_sym *read_get_item(operands *o, const kt_json *args) {
    const kt_json *at = kt_json_at(args, 1), *first = kt_json_at(args, 0);
    kt_sym *x = kt_is_keras_tensor(first)
                    ? o->find(o->data, first)
                    : kt_fail_object(kt_read_type_error("args", "a tensor", first));
    const bool list = kt_json_is(at, KT_JSON_LIST);
    const int n = list ? kt_json_len(at) : 1;
    kt_status st = kt_check(x);
    int axis = 0;
    for (int i = 0; i < n && st == KT_OK; i++) {
        const kt_json *v = list ? kt_json_at(at, i) : at;
        const char *name = kt_json_get_text(v, "class_name");
        if (!name || strcmp(name, "__ellipsis__") != 0) {
            st = take_index(o->r, &x, v, &axis);
            continue;
        }
        int rest = 0; /* axes that the indices after it take */
        for (int k = i + 1; k < n; k++) rest += kt_json_kind(kt_json_at(at, k)) != KT_JSON_NULL;
        axis = kt_sym_shape(x).ndim - rest;
        if (axis < 0) st = KT_FAIL(KT_EFORMAT, "GetItem: more indices than axes");
    }
    return st ? kt_fail_object(st) : x;
}

/* "LeakyRelu" with its arguments: the activation of that name in an Activation layer. */
static kt_sym *read_activation(
    operands *o, const char *class_name, const kt_json *config, const char *name) {
    char snake[64], text[KT_QUOTE_SIZE];
    kt_snake_case(class_name, snake, sizeof snake);
    if (!strcmp(snake, "re_lu")) snprintf(snake, sizeof snake, "relu");
    const kt_class *const *all = kt_activation_registry();
    const kt_class *cls = NULL;
    static const char *const skip[] = {"name", NULL};
    for (int i = 0; all[i]; i++)
        if (kt_class_has_name(all[i], snake)) cls = all[i];
    if (!cls)
        return kt_fail_object(KT_FAIL(
            KT_EUNSUPPORTED,
            "operation %s does not exist here",
            kt_quote(class_name, strlen(class_name), text, sizeof text)));
    char *args = kt_arena_alloc(o->r->arena, cls->args_size);
    if (!args) return kt_fail_object(KT_ENOMEM);
    if (cls->defaults) memcpy(args, cls->defaults, cls->args_size);
    *(size_t *)(void *)args = cls->args_size;
    const kt_status st = kt_read_fields(o->r, cls->name, cls->fields, args, config, skip);
    if (st) return kt_fail_object(st);
    void *f = kt_reader_keep(o->r, kt_component_new(cls, args));
    kt_layer *l = kt_reader_keep(o->r, kt_activation(f, .name = name));
    return kt_reader_keep(o->r, kt_call(l, o->in[0]));
}

static kt_status give_name(kt_sym *y, const kt_json *config) {
    const char *name = kt_json_get_text(config, "name");
    if (!name || !y->node || !kt_layer_is_operation(y->node->layer)) return KT_OK;
    kt_layer *l = y->node->layer;
    if (!*name || strchr(name, '/'))
        return KT_FAIL(KT_EFORMAT, "name: expected a text without \"/\"");
    kt_mem_free(l->name);
    l->name = kt_strdup(name);
    return l->name ? KT_OK : KT_ENOMEM;
}

static kt_status read_attrs(
    kt_reader *r,
    const kt_field *fields,
    const char *class_name,
    const kt_json *config,
    void *attrs) {
    for (void *it = kt_json_iter(config); it; it = kt_json_next(config, it)) {
        const char *key = kt_json_iter_key(it);
        bool known = !strcmp(key, "name");
        for (const kt_field *f = fields; f && f->type; f++) known = known || !strcmp(f->name, key);
        kt_str s = {0};
        kt_json_write(&s, kt_json_iter_value(it), KT_NONE);
        for (int i = 0; i < N_CONSTANTS; i++)
            known = known || (!strcmp(constants[i].class_name, class_name) && s.s &&
                              !strcmp(constants[i].key, key) && !strcmp(constants[i].value, s.s));
        kt_str_free(&s);
        if (!known && kt_json_kind(kt_json_iter_value(it)) != KT_JSON_NULL)
            return KT_FAIL(KT_EUNSUPPORTED, "%s: argument \"%.40s\"", class_name, key);
    }
    static const char *const skip[] = {"name", "initial", "sparse", "decimals", NULL};
    kt_status st = KT_OK;
    for (const kt_field *f = fields; f && f->type && st == KT_OK; f++) {
        kt_json *one = kt_json_new_dict();
        kt_json *v = kt_json_get(config, f->name);
        if (v) st = kt_json_put(one, f->name, kt_json_ref(v));
        if (st == KT_OK) st = kt_read_fields(r, class_name, fields, attrs, one, skip);
        kt_json_free(one);
    }
    return st;
}

kt_sym *kt_read_operation(
    kt_reader *r, const kt_json *entry, const kt_json *node, kt_find_sym *find, void *data) {
    const char *class_name = kt_json_get_text(entry, "class_name");
    const kt_json *config = kt_json_get(entry, "config"), *args = kt_json_get(node, "args");
    const kt_json *kwargs = kt_json_get(node, "kwargs");
    unsigned char attrs[192] __attribute__((aligned(16))) = {0};
    operands o = {.r = r, .find = find, .data = data};
    for (void *it = kt_json_iter(kwargs); it; it = kt_json_next(kwargs, it))
        if (kt_json_kind(kt_json_iter_value(it)) != KT_JSON_NULL)
            return kt_fail_object(KT_FAIL(
                KT_EUNSUPPORTED,
                "%s: argument \"%.40s\" of a call",
                class_name,
                kt_json_iter_key(it)));
    if (!strcmp(class_name, "GetItem")) {
        kt_sym *y = read_get_item(&o, args);
        const kt_status st = kt_failed(y) ? kt_check(y) : give_name(y, config);
        return st ? kt_fail_object(st) : y;
    }
    kt_status st = KT_OK;
    for (int i = 0; i < kt_json_len(args) && st == KT_OK; i++) {
        const kt_json *v = kt_json_at(args, i);
        const bool flat = kt_json_is(v, KT_JSON_LIST) && has_tensor(v);
        for (int k = 0; k < (flat ? kt_json_len(v) : 1) && st == KT_OK; k++)
            st = take_operand(&o, flat ? kt_json_at(v, k) : v);
    }
    if (st == KT_OK && !o.n) st = KT_FAIL(KT_EFORMAT, "args: a call without tensors");
    const kt_op_form *form = st ? NULL : find_op(class_name);
    if (st) return kt_fail_object(st);
    if (!form && o.n != 1)
        return kt_fail_object(
            KT_FAIL(KT_EUNSUPPORTED, "operation %.60s does not exist here", class_name));
    if (!form) return read_activation(&o, class_name, config, kt_json_get_text(config, "name"));
    if (form->n_in > 0 && o.n != form->n_in)
        return kt_fail_object(
            KT_FAIL(KT_EFORMAT, "%s: expected %d operands, got %d", class_name, form->n_in, o.n));
    st = read_attrs(r, form->fields, class_name, config, attrs);
    if (st) return kt_fail_object(st);
    kt_sym *y = kt_reader_keep(r, kt_op_apply(form->op, o.n, o.in, attrs));
    st = kt_failed(y) ? kt_check(y) : give_name(y, config);
    return st ? kt_fail_object(st) : y;
}
