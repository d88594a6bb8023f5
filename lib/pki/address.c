/* A mail address as a certificate has it: validated, its domain in A-labels. */

#include "pki/address.h"

#include <gnutls/gnutls.h>
#include <idn2.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

#define INPUT_MAX 1024 /* bytes; a domain in U-labels may shrink */
#define LOCAL_MAX 64   /* RFC 5321, 4.5.3.1.1 */
#define LABEL_MAX 63   /* RFC 1035, 2.3.4 */

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
/* RFC 5322, 3.2.3, without what makes a route of it: "user%host@relay", "host!user@relay" */
#define ROUTE "%!"
#define ATEXT LETTERS UPPER DIGITS "#$&'*+-/=?^_`{|}~"

static enum err refuse(struct error *e, const char *why)
{
	return error_set(e, ERR_UNPROCESSABLE, "mail address: %s", why);
}

/* RFC 5321, 4.1.2, and RFC 6531, 3.3: Dot-string, with UTF-8 in it. */
static enum err check_local(const char *local, size_t len, struct error *e)
{
	if (len == 0)
		return refuse(e, "nothing before the @");
	if (len > LOCAL_MAX)
		return refuse(e, "more than 64 bytes before the @");
	if (local[0] == '"')
		return refuse(e, "quoted strings are not accepted");
	if (strcspn(local, ROUTE "@") < len)
		return refuse(e, "a route (% or !) before the @");
	if (local[0] == '.' || local[len - 1] == '.')
		return refuse(e, "a dot at an end of the part before the @");
	for (size_t i = 0; i < len; i++) {
		if (local[i] == '.' && local[i + 1] == '.')
			return refuse(e, "two dots in a row before the @");
		if (local[i] != '.' && (unsigned char)local[i] < 0x80 && !strchr(ATEXT, local[i]))
			return refuse(e, "a character before the @ that needs quoting");
	}
	return ERR_OK;
}

static enum err check_label(const char *label, size_t len, struct error *e)
{
	if (len == 0)
		return refuse(e, "an empty label in the domain");
	if (len > LABEL_MAX)
		return refuse(e, "a label of more than 63 bytes in the domain");
	if (label[0] == '-' || label[len - 1] == '-')
		return refuse(e, "a hyphen at an end of a label of the domain");
	if (strspn(label, LETTERS DIGITS "-") < len)
		return refuse(e, "a character that is not allowed in a domain");
	return ERR_OK;
}

/* RFC 5321, 4.1.2: at least two labels here, since a mail from elsewhere reaches no other. */
static enum err check_domain(const char *domain, struct error *e)
{
	const char *label = domain;
	size_t labels = 1;
	enum err err = ERR_OK;

	for (;; labels++) {
		size_t len = strcspn(label, ".");

		err = check_label(label, len, e);
		if (err)
			return err;
		if (!label[len])
			break;
		label += len + 1;
	}
	if (labels < 2)
		return refuse(e, "the domain has a single label");
	if (strspn(label, DIGITS) == strlen(label))
		return refuse(e, "an IP address instead of a domain");
	return ERR_OK;
}

/* ASCII that no domain has; libidn2 would drop some of it in silence ("ex_ample" to "example"). */
static bool has_stray_ascii(const char *domain)
{
	for (; *domain; domain++)
		if ((unsigned char)*domain < 0x80 && !strchr(LETTERS UPPER DIGITS "-.", *domain))
			return true;
	return false;
}

/* A-labels in lower case (RFC 5891, 4; UTS #46, non-transitional). */
static enum err domain_to_ascii(const char *domain, char **out, struct error *e)
{
	int rc;

	if (*domain == '[')
		return refuse(e, "an address literal instead of a domain");
	if (has_stray_ascii(domain))
		return refuse(e, "a character that is not allowed in a domain");
	rc = idn2_to_ascii_8z(domain, out, IDN2_NONTRANSITIONAL);
	if (rc == IDN2_MALLOC)
		return error_memory(e);
	if (rc != IDN2_OK)
		return error_set(e, ERR_UNPROCESSABLE, "mail address: the domain is not valid: %s",
			idn2_strerror(rc));
	for (char *p = *out; *p; p++)
		*p = text_lower(*p);
	return ERR_OK;
}

/* Space in other scripts: allowed by RFC 6531, and never part of anyone's address. */
static bool has_space(const char *s)
{
	uint32_t c = 0;

	for (size_t left = strlen(s), size; left > 0; s += size, left -= size) {
		size = utf8_next(s, left, &c);
		if (size == 0 || (c > 0x20 && utf8_is_space(c)))
			return true;
	}
	return false;
}

/*
 * Two texts that look the same must not be two mailboxes: NFC, without characters that NFKC
 * replaces, is what NFKC leaves as it is (RFC 6532, 3.1). GnuTLS also refuses what no text has.
 */
static bool is_normal(const char *s, size_t len)
{
	gnutls_datum_t nfc = {NULL, 0};
	uint32_t c = 0;
	bool same = gnutls_utf8_password_normalize(
			    (const unsigned char *)s, (unsigned)len, &nfc, 0) == 0 &&
		    nfc.size == len && memcmp(nfc.data, s, len) == 0;

	gnutls_free(nfc.data);
	for (size_t at = 0, size; same && at < len; at += size) {
		size = utf8_next(s + at, len - at, &c);
		same = size > 0 && !utf8_is_compatibility(c);
	}
	return same;
}

static bool is_ascii(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] >= 0x80)
			return false;
	return true;
}

enum err address_parse(const char *s, struct address *out, struct error *e)
{
	size_t len = strlen(s), local = strcspn(s, "@");
	char *domain = NULL;
	enum err err = ERR_OK;

	if (len > INPUT_MAX)
		return refuse(e, "far too long");
	if (!utf8_is_valid(s, len))
		return refuse(e, "not UTF-8");
	if (utf8_has_control(s) || has_space(s))
		return refuse(e, "has control or invisible characters");
	if (s[local] != '@' || strchr(s + local + 1, '@'))
		return refuse(e, "not one @");
	err = check_local(s, local, e);
	if (!err && !is_ascii(s, local) && !is_normal(s, local))
		err = refuse(e, "the part before the @ is written in a form that looks like "
				"another (Unicode: not NFKC)");
	if (!err)
		err = domain_to_ascii(s + local + 1, &domain, e);
	if (!err)
		err = check_domain(domain, e);
	if (!err && local + 1 + strlen(domain) >= ADDRESS_SIZE)
		err = refuse(e, "longer than 254 bytes");
	if (!err) {
		snprintf(out->text, sizeof(out->text), "%.*s@%s", (int)local, s, domain);
		out->domain = local + 1;
		out->ascii_local = is_ascii(s, local);
	}
	idn2_free(domain);
	return err;
}
