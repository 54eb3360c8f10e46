/* Pickles: the opcodes that Keras' files use, and everything that is refused. Whole files come from
 * the tests of the data sets. */
#include "io/pickle.h"

#include "base/mem.h"
#include "base/obj.h"
#include "io/npy.h"
#include "testing/kt_test.h"

#include <string.h>

#define HEAD "\x80\x02"
#define ARRAY "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R"
#define DTYPE(name)                                                                                \
    "cnumpy\ndtype\nU\2" name "K\0K\1\x87R(K\3U\1|NNNJ\377\377\377\377J\377\377\377\377K?tb"
/* (1, (n,), dtype, False, …) and its end */
#define STATE(shape) "(K\1" shape DTYPE("O8") "\x89"
#define END "tb."

/* The bytes in a block of exactly their size, so that the sanitizer sees the first one behind. */
static kt_sequences *parse(const char *bytes, size_t n) {
    char *block = kt_alloc(n);
    assert_non_null(block);
    memcpy(block, bytes, n);
    kt_sequences *s = kt_pickle_sequences(block, n);
    kt_mem_free(block);
    return s;
}
#define PARSE(text) parse(text, sizeof(text) - 1)

KT_TEST(pickle, reads_lists_of_integers) {
    kt_sequences *s = PARSE(HEAD ARRAY STATE("K\3\x85") "](](K\7M\1\2J\376\377\377\377e]]"
                                                        "\x8a\2\xff\xff"
                                                        "ae" END);
    if (kt_failed(s)) fail_msg("%s", kt_error_message());
    assert_int_equal(kt_sequences_count(s), 3);
    assert_int_equal(kt_sequences_len(s, 0), 3);
    assert_int_equal(kt_sequences_get(s, 0)[1], 513);
    assert_int_equal(kt_sequences_get(s, 0)[2], -2);
    assert_int_equal(kt_sequences_len(s, 1), 0);
    assert_int_equal(kt_sequences_get(s, 2)[0], -1);
}

KT_TEST(pickle, reads_the_memo_and_protocol_4) {
    kt_sequences *s = PARSE(HEAD ARRAY STATE("K\2\x85") "](](K\7eq\0h\0e" END);
    if (kt_failed(s)) fail_msg("%s", kt_error_message());
    assert_int_equal(kt_sequences_get(s, 1)[0], 7);
    s = PARSE("\x80\4\x95\1\0\0\0\0\0\0\0\x8c\026numpy._core.multiarray\x8c\014_reconstruct\x93"
              "\x8c\5numpy\x94\x8c\7ndarray\x93K\0\x85"
              "C\1b\x87R(K\1K\0\x85h\0\x8c\5dtype\x93\x8c\2O8\x89\x88\x87R\x89]" END);
    if (kt_failed(s)) fail_msg("%s", kt_error_message());
    assert_int_equal(kt_sequences_count(s), 0);
}

KT_TEST(pickle, refuses_calls) {
    kt_check_fails(PARSE(HEAD "cos\nsystem\nU\2id\x85R."), KT_EREFUSED, "os.system");
    kt_check_fails(PARSE(HEAD "cbuiltins\neval\n."), KT_EREFUSED, "builtins.eval");
    kt_check_fails(PARSE(HEAD "cnumpy\nload\n."), KT_EREFUSED, "numpy.load");
    kt_check_fails(PARSE("\x80\4\x8c\2os\x8c\6system\x93."), KT_EREFUSED, "os.system");
    kt_check_fails(PARSE(HEAD "cnumpy\nndarray\n)R."), KT_EREFUSED, "a call that makes no array");
    kt_check_fails(
        PARSE(HEAD "cnumpy\nndarray\nK\0K\0K\0\x87R."), KT_EREFUSED, "a call that makes no array");
    kt_check_fails(PARSE(HEAD "K\1)R."), KT_EREFUSED, "a call that makes no array");
    /* every opcode that is none of ours: INST, OBJ, NEWOBJ, EXT1, PERSID, BUILD of a list … */
    for (int op = 0; op < 256; op++) {
        char bytes[8] = {'\x80', 2, (char)op, '\n', '\n', '\n', '\n', '\n'};
        kt_sequences *s = parse(bytes, sizeof bytes);
        assert_true(kt_failed(s));
        if (strchr(
                "iodPQ0123DFGIJLlSVWpg\x81\x82\x83\x84\x8b\x8d\x8e\x8f\x90\x91\x92\x96\x97\x98",
                op) &&
            op && op != 'J')
            assert_int_equal(kt_check(s), KT_EREFUSED);
    }
    kt_check_fails(PARSE(HEAD "]N}b."), KT_EREFUSED, "a state without an array");
}

