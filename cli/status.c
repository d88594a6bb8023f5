/* certprov status: counts, causes of what failed, and what expires. */

#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "provider/barred_peer.h"
#include "provider/expiry.h"
#include "provider/expiry_gather.h"
#include "provider/unfinished_causes.h"
#include "store/reconciliation.h"

/* A number of the status: its key in JSON, its label. */
struct figure {
	const char *name, *words;
	int64_t value;
};

#define FIGURES_MAX 24

static size_t gather(const struct store_counts *c, struct figure figures[FIGURES_MAX])
{
	const int64_t(*certificates)[CREDENTIAL_STATE_COUNT] = c->certificates;
	const struct figure all[] = {
		{"devices", "devices", c->devices},
		{"devices_unenrolled", "of them unenrolled", c->devices_unenrolled},
		{"users", "users", c->users},
		{"signing_active", "signing certificates, active",
			certificates[USAGE_SIGNING][CREDENTIAL_ACTIVE]},
		{"signing_archived", "signing certificates, archived",
			certificates[USAGE_SIGNING][CREDENTIAL_ARCHIVED]},
		{"signing_revoked", "signing certificates, revoked",
			certificates[USAGE_SIGNING][CREDENTIAL_REVOKED]},
		{"encryption_active", "encryption certificates, active",
			certificates[USAGE_ENCRYPTION][CREDENTIAL_ACTIVE]},
		{"encryption_archived", "encryption certificates, archived",
			certificates[USAGE_ENCRYPTION][CREDENTIAL_ARCHIVED]},
		{"encryption_revoked", "encryption certificates, revoked",
			certificates[USAGE_ENCRYPTION][CREDENTIAL_REVOKED]},
		{"expired", "active certificates that have expired", c->expired},
		{"expiring_7d", "active certificates that end within 7 days", c->expiring_7d},
		{"expiring_30d", "active certificates that end within 30 days", c->expiring_30d},
		{"expiring_60d", "active certificates that end within 60 days", c->expiring_60d},
		{"uploads_delivered", "uploads delivered", c->uploads[UPLOAD_DELIVERED]},
		{"uploads_pending", "uploads pending", c->uploads[UPLOAD_PENDING]},
		{"uploads_failed", "uploads failed", c->uploads[UPLOAD_FAILED]},
		{"events_delivered", "events delivered", c->events[EVENT_STATE_DELIVERED]},
		{"events_recorded", "events recorded", c->events[EVENT_STATE_RECORDED]},
		{"events_pending", "events pending", c->events[EVENT_STATE_PENDING]},
		{"events_failed", "events failed", c->events[EVENT_STATE_FAILED]},
		{"requests_pending", "requests that a CA has not decided on", c->requests_pending},
		{"devices_left_out", "devices without their oldest certificates (archive-max)",
			c->left_out},
	};

	_Static_assert(ARRAY_LEN(all) <= FIGURES_MAX, "room for every figure");
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		figures[i] = all[i];
	return ARRAY_LEN(all);
}

/* The causes of failed or pending events and uploads; some need an administrator. */
static enum err print_causes(struct store *store, const char *state, struct error *e)
{
	struct unfinished_causes causes;
	enum err err = unfinished_causes_gather(store, state, &causes, e);

	for (size_t i = 0; i < causes.count && !err; i++) {
		const struct unfinished_cause *cause = &causes.cause[i];

		if (cause->count == 1)
			printf("%s: device %s: %s\n", state, cause->device_uuid, cause->text);
		else
			printf("%s: %lld × %s, since %s\n", state, (long long)cause->count,
				cause->text, cause->since);
	}
	if (!err && causes.others)
		printf("%s: %lld for other causes\n", state, (long long)causes.others);
	return err;
}

static enum err print_text(
	struct store *store, const struct store_counts *counts, int64_t now, struct error *e)
{
	struct figure figures[FIGURES_MAX];
	size_t count = gather(counts, figures);
	enum err err;

	for (size_t i = 0; i < count; i++)
		printf("%8lld  %s\n", (long long)figures[i].value, figures[i].words);
	if (counts->oldest_pending)
		printf("The oldest pending event has waited for %lld minutes.\n",
			(long long)((now - counts->oldest_pending) / 60));
	if (counts->oldest_request)
		printf("The oldest request to a CA has waited for %lld minutes.\n",
			(long long)((now - counts->oldest_request) / 60));
	err = print_causes(store, "pending", e);
	return err ? err : print_causes(store, "failed", e);
}

static void print_json(const struct store_counts *counts, int64_t now)
{
	struct figure figures[FIGURES_MAX];
	size_t count = gather(counts, figures);

	printf("{");
	for (size_t i = 0; i < count; i++)
		printf("\"%s\":%lld,", figures[i].name, (long long)figures[i].value);
	printf("\"oldest_pending_seconds\":%lld,\"oldest_request_seconds\":%lld",
		(long long)(counts->oldest_pending ? now - counts->oldest_pending : 0),
		(long long)(counts->oldest_request ? now - counts->oldest_request : 0));
}

