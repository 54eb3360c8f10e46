/* Keras' `Operation`s of a file become recorded operations (kt_op_* between kt_input and
 * kt_functional). A file's slice over several axes becomes one slice per axis; Keras' activation
 * operations that are no primitive here become Activation layers. */
#include "saving/operations.h"

#include "io/source.h"

#include <keratin/layers.h>
#include <keratin/ops_creation.h>

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

bool kt_next_argument(kt_call_argument *a, const kt_field *fields) {
    for (; *a->rest == ' ' || *a->rest == '*'; a->rest++)
        a->keyword = a->keyword || *a->rest == '*';
    const size_t n = strcspn(a->rest, " ?");
    if (!n || n >= sizeof a->name) return false;
    snprintf(a->name, sizeof a->name, "%.*s", (int)n, a->rest);
    a->rest += n;
    a->optional = *a->rest == '?';
    a->rest += a->optional;
    a->field = NULL;
    for (const kt_field *f = fields; f && f->type; f++)
        if (!strcmp(f->name, a->name)) a->field = f;
    return true;
}

bool kt_is_call_argument(const kt_op_form *form, const char *name) {
    kt_call_argument a = {.rest = form->call ? form->call : ""};
    while (kt_next_argument(&a, NULL))
        if (!strcmp(a.name, name)) return true;
    return false;
}

