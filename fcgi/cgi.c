#include "fcgi/cgi.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "fcgi/deadline.h"
#include "fcgi/service.h"

static size_t read_input(void *ctx, void *data, size_t len)
{
	char *out = data;
	size_t done = 0;

	(void)ctx;
	while (done < len) {
		ssize_t n = read(STDIN_FILENO, out + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
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
	const struct gateway gateway = {environ, NULL, read_input, write_output};
	struct service service = {.config = NULL};
	struct config *config = NULL;
	struct error e = {.code = ERR_OK};
	enum err err = deadline_init(&e);

	signal(SIGPIPE, SIG_IGN);
	if (!err)
		err = config_load(config_path, &config, &e);
	if (!err) {
		log_open("certprov.fcgi", &config->log);
		err = service_open(config, &service, &e);
	}
	if (err) {
		service_refuse(&gateway, &e);
	} else {
		deadline_start(RECEIVE_DEADLINE_MS);
		service_answer(&service, &gateway);
	}
	deadline_stop();
	service_close(&service);
	config_free(config);
	return error_meaning(err)->exit_status;
}
