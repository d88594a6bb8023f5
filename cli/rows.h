#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

struct table;

/*
 * Rows on standard output: an array of objects, else a line each behind one with the names, the
 * values apart by tabs; on a terminal in columns. All but json is 0 at first.
 */
struct rows {
	bool json;
	size_t count; /* of those that came */
	struct table *table;
};

/* Another row; ctx is a struct rows. */
enum err rows_add(
	void *ctx, const struct store_column *columns, size_t count, struct error *e) must_check;
/* Mandatory. Not whole: what came is shown, and JSON stays open, as it must not be taken for all.
 */
void rows_end(struct rows *rows, bool whole);

#endif