bool kt_is_json_text(const kt_field *f) {
    static const char *const names[] = {
        "axes", "pad_width", "shift", "source", "destination", "indices_or_sections", "ord"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (f->type == KT_FIELD_TEXT && !strcmp(f->name, names[i])) return true;
    return false;
}

const kt_op_constant kt_op_constants[] = {
    {"Trapezoid", "x", "null"},
    {"Linspace", "retstep", "false"},
    {"Moments", "synchronized", "false"},
    {"Resize", "fill_mode", "\"constant\""},
    {"MultiHot", "sparse", "false"},
    {"SegmentSum", "sorted", "false"},
    {"Unstack", "num", "null"},
    {"OneHot", "sparse", "false"},
    {"DotProductAttention", "flash_attention", "null"},
    {"DotProductAttention", "attn_logits_soft_cap", "null"},
    {NULL, NULL, NULL}};

/* Reading -------------------------------------------------------------------------------------- */

static const kt_op_form *find_op(const char *class_name) {
    static const char *const same[][2] = {
        {"TrueDivide", "Divide"}, {"Abs", "Absolute"}, {"Amax", "Max"}, {"Amin", "Min"}};
    const kt_op_form *f;
    for (int i = 0; (f = kt_op_form_at(i)) != NULL; i++)
        if (!strcmp(f->op->name, class_name)) return f;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (!strcmp(same[i][0], class_name)) return find_op(same[i][1]);
    return NULL;
}

/* A list of whole numbers is of int32, as in Keras. */
static bool is_whole(const kt_json *v) {
    if (!kt_json_is(v, KT_JSON_LIST)) return kt_json_is(v, KT_JSON_INT);
    for (int i = 0; i < kt_json_len(v); i++)
        if (!is_whole(kt_json_at(v, i))) return false;
    return kt_json_len(v) > 0;
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
    const kt_dtype dtype = name ? kt_dtype_of(name) : is_whole(v) ? KT_INT32 : KT_FLOAT32;
    if (dtype == KT_NO_DTYPE)
        return kt_fail_object(KT_FAIL(KT_EUNSUPPORTED, "a constant of an unknown dtype"));
    kt_tensor *t = kt_reader_keep(
        r, kt_read_tensor(array ? kt_json_get(config, "value") : v, dtype));
    return kt_failed(t) ? kt_fail_object(kt_check(t)) : kt_reader_keep(r, kt_const(t));
}

typedef struct {
    kt_reader *r;
    kt_find_sym *find;
    void *data;
    int n;
    kt_sym *in[KT_OP_MAX_IN];
    bool real[KT_OP_MAX_IN]; ///< a number with a point
    const char *name;        ///< of the operation
    int n_parts;
} operands;

static kt_status take_operand(operands *o, const kt_json *v) {
    if (o->n == KT_OP_MAX_IN) return KT_FAIL(KT_ELIMIT, "more than %d operands", KT_OP_MAX_IN);
    kt_sym *s = kt_is_keras_tensor(v) ? o->find(o->data, v) : fixed_operand(o->r, v);
    o->real[o->n] = kt_json_is(v, KT_JSON_REAL);
    o->in[o->n++] = s;
    return kt_check(s);
}

/* 0.5 makes floats of integers; our numbers would take the integers' dtype. */
static kt_status widen_numbers(operands *o) {
    bool integers = o->n > 1;
    for (int i = 0; i < o->n; i++)
        integers = integers && (o->in[i]->is_num || !kt_dtype_is_float(kt_sym_dtype(o->in[i])));
    for (int i = 0; i < o->n && integers; i++) {
        if (!o->real[i]) continue;
        const float v = (float)o->in[i]->num;
        kt_tensor *t = kt_reader_keep(o->r, kt_tensor_new(KT_FLOAT32, (kt_shape){0, {0}}, &v));
        if (kt_failed(t)) return kt_check(t);
        o->in[i] = kt_reader_keep(o->r, kt_const(t));
        if (kt_failed(o->in[i])) return kt_check(o->in[i]);
    }
    return KT_OK;
}

static bool has_tensor(const kt_json *list) {
    for (int i = 0; i < kt_json_len(list); i++)
        if (kt_is_keras_tensor(kt_json_at(list, i))) return true;
    return false;
}

/* The name of the file; what else the operation became has names made of it. */
static kt_status give_name(kt_sym *y, const char *name, int part) {
    char own[300];
    if (!name || !y->node || !kt_layer_is_operation(y->node->layer)) return KT_OK;
    kt_layer *l = y->node->layer;
    if (!*name || strchr(name, '/'))
        return KT_FAIL(KT_EFORMAT, "name: expected a text without \"/\"");
    snprintf(own, sizeof own, "%.280s_part_%d", name, part);
    kt_mem_free(l->name);
    l->name = kt_strdup(part < 0 ? name : own);
    return l->name ? KT_OK : KT_ENOMEM;
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

/* One of several operations that stand for one of the file. */
static kt_sym *part_of(operands *o, kt_sym *y) {
    kt_reader_keep(o->r, y);
    const kt_status st = kt_failed(y) ? kt_check(y) : give_name(y, o->name, o->n_parts++);
    return st ? kt_fail_object(st) : y;
}

static kt_status take_index(operands *o, kt_sym **x, const kt_json *v, int *axis) {
    const char *class_name = kt_json_get_text(v, "class_name");
    const kt_json *config = kt_json_get(v, "config");
    int64_t start, stop, step = 1;
    if (kt_json_is(v, KT_JSON_INT)) { /* x[i]: the axis goes */
        const int64_t i = kt_json_int(v);
        kt_sym *one = part_of(o, kt_op_slice(*x, *axis, i, i == -1 ? KT_NONE : i + 1));
        *x = part_of(o, kt_op_squeeze(one, *axis));
        return kt_check(*x);
    }
    if (kt_json_kind(v) == KT_JSON_NULL) { /* x[None] */
        *x = part_of(o, kt_op_expand_dims(*x, (*axis)++));
        return kt_check(*x);
    }
    if (!class_name || strcmp(class_name, "__slice__") != 0)
        return KT_FAIL(KT_EUNSUPPORTED, "GetItem: an index of this form is not supported");
    kt_status st = bound(&start, config, "start");
    if (st == KT_OK) st = bound(&stop, config, "stop");
    if (st == KT_OK) st = bound(&step, config, "step");
    if (step == KT_NONE) step = 1;
    if (st == KT_OK && (start != KT_NONE || stop != KT_NONE || step != 1))
        *x = part_of(o, kt_op_strided_slice(*x, *axis, start, stop, step));
    (*axis)++;
    return st ? st : kt_check(*x);
}

/* Several operations are one in files, so that the order of layers is that of Keras. */
static kt_status join_parts(kt_sym *last, const kt_sym *whole, const kt_json *index) {
    kt_str text = {0};
    if (!last->node || !kt_layer_is_operation(last->node->layer)) return KT_OK;
    for (const kt_sym *s = last->node->in[0]; s->node != whole->node; s = s->node->in[0])
        s->node->layer->is_part = true;
    kt_json_write(&text, index, KT_NONE);
    kt_mem_free(last->node->layer->index);
    last->node->layer->index = text.s;
    return text.status;
}

static kt_sym *read_get_item(operands *o, const kt_json *args) {
    const kt_json *at = kt_json_at(args, 1), *first = kt_json_at(args, 0);
    kt_sym *x = kt_is_keras_tensor(first)
                    ? o->find(o->data, first)
                    : kt_fail_object(kt_read_type_error("args", "a tensor", first));
    const bool list = kt_json_is(at, KT_JSON_LIST);
    const int n = list ? kt_json_len(at) : 1;
    kt_status st = kt_check(x);
    const kt_sym *whole = x;
    int axis = 0;
    for (int i = 0; i < n && st == KT_OK; i++) {
        const kt_json *v = list ? kt_json_at(at, i) : at;
        const char *name = kt_json_get_text(v, "class_name");
        if (!name || strcmp(name, "__ellipsis__") != 0) {
            st = take_index(o, &x, v, &axis);
            continue;
        }
        int rest = 0; /* axes that the indices after it take */
        for (int k = i + 1; k < n; k++) rest += kt_json_kind(kt_json_at(at, k)) != KT_JSON_NULL;
        axis = kt_sym_shape(x).ndim - rest;
        if (axis < 0) st = KT_FAIL(KT_EFORMAT, "GetItem: more indices than axes");
    }
    if (st == KT_OK && o->n_parts > 1) st = join_parts(x, whole, at);
    if (st == KT_OK && !o->n_parts) x = kt_reader_keep(o->r, kt_op_copy(x)); /* x[...] */
    return st ? kt_fail_object(st) : x;
}

/* The activation "leaky_relu" for "LeakyRelu"; NULL if there is none. */
static const kt_class *activation_of(const char *class_name) {
    char snake[64];
    kt_snake_case(class_name, snake, sizeof snake);
    if (!strcmp(snake, "re_lu")) snprintf(snake, sizeof snake, "relu");
    const kt_class *const *all = kt_activation_registry();
    const kt_class *cls = NULL;
    for (int i = 0; all[i]; i++)
        if (kt_class_has_name(all[i], snake)) cls = all[i];
    return cls;
}

bool kt_is_operation_class(const char *class_name) {
    return !strcmp(class_name, "GetItem") || find_op(class_name) || activation_of(class_name);
}

/* "LeakyRelu" with its arguments: the activation of that name in an Activation layer. */
static kt_sym *read_activation(
    operands *o, const char *class_name, const kt_json *config, const char *name) {
    char text[KT_QUOTE_SIZE];
    const kt_class *cls = activation_of(class_name);
    static const char *const skip[] = {"name", NULL};
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

/* Lists of lists, which the op itself reads. */
static kt_status read_json_text(char *to, const kt_field *f, const kt_json *v) {
    kt_str s = {0};
    kt_json_write(&s, v, KT_NONE);
    kt_status st = s.status;
    if (st == KT_OK && (!s.s || strlen(s.s) >= f->size))
        st = KT_FAIL(KT_EUNSUPPORTED, "%s: a list this long", f->name);
    if (st == KT_OK) memcpy(to, s.s, strlen(s.s) + 1);
    kt_str_free(&s);
    return st;
}

/* A form of a value that our attributes have no room for is unsupported, not wrong. */
static kt_status read_attr(
    kt_reader *r, const kt_field *f, const char *class_name, const kt_json *v, void *attrs) {
    const kt_field one[] = {*f, KT_F_END};
    if (kt_json_is(v, KT_JSON_LIST) && f->type == KT_FIELD_INT)
        return KT_FAIL(KT_EUNSUPPORTED, "%s: a list as %s", class_name, f->name);
    if (f->type == KT_FIELD_TEXT && kt_json_kind(v) == KT_JSON_NULL) return KT_OK; /* None: "" */
    if (kt_is_json_text(f)) return read_json_text((char *)attrs + f->offset, f, v);
    kt_json *own = (kt_json *)(uintptr_t)v; /* of the document; it is shared, not changed */
    kt_json *dict = kt_json_new_dict(), *dims = NULL, *use = own;
    kt_status st = dict ? KT_OK : KT_ENOMEM;
    if (f->type == KT_FIELD_DIMS && kt_json_is(v, KT_JSON_INT)) {
        use = dims = kt_json_new_list();
        st = kt_json_add(dims, kt_json_ref(own));
    }
    if (st == KT_OK) st = kt_json_put(dict, f->name, kt_json_ref(use));
    if (st == KT_OK) st = kt_read_fields(r, class_name, one, attrs, dict, NULL);
    kt_json_free(dims);
    kt_json_free(dict);
    return st;
}

static bool is_constant(const char *class_name, const char *key, const kt_json *v) {
    kt_str s = {0};
    bool same = false;
    kt_json_write(&s, v, KT_NONE);
    for (const kt_op_constant *c = kt_op_constants; c->class_name && s.s; c++)
        same = same || (!strcmp(c->class_name, class_name) && !strcmp(c->key, key) &&
                        !strcmp(c->value, s.s));
    kt_str_free(&s);
    return same;
}

static kt_status read_attrs(
    kt_reader *r,
    const kt_field *fields,
    const char *class_name,
    const kt_json *config,
    void *attrs) {
    for (void *it = kt_json_iter(config); it; it = kt_json_next(config, it)) {
        const char *key = kt_json_iter_key(it);
        const kt_json *v = kt_json_iter_value(it);
        bool known = !strcmp(key, "name") || kt_json_kind(v) == KT_JSON_NULL;
        for (const kt_field *f = fields; f && f->type; f++) known = known || !strcmp(f->name, key);
        if (!known && !is_constant(class_name, key, v))
            return KT_FAIL(KT_EUNSUPPORTED, "%s: argument \"%.40s\"", class_name, key);
    }
    kt_status st = KT_OK;
    for (const kt_field *f = fields; f && f->type && st == KT_OK; f++) {
        const kt_json *v = kt_json_get(config, f->name);
        if (v)
            st = read_attr(r, f, class_name, v, attrs);
        else if (f->type == KT_FIELD_DOUBLE) /* None, also in files that do not know it */
            memcpy((char *)attrs + f->offset, &(double){KT_NONE_F}, sizeof(double));
    }
    return st;
}

/* Calls ---------------------------------------------------------------------------------------- */

/* args and kwargs by the names in the form; fields of the config were read before. */
static kt_status bind_call(
    operands *o,
    const kt_op_form *form,
    const char *class_name,
    const kt_json *args,
    const kt_json *kwargs,
    void *attrs) {
    kt_call_argument c = {.rest = form->call};
    unsigned given = 0;
    int i = 0;
    kt_status st = KT_OK;
    for (void *it = kt_json_iter(kwargs); it; it = kt_json_next(kwargs, it))
        if (!kt_is_call_argument(form, kt_json_iter_key(it)) &&
            kt_json_kind(kt_json_iter_value(it)) != KT_JSON_NULL)
            return KT_FAIL(
                KT_EUNSUPPORTED, "%s: argument \"%.40s\"", class_name, kt_json_iter_key(it));
    for (; st == KT_OK && kt_next_argument(&c, form->fields); i++) {
        const kt_json *v = i < kt_json_len(args) ? kt_json_at(args, i)
                                                 : kt_json_get(kwargs, c.name);
        const bool null = !v || kt_json_kind(v) == KT_JSON_NULL;
        if (!null) given |= 1u << i;
        if (c.field)
            st = null ? KT_OK : read_attr(o->r, c.field, class_name, v, attrs);
        else if (!null)
            st = take_operand(o, v);
        else if (!c.optional)
            st = KT_FAIL(KT_EFORMAT, "%s: no argument \"%s\"", class_name, c.name);
    }
    if (st == KT_OK && kt_json_len(args) > i)
        st = KT_FAIL(KT_EFORMAT, "%s: more than %d arguments", class_name, i);
    if (strchr(form->call, '?')) memcpy(attrs, &given, sizeof given);
    if (st == KT_OK && !o->n) st = KT_FAIL(KT_EFORMAT, "args: a call without tensors");
    return st ? st : widen_numbers(o);
}

/* An operation whose call() takes arguments by name. */
static kt_sym *apply_call(
    operands *o,
    const kt_op_form *form,
    const kt_json *config,
    const kt_json *args,
    const kt_json *kwargs) {
    unsigned char attrs[sizeof((kt_operation_args *)0)->attrs] __attribute__((aligned(16))) = {0};
    const char *class_name = form->op->name;
    kt_status st = read_attrs(o->r, form->fields, class_name, config, attrs);
    if (st == KT_OK) st = bind_call(o, form, class_name, args, kwargs, attrs);
    if (st == KT_OK && form->finish) st = form->finish(o->n, o->in, attrs);
    if (st) return kt_fail_object(st);
    return kt_reader_keep(o->r, kt_op_apply(form->op, o->n, o->in, attrs));
}

static kt_status read_operands(operands *o, const kt_json *args) {
    kt_status st = KT_OK;
    for (int i = 0; i < kt_json_len(args) && st == KT_OK; i++) {
        const kt_json *v = kt_json_at(args, i);
        const bool flat = kt_json_is(v, KT_JSON_LIST) && has_tensor(v);
        for (int k = 0; k < (flat ? kt_json_len(v) : 1) && st == KT_OK; k++)
            st = take_operand(o, flat ? kt_json_at(v, k) : v);
    }
    if (st == KT_OK && !o->n) st = KT_FAIL(KT_EFORMAT, "args: a call without tensors");
    return st ? st : widen_numbers(o);
}

/* An operation of a class that there is here. */
static kt_sym *apply_form(
    operands *o,
    const kt_op_form *form,
    const char *class_name,
    const kt_json *config,
    const kt_json *kwargs) {
    unsigned char attrs[sizeof((kt_operation_args *)0)->attrs] __attribute__((aligned(16))) = {0};
    kt_status st = KT_OK;
    for (void *it = kt_json_iter(kwargs); it; it = kt_json_next(kwargs, it))
        if (kt_json_kind(kt_json_iter_value(it)) != KT_JSON_NULL)
            st = KT_FAIL(
                KT_EUNSUPPORTED,
                "%s: argument \"%.40s\" of a call",
                class_name,
                kt_json_iter_key(it));
    if (st == KT_OK && form->n_in >= 0 && o->n != form->n_in)
        st = KT_FAIL(KT_EFORMAT, "%s: expected %d operands, got %d", class_name, form->n_in, o->n);
    if (st == KT_OK) st = read_attrs(o->r, form->fields, class_name, config, attrs);
    if (st == KT_OK && form->finish) st = form->finish(o->n, o->in, attrs);
    if (st) return kt_fail_object(st);
    return kt_reader_keep(o->r, kt_op_apply(form->op, o->n, o->in, attrs));
}

/* Keras calls this on masks. A tensor may be said not to be sparse, which ours never are. */
static kt_sym *converted(operands *o, const kt_json *config) {
    bool sparse = false, ragged = false;
    kt_status st = o->n == 1 ? KT_OK
                             : KT_FAIL(KT_EFORMAT, "ConvertToTensor: one operand, got %d", o->n);
    if (st == KT_OK) st = kt_read_optional(config, "sparse", KT_JSON_BOOL);
    if (st == KT_OK) st = kt_read_optional(config, "ragged", KT_JSON_BOOL);
    if (st == KT_OK) sparse = kt_json_bool(kt_json_get(config, "sparse"));
    if (st == KT_OK) ragged = kt_json_bool(kt_json_get(config, "ragged"));
    if (sparse || ragged)
        st = KT_FAIL(KT_EUNSUPPORTED, "ConvertToTensor: %s tensors", sparse ? "sparse" : "ragged");
    if (st) return kt_fail_object(st);
    return kt_reader_keep(
        o->r, kt_op_convert_to_tensor(o->in[0], kt_json_get_text(config, "dtype")));
}

kt_sym *kt_read_operation(
    kt_reader *r, const kt_json *entry, const kt_json *node, kt_find_sym *find, void *data) {
    const char *class_name = kt_json_get_text(entry, "class_name");
    const kt_json *config = kt_json_get(entry, "config"), *args = kt_json_get(node, "args");
    const kt_json *kwargs = kt_json_get(node, "kwargs");
    const char *name = kt_json_get_text(config, "name");
    operands o = {.r = r, .find = find, .data = data, .name = name};
    const kt_op_form *form = find_op(class_name);
    kt_sym *y;
    kt_status st = KT_OK;
    if (!strcmp(class_name, "GetItem")) {
        y = read_get_item(&o, args);
    } else if (form && form->call) {
        y = apply_call(&o, form, config, args, kwargs);
    } else {
        st = read_operands(&o, args);
        if (st == KT_OK && !form && o.n != 1)
            st = KT_FAIL(KT_EUNSUPPORTED, "operation %.60s does not exist here", class_name);
        y = st                                       ? kt_fail_object(st)
            : !strcmp(class_name, "ConvertToTensor") ? converted(&o, config)
            : form ? apply_form(&o, form, class_name, config, kwargs)
                   : read_activation(&o, class_name, config, name);
    }
    st = kt_failed(y) ? kt_check(y) : give_name(y, name, -1);
    return st ? kt_fail_object(st) : y;
}
