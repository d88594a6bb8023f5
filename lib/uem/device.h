#ifndef UEM_DEVICE_H
#define UEM_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "uem/api.h"

#define UEM_STATUS_SIZE 32
#define UEM_NAME_SIZE 256

/* A device, as UEM knows it now. */
struct uem_device {
	int64_t id;		       /* UEM's number; 0: not said */
	char uuid[UUID_SIZE];	       /* lower case */
	char user_uuid[UUID_SIZE];     /* lower case; "": it has no user */
	char user_name[UEM_NAME_SIZE]; /* "": not said, or longer */
	char name[UEM_NAME_SIZE];      /* likewise */
	char platform[UEM_NAME_SIZE];  /* likewise */
	char status[UEM_STATUS_SIZE];  /* "ENROLLED", in UEM's words */
	bool enrolled;
	int64_t enrolled_at; /* seconds UTC, of its last enrollment; 0: not said */
};

/*
 * Reads a device object of any version of the API. ERR_GARBLED if it does not say which device it
 * is, or whether it is enrolled: UEM may have "Unknown" there.
 */
enum err uem_device_read(const cJSON *object, struct uem_device *out, struct error *e) must_check;

/*
 * Asks for the device with that UUID. Errors as uem_api_ask(); ERR_GARBLED also if the answer is
 * empty; ERR_UNAVAILABLE if it cannot be understood or is about another device.
 */
enum err uem_device_find(struct uem_api *api, const char *device_uuid, bool bulk, int64_t deadline,
	struct uem_device *out, struct error *e) must_check;

#endif
