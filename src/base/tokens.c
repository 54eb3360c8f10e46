/* See tokens.h. What counts as blank, as letter and as punctuation is what TensorFlow takes for it:
 * tf.strings.split, tf.strings.unicode_split (which puts U+FFFD for bytes that are no UTF-8), and
 * Keras' regular expression, which lists ASCII punctuation. */
#include "base/tokens.h"

#include <string.h>

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static bool is_punctuation(char c) {
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
}

/* The byte at *p or behind it that cleaning leaves; 0 at the end. p goes to it. */
static char clean(const kt_token_rules *r, const char **p) {
    while (r->strip && is_punctuation(**p)) ++*p;
    const char c = **p;
    return r->lower && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool follows(unsigned char lead, int i, unsigned char c) {
    if (c < 0x80 || c > 0xbf) return false;
    if (i > 1) return true;
    return !(
        (lead == 0xe0 && c < 0xa0) || (lead == 0xed && c > 0x9f) || (lead == 0xf0 && c < 0x90) ||
        (lead == 0xf4 && c > 0x8f));
}

/* One letter of UTF-8; U+FFFD for as many bytes as could have begun one. */
static bool next_letter(kt_tokens *t) {
    const unsigned char lead = (unsigned char)clean(t->rules, &t->p);
    if (!lead) return false;
    const int n = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    int have = 1;
    bool whole = n > 0 && lead < 0xf5;
    t->letter[0] = (lead < 0x80) ? clean(t->rules, &t->p) : (char)lead;
    t->p++;
    for (; whole && have < n; have++) {
        const char *q = t->p;
        const char c = clean(t->rules, &q);
        whole = follows(lead, have, (unsigned char)c);
        if (!whole) break;
        t->letter[have] = c;
        t->p = q + 1;
    }
    t->n_letter = whole ? n : 3;
    if (!whole) memcpy(t->letter, "\xef\xbf\xbd", 3);
    t->i_letter = 0;
    return true;
}

kt_tokens kt_tokens_in(const kt_token_rules *rules, const char *const *text, int64_t n) {
    kt_tokens t;
    memset(&t, 0, sizeof t);
    t.rules = rules;
    t.text = text;
    t.n = n;
    t.p = n > 0 && text[0] ? text[0] : "";
    return t;
}

static void next_text(kt_tokens *t) {
    t->text++;
    t->p = --t->n > 0 && t->text[0] ? t->text[0] : "";
}

static int next_byte(kt_tokens *t) {
    if (t->rules->split == KT_SPLIT_LETTERS)
        return t->i_letter < t->n_letter ? (unsigned char)t->letter[t->i_letter++] : -1;
    const char c = clean(t->rules, &t->p);
    if (!c || (t->rules->split == KT_SPLIT_WORDS && is_blank(c))) return -1;
    t->p++;
    return (unsigned char)c;
}

bool kt_tokens_next(kt_tokens *t) {
    if (t->n <= 0) return false;
    if (t->rules->split == KT_SPLIT_NONE) {
        if (t->inside) next_text(t);
        return t->inside = t->n > 0;
    }
    if (t->rules->split == KT_SPLIT_WORDS && t->inside)
        while (next_byte(t) >= 0) {
        }
    for (;;) {
        while (t->rules->split == KT_SPLIT_WORDS && is_blank(clean(t->rules, &t->p))) t->p++;
        t->inside = t->rules->split == KT_SPLIT_LETTERS ? next_letter(t)
                                                        : clean(t->rules, &t->p) != 0;
        if (t->inside) return true;
        next_text(t);
        if (t->n <= 0) return false;
    }
}

kt_token kt_token_of(const kt_tokens *t, int n) {
    kt_token w = {*t, n};
    kt_tokens at = *t;
    for (int i = 1; i < n && w.left; i++)
        if (!kt_tokens_next(&at)) w.left = 0;
    return w;
}

int kt_token_byte(kt_token *t) {
    const int c = t->left > 0 ? next_byte(&t->at) : -1;
    if (c >= 0 || t->left <= 1) return c;
    t->left--;
    return kt_tokens_next(&t->at) ? ' ' : -1;
}

bool kt_utf8_is(const char *s, size_t size) {
    for (size_t i = 0; i < size;) {
        const unsigned char lead = (unsigned char)s[i++];
        if (lead < 0x80) continue;
        const int n = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
        if (!n) return false;
        for (int k = 1; k < n; k++, i++)
            if (i >= size || !follows(lead, k, (unsigned char)s[i])) return false;
    }
    return true;
}
