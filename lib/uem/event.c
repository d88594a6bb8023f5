/* An event notification of UEM, read into a struct event. What it asks is done elsewhere. */

#include "uem/event.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"
#include "uem/event_time.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define JSON_SPACE " \t\r\n"
#define TEXT_MAX 256		      /* bytes of a field, unless it may have more below */
#define NUMBER_MAX 9007199254740992.0 /* 2^53: up to here a double has every integer */

const char *const event_kind_names[EVENT_KIND_COUNT] = {
	[EVENT_ENROLLED] = "enrolled",
	[EVENT_UNENROLLED] = "unenrolled",
	[EVENT_ADDRESS_CHANGED] = "address changed",
	[EVENT_OTHER] = "other",
};

/* What people type may be in any script: up to four bytes a character. */
static const struct {
	const char *name;
	size_t max; /* bytes */
} fields[EVENT_FIELD_COUNT] = {
	[EVENT_TYPE] = {"EventType", TEXT_MAX},
	[EVENT_DEVICE_FRIENDLY_NAME] = {"DeviceFriendlyName", 1024},
	[EVENT_ENROLLMENT_EMAIL_ADDRESS] = {"EnrollmentEmailAddress", 512},
	[EVENT_ENROLLMENT_USER_NAME] = {"EnrollmentUserName", 512},
	[EVENT_TIME] = {"EventTime", TEXT_MAX},
	[EVENT_ENROLLMENT_STATUS] = {"EnrollmentStatus", TEXT_MAX},
	[EVENT_PHONE_NUMBER] = {"PhoneNumber", TEXT_MAX},
	[EVENT_UDID] = {"Udid", TEXT_MAX},
	[EVENT_SERIAL_NUMBER] = {"SerialNumber", TEXT_MAX},
	[EVENT_DEVICE_IMEI] = {"DeviceIMEI", TEXT_MAX},
	[EVENT_ASSET_NUMBER] = {"AssetNumber", 512},
	[EVENT_PLATFORM] = {"Platform", TEXT_MAX},
	[EVENT_OPERATING_SYSTEM] = {"OperatingSystem", TEXT_MAX},
	[EVENT_OWNERSHIP] = {"Ownership", TEXT_MAX},
	[EVENT_ORGANIZATION_GROUP_NAME] = {"OrganizationGroupName", 1024},
};

/* Names in lower case without spaces; id 0: not known. */
static const struct type {
	int64_t id;
	const char *name;
	enum event_kind kind;
} types[] = {
	{148, "mdmenrollmentcomplete", EVENT_ENROLLED},
	{170, "enrollmentcomplete", EVENT_ENROLLED},
	{39, "breakmdmconfirmed", EVENT_UNENROLLED},
	{229, "deviceenterprisewiperequested", EVENT_UNENROLLED},
	{25, "devicewipe", EVENT_UNENROLLED},
	{0, "delete", EVENT_UNENROLLED},
	{0, "deletedevice", EVENT_UNENROLLED},
	{0, "devicedelete", EVENT_UNENROLLED},
	{0, "devicedeleted", EVENT_UNENROLLED},
	{0, "useremailaddresschanged", EVENT_ADDRESS_CHANGED},
	{0, "useremailaddresschange", EVENT_ADDRESS_CHANGED},
	{178, "compromisedstatuschanged", EVENT_OTHER},
	{0, "compliancestatuschanged", EVENT_OTHER},
	{641, "assetnumberchanged", EVENT_OTHER},
	{642, "friendlynamechanged", EVENT_OTHER},
};

/* --- JSON */

static enum err not_json(struct error *e, const char *why)
{
	return error_set(e, ERR_MALFORMED, "the body is not JSON: %s", why);
}

static enum err parse_json(const char *body, size_t len, cJSON **out, struct error *e)
{
	enum err err = json_object(body, len, out, e);

	return err == ERR_MALFORMED && !*e->field ? error_context(e, "the body is not JSON") : err;
}

