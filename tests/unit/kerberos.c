/* Keytabs, and what GSS-API finds of them. */
#include "net/kerberos.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

static struct error e;
static char path[] = "/tmp/certprov-test.XXXXXX";

/* --- keytabs in the format of MIT's documentation */

static void put(struct buf *b, uint32_t value, size_t octets)
{
	while (octets--)
		buf_putc(b, (char)(value >> (8 * octets)));
}

static void put_text(struct buf *b, const char *text)
{
	put(b, (uint32_t)strlen(text), 2);
	buf_puts(b, text);
}

/* realm, then components until NULL; the key is one byte. */
static void put_entry(struct buf *keytab, char key, const char *realm, ...)
{
	struct buf entry = BUF_INIT(1024), names = BUF_INIT(1024);
	const char *component;
	uint32_t count = 0;
	va_list args;

	va_start(args, realm);
	while ((component = va_arg(args, const char *))) {
		put_text(&names, component);
		count++;
	}
	va_end(args);
	put(&entry, count, 2);
	put_text(&entry, realm);
	if (names.len)
		buf_append(&entry, names.data, names.len);
	put(&entry, 1, 4);  /* name type */
	put(&entry, 0, 4);  /* time */
	put(&entry, 2, 1);  /* version */
	put(&entry, 18, 2); /* key type */
	put(&entry, 1, 2);
	buf_putc(&entry, key);
	put(keytab, (uint32_t)entry.len, 4);
	buf_append(keytab, entry.data, entry.len);
	buf_free(&names);
	buf_free(&entry);
}

static void put_hole(struct buf *keytab, size_t len)
{
	put(keytab, (uint32_t) - (int32_t)len, 4);
	while (len--)
		buf_putc(keytab, 'h');
}

static void write_keytab(const struct buf *keytab)
{
	unlink(path);
	assert_int_equal(file_create(path, 0600, keytab->data, keytab->len, &e), ERR_OK);
}

/* What GSS-API would read: all keys, by their one byte, sorted. */
static void keys_in_use(char out[16])
{
	krb5_context context = NULL;
	krb5_keytab keytab = NULL;
	krb5_kt_cursor cursor = NULL;
	krb5_keytab_entry entry;
	size_t n = 0;

	assert_int_equal(krb5_init_context(&context), 0);
	assert_int_equal(krb5_kt_client_default(context, &keytab), 0);
	assert_int_equal(krb5_kt_start_seq_get(context, keytab, &cursor), 0);
	while (krb5_kt_next_entry(context, keytab, &entry, &cursor) == 0) {
		size_t at = n++;

		assert_true(n < 16);
		assert_int_equal(entry.key.length, 1);
		for (; at > 0 && out[at - 1] > (char)*entry.key.contents; at--)
			out[at] = out[at - 1];
		out[at] = (char)*entry.key.contents;
		krb5_free_keytab_entry_contents(context, &entry);
	}
	krb5_kt_end_seq_get(context, keytab, &cursor);
	krb5_kt_close(context, keytab);
	krb5_free_context(context);
	out[n] = '\0';
}

static void expect_keys(const char *principal, const char *keys)
{
	struct kerberos *kerberos = NULL;
	char got[16];

	if (kerberos_open(path, principal, &kerberos, &e))
		fail_msg("%s: %s", principal ? principal : "(none)", e.text);
	assert_int_equal(kerberos_use(kerberos, &e), ERR_OK);
	keys_in_use(got);
	assert_string_equal(got, keys);
	kerberos_close(kerberos);
}

static void expect_failure(const char *principal, const char *text)
{
	struct kerberos *kerberos = NULL;

	assert_int_equal(kerberos_open(path, principal, &kerberos, &e), ERR_CONFIG);
	assert_null(kerberos);
	if (!strstr(e.text, text))
		fail_msg("%s", e.text);
}

/* --- */

static void keys_of_one_principal(void **state)
{
	struct buf keytab = BUF_INIT(4096);

	(void)state;
	buf_append(&keytab, "\5\2", 2);
	put_hole(&keytab, 30);
	put_entry(&keytab, 'a', "EXAMPLE.TEST", "HTTP", "www.example.test", NULL);
	put_entry(&keytab, 'b', "EXAMPLE.TEST", "svc", NULL);
	put_hole(&keytab, 1);
	put_entry(&keytab, 'c', "EXAMPLE.TEST", "HTTP", "www.example.test", NULL);
	put_entry(&keytab, 'd', "OTHER.TEST", "svc", NULL);
	put_entry(&keytab, 'e', "EXAMPLE.TEST", "svc", NULL);
	put_entry(&keytab, 'f', "EXAMPLE.TEST", "sv/c@d\\", NULL);
	put_entry(&keytab, 'g', "EXAMPLE.TEST", "svcs", NULL);
	write_keytab(&keytab);
	expect_keys(NULL, "ac");
	expect_keys("HTTP/www.example.test", "ac");
	expect_keys("HTTP/www.example.test@EXAMPLE.TEST", "ac");
	expect_keys("svc", "be");
	expect_keys("svc@EXAMPLE.TEST", "be");
	expect_keys("svc@OTHER.TEST", "d");
	expect_keys("sv\\/c\\@d\\\\@EXAMPLE.TEST", "f");
	expect_failure("sv", "has no key of the principal sv;");
	expect_failure("SVC", "no key of the principal SVC");
	expect_failure("HTTP", "no key of the principal HTTP");
	expect_failure("svc@EXAMPLE", "no key of the principal svc@EXAMPLE");
	expect_failure("", "no key of the principal");
	buf_free(&keytab);
}

