/* Search filters of LDAP (RFC 4515): values in them, and whether they are sound. */
#include "directory/filter.h"

#include <ldap.h>
#include <string.h>

#include "directory/session.h"

/* Nobody listens there: a sound filter fails at that, a wrong one before. */
#define NOWHERE "ldapi://%2Fdev%2Fnull%2Fnowhere"

void filter_escape(struct buf *out, const char *value)
{
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		if (strchr("*()\\", c) || c < ' ' || c > '~')
			buf_printf(out, "\\%02x", c);
		else
			buf_putc(out, *value);
	}
}

enum err filter_check(const char *filter, struct error *e)
{
	LDAP *ld = NULL;
	int id = 0, rc;

	session_library_init();
	rc = ldap_initialize(&ld, NOWHERE);
	if (rc == LDAP_SUCCESS)
		rc = ldap_search_ext(
			ld, "", LDAP_SCOPE_BASE, filter, NULL, 0, NULL, NULL, NULL, 1, &id);
	ldap_unbind_ext_s(ld, NULL, NULL);
	if (rc == LDAP_NO_MEMORY)
		return error_memory(e);
	if (*filter != '(' || rc == LDAP_FILTER_ERROR)
		return error_set(e, ERR_CONFIG,
			"expected an LDAP filter such as (sAMAccountName={EnrollmentUserName})");
	return ERR_OK;
}

bool filter_names_are_values(const char *template)
{
	bool in_value = false;

	for (; *template; template ++) {
		if (*template == '=')
			in_value = true;
		else if (strchr("()", *template))
			in_value = false;
		else if (*template == '{' && !in_value)
			return false;
	}
	return true;
}
