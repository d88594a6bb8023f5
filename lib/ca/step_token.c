/* The one-time tokens by which a provisioner of step-ca accepts a request. */

#include "ca/step_token.h"

#include <gnutls/abstract.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "ca/jwt.h"

#define PART_MAX (64 * 1024)
#define LIFETIME 300 /* seconds: the most that step-ca accepts */
#define JTI_OCTETS 16

/* --- the key */

static enum err check_keys(const struct config *config, const struct config_ca *ca, struct error *e)
{
	if (!ca->jwk_file == !ca->identity)
		return config_error(config, ca->section, ca->jwk_file ? "identity" : "jwk-file", e,
			"type = step needs either jwk-file (a JWK provisioner) or identity (an X5C "
			"provisioner)");
	if (ca->jwk_password_file)
		return config_error(config, ca->section, "jwk-password-file", e,
			"encrypted keys are no longer read: decrypt jwk-file once (step crypto jwe "
			"decrypt <OLD >NEW), set jwk-file to NEW, and remove jwk-password-file");
	return ERR_OK;
}

static enum err load_jwk(const struct config_ca *ca, struct jwk *out, struct error *e)
{
	struct blob text = {NULL, 0};
	enum err err = file_read_secret(ca->jwk_file, &text, e);

	if (err)
		return err;
	err = jwk_read(&text, out, e);
	blob_free(&text);
	return err ? error_context(e, "%s", ca->jwk_file) : ERR_OK;
}

/* "https://ca.example.com:9000/step" to "ca.example.com:9000": step-ca does not use a path. */
static char *authority_of(const char *url)
{
	const char *host = strstr(url, "://") + 3;

	return strndup(host, strcspn(host, "/"));
}

enum err step_signer_open(const struct config *config, const struct config_ca *ca,
	struct step_signer *out, struct error *e)
{
	struct step_signer signer = {.provisioner = ca->provisioner};
	enum err err = check_keys(config, ca, e);

	if (err)
		return err;
	signer.authority = authority_of(ca->url);
	err = signer.authority ? ERR_OK : error_memory(e);
	if (!err && ca->jwk_file)
		err = load_jwk(ca, &signer.jwk, e);
	else if (!err)
		err = identity_open(ca->identity, ca->identity_password_file, &signer.identity, e);
	if (err)
		step_signer_close(&signer);
	else
		*out = signer;
	return err;
}

void step_signer_close(struct step_signer *signer)
{
	identity_close(signer->identity);
	jwk_free(&signer->jwk);
	free(signer->authority);
	*signer = (struct step_signer){.provisioner = NULL};
}

const char *step_signer_type(const struct step_signer *signer)
{
	return signer->identity ? "X5C" : "JWK";
}

/* --- the token */

/* The chain as base64, not base64url, of DER (RFC 7515, 4.1.6). */
static void put_chain(const struct chain *chain, struct buf *out)
{
	buf_puts(out, "\"x5c\":[");
	for (size_t i = 0; i < chain->count; i++) {
		buf_puts(out, i ? ",\"" : "\"");
		buf_base64(out, chain->certificate[i].data, chain->certificate[i].len);
		buf_putc(out, '"');
	}
	buf_putc(out, ']');
}

/* Always https://, even if a proxy on this machine is asked over http://. */
static void put_audience(const struct step_signer *signer, const char *operation, struct buf *out)
{
	struct buf audience = BUF_INIT(PART_MAX);

	buf_printf(&audience, "https://%s/1.0/%s", signer->authority, operation);
	if (signer->identity)
		buf_printf(&audience, "#x5c/%s", signer->provisioner);
	if (audience.failed)
		out->failed = true;
	else
		buf_json_string(out, audience.data);
	buf_free(&audience);
}

static enum err put_claims(const struct step_signer *signer, const char *operation,
	const char *subject, const char *mail, int64_t now, struct buf *out, struct error *e)
{
	unsigned char random[JTI_OCTETS];
	char jti[2 * JTI_OCTETS + 1];
	enum err err = secret_random(random, sizeof(random), e);

	if (err)
		return err;
	text_hex(random, sizeof(random), jti);
	buf_puts(out, "{\"iss\":");
	buf_json_string(out, signer->provisioner);
	buf_puts(out, ",\"sub\":");
	buf_json_string(out, subject);
	buf_puts(out, ",\"aud\":");
	put_audience(signer, operation, out);
	if (mail) {
		buf_puts(out, ",\"sans\":[");
		buf_json_string(out, mail);
		buf_putc(out, ']');
	}
	buf_printf(out, ",\"iat\":%lld,\"nbf\":%lld,\"exp\":%lld,\"jti\":\"%s\"}", (long long)now,
		(long long)now, (long long)now + LIFETIME, jti);
	return buf_check(out, e);
}

static enum err sign_as_x5c(
	struct identity *identity, const char *claims, struct buf *out, struct error *e)
{
	struct buf header = BUF_INIT(PART_MAX);
	struct gnutls_privkey_st *key = NULL;
	struct chain chain = {0};
	enum err err = identity_ready(identity, e);

	if (!err)
		err = identity_signer(identity, &key, &chain, e);
	if (err)
		return err;
	put_chain(&chain, &header);
	err = buf_check(&header, e);
	if (!err)
		err = jwt_sign(key, header.data, claims, out, e);
	gnutls_privkey_deinit(key);
	chain_free(&chain);
	buf_free(&header);
	return err;
}

static enum err sign_as_jwk(
	const struct jwk *jwk, const char *claims, struct buf *out, struct error *e)
{
	struct buf header = BUF_INIT(PART_MAX);
	enum err err;

	buf_puts(&header, "\"kid\":");
	buf_json_string(&header, jwk->kid);
	err = buf_check(&header, e);
	if (!err)
		err = jwt_sign(jwk->key, header.data, claims, out, e);
	buf_free(&header);
	return err;
}

enum err step_token(const struct step_signer *signer, const char *operation, const char *subject,
	const char *mail, int64_t now, struct buf *out, struct error *e)
{
	struct buf claims = BUF_INIT(PART_MAX);
	enum err err = put_claims(signer, operation, subject, mail, now, &claims, e);

	if (!err)
		err = signer->identity ? sign_as_x5c(signer->identity, claims.data, out, e)
				       : sign_as_jwk(&signer->jwk, claims.data, out, e);
	buf_free(&claims);
	return err;
}
