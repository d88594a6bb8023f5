/*
 * A provider that does what the event's body says, for tests of what is above it:
 *
 *   deliver | record | ignore TYPE | sleep MILLISECONDS | fail LABEL SECONDS TEXT | crash
 *
 * [escrow] identity names a file with the second in which our client certificate ends, if any;
 * the file "clock" beside it has the seconds by which the clock is ahead.
 *
 * A file of [ca] certificate's name and ".barred" has the cause why that CA judges nothing.
 *
 * It opens if [ca] certificate is a file that begins with "good" ("full": not now), its store
 * answers as long as [store] url names a file, and it appends each body that it has handled to
 * [store] url's file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "pki/key_pool.h"
#include "provider/barred_peer_try.h"
#include "provider/crl.h"
#include "provider/expiry.h"
#include "provider/expiry_gather.h"
#include "provider/handle_event.h"
#include "provider/local_ca.h"
#include "provider/provider.h"
#include "store/reconciliation.h"

struct provider {
	const struct config *config;
};

enum err provider_open(const struct config *config, struct provider **out, struct error *e)
{
	struct blob content = {NULL, 0};
	enum err err = file_read(config->ca.certificate, &content, e);
	bool good, full;

	if (err)
		return err;
	good = strncmp((char *)content.data, "good", 4) == 0;
	full = strncmp((char *)content.data, "full", 4) == 0;
	blob_free(&content);
	if (full)
		return error_set(e, ERR_UNAVAILABLE, "the disk is full");
	if (!good)
		return config_error(config, "ca", "certificate", e, "it is not good");
	*out = malloc(sizeof(**out));
	if (!*out)
		return error_memory(e);
	(*out)->config = config;
	return ERR_OK;
}

void provider_close(struct provider *provider)
{
	free(provider);
}

static enum err fail(const char *arguments, struct error *e)
{
	char label[32] = "";
	size_t len = strcspn(arguments, " ");
	char *text = NULL;
	int seconds = (int)strtol(arguments + len, &text, 10);

	memcpy(label, arguments, len < sizeof(label) ? len : 0);
	for (unsigned code = 1; code < ERR_COUNT; code++) {
		if (strcmp(error_meaning((enum err)code)->label, label) != 0)
			continue;
		error_field(e, (enum err)code, "EnrollmentUserName", "%s", text + (*text == ' '));
		e->retry_after = seconds;
		return e->code;
	}
	abort();
}

/* A file with ".begun" behind the store's name has those that have begun to sleep. */
static void note_begun(const struct provider *provider, const char *body)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s.begun", provider->config->store.sqlite);
	file = fopen(path, "a");
	if (!file)
		return;
	fprintf(file, "%s\n", body);
	fclose(file);
}

static void sleep_for(const char *milliseconds)
{
	long ms = strtol(milliseconds, NULL, 10);
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};

	if (nanosleep(&left, NULL) < 0)
		abort(); /* no signal may interrupt the work */
}

static enum err deliver(struct event_result *out, struct error *e)
{
	static const char *const usages[] = {"signing", "encryption", "archived"};
	struct event_result result = {.kind = RESULT_DELIVERED,
		.device_uuid = "11111111-2222-3333-4444-555555555555",
		.user_uuid = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"};

	result.certificate = calloc(ARRAY_LEN(usages), sizeof(*result.certificate));
	if (!result.certificate)
		return error_memory(e);
	for (size_t i = 0; i < ARRAY_LEN(usages); i++) {
		struct event_result_certificate *c =
			&result.certificate[result.certificate_count++];

		c->usage = usages[i];
		snprintf(c->serial, sizeof(c->serial), "0%zuab", i);
		c->not_after = 1582563145;
	}
	*out = result;
	return ERR_OK;
}

static enum err obey(const char *body, struct event_result *out, struct error *e)
{
	if (strncmp(body, "fail ", 5) == 0)
		return fail(body + 5, e);
	if (strcmp(body, "crash") == 0)
		abort();
	if (strncmp(body, "sleep ", 6) == 0)
		sleep_for(body + 6);
	if (strcmp(body, "record") == 0) {
		*out = (struct event_result){.kind = RESULT_RECORDED};
		return ERR_OK;
	}
	if (strncmp(body, "ignore ", 7) == 0) {
		*out = (struct event_result){.kind = RESULT_IGNORED};
		out->event_type = strdup(body + 7);
		return out->event_type ? ERR_OK : error_memory(e);
	}
	if (strcmp(body, "deliver") == 0 || strncmp(body, "sleep ", 6) == 0)
		return deliver(out, e);
	return error_field(e, ERR_MALFORMED, "EventId", "The event has no \"EventId\".");
}

enum err provider_handle(struct provider *provider, const char *body, size_t len,
	struct event_result *out, struct error *e)
{
	FILE *journal;
	enum err err;

