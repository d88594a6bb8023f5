/* The local CA: a certificate in a file, and a key in another or in a token. */

#include "ca/local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "ca/ca_kind.h"
#include "pki/issue.h"
#include "pki/token_objects.h"

#define LEAF_BACKDATE (5 * 60)	/* seconds, as readers' clocks may be slow */
#define ROOT_BACKDATE (60 * 60) /* more, so that it covers a backdated leaf */
#define ROOT_VALIDITY (3652 * 86400LL)

struct local {
	struct issuer *issuer;
	struct chain chain; /* the CA's certificate, and what certifies it */
	int64_t validity;
	char *const *policies;
	const char *crl_url;
	const char *issuer_url;
};

static enum err load_chain(const char *path, struct chain *out, struct error *e)
{
	struct blob pem = {NULL, 0};
	enum err err = file_read(path, &pem, e);

	if (err)
		return err;
	err = chain_from_pem(&pem, out, e);
	blob_free(&pem);
	return err ? error_context(e, "%s", path) : ERR_OK;
}

static enum err load_key(const char *path, struct key **out, struct error *e)
{
	struct blob pem = {NULL, 0};
	enum err err = file_read_secret(path, &pem, e);

	if (err)
		return err;
	err = key_import_pem(&pem, out, e);
	blob_free(&pem);
	return err ? error_context(e, "%s", path) : ERR_OK;
}

static void local_close(void *self)
{
	struct local *local = self;

	if (!local)
		return;
	issuer_free(local->issuer);
	chain_free(&local->chain);
	free(local);
}

static enum err load_issuer(struct local *local, const struct config_ca *ca, struct error *e)
{
	struct key *key = NULL;
	enum err err = load_key(ca->key, &key, e);

	if (!err) {
		err = issuer_new(&local->chain.certificate[0], key, &local->issuer, e);
		if (err)
			error_context(e, "%s, %s", ca->certificate, ca->key);
	}
	key_free(key);
	return err;
}

static enum err load_issuer_in_token(struct local *local, const struct config *config,
	const struct config_ca *ca, struct error *e)
{
	struct token *token = NULL;
	enum err err = token_new(ca->key, &token, e);

	if (err)
		return config_error(config, ca->section, "key", e, "%s", e->text);
	err = issuer_new_token(&local->chain.certificate[0], token, &local->issuer, e);
	if (err) {
		token_free(token);
		return error_context(e, "%s", ca->certificate);
	}
	return ERR_OK;
}

static enum err load(struct local *local, const struct config *config, const struct config_ca *ca,
	struct error *e)
{
	enum err err = load_chain(ca->certificate, &local->chain, e);

	if (err)
		return err;
	return token_is_url(ca->key) ? load_issuer_in_token(local, config, ca, e)
				     : load_issuer(local, ca, e);
}

/*
 * Checks the key of the CA. If it cannot be reached now, that is a warning: existing certificates
 * are still delivered, and new enrollments stay pending. ERR_CONFIG if the key does not fit the
 * certificate.
 */
static enum err look(const struct local *local, const struct config_ca *ca, struct error *e)
{
	struct error now;
	enum err err = issuer_check_key(local->issuer, e);

	if (err && err != ERR_UNAVAILABLE)
		return error_context(e, "%s", ca->certificate);
	if (err)
		log_warning("%s; until then nothing can be issued", e->text);
	else if (issuer_check_time(local->issuer, &now))
		log_warning("%s: %s; nothing can be issued", ca->certificate, now.text);
	return ERR_OK;
}

static enum err local_open(
	const struct config *config, const struct config_ca *ca, void **self, struct error *e)
{
	struct local *local = calloc(1, sizeof(*local));
	enum err err = local ? load(local, config, ca, e) : error_memory(e);

	if (!err)
		err = look(local, ca, e);
	if (err) {
		local_close(local);
		return err;
	}
	local->validity = config->certificates.validity;
	local->policies = config->certificates.policies;
	local->crl_url = ca->crl_url;
	local->issuer_url = ca->issuer_url;
	*self = local;
	return ERR_OK;
}

/* The leaf, with the CA's own chain behind it. */
static enum err with_chain(
	const struct local *local, struct blob *leaf, struct chain *out, struct error *e)
{
	struct chain issuers = {0}, chain = {0};
	enum err err = ERR_OK;

	if (local->chain.count == CHAIN_MAX)
		return error_set(
			e, ERR_CONFIG, "the CA's own chain is longer than %d", CHAIN_MAX - 1);
	err = chain_copy(&local->chain, &issuers, e);
	if (err)
		return err;
	chain.certificate[chain.count++] = *leaf;
	for (size_t i = 0; i < issuers.count; i++)
		chain.certificate[chain.count++] = issuers.certificate[i];
	*leaf = (struct blob){NULL, 0};
	*out = chain;
	return ERR_OK;
}

static enum err local_issue(
	void *self, const struct ca_order *order, struct ca_answer *out, struct error *e)
{
	const struct local *local = self;
	struct blob public_key = {NULL, 0}, leaf = {NULL, 0};
	struct leaf_order leaf_order = {
		.usage = order->usage,
		.subject = order->subject,
		.address = order->address,
		.public_key = &public_key,
		.not_before = order->now - LEAF_BACKDATE,
		/* RFC 5280, 4.1.2.5: both ends are included */
		.not_after = order->now - LEAF_BACKDATE + local->validity - 1,
		.policies = local->policies,
		.crl_url = local->crl_url,
		.issuer_url = local->issuer_url,
	};
	enum err err = key_public(order->key, &public_key, e);

	if (!err)
		err = issue_leaf(local->issuer, &leaf_order, &leaf, e);
	if (!err)
		err = with_chain(local, &leaf, &out->chain, e);
	blob_free(&leaf);
	blob_free(&public_key);
	return err;
}

