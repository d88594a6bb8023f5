/*
 * What a command costs: runs it and appends a line to FILE.
 *
 *   measure FILE COMMAND [ARGUMENT...]
 *
 * The line: SECONDS CPU-SECONDS KILOBYTES STATUS. CPU is that of the command and its children, user
 * and system: on a machine that others use too, it is what to compare. Memory is the largest of
 * them, resident. Its exit status is the command's.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct rusage used;
	int64_t start = clock_monotonic_us();
	FILE *out = argc < 3 ? NULL : fopen(argv[1], "ae");
	int status = 0, code = 127;
	pid_t pid;

	if (!out) {
		fputs("usage: measure FILE COMMAND [ARGUMENT...]\n", stderr);
		return 2;
	}
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(code);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || getrusage(RUSAGE_CHILDREN, &used) < 0) {
		perror("measure");
		return 1;
	}
	code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	fprintf(out, "%.3f %.3f %ld %d\n", (double)(clock_monotonic_us() - start) / 1e6,
		seconds(&used.ru_utime) + seconds(&used.ru_stime), used.ru_maxrss, code);
	return fclose(out) == 0 ? code : 1;
}
