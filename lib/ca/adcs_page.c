/*
 * Reads the result of a request from a page of AD CS. The pages are translated into every language
 * of Windows, except the names of their elements, their links and the codes in them.
 */

#include "ca/adcs_page.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "ca/adcs_html.h"

/* --- what it says */

/* Takes the first digits that follow those words. */
static void take_request(const char *text, const char *words, char out[ADCS_REQUEST_SIZE])
{
	for (const char *at = strcasestr(text, words); at && !*out; at = strcasestr(at, words)) {
		size_t len;

		at += strlen(words);
		at += strspn(at, " \n");
		len = strspn(at, "0123456789");
		if (!len || len >= ADCS_REQUEST_SIZE)
			continue;
		memcpy(out, at, len);
		out[len] = '\0';
	}
}

/* Returns true within a word, a code, a date or a version. */
static bool is_joined(char c)
{
	return isalnum((unsigned char)c) || strchr("_-/:+#\\", c);
}

static bool ends_sentence(const char *s)
{
	s += strspn(s, " ");
	return *s == '\n' || strncmp(s, "\xe3\x80\x82", 3) == 0 || /* ideographic full stop */
	       (*s == '.' && !isalnum((unsigned char)s[1]));
}

/* Finds the next number from s on that is a word of its own; NULL: there is none. */
static const char *next_number(const char *begin, const char *s, size_t *len)
{
	for (; *s; s += *len ? *len : 1) {
		*len = strspn(s, "0123456789");
		if (*len && *len < ADCS_REQUEST_SIZE && *s != '0' &&
			(s == begin || (!is_joined(s[-1]) && s[-1] != '.')) &&
			(!s[*len] || !is_joined(s[*len])) &&
			!(s[*len] == '.' && isdigit((unsigned char)s[*len + 1])))
			return s;
	}
	return NULL;
}

/*
 * Takes the only number of a text, or the only one that ends a sentence: in any language "Your
 * Request Id is 19." has it, and "within 10 days" does not.
 */
static void take_lone_number(const char *text, char out[ADCS_REQUEST_SIZE])
{
	const char *any = NULL, *final = NULL;
	size_t len = 0, any_len = 0, final_len = 0, any_count = 0, final_count = 0;

	for (const char *s = text; (s = next_number(text, s, &len)); s += len) {
		any = s;
		any_len = len;
		any_count++;
		if (!ends_sentence(s + len))
			continue;
		final = s;
		final_len = len;
		final_count++;
	}
	if (final_count == 1)
		snprintf(out, ADCS_REQUEST_SIZE, "%.*s", (int)final_len, final);
	else if (any_count == 1)
		snprintf(out, ADCS_REQUEST_SIZE, "%.*s", (int)any_len, any);
}

/* --- elements, which every language has */

static bool has_id_of(const char *html, const char *const *ids)
{
	for (; *ids; ids++)
		if (html_find(html, "id", *ids))
			return true;
	return false;
}

/* In "Your Request Id is 19. The disposition message is …" it is the first. */
static void take_number_of(const char *html, const char *id, char out[ADCS_REQUEST_SIZE])
{
	const char *tag = html_find(html, "id", id), *number;
	struct buf text = BUF_INIT(strlen(html) + 2);
	size_t len = 0;

	if (tag)
		html_element_text(tag, &text);
	number = text.data && !text.failed ? next_number(text.data, text.data, &len) : NULL;
	if (number)
		snprintf(out, ADCS_REQUEST_SIZE, "%.*s", (int)len, number);
	buf_free(&text);
}

/* The field of a form that takes the request off the list. */
static void take_hidden(const char *html, char out[ADCS_REQUEST_SIZE])
{
	const char *tag = html_find(html, "name", "ReqID");
	char value[HTML_VALUE_SIZE];

	if (tag && html_attribute(tag, "value", value, sizeof(value)) &&
		strspn(value, "0123456789") == strlen(value) && strlen(value) < ADCS_REQUEST_SIZE)
		memcpy(out, value, strlen(value) + 1);
}

static void find_number(const char *html, const char *text, char out[ADCS_REQUEST_SIZE])
{
	take_number_of(html, "locInfoReqID", out);
	if (!*out)
		take_number_of(html, "locInfoReqIDandReason", out);
	if (!*out)
		take_hidden(html, out);
	if (!*out)
		take_request(html, "ReqID=", out);
	if (!*out)
		take_request(text, "Your Request Id is", out);
}

