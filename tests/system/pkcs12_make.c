/*
 * Writes a PKCS#12 file with our encoder, for pkcs12-judges.sh:
 * pkcs12_make PROFILE ITERATIONS PASSWORD|- OUT {FRIENDLY-NAME KEY.pem CHAIN.pem}...
 */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pki/pkcs12.h"

#define CREDENTIALS_MAX 8

static enum err check(int rc, const char *what, struct error *e)
{
	return rc < 0 ? error_set(e, ERR_CONFIG, "%s: %s", what, gnutls_strerror(rc)) : ERR_OK;
}

static enum err own(gnutls_datum_t *der, struct blob *out, struct error *e)
{
	enum err err = blob_copy(der->data, der->size, out, e);

	gnutls_free(der->data);
	return err;
}

static enum err read_key(const char *path, struct blob *out, struct error *e)
{
	gnutls_datum_t pem = {NULL, 0}, der = {NULL, 0};
	gnutls_x509_privkey_t key = NULL;
	enum err err = check(gnutls_load_file(path, &pem), path, e);

	if (!err)
		err = check(gnutls_x509_privkey_init(&key), path, e);
	if (!err)
		err = check(gnutls_x509_privkey_import(key, &pem, GNUTLS_X509_FMT_PEM), path, e);
	if (!err)
		err = check(gnutls_x509_privkey_export2_pkcs8(
				    key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, &der),
			path, e);
	if (!err)
		err = own(&der, out, e);
	if (key)
		gnutls_x509_privkey_deinit(key);
	gnutls_free(pem.data);
	return err;
}

static enum err read_chain(const char *path, struct chain *out, struct error *e)
{
	gnutls_datum_t pem = {NULL, 0};
	gnutls_x509_crt_t *list = NULL;
	unsigned count = 0;
	enum err err = check(gnutls_load_file(path, &pem), path, e);

	if (!err)
		err = check(gnutls_x509_crt_list_import2(&list, &count, &pem, GNUTLS_X509_FMT_PEM,
				    GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED),
			path, e);
	for (unsigned i = 0; i < count; i++) {
		gnutls_datum_t der = {NULL, 0};

		if (!err && i < CHAIN_MAX)
			err = check(gnutls_x509_crt_export2(list[i], GNUTLS_X509_FMT_DER, &der),
				path, e);
		if (!err && i < CHAIN_MAX)
			err = own(&der, &out->certificate[out->count++], e);
		gnutls_x509_crt_deinit(list[i]);
	}
	gnutls_free(list);
	gnutls_free(pem.data);
	return err;
}

static enum err write_file(const char *path, const struct blob *data, struct error *e)
{
	FILE *f = fopen(path, "wb");
	size_t written = f ? fwrite(data->data, 1, data->len, f) : 0;

	if (!f || fclose(f) != 0 || written != data->len)
		return error_errno(e, ERR_INTERNAL, "%s", path);
	return ERR_OK;
}

struct credential {
	struct blob key;
	struct chain chain;
};

/* Three arguments each. */
static enum err pack(char **args, size_t count, const struct pkcs12_options *options,
	struct blob *out, struct error *e)
{
	struct credential credentials[CREDENTIALS_MAX] = {0};
	struct pkcs12_entry entries[CREDENTIALS_MAX];
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < count; i++) {
		struct credential *c = &credentials[i];

		entries[i] = (struct pkcs12_entry){&c->key, &c->chain, args[3 * i]};
		err = read_key(args[3 * i + 1], &c->key, e);
		if (!err)
			err = read_chain(args[3 * i + 2], &c->chain, e);
	}
	if (!err)
		err = pkcs12_encode(entries, count, options, out, e);
	for (size_t i = 0; i < count; i++) {
		blob_free(&credentials[i].key);
		chain_free(&credentials[i].chain);
	}
	return err;
}

int main(int argc, char **argv)
{
	struct pkcs12_options options = {.profile = PKCS12_LEGACY};
	size_t count = argc > 5 ? (size_t)(argc - 5) / 3 : 0;
	struct blob pfx = {NULL, 0};
	struct error e = {.code = ERR_OK};
	int64_t iterations = 0;
	enum err err;

	if (count == 0 || count > CREDENTIALS_MAX || argc != 5 + 3 * (int)count ||
		!text_number(argv[2], INT32_MAX, &iterations)) {
		fprintf(stderr, "usage: pkcs12_make legacy|modern ITERATIONS PASSWORD|- OUT "
				"{FRIENDLY-NAME KEY.pem CHAIN.pem}...\n");
		return 2;
	}
	if (strcmp(argv[1], "modern") == 0)
		options.profile = PKCS12_MODERN;
	options.iterations = (unsigned)iterations;
	options.password = strcmp(argv[3], "-") == 0 ? NULL : argv[3];
	err = pack(argv + 5, count, &options, &pfx, &e);
	if (!err)
		err = write_file(argv[4], &pfx, &e);
	if (err)
		fprintf(stderr, "pkcs12_make: %s\n", e.text);
	blob_free(&pfx);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
