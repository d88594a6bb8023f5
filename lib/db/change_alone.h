#ifndef DB_CHANGE_ALONE_H
#define DB_CHANGE_ALONE_H

#include "db/db.h"

/* A statement that changes rows, in a transaction of its own. changed: NULL, or as db_change(). */
enum err db_change_alone(struct db *db, const char *sql, const struct db_value *values,
	size_t count, int64_t *changed, struct error *e) must_check;

#endif
