#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>

#include "base/buf.h"
#include "store/store.h"

/*
 * Rows in columns, for a terminal: names bold, states in colour. The first rows wait until the
 * widths are known; a later value that is wider pushes the rest of its line aside. Nothing is cut,
 * and the memory does not grow with the rows.
 */
struct table;

struct table *table_new(void); /* NULL: no memory; the caller must table_free() */
void table_free(struct table *table);

enum err table_row(struct table *table, const struct store_column *columns, size_t count,
	struct error *e) must_check;
/* Prints the rows that still wait. */
void table_flush(struct table *table);

#endif
