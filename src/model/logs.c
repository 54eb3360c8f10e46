/* Logs (name and value, in the order in which they were first set) and the history of a training.
 *
 * Few entries, read by name a few times per epoch: linear search is the right index. kt_logs_clear
 * keeps the names, so a training step that sets the same ones again does not allocate. */
#include "model/logs.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

static void entry_free(kt_log_entry *e) {
    kt_mem_free(e->name);
    kt_vec_free(&e->values);
}

static void logs_destroy(void *self) {
    kt_logs *l = self;
    for (int i = 0; i < l->entries.n; i++) entry_free(&l->entries.v[i]);
    kt_vec_free(&l->entries);
}

kt_logs *kt_logs_new(void) {
    kt_logs *l = kt_obj_new(sizeof *l, KT_KIND_OTHER, logs_destroy);
    return l ? l : kt_fail_object(KT_ENOMEM);
}

void kt_logs_clear(kt_logs *l) { l->n = l->sorted = 0; }

void kt_logs_sort(kt_logs *l) {
    for (int i = 1; i < l->n; i++) {
        for (int k = i; k > 0 && strcmp(l->entries.v[k].name, l->entries.v[k - 1].name) < 0; k--) {
            const kt_log_entry e = l->entries.v[k];
            l->entries.v[k] = l->entries.v[k - 1];
            l->entries.v[k - 1] = e;
        }
    }
    l->sorted = l->n;
}

static int logs_find(const kt_logs *l, const char *name) {
    for (int i = 0; i < kt_logs_len(l); i++)
        if (!strcmp(l->entries.v[i].name, name)) return i;
    return -1;
}

/* The entry of that name: one that is set, one from before kt_logs_clear, a new one. */
static kt_log_entry *logs_entry(kt_logs *l, const char *name) {
    const int at = logs_find(l, name);
    if (at >= 0) return &l->entries.v[at];
    if (l->n < l->entries.n && !strcmp(l->entries.v[l->n].name, name)) return &l->entries.v[l->n++];
    while (l->entries.n > l->n) entry_free(&l->entries.v[--l->entries.n]);
    kt_log_entry e = {.name = kt_strdup(name)};
    if (!e.name || kt_vec_push(&l->entries, e)) {
        entry_free(&e);
        return NULL;
    }
    return &l->entries.v[l->n++];
}

/* A processor's NaN may have a sign, which printf shows; Python's have none. */
static double plain(double v) { return isnan(v) ? (double)NAN : v; }

kt_status kt_logs_set(kt_logs *l, const char *name, double value) {
    kt_log_entry *e = logs_entry(l, name);
    if (!e) return KT_ENOMEM;
    e->value = plain(value);
    e->values.n = 0;
    return KT_OK;
}

kt_status kt_logs_set_values(kt_logs *l, const char *name, const float *values, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)values[i];
    kt_log_entry *e = logs_entry(l, name);
    if (!e) return KT_ENOMEM;
    e->value = plain(n == 1 ? (double)values[0] : sum / (double)n);
    e->values.n = 0;
    for (int64_t i = 0; n > 1 && i < n; i++)
        if (kt_vec_push(&e->values, plain((double)values[i]))) return KT_ENOMEM;
    return KT_OK;
}

int kt_logs_len(const kt_logs *logs) { return kt_failed(logs) ? 0 : logs->n; }

const char *kt_logs_name(const kt_logs *logs, int i) {
    return i >= 0 && i < kt_logs_len(logs) ? logs->entries.v[i].name : NULL;
}

double kt_logs_value(const kt_logs *logs, int i) {
    return i >= 0 && i < kt_logs_len(logs) ? logs->entries.v[i].value : (double)NAN;
}

double kt_logs_get(const kt_logs *logs, const char *name) {
    return kt_logs_value(logs, name ? logs_find(logs, name) : -1);
}

kt_floats_t kt_logs_values(const kt_logs *logs, const char *name) {
    const int at = name ? logs_find(logs, name) : -1;
    if (at < 0) return (kt_floats_t){NULL, 0};
    const kt_log_entry *e = &logs->entries.v[at];
    return e->values.n ? (kt_floats_t){e->values.v, e->values.n} : (kt_floats_t){&e->value, 1};
}

/* History ------------------------------------------------------------------------------------- */

static void history_destroy(void *self) {
    kt_history *h = self;
    for (int i = 0; i < h->logs.n; i++) kt_release(h->logs.v[i]);
    kt_vec_free(&h->logs);
    kt_vec_free(&h->epochs);
}

kt_history *kt_history_new(void) {
    kt_history *h = kt_obj_new(sizeof *h, KT_KIND_HISTORY, history_destroy);
    return h ? h : kt_fail_object(KT_ENOMEM);
}

static kt_status copy_entry(kt_logs *to, const kt_logs *from, int i) {
    const kt_log_entry *e = &from->entries.v[i];
    kt_status st = kt_logs_set(to, e->name, e->value);
    for (int k = 0; st == KT_OK && k < e->values.n; k++)
        st = kt_vec_push(&to->entries.v[i].values, e->values.v[k]);
    return st;
}

kt_status kt_history_add(kt_history *h, int epoch, const kt_logs *logs) {
    kt_logs *copy = kt_logs_new();
    kt_status st = kt_check(copy);
    for (int i = 0; st == KT_OK && i < kt_logs_len(logs); i++) st = copy_entry(copy, logs, i);
    if (st == KT_OK) st = kt_vec_push(&h->logs, copy);
    if (st) {
        kt_free(copy);
        return st;
    }
    kt_adopt(copy);
    st = kt_vec_push(&h->epochs, epoch);
    if (st) kt_release(h->logs.v[--h->logs.n]);
    return st;
}

int kt_history_len(const kt_history *h) { return kt_failed(h) ? 0 : h->logs.n; }

/* -1 is the last epoch. */
static int history_at(const kt_history *h, int i) {
    const int n = kt_history_len(h), at = i < 0 ? i + n : i;
    return at >= 0 && at < n ? at : -1;
}

int kt_history_epoch(const kt_history *h, int i) {
    const int at = history_at(h, i);
    return at < 0 ? -1 : h->epochs.v[at];
}

/* Name `want` of all epochs' names in order of first appearance (validation may skip epochs); NULL
 * if there are fewer, and then *n is how many there are. */
static const char *history_name(const kt_history *h, int want, int *n) {
    *n = 0;
    for (int e = 0; e < kt_history_len(h); e++) {
        for (int i = 0; i < h->logs.v[e]->n; i++) {
            const char *name = h->logs.v[e]->entries.v[i].name;
            int first = 0;
            while (logs_find(h->logs.v[first], name) < 0) first++;
            if (first == e && (*n)++ == want) return name;
        }
    }
    return NULL;
}

int kt_history_n_names(const kt_history *h) {
    int n;
    history_name(h, -1, &n);
    return n;
}

const char *kt_history_name(const kt_history *h, int i) {
    int n;
    return history_name(h, i, &n);
}

double kt_history_get(const kt_history *h, const char *name, int i) {
    const int at = history_at(h, i);
    return at < 0 ? (double)NAN : kt_logs_get(h->logs.v[at], name);
}

kt_floats_t kt_history_values(const kt_history *h, const char *name, int i) {
    const int at = history_at(h, i);
    return at < 0 ? (kt_floats_t){NULL, 0} : kt_logs_values(h->logs.v[at], name);
}
