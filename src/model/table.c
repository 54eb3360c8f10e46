/* Tables and paragraphs in the style of the rich library, which draws Keras' summaries. The rules
 * are in tests/golden/summary/README.md; the golden files there decide.
 *
 * Everything is measured in terminal cells: one per character, two for the wide ones of East Asian
 * scripts. A line is put together as styled text first and written with its colours at the end, so
 * that cutting never meets an escape code. */
#include "model/table.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* Text ----------------------------------------------------------------------------------------- */

static void add_styled(kt_text *t, char style, const char *text, size_t n) {
    kt_str_addn(&t->text, text, n);
    for (size_t i = 0; i < n; i++) kt_str_addn(&t->style, &style, 1);
}

void kt_text_add(kt_text *t, kt_style style, const char *text) {
    add_styled(t, (char)style, text, strlen(text));
}

void kt_text_add_name(kt_text *t, const char *name) {
    for (; *name; name++)
        add_styled(t, KT_STYLE_PLAIN, iscntrl((unsigned char)*name) ? "?" : name, 1);
}

void kt_text_free(kt_text *t) {
    kt_str_free(&t->text);
    kt_str_free(&t->style);
}

static kt_status text_status(const kt_text *t) {
    return t->text.status ? t->text.status : t->style.status;
}

/* Bytes of the character at s; broken UTF-8 counts byte by byte. */
static size_t char_bytes(const char *s, const char *end) {
    const unsigned char c = (unsigned char)*s;
    const size_t want = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    size_t n = 1;
    while (n < want && s + n < end && ((unsigned char)s[n] & 0xC0) == 0x80) n++;
    return n == want ? n : 1;
}

static int char_cells(const char *s, size_t bytes) {
    static const struct {
        unsigned first, last;
        int cells;
    } odd[] = {
        {0x300, 0x36F, 0},
        {0x1100, 0x115F, 2},
        {0x200B, 0x200F, 0},
        {0x2E80, 0x303E, 2},
        {0x3041, 0xA4CF, 2},
        {0xAC00, 0xD7A3, 2},
        {0xF900, 0xFAFF, 2},
        {0xFE00, 0xFE0F, 0},
        {0xFE30, 0xFE6F, 2},
        {0xFF00, 0xFF60, 2},
        {0xFFE0, 0xFFE6, 2},
        {0x1F300, 0x1F64F, 2},
        {0x1F680, 0x1F6FF, 2},
        {0x1F900, 0x1F9FF, 2},
        {0x20000, 0x3FFFD, 2},
    };
    unsigned c = (unsigned char)*s;
    if (bytes > 1) c &= 0x7Fu >> bytes;
    for (size_t i = 1; i < bytes; i++) c = c << 6 | ((unsigned char)s[i] & 0x3F);
    for (size_t i = 0; c >= 0x300 && i < sizeof odd / sizeof *odd; i++)
        if (c >= odd[i].first && c <= odd[i].last) return odd[i].cells;
    return 1;
}

/* A piece of a text: bytes from … to. */
typedef struct {
    const kt_text *t;
    size_t from, to;
} slice;

static int slice_cells(slice s) {
    int cells = 0;
    for (size_t i = s.from; i < s.to;) {
        const size_t n = char_bytes(s.t->text.s + i, s.t->text.s + s.to);
        cells += char_cells(s.t->text.s + i, n);
        i += n;
    }
    return cells;
}

static bool is_blank(const kt_text *t, size_t at) { return t->text.s[at] == ' '; }

static slice slice_trimmed(slice s) {
    while (s.to > s.from && is_blank(s.t, s.to - 1)) s.to--;
    return s;
}

/* The longest beginning of at most that many cells. */
static slice slice_first(slice s, int cells) {
    size_t at = s.from;
    while (at < s.to) {
        const size_t n = char_bytes(s.t->text.s + at, s.t->text.s + s.to);
        cells -= char_cells(s.t->text.s + at, n);
        if (cells < 0) break;
        at += n;
    }
    return (slice){s.t, s.from, at};
}

static void add_slice(kt_text *out, slice s) {
    for (size_t i = s.from; i < s.to; i++) add_styled(out, s.t->style.s[i], s.t->text.s + i, 1);
}

