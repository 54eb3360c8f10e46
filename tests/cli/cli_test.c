/* The command as people call it: the real program in a process of its own, its exit codes, what it
 * says where, and which files are there afterwards. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mkdtemp, pipe2 under -std=c11 */
#endif
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORDS 40

static struct {
    int code;
    char out[65536], err[65536];
} ran;

static char dir[64], program[4096];

/* The program stands beside the folder of the tests. */
static void prepare(void) {
    if (dir[0]) return;
    const ssize_t n = readlink("/proc/self/exe", program, sizeof program - 32);
    assert_true(n > 0);
    program[n] = 0;
    for (int i = 0; i < 2; i++) *strrchr(program, '/') = 0;
    strcat(program, "/keratin");
    if (access(program, X_OK)) fail_msg("%s is not built", program);
    snprintf(dir, sizeof dir, "/tmp/kt_cli_XXXXXX");
    assert_non_null(mkdtemp(dir));
    setenv("NO_COLOR", "1", 1);
}

/* A file of the test's folder; four at a time. */
static const char *at(const char *name) {
    static char path[4][128];
    static int next;
    prepare();
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static void read_all(const char *name, char *buf, size_t size) {
    FILE *f = fopen(at(name), "rb");
    assert_non_null(f);
    buf[fread(buf, 1, size - 1, f)] = 0;
    fclose(f);
}

static bool is_there(const char *name) { return access(at(name), F_OK) == 0; }

/* Starts `keratin LINE`, words split at blanks, in the test's folder; stdin is FILE or nothing. */
static pid_t start(const char *line, const char *in) {
    char words[4096], *argv[MAX_WORDS] = {program};
    int argc = 1;
    prepare();
    snprintf(words, sizeof words, "%s", line);
    for (char *save = NULL, *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        assert_true(argc < MAX_WORDS - 1);
        argv[argc++] = w;
    }
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid) return pid;
    if (chdir(dir) || !freopen(in ? in : "/dev/null", "rb", stdin) ||
        !freopen("OUT", "wb", stdout) || !freopen("ERR", "wb", stderr))
        _exit(99);
    execv(program, argv);
    _exit(98);
}

static int finish(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    read_all("OUT", ran.out, sizeof ran.out);
    read_all("ERR", ran.err, sizeof ran.err);
    ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    return ran.code;
}

static int run(const char *line) { return finish(start(line, NULL)); }

static void expect(const char *line, int code) {
    if (run(line) != code) fail_msg("%s: exit %d, expected %d\n%s", line, ran.code, code, ran.err);
}

static void has(const char *text, const char *what) {
    if (!strstr(text, what)) fail_msg("no \"%s\" in:\n%s", what, text);
}

/* Usage ---------------------------------------------------------------------------------------- */

KT_TEST(cli, help_is_there_and_starts_with_examples) {
    expect("--help", 0);
    has(ran.out, "usage: keratin COMMAND");
    assert_int_equal(strncmp(ran.out, "  keratin ", 10), 0);
    expect("fit --help", 0);
    assert_int_equal(strncmp(ran.out, "  keratin fit ", 14), 0);
    has(ran.out, "--validation-split");
    expect("help fit", 0);
    expect("--version", 0);
    has(ran.out, kt_version());
    expect("fit --version", 0);
    expect("", 2);
}

KT_TEST(cli, what_is_unknown_gets_a_suggestion) {
    expect("predikt m.keras", 2);
    has(ran.err, "did you mean \"predict\"");
    expect("predict m.keras --x x.npy --bach-size 3", 2);
    has(ran.err, "bach-size");
    has(ran.err, "did you mean \"--batch-size\"");
    expect("predict -x m.keras", 2);
    has(ran.err, "did you mean \"--x\"");
    expect("hlep", 2);
    has(ran.err, "did you mean \"help\"");
    expect("help help", 0);
    expect("predict m.keras --threads 5000", 2);
    has(ran.err, "from 1 to 4096");
    expect("predict m.keras --batch-size 0", 2);
    expect("predict m.keras --batch-size x", 2);
    expect("predict m.keras --batch-size", 2);
    expect("predict m.keras --json=3", 2);
    expect("predict", 2);
    expect("predict a b", 2);
    expect("fit m.keras --verbose 3", 2);
    expect("convert a.keras b.txt", 2);
    expect("convert a.keras b.onnx", 9);
}

