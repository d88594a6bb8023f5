/*
 * Fills a store with users, as if all of them had enrolled in the past year.
 *
 *   populate CONFIG USERS [--devices N] [--due PERCENT] [--pending PERCENT] [--gone PERCENT]
 *            [--archived N]
 *
 * CONFIG's store is there and empty (certprov init). Each event goes through the product itself, at
 * a moment of its own, see shortcuts.h for what is left out. User N is user000000N; nothing is
 * random, so a second run makes the same.
 *
 *   --devices N        each user has 1 to N (3)
 *   --due PERCENT      users whose certificates end within 30 days (10)
 *   --pending PERCENT  users of whom a device waits for the gateways (1)
 *   --gone PERCENT     users whose devices were all unenrolled: what [events] on-unenroll says (0)
 *   --archived N       earlier encryption certificates that each tenth user has (2)
 *
 * No certificate begins before the CA's own: one that was made just now gives none that are due.
 */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "provider/handle_event.h"
#include "provider/local_ca.h"
#include "provider/provider.h"
#include "tests/bench/shortcuts.h"

#define USERS_MAX 10000000
#define DAY 86400
#define DUE_WITHIN (30 * DAY)
#define BETWEEN_DEVICES 3600
#define SHA256_LEN 32
#define BREAK_MDM 39

struct plan {
	struct provider *provider;
	cJSON *sample; /* the event that all are made from */
	int64_t users, devices, due, pending, gone, archived;
	int64_t now, first; /* no earlier than first */
	int64_t validity;
};

struct user {
	int64_t number;
	char name[32];
	unsigned char digest[SHA256_LEN]; /* what is as good as random about him */
	int64_t enrolled_at;
	int64_t devices;
};

/* --- moments */

static int64_t moment;

static int64_t clock_of_event(void)
{
	return moment;
}

static void set_moment(const struct plan *plan, int64_t time)
{
	moment = time < plan->first ? plan->first : time > plan->now ? plan->now : time;
}

/* Of each hundred users these; another shift gives others. */
static bool is_among(const struct user *user, int64_t percent, int64_t shift)
{
	return (user->number + shift) % 100 < percent;
}

static int64_t enrolled_at(const struct plan *plan, const struct user *user)
{
	int64_t within = plan->validity - DUE_WITHIN - DAY, any = 0;

	memcpy(&any, user->digest, sizeof(any) - 1);
	if (is_among(user, plan->due, 0))
		return plan->now - plan->validity + DAY + any % (DUE_WITHIN - DAY);
	return plan->now - DAY - (within > 0 ? any % within : 0);
}

/* --- events */

static enum err uuid_of(const char *what, int64_t user, int64_t device, char out[UUID_SIZE],
	unsigned char digest[SHA256_LEN], struct error *e)
{
	char text[64], hex[2 * SHA256_LEN + 1];

	snprintf(text, sizeof(text), "%s %lld %lld", what, (long long)user, (long long)device);
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, text, strlen(text), digest) < 0)
		return error_set(e, ERR_INTERNAL, "SHA-256");
	text_hex(digest, SHA256_LEN, hex);
	snprintf(out, UUID_SIZE, "%.8s-%.4s-4%.3s-8%.3s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		hex + 20);
	return ERR_OK;
}

static bool set_text(cJSON *event, const char *key, const char *value)
{
	return cJSON_ReplaceItemInObjectCaseSensitive(event, key, cJSON_CreateString(value));
}

static enum err make_event(const struct plan *plan, const struct user *user, int64_t device,
	bool enrolled, char **out, struct error *e)
{
	cJSON *event = cJSON_Duplicate(plan->sample, true);
	char user_uuid[UUID_SIZE], device_uuid[UUID_SIZE], device_name[64], mail[64];
	unsigned char digest[SHA256_LEN];
	enum err err = uuid_of("user", user->number, 0, user_uuid, digest, e);

	if (!err)
		err = uuid_of("device", user->number, device, device_uuid, digest, e);
	snprintf(device_name, sizeof(device_name), "%s iPhone %lld", user->name, (long long)device);
	snprintf(mail, sizeof(mail), "%s@example.com", user->name);
	if (!err &&
		(!set_text(event, "EnrollmentUserName", user->name) ||
			!set_text(event, "EnrollmentEmailAddress", mail) ||
			!set_text(event, "EnrollmentUserUUID", user_uuid) ||
			!set_text(event, "DeviceUUID", device_uuid) ||
			!set_text(event, "DeviceFriendlyName", device_name) ||
			(!enrolled && (!set_text(event, "EventType", "Break MDM Confirmed") ||
					      !cJSON_ReplaceItemInObjectCaseSensitive(event,
						      "EventId", cJSON_CreateNumber(BREAK_MDM))))))
		err = error_set(e, ERR_INTERNAL, "the sample event lacks a field");
	if (!err) {
		*out = cJSON_PrintUnformatted(event);
		err = *out ? ERR_OK : error_memory(e);
	}
	cJSON_Delete(event);
	return err;
}

/* The gateways that don't answer are the one failure that belongs to it. */
static enum err handle(const struct plan *plan, const struct user *user, int64_t device,
	bool enrolled, bool delivered, struct error *e)
{
	struct event_result result = {0};
	char *event = NULL;
	enum err err = make_event(plan, user, device, enrolled, &event, e);

	shortcut_gateways(delivered);
	if (!err)
		err = provider_handle(plan->provider, event, strlen(event), &result, e);
	if (!err)
		event_result_fini(&result);
	free(event);
	return err == ERR_UNAVAILABLE && !delivered ? ERR_OK : err;
}

