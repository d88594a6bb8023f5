/* Connects to the directory: over TLS, and under the name that it knows us by. */
#include "directory/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/utf8.h"

/* Of one message of the directory, in bytes: an entry has one or two attributes. */
#define MESSAGE_MAX (256 * 1024)

#define LDAPS "ldaps://"

void session_library_init(void)
{
	if (!getenv("LDAPNOINIT"))
		setenv("LDAPNOINIT", "yes", 1);
}

void session_limit(LDAP *ld, int64_t deadline, struct timeval *left)
{
	int ms = clock_left_ms(deadline);

	left->tv_sec = ms / 1000;
	left->tv_usec = ms % 1000 * 1000L + 1; /* zero would be: for ever */
	ldap_set_option(ld, LDAP_OPT_TIMEOUT, left);
	ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, left);
}

/* GnuTLS's own words, where it was TLS that failed: nothing from the directory. */
static const char *tls_words(LDAP *ld, char out[ERROR_TEXT_MAX / 2])
{
	char *said = NULL;

	*out = '\0';
	ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &said);
	if (said && *said && utf8_is_valid(said, strlen(said)))
		snprintf(out, ERROR_TEXT_MAX / 2, " (%s)", said);
	ldap_memfree(said);
	return out;
}

enum err session_error(LDAP *ld, const struct session_settings *settings, const char *what, int rc,
	struct error *e)
{
	char words[ERROR_TEXT_MAX / 2] = "";
	bool local = rc == LDAP_SERVER_DOWN || rc == LDAP_CONNECT_ERROR;

	if (rc == LDAP_NO_MEMORY)
		return error_memory(e);
	if (rc == LDAP_TIMEOUT || (local && !clock_left_ms(settings->deadline)))
		return error_set(
			e, ERR_UNAVAILABLE, "%s: %s: not done in time", settings->url, what);
	return error_set(e, ERR_UNAVAILABLE, "%s: %s: %s%s", settings->url, what,
		ldap_err2string(rc), local ? tls_words(ld, words) : "");
}

/* --- options */

static bool set(LDAP *ld, int option, int value)
{
	return ldap_set_option(ld, option, &value) == LDAP_OPT_SUCCESS;
}

/* Our certificate, for SASL EXTERNAL. */
static bool set_identity(LDAP *ld, const char *path)
{
	return ldap_set_option(ld, LDAP_OPT_X_TLS_CERTFILE, path) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(ld, LDAP_OPT_X_TLS_KEYFILE, path) == LDAP_OPT_SUCCESS;
}

/* The context that NEWCTX makes takes the options before it. */
static bool set_tls(LDAP *ld, const struct session_settings *settings)
{
	return ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, settings->anchors.path) ==
		       LDAP_OPT_SUCCESS &&
	       set(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, LDAP_OPT_X_TLS_HARD) &&
	       set(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, LDAP_OPT_X_TLS_PROTOCOL_TLS1_2) &&
	       (!settings->identity || set_identity(ld, settings->identity)) &&
	       set(ld, LDAP_OPT_X_TLS_NEWCTX, 0);
}

static bool set_options(LDAP *ld, const struct session_settings *settings)
{
	ber_len_t most = MESSAGE_MAX;
	Sockbuf *socket = NULL;

	return set(ld, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3) &&
	       ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS &&
	       set(ld, LDAP_OPT_DEREF, LDAP_DEREF_NEVER) &&
	       ldap_get_option(ld, LDAP_OPT_SOCKBUF, &socket) == LDAP_OPT_SUCCESS &&
	       ber_sockbuf_ctrl(socket, LBER_SB_OPT_SET_MAX_INCOMING, &most) == 1 &&
	       (settings->anchors.fd < 0 || set_tls(ld, settings));
}

/* --- connecting */

static enum err start_tls(LDAP *ld, const struct session_settings *settings, struct error *e)
{
	struct timeval left;
	int rc;

	if (settings->anchors.fd < 0 || strncmp(settings->url, LDAPS, strlen(LDAPS)) == 0)
		return ERR_OK;
	session_limit(ld, settings->deadline, &left);
	rc = ldap_start_tls_s(ld, NULL, NULL);
	return rc == LDAP_SUCCESS ? ERR_OK : session_error(ld, settings, "StartTLS", rc, e);
}

/* Codes that say that it knows us not, or not by these credentials. */
static bool is_rejected(int rc)
{
	return rc == LDAP_INVALID_CREDENTIALS || rc == LDAP_INAPPROPRIATE_AUTH ||
	       rc == LDAP_NO_SUCH_OBJECT || rc == LDAP_INVALID_DN_SYNTAX ||
	       rc == LDAP_STRONG_AUTH_REQUIRED || rc == LDAP_CONFIDENTIALITY_REQUIRED ||
	       rc == LDAP_AUTH_METHOD_NOT_SUPPORTED || rc == LDAP_INSUFFICIENT_ACCESS;
}

static enum err bind(LDAP *ld, const struct session_settings *settings, struct error *e)
{
	static char empty[] = "";
	/* EXTERNAL wants an answer that is there, and empty: the certificate says who we are */
	struct berval password = {settings->password.len,
		settings->identity ? empty : (char *)settings->password.data};
	struct berval *answer = NULL;
	struct timeval left;
	int rc;

	session_limit(ld, settings->deadline, &left);
	rc = ldap_sasl_bind_s(ld, settings->bind_dn ? settings->bind_dn : "",
		settings->identity ? "EXTERNAL" : LDAP_SASL_SIMPLE, &password, NULL, NULL, &answer);
	ber_bvfree(answer);
	if (rc == LDAP_SUCCESS)
		return ERR_OK;
	session_error(ld, settings, "bind", rc, e);
	if (!is_rejected(rc))
		return e->code;
	return error_set(e, ERR_BARRED, "%s: it rejected our credentials: %s; check %s in [ldap]",
		settings->url, ldap_err2string(rc),
		settings->identity ? "identity" : "bind-dn and password-file");
}

enum err session_open(const struct session_settings *settings, LDAP **out, struct error *e)
{
	LDAP *ld = NULL;
	struct timeval left;
	enum err err = ERR_OK;
	int rc = ldap_initialize(&ld, settings->url);

	if (rc == LDAP_SUCCESS && !set_options(ld, settings))
		rc = LDAP_LOCAL_ERROR;
	if (rc != LDAP_SUCCESS)
		err = session_error(ld, settings, "libldap", rc, e);
	if (!err) {
		session_limit(ld, settings->deadline, &left);
		rc = ldap_connect(ld);
		if (rc != LDAP_SUCCESS)
			err = session_error(ld, settings, "no connection", rc, e);
	}
	if (!err)
		err = start_tls(ld, settings, e);
	if (!err)
		err = bind(ld, settings, e);
	if (err)
		session_close(ld);
	else
		*out = ld;
	return err;
}

void session_close(LDAP *ld)
{
	if (ld)
		ldap_unbind_ext_s(ld, NULL, NULL);
}
