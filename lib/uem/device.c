/* A device in UEM: whose it is, and whether it is enrolled. */
#include "uem/device.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "uem/api_json.h"

#define PATH_MAX_BYTES 128

/* --- reading: version 1 is flat, the later ones have most of it in a member */

static const cJSON *member_of(const cJSON *object, const char *name, const char *other)
{
	const cJSON *info = uem_json_member(object, "enrollmentInfo");
	const cJSON *member = uem_json_member(info ? info : object, name);

	return member ? member : uem_json_member(info ? info : object, other);
}

static void copy_text(const cJSON *member, char *out, size_t size)
{
	const char *text = cJSON_GetStringValue(member);

	if (text && strlen(text) < size)
		memcpy(out, text, strlen(text) + 1);
}

/*
 * UserId names the user wherever it stands; enrollmentUserUuid is all-zero in many answers of
 * version 1.
 */
static void read_user(const cJSON *object, struct uem_device *out)
{
	const cJSON *info = uem_json_member(object, "enrollmentInfo");

	if (!uem_json_uuid(uem_json_member(object, "UserId"), "Uuid", out->user_uuid))
		uem_json_uuid(info ? info : object, "enrollmentUserUuid", out->user_uuid);
	copy_text(member_of(object, "userName", "enrollmentUserName"), out->user_name,
		sizeof(out->user_name));
}

static void read_enrollment_time(const cJSON *object, struct uem_device *out)
{
	const cJSON *info = uem_json_member(object, "enrollmentInfo");

	if (!uem_json_time(info ? info : object, "enrollmentTimestamp", &out->enrolled_at))
		uem_json_time(object, "lastEnrolledOn", &out->enrolled_at);
}

enum err uem_device_read(const cJSON *object, struct uem_device *out, struct error *e)
{
	struct uem_device device = {.id = 0};
	const cJSON *platform = uem_json_member(object, "platformInfo");

	if (!uem_json_uuid(object, "uuid", device.uuid) &&
		!uem_json_uuid(object, "deviceUuid", device.uuid))
		return error_set(e, ERR_GARBLED, "UEM's answer has a device without its UUID");
	if (!uem_json_number(object, "id", &device.id))
		uem_json_number(object, "deviceId", &device.id);
	copy_text(member_of(object, "enrollmentStatus", "enrollmentStatus"), device.status,
		sizeof(device.status));
	if (!*device.status)
		return error_set(e, ERR_GARBLED,
			"UEM's answer does not say whether device %s is enrolled", device.uuid);
	if (text_equal_nocase(device.status, "Unknown"))
		return error_set(e, ERR_GARBLED,
			"UEM does not know yet whether device %s is enrolled", device.uuid);
	device.enrolled = text_equal_nocase(device.status, "Enrolled");
	read_enrollment_time(object, &device);
	read_user(object, &device);
	copy_text(uem_json_member(object, "friendlyName"), device.name, sizeof(device.name));
	if (!*device.name)
		copy_text(uem_json_member(object, "deviceFriendlyName"), device.name,
			sizeof(device.name));
	copy_text(uem_json_member(
			  platform ? platform : object, platform ? "platformName" : "platform"),
		device.platform, sizeof(device.platform));
	*out = device;
	return ERR_OK;
}

/* --- asking */

static enum err ask(struct uem_api *api, const struct uem_question *question,
	const char *device_uuid, struct uem_device *out, struct error *e)
{
	struct uem_device device;
	cJSON *json = NULL;
	enum err err = uem_api_ask(api, question, &json, e);

	if (err)
		return err;
	if (!json)
		return error_set(
			e, ERR_GARBLED, "UEM's answer about device %s is empty", device_uuid);
	err = uem_device_read(json, &device, e);
	if (!err && strcmp(device.uuid, device_uuid) != 0)
		err = error_set(e, ERR_GARBLED, "UEM answers about device %s when asked for %s",
			device.uuid, device_uuid);
	if (err == ERR_GARBLED)
		e->code = err = ERR_UNAVAILABLE;
	cJSON_Delete(json);
	if (!err)
		*out = device;
	return err;
}

/*
 * Version 2 is the oldest that takes a UUID. Where it leaves the user out, version 1 has UserId; it
 * is asked for by number.
 */
enum err uem_device_find(struct uem_api *api, const char *device_uuid, bool bulk, int64_t deadline,
	struct uem_device *out, struct error *e)
{
	char path[PATH_MAX_BYTES];
	struct uem_question question = {
		.path = path,
		.version = 2,
		.bulk = bulk,
		.deadline = deadline,
	};
	struct uem_device device;
	enum err err;

	snprintf(path, sizeof(path), "/API/mdm/devices/%s", device_uuid);
	err = ask(api, &question, device_uuid, &device, e);
	if (err == ERR_UNSUPPORTED) {
		question.version = 3;
		err = ask(api, &question, device_uuid, &device, e);
	}
	if (!err && !*device.user_uuid && device.enrolled && device.id > 0) {
		question.version = 1;
		snprintf(path, sizeof(path), "/API/mdm/devices/%lld", (long long)device.id);
		err = ask(api, &question, device_uuid, &device, e);
	}
	if (!err)
		*out = device;
	return err;
}
