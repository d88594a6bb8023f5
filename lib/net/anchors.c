/* The CA certificates that we trust as TLS client, as one file of PEM. */
#include "net/anchors.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

#define PEM_MAX (4 * FILE_SIZE_MAX)

static int import(const struct blob *content, gnutls_x509_crt_t **list, unsigned *count)
{
	gnutls_datum_t data = {content->data, (unsigned)content->len};
	int ret = gnutls_x509_crt_list_import2(list, count, &data, GNUTLS_X509_FMT_PEM, 0);

	if (ret < 0)
		ret = gnutls_x509_crt_list_import2(list, count, &data, GNUTLS_X509_FMT_DER, 0);
	return ret;
}

static void append_pem(gnutls_x509_crt_t certificate, struct buf *out)
{
	gnutls_datum_t pem = {NULL, 0};

	if (gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem) < 0)
		out->failed = true;
	else
		buf_append(out, pem.data, pem.size);
	gnutls_free(pem.data);
}

enum err anchors_open(const char *path, struct memfile *out, struct error *e)
{
	struct blob content = {NULL, 0};
	struct buf pem = BUF_INIT(PEM_MAX);
	gnutls_x509_crt_t *list = NULL;
	unsigned count = 0;
	enum err err = file_read(path, &content, e);

	if (err)
		goto out;
	if (import(&content, &list, &count) < 0 || count == 0) {
		err = error_set(e, ERR_CONFIG, "%s has no certificate, or a broken one", path);
		goto out;
	}
	for (unsigned i = 0; i < count; i++)
		append_pem(list[i], &pem);
	err = pem.failed ? error_memory(e) : memfile_open("ca-file", pem.data, pem.len, out, e);
out:
	for (unsigned i = 0; list && i < count; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	buf_free(&pem);
	blob_free(&content);
	return err;
}

const char *anchors_system(void)
{
	static const char *const places[] = {
		"/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch, Gentoo, Alpine */
		"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, Red Hat */
		"/etc/ssl/ca-bundle.pem",	      /* SUSE */
	};

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	return NULL;
}
