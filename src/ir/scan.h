/* Reading the text form of graphs: a cursor over terminated text. Each function skips blanks, takes
 * what it is asked for and says whether it was there; what was not there is left for the next
 * one. */
#ifndef KT_IR_SCAN_H
#define KT_IR_SCAN_H

#include "tensor/tensor.h"

typedef struct kt_scan {
    const char *at;
    int line; ///< for messages, counted by the reader
} kt_scan;

#define KT_SCAN_WORD 64 /* longest word, with its 0 */

/** The character c; the end of the line (or a comment that goes to it). */
bool kt_scan_char(kt_scan *s, char c);
bool kt_scan_end(kt_scan *s);
/** Letters, digits and underscores. */
bool kt_scan_word(kt_scan *s, char word[KT_SCAN_WORD]);
bool kt_scan_int(kt_scan *s, int64_t *value);
bool kt_scan_double(kt_scan *s, double *value);
/** "(2, 3)", "(5,)", "()"; and "float32 (2, 3)". */
bool kt_scan_shape(kt_scan *s, kt_shape *shape);
bool kt_scan_spec(kt_scan *s, kt_spec *spec);
/** A text in double quotes as kt_scan_quote writes it, copied into the arena-free buffer `text`. */
bool kt_scan_quoted(kt_scan *s, char *text, size_t size);
/** KT_EFORMAT: "graph text, line 3: expected …, got …". */
kt_status kt_scan_fail(const kt_scan *s, const char *expected);

#endif
