#include "config/config.h"

#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/did_you_mean.h"
#include "base/file.h"
#include "base/text.h"
#include "base/utf8.h"
#include "config/keys.h"

/*
 * libinih splits lines into sections, keys and values. Faults that it silently ignores are caught
 * here, line by line, before it sees them: text behind a [section], sections that nobody knows,
 * lines that it would cut in two, indented lines that only look like keys of their own.
 */

#define VALUE_MAX 8192
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define BLANKS " \t"
#define NO_LINE "neither a [section], nor key = value, nor a comment"

struct reader {
	struct config *config;
	struct error *error;
	enum err err;
	const char *text;	      /* what is left of the file */
	unsigned line;		      /* the last one that was handed out */
	bool indented;		      /* that line begins with a blank */
	const struct option *option;  /* the current key; its value may go on */
	struct buf value;	      /* of that key, continuation lines joined */
	const struct option *section; /* its first key */
	unsigned *section_lines;      /* where each one begins, by its first key */
	bool lost;		      /* in a section that was refused: its keys are no news */
	bool refused;		      /* the last key was: lines that continue it are no news */
	struct config_faults faults;
};

static enum err tell(struct reader *r, enum err err)
{
	return config_tell(&r->faults, err, r->error);
}

static enum err fail(struct reader *r, const char *fmt, ...) printf_like(2, 3);
static enum err fail(struct reader *r, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX / 2];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return error_set(r->error, ERR_CONFIG, "%s:%u: %s", r->config->path, r->line, text);
}

/* --- keys and values */

/* Hands the value that has been gathered to its setter. */
static enum err take_value(struct reader *r, const struct option *o)
{
	const char *value = r->value.data;
	bool may_be_empty = o->fallback && !*o->fallback;

	if (buf_check(&r->value, r->error))
		return config_error(
			r->config, o->section, o->key, r->error, "longer than %d bytes", VALUE_MAX);
	if (!*value && !may_be_empty)
		return config_error(r->config, o->section, o->key, r->error, "expected a value");
	if (utf8_has_control(value))
		return config_error(r->config, o->section, o->key, r->error,
			"has an invisible character; write it again without");
	return o->set(r->config, o, value, r->error);
}

static enum err finish_value(struct reader *r)
{
	const struct option *o = r->option;
	enum err err = o ? take_value(r, o) : ERR_OK;
	enum err told = tell(r, err);

	r->option = NULL;
	if (err)
		r->faults.wrong[o - config_options] = true;
	return told;
}

static enum err unknown_key(struct reader *r, const char *section, const char *key)
{
	struct did_you_mean nearest = DID_YOU_MEAN_INIT(key);
	char hint[DID_YOU_MEAN_TEXT_SIZE];

	for (size_t i = 0; i < config_option_count; i++)
		if (strcmp(config_options[i].section, section) == 0)
			did_you_mean_try(&nearest, config_options[i].key);
	return fail(
		r, "unknown key \"%s\" in [%s]%s", key, section, did_you_mean_text(&nearest, hint));
}

static enum err begin_value(
	struct reader *r, const char *section, const char *key, const char *value)
{
	const struct option *o = config_option(section, key);
	unsigned *line = o ? config_line(r->config, o) : NULL;

	if (!r->section)
		return fail(r, "\"%s\" is before the first [section]", key);
	if (!line)
		return unknown_key(r, section, key);
	if (*line)
		return fail(r, "[%s] %s is set twice, first in line %u", section, key, *line);
	*line = r->line;
	r->option = o;
	buf_reset(&r->value);
	buf_puts(&r->value, value);
	return ERR_OK;
}

/* True for "key = …" with a key of the current section. */
static bool looks_like_key(const struct reader *r, const char *line)
{
	size_t len = strcspn(line, "=:");
	char *name = line[len] ? strndup(line, len) : NULL;
	bool found = name && config_option(r->section->section, text_trim(name));

	free(name);
	return found;
}

