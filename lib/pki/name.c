/* Distinguished names: read from the configuration, filled with values, checked, written. */

#include "pki/name.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

#define OID_COMMON_NAME "2.5.4.3"

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define EXPANDED_MAX 4096			    /* bytes, before it is cut */
#define PRINTABLE UPPER LOWER DIGITS " '()+,-./:=?" /* RFC 5280's PrintableString: X.680, 41.4 */

/*
 * The kinds of text that an attribute's type admits. NAME: any, and it names without identifying.
 */
enum alphabet { ANY, NAME, ASCII, PRINTABLE_ONLY, COUNTRY };

static const struct attribute {
	const char *name, *oid;
	size_t max; /* characters: RFC 5280, appendix A.1; RFC 4524, 2.23 */
	enum alphabet alphabet;
} attributes[] = {
	{"CN", OID_COMMON_NAME, 64, NAME},
	{"O", "2.5.4.10", 64, NAME},
	{"OU", "2.5.4.11", 64, NAME},
	{"C", "2.5.4.6", 2, COUNTRY},
	{"L", "2.5.4.7", 128, NAME},
	{"ST", "2.5.4.8", 128, NAME},
	{"DC", "0.9.2342.19200300.100.1.25", 63, ASCII},
	{"emailAddress", "1.2.840.113549.1.9.1", 255, ASCII},
	{"serialNumber", "2.5.4.5", 64, PRINTABLE_ONLY},
	{"GN", "2.5.4.42", 64, NAME},
	{"SN", "2.5.4.4", 64, NAME},
	{"UID", "0.9.2342.19200300.100.1.1", 255, ANY},
};

static const struct attribute *find_attribute(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		const struct attribute *a = &attributes[i];
		char given[16] = "";

		if (len != strlen(a->name) || len >= sizeof(given))
			continue;
		memcpy(given, name, len);
		if (text_equal_nocase(given, a->name))
			return a;
	}
	return NULL;
}

/* --- reading a DN as RFC 4514, 3, has it */

static enum err malformed(struct error *e, const char *what)
{
	return error_set(
		e, ERR_CONFIG, "distinguished name: %s (expected such as CN=Name,O=Company)", what);
}

/* "TYPE=" */
static enum err read_type(const char **at, const struct attribute **out, struct error *e)
{
	const char *name = *at + strspn(*at, " ");
	size_t len = strspn(name, UPPER LOWER);
	const char *rest = name + len + strspn(name + len, " ");

	if (len == 0 || *rest != '=')
		return malformed(e, "an attribute without a name or value");
	*out = find_attribute(name, len);
	if (!*out)
		return error_set(e, ERR_CONFIG,
			"distinguished name: attribute \"%.*s\" is not one of CN O OU C L ST DC "
			"emailAddress serialNumber GN SN UID",
			len > 32 ? 32 : (int)len, name);
	*at = rest + 1;
	return ERR_OK;
}

/* Reads the text after a backslash: one of the special characters, or a byte as two digits. */
static enum err read_escape(const char **at, struct buf *value, struct error *e)
{
	const char *s = *at;
	char hex[3] = {s[0], s[0] ? s[1] : '\0', '\0'};
	unsigned char byte = 0;

	if (*s && strchr(" \"#+,;<=>\\", *s)) {
		buf_putc(value, *s);
		*at += 1;
		return ERR_OK;
	}
	if (!text_unhex(hex, &byte, 1) || byte == 0)
		return malformed(e, "a backslash before a character that needs none");
	buf_append(value, &byte, 1);
	*at += 2;
	return ERR_OK;
}

/* The value up to a comma or the end, without the spaces around it that are not escaped. */
static enum err read_value(const char **at, struct buf *value, struct error *e)
{
	size_t keep = 0; /* what may not be trimmed */
	enum err err = ERR_OK;

	*at += strspn(*at, " ");
	if (**at == '#')
		return malformed(e, "values as #hexadecimal are not accepted");
	while (**at && **at != ',' && !err) {
		char c = *(*at)++;

		if (c == '\\')
			err = read_escape(at, value, e);
		else if (strchr("\"+;<>", c))
			err = malformed(e, "one of \" + ; < > without a backslash before it");
		else
			buf_putc(value, c);
		if (c != ' ')
			keep = value->len;
	}
	if (!err)
		err = buf_check(value, e);
	if (!err && value->data) {
		value->len = keep;
		value->data[keep] = '\0';
	}
	return err;
}

/* --- judging a value */

static enum err refuse(struct error *e, const struct attribute *a, const char *why)
{
	return error_set(e, ERR_UNPROCESSABLE, "subject: %s %s", a->name, why);
}

static size_t count_characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Returns the bytes that the first count characters take, as far as a value has room for them. */
static size_t bytes_of(const char *s, size_t count)
{
	size_t at = 0, len = strlen(s), size;
	uint32_t c;

	for (; at < len && count > 0; at += size, count--) {
		size = utf8_next(s + at, len - at, &c);
		size = size ? size : 1;
		if (at + size >= NAME_VALUE_MAX)
			break;
	}
	return at;
}

