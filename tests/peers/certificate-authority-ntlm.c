/*
 * The simulated certificate authority: NTLM over HTTP, as far as a server needs it
 * ([MS-NTHT], [MS-NLMP]): NTLMv2 alone, without signing. Who is let in is in the state
 * folder's file "ntlm": "DOMAIN\user MD4", the MD4 of the password in UTF-16LE, hexadecimal.
 * It is the connection that is authenticated: its state is in the file "connection-NUMBER",
 * a challenge in hexadecimal or a user.
 */

#include <ctype.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "tests/peers/certificate-authority-core.h"
#include "tests/peers/peer-state.h"

#define CHALLENGE 8
#define HASH 16
#define MESSAGE_MAX 4096
#define USER_MAX 256

/* Flags: Unicode, target, NTLM, always sign, extended session security, target information. */
#define FLAGS 0x00898205U

static const unsigned char signature[8] = "NTLMSSP";

static bool get_state(const struct exchange *x, char out[PEER_LINE_MAX])
{
	char name[64];

	snprintf(name, sizeof(name), "connection-%s", request_header(x, "CONNECTION"));
	return peer_line(x->state, name, true, out);
}

static enum err put_state(const struct exchange *x, const char *text, struct error *e)
{
	char name[64], path[PATH_MAX];

	snprintf(name, sizeof(name), "connection-%s", request_header(x, "CONNECTION"));
	peer_path(x->state, name, path);
	return file_replace(path, 0600, text, strlen(text), e);
}

static void put_number(struct buf *b, uint32_t value, size_t octets)
{
	while (octets--) {
		buf_putc(b, (char)value);
		value >>= 8;
	}
}

static void put_wide(struct buf *b, const char *text)
{
	for (; *text; text++)
		put_number(b, (unsigned char)*text, 2);
}

/* CHALLENGE_MESSAGE, [MS-NLMP] 2.2.1.2: behind its 48 octets the target and what it is. */
static void make_challenge(const unsigned char challenge[CHALLENGE], struct buf *out)
{
	static const char domain[] = "EXAMPLE";
	const size_t wide = 2 * (sizeof(domain) - 1), info = 4 + wide + 4, head = 48;

	buf_append(out, signature, sizeof(signature));
	put_number(out, 2, 4);
	put_number(out, (uint32_t)wide, 2);
	put_number(out, (uint32_t)wide, 2);
	put_number(out, (uint32_t)head, 4);
	put_number(out, FLAGS, 4);
	buf_append(out, challenge, CHALLENGE);
	put_number(out, 0, 4);
	put_number(out, 0, 4);
	put_number(out, (uint32_t)info, 2);
	put_number(out, (uint32_t)info, 2);
	put_number(out, (uint32_t)(head + wide), 4);
	put_wide(out, domain);
	put_number(out, 2, 2); /* MsvAvNbDomainName */
	put_number(out, (uint32_t)wide, 2);
	put_wide(out, domain);
	put_number(out, 0, 4); /* MsvAvEOL */
}

static enum err ask(struct exchange *x, struct error *e)
{
	unsigned char challenge[CHALLENGE];
	char hex[2 * CHALLENGE + 1];
	struct buf message = BUF_INIT(MESSAGE_MAX), text = BUF_INIT(MESSAGE_MAX);
	enum err err;

	if (gnutls_rnd(GNUTLS_RND_NONCE, challenge, sizeof(challenge)) < 0)
		return error_set(e, ERR_INTERNAL, "no random numbers");
	text_hex(challenge, sizeof(challenge), hex);
	err = put_state(x, hex, e);
	make_challenge(challenge, &message);
	buf_base64(&text, message.data, message.len);
	reply_text(x, 401, "text/plain", "who are you?\n");
	reply_header(x, "WWW-Authenticate", "NTLM %s", text.data);
	buf_free(&message);
	buf_free(&text);
	return err;
}

/* One of AUTHENTICATE_MESSAGE's parts ([MS-NLMP], 2.2.1.3): length, maximum and place at at. */
static bool part(const struct buf *m, size_t at, struct blob *out)
{
	const unsigned char *d = (const unsigned char *)m->data;
	size_t len, offset;

	if (m->len < at + 8)
		return false;
	len = d[at] | (size_t)d[at + 1] << 8;
	offset = d[at + 4] | (size_t)d[at + 5] << 8 | (size_t)d[at + 6] << 16;
	if (offset > m->len || len > m->len - offset)
		return false;
	*out = (struct blob){(unsigned char *)m->data + offset, len};
	return true;
}

