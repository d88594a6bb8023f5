/* certprov check: prints what is found, as lines or JSON, and makes an exit status of it. */

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "check/services.h"
#include "check/web.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "provider/provider.h"

#define JSON_MAX (256 * 1024)

/* Findings go out line by line, or are gathered as JSON when out is set. */
struct output {
	struct buf *out;
	unsigned warnings;
};

static void print(void *ctx, const char *what, enum err err, bool warning, const char *text)
{
	struct output *output = ctx;

	output->warnings += !err && warning;
	if (!output->out) {
		printf("%s%-7s%s %s: %s\n",
			terminal_style(err	 ? TERMINAL_RED
				       : warning ? TERMINAL_YELLOW
						 : TERMINAL_GREEN),
			err	  ? "FAILED"
			: warning ? "WARN"
				  : "ok",
			terminal_style(TERMINAL_PLAIN), what, text);
		fflush(stdout);
		return;
	}
	buf_puts(output->out, output->out->len > 1 ? ",\n{\"check\":" : "{\"check\":");
	buf_json_string(output->out, what);
	buf_printf(output->out, ",\"ok\":%s,\"warning\":%s,\"text\":", err ? "false" : "true",
		warning ? "true" : "false");
	buf_json_string(output->out, text);
	buf_putc(output->out, '}');
}

/* The first failure decides the exit status, unless it may pass on its own. */
static enum err worse(enum err first, enum err other)
{
	return other && (!first || first == ERR_UNAVAILABLE) ? other : first;
}

/* Checks the services and the web server. */
static enum err check_around(const struct config *config, const char *web, struct output *output)
{
	enum err err = check_services(config, web, print, output);

	check_handler(config, print, output);
	if (!web || strcmp(web, WEB_SERVER_NONE) != 0)
		err = worse(err, check_web(config, web, print, output));
	return err;
}

static int check(const char *config_file, const char *web, struct output *output)
{
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	print(output, "configuration", err, false, err ? e.text : config_path(config_file));
	if (!err)
		err = provider_check(config, print, output);
	if (config)
		err = worse(err, check_around(config, web, output));
	config_free(config);
	return error_meaning(err)->exit_status;
}

struct request {
	struct output output;
	struct buf json;
	bool strict;
	const char *web;
};

static enum err set(void *ctx, int key, const char *value, struct error *e)
{
	struct request *request = ctx;

	(void)e;
	if (key == 'j')
		request->output.out = &request->json;
	else if (key == 'w')
		request->web = value;
	else
		request->strict = true;
	return ERR_OK;
}

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct cli_option options[] = {
		{'j', "json", NULL, false},
		{'w', "web-server", "the name of a folder, or none,", false},
		{'s', "strict", NULL, false},
	};
	struct request request = {.json = BUF_INIT(JSON_MAX)};
	const struct cli_options all = {options, ARRAY_LEN(options), set, &request, NULL};
	int status = cli_options(self, &all, argc, argv, &config_file);

	if (status != CLI_GO_ON)
		return status;
	buf_putc(&request.json, '[');
	status = check(config_file, request.web, &request.output);
	if (request.output.out && !request.json.failed)
		printf("%s]\n", request.json.data);
	buf_free(&request.json);
	if (request.strict && !status && request.output.warnings)
		status = error_meaning(ERR_REFUSED)->exit_status;
	return status;
}

const struct command command_check = {"check", "[--json] [--strict] [--web-server DIR]",
	"Tries everything that an enrollment will need, a line each",
	"  --json             an array of {\"check\", \"ok\", \"warning\", \"text\"}\n"
	"  --strict           a warning is a failure, too\n"
	"  --web-server DIR   the folder of its configuration, if not /etc/nginx or /etc/apache2\n"
	"                     or /etc/httpd; none: do not look for it\n"
	"Exit status 0: no check has FAILED (--strict: nor warned); else one has: 78 or 1 needs a\n"
	"person, 75 may pass by itself.\n",
	run};
