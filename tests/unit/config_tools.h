#ifndef TESTS_UNIT_CONFIG_TOOLS_H
#define TESTS_UNIT_CONFIG_TOOLS_H

/* What the tests of the configuration share. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "config/config.h"
#include "config/keys.h"

#define FILE_NAME "/etc/certprov/certprov.conf"
#define PIN "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define LEAST                            \
	"[events]\n"                     \
	"users-file = uem.users\n"       \
	"[escrow]\n"                     \
	"url = https://eg.example.com\n" \
	"identity = eg.pfx\n"

static enum err parse(const char *text, struct config **out, struct error *e)
{
	*e = (struct error){.code = ERR_OK};
	return config_parse(FILE_NAME, text, strlen(text), out, e);
}

static struct config *good(const char *text)
{
	struct config *config = NULL;
	struct error e;

	if (parse(text, &config, &e))
		fail_msg("%s\n%s", text, e.text);
	return config;
}

/* Expects a refusal with exactly that text, apart from the name of the file. */
static void assert_refused(const char *text, const char *why)
{
	struct config *config = NULL;
	struct error e;

	if (parse(text, &config, &e) != ERR_CONFIG)
		fail_msg("taken:\n%s", text);
	assert_null(config);
	assert_int_equal(e.code, ERR_CONFIG);
	if (strncmp(e.text, FILE_NAME, strlen(FILE_NAME)) != 0 ||
		strcmp(e.text + strlen(FILE_NAME), why) != 0)
		fail_msg("%s\nsays \"%s\", not \"%s\"", text, e.text, why);
}

#endif
