#ifndef UEM_API_H
#define UEM_API_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"
#include "net/http.h"

/*
 * UEM's REST API: logs in as [uem] says, asks one question at a time, and judges what came back.
 * A process has one, and keeps its token and its connection between events.
 */
struct uem_api;

/* Reads the files that [uem] names, but for the secrets that are read at each login. ERR_CONFIG. */
enum err uem_api_open(
	const struct config *config, struct uem_api **out, struct error *e) must_check;
void uem_api_close(struct uem_api *api);

struct uem_question {
	const char *path;  /* behind [uem] url: "/API/mdm/devices/…" */
	int version;	   /* of the resource, for the Accept header */
	bool bulk;	   /* not for an event: leaves the last tenth of the quota to events */
	int64_t deadline;  /* clock_monotonic_ms() */
	size_t answer_max; /* bytes; 0: UEM_ANSWER_MAX */
};

#define UEM_ANSWER_MAX (256 * 1024) /* one object is a few kilobytes */

/*
 * Asks, with a new token once where UEM rejects the one that we have. ERR_OK is any
 * whole answer of UEM's with a 2xx status; *out is NULL if its body is empty. The version that
 * served it is not told: the readers take the shapes of all. The caller must use cJSON_Delete().
 *
 * ERR_NOT_FOUND: UEM has no such object, or none that our account may see. ERR_UNSUPPORTED: it has
 * no such version of the resource. ERR_REFUSED: it refuses the request itself. ERR_BARRED: it
 * rejects our credentials, or redirects: an administrator must look at [uem]. ERR_GARBLED: a 404
 * that may come from another server. ERR_UNAVAILABLE: not now, e->retry_after may be set; also
 * where no more than the last tenth of the quota is left for a bulk question.
 */
enum err uem_api_ask(struct uem_api *api, const struct uem_question *question, cJSON **out,
	struct error *e) must_check;

/*
 * Returns true if the latest ERR_BARRED means that UEM has rejected username and password: another
 * try may lock the account.
 */
bool uem_api_rejected_password(const struct uem_api *api);

#endif
