/* Where text goes. See log.h. */
#include "base/log.h"

#include "base/locale.h"

#include <keratin/runtime.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static kt_output_fn *output_fn;
static void *output_data;
static kt_output_fn *log_fn;
static void *log_data;

void kt_set_output(kt_output_fn *fn, void *data) {
    output_fn = fn;
    output_data = data;
}

void kt_out(const char *text, size_t n) {
    if (output_fn) {
        output_fn(text, n, output_data);
        return;
    }
    fwrite(text, 1, n, stdout);
    fflush(stdout);
}

void kt_set_log(kt_output_fn *fn, void *data) {
    log_fn = fn;
    log_data = data;
}

void kt_log(const char *fmt, ...) {
    char text[4096];
    va_list ap;
    va_start(ap, fmt);
    if (log_fn)
        kt_vsnprintf(text, sizeof text, fmt, ap);
    else
        vfprintf(stderr, fmt, ap);
    va_end(ap);
    if (log_fn) log_fn(text, strlen(text), log_data);
}

bool kt_out_is_terminal(void) { return !output_fn && isatty(STDOUT_FILENO); }

int kt_out_width(void) {
    const char *columns = getenv("COLUMNS");
    if (columns && strtol(columns, NULL, 10) > 0) return (int)strtol(columns, NULL, 10);
    struct winsize size;
    if (kt_out_is_terminal() && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
        return size.ws_col;
    return 80;
}
