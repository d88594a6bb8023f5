#ifndef PKI_DER_H
#define PKI_DER_H

#include "base/buf.h"
#include "base/error.h"

/*
 * Writes DER (X.690) in the order in which the ASN.1 reads: der_open() a SEQUENCE, write what is in
 * it, der_close() it. As with struct buf, the writers return no errors: der_take()
 * reports the first one. The content may be secret: the memory is wiped.
 */
#define DER_DEPTH_MAX 16

struct der {
	struct buf buf;
	size_t start[DER_DEPTH_MAX]; /* of the content of each value that is open */
	unsigned depth;
};

#define DER_INIT(max)                    \
	{                                \
		.buf = {.limit = (max)}, \
	}

enum der_tag {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_ENUMERATED = 0x0a,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_BMP_STRING = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT_PRIMITIVE_0 = 0x80, /* [0] IMPLICIT of a string */
	DER_CONTEXT_0 = 0xa0,		/* [0] EXPLICIT */
};

void der_open(struct der *d, enum der_tag tag);
void der_close(struct der *d);

void der_null(struct der *d);
void der_unsigned(struct der *d, unsigned long value);
void der_oid(struct der *d, const char *dotted); /* "1.2.840.113549.1.7.1" */
/* A value of the given tag with these contents. */
void der_string(struct der *d, enum der_tag tag, const void *data, size_t len);
/* Values that are DER already. */
void der_raw(struct der *d, const void *data, size_t len);

/* ERR_INTERNAL: over the limit, no memory, or not all is closed. Empties d in any case. */
enum err der_take(struct der *d, struct blob *out, struct error *e) must_check;
void der_free(struct der *d);

#endif
