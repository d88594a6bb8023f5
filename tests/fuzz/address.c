/* Any text as a mail address. What is taken must be one, and be taken again as it stands. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "pki/address.h"

static void check_address(const struct address *a)
{
	const char *at = strchr(a->text, '@');
	struct address again;
	struct error e = {.code = ERR_OK};

	assert(at && a->text + a->domain == at + 1 && !strchr(at + 1, '@'));
	assert(at > a->text && at - a->text <= 64 && strchr(at + 1, '.'));
	assert(!utf8_has_control(a->text) && !strpbrk(a->text, " ,;<>\"\\()[]:"));
	assert(address_parse(a->text, &again, &e) == ERR_OK);
	assert(strcmp(again.text, a->text) == 0 && again.ascii_local == a->ascii_local);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address address;
	struct error e = {.code = ERR_OK};
	char *text = strndup((const char *)data, size);

	if (text && address_parse(text, &address, &e) == ERR_OK)
		check_address(&address);
	else
		assert(!text || e.code == ERR_UNPROCESSABLE);
	free(text);
	return 0;
}
