#ifndef PROVIDER_RECOVER_H
#define PROVIDER_RECOVER_H

#include "base/error.h"
#include "config/config.h"
#include "pki/pkcs12.h"
#include "store/store.h"

struct recover_options {
	const char *user_uuid;
	const char *serial;	   /* that encryption certificate alone; "": all of the user's */
	const char *output;	   /* the file, which must not be there yet */
	const char *password_file; /* NULL: [escrow] pkcs12-password-file */
	const char *reason;	   /* UTF-8 */
	enum pkcs12_profile form;  /* the gateway's need not be that of a file on a disk */
	/* Each one that the file has, newest first, once it is written; without its key. */
	void (*report)(void *ctx, const struct credential *credential);
	void *ctx;
};

/*
 * Writes all encryption keys that a user has had, with their certificates, into one
 * PKCS#12 file of mode 0600, with at least 100,000 iterations if it is modern. Needs the store, but
 * no CA.
 * ERR_USAGE where no password is named, ERR_NOT_FOUND for an unknown user and one without
 * such a certificate, ERR_FORBIDDEN for the serial number of a signing certificate: signing
 * keys are never recovered. No file is left on failure.
 */
enum err provider_recover(const struct config *config, const struct recover_options *options,
	struct error *e) must_check;

#endif
