#ifndef CLI_BULK_H
#define CLI_BULK_H

#include <stdbool.h>

#include "provider/provider.h"

/* Shared by commands that work on very many items: their output and exit status. */

/* Uploads a second, as --rate has them. */
#define CLI_RATE_FORM "a number from 1 to 1000, of uploads a second,"
bool cli_rate(const char *text, unsigned *out);

/* On standard error: what did not end as it should. pair may lack one of the two. */
void cli_report(void *ctx, const struct store_pair *pair, enum err err, const char *text);

/* The progress, for terminal_progress(): a line that is written over. done: "delivered", … */
void cli_progress(const struct run_tally *tally, const char *done);
/* The sum, if there was anything to do; without a terminal, on standard output. */
void cli_progress_end(const struct run_tally *tally, const char *done);

/* The exit status. Says so where it was stopped. */
int cli_judge(const struct run_tally *tally);

#endif
