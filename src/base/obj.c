/* Objects and lists. See obj.h for the rules of ownership. */
#include "base/obj.h"

#include "base/error.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

const char kt_list_end[] = "end of list";
const char kt_none[] = "None";

static pthread_mutex_t floating_lock = PTHREAD_MUTEX_INITIALIZER;
static kt_obj *floating_head;
static atomic_llong living;
static void (*clear_hook[4])(void);

static void floating_insert(kt_obj *o) {
    pthread_mutex_lock(&floating_lock);
    o->floating = true;
    o->prev = NULL;
    o->next = floating_head;
    if (floating_head) floating_head->prev = o;
    floating_head = o;
    pthread_mutex_unlock(&floating_lock);
}

/* Takes an object out of the floating list; false if it was not in it. */
static bool floating_remove(kt_obj *o) {
    pthread_mutex_lock(&floating_lock);
    const bool was = o->floating;
    if (was) {
        if (o->prev)
            o->prev->next = o->next;
        else
            floating_head = o->next;
        if (o->next) o->next->prev = o->prev;
        o->prev = o->next = NULL;
        o->floating = false;
    }
    pthread_mutex_unlock(&floating_lock);
    return was;
}

static void obj_destroy(kt_obj *o) {
    if (o->destroy) o->destroy(o);
    atomic_fetch_sub(&living, 1);
    kt_mem_free(o);
}

static void obj_destroy_if_unheld(kt_obj *o) {
    const int held = atomic_load(&o->owners) + atomic_load(&o->users) + atomic_load(&o->shares);
    if (held == 0 && !o->floating) obj_destroy(o);
}

void *kt_obj_new(size_t size, kt_kind kind, void (*destroy)(void *self)) {
    kt_obj *o = kt_alloc(size);
    if (!o) return NULL;
    o->magic = KT_MAGIC;
    o->kind = (unsigned char)kind;
    o->destroy = destroy;
    atomic_fetch_add(&living, 1);
    floating_insert(o);
    return o;
}

int64_t kt_obj_count(void) { return atomic_load(&living); }

static kt_obj *obj_of(const void *p) { return (kt_obj *)(uintptr_t)p; }

/* Marks such as kt_none live in lists beside objects and are names to this test. */
bool kt_is_obj(kt_ref ref) { return ref && *(const unsigned char *)ref == KT_MAGIC; }

bool kt_is(kt_ref ref, kt_kind kind) { return kt_is_obj(ref) && obj_of(ref)->kind == kind; }

/* A list that a call has used up: an empty shell that still says so. */
static bool obj_is_shell(const kt_obj *o) { return o->kind == KT_KIND_LIST && o->status != KT_OK; }

static bool obj_is_live(const void *p) {
    return kt_is_obj(p) && obj_of(p)->kind != KT_KIND_FAILED && !obj_is_shell(p);
}

void *kt_adopt(const void *object) {
    if (obj_is_live(object)) {
        atomic_fetch_add(&obj_of(object)->owners, 1);
        obj_of(object)->adopted = true;
        floating_remove(obj_of(object));
    }
    return obj_of(object);
}

void kt_unadopt(const void *object) {
    if (!obj_is_live(object)) return;
    kt_obj *o = obj_of(object);
    const int left = atomic_fetch_sub(&o->owners, 1) - 1;
    if (left + atomic_load(&o->users) == 0 && !o->floating) floating_insert(o);
}

void *kt_obj_share(const void *object) {
    if (obj_is_live(object)) atomic_fetch_add(&obj_of(object)->shares, 1);
    return obj_of(object);
}

void kt_obj_unshare(const void *object) {
    if (!obj_is_live(object)) return;
    atomic_fetch_sub(&obj_of(object)->shares, 1);
    obj_destroy_if_unheld(obj_of(object));
}

void kt_release(const void *object) {
    if (!obj_is_live(object)) return;
    atomic_fetch_sub(&obj_of(object)->owners, 1);
    obj_destroy_if_unheld(obj_of(object));
}

/* The shells of the last lists that calls used up. Whoever gives such a list to a second call gets
 * an error for it, not a crash. */
#define N_SHELLS 256
static kt_obj *shells[N_SHELLS];
static unsigned shells_at;

static kt_obj *shell_replace(unsigned i, kt_obj *by) {
    kt_obj *old = shells[i];
    shells[i] = by;
    return old;
}

static void list_use_up(kt_obj *o) {
    o->destroy(o);
    o->status = KT_ESTATE;
    atomic_fetch_sub(&living, 1);
    pthread_mutex_lock(&floating_lock);
    kt_obj *old = shell_replace(shells_at++ % N_SHELLS, o);
    pthread_mutex_unlock(&floating_lock);
    kt_mem_free(old);
}

static void shells_clear(void) {
    pthread_mutex_lock(&floating_lock);
    for (unsigned i = 0; i < N_SHELLS; i++) kt_mem_free(shell_replace(i, NULL));
    pthread_mutex_unlock(&floating_lock);
}

void kt_drop(const void *object) {
    if (!obj_is_live(object) || !floating_remove(obj_of(object))) return;
    kt_obj *o = obj_of(object);
    const int held = atomic_load(&o->owners) + atomic_load(&o->users) + atomic_load(&o->shares);
    if (o->kind == KT_KIND_LIST && held == 0)
        list_use_up(o);
    else
        obj_destroy_if_unheld(o);
}

void *kt_retain(const void *object) {
    if (obj_is_live(object)) {
        atomic_fetch_add(&obj_of(object)->users, 1);
        floating_remove(obj_of(object));
    }
    return obj_of(object);
}

