/* Texts to tokens, as keras.layers.TextVectorization makes them: cleaned, split, joined to n-grams.
 *
 * Nothing is stored: a token is a place in the text, and reading it cleans it. So steps of a model
 * need no memory, and a token may be as long as the text is.
 *
 *     kt_tokens t = kt_tokens_in(&rules, texts, n);
 *     while (kt_tokens_next(&t))
 *         for (kt_token w = kt_token_of(&t, 2); (c = kt_token_byte(&w)) >= 0;) …
 */
#ifndef KT_BASE_TOKENS_H
#define KT_BASE_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kt_token_rules {
    bool lower; ///< ASCII letters, as tf.strings.lower does without an encoding
    bool strip; ///< ASCII punctuation
    enum { KT_SPLIT_NONE, KT_SPLIT_WORDS, KT_SPLIT_LETTERS } split;
} kt_token_rules;

/** The tokens of n texts in turn. */
typedef struct kt_tokens {
    const kt_token_rules *rules;
    const char *const *text; ///< those still to come, the present one first
    int64_t n;
    const char *p;  ///< where the next byte of the token is, within text[0]
    char letter[4]; ///< of KT_SPLIT_LETTERS
    int n_letter, i_letter;
    bool inside; ///< a token was found and may have bytes left
} kt_tokens;

/** Several tokens with blanks between them. */
typedef struct kt_token {
    kt_tokens at;
    int left;
} kt_token;

kt_tokens kt_tokens_in(const kt_token_rules *rules, const char *const *text, int64_t n);
/** Goes to the beginning of the next token; false: there is none. */
bool kt_tokens_next(kt_tokens *t);
/** The n-gram that begins with this token; left is 0 if so many do not follow. */
kt_token kt_token_of(const kt_tokens *t, int n);
/** The next byte of it; -1 at its end. */
int kt_token_byte(kt_token *t);
/** Are all of those bytes UTF-8? */
bool kt_utf8_is(const char *s, size_t size);

#endif
