#include "store/sqlite.h"

#include <stdio.h>

#include "base/clock.h"

/* CAs that judge no request, and when they are tried again. */

/* A state that was not used for so long belongs to other inputs. */
#define FORGET_SECONDS (7 * 86400)

enum column { SINCE, TRIED_AT, UNTIL, TRIES, CAUSE };

enum err sqlite_access_find(
	void *self, const struct store_access *access, struct store_barred *out, struct error *e)
{
	static const char sql[] = "SELECT since, tried_at, until, tries, cause FROM barred"
				  " WHERE ca = ?1 AND inputs = ?2";
	const struct value values[] = {VALUE_TEXT(access->ca), VALUE_TEXT(access->inputs)};
	const char *cause;
	sqlite3_stmt *row = NULL;
	enum err err = sqlite_first(self, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "[%s] is not barred", access->ca);
	if (!err) {
		out->since = sqlite3_column_int64(row, SINCE);
		out->tried_at = sqlite3_column_int64(row, TRIED_AT);
		out->until = sqlite3_column_int64(row, UNTIL);
		out->tries = sqlite3_column_int64(row, TRIES);
		cause = (const char *)sqlite3_column_text(row, CAUSE);
		snprintf(out->cause, sizeof(out->cause), "%s", cause ? cause : "");
	}
	sqlite_done(row);
	return err;
}

/* In a transaction of its own; *changed: a row was. */
static enum err change(struct sqlite *db, const char *sql, const struct value *values, size_t count,
	bool *changed, struct error *e)
{
	enum err err = sqlite_begin(db, e);

	if (err)
		return err;
	err = sqlite_run(db, sql, values, count, e);
	if (!err)
		*changed = sqlite3_changes(db->db) > 0;
	return sqlite_end(db, err, e);
}

/* A wait longer than any possible one comes from a wrong clock. */
enum err sqlite_access_try(
	void *self, const struct store_access *access, int64_t lease, bool *ours, struct error *e)
{
	static const char sql[] =
		"UPDATE barred SET tried_at = ?3, until = max(until, ?3 + ?5), run = ?4"
		" WHERE ca = ?1 AND inputs = ?2"
		"	AND (until NOT BETWEEN ?3 + 1 AND ?3 + 3600 OR ?4 NOT IN ('', run))";
	const struct value values[] = {VALUE_TEXT(access->ca), VALUE_TEXT(access->inputs),
		VALUE_INTEGER(clock_now()), VALUE_TEXT(access->run), VALUE_INTEGER(lease)};

	return change(self, sql, values, ARRAY_LEN(values), ours, e);
}
_Static_assert(STORE_WAIT_MAX == 3600, "sqlite_access_try() has it as text");

enum err sqlite_access_bar(void *self, const struct store_access *access, int64_t wait,
	const char *cause, struct error *e)
{
	static const char forget[] = "DELETE FROM barred WHERE tried_at < ?1";
	static const char sql[] =
		"INSERT INTO barred (ca, inputs, since, tried_at, until, tries, run, cause)"
		" VALUES (?1, ?2, ?3, ?3, ?3 + ?4, 1, ?6, ?5)"
		" ON CONFLICT (ca, inputs) DO UPDATE SET tried_at = excluded.tried_at,"
		"	until = excluded.until, tries = tries + 1, run = excluded.run,"
		"	cause = excluded.cause";
	int64_t now = clock_now();
	const struct value old[] = {VALUE_INTEGER(now - FORGET_SECONDS)};
	const struct value values[] = {VALUE_TEXT(access->ca), VALUE_TEXT(access->inputs),
		VALUE_INTEGER(now), VALUE_INTEGER(wait), VALUE_TEXT(cause),
		VALUE_TEXT(access->run)};
	bool changed;
	enum err err = change(self, forget, old, ARRAY_LEN(old), &changed, e);

	return err ? err : change(self, sql, values, ARRAY_LEN(values), &changed, e);
}

enum err sqlite_access_open(void *self, const struct store_access *access, struct error *e)
{
	static const char sql[] = "DELETE FROM barred WHERE ca = ?1 AND inputs = ?2";
	const struct value values[] = {VALUE_TEXT(access->ca), VALUE_TEXT(access->inputs)};
	bool changed;

	return change(self, sql, values, ARRAY_LEN(values), &changed, e);
}
