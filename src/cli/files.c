/* File names of the command line: "-", overwriting, temporary files. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mkdtemp, open_memstream under -std=c11 */
#endif
#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_TEMPORARY 8

/* Written before the file is made, so that the signal handler finds it. */
static char folder[256], paths[MAX_TEMPORARY][320];
static int n_paths;

void cli_remove_temporary(void) {
    for (int i = 0; i < n_paths; i++) unlink(paths[i]);
    if (folder[0]) rmdir(folder);
    n_paths = 0;
    folder[0] = 0;
}

static int io_error(const char *verb, const char *name) {
    return cli_error(
        &(cli_problem){.exit = 6, .code = "KT_EIO"},
        "cannot %s %s: %s",
        verb,
        name,
        strerror(errno));
}

/* A new name in a folder that only this user may enter. */
static const char *temporary(const char *name) {
    if (!folder[0]) {
        const char *base = getenv("TMPDIR");
        char path[sizeof folder];
        snprintf(path, sizeof path, "%s/keratin-XXXXXX", base && *base ? base : "/tmp");
        if (!mkdtemp(path)) return io_error("make a folder in", base ? base : "/tmp"), NULL;
        memcpy(folder, path, sizeof folder);
    }
    if (n_paths == MAX_TEMPORARY) {
        cli_error(
            &(cli_problem){.exit = EXIT_USAGE, .code = "KT_EINVAL"},
            "\"-\" stands for too many files");
        return NULL;
    }
    snprintf(paths[n_paths], sizeof paths[0], "%s/%d%s", folder, n_paths, name);
    return paths[n_paths++];
}

/* What a stream begins with tells its format. */
static const char *extension_of(const unsigned char *head, size_t n) {
    if (n >= 6 && !memcmp(head, "\x93NUMPY", 6)) return ".npy";
    if (n >= 8 && !memcmp(head, "\x89HDF\r\n\x1a\n", 8)) return ".h5";
    if (n >= 1 && (head[0] == '{' || head[0] == '[')) return ".json";
    if (n >= 4 && !memcmp(head, "PK\3\4", 4)) {
        for (size_t i = 30; i + 4 <= n && i < 30 + 64; i++) /* the name of the first member */
            if (!memcmp(head + i, ".npy", 4)) return ".npz";
        return ".keras";
    }
    return ".csv";
}

static bool copy(FILE *from, FILE *to) {
    char block[65536];
    size_t n;
    while ((n = fread(block, 1, sizeof block, from)) > 0)
        if (fwrite(block, 1, n, to) != n) return false;
    return !ferror(from) && !fflush(to);
}

/* A first signal is enough while stdin is waited for: nothing has begun that could be finished. The
 * time limit is for one that comes just before poll(). */
static ssize_t read_stdin(void *data, size_t n) {
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
    while (!cli_signal()) {
        const int ready = poll(&wait, 1, 200);
        if (ready > 0) return read(STDIN_FILENO, data, n);
        if (ready < 0 && errno != EINTR) return -1;
    }
    return -1;
}

/* Behind what was read already, to the end. */
static bool keep_stdin(const char *path, const unsigned char *head, size_t n) {
    unsigned char block[65536];
    FILE *f = fopen(path, "wb");
    if (!f) return false;
    bool ok = fwrite(head, 1, n, f) == n;
    ssize_t more = 0;
    while (ok && (more = read_stdin(block, sizeof block)) > 0)
        ok = fwrite(block, 1, (size_t)more, f) == (size_t)more;
    return !fclose(f) && ok && more == 0;
}

static const char *from_stdin; /* read once, whoever asks */

const char *cli_said(const char *text, char *buf, size_t size) {
    const size_t n = from_stdin ? strlen(from_stdin) : 0;
    size_t used = 0;
    if (!text || !n || !strstr(text, from_stdin)) return text;
    while (*text && used + 8 < size) {
        if (!strncmp(text, from_stdin, n)) {
            memcpy(buf + used, "<stdin>", 7);
            used += 7;
            text += n;
        } else {
            buf[used++] = *text++;
        }
    }
    buf[used] = 0;
    return buf;
}

const char *cli_in(const char *name) {
    if (strcmp(name, "-") != 0) return name;
    if (from_stdin) return from_stdin;
    unsigned char head[128];
    size_t n = 0;
    ssize_t more = 0;
    while (n < sizeof head && (more = read_stdin(head + n, sizeof head - n)) > 0) n += (size_t)more;
    if (cli_signal()) return cli.last_exit = EXIT_SIGNAL + cli_signal(), NULL;
    if (!n) {
        cli_error(
            &(cli_problem){.exit = 3, .code = "KT_EFORMAT", .got = "nothing"}, "stdin is empty");
        return NULL;
    }
    const char *path = temporary(extension_of(head, n));
    const bool ok = path && keep_stdin(path, head, n);
    if (cli_signal()) return cli.last_exit = EXIT_SIGNAL + cli_signal(), NULL;
    if (path && !ok) io_error("keep", "stdin in a temporary file");
    return from_stdin = ok ? path : NULL;
}