/* libinih leaves comments on continuation lines in the value. */
static enum err continue_value(struct reader *r, const char *line)
{
	size_t len = 0;

	if (*line == '[' || looks_like_key(r, line))
		return fail(r, "an indented line continues the value of %s; write it at the margin",
			r->option->key);
	while (line[len] && !(line[len] == ' ' && line[len + 1] == ';'))
		len++;
	while (len && line[len - 1] == ' ')
		len--;
	if (r->value.len && len)
		buf_putc(&r->value, ' ');
	buf_append(&r->value, line, len);
	return ERR_OK;
}

static int on_value(void *user, const char *section, const char *key, const char *value)
{
	struct reader *r = user;

	enum err err = ERR_OK;

	if (r->err)
		return 0;
	if (r->indented && r->option) {
		r->err = tell(r, continue_value(r, value));
	} else if (!r->indented || !r->refused) {
		r->err = finish_value(r);
		if (!r->err && !r->lost)
			err = begin_value(r, section, key, value);
		r->refused = err || r->lost;
		if (err)
			r->err = tell(r, err);
	}
	return r->err == ERR_OK;
}

/* --- lines */

static enum err unknown_section(struct reader *r, const char *name)
{
	struct did_you_mean nearest = DID_YOU_MEAN_INIT(name);
	char hint[DID_YOU_MEAN_TEXT_SIZE];

	for (size_t i = 0; i < config_option_count; i++)
		did_you_mean_try(&nearest, config_options[i].section);
	return fail(r, "unknown section [%s]%s", name, did_you_mean_text(&nearest, hint));
}

static enum err begin_section(struct reader *r, const char *line)
{
	size_t len = strcspn(line + 1, "]");
	const char *rest = line + 1 + len;
	char *name;
	unsigned *begun;
	enum err err = finish_value(r);

	if (err)
		return err;
	r->section = NULL;
	r->lost = true;
	r->refused = false;
	if (*rest)
		rest += 1 + strspn(rest + 1, BLANKS);
	if (!line[1 + len] || (*rest && *rest != ';'))
		return fail(r, "expected [section], alone in its line");
	name = strndup(line + 1, len);
	if (!name)
		return error_memory(r->error);
	r->section = config_option(name, NULL);
	begun = r->section ? &r->section_lines[r->section - config_options] : NULL;
	if (!begun)
		err = unknown_section(r, name);
	else if (*begun)
		err = fail(r, "section [%s] occurs twice, first in line %u", name, *begun);
	else
		*begun = r->line;
	r->lost = err != ERR_OK; /* libinih has not seen it: keys would be of the one before */
	free(name);
	return err;
}

/* One line, without its end, on its way to libinih. */
static enum err check_line(struct reader *r, char *line)
{
	const char *start;

	for (char *p = line; *p; p++) {
		if (*p == '\t')
			*p = ' ';
		else if ((unsigned char)*p < ' ' || *p == 0x7f)
			return fail(r, "has a control character");
	}
	start = line + strspn(line, BLANKS);
	r->indented = start > line;
	if (r->indented && (r->option || r->refused))
		return ERR_OK;
	if (*start == '[')
		return begin_section(r, start);
	if (*start && !strpbrk(start, "=:"))
		return fail(r, NO_LINE);
	return ERR_OK;
}

static bool is_comment(const char *line, size_t len)
{
	size_t at = 0;

	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	return at < len && (line[at] == ';' || line[at] == '#');
}

