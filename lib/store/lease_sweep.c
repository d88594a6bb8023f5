/* Leases of processes that have ended: they are free at once, not only when their time is over. */
#include "store/sqlite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/holder.h"

/* The shortest time between two searches of a process. */
#define LOOK_MS 1000

#define GONE_MAX 32 /* in one look */

const char *sqlite_holder(struct sqlite *db)
{
	pid_t pid = getpid();

	if (db->holder_pid != pid)
		holder_self(db->holder);
	db->holder_pid = pid;
	return db->holder;
}

struct gone {
	char holder[GONE_MAX][HOLDER_SIZE];
	size_t count;
};

static enum err find_gone(struct sqlite *db, struct gone *out, struct error *e)
{
	static const char sql[] = "SELECT holder FROM lease WHERE until > ?1 AND holder != ''"
				  " UNION SELECT holder FROM request"
				  "	WHERE until > ?1 AND holder != ''";
	const struct value values[] = {VALUE_INTEGER(clock_now())};
	sqlite3_stmt *row = NULL;
	bool more = false;
	enum err err = sqlite_start(db, sql, values, ARRAY_LEN(values), &row, e);

	if (!err)
		err = sqlite_next(db, row, &more, e);
	while (!err && more && out->count < GONE_MAX) {
		const char *holder = (const char *)sqlite3_column_text(row, 0);

		if (holder && strlen(holder) < HOLDER_SIZE && holder_is_gone(holder))
			snprintf(out->holder[out->count++], HOLDER_SIZE, "%s", holder);
		err = sqlite_next(db, row, &more, e);
	}
	sqlite_done(row);
	return err;
}

/* An event that the handler had begun becomes due at the end of its lease, which is now. */
static enum err free_leases(struct sqlite *db, const char *holder, struct error *e)
{
	static const char due[] = "UPDATE event SET next_at = ?2"
				  " WHERE state = 'pending' AND next_at > ?2 AND id IN"
				  "	(SELECT event_id FROM lease WHERE holder = ?1"
				  "	AND until > ?2)";
	static const char lease[] = "DELETE FROM lease WHERE holder = ?1";
	static const char request[] = "UPDATE request SET until = 0 WHERE holder = ?1";
	const struct value values[] = {VALUE_TEXT(holder), VALUE_INTEGER(clock_now())};
	enum err err = sqlite_run(db, due, values, ARRAY_LEN(values), e);

	if (!err)
		err = sqlite_run(db, lease, values, 1, e);
	return err ? err : sqlite_run(db, request, values, 1, e);
}

enum err sqlite_leases_sweep(struct sqlite *db, struct error *e)
{
	int64_t now = clock_monotonic_ms();
	struct gone gone = {.count = 0};
	enum err err;

	if (db->swept_at && now - db->swept_at < LOOK_MS)
		return ERR_OK;
	err = find_gone(db, &gone, e);
	if (!err && gone.count > 0) {
		err = sqlite_begin(db, e);
		if (err)
			return err;
		for (size_t i = 0; !err && i < gone.count; i++)
			err = free_leases(db, gone.holder[i], e);
		err = sqlite_end(db, err, e);
		if (!err)
			log_info("taken over: the work of %zu processes that have ended",
				gone.count);
	}
	if (!err)
		db->swept_at = now;
	return err;
}
