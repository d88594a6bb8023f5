/* What the keys of the configuration may be, and what they are when they are not set. */

#include "config_tools.h"

/* Puts one key into a configuration that is good without it. */
static void compose(struct buf *out, const char *section, const char *key, const char *value)
{
	static const char *const least[][3] = {{"events", "users-file", "uem.users"},
		{"escrow", "url", "https://eg.example.com"}, {"escrow", "identity", "eg.pfx"}};
	const char *current = "";

	buf_printf(out, "[%s]\n%s = %s\n", section, key, value);
	for (size_t i = 0; i < ARRAY_LEN(least); i++) {
		bool same = strcmp(least[i][0], section) == 0;

		if (same && strcmp(least[i][1], key) != 0)
			buf_printf(out, "%s = %s\n", least[i][1], least[i][2]);
	}
	for (size_t i = 0; i < ARRAY_LEN(least); i++) {
		if (strcmp(least[i][0], section) == 0)
			continue;
		if (strcmp(least[i][0], current) != 0)
			buf_printf(out, "[%s]\n", least[i][0]);
		current = least[i][0];
		buf_printf(out, "%s = %s\n", least[i][1], least[i][2]);
	}
}

static struct config *good_with(const char *section, const char *key, const char *value)
{
	struct buf text = BUF_INIT(16384);
	struct config *config;

	compose(&text, section, key, value);
	config = good(text.data);
	buf_free(&text);
	return config;
}

static void assert_value_refused(
	const char *section, const char *key, const char *value, const char *expected)
{
	struct buf text = BUF_INIT(16384), why = BUF_INIT(1024);

	compose(&text, section, key, value);
	buf_printf(&why, ":2: [%s] %s: expected %s", section, key, expected);
	assert_refused(text.data, why.data);
	buf_free(&text);
	buf_free(&why);
}

static void test_defaults(void **state)
{
	struct config *c = good(LEAST);

	(void)state;
	assert_string_equal(c->path, FILE_NAME);
	assert_string_equal(c->events.users_file, "/etc/certprov/uem.users");
	assert_int_equal(c->events.authenticate, AUTHENTICATE_BASIC);
	assert_int_equal(c->events.max_body, 65536);
	assert_null(c->admin.users_file);
	assert_string_equal(c->identity.mail[0], "{EnrollmentEmailAddress}");
	assert_null(c->identity.mail[1]);
	assert_string_equal(c->identity.name, "{EnrollmentUserName}");
	assert_string_equal(c->identity.subject, "CN={name}");
	assert_null(c->identity.allowed_domains[0]);
	assert_string_equal(c->ca.certificate, "/etc/certprov/ca.crt");
	assert_string_equal(c->ca.key, "/etc/certprov/ca.key");
	assert_null(c->ca.crl_url);
	assert_null(c->ca.issuer_url);
	assert_int_equal(c->ca.crl_validity, 7 * 86400);
	assert_int_equal(c->events.on_unenroll, UNENROLL_KEEP);
	assert_string_equal(c->escrow.urls[0], "https://eg.example.com");
	assert_null(c->escrow.urls[1]);
	assert_string_equal(c->escrow.identity, "/etc/certprov/eg.pfx");
	assert_null(c->escrow.identity_password_file);
	assert_null(c->escrow.ca_file);
	assert_null(c->escrow.pinned_key);
	assert_int_equal(c->escrow.pkcs12, PKCS12_LEGACY);
	assert_int_equal(c->escrow.pkcs12_iterations, 2048);
	assert_null(c->escrow.pkcs12_password_file);
	assert_int_equal(c->escrow.timeout, 20);
	assert_int_equal(c->escrow.tls_max, TLS_MAX_1_3);
	assert_int_equal(c->escrow.max_rate, 30);
	assert_string_equal(c->store.sqlite, "/etc/certprov/certprov.db");
	assert_string_equal(c->store.key_file, "/etc/certprov/store.key");
	assert_int_equal(c->log.target, LOG_TARGET_AUTO);
	assert_int_equal(c->log.format, LOG_FORMAT_TEXT);
	assert_int_equal(c->log.level, LOG_LEVEL_INFO);
	config_free(c);
}

