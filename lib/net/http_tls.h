#ifndef NET_HTTP_TLS_H
#define NET_HTTP_TLS_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/error.h"

/*
 * Facts of a TLS session that libcurl does not report, read from GnuTLS while the session lasts. A
 * server whose key is too large is refused before that key is used: it can take over a minute to
 * check a signature by an RSA key of 65,536 bits, and no timeout ends that.
 */
struct http_tls {
	int alert;	      /* that the server sent last (gnutls_alert_description_t), or 0 */
	bool tls13;	      /* TLS 1.3 or later */
	bool begun;	      /* the handshake has begun */
	int fd;		      /* the connection's socket, or -1 */
	int64_t deadline;     /* of the transfer, clock_monotonic_ms() */
	bool asked;	      /* the server asked for our certificate during this transfer */
	struct error refused; /* code 0, or why the server's certificate or key is not used */
};

/*
 * Updates *tls. Call it from libcurl's debug callback each time, so that the first call comes
 * before the handshake. tls must live as long as the transfer.
 */
void http_tls_look(CURL *curl, struct http_tls *tls);

/* Call it when the transfer is over: *tls no longer changes. */
void http_tls_end(void);

#endif
