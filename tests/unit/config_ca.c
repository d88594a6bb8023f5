/* [ca], [ca signing] and [ca encryption]: what each of them has, and may have. */

#include "config_tools.h"

static void test_one_for_all(void **state)
{
	struct config *c = good(LEAST "[ca]\ntype = est\nurl = https://ca.example.com/\n");

	(void)state;
	for (int usage = 0; usage < USAGE_COUNT; usage++)
		assert_ptr_equal(config_ca(c, (enum usage)usage), &c->ca);
	assert_int_equal(c->ca.type, CA_EST);
	assert_string_equal(c->ca.section, "ca");
	assert_string_equal(c->ca.url, "https://ca.example.com");
	assert_int_equal(c->ca.timeout, 30);
	assert_null(c->ca.certificate); /* the default of another type */
	assert_null(c->ca.key);
	assert_int_equal(config_longest(c), 20 + 2 * 30);
	config_free(c);
}

/* A usage's section inherits from [ca] what it does not set. */
static void test_one_key_apart(void **state)
{
	struct config *c = good(LEAST "[ca]\ntype = ejbca\nurl = https://ca.example.com\n"
				      "ca-name = Mail\ncertificate-profile = both\n"
				      "end-entity-profile = staff\nidentity = ra.pfx\n"
				      "timeout = 10s\n"
				      "[ca encryption]\ncertificate-profile = encryption\n");
	const struct config_ca *signing = config_ca(c, USAGE_SIGNING);
	const struct config_ca *encryption = config_ca(c, USAGE_ENCRYPTION);

	(void)state;
	assert_ptr_equal(signing, &c->ca);
	assert_string_equal(signing->certificate_profile, "both");
	assert_string_equal(encryption->section, "ca encryption");
	assert_int_equal(encryption->type, CA_EJBCA);
	assert_string_equal(encryption->certificate_profile, "encryption");
	assert_string_equal(encryption->end_entity_profile, "staff");
	assert_string_equal(encryption->identity, "/etc/certprov/ra.pfx");
	assert_int_equal(encryption->timeout, 10);
	config_free(c);
}

/* A section with another type inherits nothing. */
static void test_another_type_apart(void **state)
{
	struct config *c = good(LEAST "[ca]\ntype = est\nurl = https://ca.example.com\n"
				      "timeout = 10s\n"
				      "[ca encryption]\ntype = local\nkey = pkcs11:object=ca\n");
	const struct config_ca *encryption = config_ca(c, USAGE_ENCRYPTION);

	(void)state;
	assert_int_equal(encryption->type, CA_LOCAL);
	assert_string_equal(encryption->certificate, "/etc/certprov/ca.crt");
	assert_string_equal(encryption->key, "pkcs11:object=ca");
	assert_null(encryption->url);
	assert_int_equal(encryption->timeout, 0);
	assert_int_equal(config_longest(c), 20 + 10);
	config_free(c);
}

/* If each usage has its own section, [ca] may be incomplete. */
static void test_general_part(void **state)
{
	struct config *c = good(LEAST "[ca]\ntype = vault\nurl = https://vault.example.com\n"
				      "token-file = vault.token\n"
				      "[ca signing]\nrole = signing\n"
				      "[ca encryption]\nrole = encryption\n");

	(void)state;
	assert_string_equal(config_ca(c, USAGE_SIGNING)->role, "signing");
	assert_string_equal(config_ca(c, USAGE_ENCRYPTION)->role, "encryption");
	assert_string_equal(config_ca(c, USAGE_ENCRYPTION)->mount, "pki");
	assert_string_equal(
		config_ca(c, USAGE_ENCRYPTION)->token_file, "/etc/certprov/vault.token");
	config_free(c);
}

static void test_keys_of_other_types(void **state)
{
	(void)state;
	assert_refused(LEAST "[ca]\nurl = https://ca.example.com\n",
		":7: [ca] url: a CA with type = local does not use it");
	assert_refused(LEAST "[ca]\ntype = est\nurl = https://ca.example.com\nrole = x\n",
		":9: [ca] role: a CA with type = est does not use it");
	assert_refused(LEAST "[ca]\ntype = est\nurl = https://ca.example.com\n"
			     "[ca signing]\ntype = command\nprogram = /bin/ca\nlabel = x\n",
		":12: [ca signing] label: a CA with type = command does not use it");
}

static void test_missing_keys(void **state)
{
	(void)state;
	assert_refused(LEAST "[ca]\ntype = est\n", ": [ca] url: missing; type = est needs it");
	assert_refused(
		LEAST "[ca]\ntype = command\n", ": [ca] program: missing; type = command needs it");
	assert_refused(LEAST "[ca]\ntype = vault\nurl = https://vault.example.com\n"
			     "[ca signing]\nrole = signing\n",
		": [ca] role: missing; type = vault needs it");
	assert_refused(LEAST "[ca signing]\ntype = step\nurl = https://ca.example.com\n",
		": [ca] provisioner: missing; type = step needs it");
}

static void test_urls(void **state)
{
	static const char why[] = ":8: [ca] url: expected an https:// URL without credentials, "
				  "query or fragment (http:// only to localhost)";
	static const char *const bad[] = {"http://ca.example.com", "http://127.0.0.1.example.com",
		"https://me@ca.example.com", "http://localhost@ca.example.com",
		"https://ca.example.com?x", "https://ca.example.com#x", "https://",
		"ca.example.com", "http://127.0.0.1@ca.example.com/"};
	static const char *const taken[] = {"http://127.0.0.1:8888", "http://[::1]/x",
		"http://localhost", "https://ca.example.com:8443/path"};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(text, sizeof(text), LEAST "[ca]\ntype = est\nurl = %s\n", bad[i]);
		assert_refused(text, why);
	}
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		snprintf(text, sizeof(text), LEAST "[ca]\ntype = est\nurl = %s\n", taken[i]);
		config_free(good(text));
	}
}

