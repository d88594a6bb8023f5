/*
 * Watches the TLS session of a transfer: the server's alert, its request for our certificate, and
 * the sizes of its keys, which are checked before GnuTLS computes with them.
 */
#include "net/http_tls.h"

#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/clock.h"
#include "pki/certificate.h"

#define KEY_BITS_MAX 16384
/* Prime, generator and public value of that size, a signature, and their lengths. */
#define KEY_EXCHANGE_MAX (4 * (KEY_BITS_MAX / 8) + 64)

/* The transfer that is running: GnuTLS's hook has no user argument. */
static struct http_tls *current;

/* --- the keys that the server shows */

/* Passes a vector that begins with its length, of length_size bytes. Returns false if it is cut. */
static bool take_vector(const gnutls_datum_t *message, size_t length_size, size_t *at, size_t *len)
{
	size_t value = 0;

	if (message->size - *at < length_size)
		return false;
	for (size_t i = 0; i < length_size; i++)
		value = value << 8 | message->data[(*at)++];
	if (message->size - *at < value)
		return false;
	*len = value;
	*at += value;
	return true;
}

/* The Certificate message: RFC 8446, section 4.4.2; RFC 5246, section 7.4.2. */
static enum err check_certificates(const gnutls_datum_t *message, bool tls13, struct error *e)
{
	size_t at = 0, len = 0;
	enum err err = ERR_OK;

	if (tls13 && !take_vector(message, 1, &at, &len)) /* certificate_request_context */
		return ERR_OK;
	if (message->size - at < 3)
		return ERR_OK;
	at += 3; /* the list's length; the list ends with the message */
	while (!err && take_vector(message, 3, &at, &len)) {
		const struct blob der = {message->data + at - len, len};

		err = certificate_check_cost(&der, ERR_CONFIG, e);
		if (tls13 && !take_vector(message, 2, &at, &len)) /* extensions */
			break;
	}
	return err;
}

static enum err check_key_exchange(const gnutls_datum_t *message, struct error *e)
{
	if (message->size <= KEY_EXCHANGE_MAX)
		return ERR_OK;
	return error_set(e, ERR_CONFIG,
		"its key exchange has numbers of more than the %d bits that are accepted",
		KEY_BITS_MAX);
}

/* --- renegotiation */

/*
 * libcurl 8.14 does not continue a renegotiation for which it had to wait, and takes the server's
 * next message for a fault. So the socket blocks in the meantime, up to the deadline.
 */
static void let_it_wait(const struct http_tls *tls, bool wait)
{
	int64_t left = tls->deadline - clock_monotonic_ms();
	int flags = tls->fd >= 0 ? fcntl(tls->fd, F_GETFL) : -1;
	struct timeval limit = {.tv_usec = 1000};

	if (flags < 0)
		return;
	if (left > 0)
		limit = (struct timeval){.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 + 1};
	if (wait && setsockopt(tls->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return; /* the renegotiation fails as it would have without this */
	(void)fcntl(tls->fd, F_SETFL, wait ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

static void watch_renegotiation(gnutls_session_t session, unsigned type, bool incoming)
{
	if (gnutls_safe_renegotiation_status(session) == 0)
		return; /* it is the first handshake */
	if (!incoming && type == GNUTLS_HANDSHAKE_CLIENT_HELLO)
		let_it_wait(current, true);
	else if (incoming && type == GNUTLS_HANDSHAKE_FINISHED)
		let_it_wait(current, false);
}

/* --- each message */

static int on_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
	const gnutls_datum_t *message)
{
	bool tls13 = gnutls_protocol_get_version(session) >= GNUTLS_TLS1_3;
	enum err err = ERR_OK;

	(void)when;
	if (!current)
		return 0;
	watch_renegotiation(session, type, incoming);
	if (!incoming)
		return 0;
	if (type == GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST)
		current->asked = true;
	else if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT)
		err = check_certificates(message, tls13, &current->refused);
	else if (type == GNUTLS_HANDSHAKE_SERVER_KEY_EXCHANGE)
		err = check_key_exchange(message, &current->refused);
	return err ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

/* --- the session */

void http_tls_look(CURL *curl, struct http_tls *tls)
{
	struct curl_tlssessioninfo *info = NULL;
	gnutls_session_t session;
	int alert;

	if (curl_easy_getinfo(curl, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || !info ||
		info->backend != CURLSSLBACKEND_GNUTLS || !info->internals)
		return;
	session = info->internals;
	current = tls;
	tls->begun = true;
	gnutls_handshake_set_hook_function(
		session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_PRE, on_message);
	alert = (int)gnutls_alert_get(session);
	if (alert > 0)
		tls->alert = alert;
	tls->tls13 = gnutls_protocol_get_version(session) >= GNUTLS_TLS1_3;
}

void http_tls_end(void)
{
	current = NULL;
}