/* The user of the file: his domain, name and hash. */
static bool get_user(const struct exchange *x, char user[PEER_LINE_MAX], unsigned char hash[HASH])
{
	char *space;

	if (!peer_line(x->state, "ntlm", true, user))
		return false;
	space = strrchr(user, ' ');
	if (!space || strlen(space + 1) != 2 * (size_t)HASH || !text_unhex(space + 1, hash, HASH))
		return false;
	*space = '\0';
	return strchr(user, '\\') != NULL;
}

static bool is_text(const struct blob *wide, const char *text, size_t len)
{
	if (wide->len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (wide->data[2 * i] != (unsigned char)text[i] || wide->data[2 * i + 1])
			return false;
	return true;
}

/* [MS-NLMP], 3.3.2: the proof is over the challenge and what the client adds to it. */
static bool proves(const char *user, const unsigned char hash[HASH], const char *hex,
	const struct blob *response)
{
	const char *name = strchr(user, '\\') + 1;
	unsigned char key[HASH], proof[HASH], challenge[CHALLENGE];
	struct buf identity = BUF_INIT(4 * USER_MAX), text = BUF_INIT(MESSAGE_MAX);
	bool good = strlen(hex) == 2 * (size_t)CHALLENGE && text_unhex(hex, challenge, CHALLENGE) &&
		    response->len > HASH + 28;

	for (const char *s = name; *s; s++)
		put_number(&identity, (uint32_t)toupper((unsigned char)*s), 2);
	for (const char *s = user; s + 1 < name; s++)
		put_number(&identity, (unsigned char)*s, 2);
	good = good &&
	       gnutls_hmac_fast(GNUTLS_MAC_MD5, hash, HASH, identity.data, identity.len, key) >= 0;
	if (good) {
		buf_append(&text, challenge, CHALLENGE);
		buf_append(&text, response->data + HASH, response->len - HASH);
		good = gnutls_hmac_fast(GNUTLS_MAC_MD5, key, HASH, text.data, text.len, proof) >=
			       0 &&
		       memcmp(proof, response->data, HASH) == 0;
	}
	buf_free(&identity);
	buf_free(&text);
	return good;
}

static enum err judge(struct exchange *x, const struct buf *message, struct error *e)
{
	char user[PEER_LINE_MAX], challenge[PEER_LINE_MAX];
	unsigned char hash[HASH];
	struct blob response, domain, name;
	const char *slash;

	if (!get_state(x, challenge) || !get_user(x, user, hash) || !part(message, 20, &response) ||
		!part(message, 28, &domain) || !part(message, 36, &name))
		return put_state(x, "nobody", e);
	slash = strchr(user, '\\');
	if (!is_text(&domain, user, (size_t)(slash - user)) ||
		!is_text(&name, slash + 1, strlen(slash + 1)) ||
		!proves(user, hash, challenge, &response))
		return put_state(x, "nobody", e);
	snprintf(x->identity, sizeof(x->identity), "ntlm:%.*s", USER_MAX, user);
	return put_state(x, x->identity, e);
}

enum err ntlm_identify(struct exchange *x, bool *answered, struct error *e)
{
	static const char scheme[] = "NTLM ";
	const char *header = request_header(x, "HTTP_AUTHORIZATION");
	struct buf message = BUF_INIT(MESSAGE_MAX);
	char state[PEER_LINE_MAX] = "";
	enum err err = ERR_OK;

	*answered = false;
	if (strncmp(header, scheme, sizeof(scheme) - 1) != 0) {
		if (!*header && get_state(x, state) && strncmp(state, "ntlm:", 5) == 0)
			snprintf(x->identity, sizeof(x->identity), "%.500s", state);
		return ERR_OK;
	}
	header += sizeof(scheme) - 1;
	if (!text_unbase64(header, strlen(header), &message) || message.len < 16 ||
		memcmp(message.data, signature, sizeof(signature)) != 0)
		reply_text(x, 400, "text/plain", "this is no NTLM\n");
	else if (message.data[8] == 1)
		err = ask(x, e);
	else
		err = judge(x, &message, e);
	*answered = x->status != 0;
	buf_free(&message);
	return err;
}
