#ifndef CA_CA_H
#define CA_CA_H

#include "base/config.h"
#include "base/error.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/key.h"
#include "pki/name.h"

/* A certificate authority, of whatever kind: one that is in work. */
struct ca;

/* What is asked of it. The key is borrowed; a CA of another house sees its request only. */
struct ca_order {
	enum usage usage;
	const struct name *subject;
	const struct address *address;
	const struct key *key;
	int64_t now;
};

/* A certificate to revoke, of this CA's or of an earlier one's. */
struct ca_revocation {
	const char *serial; /* lower-case hexadecimal */
	const char *issuer; /* RFC 4514, as certificate_info() has it */
	enum revocation_reason reason;
};

/* A kind of CA: a row of the table in ca.c, a file in this folder. */
struct ca_kind {
	const char *name; /* as in [ca] type */
	enum err (*open)(const struct config *config, void **self, struct error *e);
	/* Leaf and chain. ERR_REFUSED for good, ERR_UNAVAILABLE for later. */
	enum err (*issue)(
		void *self, const struct ca_order *order, struct chain *out, struct error *e);
	/* The CA's own certificate, to show and to serve. */
	enum err (*certificate)(void *self, struct blob *out, struct error *e);
	/* Optional. What is revoked already is so without an error. ERR_REFUSED: not its own. */
	enum err (*revoke)(void *self, const struct ca_revocation *revocation, struct error *e);
	/* Optional: it signs a list of what the store knows to be revoked. */
	enum err (*crl)(
		void *self, const struct crl_order *order, struct blob *out, struct error *e);
	void (*close)(void *self);
};

extern const struct ca_kind ca_local;

enum err ca_open(const struct config *config, struct ca **out, struct error *e) must_check;
void ca_close(struct ca *ca);

/* The number of its kind in the table, below CA_KIND_MAX; NULL for a number behind the last. */
#define CA_KIND_MAX 16
size_t ca_kind_of(const struct ca *ca);
const char *ca_kind_name(size_t kind);

/* Issues, and puts the answer through certificate_check() before anyone sees it. */
enum err ca_issue(
	struct ca *ca, const struct ca_order *order, struct chain *out, struct error *e) must_check;

enum err ca_certificate(struct ca *ca, struct blob *out, struct error *e) must_check;

/* ERR_REFUSED where its kind cannot, or for what is none of its certificates. */
enum err ca_revoke(
	struct ca *ca, const struct ca_revocation *revocation, struct error *e) must_check;

/* Only where ca_has_crl(). */
bool ca_has_crl(const struct ca *ca);
enum err ca_crl(
	struct ca *ca, const struct crl_order *order, struct blob *out, struct error *e) must_check;

/*
 * First set-up of the local CA: makes key and self-signed certificate (ten
 * years) at the places that the configuration names. ERR_CONFIG if either is
 * there already.
 */
enum err ca_local_init(const struct config *config, const char *subject, enum key_type type,
	struct error *e) must_check;

#endif
