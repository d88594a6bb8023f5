/* Programs that the doctor asks: systemctl, nginx -t, apache2ctl. */

#include "check/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"

#define SYSTEM_FOLDERS "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define WAIT_MS 10000
#define OUTPUT_MAX (64 * 1024)

static bool find_in(const char *folders, const char *name, char path[PATH_MAX])
{
	while (folders && *folders) {
		size_t len = strcspn(folders, ":");
		int n = snprintf(path, PATH_MAX, "%.*s/%s", (int)len, folders, name);

		if (len && *folders == '/' && n < PATH_MAX && access(path, X_OK) == 0)
			return true;
		folders += len + (folders[len] == ':');
	}
	return false;
}

bool program_find(const char *name, char path[PATH_MAX])
{
	return find_in(getenv("PATH"), name, path) || find_in(SYSTEM_FOLDERS, name, path);
}

static void hear(void *ctx, const char *line)
{
	buf_printf(ctx, "%s\n", line);
}

int program_run(const char *path, const char *const *arguments, const char *extra, struct buf *out)
{
	const char *const environment[] = {"PATH=" SYSTEM_FOLDERS, "LC_ALL=C", extra, NULL};
	const struct process_order order = {
		.program = path,
		.arguments = arguments,
		.environment = environment,
		.input = "",
		.output_max = OUTPUT_MAX,
		.deadline = clock_monotonic_ms() + WAIT_MS,
		.said = hear,
		.ctx = out,
	};
	struct process_result result = {.status = -1};
	struct error e;

	if (process_run(&order, &result, &e))
		return -1;
	if (result.output.data)
		buf_append(out, result.output.data, result.output.len);
	blob_free(&result.output);
	return result.status;
}
