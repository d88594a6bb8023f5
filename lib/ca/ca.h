#ifndef CA_CA_H
#define CA_CA_H

#include "base/error.h"
#include "config/config.h"
#include "pki/address.h"
#include "pki/certificate.h"
#include "pki/certificates.h"
#include "pki/chain.h"
#include "pki/crl.h"
#include "pki/key.h"
#include "pki/name.h"

/* A certificate authority of any kind, opened. */
struct ca;
struct identity;

#define CA_HANDLE_SIZE 128

/* An order for a certificate. All is borrowed. An external CA is sent only the request. */
struct ca_order {
	enum usage usage;
	const struct name *subject;
	const struct address *address;
	const char *user_uuid;
	const char *device_uuid; /* "": it is for all devices of the user */
	const struct key *key;
	const struct blob *request; /* PKCS#10, DER, made with the key; of ca_wants_request() */
	const char *handle;	    /* that the CA gave for this request; "": the request is new */
	int64_t now;
	int64_t deadline;		    /* clock_monotonic_ms() */
	const struct certificates *issuers; /* ca_issue() sets it: what issuer-file has */
};

/* A certificate to revoke, issued by this CA or an earlier one. */
struct ca_revocation {
	const char *serial; /* lower-case hexadecimal */
	const char *issuer; /* RFC 4514, as certificate_info() has it */
	enum revocation_reason reason;
	int64_t deadline;
};

/* The result of an order. */
struct ca_answer {
	struct chain chain; /* issued: leaf first */
	/* Pending or not understood: what to ask for the certificate by; may be "". */
	char handle[CA_HANDLE_SIZE];
	bool once; /* not understood, and the same request again would get another certificate */
};

/* The CA of a section of the configuration; config outlives it. */
enum err ca_open(const struct config *config, const struct config_ca *section, struct ca **out,
	struct error *e) must_check;
void ca_close(struct ca *ca);

/* Its section of the configuration. */
const struct config_ca *ca_config(const struct ca *ca);

/* [ca] identity, open and borrowed; NULL: it has none. */
const struct identity *ca_identity(const struct ca *ca);

/*
 * Returns true if an order needs a request. Such a CA may have issued although no answer came, or
 * may answer days later: the key and the request of an order have to be kept until it has.
 */
bool ca_wants_request(const struct ca *ca);

/* The deadline of a request that begins now, of clock_monotonic_ms(). */
int64_t ca_deadline(const struct ca *ca);

/*
 * A digest of the CA and the kind of certificate. A request that was made under other terms cannot
 * be used.
 */
#define CA_TERMS_SIZE 65
enum err ca_terms(const struct ca *ca, char out[CA_TERMS_SIZE], struct error *e) must_check;

/*
 * Issues, and passes the answer through certificate_check() first; its issuer must be one of
 * issuer-file, if that is set. Errors as in ca_kind.h. The answer's chain is for chain_free().
 */
enum err ca_issue(struct ca *ca, const struct ca_order *order, struct ca_answer *out,
	struct error *e) must_check;

/* Its own certificate and what certifies it. */
enum err ca_chain(struct ca *ca, int64_t deadline, struct chain *out, struct error *e) must_check;

/* For `certprov check`: asks whether it could issue now, without issuing. */
enum err ca_probe(struct ca *ca, int64_t deadline, struct error *e) must_check;

/* Returns true if its kind can revoke; else that is done at the CA. */
bool ca_can_revoke(const struct ca *ca);

/* ERR_REFUSED if its kind cannot revoke, or if the certificate is not its own. */
enum err ca_revoke(
	struct ca *ca, const struct ca_revocation *revocation, struct error *e) must_check;

/* Only where ca_has_crl(). */
bool ca_has_crl(const struct ca *ca);
enum err ca_crl(
	struct ca *ca, const struct crl_order *order, struct blob *out, struct error *e) must_check;

#endif
