/* Reads an event notification of UEM into a struct event. Does not act on it. */

#include "uem/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"
#include "base/xml_text.h"
#include "uem/event_kind.h"
#include "uem/event_time.h"
#include "uem/event_xml.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define JSON_SPACE " \t\r\n"
#define TEXT_MAX 256		   /* bytes of a field, unless it may have more below */
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define REPAIRED_MAX 2048
#define NUMBER_MAX 9007199254740992 /* 2^53: up to here a double has every integer */

/* Text that people type may be in any script: up to four bytes a character. */
static const struct {
	const char *name;
	size_t max; /* bytes */
} fields[EVENT_FIELD_COUNT] = {
	[EVENT_TYPE] = {"EventType", EVENT_TYPE_MAX},
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

/* --- fields */

static void separate(struct buf *repaired)
{
	if (repaired->len)
		buf_puts(repaired, ", ");
}

static void note(struct buf *repaired, const char *name, const char *what)
{
	separate(repaired);
	buf_printf(repaired, "%s (%s)", name, what);
}

/* The damage inside strings, in all fields together. */
static void note_damage(struct buf *repaired, unsigned damage)
{
	static const struct {
		unsigned kind;
		const char *text;
	} kinds[] = {
		{JSON_DAMAGE_BYTES, "bytes that are not UTF-8"},
		{JSON_DAMAGE_SURROGATES, "halves of surrogate pairs"},
		{JSON_DAMAGE_CONTROLS, "control characters that are not escaped"},
		{JSON_DAMAGE_NULS, "NUL characters"},
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!(damage & kinds[i].kind))
			continue;
		separate(repaired);
		buf_puts(repaired, kinds[i].text);
	}
}

static bool is_absent(const cJSON *item)
{
	return !item || cJSON_IsNull(item) || (cJSON_IsString(item) && !*item->valuestring);
}

/* A whole number from 0 to 2^53, also as a string; 0 if it is absent. */
static enum err read_id(
	const cJSON *object, const char *name, int64_t *out, struct buf *repaired, struct error *e)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	double n = cJSON_IsNumber(item) ? item->valuedouble : -1;

	*out = 0;
	if (is_absent(item))
		return ERR_OK;
	if (cJSON_IsString(item) && text_number(utf8_trim(item->valuestring), NUMBER_MAX, out)) {
		note(repaired, name, "a string");
		return ERR_OK;
	}
	if (!(n >= 0 && n <= NUMBER_MAX) || n != (double)(int64_t)n)
		return error_field(
			e, ERR_MALFORMED, name, "%s must be a whole number, not negative", name);
	*out = (int64_t)n;
	return ERR_OK;
}

/* Lower case; "" if it is absent or all-zero. */
static enum err read_uuid(
	const cJSON *object, const char *name, char out[UUID_SIZE], struct error *e)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	char *text = cJSON_IsString(item) ? utf8_trim(item->valuestring) : NULL;
	char uuid[UUID_SIZE] = "";

	if (!is_absent(item) && !(text && (!*text || text_uuid(text, uuid))))
		return error_field(e, ERR_MALFORMED, name,
			"%s must be a UUID of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", name);
	if (text_uuid_is_nil(uuid))
		*uuid = '\0';
	memcpy(out, uuid, sizeof(uuid));
	return ERR_OK;
}

/*
 * Writes a JSON number as text, for a field that should be a string. False if it is no integer, or
 * if JSON's double could not hold all its digits.
 */
static bool write_number(const cJSON *item, char *out, size_t size)
{
	double n = item->valuedouble;

	if (!(n >= -NUMBER_MAX && n <= NUMBER_MAX) || n != (double)(int64_t)n)
		return false;
	snprintf(out, size, "%lld", (long long)n);
	return true;
}

static enum event_damage repair(char *text, const char *name, size_t max, struct buf *repaired)
{
	enum event_damage damage = EVENT_WHOLE;

