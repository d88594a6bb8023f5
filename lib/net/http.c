/* The client of one server: its identity, trust and login, and its requests. */
#include "net/http.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/watchdog.h"
#include "net/anchors.h"
#include "net/http_child.h"
#include "net/http_options.h"
#include "net/http_transfer.h"

/* --- one request */

/* Checks the scheme, and keeps "https://host:port" for the log, as the rest may be long. */
static enum err check_url(struct http_transfer *t, struct error *e)
{
	static const char secure[] = "https://", plain[] = "http://";
	const char *url = t->request->url;
	bool is_plain = t->request->plain && strncmp(url, plain, strlen(plain)) == 0;
	const char *scheme = is_plain ? plain : secure;
	size_t len = strlen(scheme);

	if (strncmp(url, scheme, len) != 0)
		return error_set(e, ERR_CONFIG, "%s: a URL must begin with %s", url, scheme);
	len += strcspn(url + len, "/?#");
	if (len == strlen(scheme))
		return error_set(e, ERR_CONFIG, "%s: a URL must have a host name", url);
	if (memchr(url, '@', len))
		return error_set(e, ERR_CONFIG, "a URL must have no user name or password in it");
	snprintf(t->origin, sizeof(t->origin), "%.*s",
		(int)(len < HTTP_ORIGIN_MAX ? len : HTTP_ORIGIN_MAX), url);
	return ERR_OK;
}

enum err http_send(struct http_client *client, const struct http_request *request,
	struct http_answer *out, struct error *e)
{
	struct http_transfer t = {
		.client = client,
		.request = request,
		.in = {.body = BUF_INIT(request->answer_max)},
	};
	int64_t before = watchdog_enter(request->deadline + WATCHDOG_MARGIN_MS);
	struct http_answer answer = {0};
	enum err err = check_url(&t, e);

	if (!err)
		err = http_client_ready(client, e);
	if (!err)
		err = http_set_options(&t, e);
	if (!err)
		err = client->kerberos ? http_child_run(&t, e) : http_transfer_run(&t, e);
	if (err && request->began)
		*request->began = t.in.status;
	if (err)
		goto out;
	answer.status = t.in.status;
	answer.retry_after = t.in.retry_after;
	answer.date = t.in.date;
	answer.tls13 = t.tls.tls13;
	answer.asked = client->asked;
	memcpy(answer.content_type, t.in.content_type, sizeof(answer.content_type));
	err = blob_take(&t.in.body, &answer.body, e);
	if (!err)
		*out = answer;
out:
	watchdog_leave(before);
	curl_easy_reset(client->curl); /* its pointers are not valid any more */
	curl_slist_free_all(t.headers);
	buf_free(&t.in.body);
	return err;
}

void http_answer_free(struct http_answer *answer)
{
	blob_free(&answer->body);
	*answer = (struct http_answer){0};
}

/* --- the client */

/* For NTLM libcurl converts each byte to UTF-16, which is right only for ASCII. */
static enum err read_password(const struct http_options *options, struct blob *out, struct error *e)
{
	struct blob password = {NULL, 0};
	enum err err = file_read_password(options->password_file, &password, e);
	bool ascii = true;

	if (err)
		return err;
	for (size_t i = 0; i < password.len; i++)
		ascii = ascii && password.data[i] < 0x80;
	if (options->auth == HTTP_AUTH_NTLM && !ascii) {
		blob_free(&password);
		return error_set(e, ERR_CONFIG,
			"%s: a password for NTLM must have only ASCII characters",
			options->password_file);
	}
	*out = password;
	return ERR_OK;
}

static enum err open_login(
	struct http_client *client, const struct http_options *options, struct error *e)
{
	client->auth = options->auth;
	client->tls_max = options->tls_max;
	if (options->username) {
		client->username = strdup(options->username);
		if (!client->username)
			return error_memory(e);
	}
	if (options->keytab)
		return kerberos_open(options->keytab, options->principal, &client->kerberos, e);
	return options->password_file ? read_password(options, &client->password, e) : ERR_OK;
}

enum err http_client_ready(struct http_client *client, struct error *e)
{
	return client->identity ? identity_ready(client->identity, e) : ERR_OK;
}

/* A token that is away is not an error: it may come back. */
static enum err open_identity(
	struct http_client *client, const struct http_options *options, struct error *e)
{
	enum err err = identity_open(
		options->identity, options->identity_password_file, &client->identity, e);

	if (!err)
		err = identity_ready(client->identity, e);
	if (err != ERR_UNAVAILABLE)
		return err;
	log_warning("%s", e->text);
	return ERR_OK;
}

static enum err open_files(
	struct http_client *client, const struct http_options *options, struct error *e)
{
	enum err err = ERR_OK;

	if (options->identity)
		err = open_identity(client, options, e);
	if (!err && options->ca_file)
		err = anchors_open(options->ca_file, &client->anchors, e);
	if (!err)
		err = open_login(client, options, e);
	if (!err && options->proxy) {
		client->proxy = strdup(options->proxy);
		err = client->proxy ? ERR_OK : error_memory(e);
	}
	if (err || !options->pinned_key)
		return err;
	/* libcurl takes anything else for a file name. */
	if (strncmp(options->pinned_key, "sha256//", 8) != 0)
		return error_set(e, ERR_CONFIG, "pinned key %s: it must begin with sha256//",
			options->pinned_key);
	client->pinned_key = strdup(options->pinned_key);
	return client->pinned_key ? ERR_OK : error_memory(e);
}

/*
 * libcurl 8 sets its own GnuTLS hook after its first debug line about the session, just before the
 * handshake. A debug line for each read of the socket sets ours again in time.
 */
static CURLcode init_curl(void)
{
	CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

#if LIBCURL_VERSION_NUM >= 0x080300
	if (code == CURLE_OK)
		code = curl_global_trace("tcp");
#endif
	return code;
}

enum err http_client_new(
	const struct http_options *options, struct http_client **out, struct error *e)
{
	struct http_client *client = calloc(1, sizeof(*client));
	enum err err;

	if (!client)
		return error_memory(e);
	client->anchors = (struct memfile)MEMFILE_INIT;
	client->fd = -1;
	if (init_curl() != CURLE_OK) {
		free(client);
		return error_memory(e);
	}
	client->curl = curl_easy_init();
	err = client->curl ? open_files(client, options, e) : error_memory(e);
	if (err)
		http_client_free(client);
	else
		*out = client;
	return err;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	curl_easy_cleanup(client->curl);
	identity_close(client->identity);
	memfile_close(&client->anchors);
	free(client->pinned_key);
	free(client->proxy);
	free(client->username);
	blob_free(&client->password);
	kerberos_close(client->kerberos);
	free(client);
	curl_global_cleanup();
}

void http_client_limit_tls(struct http_client *client, enum http_tls_max max)
{
	client->tls_max = max;
}

const struct identity *http_client_identity(const struct http_client *client)
{
	return client->identity;
}