	if (strncmp(body, "sleep ", 6) == 0)
		note_begun(provider, body);
	err = strlen(body) == len ? obey(body, out, e)
				  : error_set(e, ERR_MALFORMED, "The event has a NUL.");
	journal = fopen(provider->config->store.sqlite, "a");
	out->recorded = journal != NULL;
	if (journal) {
		fprintf(journal, "%s\n", body);
		fclose(journal);
	}
	return err;
}

static int64_t number_in(const char *path)
{
	struct blob content = {NULL, 0};
	int64_t number = 0;
	struct error e;

	if (file_read(path, &content, &e))
		return 0;
	number = strtoll((char *)content.data, NULL, 10);
	blob_free(&content);
	return number;
}

static char clock_file[512];

static int64_t clock_ahead(void)
{
	return (int64_t)time(NULL) + number_in(clock_file);
}

static void use_clock(const struct config *config)
{
	const char *slash = strrchr(config->escrow.identity, '/');

	snprintf(clock_file, sizeof(clock_file), "%.*s/clock",
		(int)(slash - config->escrow.identity), config->escrow.identity);
	clock_replace(clock_ahead);
}

void expiry_gather(
	const struct config *config, struct store *store, struct expiry out[EXPIRY_COUNT])
{
	int64_t not_after = number_in(config->escrow.identity);

	(void)store;
	for (int i = 0; i < EXPIRY_COUNT; i++)
		out[i] = (struct expiry){.what = (enum expiry_what)i, .level = EXPIRY_NONE};
	if (not_after)
		out[EXPIRY_CLIENT] = expiry_judge(EXPIRY_CLIENT, 0, not_after);
}

void expiry_of_provider(struct provider *provider, struct expiry out[EXPIRY_COUNT])
{
	expiry_gather(provider->config, NULL, out);
}

enum err barred_peer_of_provider(struct provider *provider,
	struct barred_peer out[BARRED_PEERS_MAX], size_t *count, struct error *e)
{
	struct blob cause = {NULL, 0};
	char *path = NULL;

	if (asprintf(&path, "%s.barred", provider->config->ca.certificate) < 0)
		return error_memory(e);
	*count = file_read(path, &cause, e) == ERR_OK;
	free(path);
	if (*count) {
		out[0] = (struct barred_peer){"ca", {.since = 1600000000, .until = 1600000240}};
		snprintf(out[0].state.cause, sizeof(out[0].state.cause), "%.*s", (int)cause.len,
			(char *)cause.data);
	}
	blob_free(&cause);
	return ERR_OK;
}

/* A pool without keys: what counts is who fills it. */
struct key_pool {
	char nothing;
};

enum err provider_key_pool(const struct config *config, struct key_pool **out, struct error *e)
{
	struct key_pool *pool = NULL;

	use_clock(config);
	if (config->certificates.key_pool) {
		pool = malloc(sizeof(*pool));
		if (!pool)
			return error_memory(e);
	}
	*out = pool;
	return ERR_OK;
}

void provider_use_pool(struct provider *provider, struct key_pool *pool)
{
	(void)provider;
	(void)pool;
}

void provider_use_admission(struct provider *provider, struct admission_pass *pass)
{
	(void)provider;
	(void)pass;
}

void provider_use_counters(struct provider *provider, struct counters *counters)
{
	(void)provider;
	(void)counters;
}

void key_pool_free(struct key_pool *pool)
{
	free(pool);
}

enum err key_pool_fill(struct key_pool *pool, struct error *e)
{
	(void)pool;
	while (pause() < 0 && errno == EINTR)
		continue;
	return error_set(e, ERR_INTERNAL, "pause() ended");
}

enum err provider_ca_certificate(
	struct provider *provider, enum usage usage, struct blob *out, struct error *e)
{
	(void)usage;
	return file_read(provider->config->ca.certificate, out, e);
}

/* Without a look at the list, which a test may take away. */
enum err provider_crl_head(
	struct provider *provider, enum usage usage, struct provider_crl *out, struct error *e)
{
	(void)provider;
	(void)usage;
	(void)e;
	*out = (struct provider_crl){
		.size = strlen("good certificate"),
		.number = 26,
		.authority = "0123456789abcdef0123",
		.this_update = 1582563145,
		.next_update = clock_now() + 1800,
	};
	return ERR_OK;
}

enum err provider_crl(
	struct provider *provider, enum usage usage, struct provider_crl *out, struct error *e)
{
	enum err err = provider_crl_head(provider, usage, out, e);

