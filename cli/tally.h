#ifndef CLI_TALLY_H
#define CLI_TALLY_H

#include <stdbool.h>

#include "provider/bulk.h"
#include "store/store.h"

/* For commands that work on very many items: their output and exit status. */

/* Reports a failed or pending item on standard error. pair may lack one of the two. */
void tally_report(void *ctx, const struct store_pair *pair, enum err err, const char *text);

/* Shows the progress in a line that is overwritten; ctx is a word: "delivered", "done". */
void tally_progress(void *ctx, const struct bulk_tally *tally);
/* Shows the totals if there was anything to do; without a terminal, on standard output. */
void tally_end(const struct bulk_tally *tally, char *done);

/* Returns the exit status; reports a run that was stopped. */
int tally_status(const struct bulk_tally *tally);

#endif
