#ifndef STORE_ENGINE_H
#define STORE_ENGINE_H

#include "store/audit_mac.h"
#include "store/store.h"

/* Gives what shall be in the place of a sealed value; it stays where *out is left alone. */
typedef enum err store_renew_value(
	void *ctx, size_t which, const struct blob *sealed, struct blob *out, struct error *e);

/* A row with a sealed private key: one of these, the other is NULL. */
struct store_sealed {
	const struct credential *credential;
	const struct store_request *request;
};

/* The same for the key of a row. *last: it shall be the last one of its batch. */
typedef enum err store_renew_key(
	void *ctx, const struct store_sealed *row, struct blob *out, bool *last, struct error *e);

struct rekey_batch {
	bool requests;		/* else credentials */
	int64_t max;		/* of rows */
	int64_t after;		/* only such with a higher id; then, the id of the last one */
	int64_t count, renewed; /* how many there were */
};

/*
 * A database behind the store: each operation does what the one of the same
 * name in store.h says. The keys that it sees are sealed; it needs not know.
 */
struct store_engine {
	/* A new, empty database that holds key_check. Leaves nothing behind on failure. */
	enum err (*create)(
		const struct config *config, const struct blob *key_check, struct error *e);
	enum err (*open)(const struct config *config, void **self, struct error *e);
	void (*close)(void *self);
	enum err (*ping)(void *self, struct error *e);
	enum err (*examine)(void *self, struct error *e);

	/* The known value that create() was given, or what it was renewed to. */
	enum err (*key_check)(void *self, struct blob *out, struct error *e);
	/*
	 * From now on, ERR_CONFIG for adding what is sealed while the known value is another one:
	 * its keys are not the current ones. Borrows until the next call.
	 */
	void (*key_use)(void *self, const struct blob *key_check);

	/* For this process alone, until it closes the store. ERR_UNAVAILABLE: another has it. */
	enum err (*rekey_begin)(void *self, struct error *e);
	/* Renews the sealed values of these names, those that are there, in one transaction. */
	enum err (*rekey_values)(void *self, const char *const names[], size_t count,
		store_renew_value *renew, void *ctx, struct error *e);
	/* Renews the keys of the next rows, in one transaction. */
	enum err (*rekey_keys)(void *self, struct rekey_batch *batch, store_renew_key *renew,
		void *ctx, struct error *e);
	/* Nothing that was overwritten is left in a file. ERR_UNAVAILABLE. */
	enum err (*flush)(void *self, struct error *e);

	/* The sealed key of the audit trail. ERR_NOT_FOUND: it has none yet. */
	enum err (*audit_key)(void *self, struct blob *out, struct error *e);
	/* Begins the trail, unless it has a key by now. ERR_CONFIG if it has entries without one.
	 */
	enum err (*audit_begin)(void *self, const struct blob *sealed_key, struct error *e);
	/* For all entries from now on. Borrows. */
	void (*audit_use)(void *self, const struct audit *audit);
	enum err (*audit_add)(void *self, const struct store_audit *entry, struct error *e);
	enum err (*audit_conflicts)(void *self, struct store_conflicts *out, struct error *e);
	enum err (*audit_verify)(void *self, int64_t *count, struct error *e);
	/* Gives all rows their MACs, as they are, and replaces the key check, which says so. */
	enum err (*rows_begin)(void *self, const struct blob *key_check, struct error *e);
	enum err (*rows_verify)(void *self, int64_t *count, struct error *e);

	enum err (*event_add)(void *self, const struct store_event *event, int64_t lease,
		int64_t *id, struct error *e);
	enum err (*event_check)(void *self, int64_t id, struct error *e);
	enum err (*event_accept)(
		void *self, int64_t id, bool shared, bool *accepted, struct error *e);
	enum err (*event_finish)(
		void *self, int64_t id, const struct store_end *end, struct error *e);

	enum err (*event_claim)(void *self, const struct store_due *due, int64_t after,
		const struct store_share *share, struct store_claim *out, struct error *e);
	enum err (*event_turn)(void *self, int64_t id, bool *ours, struct error *e);
	enum err (*event_due)(
		void *self, const struct store_due *due, int64_t *count, struct error *e);
	enum err (*device_claim)(void *self, const struct store_wanted *wanted,
		const struct store_share *share, struct store_device *at, struct error *e);
	enum err (*device_release)(void *self, const struct store_pair *pair, struct error *e);
	enum err (*device_find)(void *self, const struct store_pair *pair,
		char device_uuid[UUID_SIZE], struct error *e);
	enum err (*device_known)(void *self, const char *device_uuid, bool *known, struct error *e);
	enum err (*device_outdated)(void *self, const char *user_uuid, const char *mail,
		char at[UUID_SIZE], struct error *e);
	enum err (*device_enrolled)(
		void *self, const struct store_wanted *wanted, int64_t *count, struct error *e);