	if (strlen(text) > max) {
		text[utf8_cut(text, max)] = '\0';
		damage = EVENT_CUT;
		note(repaired, name, "cut");
	}
	if (strstr(text, REPLACEMENT)) {
		damage = EVENT_LOST;
		note(repaired, name, "characters lost");
	}
	return damage;
}

static enum err copy_field(const cJSON *object, struct event *event, enum event_field field,
	struct buf *repaired, struct error *e)
{
	const char *name = fields[field].name;
	cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	enum event_damage damage = EVENT_WHOLE;
	char number[32] = "", *text = number;

	if (cJSON_IsString(item)) {
		text = utf8_trim(item->valuestring);
		damage = repair(text, name, fields[field].max, repaired);
	} else if (cJSON_IsNumber(item) && write_number(item, number, sizeof(number))) {
		note(repaired, name, "a number");
	} else if (!is_absent(item)) {
		damage = EVENT_LOST;
		note(repaired, name, "not a string, left out");
	}
	event->damage[field] = (unsigned char)damage;
	event->field[field] = strdup(text);
	return event->field[field] ? ERR_OK : error_memory(e);
}

/* --- the event */

/* EventId or EventType is enough; if both are known they must agree. */
static enum err read_kind(
	const cJSON *object, struct event *event, struct buf *repaired, struct error *e)
{
	const char *type = event->field[EVENT_TYPE];
	enum err err = read_id(object, "EventId", &event->event_id, repaired, e);

	if (err)
		return err;
	if (!event->event_id && !*type)
		return error_field(e, ERR_MALFORMED, fields[EVENT_TYPE].name,
			"an event needs an EventId or an EventType");
	return event_kind_find(event->event_id, type, &event->kind, &event->unmatched, e);
}

/* These numbers are only for show: a wrong one does not make an event malformed. */
static void read_numbers(const cJSON *object, struct event *event)
{
	struct buf ignored = BUF_INIT(REPAIRED_MAX);
	struct error none;

	(void)!read_id(object, "DeviceId", &event->device_id, &ignored, &none);
	(void)!read_id(object, "EnrollmentUserId", &event->user_id, &ignored, &none);
	buf_free(&ignored);
}

static enum err read_uuids(const cJSON *object, struct event *event, struct error *e)
{
	struct error fault = {.code = ERR_OK};
	enum err err = read_uuid(object, "DeviceUUID", event->device_uuid, &fault);

	if (!err || event->kind == EVENT_OTHER)
		err = read_uuid(object, "EnrollmentUserUUID", event->user_uuid, &fault);
	if (!err || event->kind == EVENT_OTHER)
		return ERR_OK;
	*e = fault;
	return err;
}

static enum err check_uuids(const struct event *event, struct error *e)
{
	const struct event_kind_row *kind = &event_kinds[event->kind];
	bool no_device = kind->has_device && !*event->device_uuid;
	bool no_user = kind->has_user && !*event->user_uuid;
	const char *name = no_device ? "DeviceUUID" : "EnrollmentUserUUID";

	if (!no_device && !no_user)
		return ERR_OK;
	return error_field(e, ERR_MALFORMED, name,
		"%s is missing or all zeros; older versions of UEM do not send it: update UEM",
		name);
}

static enum err read_event(
	const cJSON *object, unsigned damage, struct event *event, struct error *e)
{
	struct buf repaired = BUF_INIT(REPAIRED_MAX);
	enum err err = ERR_OK;

	note_damage(&repaired, damage);
	for (int field = 0; field < EVENT_FIELD_COUNT && !err; field++)
		err = copy_field(object, event, (enum event_field)field, &repaired, e);
	if (!err)
		err = read_kind(object, event, &repaired, e);
	read_numbers(object, event);
	if (!err)
		err = read_uuids(object, event, e);
	if (!err)
		err = check_uuids(event, e);
	if (!err)
		event->time = event_time_parse(event->field[EVENT_TIME]);
	event->repaired = strdup(repaired.data ? repaired.data : "");
	buf_free(&repaired);
	return err || event->repaired ? err : error_memory(e);
}

