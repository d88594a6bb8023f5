#ifndef PROVIDER_RECONCILE_PLAN_H
#define PROVIDER_RECONCILE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "provider/reconcile.h"
#include "store/device.h"
#include "uem/device.h"
#include "uem/uuid_set.h"

struct provider;

/* A device about which UEM and the store disagree. */
struct reconcile_item {
	struct store_pair pair;
	struct uem_device *device; /* to be enrolled; NULL: to be unenrolled */
	bool confirmed;		   /* to be unenrolled, and UEM has said by itself that it is so */
};

/* What a reconciliation has to look at. */
struct reconcile_plan {
	struct provider *p;
	struct reconcile_result *result;
	int64_t began;		  /* seconds UTC */
	struct uuid_set enrolled; /* in UEM */
	struct reconcile_item *item;
	size_t count, room;
	size_t found;	/* the first items, which are to be enrolled */
	int64_t oldest; /* when the first of the others enrolled here */
};

/*
 * Reads UEM's list and compares it with the store. Errors as provider_reconcile(); *plan is
 * reconcile_plan_fini()'s in any case.
 */
enum err reconcile_plan_make(struct reconcile_plan *plan, struct error *e) must_check;
void reconcile_plan_fini(struct reconcile_plan *plan);

#endif
