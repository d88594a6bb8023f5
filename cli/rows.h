#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

/* Rows on standard output: a line each behind one with the names, or an array of objects. */
struct cli_rows {
	bool json;
	size_t count; /* of those that were printed */
};

/* Another row; ctx is a struct cli_rows. */
enum err cli_row(
	void *ctx, const struct store_column *columns, size_t count, struct error *e) must_check;
void cli_rows_end(const struct cli_rows *rows);

#endif
