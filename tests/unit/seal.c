#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "store/seal.h"

#define OVERHEAD 28 /* nonce and tag */

static char dir[256], path[300];
static struct error e;

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(dir, sizeof(dir), "%.200s/certprov-seal-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/key", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static struct blob text_blob(char *text)
{
	return (struct blob){(unsigned char *)text, strlen(text)};
}

static struct seal *new_seal(void)
{
	struct seal *seal = NULL;

	unlink(path);
	assert_int_equal(seal_create_file(path, &e), ERR_OK);
	assert_int_equal(seal_open_file(path, &seal, &e), ERR_OK);
	return seal;
}

static void seals_and_opens(void **state)
{
	char text[] = "a private key";
	struct blob plain = text_blob(text), a = {NULL, 0}, b = {NULL, 0}, out = {NULL, 0};
	struct seal *seal = new_seal();

	(void)state;
	assert_int_equal(seal_close_blob(seal, &plain, "row 1", &a, &e), ERR_OK);
	assert_int_equal(seal_close_blob(seal, &plain, "row 1", &b, &e), ERR_OK);
	assert_int_equal(a.len, plain.len + OVERHEAD);
	/* A nonce is never used twice, so the same text looks different each time. */
	assert_memory_not_equal(a.data, b.data, 12);
	assert_memory_not_equal(a.data + 12, b.data + 12, plain.len);
	assert_int_equal(seal_open_blob(seal, &a, "row 1", &out, &e), ERR_OK);
	assert_true(blob_equal(&out, &plain));
	blob_free(&out);
	blob_free(&a);
	blob_free(&b);
	seal_close(seal);
}

static void seals_an_empty_text(void **state)
{
	struct blob plain = {NULL, 0}, sealed = {NULL, 0}, out = {NULL, 0};
	struct seal *seal = new_seal();

	(void)state;
	assert_int_equal(seal_close_blob(seal, &plain, "", &sealed, &e), ERR_OK);
	assert_int_equal(sealed.len, OVERHEAD);
	assert_int_equal(seal_open_blob(seal, &sealed, "", &out, &e), ERR_OK);
	assert_int_equal(out.len, 0);
	blob_free(&out);
	blob_free(&sealed);
	seal_close(seal);
}

/* McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16. */
static void opens_what_others_have_sealed(void **state)
{
	static const char key[] =
		"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
	static const char plain_hex[] =
		"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
	static const char sealed_hex[] =
		"cafebabefacedbaddecaf888"
		"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
		"76fc6ece0f4e1768cddf8853bb2d551b";
	static const char row[] = "\xfe\xed\xfa\xce\xde\xad\xbe\xef\xfe\xed\xfa\xce\xde\xad\xbe\xef"
				  "\xab\xad\xda\xd2";
	unsigned char sealed_bytes[sizeof(sealed_hex) / 2], plain[sizeof(plain_hex) / 2];
	struct blob sealed = {sealed_bytes, sizeof(sealed_bytes)}, out = {NULL, 0};
	struct seal *seal = NULL;

	(void)state;
	assert_true(text_unhex(sealed_hex, sealed_bytes, sizeof(sealed_bytes)));
	assert_true(text_unhex(plain_hex, plain, sizeof(plain)));
	assert_int_equal(file_create(path, 0600, key, strlen(key), &e), ERR_OK);
	assert_int_equal(seal_open_file(path, &seal, &e), ERR_OK);
	assert_int_equal(seal_open_blob(seal, &sealed, row, &out, &e), ERR_OK);
	assert_int_equal(out.len, sizeof(plain));
	assert_memory_equal(out.data, plain, sizeof(plain));
	blob_free(&out);
	seal_close(seal);
}

static void assert_refused(const struct seal *seal, const struct blob *sealed, const char *row)
{
	struct blob out = {NULL, 0};

	assert_int_equal(seal_open_blob(seal, sealed, row, &out, &e), ERR_CONFIG);
	assert_null(out.data);
}

static void refuses_what_was_altered(void **state)
{
	char text[] = "a private key";
	struct blob plain = text_blob(text), sealed = {NULL, 0};
	struct seal *seal = new_seal();

	(void)state;
	assert_int_equal(seal_close_blob(seal, &plain, "row 1", &sealed, &e), ERR_OK);
	for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
		sealed.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_refused(seal, &sealed, "row 1");
		sealed.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	for (size_t len = 0; len < sealed.len; len++)
		assert_refused(seal, &(struct blob){sealed.data, len}, "row 1");
	blob_free(&sealed);
	seal_close(seal);
}

static void refuses_another_row_and_another_key(void **state)
{
	char text[] = "a private key";
	struct blob plain = text_blob(text), sealed = {NULL, 0};
	struct seal *seal = new_seal(), *other = new_seal();

	(void)state;
	assert_int_equal(seal_close_blob(seal, &plain, "row 1", &sealed, &e), ERR_OK);
	assert_refused(seal, &sealed, "row 2");
	assert_refused(seal, &sealed, "");
	assert_refused(other, &sealed, "row 1");
	blob_free(&sealed);
	seal_close(seal);
	seal_close(other);
}

static void makes_a_key_file(void **state)
{
	struct blob first = {NULL, 0}, again = {NULL, 0};
	struct stat st;
	mode_t mask = umask(0);

	(void)state;
	assert_int_equal(seal_create_file(path, &e), ERR_OK);
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(file_read(path, &first, &e), ERR_OK);
	assert_int_equal(first.len, 65);
	assert_int_equal(strspn((char *)first.data, "0123456789abcdef"), 64);
	assert_int_equal(first.data[64], '\n');

	assert_int_equal(seal_create_file(path, &e), ERR_CONFIG);
	assert_non_null(strstr(e.text, path));
	assert_int_equal(file_read(path, &again, &e), ERR_OK);
	assert_true(blob_equal(&first, &again));
	blob_free(&first);
	blob_free(&again);
}

#define DIGITS "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789"

static enum err open_content(const char *content, size_t len, unsigned mode)
{
	struct seal *seal = NULL;
	enum err err;

	unlink(path);
	assert_int_equal(file_create(path, mode, content, len, &e), ERR_OK);
	err = seal_open_file(path, &seal, &e);
	assert_true((seal == NULL) == (err != ERR_OK));
	seal_close(seal);
	return err;
}

static void reads_a_key_file(void **state)
{
	(void)state;
	assert_int_equal(open_content(DIGITS, 64, 0600), ERR_OK);
	assert_int_equal(open_content(DIGITS "\n", 65, 0640), ERR_OK);
	assert_int_equal(open_content(DIGITS "\r\n", 66, 0400), ERR_OK);
	assert_int_equal(
		open_content(DIGITS "\n" DIGITS "\r\n" DIGITS "\n" DIGITS, 260, 0600), ERR_OK);
}

/* --- several keys */

static void assert_opens(const struct seal *seal, const struct blob *sealed, const char *text)
{
	struct blob out = {NULL, 0};

	if (seal_open_blob(seal, sealed, "row", &out, &e))
		fail_msg("%s", e.text);
	assert_string_equal((char *)out.data, text);
	blob_free(&out);
}

static struct seal *open_file(void)
{
	struct seal *seal = NULL;

	if (seal_open_file(path, &seal, &e))
		fail_msg("%s", e.text);
	return seal;
}

/* Each new key seals what comes, and what earlier ones have sealed opens as long as they stay. */
static void seals_with_the_first_key_and_opens_with_all(void **state)
{
	char text[] = "a private key";
	struct blob plain = text_blob(text), sealed[SEAL_KEYS_MAX];
	struct seal *seal = new_seal(), *read;

	(void)state;
	for (size_t i = 0; i < SEAL_KEYS_MAX; i++) {
		if (i > 0)
			assert_int_equal(seal_add_key(seal, &e), ERR_OK);
		assert_int_equal(seal_key_count(seal), i + 1);
		assert_int_equal(seal_close_blob(seal, &plain, "row", &sealed[i], &e), ERR_OK);
	}
	assert_int_equal(seal_add_key(seal, &e), ERR_CONFIG);
	for (size_t keys = SEAL_KEYS_MAX; keys > 0; keys--) {
		assert_int_equal(seal_write_file(seal, keys, path, &e), ERR_OK);
		read = open_file();
		assert_int_equal(seal_key_count(read), keys);
		for (size_t i = 0; i < SEAL_KEYS_MAX; i++) {
			if (i >= SEAL_KEYS_MAX - keys)
				assert_opens(read, &sealed[i], text);
			else
				assert_refused(read, &sealed[i], "row");
		}
		assert_refused(read, &sealed[SEAL_KEYS_MAX - 1], "another row");
		seal_close(read);
	}
	for (size_t i = 0; i < SEAL_KEYS_MAX; i++)
		blob_free(&sealed[i]);
	seal_close(seal);
}

static void renews_what_an_earlier_key_has_sealed(void **state)
{
	char text[] = "a private key";
	struct blob plain = text_blob(text), sealed = {NULL, 0}, renewed = {NULL, 0};
	struct blob again = {NULL, 0};
	struct seal *old = new_seal(), *seal = open_file();

	(void)state;
	assert_int_equal(seal_close_blob(seal, &plain, "row", &sealed, &e), ERR_OK);
	assert_int_equal(seal_renew_blob(seal, &sealed, "row", &again, &e), ERR_OK);
	assert_null(again.data);
	assert_int_equal(seal_add_key(seal, &e), ERR_OK);
	assert_int_equal(seal_renew_blob(seal, &sealed, "another", &again, &e), ERR_CONFIG);
	assert_null(again.data);
	assert_int_equal(seal_renew_blob(seal, &sealed, "row", &renewed, &e), ERR_OK);
	assert_refused(old, &renewed, "row");
	assert_opens(seal, &renewed, text);
	assert_int_equal(seal_renew_blob(seal, &renewed, "row", &again, &e), ERR_OK);
	assert_null(again.data);
	blob_free(&renewed);
	blob_free(&sealed);
	seal_close(seal);
	seal_close(old);
}

static void refuses_a_wrong_key_file(void **state)
{
	static const struct {
		const char *content;
		size_t len;
	} wrong[] = {
		{"", 0},
		{"\n", 1},
		{DIGITS, 63},
		{DIGITS "0", 65},
		{DIGITS "\n\n", 66},
		{DIGITS "\n\n" DIGITS, 130},
		{DIGITS "\n" DIGITS "0", 130},
		{DIGITS "\n" DIGITS "\n" DIGITS "\n" DIGITS "\n" DIGITS, 324},
		{DIGITS "\0" DIGITS, 129},
		{" " DIGITS, 65},
		{"g123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789", 64},
		{"0\000123456789abcdefABCDEF0123456789abcdef0123456789abcdef012345678", 64},
	};
	struct seal *seal = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(open_content(wrong[i].content, wrong[i].len, 0600), ERR_CONFIG);
		assert_non_null(strstr(e.text, path));
		assert_null(strstr(e.text, "123456789a")); /* no secret in it */
	}
	assert_int_equal(open_content(DIGITS, 64, 0644), ERR_CONFIG);
	unlink(path);
	assert_int_equal(seal_open_file(path, &seal, &e), ERR_CONFIG);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(seal_open_file(path, &seal, &e), ERR_CONFIG);
	assert_null(seal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(seals_and_opens, setup, teardown),
		cmocka_unit_test_setup_teardown(seals_an_empty_text, setup, teardown),
		cmocka_unit_test_setup_teardown(opens_what_others_have_sealed, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_was_altered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			refuses_another_row_and_another_key, setup, teardown),
		cmocka_unit_test_setup_teardown(makes_a_key_file, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_a_key_file, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_a_wrong_key_file, setup, teardown),
		cmocka_unit_test_setup_teardown(
			seals_with_the_first_key_and_opens_with_all, setup, teardown),
		cmocka_unit_test_setup_teardown(
			renews_what_an_earlier_key_has_sealed, setup, teardown),
	};

	return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
