/* Digests what decides whether a failed event can succeed. Digests are only compared. */

#include "provider/config_fingerprint.h"

#include <sys/stat.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"

#define LIST_MAX (64 * 1024)

static void add_file(struct buf *list, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		buf_printf(list, "%s: none\n", path);
	else
		buf_printf(list, "%s: %lld %lld.%09ld\n", path, (long long)st.st_size,
			(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

enum err config_fingerprint(const struct config *config, char out[DIGEST_HEX_SIZE], struct error *e)
{
	static const char *const sections[] = {
		"ca", "ca signing", "ca encryption", "escrow", "uem", "ldap"};
	struct buf list = BUF_INIT(LIST_MAX);
	enum err err;

	buf_puts(&list, PACKAGE_VERSION "\n");
	add_file(&list, config->path);
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		const char *file;
		size_t at = 0;

		while ((file = config_next_file(config, sections[i], &at)))
			add_file(&list, file);
	}
	err = buf_check(&list, e);
	if (!err)
		err = digest_hex(list.data, list.len, out, e);
	buf_free(&list);
	return err;
}
