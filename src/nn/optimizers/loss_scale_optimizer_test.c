/* LossScaleOptimizer against real Keras (tests/golden/loss_scale.npz), step by step, over batches
 * that are not finite; then what is wrong, and that the optimizer inside speaks for it. */
#include "io/npz.h"
#include "nn/optimizers/rule.h"
#include "testing/kt_models.h"

#include <keratin/keratin.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static kt_tensor *member(const char *name, const char *key) {
    char path[64];
    kt_npz *z;
    kt_check_status(kt_npz_open(&z, "tests/golden/loss_scale.npz"), KT_OK);
    snprintf(path, sizeof path, "%s%s%s", name, *name ? "/" : "", key);
    kt_tensor *t = kt_npz_read(z, path);
    kt_check_ok(t);
    kt_npz_close(z);
    return t;
}

/* The paths of all variables, "sequential" and "dense" being numbered as they come. */
static void check_names(const char *name, const kt_component *o) {
    kt_tensor *text = member(name, "names");
    const char *p = text->data, *end = p + kt_tensor_size(text);
    for (int i = 0; i < kt_optimizer_n_vars(o); i++) {
        const char *path = kt_var_path(kt_optimizer_var(o, i));
        const size_t n = strlen(path);
        assert_true(p + n <= end);
        assert_memory_equal(path, p, n);
        p += n + 1;
    }
    assert_true(p >= end);
}

static void check(const char *name, kt_optimizer *o) {
    kt_tensor *x = kt_retain(member("", "x")), *y = kt_retain(member("", "y"));
    kt_tensor *worse = kt_retain(kt_tensor_copy(x));
    kt_tensor *bad = kt_retain(member("", "bad")), *loss = kt_retain(member(name, "loss"));
    kt_tensor *scale = kt_retain(member(name, "scale")), *inner = kt_retain(member(name, "inner"));
    kt_tensor *counter = kt_retain(member(name, "counter"));
    const kt_opt_state *s = kt_state_of(o);
    kt_model *m = kt_sequential(
        kt_list(kt_input({3}), kt_dense(2, .kernel_constraint = "max_norm")));
    kt_check_status(kt_var_assign(kt_layer_weight(m, 0), member("", "w0")), KT_OK);
    kt_check_status(kt_var_assign(kt_layer_weight(m, 1), member("", "w1")), KT_OK);
    kt_check_status(kt_model_compile(m, o, "mse"), KT_OK);
    ((float *)worse->data)[5] = INFINITY;
    for (int i = 0; i < 8; i++) {
        const bool b = kt_tensor_get(bad, i) != 0;
        kt_logs *l = kt_model_train_on_batch(m, b ? worse : x, y);
        kt_check_ok(l);
        if (b)
            assert_false(isfinite(kt_logs_get(l, "loss")));
        else
            kt_check_near(kt_logs_get(l, "loss"), kt_tensor_get(loss, i), 1e-5, 1e-6);
        kt_check_near(kt_var_scalar(s->dynamic_scale), kt_tensor_get(scale, i), 0, 0);
        kt_check_near(kt_var_scalar(s->step_counter), kt_tensor_get(counter, i), 0, 0);
        const kt_opt_state *in = kt_state_of(s->inner);
        kt_check_near(kt_var_scalar(in->iteration), kt_tensor_get(inner, i), 0, 0);
        kt_free(l);
    }
    kt_check_tensors_near(kt_var_value(kt_layer_weight(m, 0)), member(name, "v0"), 1e-5, 1e-6);
    kt_check_tensors_near(kt_var_value(kt_layer_weight(m, 1)), member(name, "v1"), 1e-5, 1e-6);
    check_names(name, o);
    const void *all[] = {x, y, worse, bad, loss, scale, inner, counter, m};
    for (int i = 0; i < 9; i++) kt_free(all[i]);
    kt_clear_session(); /* names begin anew */
}

KT_TEST(loss_scale_optimizer, is_that_of_keras) {
    check("sgd", kt_opt_loss_scale_optimizer(kt_opt_sgd(0.1), 64, 2));
    check(
        "adam",
        kt_opt_loss_scale_optimizer(
            kt_opt_adam(0.05, .amsgrad = true, .clipnorm = 0.5), .dynamic_growth_steps = 3));
    check(
        "momentum",
        kt_opt_loss_scale_optimizer(
            kt_opt_sgd(0.1, 0.9, .gradient_accumulation_steps = 2, .weight_decay = 0.01), 8, 1));
    check(
        "average",
        kt_opt_loss_scale_optimizer(
            kt_opt_rmsprop(
                0.05, .use_ema = true, .ema_momentum = 0.5, .ema_overwrite_frequency = 2),
            1024));
    check("nadam", kt_opt_loss_scale_optimizer(kt_opt_nadam(0.05, .loss_scale_factor = 4), 1024));
}

KT_TEST(loss_scale_optimizer, lets_the_one_inside_speak) {
    kt_optimizer *inner = kt_opt_adam(0.25, .loss_scale_factor = 8);
    kt_optimizer *o = kt_opt_loss_scale_optimizer(inner, .name = "mine");
    kt_check_ok(o);
    assert_string_equal(kt_opt_name(o), "mine");
    kt_check_near(kt_opt_learning_rate(o), 0.25, 0, 0);
    kt_check_status(kt_opt_set_learning_rate(o, 0.5), KT_OK);
    kt_check_near(kt_opt_learning_rate(inner), 0.5, 0, 0);
    kt_text *json = kt_get_config(inner);
    kt_check_ok(json);
    assert_non_null(strstr(kt_text_str(json), "\"loss_scale_factor\": null"));
    kt_free(json);
    kt_free(o);
}

KT_TEST(loss_scale_optimizer, rejects_wrong_arguments) {
    kt_check_fails(
        kt_opt_loss_scale_optimizer(),
        KT_EINVAL,
        "inner_optimizer: expected an optimizer, got None");
    kt_check_fails(
        kt_opt_loss_scale_optimizer("adam"), KT_EINVAL, "inner_optimizer: expected an optimizer");
    kt_check_fails(
        kt_opt_loss_scale_optimizer(kt_opt_sgd(), 0),
        KT_EINVAL,
        "initial_scale: expected a number");
    kt_check_fails(
        kt_opt_loss_scale_optimizer(kt_opt_sgd(), .dynamic_growth_steps = 0),
        KT_EINVAL,
        "dynamic_growth_steps: expected an integer >= 1, got 0");
    kt_check_fails(
        kt_opt_loss_scale_optimizer(kt_opt_loss_scale_optimizer(kt_opt_sgd())),
        KT_EINVAL,
        "inside another one");
    kt_check_fails(kt_opt_loss_scale_optimizer(kt_opt_sgd(-1)), KT_EINVAL, "learning_rate");
}
