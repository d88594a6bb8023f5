/* Any bytes as a configuration file. */

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "config/config.h"
#include "fuzz.h"

#define FILE_NAME "/etc/certprov.conf"

static void check_config(const struct config *c)
{
	assert(c->escrow.urls && *c->escrow.urls && c->escrow.identity);
	assert(*c->escrow.identity == '/' && *c->ca.key == '/' && *c->store.sqlite == '/');
	assert((c->events.users_file != NULL) == (c->events.authenticate == AUTHENTICATE_BASIC));
	assert(c->events.max_body >= 1024 && c->escrow.timeout >= 1 && c->escrow.max_rate >= 1);
	assert(*c->identity.mail && *c->identity.name && *c->identity.subject);
	assert(c->certificates.usages[USAGE_SIGNING] || c->certificates.usages[USAGE_ENCRYPTION]);
	assert(c->certificates.renew_within < c->certificates.validity);
	assert(c->escrow.pkcs12_iterations >= 1000);
	assert(!utf8_has_control(c->identity.name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blob text = {NULL, 0};
	struct config *config = NULL;
	struct error e = {.code = ERR_OK};
	enum err err = blob_copy(data, size, &text, &e);

	if (!err)
		err = config_parse(FILE_NAME, (const char *)text.data, text.len, &config, &e);
	if (err) {
		assert(err == ERR_CONFIG && e.code == err && !config);
		assert(strncmp(e.text, FILE_NAME, strlen(FILE_NAME)) == 0);
		assert(utf8_is_valid(e.text, strlen(e.text)));
	} else {
		check_config(config);
	}
	config_free(config);
	blob_free(&text);
	return 0;
}