/* certcli.h, CR_DISP_...: what a page about an error has between a label and a spacer. */
enum disposition {
	DISPOSITION_NONE = 0,
	DISPOSITION_DENIED = '2',
	DISPOSITION_PENDING = '5',
	DISPOSITION_REVOKED = '6',
};

static int find_disposition(const char *html)
{
	const char *spacer = html_find(html, "id", "locDispSpacer"), *s = spacer;

	while (s && s > html && strchr(" \t\r\n", s[-1]))
		s--;
	if (!s || s - html < 2 || !isdigit((unsigned char)s[-1]) || isxdigit((unsigned char)s[-2]))
		return DISPOSITION_NONE;
	return s[-1];
}

/* Takes the text behind the words, until one of the ends; false: there is none. */
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

static bool is_one_of(uint32_t code, const uint32_t *codes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (code == codes[i])
			return true;
	return false;
}

/* [MS-ERREF]: 8009 is the facility of security and certificates; 8007 is Windows itself. */
static enum adcs_state judge_code(uint32_t code, bool denied)
{
	static const uint32_t final[] = {
		0x80070005, /* E_ACCESSDENIED: our account may not enroll */
		0x8007000d, /* ERROR_INVALID_DATA */
		0x80070057, /* E_INVALIDARG */
	};
	static const uint32_t passing[] = {
		0x80092012, /* CRYPT_E_NO_REVOCATION_CHECK */
		0x80092013, /* CRYPT_E_REVOCATION_OFFLINE: its own issuer's list cannot be had */
		0x80094006, /* CERTSRV_E_SERVER_SUSPENDED */
	};

	if (is_one_of(code, passing, ARRAY_LEN(passing)))
		return ADCS_FAILED;
	return denied || is_one_of(code, final, ARRAY_LEN(final)) || code >> 16 == 0x8009
		       ? ADCS_DENIED
		       : ADCS_FAILED;
}

static bool has_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(text, *words))
			return true;
	return false;
}

static enum adcs_state judge(
	const char *html, const char *text, const struct adcs_page *page, bool has_message)
{
	static const char *const denied_ids[] = {"locDenied", "locIssRev", NULL};
	static const char *const pending_ids[] = {
		"locInfoNewReq", "locInfoReqID", "locInfoChkPnd", NULL};
	/* Some versions have no such elements. */
	static const char *const pending[] = {
		"Certificate Pending", "Taken Under Submission", "still pending", NULL};
	static const char *const denied[] = {"Denied by", "was denied", "Request Denied", NULL};
	int disposition = find_disposition(html);
	bool is_denied = has_id_of(html, denied_ids) || disposition == DISPOSITION_DENIED ||
			 disposition == DISPOSITION_REVOKED;
	uint32_t code = find_code(text);

	if (disposition == DISPOSITION_PENDING)
		return ADCS_PENDING;
	if (code)
		return judge_code(code, is_denied);
	if (is_denied)
		return ADCS_DENIED;
	if (has_id_of(html, pending_ids) || has_one_of(text, pending))
		return ADCS_PENDING;
	if (has_one_of(text, denied) || has_message)
		return ADCS_DENIED;
	return *page->request ? ADCS_PENDING : ADCS_UNKNOWN;
}

/*
 * Reads the number in a page whose language we do not know. We take it for that of a pending
 * request and ask for that request later; if the number is something else, that does no harm.
 */
static void try_number(const char *html, const char *text, struct adcs_page *page)
{
	static const char *const theirs[] = {"locPageTitle", "locMSCertSrv", NULL};
	static const char *const errors[] = {
		"locReqFailed", "locChkPndFailed", "locNoFormData", "locDispLabel", NULL};

	if (!has_id_of(html, theirs) || has_id_of(html, errors))
		return;
	take_lone_number(text, page->request);
	if (*page->request)
		page->state = ADCS_PENDING;
}

static void read_page(const char *html, const char *text, struct adcs_page *page)
{
	bool has_message;

	take_request(html, "certnew.cer?ReqID=", page->request);
	if (*page->request) {
		page->state = ADCS_ISSUED;
		return;
	}
	find_number(html, text, page->request);
	has_message = take_message(text, "disposition message is \"", "\"", page->message) ||
		      take_message(text, "Disposition message:", "\n", page->message);
	page->state = judge(html, text, page, has_message);
	if (page->state == ADCS_UNKNOWN)
		try_number(html, text, page);
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
		html_text(source.data, &text);
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
