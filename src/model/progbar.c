/* keras.utils.Progbar as ProgbarLogger drives it, byte for byte; tests/golden/console/README.md has
 * the rules in full. The same bytes go to terminals and files, as in Keras.
 *
 * Text is put together in a buffer on the stack and goes out when it is full or done: drawing
 * happens inside the training loop, which does not allocate. */
#include "model/progbar.h"

#include "model/logs.h"

#include "base/locale.h"
#include "base/log.h"

#include <keratin/error.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define BAR_WIDTH 20
#define INTERVAL 0.05 /* seconds between drawings, at least */

static double (*clock_now)(void); /* NULL: the real one */

void kt_progbar_set_clock(double (*now)(void)) { clock_now = now; }

static double seconds(void) {
    struct timespec t;
    if (clock_now) return clock_now();
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Python's rule, roughly: the environment names a codeset other than UTF-8. The C locale counts as
 * UTF-8. */
static bool locale_is_ascii(void) {
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"}, *value = NULL;
    for (int i = 0; i < 3 && !(value && *value); i++) value = getenv(names[i]);
    const char *codeset = value ? strchr(value, '.') : NULL;
    return codeset && strncasecmp(codeset, ".utf-8", 6) != 0 &&
           strncasecmp(codeset, ".utf8", 5) != 0;
}

/* Text on its way out -------------------------------------------------------------------------- */

typedef struct {
    char buf[2048];
    size_t n;
    int width; /* visible characters since it was last set to 0 */
} line;

static void line_flush(line *l) {
    if (l->n) kt_out(l->buf, l->n);
    l->n = 0;
}

/* Bytes that take no room on the screen. */
static void put_code(line *l, const char *text) {
    const size_t n = strlen(text);
    if (l->n + n > sizeof l->buf) line_flush(l);
    memcpy(l->buf + l->n, text, n); /* codes are a few bytes long */
    l->n += n;
}

static void put(line *l, const char *text) {
    for (; *text; text++) {
        if (l->n == sizeof l->buf) line_flush(l);
        l->buf[l->n++] = *text;
        l->width += ((unsigned char)*text & 0xC0) != 0x80; /* UTF-8: count first bytes only */
    }
}

static void put_times(line *l, const char *text, int64_t count) {
    for (int64_t i = 0; i < count; i++) put(l, text);
}

/* Numbers only: the longest double with four decimals has 315 characters. */
__attribute__((format(printf, 2, 3))) static void putf(line *l, const char *fmt, ...) {
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    kt_vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    put(l, text);
}

/* Parts ---------------------------------------------------------------------------------------- */

static int digits(int64_t n) {
    int count = 1;
    while (n >= 10) n /= 10, count++;
    return count;
}

static void put_bar(line *l, const kt_progbar *p, int64_t current) {
    const char *cell = p->ascii ? "=" : "\u2501";
    if (p->target <= 0) {
        putf(l, "%7lld/Unknown", (long long)current);
        return;
    }
    const int64_t done = (int64_t)(BAR_WIDTH * ((double)current / (double)p->target));
    put_code(l, "\033[1m");
    putf(l, "%*lld/%lld", digits(p->target), (long long)current, (long long)p->target);
    put_code(l, "\033[0m");
    put(l, " ");
    if (done > 0) {
        put_code(l, "\033[32m");
        put_times(l, cell, done);
        put_code(l, "\033[0m");
    }
    put_code(l, "\033[37m");
    put_times(l, cell, BAR_WIDTH - done);
    put_code(l, "\033[0m");
}

static void put_time_left(line *l, double left) {
    const long long s = (long long)left;
    if (left > 3600)
        putf(l, "%lld:%02lld:%02lld", s / 3600, s % 3600 / 60, s % 60);
    else if (left > 60)
        putf(l, "%lld:%02lld", s / 60, s % 60);
    else
        putf(l, "%llds", s);
}

static void put_step_time(line *l, double t) {
    if (t >= 1 || t == 0)
        putf(l, " %.0fs/step", t);
    else if (t >= 1e-3)
        putf(l, " %.0fms/step", t * 1e3);
    else
        putf(l, " %.0fus/step", t * 1e6);
}

static void put_value(line *l, double v, bool fixed) {
    if (isnan(v))
        put(l, "nan"); /* never "-nan" */
    else if (fixed)
        putf(l, "%.4f", v);
    else
        putf(l, "%.4e", v);
}

/* Verbose 2 compares without abs(): negative values are written with an exponent there. */
static void put_log(line *l, const kt_logs *logs, int i, bool use_abs) {
    const double v = kt_logs_value(logs, i);
    put(l, " - ");
    put(l, kt_logs_name(logs, i));
    put(l, ": ");
    put_value(l, v, (use_abs ? fabs(v) : v) > 1e-3);
}

/* The bar keeps the order in which it first saw the names: those of validation, which come among
 * the others by name, behind them. */
static void put_logs(line *l, const kt_logs *logs, bool bar) {
    const int n = kt_logs_len(logs), sorted = n && bar ? logs->sorted : 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < sorted; i++)
            if (!strncmp(kt_logs_name(logs, i), "val_", 4) == (pass == 1)) put_log(l, logs, i, bar);
    for (int i = sorted; i < n; i++) put_log(l, logs, i, bar);
}

