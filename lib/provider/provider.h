#ifndef PROVIDER_PROVIDER_H
#define PROVIDER_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "config/config.h"
#include "pki/certificate.h"
#include "pki/key_pool.h"
#include "provider/event_result.h"
#include "store/store.h"

/*
 * The use cases. A provider holds the store, the CA and the gateways of one
 * configuration open; a process uses it for one event at a time.
 */
struct provider;

/* Opens all of it; nothing is sent yet. ERR_CONFIG, ERR_UNAVAILABLE. */
enum err provider_open(const struct config *config, struct provider **out,
	struct error *e) must_check; /* borrows config */
void provider_close(struct provider *provider);

/*
 * A pool for the keys that the configuration asks for, before the processes that share
 * it are forked; NULL if it asks for none. key_pool_fill() in one of them, this in the
 * others.
 */
enum err provider_key_pool(
	const struct config *config, struct key_pool **out, struct error *e) must_check;
void provider_use_pool(struct provider *provider, struct key_pool *pool); /* borrows */

/* From now on what is done is counted there, see provider/counters.h; until then nobody counts. */
struct counters;
void provider_use_counters(struct provider *provider, struct counters *counters); /* borrows */

/* Events need a slot from now on, and peers that hang are spared: see provider/admission.h. */
struct admission_pass;
void provider_use_admission(struct provider *provider, struct admission_pass *pass); /* borrows */

/* --- an event notification, from the webhook or from a file */

/*
 * Does what an event asks, and returns once the gateways have it. A failure after the event was
 * recorded leaves it pending or failed in the store. Logs one line with the result, and each step's
 * time. The codes are those of the answers to an event: ERR_MALFORMED, ERR_UNSUPPORTED,
 * ERR_UNPROCESSABLE, ERR_FORBIDDEN, ERR_REFUSED, ERR_UNAVAILABLE, ERR_CONFIG, ERR_INTERNAL.
 */
enum err provider_handle(struct provider *provider, const char *body, size_t len,
	struct event_result *out, struct error *e) must_check;

/* --- what was recorded, in bulk */

struct run_tally {
	int64_t total; /* of events, or devices, when it began; of users, then devices */
	int64_t done, pending, failed;
	bool stopped; /* before all was tried: the other side is down, or a signal came */
};

struct deliver_options {
	bool again;		  /* what the gateways have had already, instead of events */
	bool now;		  /* events: all that are pending, due or not, or failed */
	struct store_pair filter; /* again: "" is any */
	unsigned rate;		  /* a second; 0: [escrow] max-rate */
	/* Each one that was not delivered: err's meaning tells whether it is tried again. */
	void (*report)(void *ctx, const struct store_pair *pair, enum err err, const char *text);
	void (*progress)(void *ctx, const struct run_tally *tally); /* or NULL */
	void *ctx;
};

/*
 * Finishes recorded events from the step that failed, each tried once; or uploads again what the
 * store has for enrolled devices, and makes nothing new. Several processes share the work: it must
 * not have a provider or store open. report is called in those. Two at once, and one beside the
 * handler, never work on the same device and user. The error is one of all of it; failures of
 * single items are in *out, which is filled in any case.
 */
enum err provider_deliver(const struct config *config, const struct deliver_options *options,
	struct run_tally *out, struct error *e) must_check;

/* --- certificates that end */

struct renew_options {
	int64_t within;		   /* seconds; -1: [certificates] renew-within */
	bool now;		   /* whenever they end; needs user_uuid */
	bool usages[USAGE_COUNT];  /* of those that the configuration asks for */
	char user_uuid[UUID_SIZE]; /* this one alone; "": any */
	unsigned rate;		   /* uploads a second; 0: [escrow] max-rate */
	/* A failed item. pair: without a device if it is the user's. */
	void (*report)(void *ctx, const struct store_pair *pair, enum err err, const char *text);
	void (*progress)(void *ctx, const struct run_tally *tally); /* or NULL */
	void *ctx;
};

