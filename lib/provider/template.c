/* Fills in the {names} in texts of the configuration. It does not judge the result. */

#include "provider/template.h"

#include <stdio.h>
#include <string.h>

#include "uem/user.h"

static bool is_name(const char *key, size_t len, const char *name)
{
	return strlen(name) == len && memcmp(key, name, len) == 0;
}

#define UEM_PREFIX "uem."

/* {uem.emailAddress}: empty where UEM was not asked. */
static const char *value_of_uem(const struct event *event, const char *key, size_t len)
{
	size_t prefix = sizeof(UEM_PREFIX) - 1;
	int field = len > prefix ? uem_user_field_find(key + prefix, len - prefix) : -1;

	if (field < 0)
		return NULL;
	return event && event->uem ? event->uem->field[field] : "";
}

/* Returns the value of {key}; NULL if no field has that name. */
static const char *value_of(const struct template_values *values, const char *key, size_t len)
{
	const struct event *event = values->event;
	int field = event_field_find(key, len);

	if (is_name(key, len, "mail"))
		return values->mail;
	if (is_name(key, len, "name"))
		return values->name;
	if (is_name(key, len, "DeviceUUID"))
		return event ? event->device_uuid : "";
	if (is_name(key, len, "EnrollmentUserUUID"))
		return event ? event->user_uuid : "";
	if (len > sizeof(UEM_PREFIX) - 1 && memcmp(key, UEM_PREFIX, sizeof(UEM_PREFIX) - 1) == 0)
		return value_of_uem(event, key, len);
	if (field < 0)
		return NULL;
	return event ? event->field[field] : "";
}

/* A value from a field that has lost characters would be a guess. */
static enum err check_damage(
	const struct template_values *values, const char *key, size_t len, struct error *e)
{
	int field = event_field_find(key, len);
	int damage = values->event && field >= 0 ? values->event->damage[field] : EVENT_WHOLE;
	const char *name = field < 0 ? "" : event_field_name((enum event_field)field);

	if (damage == EVENT_LOST)
		return error_field(e, ERR_UNPROCESSABLE, name,
			"%s is damaged: characters were lost before it came here, or it is no "
			"string",
			name);
	if (damage == EVENT_CUT && values->whole)
		return error_field(e, ERR_UNPROCESSABLE, name, "%s is too long", name);
	return ERR_OK;
}

enum err template_expand(
	const char *text, const struct template_values *values, struct buf *out, struct error *e)
{
	while (*text) {
		size_t plain = strcspn(text, "{}");
		const char *key = text + plain + 1, *value = NULL;
		size_t len = 0;

		buf_append(out, text, plain);
		if (!text[plain])
			break;
		len = strcspn(key, "{}");
		if (text[plain] == '}' || key[len] != '}')
			return error_set(
				e, ERR_CONFIG, "a brace without its partner in \"%s\"", text);
		value = value_of(values, key, len);
		if (!value)
			return error_set(e, ERR_CONFIG,
				"{%.*s} is no known field; certprov.conf(5) lists them", (int)len,
				key);
		if (check_damage(values, key, len, e))
			return e->code;
		if (values->append)
			values->append(out, value);
		else
			buf_puts(out, value);
		text = key + len + 1;
	}
	return buf_check(out, e);
}

bool template_lacks_value(const char *text, const struct template_values *values)
{
	for (const char *at = strchr(text, '{'); at; at = strchr(at, '{')) {
		size_t len = strcspn(++at, "{}");
		const char *value = value_of(values, at, len);

		if (value && !*value)
			return true;
	}
	return false;
}

void template_first_name(const char *text, char *out, size_t size)
{
	const char *at = strchr(text, '{');

	snprintf(out, size, "%.*s", at ? (int)strcspn(at + 1, "}") : 0, at ? at + 1 : "");
}
