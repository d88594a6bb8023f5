/* Reads pkcs11: URLs (RFC 7512), stricter than p11-kit does. */

#include "pki/token_url.h"

#include <p11-kit/uri.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pki/token_session.h"

#define URL_PREFIX "pkcs11:"
#define ID_SHOWN 32 /* octets */
#define NAME_SHOWN 40

static enum err wrong(struct error *e, const char *why)
{
	return error_set(e, ERR_CONFIG, "the pkcs11: URL %s", why);
}

/* --- required and forbidden attributes */

static enum err check_object(P11KitUri *uri, struct error *e)
{
	CK_ATTRIBUTE *class = p11_kit_uri_get_attribute(uri, CKA_CLASS);
	CK_TOKEN_INFO *token = p11_kit_uri_get_token_info(uri);
	CK_OBJECT_CLASS value = CKO_PRIVATE_KEY;

	if (!token->label[0] && !token->serialNumber[0])
		return wrong(e, "must name the token: token=LABEL or serial=NUMBER");
	if (!p11_kit_uri_get_attribute(uri, CKA_LABEL) && !p11_kit_uri_get_attribute(uri, CKA_ID))
		return wrong(e, "must name the key: object=LABEL or id=BYTES");
	if (class && class->ulValueLen == sizeof(value))
		memcpy(&value, class->pValue, sizeof(value));
	return value == CKO_PRIVATE_KEY ? ERR_OK : wrong(e, "must be of type=private");
}

/* RFC 7512, section 2.3. */
static const struct attribute {
	const char *name;
	bool query; /* it stands after "?" */
} known[] = {{"token", false}, {"manufacturer", false}, {"serial", false}, {"model", false},
	{"library-manufacturer", false}, {"library-version", false}, {"library-description", false},
	{"slot-manufacturer", false}, {"slot-description", false}, {"slot-id", false},
	{"object", false}, {"type", false}, {"id", false}, {"pin-source", true},
	{"pin-value", true}, {"module-name", true}, {"module-path", true}};

/* The index of the attribute with that name, len bytes; ARRAY_LEN(known): none. */
static size_t attribute_of(const char *text, size_t len, bool query)
{
	size_t i = 0;

	while (i < ARRAY_LEN(known) && (known[i].query != query || strlen(known[i].name) != len ||
					       strncmp(text, known[i].name, len) != 0))
		i++;
	return i;
}

static enum err refuse_attribute(struct error *e, const char *text, size_t len, const char *why)
{
	char name[NAME_SHOWN + 1];
	size_t n = 0;

	for (; n < len && n < NAME_SHOWN; n++)
		name[n] = text[n] > ' ' && text[n] <= '~' ? text[n] : '?';
	name[n] = '\0';
	return error_set(e, ERR_CONFIG, "the pkcs11: URL has the attribute \"%s\" %s", name, why);
}

/* p11-kit ignores unknown attributes or reports them without their names. */
static enum err check_attributes(const char *url, struct error *e)
{
	bool seen[ARRAY_LEN(known)] = {false}, query = false;

	for (const char *at = url + strlen(URL_PREFIX); *at;) {
		size_t end = strcspn(at, ";?&"), len = strcspn(at, "=;?&"), i;

		i = attribute_of(at, len, query);
		if (end && i == ARRAY_LEN(known))
			return refuse_attribute(
				e, at, len, "in a place where RFC 7512 does not allow it");
		if (end && seen[i])
			return refuse_attribute(e, at, len, "twice");
		if (end)
			seen[i] = true;
		query |= at[end] == '?';
		at += end + (at[end] != '\0');
	}
	return ERR_OK;
}

static enum err check(P11KitUri *uri, struct error *e)
{
	if (p11_kit_uri_any_unrecognized(uri))
		return wrong(e, "has an attribute in a place where RFC 7512 does not allow it");
	if (p11_kit_uri_get_pin_value(uri))
		return wrong(e, "must not have the PIN in it (pin-value): put it into a file, and "
				"name that by pin-source");
	if (p11_kit_uri_get_module_path(uri) || p11_kit_uri_get_module_name(uri))
		return wrong(e, "must not name a module: make it known to p11-kit, see "
				"pkcs11.conf(5)");
	return check_object(uri, e);
}

