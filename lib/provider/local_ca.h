#ifndef PROVIDER_LOCAL_CA_H
#define PROVIDER_LOCAL_CA_H

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"
#include "config/vocabulary.h"
#include "pki/certificate.h"

struct ca;
struct provider;

/*
 * The certificate of the local CA, DER: with USAGE_SIGNING, of the only local CA, for any usage; of
 * two, that of the usage. ERR_NOT_FOUND: external CAs publish their own certificates.
 */
enum err provider_ca_certificate(
	struct provider *p, enum usage usage, struct blob *out, struct error *e) must_check;

/* That CA; NULL: there is none. */
struct ca *local_ca_find(const struct provider *p, enum usage usage);

/* The contents of the CA's own certificate. */
enum err local_ca_info(struct ca *ca, struct certificate_info *out, struct error *e) must_check;

/*
 * ERR_CONFIG if both are local CAs with the same name, by which serial numbers and revocation lists
 * are told apart (RFC 5280, 4.1.2.4).
 */
enum err local_ca_check_names(const struct config *config, struct ca *signing,
	struct ca *encryption, struct error *e) must_check;

#endif