	if (err)
		return err;
	return file_read(provider->config->ca.certificate, &out->der, e);
}

struct store *provider_store(struct provider *provider)
{
	return (struct store *)(void *)provider;
}

enum err store_ping(struct store *store, struct error *e)
{
	const struct provider *provider = (const struct provider *)(const void *)store;

	if (access(provider->config->store.sqlite, F_OK) == 0)
		return ERR_OK;
	return error_set(e, ERR_INTERNAL, "the store is away");
}

enum err store_count(struct store *store, int64_t now, struct store_counts *out, struct error *e)
{
	enum err err = store_ping(store, e);

	if (!err)
		*out = (struct store_counts){.devices = 3,
			.devices_unenrolled = 1,
			.users = 2,
			.certificates = {{4, 5, 6}, {7, 8, 9}},
			.soonest_expiry = 1893456000,
			.uploads = {10, 11, 12},
			.events = {13, 14, 15, 16},
			.oldest_pending = now - 17,
			.requests_pending = 18};
	return err;
}

/* The store's file with ".rows" behind has them: a line "TABLE column=value|column=value…" each. */
enum err store_list(struct store *store, enum store_table table, const struct store_filter *filter,
	store_row *row, void *ctx, struct error *e)
{
	const struct provider *provider = (const struct provider *)(const void *)store;
	enum err err = store_ping(store, e);
	char path[512], line[4096];
	FILE *file = NULL;
	int64_t given = 0;

	snprintf(path, sizeof(path), "%s.rows", provider->config->store.sqlite);
	if (!err)
		file = fopen(path, "r");
	while (file && !err && fgets(line, sizeof(line), file)) {
		struct store_column columns[16];
		size_t count = 0;
		char *rest = NULL, *text;

		line[strcspn(line, "\n")] = '\0';
		text = strtok_r(line, " ", &rest);
		if (!text || strtol(text, NULL, 10) != (long)table || given++ == filter->limit)
			continue;
		while (count < ARRAY_LEN(columns) && (text = strtok_r(NULL, "|", &rest))) {
			char *value = strchr(text, '=');

			if (!value)
				abort();
			*value++ = '\0';
			columns[count++] = (struct store_column){.name = text, .value = value};
		}
		err = row(ctx, columns, count, e);
	}
	if (file)
		fclose(file);
	return err;
}

/* One in the last second of each span. */
enum err store_audit_conflicts(struct store *store, struct store_conflicts *out, struct error *e)
{
	enum err err = store_ping(store, e);

	if (!err)
		*out = (struct store_conflicts){.count = 2,
			.at = 1582563145,
			.user_uuid = "fe13e814-7415-4fce-9f47-de5a55bfe57a",
			.detail = "<a@example.com> is the address of user B"};
	return err;
}

enum err store_reconciliation_last(
	struct store *store, struct store_reconciliation *out, struct error *e)
{
	enum err err = store_ping(store, e);

	if (!err)
		*out = (struct store_reconciliation){1582563145, 37, 12};
	return err;
}

enum err store_count_ending(
	struct store *store, int64_t from, int64_t before, int64_t *count, struct error *e)
{
	enum err err = store_ping(store, e);

	if (!err)
		*count = from < before;
	return err;
}

enum err store_upload_last(struct store *store, const char *gateway, enum upload_state state,
	int64_t *at, struct error *e)
{
	enum err err = store_ping(store, e);

	(void)gateway;
	if (!err)
		*at = state == UPLOAD_DELIVERED ? 1582563145 : 0;
	return err;
}
