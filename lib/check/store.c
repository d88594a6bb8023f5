/*
 * Checks the store: its files and their disk, its contents, and the events that wait in it. Leaves
 * the store open for the subjects that are checked after this one.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "check/account.h"
#include "check/disk.h"
#include "check/subject.h"
#include "store/audit.h"
#include "store/event.h"
#include "store/list.h"
#include "store/rekey.h"
#include "store/store.h"

#define MEGABYTE (1024 * 1024LL)
#define DISK_FULL (16 * MEGABYTE)     /* no room for a transaction and its log */
#define DISK_LOW (256 * MEGABYTE)     /* in any case */
#define DISK_ENOUGH (5000 * MEGABYTE) /* even if it is a small part of a large disk */
#define DISK_LOW_PERCENT 5

#define LOG_LARGE (64 * MEGABYTE)     /* SQLite begins it anew at 4 MB, when nobody reads */
#define EXAMINE_MAX (4096 * MEGABYTE) /* to read a larger one takes minutes */
#define WAITED_LONG (2 * 3600)	      /* seconds: longer than any pause between two tries */

/* --- files and disk; before the store is opened, which changes them */

/* The write-ahead log grows as long as a process reads what is older. */
static void check_log(struct check *c)
{
	const char *database = c->database;
	char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%s-wal", database) < 0)
		return;
	if (stat(path, &st) == 0 && st.st_size > LOG_LARGE)
		finding_warn(c, "write-ahead log",
			"%s has grown to %lld MB, because another process keeps reading the "
			"store" FIX "find it with fuser %s, and end it",
			path, (long long)(st.st_size / MEGABYTE), database);
	free(path);
}

/* SQLite and we make other files beside the database. */
static void check_folder(struct check *c)
{
	const char *database = c->database, *slash = strrchr(database, '/');
	char blocked[PATH_MAX] = "", *folder;
	struct account service;
	struct stat st;

	if (!slash || slash == database || stat(database, &st) < 0)
		return;
	folder = strndup(database, (size_t)(slash - database));
	account_of(st.st_uid, &service);
	if (folder && !account_may(&service, folder, R_OK | W_OK | X_OK, blocked))
		finding_warn(c, "store's folder",
			"user %s, the owner of the store, cannot write in %s because of the mode "
			"of %s" FIX "chown it to %s, chmod u+rwx",
			service.name, folder, blocked, service.name);
	free(folder);
}

static void judge_disk(struct check *c, const struct disk *disk)
{
	const char *path = c->database;
	int64_t percent = disk->size > 0 ? disk->free * 100 / disk->size : 0;
	long long megabytes = disk->free / MEGABYTE;

	if (disk->free < DISK_FULL)
		finding_fail(c, "disk", ERR_UNAVAILABLE,
			"%lld MB are left for %s" FIX "make room, or nothing can be recorded",
			megabytes, path);
	else if (disk->free < DISK_LOW || (percent < DISK_LOW_PERCENT && disk->free < DISK_ENOUGH))
		finding_warn(c, "disk", "%lld MB (%lld %%) are left for %s" FIX "make room",
			megabytes, (long long)percent, path);
	else if (disk->network)
		finding_warn(c, "disk",
			"%s is on a network file system, where SQLite's log and locks cannot be "
			"relied on" FIX "move it to a local disk",
			path);
	else
		finding_good(
			c, "disk", "%lld MB (%lld %%) are left", megabytes, (long long)percent);
}

static void check_disk(struct check *c)
{
	struct disk disk;
	struct error e;

	/* without a file there, opening it is what fails */
	if (!disk_look(c->database, &disk, &e))
		judge_disk(c, &disk);
}

/* --- what is in it */

static void check_keys(struct check *c)
{
	if (store_key_count(c->store) > 1)
		finding_warn(c, "master keys",
			"%s has %zu, so certprov rekey is running, or was not finished" FIX
			"run it again",
			c->config->store.key_file, store_key_count(c->store));
}

static void check_damage(struct check *c)
{
	const char *path = c->database;
	struct stat st;
	struct error e;
	enum err err;

	if (stat(path, &st) == 0 && st.st_size > EXAMINE_MAX) {
		finding_warn(c, "integrity",
			"%s is too large to be checked here" FIX
			"at a quiet time, run: sqlite3 %s 'PRAGMA quick_check'",
			path, path);
		return;
	}
	err = store_examine(c->store, &e);
	finding_result(c, "integrity", err, &e, "the database is whole");
}

static void check_audit(struct check *c)
{
	struct error e;
	int64_t count = 0;
	enum err err = store_audit_verify(c->store, &count, &e);

	if (err)
		finding_error(c, "audit trail", &e);
	else
		finding_good(c, "audit trail", "%lld entries, all as they were written",
			(long long)count);
}

/* The rows that decide where keys go and what is revoked. */
static void check_rows(struct check *c)
{
	struct error e;
	int64_t count = 0;
	enum err err = store_rows_verify(c->store, &count, &e);

	if (err)
		finding_error(c, "rows", &e);
	else
		finding_good(c, "rows", "%lld rows decide where keys go, all as they were written",
			(long long)count);
}

/* Events that should have been finished by now. */
static void check_events(struct check *c)
{
	int64_t now = clock_now();
	struct store_counts counts;
	struct error e;
	long long pending, failed, waited;

	if (store_count(c->store, now, &counts, &e)) {
		finding_error(c, "events", &e);
		return;
	}
	pending = counts.events[EVENT_STATE_PENDING];
	failed = counts.events[EVENT_STATE_FAILED];
	waited = counts.oldest_pending ? now - counts.oldest_pending : 0;
	if (waited > WAITED_LONG)
		finding_warn(c, "events",
			"%lld are pending, the oldest for %lld hours" FIX
			"see the cause with certprov status, and let a timer run certprov deliver",
			pending, waited / 3600);
	if (failed)
		finding_warn(c, "events",
			"%lld have failed for good" FIX
			"see the cause with certprov status, fix it, then run: certprov deliver "
			"--now",
			failed);
	if (waited <= WAITED_LONG && !failed)
		finding_good(c, "events", "none has failed, none has waited for long");
}

static void check(struct check *c)
{
	struct error e;
	enum err err;

	check_log(c);
	check_folder(c);
	check_disk(c);
	err = store_open(c->config, &c->store, &e);
	if (!err)
		err = store_ping(c->store, &e);
	finding_result(c, "store", err, &e, c->database);
	if (err)
		return;
	check_keys(c);
	check_damage(c);
	check_audit(c);
	check_rows(c);
	check_events(c);
}

const struct check_subject subject_store = {check, NULL};
