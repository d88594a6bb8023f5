/* certprov enroll: handles an event from a file, for events that were missed. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "provider/handle_event.h"
#include "provider/provider.h"

static enum err read_event(const char *file, size_t max, struct buf *out, struct error *e)
{
	int fd = strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	char chunk[4096];
	enum err err = ERR_OK;
	ssize_t n = 0;

	if (fd < 0)
		return error_errno(e, ERR_USAGE, "%s", file);
	while (!err && (n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno != EINTR)
			err = error_errno(e, ERR_USAGE, "%s", file);
		else if (n > 0 && out->len + (size_t)n > max)
			err = error_set(e, ERR_TOO_LARGE,
				"%s: larger than [events] max-body, %zu bytes", file, max);
		else if (n > 0)
			buf_append(out, chunk, (size_t)n);
	}
	if (fd != STDIN_FILENO)
		close(fd);
	return err ? err : buf_check(out, e);
}

static enum err handle(const struct config *config, const struct buf *event,
	struct event_result *out, struct error *e)
{
	struct provider *provider = NULL;
	enum err err = provider_open(config, &provider, e);

	if (!err)
		err = provider_handle(provider, event->data ? event->data : "", event->len, out, e);
	provider_close(provider);
	return err;
}

static enum err enroll(const char *config_file, const char *file, struct error *e)
{
	struct config *config = NULL;
	struct event_result result = {0};
	struct buf event = BUF_INIT(1024 * 1024), json = BUF_INIT(1024 * 1024);
	enum err err = cli_load(config_file, &config, e);

	if (!err)
		err = read_event(file, config->events.max_body, &event, e);
	if (!err)
		err = handle(config, &event, &result, e);
	if (!err) {
		event_result_json(&result, &json);
		err = buf_check(&json, e);
	}
	if (!err)
		puts(json.data);
	event_result_fini(&result);
	buf_free(&json);
	buf_free(&event);
	config_free(config);
	return err;
}

static int run(struct call *call)
{
	int status = options_read(call, NULL);
	struct error e;

	if (status != OPTIONS_DONE)
		return status;
	return enroll(call->config_file, call->operand, &e) ? cli_fail(&e) : 0;
}

const struct command command_enroll = {
	.name = "enroll",
	.arguments = "FILE",
	.summary = "Handles an event from a file (-: standard input) as if it had been posted",
	.operand = "the name of a file, or - for standard input,",
	.notes = "Prints the answer that the web server's client would have got, as JSON.\n",
	.run = run,
};
