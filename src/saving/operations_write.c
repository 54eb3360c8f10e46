/* Recorded operations (kt_op_* between kt_input and kt_functional) as Keras saves its `Operation`s:
 * the attributes as their config, operands and what call() takes beside them as args and kwargs. */
#include "saving/operations.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_slice(const kt_layer *l) { return !strcmp(l->class_name, "GetItem"); }
static const kt_op_form *form_of(const kt_layer *l) {
    const kt_op_class *op = kt_operation_of(l)->op;
    const kt_op_form *f;
    for (int i = 0; (f = kt_op_form_at(i)) != NULL; i++)
        if (f->op == op) return f;
    return NULL;
}

static bool is_unknown(const kt_json *d) {
    return kt_json_kind(d) == KT_JSON_NULL || (kt_json_is(d, KT_JSON_INT) && kt_json_int(d) < 0);
}

/* An open dimension of a new shape is -1 to Keras, which takes only one of these. */
static kt_json *close_shape(kt_json *list) {
    int unknown = 0;
    for (int i = 0; i < kt_json_len(list); i++) unknown += is_unknown(kt_json_at(list, i));
    if (unknown != 1) return list;
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

static kt_json *attribute(const kt_field *f, const void *attrs) {
    const char *text = (const char *)attrs + f->offset;
    kt_json *v = NULL;
    if (f->type == KT_FIELD_TEXT && !*text) return kt_json_new_null();
    if (kt_is_json_text(f)) return kt_json_parse(&v, text, strlen(text), NULL) ? NULL : v;
    v = kt_write_field(f, attrs, f->name, NULL);
    return v && !strcmp(f->name, "newshape") ? close_shape(v) : v;
}

static kt_json *operation_config(kt_layer *l) {
    const kt_operation_args *a = kt_operation_of(l);
    const bool apart = is_slice(l);
    kt_json *out = kt_json_new_dict();
    kt_status st = kt_json_put(out, "name", kt_json_new_str(kt_layer_name(l)));
    for (const kt_field *f = form_of(l)->fields; st == KT_OK && !apart && f && f->type; f++) {
        if (kt_is_call_argument(form_of(l), f->name)) continue;
        kt_json *v = attribute(f, a->attrs);
        st = v ? kt_json_put(out, f->name, v) : kt_json_failed();
    }
    for (const kt_op_constant *c = kt_op_constants; st == KT_OK && c->class_name; c++) {
        kt_json *v;
        if (strcmp(c->class_name, l->class_name) != 0) continue;
        st = kt_json_parse(&v, c->value, strlen(c->value), NULL);
        if (st == KT_OK) st = kt_json_put(out, c->key, v);
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
    kt_json *config = kt_json_new_dict();
    kt_status st = kt_json_put(config, "value", kt_write_tensor(t));
    if (st == KT_OK) st = kt_json_put(config, "dtype", kt_json_new_str(kt_dtype_name(t->dtype)));
    return kt_write_marked("__numpy__", config, st);
}

static kt_json *bound_value(int64_t v) {
    return v == KT_NONE ? kt_json_new_null() : kt_json_new_int(v);
}

static kt_json *slice(int64_t start, int64_t stop, int64_t step) {
    kt_json *config = kt_json_new_dict();
    kt_status st = kt_json_put(config, "start", bound_value(start));
    if (st == KT_OK) st = kt_json_put(config, "stop", bound_value(stop));
    if (st == KT_OK) st = kt_json_put(config, "step", bound_value(step == 1 ? KT_NONE : step));
    return kt_write_marked("__slice__", config, st);
}

/* x[:, a:b:c] */
static kt_json *slices(const kt_layer *l, int ndim) {
    static const char *const keys[] = {"start", "stop", "step"};
    const kt_operation_args *a = kt_operation_of(l);
    kt_json *list = kt_json_new_list();
    int64_t of[3] = {KT_NONE, KT_NONE, 1};
    int axis = 0;
    for (const kt_field *f = form_of(l)->fields; f->type; f++) {
        if (!strcmp(f->name, "axis")) memcpy(&axis, a->attrs + f->offset, sizeof axis);
        for (int i = 0; i < 3; i++)
            if (!strcmp(f->name, keys[i])) memcpy(&of[i], a->attrs + f->offset, sizeof of[i]);
    }
    if (axis < 0) axis += ndim;
    for (int i = 0; i <= axis; i++)
        if (kt_json_add(list, i < axis ? slice(KT_NONE, KT_NONE, 1) : slice(of[0], of[1], of[2])))
            return kt_json_free(list), NULL;
    return list;
}

/* Beside integers a number is written without a fraction: 2.0 would make floats of them. */
static kt_json *number_operand(double v, kt_json *const *tensors, int n) {
    bool whole = n > 0 && v == floor(v) && fabs(v) < 1e15;
    for (int i = 0; i < n; i++) {
        const char *dtype = kt_json_get_text(kt_json_get(tensors[i], "config"), "dtype");
        whole = whole && dtype && !kt_dtype_is_float(kt_dtype_of(dtype));
    }
    return whole ? kt_json_new_int((int64_t)v) : kt_json_new_real(v);
}

/* Operand i of the call: a symbol of the model, a constant, a number. */
static kt_json *operand(const kt_operation_args *a, int i, int *next, kt_json *const *t, int n) {
    const kt_sym *s = i < a->n_operands ? a->fixed[i] : NULL;
    const bool index = i == 1 && !strcmp(a->op->name, "Take"); /* beside floats too */
    if (i >= a->n_operands) return NULL;
    if (!s) return *next < n ? kt_json_ref(t[(*next)++]) : NULL;
    if (s->constant) return constant(s->constant);
    return index ? kt_json_new_int((int64_t)s->num) : number_operand(s->num, t, n);
}

/* [[conditions], [choices], default] */
static kt_json *select_args(const kt_operation_args *a, kt_json *const *tensors, int n) {
    const int half = a->n_operands / 2;
    kt_json *out = kt_json_new_list(), *list = NULL;
    kt_status st = out ? KT_OK : KT_ENOMEM;
    int next = 0;
    for (int i = 0; i < a->n_operands && st == KT_OK; i++) {
        const bool last = i == 2 * half;
        if (!last && i % half == 0) st = kt_json_add(out, list = kt_json_new_list());
        if (st == KT_OK) st = kt_json_add(last ? out : list, operand(a, i, &next, tensors, n));
    }
    if (st == KT_OK) return out;
    kt_json_free(out);
    return NULL;
}

/* args (keywords: kwargs) by the names in the form. */
static kt_json *call_values(const kt_layer *l, kt_json *const *tensors, int n, bool keywords) {
    const kt_operation_args *a = kt_operation_of(l);
    const kt_op_form *form = form_of(l);
    kt_json *out = keywords ? kt_json_new_dict() : kt_json_new_list();
    kt_call_argument c = {.rest = form->call};
    int next = 0, used = 0;
    unsigned given = ~0u;
    kt_status st = out ? KT_OK : KT_ENOMEM;
    if (strchr(form->call, '?')) memcpy(&given, a->attrs, sizeof given);
    for (int i = 0; st == KT_OK && kt_next_argument(&c, form->fields); i++) {
        const bool none = c.optional && !(given >> i & 1);
        kt_json *v = c.field ? attribute(c.field, a->attrs)
                     : none  ? kt_json_new_null()
                             : operand(a, used++, &next, tensors, n);
        if (c.keyword != keywords)
            kt_json_free(v);
        else
            st = !v         ? kt_json_failed()
                 : keywords ? kt_json_put(out, c.name, v)
                            : kt_json_add(out, v);
    }
    if (st == KT_OK) return out;
    kt_json_free(out);
    return NULL;
}

kt_json *kt_write_operation_args(const kt_layer *l, kt_json *const *tensors, int n) {
    if (form_of(l)->call) return call_values(l, tensors, n, false);
    const kt_operation_args *a = kt_operation_of(l);
    if (!strcmp(a->op->name, "Select")) return select_args(a, tensors, n);
    kt_json *args = kt_json_new_list(), *to = args;
    kt_status st = args ? KT_OK : KT_ENOMEM;
    int next = 0;
    if (form_of(l)->n_in == KT_OP_LIST) {
        to = kt_json_new_list();
        st = kt_json_add(args, to);
    }
    for (int i = 0; i < a->n_operands; i++) {
        kt_json *v = operand(a, i, &next, tensors, n);
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

kt_json *kt_write_operation_kwargs(const kt_layer *l, kt_json *const *tensors, int n) {
    return form_of(l)->call ? call_values(l, tensors, n, true) : kt_json_new_dict();
}
