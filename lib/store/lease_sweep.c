/* Leases of processes that have ended: they are free at once, not only when their time is over. */
#include "store/lease_sweep.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/handle.h"
#include "store/holder.h"

/* The shortest time between two searches of a process. */
#define LOOK_MS 1000

#define GONE_MAX 32 /* in one look */

const char *lease_holder(struct store *store)
{
	pid_t pid = getpid();

	if (store->holder_pid != pid)
		holder_self(store->holder);
	store->holder_pid = pid;
	return store->holder;
}

struct gone {
	char holder[GONE_MAX][HOLDER_SIZE];
	size_t count;
};

static enum err find_gone(struct store *store, struct gone *out, struct error *e)
{
	static const char sql[] = "SELECT holder FROM lease WHERE until > $1 AND holder != ''"
				  " UNION SELECT holder FROM request"
				  "	WHERE until > $1 AND holder != ''";
	const struct db_value values[] = {DB_INTEGER(clock_now())};
	struct db_rows *row = NULL;
	bool more = false;
	enum err err = db_start(store->db, sql, values, ARRAY_LEN(values), &row, e);

	if (!err)
		err = db_next(row, &more, e);
	while (!err && more && out->count < GONE_MAX) {
		const char *holder = db_column_text(row, 0);

		if (holder && strlen(holder) < HOLDER_SIZE && holder_is_gone(holder))
			snprintf(out->holder[out->count++], HOLDER_SIZE, "%s", holder);
		err = db_next(row, &more, e);
	}
	db_done(row);
	return err;
}

/* An event that the handler had begun becomes due at the end of its lease, which is now. */
static enum err free_leases(struct store *store, const char *holder, struct error *e)
{
	static const char due[] = "UPDATE event SET next_at = $2"
				  " WHERE state = 'pending' AND next_at > $2 AND id IN"
				  "	(SELECT event_id FROM lease WHERE holder = $1"
				  "	AND until > $2)";
	static const char lease[] = "DELETE FROM lease WHERE holder = $1";
	static const char request[] = "UPDATE request SET until = 0 WHERE holder = $1";
	const struct db_value values[] = {DB_TEXT(holder), DB_INTEGER(clock_now())};
	enum err err = db_run(store->db, due, values, ARRAY_LEN(values), e);

	if (!err)
		err = db_run(store->db, lease, values, 1, e);
	return err ? err : db_run(store->db, request, values, 1, e);
}

static enum err free_all(struct store *store, const struct gone *gone, struct error *e)
{
	enum err err;

	do {
		err = db_begin(store->db, e);
		for (size_t i = 0; !err && i < gone->count; i++)
			err = free_leases(store, gone->holder[i], e);
	} while (db_end(store->db, &err, e));
	return err;
}

enum err leases_sweep(struct store *store, struct error *e)
{
	int64_t now = clock_monotonic_ms();
	struct gone gone = {.count = 0};
	enum err err;

	if (store->swept_at && now - store->swept_at < LOOK_MS)
		return ERR_OK;
	err = find_gone(store, &gone, e);
	if (!err && gone.count > 0) {
		err = free_all(store, &gone, e);
		if (!err)
			log_info("taken over: the work of %zu processes that have ended",
				gone.count);
	}
	if (!err)
		store->swept_at = now;
	return err;
}
