/* Options by getopt_long, from the tables of the sub-commands; help and suggestions from the same
 * tables. Abbreviations are taken where they are unique, as GNU programs do. */
#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPTIONS 64
#define HELP_COLUMN 30

const cli_option cli_common_options[] = {
    CLI_OPT(cli_common, json, "json", NULL, "one JSON document on stdout instead of text"),
    CLI_OPT(
        cli_common,
        threads,
        "threads",
        "N",
        "threads to use (all processors)",
        .min = 1,
        .max = 4096),
    CLI_OPT(cli_common, seed, "seed", "N", "seed of everything random", .max = INT64_MAX),
    CLI_OPT(
        cli_common,
        verbose,
        "verbose",
        "0|1|2",
        "0 silent, 1 progress bar, 2 a line an epoch",
        .max = 2),
    CLI_OPT(cli_common, quiet, "quiet", NULL, "nothing on stderr but errors"),
    CLI_OPT(cli_common, no_color, "no-color", NULL, "no colours (or set NO_COLOR)"),
    CLI_OPT(cli_common, force, "force", NULL, "overwrite files that are there"),
    CLI_OPT(cli_common, help, "help", NULL, "this text"),
    CLI_OPT(cli_common, version, "version", NULL, "the version"),
    CLI_OPT_END,
};

/* Suggestions ---------------------------------------------------------------------------------- */

static int smallest(int a, int b, int c) { return a < b ? (a < c ? a : c) : b < c ? b : c; }

/* Edit distance; words of the command line are short. */
static int distance(const char *a, const char *b) {
    int row[64];
    const int n = (int)strlen(b);
    if (n >= 64) return n;
    for (int j = 0; j <= n; j++) row[j] = j;
    for (int i = 1; *a; a++, i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            const int up = row[j];
            row[j] = smallest(diagonal + (*a != b[j - 1]), up + 1, row[j - 1] + 1);
            diagonal = up;
        }
    }
    return row[n];
}

const char *cli_nearest(const char *word, const char *const *candidates, int n) {
    const char *best = NULL;
    int least = strlen(word) < 3 ? 0 : 1 + (int)strlen(word) / 3; /* two letters resemble any two */
    for (int i = 0; i < n; i++) {
        const int d = distance(word, candidates[i]);
        const bool begins = strlen(word) > 1 && !strncmp(word, candidates[i], strlen(word));
        if (d <= least || (begins && !best)) best = candidates[i];
        if (d <= least) least = d - 1;
    }
    return best;
}

/* Values --------------------------------------------------------------------------------------- */

static bool take_int(const cli_option *o, const char *text, int64_t *out) {
    char *end;
    errno = 0;
    const long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno || v < o->min || v > (o->max ? o->max : INT_MAX)) return false;
    *out = v;
    return true;
}

static bool take_double(const cli_option *o, const char *text, double *out) {
    char *end;
    const double v = strtod(text, &end);
    if (end == text || *end || !(v >= (double)o->min) || v > DBL_MAX) return false;
    *out = v;
    return true;
}

static int take_list(const cli_command *cmd, const cli_option *o, const char *text, cli_list *l) {
    if (l->n == CLI_MANY)
        return cli_usage(cmd, "--%s: given more than %d times", o->name, CLI_MANY);
    l->v[l->n++] = text;
    return EXIT_OK;
}

static int take(const cli_command *cmd, const cli_option *o, const char *text, void *options) {
    char *at = (char *)options + o->offset;
    bool ok = true;
    if (o->type == CLI_LIST) return take_list(cmd, o, text, (cli_list *)(void *)at);
    if (o->type == CLI_FLAG) *(bool *)at = true;
    if (o->type == CLI_STRING) *(const char **)(void *)at = text;
    if (o->type == CLI_INT) ok = take_int(o, text, (int64_t *)(void *)at);
    if (o->type == CLI_DOUBLE) ok = take_double(o, text, (double *)(void *)at);
    if (ok) return EXIT_OK;
    if (o->type == CLI_DOUBLE)
        return cli_usage(
            cmd,
            "--%s: expected a number of at least %lld, got \"%s\"",
            o->name,
            (long long)o->min,
            text);
    return cli_usage(
        cmd,
        "--%s: expected an integer from %lld to %lld, got \"%s\"",
        o->name,
        (long long)o->min,
        (long long)(o->max ? o->max : INT_MAX),
        text);
}

/* Parsing -------------------------------------------------------------------------------------- */

typedef struct {
    const cli_option *row[MAX_OPTIONS];
    struct option list[MAX_OPTIONS + 1]; /* as getopt_long wants them */
    const char *names[MAX_OPTIONS];
    int n;
} option_table;

