#ifndef PROVIDER_UPLOAD_H
#define PROVIDER_UPLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "provider/step_times.h"
#include "store/store.h"
#include "store/upload.h"

struct credential_set;
struct provider;

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
enum err upload_set(struct provider *p, const struct store_pair *pair,
	const struct credential_set *set, int64_t tries, struct step_times *steps,
	struct uploads *out, struct error *e) must_check;

#endif
