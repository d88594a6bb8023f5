#ifndef CA_STEP_TOKEN_H
#define CA_STEP_TOKEN_H

#include <stdint.h>

#include "ca/jwk.h"
#include "config/config.h"
#include "net/identity.h"

/*
 * Makes the one-time tokens that step-ca accepts. A JWK provisioner's token is signed with its JWK,
 * an X5C provisioner's with the key of a certificate.
 */
struct step_signer {
	const char *provisioner;
	char *authority;	   /* host and port of the CA's URL, as it stands in "aud" */
	struct jwk jwk;		   /* or */
	struct identity *identity; /* with its chain in the header */
};

enum err step_signer_open(const struct config *config, const struct config_ca *ca,
	struct step_signer *out, struct error *e) must_check;
void step_signer_close(struct step_signer *signer);

/* The provisioner's type: "JWK" or "X5C". */
const char *step_signer_type(const struct step_signer *signer);

/*
 * Appends a token for one request: operation is "sign" or "revoke", subject what it is about, mail
 * the address to certify or NULL. Valid for five minutes from now on.
 */
enum err step_token(const struct step_signer *signer, const char *operation, const char *subject,
	const char *mail, int64_t now, struct buf *out, struct error *e) must_check;

#endif
