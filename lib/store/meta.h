#ifndef STORE_META_H
#define STORE_META_H

#include "base/buf.h"
#include "base/error.h"

/* Facts about the store itself, by name. */

struct store;

#define META_KEY_CHECK "key-check"
#define META_AUDIT_KEY "audit-key"
#define META_AUDIT_HEAD "audit-head"
#define META_RECONCILED "reconciled"

/* ERR_NOT_FOUND. */
enum err meta_get(
	struct store *store, const char *name, struct blob *out, struct error *e) must_check;

/* Inside a write transaction. */
enum err meta_set(struct store *store, const char *name, const void *value, size_t len,
	struct error *e) must_check;

#endif
