#include "ca/adcs_page.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

/* --- text out of HTML */

static const struct {
	const char *entity;
	char text;
} entities[] = {
	{"&amp;", '&'},
	{"&lt;", '<'},
	{"&gt;", '>'},
	{"&nbsp;", ' '},
	/* Not ", which ends a message. */
	{"&quot;", '\''},
	{"&#34;", '\''},
	{"&#39;", '\''},
};

/* How much of s is an entity; *out is 0 for what is no ASCII. */
static size_t take_entity(const char *s, char *out)
{
	char *end = NULL;
	long code;

	for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
		if (strncasecmp(s, entities[i].entity, strlen(entities[i].entity)) == 0) {
			*out = entities[i].text;
			return strlen(entities[i].entity);
		}
	}
	if (s[1] != '#' || !isalnum((unsigned char)s[2]))
		return 0;
	code = s[2] == 'x' || s[2] == 'X' ? strtol(s + 3, &end, 16) : strtol(s + 2, &end, 10);
	if (*end != ';')
		return 0;
	*out = code >= ' ' && code <= '~' ? (char)code : '\0';
	return (size_t)(end - s) + 1;
}

/* What stands in these is not for readers. */
static const char *skip_unseen(const char *s)
{
	static const char *const unseen[][2] = {
		{"<!--", "-->"}, {"<script", "</script"}, {"<style", "</style"}};

	for (size_t i = 0; i < ARRAY_LEN(unseen); i++)
		if (strncasecmp(s, unseen[i][0], strlen(unseen[i][0])) == 0) {
			const char *end = strcasestr(s, unseen[i][1]);

			return end ? end : s + strlen(s);
		}
	return s;
}

/* Behind the tag that begins at s. */
static const char *skip_tag(const char *s)
{
	s = skip_unseen(s);
	s += strcspn(s, ">");
	return *s ? s + 1 : s;
}

/* Runs of white space become one space, or one line break where there is one among them. */
static void add_character(struct buf *text, char c)
{
	char *last = text->len ? &text->data[text->len - 1] : NULL;

	if (c == '\r')
		c = '\n';
	if (c == '\t')
		c = ' ';
	if (!strchr(" \n", c) || !last || !strchr(" \n", *last))
		buf_putc(text, c);
	else if (c == '\n')
		*last = c;
}

static void read_text(const char *html, struct buf *text)
{
	for (const char *s = html; *s;) {
		char c = *s;
		size_t len = c == '&' ? take_entity(s, &c) : 0;

		if (c == '<' && !len) {
			s = skip_tag(s);
			add_character(text, ' '); /* tags part words */
			continue;
		}
		if (c)
			add_character(text, c);
		s += len ? len : 1;
	}
	buf_putc(text, '\n');
}

/* --- what it says */

/* Digits behind the first of those words. */
static void take_request(const char *text, const char *words, char out[ADCS_REQUEST_SIZE])
{
	const char *at = strcasestr(text, words);
	size_t len;

	if (!at)
		return;
	at += strlen(words);
	at += strspn(at, " \n");
	len = strspn(at, "0123456789");
	if (!len || len >= ADCS_REQUEST_SIZE)
		return;
	memcpy(out, at, len);
	out[len] = '\0';
}

/* What is behind the words, until one of the ends; false: nothing is. */
static bool take_message(
	const char *text, const char *words, const char *ends, char out[EXCERPT_SIZE])
{
	const char *at = strcasestr(text, words);

	if (!at)
		return false;
	at += strlen(words);
	at += strspn(at, " \n");
	excerpt(at, strcspn(at, ends), out);
	return *out;
}

/* The first HRESULT that is a failure; 0: there is none. */
static uint32_t find_code(const char *text)
{
	for (const char *at = strcasestr(text, "0x8"); at; at = strcasestr(at + 1, "0x8"))
		if (strspn(at + 2, "0123456789abcdefABCDEF") == 8)
			return (uint32_t)strtoul(at, NULL, 16);
	return 0;
}

/* [MS-ERREF]: 8009 is the facility of security and certificates; 8007 is Windows itself. */
static enum adcs_state judge_code(uint32_t code)
{
	static const uint32_t final[] = {
		0x80070005, /* E_ACCESSDENIED: who asks may not enroll */
		0x8007000d, /* ERROR_INVALID_DATA */
		0x80070057, /* E_INVALIDARG */
	};
	static const uint32_t passing[] = {
		0x80092012, /* CRYPT_E_NO_REVOCATION_CHECK */
		0x80092013, /* CRYPT_E_REVOCATION_OFFLINE: its own issuer's list cannot be had */
		0x80094006, /* CERTSRV_E_SERVER_SUSPENDED */
	};

	for (size_t i = 0; i < ARRAY_LEN(final); i++)
		if (code == final[i])
			return ADCS_DENIED;
	for (size_t i = 0; i < ARRAY_LEN(passing); i++)
		if (code == passing[i])
			return ADCS_FAILED;
	return code >> 16 == 0x8009 ? ADCS_DENIED : ADCS_FAILED;
}

static bool has_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(text, *words))
			return true;
	return false;
}

static enum adcs_state judge(const char *text, const struct adcs_page *page, bool has_message)
{
	static const char *const pending[] = {
		"Certificate Pending", "Taken Under Submission", "still pending", NULL};
	static const char *const denied[] = {"Denied by", "was denied", "Request Denied", NULL};
	uint32_t code = find_code(text);

	if (code)
		return judge_code(code);
	if (has_one_of(text, pending))
		return ADCS_PENDING;
	if (has_one_of(text, denied) || has_message)
		return ADCS_DENIED;
	return *page->request ? ADCS_PENDING : ADCS_UNKNOWN;
}

static void read_page(const char *html, const char *text, struct adcs_page *page)
{
	bool has_message;

	take_request(html, "certnew.cer?ReqID=", page->request);
	if (*page->request) {
		page->state = ADCS_ISSUED;
		return;
	}
	take_request(text, "Your Request Id is", page->request);
	has_message = take_message(text, "disposition message is \"", "\"", page->message) ||
		      take_message(text, "Disposition message:", "\n", page->message);
	page->state = judge(text, page, has_message);
	if (!has_message) {
		size_t len = strlen(text);

		while (len && strchr(" \n", text[len - 1]))
			len--;
		excerpt(text, len, page->message);
	}
}

enum err adcs_page_read(const void *html, size_t len, struct adcs_page *out, struct error *e)
{
	struct buf source = BUF_INIT(len + 2), text = BUF_INIT(len + 2);
	struct adcs_page page = {.state = ADCS_UNKNOWN};
	enum err err;

	for (size_t i = 0; i < len; i++)
		buf_putc(&source, ((const char *)html)[i] ? ((const char *)html)[i] : ' ');
	buf_putc(&source, '\n');
	if (!source.failed)
		read_text(source.data, &text);
	err = buf_check(&source, e);
	if (!err)
		err = buf_check(&text, e);
	if (!err) {
		read_page(source.data, text.data, &page);
		*out = page;
	}
	buf_free(&source);
	buf_free(&text);
	return err;
}
