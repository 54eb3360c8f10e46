/* The logs of each epoch as a line of a CSV file.  keras.callbacks.CSVLogger
 *
 * The columns are the names of the first epoch, sorted; where it had no validation, a val_ column
 * for each. Lines end in CR LF and numbers are written as Python's repr does. */
#include "base/mem.h"
#include "base/str.h"
#include "model/callback.h"

#include <keratin/callbacks.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    FILE *file;
    KT_VEC(char *) names; ///< columns after "epoch"
    bool has_names, write_header;
} csv;

static kt_status csv_init(kt_component *c) {
    const kt_cb_csv_logger_args *a = kt_args_of(c);
    if (!a->filename || !*a->filename)
        return KT_FAIL(KT_EINVAL, "filename: expected the name of a file, got none");
    if (!a->separator || strlen(a->separator) != 1 || strchr("\"\r\n", *a->separator))
        return KT_FAIL(KT_EINVAL, "separator: expected one character");
    return KT_OK;
}

static void forget_names(csv *s) {
    for (int i = 0; i < s->names.n; i++) kt_mem_free(s->names.v[i]);
    kt_vec_free(&s->names);
    s->has_names = false;
}

static void csv_destroy(kt_component *c) {
    csv *s = kt_state_of(c);
    if (s->file) fclose(s->file);
    forget_names(s);
}

static kt_status csv_fail(const char *verb, const char *path) {
    const int e = errno;
    const kt_status st = e == ENOENT ? KT_ENOTFOUND : e == EACCES ? KT_EPERM : KT_EIO;
    return KT_FAIL(st, "cannot %s \"%.200s\": %s", verb, path, strerror(e));
}

static kt_status csv_open(kt_component *c) {
    const kt_cb_csv_logger_args *a = kt_args_of(c);
    csv *s = kt_state_of(c);
    if (s->file) fclose(s->file);
    s->file = fopen(a->filename, a->append ? "ab" : "wb");
    if (!s->file) return csv_fail("write", a->filename);
    s->write_header = !a->append || (fseek(s->file, 0, SEEK_END) == 0 && ftell(s->file) == 0);
    forget_names(s);
    return KT_OK;
}

static kt_status csv_close(kt_component *c) {
    const kt_cb_csv_logger_args *a = kt_args_of(c);
    csv *s = kt_state_of(c);
    FILE *file = s->file;
    s->file = NULL;
    return file && fclose(file) ? csv_fail("write", a->filename) : KT_OK;
}

static kt_status add_name(csv *s, const char *prefix, const char *name) {
    kt_str text = {0};
    kt_str_addf(&text, "%s%s", prefix, name);
    kt_status st = text.status;
    if (st == KT_OK) st = kt_vec_push(&s->names, text.s);
    if (st) kt_str_free(&text);
    return st;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static kt_status take_names(csv *s, const kt_logs *logs) {
    bool validated = false;
    kt_status st = KT_OK;
    for (int i = 0; st == KT_OK && i < kt_logs_len(logs); i++) {
        validated = validated || !strncmp(kt_logs_name(logs, i), "val_", 4);
        st = add_name(s, "", kt_logs_name(logs, i));
    }
    const int n = s->names.n;
    if (n) qsort(s->names.v, (size_t)n, sizeof *s->names.v, by_name);
    for (int i = 0; st == KT_OK && !validated && i < n; i++)
        st = add_name(s, "val_", s->names.v[i]);
    s->has_names = st == KT_OK;
    return st;
}

/* A field, in quotes where it has to be. */
static void add_field(kt_str *line, const char *text, const char *separator) {
    const bool quoted = strpbrk(text, "\"\r\n") || strchr(text, *separator);
    if (quoted) kt_str_add(line, "\"");
    for (; *text; text++) {
        if (*text == '"') kt_str_add(line, "\"");
        kt_str_addn(line, text, 1);
    }
    if (quoted) kt_str_add(line, "\"");
}

static void add_header(kt_str *line, const csv *s, const char *separator) {
    kt_str_add(line, "epoch");
    for (int i = 0; i < s->names.n; i++) {
        kt_str_add(line, separator);
        add_field(line, s->names.v[i], separator);
    }
    kt_str_add(line, "\r\n");
}

static void add_row(
    kt_str *line, const csv *s, const char *separator, int64_t epoch, const kt_logs *logs) {
    kt_str_addf(line, "%lld", (long long)epoch);
    for (int i = 0; i < s->names.n; i++) {
        kt_str number = {0};
        int at = 0;
        while (at < kt_logs_len(logs) && strcmp(kt_logs_name(logs, at), s->names.v[i]) != 0) at++;
        if (at < kt_logs_len(logs))
            kt_str_double(&number, kt_logs_value(logs, at));
        else
            kt_str_add(&number, "NA");
        kt_str_add(line, separator);
        if (number.s) add_field(line, number.s, separator);
        if (number.status) line->status = number.status;
        kt_str_free(&number);
    }
    kt_str_add(line, "\r\n");
}

static kt_status csv_epoch(kt_component *c, int64_t epoch, const kt_logs *logs) {
    const kt_cb_csv_logger_args *a = kt_args_of(c);
    csv *s = kt_state_of(c);
    kt_str text = {0};
    if (!s->file) return KT_OK;
    kt_status st = s->has_names ? KT_OK : take_names(s, logs);
    if (st) return st;
    if (s->write_header) add_header(&text, s, a->separator);
    s->write_header = false;
    add_row(&text, s, a->separator, epoch, logs);
    st = text.status;
    if (st == KT_OK && (fwrite(text.s, 1, text.n, s->file) != text.n || fflush(s->file)))
        st = csv_fail("write", a->filename);
    kt_str_free(&text);
    return st;
}

static kt_status csv_on(
    kt_component *c, kt_hook_id hook, kt_model *m, int64_t index, kt_logs *logs) {
    (void)m;
    if (hook == KT_ON_TRAIN_BEGIN) return csv_open(c);
    return hook == KT_ON_TRAIN_END ? csv_close(c) : csv_epoch(c, index, logs);
}

static bool csv_wants(const kt_component *c, kt_hook_id hook) {
    (void)c;
    return hook == KT_ON_TRAIN_BEGIN || hook == KT_ON_EPOCH_END || hook == KT_ON_TRAIN_END;
}

#define F(name) KT_F(kt_cb_csv_logger_args, name)
static const kt_field csv_fields[] = {F(filename), F(separator), F(append), KT_F_END};
#undef F

static const kt_cb_csv_logger_args csv_defaults = {
    .size = sizeof csv_defaults, KT_CB_CSV_LOGGER_DEFAULTS};

extern const kt_callback_class kt_callback_class_csv_logger;
const kt_callback_class kt_callback_class_csv_logger = {
    .base =
        {
            .kind = KT_KIND_CALLBACK,
            .name = "CSVLogger",
            .args_size = sizeof(kt_cb_csv_logger_args),
            .state_size = sizeof(csv),
            .fields = csv_fields,
            .defaults = &csv_defaults,
            .init = csv_init,
            .destroy = csv_destroy,
        },
    .on = csv_on,
    .wants = csv_wants,
};

kt_callback *kt_cb_csv_logger_new(const kt_cb_csv_logger_args *a) {
    return kt_component_new(&kt_callback_class_csv_logger.base, a);
}
