/* Saves the model while it is trained.  keras.callbacks.ModelCheckpoint
 *
 * The name of the file is a Python format string over epoch, batch and the logs. */
#include "base/fs.h"
#include "base/locale.h"
#include "callbacks/message.h"
#include "callbacks/monitor.h"

#include <keratin/callbacks.h>
#include <keratin/saving.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    kt_monitor monitor;
    int64_t epoch, batches; ///< batches since something was saved
} checkpoint;

static bool ends_with(const char *text, const char *end) {
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

static kt_status checkpoint_init(kt_component *c) {
    const kt_cb_model_checkpoint_args *a = kt_args_of(c);
    checkpoint *s = kt_state_of(c);
    const char *path = a->filepath ? a->filepath : "";
    const bool ok = a->save_weights_only ? ends_with(path, ".weights.h5")
                                         : ends_with(path, ".keras") || ends_with(path, ".h5");
    if (!ok)
        return KT_FAIL(
            KT_EINVAL,
            "filepath: expected a name that ends in %s, got \"%.200s\"",
            a->save_weights_only ? ".weights.h5" : ".keras or .h5",
            path);
    if (a->save_freq != KT_NONE && a->save_freq < 1)
        return KT_FAIL(
            KT_EINVAL,
            "save_freq: expected a positive number of batches, got %lld",
            (long long)a->save_freq);
    return kt_monitor_init(&s->monitor, a->monitor, a->mode, 0);
}

static void checkpoint_begin(kt_component *c) {
    const kt_cb_model_checkpoint_args *a = kt_args_of(c);
    checkpoint *s = kt_state_of(c);
    kt_monitor_reset(&s->monitor);
    s->epoch = s->batches = 0;
    if (a->initial_value_threshold == KT_NONE_F) return;
    s->monitor.has_best = true;
    s->monitor.best = a->initial_value_threshold;
}

/* The name of the file ------------------------------------------------------------------------- */

/* [[fill]align][sign][0][width][.precision][type], of one of which the mini-language of Python is
 * made; the rest of it is not there. */
typedef struct {
    char fill, align, sign, type; ///< 0: not given; type % is f of a hundredfold
    int width, precision;         ///< precision -1: not given
} format;

static int number(const char **p, int none) {
    if (!kt_is_digit(**p)) return none;
    int n = 0;
    for (; kt_is_digit(**p); ++*p) n = n < 1000 ? 10 * n + (**p - '0') : n;
    return n;
}

static bool read_format(format *f, const char *p, bool integer) {
    *f = (format){.precision = -1};
    if (*p && p[1] && strchr("<>^=", p[1])) f->fill = *p++;
    if (*p && strchr("<>^=", *p)) f->align = *p++;
    if (*p && strchr("+- ", *p)) f->sign = *p++;
    if (*p == '0') {
        if (!f->align) f->align = '=';
        if (!f->fill) f->fill = *p;
        p++;
    }
    f->width = number(&p, 0);
    if (*p == '.') {
        p++;
        if ((f->precision = number(&p, -1)) < 0) return false;
    }
    if (*p) f->type = *p++;
    if (*p || f->width > 200 || f->precision > 200 || (f->fill & 0x80)) return false;
    if (!f->type) return f->precision < 0;
    return strchr(integer ? "dfFeEgG%" : "fFeEgG%", f->type) &&
           (f->type != 'd' || f->precision < 0);
}

/* Python's format(value, spec). */
static bool add_formatted(kt_str *out, const char *spec, double v, bool integer) {
    format f;
    kt_str body = {0};
    char c[12], text[400];
    if (!read_format(&f, spec, integer)) return false;
    const bool percent = f.type == '%';
    snprintf(c, sizeof c, "%%.%d%c", f.precision < 0 ? 6 : f.precision, percent ? 'f' : f.type);
    const double size = fabs(v);
    if (integer && (!f.type || f.type == 'd')) {
        kt_str_addf(&body, "%lld", (long long)size);
    } else if (!f.type) {
        kt_str_double(&body, size);
    } else {
        kt_snprintf(text, sizeof text, c, percent ? 100 * size : size);
        kt_str_add(&body, text);
        if (percent) kt_str_add(&body, "%");
    }
    const char sign = !isnan(v) && signbit(v) ? '-' : f.sign == '-' ? 0 : f.sign;
    const int len = (body.s ? (int)strlen(body.s) : 0) + (sign != 0);
    const int pad = f.width > len ? f.width - len : 0;
    const int left = f.align == '<' ? 0 : f.align == '^' ? pad / 2 : pad;
    if (sign && f.align == '=') kt_str_addn(out, &sign, 1);
    for (int i = 0; i < left; i++) kt_str_addn(out, f.fill ? &f.fill : " ", 1);
    if (sign && f.align != '=') kt_str_addn(out, &sign, 1);
    if (body.s) kt_str_add(out, body.s);
    for (int i = left; i < pad; i++) kt_str_addn(out, f.fill ? &f.fill : " ", 1);
    if (body.status) out->status = body.status;
    kt_str_free(&body);
    return true;
}

typedef struct {
    int64_t epoch, batch; ///< batch: -1 for none
    const kt_logs *logs;
} moment;

static bool value_of(const moment *at, const char *name, double *v, bool *integer) {
    *integer = true;
    if (!strcmp(name, "epoch")) return *v = (double)at->epoch + 1, true;
    if (!strcmp(name, "batch") && at->batch >= 0) return *v = (double)at->batch + 1, true;
    *integer = false;
    for (int i = 0; i < kt_logs_len(at->logs); i++) {
        if (strcmp(kt_logs_name(at->logs, i), name) != 0) continue;
        *v = kt_logs_value(at->logs, i);
        return true;
    }
    return false;
}

static kt_status bad_name(const char *filepath, const char *field) {
    KT_FAIL(KT_EINVAL, "filepath: \"%.200s\" cannot be filled in", filepath);
    kt_error_got("{%.60s}", field);
    return kt_error_expected("{epoch}, {batch} or a name of the logs, with a format for numbers");
}

static kt_status make_path(kt_str *out, const char *filepath, const moment *at) {
    for (const char *p = filepath; *p; p++) {
        char field[128], *spec;
        double v;
        bool integer;
        if ((*p == '{' || *p == '}') && p[1] == *p) {
            kt_str_addn(out, p++, 1);
            continue;
        }
        if (*p != '{') {
            kt_str_addn(out, p, 1);
            continue;
        }
        const size_t n = strcspn(p + 1, "}");
        snprintf(field, sizeof field, "%.*s", (int)(n < 120 ? n : 120), p + 1);
        if (!p[1 + n] || n >= 120) return bad_name(filepath, field);
        if ((spec = strchr(field, ':'))) *spec++ = 0;
        if (!value_of(at, field, &v, &integer) || !add_formatted(out, spec ? spec : "", v, integer))
            return bad_name(filepath, field);
        p += n + 1;
    }
    return out->status;
}

/* Saving --------------------------------------------------------------------------------------- */

static bool is_wanted(kt_component *c, const moment *at, const char *path) {
    const kt_cb_model_checkpoint_args *a = kt_args_of(c);
    checkpoint *s = kt_state_of(c);
    const long long epoch = (long long)at->epoch + 1;
    const bool says = a->verbose > 0, had_best = s->monitor.has_best;
    double value, best = s->monitor.best;
    if (!a->save_best_only) {
        if (says) kt_message("\nEpoch %lld: saving model to %.300s\n", epoch, path);
        return true;
    }
    if (!kt_monitor_value(&s->monitor, "can save best model only with metric", at->logs, &value))
        return true;
    char was[64];
    kt_snprintf(was, sizeof was, had_best ? "%.5f" : "None", best);
    if (!kt_monitor_improves(&s->monitor, value)) {
        if (says) kt_message("\nEpoch %lld: %s did not improve from %s\n", epoch, a->monitor, was);
        return false;
    }
    if (says)
        kt_message(
            "\nEpoch %lld: %s improved from %s to %.5f, saving model to %.300s\n",
            epoch,
            a->monitor,
            was,
            value,
            path);
    return true;
}

static kt_status save(kt_component *c, kt_model *m, const moment *at) {
    const kt_cb_model_checkpoint_args *a = kt_args_of(c);
    checkpoint *s = kt_state_of(c);
    kt_str path = {0};
    kt_status st = make_path(&path, a->filepath, at);
    if (!st && a->save_best_only) st = kt_monitor_resolve(&s->monitor, "ModelCheckpoint", m);
    if (!st && is_wanted(c, at, path.s)) {
        st = kt_fs_make_folders(path.s);
        if (!st)
            st = a->save_weights_only ? kt_model_save_weights(m, path.s) : kt_model_save(m, path.s);
        if (!st && a->verbose > 0)
            kt_message(
                "\nEpoch %lld: finished saving model to %.300s\n",
                (long long)at->epoch + 1,
                path.s);
    }
    kt_str_free(&path);
    return st;
}

static kt_status checkpoint_on(
    kt_component *c, kt_hook_id hook, kt_model *m, int64_t index, kt_logs *logs) {
    const kt_cb_model_checkpoint_args *a = kt_args_of(c);
    checkpoint *s = kt_state_of(c);
    if (hook == KT_ON_TRAIN_BEGIN) checkpoint_begin(c);
    if (hook == KT_ON_EPOCH_BEGIN) s->epoch = index;
    if (hook == KT_ON_EPOCH_END && a->save_freq == KT_NONE)
        return save(c, m, &(moment){index, -1, logs});
    if (hook != KT_ON_TRAIN_BATCH_END || ++s->batches < a->save_freq) return KT_OK;
    s->batches = 0;
    return save(c, m, &(moment){s->epoch, index, logs});
}

static bool checkpoint_wants(const kt_component *c, kt_hook_id hook) {
    const kt_cb_model_checkpoint_args *a = kt_args_of(c);
    if (hook == KT_ON_TRAIN_BATCH_END) return a->save_freq != KT_NONE;
    return hook == KT_ON_TRAIN_BEGIN || hook == KT_ON_EPOCH_BEGIN || hook == KT_ON_EPOCH_END;
}

#define F(name) KT_F(kt_cb_model_checkpoint_args, name)
static const kt_field checkpoint_fields[] = {
    F(filepath),
    F(monitor),
    F(verbose),
    F(save_best_only),
    F(save_weights_only),
    F(mode),
    F(save_freq),
    F(initial_value_threshold),
    KT_F_END,
};
#undef F

static const kt_cb_model_checkpoint_args checkpoint_defaults = {
    .size = sizeof checkpoint_defaults, KT_CB_MODEL_CHECKPOINT_DEFAULTS};

extern const kt_callback_class kt_callback_class_model_checkpoint;
const kt_callback_class kt_callback_class_model_checkpoint = {
    .base =
        {
            .kind = KT_KIND_CALLBACK,
            .name = "ModelCheckpoint",
            .args_size = sizeof(kt_cb_model_checkpoint_args),
            .state_size = sizeof(checkpoint),
            .fields = checkpoint_fields,
            .defaults = &checkpoint_defaults,
            .init = checkpoint_init,
        },
    .on = checkpoint_on,
    .wants = checkpoint_wants,
};

kt_callback *kt_cb_model_checkpoint_new(const kt_cb_model_checkpoint_args *a) {
    return kt_component_new(&kt_callback_class_model_checkpoint.base, a);
}