KT_TEST(cli, errors_are_json_where_asked) {
    expect("predict m.keras --x x.npy --labels no_such_file.txt --top 1 --json", 5);
    has(ran.out, "\"code\": \"KT_ENOTFOUND\"");
    has(ran.out, "\"exit\": 5");
    has(ran.err, "no_such_file.txt");
    expect("--json predict --nonsense", 2);
    has(ran.out, "\"exit\": 2");
}

KT_TEST(cli, wrong_lines_are_usage) {
    expect("help", 0);
    expect("--json", 2);
    has(ran.out, "\"exit\": 2");
    expect("predict m.keras --x x.npy --labels l.txt", 2);
    has(ran.err, "--top");
    expect("doctor extra", 2);
    has(ran.err, "options only");
    expect("diff a.keras", 2);
    has(ran.err, "\"a.keras\" only");
    expect("summary m.keras -q", 2); /* nothing resembles one letter */
    if (strstr(ran.err, "did you mean")) fail_msg("%s", ran.err);
    static const char *const ends[] = {
        "--epochs 99999999999",
        "--validation-split 1.5",
        "--validation-split 0,5",
        "--validation-split nan",
        "--validation-y y.npy",
        "--class-weight 0:1 --sample-weight w.npy",
        "--json --history -",
        "--json -o -",
        "-o - --history -",
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char line[256];
        snprintf(line, sizeof line, "fit m.keras --x x.npy --y y.npy %s", ends[i]);
        expect(line, 2);
    }
}

/* A folder without data: each set is named with its file or its package. */
KT_TEST(cli, doctor_says_what_is_missing) {
    char was[1024] = "";
    prepare();
    if (getenv("KERAS_HOME")) snprintf(was, sizeof was, "%s", getenv("KERAS_HOME"));
    setenv("KERAS_HOME", dir, 1);
    expect("doctor --threads 1", 0);
    has(ran.out, "GFLOP/s on one thread");
    has(ran.out, "libdeflate ");
    has(ran.out, "is not there: make it, or set KERAS_HOME");
    has(ran.out, "not in the data folder: mnist (mnist.npz), ");
    has(ran.out, "reuters.npz");
    expect("doctor --json --threads 1", 0);
    has(ran.out, "\"engines\": [\"cpu\"]");
    has(ran.out, "\"advice\": [\"");
    assert_string_equal(ran.err, "");
    was[0] ? setenv("KERAS_HOME", was, 1) : unsetenv("KERAS_HOME");
}

/* What bash would offer for a line; words as bash splits them, at "=" and ":" too. */
static void offers(const char *words, const char *want) {
    char line[8192], got[4096] = {0};
    prepare();
    snprintf(
        line,
        sizeof line,
        "PATH='%.*s':$PATH; . docs/keratin.bash; COMP_WORDS=(keratin %s); "
        "COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _keratin; echo -n \"${COMPREPLY[*]}\"",
        (int)(strrchr(program, '/') - program),
        program,
        words);
    setenv("KT_COMPLETION", line, 1);
    FILE *f = popen("bash -c \"$KT_COMPLETION\"", "r");
    assert_non_null(f);
    got[fread(got, 1, sizeof got - 1, f)] = 0;
    pclose(f);
    if (strcmp(got, want) != 0) fail_msg("%s: \"%s\", expected \"%s\"", words, got, want);
}

KT_TEST(cli, bash_completes_lines) {
    offers("ev", "evaluate");
    offers("--th", "--threads");
    offers("--x", "");
    offers("--threads 2 su", "summary");
    offers("help co", "convert");
    offers("fit --validation-s", "--validation-split --validation-steps");
    offers("fit m --data im", "imdb");
    offers("evaluate m --data mnist :", "train test");
    offers("evaluate m --data mnist : te", "test");
    offers("fit m --callback ear", "early_stopping");
    offers("bench --workload mlp32,gru", "mlp32,gru32");
    offers("plot m --rankdir L", "LR");
    offers("predict m --x title = docs/keratin.b", "docs/keratin.bash");
}

