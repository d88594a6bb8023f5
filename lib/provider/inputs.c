#include "provider/inputs.h"

#include <sys/stat.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"

#define LIST_MAX (64 * 1024)

static void add_file(struct buf *list, const char *path)
{
	struct stat st;

	if (!path)
		return;
	if (stat(path, &st) < 0)
		buf_printf(list, "%s: none\n", path);
	else
		buf_printf(list, "%s: %lld %lld.%09ld\n", path, (long long)st.st_size,
			(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

enum err inputs_digest(const struct config *config, char out[DIGEST_HEX_SIZE], struct error *e)
{
	const char *const files[] = {config->path, config->ca.certificate, config->ca.key,
		config->escrow.identity, config->escrow.identity_password_file,
		config->escrow.ca_file, config->escrow.pkcs12_password_file};
	struct buf list = BUF_INIT(LIST_MAX);
	enum err err;

	buf_puts(&list, PACKAGE_VERSION "\n");
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		add_file(&list, files[i]);
	err = buf_check(&list, e);
	if (!err)
		err = digest_hex(list.data, list.len, out, e);
	buf_free(&list);
	return err;
}
