#ifndef CA_REMOTE_JSON_H
#define CA_REMOTE_JSON_H

#include "base/json.h"
#include "ca/remote.h"
#include "pki/certificates.h"

/* Shared by the external CAs whose API speaks JSON. */

struct remote_json_request {
	const char *method;
	const char *path;	    /* behind [ca] url */
	const struct buf *body;	    /* JSON; NULL: none */
	const char *accept;	    /* NULL: application/json */
	const char *const *headers; /* "Name: value" each, NULL-terminated; or NULL */
	int64_t deadline;
};

/* Any status is success; errors as remote_send(), and those of the body's buffer. */
enum err remote_json_ask(struct remote *remote, const struct remote_json_request *request,
	struct http_answer *out, struct error *e) must_check;

/*
 * The JSON object that an answer is, of type application/json. ERR_GARBLED if it is none: it may
 * be the page of a proxy. The caller must use cJSON_Delete().
 */
enum err remote_json_read(const struct remote *remote, const struct http_answer *answer,
	cJSON **out, struct error *e) must_check;

/*
 * The string of that name in an answer that is a JSON object of any content type, for free(). NULL:
 * it has none.
 */
char *remote_json_text(const struct http_answer *answer, const char *name);

/* Returns true if the API itself answered 404, with a text of that name; a wrong url gets a page.
 */
bool remote_json_unknown(const struct http_answer *answer, const char *name);

/*
 * Adds the certificates that a string has, in any form. ERR_GARBLED, also if it is NULL. what: the
 * request, for the message, or NULL.
 */
enum err remote_json_certificate(const struct remote *remote, const char *what, const char *text,
	struct certificates *out, struct error *e) must_check;

/* Likewise for a list of strings; empty ones are left out. NULL: an empty list. */
enum err remote_json_certificates(const struct remote *remote, const char *what, const cJSON *list,
	struct certificates *out, struct error *e) must_check;

/* Appends "name": "value" and a comma. */
void remote_json_put(struct buf *out, const char *name, const char *value);

#endif