static void add_rows(option_table *t, const cli_option *rows) {
    for (; rows && rows->name && t->n < MAX_OPTIONS; rows++) {
        t->row[t->n] = rows;
        t->names[t->n] = rows->name;
        t->list[t->n++] = (struct option){
            rows->name, rows->type == CLI_FLAG ? no_argument : required_argument, NULL, 0};
    }
}

static const cli_option *find_row(const option_table *t, const char *name) {
    for (int i = 0; i < t->n; i++)
        if (!strcmp(t->row[i]->name, name)) return t->row[i];
    return NULL;
}

/* getopt_long tells '?' from ':' and leaves the rest to argv. */
static int bad_option(const cli_command *cmd, const option_table *t, int opt, const char *word) {
    if (opt == ':') return cli_usage(cmd, "%s: expected a value behind it", word);
    const char *name = word + strspn(word, "-");
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)strcspn(name, "="), name);
    const cli_option *row = find_row(t, text);
    if (row && word[1] == '-') return cli_usage(cmd, "--%s takes no value", text);
    const char *near = row ? text : cli_nearest(text, t->names, t->n);
    if (near) return cli_usage(cmd, "unknown option \"%s\"; did you mean \"--%s\"?", word, near);
    return cli_usage(cmd, "unknown option \"%s\"", word);
}

/* Reads options of the table from argv; with `stop` only up to the first other word. */
static int read_options(
    const cli_command *cmd, option_table *t, int argc, char **argv, void *options, bool stop) {
    const cli_option *out = find_row(t, "output"); /* the one with a short name */
    const char *letters = stop ? "+:h" : out ? ":ho:" : ":h";
    int index = 0, opt, code = EXIT_OK;
    optind = 0;
    opterr = 0;
    while (code == EXIT_OK && (opt = getopt_long(argc, argv, letters, t->list, &index)) != -1) {
        if (opt == 0)
            code = take(cmd, t->row[index], optarg, options);
        else if (opt == 'o')
            code = take(cmd, out, optarg, options);
        else if (opt == 'h')
            ((cli_common *)options)->help = true;
        else
            code = bad_option(cmd, t, opt, argv[optind > 1 ? optind - 1 : 1]);
    }
    return code;
}

int cli_parse(const cli_command *cmd, int argc, char **argv, void *options) {
    option_table t = {.n = 0};
    cli_common *common = options;
    add_rows(&t, cmd->options);
    add_rows(&t, cli_common_options);
    const int code = read_options(cmd, &t, argc, argv, options, false);
    if (code || common->help || common->version) return code;
    common->n = argc - optind;
    common->args = argv + optind;
    if (common->n < cmd->min_args && common->n)
        return cli_usage(cmd, "expected %s, got \"%s\" only", cmd->usage, common->args[0]);
    if (common->n < cmd->min_args) return cli_usage(cmd, "expected %s", cmd->usage);
    if (common->n > cmd->max_args && !cmd->max_args)
        return cli_usage(cmd, "expected options only, got \"%s\"", common->args[0]);
    if (common->n > cmd->max_args)
        return cli_usage(
            cmd, "expected %s, got \"%s\" too", cmd->usage, common->args[cmd->max_args]);
    return EXIT_OK;
}

int cli_parse_global(int argc, char **argv, cli_common *common, int *at) {
    option_table t = {.n = 0};
    add_rows(&t, cli_common_options);
    const int code = read_options(NULL, &t, argc, argv, common, true);
    *at = optind;
    return code;
}

/* Help ----------------------------------------------------------------------------------------- */

