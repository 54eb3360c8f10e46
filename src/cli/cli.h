/* The command `keratin`: what its sub-commands share. Public headers only, so it is also the
 * library's first client.
 *
 * A sub-command is one file: an options struct that begins with cli_common, a table of options, and
 * a function. The table gives parsing, help, the man page and completion. */
#ifndef KT_CLI_H
#define KT_CLI_H

#include <keratin/keratin.h>

#include <stdio.h>

#if defined(__GNUC__)
#define CLI_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define CLI_PRINTF(fmt, args)
#endif

/** Exit codes; those between are the statuses of the library (cli_exit_code). */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_SIGNAL = 128 };

/* Options -------------------------------------------------------------------------------------- */

#define CLI_MANY 32
/** An option that may be given several times. */
typedef struct cli_list {
    const char *v[CLI_MANY];
    int n;
} cli_list;

/** What every sub-command takes; its options struct begins with it. */
typedef struct cli_common {
    bool json, quiet, no_color, force, help, version;
    int64_t threads, seed, verbose; ///< KT_NONE where not given
    int n;                          ///< positional arguments
    char **args;
} cli_common;

typedef enum cli_type { CLI_FLAG, CLI_INT, CLI_DOUBLE, CLI_STRING, CLI_LIST } cli_type;

typedef struct cli_option {
    const char *name, *arg, *help; ///< arg: what stands for the value in the help, NULL for flags
    size_t offset;
    cli_type type;
    int64_t min; ///< least value of a number
    int64_t max; ///< greatest value; 0: that of an int
} cli_option;

#define CLI_TYPE(x)                                                                                \
    _Generic((x), \
        bool: CLI_FLAG, \
        int64_t: CLI_INT, \
        double: CLI_DOUBLE, \
        const char *: CLI_STRING, \
        cli_list: CLI_LIST)
/** One row: CLI_OPT(fit_options, batch_size, "batch-size", "N", "rows per step (32)", .min = 1) */
#define CLI_OPT(T, member, option, value, text, ...)                                               \
    {                                                                                              \
        .name = (option), .arg = (value), .help = (text), .offset = offsetof(T, member),           \
        .type = CLI_TYPE(((T *)0)->member), __VA_ARGS__                                            \
    }
#define CLI_OPT_END                                                                                \
    { .name = NULL }

typedef struct cli_command {
    const char *name, *summary;
    const char *usage;    ///< "MODEL --x X -o OUT"
    const char *examples; ///< lines, shown first
    const char *text;     ///< what there is to say beyond the options, NULL: nothing
    const cli_option *options;
    size_t size;          ///< of the options struct
    const void *defaults; ///< NULL: zeros
    int min_args, max_args;
    int (*run)(const void *options);
} cli_command;

extern const cli_command cli_fit, cli_evaluate, cli_predict, cli_summary, cli_info, cli_check,
    cli_convert, cli_diff, cli_plot, cli_doctor, cli_bench;
/** All of them, ended by NULL. */
extern const cli_command *const cli_commands[];

/** Parses argv[1 …] into `options`; EXIT_OK or EXIT_USAGE (said why). */
int cli_parse(const cli_command *cmd, int argc, char **argv, void *options);
/** Options before the sub-command; *at is its index. */
int cli_parse_global(int argc, char **argv, cli_common *common, int *at);
void cli_help(const cli_command *cmd, FILE *out);
void cli_help_all(FILE *out);
void cli_man_page(FILE *out);
/** The candidate most like `word`, or NULL. */
const char *cli_nearest(const char *word, const char *const *candidates, int n);
extern const cli_option cli_common_options[];

/* Output and errors ---------------------------------------------------------------------------- */

/** How results are written in this run; set before a command runs. */
typedef struct cli_settings {
    bool json, quiet, no_color;
    int verbose;         ///< 0, 1, 2
    int last_exit;       ///< of the last error that was said
    const char *command; ///< that runs, NULL: none yet
} cli_settings;
extern cli_settings cli;

/** The last error of the library as one paragraph (or JSON object); gives its exit code. */
int cli_fail(void);
int cli_exit_code(kt_status status);
/** The same for a name or description from the command line: a wrong one is wrong usage. */
int cli_bad_name(const char *text);
/** An error of the command itself; strings may be NULL. Returns exit. */
typedef struct cli_problem {
    int exit;
    const char *code, *path, *expected, *got, *hint;
} cli_problem;
int cli_error(const cli_problem *p, const char *fmt, ...) CLI_PRINTF(2, 3);
/** The command line is wrong: EXIT_USAGE. */
int cli_usage(const cli_command *cmd, const char *fmt, ...) CLI_PRINTF(2, 3);
/** A line on stderr unless --quiet. */
void cli_note(const char *fmt, ...) CLI_PRINTF(1, 2);
/** Sends the library's text to stderr or stdout, without colours where they are not wanted. */
void cli_text_to(FILE *out);
/** Sends its warnings to stderr, unless --quiet. */
void cli_warnings_to_stderr(void);

