/* The callbacks of one fit, evaluate or predict: checked once, then asked at every hook that one of
 * them wants. */
#include "model/callback.h"

#include "base/mem.h"

static const kt_callback_class *class_of(const kt_component *c) {
    return (const kt_callback_class *)c->cls;
}

static bool callback_wants(const kt_component *c, kt_hook_id hook) {
    const kt_callback_class *cls = class_of(c);
    return !cls->wants || cls->wants(c, hook);
}

static kt_status list_add(kt_callback_list *list, kt_ref item) {
    char got[96];
    if (kt_is_obj(item) && kt_failed(item)) return kt_check(item);
    if (!kt_is(item, KT_KIND_CALLBACK))
        return KT_FAIL(
            KT_EINVAL,
            "callbacks: expected a callback, got %s",
            kt_ref_describe(item, got, sizeof got));
    kt_component *c = list->v[list->n++] = kt_adopt(item);
    for (int hook = 0; hook < KT_HOOK_COUNT; hook++)
        list->wants[hook] = list->wants[hook] || callback_wants(c, (kt_hook_id)hook);
    return KT_OK;
}

kt_status kt_callbacks_begin(kt_callback_list *list, kt_ref callbacks) {
    *list = (kt_callback_list){0};
    if (!callbacks) return KT_OK;
    if (kt_failed(callbacks)) return kt_check(callbacks);
    const bool several = kt_is(callbacks, KT_KIND_LIST);
    const int n = several ? kt_list_len(callbacks) : 1;
    list->v = kt_alloc_array(n, sizeof(kt_component *));
    kt_status st = list->v ? KT_OK : KT_ENOMEM;
    for (int i = 0; st == KT_OK && i < n; i++)
        st = list_add(list, several ? kt_list_get(callbacks, i) : callbacks);
    if (st) kt_callbacks_end(list);
    return st;
}

/* The callbacks float again: whoever made one may read it, or use it for the next fit. */
void kt_callbacks_end(kt_callback_list *list) {
    for (int i = 0; i < list->n; i++) kt_unadopt(list->v[i]);
    kt_mem_free(list->v);
    *list = (kt_callback_list){0};
}

kt_status kt_callbacks_run(
    kt_callback_list *list, kt_hook_id hook, kt_model *m, int64_t index, kt_logs *logs) {
    if (!list->wants[hook]) return KT_OK;
    for (int i = 0; i < list->n; i++) {
        kt_component *c = list->v[i];
        if (!callback_wants(c, hook)) continue;
        const kt_status st = class_of(c)->on(c, hook, m, index, logs);
        if (st >= 0) continue;
        if (kt_error_last() == KT_OK) KT_FAIL(st, "a callback (%s) returned this", c->cls->name);
        return st;
    }
    return KT_OK;
}
