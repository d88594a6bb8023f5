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

/* An order for a certificate. All borrowed; an external CA sees its request only. */
struct ca_order {
	enum usage usage;
	const struct name *subject;
	const struct address *address;
	const char *user_uuid;
	const char *device_uuid; /* "": it is for all devices of the user */
	const struct key *key;
	const struct blob *request; /* PKCS#10, DER, made with the key; of ca_wants_request() */
	const char *handle;	    /* what it gave for this request before; "": it is new */
	int64_t now;
	int64_t deadline;		    /* clock_monotonic_ms(): by then it is over */
	const struct certificates *issuers; /* ca_issue() sets it: what issuer-file has */
};

/* A certificate to revoke, of this CA's or of an earlier one's. */
struct ca_revocation {
	const char *serial; /* lower-case hexadecimal */
	const char *issuer; /* RFC 4514, as certificate_info() has it */
	enum revocation_reason reason;
	int64_t deadline;
};

/* The result of an order. */
struct ca_answer {
	struct chain chain; /* issued: leaf first */
	/* Pending or not understood: by what it wants to be asked for it; may be "". */
	char handle[CA_HANDLE_SIZE];
	bool once; /* not understood, and sent again it would be another request */
};

/* A kind of CA: a row of the table in ca.c, a file in this folder. */
struct ca_kind {
	/* True: it takes a PKCS#10 request. False: it is a local CA and takes the key. */
	bool wants_request;
	/* Asks nobody. ERR_CONFIG with config_error(config, ca->section, …) for what is wrong. */
	enum err (*open)(const struct config *config, const struct config_ca *ca, void **self,
		struct error *e);
	/*
	 * ERR_OK: issued. ERR_PENDING: it has the request, and a person decides; with out->handle,
	 * and e->retry_after if it said when to ask again. ERR_REFUSED for good; ERR_BARRED: it did
	 * not process the request, and will not until a person has fixed something. ERR_GARBLED: it
	 * took the request, and its answer was not understood; with out->handle and out->once.
	 * ERR_UNAVAILABLE: later. With the last three the same request is sent again, as it may
	 * have issued by then.
	 */
	enum err (*issue)(
		void *self, const struct ca_order *order, struct ca_answer *out, struct error *e);
	/*
	 * Its own certificate and what certifies it, as it says now. ERR_NOT_FOUND where it cannot
	 * be asked.
	 */
	enum err (*chain)(void *self, int64_t deadline, struct chain *out, struct error *e);
	/*
	 * Optional: is it there, and does it take our credentials, as far as can be known without
	 * a certificate being issued? Else chain is asked.
	 */
	enum err (*probe)(void *self, int64_t deadline, struct error *e);
	/* Optional. Revoking a certificate again is no error. ERR_REFUSED: not its own. */
	enum err (*revoke)(void *self, const struct ca_revocation *revocation, struct error *e);
	/* Optional: it signs a list of what the store knows to be revoked. */
	enum err (*crl)(
		void *self, const struct crl_order *order, struct blob *out, struct error *e);
	/* Optional: our client identity there, borrowed; NULL: none. */
	const struct identity *(*identity)(const void *self);
	void (*close)(void *self);
};

extern const struct ca_kind ca_local;
extern const struct ca_kind ca_est;
extern const struct ca_kind ca_ejbca;
extern const struct ca_kind ca_adcs;
extern const struct ca_kind ca_vault;
extern const struct ca_kind ca_step;
extern const struct ca_kind ca_cfssl;
extern const struct ca_kind ca_command;

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

/* By when a request that begins now has to be over, of clock_monotonic_ms(). */
int64_t ca_deadline(const struct ca *ca);

/*
 * A digest of the CA and the kind of certificate: this CA cannot use a request made under other
 * terms.
 */
#define CA_TERMS_SIZE 65
enum err ca_terms(const struct ca *ca, char out[CA_TERMS_SIZE], struct error *e) must_check;

/*
 * Issues, and passes the answer through certificate_check() first; its issuer must be one of
 * issuer-file, if that is set. Errors as in struct ca_kind. The answer's chain is for chain_free().
 */
enum err ca_issue(struct ca *ca, const struct ca_order *order, struct ca_answer *out,
	struct error *e) must_check;

/* Its own certificate and what certifies it. */
enum err ca_chain(struct ca *ca, int64_t deadline, struct chain *out, struct error *e) must_check;

/* For `certprov check`: could it issue now? Nothing is issued. */
enum err ca_probe(struct ca *ca, int64_t deadline, struct error *e) must_check;

/* ERR_REFUSED if its kind cannot revoke, or if the certificate is not its own. */
enum err ca_revoke(
	struct ca *ca, const struct ca_revocation *revocation, struct error *e) must_check;

/* Only where ca_has_crl(). */
bool ca_has_crl(const struct ca *ca);
enum err ca_crl(
	struct ca *ca, const struct crl_order *order, struct blob *out, struct error *e) must_check;

/*
 * First set-up of the local CA: makes key and self-signed certificate (ten
 * years) at the places that the configuration names. ERR_CONFIG if either is
 * there already; but a key that is in a token already is used.
 */
enum err ca_local_init(const struct config_ca *ca, const char *subject, enum key_type type,
	struct error *e) must_check;

/* Of a local CA with its key in a token: it is there, and is the certificate's. Errors as
 * token_probe(). */
enum err ca_local_check_key(const struct config_ca *ca, struct error *e) must_check;

#endif