/* Any section names files, but a key in a token is not a file. */
static void test_files(void **state)
{
	struct config *c = good(LEAST "[ca]\nkey = pkcs11:object=ca\ncertificate = c.crt\n"
				      "[ca signing]\ntype = est\nurl = https://ca.example.com\n"
				      "ca-file = tls.crt\nidentity = ra.pfx\n");
	size_t at = 0;

	(void)state;
	assert_string_equal(config_next_file(c, "ca", &at), "/etc/certprov/c.crt");
	assert_null(config_next_file(c, "ca", &at));
	at = 0;
	assert_string_equal(config_next_file(c, "ca signing", &at), "/etc/certprov/tls.crt");
	assert_string_equal(config_next_file(c, "ca signing", &at), "/etc/certprov/ra.pfx");
	assert_null(config_next_file(c, "ca signing", &at));
	config_free(c);
}

/* A configuration with encryption alone, by an external CA, needs no local CA. */
static void test_one_usage_alone(void **state)
{
	static const char only[] =
		LEAST "[certificates]\nusages = encryption\n"
		      "[ca encryption]\ntype = est\nurl = https://ca.example.com\n";
	struct config *c = good(only);

	(void)state;
	for (int usage = 0; usage < USAGE_COUNT; usage++)
		assert_string_equal(config_ca(c, (enum usage)usage)->section, "ca encryption");
	assert_int_equal(config_longest(c), 20 + 30);
	config_free(c);
	/* An existing [ca] may have issued certificates of the other usage before. */
	c = good(LEAST "[certificates]\nusages = encryption\n[ca]\ncertificate = ca.crt\n"
		       "[ca encryption]\ntype = est\nurl = https://ca.example.com\n");
	assert_ptr_equal(config_ca(c, USAGE_SIGNING), &c->ca);
	config_free(c);
}

/* An error about an inherited value names the place where it was set. */
static void test_place_of_inherited(void **state)
{
	struct config *c = good(LEAST "[ca]\ntype = est\nurl = https://ca.example.com\n"
				      "label = x\n[ca signing]\nurl = https://b.example.com\n");
	struct error e;

	(void)state;
	config_error(c, "ca signing", "label", &e, "no");
	assert_string_equal(e.text, FILE_NAME ":9: [ca] label: no");
	config_error(c, "ca signing", "url", &e, "no");
	assert_string_equal(e.text, FILE_NAME ":11: [ca signing] url: no");
	config_free(c);
}

/* --- terms: what makes an open order void */

/* Each key of a CA is in this list or marked as no term, so that no new key is forgotten. */
static const char *const terms[] = {"type", "url", "label", "ca-name", "certificate-profile",
	"end-entity-profile", "template", "mount", "role", "namespace", "provisioner", "profile",
	"program"};

static bool is_term(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(terms); i++)
		if (strcmp(terms[i], key) == 0)
			return true;
	return false;
}

/* The terms of a copy of ca with another value of that key. */
static void terms_with_another(
	const struct config_ca *ca, const struct config_key *k, struct buf *out)
{
	static char other[] = "another value";
	struct config_ca changed = *ca;
	char *text = other, *at = (char *)&changed + k->offset - offsetof(struct config, ca);

	if (k->allocated)
		memcpy(at, &text, sizeof(text));
	else
		at[0] ^= 1; /* of a number, or of a name's index */
	config_ca_terms(&changed, out);
	assert_false(out->failed);
}

static void test_terms(void **state)
{
	struct config *c = good(LEAST "[ca]\ntype = est\nurl = https://ca.example.com\n");
	struct buf before = BUF_INIT(4096);
	size_t keys = 0;

	(void)state;
	config_ca_terms(&c->ca, &before);
	assert_string_equal(before.data, "est\nhttps://ca.example.com\n\n\n\n\n\n\n\n\n\n\n\n");
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *k = &config_keys[i];
		struct buf after = BUF_INIT(4096);

		if (strcmp(k->section, "ca") != 0)
			continue;
		keys++;
		if (k->term != CA_TERM_YES && k->term != CA_TERM_NO)
			fail_msg("[ca] %s: is it part of what is ordered?", k->name);
		terms_with_another(&c->ca, k, &after);
		if ((strcmp(before.data, after.data) != 0) != is_term(k->name))
			fail_msg("[ca] %s: %s", k->name, after.data);
		buf_free(&after);
	}
	assert_true(keys > ARRAY_LEN(terms));
	buf_free(&before);
	config_free(c);
}

/* The same keys are terms in each section of a CA. */
static void test_terms_of_each_section(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *k = &config_keys[i];
		bool of_ca = strcmp(k->section, "ca") == 0 || strncmp(k->section, "ca ", 3) == 0;

		if (!of_ca)
			assert_int_equal(k->term, CA_TERM_UNSAID);
		else
			assert_int_equal(k->term, config_key_find("ca", k->name)->term);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_for_all),
		cmocka_unit_test(test_one_key_apart),
		cmocka_unit_test(test_another_type_apart),
		cmocka_unit_test(test_general_part),
		cmocka_unit_test(test_keys_of_other_types),
		cmocka_unit_test(test_missing_keys),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_one_usage_alone),
		cmocka_unit_test(test_place_of_inherited),
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_terms_of_each_section),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
