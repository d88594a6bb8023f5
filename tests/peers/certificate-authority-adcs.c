/*
 * The simulated certificate authority: Microsoft AD CS, its web enrollment pages. As
 * strict as the forms of the real ones are: what a browser would not send is an error.
 * Whoever asks is authenticated by a web server in front, or here by Basic or
 * NTLM.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tests/peers/certificate-authority-core.h"
#include "tests/peers/peer-state.h"

#define TEMPLATE "SMimeUser"
#define VALUE_MAX 65536

/* --- pages; their words are our own, but for what programs look for */

static void page(struct exchange *x, const char *title, const char *fmt, ...) printf_like(3, 4);

static void page(struct exchange *x, const char *title, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	reply_text(x, 200, "text/html; Charset=UTF-8",
		"<HTML>\r\n<Head><Title>Simulated Certificate Services</Title>\r\n"
		"<Script>var a = \"<P>0x80094012 was denied\";</Script></Head>\r\n"
		"<Body><!-- Certificate Pending -->\r\n<P><B>%s</B>\r\n%s\r\n</Body></HTML>\r\n",
		title, text);
}

/* The state folder has "adcs-language": de. Elements' names are the same, all words are others. */
static bool is_german(const struct exchange *x)
{
	char line[PEER_LINE_MAX] = "en";

	peer_line(x->state, "adcs-language", true, line);
	return strcmp(line, "de") == 0;
}

static void page_issued(struct exchange *x, int64_t number)
{
	page(x, "Issued",
		"<A Href=\"certnew.cer?ReqID=%lld&amp;Enc=bin\">DER</A>\r\n"
		"<A Href=\"certnew.p7b?ReqID=%lld&amp;Enc=bin\">chain</A>",
		(long long)number, (long long)number);
}

static void page_pending(struct exchange *x, int64_t number)
{
	if (is_german(x))
		page(x, "Zertifikat steht aus",
			"<P ID=locInfoNewReq> Ein Administrator muss es ausstellen.</P>\r\n"
			"<P ID=locInfoReqID>\r\nIhre Kennung lautet %lld.\r\n</P>\r\n"
			"<P ID=locTimeoutWarning> Binnen 10 Tagen.</P>",
			(long long)number);
	else
		page(x, "Certificate Pending",
			"<P>An administrator has to issue it. Your Request Id is %lld.\r\n"
			"<P>Come back within 10 days.",
			(long long)number);
}

static void page_denied(struct exchange *x, int64_t number, const char *why, const char *code)
{
	if (is_german(x))
		page(x, "Zertifikatanforderung abgelehnt",
			"<P ID=locDenied> Ihre Anforderung wurde abgelehnt. </P>\r\n"
			"<P ID=locInfoReqIDandReason>Ihre Kennung lautet %lld. Der Grund: \"%s\". ",
			(long long)number, why);
	else
		page(x, "Certificate Request Denied",
			"<P>Your Request Id is %lld. The disposition message is \"Denied by Policy "
			"Module&nbsp; %s, %s &lt;&#39;x&#39;&gt;\".",
			(long long)number, code, why);
}

static void page_error(struct exchange *x, const char *why)
{
	page(x, "Error",
		"<P>%s. The RPC server is unavailable. 0x800706ba (WIN32: 1722 "
		"RPC_S_SERVER_UNAVAILABLE)",
		why);
}

/* What stands where a certificate should; disposition is that of certcli.h. */
static void page_state(
	struct exchange *x, char disposition, const char *message, const char *status)
{
	if (is_german(x)) {
		page(x, "Fehler",
			"<DL><DT ID=locDispLabel><B>Verf&uuml;gung:</B></DT><DD>\r\n\t\t%c "
			"<LocID ID=locDispSpacer>-</LocID></DD>"
			"<DT ID=locLastStatLabel><B>Zustand:</B></DT><DD>0x0 (WIN32: 0)</DD></DL>",
			disposition);
		return;
	}
	page(x, "Error",
		"<B>Disposition message:</B><BR>\r\n\t\t%s\r\n<BR><B>LastStatus:</B><BR>\r\n\t\t%s",
		message, status);
}

/* --- the form */

struct form {
	struct buf request; /* the PKCS#10, DER */
	char template[64];
};

/* Percent-decoding, as forms have it: + is a space. */
static bool decode(const char *value, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c == '%') {
			char digits[3] = {0};

			if (len - i < 3)
				return false;
			memcpy(digits, value + i + 1, 2);
			if (!text_unhex(digits, &c, 1))
				return false;
			i += 2;
		} else if (c == '+') {
			c = ' ';
		} else if (!strchr("*-._~", c) && !(c >= '0' && c <= '9') &&
			   !((c | 0x20) >= 'a' && (c | 0x20) <= 'z')) {
			return false;
		}
		buf_putc(out, (char)c);
	}
	return !out->failed;
}

