#ifndef CHECK_CERTIFICATE_H
#define CHECK_CERTIFICATE_H

#include "check/finding.h"
#include "pki/certificate.h"
#include "provider/expiry.h"

/*
 * Reports whose certificate it is and when it expires; for our client certificate its thumbprints,
 * too. Returns false if it cannot be read, which is then reported.
 */
bool check_certificate(struct check *c, const char *about, enum expiry_what what,
	const struct blob *der, struct certificate_info *out);

/* Reports text by its expiry: an expired thing fails, one that expires soon is a warning. */
void check_expiry(
	struct check *c, const char *about, const struct expiry *expiry, const char *text);

#endif
