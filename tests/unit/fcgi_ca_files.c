/* The local CA's certificate and revocation list: caching, and what is read only where it is sent.
 */
#include "answer_fixture.h"

static void the_ca_certificate_can_be_cached(void **state)
{
	struct fixture *f = *state;
	char etag[128];

	prepare(f, "GET", "/ca.cer", NULL);
	fake_server_param(&f->fake, "HTTP_AUTHORIZATION", "");
	run(f, 200);
	assert_string_equal(fake_server_body(&f->fake), "good certificate");
	assert_string_equal(fake_server_header(&f->fake, "Content-Type"), "application/pkix-cert");
	assert_non_null(strstr(fake_server_header(&f->fake, "Cache-Control"), "max-age="));
	snprintf(etag, sizeof(etag), "W/\"x\", %s", fake_server_header(&f->fake, "ETag"));
	fake_server_param(&f->fake, "HTTP_IF_NONE_MATCH", etag);
	run_again(f, 304);
	assert_string_equal(fake_server_body(&f->fake), "");
	fake_server_param(&f->fake, "HTTP_IF_NONE_MATCH", "\"another\"");
	run_again(f, 200);
	assert_int_equal(unlink(f->ca), 0);
	run_again(f, 503);
	assert_problem(f, 503, "config");
	assert_null(strstr(fake_server_body(&f->fake), f->folder));
}

static void the_revocation_list_can_be_cached_until_it_ends(void **state)
{
	struct fixture *f = *state;
	char modified[64];
	long age;

	prepare(f, "GET", "/ca.crl", NULL);
	fake_server_param(&f->fake, "HTTP_AUTHORIZATION", "");
	run(f, 200);
	assert_string_equal(fake_server_body(&f->fake), "good certificate");
	assert_string_equal(fake_server_header(&f->fake, "Content-Type"), "application/pkix-crl");
	assert_non_null(fake_server_header(&f->fake, "ETag"));
	assert_int_equal(
		strncmp(fake_server_header(&f->fake, "Cache-Control"), "public, max-age=", 16), 0);
	age = strtol(fake_server_header(&f->fake, "Cache-Control") + 16, NULL, 10);
	assert_in_range(age, 1790, 1800);
	snprintf(modified, sizeof(modified), "%s", fake_server_header(&f->fake, "Last-Modified"));
	assert_string_equal(modified, "Mon, 24 Feb 2020 16:52:25 GMT");
	fake_server_param(&f->fake, "HTTP_IF_MODIFIED_SINCE", modified);
	run_again(f, 304);
	assert_string_equal(fake_server_body(&f->fake), "");
	/* A tag counts more than a date. */
	fake_server_param(&f->fake, "HTTP_IF_NONE_MATCH", "\"another\"");
	run_again(f, 200);
}

static void the_revocation_list_is_read_only_where_it_is_sent(void **state)
{
	struct fixture *f = *state;
	char etag[64];

	assert_int_equal(unlink(f->ca), 0);
	prepare(f, "HEAD", "/ca.crl", NULL);
	fake_server_param(&f->fake, "HTTP_AUTHORIZATION", "");
	run(f, 200);
	assert_string_equal(fake_server_body(&f->fake), "");
	assert_string_equal(fake_server_header(&f->fake, "Content-Length"), "16");
	snprintf(etag, sizeof(etag), "%s", fake_server_header(&f->fake, "ETag"));
	assert_string_equal(etag, "\"1a-5e53ff49-0123456789abcdef\"");
	fake_server_param(&f->fake, "REQUEST_METHOD", "GET");
	fake_server_param(&f->fake, "HTTP_IF_NONE_MATCH", etag);
	run_again(f, 304);
	assert_null(fake_server_header(&f->fake, "Content-Length"));
	fake_server_param(&f->fake, "HTTP_IF_NONE_MATCH", "\"1b-5e53ff49-0123456789abcdef\"");
	run_again(f, 503); /* it has to be read, and is not there */
	assert_problem(f, 503, "config");
}

int main(void)
{
#define OPENED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		OPENED(the_ca_certificate_can_be_cached),
		OPENED(the_revocation_list_can_be_cached_until_it_ends),
		OPENED(the_revocation_list_is_read_only_where_it_is_sent),
	};

	return cmocka_run_group_tests_name("fcgi_ca_files", tests, start_deadlines, NULL);
}