static enum err build(const cJSON *object, unsigned damage, struct event **out, struct error *e)
{
	struct event *event = calloc(1, sizeof(*event));
	enum err err = event ? read_event(object, damage, event, e) : error_memory(e);

	if (err)
		event_free(event);
	else
		*out = event;
	return err;
}

/* --- its two formats */

/*
 * Names the device of a refused event, so that it can be found; its body may not even be JSON or
 * XML. key stands before the UUID there.
 */
static enum err name_device(const char *body, size_t len, const char *key, struct error *e)
{
	const char *at = memmem(body, len, key, strlen(key)), *end = body + len;
	char text[UUID_SIZE] = "", uuid[UUID_SIZE];

	at = at ? at + strlen(key) : end;
	while (at < end && *at && strchr(JSON_SPACE ":\"", *at))
		at++;
	if (end - at < UUID_SIZE - 1)
		return e->code;
	memcpy(text, at, sizeof(text) - 1);
	return text_uuid(text, uuid) ? error_context(e, "event of device %s", uuid) : e->code;
}

static bool is_empty(const char *body, size_t len)
{
	size_t at = 0;

	while (at < len && body[at] && strchr(JSON_SPACE, body[at]))
		at++;
	return at == len;
}

static enum err parse_json(const char *body, size_t len, struct event **out, struct error *e)
{
	cJSON *object = NULL;
	unsigned damage = 0;
	enum err err;

	if (is_empty(body, len))
		return error_set(e, ERR_MALFORMED, "the body is not JSON: it is empty");
	err = json_object_repaired(body, len, &object, &damage, e);
	if (err == ERR_MALFORMED && !*e->field)
		err = error_context(e, "the body is not JSON");
	if (!err)
		err = build(object, damage, out, e);
	cJSON_Delete(object);
	return err ? name_device(body, len, "\"DeviceUUID\"", e) : ERR_OK;
}

static enum err parse_xml(const char *body, size_t len, enum xml_encoding encoding,
	struct event **out, struct error *e)
{
	struct buf xml = BUF_INIT(XML_TEXT_LEN(len));
	cJSON *object = NULL;
	unsigned damage = 0;
	enum err err;

	xml_text_repair(body, len, encoding, &xml, &damage);
	err = buf_check(&xml, e);
	if (!err)
		err = event_xml_read(xml.data, xml.len, encoding, &object, e);
	if (err == ERR_MALFORMED && !*e->field)
		err = error_context(e, "the body is not an event in XML");
	if (!err)
		err = build(object, damage, out, e);
	if (err && xml.data)
		err = name_device(xml.data, xml.len, "<DeviceUUID>", e);
	cJSON_Delete(object);
	buf_free(&xml);
	return err;
}

void event_settle_time(struct event *event, int64_t received_at)
{
	if (event->time <= 0 || event->time > received_at)
		event->time = received_at;
}

enum err event_parse(const char *body, size_t len, struct event **out, struct error *e)
{
	enum xml_encoding encoding = xml_text_encoding(body, len);
	size_t mark = strlen(BYTE_ORDER_MARK);

	if (encoding != XML_TEXT_NONE)
		return parse_xml(body, len, encoding, out, e);
	if (len >= mark && memcmp(body, BYTE_ORDER_MARK, mark) == 0) {
		body += mark;
		len -= mark;
	}
	return parse_json(body, len, out, e);
}

void event_free(struct event *event)
{
	if (!event)
		return;
	for (size_t i = 0; i < EVENT_FIELD_COUNT; i++)
		free(event->field[i]);
	free(event->repaired);
	free(event);
}

const char *event_field_name(enum event_field field)
{
	return field < EVENT_FIELD_COUNT ? fields[field].name : NULL;
}

size_t event_field_max(enum event_field field)
{
	return field < EVENT_FIELD_COUNT ? fields[field].max : 0;
}

int event_field_find(const char *key, size_t len)
{
	for (size_t i = 0; i < EVENT_FIELD_COUNT; i++)
		if (strlen(fields[i].name) == len && memcmp(fields[i].name, key, len) == 0)
			return (int)i;
	return -1;
}