static void test_default_certificates(void **state)
{
	struct config *c = good(LEAST);

	(void)state;
	assert_true(c->certificates.usages[USAGE_SIGNING]);
	assert_true(c->certificates.usages[USAGE_ENCRYPTION]);
	assert_int_equal(c->certificates.key[USAGE_SIGNING], KEY_RSA_2048);
	assert_int_equal(c->certificates.key[USAGE_ENCRYPTION], KEY_RSA_2048);
	assert_int_equal(c->certificates.signing_scope, SIGNING_SCOPE_DEVICE);
	assert_int_equal(c->certificates.validity, 365 * 86400);
	assert_null(c->certificates.policies[0]);
	assert_int_equal(c->certificates.renew_within, 30 * 86400);
	assert_int_equal(c->certificates.archive_max, 20);
	assert_int_equal(c->certificates.key_pool, 32);
	config_free(c);
}

static const char everything[] =
	"; as certprov.conf(5) has it\n"
	"[events]\n"
	"users-file = /srv/uem.users   ; a comment\n"
	"authenticate = basic\n"
	"max-body = 1m\n"
	"on-unenroll = revoke-all\n"
	"[admin]\n"
	"users-file = admin.users\n"
	"[identity]\n"
	"source = event\n"
	"mail = {EnrollmentEmailAddress}, {EnrollmentUserName}@example.com   ; in order\n"
	"name = {EnrollmentUserName}\n"
	"subject = CN={name},O=Example\n"
	"allowed-domains = Example.com, XN--BCHER-KVA.example\n"
	"[certificates]\n"
	"usages = encryption\n"
	"signing-scope = user\n"
	"signing-key = ec-p256\n"
	"key = rsa-4096\n"
	"validity = 730d\n"
	"policies = 1.3.6.1.4.1.32473.1, 2.999\n"
	"renew-within = 12h\n"
	"archive-max = 0\n"
	"key-pool = 0\n"
	"[ca]\n"
	"type = local\n"
	"certificate = pki/ca.crt\n"
	"key = /srv/ca.key\n"
	"crl-url = http://pki.example.com/certprov/ca.crl\n"
	"issuer-url = https://pki.example.com/ca.cer\n"
	"crl-validity = 12h\n"
	"[escrow]\n"
	"url = https://eg1.example.com/, https://eg2.example.com:8443/base//\n"
	"identity = certificate.pfx\n"
	"identity-password-file = certificate.password\n"
	"ca-file = eg-ca.pem\n"
	"pinned-key = " PIN "\n"
	"pkcs12 = modern\n"
	"pkcs12-password-file = p12.password\n"
	"timeout = 5m\n"
	"max-rate = 1000\n"
	"tls-max = 1.2\n"
	"[store]\n"
	"url = sqlite:/var/lib/certprov/certprov.db\n"
	"key-file = /etc/store.key\n"
	"[log]\n"
	"target = syslog\n"
	"format = json\n"
	"level = debug\n";

