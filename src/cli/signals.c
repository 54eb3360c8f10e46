/* SIGINT and SIGTERM: the first one is remembered, and the running batch is finished; the second
 * one ends the process at once. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sigaction under -std=c11 */
#endif
#include "cli/cli.h"

#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t caught;

static void on_signal(int number) {
    if (caught) {
        cli_remove_temporary();
        _exit(EXIT_SIGNAL + number);
    }
    caught = number;
}

void cli_catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int cli_signal(void) { return caught; }

static kt_status stop_if_signalled(
    kt_model *model, int64_t index, const kt_logs *logs, void *data) {
    (void)model, (void)index, (void)logs, (void)data;
    return caught ? KT_ECANCELED : KT_OK;
}

/* Hooks before batches: those after a batch would have the results read back each time. */
kt_callback *cli_interruptible(void) {
    return kt_cb_lambda(
            .on_train_batch_begin = stop_if_signalled,
            .on_test_batch_begin = stop_if_signalled,
            .on_predict_batch_begin = stop_if_signalled);
}