/* Faults that stop all issuing until an administrator acts. */
static enum err print_barred(
	const struct config *config, struct store *store, bool json, struct error *e)
{
	struct barred_peer barred[BARRED_PEERS_MAX];
	size_t count = 0;
	enum err err = barred_peer_gather(config, store, barred, &count, e);

	if (!err && json)
		printf(",\"cas_barred\":%zu", count);
	for (size_t i = 0; i < count && !err && !json; i++) {
		struct buf text = BUF_INIT(2048);

		barred_peer_text(&barred[i], &text);
		printf("needs attention: %s\n", text.failed ? barred[i].state.cause : text.data);
		buf_free(&text);
	}
	return err;
}

static enum err print_conflicts(struct store *store, bool json, struct error *e)
{
	struct store_conflicts conflicts;
	char at[CLOCK_RFC3339_SIZE];
	enum err err = store_audit_conflicts(store, &conflicts, e);

	if (err)
		return err;
	clock_rfc3339(conflicts.at, at);
	if (json)
		printf(",\"address_conflicts\":%lld", (long long)conflicts.count);
	else if (conflicts.count)
		printf("%lld event%s asked for the address of another user, the latest at %s: "
		       "user %s, but %s\n",
			(long long)conflicts.count, conflicts.count == 1 ? "" : "s", at,
			conflicts.user_uuid, conflicts.detail);
	return ERR_OK;
}

/* When UEM was last asked for all its devices, and what had been missed then. */
static enum err print_reconciled(
	const struct config *config, struct store *store, bool json, struct error *e)
{
	struct store_reconciliation last = {.at = 0};
	char at[CLOCK_RFC3339_SIZE];
	enum err err = config->uem.url ? store_reconciliation_last(store, &last, e) : ERR_OK;

	if (err || !config->uem.url)
		return err;
	clock_rfc3339(last.at, at);
	if (json && last.at)
		printf(",\"reconciled_seconds\":%lld,\"missed_enrollments\":%lld,"
		       "\"missed_unenrollments\":%lld",
			(long long)(clock_now() - last.at), (long long)last.missed_enrollments,
			(long long)last.missed_unenrollments);
	else if (!json && last.at)
		printf("UEM was last reconciled at %s: %lld enrollment%s and %lld "
		       "unenrollment%s had been missed.\n",
			at, (long long)last.missed_enrollments,
			last.missed_enrollments == 1 ? "" : "s",
			(long long)last.missed_unenrollments,
			last.missed_unenrollments == 1 ? "" : "s");
	else if (!json)
		printf("UEM has not been reconciled yet: certprov reconcile\n");
	return ERR_OK;
}

static void print_expiry(const struct expiry *expiry, FILE *to)
{
	struct buf text = BUF_INIT(2048);

	if (expiry->level == EXPIRY_NONE)
		return;
	expiry_text(expiry, &text);
	fprintf(to, "%s %s\n", expiry_name(expiry->what), text.data);
	buf_free(&text);
}

/* A key with the days, if they are known; if not, standard error says why. */
static void print_expiry_json(const struct expiry *expiry)
{
	static const char *const keys[EXPIRY_COUNT] = {
		[EXPIRY_CLIENT] = "client_certificate_days",
		[EXPIRY_RA] = "ca_client_certificate_days",
		[EXPIRY_CA] = "ca_certificate_days",
		[EXPIRY_CRL] = "crl_days",
	};

	if (expiry->level == EXPIRY_NOT_YET || expiry->level == EXPIRY_UNKNOWN)
		print_expiry(expiry, stderr);
	else if (expiry->level != EXPIRY_NONE)
		printf(",\"%s\":%lld", keys[expiry->what], (long long)expiry_days(expiry));
}

/* Ends the object that print_json() began, or the text. */
static void print_expiries(const struct config *config, struct store *store, bool json)
{
	struct expiry expiries[EXPIRY_COUNT];

	expiry_gather(config, store, expiries);
	for (int i = 0; i < EXPIRY_COUNT; i++) {
		if (json)
			print_expiry_json(&expiries[i]);
		else
			print_expiry(&expiries[i], stdout);
	}
	if (json)
		printf("}\n");
}

static int status(const char *config_file, bool json)
{
	struct config *config = NULL;
	struct store *store = NULL;
	struct store_counts counts;
	struct error e;
	int64_t now = clock_now();
	enum err err = cli_open_store(config_file, &config, &store, &e);

	if (!err)
		err = store_count(store, now, &counts, &e);
	if (!err && json)
		print_json(&counts, now);
	else if (!err)
		err = print_text(store, &counts, now, &e);
	if (!err)
		err = print_barred(config, store, json, &e);
	if (!err)
		err = print_conflicts(store, json, &e);
	if (!err)
		err = print_reconciled(config, store, json, &e);
	if (!err)
		print_expiries(config, store, json);
	store_close(store);
	config_free(config);
	return err ? cli_fail(&e) : 0;
}

struct request {
	bool json;
};

static int run(struct call *call)
{
	struct request request = {.json = false};
	int go = options_read(call, &request);

	return go == OPTIONS_DONE ? status(call->config_file, request.json) : go;
}

static const struct option_row options[] = {
	{"json", '\0', &option_flag, offsetof(struct request, json), NULL, "an object of numbers"},
	{.name = NULL},
};

const struct command command_status = {
	.name = "status",
	.arguments = "[--json]",
	.summary = "Counts devices, users, certificates, uploads, events and requests by state; "
		   "says what expires",
	.options = options,
	.notes = "Posts without the right credentials are not stored: the handler counts them, for "
		 "its\nstatus page and /metrics, and logs them.\n",
	.run = run,
};
