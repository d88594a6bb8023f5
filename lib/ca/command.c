/*
 * A CA behind the customer's own program: PKCS#10 in PEM (RFC 7468) on its standard input,
 * certificates on its standard output. certprov.conf(5) describes the interface.
 */

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/process.h"
#include "ca/ca_kind.h"
#include "ca/remote.h"
#include "net/excerpt.h"

#define TRY_LATER 75 /* EX_TEMPFAIL of sysexits(3) */
#define ENVIRONMENT_MAX 8192
#define PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct command {
	const struct config *config;
	const struct config_ca *ca;
};

/* --- its environment */

enum variable { USAGE, MAIL, USER, DEVICE, SUBJECT, VARIABLE_COUNT };

struct environment {
	struct buf text[VARIABLE_COUNT];
	const char *list[1 + VARIABLE_COUNT + 1];
};

static void environment_free(struct environment *env)
{
	for (int i = 0; i < VARIABLE_COUNT; i++)
		buf_free(&env->text[i]);
}

static enum err environment_make(
	const struct ca_order *order, struct environment *out, struct error *e)
{
	struct environment *env = out;
	enum err err = ERR_OK;

	for (int i = 0; i < VARIABLE_COUNT; i++)
		buf_init(&env->text[i], ENVIRONMENT_MAX);
	buf_printf(&env->text[USAGE], "CERTPROV_USAGE=%s", usage_names[order->usage]);
	buf_printf(&env->text[MAIL], "CERTPROV_MAIL=%s", order->address->text);
	buf_printf(&env->text[USER], "CERTPROV_USER_UUID=%s", order->user_uuid);
	buf_printf(&env->text[DEVICE], "CERTPROV_DEVICE_UUID=%s", order->device_uuid);
	buf_puts(&env->text[SUBJECT], "CERTPROV_SUBJECT=");
	name_text(order->subject, &env->text[SUBJECT]);
	env->list[0] = PATH;
	for (int i = 0; i < VARIABLE_COUNT && !err; i++) {
		err = buf_check(&env->text[i], e);
		env->list[1 + i] = env->text[i].data;
	}
	env->list[1 + VARIABLE_COUNT] = NULL;
	if (err)
		environment_free(env);
	return err;
}

/* --- its output */

struct words {
	const char *program;
	char last[PROCESS_LINE_SIZE];
	unsigned count;
};

static void on_line(void *ctx, const char *line)
{
	struct words *words = ctx;

	log_info("%s: %s", words->program, line);
	memcpy(words->last, line, strlen(line) + 1);
	if (++words->count == PROCESS_LINES_MAX)
		log_info("%s: the rest of its output is left out", words->program);
}

static enum err not_issued(int status, const struct words *words, struct error *e)
{
	char said[EXCERPT_SIZE];

	excerpt(words->last, strlen(words->last), said);
	/* A shell ends with these when it cannot run a program. */
	if (status == 126 || status == 127)
		return error_set(e, ERR_BARRED,
			"CA program %s could not run what it needs (exit status %d)%s%s",
			words->program, status, *said ? "; it says: " : "", said);
	return error_set(e, status == TRY_LATER ? ERR_UNAVAILABLE : ERR_REFUSED,
		"CA program %s %s (exit status %d)%s%s", words->program,
		status == TRY_LATER ? "cannot do it now" : "refuses", status,
		*said ? "; it says: " : "", said);
}

static enum err read_chain(const struct command *command, const struct ca_order *order,
	const struct blob *output, struct chain *out, struct error *e)
{
	struct certificates got = {.count = 0};
	enum err err = certificates_add(&got, output->data, output->len, e);

	if (err)
		err = error_set(e, ERR_GARBLED, "CA program %s printed no certificates: %s",
			command->ca->program, e->text);
	if (!err)
		err = remote_chain(order, &got, out, e);
	certificates_free(&got);
	return err;
}

/* --- operations */

static enum err run(const struct command *command, const struct ca_order *order,
	const struct environment *env, struct process_result *out, struct words *words,
	struct error *e)
{
	struct buf pem = BUF_INIT(REMOTE_ANSWER_MAX);
	struct process_order process = {
		.program = command->ca->program,
		.environment = env->list,
		.output_max = REMOTE_ANSWER_MAX,
		.deadline = order->deadline,
		.said = on_line,
		.ctx = words,
	};
	enum err err;

	remote_request_pem(order, &pem);
	err = buf_check(&pem, e);
	process.input = pem.data;
	process.input_len = pem.len;
	if (!err)
		err = process_run(&process, out, e);
	buf_free(&pem);
	return err ? error_context(e, "CA program") : ERR_OK;
}

static enum err command_issue(
	void *self, const struct ca_order *order, struct ca_answer *out, struct error *e)
{
	const struct command *command = self;
	struct words words = {.program = command->ca->program};
	struct process_result result = {.status = 0};
	struct environment env;
	enum err err = environment_make(order, &env, e);

	if (err)
		return err;
	err = run(command, order, &env, &result, &words, e);
	environment_free(&env);
	if (!err && result.status)
		err = not_issued(result.status, &words, e);
	if (!err)
		err = read_chain(command, order, &result.output, &out->chain, e);
	blob_free(&result.output);
	return err;
}

static enum err command_probe(void *self, int64_t deadline, struct error *e)
{
	const struct command *command = self;

	(void)deadline;
	if (process_check(command->ca->program, e))
		return config_error(
			command->config, command->ca->section, "program", e, "%s", e->text);
	return ERR_OK;
}

/* --- open and close */

static void command_close(void *self)
{
	free(self);
}

static enum err command_open(
	const struct config *config, const struct config_ca *ca, void **self, struct error *e)
{
	struct command *command = calloc(1, sizeof(*command));
	enum err err;

	if (!command)
		return error_memory(e);
	command->config = config;
	command->ca = ca;
	err = command_probe(command, 0, e);
	if (err)
		command_close(command);
	else
		*self = command;
	return err;
}

const struct ca_kind ca_command = {
	.wants_request = true,
	.open = command_open,
	.issue = command_issue,
	.probe = command_probe,
	.close = command_close,
};
