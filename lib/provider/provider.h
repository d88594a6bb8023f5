#ifndef PROVIDER_PROVIDER_H
#define PROVIDER_PROVIDER_H

#include "base/error.h"
#include "config/config.h"

struct admission_pass;
struct counters;
struct key_pool;
struct store;

/*
 * A provider holds the store, the CA and the gateways of one configuration open; a process uses it
 * for one event at a time. Each use case has a header of its own.
 */
struct provider;

/* Opens them; nothing is sent yet. ERR_CONFIG, ERR_UNAVAILABLE. */
enum err provider_open(const struct config *config, struct provider **out,
	struct error *e) must_check; /* borrows config */
/* Opens only the store and the CA, for use cases that ask nothing of the gateways. */
enum err provider_open_ca(
	const struct config *config, struct provider **out, struct error *e) must_check;

void provider_close(struct provider *provider);

/*
 * Makes a pool for the keys that the configuration asks for, or NULL if it asks for none. Call it
 * before the processes that share the pool are forked: one of them calls key_pool_fill(), the
 * others provider_use_pool().
 */
enum err provider_key_pool(
	const struct config *config, struct key_pool **out, struct error *e) must_check;
void provider_use_pool(struct provider *provider, struct key_pool *pool); /* borrows */

/* From now on the use cases count there, see provider/counters.h. */
void provider_use_counters(struct provider *provider, struct counters *counters); /* borrows */

/* Events need a slot from now on, and peers that hang are spared: see provider/admission.h. */
void provider_use_admission(struct provider *provider, struct admission_pass *pass); /* borrows */

/* Borrowed; lives as long as the provider. */
struct store *provider_store(struct provider *provider);

#endif
