/* Field tables at work. See field.h. */
#include "base/field.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

/* Fields that own something beyond their bytes. */
static void *field_at(const void *args, const kt_field *f) {
    return (char *)(uintptr_t)args + f->offset;
}

static const void *ref_copy(kt_ref ref) {
    if (!ref || kt_is_obj(ref) || ref == (kt_ref)kt_none) return kt_adopt(ref);
    return kt_strdup(ref);
}

static kt_status names_copy(kt_names_t *names) {
    const char **v = kt_alloc_array(names->n + 1, sizeof *v);
    if (!v) return KT_ENOMEM;
    kt_status st = KT_OK;
    for (int i = 0; i < names->n; i++)
        if (!(v[i] = kt_strdup(names->v[i]))) st = KT_ENOMEM;
    for (int i = 0; st && i < names->n; i++) kt_mem_free((void *)(uintptr_t)v[i]);
    if (st) kt_mem_free(v);
    names->v = st ? NULL : v;
    return st;
}

static kt_status field_copy(void *args, const kt_field *f) {
    void *p = field_at(args, f);
    if (f->type == KT_FIELD_REF) {
        const void **ref = p;
        const bool had = *ref != NULL;
        *ref = ref_copy(*ref);
        return had && !*ref ? KT_ENOMEM : KT_OK;
    }
    if (f->type == KT_FIELD_STR) {
        const char **s = p;
        const bool had = *s != NULL;
        *s = had ? kt_strdup(*s) : NULL;
        return had && !*s ? KT_ENOMEM : KT_OK;
    }
    if (f->type == KT_FIELD_FLOATS) {
        kt_floats_t *list = p;
        double *v = kt_alloc_array(list->n + 1, sizeof *v);
        if (v && list->n) memcpy(v, list->v, sizeof *v * (size_t)list->n);
        list->v = v;
        return v ? KT_OK : KT_ENOMEM;
    }
    if (f->type == KT_FIELD_INTLIST) {
        kt_ints_t *list = p;
        int64_t *v = kt_alloc_array(list->n + 1, sizeof *v);
        if (v && list->n) memcpy(v, list->v, sizeof *v * (size_t)list->n);
        list->v = v;
        return v ? KT_OK : KT_ENOMEM;
    }
    return f->type == KT_FIELD_NAMES ? names_copy(p) : KT_OK;
}

static void field_release(void *args, const kt_field *f, void (*give_back)(const void *)) {
    void *p = field_at(args, f);
    if (f->type == KT_FIELD_REF) {
        const void *ref = *(const void **)p;
        if (kt_is_obj(ref))
            give_back(ref);
        else if (ref != (const void *)kt_none)
            kt_mem_free((void *)(uintptr_t)ref);
    } else if (f->type == KT_FIELD_STR) {
        kt_mem_free(*(char **)p);
    } else if (f->type == KT_FIELD_FLOATS) {
        kt_mem_free((void *)(uintptr_t)((kt_floats_t *)p)->v);
    } else if (f->type == KT_FIELD_INTLIST) {
        kt_mem_free((void *)(uintptr_t)((kt_ints_t *)p)->v);
    } else if (f->type == KT_FIELD_NAMES) {
        kt_names_t *names = p;
        for (int i = 0; names->v && i < names->n; i++) kt_mem_free((void *)(uintptr_t)names->v[i]);
        kt_mem_free((void *)(uintptr_t)names->v);
    }
}

kt_status kt_args_check(const void *args, const kt_field *fields) {
    for (const kt_field *f = fields; f && f->type; f++) {
        if (f->type != KT_FIELD_REF) continue;
        const void *ref = *(const void **)field_at(args, f);
        if (ref && kt_failed(ref)) return kt_check(ref);
    }
    return KT_OK;
}

void kt_args_release(void *args, const kt_field *fields) {
    for (const kt_field *f = fields; f && f->type; f++) field_release(args, f, kt_release);
}

void kt_args_return(void *args, const kt_field *fields) {
    for (const kt_field *f = fields; f && f->type; f++) field_release(args, f, kt_unadopt);
}

kt_status kt_args_read(void *dst, const void *src, size_t size, const void *defaults) {
    const size_t known = *(const size_t *)src;
    if (known == 0)
        return KT_FAIL(
            KT_EINVAL, "an argument struct has size 0: use the macro, or set .size = sizeof");
    if (known < sizeof(size_t)) {
        KT_FAIL(KT_EINVAL, "an argument struct has size %d", (int)known);
        return kt_error_hint("the field `size` is set by the macro, it is no argument of Keras");
    }
    if (known > size)
        return KT_FAIL(
            KT_EINVAL, "an argument struct is larger than this library knows: newer headers?");
    memset(dst, 0, size);
    if (defaults) memcpy(dst, defaults, size);
    memcpy(dst, src, known);
    return KT_OK;
}

kt_status kt_args_keep(void *args, const kt_field *fields) {
    for (const kt_field *f = fields; f && f->type; f++) {
        if (!field_copy(args, f)) continue;
        for (const kt_field *done = fields; done < f; done++) field_release(args, done, kt_unadopt);
        return KT_ENOMEM;
    }
    return KT_OK;
}

kt_status kt_args_copy(
    void *dst, const void *src, size_t size, const void *defaults, const kt_field *fields) {
    kt_status st = kt_args_read(dst, src, size, defaults);
    if (st == KT_OK) st = kt_args_check(dst, fields);
    return st ? st : kt_args_keep(dst, fields);
}
