/*
 * The keys of one principal for libcurl's Kerberos. libkrb5 reads the keytab and keeps the keys in
 * a keytab of its own in memory. Tickets are not our business: GSS-API gets them.
 */
#include "net/kerberos.h"

#include <errno.h>
#include <krb5.h>
#include <profile.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memfile.h"

#define PRINCIPAL_SIZE 256

struct kerberos {
	krb5_context context;
	krb5_keytab keys; /* in memory, until it is closed */
	char keytab_name[32];
	char cache_name[32];
	char principal[PRINCIPAL_SIZE];
};

/* --- the keytab */

static enum err failed(
	krb5_context context, krb5_error_code code, const char *path, struct error *e)
{
	const char *text = krb5_get_error_message(context, code);
	enum err err =
		code == ENOMEM ? error_memory(e) : error_set(e, ERR_CONFIG, "%s: %s", path, text);

	krb5_free_error_message(context, text);
	return err;
}

/*
 * Returns true if the lengths of the entries add up to the file's (its format: MIT Kerberos
 * documentation, "Keytab file format"). libkrb5 takes a cut keytab for a shorter one.
 */
static bool is_whole(const struct blob *file)
{
	size_t at = 2;

	if (file->len < at || memcmp(file->data, "\x05\x02", at) != 0)
		return false;
	while (at + 4 <= file->len) {
		const unsigned char *p = file->data + at;
		int64_t size = (int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
					 (uint32_t)p[2] << 8 | p[3]);

		at += 4 + (size_t)(size < 0 ? -size : size); /* negative: unused space */
	}
	return at == file->len;
}

/* Returns true if a keytab's name is the wanted one, which may lack a realm. */
static bool is_wanted(const char *name, const char *wanted)
{
	size_t len = strlen(wanted);

	return strncmp(name, wanted, len) == 0 &&
	       (!name[len] || (name[len] == '@' && !strchr(wanted, '@')));
}

/* The first wanted entry decides on the principal; from then on only its keys are taken. */
static bool takes(struct kerberos *kerberos, const krb5_keytab_entry *entry, const char *wanted)
{
	char *name = NULL;
	bool good = entry->principal->length > 0 && entry->principal->realm.length > 0 &&
		    krb5_unparse_name(kerberos->context, entry->principal, &name) == 0 &&
		    strlen(name) < PRINCIPAL_SIZE;

	if (good && *kerberos->principal)
		good = strcmp(name, kerberos->principal) == 0;
	else if (good)
		good = !wanted || is_wanted(name, wanted);
	if (good)
		snprintf(kerberos->principal, PRINCIPAL_SIZE, "%s", name);
	krb5_free_unparsed_name(kerberos->context, name);
	return good;
}

static krb5_error_code copy_entries(struct kerberos *kerberos, krb5_keytab from, const char *wanted)
{
	krb5_kt_cursor cursor = NULL;
	krb5_keytab_entry entry;
	krb5_error_code code = krb5_kt_start_seq_get(kerberos->context, from, &cursor);

	if (code)
		return code;
	while (!(code = krb5_kt_next_entry(kerberos->context, from, &entry, &cursor))) {
		if (takes(kerberos, &entry, wanted))
			code = krb5_kt_add_entry(kerberos->context, kerberos->keys, &entry);
		krb5_free_keytab_entry_contents(kerberos->context, &entry);
		if (code)
			break;
	}
	krb5_kt_end_seq_get(kerberos->context, from, &cursor);
	return code == KRB5_KT_END ? 0 : code;
}

/* Reads the file as it has been read and checked, so from a copy in memory. */
static enum err copy_keys(struct kerberos *kerberos, const char *path, const struct blob *file,
	const char *wanted, struct error *e)
{
	struct memfile copy = MEMFILE_INIT;
	krb5_keytab keytab = NULL;
	krb5_error_code code;
	enum err err = memfile_open("keytab", file->data, file->len, &copy, e);

	if (err)
		return err;
	code = krb5_kt_resolve(kerberos->context, copy.path, &keytab);
	if (!code)
		code = copy_entries(kerberos, keytab, wanted);
	if (code)
		err = failed(kerberos->context, code, path, e);
	if (keytab)
		krb5_kt_close(kerberos->context, keytab);
	memfile_close(&copy);
	return err;
}

