#ifndef FCGI_PAGES_STATUS_ROWS_H
#define FCGI_PAGES_STATUS_ROWS_H

#include "fcgi/pages/html.h"
#include "fcgi/pages/status_data.h"

/* Rows of the store as rows of an HTML table, which is begun with the first of them. */
struct status_rows {
	const struct status_data *status;
	struct html_table table;
	int64_t count; /* how many there were; one more than max: there are more */
	int64_t max;   /* how many are shown */
	int64_t open;  /* of events: how many are not folded; 0: all */
	void (*put)(struct status_rows *rows, const struct store_column *columns, size_t count);
};

void status_rows_put(
	struct status_rows *rows, enum store_table table, const struct store_filter *filter);

/* The value of the row's column of that name; "" if there is none. */
const char *status_rows_value(const struct store_column *columns, size_t count, const char *name);

/* A cell: the name, and below it the UUID or another detail. */
void status_rows_put_named(struct status_rows *rows, const char *name, const char *detail);

/* A cell: a state of the store, with its colour and sign. */
void status_rows_put_state(struct status_rows *rows, const char *state);

#endif