static void add_times(kt_text *out, kt_style style, const char *text, int count) {
    for (int i = 0; i < count; i++) kt_text_add(out, style, text);
}

/* Writing -------------------------------------------------------------------------------------- */

static const char *const codes[][KT_STYLE_COUNT] = {
    [KT_COLORS_BOLD] = {"", "1", "1", "", "", "", "1", "1"},
    [KT_COLORS_16] = {"", "1", "1", "32", "96", "94", "1;32", "1;91"},
    [KT_COLORS_256] = {"", "1", "1", "38;5;34", "38;5;45", "38;5;33", "1;38;5;34", "1;91"},
};

static void write_line(kt_str *out, slice s, kt_colors colors) {
    for (size_t i = s.from, end; i < s.to; i = end) {
        const char style = s.t->style.s[i];
        const char *code = colors == KT_COLORS_OFF ? "" : codes[colors][(int)style];
        for (end = i; end < s.to && s.t->style.s[end] == style;) end++;
        if (*code) kt_str_addf(out, "\033[%sm", code);
        kt_str_addn(out, s.t->text.s + i, end - i);
        if (*code) kt_str_add(out, "\033[0m");
    }
    kt_str_add(out, "\n");
}

/* Wrapping ------------------------------------------------------------------------------------- */

typedef KT_VEC(slice) slices;

/* A word, and the blanks after it (and before it, if it is the first). */
static slice next_word(const kt_text *t, size_t from) {
    size_t to = from;
    while (to < t->text.n && is_blank(t, to)) to++;
    while (to < t->text.n && !is_blank(t, to)) to++;
    while (to < t->text.n && is_blank(t, to)) to++;
    return (slice){t, from, to};
}

static kt_status end_line(slices *lines, slice *line, size_t at) {
    if (!at) return KT_OK;
    line->to = at;
    const kt_status st = kt_vec_push(lines, *line);
    line->from = at;
    return st;
}

/* A word longer than any line goes on in the next ones; the last piece leaves room for others. */
static kt_status fold_word(slices *lines, slice *line, slice word, int width, int *used) {
    kt_status st = KT_OK;
    while (st == KT_OK && word.from < word.to) {
        slice piece = slice_first(word, width);
        if (piece.to == piece.from) piece.to = word.to; /* no room for even one character */
        st = end_line(lines, line, word.from);
        *used = slice_cells(piece);
        word.from = piece.to;
    }
    return st;
}

/* Words onto a line while they fit. One that is longer than the width gets a line of its own, where
 * it will be cut, or is folded. */
static kt_status wrap(slices *lines, const kt_text *t, int width, bool fold) {
    slice line = {t, 0, 0};
    int used = 0;
    kt_status st = KT_OK;
    for (size_t at = 0; st == KT_OK && at < t->text.n;) {
        const slice word = next_word(t, at);
        const int need = slice_cells(slice_trimmed(word));
        at = word.to;
        if (need <= width - used) {
            used += slice_cells(word);
        } else if (need > width && fold) {
            st = fold_word(lines, &line, word, width, &used);
        } else if (need > width || used) {
            st = end_line(lines, &line, word.from);
            used = slice_cells(word);
        }
    }
    line.to = t->text.n;
    return st ? st : kt_vec_push(lines, line);
}

/* Blanks at the end go where they do not fit. Counted in characters, as rich does: behind a wide
 * one a blank too many may stay, and the line will be cut. */
static slice line_fitted(slice s, int width) {
    int chars = 0;
    for (size_t i = s.from; i < s.to; chars++) i += char_bytes(s.t->text.s + i, s.t->text.s + s.to);
    for (; chars > width && is_blank(s.t, s.to - 1); chars--) s.to--;
    return s;
}

kt_status kt_text_draw(kt_str *out, const kt_text *t, int screen, kt_colors colors) {
    slices lines = {0, 0, NULL};
    kt_status st = text_status(t);
    if (st == KT_OK) st = wrap(&lines, t, screen, true);
    for (int i = 0; st == KT_OK && i < lines.n; i++)
        write_line(out, slice_first(line_fitted(lines.v[i], screen), screen), colors);
    kt_vec_free(&lines);
    return st ? st : out->status;
}