KT_TEST(pickle, refuses_other_arrays) {
    kt_check_fails(
        PARSE(HEAD ARRAY "(K\1K\1\x85" DTYPE("i8") "\x89U\10aaaaaaaa" END), KT_EREFUSED, "array");
    kt_check_fails(PARSE(HEAD ARRAY STATE("K\1\x85") "U\1a" END), KT_EREFUSED, "array of a kind");
    kt_check_fails(PARSE(HEAD ARRAY STATE("]") "]" END), KT_EREFUSED, "array of a kind");
    kt_check_fails(PARSE(HEAD ARRAY STATE("K\1K\1K\1\x87") "]" END), KT_EREFUSED, "of a shape");
    kt_check_fails(PARSE(HEAD ARRAY STATE("N\x85") "]" END), KT_EFORMAT, "a shape that is none");
    kt_check_fails(
        PARSE(HEAD ARRAY STATE("K\0\x85") "]tb(K\1K\0\x85" DTYPE("O8") "\x89]" END),
        KT_EREFUSED,
        "filled twice");
    kt_check_fails(PARSE(HEAD ARRAY STATE("K\2\x85") "]]a" END), KT_EFORMAT, "number of lists");
    kt_check_fails(PARSE(HEAD ARRAY STATE("K\1\x85") "]K\1a" END), KT_EFORMAT, "number of lists");
    kt_check_fails(PARSE(HEAD ARRAY STATE("K\1\x85") "]Na" END), KT_EFORMAT, "that is no list");
    kt_check_fails(PARSE(HEAD ARRAY STATE("K\1\x85") "]]Naa" END), KT_EFORMAT, "something else");
    kt_check_fails(PARSE(HEAD ARRAY STATE("K\1\x85") "]q\0h\0a" END), KT_EFORMAT, "something else");
    kt_check_fails(PARSE(HEAD "]."), KT_EFORMAT, "no list of sequences");
    kt_check_fails(PARSE(HEAD ARRAY "."), KT_EFORMAT, "no list of sequences");
}

KT_TEST(pickle, malformed) {
    kt_check_fails(PARSE(""), KT_EFORMAT, "not a pickle");
    kt_check_fails(PARSE("(lp1\n."), KT_EFORMAT, "not a pickle");
    kt_check_fails(PARSE("\x80\6."), KT_EUNSUPPORTED, "protocol 6");
    kt_check_fails(PARSE(HEAD "."), KT_EFORMAT, "left over");
    kt_check_fails(PARSE(HEAD "NN."), KT_EFORMAT, "left over");
    kt_check_fails(PARSE(HEAD "N.N"), KT_EFORMAT, "left over");
    kt_check_fails(PARSE(HEAD "(."), KT_EFORMAT, "a value is missing");
    kt_check_fails(PARSE(HEAD "\x85."), KT_EFORMAT, "a tuple lacks items");
    kt_check_fails(PARSE(HEAD "(\x85."), KT_EFORMAT, "a tuple lacks items");
    kt_check_fails(PARSE(HEAD "t."), KT_EFORMAT, "lacks its mark");
    kt_check_fails(PARSE(HEAD "a."), KT_EFORMAT, "without a list");
    kt_check_fails(PARSE(HEAD "Na."), KT_EFORMAT, "without a list");
    kt_check_fails(PARSE(HEAD "NNa."), KT_EFORMAT, "without a list");
    kt_check_fails(PARSE(HEAD "(e."), KT_EFORMAT, "without a list");
    kt_check_fails(PARSE(HEAD "]e."), KT_EFORMAT, "without a list");
    kt_check_fails(PARSE(HEAD "](a."), KT_EFORMAT, "a mark is left over");
    kt_check_fails(PARSE(HEAD "}(Nu."), KT_EFORMAT, "a key without a value");
    kt_check_fails(PARSE(HEAD "}Ns."), KT_EFORMAT, "without a list or dict");
    kt_check_fails(PARSE(HEAD "}NK\1s."), KT_EREFUSED, "keys that are no texts");
    kt_check_fails(PARSE(HEAD "h\0."), KT_EFORMAT, "the memo is asked");
    kt_check_fails(PARSE(HEAD "q\0."), KT_EFORMAT, "nothing to remember");
    kt_check_fails(PARSE(HEAD "Nq\1h\0."), KT_EFORMAT, "the memo is asked");
    kt_check_fails(PARSE(HEAD "Nr\2\0\0\0."), KT_EREFUSED, "not in order");
    kt_check_fails(PARSE(HEAD "cnumpy\nndar"), KT_EFORMAT, "a name that does not end");
    kt_check_fails(PARSE(HEAD "NN\x93."), KT_EFORMAT, "a name is no text");
    kt_check_fails(PARSE(HEAD "U\4abc"), KT_EFORMAT, "end too early");
    kt_check_fails(PARSE(HEAD "T\377\377\377\377abc"), KT_EFORMAT, "end too early");
    kt_check_fails(PARSE(HEAD "\x8a\11aaaaaaaaa."), KT_ELIMIT, "more parts");
    kt_check_fails(PARSE(HEAD "]\x8a\5\0\0\0\0\1a."), KT_ELIMIT, "more parts");
    kt_check_fails(PARSE(HEAD "]q\0(]Nah\0K\1e."), KT_EREFUSED, "a list of a kind");
}

