/* Field tables: copying argument structs with what they refer to, and giving it back. */
#include "base/field.h"

#include "base/error.h"
#include "base/mem.h"
#include "testing/kt_test.h"

#include <string.h>

typedef struct {
    size_t size;
    int number;
    const char *text;
    kt_ref ref, other;
    kt_floats_t floats;
    kt_names_t names;
    int64_t shape[KT_MAX_RANK];
    bool flag;
} sample_args;

static const kt_field fields[] = {
    KT_F(sample_args, number),
    KT_F(sample_args, text),
    KT_F(sample_args, ref),
    KT_F(sample_args, other),
    KT_F(sample_args, floats),
    KT_F(sample_args, names),
    KT_F(sample_args, shape),
    KT_F(sample_args, flag),
    KT_F_END};
static const sample_args defaults = {.number = 42, .flag = true, .ref = "default"};

KT_TEST(field, tables_know_types) {
    static const kt_field_type want[] = {
        KT_FIELD_INT,
        KT_FIELD_STR,
        KT_FIELD_REF,
        KT_FIELD_REF,
        KT_FIELD_FLOATS,
        KT_FIELD_NAMES,
        KT_FIELD_SHAPE,
        KT_FIELD_BOOL,
        KT_FIELD_END};
    for (int i = 0; i < 9; i++) assert_int_equal(fields[i].type, want[i]);
    kt_check_str(fields[0].name, "number");
    assert_int_equal(fields[0].offset, offsetof(sample_args, number));
}

KT_TEST(field, copies_are_the_copys_own) {
    char text[] = "text", name[] = "relu", one[] = "one";
    double values[] = {1, 2};
    const char *names[] = {one, "two"};
    kt_list_t *list = kt_list("item");
    sample_args a = {
        .size = sizeof a,
        .number = 7,
        .text = text,
        .ref = name,
        .other = list,
        .floats = {values, 2},
        .names = {names, 2},
        .shape = {3, 4}};
    sample_args copy;
    kt_check_status(kt_args_copy(&copy, &a, sizeof copy, &defaults, fields), KT_OK);
    text[0] = name[0] = one[0] = '#';
    values[0] = -1;
    names[1] = NULL;
    assert_int_equal(copy.number, 7);
    kt_check_str(copy.text, "text");
    kt_check_str(copy.ref, "relu");
    assert_ptr_equal(copy.other, list);
    assert_int_equal(copy.floats.n, 2);
    assert_true(copy.floats.v[0] == 1);
    kt_check_str(copy.names.v[0], "one");
    kt_check_str(copy.names.v[1], "two");
    assert_int_equal(copy.shape[1], 4);
    assert_false(copy.flag);
    kt_free(list); /* adopted: nothing to give up */
    assert_int_equal(kt_list_len(copy.other), 1);
    kt_args_release(&copy, fields);
}

KT_TEST(field, older_callers_get_defaults) {
    sample_args a = {.size = offsetof(sample_args, text), .number = 3}, copy;
    kt_check_status(kt_args_copy(&copy, &a, sizeof copy, &defaults, fields), KT_OK);
    assert_int_equal(copy.number, 3);
    assert_true(copy.flag);
    kt_check_str(copy.ref, "default");
    kt_args_release(&copy, fields);
}

KT_TEST(field, sizes_that_cannot_be_are_errors) {
    sample_args a = {0}, copy;
    kt_check_status(kt_args_copy(&copy, &a, sizeof copy, &defaults, fields), KT_EINVAL);
    kt_check_message_has("size 0: use the macro");
    a.size = sizeof a + 8;
    kt_check_status(kt_args_copy(&copy, &a, sizeof copy, &defaults, fields), KT_EINVAL);
    kt_check_message_has("newer headers");
    a.size = 0;
    kt_check_status(kt_args_read(&copy, &a, sizeof copy, &defaults), KT_EINVAL);
}

KT_TEST(field, failed_objects_stop_the_copy) {
    sample_args a = {.size = sizeof a, .text = "text", .other = kt_fail_object(KT_ENAN)}, copy;
    kt_check_status(kt_args_copy(&copy, &a, sizeof copy, &defaults, fields), KT_ENAN);
}

KT_TEST(field, what_was_returned_floats_again) {
    kt_list_t *list = kt_list("item");
    sample_args a = {.size = sizeof a, .other = list}, copy;
    kt_check_status(kt_args_copy(&copy, &a, sizeof copy, &defaults, fields), KT_OK);
    kt_args_return(&copy, fields);
    assert_int_equal(kt_list_len(list), 1);
    const int64_t n = kt_obj_count();
    kt_free(list); /* the caller's again */
    assert_int_equal(kt_obj_count(), n - 1);
}

KT_TEST(field, running_out_of_memory_leaves_nothing) {
    const char *names[] = {"one", "two"};
    double values[] = {1, 2};
    kt_list_t *list = kt_list("item");
    sample_args a = {
        .size = sizeof a,
        .text = "text",
        .ref = "name",
        .other = list,
        .floats = {values, 2},
        .names = {names, 2}};
    int failures = 0;
    for (int n = 1; n < 20; n++) {
        sample_args copy;
        kt_mem_fail_after(n);
        const kt_status st = kt_args_copy(&copy, &a, sizeof copy, &defaults, fields);
        kt_mem_fail_after(0);
        failures += st == KT_ENOMEM;
        if (st == KT_OK) kt_args_return(&copy, fields);
    }
    assert_int_equal(failures, 6); /* text, ref, floats, names and two of them */
}