/* --- users */

static enum err enroll_devices(const struct plan *plan, const struct user *user, struct error *e)
{
	bool waits = is_among(user, plan->pending, 50);
	enum err err = ERR_OK;

	for (int64_t i = 0; !err && i < user->devices; i++) {
		set_moment(plan, user->enrolled_at + i * BETWEEN_DEVICES);
		err = handle(plan, user, i, true, !waits || i + 1 < user->devices, e);
	}
	return err;
}

/* Who enrolled again whenever his certificates had ended. */
static enum err enroll_before(const struct plan *plan, const struct user *user, struct error *e)
{
	enum err err = ERR_OK;

	for (int64_t i = plan->archived; !err && i > 0; i--) {
		set_moment(plan, user->enrolled_at - i * plan->validity);
		err = handle(plan, user, 0, true, true, e);
	}
	return err;
}

static enum err unenroll_devices(const struct plan *plan, const struct user *user, struct error *e)
{
	enum err err = ERR_OK;

	for (int64_t i = 0; !err && i < user->devices; i++) {
		set_moment(plan, user->enrolled_at + DAY);
		err = handle(plan, user, i, false, true, e);
	}
	return err;
}

static enum err add_user(const struct plan *plan, int64_t number, struct error *e)
{
	struct user user = {.number = number};
	char uuid[UUID_SIZE];
	enum err err = uuid_of("user", number, 0, uuid, user.digest, e);

	snprintf(user.name, sizeof(user.name), "user%07lld", (long long)number);
	user.devices = 1 + user.digest[SHA256_LEN - 1] % plan->devices;
	user.enrolled_at = enrolled_at(plan, &user);
	if (!err && number % 10 == 9)
		err = enroll_before(plan, &user, e);
	if (!err)
		err = enroll_devices(plan, &user, e);
	if (!err && is_among(&user, plan->gone, 25))
		err = unenroll_devices(plan, &user, e);
	return err ? error_context(e, "%s", user.name) : ERR_OK;
}

static enum err add_users(const struct plan *plan, struct error *e)
{
	enum err err = ERR_OK;

	clock_replace(clock_of_event);
	for (int64_t i = 0; !err && i < plan->users; i++)
		err = add_user(plan, i, e);
	clock_replace(NULL);
	return err ? err : shortcut_commit(e);
}

/* --- what it needs */

static enum err load_sample(cJSON **out, struct error *e)
{
	const char *top = getenv("top_srcdir");
	struct blob text = {NULL, 0};
	char path[4096];
	enum err err;

	snprintf(path, sizeof(path), "%s/tests/data/enrollment-event.json", top ? top : ".");
	err = file_read(path, &text, e);
	if (err)
		return err;
	*out = cJSON_ParseWithLength((const char *)text.data, text.len);
	blob_free(&text);
	return *out ? ERR_OK : error_set(e, ERR_CONFIG, "%s is not JSON", path);
}

static enum err start_of_ca(const struct plan *plan, int64_t *out, struct error *e)
{
	struct certificate_info info;
	struct blob certificate = {NULL, 0};
	enum err err = provider_ca_certificate(plan->provider, USAGE_SIGNING, &certificate, e);

	if (!err)
		err = certificate_info(&certificate, &info, e);
	if (!err)
		*out = info.not_before;
	blob_free(&certificate);
	return err;
}

static enum err populate(const char *config_file, struct plan *plan, struct error *e)
{
	struct config *config = NULL;
	enum err err = config_load(config_file, &config, e);

	log_open("populate", &(struct log_settings){.level = LOG_LEVEL_ERROR});
	if (!err)
		err = load_sample(&plan->sample, e);
	if (!err)
		err = provider_open(config, &plan->provider, e);
	if (!err)
		err = start_of_ca(plan, &plan->first, e);
	if (!err) {
		plan->now = clock_now();
		plan->validity = config->certificates.validity;
		err = add_users(plan, e);
	}
	provider_close(plan->provider);
	cJSON_Delete(plan->sample);
	config_free(config);
	return err;
}

static int usage(void)
{
	fputs("usage: populate CONFIG USERS [--devices N] [--due PERCENT] [--pending PERCENT] "
	      "[--gone PERCENT] [--archived N]\n",
		stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {{"devices", required_argument, NULL, 'd'},
		{"due", required_argument, NULL, 'e'}, {"pending", required_argument, NULL, 'p'},
		{"gone", required_argument, NULL, 'g'}, {"archived", required_argument, NULL, 'a'},
		{0}};
	struct plan plan = {.devices = 3, .due = 10, .pending = 1, .archived = 2};
	struct error e;
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		int64_t *value = option == 'd'	 ? &plan.devices
				 : option == 'e' ? &plan.due
				 : option == 'p' ? &plan.pending
				 : option == 'g' ? &plan.gone
				 : option == 'a' ? &plan.archived
						 : NULL;

		if (!value || !text_number(optarg, 100, value))
			return usage();
	}
	if (optind + 2 != argc || !text_number(argv[optind + 1], USERS_MAX, &plan.users) ||
		plan.devices == 0)
		return usage();
	if (populate(argv[optind], &plan, &e)) {
		fprintf(stderr, "populate: %s\n", e.text);
		return 1;
	}
	return 0;
}
