#ifndef STORE_AUDIT_MAC_H
#define STORE_AUDIT_MAC_H

#include "store/seal.h"
#include "store/store.h"

/*
 * Makes the audit trail tamper-evident, the same for all engines. Each entry has a MAC
 * (HMAC-SHA-256, RFC 2104) over its number, all its fields and the MAC of the entry before it, so
 * that none can be altered, left out or put in without the key. A MAC over the number and MAC of
 * the newest entry, the head, tells where the trail ends. The key is random, made once, and lies in
 * the store sealed under the master key.
 */
#define AUDIT_MAC_SIZE 32

struct audit;

/* A new key, sealed, for audit_open(). */
enum err audit_make_key(const struct seal *seal, struct blob *out, struct error *e) must_check;

enum err audit_open(const struct seal *seal, const struct blob *sealed_key, struct audit **out,
	struct error *e) must_check;
void audit_close(struct audit *audit);

/* The actor: "certprov by root (login alice)", "certprov by root (sudo by alice)". Borrowed. */
const char *audit_actor(const struct audit *audit);

/* An entry as it is stored. Texts are borrowed. */
struct audit_row {
	int64_t id; /* 1, 2, 3 … without a gap */
	int64_t at;
	const char *action, *request_id, *actor, *device_uuid, *user_uuid, *serial, *detail;
};

/* previous: the MAC of entry id - 1; zeros before the first. */
enum err audit_mac(const struct audit *audit, const struct audit_row *row,
	const unsigned char previous[AUDIT_MAC_SIZE], unsigned char out[AUDIT_MAC_SIZE],
	struct error *e) must_check;

/* The head: over the number of entries and the MAC of the newest. */
enum err audit_head(const struct audit *audit, int64_t count,
	const unsigned char newest[AUDIT_MAC_SIZE], unsigned char out[AUDIT_MAC_SIZE],
	struct error *e) must_check;

struct audit_part { /* borrowed */
	const void *data;
	size_t len;
};

/*
 * Of a row of another table, by the same key. part: what tells it from all others, and what is
 * covered. Each goes in behind its length.
 */
enum err audit_row_mac(const struct audit *audit, const struct audit_part part[], size_t count,
	unsigned char out[AUDIT_MAC_SIZE], struct error *e) must_check;

#endif