KT_TEST(cli, man_page_is_up_to_date) {
    static char page[65536];
    FILE *f = fopen("docs/keratin.1", "rb");
    assert_non_null(f);
    page[fread(page, 1, sizeof page - 1, f)] = 0;
    fclose(f);
    expect("--man-page", 0);
    assert_false(is_there("docs")); /* the program itself writes nothing */
    if (strcmp(page, ran.out) != 0) fail_msg("docs/keratin.1 is old: run make man");
}

/* Models --------------------------------------------------------------------------------------- */

static kt_tensor *numbers(int64_t rows, int64_t columns, int seed) {
    kt_tensor *t = kt_tensor_new(KT_FLOAT32, kt_dims(rows, columns), NULL);
    uint32_t state = (uint32_t)seed * 2654435761u + 1;
    for (int64_t i = 0; i < rows * columns; i++) {
        state = state * 1664525u + 1013904223u;
        kt_tensor_set(t, i, (double)(state >> 8) * 0x1p-23 - 1);
    }
    return t;
}

static void save(const char *name, kt_tensor *t) {
    assert_int_equal(kt_save_npy(at(name), t), KT_OK);
    kt_free(t);
}

static void save_model(const char *name, kt_model *m) {
    if (kt_model_save(m, at(name))) fail_msg("%s", kt_error_message());
    kt_free(m);
}

/* m.keras (4 -> 2, compiled), x.npy, y.npy with 64 rows. */
static void make_files(void) {
    static bool made;
    if (made) return;
    kt_set_random_seed(7);
    kt_model *m = kt_sequential(
        kt_list(kt_input({4}), kt_dense(8, .activation = "relu"), kt_dense(2)));
    assert_int_equal(kt_model_compile(m, "adam", "mse", .metrics = kt_list("mae")), KT_OK);
    save_model("m.keras", m);
    save("x.npy", numbers(64, 4, 1));
    save("y.npy", numbers(64, 2, 2));
    made = true;
}