void kt_free(const void *object) {
    if (!obj_is_live(object)) return;
    kt_obj *o = obj_of(object);
    const bool was_floating = floating_remove(o);
    if (!was_floating) {
        int users = atomic_load(&o->users);
        while (users > 0 && !atomic_compare_exchange_weak(&o->users, &users, users - 1)) {
        }
        if (users == 0) return; /* others own it: nothing of the caller's to give up */
    }
    obj_destroy_if_unheld(o);
}

void kt_on_clear_session(void (*hook)(void)) {
    pthread_mutex_lock(&floating_lock);
    for (int i = 0; i < 4; i++) {
        if (clear_hook[i] && clear_hook[i] != hook) continue;
        clear_hook[i] = hook;
        break;
    }
    pthread_mutex_unlock(&floating_lock);
}

void kt_clear_session(void) {
    void (*hook[4])(void);
    for (;;) {
        pthread_mutex_lock(&floating_lock);
        kt_obj *o = floating_head;
        memcpy(hook, clear_hook, sizeof hook);
        pthread_mutex_unlock(&floating_lock);
        if (!o) break;
        kt_free(o);
    }
    shells_clear();
    for (int i = 0; i < 4; i++)
        if (hook[i]) hook[i]();
}

void kt_obj_fail(void *object, kt_status status) {
    if (obj_is_live(object) && obj_of(object)->status == KT_OK)
        obj_of(object)->status = (signed char)status;
}

kt_status kt_check(const void *object) {
    if (!object) return KT_EINVAL;
    if (kt_is_obj(object) && obj_is_shell(object)) {
        KT_FAIL(KT_ESTATE, "a kt_list was used up by an earlier call");
        return kt_error_hint("kt_retain() a list to give it to several calls");
    }
    return kt_is_obj(object) ? (kt_status)obj_of(object)->status : KT_OK;
}

bool kt_failed(const void *object) { return kt_check(object) != KT_OK; }

const char *kt_kind_name(kt_kind kind) {
    static const char *const names[KT_KIND_COUNT] = {
        "a failed object", "a list",        "a tensor",       "a symbolic tensor", "a layer",
        "a variable",      "an activation", "an initializer", "a regularizer",     "a constraint",
        "a loss",          "a metric",      "an optimizer",   "a schedule",        "a quantizer",
        "a callback",      "a history",     "a generator",    "sequences",         "an object",
    };
    return names[kind < KT_KIND_COUNT ? kind : KT_KIND_OTHER];
}

const char *kt_ref_describe(kt_ref ref, char *buf, size_t size) {
    if (!ref)
        snprintf(buf, size, "None");
    else if (kt_is_obj(ref))
        snprintf(buf, size, "%s", kt_kind_name(obj_of(ref)->kind));
    else
        snprintf(buf, size, "\"%.60s\"", (const char *)ref);
    return buf;
}

/* Lists
 * ------------------------------------------------------------------------------------------ */

struct kt_list_s {
    kt_obj obj;
    int n;
    bool is_dict;
    const void **items;
};

static void list_destroy(void *self) {
    kt_list_t *l = self;
    for (int i = 0; i < l->n; i++) {
        if (l->items[i] == (const void *)kt_none) continue;
        if (kt_is_obj(l->items[i]))
            l->obj.adopted ? kt_release(l->items[i]) : kt_unadopt(l->items[i]);
        else
            kt_mem_free((void *)(uintptr_t)l->items[i]); /* names were copied */
    }
    kt_mem_free(l->items);
    l->items = NULL;
    l->n = 0;
}

static kt_status list_fill(kt_list_t *l, int n, const void *const *items) {
    for (int i = 0; i < n; i++) {
        if (!items[i]) return KT_FAIL(KT_EINVAL, "item %d of the list is NULL", i);
        if (kt_failed(items[i])) return kt_check(items[i]);
        const bool is_name = !kt_is_obj(items[i]) && items[i] != (const void *)kt_none;
        const void *item = is_name ? kt_strdup(items[i]) : kt_adopt(items[i]);
        if (!item) return KT_ENOMEM;
        l->items[l->n++] = item;
    }
    return KT_OK;
}

kt_list_t *kt_list_of(int n, const void *const *items) {
    kt_list_t *l = kt_obj_new(sizeof *l, KT_KIND_LIST, list_destroy);
    kt_status st = KT_ENOMEM;
    if (l && (l->items = kt_alloc_array(n, sizeof *l->items))) st = list_fill(l, n, items);
    if (st == KT_OK) return l;
    kt_free(l);
    return kt_fail_object(st);
}

kt_list_t *kt_list_new(const void *const *items) {
    int n = 0;
    while (items[n] != (const void *)kt_list_end) n++;
    return kt_list_of(n, items);
}

kt_list_t *kt_dict_new(const void *const *items) {
    kt_list_t *l = kt_list_new(items);
    if (kt_failed(l)) return l;
    bool ok = l->n % 2 == 0;
    for (int i = 0; i < l->n; i += 2) ok = ok && !kt_is_obj(l->items[i]);
    l->is_dict = ok;
    if (ok) return l;
    kt_free(l);
    return kt_fail_object(KT_FAIL(KT_EINVAL, "a dict needs names and objects in turn"));
}

kt_list_t *kt_list_own(kt_list_t *list) {
    if (kt_is(list, KT_KIND_LIST)) list->obj.adopted = true;
    return list;
}

int kt_list_len(const kt_list_t *list) { return kt_is(list, KT_KIND_LIST) ? list->n : 0; }

const void *kt_list_get(const kt_list_t *list, int i) {
    return i >= 0 && i < kt_list_len(list) ? list->items[i] : NULL;
}

bool kt_list_is_dict(const kt_list_t *list) { return kt_is(list, KT_KIND_LIST) && list->is_dict; }
