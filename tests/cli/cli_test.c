/* The command as people call it: the real program in a process of its own, its exit codes, what it
 * says where, and which files are there afterwards. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mkdtemp, pipe2 under -std=c11 */
#endif
#include "testing/kt_test.h"

#include <keratin/keratin.h>

#include <errno.h>
#include <fcntl.h>
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
    expect("predict m.keras --x x.npy --labels no_such_file.txt --json", 5);
    has(ran.out, "\"code\": \"KT_ENOTFOUND\"");
    has(ran.out, "\"exit\": 5");
    has(ran.err, "no_such_file.txt");
    expect("--json predict --nonsense", 2);
    has(ran.out, "\"exit\": 2");
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
