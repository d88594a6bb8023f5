#ifndef FCGI_AUTH_H
#define FCGI_AUTH_H

#include "base/error.h"
#include "fcgi/auth_memory.h"

/*
 * HTTP Basic authentication (RFC 7617) against a file of users, and a memory of right passwords, so
 * that a strong hash is not computed anew for each event.
 */
struct auth;

/*
 * Reads the file: user:hash a line, crypt(3) hashes of bcrypt, yescrypt, SHA-512
 * or SHA-256; empty lines and comments (#) are skipped. ERR_CONFIG with FILE:LINE
 * for any other line. It is a secret file, see file_read_secret().
 */
enum err auth_open(const char *path, struct auth **out, struct error *e) must_check;
void auth_close(struct auth *auth);

/* Shares what is remembered of passwords with other processes; memory is borrowed. */
void auth_share(struct auth *auth, struct auth_memory *memory);

enum auth_failure {
	AUTH_MISSING,	   /* no credentials */
	AUTH_MALFORMED,	   /* not HTTP Basic, or not in the form of RFC 7617 */
	AUTH_UNKNOWN_USER, /* not in the users file */
	AUTH_WRONG_PASSWORD,
	AUTH_NO_REMOTE_USER,  /* the web server had to check them and passed no user */
	AUTH_UNVERIFIED_USER, /* it passed a name, and nothing shows that it checked it */
	AUTH_FAILURE_COUNT
};

extern const char *const auth_failure_names[AUTH_FAILURE_COUNT]; /* "missing" … */

/*
 * Checks the value of an Authorization header ("": there is none) that came from that address.
 * ERR_UNAUTHENTICATED; its text is for the log alone. ERR_UNAVAILABLE, with e->retry_after: the
 * password was not checked, see auth_memory_take_turn(). The time taken does not show if the user
 * exists, as long as all users have hashes of the same method and cost as the first one.
 */
enum err auth_check(struct auth *auth, const char *authorization, const char *address,
	struct error *e) must_check;

/* Why auth_check() last returned ERR_UNAUTHENTICATED. */
enum auth_failure auth_failure(const struct auth *auth);

#endif
