/* Groups unfinished events and uploads by cause: a gateway that is down is one fault. */

#include "provider/unfinished_causes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MAX 100000 /* rows of each table */

static const char *value_of(const struct store_column *columns, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(columns[i].name, name) == 0 && columns[i].value)
			return columns[i].value;
	return "";
}

/* NULL: there is no room for another. */
static struct unfinished_cause *cause_of(struct unfinished_causes *causes, const char *text)
{
	struct unfinished_cause *cause;

	for (size_t i = 0; i < causes->count; i++)
		if (strncmp(causes->cause[i].text, text, ERROR_TEXT_MAX - 1) == 0)
			return &causes->cause[i];
	if (causes->count == UNFINISHED_CAUSES_MAX)
		return NULL;
	cause = &causes->cause[causes->count++];
	*cause = (struct unfinished_cause){.count = 0};
	snprintf(cause->text, sizeof(cause->text), "%s", text);
	return cause;
}

/* Times of RFC 3339 are in order as texts are. */
static void count_in(
	struct unfinished_causes *causes, const char *text, const char *time, const char *device)
{
	struct unfinished_cause *cause = cause_of(causes, text);

	if (!cause) {
		causes->others++;
		return;
	}
	if (cause->count++ == 0 || strcmp(time, cause->since) < 0)
		snprintf(cause->since, sizeof(cause->since), "%s", time);
	snprintf(cause->device_uuid, sizeof(cause->device_uuid), "%s", device);
}

static enum err take(void *ctx, const struct store_column *columns, size_t count, struct error *e)
{
	const char *text = value_of(columns, count, "cause");
	const char *time = value_of(columns, count, "received_at");

	(void)e;
	if (!*time)
		time = value_of(columns, count, "updated_at");
	if (*text)
		count_in(ctx, text, time, value_of(columns, count, "device_uuid"));
	return ERR_OK;
}

static int compare(const void *left, const void *right)
{
	const struct unfinished_cause *a = left, *b = right;

	return (a->count < b->count) - (a->count > b->count);
}

enum err unfinished_causes_gather(
	struct store *store, const char *state, struct unfinished_causes *out, struct error *e)
{
	struct store_filter filter = {.state = state, .limit = READ_MAX};
	enum err err;

	out->count = 0;
	out->others = 0;
	err = store_list(store, STORE_EVENTS, &filter, take, out, e);
	filter.enrolled = filter.alone = true;
	if (!err)
		err = store_list(store, STORE_UPLOADS, &filter, take, out, e);
	if (!err)
		qsort(out->cause, out->count, sizeof(*out->cause), compare);
	return err;
}
