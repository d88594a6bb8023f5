/* The password of the PKCS#12 files that carry private keys to the Escrow Gateway. */

#include <stdio.h>

#include "check/subject.h"
#include "provider/pkcs12_password.h"

#define ABOUT "PKCS#12 password"

/* .NET refuses such a file as an attack by the time that it takes. */
#define ITERATIONS_WITHOUT_PASSWORD 300000

static void warn_of_none(struct check *c)
{
	bool many = c->config->escrow.pkcs12_iterations > ITERATIONS_WITHOUT_PASSWORD;
	char more[128] = "";

	if (many)
		snprintf(more, sizeof(more),
			"; or, as a gateway on .NET refuses such files, lower pkcs12-iterations "
			"to %d",
			ITERATIONS_WITHOUT_PASSWORD);
	finding_warn(c, ABOUT,
		"there is none, so private keys go to the Escrow Gateway without one" FIX
		"set pkcs12-password-file in [escrow] to what the gateway expects%s",
		more);
}

static bool is_ascii(const struct blob *text)
{
	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] >= 0x80)
			return false;
	return true;
}

static void check(struct check *c)
{
	const char *file = c->config->escrow.pkcs12_password_file;
	struct blob password = {NULL, 0};
	struct error e;
	enum err err;

	if (!file) {
		warn_of_none(c);
		return;
	}
	err = pkcs12_password_read(file, &password, &e);
	if (!err && c->config->escrow.pkcs12 == PKCS12_LEGACY && !is_ascii(&password))
		finding_warn(c, ABOUT,
			"%s has characters that are not ASCII, which old importers (those that "
			"pkcs12 = legacy is for) read in different ways" FIX
			"choose another password, also at the gateway, or set pkcs12 = modern",
			file);
	else
		finding_result(c, ABOUT, err, &e, file);
	blob_free(&password);
}

const struct check_subject subject_password = {check, check};
