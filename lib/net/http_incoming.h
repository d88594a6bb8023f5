#ifndef NET_HTTP_INCOMING_H
#define NET_HTTP_INCOMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/http.h"

/* What is wrong with an answer so far. */
enum http_fault {
	HTTP_FAULT_NONE,
	HTTP_FAULT_HEADER,	/* a malformed header line */
	HTTP_FAULT_HEADER_SIZE, /* a header larger than we accept */
	HTTP_FAULT_BODY_SIZE,	/* a body larger than the request accepts */
};

/*
 * An answer on its way in. libcurl reports a cut body, but takes an answer that ends inside its
 * header block for a complete one: check header_done.
 */
struct http_incoming {
	int status;	  /* 0: no status line yet */
	bool header_done; /* of a final answer, not of a 1xx one */
	size_t header_len;
	int retry_after;
	int64_t date;
	char content_type[HTTP_TYPE_SIZE];
	struct http_wanted *wanted; /* the caller's */
	size_t wanted_count;
	struct buf body;
	enum http_fault fault;
};

/* Callbacks for CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION, on a struct http_incoming. */
size_t http_incoming_header(char *data, size_t size, size_t count, void *incoming);
size_t http_incoming_body(char *data, size_t size, size_t count, void *incoming);

#endif
