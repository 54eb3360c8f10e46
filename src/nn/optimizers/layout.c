/* Where an optimizer keeps its arrays.
 *
 * The weights lie in segments of flat memory (runtime/var.h). For each of them every slot gets one
 * array of the same length, and the slot of a variable is a kt_var that shares it: apply.c updates
 * a whole segment as one piece, while files and callbacks see one variable per weight, as in Keras.
 * Rules that work variable by variable get memory of their own for each. */
#include "base/mem.h"
#include "base/str.h"
#include "nn/layer.h"
#include "nn/optimizers/rule.h"

#include <string.h>

static const kt_optimizer_class *class_of(const kt_component *opt) {
    return (const kt_optimizer_class *)opt->cls;
}

void kt_opt_layout_free(kt_opt_layout *l) {
    for (int i = 0; l->entry && i < l->n; i++) {
        kt_release(l->entry[i].var);
        for (int k = 0; k < KT_OPT_SLOTS; k++) kt_release(l->entry[i].slot[k]);
    }
    kt_release(l->scalar);
    kt_mem_free(l->entry);
    kt_mem_free(l->by_rank);
    kt_vec_free(&l->listed);
    *l = (kt_opt_layout){0};
}

static void choose_slots(const kt_component *opt, kt_opt_layout *l) {
    const kt_opt_common *a = &((const kt_opt_state *)kt_state_of(opt))->a;
    if (class_of(opt)->slots) l->n_slots = class_of(opt)->slots(opt, l->slots);
    int n = l->n_slots;
    l->average = a->use_ema ? n++ : -1;
    l->accumulator = a->gradient_accumulation_steps > 1 ? n++ : -1;
    if (l->average >= 0) l->slots[l->average] = (kt_opt_slot){.name = "average"};
    if (l->accumulator >= 0)
        l->slots[l->accumulator] = (kt_opt_slot){.name = "gradient_accumulator"};
}

static int slot_count(const kt_opt_layout *l) {
    return l->n_slots + (l->average >= 0) + (l->accumulator >= 0);
}

static double decay_of(const kt_component *opt, kt_var *v) {
    const kt_opt_state *s = kt_state_of(opt);
    const double decay = class_of(opt)->weight_decay ? class_of(opt)->weight_decay(opt, v)
                                                     : s->a.weight_decay;
    for (int i = 0; i < s->excluded.n; i++)
        if (kt_opt_pattern_found(s->excluded.v[i], v->name)) return 0;
    return decay == KT_NONE_F ? 0 : decay;
}

/* Entries in the order of memory; `segments` has room for n. */
static kt_status make_entries(
    kt_component *opt,
    int n,
    kt_var *const *vars,
    kt_opt_layout *l,
    kt_segment *segments,
    kt_var **sorted) {
    l->entry = kt_alloc_array(n + 1, sizeof *l->entry);
    l->by_rank = kt_alloc_array(n + 1, sizeof *l->by_rank);
    if (!l->entry || !l->by_rank) return KT_ENOMEM;
    memcpy(sorted, vars, sizeof *sorted * (size_t)n);
    const int n_segments = kt_segments(n, sorted, segments);
    for (int k = 0; k < n_segments; k++) {
        for (int i = segments[k].first; i < segments[k].first + segments[k].count; i++) {
            kt_var *v = sorted[i];
            int rank = 0;
            while (vars[rank] != v) rank++;
            l->entry[i] = (kt_opt_entry){
                kt_adopt(v), v->store, v->offset, rank, k, decay_of(opt, v), {0}};
            l->by_rank[rank] = i;
        }
    }
    l->n = n;
    return KT_OK;
}

/* "adam/dense_kernel_momentum" for "dense/kernel" and "momentum". */
static kt_status name_slot(kt_component *opt, kt_var *slot, kt_var *v, const char *suffix) {
    kt_str s = {0};
    const char *scope = ((const kt_opt_state *)kt_state_of(opt))->scope;
    if (scope) kt_str_addf(&s, "%s/", scope);
    kt_str_addf(&s, "%s/", kt_opt_name(opt));
    const size_t start = s.n;
    if (*suffix)
        kt_var_keras_path(v, &s);
    else
        kt_str_add(&s, v->name);
    for (size_t i = start; s.s && i < s.n; i++)
        if (s.s[i] == '/') s.s[i] = '_';
    if (*suffix) kt_str_addf(&s, "_%s", suffix);
    kt_mem_free(slot->name);
    slot->path = s.status ? NULL : kt_strdup(s.s);
    slot->name = s.status ? NULL : kt_strdup(s.s + start);
    kt_str_free(&s);
    return slot->path && slot->name ? KT_OK : KT_ENOMEM;
}

