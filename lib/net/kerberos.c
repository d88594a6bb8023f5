#include "net/kerberos.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memfile.h"

#define PRINCIPAL_SIZE 256
#define KEYTAB_MAX (64 * 1024)

struct kerberos {
	struct memfile keytab;
	char keytab_name[sizeof("FILE:") + sizeof(((struct memfile *)0)->path)];
	char cache_name[32];
	char principal[PRINCIPAL_SIZE];
};

/* --- the keytab (its format: MIT Kerberos documentation, "Keytab file format") */

#define COMPONENTS_MAX 8

/* Big-endian numbers, and texts with their length (16 bits) before them. */
struct reader {
	const unsigned char *at;
	size_t left;
	bool failed;
};

static uint32_t take_number(struct reader *r, size_t octets)
{
	uint32_t value = 0;

	if (r->left < octets) {
		r->failed = true;
		return 0;
	}
	for (size_t i = 0; i < octets; i++)
		value = value << 8 | *r->at++;
	r->left -= octets;
	return value;
}

static void take_text(struct reader *r, struct buf *out)
{
	size_t len = take_number(r, 2);

	if (r->left < len) {
		r->failed = true;
		return;
	}
	for (size_t i = 0; i < len; i++) {
		if (strchr("/@\\", r->at[i]))
			buf_putc(out, '\\');
		buf_putc(out, (char)r->at[i]);
	}
	r->at += len;
	r->left -= len;
}

/* "component/component@REALM"; false: no principal's, or too long. */
static bool read_principal(const unsigned char *entry, size_t len, char out[PRINCIPAL_SIZE])
{
	struct reader r = {entry, len, false};
	struct buf name = BUF_INIT(PRINCIPAL_SIZE), realm = BUF_INIT(PRINCIPAL_SIZE);
	size_t components = take_number(&r, 2);
	bool good;

	take_text(&r, &realm);
	for (size_t i = 0; i < components && i < COMPONENTS_MAX; i++) {
		if (i)
			buf_putc(&name, '/');
		take_text(&r, &name);
	}
	buf_putc(&name, '@');
	buf_puts(&name, realm.data ? realm.data : "");
	good = !r.failed && components && components <= COMPONENTS_MAX && realm.len &&
	       !realm.failed && !name.failed && name.len < PRINCIPAL_SIZE &&
	       strlen(name.data) == name.len;
	if (good)
		memcpy(out, name.data, name.len + 1);
	buf_free(&name);
	buf_free(&realm);
	return good;
}

/* Returns true if a keytab's name is the wanted one, which may lack a realm. */
static bool is_wanted(const char *name, const char *wanted)
{
	size_t len = strlen(wanted);

	return strncmp(name, wanted, len) == 0 &&
	       (!name[len] || (name[len] == '@' && !strchr(wanted, '@')));
}

/* Holds, which have a negative length, are passed over. */
static bool next_entry(struct reader *r, struct reader *entry)
{
	while (r->left) {
		int64_t size = (int32_t)take_number(r, 4);
		size_t len = (size_t)(size < 0 ? -size : size);

		if (r->failed || r->left < len) {
			r->failed = true;
			return false;
		}
		*entry = (struct reader){r->at, len, false};
		r->at += len;
		r->left -= len;
		if (size > 0)
			return true;
	}
	return false;
}

static void add_entry(struct buf *out, const struct reader *entry)
{
	const unsigned char size[4] = {(unsigned char)(entry->left >> 24),
		(unsigned char)(entry->left >> 16), (unsigned char)(entry->left >> 8),
		(unsigned char)entry->left};

	buf_append(out, size, sizeof(size));
	buf_append(out, entry->at, entry->left);
}

/* The entries of one principal into out, and its name; of none, out is left empty. */
static bool select_entries(
	struct reader r, const char *wanted, char principal[PRINCIPAL_SIZE], struct buf *out)
{
	struct reader entry;

	while (next_entry(&r, &entry)) {
		char name[PRINCIPAL_SIZE];

		if (!read_principal(entry.at, entry.left, name))
			continue;
		if (!out->len && (!wanted || is_wanted(name, wanted)))
			memcpy(principal, name, sizeof(name));
		else if (!out->len || strcmp(name, principal) != 0)
			continue;
		if (!out->len)
			buf_append(out, "\x05\x02", 2);
		add_entry(out, &entry);
	}
	return !r.failed;
}

static enum err select_keys(const char *path, const struct blob *file, const char *wanted,
	struct kerberos *kerberos, struct buf *out, struct error *e)
{
	struct reader r = {file->data, file->len, false};

