#include "store/access.h"

#include "store/internal.h"

/* CAs that judge no request: what the engine knows of them. */

enum err store_access_find(struct store *store, const struct store_access *access,
	struct store_barred *out, struct error *e)
{
	return store->engine->access_find(store->self, access, out, e);
}

enum err store_access_try(struct store *store, const struct store_access *access, int64_t lease,
	bool *ours, struct error *e)
{
	return store->engine->access_try(store->self, access, lease, ours, e);
}

enum err store_access_bar(struct store *store, const struct store_access *access, int64_t wait,
	const char *cause, struct error *e)
{
	return store->engine->access_bar(store->self, access, wait, cause, e);
}

enum err store_access_open(struct store *store, const struct store_access *access, struct error *e)
{
	return store->engine->access_open(store->self, access, e);
}
