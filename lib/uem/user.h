#ifndef UEM_USER_H
#define UEM_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "uem/api.h"

/* What templates may name: {uem.emailAddress} and the like. */
enum uem_field {
	UEM_EMAIL_ADDRESS,
	UEM_USER_NAME,
	UEM_USER_PRINCIPAL_NAME,
	UEM_FIRST_NAME,
	UEM_LAST_NAME,
	UEM_DISPLAY_NAME,
	UEM_FULL_NAME,
	UEM_EMAIL_USER_NAME,
	UEM_DOMAIN,
	UEM_DEPARTMENT,
	UEM_EMPLOYEE_IDENTIFIER,
	UEM_FIELD_COUNT,
};

/* A user of an enrollment, as UEM knows them. */
struct uem_user {
	int64_t id;		      /* UEM's number; 0: not said, as version 2 does not */
	char uuid[UUID_SIZE];	      /* lower case */
	char *field[UEM_FIELD_COUNT]; /* UTF-8, trimmed, never NULL; "": UEM has none */
	bool staging;		      /* enrolls devices for others */
};

void uem_user_free(struct uem_user *user);

/* The field for a name among len bytes, such as "emailAddress", or -1. */
int uem_user_field_find(const char *name, size_t len);

/* Reads a user object of any version of the API. ERR_GARBLED without a UUID. */
enum err uem_user_read(const cJSON *object, struct uem_user **out, struct error *e) must_check;

/*
 * Asks for the user with that UUID. Errors as uem_api_ask(); ERR_UNAVAILABLE if the answer is
 * empty, cannot be understood or is about another user.
 */
enum err uem_user_find(struct uem_api *api, const char *user_uuid, bool bulk, int64_t deadline,
	struct uem_user **out, struct error *e) must_check;

#endif