/* The bar -------------------------------------------------------------------------------------- */

void kt_progbar_begin(kt_progbar *p, int64_t target, int verbose, int epoch, int epochs) {
    *p = (kt_progbar){
        .target = target,
        .verbose = verbose,
        .start = seconds(),
        .last_update = -INFINITY,
        .time_after_first_step = -INFINITY,
        .ascii = locale_is_ascii(),
    };
    if (!verbose || epochs <= 1) return;
    line l = {.n = 0};
    putf(&l, "Epoch %d/%d\n", epoch, epochs);
    line_flush(&l);
}

void kt_progbar_set_target(kt_progbar *p, int64_t target) { p->target = target; }

bool kt_progbar_due(const kt_progbar *p, int64_t current) {
    (void)current;
    return p->verbose == 1 && seconds() - p->last_update >= INTERVAL;
}

/* The slow first step does not count, once there are others. */
static double step_time(kt_progbar *p, int64_t current, double now) {
    if (current == 0) return 0;
    const double t = p->time_after_first_step > -INFINITY && current > 1
                         ? (now - p->time_after_first_step) / (double)(current - 1)
                         : (now - p->start) / (double)current;
    if (current == 1) p->time_after_first_step = now;
    return t;
}

static void draw(
    kt_progbar *p, int64_t current, const kt_logs *logs, bool finalize, double now, double step) {
    line l = {.n = 0};
    put_times(&l, "\b", p->total_width);
    put(&l, "\r");
    l.width = 0;
    put_bar(&l, p, current);
    put(&l, " ");
    put_code(&l, "\033[1m");
    if (p->target > 0 && !finalize)
        put_time_left(&l, step * (double)(p->target - current));
    else
        putf(&l, "%.0fs", now - p->start);
    put_code(&l, "\033[0m");
    put_step_time(&l, step);
    put_logs(&l, logs, true);
    const int width = l.width;
    put_times(&l, " ", p->total_width - width);
    if (finalize) put(&l, "\n");
    line_flush(&l);
    p->total_width = width;
}

static void draw_line(
    const kt_progbar *p, int64_t current, const kt_logs *logs, double now, double step) {
    line l = {.n = 0};
    putf(&l, "%*lld/%lld", digits(p->target), (long long)current, (long long)p->target);
    putf(&l, " - %.0fs -", now - p->start);
    put_step_time(&l, step);
    put_logs(&l, logs, false);
    put(&l, "\n");
    line_flush(&l);
}

void kt_progbar_update(kt_progbar *p, int64_t current, const kt_logs *logs, bool finalize) {
    const double now = seconds();
    p->seen = current;
    if (p->verbose == 2 && !finalize) return; /* ProgbarLogger does not ask: no first step either */
    const double step = step_time(p, current, now);
    if (p->verbose == 1) {
        if (!finalize && now - p->last_update < INTERVAL) return;
        draw(p, current, logs, finalize, now, step);
    } else if (p->verbose == 2 && p->target > 0) {
        draw_line(p, current, logs, now, step);
    }
    p->last_update = now;
}
