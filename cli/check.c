#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/check_web.h"
#include "cli/cli.h"
#include "cli/terminal.h"
#include "provider/provider.h"

#define JSON_MAX (256 * 1024)

#define NO_WEB_SERVER "none"

/* Findings go out line by line, or are gathered as JSON when out is set. */
struct output {
	struct buf *out;
};

static void print(void *ctx, const char *what, enum err err, bool warning, const char *text)
{
	struct output *output = ctx;

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

static int check(const char *config_file, const char *web, struct output *output)
{
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	print(output, "configuration", err, false, err ? e.text : config_path(config_file));
	if (!err)
		err = provider_check(config, print, output);
	if (config && (!web || strcmp(web, NO_WEB_SERVER) != 0))
		check_web(config, web, print, output);
	config_free(config);
	return error_meaning(err)->exit_status;
}

static int run(const struct command *self, const char *config_file, int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'}, {"web-server", required_argument, NULL, 'w'},
		{"help", no_argument, NULL, 'h'}, {0}};
	struct buf json = BUF_INIT(JSON_MAX);
	struct output output = {NULL};
	const char *web = NULL;
	int option, status;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (option == 'c')
			config_file = optarg;
		else if (option == 'j')
			output.out = &json;
		else if (option == 'w')
			web = optarg;
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
	return status;
}

const struct command command_check = {"check", "[--json] [--web-server DIR]",
	"Tries everything that an enrollment will need, a line each",
	"  --json             an array of {\"check\", \"ok\", \"warning\", \"text\"}\n"
	"  --web-server DIR   where its configuration lies, if not in /etc/nginx, /etc/apache2\n"
	"                     or /etc/httpd; none: do not look for it\n"
	"Exit status 0 only if all of it holds, a warning included.\n",
	run};
