/* One request on its way: libcurl's work, repeated once if a kept connection turns out dead. */
#include "net/http_transfer.h"

#include "net/http_error.h"
#include "net/http_options.h"

/* A server asks for our certificate only once on a connection. */
static void note_asked(struct http_transfer *t)
{
	long connects = 1;

	if (curl_easy_getinfo(t->client->curl, CURLINFO_NUM_CONNECTS, &connects) != CURLE_OK ||
		connects > 0)
		t->client->asked = false;
	t->client->asked = t->client->asked || t->tls.asked;
}

static CURLcode perform(struct http_transfer *t)
{
	struct buf *body = &t->in.body;
	CURLcode code;

	buf_reset(body);
	t->in = (struct http_incoming){.body = *body,
		.wanted = t->request->wanted,
		.wanted_count = t->request->wanted_count};
	t->words[0] = '\0';
	t->server_key[0] = '\0';
	t->login[0] = '\0';
	t->tls = (struct http_tls){.fd = t->client->fd, .deadline = t->request->deadline};
	code = curl_easy_perform(t->client->curl);
	http_tls_end();
	note_asked(t);
	return code;
}

/*
 * Returns true if the server closed a kept connection just when we wrote, and sent nothing. libcurl
 * itself repeats a request that fails before or while it reads, but not one that fails while it
 * writes a body of more than 64 KB.
 */
static bool kept_was_dead(const struct http_transfer *t, CURLcode code)
{
	long connects = 1;

	if (code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR && code != CURLE_GOT_NOTHING)
		return false;
	return curl_easy_getinfo(t->client->curl, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK &&
	       connects == 0 && t->in.header_len == 0;
}

static enum err explain(const struct http_transfer *t, CURLcode code, struct error *e)
{
	const struct http_failure failure = {
		.curl = t->client->curl,
		.code = code,
		.origin = t->origin,
		.words = t->words,
		.tls = &t->tls,
		.server_key = t->server_key,
		.identity = t->client->identity,
		.answer = &t->in,
	};

	return http_explain(&failure, e);
}

enum err http_transfer_run(struct http_transfer *t, struct error *e)
{
	enum err err = http_set_timeouts(t, e);
	CURLcode code;

	if (!err && t->client->kerberos)
		err = kerberos_use(t->client->kerberos, e);
	if (err)
		return err;
	code = perform(t);
	if (kept_was_dead(t, code)) {
		err = http_set_timeouts(t, e);
		if (err)
			return err;
		code = perform(t);
	}
	if (t->login[0] && (code == CURLE_ABORTED_BY_CALLBACK || t->in.status == 401))
		return kerberos_explain(t->client->kerberos, t->origin, t->login, e);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return error_set(e, ERR_UNAVAILABLE,
			"%s: given up, because the program is stopping", t->origin);
	if (code != CURLE_OK || !t->in.header_done)
		return explain(t, code, e);
	return ERR_OK;
}