/* What can be said of a body before it is parsed. */
static enum err check_form(const char *body, size_t len, struct error *e)
{
	size_t at = 0;

	while (at < len && body[at] && strchr(JSON_SPACE, body[at]))
		at++;
	if (at == len)
		return not_json(e, "it is empty");
	if (body[at] == '<')
		return error_set(e, ERR_UNSUPPORTED,
			"the body is XML; set Format to JSON in the event notification rule "
			"of the UEM console");
	return ERR_OK;
}

/* --- fields */

static bool is_absent(const cJSON *item)
{
	return !item || cJSON_IsNull(item) || (cJSON_IsString(item) && !*item->valuestring);
}

/* An integer from 0 to 2^53; 0 if it is absent. */
static enum err read_number(const cJSON *object, const char *name, int64_t *out, struct error *e)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	double n;

	if (is_absent(item)) {
		*out = 0;
		return ERR_OK;
	}
	n = cJSON_IsNumber(item) ? item->valuedouble : -1;
	if (!(n >= 0 && n <= NUMBER_MAX) || n != (double)(int64_t)n)
		return error_field(
			e, ERR_MALFORMED, name, "%s must be a whole number, not negative", name);
	*out = (int64_t)n;
	return ERR_OK;
}

/* The text, trimmed in place inside the tree; "" if it is absent. */
static enum err read_text(
	const cJSON *object, const char *name, size_t max, char **out, struct error *e)
{
	static char nothing[] = "";
	cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	char *text;

	if (is_absent(item)) {
		*out = nothing;
		return ERR_OK;
	}
	if (!cJSON_IsString(item))
		return error_field(e, ERR_MALFORMED, name, "%s must be a string", name);
	text = utf8_trim(item->valuestring);
	if (strlen(text) > max)
		return error_field(
			e, ERR_MALFORMED, name, "%s is longer than %zu bytes", name, max);
	*out = text;
	return ERR_OK;
}

/* Lower case; "" if it is absent or all-zero. */
static enum err read_uuid(
	const cJSON *object, const char *name, char out[UUID_SIZE], struct error *e)
{
	char *text = NULL, uuid[UUID_SIZE] = "";
	enum err err = read_text(object, name, TEXT_MAX, &text, e);

	if (!err && *text && !text_uuid(text, uuid))
		err = error_field(e, ERR_MALFORMED, name,
			"%s must be a UUID of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", name);
	if (err)
		return err;
	if (text_uuid_is_nil(uuid))
		*uuid = '\0';
	memcpy(out, uuid, sizeof(uuid));
	return ERR_OK;
}

/* --- what the event asks */

/* Equal but for case and spaces; name is in the form of the table. */
static bool is_type(const char *text, const char *name)
{
	for (; *text; text++) {
		char c = *text >= 'A' && *text <= 'Z' ? (char)(*text + ('a' - 'A')) : *text;

		if (c == ' ' || c == '\t')
			continue;
		if (c != *name++)
			return false;
	}
	return !*name;
}

static const struct type *find_type(int64_t id, const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (id ? types[i].id == id : is_type(text, types[i].name))
			return &types[i];
	return NULL;
}

/* EventId or EventType is enough; if both are known they must agree. */
static enum err read_kind(const cJSON *object, struct event *event, struct error *e)
{
	const char *name = fields[EVENT_TYPE].name;
	const struct type *by_id, *by_name;
	char *text = NULL;
	enum err err = read_number(object, "EventId", &event->event_id, e);

	if (!err)
		err = read_text(object, name, fields[EVENT_TYPE].max, &text, e);
	if (err)
		return err;
	if (!event->event_id && !*text)
		return error_field(
			e, ERR_MALFORMED, name, "an event needs an EventId or an EventType");
	by_id = event->event_id ? find_type(event->event_id, "") : NULL;
	by_name = *text ? find_type(0, text) : NULL;
	if (by_id && by_name && by_id->kind != by_name->kind)
		return error_field(e, ERR_MALFORMED, name,
			"EventType and EventId %lld are of different events",
			(long long)event->event_id);
	event->kind = by_id ? by_id->kind : by_name ? by_name->kind : EVENT_OTHER;
	return ERR_OK;
}

