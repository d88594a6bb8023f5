/* Reads members of UEM's answers, whatever version and spelling they come in. */
#include "uem/api_json.h"

#include <string.h>

#include "base/json.h"
#include "uem/event_time.h"

#define NUMBER_MAX (INT64_C(1) << 53)

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool same_name(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a == '_')
			a++;
		while (*b == '_')
			b++;
		if (lower(*a) != lower(*b))
			return false;
		if (!*a)
			return true;
	}
}

const cJSON *uem_json_member(const cJSON *object, const char *name)
{
	const cJSON *member = NULL;

	if (!cJSON_IsObject(object))
		return NULL;
	cJSON_ArrayForEach(member, object) if (same_name(member->string, name)) return cJSON_IsNull(
		member)
		? NULL
		: member;
	return NULL;
}

const char *uem_json_text(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(uem_json_member(object, name));

	return text ? text : "";
}

bool uem_json_number(const cJSON *object, const char *name, int64_t *out)
{
	const cJSON *member = uem_json_member(object, name);
	double value;

	if (cJSON_IsObject(member))
		member = uem_json_member(member, "Value");
	if (cJSON_IsString(member))
		return text_number(member->valuestring, NUMBER_MAX, out);
	if (!cJSON_IsNumber(member))
		return false;
	value = member->valuedouble;
	if (!(value >= 0 && value <= (double)NUMBER_MAX) || value != (double)(int64_t)value)
		return false;
	*out = (int64_t)value;
	return true;
}

bool uem_json_true(const cJSON *object, const char *name)
{
	const cJSON *member = uem_json_member(object, name);

	return cJSON_IsTrue(member) ||
	       (cJSON_IsString(member) && text_equal_nocase(member->valuestring, "true"));
}

bool uem_json_uuid(const cJSON *object, const char *name, char out[UUID_SIZE])
{
	char uuid[UUID_SIZE];

	out[0] = '\0';
	if (!text_uuid(uem_json_text(object, name), uuid) || text_uuid_is_nil(uuid))
		return false;
	memcpy(out, uuid, sizeof(uuid));
	return true;
}

bool uem_json_time(const cJSON *object, const char *name, int64_t *out)
{
	int64_t time = uem_time_parse(uem_json_text(object, name));

	if (time <= 0 && !uem_json_number(object, name, &time))
		return false;
	if (time <= 0)
		return false;
	*out = time;
	return true;
}
