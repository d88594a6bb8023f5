/*
 * The TLS session of a transfer: the alert that the server sent, if it asked for our certificate,
 * and the sizes of the keys it shows, which are judged before GnuTLS computes with them.
 */
#include "net/http_tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stddef.h>

/* Prime, generator and public value of HTTP_KEY_BITS_MAX bits, a signature, and their lengths. */
#define KEY_EXCHANGE_MAX (4 * (HTTP_KEY_BITS_MAX / 8) + 64)

/* Of the transfer that runs: GnuTLS's hook gets no argument of ours. */
static struct http_tls *current;

/* --- the keys that the server shows */

static size_t bits_of(const gnutls_datum_t *number)
{
	size_t zeros = 0;

	while (zeros < number->size && number->data[zeros] == 0)
		zeros++;
	return (number->size - zeros) * 8;
}

static bool has_huge_exponent(gnutls_x509_crt_t certificate)
{
	gnutls_datum_t modulus = {NULL, 0}, exponent = {NULL, 0};
	bool huge = false;

	if (gnutls_x509_crt_get_pk_rsa_raw(certificate, &modulus, &exponent) >= 0)
		huge = bits_of(&exponent) > HTTP_EXPONENT_BITS_MAX;
	gnutls_free(modulus.data);
	gnutls_free(exponent.data);
	return huge;
}

/* A certificate that cannot be read is left to GnuTLS. */
static bool is_huge(unsigned char *der, size_t len)
{
	const gnutls_datum_t datum = {der, (unsigned)len};
	gnutls_x509_crt_t certificate = NULL;
	unsigned bits = 0;
	bool huge = false;

	if (gnutls_x509_crt_init(&certificate) < 0)
		return false;
	if (gnutls_x509_crt_import(certificate, &datum, GNUTLS_X509_FMT_DER) >= 0 &&
		gnutls_x509_crt_get_pk_algorithm(certificate, &bits) >= 0)
		huge = bits > HTTP_KEY_BITS_MAX || has_huge_exponent(certificate);
	gnutls_x509_crt_deinit(certificate);
	return huge;
}

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
static bool shows_huge_key(const gnutls_datum_t *message, bool tls13)
{
	size_t at = 0, len = 0;

	if (tls13 && !take_vector(message, 1, &at, &len)) /* certificate_request_context */
		return false;
	if (message->size - at < 3)
		return false;
	at += 3; /* the list's length: it ends with the message */
	while (take_vector(message, 3, &at, &len)) {
		if (is_huge(message->data + at - len, len))
			return true;
		if (tls13 && !take_vector(message, 2, &at, &len)) /* extensions */
			return false;
	}
	return false;
}

static int on_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
	const gnutls_datum_t *message)
{
	bool tls13 = gnutls_protocol_get_version(session) >= GNUTLS_TLS1_3;
	bool huge = false;

	(void)when;
	if (!incoming || !current)
		return 0;
	if (type == GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST)
		current->asked = true;
	else if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT)
		huge = shows_huge_key(message, tls13);
	else if (type == GNUTLS_HANDSHAKE_SERVER_KEY_EXCHANGE)
		huge = message->size > KEY_EXCHANGE_MAX;
	if (!huge)
		return 0;
	current->huge_key = true;
	return GNUTLS_E_CERTIFICATE_ERROR;
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
