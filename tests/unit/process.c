/* Programs that process_run() runs: their input, output, limits and ends. */
#include "base/process.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "pki_tools.h"

/* Runs scripts as programs; the files that they leave tell what they did. */

#define PATIENCE_MS 60000

struct heard {
	struct buf text;
	unsigned count;
};

static char *folder;
static struct heard heard = {.text = BUF_INIT(1 << 20)};
static struct process_result result;

static int set_up(void **state)
{
	(void)state;
	folder = new_folder();
	result = (struct process_result){.status = -1};
	heard.count = 0;
	buf_reset(&heard.text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	blob_free(&result.output);
	buf_free(&heard.text);
	remove_folder(folder);
	return 0;
}

static void hear(void *ctx, const char *line)
{
	struct heard *h = ctx;

	h->count++;
	buf_printf(&h->text, "%s\n", line);
}

static char *script(const char *text)
{
	struct buf all = BUF_INIT(65536);
	char *path;

	buf_printf(&all, "#!/bin/sh\n%s\n", text);
	path = write_file(folder, "program", &(struct blob){(unsigned char *)all.data, all.len});
	assert_int_equal(chmod(path, 0700), 0);
	buf_free(&all);
	return path;
}

static enum err run_for(const char *text, int64_t ms, size_t output_max, struct error *e)
{
	char at[512], *path = script(text);
	const char *const environment[] = {"PATH=/usr/bin:/bin", at, NULL};
	const struct process_order order = {
		.program = path,
		.environment = environment,
		.input = "the input\n",
		.input_len = 10,
		.output_max = output_max,
		.deadline = clock_monotonic_ms() + ms,
		.said = hear,
		.ctx = &heard,
	};
	enum err err;

	snprintf(at, sizeof(at), "AT=%s", folder);
	blob_free(&result.output);
	err = process_run(&order, &result, e);
	free(path);
	return err;
}

static enum err run(const char *text, struct error *e)
{
	return run_for(text, PATIENCE_MS, 65536, e);
}

static const char *printed(void)
{
	return result.output.data ? (const char *)result.output.data : "";
}

/* The one word in a file that a script wrote, or "". */
static const char *left_behind(const char *name)
{
	static char word[64];
	char *path = NULL;
	FILE *file;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	file = fopen(path, "r");
	free(path);
	word[0] = '\0';
	if (file) {
		if (fscanf(file, "%63s", word) != 1)
			word[0] = '\0';
		fclose(file);
	}
	return word;
}

static bool is_gone(const char *name)
{
	const char *pid = left_behind(name);
	char path[64], line[256] = "";
	FILE *file;

	assert_true(*pid);
	for (int64_t end = clock_monotonic_ms() + PATIENCE_MS; clock_monotonic_ms() < end;) {
		snprintf(path, sizeof(path), "/proc/%s/stat", pid);
		file = fopen(path, "r");
		if (!file)
			return true;
		if (!fgets(line, sizeof(line), file))
			line[0] = '\0';
		fclose(file);
		if (strstr(line, ") Z ")) /* its new parent has not reaped it yet */
			return true;
		usleep(10000);
	}
	return false;
}

static void assert_no_child_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* --- what goes in and comes out */

static void gives_and_takes(void **state)
{
	(void)state;
	assert_ok(run("cat; pwd; echo heard >&2; exit 3", e));
	assert_int_equal(result.status, 3);
	assert_string_equal(printed(), "the input\n/\n");
	assert_string_equal(heard.text.data, "heard\n");
	assert_no_child_left();
	assert_ok(run("exit 75", e));
	assert_int_equal(result.status, 75);
	assert_int_equal(result.output.len, 0);
	assert_ok(run("cat /dev/stdin; cat /dev/stdin", e)); /* as openssl does */
	assert_string_equal(printed(), "the input\nthe input\n");
	assert_ok(run("exec <&- >&- 2>&-; sleep 0.2; exit 4", e));
	assert_int_equal(result.status, 4);
}

static void gives_nothing_else(void **state)
{
	char want[600];

	(void)state;
	setenv("SECRET", "of ours", 1);
	assert_ok(run("/usr/bin/env | grep -v -e ^PWD= -e ^_= | sort; echo $#", e));
	snprintf(want, sizeof(want), "AT=%s\nPATH=/usr/bin:/bin\n0\n", folder);
	assert_string_equal(printed(), want);
}

static void does_not_hand_descriptors_on(void **state)
{
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0); /* as a library opens them: not close-on-exec */
	assert_int_equal(dup2(fd[0], 200), 200);
	assert_ok(run("exec ls /proc/self/fd", e));
	assert_string_equal(printed(), "0\n1\n2\n3\n"); /* ls has opened the folder */
	close(200);
	close(fd[0]);
	close(fd[1]);
}

