/*
 * The users files, for those who post events and for administrators: can they be read, and what
 * does it cost to check a password? Any client can make us compute hashes.
 */

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"
#include "check/subject.h"
#include "config/users.h"

#define SLOW_MS 20
#define TRIES 2 /* the fastest counts: the first one fills the caches */
#define COST_SIZE 48
#define COSTS_MAX 8 /* in one file: more than anyone uses */

struct cost {
	char text[COST_SIZE]; /* method and parameters */
	const struct user *user;
	long ms;
};

static size_t field(const char *text)
{
	return strcspn(text, "$");
}

/* crypt(5): "$2b$05$…", "$y$j9T$…"; "$6$…" names its rounds only if they are not the default. */
static void cost_of(const char *hash, char out[COST_SIZE])
{
	const char *method = hash + 1, *parameter = method + field(method) + 1;
	size_t len = field(method);
	bool sha = strchr("56", *method) != NULL;

	if (*method == '2') /* 2a, 2b and 2y are the same work */
		len = 1;
	if (sha && strncmp(parameter, "rounds=", strlen("rounds=")) != 0)
		parameter = "";
	snprintf(out, COST_SIZE, "$%.*s$%.*s", (int)len, method, (int)field(parameter), parameter);
}

/* CPU time, as the machine may be busy. */
static long cpu_ms(void)
{
	struct timespec time = {0, 0};

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static long measure(const char *hash, struct crypt_data *data)
{
	long best = -1;

	for (int i = 0; i < TRIES; i++) {
		long started = cpu_ms(), took;

		memset(data, 0, sizeof(*data));
		if (!crypt_r("certprov check", hash, data))
			return 0;
		took = cpu_ms() - started;
		if (best < 0 || took < best)
			best = took;
	}
	secret_wipe(data, sizeof(*data));
	return best;
}

static size_t find_costs(const struct users *users, struct cost costs[COSTS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < users->count && count < COSTS_MAX; i++) {
		struct cost *new = &costs[count];
		size_t known = 0;

		cost_of(users->user[i].hash, new->text);
		while (known < count && strcmp(costs[known].text, new->text) != 0)
			known++;
		if (known < count)
			continue;
		new->user = &users->user[i];
		count++;
	}
	return count;
}

static const struct cost *slowest(struct cost *costs, size_t count)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const struct cost *found = NULL;

	for (size_t i = 0; data && i < count; i++) {
		costs[i].ms = measure(costs[i].user->hash, data);
		if (!found || costs[i].ms > found->ms)
			found = &costs[i];
	}
	free(data);
	return found;
}

static void check_costs(struct check *c, const char *about, const struct users *users)
{
	struct cost costs[COSTS_MAX];
	size_t count = find_costs(users, costs);
	const struct cost *slow = slowest(costs, count);

	if (slow && slow->ms > SLOW_MS)
		finding_warn(c, about,
			"the hash of user \"%s\" (%s) takes %ld ms to check, so that a few wrong "
			"passwords a second keep a processor busy" FIX
			"set it again with htpasswd -B and a long random password",
			slow->user->name, slow->text, slow->ms);
	if (count > 1)
		finding_warn(c, about,
			"hashes of users \"%s\" (%s) and \"%s\" (%s) cost different times, which "
			"tells outsiders which users exist" FIX "set all of them with htpasswd -B",
			costs[0].user->name, costs[0].text, costs[1].user->name, costs[1].text);
}

static void check_file(struct check *c, const char *about, const char *file, bool costs)
{
	struct users users = {0, NULL};
	struct error e;
	enum err err;

	if (!file)
		return;
	err = users_load(file, &users, &e);
	finding_result(c, about, err, &e, file);
	if (!err && costs)
		check_costs(c, about, &users);
	users_free(&users);
}

static void check_files(struct check *c, bool costs)
{
	check_file(c, "events.users-file", c->config->events.users_file, costs);
	check_file(c, "admin.users-file", c->config->admin.users_file, costs);
}

/*
 * "none" is for tests, and for a web server that authenticates senders: nothing tells whether this
 * one does.
 */
static void check(struct check *c)
{
	if (c->config->events.authenticate == AUTHENTICATE_NONE)
		finding_warn(c, "events.authenticate",
			"none: any client that reaches the handler can have a user's keys "
			"delivered" FIX "set authenticate = basic and users-file in [events]");
	check_files(c, true);
}

static void check_start(struct check *c)
{
	check_files(c, false);
}

const struct check_subject subject_users = {check, check_start};
