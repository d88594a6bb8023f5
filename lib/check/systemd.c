/* Asks systemctl(1) for the states of systemd's units. */

#include "check/systemd.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/program.h"

#define UNITS_MAX 12
#define OUTPUT_MAX 16384
#define PROPERTIES "--property=Id,LoadState,ActiveState,UnitFileState"

bool systemd_runs(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

/* "certprov@acme.service" has the file "certprov@.service". */
bool systemd_has_file(const char *unit)
{
	static const char *const folders[] = {"/etc/systemd/system",
		"/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"};
	const char *at = strchr(unit, '@'), *dot = strrchr(unit, '.');
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof(path), "%s/%.*s%s", folders[i],
			(int)(at && dot ? at + 1 - unit : (long)strlen(unit)), unit,
			at && dot ? dot : "");
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* "NAME=value" */
static void take(const char *line, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);

	if (strncmp(line, name, len) == 0 && line[len] == '=')
		snprintf(out, size, "%s", line + len + 1);
}

/* A unit's properties are lines, in any order; a blank line stands between units. */
static void read_states(char *output, struct unit *units, size_t count)
{
	struct unit one = {.name = ""};
	char *line;

	while ((line = strsep(&output, "\n")) != NULL) {
		take(line, "Id", one.name, sizeof(one.name));
		take(line, "LoadState", one.load, sizeof(one.load));
		take(line, "ActiveState", one.active, sizeof(one.active));
		take(line, "UnitFileState", one.file, sizeof(one.file));
		if (*line && output)
			continue;
		for (size_t i = 0; i < count; i++)
			if (strcmp(units[i].name, one.name) == 0)
				units[i] = one;
		one = (struct unit){.name = ""};
	}
}

bool systemd_show(struct unit *units, size_t count)
{
	const char *arguments[2 + UNITS_MAX + 1] = {"show", PROPERTIES};
	struct buf output = BUF_INIT(OUTPUT_MAX);
	char path[PATH_MAX];
	bool told;

	for (size_t i = 0; i < count && i < UNITS_MAX; i++)
		arguments[2 + i] = units[i].name;
	told = program_find("systemctl", path) &&
	       program_run(path, arguments, NULL, &output) == 0 && output.data;
	if (told)
		read_states(output.data, units, count);
	buf_free(&output);
	return told;
}

bool unit_is_there(const struct unit *unit)
{
	return *unit->load && strcmp(unit->load, "not-found") != 0;
}

bool unit_is_active(const struct unit *unit)
{
	return strcmp(unit->active, "active") == 0 || strcmp(unit->active, "reloading") == 0 ||
	       strcmp(unit->active, "activating") == 0;
}

bool unit_is_enabled(const struct unit *unit)
{
	return strncmp(unit->file, "enabled", strlen("enabled")) == 0;
}
