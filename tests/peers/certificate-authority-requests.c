/*
 * The simulated certificate authority: its requests, what became of them, and
 * what is revoked. All of it is under the state folder's lock, for there are
 * several processes.
 *
 *   requests/N.csr      DER
 *   requests/N.asked    how often it was asked for while it was pending
 *   requests/N.serial   issued: issued/SERIAL.crt
 *   requests/N.denied
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "tests/peers/certificate-authority-core.h"
#include "tests/peers/peer-state.h"

#define PENDING_RETRY 3
#define REQUESTS_MAX 99999
#define CERTIFICATE_MAX 65536

static void name_of(
	const struct exchange *x, const char *folder, const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s/%s", x->state, folder, name);
}

static void request_path(
	const struct exchange *x, int64_t number, const char *what, char out[PATH_MAX])
{
	char name[64];

	snprintf(name, sizeof(name), "%lld.%s", (long long)number, what);
	name_of(x, "requests", name, out);
}

static bool has(const struct exchange *x, int64_t number, const char *what)
{
	char path[PATH_MAX];

	request_path(x, number, what, path);
	return access(path, F_OK) == 0;
}

static enum err put(const struct exchange *x, int64_t number, const char *what, const void *data,
	size_t len, struct error *e)
{
	char path[PATH_MAX];

	request_path(x, number, what, path);
	return file_replace(path, 0600, data, len, e);
}

static enum err put_text(const struct exchange *x, int64_t number, const char *what,
	const char *text, struct error *e)
{
	return put(x, number, what, text, strlen(text), e);
}

static enum err get(const struct exchange *x, int64_t number, const char *what, struct blob *out,
	struct error *e)
{
	char path[PATH_MAX];

	request_path(x, number, what, path);
	return file_read(path, out, e);
}

/* A pending request of the same bytes, or the next free number. */
static enum err find_number(
	const struct exchange *x, const struct blob *der, int64_t *out, struct error *e)
{
	int64_t number = 1;
	enum err err = ERR_OK;
	bool found = false;

	for (; !err && has(x, number, "csr") && number < REQUESTS_MAX; number++) {
		struct blob csr = {NULL, 0};

		if (has(x, number, "serial") || has(x, number, "denied"))
			continue;
		err = get(x, number, "csr", &csr, e);
		found = !err && blob_equal(&csr, der);
		blob_free(&csr);
		if (found)
			break;
	}
	if (!err)
		*out = number;
	return err;
}

/* --- decisions */

static enum err give_again(
	struct exchange *x, const struct blob *serial, struct decision *out, struct error *e)
{
	char name[SERIAL_HEX_MAX + 8], path[PATH_MAX];
	struct buf der = BUF_INIT(CERTIFICATE_MAX);
	struct blob pem = {NULL, 0};
	enum err err;

	snprintf(out->serial, sizeof(out->serial), "%.*s", (int)serial->len, (char *)serial->data);
	snprintf(name, sizeof(name), "%s.crt", out->serial);
	name_of(x, "issued", name, path);
	err = file_read(path, &pem, e);
	if (!err && !form_unpem((char *)pem.data, pem.len, "CERTIFICATE", &der))
		err = error_set(e, ERR_INTERNAL, "%s: unreadable", path);
	if (!err)
		err = blob_take(&der, &out->certificate, e);
	out->verdict = VERDICT_ISSUED;
	blob_free(&pem);
	buf_free(&der);
	return err;
}

static enum err keep_certificate(struct exchange *x, const struct decision *d, struct error *e)
{
	char name[SERIAL_HEX_MAX + 8], path[PATH_MAX];
	struct buf pem = BUF_INIT(CERTIFICATE_MAX);
	enum err err;

	form_pem(&pem, "CERTIFICATE", &d->certificate);
	snprintf(name, sizeof(name), "%s.crt", d->serial);
	name_of(x, "issued", name, path);
	err = buf_check(&pem, e);
	if (!err)
		err = file_create(path, 0600, pem.data, pem.len, e);
	buf_free(&pem);
	return err;
}

static enum err issue(struct exchange *x, const struct blob *csr, const struct asked *asked,
	struct decision *out, struct error *e)
{
	enum err err = leaf_make(x, csr, asked, out, e);

	if (!err)
		err = keep_certificate(x, out, e);
	if (!err)
		err = put_text(x, out->number, "serial", out->serial, e);
	if (!err) {
		out->verdict = VERDICT_ISSUED;
		snprintf(x->serial, sizeof(x->serial), "%s", out->serial);
		snprintf(x->note, sizeof(x->note), "issued");
	}
	return err;
}

static void refuse(struct exchange *x, struct decision *out, const char *text)
{
	out->verdict = VERDICT_REFUSED;
	snprintf(out->text, sizeof(out->text), "%s", text);
	snprintf(x->note, sizeof(x->note), "%s", text);
}

/* Counts, and says whether it has to wait still. */
static enum err is_pending(struct exchange *x, int64_t number, bool *out, struct error *e)
{
	struct blob text = {NULL, 0};
	int64_t count = 0;
	char next[32];
	enum err err = ERR_OK;

