/* The order of execution: two long arrays are not kept alive when one would do. */
#include "testing/graphs.h"

#define HEAD                                                                                       \
    "%0 = input() {index=0, dtype=float32, shape=(100,)} : float32 (100,)\n"                       \
    "%1 = input() {index=1, dtype=float32, shape=(100,)} : float32 (100,)\n"
#define SUM(id, v) "%" #id " = reduce(%" #v ") {kind=0, axes=1, keepdims=0} : float32 ()\n"
#define OP1(id, op, v) "%" #id " = " op "(%" #v ") : float32 (100,)\n"
#define ADD(id, a, b) "%" #id " = add(%" #a ", %" #b ") : float32 ()\n"

KT_TEST(schedule, frees_before_it_takes) {
    kt_check_pass(
        "schedule",
        HEAD OP1(2, "exp", 0) OP1(3, "sin", 1) SUM(4, 2) SUM(5, 3)
            ADD(6, 4, 5) "inputs %0, %1\noutputs %6\n",
        HEAD OP1(2, "exp", 0) SUM(3, 2) OP1(4, "sin", 1) SUM(5, 4)
            ADD(6, 3, 5) "inputs %0, %1\noutputs %6\n");
}

KT_TEST(schedule, keeps_an_order_that_is_as_good) {
    const char *good = HEAD OP1(2, "exp", 0) SUM(3, 2) OP1(4, "sin", 1) SUM(5, 4)
        ADD(6, 3, 5) "inputs %0, %1\noutputs %6\n";
    kt_check_pass("schedule", good, good);
}
