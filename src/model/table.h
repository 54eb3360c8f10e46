/* Styled text and boxed tables as Keras draws them in summary(): wrapping, column widths, borders
 * and colours of the rich library. Nothing here knows models. */
#ifndef KT_MODEL_TABLE_H
#define KT_MODEL_TABLE_H

#include "base/str.h"
#include "base/vec.h"

typedef enum kt_style {
    KT_STYLE_PLAIN,
    KT_STYLE_BOLD,
    KT_STYLE_HEAD_PAD, ///< the blanks beside a title: bold, in a run of their own
    KT_STYLE_NUMBER,
    KT_STYLE_NONE,  ///< an open dimension
    KT_STYLE_CLASS, ///< name of a class
    KT_STYLE_YES,
    KT_STYLE_NO,
    KT_STYLE_COUNT
} kt_style;

/** What the terminal can show: nothing, bold only (NO_COLOR), 16 colours, 256 colours. */
typedef enum kt_colors { KT_COLORS_OFF, KT_COLORS_BOLD, KT_COLORS_16, KT_COLORS_256 } kt_colors;

/** UTF-8 text, and one kt_style for each of its bytes. */
typedef struct kt_text {
    kt_str text, style;
} kt_text;
void kt_text_add(kt_text *t, kt_style style, const char *text);
/** The same for names that people gave: control characters become '?'. */
void kt_text_add_name(kt_text *t, const char *name);
void kt_text_free(kt_text *t);

typedef enum kt_justify { KT_LEFT, KT_RIGHT, KT_CENTER } kt_justify;

#define KT_TABLE_COLUMNS 5

typedef struct kt_table_column {
    const char *title;
    kt_justify justify;
    int width; ///< wanted for the text of its cells; the layout may change it
} kt_table_column;

typedef struct kt_table {
    int n_columns, width; ///< width of the whole table, borders included
    kt_table_column column[KT_TABLE_COLUMNS];
    KT_VEC(kt_text) cells; ///< row by row
} kt_table;
void kt_table_free(kt_table *t);

/** Appends the table; lines are cut at `screen` cells. */
kt_status kt_table_draw(kt_str *out, const kt_table *t, int screen, kt_colors colors);
/** Appends a paragraph, folded at `screen` cells. */
kt_status kt_text_draw(kt_str *out, const kt_text *t, int screen, kt_colors colors);

#endif
