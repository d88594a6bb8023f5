#ifndef CA_CFSSL_API_H
#define CA_CFSSL_API_H

#include <cjson/cJSON.h>

#include "ca/remote.h"

/* CFSSL's HTTP API, version 1, as cfssl.c uses it. */

#define CFSSL_PATH "/api/v1/cfssl/"
#define CFSSL_BODY_MAX (64 * 1024)

struct cfssl_api {
	struct remote remote; /* first: see remote_identity() */
	const char *label;    /* of a CA, where one server has several (multirootca); or "" */
	const char *profile;  /* "": its default */
	struct blob key;      /* empty: CFSSL wants no token */
};

/* POST to a path of the API; any status is success. */
enum err cfssl_post(struct cfssl_api *api, const char *path, const struct buf *body,
	int64_t deadline, struct http_answer *out, struct error *e) must_check;

/* The first of its errors, for free(); NULL if it names none. */
char *cfssl_complaint(const struct http_answer *answer);

/* ERR_OK if it reports success: then *out is the whole answer, for cJSON_Delete(). */
enum err cfssl_answer(const struct cfssl_api *api, const struct http_answer *answer, cJSON **out,
	struct error *e) must_check;

/* Adds the certificate that such an answer has. */
enum err cfssl_certificates(const struct cfssl_api *api, const struct http_answer *answer,
	struct certificates *out, struct error *e) must_check;

/* The certificate of the CA that signs for us, alone. */
enum err cfssl_info(struct cfssl_api *api, int64_t deadline, struct certificates *out,
	struct error *e) must_check;

/* Asks for a certificate: with the token that proves who asks, if there is a key for it. */
enum err cfssl_sign(struct cfssl_api *api, const char *pem, const char *mail, int64_t deadline,
	struct http_answer *out, struct error *e) must_check;

#endif
