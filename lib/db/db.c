/*
 * What is the same for all databases: the way to a driver, running a transaction again, copies of
 * columns, and the words of the schema. It knows no tables.
 */
#include "db/db.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db/driver.h"

/* --- opening */

enum err db_create(
	const struct db_driver *driver, const char *place, struct db **out, struct error *e)
{
	return driver->create(place, out, e);
}

enum err db_open(
	const struct db_driver *driver, const char *place, struct db **out, struct error *e)
{
	return driver->open(place, out, e);
}

void db_close(struct db *db)
{
	if (db)
		db->driver->close(db);
}

void db_discard(struct db *db)
{
	if (db)
		db->driver->discard(db);
}

const char *db_name(const struct db *db)
{
	return db->driver->name(db);
}

/* --- transactions */

#define TRIES_MAX 8
#define PAUSE_MS 5 /* doubled with each try: 10 before the second */

enum err db_begin(struct db *db, struct error *e)
{
	return db->driver->begin(db, e);
}

enum err db_begin_read(struct db *db, struct error *e)
{
	return db->driver->begin_read(db, e);
}

/* With jitter: those who met shall not meet again. */
static void pause_before(unsigned try)
{
	long most = PAUSE_MS * 1000000L << try;
	struct timespec pause = {0, most};
	unsigned jitter = 0;

	if (gnutls_rnd(GNUTLS_RND_NONCE, &jitter, sizeof(jitter)) >= 0)
		pause.tv_nsec = most / 2 + (long)(jitter % (unsigned)(most / 2));
	pause.tv_sec = pause.tv_nsec / 1000000000L;
	pause.tv_nsec %= 1000000000L;
	nanosleep(&pause, NULL);
}

bool db_end(struct db *db, enum err *err, struct error *e)
{
	bool again = false;

	*err = db->driver->end(db, *err, &again, e);
	if (*err && again && ++db->tries < TRIES_MAX) {
		pause_before(db->tries);
		return true;
	}
	db->tries = 0;
	return false;
}

/* --- statements */

enum err db_run(struct db *db, const char *sql, const struct db_value *values, size_t count,
	struct error *e)
{
	return db->driver->run(db, sql, values, count, e);
}

enum err db_change(struct db *db, const char *sql, const struct db_value *values, size_t count,
	int64_t *changed, struct error *e)
{
	return db->driver->change(db, sql, values, count, changed, e);
}

enum err db_integer(struct db *db, const char *sql, const struct db_value *values, size_t count,
	int64_t fallback, int64_t *out, struct error *e)
{
	struct db_rows *rows = NULL;
	bool row = false;
	enum err err = db_start(db, sql, values, count, &rows, e);

	if (!err)
		err = db_next(rows, &row, e);
	if (!err)
		*out = row && !db_column_is_null(rows, 0) ? db_column_integer(rows, 0) : fallback;
	db_done(rows);
	return err;
}

enum err db_true(struct db *db, const char *sql, const struct db_value *values, size_t count,
	bool *out, struct error *e)
{
	int64_t found = 0;
	enum err err = db_integer(db, sql, values, count, 0, &found, e);

	if (!err)
		*out = found != 0;
	return err;
}

enum err db_flush(struct db *db, struct error *e)
{
	return db->driver->flush(db, e);
}

enum err db_start(struct db *db, const char *sql, const struct db_value *values, size_t count,
	struct db_rows **out, struct error *e)
{
	return db->driver->start(db, sql, false, values, count, out, e);
}

enum err db_start_once(struct db *db, const char *sql, const struct db_value *values, size_t count,
	struct db_rows **out, struct error *e)
{
	return db->driver->start(db, sql, true, values, count, out, e);
}

enum err db_first(struct db *db, const char *sql, const struct db_value *values, size_t count,
	struct db_rows **out, struct error *e)
{
	struct db_rows *rows = NULL;
	bool found = false;
	enum err err = db_start(db, sql, values, count, &rows, e);

	if (!err)
		err = db_next(rows, &found, e);
	if (!err && !found)
		err = error_set(e, ERR_NOT_FOUND, "%s: nothing of that is there", db_name(db));
	if (err)
		db_done(rows);
	else
		*out = rows;
	return err;
}

enum err db_next(struct db_rows *rows, bool *row, struct error *e)
{
	return rows->db->driver->next(rows, row, e);
}

