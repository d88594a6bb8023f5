/* Finds the one user or device that a name means, and lists the candidates where it is not one. */

#include "store/find.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "store/list.h"

#define SHOWN_MAX 6 /* as many as an error's text has room for */
#define NAME_MAX_SHOWN 60

struct search {
	const char *key;     /* the column with the UUID */
	const char *name[2]; /* columns that tell candidates apart */
	struct buf shown;
	char uuid[SHOWN_MAX][UUID_SIZE];
	size_t count; /* of different ones */
};

static const char *value_of(const struct store_column *columns, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(columns[i].name, name) == 0 && columns[i].value)
			return columns[i].value;
	return "";
}

/* A device has a row for each user that it has had. */
static bool is_new(const struct search *search, const char *uuid)
{
	for (size_t i = 0; i < search->count && i < SHOWN_MAX; i++)
		if (strcmp(search->uuid[i], uuid) == 0)
			return false;
	return true;
}

static enum err take(void *ctx, const struct store_column *columns, size_t count, struct error *e)
{
	struct search *search = ctx;
	const char *uuid = value_of(columns, count, search->key);

	(void)e;
	if (!is_new(search, uuid))
		return ERR_OK;
	if (search->count < SHOWN_MAX) {
		snprintf(search->uuid[search->count], UUID_SIZE, "%s", uuid);
		buf_printf(&search->shown, "%s%s (%.*s, %.*s)", search->count ? ", " : "", uuid,
			NAME_MAX_SHOWN, value_of(columns, count, search->name[0]), NAME_MAX_SHOWN,
			value_of(columns, count, search->name[1]));
	}
	search->count++;
	return ERR_OK;
}

static enum err judge(const struct search *search, enum store_table table, const char *text,
	char uuid[UUID_SIZE], struct error *e)
{
	bool user = table == STORE_USERS;

	if (search->count == 0)
		return error_set(e, ERR_NOT_FOUND, "no %s has the %s %.100s; see: certprov list %s",
			user ? "user" : "device", user ? "name or mail address" : "name", text,
			store_table_names[table]);
	if (search->count > 1)
		return error_set(e, ERR_USAGE, "%.100s is not unique, give the UUID: %s%s", text,
			text_or_empty(search->shown.data),
			search->count > SHOWN_MAX ? ", and more" : "");
	memcpy(uuid, search->uuid[0], UUID_SIZE);
	return ERR_OK;
}

static enum err find(struct store *store, enum store_table table, const char *text,
	char uuid[UUID_SIZE], struct error *e)
{
	bool user = table == STORE_USERS;
	const struct store_filter filter = {.user = user ? text : "", .device = user ? "" : text};
	struct search search = {
		.key = user ? "user_uuid" : "device_uuid",
		.name = {user ? "user_name" : "device_name", user ? "mail" : "user_name"},
		.shown = BUF_INIT(4096),
	};
	enum err err;

	if (text_uuid(text, uuid))
		return ERR_OK;
	if (!*text)
		return error_set(
			e, ERR_USAGE, "the name of a %s is empty", user ? "user" : "device");
	err = store_list(store, table, &filter, take, &search, e);
	if (!err)
		err = judge(&search, table, text, uuid, e);
	buf_free(&search.shown);
	return err;
}

enum err store_find_user(
	struct store *store, const char *text, char uuid[UUID_SIZE], struct error *e)
{
	return find(store, STORE_USERS, text, uuid, e);
}

enum err store_find_device(
	struct store *store, const char *text, char uuid[UUID_SIZE], struct error *e)
{
	return find(store, STORE_DEVICES, text, uuid, e);
}
