#ifndef NET_HTTP_INCOMING_H
#define NET_HTTP_INCOMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/http.h"

/* The fault of an answer so far, while it arrives. */
enum http_fault {
	HTTP_FAULT_NONE,
	HTTP_FAULT_HEADER,	/* a header line that is none */
	HTTP_FAULT_HEADER_SIZE, /* more header than we take */
	HTTP_FAULT_BODY_SIZE,	/* more body than the request is ready to take */
};

/*
 * An answer under way. libcurl tells of a cut body, but takes an answer that
 * ends inside its header block for a whole one: header_done is what counts.
 */
struct http_incoming {
	int status;	  /* 0: no status line yet */
	bool header_done; /* of a final answer, not of a 1xx one */
	size_t header_len;
	int retry_after;
	int64_t date;
	char content_type[HTTP_TYPE_SIZE];
	struct buf body;
	enum http_fault fault;
};

/* Callbacks for CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION, on a struct http_incoming. */
size_t http_incoming_header(char *data, size_t size, size_t count, void *incoming);
size_t http_incoming_body(char *data, size_t size, size_t count, void *incoming);

#endif
