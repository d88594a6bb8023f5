/* One request by CGI, from environment and standard input; then the process ends. */
#include "fcgi/cgi.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/watchdog.h"
#include "fcgi/answer.h"
#include "fcgi/deadline.h"
#include "fcgi/service.h"

#define DRAIN_MAX (16 * 1024 * 1024)

/* ctx: how many bytes were read so far. */
static size_t read_input(void *ctx, void *data, size_t len)
{
	size_t done = 0, *total = ctx;
	char *out = data;

	while (done < len) {
		ssize_t n = read(STDIN_FILENO, out + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	*total += done;
	return done;
}

/*
 * A body that was refused for its size or its sender is not needed. But a web server that is still
 * sending it may take our exit for a crash, and drop the answer. So the rest is read, within the
 * current deadline.
 */
static void drain_input(size_t total)
{
	const char *length = getenv("CONTENT_LENGTH");
	int64_t whole = 0;
	char rest[16 * 1024];

	if (!length || !text_number(length, DRAIN_MAX, &whole))
		return;
	while (total < (size_t)whole && read_input(&total, rest, sizeof(rest)) > 0)
		continue;
}

static bool write_output(void *ctx, const void *data, size_t len)
{
	const char *in = data;

	(void)ctx;
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, in, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		in += n;
		len -= (size_t)n;
	}
	return true;
}

int cgi_run(const char *config_path)
{
	static const char last_words[] =
		"certprov.fcgi: the request went on past all deadlines and "
		"was ended; its event stays pending\n";
	size_t total = 0;
	const struct transport transport = {environ, &total, read_input, write_output};
	struct service service = {.config = NULL};
	struct config *config = NULL;
	struct error e = {.code = ERR_OK};
	enum err err = deadline_init(&e);

	signal(SIGPIPE, SIG_IGN);
	if (!err)
		err = watchdog_init(EX_TEMPFAIL, last_words, &e);
	if (!err)
		err = config_load(config_path, &config, &e);
	if (!err) {
		log_open("certprov.fcgi", &config->log);
		err = service_open(config, &service, &e);
	}
	if (err) {
		answer_refuse(&transport, &e);
	} else {
		watchdog_set(answer_latest_end(config));
		deadline_start(RECEIVE_DEADLINE_MS);
		answer_request(&service, &transport);
		drain_input(total);
	}
	deadline_stop();
	service_close(&service);
	config_free(config);
	return error_meaning(err)->exit_status;
}
