#ifndef DIRECTORY_ENTRY_H
#define DIRECTORY_ENTRY_H

#include "directory/directory.h"
#include "directory/session.h"

/* A search for one entry, and what is wanted of it. */
struct entry_search {
	const char *base;
	const char *filter;
	const char *mail_attribute;
	const char *name_attribute; /* NULL: none is wanted */
};

/* Errors as directory_find(). */
enum err entry_find(LDAP *ld, const struct session_settings *settings,
	const struct entry_search *search, struct directory_user *out, struct error *e) must_check;

#endif
