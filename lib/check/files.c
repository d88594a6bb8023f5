/*
 * Modes and owners of the files that the configuration names: may others change them, may the
 * service read them? Modes of secrets are checked where they are read.
 */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check/account.h"
#include "check/subject.h"

#define ABOUT "files"

struct review {
	struct check *c;
	struct stat store; /* the service runs as its owner */
	bool has_store;
};

#define MODE(st) ((unsigned)((st).st_mode & 07777))

/* Warns if others can change a file that decides whom we trust. */
static void review_writers(const struct review *r, const char *file)
{
	struct stat st;

	if (!file || stat(file, &st) < 0)
		return; /* reported where it is read */
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		finding_warn(r->c, ABOUT, "others can change %s: its mode is %04o" FIX "chmod go-w",
			file, MODE(st));
	else if (st.st_uid != 0 && st.st_uid != geteuid() &&
		 !(r->has_store && st.st_uid == r->store.st_uid))
		finding_warn(r->c, ABOUT,
			"%s belongs to user %u, who can change it" FIX "chown it to root", file,
			(unsigned)st.st_uid);
}

/*
 * A user who can write in a folder can replace a file in it, even one that only its owner can
 * change.
 */
static void review_folder(const struct review *r, const char *file)
{
	const char *slash = strrchr(file, '/');
	char folder[PATH_MAX];
	struct stat st;

	if (!slash || slash == file || (size_t)(slash - file) >= sizeof(folder))
		return;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - file), file);
	if (stat(folder, &st) < 0 || !(st.st_mode & (S_IWGRP | S_IWOTH)) || st.st_mode & S_ISVTX)
		return;
	finding_warn(r->c, ABOUT,
		"others can replace our files in %s: its mode is %04o" FIX "chmod go-w", folder,
		MODE(st));
}

/* Private keys are sealed in there; names and addresses are not. */
static void review_store(const struct review *r)
{
	if (!r->has_store || !S_ISREG(r->store.st_mode) ||
		!(r->store.st_mode & (S_IRWXG | S_IRWXO)))
		return;
	finding_warn(r->c, ABOUT,
		"%s has mode %04o, so that others can read whose certificates are in it, or "
		"change them" FIX "chmod 0600",
		r->c->database, MODE(r->store));
}

static void review_reader(const struct review *r, const char *file, const struct account *service)
{
	char blocked[PATH_MAX] = "";

	if (!file || access(file, F_OK) < 0 || account_may(service, file, R_OK, blocked))
		return;
	finding_warn(r->c, ABOUT,
		"%s is closed to user %s, the owner of the store, by the mode of %s" FIX
		"give that user access (chgrp, chmod g+rx, g+r)",
		file, service->name, blocked);
}

/* Returns true if root checks a store that the service reads as another user, with fewer rights. */
static bool is_root_for_service(const struct review *r)
{
	return geteuid() == 0 && r->has_store && r->store.st_uid != 0;
}

static void warn_root(const struct review *r)
{
	struct account service;

	account_of(r->store.st_uid, &service);
	finding_warn(r->c, "user",
		"you are root, and the store belongs to user %s" FIX
		"run this as that user, who must own new files, too: runuser -u %s -- "
		"certprov check",
		service.name, service.name);
}

static void review_service(const struct review *r)
{
	static const char *const sections[] = {"events", "admin", "ca", "ca signing",
		"ca encryption", "escrow", "store", "uem", "ldap"};
	const struct config *config = r->c->config;
	struct account service;

	account_of(r->store.st_uid, &service);
	review_reader(r, config->path, &service);
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		const char *file;
		size_t at = 0;

		while ((file = config_next_file(config, sections[i], &at)))
			review_reader(r, file, &service);
	}
}

static void review_authority(const struct review *r, const struct config_ca *ca)
{
	const char *const files[] = {ca->certificate, ca->ca_file, ca->issuer_file, ca->program};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		review_writers(r, files[i]);
}

static void check(struct check *c)
{
	const struct config *config = c->config;
	const struct config_ca *signing = config_ca(config, USAGE_SIGNING);
	const struct config_ca *encryption = config_ca(config, USAGE_ENCRYPTION);
	struct review r = {.c = c};
	unsigned before;

	r.has_store = stat(c->database, &r.store) == 0;
	if (is_root_for_service(&r))
		warn_root(&r);
	before = c->faults;
	review_writers(&r, config->path);
	review_writers(&r, config->escrow.ca_file);
	review_writers(&r, config->uem.ca_file);
	review_writers(&r, config->ldap.ca_file);
	review_authority(&r, signing);
	if (encryption != signing)
		review_authority(&r, encryption);
	review_folder(&r, config->path);
	review_store(&r);
	if (is_root_for_service(&r))
		review_service(&r);
	if (c->faults == before)
		finding_good(c, ABOUT, "no other user can change them");
}

const struct check_subject subject_files = {check, NULL};
