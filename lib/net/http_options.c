/* The options of libcurl for a request: what every request has, and what its client adds. */
#include "net/http_options.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/patience.h"
#include "base/text.h"
#include "net/anchors.h"

#define USER_AGENT "certprov/" PACKAGE_VERSION

/* A peer that moves less than a byte a second for this long is stuck, whatever the deadline. */
#define STUCK_SECONDS 60
/* Most servers and firewalls drop a connection that was idle for longer. */
#define KEEP_SECONDS 60
/*
 * The other host (not the server program) must acknowledge what we sent within this time, else the
 * connection is dead. So a kept connection that a firewall forgot fails long before the deadline.
 */
#define UNACKNOWLEDGED_MS 7000

/* Sets options and remembers the first one that libcurl rejects. */
struct setting {
	CURL *curl;
	CURLcode code;
	CURLoption option; /* the one that failed */
};

static void check(struct setting *s, CURLoption option, CURLcode code)
{
	if (s->code == CURLE_OK && code != CURLE_OK) {
		s->code = code;
		s->option = option;
	}
}

static void set_number(struct setting *s, CURLoption option, long value)
{
	check(s, option, curl_easy_setopt(s->curl, option, value));
}

static void set_text(struct setting *s, CURLoption option, const char *value)
{
	check(s, option, curl_easy_setopt(s->curl, option, value));
}

static void set_pointer(struct setting *s, CURLoption option, void *value)
{
	check(s, option, curl_easy_setopt(s->curl, option, value));
}

