/* Lets the web server test its own configuration, as its administrator would before a restart. */

#include "check/web_syntax.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "check/program.h"

#define ABOUT "web server's syntax"
#define OUTPUT_MAX (64 * 1024)

/*
 * Returns true if the web server only lacks the right to read a file, as we are not root: that is
 * no fault. Both servers read all directives before they open keys and logs, so a fault in a
 * directive shows up for every user.
 */
static bool is_about_rights(const char *fault)
{
	return geteuid() != 0 &&
	       (strstr(fault, "Permission denied") || strstr(fault, "does not exist or is empty"));
}

/* The line with the fault; Apache explains it in the next one. NULL: no fault. */
static char *find_fault(char *output, const char *const marks[])
{
	char *fault = NULL, *end;

	for (size_t i = 0; marks[i] && !fault; i++)
		fault = strstr(output, marks[i]);
	end = fault ? strchr(fault, '\n') : NULL;
	if (end && end[-1] == ':') {
		*end = ' ';
		end = strchr(end, '\n');
	}
	if (end)
		*end = '\0';
	return fault;
}

/* marks: the words by which the line of a fault is known. */
static void test(struct check *c, const char *dir, const char *program,
	const char *const *arguments, const char *environment, const char *const marks[])
{
	struct buf output = BUF_INIT(OUTPUT_MAX);
	char path[PATH_MAX], *fault = NULL;

	if (program_find(program, path) && program_run(path, arguments, environment, &output) > 0 &&
		output.data)
		fault = find_fault(output.data, marks);
	if (fault && !is_about_rights(fault))
		finding_fail(c, ABOUT, ERR_REFUSED,
			"%s rejects its configuration in %s, and a restart would stop it: %s",
			program, dir, fault);
	buf_free(&output);
}

static bool is_there(const char *dir, const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX && access(path, R_OK) == 0;
}

void check_web_syntax(struct check *c, const char *dir)
{
	static const char *const nginx_marks[] = {"[emerg]", NULL};
	static const char *const apache_marks[] = {"Syntax error", "AH0", NULL};
	static const char *const apache_arguments[] = {"configtest", NULL};
	char file[PATH_MAX], folder[PATH_MAX + 20];
	const char *const nginx_arguments[] = {"-t", "-e", "stderr", "-c", file, NULL};

	if (is_there(dir, "nginx.conf", file))
		test(c, dir, "nginx", nginx_arguments, NULL, nginx_marks);
	/* Debian's Apache reads its folders from envvars, beside the configuration. */
	snprintf(folder, sizeof(folder), "APACHE_CONFDIR=%s", dir);
	if (is_there(dir, "apache2.conf", file))
		test(c, dir, "apache2ctl", apache_arguments, folder, apache_marks);
}
