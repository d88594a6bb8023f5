#ifndef NET_KERBEROS_H
#define NET_KERBEROS_H

#include "base/error.h"

/*
 * Our Kerberos identity: the keys of one principal, out of a keytab, and the tickets that they are
 * good for; both exist only in memory. libcurl takes them from the GSS-API, which takes them from
 * the process's environment, and waits for a KDC without a deadline: so each request is made in a
 * process of its own (http_child.h), and its tickets end with that.
 */
struct kerberos;

/*
 * Reads a keytab (MIT's file format, version 2) as a secret file. principal: "name@REALM", the
 * principal to use; without "@REALM": of the first realm that has it; NULL: of the first entry.
 * ERR_CONFIG.
 */
enum err kerberos_open(const char *keytab, const char *principal, struct kerberos **out,
	struct error *e) must_check;
void kerberos_close(struct kerberos *kerberos);

/* From now on GSS-API's default credentials are these. */
enum err kerberos_use(const struct kerberos *kerberos, struct error *e) must_check;

/*
 * The error for the GSS-API's text after a failed authentication to origin: ERR_REFUSED if the KDC
 * does not take our key or knows no such service, ERR_UNAVAILABLE for all else.
 */
enum err kerberos_explain(
	const struct kerberos *kerberos, const char *origin, const char *said, struct error *e);

#endif