/* Temporary files are hidden and end in .tmp. */
static void expect_no_litter(void) {
    char line[256];
    snprintf(line, sizeof line, "ls -A %s | grep -c '^\\.'", dir);
    FILE *f = popen(line, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    pclose(f);
    assert_int_equal(strtol(line, NULL, 10), 0);
}

KT_TEST(cli, trains_evaluates_and_predicts) {
    make_files();
    expect(
        "fit m.keras --x x.npy --y y.npy --epochs 3 --batch-size 16 --no-shuffle --history h.json "
        "-o t.keras --seed 1",
        0);
    has(ran.err, "Epoch 3/3");
    read_all("h.json", ran.out, sizeof ran.out);
    has(ran.out, "\"loss\": [");
    has(ran.out, "\"mae\": [");
    expect("evaluate t.keras --x x.npy --y y.npy --json --quiet", 0);
    has(ran.out, "\"loss\": 0.");
    assert_string_equal(ran.err, "");
    expect("predict t.keras --x x.npy -o p.npy", 0);
    kt_model *m = kt_load_model(at("t.keras"));
    kt_tensor *x = kt_load_npy(at("x.npy")), *got = kt_load_npy(at("p.npy"));
    kt_tensor *want = kt_model_predict(m, x, .verbose = 0);
    assert_int_equal(kt_tensor_size(got), 128);
    for (int i = 0; i < 128; i++)
        assert_float_equal(kt_tensor_get(got, i), kt_tensor_get(want, i), 0);
    kt_free(x);
    kt_free(got);
    kt_free(want);
    kt_free(m);
    expect_no_litter();
}

KT_TEST(cli, goes_on_where_a_training_stopped) {
    make_files();
    const char *line = "fit %s --x x.npy --y y.npy --epochs %d --initial-epoch %d --no-shuffle "
                       "--quiet -o %s --force";
    char text[512];
    snprintf(text, sizeof text, line, "m.keras", 4, 0, "all.keras");
    expect(text, 0);
    snprintf(text, sizeof text, line, "m.keras", 2, 0, "half.keras");
    expect(text, 0);
    snprintf(text, sizeof text, line, "half.keras", 4, 2, "rest.keras");
    expect(text, 0);
    expect("diff all.keras rest.keras", 0);
    expect("diff all.keras half.keras --json", 1);
    has(ran.out, "\"over\": ");
    expect("diff all.keras half.keras --atol 100", 0);
}

/* What "accuracy" means depends on the loss, on the command line and in the file. */
KT_TEST(cli, accuracy_is_that_of_the_loss) {
    make_files();
    kt_tensor *labels = kt_tensor_new(KT_INT32, kt_dims(64), NULL);
    for (int i = 0; i < 64; i++) kt_tensor_set(labels, i, i % 2);
    save("labels.npy", labels);
    expect(
        "fit m.keras --x x.npy --y labels.npy --loss sparse_categorical_crossentropy --metrics "
        "accuracy,ce --json -o acc.keras --force",
        0);
    has(ran.out, "\"accuracy\": [");
    has(ran.out, "\"ce\": [");
    expect("evaluate acc.keras --x x.npy --y labels.npy --json", 0);
    has(ran.out, "\"accuracy\": ");
    expect("evaluate acc.keras --x x.npy --y labels.npy --loss sparse_categorical_crossentropy", 0);
    has(ran.out, "accuracy: ");
}

KT_TEST(cli, callbacks_say_what_they_lack) {
    make_files();
    expect("predict m.keras", 2);
    has(ran.err, "keratin predict --help");
    expect("fit m.keras --x x.npy --y y.npy --callback model_checkpoint", 2);
    has(ran.err, "filepath");
    expect("fit m.keras --x x.npy --y y.npy --callback early_stopping:patience=x", 2);
    has(ran.err, "expected: an integer");
    expect("fit m.keras --x x.npy --y y.npy --callback early_stopping:patienc=3", 2);
    has(ran.err, "did you mean \"patience\"?");
    expect("fit m.keras --x x.npy --y y.npy --callback early_stoping", 2);
    has(ran.err, "did you mean \"early_stopping\"?");
    expect("fit m.keras --x x.npy --y y.npy --callback something_else", 2);
    has(ran.err, "expected: one of backup_and_restore, csv_logger");
    expect("fit m.keras --x x.npy --y y.npy --class-weight 0:1,1:2,0:3", 2);
    has(ran.err, "class 0 stands twice");
    expect("fit m.keras --x x.npy --y y.npy --optimizer adam:lr=0.1", 2);
    has(ran.err, "learning_rate, ");
    expect("fit m.keras --x x.npy --y y.npy --loss mes --metrics acuracy", 2);
    has(ran.err, "did you mean \"mse\"?");
    expect("fit m.keras --x x.npy --y y.npy --optimizer adma", 2);
    has(ran.err, "did you mean \"adam\"?");
    expect("fit m.keras --x x.npy --y y.npy --validation-x x.npy", 2);
    expect(
        "fit m.keras --x x.npy --y y.npy --epochs 2 --json --callback "
        "learning_rate_scheduler:schedule=\"exponential_decay:initial_learning_rate=0.5,"
        "decay_steps=1,decay_rate=0.5\"",
        0);
    has(ran.out, "\"learning_rate\": [0.5, 0.25]");
    expect("fit m.keras --x x.npy --y y.npy --callback learning_rate_scheduler:schedule=decay", 2);
    expect(
        "fit m.keras --x x.npy --y y.npy --loss mse --optimizer "
        "sgd:learning_rate=\"cosine_decay:initial_learning_rate=0.1,decay_steps=9\"",
        0);
    expect("fit none.keras --x x.npy --y y.npy", 5);
    assert_null(strstr(strstr(ran.err, "none.keras") + 1, "none.keras")); /* named once */
}

KT_TEST(cli, files_are_not_overwritten_unless_forced) {
    make_files();
    expect("predict m.keras --x x.npy -o old.npy", 0);
    expect("predict m.keras --x x.npy -o old.npy", 1);
    has(ran.err, "--force");
    expect("predict m.keras --x x.npy -o old.npy --force", 0);
    expect("predict m.keras --x x.npy -o no_folder/p.npy", 5);
    expect("predict m.keras --x x.npy -o p.txt", 2);
    expect("fit m.keras --x x.npy --y y.npy -o t.weights.h5", 2);
}

KT_TEST(cli, pipes_take_the_place_of_files) {
    make_files();
    expect("predict m.keras --x x.npy -o file.npy", 0);
    assert_int_equal(finish(start("predict m.keras --x - -o - --quiet", "x.npy")), 0);
    char piped[65536], kept[65536];
    read_all("OUT", piped, sizeof piped);
    read_all("file.npy", kept, sizeof kept);
    assert_memory_equal(piped, kept, 128 + 64 * 2 * 4);
    assert_int_equal(finish(start("summary -", "m.keras")), 0);
    has(ran.out, "Trainable params: 58");
    assert_int_equal(finish(start("summary -", NULL)), 3);
    assert_int_equal(finish(start("check m.keras - --json", NULL)), 3);
    assert_null(strstr(ran.out, "files")); /* one document: the error */
    FILE *f = fopen(at("bad.json"), "wb");
    assert_non_null(f);
    fputs(
        "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": \"Dens\",", f);
    fputs(" \"config\": {}}]}}", f);
    fclose(f);
    assert_int_equal(finish(start("summary - --json", "bad.json")), 9);
    has(ran.err, "in file \"<stdin>\"");
    has(ran.err, "did you mean \"Dense\"?");
    has(ran.out, "<stdin>");
    assert_null(strstr(ran.out, "/keratin-"));
    assert_int_equal(finish(start("summary -", "x.npy")), 3);
    has(ran.err, "neither a zip archive nor HDF5");
    assert_int_equal(finish(start("check -", "bad.json")), 9);
    assert_null(strstr(ran.out, "/keratin-"));
    expect_no_litter();
}

KT_TEST(cli, data_come_in_many_forms) {
    make_files();
    kt_tensor *a = numbers(8, 3, 3), *b = numbers(8, 2, 4);
    kt_sym *in = kt_input({3}, .name = "title"), *more = kt_input({2}, .name = "body");
    kt_sym *h = kt_call(kt_concatenate(), kt_list(in, more));
    kt_sym *one = kt_call(kt_dense(1, .name = "one"), h), *two = kt_call(kt_dense(2), h);
    save_model("two.keras", kt_functional(kt_list(in, more), kt_list(one, two)));
    assert_int_equal(kt_save_npz(at("by_name.npz"), kt_dict("body", b, "title", a)), KT_OK);
    assert_int_equal(kt_save_npz(at("by_number.npz"), kt_dict("arr_0", a, "arr_1", b)), KT_OK);
    assert_int_equal(kt_save_npz(at("wrong.npz"), kt_dict("title", a, "bdy", b)), KT_OK);
    save("a.npy", a);
    save("b.npy", b);
    expect("predict two.keras --x title=a.npy --x body=b.npy -o 1.npz", 0);
    expect("predict two.keras --x by_name.npz -o 2.npz", 0);
    expect("predict two.keras --x by_number.npz -o 3.npz", 0);
    expect("predict two.keras --x a.npy --x b.npy -o 4.npz", 0);
    char first[4096] = {0}, other[4096] = {0};
    read_all("1.npz", first, sizeof first);
    for (int i = 2; i <= 4; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d.npz", i);
        read_all(name, other, sizeof other);
        assert_memory_equal(first, other, sizeof first);
    }
    kt_list_t *d = kt_load_npz(at("1.npz"));
    assert_string_equal(kt_list_get(d, 0), "one");
    kt_free(d);
    expect("predict two.keras --x by_name.npz", 0);
    has(ran.out, "one:");
    expect("predict two.keras --x wrong.npz", 1);
    has(ran.err, "expected: \"title\", \"body\"");
    has(ran.err, "got:      \"");
    has(ran.err, "\"bdy\"");
    expect("predict two.keras --x title=a.npy --x body=two.keras", 3);
    has(ran.err, ".npy, .npz or .csv");
    expect("predict two.keras --x a.npy -o 5.npz", 2);
    expect("predict two.keras --x by_name.npz -o 5.npy", 2);
    assert_false(is_there("5.npz") || is_there("5.npy"));
}

static void write_text(const char *name, const char *text, size_t n) {
    FILE *f = fopen(at(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
}

KT_TEST(cli, tables_have_a_target) {
    make_files();
    kt_model *m = kt_sequential(kt_list(kt_input({4}), kt_dense(1)));
    assert_int_equal(kt_model_compile(m, "sgd", "mse"), KT_OK);
    save_model("one.keras", m);
    const char table[] = "a,b,c,d,price\n1,2,3,4,5\n0,1,0,1,2\n1,1,1,1,4\n";
    write_text("t.csv", table, sizeof table - 1);
    expect("fit one.keras --x t.csv --target price --loss mae --metrics mse --json", 0);
    has(ran.out, "\"mse\": [");
    expect("fit one.keras --x t.csv --target prize", 5);
    has(ran.err, "prize");
    const char semicolons[] = "1;2;3;4\n";
    write_text("s.csv", semicolons, sizeof semicolons - 1);
    expect("predict one.keras --x s.csv", 3);
    has(ran.err, "separated by commas");
    expect("predict one.keras --data mnist,num_words=9", 2);
    has(ran.err, "imdb");
    expect("fit one.keras --x t.csv", 2);
    expect("fit one.keras --x x.npy --target price", 2);
}

/* Labels, names of outputs and of metrics come from files: none steers the terminal, and JSON stays
 * JSON. */
KT_TEST(cli, names_from_files_are_shown_as_text) {
    const char labels[] = "\x1b[2Jred\ncaf\xe9\n";
    make_files();
    kt_sym *in = kt_input({4});
    kt_layer *twice = kt_dense(2, .name = "d");
    kt_sym *first = kt_call(twice, in), *other = kt_call(kt_dense(2, .name = "d_1"), in);
    save_model("repeated.keras", kt_functional(in, kt_list(first, kt_call(twice, in), other)));
    save_model("two.keras", kt_sequential(kt_list(kt_input({4}), kt_dense(2))));
    write_text("labels.txt", labels, sizeof labels - 1);
    expect("predict two.keras --x x.npy --top 2 --labels labels.txt", 0);
    has(ran.out, "\\x1b[2Jred");
    expect("predict two.keras --x x.npy --top 2 --labels labels.txt --json", 0);
    has(ran.out, "\\u001b[2Jred");
    has(ran.out, "caf\\ufffd");
    expect("predict repeated.keras --x x.npy -o r.npz", 0);
    kt_list_t *d = kt_load_npz(at("r.npz"));
    assert_false(kt_failed(d));
    assert_int_equal(kt_list_len(d), 6);
    assert_string_equal(kt_list_get(d, 0), "d");
    assert_string_equal(kt_list_get(d, 2), "d_2"); /* d_1 is the name of another */
    assert_string_equal(kt_list_get(d, 4), "d_1");
    kt_free(d);
}

KT_TEST(cli, histories_hold_numbers) {
    const char twice[] = "{\"loss\": [1], \"loss\": [2]}", words[] = "{\"loss\": [\"a\"]}";
    const char several[] = "{\"f1\": [[1, 2], [NaN, 1]], \"loss\": [1, 0.5]}";
    make_files();
    write_text("twice.json", twice, sizeof twice - 1);
    write_text("words.json", words, sizeof words - 1);
    write_text("several.json", several, sizeof several - 1);
    expect("plot --history twice.json -o -", 3);
    expect("plot --history words.json -o -", 3);
    has(ran.err, "the metric \"loss\" has no curve");
    expect("plot --history several.json -o -", 0);
}

KT_TEST(cli, exit_codes_say_what_went_wrong) {
    make_files();
    const char
        pickle[] = "\x93NUMPY\1\0\x46\0{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
                   "              \n.....";
    write_text("object.npy", pickle, sizeof pickle - 1);
    write_text("bad.keras", "PK\3\4 no archive", 15);
    expect("predict m.keras --x object.npy", 4);
    expect("predict bad.keras --x x.npy", 3);
    expect("predict none.keras --x x.npy", 5);
    expect("predict m.keras --x none.npy", 5);
    expect("predict m.keras --x y.npy", 1);
    expect("fit m.keras --x x.npy --y y.npy --loss no_such_loss", 2);
    expect("fit m.keras --x x.npy --y y.npy --callback no_such_callback --json", 2);
    has(ran.out, "\"exit\": 2");
    expect("fit m.keras --x x.npy --y y.npy --class-weight 0=1", 2);
    expect("check m.keras bad.keras none.keras --json", 3);
    has(ran.out, "\"worst\": \"KT_EFORMAT\"");
    expect("check m.keras", 0);
    has(ran.out, "m.keras: ok");
}

KT_TEST(cli, full_disks_are_noticed) {
    char line[5000];
    make_files();
    if (access("/dev/full", W_OK)) return; /* Linux has it */
    snprintf(line, sizeof line, "%s summary %s >/dev/full 2>/dev/null", program, at("m.keras"));
    const int status = system(line);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 6);
    expect("fit no_such_file.json --x x.npy --y y.npy", 5);
    kt_model *m = kt_sequential(kt_list(kt_input({4}), kt_dense(1)));
    save_model("plain.keras", m);
    expect("fit plain.keras --x x.npy --y y.npy -o f.keras", 1);
    has(ran.err, "compile");
    assert_false(is_there("f.keras"));
}

/* Graphviz' dot says nothing of a full disk. Needs the right to mount. */
KT_TEST(cli, pictures_on_full_disks_are_noticed) {
    char line[8192];
    make_files();
    if (system("command -v dot >/dev/null && unshare -m true 2>/dev/null")) {
        print_message("no dot, or no right to mount: no full disk was tried\n");
        return;
    }
    snprintf(
        line,
        sizeof line,
        "unshare -m sh -c 'cd %s && mkdir full && mount -t tmpfs -o size=8k tmpfs full && "
        "{ head -c 8192 /dev/zero >full/fill; %s plot m.keras -o full/m.svg; }' 2>/dev/null",
        dir,
        program);
    const int status = system(line);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 6);
}

KT_TEST(cli, nan_stops_a_training) {
    make_files();
    kt_tensor *x = numbers(64, 4, 1);
    kt_tensor_set(x, 5, (double)NAN);
    save("nan.npy", x);
    expect("fit m.keras --x nan.npy --y y.npy --callback terminate_on_nan -o n.keras", 8);
    has(ran.err, "invalid loss");
    assert_false(is_there("n.keras"));
    expect("fit m.keras --x nan.npy --y y.npy --quiet --json", 0);
    has(ran.out, "null");
}

/* Also from a model inside. */
KT_TEST(cli, a_vocabulary_that_h5_loses_is_no_secret) {
    make_files();
    kt_tensor *words = kt_strings("cat", "dog");
    for (int given = 0; given < 2; given++) {
        kt_layer *l = kt_string_lookup(
                .vocabulary = given ? kt_names("cat", "dog") : (kt_names_t){0}, .name = "words");
        if (!given) assert_int_equal(kt_string_lookup_adapt(l, words), KT_OK);
        kt_model *in = kt_sequential(kt_list(kt_input({1}, .dtype = "string"), l));
        kt_sym *x = kt_input({1}, .dtype = "string");
        save_model("words.keras", kt_functional(x, kt_call((kt_layer *)in, x)));
        expect("convert words.keras words.h5 --force", 0);
        if (given)
            assert_null(strstr(ran.err, "warning"));
        else
            has(ran.err, "warning: the vocabulary of layer \"words\" is not in the file");
    }
    kt_free(words);
}

KT_TEST(cli, converts_and_describes_files) {
    make_files();
    expect("convert m.keras c.weights.h5", 0);
    expect("convert m.keras c.json", 0);
    expect("convert m.keras c.keras --no-optimizer", 0);
    expect("diff m.keras c.keras", 1); /* the optimizer's variables are in one of them only */
    expect("convert c.weights.h5 w.keras --model c.json", 0);
    expect("convert c.weights.h5 n.keras --model c.json --by-name", 1); /* for old files */
    has(ran.err, "by_name is for legacy .h5 files");
    expect("convert c.weights.h5 n.keras --model c.json --skip-mismatch", 0);
    expect("convert w.keras v.keras --no-optimizer", 0);
    expect("diff c.keras v.keras", 0);
    expect("convert m.keras c.h5", 0);
    expect("diff m.keras c.h5", 0);
    expect("convert c.h5 d.keras", 0);
    expect("diff m.keras d.keras", 0);
    expect("diff c.weights.h5 m.keras", 0);
    expect("diff c.h5 c.weights.h5", 0);
    expect("diff c.json m.keras", 1);
    has(ran.out, "only in the second file");
    save("wide.npy", numbers(3, 2, 1));
    expect("diff x.npy wide.npy", 1);
    has(ran.out, "shapes differ: (64, 4) and (3, 2)");
    expect("convert c.weights.h5 u.keras", 2);
    has(ran.err, "--model");
    expect("info m.keras", 0);
    has(ran.out, "layers/dense_1/vars/1");
    expect("info c.weights.h5 --json", 0);
    has(ran.out, "\"variables\": [");
    expect("summary m.keras --line-length 60 --show-trainable", 0);
    expect("summary m.keras --layer-range dense,dense_1", 0);
    expect("summary m.keras --layer-range nonsense", 2);
    expect("plot m.keras -o m.dot --show-shapes", 0);
    read_all("m.dot", ran.out, sizeof ran.out);
    has(ran.out, "digraph G {");
    write_text("python.json", "{\"loss\": [1.0, NaN, 0.5], \"val_loss\": [Infinity, 2, 1]}", 56);
    expect("plot --history python.json -o curves.svg", 0);
    read_all("curves.svg", ran.out, sizeof ran.out);
    has(ran.out, "</svg>");
}

/* Signals -------------------------------------------------------------------------------------- */

static void pause_ms(int ms) {
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

/* Waits until the run has said that an epoch began. */
static void wait_for_training(void) {
    for (int i = 0; i < 500; i++) {
        pause_ms(10);
        if (!is_there("ERR")) continue;
        read_all("ERR", ran.err, sizeof ran.err);
        if (strstr(ran.err, "Epoch 3/")) return;
    }
    fail_msg("the training did not begin: %s", ran.err);
}

KT_TEST(cli, signals_finish_the_batch_and_save) {
    static const int signals[] = {SIGINT, SIGTERM};
    make_files();
    for (int i = 0; i < 2; i++) {
        unlink(at("ERR"));
        const pid_t pid = start(
            "fit m.keras --x x.npy --y y.npy --epochs 100000000 --history s.json -o s.keras "
            "--force",
            NULL);
        wait_for_training();
        kill(pid, signals[i]);
        assert_int_equal(finish(pid), 128 + signals[i]);
        read_all("s.json", ran.out, sizeof ran.out);
        has(ran.out, "\"loss\": [");
        expect("check s.keras", 0);
        expect("diff m.keras s.keras", 1);
    }
    expect_no_litter();
}

/* Nothing has begun that could be finished. */
KT_TEST(cli, one_signal_ends_waiting_for_stdin) {
    int ends[2];
    char name[32];
    make_files();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    assert_int_equal(fcntl(ends[0], F_SETFD, 0), 0);
    const pid_t pid = start("summary -", name);
    pause_ms(300); /* one that comes before it listens ends it, too */
    kill(pid, SIGTERM);
    int status = 0, tries = 0;
    while (waitpid(pid, &status, WNOHANG) != pid && tries++ < 500) pause_ms(10);
    if (tries > 500) {
        kill(pid, SIGKILL);
        fail_msg("it still waits for stdin");
    }
    assert_true(WIFEXITED(status) ? WEXITSTATUS(status) == 128 + SIGTERM : WIFSIGNALED(status));
    close(ends[0]);
    close(ends[1]);
}

KT_TEST(cli, killed_saves_leave_a_whole_file) {
    make_files();
    expect("convert m.keras k.keras", 0);
    for (int i = 0; i < 12; i++) {
        unlink(at("ERR"));
        const pid_t pid = start(
            "fit m.keras --x x.npy --y y.npy --epochs 100000000 --callback "
            "model_checkpoint:filepath=k.keras,save_freq=1",
            NULL);
        wait_for_training();
        pause_ms(3 * i);
        kill(pid, SIGKILL);
        assert_int_equal(finish(pid), 1000 + SIGKILL);
        expect("check k.keras", 0);
    }
}
