/* The simulated certificate authority: what it is told to do wrong. */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tests/peers/certificate-authority-core.h"
#include "tests/peers/peer-fastcgi.h"
#include "tests/peers/peer-state.h"

#define FOREVER INT64_MAX
#define REDIRECTED "redirected=1"
#define MODE_NUMBER_MAX 86400

/* What each word means, and its number where none is given. */
static const struct {
	const char *word;
	int64_t number;
} words[FAULT_COUNT] = {
	[FAULT_NONE] = {"ok", 0},
	[FAULT_REFUSE] = {"refuse", 0},
	[FAULT_LATER] = {"later", 7},
	[FAULT_PENDING] = {"pending", 1},
	[FAULT_HANG] = {"hang", 60},
	[FAULT_SLOW] = {"slow", 2},
	[FAULT_REDIRECT] = {"redirect", 0},
	[FAULT_GARBAGE] = {"garbage", 0},
	[FAULT_TRUNCATED] = {"truncated", 0},
	[FAULT_OVERSIZED] = {"oversized", 5},
	[FAULT_EMPTY] = {"empty", 0},
	[FAULT_WRONG_KEY] = {"wrong-key", 0},
	[FAULT_WRONG_ADDRESS] = {"wrong-address", 0},
	[FAULT_NO_EMAIL_PROTECTION] = {"no-email-protection", 0},
	[FAULT_WRONG_USAGE] = {"wrong-usage", 0},
	[FAULT_TOO_LONG] = {"too-long", 0},
	[FAULT_NOT_YET_VALID] = {"not-yet-valid", 0},
	[FAULT_IS_CA] = {"is-ca", 0},
	[FAULT_BROKEN_CHAIN] = {"broken-chain", 0},
	[FAULT_FOREIGN_ISSUER] = {"foreign-issuer", 0},
	[FAULT_WRONG_ORDER] = {"wrong-order", 0},
	[FAULT_OTHER_FORM] = {"other-form", 1},
	[FAULT_LONGER] = {"longer", 23},
	[FAULT_NO_INTERMEDIATE] = {"no-intermediate", 0},
};

static bool read_fault(const char *word, struct mode *mode)
{
	for (size_t i = 0; i < FAULT_COUNT; i++) {
		if (strcmp(words[i].word, word) == 0) {
			mode->fault = (enum fault)i;
			mode->number = words[i].number;
			return true;
		}
	}
	return false;
}

static bool read_mode(char *line, struct mode *out)
{
	struct mode mode = {.fault = FAULT_NONE};
	char *rest = NULL, *word = peer_word(line, &rest);

	if (!read_fault(word, &mode))
		return false;
	while (*rest) {
		word = peer_word(rest, &rest);
		if (strcmp(word, "forever") == 0)
			mode.number = FOREVER;
		else if (strcmp(word, "deny") == 0)
			mode.deny = true;
		else if (strcmp(word, "at") == 0 && *rest)
			snprintf(mode.at, sizeof(mode.at), "%s", peer_word(rest, &rest));
		else if (!text_number(word, MODE_NUMBER_MAX, &mode.number))
			return false;
	}
	*out = mode;
	return true;
}

enum err mode_read(const char *state, struct mode *out, struct error *e)
{
	char line[PEER_LINE_MAX] = "", copy[PEER_LINE_MAX];

	if (!peer_line(state, "mode", true, line))
		return ERR_OK;
	memcpy(copy, line, sizeof(copy));
	if (!read_mode(copy, out))
		return error_set(
			e, ERR_INTERNAL, "the simulator does not know the mode \"%s\"", line);
	return ERR_OK;
}

/* It stands out in the log, and is served as if nothing were wrong. */
static bool was_redirected(const struct exchange *x)
{
	return strstr(x->query, REDIRECTED) != NULL;
}

/* So that a test can do something in the middle of a request. */
static void show_waiting(const char *state)
{
	char path[PATH_MAX];
	FILE *f;

	peer_path(state, "waiting", path);
	f = fopen(path, "we");
	if (f)
		fclose(f);
}

static void strike(struct exchange *x)
{
	x->struck = true;
	if (x->mode.fault == FAULT_SLOW || x->mode.fault == FAULT_HANG) {
		show_waiting(x->state);
		peer_wait((double)x->mode.number);
	}
}

bool mode_before(struct exchange *x)
{
	const struct mode *mode = &x->mode;

	if (was_redirected(x) && mode->fault == FAULT_REDIRECT)
		x->mode.fault = FAULT_NONE;
	if (!*mode->at || !strstr(x->path, mode->at))
		return false;
	strike(x);
	if (mode->fault == FAULT_REFUSE) {
		reply_text(x, 403, "text/plain", "refused, as ordered\n");
	} else if (mode->fault == FAULT_LATER) {
		reply_text(x, 503, "text/plain", "later, as ordered\n");
		reply_header(x, "Retry-After", "%lld", (long long)mode->number);
	}
	return mode->fault == FAULT_REFUSE || mode->fault == FAULT_LATER ||
	       mode->fault == FAULT_HANG || mode->fault == FAULT_REDIRECT;
}

bool mode_decides(struct exchange *x, struct decision *out)
{
	const struct mode *mode = &x->mode;
	bool later = mode->fault == FAULT_LATER || mode->fault == FAULT_HANG ||
		     mode->fault == FAULT_REDIRECT;

	if (*mode->at)
		return false;
	strike(x);
	if (mode->fault != FAULT_REFUSE && !later)
		return false;
	out->verdict = later ? VERDICT_LATER : VERDICT_REFUSED;
	out->retry_after = mode->fault == FAULT_LATER ? (int)mode->number : 1;
	snprintf(out->text, sizeof(out->text), "%s",
		later ? "the authority is out of order" : "the policy denies this request");
	return true;
}

int64_t mode_form(const struct exchange *x)
{
	return x->mode.fault == FAULT_OTHER_FORM ? x->mode.number : 0;
}

static void redirect(struct exchange *x)
{
	buf_reset(&x->headers);
	buf_reset(&x->reply);
	reply_text(x, 307, "text/plain", "elsewhere\n");
	reply_header(x, "Location", "https://%s%s?%s%s" REDIRECTED, request_header(x, "HTTP_HOST"),
		x->path, x->query, *x->query ? "&" : "");
}

static void fill(struct buf *reply, int64_t megabytes)
{
	static char kilobyte[1024];

	memset(kilobyte, 'A', sizeof(kilobyte));
	for (int64_t i = 0; i < megabytes * 1024; i++)
		buf_append(reply, kilobyte, sizeof(kilobyte));
}

void mode_after(struct exchange *x)
{
	static const char garbage[] = "\x01\xff<html>}{\"\0-----BEGIN";
	enum fault fault = x->struck ? x->mode.fault : FAULT_NONE;

	if (fault == FAULT_HANG)
		x->status = PEER_STATUS_DROP;
	if (fault == FAULT_REDIRECT)
		redirect(x);
	if (fault == FAULT_GARBAGE || fault == FAULT_EMPTY || fault == FAULT_OVERSIZED)
		buf_reset(&x->reply);
	if (fault == FAULT_GARBAGE)
		buf_append(&x->reply, garbage, sizeof(garbage) - 1);
	if (fault == FAULT_OVERSIZED)
		fill(&x->reply, x->mode.number);
}
