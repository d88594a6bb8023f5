/* One statement in a transaction of its own, over the verbs of db.h. */
#include "db/change_alone.h"

enum err db_change_alone(struct db *db, const char *sql, const struct db_value *values,
	size_t count, int64_t *changed, struct error *e)
{
	int64_t rows = 0;
	enum err err;

	do {
		err = db_begin(db, e);
		if (!err && changed)
			err = db_change(db, sql, values, count, &rows, e);
		else if (!err)
			err = db_run(db, sql, values, count, e);
	} while (db_end(db, &err, e));
	if (!err && changed)
		*changed = rows;
	return err;
}
