/*
 * What uploads hold, a line each, for tests that compare hundreds of them:
 *
 *	escrow-contents PASSWORD-FILE UPLOAD.json...
 *
 * Device, user, then serial, key and mail address of the signing credential and
 * the same of the encryption one, then the serials of the archived ones; a part
 * that has none is "-". An upload that the simulator would not take is an error.
 */

#include <gnutls/gnutls.h>
#include <stdio.h>

#include "base/file.h"
#include "base/text.h"
#include "tests/peers/escrow-judge.h"

#define KEY_SHOWN 8 /* octets: enough to tell them apart */

static void print_current(const struct upload *upload, enum part part)
{
	char key[2 * KEY_SHOWN + 1];

	for (unsigned i = 0; i < upload->count; i++) {
		const struct credential *c = &upload->credential[i];

		if (c->part != part)
			continue;
		text_hex(c->key, KEY_SHOWN, key);
		printf(" %s %s %s", c->serial, key, *c->mail ? c->mail : "-");
		return;
	}
	printf(" - - -");
}

static void print_archived(const struct upload *upload)
{
	const char *before = " ";

	for (unsigned i = 0; i < upload->count; i++) {
		if (upload->credential[i].part != PART_ARCHIVED)
			continue;
		printf("%s%s", before, upload->credential[i].serial);
		before = ",";
	}
	printf("%s\n", *before == ' ' ? " -" : "");
}

static enum err print_upload(const char *path, const char *password, struct error *e)
{
	struct upload upload = {.count = 0};
	struct blob body = {NULL, 0};
	enum err err = file_read(path, &body, e);

	if (!err)
		err = judge_upload((const char *)body.data, body.len, password, &upload, e);
	blob_free(&body);
	if (err)
		return error_context(e, "%s", path);
	printf("%s %s", upload.device_uuid, upload.user_uuid);
	print_current(&upload, PART_SIGNING);
	print_current(&upload, PART_ENCRYPTION);
	print_archived(&upload);
	return ERR_OK;
}

int main(int argc, char **argv)
{
	struct blob password = {NULL, 0};
	struct error e = {.code = ERR_OK};
	enum err err = argc < 3 ? error_set(&e, ERR_USAGE, "escrow-contents PASSWORD-FILE FILE...")
				: file_read_password(argv[1], &password, &e);

	for (int i = 2; i < argc && !err; i++)
		err = print_upload(argv[i], (const char *)password.data, &e);
	blob_free(&password);
	if (err)
		fprintf(stderr, "%s\n", e.text);
	return error_meaning(err)->exit_status;
}
