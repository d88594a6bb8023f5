/*
 * Finds the devices about which UEM and the store disagree. UEM's list is of no single moment: what
 * it lacks is not taken for gone before UEM has said so of that device.
 */
#include "provider/reconcile_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "provider/confirm.h"
#include "provider/provider.h"
#include "provider/provider_parts.h"
#include "store/reconciliation.h"
#include "uem/devices.h"

#define ROOM_FIRST 64
#define DAY 86400

static enum err add_item(struct reconcile_plan *plan, const struct store_pair *pair,
	const struct uem_device *device, struct error *e)
{
	size_t room = plan->room ? plan->room * 2 : ROOM_FIRST;
	struct reconcile_item *item = plan->item;

	if (plan->count == plan->room) {
		item = realloc(plan->item, room * sizeof(*item));
		if (!item)
			return error_memory(e);
		plan->item = item;
		plan->room = room;
	}
	item += plan->count;
	*item = (struct reconcile_item){.pair = *pair};
	if (device) {
		item->device = malloc(sizeof(*device));
		if (!item->device)
			return error_memory(e);
		*item->device = *device;
	}
	plan->count++;
	return ERR_OK;
}

void reconcile_plan_fini(struct reconcile_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->item[i].device);
	free(plan->item);
	plan->item = NULL;
	plan->count = plan->room = 0;
	uuid_set_fini(&plan->enrolled);
}

/* --- what UEM has and we have not */

static enum err see_device(void *ctx, const struct uem_device *device, struct error *e)
{
	struct reconcile_plan *plan = ctx;
	struct store_pair pair = store_pair_of(device->uuid, device->user_uuid);
	enum store_heard heard = STORE_HEARD;
	bool added = false;
	enum err err;

	if (!device->enrolled)
		return ERR_OK;
	err = uuid_set_add(&plan->enrolled, device->uuid, &added, e);
	if (err)
		return err;
	plan->result->listed++;
	if (!*device->user_uuid) {
		plan->result->userless++;
		return ERR_OK;
	}
	err = store_reconciliation_look(
		plan->p->store, &pair, device->enrolled_at, NOT_CONFIRMED, &heard, e);
	if (!err && heard == STORE_ENDED)
		plan->result->ended++;
	return !err && heard == STORE_UNHEARD ? add_item(plan, &pair, device, e) : err;
}

static enum err list_enrolled(struct reconcile_plan *plan, struct error *e)
{
	struct uem_devices devices = {.see = see_device, .ctx = plan};
	enum err err = ERR_OK;

	while (!err && !devices.whole)
		err = confirm_list(plan->p, &devices, e);
	plan->result->unread = devices.unread;
	uem_devices_fini(&devices);
	plan->found = plan->count;
	return err ? error_context(e, "UEM's list of devices") : ERR_OK;
}

/* --- what we have and UEM has not */

/* A device of several users is one item. */
static enum err see_ours(
	void *ctx, const struct store_pair *pair, int64_t enrolled_at, struct error *e)
{
	struct reconcile_plan *plan = ctx;
	const struct reconcile_item *last =
		plan->count > plan->found ? &plan->item[plan->count - 1] : NULL;

	if (uuid_set_has(&plan->enrolled, pair->device_uuid))
		return ERR_OK;
	if (!plan->oldest || enrolled_at < plan->oldest)
		plan->oldest = enrolled_at;
	if (last && strcmp(last->pair.device_uuid, pair->device_uuid) == 0)
		return ERR_OK;
	return add_item(plan, pair, NULL, e);
}

static int compare(const void *a, const void *b)
{
	const struct reconcile_item *x = a, *y = b;

	return strcmp(x->pair.device_uuid, y->pair.device_uuid);
}

static enum err see_unenrolled(void *ctx, const struct uem_device *device, struct error *e)
{
	struct reconcile_plan *plan = ctx;
	const struct reconcile_item key = {.pair = store_pair_of(device->uuid, "")};
	struct reconcile_item *item = NULL;

	(void)e;
	if (plan->count > plan->found)
		item = bsearch(&key, plan->item + plan->found, plan->count - plan->found,
			sizeof(key), compare);
	if (item && !device->enrolled)
		item->confirmed = true;
	return ERR_OK;
}

static size_t count_unconfirmed(const struct reconcile_plan *plan)
{
	size_t count = 0;

	for (size_t i = plan->found; i < plan->count; i++)
		count += !plan->item[i].confirmed;
	return count;
}

/*
 * One question for 500 devices instead of one for each. It needs not be answered, nor name all, as
 * UEM forgets deleted devices; and it ends where single questions are cheaper.
 */
static enum err confirm_many(struct reconcile_plan *plan, struct error *e)
{
	struct store_reconciliation last;
	struct uem_devices devices = {.unenrolled = true, .see = see_unenrolled, .ctx = plan};
	enum err err = store_reconciliation_last(plan->p->store, &last, e);

	if (err)
		return err;
	devices.since = (last.at ? last.at : plan->oldest) - DAY;
	while (!err && !devices.whole && (size_t)devices.page < count_unconfirmed(plan))
		err = confirm_list(plan->p, &devices, e);
	if (err)
		log_warning("each device is asked for on its own: %s", e->text);
	uem_devices_fini(&devices);
	return ERR_OK;
}

enum err reconcile_plan_make(struct reconcile_plan *plan, struct error *e)
{
	enum err err;

	plan->began = clock_now();
	err = list_enrolled(plan, e);
	if (!err)
		err = store_reconciliation_enrolled(plan->p->store, see_ours, plan, e);
	if (!err && plan->count > plan->found)
		err = confirm_many(plan, e);
	return err;
}
