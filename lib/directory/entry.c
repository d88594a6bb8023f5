/* Searches the directory for the one entry of a user, and reads its address and name. */
#include "directory/entry.h"

#include <stdint.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"

/* Active Directory's list of addresses: "SMTP:" is the primary one, "smtp:" the others. */
#define PROXY_ADDRESSES "proxyAddresses"
#define PRIMARY "SMTP:"

/* One would do; the second one tells that there is more than one. */
#define ENTRIES_MAX 2

/* --- values */

static enum err copy_value(const char *attribute, const struct berval *value, size_t skip,
	char out[DIRECTORY_VALUE_SIZE], struct error *e)
{
	size_t len = value->bv_len - skip;
	const char *text = value->bv_val + skip;

	if (memchr(text, '\0', len) || !utf8_is_valid(text, len))
		return error_set(e, ERR_UNPROCESSABLE,
			"the directory's %s is no text: name another attribute in [ldap]",
			attribute);
	if (len >= DIRECTORY_VALUE_SIZE)
		return error_set(e, ERR_UNPROCESSABLE, "the directory's %s is too long, %zu bytes",
			attribute, len);
	memcpy(out, text, len);
	out[len] = '\0';
	memmove(out, text_trim(out), strlen(text_trim(out)) + 1);
	return ERR_OK;
}

/* The first value; of proxyAddresses, the primary address. */
static const struct berval *choose(
	const char *attribute, struct berval *const *values, size_t *skip)
{
	size_t prefix = strlen(PRIMARY);

	*skip = 0;
	if (!text_equal_nocase(attribute, PROXY_ADDRESSES))
		return values ? values[0] : NULL;
	*skip = prefix;
	for (; values && *values; values++)
		if ((*values)->bv_len > prefix && memcmp((*values)->bv_val, PRIMARY, prefix) == 0)
			return *values;
	return NULL;
}

static enum err read_value(LDAP *ld, LDAPMessage *entry, const char *attribute,
	char out[DIRECTORY_VALUE_SIZE], struct error *e)
{
	struct berval **values = ldap_get_values_len(ld, entry, attribute);
	size_t skip = 0;
	const struct berval *value = choose(attribute, values, &skip);
	enum err err = value ? copy_value(attribute, value, skip, out, e) : ERR_OK;

	ldap_value_free_len(values);
	return err;
}

static enum err read_entry(LDAP *ld, LDAPMessage *entry, const struct entry_search *search,
	struct directory_user *out, struct error *e)
{
	enum err err = read_value(ld, entry, search->mail_attribute, out->mail, e);

	if (!err && search->name_attribute)
		err = read_value(ld, entry, search->name_attribute, out->name, e);
	return err;
}

/* --- the search */

static enum err send_search(LDAP *ld, const struct session_settings *settings,
	const struct entry_search *search, int *id, struct error *e)
{
	/* libldap takes them as char *, and only reads them */
	char *wanted[] = {(char *)(uintptr_t)search->mail_attribute,
		(char *)(uintptr_t)search->name_attribute, NULL};
	struct timeval left;
	int rc;

	session_limit(ld, settings->deadline, &left);
	left.tv_sec++; /* for the directory, whole seconds: not zero */
	rc = ldap_search_ext(ld, search->base, LDAP_SCOPE_SUBTREE, search->filter, wanted, 0, NULL,
		NULL, &left, ENTRIES_MAX, id);
	if (rc == LDAP_FILTER_ERROR)
		return error_set(
			e, ERR_UNPROCESSABLE, "[ldap] filter gives no LDAP filter for this user");
	return rc == LDAP_SUCCESS ? ERR_OK : session_error(ld, settings, "search", rc, e);
}

/* What the directory says at the end. */
static enum err judge(LDAP *ld, const struct session_settings *settings,
	const struct entry_search *search, LDAPMessage *last, struct error *e)
{
	int code = LDAP_OTHER;
	int rc = ldap_parse_result(ld, last, &code, NULL, NULL, NULL, NULL, 0);

	if (rc != LDAP_SUCCESS)
		code = rc;
	if (code == LDAP_SUCCESS)
		return ERR_OK;
	session_error(ld, settings, "search", code, e);
	if (code == LDAP_NO_SUCH_OBJECT || code == LDAP_REFERRAL)
		return error_set(e, ERR_UNAVAILABLE,
			"%s: there is no %s, or our account may not read it: check base in [ldap]",
			settings->url, search->base);
	if (code == LDAP_INSUFFICIENT_ACCESS || code == LDAP_OPERATIONS_ERROR)
		return error_set(e, ERR_UNAVAILABLE,
			"%s: the search was refused (%s): give the account of bind-dn the right "
			"to read %s",
			settings->url, ldap_err2string(code), search->base);
	return e->code;
}

/* Takes messages until one ends the search: a second entry, an error, or the directory's last. */
static enum err take_messages(LDAP *ld, const struct session_settings *settings,
	const struct entry_search *search, int id, struct directory_user *out, struct error *e)
{
	size_t count = 0;
	int type = LDAP_RES_SEARCH_ENTRY;
	enum err err = ERR_OK;

	while (!err && count < ENTRIES_MAX && type != LDAP_RES_SEARCH_RESULT) {
		LDAPMessage *message = NULL;
		struct timeval left;

		session_limit(ld, settings->deadline, &left);
		type = ldap_result(ld, id, LDAP_MSG_ONE, &left, &message);
		if (type == 0)
			err = session_error(ld, settings, "search", LDAP_TIMEOUT, e);
		else if (type < 0)
			err = session_error(ld, settings, "search", LDAP_SERVER_DOWN, e);
		else if (type == LDAP_RES_SEARCH_ENTRY && count++ == 0)
			err = read_entry(ld, message, search, out, e);
		else if (type == LDAP_RES_SEARCH_RESULT)
			err = judge(ld, settings, search, message, e);
		ldap_msgfree(message);
	}
	if (err || count == 1)
		return err;
	return error_set(e, ERR_UNPROCESSABLE,
		"the directory has %s entry for this user: %s below %s",
		count ? "more than one" : "no", search->filter, search->base);
}

enum err entry_find(LDAP *ld, const struct session_settings *settings,
	const struct entry_search *search, struct directory_user *out, struct error *e)
{
	struct directory_user user = {"", ""};
	int id = 0;
	enum err err = send_search(ld, settings, search, &id, e);

	if (!err)
		err = take_messages(ld, settings, search, id, &user, e);
	if (!err)
		*out = user;
	return err;
}
