/* What the tests of lib/net/http.h share. */
#ifndef TESTS_UNIT_HTTP_SUPPORT_H
#define TESTS_UNIT_HTTP_SUPPORT_H

#include "net/http.h"
#include "tests/unit/net_support.h"

#define PLENTY 60000 /* ms, for requests that end by themselves */

/* tls-peer with the certificate of make-certificates.sh that has this name. */
#define SERVER(name) "-c", net_file(name ".pem"), "-k", net_file(name ".key")
#define START(...) net_start((const char *const[]){__VA_ARGS__, NULL})

/* A client that trusts the file ca and has the identity in a file; each may be NULL. */
struct http_client *client_for(const char *ca, const char *identity);

/* GET base/path; the answer's body may have 1000 bytes. */
enum err get_within(struct http_client *client, const char *base, const char *path, int64_t ms,
	struct http_answer *answer, struct error *e);
enum err get(struct http_client *client, const char *base, const char *path,
	struct http_answer *answer, struct error *e);
enum err post(struct http_client *client, const char *base, const char *path, const char *body,
	size_t len, struct http_answer *answer, struct error *e);

void expect_text(const struct error *e, const char *part);

/* A GET that succeeds with this body. */
void expect_body(struct http_client *client, const char *base, const char *path, const char *body);

/* A GET that fails with this error and does not touch the answer. */
void expect_failure(struct http_client *client, const char *base, const char *path, enum err err,
	const char *text);

#endif