/** A name from a file on stdout, filled up to a width; what is no printable text stands as \xNN. */
void cli_print_name(const char *name, int width);

/* JSON on its way out: valid JSON whatever the numbers are (NaN is null, infinity 1e999). */
typedef struct cli_json {
    FILE *out;
    int depth;
    bool first;
} cli_json;
void cli_json_open(cli_json *j, const char *key, char bracket);
void cli_json_close(cli_json *j, char bracket);
void cli_json_string(cli_json *j, const char *key, const char *value);
void cli_json_number(cli_json *j, const char *key, double value);
/** One number as itself, several as a list. */
void cli_json_numbers(cli_json *j, const char *key, const double *v, int n);
void cli_json_int(cli_json *j, const char *key, int64_t value);
void cli_json_bool(cli_json *j, const char *key, bool value);
/** Python writes NaN and Infinity into JSON: they become null or "", in place. */
void cli_json_repair(char *text);
/** {"output": name}: with --json all that is said about a file that was written. */
void cli_json_output(const char *name);
/** Nested lists. */
void cli_json_tensor(cli_json *j, const char *key, const kt_tensor *t);

/* Files ---------------------------------------------------------------------------------------- */

/** The path to read for a name that a user gave: "-" is stdin, kept in a temporary file whose
 * extension tells its format. NULL when that fails (said why). Valid until the process ends. */
const char *cli_in(const char *name);
/** What is to be read by people: the text with "<stdin>" where it names that temporary file. */
const char *cli_said(const char *text, char *buf, size_t size);
/** Can this file be written? Refused when it is there and --force is not, or its folder is not.
 * EXIT_OK, else said why. NULL and "-" are fine. */
int cli_may_write(const char *name, bool force);
/** Where to write: the name itself; for "-" a temporary file with that extension, which
 * cli_out_done() copies to stdout. */
const char *cli_out(const char *name, const char *extension);
int cli_out_done(const char *name, const char *path);
/** Text for a file, kept in memory. NULL: said why. cli_text_end() writes it as all files are
 * saved, "-" is stdout; EXIT_OK or said why. */
FILE *cli_text_begin(void);
int cli_text_end(const char *name, FILE *f);
/** Forgets it. */
void cli_text_drop(FILE *f);
/** A whole file in memory, ended by 0, at most `limit` bytes; free() it. NULL: said why. */
char *cli_read_text(const char *name, size_t limit);
/** Has the name this ending? */
bool cli_ends(const char *name, const char *ending);
/** Removes temporary files; also called by the signal handler. */
void cli_remove_temporary(void);

/* Data arguments ------------------------------------------------------------------------------- */

/** The options that name data, as a model needs them. */
typedef struct cli_data {
    const cli_list *x, *y, *sample_weight;
    const char *target; ///< column of a CSV file that is y
    const char *data;   ///< NAME[:split] of a built-in data set
} cli_data;
/** References for fit, evaluate, predict: a tensor or a list. NULL where not given. They float. */
typedef struct cli_arrays {
    kt_ref x, y, sample_weight;
} cli_arrays;
/** EXIT_OK, else said why. Training splits are read unless `test` is the default. */
int cli_load_data(cli_arrays *out, const kt_model *m, const cli_data *d, const char *default_split);

/* Models --------------------------------------------------------------------------------------- */

/** Reads a model file or "-"; NULL: said why, with the exit code in *code. */
kt_model *cli_load_model(const char *name, bool compile, int *code);
/** Compiles with what was given on the command line, the rest as the file says; without any of it
 * the model stays as it is. EXIT_OK, else said why. */
int cli_compile(
    kt_model *m,
    const char *path,
    const char *optimizer,
    const char *loss,
    const cli_list *metrics);

/* Benchmarks ----------------------------------------------------------------------------------- */

/** From now on the engine writes down how long each node takes (or no longer). */
int cli_trace_nodes(bool on);
/** A table of that, if it was asked for. */
int cli_report_nodes(void);

/* Signals -------------------------------------------------------------------------------------- */

/** SIGINT and SIGTERM are remembered from now on; the second one ends the process at once. */
void cli_catch_signals(void);
/** The signal that came, 0 if none did. */
int cli_signal(void);
/** A callback that ends fit, evaluate and predict with KT_ECANCELED at the next batch. */
kt_callback *cli_interruptible(void);

#endif
