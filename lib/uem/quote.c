/* Quotes UEM's answers for the log, without the secrets that [uem] names. */
#include "uem/quote.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"

#define HIDDEN "[...]"
#define TEXT_MAX (8 * 1024 * 1024) /* the largest answer, if each byte of it is hidden */
#define LOGIN_MAX 8192

static void hide(const void *secret, size_t len, struct buf *text)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	const char *from = text->data, *end = from + text->len, *at;

	while (len > 0 && (at = memmem(from, (size_t)(end - from), secret, len))) {
		buf_append(&out, from, (size_t)(at - from));
		buf_puts(&out, HIDDEN);
		from = at + len;
	}
	buf_append(&out, from, (size_t)(end - from));
	buf_free(text);
	*text = out;
}

/* A file that cannot be read was not sent, either. */
static void hide_file(const char *path, const char *username, struct buf *text)
{
	struct buf pair = BUF_INIT(LOGIN_MAX), login = BUF_INIT(LOGIN_MAX);
	struct blob secret = {NULL, 0};
	struct error ignored;

	if (!path || file_read_password(path, &secret, &ignored))
		return;
	hide(secret.data, secret.len, text);
	if (username) {
		buf_printf(&pair, "%s:%s", username, (const char *)secret.data);
		buf_base64(&login, pair.data, pair.len);
		hide(login.data, login.len, text);
	}
	buf_free(&login);
	buf_free(&pair);
	blob_free(&secret);
}

void uem_quote(const struct config *config, const void *said, size_t len, char out[EXCERPT_SIZE])
{
	struct buf text = BUF_INIT(TEXT_MAX);

	*out = '\0';
	if (!said || len == 0)
		return;
	buf_append(&text, said, len);
	hide_file(config->uem.tenant_code_file, NULL, &text);
	hide_file(config->uem.client_secret_file, config->uem.client_id, &text);
	hide_file(config->uem.password_file, config->uem.username, &text);
	if (!text.failed)
		excerpt(text.data, text.len, out);
	buf_free(&text);
}
