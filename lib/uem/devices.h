#ifndef UEM_DEVICES_H
#define UEM_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "uem/device.h"
#include "uem/uuid_set.h"

#define UEM_PAGE_SIZE 500 /* UEM gives no more at once */

/* Called for each device of a page; an error ends the listing. */
typedef enum err uem_device_seen(void *ctx, const struct uem_device *device, struct error *e);

/*
 * A list of devices that UEM gives page by page. It is of no single moment: a device that enrolls
 * or leaves meanwhile moves others to another page, so that one may come twice, which is seen here,
 * or not at all: nobody may conclude from its absence alone that UEM does not have it.
 */
struct uem_devices {
	bool unenrolled;      /* those that have unenrolled; else all */
	int64_t since;	      /* with unenrolled: seconds UTC */
	uem_device_seen *see; /* each device, once */
	void *ctx;

	/* Zero at first. */
	int64_t page;	       /* the next one */
	bool whole;	       /* there is none any more */
	struct uuid_set known; /* what see was called for */
	int64_t unread;	       /* objects that do not say which device, or how it is enrolled */
};

/*
 * Asks for the next page, a bulk question. Errors as uem_api_ask(), and of see; ERR_UNAVAILABLE if
 * the answer is no list of devices, or if UEM gives the same page again and again.
 */
enum err uem_devices_next(struct uem_api *api, struct uem_devices *devices, int64_t deadline,
	struct error *e) must_check;
void uem_devices_fini(struct uem_devices *devices);

/* What an answer to that says; NULL: it is empty. For uem_devices_next(), and tests. */
enum err uem_devices_read(
	struct uem_devices *devices, const cJSON *answer, struct error *e) must_check;

#endif