/*
 * Replaces active certificates that end within that time, of users with enrolled devices, and
 * uploads the new sets, one for each device; then everything else that is due for an upload. For
 * the rest as provider_deliver().
 */
enum err provider_renew(const struct config *config, const struct renew_options *options,
	struct run_tally *out, struct error *e) must_check;

typedef enum err renew_row(void *ctx, const struct credential *credential, struct error *e);

/* Calls row for each of these certificates, without its key; an error of row ends it. */
enum err provider_renew_list(const struct config *config, const struct renew_options *options,
	renew_row *row, void *ctx, struct error *e) must_check;

/* --- a device is lost, or was handed back without an event */

/*
 * Records an unenrollment of the device: it gets nothing more until it enrolls again, and its
 * certificates are revoked as [events] on-unenroll says. ERR_NOT_FOUND: nobody has enrolled it.
 * ERR_UNAVAILABLE, ERR_BARRED: delivery has stopped; certprov deliver finishes the revocation.
 */
enum err provider_unenroll(
	const struct config *config, const char *device_uuid, struct error *e) must_check;

/* --- revocation */

struct revoke_options {
	const char *serial;		     /* in any state; "": not by it */
	const char *user_uuid, *device_uuid; /* the active ones; "": not by it */
	enum revocation_reason reason;
	/* Once, if any is to be revoked: how many there are, and whether to go on. NULL: go on. */
	bool (*confirm)(void *ctx, size_t count);
	/* Each one: done is false where it was revoked already; err where it could not be. */
	void (*report)(void *ctx, const struct credential *credential, bool done, enum err err,
		const char *text);
	void *ctx;
};

/*
 * Revokes certificates at the CA and in the store; nothing is sent to a gateway. With
 * REVOKED_KEY_COMPROMISE the devices whose own certificates are among them, or the device that was
 * asked for, are unenrolled first, so that they get nothing more. ERR_NOT_FOUND
 * if no certificate has that serial number, user or device; else the last failure of one of them.
 */
enum err provider_revoke(const struct config *config, const struct revoke_options *options,
	struct error *e) must_check;

struct provider_crl {
	struct blob der; /* blob_free() */
	size_t size;
	int64_t number;
	char authority[STORE_AUTHORITY_SIZE]; /* the signer's SHA-256 thumbprint */
	int64_t this_update, next_update;
};

/*
 * The local CA's revocation list: the one that is out, or a new one where something was revoked
 * since, or half of [ca] crl-validity has passed. With USAGE_SIGNING, of the only local CA, for any
 * usage; of two, that of the usage. ERR_NOT_FOUND: external CAs publish their own lists.
 */
enum err provider_crl(struct provider *provider, enum usage usage, struct provider_crl *out,
	struct error *e) must_check;
/* The same without reading the list, which may be long: der is empty. */
enum err provider_crl_head(struct provider *provider, enum usage usage, struct provider_crl *out,
	struct error *e) must_check;
enum err provider_crl_of(const struct config *config, enum usage usage, struct provider_crl *out,
	struct error *e) must_check;

/* --- key recovery */

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

/* --- for the web server's other paths and the command line */

/* The certificate of the local CA, DER; which one, and errors, as provider_crl(). */
enum err provider_ca_certificate(
	struct provider *provider, enum usage usage, struct blob *out, struct error *e) must_check;

/* Borrowed; lives as long as the provider. */
struct store *provider_store(struct provider *provider);

/* A finding of a set-up: err is ERR_OK if it holds, also if it warns. */
typedef void provider_report(
	void *ctx, const char *what, enum err err, bool warning, const char *text);

struct provider_init {
	const char *subject;
	enum key_type key;   /* of a new one */
	const char *key_url; /* NULL, or the pkcs11: URL that the configuration must have, too */
};

/*
 * First set-up of the embedded default: the store, its master key and a local CA, where the
 * configuration names them. Existing files are kept.
 */
enum err provider_init(const struct config *config, const struct provider_init *what,
	provider_report *report, void *ctx, struct error *e) must_check;

#endif
