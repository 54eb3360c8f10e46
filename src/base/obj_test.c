/* Ownership: floating, adopted, retained, shared. What a slice does to its base is kt_obj_share().
 */
#include "base/obj.h"

#include "testing/kt_test.h"

typedef struct {
    kt_obj obj;
    bool *dead;
} thing;

static void thing_destroy(void *self) { *((thing *)self)->dead = true; }

static thing *thing_new(bool *dead) {
    thing *t = kt_obj_new(sizeof *t, KT_KIND_OTHER, thing_destroy);
    assert_non_null(t);
    t->dead = dead;
    *dead = false;
    return t;
}

KT_TEST(obj, free_ends_a_floating_object) {
    bool dead;
    kt_free(thing_new(&dead));
    assert_true(dead);
}

KT_TEST(obj, adoption_takes_the_object_from_its_user) {
    bool dead;
    thing *t = kt_adopt(thing_new(&dead));
    kt_free(t);
    assert_false(dead);
    kt_release(t);
    assert_true(dead);
}

KT_TEST(obj, retained_objects_survive_their_owner) {
    bool dead;
    thing *t = kt_adopt(kt_retain(thing_new(&dead)));
    kt_release(t);
    assert_false(dead);
    kt_free(t);
    assert_true(dead);
}

KT_TEST(obj, sharing_leaves_the_object_to_its_user) {
    bool dead;
    thing *t = kt_obj_share(thing_new(&dead));
    kt_free(t); /* the user first */
    assert_false(dead);
    kt_free(t); /* once more: nothing left to give up */
    assert_false(dead);
    kt_obj_unshare(t);
    assert_true(dead);
}

KT_TEST(obj, sharing_ends_before_the_user_frees) {
    bool dead;
    thing *t = kt_obj_share(thing_new(&dead));
    kt_obj_unshare(t);
    assert_false(dead);
    kt_free(t);
    assert_true(dead);
}

KT_TEST(obj, shared_objects_can_still_be_adopted) {
    bool dead;
    thing *t = kt_adopt(kt_obj_share(thing_new(&dead)));
    kt_obj_unshare(t);
    assert_false(dead);
    kt_release(t);
    assert_true(dead);
}

KT_TEST(obj, clear_session_leaves_what_is_shared) {
    bool dead;
    thing *t = kt_obj_share(thing_new(&dead));
    kt_clear_session();
    assert_false(dead);
    kt_obj_unshare(t);
    assert_true(dead);
}

/* A constructor that failed gives the object back: the user holds it again, shared or not. */
KT_TEST(obj, unadopted_objects_are_the_users_again) {
    bool dead;
    thing *t = kt_adopt(kt_obj_share(thing_new(&dead)));
    kt_unadopt(t);
    kt_obj_unshare(t);
    assert_false(dead);
    kt_free(t);
    assert_true(dead);
}

KT_TEST(obj, sharing_accepts_what_is_no_object) {
    void *failed = kt_list_new((const void *const[]){NULL, kt_list_end});
    assert_true(kt_failed(failed));
    assert_null(kt_obj_share(NULL));
    assert_ptr_equal(kt_obj_share(failed), failed);
    kt_obj_unshare(failed);
    kt_obj_unshare(NULL);
}

/* A list is a temporary: the call it is given to uses it up. A second use must be an error. */
KT_TEST(obj, a_used_up_list_says_so) {
    bool dead;
    thing *t = thing_new(&dead);
    kt_list_t *l = kt_list(t, "name");
    const int64_t n = kt_obj_count();
    kt_drop(l);
    assert_int_equal(kt_obj_count(), n - 1);
    assert_false(dead); /* its item is the user's again */
    kt_check_status(kt_check(l), KT_ESTATE);
    kt_check_message_has("used up by an earlier call");
    assert_int_equal(kt_list_len(l), 0);
    assert_null(kt_list_get(l, 0));
    kt_free(l);
    kt_drop(l);
    assert_ptr_equal(kt_retain(l), l);
    kt_check_status(kt_check(kt_list(l)), KT_ESTATE);
    kt_clear_session();
    assert_true(dead);
}

KT_TEST(obj, a_retained_list_is_not_used_up) {
    kt_list_t *l = kt_retain(kt_list("a", "b"));
    kt_drop(l);
    assert_int_equal(kt_list_len(l), 2);
    kt_free(l);
}

KT_TEST(obj, many_lists_can_be_used_up) {
    const int64_t n = kt_obj_count();
    for (int i = 0; i < 1000; i++) kt_drop(kt_list("a"));
    assert_int_equal(kt_obj_count(), n);
}
