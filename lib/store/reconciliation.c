/*
 * What a comparison of the store with UEM reads here, and its result, which is a fact about the
 * store. UEM is asked by lib/provider.
 */
#include "store/reconciliation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/device.h"
#include "store/handle.h"
#include "store/meta.h"

#define NUMBERS 3
#define VALUE_SIZE 96

/* Any unenrollment of the device counts, also one that came before the device had a row. */
enum err store_reconciliation_look(struct store *store, const struct store_pair *pair,
	int64_t enrolled_at, const char *not_confirmed, enum store_heard *out, struct error *e)
{
	static const char sql[] =
		"SELECT CASE"
		" WHEN EXISTS (SELECT 1 FROM device WHERE device_uuid = $1 AND user_uuid = $2"
		"	AND state = 'enrolled') THEN 0"
		" WHEN EXISTS (SELECT 1 FROM event WHERE device_uuid = $1 AND user_uuid = $2"
		"	AND kind = 'enrolled' AND state IN ('pending', 'failed')"
		"	AND substr(cause, 1, length($4)) != $4) THEN 0"
		" WHEN EXISTS (SELECT 1 FROM device WHERE device_uuid = $1 AND user_uuid = $2"
		"	AND updated_at >= $3) THEN 2"
		" WHEN EXISTS (SELECT 1 FROM event WHERE device_uuid = $1"
		"	AND kind = 'unenrolled' AND state IN ('pending', 'recorded')"
		"	AND received_at >= $3) THEN 2"
		" ELSE 1 END";
	const struct db_value values[] = {DB_TEXT(pair->device_uuid), DB_TEXT(pair->user_uuid),
		DB_INTEGER(enrolled_at), DB_TEXT(not_confirmed)};
	int64_t found = 0;
	enum err err = db_integer(store->db, sql, values, ARRAY_LEN(values), 0, &found, e);

	if (!err)
		*out = found == 0 ? STORE_HEARD : found == 1 ? STORE_UNHEARD : STORE_ENDED;
	return err;
}

enum err store_reconciliation_enrolled(
	struct store *store, store_enrolled_row *row, void *ctx, struct error *e)
{
	static const char sql[] = "SELECT device_uuid, user_uuid, enrolled_at FROM device"
				  " WHERE state = 'enrolled' ORDER BY device_uuid, user_uuid";
	struct db_rows *rows = NULL;
	bool more = false;
	enum err err = db_start(store->db, sql, NULL, 0, &rows, e);

	if (!err)
		err = db_next(rows, &more, e);
	while (!err && more) {
		struct store_pair pair;

		err = db_copy_name(rows, 0, pair.device_uuid, UUID_SIZE, e);
		if (!err)
			err = db_copy_name(rows, 1, pair.user_uuid, UUID_SIZE, e);
		if (!err)
			err = row(ctx, &pair, db_column_integer(rows, 2), e);
		if (!err)
			err = db_next(rows, &more, e);
	}
	db_done(rows);
	return err;
}

enum err store_reconciliation_is_old(
	struct store *store, const char *device_uuid, int64_t time, bool *out, struct error *e)
{
	static const char sql[] =
		"SELECT CASE WHEN EXISTS (SELECT 1 FROM device"
		"		WHERE device_uuid = $1 AND state = 'enrolled')"
		"	AND NOT EXISTS (SELECT 1 FROM event WHERE device_uuid = $1"
		"		AND kind = 'enrolled' AND received_at >= $2) THEN 1 ELSE 0 END";
	const struct db_value values[] = {DB_TEXT(device_uuid), DB_INTEGER(time)};

	return db_true(store->db, sql, values, ARRAY_LEN(values), out, e);
}

/* --- the latest one: "AT ENROLLMENTS UNENROLLMENTS" */

enum err store_reconciliation_note(
	struct store *store, const struct store_reconciliation *done, struct error *e)
{
	char value[VALUE_SIZE];
	int len = snprintf(value, sizeof(value), "%" PRId64 " %" PRId64 " %" PRId64, done->at,
		done->missed_enrollments, done->missed_unenrollments);
	enum err err;

	do {
		err = db_begin(store->db, e);
		if (!err)
			err = meta_set(store, META_RECONCILED, value, (size_t)len, e);
	} while (db_end(store->db, &err, e));
	return err;
}

/* What is no such value was altered by somebody; it is only shown. */
static bool read_value(const struct blob *value, struct store_reconciliation *out)
{
	char text[VALUE_SIZE] = "", *word = text;
	int64_t number[NUMBERS] = {0};

	if (value->len >= sizeof(text))
		return false;
	memcpy(text, value->data, value->len);
	for (int i = 0; i < NUMBERS; i++) {
		char *end = word + strcspn(word, " ");
		bool last = *end == '\0';

		*end = '\0';
		if (last != (i == NUMBERS - 1) || !text_number(word, INT64_MAX, &number[i]))
			return false;
		word = end + 1;
	}
	*out = (struct store_reconciliation){number[0], number[1], number[2]};
	return true;
}

enum err store_reconciliation_last(
	struct store *store, struct store_reconciliation *out, struct error *e)
{
	struct store_reconciliation last = {0};
	struct blob value = {NULL, 0};
	enum err err = meta_get(store, META_RECONCILED, &value, e);

	if (err && err != ERR_NOT_FOUND)
		return err;
	if (!err && !read_value(&value, &last))
		err = error_set(e, ERR_ALTERED, "the time of the latest reconciliation is damaged");
	blob_free(&value);
	if (err == ERR_ALTERED)
		return err;
	*out = last;
	return ERR_OK;
}
