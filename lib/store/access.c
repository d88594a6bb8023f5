/* CAs that judge no request, and when they are tried again. */
#include "store/access.h"

#include <stdio.h>

#include "base/clock.h"
#include "store/handle.h"
#include "store/lease.h"

/* A state that was not used for so long belongs to other inputs. */
#define FORGET_SECONDS (7 * 86400)

enum column { SINCE, TRIED_AT, UNTIL, TRIES, CAUSE };

enum err store_access_find(struct store *store, const struct store_access *access,
	struct store_barred *out, struct error *e)
{
	static const char sql[] = "SELECT since, tried_at, until, tries, cause FROM barred"
				  " WHERE ca = $1 AND inputs = $2";
	const struct db_value values[] = {DB_TEXT(access->ca), DB_TEXT(access->inputs)};
	const char *cause;
	struct db_rows *row = NULL;
	enum err err = db_first(store->db, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "[%s] is not barred", access->ca);
	if (!err) {
		out->since = db_column_integer(row, SINCE);
		out->tried_at = db_column_integer(row, TRIED_AT);
		out->until = db_column_integer(row, UNTIL);
		out->tries = db_column_integer(row, TRIES);
		cause = db_column_text(row, CAUSE);
		snprintf(out->cause, sizeof(out->cause), "%s", cause ? cause : "");
	}
	db_done(row);
	return err;
}

/* In a transaction of its own; *changed: a row was. */
static enum err change(struct store *store, const char *sql, const struct db_value *values,
	size_t count, bool *changed, struct error *e)
{
	int64_t rows = 0;
	enum err err;

	do {
		err = db_begin(store->db, e);
		if (!err)
			err = db_change(store->db, sql, values, count, &rows, e);
	} while (db_end(store->db, &err, e));
	if (!err)
		*changed = rows > 0;
	return err;
}

/* A wait longer than any possible one comes from a wrong clock. */
enum err store_access_try(struct store *store, const struct store_access *access, int64_t lease,
	bool *ours, struct error *e)
{
	static const char sql[] =
		"UPDATE barred SET tried_at = $3, until = CASE WHEN until > $3 + $5 THEN until "
		"ELSE $3 + $5 END, run = $4"
		" WHERE ca = $1 AND inputs = $2"
		"	AND (until NOT BETWEEN $3 + 1 AND $3 + 3600 OR $4 NOT IN ('', run))";
	const struct db_value values[] = {DB_TEXT(access->ca), DB_TEXT(access->inputs),
		DB_INTEGER(clock_now()), DB_TEXT(access->run), DB_INTEGER(lease)};

	return change(store, sql, values, ARRAY_LEN(values), ours, e);
}
_Static_assert(STORE_WAIT_MAX == 3600, "store_access_try() has it as text");

enum err store_access_bar(struct store *store, const struct store_access *access, int64_t wait,
	const char *cause, struct error *e)
{
	static const char forget[] = "DELETE FROM barred WHERE tried_at < $1";
	static const char sql[] =
		"INSERT INTO barred (ca, inputs, since, tried_at, until, tries, run, cause)"
		" VALUES ($1, $2, $3, $3, $3 + $4, 1, $6, $5)"
		" ON CONFLICT (ca, inputs) DO UPDATE SET tried_at = excluded.tried_at,"
		"	until = excluded.until, tries = barred.tries + 1, run = excluded.run,"
		"	cause = excluded.cause";
	int64_t now = clock_now();
	const struct db_value old[] = {DB_INTEGER(now - FORGET_SECONDS)};
	const struct db_value values[] = {DB_TEXT(access->ca), DB_TEXT(access->inputs),
		DB_INTEGER(now), DB_INTEGER(wait), DB_TEXT(cause), DB_TEXT(access->run)};
	bool changed;
	enum err err = change(store, forget, old, ARRAY_LEN(old), &changed, e);

	return err ? err : change(store, sql, values, ARRAY_LEN(values), &changed, e);
}

enum err store_access_open(struct store *store, const struct store_access *access, struct error *e)
{
	static const char sql[] = "DELETE FROM barred WHERE ca = $1 AND inputs = $2";
	const struct db_value values[] = {DB_TEXT(access->ca), DB_TEXT(access->inputs)};
	bool changed;

	return change(store, sql, values, ARRAY_LEN(values), &changed, e);
}
