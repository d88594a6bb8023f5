#ifndef DIRECTORY_SESSION_H
#define DIRECTORY_SESSION_H

#include <ldap.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/memfile.h"
#include "config/config.h"

/* A connection to the directory: TLS, and who we are there. */

/* What each connection needs, read once. */
struct session_settings {
	const char *url;
	const char *bind_dn;	/* NULL: by identity, or anonymous */
	const char *identity;	/* a file with our certificate and its key, PEM; NULL: none */
	struct blob password;	/* of bind_dn */
	struct memfile anchors; /* the CAs that we trust, PEM; fd -1: no TLS, on this machine */
	int64_t deadline;	/* clock_monotonic_ms(), of all that is done in it */
};

/* Before any other call of libldap: it reads no files and no variables of the environment. */
void session_library_init(void);

/*
 * Connects and binds; *out is for session_close(). ERR_BARRED: the directory rejected our
 * credentials. ERR_UNAVAILABLE.
 */
enum err session_open(
	const struct session_settings *settings, LDAP **out, struct error *e) must_check;
void session_close(LDAP *ld);

/* The time that is left: for the call that follows, which takes *left. */
void session_limit(LDAP *ld, int64_t deadline, struct timeval *left);

/* ERR_UNAVAILABLE: what failed, and libldap's word for it. */
enum err session_error(LDAP *ld, const struct session_settings *settings, const char *what, int rc,
	struct error *e);

#endif
