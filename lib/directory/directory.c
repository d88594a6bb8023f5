/* Looks a user up in the directory. What is asked, and when, is lib/provider's. */
#include "directory/directory.h"

#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/file.h"
#include "directory/entry.h"
#include "directory/session.h"

/* Added to the deadline, so that the child can report its own timeout. */
#define MARGIN_MS 200

#define PEM_CERTIFICATE "-----BEGIN CERTIFICATE-----"

struct directory {
	const struct config *config; /* borrowed */
	struct session_settings settings;
};

/* --- opening */

static enum err check_base(const struct config *config, struct error *e)
{
	LDAPDN dn = NULL;
	int rc = ldap_str2dn(config->ldap.base, &dn, LDAP_DN_FORMAT_LDAPV3);

	ldap_dnfree(dn);
	if (rc != LDAP_SUCCESS)
		return config_error(config, "ldap", "base", e,
			"expected the name of an entry, such as dc=example,dc=com");
	return ERR_OK;
}

static enum err read_anchors(struct directory *d, struct error *e)
{
	struct blob pem = {NULL, 0};
	const char *path = d->config->ldap.ca_file;
	enum err err = path ? file_read(path, &pem, e) : ERR_OK;

	if (err || !path)
		return err;
	if (memmem(pem.data, pem.len, PEM_CERTIFICATE, strlen(PEM_CERTIFICATE)))
		err = memfile_open("ldap ca-file", pem.data, pem.len, &d->settings.anchors, e);
	else
		err = error_set(e, ERR_CONFIG, "%s has no certificate in PEM", path);
	blob_free(&pem);
	return err;
}

static enum err open_parts(struct directory *d, struct error *e)
{
	const struct config *config = d->config;
	enum err err = check_base(config, e);

	if (!err)
		err = read_anchors(d, e);
	if (!err && config->ldap.password_file)
		err = file_read_password(config->ldap.password_file, &d->settings.password, e);
	return err;
}

enum err directory_open(
	const struct config *config, const char *identity, struct directory **out, struct error *e)
{
	struct directory *d = calloc(1, sizeof(*d));
	enum err err;

	if (!d)
		return error_memory(e);
	session_library_init();
	d->config = config;
	d->settings.url = config->ldap.url;
	d->settings.bind_dn = config->ldap.bind_dn;
	d->settings.identity = identity;
	d->settings.anchors.fd = -1;
	err = open_parts(d, e);
	if (err)
		directory_close(d);
	else
		*out = d;
	return err;
}

void directory_close(struct directory *directory)
{
	if (!directory)
		return;
	blob_free(&directory->settings.password);
	memfile_close(&directory->settings.anchors);
	free(directory);
}

/* --- a question */

struct question {
	struct session_settings settings;
	struct entry_search search;
};

struct answer {
	enum err err;
	struct error error;
	struct directory_user user;
};

/* In the child. */
static void ask(void *ctx, void *result)
{
	const struct question *question = ctx;
	struct answer *answer = result;
	LDAP *ld = NULL;

	answer->err = session_open(&question->settings, &ld, &answer->error);
	if (answer->err)
		return;
	answer->err = entry_find(
		ld, &question->settings, &question->search, &answer->user, &answer->error);
	session_close(ld);
}

static enum err take(const struct answer *answer, enum child_end end, const char *url,
	struct directory_user *out, struct error *e)
{
	if (end != CHILD_DONE)
		return error_set(e, ERR_UNAVAILABLE, "%s: %s", url,
			end == CHILD_KILLED ? "not done in time"
					    : "given up, because the program is stopping");
	if (answer->err)
		*e = answer->error;
	else
		*out = answer->user;
	return answer->err;
}

enum err directory_find(const struct directory *directory, const char *filter, int64_t deadline,
	struct directory_user *out, struct error *e)
{
	const struct config *config = directory->config;
	struct question question = {
		.settings = directory->settings,
		.search =
			{
				.base = config->ldap.base,
				.filter = filter,
				.mail_attribute = config->ldap.mail_attribute,
				.name_attribute = config->ldap.name_attribute,
			},
	};
	const struct child_work work = {
		.run = ask,
		.ctx = &question,
		.result_size = sizeof(struct answer),
		.until = deadline + MARGIN_MS,
	};
	enum child_end end = CHILD_KILLED;
	void *answer = NULL;
	enum err err;

	question.settings.deadline = deadline;
	err = child_run(&work, &answer, &end, e);
	if (err)
		return err;
	err = take(answer, end, config->ldap.url, out, e);
	child_result_free(answer, work.result_size);
	return err;
}
