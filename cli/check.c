/* certprov check: prints what is found, as lines or JSON, and makes an exit status of it. */

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/check_services.h"
#include "cli/check_web.h"
#include "cli/cli.h"
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

/* What was found first is what the exit status tells, unless it may pass by itself. */
static enum err worse(enum err first, enum err other)
{
	return other && (!first || first == ERR_UNAVAILABLE) ? other : first;
}

/* What must run beside us. */
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

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'}, {"web-server", required_argument, NULL, 'w'},
		{"strict", no_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct buf json = BUF_INIT(JSON_MAX);
	struct output output = {.out = NULL};
	bool strict = false;
	const char *web = NULL;
	int option, status;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (option == 'c')
			config_file = optarg;
		else if (option == 'j')
			output.out = &json;
		else if (option == 'w')
			web = optarg;
		else if (option == 's')
			strict = true;
		else
			return cli_usage(self, option == 'h');
	}
	if (optind != argc)
		return cli_usage(self, false);
	buf_putc(&json, '[');
	status = check(config_file, web, &output);
	if (output.out && !json.failed)
		printf("%s]\n", json.data);
	buf_free(&json);
	if (strict && !status && output.warnings)
		status = error_meaning(ERR_REFUSED)->exit_status;
	return status;
}

const struct command command_check = {"check", "[--json] [--strict] [--web-server DIR]",
	"Tries everything that an enrollment will need, a line each",
	"  --json             an array of {\"check\", \"ok\", \"warning\", \"text\"}\n"
	"  --strict           a warning is a failure, too\n"
	"  --web-server DIR   where its configuration lies, if not in /etc/nginx, /etc/apache2\n"
	"                     or /etc/httpd; none: do not look for it\n"
	"Exit status 0: no check has FAILED (--strict: nor warned); else one has: 78 or 1 needs a\n"
	"person, 75 may pass by itself.\n",
	run};
