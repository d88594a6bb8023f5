#ifndef ESCROW_PAYLOAD_H
#define ESCROW_PAYLOAD_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* A user's credentials on a device: PKCS#12 files, in the order of the upload. Borrowed. */
struct escrow_upload {
	const char *device_uuid;
	const char *user_uuid;
	const struct blob *signing;
	size_t signing_count;
	const struct blob *encryption;
	size_t encryption_count;
	const struct blob *archived;
	size_t archived_count;
};

/* certificate-payload.json: {"device_uuid", "user_uuid", "smime_certificates": {…}}. Secret. */
enum err escrow_payload(
	const struct escrow_upload *upload, struct buf *out, struct error *e) must_check;

#endif
