#ifndef UEM_API_JSON_H
#define UEM_API_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/*
 * Members of what UEM's REST API answers. The same thing is "Uuid", "uuid" or "device_uuid" by the
 * version that serves it, a number may stand as a string, and an id as {"Id": {"Value": 15}}.
 * Names are compared without case and without "_": "enrollmentUserUuid" is "enrollment_user_uuid".
 */

/* The member of that name; NULL: there is none, or it is null, or object is none. */
const cJSON *uem_json_member(const cJSON *object, const char *name);

/* A text, borrowed; "" where there is none. */
const char *uem_json_text(const cJSON *object, const char *name);

/* A whole number of at most 2^53 that is not negative, also as a string and as {"Value": n}. */
bool uem_json_number(const cJSON *object, const char *name, int64_t *out);

/* true, and "true"; false for all else. */
bool uem_json_true(const cJSON *object, const char *name);

/* In lower case. False: none, none that is a UUID, or the all-zero one; *out is "" then. */
bool uem_json_uuid(const cJSON *object, const char *name, char out[UUID_SIZE]);

/*
 * Seconds UTC: "2021-06-28T04:35:20.150" (UTC), with "Z" or an offset, with a space for "T", a
 * date alone, "4/2/2026 7:38:11 AM", or a number of seconds. False: none, or the year 1, which
 * means never.
 */
bool uem_json_time(const cJSON *object, const char *name, int64_t *out);

#endif
