/*
 * The handler that runs with this configuration, found among the processes of this machine by its
 * command line. It reads its files when it starts, and at a reload, which replaces all its workers:
 * files that have changed since are not in force. Nothing is reported where no handler runs.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "check/subject.h"

#define ABOUT "handler"
#define PROGRAM "certprov.fcgi"
#define ARGUMENTS_MAX 16
#define COMMAND_MAX 4096

/* The kernel counts the start of a process in ticks. */
#define LEEWAY_NS 20000000LL
#define SECOND_NS 1000000000LL

struct process {
	long pid, parent;
	int64_t started; /* nanoseconds of the wall clock */
	char command[COMMAND_MAX];
	const char *argument[ARGUMENTS_MAX];
	int count;
};

struct handler {
	const char *config_path;
	long pid;
	int64_t started;
	int64_t read; /* when its oldest worker started */
	char program[PATH_MAX];
};

static int64_t nanoseconds(clockid_t clock)
{
	struct timespec now = {0, 0};

	clock_gettime(clock, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* Files in /proc have no size to go by. */
static size_t read_proc(long pid, const char *name, char *out, size_t size)
{
	char path[64];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%ld/%s", pid, name);
	file = fopen(path, "re");
	len = file ? fread(out, 1, size - 1, file) : 0;
	if (file)
		fclose(file);
	out[len] = '\0';
	return len;
}

/* proc(5): the name, field 2, may have blanks and parentheses in it. */
static bool read_stat(struct process *p)
{
	char text[1024], *at;
	unsigned long long ticks = 0;
	long hz = sysconf(_SC_CLK_TCK);

	if (!read_proc(p->pid, "stat", text, sizeof(text)))
		return false;
	at = strrchr(text, ')');
	if (!at || hz <= 0)
		return false;
	at += 2; /* at field 3 */
	p->parent = strtol(at + 2, NULL, 10);
	for (int field = 3; field < 22 && at; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return false;
	ticks = strtoull(at, NULL, 10);
	p->started = nanoseconds(CLOCK_REALTIME) - nanoseconds(CLOCK_BOOTTIME) +
		     (int64_t)(ticks * (unsigned long long)(SECOND_NS / hz));
	return true;
}

static bool read_process(long pid, struct process *out)
{
	size_t len, at = 0;
	const char *name;

	*out = (struct process){.pid = pid};
	len = read_proc(pid, "cmdline", out->command, sizeof(out->command));
	for (; at < len && out->count < ARGUMENTS_MAX; at += strlen(out->command + at) + 1)
		out->argument[out->count++] = out->command + at;
	if (out->count == 0)
		return false;
	name = strrchr(out->argument[0], '/');
	name = name ? name + 1 : out->argument[0];
	return strcmp(name, PROGRAM) == 0 && read_stat(out);
}

/* True if it runs with that configuration: the one of its -c, or the default. */
static bool has_config(const struct process *p, const char *path)
{
	const char *named = NULL;
	char absolute[PATH_MAX];

	for (int i = 1; i < p->count; i++) {
		const char *argument = p->argument[i];

		if ((strcmp(argument, "-c") == 0 || strcmp(argument, "--config") == 0) &&
			i + 1 < p->count)
			named = p->argument[i + 1];
		else if (strncmp(argument, "--config=", 9) == 0)
			named = argument + 9;
		else if (strncmp(argument, "-c", 2) == 0 && argument[2])
			named = argument + 2;
	}
	return realpath(named ? named : CERTPROV_CONFIG_FILE, absolute) &&
	       strcmp(absolute, path) == 0;
}

/* A worker has the command line of the handler, and the handler as its parent. */
static void take(struct handler *h, const struct process *p)
{
	if (p->parent == h->pid) {
		if (!h->read || p->started < h->read)
			h->read = p->started;
	} else if (!h->pid) {
		h->pid = p->pid;
		h->started = p->started;
		snprintf(h->program, sizeof(h->program), "%s", p->argument[0]);
	}
}

/* Two passes: first the handler, whose parent is none itself, then its workers. */
static void find(struct handler *h, bool workers)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		struct process p, above;
		int64_t pid = 0;

		if (!text_number(entry->d_name, INT32_MAX, &pid) || !read_process(pid, &p) ||
			!has_config(&p, h->config_path))
			continue;
		if (workers == read_process(p.parent, &above))
			take(h, &p);
	}
	if (dir)
		closedir(dir);
}

static bool is_newer(const struct timespec *time, int64_t than)
{
	return time->tv_sec * SECOND_NS + time->tv_nsec > than + LEEWAY_NS;
}

/* By st_ctime, which an installation changes; st_mtime may be the time of the build. */
static bool is_replaced(const struct handler *h)
{
	struct stat st;

	return *h->program == '/' && stat(h->program, &st) == 0 &&
	       is_newer(&st.st_ctim, h->started);
}

/* A file that has changed since the handler read it. NULL: none has. */
static const char *newer_file(const struct config *config, const struct handler *h)
{
	static const char *const sections[] = {
		"events", "admin", "ca", "ca signing", "ca encryption", "escrow"};
	struct stat st;

	if (stat(config->path, &st) == 0 && is_newer(&st.st_mtim, h->read))
		return config->path;
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		const char *file;
		size_t at = 0;

		while ((file = config_next_file(config, sections[i], &at)))
			if (stat(file, &st) == 0 && is_newer(&st.st_mtim, h->read))
				return file;
	}
	return NULL;
}

static void check(struct check *c)
{
	struct handler h = {.config_path = c->config->path};
	const char *newer;

	find(&h, false);
	if (h.pid)
		find(&h, true);
	if (!h.read)
		return; /* none runs, or it is just starting */
	newer = newer_file(c->config, &h);
	if (is_replaced(&h))
		finding_warn(c, ABOUT,
			"process %ld still runs the program from before %s was replaced" FIX
			"restart it (systemctl restart certprov.service)",
			h.pid, h.program);
	else if (newer)
		finding_warn(c, ABOUT,
			"%s has changed since process %ld read its configuration" FIX
			"reload it (systemctl reload certprov.service, or SIGHUP)",
			newer, h.pid);
	else
		finding_good(c, ABOUT, "process %ld runs with the files as they are", h.pid);
}

const struct check_subject subject_handler = {check, NULL};