static kt_status fill_slot(kt_var *slot, const kt_opt_slot *def, kt_var *v) {
    kt_status st = kt_store_touch(slot->store);
    if (st == KT_OK && def->copy) st = kt_var_ensure(v);
    if (st) return st;
    if (def->copy) kt_var_write(slot, kt_var_data(v), v->spec.dtype);
    slot->initialized = true;
    return KT_OK;
}

/* A slot of one variable: inside `store`, or with memory of its own. */
static kt_status make_slot(
    kt_component *opt,
    const kt_opt_slot *def,
    kt_opt_entry *e,
    int i,
    kt_store *store,
    int64_t offset) {
    kt_spec spec = e->var->spec;
    if (class_of(opt)->slot_spec && !class_of(opt)->slot_spec(opt, i, e->var, &spec)) return KT_OK;
    kt_var *slot = kt_var_new("slot", spec, false);
    if (kt_failed(slot)) return kt_check(slot);
    e->slot[i] = kt_adopt(slot);
    if (store) {
        kt_store_unref(slot->store);
        slot->store = kt_store_ref(store);
        slot->offset = offset;
        slot->in_extent = true;
    }
    const kt_status st = name_slot(opt, slot, e->var, def->name);
    return st ? st : fill_slot(slot, def, e->var);
}

static void fill_store(kt_store *s, double value) {
    for (int64_t i = 0; value != 0 && i < s->size; i++) kt_elem_set(s->data, s->dtype, i, value);
}

/* One slot over one segment. */
static kt_status make_flat(kt_component *opt, kt_opt_layout *l, int i, const kt_segment *seg) {
    kt_store *store = kt_store_new(seg->store->dtype, seg->size);
    kt_status st = store ? kt_store_touch(store) : KT_ENOMEM;
    if (st == KT_OK) fill_store(store, l->slots[i].initial);
    for (int k = seg->first; k < seg->first + seg->count && st == KT_OK; k++) {
        kt_opt_entry *e = &l->entry[k];
        st = make_slot(opt, &l->slots[i], e, i, store, e->offset - seg->offset);
    }
    kt_store_unref(store);
    return st;
}

static kt_status make_own(kt_component *opt, kt_opt_layout *l, int i) {
    kt_status st = KT_OK;
    for (int k = 0; k < l->n && st == KT_OK; k++) {
        kt_opt_entry *e = &l->entry[k];
        st = make_slot(opt, &l->slots[i], e, i, NULL, 0);
        if (st == KT_OK && e->slot[i]) fill_store(e->slot[i]->store, l->slots[i].initial);
    }
    return st;
}

static kt_status make_slots(kt_component *opt, kt_opt_layout *l, const kt_segment *segments) {
    kt_status st = KT_OK;
    for (int i = 0; i < slot_count(l) && st == KT_OK; i++) {
        if (class_of(opt)->per_variable) st = make_own(opt, l, i);
        for (int k = 0; !class_of(opt)->per_variable && k < l->n && st == KT_OK;) {
            const kt_segment *seg = &segments[l->entry[k].segment];
            st = make_flat(opt, l, i, seg);
            k += seg->count;
        }
    }
    return st;
}

static kt_status make_scalar(const kt_component *opt, kt_opt_layout *l) {
    if (!class_of(opt)->scalar) return KT_OK;
    const kt_dtype dtype = l->n ? l->entry[l->by_rank[0]].var->spec.dtype : KT_FLOAT32;
    kt_var *v = kt_var_new(class_of(opt)->scalar, (kt_spec){dtype, {0, {0}}}, false);
    if (kt_failed(v)) return kt_check(v);
    l->scalar = kt_adopt(v);
    kt_var_set_scalar(v, class_of(opt)->scalar_initial);
    return v->initialized ? KT_OK : KT_ENOMEM;
}

/* Keras' order --------------------------------------------------------------------------------- */

static kt_status list_slots(kt_opt_layout *l, int from, int to, int group) {
    kt_status st = KT_OK;
    for (int rank = 0; rank < l->n; rank++)
        for (int i = from; i < to && st == KT_OK; i++) {
            kt_var *slot = l->entry[l->by_rank[rank]].slot[i];
            if (slot && l->slots[i].group == group) st = kt_vec_push(&l->listed, slot);
        }
    return st;
}

kt_status kt_opt_name_scalar(kt_component *opt, kt_var *v) {
    kt_str s = {0};
    if (v->path) return KT_OK;
    kt_str_addf(&s, "%s/%s", kt_opt_name(opt), v->name);
    v->path = s.s;
    return s.status;
}

