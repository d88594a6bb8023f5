/*
 * Writes DER for PKCS#12 files and revocation lists. We have our own writer because GnuTLS has none
 * for parts of a file, and libtasn1 wants an ASN.1 module and a tree of nodes for each.
 */

#include "pki/der.h"

#include <libtasn1.h>
#include <string.h>

#define OID_DER_MAX 64

void der_open(struct der *d, enum der_tag tag)
{
	if (d->depth == DER_DEPTH_MAX) {
		d->buf.failed = true;
		return;
	}
	buf_putc(&d->buf, (char)tag);
	d->start[d->depth++] = d->buf.len;
}

/* The length stands before the content, which is moved to make room. */
void der_close(struct der *d)
{
	unsigned char length[ASN1_MAX_LENGTH_SIZE];
	size_t start, content;
	int size = 0;

	if (d->depth == 0)
		d->buf.failed = true;
	if (d->buf.failed)
		return;
	start = d->start[--d->depth];
	content = d->buf.len - start;
	asn1_length_der(content, length, &size);
	buf_append(&d->buf, length, (size_t)size);
	if (d->buf.failed)
		return;
	memmove(d->buf.data + start + size, d->buf.data + start, content);
	memcpy(d->buf.data + start, length, (size_t)size);
}

void der_null(struct der *d)
{
	der_string(d, DER_NULL, NULL, 0);
}

void der_unsigned(struct der *d, unsigned long value)
{
	unsigned char octets[sizeof(value) + 1]; /* with a zero octet first if the top bit is set */
	size_t at = sizeof(octets);

	do {
		octets[--at] = value & 0xff;
		value >>= 8;
	} while (value > 0);
	if (octets[at] & 0x80)
		octets[--at] = 0;
	der_string(d, DER_INTEGER, octets + at, sizeof(octets) - at);
}

void der_oid(struct der *d, const char *dotted)
{
	unsigned char value[OID_DER_MAX];
	int len = (int)sizeof(value);

	if (asn1_object_id_der(dotted, value, &len, 0) != ASN1_SUCCESS)
		d->buf.failed = true;
	else
		der_raw(d, value, (size_t)len);
}

void der_string(struct der *d, enum der_tag tag, const void *data, size_t len)
{
	der_open(d, tag);
	buf_append(&d->buf, data, len);
	der_close(d);
}

void der_raw(struct der *d, const void *data, size_t len)
{
	buf_append(&d->buf, data, len);
}

enum err der_take(struct der *d, struct blob *out, struct error *e)
{
	enum err err;

	if (d->buf.failed || d->depth > 0)
		err = error_set(e, ERR_INTERNAL, "DER: over %zu bytes, not closed, or no memory",
			d->buf.limit);
	else
		err = blob_take(&d->buf, out, e);
	der_free(d);
	return err;
}

void der_free(struct der *d)
{
	buf_free(&d->buf);
	d->depth = 0;
}