/* Cells ---------------------------------------------------------------------------------------- */

/* What was there gives its colour to what stands for it. */
static void add_cut(kt_text *out, slice s, int width) {
    slice kept = slice_first(s, width - 1);
    add_slice(out, kept);
    if (slice_cells(kept) < width - 1) { /* half a wide character */
        add_styled(out, s.t->style.s[kept.to], " ", 1);
        kept.to += char_bytes(s.t->text.s + kept.to, s.t->text.s + s.to);
    }
    add_styled(out, s.t->style.s[kept.to], "\u2026", strlen("\u2026"));
}

/* One line of a cell, `width` cells wide. */
static void add_cell_line(kt_text *out, slice s, int width, kt_justify justify, kt_style blank) {
    s = justify == KT_LEFT ? line_fitted(s, width) : slice_trimmed(s);
    const int cells = slice_cells(s), room = cells < width ? width - cells : 0;
    const int before = justify == KT_LEFT ? 0 : justify == KT_RIGHT ? room : room / 2;
    add_times(out, blank, " ", before);
    if (cells > width)
        add_cut(out, s, width);
    else
        add_slice(out, s);
    add_times(out, blank, " ", room - before);
}

typedef struct {
    slices line[KT_TABLE_COLUMNS];
    int height;
} row;

static void row_free(row *r) {
    for (int i = 0; i < KT_TABLE_COLUMNS; i++) kt_vec_free(&r->line[i]);
}

static kt_status row_wrap(row *r, const kt_text *cells, int n, const int *width) {
    kt_status st = KT_OK;
    *r = (row){.height = 1};
    for (int i = 0; st == KT_OK && i < n; i++) {
        st = text_status(&cells[i]);
        if (st == KT_OK && width[i] > 2) st = wrap(&r->line[i], &cells[i], width[i] - 2, false);
        if (r->line[i].n > r->height) r->height = r->line[i].n;
    }
    return st;
}

/* Titles stand at the bottom of their row, other cells at the top. */
static void add_row_line(
    kt_text *out, const kt_table *t, const row *r, const int *width, int at, bool head) {
    const char *border = head ? "\u2503" : "\u2502";
    const kt_style pad = head ? KT_STYLE_HEAD_PAD : KT_STYLE_PLAIN;
    const kt_style blank = head ? KT_STYLE_BOLD : KT_STYLE_PLAIN;
    kt_text_add(out, KT_STYLE_PLAIN, border);
    for (int i = 0; i < t->n_columns; i++) {
        const int line = at - (head ? r->height - r->line[i].n : 0);
        if (line < 0 || line >= r->line[i].n) {
            add_times(out, r->line[i].n ? pad : KT_STYLE_PLAIN, " ", width[i]);
        } else {
            kt_text_add(out, pad, " ");
            add_cell_line(out, r->line[i].v[line], width[i] - 2, t->column[i].justify, blank);
            kt_text_add(out, pad, " ");
        }
        kt_text_add(out, KT_STYLE_PLAIN, border);
    }
}

/* Tables --------------------------------------------------------------------------------------- */

typedef struct {
    kt_str *out;
    const kt_table *t;
    int width[KT_TABLE_COLUMNS]; ///< of the columns, blanks included
    int screen;
    kt_colors colors;
} drawing;

/* Too wide: the excess is taken away evenly, column by column from the left. */
static void shrink_columns(int n, int *width, int excess) {
    for (int i = 0; i < n; i++) {
        const double share = nearbyint(
            (double)excess / (n - i)); /* half to even, as Python rounds */
        const int less = share < width[i] ? (int)share : width[i];
        width[i] -= less;
        excess -= less;
    }
}

/* Too narrow: what is left goes to the columns in proportion to their widths. */
static void widen_columns(int n, int *width, int room) {
    int total = 0;
    for (int i = 0; i < n; i++) total += width[i];
    for (int i = 0; i < n; i++) {
        const int more = total > 0 ? (int)ceil((double)width[i] * room / total) : room;
        total -= width[i];
        width[i] += more;
        room -= more;
    }
}