void db_done(struct db_rows *rows)
{
	if (rows)
		rows->db->driver->done(rows);
}

/* --- columns */

int db_columns(const struct db_rows *rows)
{
	return rows->db->driver->columns(rows);
}

const char *db_column_name(const struct db_rows *rows, int column)
{
	return rows->db->driver->column_name(rows, column);
}

enum db_type db_column_type(const struct db_rows *rows, int column)
{
	return rows->db->driver->column_type(rows, column);
}

int64_t db_column_integer(const struct db_rows *rows, int column)
{
	return rows->db->driver->column_integer(rows, column);
}

bool db_column_is_null(const struct db_rows *rows, int column)
{
	return db_column_type(rows, column) == DB_TYPE_NULL;
}

const char *db_column_text(const struct db_rows *rows, int column)
{
	return rows->db->driver->column_text(rows, column);
}

const void *db_column_bytes(const struct db_rows *rows, int column, size_t *len)
{
	return rows->db->driver->column_bytes(rows, column, len);
}

enum err db_copy_text(const struct db_rows *rows, int column, char **out, struct error *e)
{
	const char *text = db_column_text(rows, column);
	char *copy = text ? strdup(text) : NULL;

	if (!copy)
		return error_memory(e);
	*out = copy;
	return ERR_OK;
}

enum err db_copy_blob(const struct db_rows *rows, int column, struct blob *out, struct error *e)
{
	size_t len = 0;
	const void *data = db_column_bytes(rows, column, &len);

	return blob_copy(data, len, out, e);
}

enum err db_copy_name(
	const struct db_rows *rows, int column, char *out, size_t size, struct error *e)
{
	const char *text = db_column_text(rows, column);

	if (!text)
		return error_memory(e);
	if (strlen(text) >= size)
		return error_set(e, ERR_CONFIG, "%s: a %s is too long: %.80s", db_name(rows->db),
			db_column_name(rows, column), text);
	memcpy(out, text, strlen(text) + 1);
	return ERR_OK;
}

/* --- the schema */

#define SCRIPT_MAX (64 * 1024)

enum err db_version(struct db *db, int64_t *version, struct error *e)
{
	return db->driver->version(db, version, e);
}

/* A word is the whole text between the braces, or all but a name at its end. */
static const struct db_word *find_word(
	const struct db_driver *driver, const char *text, size_t len, size_t *used)
{
	for (const struct db_word *w = driver->words; w->word; w++) {
		bool named = strchr(w->meaning, '@') != NULL;

		*used = strlen(w->word);
		if (strncmp(w->word, text, *used) == 0 &&
			(named ? *used < len && text[*used] == ' ' : *used == len))
			return w;
	}
	return NULL;
}

static void put_meaning(struct buf *script, const char *meaning, const char *name, size_t len)
{
	for (; *meaning; meaning++) {
		if (*meaning == '@')
			buf_append(script, name, len);
		else
			buf_putc(script, *meaning);
	}
}

static enum err translate(
	const struct db_driver *driver, const char *step, struct buf *script, struct error *e)
{
	while (*step) {
		size_t plain = strcspn(step, "{"), len, used = 0;
		const struct db_word *word;

		buf_append(script, step, plain);
		step += plain;
		if (!*step)
			break;
		len = strcspn(++step, "}");
		word = find_word(driver, step, len, &used);
		if (!word || step[len] != '}')
			return error_set(e, ERR_INTERNAL, "no word of the schema: {%.40s", step);
		put_meaning(
			script, word->meaning, step + used + 1, len > used ? len - used - 1 : 0);
		step += len + 1;
	}
	return buf_check(script, e);
}

enum err db_set_version(struct db *db, const char *step, int64_t version, struct error *e)
{
	struct buf script = BUF_INIT(SCRIPT_MAX);
	enum err err = translate(db->driver, step, &script, e);

	if (!err)
		err = db->driver->set_version(db, script.data ? script.data : "", version, e);
	buf_free(&script);
	return err;
}

/* --- upkeep */

enum err db_ping(struct db *db, struct error *e)
{
	return db->driver->ping(db, e);
}

enum err db_examine(struct db *db, struct error *e)
{
	return db->driver->examine(db, e);
}

enum err db_scrub(struct db *db, struct error *e)
{
	return db->driver->scrub(db, e);
}

enum err db_reserve(struct db *db, bool *ours, struct error *e)
{
	return db->driver->reserve(db, ours, e);
}
