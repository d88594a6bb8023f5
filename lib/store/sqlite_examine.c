#include <string.h>

#include "store/sqlite.h"

/* SQLite's report has the facts in its second line, after a headline. */
static const char *last_line(const char *text)
{
	const char *end = strrchr(text, '\n');

	return end && end[1] ? end + 1 : text;
}

/* Is the file as SQLite would have it? All but whether the indexes agree with their tables. */
enum err sqlite_examine(void *self, struct error *e)
{
	struct sqlite *db = self;
	sqlite3_stmt *statement = NULL;
	const char *said = NULL;
	bool row = false;
	enum err err = sqlite_start_once(db, "PRAGMA quick_check(1)", NULL, 0, &statement, e);

	if (!err)
		err = sqlite_next(db, statement, &row, e);
	if (!err && row)
		said = (const char *)sqlite3_column_text(statement, 0);
	if (said && strcmp(said, "ok") != 0)
		err = error_set(e, ERR_CONFIG, "%s is damaged; restore it from a backup: %.200s",
			db->path, last_line(said));
	sqlite3_finalize(statement);
	return err;
}
