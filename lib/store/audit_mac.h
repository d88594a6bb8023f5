#ifndef STORE_AUDIT_MAC_H
#define STORE_AUDIT_MAC_H

#include <stddef.h>
#include <stdint.h>

#include "store/seal.h"

/*
 * Makes the audit trail tamper-evident, whatever the database. Each entry has a MAC
 * (HMAC-SHA-256, RFC 2104) over its number, all its fields and the MAC of the entry before it, so
 * that none can be altered, left out or put in without the key. A MAC over the number and MAC of
 * the newest entry, the head, tells where the trail ends. The key is random, made once, and lies in
 * the store sealed under the master key.
 */
#define AUDIT_MAC_SIZE 32

struct audit_mac;

/* A new key, sealed, for audit_mac_open(). */
enum err audit_mac_make_key(const struct seal *seal, struct blob *out, struct error *e) must_check;

enum err audit_mac_open(const struct seal *seal, const struct blob *sealed_key,
	struct audit_mac **out, struct error *e) must_check;
void audit_mac_close(struct audit_mac *keyed);

/* The actor: "certprov by root (login alice)", "certprov by root (sudo by alice)". Borrowed. */
const char *audit_actor(const struct audit_mac *keyed);

/* An entry as it is stored. Texts are borrowed. */
struct audit_row {
	int64_t id; /* 1, 2, 3 … without a gap */
	int64_t at;
	const char *action, *request_id, *actor, *device_uuid, *user_uuid, *serial, *detail;
};

/* Computes the MAC of an entry. previous: that of the entry before; zeros for the first one. */
enum err audit_mac_entry(const struct audit_mac *keyed, const struct audit_row *row,
	const unsigned char previous[AUDIT_MAC_SIZE], unsigned char out[AUDIT_MAC_SIZE],
	struct error *e) must_check;

/* Computes the MAC of the whole trail: over the number of entries and the MAC of the newest. */
enum err audit_mac_head(const struct audit_mac *keyed, int64_t count,
	const unsigned char newest[AUDIT_MAC_SIZE], unsigned char out[AUDIT_MAC_SIZE],
	struct error *e) must_check;

struct audit_part { /* borrowed */
	const void *data;
	size_t len;
};

/*
 * Computes the MAC of a row of another table, by the same key. part: what tells the row from all
 * others, and its protected values. Each part goes in behind its length.
 */
enum err audit_mac_row(const struct audit_mac *keyed, const struct audit_part part[], size_t count,
	unsigned char out[AUDIT_MAC_SIZE], struct error *e) must_check;

#endif
