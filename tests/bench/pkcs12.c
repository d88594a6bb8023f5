/* CPU time of a PKCS#12 file: by our encoder at several iteration counts, and by GnuTLS's. */
#include <gnutls/gnutls.h>
#include <gnutls/pkcs12.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pki/pkcs12.h"

#define BUDGET_US 300000.0 /* of CPU for each line */

static const char *const profile_names[] = {[PKCS12_LEGACY] = "legacy", [PKCS12_MODERN] = "modern"};

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(int rc, const char *what)
{
	if (rc < 0) {
		fprintf(stderr, "%s: %s\n", what, gnutls_strerror(rc));
		exit(EXIT_FAILURE);
	}
}

static gnutls_x509_crt_t self_signed(gnutls_x509_privkey_t key)
{
	gnutls_x509_crt_t crt = NULL;

	must(gnutls_x509_crt_init(&crt), "certificate");
	must(gnutls_x509_crt_set_dn(crt, "CN=Bench", NULL), "name");
	must(gnutls_x509_crt_set_serial(crt, "\x01", 1), "serial");
	must(gnutls_x509_crt_set_key(crt, key), "key");
	must(gnutls_x509_crt_set_activation_time(crt, 1700000000), "time");
	must(gnutls_x509_crt_set_expiration_time(crt, 2000000000), "time");
	must(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), "signature");
	return crt;
}

static void ours(const struct blob *pkcs8, const struct chain *chain, enum pkcs12_profile profile,
	unsigned iterations)
{
	const struct pkcs12_options options = {profile, iterations, "secret"};
	const struct pkcs12_entry entry = {pkcs8, chain, "Bench"};
	double start = cpu_us(), used = 0;
	int files = 0;

	while (used < BUDGET_US) {
		struct blob out = {NULL, 0};
		struct error e = {.code = ERR_OK};

		if (pkcs12_encode(&entry, 1, &options, &out, &e) != ERR_OK) {
			fprintf(stderr, "%s\n", e.text);
			exit(EXIT_FAILURE);
		}
		blob_free(&out);
		files++;
		used = cpu_us() - start;
	}
	printf("%-8s %7u iterations %10.0f us a file\n", profile_names[profile], iterations,
		used / files);
}

static void gnutls_own(gnutls_x509_crt_t crt, const gnutls_datum_t *pkcs8)
{
	double start = cpu_us();
	gnutls_pkcs12_t pkcs12 = NULL;
	gnutls_pkcs12_bag_t certificates = NULL, key = NULL;
	gnutls_datum_t out = {NULL, 0};

	must(gnutls_pkcs12_init(&pkcs12), "PKCS#12");
	must(gnutls_pkcs12_bag_init(&certificates), "bag");
	must(gnutls_pkcs12_bag_set_crt(certificates, crt), "bag");
	must(gnutls_pkcs12_bag_encrypt(certificates, "secret", GNUTLS_PKCS_PKCS12_3DES), "bag");
	must(gnutls_pkcs12_set_bag(pkcs12, certificates), "bag");
	must(gnutls_pkcs12_bag_init(&key), "bag");
	must(gnutls_pkcs12_bag_set_data(key, GNUTLS_BAG_PKCS8_KEY, pkcs8), "bag");
	must(gnutls_pkcs12_bag_encrypt(key, "secret", GNUTLS_PKCS_PKCS12_3DES), "bag");
	must(gnutls_pkcs12_set_bag(pkcs12, key), "bag");
	must(gnutls_pkcs12_generate_mac(pkcs12, "secret"), "MAC");
	must(gnutls_pkcs12_export2(pkcs12, GNUTLS_X509_FMT_DER, &out), "export");
	printf("%-8s %7u iterations %10.0f us a file\n", "GnuTLS", 600000, cpu_us() - start);
	gnutls_free(out.data);
	gnutls_pkcs12_bag_deinit(key);
	gnutls_pkcs12_bag_deinit(certificates);
	gnutls_pkcs12_deinit(pkcs12);
}

int main(void)
{
	static const unsigned iterations[] = {1, 2048, 10000, 100000};
	gnutls_x509_privkey_t key = NULL;
	gnutls_datum_t pkcs8 = {NULL, 0}, der = {NULL, 0};
	gnutls_x509_crt_t crt;

	must(gnutls_x509_privkey_init(&key), "key");
	must(gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, 2048, 0), "key");
	must(gnutls_x509_privkey_export2_pkcs8(
		     key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, &pkcs8),
		"key");
	crt = self_signed(key);
	must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), "certificate");
	for (size_t p = 0; p < ARRAY_LEN(profile_names); p++)
		for (size_t i = 0; i < ARRAY_LEN(iterations); i++)
			ours(&(struct blob){pkcs8.data, pkcs8.size},
				&(struct chain){1, {{der.data, der.size}}}, (enum pkcs12_profile)p,
				iterations[i]);
	gnutls_own(crt, &pkcs8);
	gnutls_free(der.data);
	gnutls_free(pkcs8.data);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	return EXIT_SUCCESS;
}