static void resets_signals(void **state)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before[2];
	sigset_t blocked, old;

	(void)state;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, &old);
	sigaction(SIGPIPE, &ignore, &before[0]);
	sigaction(SIGHUP, &ignore, &before[1]);
	/* 32 and 33 belong to the C library */
	assert_ok(run("sed -n '/^SigIgn/s/0018\\(0*\\)$/0000\\1/; /^Sig[BI][lg][kn]/p' "
		      "/proc/self/status",
		e));
	sigaction(SIGPIPE, &before[0], NULL);
	sigaction(SIGHUP, &before[1], NULL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_string_equal(printed(), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

static void learns_the_status_whoever_ignores_children(void **state)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before, after;

	(void)state;
	sigaction(SIGCHLD, &ignore, &before);
	assert_ok(run("exit 9", e));
	sigaction(SIGCHLD, &before, &after);
	assert_int_equal(result.status, 9);
	assert_true(after.sa_handler == SIG_IGN);
}

static void runs_without_standard_descriptors(void **state)
{
	pid_t pid = fork();
	int status = -1;

	(void)state;
	if (pid == 0) {
		struct error e;

		close(0);
		close(1);
		close(2);
		_exit(run("cat; echo x >&2; exit 5", &e) == ERR_OK && result.status == 5 &&
					strcmp(printed(), "the input\n") == 0 && heard.count == 1
				? 0
				: 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- limits */

static void passes_lines_on_within_limits(void **state)
{
	char *end;

	(void)state;
	assert_ok(run("printf 'one\\n\\ntwo\\0x\\r\\nthree' >&2", e));
	assert_string_equal(heard.text.data, "one\ntwo?x\r\nthree\n");
	buf_reset(&heard.text);
	heard.count = 0;
	assert_ok(run("seq 1 100000 >&2; echo done", e));
	assert_int_equal(heard.count, PROCESS_LINES_MAX);
	assert_string_equal(printed(), "done\n");
	buf_reset(&heard.text);
	assert_ok(run("head -c 100000 /dev/zero | tr '\\0' y >&2; printf '\\nnext' >&2", e));
	end = strchr(heard.text.data, '\n');
	assert_int_equal(end - heard.text.data, PROCESS_LINE_SIZE - 1);
	assert_string_equal(end, "\nnext\n");
}

static void takes_so_much_and_no_more(void **state)
{
	static const char text[] = "head -c 5000 /dev/zero | tr '\\0' x";

	(void)state;
	assert_ok(run_for(text, PATIENCE_MS, 5000, e));
	assert_int_equal(result.output.len, 5000);
	assert_err(run_for(text, PATIENCE_MS, 4999, e), ERR_UNAVAILABLE, "more than 4999 bytes");
	assert_err(run_for("echo $$ >$AT/pid; exec yes", PATIENCE_MS, 4999, e), ERR_UNAVAILABLE,
		"more than 4999 bytes");
	assert_true(is_gone("pid"));
	assert_no_child_left();
}

/* A program that ends gets plenty of time, one that never ends gets none. */
static void ends_who_hangs(void **state)
{
	(void)state;
	assert_err(run_for("trap 'echo yes >$AT/term; echo sorry >&2; exit 0' TERM\n"
			   "echo busy >&2; while :; do sleep 0.1; done",
			   3000, 100, e),
		ERR_UNAVAILABLE, "program: not done in time");
	assert_string_equal(left_behind("term"), "yes");
	assert_has(heard.text.data, "busy\n");
	assert_has(heard.text.data, "sorry\n");
	assert_int_equal(result.status, -1);
	assert_no_child_left();
}

static void kills_who_does_not_listen(void **state)
{
	(void)state;
	assert_err(run_for("trap '' TERM\n(trap '' TERM; echo $$ >$AT/program;\n"
			   "sh -c 'echo $PPID >$AT/child'; sleep 1000; sleep 1000)",
			   3000, 100, e),
		ERR_UNAVAILABLE, "not done in time");
	assert_true(is_gone("program"));
	assert_true(is_gone("child"));
	assert_no_child_left();
}

/* The first process ended with success, so the run is over. */
static void leaves_nobody_behind(void **state)
{
	(void)state;
	assert_ok(run("sleep 1000 & echo $! >$AT/child; echo here", e));
	assert_string_equal(printed(), "here\n");
	assert_true(is_gone("child"));
}

/* A process that left the group keeps our pipe and may write without end: nobody reads it. */
static void does_not_wait_for_others(void **state)
{
	(void)state;
	assert_ok(run("setsid sh -c 'seq 1 1000 >&2; echo $$ >$AT/child; exec yes >&2' &\n"
		      "while [ ! -s $AT/child ]; do sleep 0.1; done; exit 6",
		e));
	assert_int_equal(result.status, 6);
	assert_int_equal(heard.count, PROCESS_LINES_MAX);
	(void)kill((pid_t)strtol(left_behind("child"), NULL, 10), SIGTERM); /* or it had SIGPIPE */
	assert_true(is_gone("child"));
}

/* --- what goes wrong */

static void tells_who_was_killed(void **state)
{
	(void)state;
	assert_err(run("kill -SEGV $$", e), ERR_UNAVAILABLE, "ended by signal 11");
	assert_no_child_left();
}

static void tells_what_cannot_be_run(void **state)
{
	static const struct {
		const char *name, *content, *why;
		mode_t mode;
		bool runs; /* as far as process_check() can tell */
	} rows[] = {
		{"missing", NULL, "missing: cannot be run: No such file", 0, false},
		{"plain", "#!/bin/sh\n", "plain: cannot be run: Permission denied", 0600, false},
		{"unmarked", "echo hello\n", "unmarked: not a program; a script needs", 0700, true},
		{"lost", "#!/nowhere/sh\n", "lost: cannot be run: No such file", 0700, true},
	};
	const char *const environment[] = {NULL};
	struct process_order order = {.environment = environment, .output_max = 10};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", folder, rows[i].name);
		if (rows[i].content) {
			struct blob content = {(unsigned char *)(uintptr_t)rows[i].content,
				strlen(rows[i].content)};

			free(write_file(folder, rows[i].name, &content));
			assert_int_equal(chmod(path, rows[i].mode), 0);
		}
		order.program = path;
		order.deadline = clock_monotonic_ms() + PATIENCE_MS;
		assert_err(process_run(&order, &result, e), ERR_CONFIG, rows[i].why);
		if (rows[i].runs)
			assert_ok(process_check(path, e));
		else
			assert_err(process_check(path, e), ERR_CONFIG, rows[i].why);
	}
	assert_err(process_check(folder, e), ERR_CONFIG, "not a program");
	assert_int_equal(result.status, -1);
	assert_no_child_left();
}

int main(void)
{
#define RUN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		RUN(gives_and_takes),
		RUN(gives_nothing_else),
		RUN(does_not_hand_descriptors_on),
		RUN(resets_signals),
		RUN(learns_the_status_whoever_ignores_children),
		RUN(runs_without_standard_descriptors),
		RUN(passes_lines_on_within_limits),
		RUN(takes_so_much_and_no_more),
		RUN(ends_who_hangs),
		RUN(kills_who_does_not_listen),
		RUN(leaves_nobody_behind),
		RUN(does_not_wait_for_others),
		RUN(tells_who_was_killed),
		RUN(tells_what_cannot_be_run),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
