/*
 * certprov check: the cost of checking a password against the users files, since any client can
 * make us compute hashes. check_files.c checks the files' contents.
 */
#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"
#include "check/checkup.h"
#include "config/users.h"

#define SLOW_MS 20
#define TRIES 2 /* the quicker one counts: the first fills the caches */
#define COST_SIZE 48
#define COSTS_MAX 8 /* more than anybody mixes */

struct cost {
	char text[COST_SIZE]; /* method and parameters */
	const struct user *user;
	long ms;
};

static size_t field(const char *text)
{
	return strcspn(text, "$");
}

/* crypt(5): "$2b$05$…", "$y$j9T$…"; "$6$…" has its rounds only where they are not the default. */
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

/* Of the processor, not of the clock: the machine may be busy. */
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

static void check_costs(struct checkup *c, const char *what, const struct users *users)
{
	struct cost costs[COSTS_MAX];
	size_t count = find_costs(users, costs);
	const struct cost *slow = slowest(costs, count);

	if (slow && slow->ms > SLOW_MS)
		checkup_warns(c, what,
			"the hash of user \"%s\" (%s) takes %ld ms to check, so that a few wrong "
			"passwords a second keep a processor busy: set it again with htpasswd -B "
			"and a long random password",
			slow->user->name, slow->text, slow->ms);
	if (count > 1)
		checkup_warns(c, what,
			"hashes of users \"%s\" (%s) and \"%s\" (%s) cost different times, which "
			"tells outsiders which users exist: set all of them with htpasswd -B",
			costs[0].user->name, costs[0].text, costs[1].user->name, costs[1].text);
}

static void check_file(struct checkup *c, const char *what, const char *file)
{
	struct users users = {0, NULL};
	struct error e;

	if (!file || users_load(file, &users, &e))
		return; /* check_files() has said so */
	check_costs(c, what, &users);
	users_free(&users);
}

void check_hashes(struct checkup *c)
{
	check_file(c, "events.users-file", c->config->events.users_file);
	check_file(c, "admin.users-file", c->config->admin.users_file);
}