static void what_is_no_keytab(void **state)
{
	struct buf keytab = BUF_INIT(4096), part = BUF_INIT(4096);

	(void)state;
	buf_append(&keytab, "\5\2", 2);
	put_entry(&keytab, 'a', "EXAMPLE.TEST", "svc", NULL);
	for (size_t len = 0; len < keytab.len; len++) {
		buf_reset(&part);
		buf_append(&part, keytab.data, len);
		write_keytab(&part);
		expect_failure(NULL, len == 2 ? "has no keys" : "is not a keytab");
	}
	keytab.data[1] = 1;
	write_keytab(&keytab);
	expect_failure(NULL, "is not a keytab");
	buf_reset(&part);
	buf_append(&part, "\5\2\x80\0\0\0", 6); /* a hole of 2 GB */
	write_keytab(&part);
	expect_failure(NULL, "is not a keytab");
	buf_reset(&part);
	buf_append(&part, "\5\2", 2);
	put_entry(&part, 'a', "EXAMPLE.TEST", NULL); /* nobody */
	put_entry(&part, 'a', "", "svc", NULL);
	put_entry(&part, 'a', "R", "1", "2", "3", "4", "5", "6", "7", "8", "9", NULL);
	write_keytab(&part);
	expect_failure(NULL, "has no keys");
	buf_free(&part);
	buf_free(&keytab);
}

static void each_has_its_own_tickets(void **state)
{
	struct kerberos *one = NULL, *two = NULL;
	struct buf keytab = BUF_INIT(4096);
	char first[64];

	(void)state;
	buf_append(&keytab, "\5\2", 2);
	put_entry(&keytab, 'a', "EXAMPLE.TEST", "svc", NULL);
	write_keytab(&keytab);
	assert_int_equal(kerberos_open(path, NULL, &one, &e), ERR_OK);
	assert_int_equal(kerberos_open(path, NULL, &two, &e), ERR_OK);
	assert_int_equal(kerberos_use(one, &e), ERR_OK);
	snprintf(first, sizeof(first), "%s", getenv("KRB5CCNAME"));
	assert_memory_equal(first, "MEMORY:", 7);
	assert_int_equal(kerberos_use(two, &e), ERR_OK);
	assert_string_not_equal(getenv("KRB5CCNAME"), first);
	assert_int_equal(kerberos_use(one, &e), ERR_OK);
	assert_string_equal(getenv("KRB5CCNAME"), first);
	/* A later one never gets the same name, as the tickets stay as long as the process. */
	kerberos_close(one);
	assert_int_equal(kerberos_open(path, NULL, &one, &e), ERR_OK);
	assert_int_equal(kerberos_use(one, &e), ERR_OK);
	assert_string_not_equal(getenv("KRB5CCNAME"), first);
	kerberos_close(one);
	kerberos_close(two);
	kerberos_close(NULL);
	buf_free(&keytab);
}

static void what_a_failure_means(void **state)
{
	static const char preamble[] = "No credentials were supplied, or the credentials were "
				       "unavailable or inaccessible. ";
	static const struct {
		const char *said;
		enum err err;
	} all[] = {
		{"Preauthentication failed. ", ERR_REFUSED},
		{"Client 'svc@EXAMPLE.TEST' not found in Kerberos database. ", ERR_REFUSED},
		{"Server HTTP/ca@EXAMPLE.TEST not found in Kerberos database. ", ERR_REFUSED},
		{"Clients credentials have been revoked. ", ERR_REFUSED},
		{"Clock skew too great. ", ERR_UNAVAILABLE},
		{"Cannot contact any KDC for realm 'EXAMPLE.TEST'. ", ERR_UNAVAILABLE},
		{"Cannot find KDC for realm \"EXAMPLE.TEST\". ", ERR_UNAVAILABLE},
		{"What nobody has heard of. ", ERR_UNAVAILABLE},
		{"", ERR_UNAVAILABLE},
	};
	struct kerberos *kerberos = NULL;
	struct buf keytab = BUF_INIT(4096);

	(void)state;
	buf_append(&keytab, "\5\2", 2);
	put_entry(&keytab, 'a', "EXAMPLE.TEST", "svc", NULL);
	write_keytab(&keytab);
	assert_int_equal(kerberos_open(path, NULL, &kerberos, &e), ERR_OK);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char said[256];

		snprintf(said, sizeof(said), "%s%s", i % 2 ? preamble : "", all[i].said);
		assert_int_equal(kerberos_explain(kerberos, "https://ca", said, &e), all[i].err);
		assert_non_null(strstr(e.text, "https://ca: no Kerberos ticket for "
					       "svc@EXAMPLE.TEST: "));
		assert_null(strstr(e.text, "inaccessible"));
	}
	kerberos_close(kerberos);
	buf_free(&keytab);
}

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_one_principal),
		cmocka_unit_test(what_is_no_keytab),
		cmocka_unit_test(each_has_its_own_tickets),
		cmocka_unit_test(what_a_failure_means),
	};

	return cmocka_run_group_tests_name("kerberos", tests, set_up, tear_down);
}
