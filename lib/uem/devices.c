/* Lists of devices in UEM, page by page. */
#include "uem/devices.h"

#include <stdio.h>
#include <time.h>

#include "uem/api_json.h"

#define PATH_MAX_BYTES 256
#define ANSWER_MAX (16 * 1024 * 1024) /* 500 devices of some kilobytes */
#define PAGES_MAX 2000		      /* a million devices */

static enum err read_one(struct uem_devices *devices, const cJSON *object, struct error *e)
{
	struct uem_device device;
	struct error unread;
	bool added = false;
	enum err err;

	if (uem_device_read(object, &device, &unread)) {
		devices->unread++;
		return ERR_OK;
	}
	err = uuid_set_add(&devices->known, device.uuid, &added, e);
	return !err && added ? devices->see(devices->ctx, &device, e) : err;
}

/*
 * Behind the last page UEM's answer is empty, or has an empty list. A short page is the last one if
 * the total agrees.
 */
enum err uem_devices_read(struct uem_devices *devices, const cJSON *answer, struct error *e)
{
	const cJSON *list = uem_json_member(answer, "Devices"), *object;
	int64_t total = -1, count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
	size_t before = devices->known.count;
	enum err err = ERR_OK;

	devices->page++;
	uem_json_number(answer, "Total", &total);
	if (!answer || (!list && total == 0) || (cJSON_IsArray(list) && count == 0)) {
		devices->whole = true;
		return ERR_OK;
	}
	if (!cJSON_IsArray(list))
		return error_set(e, ERR_UNAVAILABLE, "UEM's answer has no list of devices");
	cJSON_ArrayForEach(object, list)
	{
		err = read_one(devices, object, e);
		if (err)
			return err;
	}
	devices->whole = count < UEM_PAGE_SIZE && total >= 0 &&
			 total <= (devices->page - 1) * UEM_PAGE_SIZE + count;
	if ((devices->known.count == before && count == UEM_PAGE_SIZE && devices->unread == 0) ||
		devices->page > PAGES_MAX)
		err = error_set(e, ERR_UNAVAILABLE,
			"UEM gives the same devices again in page %lld of its list",
			(long long)devices->page - 1);
	return err;
}

/* Newest first: devices that enroll meanwhile move others to a later page, so none is missed. */
static void print_path(const struct uem_devices *devices, char out[PATH_MAX_BYTES])
{
	time_t since = (time_t)devices->since;
	struct tm tm;
	char time[32] = "";

	if (!devices->unenrolled) {
		snprintf(out, PATH_MAX_BYTES,
			"/API/mdm/devices/"
			"search?page=%lld&pagesize=%d&orderby=deviceid&sortorder=DESC",
			(long long)devices->page, UEM_PAGE_SIZE);
		return;
	}
	if (gmtime_r(&since, &tm))
		strftime(time, sizeof(time), "%Y/%m/%d", &tm);
	snprintf(out, PATH_MAX_BYTES,
		"/API/mdm/devices/extensivesearch?enrollmentstatus=Unenrolled"
		"&statuschangestarttime=%s&page=%lld&pagesize=%d",
		time, (long long)devices->page, UEM_PAGE_SIZE);
}

enum err uem_devices_next(
	struct uem_api *api, struct uem_devices *devices, int64_t deadline, struct error *e)
{
	char path[PATH_MAX_BYTES];
	struct uem_question question = {
		.path = path,
		.version = 1,
		.bulk = true,
		.deadline = deadline,
		.answer_max = ANSWER_MAX,
	};
	cJSON *json = NULL;
	enum err err;

	print_path(devices, path);
	err = uem_api_ask(api, &question, &json, e);
	if (err == ERR_UNSUPPORTED && !devices->unenrolled) {
		question.version = 2;
		err = uem_api_ask(api, &question, &json, e);
	}
	if (!err)
		err = uem_devices_read(devices, json, e);
	cJSON_Delete(json);
	return err;
}

void uem_devices_fini(struct uem_devices *devices)
{
	uuid_set_fini(&devices->known);
}
