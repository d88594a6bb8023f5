/* A user in UEM: the mail address and the names that certificates are made for. */
#include "uem/user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "uem/api_json.h"

#define PATH_MAX_BYTES 128
#define FIELD_MAX 320 /* bytes; an address has at most 254 (RFC 5321, 4.5.3.1.3) */

/* other: its name in version 1, where that is another one. */
static const struct {
	const char *name, *other;
} fields[UEM_FIELD_COUNT] = {
	[UEM_EMAIL_ADDRESS] = {"emailAddress", "email"},
	[UEM_USER_NAME] = {"userName", "userName"},
	[UEM_USER_PRINCIPAL_NAME] = {"userPrincipalName", "userPrincipalName"},
	[UEM_FIRST_NAME] = {"firstName", "firstName"},
	[UEM_LAST_NAME] = {"lastName", "lastName"},
	[UEM_DISPLAY_NAME] = {"displayName", "displayName"},
	[UEM_FULL_NAME] = {"fullName", "fullName"},
	[UEM_EMAIL_USER_NAME] = {"emailUserName", "emailUserName"},
	[UEM_DOMAIN] = {"domain", "domain"},
	[UEM_DEPARTMENT] = {"department", "department"},
	[UEM_EMPLOYEE_IDENTIFIER] = {"employeeIdentifier", "employeeIdentifier"},
};

int uem_user_field_find(const char *name, size_t len)
{
	for (int i = 0; i < UEM_FIELD_COUNT; i++)
		if (strlen(fields[i].name) == len && memcmp(fields[i].name, name, len) == 0)
			return i;
	return -1;
}

void uem_user_free(struct uem_user *user)
{
	if (!user)
		return;
	for (int i = 0; i < UEM_FIELD_COUNT; i++)
		free(user->field[i]);
	free(user);
}

/* Version 2 has "StagingDisabled" and others, version 1 a number that is not 0. */
static bool is_staging(const cJSON *object)
{
	const char *type = uem_json_text(object, "deviceStagingType");
	int64_t number = 0, mode = 0;

	uem_json_number(object, "deviceStagingType", &number);
	uem_json_number(object, "stagingMode", &mode);
	return uem_json_true(object, "deviceStagingEnabled") || number > 0 || mode > 0 ||
	       (*type && type[strspn(type, "0123456789")] &&
		       !text_equal_nocase(type, "StagingDisabled") &&
		       !text_equal_nocase(type, "None"));
}

/* What is too long for any use is as if it were not there. */
static enum err copy_field(const cJSON *object, enum uem_field field, char **out, struct error *e)
{
	const char *text = uem_json_text(object, fields[field].name);
	char copy[FIELD_MAX] = "";

	if (!*text)
		text = uem_json_text(object, fields[field].other);
	if (strlen(text) < sizeof(copy) && utf8_is_valid(text, strlen(text)))
		memcpy(copy, text, strlen(text) + 1);
	*out = strdup(text_trim(copy));
	return *out ? ERR_OK : error_memory(e);
}

enum err uem_user_read(const cJSON *object, struct uem_user **out, struct error *e)
{
	struct uem_user *user = calloc(1, sizeof(*user));
	enum err err = user ? ERR_OK : error_memory(e);

	if (!err && !uem_json_uuid(object, "uuid", user->uuid))
		err = error_set(e, ERR_GARBLED, "UEM's answer has a user without a UUID");
	for (int i = 0; i < UEM_FIELD_COUNT && !err; i++)
		err = copy_field(object, (enum uem_field)i, &user->field[i], e);
	if (err) {
		uem_user_free(user);
		return err;
	}
	uem_json_number(object, "id", &user->id);
	user->staging = is_staging(object);
	*out = user;
	return ERR_OK;
}

enum err uem_user_find(struct uem_api *api, const char *user_uuid, bool bulk, int64_t deadline,
	struct uem_user **out, struct error *e)
{
	char path[PATH_MAX_BYTES];
	const struct uem_question question = {
		.path = path,
		.version = 2,
		.bulk = bulk,
		.deadline = deadline,
	};
	struct uem_user *user = NULL;
	cJSON *json = NULL;
	enum err err;

	snprintf(path, sizeof(path), "/API/system/users/%s", user_uuid);
	err = uem_api_ask(api, &question, &json, e);
	if (err)
		return err;
	err = json ? uem_user_read(json, &user, e)
		   : error_set(e, ERR_GARBLED, "UEM's answer about user %s is empty", user_uuid);
	if (!err && strcmp(user->uuid, user_uuid) != 0)
		err = error_set(e, ERR_GARBLED, "UEM answers about user %s when asked for %s",
			user->uuid, user_uuid);
	if (err == ERR_GARBLED)
		e->code = err = ERR_UNAVAILABLE;
	cJSON_Delete(json);
	if (err)
		uem_user_free(user);
	else
		*out = user;
	return err;
}