/*
 * Cuts a text that is too long for its attribute: before a word, if that leaves half of it or
 * more; else an address before its @, so that no other one is left; else within the word.
 */
static void fit(const struct attribute *a, struct buf *value)
{
	size_t end = bytes_of(value->data, a->max), least = bytes_of(value->data, a->max / 2);
	size_t word = end, at;

	if (a->alphabet != NAME || value->len == end)
		return;
	while (word > 0 && value->data[word] != ' ')
		word--;
	at = strcspn(value->data, "@");
	if (word >= least && word > 0)
		end = word;
	else if (at > 0 && at < end)
		end = at;
	while (end > 0 && strchr(" ,;", value->data[end - 1]))
		end--;
	buf_truncate(value, end);
}

static enum err check_alphabet(const struct attribute *a, const char *s, struct error *e)
{
	size_t len = strlen(s);

	switch (a->alphabet) {
	case ANY:
	case NAME:
		return ERR_OK;
	case ASCII:
		return count_characters(s) == len ? ERR_OK : refuse(e, a, "is not ASCII");
	case PRINTABLE_ONLY:
		return strspn(s, PRINTABLE) == len
			       ? ERR_OK
			       : refuse(e, a, "has other characters than a PrintableString");
	case COUNTRY:
		return len == 2 && strspn(s, UPPER LOWER) == 2
			       ? ERR_OK
			       : refuse(e, a, "is not the two letters of a country");
	}
	return ERR_OK;
}

static enum err check_value(const struct attribute *a, const char *s, size_t len, struct error *e)
{
	if (!utf8_is_valid(s, len))
		return refuse(e, a, "is not UTF-8");
	if (utf8_has_stray_control(s))
		return refuse(e, a, "has control or invisible characters");
	if (count_characters(s) > a->max)
		return error_set(e, ERR_UNPROCESSABLE, "subject: %s has more than %zu characters",
			a->name, a->max);
	return check_alphabet(a, s, e);
}

/* Expands a value and puts it behind the others; an empty one is left out. */
static enum err add_attribute(struct name *name, const struct attribute *a, const char *written,
	name_expand *expand, void *ctx, struct error *e)
{
	struct buf value = BUF_INIT(EXPANDED_MAX);
	enum err err = ERR_OK;

	if (expand)
		err = expand(ctx, written, &value, e);
	else
		buf_puts(&value, written);
	if (!err && !value.failed && expand && value.len)
		fit(a, &value);
	if (!err && (value.failed || value.len >= NAME_VALUE_MAX))
		err = refuse(e, a, "has more than 255 bytes");
	if (!err && value.len)
		err = check_value(a, value.data, value.len, e);
	if (!err && value.len && name->count == NAME_ATTRIBUTES_MAX)
		err = malformed(e, "more than 8 attributes");
	if (!err && value.len) {
		memcpy(name->attribute[name->count].value, value.data, value.len + 1);
		name->attribute[name->count++].oid = a->oid;
	}
	buf_free(&value);
	return err;
}

/* RFC 4514 writes the most specific first, RFC 5280 encodes it last. */
static void reverse(const struct name *from, struct name *out)
{
	*out = (struct name){.count = from->count};
	for (size_t i = 0; i < from->count; i++)
		out->attribute[i] = from->attribute[from->count - 1 - i];
}

enum err name_build(
	const char *dn, name_expand *expand, void *ctx, struct name *out, struct error *e)
{
	struct buf written = BUF_INIT(NAME_VALUE_MAX * 4);
	struct name name = {0};
	const struct attribute *a = NULL;
	enum err err = ERR_OK;

	for (const char *at = dn; !err; at++) {
		buf_reset(&written);
		err = read_type(&at, &a, e);
		if (!err)
			err = read_value(&at, &written, e);
		if (!err)
			err = add_attribute(
				&name, a, written.len ? written.data : "", expand, ctx, e);
		if (!err && !*at)
			break;
	}
	if (!err && name.count == 0)
		err = error_set(e, ERR_UNPROCESSABLE, "subject: nothing is left of it");
	if (!err)
		reverse(&name, out);
	buf_free(&written);
	return err;
}

/* --- writing one */

static void write_value(const char *value, struct buf *out)
{
	for (const char *s = value; *s; s++) {
		bool at_end = *s == ' ' && (s == value || !s[1]);

		if (at_end || strchr("\"+,;<>\\", *s) || (*s == '#' && s == value))
			buf_putc(out, '\\');
		buf_putc(out, *s);
	}
}

void name_text(const struct name *name, struct buf *out)
{
	for (size_t i = name->count; i-- > 0;) {
		for (size_t j = 0; j < ARRAY_LEN(attributes); j++)
			if (strcmp(attributes[j].oid, name->attribute[i].oid) == 0)
				buf_printf(out, "%s=", attributes[j].name);
		write_value(name->attribute[i].value, out);
		if (i > 0)
			buf_putc(out, ',');
	}
}

const char *name_common(const struct name *name)
{
	for (size_t i = 0; i < name->count; i++)
		if (strcmp(name->attribute[i].oid, OID_COMMON_NAME) == 0)
			return name->attribute[i].value;
	return NULL;
}
