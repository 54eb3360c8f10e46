/* keratin check: opens files as the loader does and says what is wrong. */
#include "cli/cli.h"

#include <string.h>

typedef struct {
    cli_common common;
    bool strict;
} check_options;

/* Exit codes from the worst to the best. */
static int badness(int code) {
    static const int order[] = {EXIT_OK, 5, 6, 9, 3, 4, 7};
    for (int i = 0; i < 7; i++)
        if (order[i] == code) return 2 * i;
    return 1; /* what is in no list: better than every listed one */
}

static void report(cli_json *j, const char *name, kt_status st) {
    const kt_error e = kt_error_get();
    char room[1024], where[1024];
    const char *text = cli_said(e.text, room, sizeof room);
    if (!cli.json) {
        if (st)
            printf("%s: %s: %s\n", name, kt_status_name(st), text);
        else
            printf("%s: ok\n", name);
        return;
    }
    cli_json_open(j, NULL, '{');
    cli_json_string(j, "path", name);
    cli_json_bool(j, "ok", !st);
    cli_json_string(j, "code", kt_status_name(st));
    cli_json_int(j, "exit", cli_exit_code(st));
    if (st) {
        cli_json_string(j, "message", text);
        cli_json_string(j, "where", cli_said(e.path, where, sizeof where));
        cli_json_string(j, "expected", e.expected);
        cli_json_string(j, "got", e.got);
        cli_json_string(j, "hint", e.hint);
    }
    cli_json_close(j, '}');
}

static int check(const void *options) {
    const check_options *o = options;
    cli_json j = {.out = stdout};
    int worst = EXIT_OK;
    kt_status worst_status = KT_OK;
    for (int i = 0; i < o->common.n; i++) /* stdin before the first word of JSON */
        if (!strcmp(o->common.args[i], "-") && !cli_in("-")) return cli.last_exit;
    if (cli.json) {
        cli_json_open(&j, NULL, '{');
        cli_json_open(&j, "files", '[');
    }
    for (int i = 0; i < o->common.n && !cli_signal(); i++) {
        const char *name = o->common.args[i], *path = cli_in(name);
        const kt_status st = kt_file_check(path, .strict = o->strict);
        report(&j, name, st);
        if (st && !cli.json) cli_fail(); /* the whole paragraph */
        if (badness(cli_exit_code(st)) <= badness(worst)) continue;
        worst = cli_exit_code(st);
        worst_status = st;
    }
    if (cli.json) {
        cli_json_close(&j, ']');
        cli_json_string(&j, "worst", kt_status_name(worst_status));
        cli_json_int(&j, "exit", worst);
        cli_json_close(&j, '}');
    }
    return cli_signal() ? EXIT_SIGNAL + cli_signal() : worst;
}

static const cli_option check_table[] = {
    CLI_OPT(check_options, strict, "strict", NULL, "refuse weights that are NaN or infinite too"),
    CLI_OPT_END,
};

const cli_command cli_check = {
    .name = "check",
    .summary = "Opens files as the loader does and says what is wrong with them",
    .usage = "FILE…",
    .examples = "  keratin check downloads/*.keras\n  keratin check --strict --json model.h5\n",
    .text = "The exit code is that of the worst file: 7, then 4, 3, 9, 6, 5, 0.\n",
    .options = check_table,
    .size = sizeof(check_options),
    .min_args = 1,
    .max_args = 1 << 20,
    .run = check,
};