/* What a few bytes ask for again and again. */
KT_TEST(pickle, budgets) {
    enum { N = 1 << 18 };
    const char head[] = HEAD ARRAY STATE("M\350\3\x85") "](](";
    char *bytes = kt_alloc(2 * N);
    size_t n = sizeof head - 1;
    memcpy(bytes, head, n);
    for (int i = 0; i < 1000; i++, n += 2) memcpy(bytes + n, "K\1", 2);
    memcpy(bytes + n, "eq\0", 3); /* one list of 1000 numbers, 999 times more */
    n += 3;
    for (int i = 0; i < 999; i++, n += 2) memcpy(bytes + n, "h\0", 2);
    memcpy(bytes + n, "e" END, sizeof "e" END);
    kt_check_fails(parse(bytes, n + 4), KT_ELIMIT, "more parts");
    memcpy(bytes, HEAD, 2);
    memset(bytes + 2, '(', N - 2);
    kt_check_fails(parse(bytes, N), KT_ELIMIT, "more parts");
    kt_mem_free(bytes);
}

KT_TEST(pickle, batches_of_pictures) {
    const char good[] = HEAD
        "}(U\4data" ARRAY "(K\1K\2K\3\x86" DTYPE("u1") "\x89T\6\0\0\0abcdeftbU\6labels](K\7K\10eu.";
    const char one[] = HEAD "}(U\4data" ARRAY
                            "(K\1K\2K\3\x86" DTYPE("u1") "\x89T\6\0\0\0abcdeftbU\6labels](K\7eu.";
    const char big[] = HEAD
        "}(U\4data" ARRAY
        "(K\1K\2K\3\x86" DTYPE("u1") "\x89T\6\0\0\0abcdeftbU\6labels](K\7M\0\1eu.";
    const char cut[] = HEAD
        "}(U\4data" ARRAY "(K\1K\2K\4\x86" DTYPE("u1") "\x89T\6\0\0\0abcdeftbU\6labels](K\7K\10eu.";
    kt_tensor *x, *y;
    kt_check_status(kt_pickle_batch(good, sizeof good - 1, "labels", &x, &y), KT_OK);
    assert_int_equal(kt_tensor_dim(x, 1), 3);
    assert_int_equal(kt_tensor_get(x, 5), 'f');
    assert_int_equal(kt_tensor_get(y, 1), 8);
    kt_check_status(kt_pickle_batch(good, sizeof good - 1, "fine_labels", &x, &y), KT_EFORMAT);
    kt_check_message_has("the list \"fine_labels\"");
    assert_int_equal(kt_check(x), KT_EFORMAT);
    kt_check_status(kt_pickle_batch(one, sizeof one - 1, "labels", &x, &y), KT_EFORMAT);
    kt_check_message_has("do not fit together");
    kt_check_status(kt_pickle_batch(big, sizeof big - 1, "labels", &x, &y), KT_EFORMAT);
    kt_check_message_has("label 256 at position 1");
    kt_check_status(kt_pickle_batch(cut, sizeof cut - 1, "labels", &x, &y), KT_EFORMAT);
    kt_check_message_has("another length than its shape");
    kt_check_status(kt_pickle_batch(HEAD "N.", 4, "labels", &x, &y), KT_EFORMAT);
}

KT_TEST(pickle, in_a_npy_file) {
    const char pickle[] = HEAD ARRAY STATE("K\1\x85") "]]a" END;
    const char
        head[] = "\x93NUMPY\1\0\x40\0{'descr': '|O', 'fortran_order': False, 'shape': (1,), }";
    char file[512];
    const size_t n = 10 + 64;
    memset(file, ' ', n);
    memcpy(file, head, sizeof head - 1);
    memcpy(file + n, pickle, sizeof pickle - 1);
    kt_source s = kt_source_of_memory(file, n + sizeof pickle - 1);
    assert_int_equal(kt_sequences_count(kt_npy_read_sequences(&s)), 1);
    file[sizeof head - 7] = '2';
    s = kt_source_of_memory(file, n + sizeof pickle - 1);
    kt_check_fails(kt_npy_read_sequences(&s), KT_EFORMAT, "than the header says");
    file[22] = 'U';
    s = kt_source_of_memory(file, n + sizeof pickle - 1);
    assert_true(kt_failed(kt_npy_read_sequences(&s)));
}
