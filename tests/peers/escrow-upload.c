/* certificate-payload.json: nothing missing, nothing more, nothing twice. */

#include <cjson/cJSON.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "base/compiler.h"
#include "tests/peers/escrow-judge.h"

#define UUID_LEN 36

const char *const part_names[PART_COUNT] = {
	[PART_SIGNING] = "signing",
	[PART_ENCRYPTION] = "encryption",
	[PART_ARCHIVED] = "archived",
};

struct review {
	const char *password;
	struct upload *upload;
};

static enum err parse(const char *body, size_t len, cJSON **out, struct error *e)
{
	const char *end = NULL;
	cJSON *json = NULL;

	if (memchr(body, '\0', len))
		return error_set(e, ERR_MALFORMED, "body: NUL in it");
	json = cJSON_ParseWithLengthOpts(body, len, &end, 0);
	if (!json)
		return error_set(e, ERR_MALFORMED, "body: not JSON, from byte %zu on",
			end ? (size_t)(end - body) : 0);
	if (strspn(end, " \t\r\n") != len - (size_t)(end - body)) {
		cJSON_Delete(json);
		return error_set(e, ERR_MALFORMED, "body: something behind the JSON");
	}
	*out = json;
	return ERR_OK;
}

/* Every member is one of names, and none is there twice. */
static enum err judge_members(const cJSON *object, const char *where, const char *const names[],
	size_t count, struct error *e)
{
	const cJSON *member;

	if (!cJSON_IsObject(object))
		return error_set(e, ERR_UNPROCESSABLE, "%s: not an object", where);
	cJSON_ArrayForEach(member, object)
	{
		size_t i = 0;

		while (i < count && strcmp(names[i], member->string) != 0)
			i++;
		if (i == count)
			return error_set(e, ERR_UNPROCESSABLE, "%s: unknown field \"%.40s\"", where,
				member->string);
		if (cJSON_GetObjectItemCaseSensitive(object, member->string) != member)
			return error_set(
				e, ERR_UNPROCESSABLE, "%s: is there twice", member->string);
	}
	return ERR_OK;
}

/* 8-4-4-4-12, lower case, not all zero. */
static bool is_uuid(const char *s)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(s) != UUID_LEN || strspn(s, "0-") == UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++)
		if (form[i] == '-' ? s[i] != '-' : !strchr("0123456789abcdef", s[i]))
			return false;
	return true;
}

static enum err take_uuid(
	const cJSON *root, const char *field, char out[UUID_LEN + 1], struct error *e)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, field);

	if (!item)
		return error_set(e, ERR_UNPROCESSABLE, "%s: missing", field);
	if (!cJSON_IsString(item) || !is_uuid(item->valuestring))
		return error_set(e, ERR_UNPROCESSABLE, "%s: not a UUID in lower case", field);
	memcpy(out, item->valuestring, UUID_LEN + 1);
	return ERR_OK;
}

/* Canonical: what encodes to the same text again. */
static enum err unbase64(char *text, gnutls_datum_t *out, struct error *e)
{
	gnutls_datum_t in = {(unsigned char *)text, (unsigned)strlen(text)};
	gnutls_datum_t der = {NULL, 0}, again = {NULL, 0};
	bool same = in.size > 0 && gnutls_base64_decode2(&in, &der) >= 0 &&
		    gnutls_base64_encode2(&der, &again) >= 0 && again.size == in.size &&
		    memcmp(again.data, in.data, in.size) == 0;

	gnutls_free(again.data);
	if (!same) {
		gnutls_free(der.data);
		return error_set(e, ERR_UNPROCESSABLE, "not base64 (RFC 4648, section 4)");
	}
	*out = der;
	return ERR_OK;
}

/* No certificate twice; one key for both purposes is none of a person's own. */
static enum err judge_novelty(struct upload *upload, struct error *e)
{
	const struct credential *now = &upload->credential[upload->count];

	for (unsigned i = 0; i < upload->count; i++) {
		const struct credential *old = &upload->credential[i];

		if (memcmp(now->certificate, old->certificate, sizeof(now->certificate)) == 0)
			return error_set(e, ERR_UNPROCESSABLE, "the same certificate is in %s too",
				part_names[old->part]);
		if (now->part == PART_ENCRYPTION && old->part == PART_SIGNING &&
			memcmp(now->key, old->key, sizeof(now->key)) == 0)
			return error_set(e, ERR_UNPROCESSABLE, "the same key is in signing too");
	}
	upload->count++;
	return ERR_OK;
}

static enum err judge_element(
	struct review *r, const cJSON *element, enum part part, struct error *e)
{
	struct upload *upload = r->upload;
	gnutls_datum_t der = {NULL, 0};
	enum err err = ERR_OK;

	if (!cJSON_IsString(element))
		return error_set(e, ERR_UNPROCESSABLE, "not a string");
	if (upload->count == CREDENTIALS_MAX)
		return error_set(e, ERR_UNPROCESSABLE, "over %d credentials", CREDENTIALS_MAX);
	err = unbase64(element->valuestring, &der, e);
	if (!err)
		err = judge_pkcs12(&der, r->password, part, &upload->credential[upload->count], e);
	if (!err)
		err = judge_novelty(upload, e);
	gnutls_free(der.data);
	return err;
}

static enum err judge_part(struct review *r, const cJSON *smime, enum part part, struct error *e)
{
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(smime, part_names[part]);
	const cJSON *element;
	unsigned i = 0;

	if (!array)
		return ERR_OK;
	if (!cJSON_IsArray(array))
		return error_set(e, ERR_UNPROCESSABLE, "%s: not an array", part_names[part]);
	if (!cJSON_GetArraySize(array))
		return error_set(e, ERR_UNPROCESSABLE,
			"%s: empty; a field with nothing in it is left out", part_names[part]);
	cJSON_ArrayForEach(element, array)
	{
		if (judge_element(r, element, part, e))
			return error_context(e, "%s[%u]", part_names[part], i);
		r->upload->counts[part] = ++i;
	}
	return ERR_OK;
}

static enum err judge_root(struct review *r, const cJSON *root, struct error *e)
{
	static const char *const fields[] = {"device_uuid", "user_uuid", "smime_certificates"};
	const cJSON *smime = cJSON_GetObjectItemCaseSensitive(root, "smime_certificates");
	enum err err = judge_members(root, "body", fields, ARRAY_LEN(fields), e);

	if (!err)
		err = take_uuid(root, "device_uuid", r->upload->device_uuid, e);
	if (!err)
		err = take_uuid(root, "user_uuid", r->upload->user_uuid, e);
	if (!err && !smime)
		err = error_set(e, ERR_UNPROCESSABLE, "smime_certificates: missing");
	if (!err)
		err = judge_members(smime, "smime_certificates", part_names, PART_COUNT, e);
	if (!err && !smime->child)
		err = error_set(e, ERR_UNPROCESSABLE, "smime_certificates: nothing in it");
	for (int part = 0; part < PART_COUNT && !err; part++)
		err = judge_part(r, smime, (enum part)part, e);
	return err;
}

enum err judge_upload(
	const char *body, size_t len, const char *password, struct upload *out, struct error *e)
{
	struct review r = {.password = password, .upload = out};
	cJSON *root = NULL;
	enum err err = parse(body, len, &root, e);

	if (!err)
		err = judge_root(&r, root, e);
	cJSON_Delete(root);
	return err;
}
