/* Texts, and what a model says about compile. */
#include "saving/text.h"
#include "testing/kt_test.h"

#include <keratin/keratin.h>

KT_TEST(saving, texts_own_their_characters) {
    kt_str s = {0};
    kt_str_add(&s, "{}");
    kt_text *t = kt_text_take(&s);
    assert_null(s.s);
    kt_check_str(kt_text_str(t), "{}");
    assert_int_equal(kt_text_len(t), 2);
    kt_check_str(kt_text_str(NULL), "");
    kt_check_str(kt_text_str(kt_text_take(&s)), ""); /* nothing was added */
}

KT_TEST(saving, models_know_if_they_are_compiled) {
    kt_model *m = kt_sequential(kt_list(kt_input({2}), kt_dense(1)));
    assert_false(kt_model_is_compiled(m));
    assert_null(kt_model_optimizer(m));
    kt_optimizer *sgd = kt_opt_sgd();
    kt_check_status(kt_model_compile(m, sgd, "mse"), KT_OK);
    assert_true(kt_model_is_compiled(m));
    assert_ptr_equal(kt_model_optimizer(m), sgd);
    assert_false(kt_model_is_compiled(NULL));
}
