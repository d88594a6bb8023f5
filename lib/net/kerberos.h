#ifndef NET_KERBEROS_H
#define NET_KERBEROS_H

#include "base/error.h"

/*
 * Our Kerberos identity: the keys of one principal, out of a keytab, and the tickets that GSS-API
 * gets with them. Both exist only in memory. libcurl uses GSS-API, which finds them by the
 * process's environment and waits for a KDC without a deadline. So each request is made in a
 * process of its own (http_child.h), and its tickets end with that process.
 */
struct kerberos;

/*
 * Reads a keytab (MIT's file format, version 2) as a secret file. principal is the one to use:
 * "name@REALM"; without "@REALM" the first realm that has it; NULL: that of the first entry.
 * ERR_CONFIG.
 */
enum err kerberos_open(const char *keytab, const char *principal, struct kerberos **out,
	struct error *e) must_check;
void kerberos_close(struct kerberos *kerberos);

/* Makes these GSS-API's default credentials. */
enum err kerberos_use(const struct kerberos *kerberos, struct error *e) must_check;

/*
 * The error for GSS-API's text after a failed authentication to origin: ERR_REFUSED if the KDC
 * rejected our key or knows no such service, else ERR_UNAVAILABLE.
 */
enum err kerberos_explain(
	const struct kerberos *kerberos, const char *origin, const char *said, struct error *e);

#endif