/* Columns of a text in UTF-8. */
static int width_of(const char *text) {
    int n = 0;
    for (; text && *text; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void help_row(const cli_option *o, FILE *out) {
    const bool has_short = !strcmp(o->name, "output");
    int n = fprintf(
        out,
        "  %s--%s%s%s",
        has_short ? "-o, " : "",
        o->name,
        o->arg ? " " : "",
        o->arg ? o->arg : "");
    if (o->arg) n -= (int)strlen(o->arg) - width_of(o->arg);
    fprintf(out, "%*s%s\n", n < HELP_COLUMN ? HELP_COLUMN - n : 2, "", o->help);
}

void cli_help(const cli_command *cmd, FILE *out) {
    fprintf(
        out,
        "%s\nusage: keratin %s %s\n\n%s.\n",
        cmd->examples,
        cmd->name,
        cmd->usage,
        cmd->summary);
    if (cmd->text) fprintf(out, "\n%s", cmd->text);
    fputs("\noptions:\n", out);
    for (const cli_option *o = cmd->options; o && o->name; o++) help_row(o, out);
    for (const cli_option *o = cli_common_options; o->name; o++) help_row(o, out);
}

void cli_help_all(FILE *out) {
    fputs(
        "  keratin fit mnist_mlp.keras --data mnist --epochs 5 -o trained.keras\n"
        "  keratin evaluate trained.keras --data mnist:test --json\n"
        "  keratin predict trained.keras --x x.npy -o out.npy\n"
        "  keratin summary trained.keras\n"
        "  keratin check downloads/*.keras\n"
        "\n"
        "usage: keratin COMMAND [OPTIONS]      (keratin COMMAND --help tells more)\n"
        "\n"
        "commands:\n",
        out);
    for (const cli_command *const *c = cli_commands; *c; c++)
        fprintf(out, "  %-10s %s\n", (*c)->name, (*c)->summary);
    fputs("\noptions of every command:\n", out);
    for (const cli_option *o = cli_common_options; o->name; o++) help_row(o, out);
    fputs(
        "\n"
        "exit codes:\n"
        "  0 ok · 1 failed · 2 usage · 3 file malformed · 4 file refused · 5 not found or no\n"
        "  permission · 6 I/O · 7 memory or limit · 8 NaN · 9 not supported · 128+n signal n\n",
        out);
}

/* The man page, in roff ------------------------------------------------------------------------ */

static void roff(const char *text, FILE *out) {
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\'')) fputs("\\&", out);
        if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else
            fputc(*text, out);
        start = *text == '\n';
    }
}

static void roff_block(const char *text, FILE *out) {
    fputs(".nf\n", out);
    roff(text, out);
    fputs(".fi\n", out);
}

static void roff_options(const cli_option *o, FILE *out) {
    for (; o && o->name; o++) {
        fputs(".TP\n", out);
        if (!strcmp(o->name, "output")) fputs("\\fB\\-o\\fR, ", out);
        fputs("\\fB\\-\\-", out);
        roff(o->name, out);
        fputs("\\fR", out);
        if (o->arg) fprintf(out, " \\fI%s\\fR", o->arg);
        fputs("\n", out);
        roff(o->help, out);
        fputs("\n", out);
    }
}

void cli_man_page(FILE *out) {
    fprintf(out, ".\\\" Written by `keratin --man-page`: change src/cli, then `make man`.\n");
    fprintf(out, ".TH KERATIN 1 \"\" \"Keratin %s\" \"User Commands\"\n", kt_version());
    fputs(".SH NAME\nkeratin \\- train, run and look into Keras models\n", out);
    fputs(".SH SYNOPSIS\n\\fBkeratin\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n", out);
    fputs(
        ".SH DESCRIPTION\nResults go to stdout, everything else to stderr. A file name of \\- is "
        "stdin or stdout\nwhere that can be. Output files are written beside their name and "
        "renamed, so a killed run\nnever leaves half a file. SIGINT and SIGTERM finish the batch "
        "and save what was asked to be\nsaved; a second one ends the run at once.\n",
        out);
    fputs(".SH OPTIONS OF EVERY COMMAND\n", out);
    roff_options(cli_common_options, out);
    fputs(".SH COMMANDS\n", out);
    for (const cli_command *const *c = cli_commands; *c; c++) {
        fprintf(out, ".SS keratin %s ", (*c)->name);
        roff((*c)->usage, out);
        fputs("\n", out);
        roff((*c)->summary, out);
        fputs(".\n", out);
        roff_block((*c)->examples, out);
        if ((*c)->text) fputs(".PP\n", out), roff_block((*c)->text, out);
        roff_options((*c)->options, out);
    }
    fputs(
        ".SH EXIT STATUS\n.nf\n0  ok\n1  the run failed\n2  wrong usage\n3  a file is malformed\n"
        "4  a file is refused by policy (code, links, unsafe path)\n5  not found, or no "
        "permission\n6  I/O error, no space\n7  out of memory, or over a limit\n8  stopped by "
        "NaN\n9  a feature that is not supported\n128+n  ended by signal n\n.fi\n",
        out);
    fputs(
        ".SH ENVIRONMENT\n.TP\n\\fBKERAS_HOME\\fR\nwhere data sets are (~/.keras)\n.TP\n"
        "\\fBKT_NUM_THREADS\\fR\nthreads, unless \\-\\-threads is given\n.TP\n"
        "\\fBKT_ISA\\fR\nportable, avx2 or avx512: at most this instruction set\n.TP\n"
        "\\fBNO_COLOR\\fR\nno colours\n.TP\n\\fBCOLUMNS\\fR\nwidth of tables\n",
        out);
}