static enum err local_chain(void *self, int64_t deadline, struct chain *out, struct error *e)
{
	const struct local *local = self;

	(void)deadline;
	return chain_copy(&local->chain, out, e);
}

static enum err local_probe(void *self, int64_t deadline, struct error *e)
{
	const struct local *local = self;

	enum err err = issuer_check_key(local->issuer, e);

	(void)deadline;
	return err ? err : issuer_check_time(local->issuer, e);
}

/* The next list has it. A list covers only the certificates of its own issuer. */
static enum err local_revoke(void *self, const struct ca_revocation *revocation, struct error *e)
{
	const struct local *local = self;
	struct certificate_info own;
	enum err err = certificate_info(&local->chain.certificate[0], &own, e);

	if (!err && strcmp(own.subject, revocation->issuer) != 0)
		err = error_set(e, ERR_REFUSED,
			"the certificate with serial %s was issued by \"%s\"; \"%s\" cannot revoke "
			"it",
			revocation->serial, revocation->issuer, own.subject);
	return err;
}

static enum err local_crl(
	void *self, const struct crl_order *order, struct blob *out, struct error *e)
{
	const struct local *local = self;

	return crl_sign(local->issuer, order, out, e);
}

const struct ca_kind ca_local = {
	.open = local_open,
	.issue = local_issue,
	.chain = local_chain,
	.probe = local_probe,
	.revoke = local_revoke,
	.crl = local_crl,
	.close = local_close,
};

/* --- first set-up */

static enum err must_be_free(const char *path, struct error *e)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return error_set(
			e, ERR_CONFIG, "%s is there already; it is never overwritten", path);
	return errno == ENOENT ? ERR_OK : error_errno(e, ERR_CONFIG, "%s", path);
}

/* Signs with the key, or else with the token. */
static enum err make_root(const struct key *key, struct token *token, const struct name *subject,
	struct blob *pem, struct error *e)
{
	int64_t from = clock_now() - ROOT_BACKDATE, to = from + ROOT_VALIDITY - 1;
	struct blob der = {NULL, 0};
	enum err err = token ? issue_root_token(token, subject, from, to, &der, e)
			     : issue_root(key, subject, from, to, &der, e);

	if (!err)
		err = certificate_to_pem(&der, pem, e);
	blob_free(&der);
	return err;
}

/* The key first: a certificate without its key is useless. */
static enum err write_files(const struct config_ca *ca, const struct blob *key,
	const struct blob *certificate, struct error *e)
{
	enum err err = file_create(ca->key, 0600, key->data, key->len, e);

	if (err)
		return err;
	err = file_create(ca->certificate, 0644, certificate->data, certificate->len, e);
	if (err)
		unlink(ca->key);
	return err;
}

static enum err init_files(
	const struct config_ca *ca, const struct name *name, enum key_type type, struct error *e)
{
	struct blob key_pem = {NULL, 0}, certificate_pem = {NULL, 0};
	struct key *key = NULL;
	enum err err = must_be_free(ca->key, e);

	if (!err)
		err = must_be_free(ca->certificate, e);
	if (!err)
		err = key_generate(type, &key, e);
	if (!err)
		err = key_export_pem(key, &key_pem, e);
	if (!err)
		err = make_root(key, NULL, name, &certificate_pem, e);
	if (!err)
		err = write_files(ca, &key_pem, &certificate_pem, e);
	blob_free(&key_pem);
	blob_free(&certificate_pem);
	key_free(key);
	return err;
}

/* Uses the key in the token, or makes one. Many HSMs need their own tools to make a key. */
static enum err find_or_make(struct token *token, enum key_type type, struct error *e)
{
	enum err err = token_find(token, e);

	return err == ERR_NOT_FOUND ? token_generate(token, type, e) : err;
}

static enum err init_token(
	const struct config_ca *ca, const struct name *name, enum key_type type, struct error *e)
{
	struct blob pem = {NULL, 0};
	struct token *token = NULL;
	enum err err = must_be_free(ca->certificate, e);

	if (!err)
		err = token_new(ca->key, &token, e);
	if (!err)
		err = find_or_make(token, type, e);
	if (!err)
		err = make_root(NULL, token, name, &pem, e);
	if (!err)
		err = file_create(ca->certificate, 0644, pem.data, pem.len, e);
	blob_free(&pem);
	token_free(token);
	return err;
}

enum err ca_local_init(
	const struct config_ca *ca, const char *subject, enum key_type type, struct error *e)
{
	struct name name = {0};
	enum err err = name_build(subject, NULL, NULL, &name, e);

	if (err)
		return err;
	return token_is_url(ca->key) ? init_token(ca, &name, type, e)
				     : init_files(ca, &name, type, e);
}

enum err ca_local_check_key(const struct config_ca *ca, struct error *e)
{
	struct chain chain = {0};
	struct issuer *issuer = NULL;
	struct token *token = NULL;
	enum err err = load_chain(ca->certificate, &chain, e);

	if (!err)
		err = token_new(ca->key, &token, e);
	if (!err)
		err = issuer_new_token(&chain.certificate[0], token, &issuer, e);
	if (err)
		token_free(token);
	else
		err = issuer_check_key(issuer, e);
	issuer_free(issuer);
	chain_free(&chain);
	return err;
}
