/* What the doctor says of a certificate of ours, and of anything that expires. */

#include "check/certificate.h"

#include "base/buf.h"

#define TEXT_MAX 2048

bool check_certificate(struct check *c, const char *about, enum expiry_what what,
	const struct blob *der, struct certificate_info *out)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	struct expiry expiry;
	struct error e;

	if (certificate_info(der, out, &e)) {
		finding_error(c, about, &e);
		return false;
	}
	expiry = what == EXPIRY_CA ? expiry_judge_ca(out->not_before, out->not_after,
					     c->config->certificates.validity)
				   : expiry_judge(what, out->not_before, out->not_after);
	buf_printf(&text, "%s ", out->subject);
	expiry_text(&expiry, &text);
	if (what == EXPIRY_CLIENT)
		buf_printf(&text, "; thumbprints SHA-1 %s SHA-256 %s", out->sha1, out->sha256);
	check_expiry(c, about, &expiry, text.data);
	buf_free(&text);
	return true;
}

void check_expiry(struct check *c, const char *about, const struct expiry *expiry, const char *text)
{
	if (expiry_is_over(expiry))
		finding_fail(c, about, ERR_CONFIG, "%s", text);
	else if (expiry_is_near(expiry))
		finding_warn(c, about, "%s", text);
	else
		finding_good(c, about, "%s", text);
}