static void test_everything(void **state)
{
	struct config *c = good(everything);

	(void)state;
	assert_string_equal(c->events.users_file, "/srv/uem.users");
	assert_int_equal(c->events.max_body, 1048576);
	assert_string_equal(c->admin.users_file, "/etc/certprov/admin.users");
	assert_string_equal(c->identity.mail[1], "{EnrollmentUserName}@example.com");
	assert_null(c->identity.mail[2]);
	assert_string_equal(c->identity.subject, "CN={name},O=Example");
	assert_string_equal(c->identity.allowed_domains[0], "example.com");
	assert_string_equal(c->identity.allowed_domains[1], "xn--bcher-kva.example");
	assert_false(c->certificates.usages[USAGE_SIGNING]);
	assert_true(c->certificates.usages[USAGE_ENCRYPTION]);
	assert_int_equal(c->certificates.key[USAGE_SIGNING], KEY_EC_P256);
	assert_int_equal(c->certificates.key[USAGE_ENCRYPTION], KEY_RSA_4096);
	assert_int_equal(c->certificates.signing_scope, SIGNING_SCOPE_USER);
	assert_int_equal(c->certificates.validity, 730 * 86400);
	assert_string_equal(c->certificates.policies[0], "1.3.6.1.4.1.32473.1");
	assert_string_equal(c->certificates.policies[1], "2.999");
	assert_int_equal(c->certificates.renew_within, 43200);
	assert_int_equal(c->certificates.archive_max, 0);
	assert_int_equal(c->certificates.key_pool, 0);
	config_free(c);
}

static void test_everything_outside(void **state)
{
	struct config *c = good(everything);

	(void)state;
	assert_string_equal(c->ca.certificate, "/etc/certprov/pki/ca.crt");
	assert_string_equal(c->ca.key, "/srv/ca.key");
	assert_string_equal(c->ca.crl_url, "http://pki.example.com/certprov/ca.crl");
	assert_string_equal(c->ca.issuer_url, "https://pki.example.com/ca.cer");
	assert_int_equal(c->ca.crl_validity, 12 * 3600);
	assert_int_equal(c->events.on_unenroll, UNENROLL_REVOKE_ALL);
	assert_string_equal(c->escrow.urls[0], "https://eg1.example.com");
	assert_string_equal(c->escrow.urls[1], "https://eg2.example.com:8443/base");
	assert_null(c->escrow.urls[2]);
	assert_string_equal(c->escrow.identity_password_file, "/etc/certprov/certificate.password");
	assert_string_equal(c->escrow.ca_file, "/etc/certprov/eg-ca.pem");
	assert_string_equal(c->escrow.pinned_key, PIN);
	assert_int_equal(c->escrow.pkcs12, PKCS12_MODERN);
	assert_int_equal(c->escrow.tls_max, TLS_MAX_1_2);
	assert_int_equal(c->escrow.pkcs12_iterations, 10000);
	assert_string_equal(c->escrow.pkcs12_password_file, "/etc/certprov/p12.password");
	assert_int_equal(c->escrow.timeout, 300);
	assert_int_equal(c->escrow.max_rate, 1000);
	assert_string_equal(c->store.sqlite, "/var/lib/certprov/certprov.db");
	assert_string_equal(c->store.key_file, "/etc/store.key");
	assert_int_equal(c->log.target, LOG_TARGET_SYSLOG);
	assert_int_equal(c->log.format, LOG_FORMAT_JSON);
	assert_int_equal(c->log.level, LOG_LEVEL_DEBUG);
	config_free(c);
}

/* A good value for a key without a default. */
static const char *value_of(const struct config_key *k)
{
	const char *key = k->name;

	if (strcmp(k->section, "ldap") == 0 && strcmp(key, "url") == 0)
		return "ldaps://example.com";
	if (strstr(key, "url") || strcmp(key, "proxy") == 0)
		return "https://example.com";
	if (strcmp(key, "pinned-key") == 0)
		return PIN;
	if (strcmp(key, "pkcs12-iterations") == 0)
		return "5000";
	return strstr(key, "-key") ? "ec-p256" : "file";
}

static void test_every_key_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *k = &config_keys[i];
		struct buf text = BUF_INIT(1024), why = BUF_INIT(256);
		const char *value = k->fallback ? k->fallback : value_of(k);

		buf_printf(&text, "[%s]\n%s = %s\n\n%s = x\n", k->section, k->name, value, k->name);
		buf_printf(&why, ":4: [%s] %s is set twice, first in line 2", k->section, k->name);
		assert_refused(text.data, why.data);
		buf_free(&text);
		buf_free(&why);
	}
}