	*out = false;
	if (*x->mode.at || x->mode.fault != FAULT_PENDING)
		return ERR_OK;
	if (has(x, number, "asked"))
		err = get(x, number, "asked", &text, e);
	if (!err && text.data)
		count = strtoll((char *)text.data, NULL, 10);
	blob_free(&text);
	snprintf(next, sizeof(next), "%lld\n", (long long)++count);
	if (!err)
		err = put_text(x, number, "asked", next, e);
	*out = count <= x->mode.number;
	return err;
}

static enum err decide(struct exchange *x, const struct blob *csr, const struct asked *asked,
	struct decision *out, struct error *e)
{
	bool pending = false;
	enum err err = is_pending(x, out->number, &pending, e);

	if (err)
		return err;
	if (pending) {
		out->verdict = VERDICT_PENDING;
		out->retry_after = PENDING_RETRY;
		snprintf(out->text, sizeof(out->text), "the request waits for approval");
		snprintf(x->note, sizeof(x->note), "pending");
		return ERR_OK;
	}
	if (x->mode.fault == FAULT_PENDING && x->mode.deny && !*x->mode.at) {
		refuse(x, out, "the request was denied");
		return put_text(x, out->number, "denied", "", e);
	}
	return issue(x, csr, asked, out, e);
}

static enum err take(struct exchange *x, const struct blob *csr, const struct asked *asked,
	struct decision *out, struct error *e)
{
	enum err err = find_number(x, csr, &out->number, e);

	if (!err && !has(x, out->number, "csr"))
		err = put(x, out->number, "csr", csr->data, csr->len, e);
	x->number = out->number;
	return err ? err : decide(x, csr, asked, out, e);
}

enum err authority_request(
	struct exchange *x, const struct blob *der, struct decision *out, struct error *e)
{
	char text[256] = "request: not a PKCS#10";
	struct decision decision = {.verdict = VERDICT_REFUSED};
	enum err err = ERR_OK;
	int lock;

	if (!authority_read(der, &x->asked, text)) {
		refuse(x, &decision, text);
	} else if (!mode_decides(x, &decision)) {
		lock = peer_lock(x->state, e);
		err = lock < 0 ? ERR_INTERNAL : take(x, der, &x->asked, &decision, e);
		if (lock >= 0)
			close(lock);
	}
	if (err)
		blob_free(&decision.certificate);
	else
		*out = decision;
	return err;
}

static enum err look_up(struct exchange *x, struct decision *out, struct error *e)
{
	struct blob csr = {NULL, 0}, serial = {NULL, 0};
	char text[256] = "";
	enum err err = get(x, out->number, "csr", &csr, e);

	if (!err && !authority_read(&csr, &x->asked, text))
		err = error_set(e, ERR_INTERNAL, "%s", text);
	if (!err && has(x, out->number, "denied")) {
		refuse(x, out, "the request was denied");
	} else if (!err && has(x, out->number, "serial")) {
		err = get(x, out->number, "serial", &serial, e);
		if (!err)
			err = give_again(x, &serial, out, e);
	} else if (!err) {
		err = decide(x, &csr, &x->asked, out, e);
	}
	blob_free(&serial);
	blob_free(&csr);
	return err;
}

enum err authority_poll(struct exchange *x, int64_t number, struct decision *out, struct error *e)
{
	struct decision decision = {.number = number};
	enum err err = ERR_OK;
	int lock;

	x->number = number;
	if (!has(x, number, "csr")) {
		refuse(x, &decision, "there is no such request");
	} else if (!mode_decides(x, &decision)) {
		lock = peer_lock(x->state, e);
		err = lock < 0 ? ERR_INTERNAL : look_up(x, &decision, e);
		if (lock >= 0)
			close(lock);
	}
	if (err)
		blob_free(&decision.certificate);
	else
		*out = decision;
	return err;
}

/* --- revocation */

static bool is_revoked(const struct exchange *x, const char *serial)
{
	char path[PATH_MAX], line[PEER_LINE_MAX];
	bool found = false;
	FILE *f;

	peer_path(x->state, "revoked", path);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, " ")] = '\0';
		found = strcmp(line, serial) == 0;
	}
	fclose(f);
	return found;
}

static enum err note_revoked(
	const struct exchange *x, const char *serial, const char *reason, struct error *e)
{
	char path[PATH_MAX];
	FILE *f;

	peer_path(x->state, "revoked", path);
	f = fopen(path, "ae");
	if (!f)
		return error_errno(e, ERR_INTERNAL, "%s", path);
	fprintf(f, "%s %s\n", serial, reason);
	return fclose(f) ? error_errno(e, ERR_INTERNAL, "%s", path) : ERR_OK;
}

enum err authority_revoke(struct exchange *x, const char *serial, const char *reason,
	enum revoked *out, struct error *e)
{
	char name[SERIAL_HEX_MAX + 8], path[PATH_MAX];
	enum err err = ERR_OK;
	int lock = peer_lock(x->state, e);

	if (lock < 0)
		return ERR_INTERNAL;
	snprintf(name, sizeof(name), "%.64s.crt", serial);
	name_of(x, "issued", name, path);
	if (strspn(serial, "0123456789abcdef") != strlen(serial) || access(path, F_OK) != 0) {
		*out = REVOKED_UNKNOWN;
	} else if (is_revoked(x, serial)) {
		*out = REVOKED_BEFORE;
	} else {
		*out = REVOKED_NOW;
		err = note_revoked(x, serial, reason, e);
	}
	close(lock);
	snprintf(x->serial, sizeof(x->serial), "%.64s", serial);
	return err;
}
