/* How an old model was compiled: training_config of Keras 1 and 2, and of .h5 files of Keras 3. See
 * legacy.h.
 *
 * Optimizers: `lr` became learning_rate, and `decay` a schedule, lr / (1 + decay step). Losses and
 * metrics: tf.keras wrote functions as wrappers, {"class_name": "MeanMetricWrapper", "config":
 * {"name": "accuracy", "fn": "binary_accuracy"}}, and lists of lists, one per output. */
#include "saving/legacy.h"

#include <math.h>
#include <stdio.h>

static kt_status put_text(kt_json *dict, const char *key, const char *text) {
    return kt_json_put(dict, key, kt_json_new_str(text));
}

static kt_json *no_memory(kt_status *st) {
    *st = KT_FAIL(KT_ENOMEM, "out of memory");
    return NULL;
}

/* Optimizers ----------------------------------------------------------------------------------- */

/* InverseTimeDecay(lr, decay_steps=1, decay_rate=decay) */
static kt_status put_decay(kt_json *config, const kt_json *rate, double decay) {
    kt_json *c = kt_json_new_dict(), *schedule = NULL;
    kt_status st = c ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    if (!st) st = kt_legacy_put(c, "initial_learning_rate", rate);
    if (!st) st = kt_json_put(c, "decay_steps", kt_json_new_int(1));
    if (!st) st = kt_json_put(c, "decay_rate", kt_json_new_real(decay));
    if (!st) st = kt_json_put(c, "staircase", kt_json_new_bool(false));
    if (st) return kt_json_free(c), st;
    st = kt_legacy_wrap(&schedule, "keras.optimizers.schedules", "InverseTimeDecay", c);
    return st ? st : kt_json_put(config, "learning_rate", schedule);
}

static bool dropped(const char *key, const kt_json *v) {
    static const char *const always[] = {
        "decay", "lr", "jit_compile", "is_legacy_optimizer", "schedule_decay", "name"};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (!strcmp(key, always[i])) return true;
    return !strcmp(key, "epsilon") && kt_json_is(v, KT_JSON_NULL);
}

static kt_status fill_optimizer(kt_json *config, const kt_json *old) {
    const kt_json *rate = kt_json_get(old, "learning_rate");
    const double decay = kt_json_number(kt_json_get(old, "decay"));
    kt_status st = KT_OK;
    if (!rate) rate = kt_json_get(old, "lr");
    if (kt_json_get(old, "name")) st = kt_legacy_put(config, "name", kt_json_get(old, "name"));
    if (rate && !st) {
        if (decay > 0)
            st = put_decay(config, rate, decay);
        else
            st = kt_legacy_put(config, "learning_rate", rate);
    }
    for (void *it = kt_json_iter(old); it && !st; it = kt_json_next(old, it))
        if (!dropped(kt_json_iter_key(it), kt_json_iter_value(it)) &&
            strcmp(kt_json_iter_key(it), "learning_rate") != 0)
            st = kt_legacy_put(config, kt_json_iter_key(it), kt_json_iter_value(it));
    return st;
}

static kt_status optimizer(kt_json **out, const kt_json *old) {
    const char *c = kt_json_get_text(old, "class_name");
    if (!c) {
        *out = kt_json_ref((kt_json *)(uintptr_t)old);
        return KT_OK;
    }
    kt_json *config = kt_json_new_dict();
    kt_status st = config ? fill_optimizer(config, kt_json_get(old, "config")) : KT_ENOMEM;
    if (st) return kt_json_free(config), st;
    return kt_legacy_wrap(out, "keras.optimizers", kt_legacy_plain_class(c), config);
}

/* Losses and metrics --------------------------------------------------------------------------- */

/* "binary_accuracy" -> "BinaryAccuracy": functions and classes have the same words. */
static const char *camel(const char *snake, char *buf, size_t size) {
    size_t n = 0;
    bool up = true;
    for (const char *p = snake; *p && n + 1 < size; p++) {
        if (*p == '_') {
            up = true;
            continue;
        }
        buf[n++] = up && *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
        up = false;
    }
    buf[n] = 0;
    return buf;
}

