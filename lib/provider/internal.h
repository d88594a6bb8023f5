#ifndef PROVIDER_INTERNAL_H
#define PROVIDER_INTERNAL_H

#include "ca/ca.h"
#include "escrow/escrow.h"
#include "pki/key_pool.h"
#include "provider/admission.h"
#include "provider/config_fingerprint.h"
#include "provider/counters.h"
#include "provider/provider.h"
#include "provider/step_times.h"
#include "provider/subject_of_event.h"
#include "store/store.h"

/* Shared by the use cases; nobody outside lib/provider includes this. */

struct provider {
	const struct config *config;
	struct store *store;
	struct ca *ca[USAGE_COUNT]; /* may be one and the same */
	struct escrow *escrow;
	struct key_pool *pool;		   /* borrowed; NULL: every key is made when it is needed */
	struct counters *counters;	   /* borrowed; NULL: nobody counts */
	struct admission_pass *pass;	   /* borrowed; NULL: nothing is limited */
	char fingerprint[DIGEST_HEX_SIZE]; /* what it works with */
	struct blob pkcs12_password;	   /* data is NULL: none */
	bool now;			   /* asks CAs also before they want to be asked again */
	const char *run;		   /* with now: the name of that run; borrowed */
};

/* Only the store and the CA, for what asks nothing of the gateways. */
enum err provider_open_ca(
	const struct config *config, struct provider **out, struct error *e) must_check;

/*
 * The local CA whose certificate and revocation list we serve: of that usage, or of a later one.
 * NULL: there is none.
 */
struct ca *local_ca(const struct provider *provider, enum usage usage);

/*
 * ERR_CONFIG if both are local CAs with the same name, by which serial numbers and revocation lists
 * are told apart (RFC 5280, 4.1.2.4).
 */
enum err check_ca_names(const struct config *config, struct ca *signing, struct ca *encryption,
	struct error *e) must_check;

/* The contents of the CA's own certificate. */
enum err read_ca_info(struct ca *ca, struct certificate_info *out, struct error *e) must_check;

/*
 * Revokes by [events] on-unenroll after an unenrollment. A refusal by the CA is logged and ends it:
 * nobody waits for it.
 */
enum err revoke_unenrolled(struct provider *provider, int64_t event_id,
	enum revocation_reason reason, struct error *e) must_check;

/*
 * Stops all delivery to a device until it enrolls again, and does what [events] on-unenroll says;
 * compromised: its keys are revoked as such. ERR_NOT_FOUND: nobody has enrolled it.
 */
enum err device_unenroll(struct provider *provider, const char *device_uuid, bool compromised,
	struct error *e) must_check;

/* An event on its way through. */
struct work {
	struct provider *provider;
	const struct event *event;
	int64_t received_at;
	int64_t id;	  /* in the store; 0: not recorded */
	int64_t tries;	  /* before this one */
	bool by_hand;	  /* an unenrollment that UEM did not tell of, and so has no time */
	bool compromised; /* an unenrollment: the device's keys may be in other hands */
	bool overtaken;	  /* the device is unenrolled, or another user's, since */
	struct step_times steps;
};

/*
 * Logs what was repaired in an event that has just come, in one line, and that its type has a
 * word that we know but asks nothing; counts the latter.
 */
void note_event(const struct event *event, struct counters *counters);

/*
 * Does what a recorded event asks, stores the outcome and the time when it is due again, and logs
 * it. Steps that were done before are not repeated.
 */
enum err work_attempt(struct work *work, struct event_result *out, struct error *e) must_check;

/* If a process dies, others may take up its leased work after so many seconds. */
int64_t lease_seconds(const struct config *config);

/*
 * Works out whom an event's certificates are for, as subject_of_event(). Where the event has no
 * address, a known user keeps the one in the store; so does a user whose address is from a later
 * event, and an address that differs in case alone.
 */
enum err subject_now(struct provider *provider, const struct event *event, struct subject *out,
	struct error *e) must_check;

/*
 * By [identity] address-conflict: ERR_UNPROCESSABLE where another user has an active certificate
 * for the subject's address and another enrolled device, or a warning. Both are written down.
 */
enum err check_address_is_free(struct provider *provider, const struct store_claimant *claimant,
	const struct subject *subject, struct error *e) must_check;

/* All credentials that one device of a user gets: an upload, unpacked. */
struct credential_set {
	struct credential current[USAGE_COUNT];
	bool present[USAGE_COUNT];
	struct credential *archived; /* newest first */
	size_t archived_count;
	size_t left_out; /* earlier ones beyond [certificates] archive-max */
	int64_t newest;	 /* what came later may not be in it */
};

void credential_set_fini(struct credential_set *set);

/*
 * Takes the current credentials of the event's device and user, and makes those that
 * are missing, have expired or are for another address; so, too, what the user's other enrolled
 * devices sign with, if that is for another address. Every process that asks for the same gets
 * the same: the store decides.
 */
enum err credential_set_obtain(struct provider *provider, const struct event *event,
	const struct subject *subject, struct step_times *steps, struct credential_set *out,
	struct error *e) must_check;

/*
 * A new key and certificate in the place of an active one, for the subject's present name and
 * address. If another process was quicker, its credential is kept.
 */
enum err credential_renew(struct provider *provider, const struct credential *old,
	const struct subject *subject, struct error *e) must_check;

/*
 * Collects the store's credentials of a device and its user: nothing is made, and a current
 * credential that has expired goes as archived. ERR_NOT_FOUND if none is current.
 */
enum err credential_set_stored(struct provider *provider, const struct store_pair *pair,
	struct credential_set *out, struct error *e) must_check;

/* The result of a set at each gateway, for the store. */
struct uploads {
	struct store_pair pair;
	struct buf contents;
	size_t count;
	struct store_upload *row; /* borrows from the rest */
	struct error *why;	  /* of each */
};

void uploads_fini(struct uploads *uploads);

/*
 * Packs the set and uploads it to every gateway, all within [escrow] timeout. Where gateways fail
 * differently, one that may yet work decides. *out is for the caller to write down in the store,
 * on failure, too. tries: before this one.
 */
enum err upload_set(struct provider *provider, const struct store_pair *pair,
	const struct credential_set *set, int64_t tries, struct step_times *steps,
	struct uploads *out, struct error *e) must_check;

/* [escrow] pkcs12-password-file, as a string that a PKCS#12 file can have. ERR_CONFIG. */
enum err read_pkcs12_password(const char *file, struct blob *out, struct error *e) must_check;

#endif
