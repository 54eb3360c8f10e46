/* keratin: one command for what a Python user does in a notebook. The table of sub-commands, and
 * what happens before and after one runs. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const cli_command *const cli_commands[] = {
    &cli_fit,
    &cli_evaluate,
    &cli_predict,
    &cli_summary,
    &cli_info,
    &cli_check,
    &cli_convert,
    &cli_diff,
    &cli_plot,
    &cli_doctor,
    &cli_bench,
    NULL,
};

static const cli_command *find_command(const char *name) {
    for (const cli_command *const *c = cli_commands; *c; c++)
        if (!strcmp((*c)->name, name)) return *c;
    return NULL;
}

static int unknown_command(const char *word) {
    const char *names[32];
    int n = 0;
    for (const cli_command *const *c = cli_commands; *c; c++) names[n++] = (*c)->name;
    names[n++] = "help";
    const char *near = cli_nearest(word, names, n);
    if (near) return cli_usage(NULL, "unknown command \"%s\"; did you mean \"%s\"?", word, near);
    return cli_usage(NULL, "unknown command \"%s\"", word);
}

/* Errors of the command line itself already obey --json, wherever it stands. */
static void look_ahead(int argc, char **argv) {
    const char *no_color = getenv("NO_COLOR");
    cli.no_color = no_color && *no_color;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (!strcmp(argv[i], "--json")) cli.json = true;
}

static void apply(const cli_common *c) {
    cli.json = c->json;
    cli.quiet = c->quiet;
    cli.no_color = cli.no_color || c->no_color;
    cli.verbose = c->verbose != KT_NONE ? (int)c->verbose : c->quiet ? 0 : isatty(2) ? 1 : 2;
    if (c->threads != KT_NONE) kt_set_num_threads((int)c->threads);
    if (c->seed != KT_NONE) kt_set_random_seed((uint64_t)c->seed);
    cli_text_to(stderr);
    cli_warnings_to_stderr();
}

static int print_version(void) {
    printf(cli.json ? "{\"version\": \"%s\"}\n" : "keratin %s\n", kt_version());
    return EXIT_OK;
}

static int run(const cli_command *cmd, int argc, char **argv, const cli_common *given) {
    cli_common *options = calloc(1, cmd->size);
    if (!options) return cli_error(&(cli_problem){.exit = 7, .code = "KT_ENOMEM"}, "out of memory");
    if (cmd->defaults) memcpy(options, cmd->defaults, cmd->size);
    *options = *given;
    cli.command = cmd->name;
    int code = cli_parse(cmd, argc, argv, options);
    if (code == EXIT_OK && options->version) {
        print_version();
    } else if (code == EXIT_OK && options->help) {
        cli_help(cmd, stdout);
    } else if (code == EXIT_OK) {
        apply(options);
        cli_catch_signals();
        code = cmd->run(options);
        if (code == EXIT_OK && cli_signal()) code = EXIT_SIGNAL + cli_signal();
    }
    kt_clear_session();
    free(options);
    cli_remove_temporary();
    if ((fflush(stdout) || ferror(stdout)) && code == EXIT_OK)
        code = cli_error(&(cli_problem){.exit = 6, .code = "KT_EIO"}, "cannot write to stdout");
    return code;
}

int main(int argc, char **argv) {
    cli_common common = {.threads = KT_NONE, .seed = KT_NONE, .verbose = KT_NONE};
    int at = 1;
    look_ahead(argc, argv);
    if (argc == 2 && !strcmp(argv[1], "--man-page")) return cli_man_page(stdout), EXIT_OK;
    const int code = cli_parse_global(argc, argv, &common, &at);
    if (code) return code;
    if (common.version) return print_version();
    const bool asked = at < argc && !strcmp(argv[at], "help");
    if (common.help || (asked && at + 1 == argc)) return cli_help_all(stdout), EXIT_OK;
    if (at >= argc && cli.json) return cli_usage(NULL, "expected a command");
    if (at >= argc) return cli_help_all(stderr), EXIT_USAGE;
    if (asked) {
        const cli_command *cmd = find_command(argv[at + 1]);
        if (!strcmp(argv[at + 1], "help")) return cli_help_all(stdout), EXIT_OK;
        return cmd ? cli_help(cmd, stdout), EXIT_OK : unknown_command(argv[at + 1]);
    }
    const cli_command *cmd = find_command(argv[at]);
    return cmd ? run(cmd, argc - at, argv + at, &common) : unknown_command(argv[at]);
}
