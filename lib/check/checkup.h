#ifndef CHECK_CHECKUP_H
#define CHECK_CHECKUP_H

#include "base/error.h"
#include "config/config.h"
#include "pki/certificate.h"
#include "provider/expiry.h"
#include "provider/provider.h"
#include "store/store.h"

/*
 * A check-up: findings go to report, the worst of them is kept. A fault is one sentence, "cause:
 * remedy". Nobody outside lib/provider includes this.
 */
struct checkup {
	const struct config *config;
	provider_report *report;
	void *ctx;
	struct store *store; /* NULL: it cannot be opened */
	enum err worst;
};

/* It holds, where err is ERR_OK, or fails; text may begin with "WHAT: ", which is left out. */
void checkup_found(struct checkup *c, const char *what, enum err err, const char *text);
void checkup_holds(struct checkup *c, const char *what, const char *fmt, ...) printf_like(3, 4);
/* A finding that works but needs attention. */
void checkup_warns(struct checkup *c, const char *what, const char *fmt, ...) printf_like(3, 4);

/* One file for each subject. */
void check_files(struct checkup *c);	/* check_files.c: passwords, users; permissions */
void check_hashes(struct checkup *c);	/* check_hashes.c: what it costs to check a password */
void check_identity(struct checkup *c); /* check_identity.c: whose certificates */
void check_store(struct checkup *c);	/* check_store.c: database, disk, master key; opens store */
void check_ca(struct checkup *c);	/* check_ca.c: certificate and key, revocation list */
void check_gateways(struct checkup *c); /* check_gateway.c: client certificate, gateways, clock */

/*
 * For check_ca.c and check_gateway.c: when it ends, and for our client certificate its
 * thumbprints. False: it cannot be read.
 */
bool checkup_certificate(struct checkup *c, const char *name, enum expiry_what what,
	const struct blob *der, struct certificate_info *out);
void checkup_expiry(
	struct checkup *c, const char *what, const struct expiry *expiry, const char *text);

#endif
