/*
 * Reads the lines of the configuration file and hands each value to its key's setter.
 *
 * libinih splits lines into sections, keys and values. It silently ignores some faults; they are
 * caught here, line by line, before it sees them: text behind a [section], unknown sections, lines
 * that it would cut in two, indented lines that only look like keys of their own.
 */
#include "config/reader.h"

#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/did_you_mean.h"
#include "base/text.h"
#include "base/utf8.h"
#include "config/keys.h"

#define VALUE_MAX 8192
#define BLANKS " \t"
#define NO_LINE "neither a [section], nor key = value, nor a comment"

struct reader {
	struct config *config;
	struct error *error;
	enum err err;
	const char *text;		  /* what is left of the file */
	unsigned line;			  /* the last one that was handed out */
	bool indented;			  /* that line begins with a blank */
	const struct config_key *key;	  /* the current key; its value may go on */
	struct buf value;		  /* of that key, continuation lines joined */
	const struct config_key *section; /* its first key */
	unsigned *section_lines;	  /* where each one begins, by its first key */
	bool lost;			  /* in a refused section: its keys are not reported */
	bool refused; /* the last key was: continuation lines are not reported */
	struct config_faults *faults;
};

static enum err tell(struct reader *r, enum err err)
{
	return config_tell(r->faults, err, r->error);
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

/* Passes the gathered value to its setter. */
static enum err take_value(struct reader *r, const struct config_key *k)
{
	const char *value = r->value.data;
	bool may_be_empty = k->fallback && !*k->fallback;

	if (buf_check(&r->value, r->error))
		return config_error(r->config, k->section, k->name, r->error,
			"longer than %d bytes", VALUE_MAX);
	if (!*value && !may_be_empty)
		return config_error(r->config, k->section, k->name, r->error, "expected a value");
	if (utf8_has_control(value))
		return config_error(r->config, k->section, k->name, r->error,
			"has an invisible character; write it again without");
	return k->set(r->config, k, value, r->error);
}

static enum err finish_value(struct reader *r)
{
	const struct config_key *k = r->key;
	enum err err = k ? take_value(r, k) : ERR_OK;
	enum err told = tell(r, err);

	r->key = NULL;
	if (err)
		r->faults->wrong[k - config_keys] = true;
	return told;
}

static enum err unknown_key(struct reader *r, const char *section, const char *key)
{
	struct did_you_mean nearest = DID_YOU_MEAN_INIT(key);
	char hint[DID_YOU_MEAN_TEXT_SIZE];

	for (size_t i = 0; i < config_key_count; i++)
		if (strcmp(config_keys[i].section, section) == 0)
			did_you_mean_try(&nearest, config_keys[i].name);
	return fail(
		r, "unknown key \"%s\" in [%s]%s", key, section, did_you_mean_text(&nearest, hint));
}

static enum err begin_value(
	struct reader *r, const char *section, const char *key, const char *value)
{
	const struct config_key *k = config_key_find(section, key);
	unsigned *line = k ? config_key_line(r->config, k) : NULL;

	if (!r->section)
		return fail(r, "\"%s\" is before the first [section]", key);
	if (!line)
		return unknown_key(r, section, key);
	if (*line)
		return fail(r, "[%s] %s is set twice, first in line %u", section, key, *line);
	*line = r->line;
	r->key = k;
	buf_reset(&r->value);
	buf_puts(&r->value, value);
	return ERR_OK;
}

/* Returns true for "key = …" with a key of the current section. */
static bool looks_like_key(const struct reader *r, const char *line)
{
	size_t len = strcspn(line, "=:");
	char *name = line[len] ? strndup(line, len) : NULL;
	bool found = name && config_key_find(r->section->section, text_trim(name));

	free(name);
	return found;
}

/* libinih leaves comments on continuation lines in the value. */
static enum err continue_value(struct reader *r, const char *line)
{
	size_t len = 0;

	if (*line == '[' || looks_like_key(r, line))
		return fail(r, "an indented line continues the value of %s; write it at the margin",
			r->key->name);
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
	if (r->indented && r->key) {
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

	for (size_t i = 0; i < config_key_count; i++)
		did_you_mean_try(&nearest, config_keys[i].section);
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
	r->section = config_key_find(name, NULL);
	begun = r->section ? &r->section_lines[r->section - config_keys] : NULL;
	if (!begun)
		err = unknown_section(r, name);
	else if (*begun)
		err = fail(r, "section [%s] occurs twice, first in line %u", name, *begun);
	else
		*begun = r->line;
	r->lost = err !=
		  ERR_OK; /* libinih has not seen it and would count keys to the section before */
	free(name);
	return err;
}

/* Checks one line, without its end, before libinih gets it. */
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
	if (r->indented && (r->key || r->refused))
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

/* An ini_reader: like fgets(), but from memory. A line that does not fit is an error. */
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
		len = 0; /* a comment may have any length */
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

static enum err read_all(struct reader *r)
{
	int line = ini_parse_stream(next_line, r, on_value, r);

	/* libinih continues after a line that it cannot read; later errors are not reported */
	if (line > 0 && (!r->err || (unsigned)line < r->line)) {
		r->line = (unsigned)line;
		r->err = tell(r, fail(r, NO_LINE));
	}
	if (r->err)
		return r->err;
	return line < 0 ? error_memory(r->error) : finish_value(r);
}

enum err config_read_lines(
	struct config *config, const char *text, struct config_faults *faults, struct error *e)
{
	struct reader r = {.config = config, .faults = faults, .text = text, .error = e};
	enum err err;

	buf_init(&r.value, VALUE_MAX);
	r.section_lines = calloc(config_key_count, sizeof(*r.section_lines));
	err = r.section_lines ? read_all(&r) : error_memory(e);
	free(r.section_lines);
	buf_free(&r.value);
	return err;
}
