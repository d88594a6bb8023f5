#ifndef CA_CA_KIND_H
#define CA_CA_KIND_H

#include "ca/ca.h"

/* Private to this folder: what each kind of CA does. */

/* A kind of CA: a row of CA_TYPES (config/vocabulary.h), and a file in this folder. */
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
	 * Optional: its own certificate and what certifies it, as it says now. Else those of
	 * issuer-file are taken.
	 */
	enum err (*chain)(void *self, int64_t deadline, struct chain *out, struct error *e);
	/*
	 * Optional: asks whether it is there and accepts our credentials, as far as can be known
	 * without issuing a certificate. Else chain is asked.
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

/* ca_local, ca_est, …: all that a kind's file lets others see, which needs no header more. */
#define DECLARE_KIND(NAME, name) extern const struct ca_kind ca_##name;
CA_TYPES(DECLARE_KIND)
#undef DECLARE_KIND

#endif
