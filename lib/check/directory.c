/* [ldap]: can we log in, and search below base? */

#include "base/clock.h"
#include "check/subject.h"
#include "provider/look_up.h"

#define ABOUT "directory"

/* Nobody's: all that is asked is whether the directory says so. */
#define NOBODY "certprov-check-of-the-directory"

/* NULL: there is none, or it cannot be opened, which is reported. */
static struct directory *open_directory(struct check *c)
{
	struct directory *directory = NULL;
	struct error e;

	if (look_up_open(c->config, &directory, &e))
		finding_error(c, ABOUT, &e);
	return directory;
}

static void check_answers(struct check *c, struct directory *directory)
{
	int64_t deadline = clock_monotonic_ms() + c->config->ldap.timeout * 1000;
	struct directory_user user;
	struct error e;
	enum err err = directory_find(directory, "(cn=" NOBODY ")", deadline, &user, &e);

	if (err == ERR_UNPROCESSABLE)
		err = ERR_OK;
	finding_result(c, ABOUT, err, &e, c->config->ldap.url);
}

static void check(struct check *c)
{
	struct directory *directory = open_directory(c);

	if (directory)
		check_answers(c, directory);
	directory_close(directory);
}

static void check_start(struct check *c)
{
	directory_close(open_directory(c));
}

const struct check_subject subject_directory = {check, check_start};