/* Options of every request. */
static const struct {
	CURLoption option;
	long value;
} numbers[] = {
	{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
	/* The server must authenticate itself. */
	{CURLOPT_SSL_VERIFYPEER, 1},
	{CURLOPT_SSL_VERIFYHOST, 2},
	/* No session is resumed: libcurl would replace the hook of http_tls.c with its own. */
	{CURLOPT_SSL_SESSIONID_CACHE, 0},
	/* The request is for this server alone: no redirect, and no compressed answer. */
	{CURLOPT_FOLLOWLOCATION, 0},
	{CURLOPT_HTTP09_ALLOWED, 0},
	{CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
	/* A proxy's answer to CONNECT is none of the server's. */
	{CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
	/* No signals, and a hanging resolver does not delay us past the deadline. */
	{CURLOPT_NOSIGNAL, 1},
	{CURLOPT_QUICK_EXIT, 1},
	{CURLOPT_LOW_SPEED_LIMIT, 1},
	{CURLOPT_LOW_SPEED_TIME, STUCK_SECONDS},
	/* One connection, kept. */
	{CURLOPT_MAXCONNECTS, 1},
	{CURLOPT_MAXAGE_CONN, KEEP_SECONDS},
	{CURLOPT_TCP_KEEPALIVE, 1},
	{CURLOPT_TCP_KEEPIDLE, KEEP_SECONDS / 2},
	{CURLOPT_TCP_KEEPINTVL, KEEP_SECONDS / 6},
	/* For on_debug(): nothing is printed. */
	{CURLOPT_VERBOSE, 1},
};

static int on_socket(void *transfer, curl_socket_t fd, curlsocktype purpose)
{
	const unsigned ms = UNACKNOWLEDGED_MS;
	struct http_transfer *t = transfer;

	t->client->fd = t->tls.fd = fd;
	/* Without it the deadline still holds. */
	if (purpose == CURLSOCKTYPE_IPCXN)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	return CURL_SOCKOPT_OK;
}

/* "gss_init_sec_context() failed: why": libcurl then continues without a login and retries. */
static void take_login(struct http_transfer *t, const char *data, size_t size)
{
	static const char failed[] = "() failed: ";
	char line[sizeof(t->login)];
	const char *why;

	if (size < 4 || memcmp(data, "gss_", 4) != 0)
		return;
	snprintf(line, sizeof(line), "%.*s", (int)size, data);
	line[strcspn(line, "\r\n")] = '\0';
	why = strstr(line, failed);
	if (why)
		snprintf(t->login, sizeof(t->login), "%s", why + sizeof(failed) - 1);
}

/*
 * Reads what libcurl tells nowhere else: facts of the TLS session while it lasts, the key that the
 * server showed, and why there is no Kerberos ticket.
 */
static int on_debug(CURL *curl, curl_infotype type, char *data, size_t size, void *transfer)
{
	static const char key[] = "public key hash: ";
	struct http_transfer *t = transfer;
	char line[128];
	const char *found;

	if (type == CURLINFO_TEXT || type == CURLINFO_HEADER_IN)
		http_tls_look(curl, &t->tls);
	if (type != CURLINFO_TEXT)
		return 0;
	snprintf(line, sizeof(line), "%.*s", (int)size, data);
	line[strcspn(line, "\r\n")] = '\0';
	found = strstr(line, key);
	take_login(t, data, size);
	if (found)
		snprintf(t->server_key, sizeof(t->server_key), "%s", found + sizeof(key) - 1);
	return 0;
}

/* Aborts if there is no ticket: each retry would be a failed logon at the KDC. */
static int on_progress(
	void *transfer, curl_off_t total, curl_off_t now, curl_off_t total_up, curl_off_t now_up)
{
	const struct http_transfer *t = transfer;

	(void)total;
	(void)now;
	(void)total_up;
	(void)now_up;
	return !patience_look() || t->login[0] != '\0';
}

/*
 * TLS 1.2 or later, and one file of CAs: libcurl trusts its default folder in addition to any file
 * unless told otherwise. The system's file costs half the time and memory of the system's folder,
 * and opens one file instead of 300.
 */
static void set_trust(struct setting *s, const struct http_client *client)
{
	const char *file = client->anchors.fd >= 0 ? client->anchors.path : anchors_system();
	bool old = client->tls_max == HTTP_TLS_1_2;

	set_number(s, CURLOPT_SSLVERSION,
		CURL_SSLVERSION_TLSv1_2 |
			(old ? CURL_SSLVERSION_MAX_TLSv1_2 : CURL_SSLVERSION_MAX_DEFAULT));
	if (file) {
		set_text(s, CURLOPT_CAINFO, file);
		set_text(s, CURLOPT_CAPATH, NULL);
	}
	if (client->pinned_key)
		set_text(s, CURLOPT_PINNEDPUBLICKEY, client->pinned_key);
	if (client->identity) {
		set_text(s, CURLOPT_SSLCERT, identity_path(client->identity));
		set_text(s, CURLOPT_SSLKEY, identity_key(client->identity));
		set_number(s, CURLOPT_FORBID_REUSE, identity_in_token(client->identity));
	}
}

/* Our login at the server, in addition to any certificate. */
static void set_login(struct setting *s, const struct http_client *client)
{
	static const long methods[] = {
		[HTTP_AUTH_BASIC] = (long)CURLAUTH_BASIC,
		[HTTP_AUTH_NTLM] = (long)CURLAUTH_NTLM,
		[HTTP_AUTH_KERBEROS] = (long)CURLAUTH_NEGOTIATE,
	};

	if (client->auth == HTTP_AUTH_NONE)
		return;
	set_number(s, CURLOPT_HTTPAUTH, methods[client->auth]);
	set_text(s, CURLOPT_USERNAME, text_or_empty(client->username));
	set_text(s, CURLOPT_PASSWORD,
		client->password.data ? (const char *)client->password.data : "");
}

static void set_callbacks(struct setting *s, struct http_transfer *t)
{
	check(s, CURLOPT_HEADERFUNCTION,
		curl_easy_setopt(s->curl, CURLOPT_HEADERFUNCTION, http_incoming_header));
	check(s, CURLOPT_WRITEFUNCTION,
		curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, http_incoming_body));
	check(s, CURLOPT_DEBUGFUNCTION, curl_easy_setopt(s->curl, CURLOPT_DEBUGFUNCTION, on_debug));
	check(s, CURLOPT_SOCKOPTFUNCTION,
		curl_easy_setopt(s->curl, CURLOPT_SOCKOPTFUNCTION, on_socket));
	check(s, CURLOPT_XFERINFOFUNCTION,
		curl_easy_setopt(s->curl, CURLOPT_XFERINFOFUNCTION, on_progress));
	set_number(s, CURLOPT_NOPROGRESS, 0);
	set_pointer(s, CURLOPT_SOCKOPTDATA, t);
	set_pointer(s, CURLOPT_XFERINFODATA, t);
	set_pointer(s, CURLOPT_HEADERDATA, &t->in);
	set_pointer(s, CURLOPT_WRITEDATA, &t->in);
	set_pointer(s, CURLOPT_DEBUGDATA, t);
	set_pointer(s, CURLOPT_ERRORBUFFER, t->words);
}

/* POST and PUT have a body, even if empty, and state its length (RFC 9110, 8.6). */
static bool has_body(const struct http_request *r)
{
	return r->body || strcmp(r->method, "GET") != 0;
}

static void set_request(struct setting *s, const struct http_transfer *t)
{
	const struct http_request *r = t->request;

	set_text(s, CURLOPT_URL, r->url);
	if (has_body(r)) {
		check(s, CURLOPT_POSTFIELDSIZE_LARGE,
			curl_easy_setopt(
				s->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len));
		set_text(s, CURLOPT_POSTFIELDS, text_or_empty(r->body));
	}
	set_text(s, CURLOPT_CUSTOMREQUEST, r->method);
	set_number(s, CURLOPT_FRESH_CONNECT, r->once);
	check(s, CURLOPT_HTTPHEADER, curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, t->headers));
}

static enum err add_line(struct curl_slist **list, const char *line, struct error *e)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		return error_memory(e);
	*list = longer;
	return ERR_OK;
}

