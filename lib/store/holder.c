/* Tells a lease whose process has ended from one whose process lives. */
#include "store/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOOT_SIZE 40
#define NAMESPACE_SIZE 40
#define START_FIELD 22
#define STAT_MAX 1024

/* The first line, or what there is of it. False: it cannot be read. */
static bool read_line(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return n > 0;
}

/* "BOOT PID-NAMESPACE ": processes with another one cannot be judged by their number. */
static bool find_machine(char *out, size_t size)
{
	char boot[BOOT_SIZE], space[NAMESPACE_SIZE];
	ssize_t n = readlink("/proc/self/ns/pid", space, sizeof(space) - 1);

	if (n <= 0 || !read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot)))
		return false;
	space[n] = '\0';
	return (size_t)snprintf(out, size, "%s %s ", boot, space) < size;
}

/*
 * The program's name, which comes before, may have anything in it, but ends at the last ")". One
 * that has ended and was not waited for has no start any more: 0.
 */
static bool find_start(long pid, unsigned long long *out)
{
	char path[64], stat[STAT_MAX];
	bool ended;
	char *at;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	if (!read_line(path, stat, sizeof(stat)))
		return false;
	at = strrchr(stat, ')');
	ended = at && (strncmp(at, ") Z", 3) == 0 || strncmp(at, ") X", 3) == 0);
	for (int field = 2; at && field < START_FIELD; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return false;
	errno = 0;
	*out = ended ? 0 : strtoull(at + 1, NULL, 10);
	return errno == 0;
}

void holder_self(char out[HOLDER_SIZE])
{
	long pid = (long)getpid();
	char machine[HOLDER_SIZE];
	unsigned long long start = 0;

	if (!find_machine(machine, sizeof(machine)) || !find_start(pid, &start) || !start ||
		snprintf(out, HOLDER_SIZE, "%s%ld %llu", machine, pid, start) >= HOLDER_SIZE)
		out[0] = '\0';
}

/* /proc may hide a process of another user: then the kernel's word, that it is there, counts. */
static bool is_gone(long pid, unsigned long long started)
{
	unsigned long long start = 0;

	if (kill((pid_t)pid, 0) < 0 && errno == ESRCH)
		return true;
	return find_start(pid, &start) && start != started;
}

bool holder_is_gone(const char *holder)
{
	char machine[HOLDER_SIZE];
	unsigned long long started;
	char *end = NULL;
	long pid;
	size_t len;

	if (!find_machine(machine, sizeof(machine)))
		return false;
	len = strlen(machine);
	if (strncmp(holder, machine, len) != 0)
		return false;
	errno = 0;
	pid = strtol(holder + len, &end, 10);
	if (errno || pid <= 0 || *end != ' ')
		return false;
	started = strtoull(end + 1, &end, 10);
	return !errno && *end == '\0' && is_gone(pid, started);
}
