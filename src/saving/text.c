/* See text.h. */
#include "saving/text.h"

#include "base/mem.h"
#include "base/obj.h"

struct kt_text {
    kt_obj obj;
    kt_str s;
};

static void text_destroy(void *self) { kt_str_free(&((kt_text *)self)->s); }

kt_text *kt_text_take(kt_str *s) {
    kt_text *t = s->status ? NULL : kt_obj_new(sizeof *t, KT_KIND_OTHER, text_destroy);
    if (!t) {
        kt_str_free(s);
        return kt_fail_object(KT_ENOMEM);
    }
    t->s = *s;
    *s = (kt_str){0};
    return t;
}

const char *kt_text_str(const kt_text *text) {
    return kt_is(text, KT_KIND_OTHER) && text->s.s ? text->s.s : "";
}

size_t kt_text_len(const kt_text *text) { return kt_is(text, KT_KIND_OTHER) ? text->s.n : 0; }