static enum err add_header(
	struct curl_slist **list, const char *name, const char *value, struct error *e)
{
	struct buf line = BUF_INIT(1024);
	enum err err;

	if (!value)
		return ERR_OK;
	buf_printf(&line, "%s:%s%s", name, *value ? " " : "", value);
	err = buf_check(&line, e);
	if (!err)
		err = add_line(list, line.data, e);
	buf_free(&line);
	return err;
}

static enum err make_headers(struct http_transfer *t, struct error *e)
{
	const struct http_request *r = t->request;
	/* "": none, instead of curl's default for a body, which would be wrong. */
	const char *content_type = r->content_type || !has_body(r) ? r->content_type : "";
	enum err err = add_header(&t->headers, "Accept", r->accept, e);

	if (!err)
		err = add_header(&t->headers, "Content-Type", content_type, e);
	/* No "Expect: 100-continue": it costs a second at servers that do not know it. */
	if (!err)
		err = add_header(&t->headers, "Expect", "", e);
	for (const char *const *line = r->headers; !err && line && *line; line++)
		err = add_line(&t->headers, *line, e);
	return err;
}

/* Starts from the defaults, so that no request inherits options of the one before. */
enum err http_set_options(struct http_transfer *t, struct error *e)
{
	struct setting s = {t->client->curl, CURLE_OK, CURLOPT_URL};
	const struct curl_easyoption *option;
	enum err err = make_headers(t, e);

	if (err)
		return err;
	curl_easy_reset(s.curl); /* keeps the connection */
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		set_number(&s, numbers[i].option, numbers[i].value);
	set_text(&s, CURLOPT_PROTOCOLS_STR, t->request->plain ? "http,https" : "https");
	/* Never the environment's. */
	set_text(&s, CURLOPT_PROXY, t->client->proxy ? t->client->proxy : "");
	set_text(&s, CURLOPT_USERAGENT, USER_AGENT);
	set_trust(&s, t->client);
	set_login(&s, t->client);
	set_callbacks(&s, t);
	set_request(&s, t);
	if (s.code == CURLE_OK)
		return ERR_OK;
	option = curl_easy_option_by_id(s.option);
	return error_set(e, ERR_INTERNAL, "libcurl rejected %s: %s",
		option ? option->name : "an option", curl_easy_strerror(s.code));
}

enum err http_set_timeouts(struct http_transfer *t, struct error *e)
{
	struct setting s = {t->client->curl, CURLE_OK, CURLOPT_URL};
	long left = clock_left_ms(t->request->deadline);

	if (left == 0)
		return error_set(e, ERR_UNAVAILABLE,
			"%s: not done in time: no time was left for it", t->origin);
	set_number(&s, CURLOPT_TIMEOUT_MS, left);
	/* Half of it, so that the other half is left for the answer. */
	set_number(&s, CURLOPT_CONNECTTIMEOUT_MS, (left + 1) / 2);
	return s.code == CURLE_OK ? ERR_OK
				  : error_set(e, ERR_INTERNAL, "libcurl rejected a timeout");
}