/* Functions whose class has another name. */
static const char *class_of_function(const char *fn, char *buf, size_t size) {
    static const char *const pairs[][2] = {
        {"mse", "MeanSquaredError"},
        {"mae", "MeanAbsoluteError"},
        {"mape", "MeanAbsolutePercentageError"},
        {"msle", "MeanSquaredLogarithmicError"},
        {"kullback_leibler_divergence", "KLDivergence"},
        {"kl_divergence", "KLDivergence"},
        {"kld", "KLDivergence"},
        {"cosine_proximity", "CosineSimilarity"},
        {"logcosh", "LogCosh"},
        {"log_cosh", "LogCosh"},
        {"top_k_categorical_accuracy", "TopKCategoricalAccuracy"},
        {"sparse_top_k_categorical_accuracy", "SparseTopKCategoricalAccuracy"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (!strcmp(pairs[i][0], fn)) return pairs[i][1];
    return camel(fn, buf, size);
}

/* The function inside a wrapper, as a name; NULL if there is none. */
static const char *wrapped_function(const kt_json *config) {
    const kt_json *fn = kt_json_get(config, "fn");
    const char *text = kt_json_text(fn);
    return text ? text : kt_json_get_text(fn, "config");
}

static kt_status fill_function(kt_json *config, const kt_json *old) {
    kt_status st = KT_OK;
    for (void *it = kt_json_iter(old); it && !st; it = kt_json_next(old, it)) {
        const char *key = kt_json_iter_key(it), *text = kt_json_text(kt_json_iter_value(it));
        if (!strcmp(key, "fn") || !strcmp(key, "axis")) continue;
        if (!strcmp(key, "reduction") && text && !strcmp(text, "auto"))
            st = put_text(config, key, "sum_over_batch_size");
        else
            st = kt_legacy_put(config, key, kt_json_iter_value(it));
    }
    return st;
}

/* {"class_name": …, "config": …} of a loss or metric. */
static kt_status wrapper(kt_json **out, const kt_json *old, const char *module) {
    char buf[128];
    const kt_json *from = kt_json_get(old, "config");
    const char *c = kt_legacy_plain_class(kt_json_get_text(old, "class_name"));
    const char *fn = wrapped_function(from);
    const bool wraps = fn && (!strcmp(c, "MeanMetricWrapper") || !strcmp(c, "LossFunctionWrapper"));
    if (!strcmp(c, "function") && kt_json_text(from)) { /* by name */
        *out = kt_json_new_str(kt_json_text(from));
        return *out ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    }
    kt_json *config = kt_json_new_dict();
    kt_status st = config ? fill_function(config, from) : KT_FAIL(KT_ENOMEM, "out of memory");
    if (st) return kt_json_free(config), st;
    return kt_legacy_wrap(out, module, wraps ? class_of_function(fn, buf, sizeof buf) : c, config);
}

/* Names stay; lists and dicts are gone through; [[m]], the metrics of the only output, is [m]. */
static kt_status functions(kt_json **out, const kt_json *v, const char *module) {
    kt_status st = KT_OK;
    kt_json *item = NULL;
    if (kt_json_get_text(v, "class_name")) return wrapper(out, v, module);
    if (kt_json_is(v, KT_JSON_LIST) && kt_json_len(v) == 1 &&
        kt_json_is(kt_json_at(v, 0), KT_JSON_LIST))
        v = kt_json_at(v, 0);
    if (kt_json_is(v, KT_JSON_LIST)) {
        kt_json *list = *out = kt_json_new_list();
        if (!list) return no_memory(&st), st;
        for (int i = 0; i < kt_json_len(v) && !st; i++) {
            st = functions(&item, kt_json_at(v, i), module);
            if (!st) st = kt_json_add(list, item);
        }
    } else if (kt_json_is(v, KT_JSON_DICT)) {
        kt_json *dict = *out = kt_json_new_dict();
        if (!dict) return no_memory(&st), st;
        for (void *it = kt_json_iter(v); it && !st; it = kt_json_next(v, it)) {
            st = functions(&item, kt_json_iter_value(it), module);
            if (!st) st = kt_json_put(dict, kt_json_iter_key(it), item);
        }
    } else {
        *out = v ? kt_json_ref((kt_json *)(uintptr_t)v) : kt_json_new_null();
    }
    if (!st) return KT_OK;
    kt_json_free(*out);
    *out = NULL;
    return st;
}

kt_status kt_legacy_compile(kt_json **out, const kt_json *training, const kt_legacy_origin *from) {
    static const struct {
        const char *key, *module;
    } parts[] = {
        {"loss", "keras.losses"},
        {"metrics", "keras.metrics"},
        {"weighted_metrics", "keras.metrics"},
    };
    static const char *const kept[] = {
        "loss_weights", "run_eagerly", "steps_per_execution", "jit_compile"};
    const kt_json *old = kt_json_get(training, "optimizer_config");
    if (!old) old = kt_json_get(training, "optimizer"); /* .keras files of tf.keras */
    kt_json *c = *out = kt_json_new_dict(), *v = NULL;
    kt_status st = c ? KT_OK : KT_FAIL(KT_ENOMEM, "out of memory");
    (void)from;
    if (!st && !kt_json_is(training, KT_JSON_DICT))
        st = KT_FAIL(KT_EFORMAT, "training_config is no dict");
    if (!st && old) {
        st = optimizer(&v, old);
        if (!st) st = kt_json_put(c, "optimizer", v);
    }
    for (int i = 0; i < 3 && !st; i++) {
        st = functions(&v, kt_json_get(training, parts[i].key), parts[i].module);
        if (!st) st = kt_json_put(c, parts[i].key, v);
    }
    for (int i = 0; i < 4 && !st; i++)
        if (kt_json_get(training, kept[i]))
            st = kt_legacy_put(c, kept[i], kt_json_get(training, kept[i]));
    if (!st) return KT_OK;
    kt_json_free(c);
    *out = NULL;
    return st;
}