static enum err select_keys(struct kerberos *kerberos, const char *path, const struct blob *file,
	const char *wanted, struct error *e)
{
	enum err err;

	if (!is_whole(file))
		return error_set(e, ERR_CONFIG,
			"%s is not a keytab, or is cut; make a new one with ktpass, ktutil or "
			"msktutil",
			path);
	err = copy_keys(kerberos, path, file, wanted, e);
	if (err || *kerberos->principal)
		return err;
	if (wanted)
		return error_set(e, ERR_CONFIG,
			"%s has no key of the principal %s; klist -k shows those that it has", path,
			wanted);
	return error_set(e, ERR_CONFIG, "%s has no keys", path);
}

/* --- */

/* A context without krb5.conf, which says nothing of keytabs: GSS-API reads that for itself. */
static krb5_error_code make_context(krb5_context *out)
{
	profile_t empty = NULL;
	krb5_error_code code = (krb5_error_code)profile_init(NULL, &empty);

	if (!code)
		code = krb5_init_context_profile(empty, 0, out);
	profile_release(empty);
	return code;
}

static enum err open_keys(
	struct kerberos *kerberos, const char *path, const char *wanted, struct error *e)
{
	struct blob file = {NULL, 0};
	krb5_error_code code = make_context(&kerberos->context);
	enum err err;

	if (!code)
		code = krb5_kt_resolve(kerberos->context, kerberos->keytab_name, &kerberos->keys);
	if (code)
		return failed(kerberos->context, code, path, e);
	err = file_read_secret(path, &file, e);
	if (!err)
		err = select_keys(kerberos, path, &file, wanted, e);
	blob_free(&file);
	return err;
}

enum err kerberos_open(
	const char *keytab, const char *principal, struct kerberos **out, struct error *e)
{
	static unsigned count; /* names are never reused, as the tickets stay */
	struct kerberos *kerberos = calloc(1, sizeof(*kerberos));
	enum err err;

	if (!kerberos)
		return error_memory(e);
	count++;
	snprintf(kerberos->keytab_name, sizeof(kerberos->keytab_name), "MEMORY:certprov-%u", count);
	snprintf(kerberos->cache_name, sizeof(kerberos->cache_name), "MEMORY:certprov-%u", count);
	err = open_keys(kerberos, keytab, principal, e);
	if (err)
		kerberos_close(kerberos);
	else
		*out = kerberos;
	return err;
}

void kerberos_close(struct kerberos *kerberos)
{
	if (!kerberos)
		return;
	if (kerberos->keys)
		krb5_kt_close(kerberos->context, kerberos->keys); /* wipes them */
	krb5_free_context(kerberos->context);
	free(kerberos);
}

/*
 * Sets a variable only if its value differs: libcurl resolves names in a thread, which may still be
 * reading the environment for the previous request.
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

/* --- errors, in MIT's words; ERR_REFUSED if an administrator must act */

static const struct {
	const char *words;
	enum err err;
	const char *advice;
} causes[] = {
	{"Preauthentication failed", ERR_REFUSED,
		"the KDC has another key: make a new keytab, for a new password makes the old one "
		"useless"},
	{"Server ", ERR_REFUSED,
		"the KDC knows no such service: url must have the host name under which the server "
		"is registered (setspn -L shows it)"},
	{"Client ", ERR_REFUSED, "the KDC does not know the account of this keytab"},
	{"entry in database has expired", ERR_REFUSED, "the account has expired"},
	{"credentials have been revoked", ERR_REFUSED, "the account is disabled or locked"},
	{"Password has expired", ERR_REFUSED, "set a new password, and make a new keytab"},
	{"encryption type", ERR_REFUSED,
		"the keytab has no key of a type that the KDC accepts: make one with AES keys"},
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