	enum err (*credential_current)(void *self, const struct credential_owner *owner,
		struct credential *out, struct error *e);
	enum err (*credential_add)(void *self, struct credential *credential,
		const struct store_place *place, bool *won, struct error *e);
	enum err (*credential_reactivate)(void *self, const struct credential_owner *owner,
		const struct store_return *wanted, bool *done, struct error *e);
	enum err (*user_address)(void *self, const char *user_uuid, char **mail,
		int64_t *address_time, struct error *e);
	enum err (*address_conflict)(void *self, const struct store_claimant *claimant,
		const char *mail, char **other, struct error *e);
	enum err (*credential_newest)(void *self, const char *user_uuid, const char *device_uuid,
		int64_t *id, struct error *e);
	enum err (*credential_archived)(void *self, const struct store_earlier *earlier,
		struct credential **out, size_t *count, size_t *left_out, struct error *e);
	enum err (*credential_history)(void *self, const char *user_uuid, const char *serial,
		struct credential **out, size_t *count, struct error *e);

	enum err (*request_claim)(void *self, const struct store_asking *asking,
		enum request_claim *how, struct store_request *out, struct error *e);
	enum err (*request_add)(void *self, const struct store_asking *asking,
		struct store_request *request, bool *won, struct error *e);
	enum err (*request_release)(void *self, const struct store_request *request,
		const struct store_pending *pending, struct error *e);
	enum err (*request_misread)(void *self, const struct store_request *request,
		const struct store_misread *misread, struct error *e);
	enum err (*request_drop)(void *self, const struct store_request *request, struct error *e);

	enum err (*access_find)(void *self, const struct store_access *access,
		struct store_barred *out, struct error *e);
	enum err (*access_try)(void *self, const struct store_access *access, int64_t lease,
		bool *ours, struct error *e);
	enum err (*access_bar)(void *self, const struct store_access *access, int64_t wait,
		const char *cause, struct error *e);
	enum err (*access_open)(void *self, const struct store_access *access, struct error *e);

	enum err (*renewal_next)(void *self, const struct store_renewal *wanted,
		const struct store_share *share, char user_uuid[UUID_SIZE], struct error *e);
	enum err (*renewal_count)(
		void *self, const struct store_renewal *wanted, int64_t *users, struct error *e);
	enum err (*renewal_list)(void *self, const struct store_renewal *wanted,
		const char *user_uuid, struct credential **out, size_t *count, struct error *e);
	enum err (*user_claim)(
		void *self, const char *user_uuid, int64_t lease, bool *claimed, struct error *e);
	enum err (*user_keep)(void *self, const char *user_uuid, int64_t lease, struct error *e);
	enum err (*user_release)(void *self, const char *user_uuid, struct error *e);
	enum err (*user_enrollment)(void *self, const char *user_uuid, struct blob *out,
		int64_t *time, struct error *e);

	enum err (*credential_find)(void *self, const struct store_selection *selection,
		struct credential **out, size_t *count, struct error *e);
	enum err (*credential_unenrolled)(void *self, int64_t event_id, bool encryption,
		struct credential **out, size_t *count, struct error *e);
	enum err (*credential_revoke)(
		void *self, int64_t id, enum revocation_reason reason, bool *done, struct error *e);
	enum err (*crl_current)(void *self, const char *issuer, struct store_crl *out,
		int64_t *revoked, struct error *e);
	enum err (*crl_head)(void *self, const char *issuer, struct store_crl *out,
		int64_t *revoked, struct error *e);
	enum err (*crl_begin)(void *self, const char *issuer, int64_t *number, int64_t *covers,
		struct store_revoked **out, size_t *count, struct error *e);
	enum err (*crl_publish)(
		void *self, const char *issuer, const struct store_crl *crl, struct error *e);

	enum err (*upload_record)(void *self, const struct store_upload *upload, struct error *e);

	enum err (*upload_last)(void *self, const char *gateway, enum upload_state state,
		int64_t *at, struct error *e);

	enum err (*list)(void *self, enum store_table table, const struct store_filter *filter,
		store_row *row, void *ctx, struct error *e);
	enum err (*count_ending)(
		void *self, int64_t from, int64_t before, int64_t *count, struct error *e);
	enum err (*count)(void *self, int64_t now, struct store_counts *out, struct error *e);
};

extern const struct store_engine store_engine_sqlite;

#endif
