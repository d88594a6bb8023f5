#ifndef PKI_NAME_H
#define PKI_NAME_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

#define NAME_ATTRIBUTES_MAX 8
#define NAME_VALUE_MAX 256

/*
 * A distinguished name as a list of single-valued attributes in the order of
 * their encoding (most significant first, RFC 5280, 4.1.2.4). Values are taken
 * literally: nothing in them is ever parsed.
 */
struct name {
	size_t count;
	struct {
		const char *oid; /* static */
		char value[NAME_VALUE_MAX];
	} attribute[NAME_ATTRIBUTES_MAX];
};

/*
 * Reads a DN such as "CN=Example CA,O=Example,C=DE" (RFC 4514: as written, the
 * most specific first; \ escapes) with the attributes CN O OU C L ST DC
 * emailAddress serialNumber GN SN UID. For configuration and command line only, never for
 * anything that came from outside. ERR_CONFIG.
 *
 * expand(ctx, value, out) is called for each value and appends what shall
 * stand there, literally; NULL: as written. Values are checked to be UTF-8
 * without controls, at most NAME_VALUE_MAX - 1 bytes, at most 64 characters for
 * CN, O, OU (RFC 5280, appendix A.1 upper bounds), two letters for C; an attribute
 * whose value expands to "" is left out. ERR_UNPROCESSABLE if a value is not. What expand()
 * gives for a name (not for what identifies: DC, emailAddress, serialNumber, UID, C) is cut
 * instead where it is too long, before a word if it can be.
 */
typedef enum err name_expand(void *ctx, const char *value, struct buf *out, struct error *e);
enum err name_build(const char *dn, name_expand *expand, void *ctx, struct name *out,
	struct error *e) must_check;

/* The first common name, borrowed; NULL: it has none. */
const char *name_common(const struct name *name);

/* As RFC 4514, 2 writes it: the most specific first, what has a meaning there behind a \. */
void name_text(const struct name *name, struct buf *out);

#endif