/* An ini_reader: like fgets(), from memory. A line that does not fit is an error. */
static char *next_line(char *out, int size, void *user)
{
	struct reader *r = user;
	const char *line = r->text;
	size_t len = strcspn(line, "\n");
	enum err err;

	if (r->err || !*line)
		return NULL;
	r->line++;
	r->text += len + (line[len] == '\n');
	if (len && line[len - 1] == '\r')
		len--;
	if (is_comment(line, len))
		len = 0; /* it may be of any length */
	*out = '\0';
	if (len + 2 > (size_t)size) {
		err = fail(r, "longer than %d bytes; go on in the next line, indented", size - 2);
	} else {
		memcpy(out, line, len);
		out[len] = '\0';
		err = check_line(r, out);
	}
	if (err)
		*out = '\0';
	r->err = tell(r, err);
	return r->err ? NULL : out;
}

/* --- the whole */

static enum err read_lines(struct reader *r)
{
	int line = ini_parse_stream(next_line, r, on_value, r);

	/* libinih goes on behind a line that it cannot read; what follows is no news */
	if (line > 0 && (!r->err || (unsigned)line < r->line)) {
		r->line = (unsigned)line;
		r->err = tell(r, fail(r, NO_LINE));
	}
	if (r->err)
		return r->err;
	return line < 0 ? error_memory(r->error) : finish_value(r);
}

static struct config *config_new(const char *path)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	config->path = strdup(path);
	config->lines = calloc(config_option_count, sizeof(*config->lines));
	if (config->path && config->lines)
		return config;
	config_free(config);
	return NULL;
}

static enum err read_all(struct reader *r, const char *path, struct error *e)
{
	enum err err;

	r->config = config_new(path);
	r->section_lines = calloc(config_option_count, sizeof(*r->section_lines));
	r->faults.wrong = calloc(config_option_count, sizeof(*r->faults.wrong));
	if (!r->config || !r->section_lines || !r->faults.wrong)
		return error_memory(e);
	err = read_lines(r);
	if (!err)
		err = config_set_defaults(r->config, e);
	if (!err)
		err = config_check_whole(r->config, &r->faults, e);
	if (!err && r->faults.count > 0)
		err = error_set(e, ERR_CONFIG, "%s: %u errors", path, r->faults.count);
	return err;
}

static enum err parse(const char *path, const char *text, size_t len,
	const struct config_faults *faults, struct config **out, struct error *e)
{
	struct reader r = {
		.error = e, .text = text, .value = BUF_INIT(VALUE_MAX), .faults = *faults};
	enum err err;

	if (!utf8_is_valid(text, len) || text[len])
		return error_set(e, ERR_CONFIG, "%s: not UTF-8 text", path);
	if (strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		r.text += strlen(BYTE_ORDER_MARK);
	err = read_all(&r, path, e);
	if (err)
		config_free(r.config);
	else
		*out = r.config;
	free(r.section_lines);
	free(r.faults.wrong);
	buf_free(&r.value);
	return err;
}

enum err config_parse(
	const char *path, const char *text, size_t len, struct config **out, struct error *e)
{
	return parse(path, text, len, &(struct config_faults){.fault = NULL}, out, e);
}

static enum err load(
	const char *path, const struct config_faults *faults, struct config **out, struct error *e)
{
	struct blob text = {NULL, 0};
	enum err err = file_read(path, &text, e);
	char *absolute;

	if (err)
		return err;
	absolute = realpath(path, NULL);
	if (absolute)
		err = parse(absolute, (const char *)text.data, text.len, faults, out, e);
	else
		err = error_errno(e, ERR_CONFIG, "%s", path);
	free(absolute);
	blob_free(&text);
	return err;
}

enum err config_load(const char *path, struct config **out, struct error *e)
{
	return load(path, &(struct config_faults){.fault = NULL}, out, e);
}

enum err config_test(
	const char *path, config_fault *fault, void *ctx, struct config **out, struct error *e)
{
	return load(path, &(struct config_faults){.fault = fault, .ctx = ctx}, out, e);
}

const char *config_path(const char *path)
{
	const char *from_environment = getenv("CERTPROV_CONFIG");

	if (path)
		return path;
	return from_environment && *from_environment ? from_environment : CERTPROV_CONFIG_FILE;
}
