#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check/account.h"
#include "check/checkup.h"
#include "config/users.h"
#include "provider/internal.h"

/* Checks the files that the configuration names: contents, and permissions to write and read. */

#define WHAT "files"

static void check_users(struct checkup *c, const char *what, const char *file)
{
	struct users users = {0, NULL};
	struct error e;
	enum err err;

	if (!file)
		return;
	err = users_load(file, &users, &e);
	checkup_found(c, what, err, err ? e.text : file);
	users_free(&users);
}

/* It is for tests, and for a web server that lets nobody in: nothing tells whether this one does.
 */
static void check_authentication(struct checkup *c)
{
	if (c->config->events.authenticate == AUTHENTICATE_NONE)
		checkup_warns(c, "events.authenticate",
			"none: any client that reaches the handler can have a user's keys "
			"delivered: set "
			"authenticate = basic and users-file in [events]");
}

/* .NET refuses such a file as an attack by the time that it takes. */
#define ITERATIONS_WITHOUT_PASSWORD 300000

static void warn_of_no_password(struct checkup *c, const char *what)
{
	bool many = c->config->escrow.pkcs12_iterations > ITERATIONS_WITHOUT_PASSWORD;
	char more[128] = "";

	if (many)
		snprintf(more, sizeof(more),
			"; or, as a gateway on .NET refuses such files, lower pkcs12-iterations "
			"to %d",
			ITERATIONS_WITHOUT_PASSWORD);
	checkup_warns(c, what,
		"there is none, so private keys go to the Escrow Gateway without one: set "
		"pkcs12-password-file in [escrow] to what the gateway expects%s",
		more);
}

static bool is_ascii(const struct blob *text)
{
	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] >= 0x80)
			return false;
	return true;
}

static void check_pkcs12_password(struct checkup *c)
{
	static const char what[] = "PKCS#12 password";
	const char *file = c->config->escrow.pkcs12_password_file;
	struct blob password = {NULL, 0};
	struct error e;
	enum err err;

	if (!file) {
		warn_of_no_password(c, what);
		return;
	}
	err = read_pkcs12_password(file, &password, &e);
	if (!err && c->config->escrow.pkcs12 == PKCS12_LEGACY && !is_ascii(&password))
		checkup_warns(c, what,
			"%s has characters that are not ASCII, which the old importers that "
			"pkcs12 = legacy is for read in different ways: choose another password, "
			"also at the gateway, or set pkcs12 = modern",
			file);
	else
		checkup_found(c, what, err, err ? e.text : file);
	blob_free(&password);
}

/* --- modes and owners; those of secrets are checked where they are read */

struct review {
	struct checkup *c;
	struct stat store; /* the service runs as its owner */
	bool has_store;
	unsigned faults;
};

/* A user who can change it can change our trust. */
static void review_writers(struct review *r, const char *file)
{
	struct stat st;

	if (!file || stat(file, &st) < 0)
		return; /* reported where it is read */
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		checkup_warns(r->c, WHAT,
			"%s has mode %04o, so that others can change it: chmod go-w", file,
			(unsigned)(st.st_mode & 07777));
		r->faults++;
	} else if (st.st_uid != 0 && st.st_uid != geteuid() &&
		   !(r->has_store && st.st_uid == r->store.st_uid)) {
		checkup_warns(r->c, WHAT,
			"%s belongs to user %u, who can change it: chown it to root", file,
			(unsigned)st.st_uid);
		r->faults++;
	}
}

/*
 * A user who can write in a folder can replace a file in it, even one that only its owner can
 * change.
 */
static void review_folder(struct review *r, const char *file)
{
	const char *slash = strrchr(file, '/');
	char folder[PATH_MAX];
	struct stat st;

	if (!slash || slash == file || (size_t)(slash - file) >= sizeof(folder))
		return;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - file), file);
	if (stat(folder, &st) < 0 || !(st.st_mode & (S_IWGRP | S_IWOTH)) || st.st_mode & S_ISVTX)
		return;
	checkup_warns(r->c, WHAT,
		"%s has mode %04o, so that others can replace our files: "
		"chmod go-w",
		folder, (unsigned)(st.st_mode & 07777));
	r->faults++;
}

/* Keys are sealed in there, names and addresses are not. */
static void review_store(struct review *r)
{
	if (!r->has_store || !S_ISREG(r->store.st_mode) ||
		!(r->store.st_mode & (S_IRWXG | S_IRWXO)))
		return;
	checkup_warns(r->c, WHAT,
		"%s has mode %04o, so that others can read whose certificates are in it, or change "
		"them: chmod 0600",
		r->c->config->store.sqlite, (unsigned)(r->store.st_mode & 07777));
	r->faults++;
}

/* Root may read everything: checks for root that the service may, too. */
static void review_reader(struct review *r, const char *file, const struct account *service)
{
	char blocked[PATH_MAX] = "";

	if (!file || access(file, F_OK) < 0 || account_may(service, file, R_OK, blocked))
		return;
	checkup_warns(r->c, WHAT,
		"%s is closed to user %s, the owner of the store, by the mode of %s: give that "
		"user access (chgrp, chmod g+rx, g+r)",
		file, service->name, blocked);
	r->faults++;
}

static void review_service(struct review *r)
{
	static const char *const sections[] = {
		"events", "admin", "ca", "ca signing", "ca encryption", "escrow", "store"};
	const struct config *config = r->c->config;
	struct account service;

	if (geteuid() != 0 || !r->has_store || r->store.st_uid == 0)
		return;
	account_of(r->store.st_uid, &service);
	checkup_warns(r->c, "user",
		"you are root, and the store belongs to user %s: run this as that user, who must "
		"own new files, too: runuser -u %s -- certprov check",
		service.name, service.name);
	review_reader(r, config->path, &service);
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		const char *file;
		size_t at = 0;

		while ((file = config_next_file(config, sections[i], &at)))
			review_reader(r, file, &service);
	}
}

static void review_authority(struct review *r, const struct config_ca *ca)
{
	const char *const files[] = {ca->certificate, ca->ca_file, ca->issuer_file, ca->program};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		review_writers(r, files[i]);
}

static void review_files(struct checkup *c)
{
	const struct config *config = c->config;
	const char *const files[] = {config->path, config->escrow.ca_file};
	struct review r = {.c = c};

	r.has_store = stat(config->store.sqlite, &r.store) == 0;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		review_writers(&r, files[i]);
	for (int usage = 0; usage < USAGE_COUNT; usage++)
		if (usage == 0 ||
			config_ca(config, (enum usage)usage) != config_ca(config, USAGE_SIGNING))
			review_authority(&r, config_ca(config, (enum usage)usage));
	review_folder(&r, config->path);
	review_store(&r);
	review_service(&r);
	if (r.faults == 0)
		checkup_holds(c, WHAT, "nobody else can change them");
}

void check_files(struct checkup *c)
{
	check_authentication(c);
	check_users(c, "events.users-file", c->config->events.users_file);
	check_users(c, "admin.users-file", c->config->admin.users_file);
	check_pkcs12_password(c);
	review_files(c);
}
