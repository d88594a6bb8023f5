#ifndef DIRECTORY_DIRECTORY_H
#define DIRECTORY_DIRECTORY_H

#include <stdint.h>

#include "base/error.h"
#include "config/config.h"

/*
 * The directory of [ldap], such as Active Directory or OpenLDAP: it knows a user's mail address and
 * name. Each question takes a connection, and a process, of its own: libldap has waits without a
 * limit, above all for DNS.
 */
struct directory;

/*
 * Reads the files that [ldap] names; nothing is sent. identity: a file with our certificate and its
 * key, PEM, which must stay; NULL: none. ERR_CONFIG.
 */
enum err directory_open(const struct config *config, const char *identity, struct directory **out,
	struct error *e) must_check;
void directory_close(struct directory *directory);

#define DIRECTORY_VALUE_SIZE 1024

/* UTF-8, trimmed; "": the entry has none, or it is not asked for. */
struct directory_user {
	char mail[DIRECTORY_VALUE_SIZE];
	char name[DIRECTORY_VALUE_SIZE];
};

/*
 * Searches for the one entry that the filter (RFC 4515) matches.
 *
 * ERR_UNPROCESSABLE: none or several match, or an attribute is no text or too long. ERR_BARRED: the
 * directory rejected our credentials. ERR_UNAVAILABLE: it did not answer by then, a time of
 * clock_monotonic_ms(), or not so that it can be used.
 */
enum err directory_find(const struct directory *directory, const char *filter, int64_t deadline,
	struct directory_user *out, struct error *e) must_check;

#endif
