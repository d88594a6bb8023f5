/* Keys that cost minutes to use are refused where certificates are read. */

#include "chain_recipes.h"

#include <sys/stat.h>

#include "pki/certificate.h"
#include "pki/pkcs12_read.h"

#define SIZE_MAX_BITS 65536

/* A number of that many bits, odd. */
static gnutls_datum_t number(unsigned char *bytes, size_t bits)
{
	size_t len = (bits + 7) / 8;

	memset(bytes, 0x5a, len);
	bytes[0] = (unsigned char)(1U << ((bits - 1) % 8));
	bytes[len - 1] |= 1;
	return (gnutls_datum_t){bytes, (unsigned)len};
}

/* The fixture's CA with a public key of that size that has no private half. */
static struct blob oversized_ca(size_t modulus_bits, size_t exponent_bits)
{
	static unsigned char m[SIZE_MAX_BITS / 8], x[SIZE_MAX_BITS / 8];
	const gnutls_datum_t modulus = number(m, modulus_bits), exponent = number(x, exponent_bits);
	struct authority root = make(&fixture.root, NULL), ca = make(&fixture.ca, &root);
	gnutls_privkey_t signer = NULL;
	gnutls_pubkey_t key = NULL;
	gnutls_datum_t der = {NULL, 0};
	struct blob out = {NULL, 0};

	assert_gnutls(gnutls_pubkey_init(&key));
	assert_gnutls(gnutls_pubkey_import_rsa_raw(key, &modulus, &exponent));
	assert_gnutls(gnutls_x509_crt_set_pubkey(ca.crt, key));
	assert_gnutls(gnutls_privkey_init(&signer));
	assert_gnutls(gnutls_privkey_import_x509(signer, root.key, 0));
	assert_gnutls(gnutls_x509_crt_privkey_sign(ca.crt, root.crt, signer, GNUTLS_DIG_SHA256, 0));
	assert_gnutls(gnutls_x509_crt_export2(ca.crt, GNUTLS_X509_FMT_DER, &der));
	assert_ok(blob_copy(der.data, der.size, &out, e));
	gnutls_free(der.data);
	gnutls_privkey_deinit(signer);
	gnutls_pubkey_deinit(key);
	gnutls_x509_crt_deinit(ca.crt);
	gnutls_x509_crt_deinit(root.crt);
	return out;
}

static const struct {
	size_t modulus, exponent;
	const char *says; /* NULL: it is taken */
} sizes[] = {
	{16384, 17, NULL},
	{4096, 64, NULL},
	{16385, 17, "an RSA modulus of 16385 bits"},
	{65536, 17, "an RSA modulus of 65536 bits"},
	{4096, 65, "an RSA exponent of 65 bits"},
	{16384, 16383, "an RSA exponent of 16383 bits"},
};

/* DER, PEM, PKCS#7 and a file, as they come from a CA or are named in the configuration. */
static void refused_in_every_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct blob der = oversized_ca(sizes[i].modulus, sizes[i].exponent);
		struct blob pem = {NULL, 0};
		struct certificates got = {.count = 0};
		struct chain chain = {0};
		struct certificate_info info;

		assert_ok(certificate_to_pem(&der, &pem, e));
		if (sizes[i].says) {
			assert_err(certificates_add_der(&got, der.data, der.len, e), ERR_REFUSED,
				sizes[i].says);
			assert_err(certificates_add(&got, pem.data, pem.len, e), ERR_REFUSED,
				sizes[i].says);
			assert_err(chain_from_pem(&pem, &chain, e), ERR_CONFIG, sizes[i].says);
			assert_err(certificate_info(&der, &info, e), ERR_REFUSED, sizes[i].says);
			assert_int_equal(got.count, 0);
		} else {
			assert_ok(certificates_add_der(&got, der.data, der.len, e));
			assert_ok(certificates_add(&got, pem.data, pem.len, e));
			assert_ok(chain_from_pem(&pem, &chain, e));
		}
		certificates_free(&got);
		chain_free(&chain);
		blob_free(&pem);
		blob_free(&der);
	}
}

static char *write_pem(const char *folder, const char *name, const struct blob *der)
{
	struct blob pem = {NULL, 0};
	char *path;

	assert_ok(certificate_to_pem(der, &pem, e));
	path = write_file(folder, name, &pem);
	blob_free(&pem);
	return path;
}

/* A .pfx whose own certificate is fine, and the one above it is not. */
static void refused_in_an_identity(void **state)
{
	struct fixture *f = *state;
	struct blob ca = oversized_ca(65536, 17), key = {NULL, 0}, out = {NULL, 0};
	char *folder = new_folder(), *pfx = NULL, *text = NULL;
	gnutls_datum_t pem = {NULL, 0};
	char *leaf_path = write_pem(folder, "leaf.pem", &f->chain.certificate[0]);
	char *ca_path = write_pem(folder, "ca.pem", &ca), *key_path;

	assert_gnutls(gnutls_x509_privkey_export2(f->leaf_key, GNUTLS_X509_FMT_PEM, &pem));
	key = (struct blob){pem.data, pem.size};
	key_path = write_file(folder, "key.pem", &key);
	assert_true(asprintf(&pfx, "%s/identity.pfx", folder) > 0);
	if (TOOL(NULL, &text, "openssl", "pkcs12", "-export", "-inkey", key_path, "-in", leaf_path,
		    "-certfile", ca_path, "-passout", "pass:", "-out", pfx) != 0)
		fail_msg("%s", text);
	assert_int_equal(chmod(pfx, 0600), 0);
	assert_err(pkcs12_read(pfx, NULL, &out, e), ERR_CONFIG, "an RSA modulus of 65536 bits");
	gnutls_free(pem.data);
	free(text);
	free(pfx);
	free(key_path);
	free(ca_path);
	free(leaf_path);
	blob_free(&ca);
	remove_folder(folder);
}

static int set_up_chain(void **state)
{
	set_up(state);
	make_chain(&fixture);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refused_in_every_form, set_up_chain, tear_down),
		cmocka_unit_test_setup_teardown(refused_in_an_identity, set_up_chain, tear_down),
	};

	return cmocka_run_group_tests_name("key_cost", tests, make_keys, free_keys);
}