static void test_every_key_empty(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (k->fallback && !*k->fallback)
			config_free(good_with(k->section, k->name, ""));
		else
			assert_value_refused(k->section, k->name, "", "a value");
	}
}

static void test_kinds(void **state)
{
	static const struct {
		const char *section, *key, *bad, *expected;
	} cases[] = {
		{"events", "authenticate", "Basic", "one of basic, web-server, none"},
		{"events", "on-unenroll", "revoke", "one of keep, revoke-signing, revoke-all"},
		{"identity", "source", "directory", "one of event, uem, ldap"},
		{"certificates", "signing-scope", "users", "one of device, user"},
		{"certificates", "key", "rsa-1024",
			"one of rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384"},
		{"certificates", "signing-key", "rsa",
			"one of rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384"},
		{"certificates", "encryption-key", "ed25519",
			"one of rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384"},
		{"certificates", "usages", "signing, both", "signing, encryption or both"},
		{"certificates", "usages", ",", "signing, encryption or both"},
		{"ca", "type", "acme",
			"one of local, est, ejbca, adcs, vault, step, cfssl, command"},
		{"escrow", "pkcs12", "aes", "one of legacy, modern"},
		{"escrow", "tls-max", "1.1", "one of 1.3, 1.2"},
		{"log", "target", "file", "one of auto, stderr, syslog, journal"},
		{"log", "level", "INFO", "one of error, warning, info, debug"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_value_refused(
			cases[i].section, cases[i].key, cases[i].bad, cases[i].expected);
}

static void test_ranges(void **state)
{
	static const char validity[] = "a duration such as 90s, 10m, 12h or 365d, from 86400s to "
				       "3650d";
	static const char renew[] = "a duration such as 90s, 10m, 12h or 365d, from 0s to 3650d";
	static const char crl[] = "a duration such as 90s, 10m, 12h or 365d, from 3600s to 365d";
	static const char timeout[] = "a duration such as 90s, 10m, 12h or 365d, from 1s to 300s";
	static const char body[] = "a size such as 4096, 64k or 1m, from 1024 to 1048576 bytes";
	static const struct {
		const char *section, *key, *least, *most, *below, *above, *odd, *expected;
	} cases[] = {
		{"events", "max-body", "1k", "1m", "1023", "1048577", "64 k", body},
		{"certificates", "validity", "31d", "3650d", "86399s", "3651d", "365", validity},
		{"certificates", "renew-within", "0s", "364d", "-1s", "3651d", "1w", renew},
		{"ca", "crl-validity", "1h", "365d", "3599s", "366d", "7", crl},
		{"certificates", "archive-max", "0", "1000", "-1", "1001", "2x",
			"a number from 0 to 1000"},
		{"certificates", "key-pool", "0", "256", "-1", "257", "0x10",
			"a number from 0 to 256"},
		{"escrow", "pkcs12-iterations", "1000", "1000000", "999", "1000001", "1e4",
			"a number from 1000 to 1000000"},
		{"escrow", "timeout", "1s", "5m", "0s", "301s", "20", timeout},
		{"escrow", "max-rate", "1", "1000", "0", "1001", "30/s", "a number from 1 to 1000"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		config_free(good_with(cases[i].section, cases[i].key, cases[i].least));
		config_free(good_with(cases[i].section, cases[i].key, cases[i].most));
		assert_value_refused(
			cases[i].section, cases[i].key, cases[i].below, cases[i].expected);
		assert_value_refused(
			cases[i].section, cases[i].key, cases[i].above, cases[i].expected);
		assert_value_refused(
			cases[i].section, cases[i].key, cases[i].odd, cases[i].expected);
		assert_value_refused(cases[i].section, cases[i].key, "99999999999999999999999999d",
			cases[i].expected);
	}
}

static void test_urls(void **state)
{
	static const char *const bad[] = {"eg.example.com", "http://eg.example.com", "https://",
		"https:///v2", "https://user@eg", "https://eg?x", "https://eg#x", "https://a b",
		"https://eg, ftp://eg", "https://e\\g"};
	static const char *const bad_public[] = {
		"pki.example.com", "ldap://x", "http://", "http:///x", "http://a b", "HTTP://x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_value_refused("escrow", "url", bad[i],
			"https:// URLs without credentials, query or fragment");
	assert_value_refused("escrow", "url", ",", "at least one https:// URL");
	for (size_t i = 0; i < ARRAY_LEN(bad_public); i++) {
		assert_value_refused("ca", "crl-url", bad_public[i], "an http:// URL");
		assert_value_refused("ca", "issuer-url", bad_public[i], "an http:// URL");
	}
}

static void test_other_values(void **state)
{
	static const char pin[] = "sha256// and the base64 of a SHA-256 of the public key";
	static const char oids[] = "OIDs such as 1.3.6.1.4.1.32473.1";
	static const char *const bad_oids[] = {"1", "1.", "1..2", ".1", "3.1", "1.02", "1.2.x",
		"-1.2", "1.2.", "1.2 3", "1.40", "1.2.4294967296"};
	static const char domains[] = "domains such as example.com, international ones as xn--";

	(void)state;
	assert_value_refused("escrow", "pinned-key", "sha256//", pin);
	assert_value_refused("escrow", "pinned-key", "47DEQpj8HBSa", pin);
	assert_value_refused("escrow", "pinned-key", PIN "=", pin);
	assert_value_refused("escrow", "pinned-key",
		"sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=", pin);
	assert_value_refused(
		"store", "url", "certprov.db", "sqlite:FILE (this version has no other engine)");
	assert_value_refused(
		"store", "url", "sqlite:", "sqlite:FILE (this version has no other engine)");
	assert_value_refused("identity", "mail", ", ,", "at least one template");
	assert_value_refused("identity", "allowed-domains", "a.example, @example.com", domains);
	assert_value_refused("identity", "allowed-domains",
		"b\xc3\xbc"
		"cher.example",
		domains);
	for (size_t i = 0; i < ARRAY_LEN(bad_oids); i++)
		assert_value_refused("certificates", "policies", bad_oids[i], oids);
	config_free(good_with("certificates", "policies", "0.0, 2.5.29.32.0"));
}

static void assert_keys(const char *value, enum key_type signing, enum key_type encryption)
{
	struct buf text = BUF_INIT(1024);
	struct config *c;

	buf_printf(&text, LEAST "[certificates]\n%s", value);
	c = good(text.data);
	assert_int_equal(c->certificates.key[USAGE_SIGNING], signing);
	assert_int_equal(c->certificates.key[USAGE_ENCRYPTION], encryption);
	config_free(c);
	buf_free(&text);
}

static void test_keys_in_any_order(void **state)
{
	(void)state;
	assert_keys("key = ec-p384\n", KEY_EC_P384, KEY_EC_P384);
	assert_keys("signing-key = ec-p256\n", KEY_EC_P256, KEY_RSA_2048);
	assert_keys("encryption-key = rsa-3072\n", KEY_RSA_2048, KEY_RSA_3072);
	assert_keys("key = rsa-4096\nsigning-key = ec-p256\n", KEY_EC_P256, KEY_RSA_4096);
	assert_keys("encryption-key = ec-p256\nkey = rsa-4096\n", KEY_RSA_4096, KEY_EC_P256);
	assert_keys("signing-key = ec-p256\nencryption-key = ec-p384\n", KEY_EC_P256, KEY_EC_P384);
}

static void test_whole(void **state)
{
	struct config *c;

	(void)state;
	assert_refused("", ": [events] users-file: missing; authenticate = basic needs it");
	assert_refused("[events]\nusers-file = u\n", ": [escrow] url: missing");
	assert_refused("[events]\nusers-file = u\n[escrow]\nurl = https://eg\n",
		": [escrow] identity: missing");
	assert_refused("[events]\nauthenticate = none\nusers-file = u\n",
		":3: [events] users-file: only authenticate = basic uses it");
	assert_refused("[events]\nusers-file = u\n[admin]\nusers-file = u\n",
		":4: [admin] users-file: must be another file than [events] users-file");
	assert_refused(LEAST "[certificates]\nvalidity = 30d\n",
		": [certificates] renew-within: must be shorter than validity");
	assert_refused(LEAST "[certificates]\nvalidity = 10d\nrenew-within = 240h\n",
		":8: [certificates] renew-within: must be shorter than validity");
	c = good("[events]\nauthenticate = web-server\n"
		 "[escrow]\nurl = https://eg\nidentity = x\n");
	assert_int_equal(c->events.authenticate, AUTHENTICATE_WEB_SERVER);
	assert_null(c->events.users_file);
	config_free(c);
}

static void test_iterations(void **state)
{
	struct config *c = good(LEAST "pkcs12-iterations = 100000\npkcs12 = modern\n");

	(void)state;
	assert_int_equal(c->escrow.pkcs12_iterations, 100000);
	config_free(c);
}

#define LDAP \
	LEAST "[identity]\nsource = ldap\n[ldap]\nbase = dc=x\nfilter = (cn={EnrollmentUserName})\n"

static void test_ldap(void **state)
{
	static const char url[] = "ldaps://HOST or ldap://HOST, with :PORT if need be, and no path "
				  "(base is a key of its own)";
	static const char attribute[] = "the name of an attribute, such as mail";
	static const char *const bad[] = {"dc.example.com", "http://dc", "ldaps://", "ldapi://x",
		"ldap://a,ldap://b", "ldaps://dc/dc=x", "ldaps://u@dc", "ldaps://dc?x"};
	struct config *c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_value_refused("ldap", "url", bad[i], url);
	assert_value_refused("ldap", "mail-attribute", "mail, cn", attribute);
	assert_refused(LEAST "[identity]\nsource = ldap\n",
		":7: [identity] source: source = ldap needs a section [ldap]");
	assert_refused(LDAP, ": [ldap] url: missing; [ldap] needs it");
	assert_refused(LEAST "[ldap]\nurl = ldaps://dc\n",
		":7: [ldap] url: only source = ldap in [identity] uses it");
	assert_refused(LDAP "url = ldap://dc\n",
		": [ldap] ca-file: missing; it has the CA of the directory's certificate (only "
		"localhost by ldap:// may do without TLS)");
	assert_refused(LDAP "url = ldap://localhost.example.com\nbind-dn = cn=x\n",
		":12: [ldap] bind-dn: bind-dn and password-file go together");
	assert_refused(LDAP
		"url = ldap://localhost\nbind-dn = cn=x\npassword-file = p\nidentity = i\n",
		":14: [ldap] identity: one way to log in is enough: bind-dn and password-file, or "
		"identity");
	assert_refused(LDAP "url = ldap://localhost\nidentity = i\n",
		": [ldap] ca-file: missing; identity needs TLS");
	assert_refused(LDAP "url = ldap://localhost\nidentity-password-file = i\n",
		":12: [ldap] identity-password-file: only identity uses it");
	c = good(LDAP "url = ldap://127.0.0.1:3890\n");
	assert_string_equal(c->ldap.mail_attribute, "mail");
	assert_null(c->ldap.name_attribute);
	assert_int_equal(c->ldap.timeout, 10);
	config_free(c);
	config_free(good(LDAP "url = ldaps://dc.example.com:636\nca-file = ca.pem\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_default_certificates),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_everything_outside),
		cmocka_unit_test(test_every_key_twice),
		cmocka_unit_test(test_every_key_empty),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_other_values),
		cmocka_unit_test(test_keys_in_any_order),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_iterations),
		cmocka_unit_test(test_ldap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
