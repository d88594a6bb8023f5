#ifndef FCGI_AUTH_H
#define FCGI_AUTH_H

#include "base/error.h"

/*
 * HTTP Basic authentication (RFC 7617) against a file of users, and memory of who has
 * shown the right password, so that a strong hash is not computed anew for each event.
 */
struct auth;

/*
 * Reads the file: user:hash a line, crypt(3) hashes of bcrypt, yescrypt, SHA-512
 * or SHA-256; empty lines and comments (#) are skipped. ERR_CONFIG with FILE:LINE
 * for any other line. It is a secret file, see file_read_secret().
 */
enum err auth_open(const char *path, struct auth **out, struct error *e) must_check;
void auth_close(struct auth *auth);

/*
 * Checks the value of an Authorization header ("": there is none).
 * ERR_UNAUTHENTICATED, its text for the log alone. The time taken does not tell whether the
 * user exists, as long as all users have hashes of the first one's method and cost.
 */
enum err auth_check(struct auth *auth, const char *authorization, struct error *e) must_check;

#endif
