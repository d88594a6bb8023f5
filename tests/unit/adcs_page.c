#include "ca/adcs_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct error e;

static struct adcs_page read_page(const void *html, size_t len)
{
	/* No byte behind it is ours to read: for the sanitizers. */
	char *exact = malloc(len ? len : 1);
	struct adcs_page page = {.state = ADCS_UNKNOWN};

	assert_non_null(exact);
	memcpy(exact, html, len);
	assert_int_equal(adcs_page_read(exact, len, &page, &e), ERR_OK);
	free(exact);
	return page;
}

struct expected {
	const char *html;
	enum adcs_state state;
	const char *request, *message; /* message NULL: whatever it is */
};

static void check(const struct expected *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct adcs_page page = read_page(all[i].html, strlen(all[i].html));

		if (page.state != all[i].state || strcmp(page.request, all[i].request) != 0 ||
			(all[i].message && strcmp(page.message, all[i].message) != 0))
			fail_msg("%s: state %d, request \"%s\", message \"%s\"", all[i].html,
				page.state, page.request, page.message);
	}
}

#define CHECK(all) check(all, sizeof(all) / sizeof((all)[0]))

static void issued_by_its_link(void **state)
{
	static const struct expected all[] = {
		{"<a href=\"certnew.cer?ReqID=7&Enc=bin\">", ADCS_ISSUED, "7", ""},
		{"<A HREF='certnew.cer?ReqID=4294967295&amp;Enc=b64'>", ADCS_ISSUED, "4294967295",
			""},
		{"<script>location=\"certnew.cer?ReqID=12&\"+getEncoding()</script>", ADCS_ISSUED,
			"12", ""},
		/* The server's language is of no interest. */
		{"<P>Das Zertifikat wurde ausgestellt. <A HREF=certnew.cer?ReqID=5&Enc=b64>",
			ADCS_ISSUED, "5", ""},
		{"<a href=\"certnew.cer?ReqID=CACert&Renewal=1\">", ADCS_UNKNOWN, "", NULL},
		{"<a href=\"certnew.cer?ReqID=12345678901&Enc=b64\">", ADCS_UNKNOWN, "", NULL},
		{"<a href=\"certnew.cer?ReqID=&Enc=b64\">", ADCS_UNKNOWN, "", NULL},
	};

	(void)state;
	CHECK(all);
}

static void pending_by_its_number(void **state)
{
	static const struct expected all[] = {
		{"<B>Certificate Pending</B><P>Your Request Id is 12.<P>Within 10 days",
			ADCS_PENDING, "12",
			"Certificate Pending Your Request Id is 12. Within 10 days"},
		{"Your Request Id is <B>12</B>.", ADCS_PENDING, "12", NULL},
		{"Your\r\n\tRequest&nbsp;Id is 12", ADCS_UNKNOWN, "", NULL},
		{"<B>Disposition message:</B><BR>\r\n\t\tTaken Under "
		 "Submission\r\n<BR>LastStatus:\r\n"
		 "\t\t"
		 "The operation completed successfully. 0x0 (WIN32: 0)",
			ADCS_PENDING, "", "Taken Under Submission"},
		/* The words of others' versions beside the number. */
		{"Your Request Id is 3. The disposition message is \"Taken Under Submission\".",
			ADCS_PENDING, "3", "Taken Under Submission"},
	};

	(void)state;
	CHECK(all);
}

static void denied_by_code_or_words(void **state)
{
	static const struct expected all[] = {
		{"Your Request Id is 3. The disposition message is \"Denied by Policy Module  "
		 "0x80094800, The request was for a template &quot;X&quot; that&#39;s not "
		 "supported\".",
			ADCS_DENIED, "3",
			"Denied by Policy Module 0x80094800, The request was for a template 'X' "
			"that's not supported"},
		{"The disposition message is \"No.\"", ADCS_DENIED, "", "No."},
		{"<B>Disposition message:</B><BR>\r\n\t\tDenied by "
		 "EXAMPLE\\admin\r\n<BR>LastStatus:",
			ADCS_DENIED, "", "Denied by EXAMPLE\\admin"},
		{"Ihre Anforderung wurde abgelehnt. Verweigert vom Richtlinienmodul 0x80094012",
			ADCS_DENIED, "", NULL},
		{"0x80070005 (WIN32: 5 ERROR_ACCESS_DENIED)", ADCS_DENIED, "", NULL},
	};

	(void)state;
	CHECK(all);
}

static void failed_by_code(void **state)
{
	static const struct expected all[] = {
		{"The RPC server is unavailable. 0x800706ba (WIN32: 1722)", ADCS_FAILED, "", NULL},
		{"The disposition message is \"Error Constructing. The revocation server was "
		 "offline. 0x80092013\"",
			ADCS_FAILED, "", NULL},
		{"CERTSRV_E_SERVER_SUSPENDED 0x80094006", ADCS_FAILED, "", NULL},
	};

	(void)state;
	CHECK(all);
}

static void others_say_nothing(void **state)
{
	static const struct expected all[] = {
		{"", ADCS_UNKNOWN, "", ""},
		{"<html><title>Proxy</title>Log in first</html>", ADCS_UNKNOWN, "",
			"Proxy Log in first"},
		/* What nobody sees does not count. */
		{"<!-- was denied 0x80094012 -->Hello<script>0x80094012</script><style>was denied"
		 "</style>",
			ADCS_UNKNOWN, "", "Hello"},
		{"0x8009401", ADCS_UNKNOWN, "", NULL},
		{"0x800940120", ADCS_UNKNOWN, "", NULL},
		{"0x00000000 0x7fffffff", ADCS_UNKNOWN, "", NULL},
		{"Your Request Id is x", ADCS_UNKNOWN, "", NULL},
		{"a &amp &#; &#x; &#xzz; &#99999999999999999999; &#x41;&#66;&; &bogus; <",
			ADCS_UNKNOWN, "", "a &amp &#; &#xzz; AB&; &bogus;"},
		{"open <script>never closed", ADCS_UNKNOWN, "", "open"},
		{"open <!-- never closed", ADCS_UNKNOWN, "", "open"},
	};

	(void)state;
	CHECK(all);
}

static void any_bytes_are_taken(void **state)
{
	static const char bytes[] = "\0<\xff>Your Request Id is\0 7\0&#\0x41;";
	struct adcs_page page = read_page(bytes, sizeof(bytes) - 1);

	(void)state;
	assert_int_equal(page.state, ADCS_PENDING);
	assert_string_equal(page.request, "7");
	for (size_t len = 0; len < sizeof(bytes); len++)
		read_page(bytes, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(issued_by_its_link),
		cmocka_unit_test(pending_by_its_number),
		cmocka_unit_test(denied_by_code_or_words),
		cmocka_unit_test(failed_by_code),
		cmocka_unit_test(others_say_nothing),
		cmocka_unit_test(any_bytes_are_taken),
	};

	return cmocka_run_group_tests_name("adcs_page", tests, NULL, NULL);
}
