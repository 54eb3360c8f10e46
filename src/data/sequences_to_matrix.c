/* Multi-hot rows: row i has a number for each word that occurs in sequence i.
 *
 * The vectorize_sequences of the course and of Chollet's book, and Keras 2's
 * Tokenizer.sequences_to_matrix. */
#include "base/error.h"
#include "base/field.h"
#include "tensor/sequences.h"
#include "tensor/tensor.h"

enum { BINARY, COUNT, FREQ };
static const char *const modes[] = {"binary", "count", "freq", NULL};

static kt_status find_width(const kt_sequences *s, int64_t *width) {
    int64_t largest = -1;
    if (*width != KT_NONE)
        return *width >= 0 ? KT_OK
                           : KT_FAIL(
                                 KT_EINVAL,
                                 "num_words: expected a number >= 0, got %lld",
                                 (long long)*width);
    for (int64_t k = 0; k < s->offset[s->n]; k++)
        if (s->ids[k] > largest) largest = s->ids[k];
    *width = largest + 1;
    return KT_OK;
}

static kt_status fill_row(float *row, const kt_sequences *s, int64_t i, int64_t width, int mode) {
    const int32_t *ids = kt_sequences_get(s, i);
    const int64_t n = kt_sequences_len(s, i);
    for (int64_t k = 0; k < n; k++) {
        if (ids[k] < 0 || ids[k] >= width) {
            KT_FAIL(
                KT_EINVAL,
                "sequences: id %d at position %lld of sequence %lld is no column",
                (int)ids[k],
                (long long)k,
                (long long)i);
            return kt_error_expected("0 <= id < num_words = %lld", (long long)width);
        }
        row[ids[k]] = mode == BINARY ? 1 : row[ids[k]] + 1;
    }
    if (mode == FREQ)
        for (int64_t j = 0; j < width; j++) row[j] /= n > 0 ? (float)n : 1;
    return KT_OK;
}

kt_tensor *kt_sequences_to_matrix_with(const kt_sequences_to_matrix_args *args) {
    kt_sequences_to_matrix_args a;
    int mode = BINARY;
    kt_status st = kt_args_read(&a, args, sizeof a, NULL);
    if (st == KT_OK) st = kt_sequences_check(a.sequences);
    if (st == KT_OK) st = kt_arg_word("mode", a.mode, modes, &mode);
    if (st == KT_OK) st = find_width(a.sequences, &a.num_words);
    if (st) return kt_fail_object(st);
    const int64_t width = a.num_words;
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, kt_dims(a.sequences->n, width), NULL);
    for (int64_t i = 0; i < kt_tensor_dim(t, 0) && !st; i++)
        st = fill_row((float *)t->data + i * width, a.sequences, i, width, mode);
    if (st == KT_OK) return t;
    kt_free(t);
    return kt_fail_object(st);
}
