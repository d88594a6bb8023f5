/* The simulated UEM's devices and users. */
#include "tests/peers/uem-objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/peers/peer-state.h"

#define NIL "00000000-0000-0000-0000-000000000000"
#define PAGE_MAX 500

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return text ? text : "";
}

static double number_of(const cJSON *object, const char *name)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNumber(member) ? member->valuedouble : 0;
}

/* All of a file, in an array. */
static cJSON *read_all(const struct uem_exchange *x, const char *name)
{
	cJSON *all = cJSON_CreateArray();
	char path[PATH_MAX], line[PEER_LINE_MAX];
	FILE *file;

	peer_path(x->state, name, path);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		cJSON *object = cJSON_ParseWithLength(line, strlen(line));

		if (object)
			cJSON_AddItemToArray(all, object);
	}
	if (file)
		fclose(file);
	return all;
}

/* By UUID, in any case, or by number. */
static const cJSON *find(const cJSON *all, const char *key)
{
	const cJSON *object;
	int64_t id = 0;
	bool number = text_number(key, INT32_MAX, &id);

	cJSON_ArrayForEach(object,
		all) if (number ? (int64_t)number_of(object, "id") == id
				: strcasecmp(text_of(object, "uuid"), key) == 0) return object;
	return NULL;
}

static void put_text(cJSON *to, const char *name, const char *text)
{
	cJSON_AddStringToObject(to, name, text);
}

static void put_upper(cJSON *to, const char *name, const char *text)
{
	char copy[128];

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *c = copy; *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - ('a' - 'A') : *c);
	put_text(to, name, copy);
}

static cJSON *put_id(cJSON *to, const char *name, double id)
{
	cJSON *object = cJSON_AddObjectToObject(to, name);

	cJSON_AddNumberToObject(object, "Value", id);
	return object;
}

/* --- devices */

/* Version 1: flat, with UserId and an EnrollmentUserUuid that says nothing. */
static cJSON *flat(const cJSON *device, const cJSON *user)
{
	cJSON *out = cJSON_CreateObject();
	cJSON *whose = cJSON_CreateObject();

	put_text(out, "Udid", "");
	put_text(out, "DeviceFriendlyName", text_of(device, "name"));
	put_id(whose, "Id", number_of(user, "id"));
	put_text(whose, "Name", text_of(user, "name"));
	put_text(whose, "Uuid", user ? text_of(user, "uuid") : NIL);
	cJSON_AddItemToObject(out, "UserId", whose);
	put_text(out, "UserName", text_of(user, "name"));
	put_text(out, "UserEmailAddress", text_of(user, "mail"));
	put_text(out, "Platform", "Apple");
	put_text(out, "EnrollmentStatus", text_of(device, "status"));
	if (*text_of(device, "since"))
		put_text(out, "LastEnrolledOn", text_of(device, "since"));
	put_text(out, "EnrollmentUserUuid", NIL);
	put_id(out, "Id", number_of(device, "id"));
	put_upper(out, "Uuid", text_of(device, "uuid"));
	return out;
}

/* Version 2: camelCase, and most of it in enrollmentInfo. */
static cJSON *nested(const struct uem_exchange *x, const cJSON *device, const cJSON *user)
{
	char line[PEER_LINE_MAX];
	bool userless = peer_line(x->state, "userless", true, line);
	cJSON *out = cJSON_CreateObject(), *platform, *info;

	put_text(out, "udid", "");
	put_text(out, "friendlyName", text_of(device, "name"));
	platform = cJSON_AddObjectToObject(out, "platformInfo");
	put_text(platform, "platformName", "Apple");
	info = cJSON_AddObjectToObject(out, "enrollmentInfo");
	put_upper(info, "enrollmentStatus", text_of(device, "status"));
	put_text(info, "userName", text_of(user, "name"));
	put_text(info, "userEmailAddress", text_of(user, "mail"));
	put_upper(info, "enrollmentUserUuid", userless || !user ? NIL : text_of(user, "uuid"));
	cJSON_AddNumberToObject(out, "id", number_of(device, "id"));
	put_upper(out, "uuid", text_of(device, "uuid"));
	return out;
}

/* Version 3: snake_case. */
static cJSON *snake(const cJSON *device, const cJSON *user)
{
	cJSON *out = cJSON_CreateObject(), *info;

	put_text(out, "friendly_name", text_of(device, "name"));
	info = cJSON_AddObjectToObject(out, "enrollment_info");
	put_upper(info, "enrollment_status", text_of(device, "status"));
	put_text(info, "enrollment_user_name", text_of(user, "name"));
	put_text(info, "enrollment_user_uuid", user ? text_of(user, "uuid") : NIL);
	put_text(info, "enrollment_user_email_address", text_of(user, "mail"));
	cJSON_AddNumberToObject(out, "id", number_of(device, "id"));
	put_text(out, "uuid", text_of(device, "uuid"));
	return out;
}

static cJSON *shape(const struct uem_exchange *x, const cJSON *device, const cJSON *user)
{
	if (x->version == 1)
		return flat(device, user);
	return x->version == 2 ? nested(x, device, user) : snake(device, user);
}

