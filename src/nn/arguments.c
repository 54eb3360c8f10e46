/* See arguments.h. */
#include "nn/arguments.h"

#include <string.h>

kt_status kt_arg_numbers(kt_component *c) {
    for (const kt_field *f = c->cls->fields; f->type; f++) {
        if (f->type != KT_FIELD_DOUBLE) continue;
        const double v = *(const double *)((const char *)kt_args_of(c) + f->offset);
        if (v != v) return KT_FAIL(KT_EINVAL, "%s: expected a number, got nan", f->name);
    }
    return KT_OK;
}

kt_status kt_arg_word(const char *argument, const char *word, const char *const *words, int *out) {
    int n = 0;
    for (; words[n]; n++) {
        if (!word || strcmp(words[n], word) != 0) continue;
        *out = n;
        return KT_OK;
    }
    const char *near = word ? kt_nearest(word, words, n) : NULL;
    KT_FAIL(KT_EINVAL, "%s: unknown name \"%.60s\"", argument, word ? word : "None");
    if (near) kt_error_hint("did you mean \"%s\"?", near);
    return KT_EINVAL;
}
