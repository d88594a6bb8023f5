/* Lets the web server test its own configuration, as its administrator would before a restart. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/run.h"
#include "check/web.h"

#define WHAT "web server's syntax"
#define OUTPUT_MAX (64 * 1024)

/*
 * A file that only root can read is no fault; both servers read all directives before they open
 * keys and logs, so that a fault among them is seen by anybody.
 */
static bool is_about_rights(const char *fault)
{
	return geteuid() != 0 &&
	       (strstr(fault, "Permission denied") || strstr(fault, "does not exist or is empty"));
}

/* The line that names the fault; Apache says in the next one what it is. NULL: there is none. */
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

/* marks: what the line of a fault has. */
static void test(const char *program, const char *const *arguments, const char *environment,
	const char *const marks[], const char *dir, struct web_report *report)
{
	struct buf output = BUF_INIT(OUTPUT_MAX);
	char path[PATH_MAX], *fault = NULL;

	if (run_find(program, path) && run_program(path, arguments, environment, &output) > 0 &&
		output.data)
		fault = find_fault(output.data, marks);
	if (fault && !is_about_rights(fault))
		web_fails(report, WHAT,
			"%s does not take its configuration in %s, and a restart would stop it: %s",
			program, dir, fault);
	buf_free(&output);
}

static bool is_there(const char *dir, const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX && access(path, R_OK) == 0;
}

static void test_nginx(const char *dir, const char *file, struct web_report *report)
{
	static const char *const marks[] = {"[emerg]", NULL};
	const char *const arguments[] = {"-t", "-e", "stderr", "-c", file, NULL};

	test("nginx", arguments, NULL, marks, dir, report);
}

/* Debian's has its folders from envvars, beside the configuration. */
static void test_apache(const char *dir, struct web_report *report)
{
	static const char *const marks[] = {"Syntax error", "AH0", NULL};
	static const char *const arguments[] = {"configtest", NULL};
	char variable[PATH_MAX + 20];

	snprintf(variable, sizeof(variable), "APACHE_CONFDIR=%s", dir);
	test("apache2ctl", arguments, variable, marks, dir, report);
}

void check_syntax(const char *dir, struct web_report *report)
{
	char file[PATH_MAX];

	if (is_there(dir, "nginx.conf", file))
		test_nginx(dir, file, report);
	if (is_there(dir, "apache2.conf", file))
		test_apache(dir, report);
}
