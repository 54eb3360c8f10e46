/* keratin: one command for what a Python user does in a notebook. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static const cli_command commands[] = {
    {"bench", "time the standard workloads", cli_bench},
};
#define N_COMMANDS ((int)(sizeof commands / sizeof commands[0]))

int cli_fail(void) {
    fprintf(stderr, "keratin: %s\n", kt_error_message());
    switch (kt_error_last()) {
    case KT_EFORMAT:
        return 3;
    case KT_EREFUSED:
        return 4;
    case KT_ENOTFOUND:
    case KT_EPERM:
        return 5;
    case KT_EIO:
        return 6;
    case KT_ENOMEM:
    case KT_ELIMIT:
        return 7;
    case KT_ENAN:
        return 8;
    case KT_EUNSUPPORTED:
        return 9;
    default:
        return EXIT_FAILED;
    }
}

static void usage(FILE *out) {
    fputs(
        "  keratin bench --workload mlp32 --threads 2 --json\n"
        "\n"
        "usage: keratin COMMAND [OPTIONS]\n"
        "\n"
        "commands:\n",
        out);
    for (int i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("\noptions:\n  --help     this text\n  --version  the version\n", out);
}

/* The command that starts with the same letters as a mistyped one. */
static const char *nearest(const char *word) {
    const char *best = NULL;
    size_t most = 0;
    for (int i = 0; i < N_COMMANDS; i++) {
        size_t same = 0;
        while (word[same] && word[same] == commands[i].name[same]) same++;
        if (same > most) {
            most = same;
            best = commands[i].name;
        }
    }
    return best;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        usage(stdout);
        return EXIT_OK;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("keratin %s\n", kt_version());
        return EXIT_OK;
    }
    for (int i = 0; i < N_COMMANDS; i++)
        if (!strcmp(commands[i].name, argv[1])) return commands[i].run(argc - 1, argv + 1);
    const char *near = nearest(argv[1]);
    fprintf(stderr, "keratin: unknown command \"%s\"", argv[1]);
    if (near) fprintf(stderr, "; did you mean \"%s\"?", near);
    fputc('\n', stderr);
    return EXIT_USAGE;
}
