/* AD CS's pages: the state and the number of a request, in any language. */

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
	/* An exact copy, so that sanitizers see a read beyond it. */
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
		/* The server's language does not matter. */
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
		/* Other versions have other words beside the number. */
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

/* As the pages of Windows Server have them, in other languages: their elements have the same names.
 */
static void other_languages_by_their_elements(void **state)
{
	static const struct expected all[] = {
		{"<P ID=locPageTitle> <B> Zertifikat steht aus </B>\r\n<P ID=locInfoNewReq> Ihre "
		 "Anforderung vom 3. wurde empfangen.</P>\r\n<P ID=locInfoReqID>\r\nIhre "
		 "Anforderungskennung lautet 25.\r\n</P><P ID=locTimeoutWarning>Binnen 10 Tagen.",
			ADCS_PENDING, "25", NULL},
		{"<P ID=locPageTitle><B>Demande en attente</B><P ID=locInfoReqID>\nL\xe2\x80\x99"
		 "identificateur de votre requ\xc3\xaate est 25.\n</P>",
			ADCS_PENDING, "25", NULL},
		{"<p id='locInfoReqID'>\xe8\xa6\x81\xe6\xb1\x82 ID \xe3\x81\xaf 7 "
		 "\xe3\x81\xa7\xe3\x81\x99\xe3\x80\x82\n</p><P>1 \xe6\x97\xa5\xe3\x81\x8b 2",
			ADCS_PENDING, "7", NULL},
		{"<P ID=locInfoChkPnd>Toujours en attente, 10 jours.</P><Form><Input Type=Hidden "
		 "Name=Action Value=\"rmpn\"><Input Type=Hidden Name=ReqID Value=\"31\">",
			ADCS_PENDING, "31", NULL},
		{"<P ID=locInfoNewReq>Re\xc3\xa7ue.</P><A HREF=\"certckpn.asp?ReqID=77\">",
			ADCS_PENDING, "77", NULL},
		{"<P ID=locDenied>Ihre Zertifikatanforderung wurde abgelehnt. </P>", ADCS_DENIED,
			"", "Ihre Zertifikatanforderung wurde abgelehnt."},
		{"<P ID=\"locDenied\"> Refus\xc3\xa9 </P><P ID=locInfoReqIDandReason>\nVotre requ"
		 "\xc3\xaate 20. Le message : \"Refus\xc3\xa9 par CONTOSO\\admin le 4.\"</P>",
			ADCS_DENIED, "20", NULL},
		/* A code of another facility does not make it passing; one that is passing does. */
		{"<P ID=locDenied>Nein</P><P ID=locInfoReqIDandReason>20. 0x8007202f", ADCS_DENIED,
			"20", NULL},
		{"<P ID=locDenied>Nein</P><P ID=locInfoReqIDandReason>20. 0x80092013", ADCS_FAILED,
			"20", NULL},
		{"<P ID=locIssRev>Ausgestellt und gesperrt</P>", ADCS_DENIED, "", NULL},
		{"<P ID=locPageTitle><B>Erreur</B><DT ID=locDispLabel><B>Disposition "
		 ":</B></DT><DD>\n"
		 "\t\t5 <LocID ID=locDispSpacer>-</LocID><LocID ID=locDispUnknown>(inconnu)</LocID>"
		 "<DT ID=locLastStatLabel>0x0 (WIN32: 0)",
			ADCS_PENDING, "", NULL},
		{"<DT ID=locDispLabel>Disposition</DT><DD>\r\n\t2 <LocID "
		 "ID=locDispSpacer>-</LocID>",
			ADCS_DENIED, "", NULL},
		{"<DT ID=locDispLabel>Disposition</DT><DD>1 <LocID ID=locDispSpacer>-</LocID> "
		 "0x800706ba (WIN32: 1722)",
			ADCS_FAILED, "", NULL},
		{"<P ID=locReqFailed>Fehler</P><DD>80004005 <LocID ID=locDispSpacer>", ADCS_UNKNOWN,
			"", NULL},
	};

	(void)state;
	CHECK(all);
}

/* A page of AD CS without such elements: its number is asked for later. */
static void a_lone_number_is_a_request(void **state)
{
	static const struct expected all[] = {
		{"<html><body><P ID=locPageTitle>Zertifikat steht aus</P><P>Ihre Anforderung kam "
		 "angekommen. Bitte m&uuml;ssig auf den Administrator warten.<P>Ihre "
		 "Anforderungskennung lautet 19.</body></html>",
			ADCS_PENDING, "19", NULL},
		{"<P ID=locPageTitle>Certificado pendiente</P><P>Su n\xc3\xbamero es 19. Vuelva en "
		 "10 dias con Windows-2022, v1.2, 0x0 (WIN32: 0)",
			ADCS_PENDING, "19", NULL},
		{"<P ID=locPageTitle>x</P><P>\xe6\x82\xa8\xe7\x9a\x84 Id \xe4\xb8\xba 19\xe3\x80"
		 "\x82",
			ADCS_PENDING, "19", NULL},
		/* Two numbers are ambiguous; other pages and error pages have none. */
		{"<P ID=locPageTitle>x</P><P>Nummer 19. Und 20.", ADCS_UNKNOWN, "", NULL},
		{"<P ID=locPageTitle>x</P><P>Nummer neunzehn", ADCS_UNKNOWN, "", NULL},
		{"<title>Proxy</title>Error 19.", ADCS_UNKNOWN, "", NULL},
		{"<P ID=locPageTitle>x</P><P ID=locReqFailed>Fehler 19.", ADCS_UNKNOWN, "", NULL},
	};

	(void)state;
	CHECK(all);
}

static void elements_that_are_hidden_or_broken(void **state)
{
	static const struct expected all[] = {
		{"<!-- <P ID=locDenied> --><script>'<P ID=locDenied>'</script>Hello", ADCS_UNKNOWN,
			"", "Hello"},
		{"<P Title=\"ID=locDenied\">Hello", ADCS_UNKNOWN, "", "Hello"},
		{"<P ID=locDeniedNot>Hello", ADCS_UNKNOWN, "", "Hello"},
		{"<P ID = 'locDenied' >No", ADCS_DENIED, "", "No"},
		{"<P Class=a\tID=LOCDENIED/>No", ADCS_UNKNOWN, "", "No"},
		{"<P =locDenied ID=\"locDenied", ADCS_UNKNOWN, "", ""},
		{"<P ID", ADCS_UNKNOWN, "", ""},
		{"<P ID=", ADCS_UNKNOWN, "", ""},
		{"<", ADCS_UNKNOWN, "", ""},
		{"<LocID ID=locDispSpacer>", ADCS_UNKNOWN, "", ""},
		{"5<LocID ID=locDispSpacer>", ADCS_UNKNOWN, "", "5"},
		{"<P ID=locInfoReqID>", ADCS_PENDING, "", ""},
		{"<P ID=locInfoReqID>12345678901", ADCS_PENDING, "", NULL},
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
		/* Text that a browser hides does not count. */
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
		cmocka_unit_test(other_languages_by_their_elements),
		cmocka_unit_test(a_lone_number_is_a_request),
		cmocka_unit_test(elements_that_are_hidden_or_broken),
		cmocka_unit_test(others_say_nothing),
		cmocka_unit_test(any_bytes_are_taken),
	};

	return cmocka_run_group_tests_name("adcs_page", tests, NULL, NULL);
}
