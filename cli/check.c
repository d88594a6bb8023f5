/* certprov check: prints what the doctor finds, as lines or JSON, and makes an exit status of it.
 */

#include "check/check.h"

#include <stdio.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/terminal.h"

#define JSON_MAX (256 * 1024)

/* Findings go out line by line, or are gathered as JSON when out is set. */
struct output {
	struct buf *out;
	unsigned warnings;
};

static void print_line(const struct finding *finding, const char *text)
{
	static const struct {
		const char *word;
		enum terminal_style style;
	} forms[] = {
		[SEVERITY_GOOD] = {"ok", TERMINAL_GREEN},
		[SEVERITY_WARNING] = {"WARN", TERMINAL_YELLOW},
		[SEVERITY_FAILURE] = {"FAILED", TERMINAL_RED},
	};

	printf("%s%-7s%s %s: %s\n", terminal_style(forms[finding->severity].style),
		forms[finding->severity].word, terminal_style(TERMINAL_PLAIN), finding->about,
		text);
	fflush(stdout);
}

static void add_object(struct buf *out, const struct finding *finding, const char *text)
{
	buf_puts(out, out->len > 1 ? ",\n{\"check\":" : "{\"check\":");
	buf_json_string(out, finding->about);
	buf_printf(out, ",\"ok\":%s,\"warning\":%s,\"text\":",
		finding->severity == SEVERITY_FAILURE ? "false" : "true",
		finding->severity == SEVERITY_WARNING ? "true" : "false");
	buf_json_string(out, text);
	buf_putc(out, '}');
}

static void print(void *ctx, const struct finding *finding)
{
	struct buf text = BUF_INIT(JSON_MAX);
	struct output *output = ctx;

	output->warnings += finding->severity == SEVERITY_WARNING;
	finding_text(finding, &text);
	if (output->out)
		add_object(output->out, finding, text.data ? text.data : "");
	else
		print_line(finding, text.data ? text.data : "");
	buf_free(&text);
}

static int check(const char *config_file, const char *web_server, struct output *output)
{
	struct finding finding = {.about = "configuration", .severity = SEVERITY_GOOD};
	struct config *config = NULL;
	struct error e;
	enum err err = cli_load(config_file, &config, &e);

	finding.found = err ? e.text : config_path(config_file);
	finding.severity = err ? SEVERITY_FAILURE : SEVERITY_GOOD;
	finding.err = err;
	print(output, &finding);
	if (!err)
		err = check_all(config, web_server, print, output);
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
