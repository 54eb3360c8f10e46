/* Logs (name and value, in the order in which they were first set) and the history of a training.
 *
 * Few entries, read by name a few times per epoch: linear search is the right index. kt_logs_clear
 * keeps the names, so a training step that sets the same ones again does not allocate. */
#include "model/logs.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

static void logs_destroy(void *self) {
    kt_logs *l = self;
    for (int i = 0; i < l->n_names; i++) kt_mem_free(l->names[i]);
    kt_mem_free(l->names);
    kt_mem_free(l->values);
}

kt_logs *kt_logs_new(void) {
    kt_logs *l = kt_obj_new(sizeof *l, KT_KIND_OTHER, logs_destroy);
    return l ? l : kt_fail_object(KT_ENOMEM);
}

void kt_logs_clear(kt_logs *l) { l->n = 0; }

static int logs_find(const kt_logs *l, const char *name) {
    for (int i = 0; i < kt_logs_len(l); i++)
        if (!strcmp(l->names[i], name)) return i;
    return -1;
}

static kt_status logs_grow(kt_logs *l) {
    if (l->n < l->cap) return KT_OK;
    const int cap = l->cap ? 2 * l->cap : 8;
    char **names = kt_realloc(l->names, sizeof *names * (size_t)cap);
    if (!names) return KT_ENOMEM;
    l->names = names;
    double *values = kt_realloc(l->values, sizeof *values * (size_t)cap);
    if (!values) return KT_ENOMEM;
    l->values = values;
    l->cap = cap;
    return KT_OK;
}

kt_status kt_logs_set(kt_logs *l, const char *name, double value) {
    int at = logs_find(l, name);
    const bool was_there = at < 0 && l->n < l->n_names && !strcmp(l->names[l->n], name);
    if (was_there) at = l->n++;
    if (at >= 0) {
        l->values[at] = value;
        return KT_OK;
    }
    const kt_status st = logs_grow(l);
    char *copy = st ? NULL : kt_strdup(name);
    if (!copy) return KT_ENOMEM;
    while (l->n_names > l->n) kt_mem_free(l->names[--l->n_names]);
    l->names[l->n_names++] = copy;
    l->values[l->n++] = value;
    return KT_OK;
}

int kt_logs_len(const kt_logs *logs) { return kt_failed(logs) ? 0 : logs->n; }

const char *kt_logs_name(const kt_logs *logs, int i) {
    return i >= 0 && i < kt_logs_len(logs) ? logs->names[i] : NULL;
}

double kt_logs_value(const kt_logs *logs, int i) {
    return i >= 0 && i < kt_logs_len(logs) ? logs->values[i] : (double)NAN;
}

double kt_logs_get(const kt_logs *logs, const char *name) {
    return kt_logs_value(logs, name ? logs_find(logs, name) : -1);
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

kt_status kt_history_add(kt_history *h, int epoch, const kt_logs *logs) {
    kt_logs *copy = kt_logs_new();
    kt_status st = kt_check(copy);
    for (int i = 0; st == KT_OK && i < kt_logs_len(logs); i++)
        st = kt_logs_set(copy, logs->names[i], logs->values[i]);
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
            const char *name = h->logs.v[e]->names[i];
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
