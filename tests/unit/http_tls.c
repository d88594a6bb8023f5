/* lib/net/http.h and TLS: trust, our certificate, alerts. */
#include "net/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"
#include "tests/unit/http_support.h"

#define PIN_OF_NOBODY "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* --- the server's certificate */

static void test_server_certificates(void **state)
{
	const struct {
		const char *certificate, *key, *ca, *text;
	} cases[] = {
		{"server.pem", "server.key", "other-ca.pem", "an issuer that we do not trust"},
		{"server.pem", "server.key", NULL, "an issuer that we do not trust"},
		{"server-elsewhere.pem", "server-elsewhere.key", "ca.pem", "for another name"},
		{"server-expired.pem", "server-expired.key", "ca.pem", "has expired"},
		{"server-later.pem", "server-later.key", "ca.pem", "is not valid yet"},
		{"server-self.pem", "server-self.key", "ca.pem", "add its issuer's certificate"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct peer peer =
			START("-c", net_file(cases[i].certificate), "-k", net_file(cases[i].key));
		struct http_client *client = client_for(cases[i].ca, NULL);

		expect_failure(client, peer.url, "ok", ERR_CONFIG, cases[i].text);
		http_client_free(client);
		net_stop(&peer);
	}
}

/* A server's own self-signed certificate can be the ca-file; PEM or DER. */
static void test_self_signed_server(void **state)
{
	struct peer peer = START(SERVER("server-self"));
	struct http_client *client = client_for("server-self.pem", NULL);

	(void)state;
	expect_body(client, peer.url, "ok", "{}");
	http_client_free(client);
	assert_true(
		net_run((const char *const[]){"openssl", "x509", "-in", net_file("server-self.pem"),
			"-outform", "DER", "-out", net_file("self.der"), NULL}));
	client = client_for("self.der", NULL);
	expect_body(client, peer.url, "ok", "{}");
	http_client_free(client);
	net_stop(&peer);
}

static void test_pinned_key(void **state)
{
	struct peer peer = START(SERVER("server"));
	struct http_options options = {.ca_file = net_file("ca.pem"), .pinned_key = PIN_OF_NOBODY};
	struct http_client *client = NULL;
	struct http_answer answer = {0};
	struct error e = {0};
	char *pin;

	(void)state;
	assert_int_equal(http_client_new(&options, &client, &e), ERR_OK);
	assert_int_equal(get(client, peer.url, "ok", &answer, &e), ERR_CONFIG);
	expect_text(&e, "the server's key is not the pinned one but sha256//");
	http_client_free(client);

	/* The text names the pin of the server's key. */
	pin = strstr(e.text, "sha256//");
	pin[strcspn(pin, ";")] = '\0';
	options.pinned_key = pin;
	assert_int_equal(http_client_new(&options, &client, &e), ERR_OK);
	expect_body(client, peer.url, "ok", "{}");
	http_client_free(client);

	/* A pin does not replace a trusted issuer. */
	options.ca_file = net_file("other-ca.pem");
	assert_int_equal(http_client_new(&options, &client, &e), ERR_OK);
	expect_failure(client, peer.url, "ok", ERR_CONFIG, "an issuer that we do not trust");
	http_client_free(client);
	net_stop(&peer);
}

static void test_huge_keys(void **state)
{
	static const struct {
		const char *bits, *priority;
		enum err err;
	} cases[] = {
		{"65536", "NORMAL:-VERS-ALL:+VERS-TLS1.3", ERR_CONFIG},
		{"65536", "NORMAL:-VERS-ALL:+VERS-TLS1.2", ERR_CONFIG},
		{"16392,16", "NORMAL", ERR_CONFIG},
		{"4096,72", "NORMAL", ERR_CONFIG},
		/* The key is used: the signature is found wrong. */
		{"16384,64", "NORMAL", ERR_UNAVAILABLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct peer peer =
			START(SERVER("server"), "-H", cases[i].bits, "-p", cases[i].priority);
		struct http_client *client = client_for("ca.pem", NULL);

		expect_failure(client, peer.url, "ok", cases[i].err,
			cases[i].err == ERR_CONFIG ? "public key has an RSA" : "no TLS connection");
		http_client_free(client);
		net_stop(&peer);
	}
}

/* --- our certificate */

static void expect_client_certificates(const char *priority)
{
	static const struct {
		const char *identity;
		const char *text; /* NULL: accepted */
	} cases[] = {
		{"client.p12", NULL},
		{NULL, "demands a client certificate"},
		{"client-other.p12", "rejected our client certificate"},
		{"alone.p12",
			"the certificate of CN=client-sub-ca is not in its file: if that is an "
			"intermediate CA, export it with the whole chain"},
		{"client-expired.p12", "our client certificate expired on 2021-01-01T00:00:00Z"},
	};
	static const char body[300000] = "";
	struct peer peer = START(SERVER("server"), "-a", net_file("ca.pem"), "-p", priority);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_client *client = client_for("ca.pem", cases[i].identity);
		struct http_answer answer = {0};
		struct error e = {0};

		if (cases[i].text) {
			expect_failure(client, peer.url, "ok", ERR_REFUSED, cases[i].text);
			assert_int_equal(
				post(client, peer.url, "ok", body, sizeof(body), &answer, &e),
				ERR_REFUSED);
			expect_text(&e, cases[i].text);
		} else {
			expect_body(client, peer.url, "ok", "{}");
		}
		http_client_free(client);
	}
	net_stop(&peer);
}

/*
 * A server that closes at once, without reading what we send, resets the connection. Its alert may
 * be lost, but the request must not count as a success.
 */
static void test_refusal_that_is_cut_short(void **state)
{
	static const char body[300000] = "";
	struct peer peer = START(SERVER("server"), "-a", net_file("ca.pem"), "-x");

	(void)state;
	for (int i = 0; i < 10; i++) {
		struct http_client *client = client_for("ca.pem", "client-expired.p12");
		struct http_answer answer = {0};
		struct error e = {0};
		enum err err = post(client, peer.url, "ok", body, sizeof(body), &answer, &e);

		assert_true(err == ERR_REFUSED || err == ERR_UNAVAILABLE);
		expect_text(&e, "our client certificate");
		expect_text(&e, "expired on 2021-01-01");
		http_client_free(client);
	}
	net_stop(&peer);
}

static void test_client_certificates_tls13(void **state)
{
	(void)state;
	expect_client_certificates("NORMAL:-VERS-ALL:+VERS-TLS1.3");
}

static void test_client_certificates_tls12(void **state)
{
	(void)state;
	expect_client_certificates("NORMAL:-VERS-ALL:+VERS-TLS1.2");
}

static void test_old_tls_is_not_spoken(void **state)
{
	struct peer peer = START(SERVER("server"), "-p", "NORMAL:-VERS-ALL:+VERS-TLS1.1");
	struct http_client *client = client_for("ca.pem", NULL);

	(void)state;
	expect_failure(client, peer.url, "ok", ERR_UNAVAILABLE, "version");
	http_client_free(client);
	net_stop(&peer);
}

/* Key and trust are in memory: it works without the files and in a process that is not dumpable. */
static void test_hardened_process_without_files(void **state)
{
	struct peer peer = START(SERVER("server"), "-a", net_file("ca.pem"));
	const char *const copy[] = {"cp", net_file("client.p12"), net_file("gone.p12"), NULL};
	const char *const copy_ca[] = {"cp", net_file("ca.pem"), net_file("gone.pem"), NULL};
	int status = 0;
	pid_t pid;

	(void)state;
	assert_true(net_run(copy));
	assert_true(net_run(copy_ca));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct http_client *client = client_for("gone.pem", "gone.p12");
		struct http_answer answer = {0};
		struct error e = {0};
		bool ok;

		unlink(net_file("gone.p12"));
		unlink(net_file("gone.pem"));
		secret_harden_process();
		ok = geteuid() != 0 || setuid(65534) == 0;
		ok = ok && get(client, peer.url, "close-after", &answer, &e) == ERR_OK;
		http_answer_free(&answer);
		ok = ok && get(client, peer.url, "ok", &answer, &e) == ERR_OK;
		http_answer_free(&answer);
		http_client_free(client);
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	net_stop(&peer);
}

static void expect_no_client(const struct http_options *options, const char *text)
{
	struct http_client *client = NULL;
	struct error e = {0};

	assert_int_equal(http_client_new(options, &client, &e), ERR_CONFIG);
	assert_null(client);
	expect_text(&e, text);
}

static void test_wrong_options(void **state)
{
	const char *ca = net_file("ca.pem"), *none = net_file("no-such-file");

	(void)state;
	expect_no_client(&(struct http_options){.ca_file = none}, "no-such-file: No such file");
	expect_no_client(
		&(struct http_options){.ca_file = net_file("ca.key")}, "ca.key has no certificate");
	expect_no_client(&(struct http_options){.ca_file = ca, .pinned_key = "server.pub"},
		"must begin with sha256//");
	expect_no_client(&(struct http_options){.ca_file = ca, .identity = none},
		"no-such-file: No such file");
	http_client_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_certificates),
		cmocka_unit_test(test_self_signed_server),
		cmocka_unit_test(test_pinned_key),
		cmocka_unit_test(test_huge_keys),
		cmocka_unit_test(test_client_certificates_tls13),
		cmocka_unit_test(test_client_certificates_tls12),
		cmocka_unit_test(test_refusal_that_is_cut_short),
		cmocka_unit_test(test_old_tls_is_not_spoken),
		cmocka_unit_test(test_hardened_process_without_files),
		cmocka_unit_test(test_wrong_options),
	};

	return cmocka_run_group_tests(tests, net_setup, net_teardown);
}
