/* Writes certificate-payload.json, the body of an upload. */

#include "escrow/payload.h"

#include <stdbool.h>

#include "base/text.h"

#define PAYLOAD_MAX (16 * 1024 * 1024)

/* Writes one usage's array, unless it is empty; returns whether the next one is the first. */
static bool add_array(
	struct buf *b, const char *name, const struct blob *files, size_t count, bool first)
{
	if (count == 0)
		return first;
	buf_printf(b, "%s\"%s\":[", first ? "" : ",", name);
	for (size_t i = 0; i < count; i++) {
		buf_puts(b, i == 0 ? "\"" : ",\"");
		buf_base64(b, files[i].data, files[i].len);
		buf_putc(b, '"');
	}
	buf_putc(b, ']');
	return false;
}

/* An upload replaces the earlier one at the gateway: an empty set would remove everything. */
static enum err check_upload(const struct escrow_upload *upload, struct error *e)
{
	char uuid[UUID_SIZE];

	if (!text_uuid(upload->device_uuid, uuid))
		return error_set(e, ERR_INTERNAL, "upload without the UUID of a device");
	if (!text_uuid(upload->user_uuid, uuid))
		return error_set(e, ERR_INTERNAL, "upload without the UUID of a user");
	if (upload->signing_count + upload->encryption_count + upload->archived_count == 0)
		return error_set(e, ERR_INTERNAL, "upload without certificates");
	return ERR_OK;
}

enum err escrow_payload(const struct escrow_upload *upload, struct buf *out, struct error *e)
{
	struct buf b = BUF_INIT(PAYLOAD_MAX);
	bool first = true;
	enum err err = check_upload(upload, e);

	if (err)
		return err;
	buf_printf(&b, "{\"device_uuid\":\"%s\",\"user_uuid\":\"%s\",\"smime_certificates\":{",
		upload->device_uuid, upload->user_uuid);
	first = add_array(&b, "signing", upload->signing, upload->signing_count, first);
	first = add_array(&b, "encryption", upload->encryption, upload->encryption_count, first);
	add_array(&b, "archived", upload->archived, upload->archived_count, first);
	buf_puts(&b, "}}");
	err = buf_check(&b, e);
	if (err) {
		buf_free(&b);
		return error_set(e, ERR_INTERNAL,
			"upload of %zu certificates is over %d bytes, or out of memory; lower "
			"archive-max",
			upload->signing_count + upload->encryption_count + upload->archived_count,
			PAYLOAD_MAX);
	}
	buf_free(out);
	*out = b;
	return ERR_OK;
}
