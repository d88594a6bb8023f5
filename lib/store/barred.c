/* Barred peers: those that process no request, why, and when they may be tried again. */
#include "store/barred.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "db/change_alone.h"
#include "store/due.h"
#include "store/handle.h"

/* A row that was not used for so long belongs to inputs that are no longer in use. */
#define FORGET_SECONDS (7 * 86400)

enum column { SINCE, TRIED_AT, UNTIL, TRIES, CAUSE };

enum err store_barred_find(struct store *store, const struct store_peer *peer,
	struct store_barred *out, struct error *e)
{
	static const char sql[] = "SELECT since, tried_at, until, tries, cause FROM barred"
				  " WHERE ca = $1 AND inputs = $2";
	const struct db_value values[] = {DB_TEXT(peer->section), DB_TEXT(peer->inputs)};
	const char *cause;
	struct db_rows *row = NULL;
	enum err err = db_first(store->db, sql, values, ARRAY_LEN(values), &row, e);

	if (err == ERR_NOT_FOUND)
		error_set(e, err, "[%s] is not barred", peer->section);
	if (!err) {
		out->since = db_column_integer(row, SINCE);
		out->tried_at = db_column_integer(row, TRIED_AT);
		out->until = db_column_integer(row, UNTIL);
		out->tries = db_column_integer(row, TRIES);
		cause = db_column_text(row, CAUSE);
		snprintf(out->cause, sizeof(out->cause), "%s", text_or_empty(cause));
	}
	db_done(row);
	return err;
}

/* A wait longer than STORE_WAIT_MAX, unless endless, was written by a wrong clock: ignored. */
enum err store_barred_try(struct store *store, const struct store_peer *peer, int64_t lease,
	bool *ours, struct error *e)
{
	static const char sql[] =
		"UPDATE barred SET tried_at = $3, run = $4,"
		"	until = CASE WHEN until > $3 + $5 THEN until ELSE $3 + $5 END"
		" WHERE ca = $1 AND inputs = $2"
		"	AND ((until NOT BETWEEN $3 + 1 AND $3 + 3600"
		"			AND until < 9223372036854775807)"
		"		OR $4 NOT IN ('', run))";
	const struct db_value values[] = {DB_TEXT(peer->section), DB_TEXT(peer->inputs),
		DB_INTEGER(clock_now()), DB_TEXT(peer->run), DB_INTEGER(lease)};
	int64_t changed = 0;
	enum err err = db_change_alone(store->db, sql, values, ARRAY_LEN(values), &changed, e);

	if (!err)
		*ours = changed > 0;
	return err;
}
_Static_assert(STORE_WAIT_MAX == 3600 && STORE_WAIT_ENDLESS == INT64_C(9223372036854775807),
	"store_barred_try() has it as text");

enum err store_barred_set(struct store *store, const struct store_peer *peer, int64_t wait,
	const char *cause, struct error *e)
{
	static const char forget[] = "DELETE FROM barred WHERE tried_at < $1"
				     " AND until < 9223372036854775807";
	static const char sql[] =
		"INSERT INTO barred (ca, inputs, since, tried_at, until, tries, run, cause)"
		" VALUES ($1, $2, $3, $3, $4, 1, $6, $5)"
		" ON CONFLICT (ca, inputs) DO UPDATE SET tried_at = excluded.tried_at,"
		"	until = excluded.until, tries = barred.tries + 1, run = excluded.run,"
		"	cause = excluded.cause";
	int64_t now = clock_now();
	int64_t until = wait == STORE_WAIT_ENDLESS ? wait : now + wait;
	const struct db_value old[] = {DB_INTEGER(now - FORGET_SECONDS)};
	const struct db_value values[] = {DB_TEXT(peer->section), DB_TEXT(peer->inputs),
		DB_INTEGER(now), DB_INTEGER(until), DB_TEXT(cause), DB_TEXT(peer->run)};
	enum err err = db_change_alone(store->db, forget, old, ARRAY_LEN(old), NULL, e);

	return err ? err : db_change_alone(store->db, sql, values, ARRAY_LEN(values), NULL, e);
}

enum err store_barred_clear(struct store *store, const struct store_peer *peer, struct error *e)
{
	static const char sql[] = "DELETE FROM barred WHERE ca = $1 AND inputs = $2";
	const struct db_value values[] = {DB_TEXT(peer->section), DB_TEXT(peer->inputs)};

	return db_change_alone(store->db, sql, values, ARRAY_LEN(values), NULL, e);
}