/* Version 1 takes a number, the others a UUID. */
void uem_serve_device(struct uem_exchange *x)
{
	const char *key = x->path + strlen("/API/mdm/devices/");
	bool number = key[strspn(key, "0123456789")] == '\0';
	char versions[PEER_LINE_MAX] = "23";
	cJSON *devices = read_all(x, "devices"), *users = read_all(x, "users"), *json;
	const cJSON *device = find(devices, key);

	peer_line(x->state, "versions", true, versions);
	if (x->version != 1 && !strchr(versions, '0' + x->version)) {
		uem_reply_error(x, 406, 0, "no such version");
	} else if ((x->version == 1) != number) {
		uem_reply_missing(x, "another version takes this");
	} else if (!device) {
		uem_reply_missing(x, "Device not found for this request.");
	} else {
		json = shape(x, device, find(users, text_of(device, "user")));
		uem_reply_json(x, 200, json);
		cJSON_Delete(json);
	}
	cJSON_Delete(devices);
	cJSON_Delete(users);
}

/* --- users */

static cJSON *user_shape(const cJSON *user)
{
	bool staging = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(user, "staging"));
	cJSON *out = cJSON_CreateObject();

	put_upper(out, "uuid", text_of(user, "uuid"));
	put_text(out, "userName", text_of(user, "name"));
	put_text(out, "firstName", "");
	put_text(out, "lastName", text_of(user, "name"));
	put_text(out, "displayName", text_of(user, "display"));
	put_text(out, "userPrincipalName", text_of(user, "upn"));
	put_text(out, "emailAddress", text_of(user, "mail"));
	cJSON_AddTrueToObject(out, "status");
	put_text(out, "securityType", "directory");
	put_text(out, "deviceStagingType", staging ? "SingleUser" : "StagingDisabled");
	cJSON_AddNumberToObject(out, "enrolledDeviceCount", 1);
	return out;
}

void uem_serve_user(struct uem_exchange *x)
{
	const char *key = x->path + strlen("/API/system/users/");
	cJSON *users = read_all(x, "users"), *json;
	const cJSON *user = find(users, key);

	if (x->version != 2) {
		uem_reply_error(x, 406, 0, "no such version");
	} else if (!user) {
		uem_reply_missing(x, "User not found.");
	} else {
		json = user_shape(user);
		uem_reply_json(x, 200, json);
		cJSON_Delete(json);
	}
	cJSON_Delete(users);
}

/* --- searches: pages from 0 on, 500 devices at the most; 204 behind the last one */

static int64_t query_number(const struct uem_exchange *x, const char *name, int64_t fallback)
{
	const char *at = x->query;
	size_t len = strlen(name);
	char digits[20] = "";
	int64_t number = fallback;

	while (at && !(strncasecmp(at, name, len) == 0 && at[len] == '=')) {
		at = strchr(at, '&');
		if (at)
			at++;
	}
	if (at)
		snprintf(digits, sizeof(digits), "%.*s", (int)strcspn(at + len + 1, "&"),
			at + len + 1);
	text_number(digits, INT32_MAX, &number);
	return number;
}

static bool query_has(const struct uem_exchange *x, const char *member)
{
	return strcasestr(x->query, member) != NULL;
}

static void serve_page(struct uem_exchange *x, const char *status)
{
	int64_t page = query_number(x, "page", 0), size = query_number(x, "pagesize", PAGE_MAX);
	cJSON *devices = read_all(x, "devices"), *users = read_all(x, "users");
	cJSON *out = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(out, "Devices");
	int64_t at = 0, total = 0;
	const cJSON *device;

	size = size > PAGE_MAX ? PAGE_MAX : size;
	cJSON_ArrayForEach(device, devices)
	{
		if (status && strcasecmp(text_of(device, "status"), status) != 0)
			continue;
		total++;
		if (at >= page * size && at < (page + 1) * size)
			cJSON_AddItemToArray(
				list, flat(device, find(users, text_of(device, "user"))));
		at++;
	}
	cJSON_AddNumberToObject(out, "Page", (double)page);
	cJSON_AddNumberToObject(out, "PageSize", (double)size);
	cJSON_AddNumberToObject(out, "Total", (double)total);
	uem_reply_json(x, 200, cJSON_GetArraySize(list) > 0 ? out : NULL);
	cJSON_Delete(out);
	cJSON_Delete(devices);
	cJSON_Delete(users);
}

void uem_serve_search(struct uem_exchange *x)
{
	if (x->version != 1 && x->version != 2)
		uem_reply_error(x, 406, 0, "no such version");
	else
		serve_page(x, NULL);
}

void uem_serve_extensive(struct uem_exchange *x)
{
	if (x->version != 1)
		uem_reply_error(x, 406, 0, "no such version");
	else if (!query_has(x, "enrollmentstatus=Unenrolled&") ||
		 !query_has(x, "statuschangestarttime=20"))
		uem_reply_error(x, 400, 0, "no such search");
	else
		serve_page(x, "Unenrolled");
}