static bool is_request(const struct buf *value, struct form *form)
{
	return value->data &&
	       form_unpem(value->data, value->len, "CERTIFICATE REQUEST", &form->request);
}

static bool is_attributes(const struct buf *value, struct form *form)
{
	static const char key[] = "CertificateTemplate:";
	size_t len = sizeof(key) - 1;

	if (value->len <= len + 2 || value->len - len >= sizeof(form->template) ||
		memcmp(value->data, key, len) != 0 ||
		strcspn(value->data, "\r\n") + 2 != value->len ||
		strcmp(value->data + value->len - 2, "\r\n") != 0)
		return false;
	memcpy(form->template, value->data + len, value->len - len - 2);
	return true;
}

static bool is_friendly_type(const struct buf *value, struct form *form)
{
	static const char begin[] = "Saved-Request Certificate";

	(void)form;
	return value->data && strncmp(value->data, begin, sizeof(begin) - 1) == 0;
}

static const struct {
	const char *name;
	const char *value; /* or what it has to be: */
	bool (*take)(const struct buf *value, struct form *form);
} fields[] = {
	{"Mode", "newreq", NULL},
	{"CertRequest", NULL, is_request},
	{"CertAttrib", NULL, is_attributes},
	{"FriendlyType", NULL, is_friendly_type},
	{"ThumbPrint", "", NULL},
	{"TargetStoreFlags", "0", NULL},
	{"SaveCert", "yes", NULL},
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

/* "name=value": all fields there are, each once, in their order. */
static bool take_field(size_t i, const char *text, size_t len, struct form *form)
{
	size_t name = strlen(fields[i].name);
	struct buf value = BUF_INIT(VALUE_MAX);
	bool good = len > name && memcmp(text, fields[i].name, name) == 0 && text[name] == '=' &&
		    decode(text + name + 1, len - name - 1, &value);

	if (good)
		good = fields[i].value ? strcmp(value.data ? value.data : "", fields[i].value) == 0
				       : fields[i].take(&value, form);
	buf_free(&value);
	return good;
}

/* NULL, or the field that is not as it has to be. */
static const char *read_form(const struct exchange *x, struct form *form)
{
	const char *text = x->body.data ? x->body.data : "";

	if (strcmp(x->type, "application/x-www-form-urlencoded") != 0)
		return "Content-Type";
	for (size_t i = 0; i < FIELDS; i++) {
		size_t len = strcspn(text, "&");
		bool last = i + 1 == FIELDS;

		if (!take_field(i, text, len, form) || (text[len] == '\0') != last)
			return fields[i].name;
		text += len + !last;
	}
	return strlen(x->body.data) == x->body.len ? NULL : "a NUL";
}

/* --- what it does */

static void answer_request(struct exchange *x, const struct decision *d)
{
	switch (d->verdict) {
	case VERDICT_ISSUED:
		page_issued(x, d->number);
		break;
	case VERDICT_PENDING:
		page_pending(x, d->number);
		break;
	case VERDICT_REFUSED:
		page_denied(x, d->number, d->text, "0x80094012");
		break;
	case VERDICT_LATER:
		page_error(x, d->text);
		break;
	}
}

static enum err certfnsh(struct exchange *x)
{
	struct decision decision = {.verdict = VERDICT_REFUSED};
	struct form form = {.request = BUF_INIT(VALUE_MAX)};
	const char *wrong = read_form(x, &form);
	const struct blob csr = {(unsigned char *)form.request.data, form.request.len};
	enum err err = ERR_OK;

	if (wrong) {
		reply_text(x, 400, "text/plain", "wrong in the form: %s\n", wrong);
	} else if (strcmp(form.template, TEMPLATE) != 0) {
		page_denied(x, 0, "the CA does not support this template", "0x80094800");
	} else {
		err = authority_request(x, &csr, &decision, &x->error);
		if (!err)
			answer_request(x, &decision);
	}
	blob_free(&decision.certificate);
	buf_free(&form.request);
	return err;
}

/* With the same lines around a PKCS#7 as around a certificate, and ends as Windows has them. */
static void answer_base64(struct exchange *x, const char *type, const void *data, size_t len)
{
	struct buf lines = BUF_INIT(VALUE_MAX);

	form_base64(&lines, data, len, 64);
	buf_reset(&x->reply);
	buf_puts(&x->reply, "-----BEGIN CERTIFICATE-----\r\n");
	for (size_t i = 0; i < lines.len; i++) {
		if (lines.data[i] == '\n')
			buf_putc(&x->reply, '\r');
		buf_putc(&x->reply, lines.data[i]);
	}
	buf_puts(&x->reply, "-----END CERTIFICATE-----\r\n");
	reply_status(x, 200, type);
	buf_free(&lines);
}

static enum err answer_chain(struct exchange *x, const struct blob *leaf)
{
	struct blob all[AUTHORITY_CHAIN + 1] = {{NULL, 0}};
	struct buf pkcs7 = BUF_INIT(VALUE_MAX);
	enum err err = authority_chain(x, all, &x->error);

	if (!err) {
		if (leaf)
			all[AUTHORITY_CHAIN] = *leaf;
		form_pkcs7(&pkcs7, all, AUTHORITY_CHAIN + (leaf != NULL));
		answer_base64(x, "application/x-pkcs7-certificates", pkcs7.data, pkcs7.len);
	}
	authority_chain_free(all);
	buf_free(&pkcs7);
	return err;
}

/* "ReqID=N&Enc=b64"; 0: it is not. */
static int64_t number_of(const struct exchange *x)
{
	static const char begin[] = "ReqID=", end[] = "&Enc=b64";
	char digits[16] = "";
	size_t len = strlen(x->query);
	int64_t number = 0;

	if (len <= sizeof(begin) + sizeof(end) - 2 ||
		len - sizeof(begin) - sizeof(end) + 2 >= sizeof(digits) ||
		strncmp(x->query, begin, sizeof(begin) - 1) != 0 ||
		strcmp(x->query + len - sizeof(end) + 1, end) != 0)
		return 0;
	memcpy(digits, x->query + sizeof(begin) - 1, len - sizeof(begin) - sizeof(end) + 2);
	return text_number(digits, INT32_MAX, &number) ? number : 0;
}

static enum err certificate(struct exchange *x, bool with_chain)
{
	struct decision d = {.verdict = VERDICT_REFUSED};
	int64_t number = number_of(x);
	enum err err;

	if (!number) {
		reply_text(x, 400, "text/plain", "wrong in the query\n");
		return ERR_OK;
	}
	err = authority_poll(x, number, &d, &x->error);
	if (err)
		return err;
	if (d.verdict == VERDICT_PENDING)
		page_state(x, '5', "Taken Under Submission",
			"The operation completed. 0x0 (WIN32: 0)");
	else if (d.verdict == VERDICT_REFUSED)
		page_state(x, '2', d.text, "Denied by an administrator. 0x80094014");
	else if (d.verdict == VERDICT_LATER)
		page_error(x, d.text);
	else if (with_chain)
		err = answer_chain(x, &d.certificate);
	else
		answer_base64(x, "application/pkix-cert", d.certificate.data, d.certificate.len);
	blob_free(&d.certificate);
	return err;
}

static enum err certnew_cer(struct exchange *x)
{
	return certificate(x, false);
}

static enum err certnew_p7b(struct exchange *x)
{
	return strcmp(x->query, "ReqID=CACert&Renewal=-1&Enc=b64") == 0 ? answer_chain(x, NULL)
									: certificate(x, true);
}

static enum err welcome(struct exchange *x)
{
	page(x, "Welcome", "<A Href=\"certrqus.asp\">Request a certificate</A>");
	return ERR_OK;
}

/* --- */

static const struct operation {
	const char *name;
	const char *method;
	enum err (*serve)(struct exchange *x);
} operations[] = {
	{"", "GET", welcome},
	{"certfnsh.asp", "POST", certfnsh},
	{"certnew.cer", "GET", certnew_cer},
	{"certnew.p7b", "GET", certnew_p7b},
};

static const struct operation *find_operation(const struct exchange *x)
{
	const char *name = x->path + strlen(front_adcs.prefix);

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(name, operations[i].name) == 0)
			return &operations[i];
	return NULL;
}

static void unauthenticated(struct exchange *x)
{
	reply_unauthenticated(x, "NTLM");
	reply_header(x, "WWW-Authenticate", "Basic realm=\"certsrv\"");
}

static enum err serve(struct exchange *x)
{
	const struct operation *operation = find_operation(x);
	bool answered = false;
	enum err err = *x->identity ? ERR_OK : ntlm_identify(x, &answered, &x->error);

	if (err || answered)
		return err;
	if (!*x->identity)
		unauthenticated(x);
	else if (!operation)
		reply_text(x, 404, "text/plain", "there is no such page\n");
	else if (strcmp(x->method, operation->method) != 0)
		reply_text(x, 405, "text/plain", "only %s is allowed here\n", operation->method);
	else if (!strstr(request_header(x, "HTTP_USER_AGENT"), "Mozilla"))
		reply_text(x, 400, "text/plain", "this is no browser\n");
	else
		return operation->serve(x);
	return ERR_OK;
}

const struct front front_adcs = {"/certsrv/", serve};