/* --- the event */

/* A fault in an event that is ignored anyway, or in its time, leaves the field empty. */
static enum err copy_field(
	const cJSON *object, struct event *event, enum event_field field, struct error *e)
{
	bool tolerant = event->kind == EVENT_OTHER || field == EVENT_TIME;
	struct error fault = {.code = ERR_OK};
	char *text = NULL;
	enum err err = read_text(object, fields[field].name, fields[field].max, &text, &fault);

	if (err && !tolerant) {
		*e = fault;
		return err;
	}
	event->field[field] = strdup(err ? "" : text);
	return event->field[field] ? ERR_OK : error_memory(e);
}

static enum err read_ids(const cJSON *object, struct event *event, struct error *e)
{
	int64_t unused = 0;
	struct error fault = {.code = ERR_OK};
	enum err err = read_uuid(object, "DeviceUUID", event->device_uuid, &fault);

	if (!err || event->kind == EVENT_OTHER)
		err = read_uuid(object, "EnrollmentUserUUID", event->user_uuid, &fault);
	if (!err)
		err = read_number(object, "DeviceId", &unused, &fault);
	if (!err)
		err = read_number(object, "EnrollmentUserId", &unused, &fault);
	if (!err || event->kind == EVENT_OTHER)
		return ERR_OK;
	*e = fault;
	return err;
}

/* An event that asks something must say for whom; who has enrolled can be looked up. */
static enum err check_ids(const struct event *event, struct error *e)
{
	bool enrolled = event->kind == EVENT_ENROLLED;
	bool device = (enrolled || event->kind == EVENT_UNENROLLED) && !*event->device_uuid;
	bool user = enrolled && !*event->user_uuid;
	const char *name = device ? "DeviceUUID" : "EnrollmentUserUUID";

	if (!device && !user)
		return ERR_OK;
	return error_field(e, ERR_MALFORMED, name,
		"%s is missing or all zeros; older versions of UEM do not send it: update UEM",
		name);
}

static enum err read_event(const cJSON *object, struct event *event, struct error *e)
{
	enum err err = read_kind(object, event, e);

	for (int field = 0; field < EVENT_FIELD_COUNT && !err; field++)
		err = copy_field(object, event, (enum event_field)field, e);
	if (!err)
		err = read_ids(object, event, e);
	if (!err)
		err = check_ids(event, e);
	if (!err)
		event->time = event_time_parse(event->field[EVENT_TIME]);
	return err;
}

enum err event_parse(const char *body, size_t len, struct event **out, struct error *e)
{
	size_t mark = strlen(BYTE_ORDER_MARK);
	bool marked = len >= mark && memcmp(body, BYTE_ORDER_MARK, mark) == 0;
	struct event *event = NULL;
	cJSON *object = NULL;
	enum err err;

	if (marked) {
		body += mark;
		len -= mark;
	}
	err = check_form(body, len, e);
	if (!err)
		err = parse_json(body, len, &object, e);
	if (err)
		return err;
	event = calloc(1, sizeof(*event));
	err = event ? read_event(object, event, e) : error_memory(e);
	if (err)
		event_free(event);
	else
		*out = event;
	cJSON_Delete(object);
	return err;
}

void event_free(struct event *event)
{
	if (!event)
		return;
	for (size_t i = 0; i < EVENT_FIELD_COUNT; i++)
		free(event->field[i]);
	free(event);
}

const char *event_field_name(enum event_field field)
{
	return field < EVENT_FIELD_COUNT ? fields[field].name : NULL;
}

int event_field_find(const char *key, size_t len)
{
	for (size_t i = 0; i < EVENT_FIELD_COUNT; i++)
		if (strlen(fields[i].name) == len && memcmp(fields[i].name, key, len) == 0)
			return (int)i;
	return -1;
}