static void layout_columns(drawing *d) {
    const int n = d->t->n_columns, room = d->t->width - (n + 1);
    int total = 0;
    for (int i = 0; i < n; i++) {
        d->width[i] = d->t->column[i].width + 2;
        if (d->width[i] > room) d->width[i] = room;
        if (d->width[i] < 1) d->width[i] = 1;
        total += d->width[i];
    }
    if (total > room)
        shrink_columns(n, d->width, total - room);
    else if (total < room)
        widen_columns(n, d->width, room - total);
}

/* Cut at the edge of the screen; half a wide character is a blank. */
static kt_status draw_line(const drawing *d, kt_text *line) {
    const slice all = {line, 0, line->text.n};
    const slice kept = slice_first(all, d->screen);
    if (kept.to < all.to) {
        const kt_style style = (kt_style)line->style.s[kept.to];
        const int room = d->screen - slice_cells(kept);
        line->text.n = line->style.n = kept.to;
        add_times(line, style, " ", room);
    }
    const kt_status st = text_status(line);
    if (st == KT_OK) write_line(d->out, (slice){line, 0, line->text.n}, d->colors);
    return st;
}

/* parts: left corner, line, crossing, right corner. */
static kt_status draw_border(const drawing *d, const char *const parts[4]) {
    kt_text line = {.text = {.n = 0}};
    for (int i = 0; i < d->t->n_columns; i++) {
        kt_text_add(&line, KT_STYLE_PLAIN, parts[i ? 2 : 0]);
        add_times(&line, KT_STYLE_PLAIN, parts[1], d->width[i]);
    }
    kt_text_add(&line, KT_STYLE_PLAIN, parts[3]);
    const kt_status st = text_status(&line) ? KT_ENOMEM : draw_line(d, &line);
    kt_text_free(&line);
    return st;
}

static kt_status draw_row(const drawing *d, const kt_text *cells, bool head) {
    row r;
    kt_status st = row_wrap(&r, cells, d->t->n_columns, d->width);
    for (int i = 0; st == KT_OK && i < r.height; i++) {
        kt_text line = {.text = {.n = 0}};
        add_row_line(&line, d->t, &r, d->width, i, head);
        st = text_status(&line) ? KT_ENOMEM : draw_line(d, &line);
        kt_text_free(&line);
    }
    row_free(&r);
    return st;
}

static kt_status draw_head(const drawing *d) {
    kt_text titles[KT_TABLE_COLUMNS] = {{.text = {.n = 0}}};
    for (int i = 0; i < d->t->n_columns; i++)
        kt_text_add(&titles[i], KT_STYLE_BOLD, d->t->column[i].title);
    const kt_status st = draw_row(d, titles, true);
    for (int i = 0; i < d->t->n_columns; i++) kt_text_free(&titles[i]);
    return st;
}

kt_status kt_table_draw(kt_str *out, const kt_table *t, int screen, kt_colors colors) {
    static const char *const top[] = {"\u250F", "\u2501", "\u2533", "\u2513"};
    static const char *const below_head[] = {"\u2521", "\u2501", "\u2547", "\u2529"};
    static const char *const between[] = {"\u251C", "\u2500", "\u253C", "\u2524"};
    static const char *const bottom[] = {"\u2514", "\u2500", "\u2534", "\u2518"};
    drawing d = {.out = out, .t = t, .screen = screen, .colors = colors};
    layout_columns(&d);
    kt_status st = draw_border(&d, top);
    if (st == KT_OK) st = draw_head(&d);
    if (st == KT_OK) st = draw_border(&d, below_head);
    for (int i = 0; st == KT_OK && i < t->cells.n; i += t->n_columns) {
        if (i) st = draw_border(&d, between);
        if (st == KT_OK) st = draw_row(&d, t->cells.v + i, false);
    }
    if (st == KT_OK) st = draw_border(&d, bottom);
    return st ? st : out->status;
}

void kt_table_free(kt_table *t) {
    for (int i = 0; i < t->cells.n; i++) kt_text_free(&t->cells.v[i]);
    kt_vec_free(&t->cells);
}
