#ifndef CA_STEP_API_H
#define CA_STEP_API_H

#include <cjson/cJSON.h>

#include "ca/remote.h"
#include "ca/step_token.h"

/* step-ca's HTTPS API 1.0, as step.c uses it. */

#define STEP_PATH "/1.0/"
#define STEP_BODY_MAX (64 * 1024)
#define STEP_REASON "message" /* the name of an error's text */

/* GET, or POST where there is a body; any status is success. */
enum err step_ask(struct remote *remote, const char *path, const struct buf *body, int64_t deadline,
	struct http_answer *out, struct error *e) must_check;

/* ERR_OK if it reports success: then *out is the answer, for cJSON_Delete(). */
enum err step_answer(const struct remote *remote, const struct http_answer *answer, cJSON **out,
	struct error *e) must_check;

/* ERR_REFUSED if the CA does not list the provisioner that accepts our tokens. */
enum err step_find_provisioner(struct remote *remote, const struct step_signer *signer,
	int64_t deadline, struct error *e) must_check;

#endif
