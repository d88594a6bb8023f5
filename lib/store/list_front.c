#include "store/list.h"

#include "base/did_you_mean.h"
#include "config/vocabulary.h"
#include "store/internal.h"

const char *const store_table_names[STORE_TABLE_COUNT] = {
	[STORE_DEVICES] = "devices",
	[STORE_USERS] = "users",
	[STORE_CERTIFICATES] = "certificates",
	[STORE_UPLOADS] = "uploads",
	[STORE_EVENTS] = "events",
	[STORE_AUDIT] = "audit",
};

static const char *const device_state_names[] = {"enrolled", "unenrolled"};

/* A state that a table cannot have is a slip of the keyboard, not an empty list. */
static enum err check_state(enum store_table table, const char *state, struct error *e)
{
	static const struct {
		const char *const *names;
		size_t count;
	} states[STORE_TABLE_COUNT] = {
		[STORE_DEVICES] = {device_state_names, ARRAY_LEN(device_state_names)},
		[STORE_USERS] = {device_state_names, ARRAY_LEN(device_state_names)},
		[STORE_CERTIFICATES] = {credential_state_names, CREDENTIAL_STATE_COUNT},
		[STORE_UPLOADS] = {upload_state_names, UPLOAD_STATE_COUNT},
		[STORE_EVENTS] = {event_state_names, EVENT_STATE_COUNT},
		[STORE_AUDIT] = {audit_action_names, AUDIT_ACTION_COUNT},
	};
	struct buf names = BUF_INIT(ERROR_TEXT_MAX / 2);
	struct did_you_mean nearest = DID_YOU_MEAN_INIT(state);
	char hint[DID_YOU_MEAN_TEXT_SIZE];
	enum err err;

	if (!*state || vocabulary_find(states[table].names, states[table].count, state) >= 0)
		return ERR_OK;
	for (size_t i = 0; i < states[table].count; i++) {
		buf_printf(&names, "%s%s", i ? ", " : "", states[table].names[i]);
		did_you_mean_try(&nearest, states[table].names[i]);
	}
	err = error_set(e, ERR_USAGE, "no state of %s: %.40s; they are %s%s",
		store_table_names[table], state, names.data ? names.data : "",
		did_you_mean_text(&nearest, hint));
	buf_free(&names);
	return err;
}

enum err store_list(struct store *store, enum store_table table, const struct store_filter *filter,
	store_row *row, void *ctx, struct error *e)
{
	struct store_filter f = {
		.user = filter->user ? filter->user : "",
		.device = filter->device ? filter->device : "",
		.state = filter->state ? filter->state : "",
		.expires_before = filter->expires_before,
		.any = filter->any ? filter->any : "",
		.enrolled = filter->enrolled,
		.alone = filter->alone,
		.limit = filter->limit,
	};
	enum err err = check_state(table, f.state, e);

	return err ? err : store->engine->list(store->self, table, &f, row, ctx, e);
}

enum err store_count_ending(
	struct store *store, int64_t from, int64_t before, int64_t *count, struct error *e)
{
	return store->engine->count_ending(store->self, from, before, count, e);
}

enum err store_count(struct store *store, int64_t now, struct store_counts *out, struct error *e)
{
	return store->engine->count(store->self, now, out, e);
}
