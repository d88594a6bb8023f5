#ifndef PKI_ADDRESS_H
#define PKI_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define ADDRESS_SIZE 255 /* RFC 5321, 4.5.3.1.3: a path of 256 less its brackets, and a NUL */

/*
 * A mail address as it goes into a certificate: the local part as it was
 * given, the domain as lower-case A-labels (RFC 5321, RFC 5890).
 */
struct address {
	char text[ADDRESS_SIZE]; /* local@domain */
	size_t domain;		 /* where in text it begins */
	bool ascii_local;	 /* false: SmtpUTF8Mailbox (RFC 9598), else rfc822Name */
};

/*
 * Validates one address: a dot-atom local part of at most 64 octets (no quoted
 * strings, no comments), at least two domain labels, no address literals, no
 * controls or bidi marks, no routes (% and !), in NFKC. ERR_UNPROCESSABLE, saying what is wrong.
 */
enum err address_parse(const char *s, struct address *out, struct error *e) must_check;

#endif