static kt_status list_all(kt_component *opt, kt_opt_layout *l) {
    const kt_opt_state *s = kt_state_of(opt);
    kt_status st = kt_opt_name_scalar(opt, s->iteration);
    if (st == KT_OK) st = kt_vec_push(&l->listed, s->iteration);
    if (st == KT_OK && s->lr) st = kt_opt_name_scalar(opt, s->lr);
    if (st == KT_OK && l->scalar) st = kt_opt_name_scalar(opt, l->scalar);
    if (st == KT_OK && s->lr) st = kt_vec_push(&l->listed, s->lr);
    for (int i = l->n_slots; i < slot_count(l) && st == KT_OK; i++) st = list_slots(l, i, i + 1, 0);
    for (int group = 0; group < KT_OPT_SLOTS && st == KT_OK; group++)
        st = list_slots(l, 0, l->n_slots, group);
    /* Keras overlooks the scalar (of Nadam) where a LossScaleOptimizer builds: files lack it too */
    if (st == KT_OK && l->scalar && !s->scope) st = kt_vec_push(&l->listed, l->scalar);
    return st;
}

kt_status kt_opt_layout_make(kt_component *opt, int n, kt_var *const *vars, kt_opt_layout *out) {
    kt_segment *segments = kt_alloc_array(n + 1, sizeof *segments);
    kt_var **sorted = kt_alloc_array(n + 1, sizeof *sorted);
    kt_status st = segments && sorted ? KT_OK : KT_ENOMEM;
    *out = (kt_opt_layout){0};
    choose_slots(opt, out);
    if (st == KT_OK) st = make_entries(opt, n, vars, out, segments, sorted);
    if (st == KT_OK) st = make_slots(opt, out, segments);
    if (st == KT_OK) st = make_scalar(opt, out);
    if (st == KT_OK) st = list_all(opt, out);
    kt_mem_free(segments);
    kt_mem_free(sorted);
    if (st) kt_opt_layout_free(out);
    return st;
}

/* Building again ------------------------------------------------------------------------------- */

static const kt_opt_entry *find_entry(const kt_opt_layout *l, const kt_var *v) {
    for (int i = 0; i < l->n; i++)
        if (l->entry[i].var == v) return &l->entry[i];
    return NULL;
}

static bool is_current(const kt_opt_layout *l, int n, kt_var *const *vars) {
    if (l->n != n || !l->entry) return false;
    for (int i = 0; i < n; i++) {
        const kt_opt_entry *e = &l->entry[l->by_rank[i]];
        if (e->var != vars[i] || e->store != vars[i]->store || e->offset != vars[i]->offset)
            return false;
    }
    return true;
}

static void carry_over(const kt_opt_layout *from, kt_opt_layout *to) {
    for (int i = 0; i < to->n; i++) {
        const kt_opt_entry *old = find_entry(from, to->entry[i].var);
        for (int k = 0; k < slot_count(to); k++)
            if (old->slot[k])
                kt_var_write(
                    to->entry[i].slot[k], kt_var_data(old->slot[k]), old->slot[k]->spec.dtype);
    }
    if (to->scalar) kt_var_set_scalar(to->scalar, kt_var_scalar(from->scalar));
}

/* LossScaleOptimizer: its own four variables, then those of the one inside. */
static kt_status build_around(kt_component *opt, int n, kt_var *const *vars) {
    const kt_opt_state *s = kt_state_of(opt);
    kt_opt_state *inner = kt_state_of(s->inner);
    kt_opt_layout *l = &((kt_opt_state *)kt_state_of(opt))->layout;
    inner->scope = kt_opt_name(opt);
    kt_status st = kt_optimizer_build(s->inner, n, vars);
    inner->scope = NULL;
    kt_var *const own[] = {s->iteration, s->lr, s->step_counter, s->dynamic_scale};
    l->listed.n = 0;
    for (int i = 0; i < 4 && st == KT_OK; i++) {
        st = kt_opt_name_scalar(opt, own[i]);
        if (st == KT_OK) st = kt_vec_push(&l->listed, own[i]);
    }
    for (int i = 0; i < inner->layout.listed.n && st == KT_OK; i++)
        st = kt_vec_push(&l->listed, inner->layout.listed.v[i]);
    if (st) l->listed.n = 0;
    return st;
}

kt_status kt_optimizer_build(kt_component *opt, int n, kt_var *const *vars) {
    kt_opt_state *s = kt_state_of(opt);
    kt_opt_layout fresh;
    if (s->inner) return build_around(opt, n, vars);
    bool all_known = s->layout.entry != NULL;
    kt_status st = kt_extent_make(n, vars);
    if (st || is_current(&s->layout, n, vars)) return st;
    for (int i = 0; i < n && all_known; i++) all_known = find_entry(&s->layout, vars[i]) != NULL;
    st = kt_opt_layout_make(opt, n, vars, &fresh);
    if (st) return st;
    if (all_known)
        carry_over(&s->layout, &fresh);
    else if (s->layout.n)
        kt_var_set_scalar(s->iteration, 0);
    kt_opt_layout_free(&s->layout);
    s->layout = fresh;
    return KT_OK;
}
