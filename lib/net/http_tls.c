/*
 * The TLS session of a transfer: the alert that the server sent, if it asked for our certificate,
 * and the sizes of the keys it shows, which are judged before GnuTLS computes with them.
 */
#include "net/http_tls.h"

#include <gnutls/gnutls.h>
#include <stddef.h>

#include "pki/certificate.h"

#define KEY_BITS_MAX 16384
/* Prime, generator and public value of so many bits, a signature, and their lengths. */
#define KEY_EXCHANGE_MAX (4 * (KEY_BITS_MAX / 8) + 64)

/* Of the transfer that runs: GnuTLS's hook gets no argument of ours. */
static struct http_tls *current;

/* --- the keys that the server shows */

/* A vector with a length of so many bytes before it; moves *at behind it. false: it is cut. */
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
	at += 3; /* the list's length: it ends with the message */
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
		"its key exchange has numbers of more than the %d bits that are taken",
		KEY_BITS_MAX);
}

static int on_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
	const gnutls_datum_t *message)
{
	bool tls13 = gnutls_protocol_get_version(session) >= GNUTLS_TLS1_3;
	enum err err = ERR_OK;

	(void)when;
	if (!incoming || !current)
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
