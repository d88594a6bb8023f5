#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

struct table;

/*
 * Rows on standard output: as a JSON array of objects; on a terminal in columns; else as lines of
 * values separated by tabs, the first one with the names. All members but json begin as 0.
 */
struct rows {
	bool json;
	size_t count; /* of rows so far */
	struct table *table;
};

/* Prints a row; ctx is a struct rows. */
enum err rows_add(
	void *ctx, const struct store_column *columns, size_t count, struct error *e) must_check;
/*
 * Must be called after the last row. If rows are missing (whole: false), those added so far are
 * shown, and the JSON array is not closed, so that no reader takes it for complete.
 */
void rows_end(struct rows *rows, bool whole);

#endif