/* --- the URLs of the objects */

static enum err format(P11KitUri *uri, char **out, struct error *e)
{
	char *text = NULL;

	if (p11_kit_uri_format(uri, P11_KIT_URI_FOR_OBJECT_ON_TOKEN, &text) != P11_KIT_URI_OK)
		return error_memory(e);
	*out = text;
	return ERR_OK;
}

static enum err format_as(P11KitUri *uri, CK_OBJECT_CLASS class, char **out, struct error *e)
{
	CK_ATTRIBUTE attribute = {CKA_CLASS, &class, sizeof(class)};

	if (p11_kit_uri_set_attribute(uri, &attribute) != P11_KIT_URI_OK)
		return error_memory(e);
	return format(uri, out, e);
}

static enum err format_all(P11KitUri *uri, struct token *out, struct error *e)
{
	enum err err = format_as(uri, CKO_PRIVATE_KEY, &out->key_url, e);

	if (!err)
		err = format_as(uri, CKO_PUBLIC_KEY, &out->public_url, e);
	if (!err)
		err = format_as(uri, CKO_CERTIFICATE, &out->certificate_url, e);
	p11_kit_uri_clear_attributes(uri);
	return err ? err : format(uri, &out->token_url, e);
}

/* Sets the PIN file, and the URLs of the objects, which do not have it. */
static enum err take_urls(P11KitUri *uri, struct token *out, struct error *e)
{
	const char *source = p11_kit_uri_get_pin_source(uri);
	char *file = source ? strdup(source) : NULL;
	enum err err = source && !file ? error_memory(e) : ERR_OK;

	p11_kit_uri_set_pin_source(uri, NULL);
	if (!err)
		err = format_all(uri, out, e);
	if (!err)
		err = pin_init(file, out->token_url, &out->pin, e);
	free(file);
	return err;
}

/* --- the name for messages */

static enum err take_object(P11KitUri *uri, struct token *out, struct error *e)
{
	CK_ATTRIBUTE *label = p11_kit_uri_get_attribute(uri, CKA_LABEL);
	CK_ATTRIBUTE *id = p11_kit_uri_get_attribute(uri, CKA_ID);

	if (label && label->ulValueLen >= sizeof(out->label))
		return wrong(e, "has too long a label of the object");
	if (label)
		memcpy(out->label, label->pValue, label->ulValueLen);
	return id ? blob_copy(id->pValue, id->ulValueLen, &out->id, e) : ERR_OK;
}

/* PKCS#11 pads with blanks. */
static int length(const CK_UTF8CHAR *text, size_t size)
{
	while (size && (text[size - 1] == ' ' || !text[size - 1]))
		size--;
	return (int)size;
}

static void make_name(P11KitUri *uri, struct token *out)
{
	CK_TOKEN_INFO *token = p11_kit_uri_get_token_info(uri);
	bool by_label = token->label[0];
	const CK_UTF8CHAR *text = by_label ? token->label : token->serialNumber;
	size_t size = by_label ? sizeof(token->label) : sizeof(token->serialNumber);
	char id[2 * ID_SHOWN + 1] = "";

	if (!out->label[0])
		text_hex(out->id.data, out->id.len < ID_SHOWN ? out->id.len : ID_SHOWN, id);
	snprintf(out->name, sizeof(out->name), "key \"%.48s%s\" of token %s\"%.*s\"", out->label,
		id, by_label ? "" : "with serial number ", length(text, size), (const char *)text);
}

enum err token_parse(const char *url, struct token *out, struct error *e)
{
	P11KitUri *uri = p11_kit_uri_new();
	enum err err = uri ? ERR_OK : error_memory(e);

	if (!err)
		err = check_attributes(url, e);
	if (!err && p11_kit_uri_parse(url, P11_KIT_URI_FOR_ANY, uri) != P11_KIT_URI_OK)
		err = wrong(e, "cannot be read: write it as in RFC 7512, such as "
			       "pkcs11:token=TOKEN;object=KEY;type=private?pin-source=/FILE");
	if (!err)
		err = check(uri, e);
	if (!err)
		err = take_object(uri, out, e);
	if (!err) {
		make_name(uri, out);
		err = take_urls(uri, out, e);
	}
	p11_kit_uri_free(uri);
	return err;
}