int cli_may_write(const char *name, bool force) {
    struct stat st;
    if (!name || !strcmp(name, "-")) return EXIT_OK;
    if (!*name)
        return cli_error(
            &(cli_problem){.exit = EXIT_USAGE, .code = "KT_EINVAL"},
            "expected the name of a file to write, got none");
    if (!stat(name, &st)) {
        if (S_ISDIR(st.st_mode))
            return cli_error(
                &(cli_problem){.exit = 4, .code = "KT_EREFUSED"},
                "cannot write \"%s\": it is a directory",
                name);
        if (S_ISREG(st.st_mode) && !force)
            return cli_error(
                &(cli_problem){
                    .exit = EXIT_FAILED,
                    .code = "KT_EINVAL",
                    .hint = "--force overwrites, or choose another name"},
                "\"%s\" is there already",
                name);
        return EXIT_OK;
    }
    const char *slash = strrchr(name, '/');
    char dir[4096] = ".";
    if (slash) snprintf(dir, sizeof dir, "%.*s", slash == name ? 1 : (int)(slash - name), name);
    if (!access(dir, W_OK)) return EXIT_OK;
    return cli_error(
        &(cli_problem){.exit = 5, .code = errno == ENOENT ? "KT_ENOTFOUND" : "KT_EPERM"},
        "cannot write \"%s\": the folder \"%s\" %s",
        name,
        dir,
        errno == ENOENT ? "is not there" : "may not be written to");
}

const char *cli_out(const char *name, const char *extension) {
    return strcmp(name, "-") ? name : temporary(extension);
}

int cli_out_done(const char *name, const char *path) {
    if (strcmp(name, "-") != 0) return EXIT_OK;
    FILE *f = fopen(path, "rb");
    const bool ok = f && copy(f, stdout);
    if (f) fclose(f);
    return ok ? EXIT_OK : io_error("write to", "stdout");
}

/* Text ----------------------------------------------------------------------------------------- */

static struct {
    char *v;
    size_t n;
} written; /* the one that is being written: files get it when it is whole */

FILE *cli_text_begin(void) {
    FILE *f = open_memstream(&written.v, &written.n);
    if (!f) cli_error(&(cli_problem){.exit = 7, .code = "KT_ENOMEM"}, "out of memory");
    return f;
}

int cli_text_end(const char *name, FILE *f) {
    int code = EXIT_OK;
    const bool failed = ferror(f);
    if (fclose(f) || failed)
        code = cli_error(&(cli_problem){.exit = 7, .code = "KT_ENOMEM"}, "out of memory");
    else if (strcmp(name, "-") != 0)
        code = kt_save_bytes(name, written.v, written.n) ? cli_fail() : EXIT_OK;
    else if (fwrite(written.v, 1, written.n, stdout) != written.n || fflush(stdout))
        code = io_error("write to", "stdout");
    free(written.v);
    written.v = NULL;
    return code;
}

void cli_text_drop(FILE *f) {
    fclose(f);
    free(written.v);
    written.v = NULL;
}

char *cli_read_text(const char *name, size_t limit) {
    const char *path = cli_in(name);
    FILE *f = path ? fopen(path, "rb") : NULL;
    if (path && !f) {
        cli_error(
            &(cli_problem){.exit = 5, .code = errno == ENOENT ? "KT_ENOTFOUND" : "KT_EPERM"},
            "cannot open \"%s\": %s",
            name,
            strerror(errno));
        return NULL;
    }
    char *text = f ? malloc(limit + 1) : NULL;
    size_t n = text ? fread(text, 1, limit, f) : 0;
    const bool more = text && fgetc(f) != EOF;
    if (f) fclose(f);
    if (text && !more) {
        text[n] = 0;
        return text;
    }
    if (f)
        cli_error(
            &(cli_problem){.exit = 7, .code = "KT_ELIMIT"},
            "\"%s\" is longer than %zu bytes",
            name,
            limit);
    free(text);
    return NULL;
}

bool cli_ends(const char *name, const char *ending) {
    const size_t n = strlen(name), m = strlen(ending);
    return n >= m && !strcmp(name + n - m, ending);
}
