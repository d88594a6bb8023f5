/* certprov check: prints what the doctor finds, as lines or JSON; sets the exit status. */

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

/* Returns the exit status. */
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
	bool json, strict;
	const char *web_server;
};

static int run(struct call *call)
{
	struct request request = {.json = false};
	int status = options_read(call, &request);
	struct buf json = BUF_INIT(JSON_MAX);
	struct output output = {.out = request.json ? &json : NULL};

	if (status != OPTIONS_DONE)
		return status;
	buf_putc(&json, '[');
	status = check(call->config_file, request.web_server, &output);
	if (output.out && !json.failed)
		printf("%s]\n", json.data);
	buf_free(&json);
	if (request.strict && !status && output.warnings)
		status = error_meaning(ERR_REFUSED)->exit_status;
	return status;
}

static const struct option_kind web_server = {"the name of a folder, or none,", option_set_text};

static const struct option_row options[] = {
	{"json", '\0', &option_flag, offsetof(struct request, json), NULL,
		"an array of {\"check\", \"ok\", \"warning\", \"text\"}"},
	{"strict", '\0', &option_flag, offsetof(struct request, strict), NULL,
		"a warning is a failure, too"},
	{"web-server", '\0', &web_server, offsetof(struct request, web_server), "DIR",
		"the folder of its configuration, if not /etc/nginx or /etc/apache2\n"
		"or /etc/httpd; none: do not look for it"},
	{.name = NULL},
};

const struct command command_check = {
	.name = "check",
	.arguments = "[--json] [--strict] [--web-server DIR]",
	.summary = "Tries everything that an enrollment will need, a line each",
	.options = options,
	.notes = "Exit status 0: no check has FAILED (--strict: nor warned); else one has: 78 or 1 "
		 "needs a\nperson, 75 may pass by itself.\n",
	.run = run,
};
