/* The command `keratin`. It uses public headers only, so it is also the library's first client. */
#ifndef KT_CLI_H
#define KT_CLI_H

#include <keratin/keratin.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/** A sub-command: `run` gets its own name as argv[0]. */
typedef struct cli_command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} cli_command;

int cli_bench(int argc, char **argv);

/** Prints the last error as one paragraph and gives the exit code of its status (CLI.md). */
int cli_fail(void);

#endif
