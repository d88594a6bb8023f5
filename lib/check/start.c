/*
 * Checks the files that the handler reads when it starts, without network, store or token: for
 * `certprov config test`, which runs before each start and reload. provider_check() is the thorough
 * one.
 */

#include "check/checkup.h"
#include "config/users.h"
#include "escrow/escrow.h"
#include "pki/token.h"
#include "provider/internal.h"

static void try_users(struct checkup *c, const char *what, const char *file)
{
	struct users users = {0, NULL};
	struct error e;
	enum err err = file ? users_load(file, &users, &e) : ERR_OK;

	if (err)
		checkup_found(c, what, err, e.text);
	users_free(&users);
}

static void try_password(struct checkup *c)
{
	const char *file = c->config->escrow.pkcs12_password_file;
	struct blob password = {NULL, 0};
	struct error e;
	enum err err = file ? read_pkcs12_password(file, &password, &e) : ERR_OK;

	if (err)
		checkup_found(c, "escrow.pkcs12-password-file", err, e.text);
	blob_free(&password);
}

/* A token may need a while to be there; its keys are tried when they are used. */
static void try_ca(struct checkup *c, const struct config_ca *section)
{
	struct ca *ca = NULL;
	struct error e;
	enum err err = ERR_OK;

	if (!token_is_url(section->key))
		err = ca_open(c->config, section, &ca, &e);
	if (err)
		checkup_found(c, section->section, err, e.text);
	ca_close(ca);
}

enum err provider_check_start(const struct config *config, provider_report *report, void *ctx)
{
	const struct config_ca *signing = config_ca(config, USAGE_SIGNING);
	const struct config_ca *encryption = config_ca(config, USAGE_ENCRYPTION);
	struct checkup c = {.config = config, .report = report, .ctx = ctx};
	struct escrow *escrow = NULL;
	struct error e;
	enum err err;

	try_users(&c, "events.users-file", config->events.users_file);
	try_users(&c, "admin.users-file", config->admin.users_file);
	err = subject_check_config(config, &e);
	if (err)
		checkup_found(&c, "identity", err, e.text);
	try_ca(&c, signing);
	if (encryption != signing)
		try_ca(&c, encryption);
	err = escrow_open(config, &escrow, &e);
	if (err)
		checkup_found(&c, "escrow", err, e.text);
	escrow_close(escrow);
	try_password(&c);
	return c.worst;
}
