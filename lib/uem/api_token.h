#ifndef UEM_API_TOKEN_H
#define UEM_API_TOKEN_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"
#include "net/http.h"

/* An access token by OAuth 2.0's client credentials (RFC 6749, 4.4), kept until it is about to end.
 */
struct uem_token {
	const struct config *config; /* borrowed */
	struct http_client *http;
	struct blob token; /* data is NULL: none; else with a NUL behind it */
	int64_t renew_at;  /* clock_monotonic_ms() */
	bool basic;	   /* the server wants id and secret as HTTP Basic, not in the body */
};

enum err uem_token_open(
	const struct config *config, struct uem_token *out, struct error *e) must_check;
void uem_token_close(struct uem_token *token);

/*
 * The token, asked for if there is none or the one we have ends within five minutes. Borrowed until
 * the next call. ERR_BARRED: the server rejects client id or secret. ERR_UNAVAILABLE.
 */
enum err uem_token_get(
	struct uem_token *token, int64_t deadline, const char **out, struct error *e) must_check;

/* UEM has rejected it: the next uem_token_get() asks for another. */
void uem_token_drop(struct uem_token *token);

#endif