	if (take_number(&r, 2) != 0x0502 || r.failed ||
		!select_entries(r, wanted, kerberos->principal, out))
		return error_set(e, ERR_CONFIG,
			"%s is not a keytab, or is cut; make a new one with ktpass, ktutil or "
			"msktutil",
			path);
	if (!out->len && wanted)
		return error_set(e, ERR_CONFIG,
			"%s has no key of the principal %s; klist -k shows those that it has", path,
			wanted);
	if (!out->len)
		return error_set(e, ERR_CONFIG, "%s has no keys", path);
	return ERR_OK;
}

/* --- */

static enum err open_keytab(
	const char *path, const char *principal, struct kerberos *kerberos, struct error *e)
{
	struct buf selected = BUF_INIT(KEYTAB_MAX);
	struct blob file = {NULL, 0};
	enum err err = file_read_secret(path, &file, e);

	if (err)
		return err;
	err = select_keys(path, &file, principal, kerberos, &selected, e);
	if (!err)
		err = buf_check(&selected, e);
	if (!err)
		err = memfile_open("keytab", selected.data, selected.len, &kerberos->keytab, e);
	buf_free(&selected);
	blob_free(&file);
	return err;
}

enum err kerberos_open(
	const char *keytab, const char *principal, struct kerberos **out, struct error *e)
{
	static unsigned count; /* a cache's name is never used again, for its tickets stay */
	struct kerberos *kerberos = calloc(1, sizeof(*kerberos));
	enum err err;

	if (!kerberos)
		return error_memory(e);
	kerberos->keytab = (struct memfile)MEMFILE_INIT;
	err = open_keytab(keytab, principal, kerberos, e);
	if (err) {
		kerberos_close(kerberos);
		return err;
	}
	snprintf(kerberos->keytab_name, sizeof(kerberos->keytab_name), "FILE:%s",
		kerberos->keytab.path);
	snprintf(kerberos->cache_name, sizeof(kerberos->cache_name), "MEMORY:certprov-%u", ++count);
	*out = kerberos;
	return ERR_OK;
}

void kerberos_close(struct kerberos *kerberos)
{
	if (!kerberos)
		return;
	memfile_close(&kerberos->keytab);
	free(kerberos);
}

/*
 * Only what is another value: libcurl resolves names in a thread, which may still be reading the
 * environment for the request before.
 */
static enum err set_variable(const char *name, const char *value, struct error *e)
{
	const char *now = getenv(name);

	if (now && strcmp(now, value) == 0)
		return ERR_OK;
	return setenv(name, value, 1) < 0 ? error_memory(e) : ERR_OK;
}

enum err kerberos_use(const struct kerberos *kerberos, struct error *e)
{
	enum err err = set_variable("KRB5_CLIENT_KTNAME", kerberos->keytab_name, e);

	return err ? err : set_variable("KRB5CCNAME", kerberos->cache_name, e);
}

/* --- its errors, in MIT's words; those that only a person can fix */

static const struct {
	const char *words;
	enum err err;
	const char *advice;
} causes[] = {
	{"Preauthentication failed", ERR_REFUSED,
		"the KDC has another key: make a new keytab, for a new password makes the old one "
		"useless"},
	{"Server ", ERR_REFUSED,
		"the KDC knows no such service: url must have the host name that the server is "
		"registered by (setspn -L shows it)"},
	{"Client ", ERR_REFUSED, "the KDC does not know the account of this keytab"},
	{"entry in database has expired", ERR_REFUSED, "the account has expired"},
	{"credentials have been revoked", ERR_REFUSED, "the account is disabled or locked"},
	{"Password has expired", ERR_REFUSED, "set a new password, and make a new keytab"},
	{"encryption type", ERR_REFUSED,
		"the keytab has no key of a kind that the KDC takes: make one with AES keys"},
	{"Clock skew", ERR_UNAVAILABLE, "compare this machine's clock and the KDC's"},
	{"any KDC", ERR_UNAVAILABLE, "is it running, and is krb5.conf or DNS right?"},
	{"find KDC", ERR_UNAVAILABLE, "krb5.conf or DNS must name it"},
};

enum err kerberos_explain(
	const struct kerberos *kerberos, const char *origin, const char *said, struct error *e)
{
	static const char preamble[] = "No credentials were supplied, or the credentials were "
				       "unavailable or inaccessible. ";
	int len;

	if (strncmp(said, preamble, sizeof(preamble) - 1) == 0)
		said += sizeof(preamble) - 1;
	len = (int)strlen(said);
	while (len && strchr(". ", said[len - 1]))
		len--;
	for (size_t i = 0; i < ARRAY_LEN(causes); i++)
		if (strstr(said, causes[i].words))
			return error_set(e, causes[i].err,
				"%s: no Kerberos ticket for %s: %.*s; %s", origin,
				kerberos->principal, len, said, causes[i].advice);
	return error_set(e, ERR_UNAVAILABLE, "%s: no Kerberos ticket for %s: %.*s", origin,
		kerberos->principal, len, said);
}
