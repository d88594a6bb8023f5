/* [ldap]: can we log in, and search below base? */

#include "check/subject.h"
#include "provider/look_up.h"

#define ABOUT "directory"

/* NULL: there is none, or it cannot be opened, which is reported. */
static struct look_up *open_directory(struct check *c)
{
	struct look_up *look_up = NULL;
	struct error e;

	if (look_up_open(c->config, &look_up, &e))
		finding_error(c, ABOUT, &e);
	return look_up;
}

static void check(struct check *c)
{
	struct look_up *look_up = open_directory(c);
	struct error e;

	if (look_up)
		finding_result(
			c, ABOUT, look_up_probe(c->config, look_up, &e), &e, c->config->ldap.url);
	look_up_close(look_up);
}

static void check_start(struct check *c)
{
	look_up_close(open_directory(c));
}

const struct check_subject subject_directory = {check, check_start};
