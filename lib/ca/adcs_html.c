/*
 * As much HTML as the pages of AD CS need: their text, and elements by an attribute. Comments and
 * scripts, which a browser does not show, are skipped. It is not a parser for other pages.
 */

#include "ca/adcs_html.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- text */

static const struct {
	const char *entity;
	char text;
} entities[] = {
	{"&amp;", '&'},
	{"&lt;", '<'},
	{"&gt;", '>'},
	{"&nbsp;", ' '},
	/* Not as ", which would end a message. */
	{"&quot;", '\''},
	{"&#34;", '\''},
	{"&#39;", '\''},
};

/* Returns the length of the entity at s; *out is 0 if it is not ASCII. */
static size_t take_entity(const char *s, char *out)
{
	char *end = NULL;
	long code;

	for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
		if (strncasecmp(s, entities[i].entity, strlen(entities[i].entity)) == 0) {
			*out = entities[i].text;
			return strlen(entities[i].entity);
		}
	}
	if (s[1] != '#' || !isalnum((unsigned char)s[2]))
		return 0;
	code = s[2] == 'x' || s[2] == 'X' ? strtol(s + 3, &end, 16) : strtol(s + 2, &end, 10);
	if (*end != ';')
		return 0;
	*out = code >= ' ' && code <= '~' ? (char)code : '\0';
	return (size_t)(end - s) + 1;
}

/* A browser does not show the content of these. */
static const char *skip_unseen(const char *s)
{
	static const char *const unseen[][2] = {
		{"<!--", "-->"}, {"<script", "</script"}, {"<style", "</style"}};

	for (size_t i = 0; i < ARRAY_LEN(unseen); i++)
		if (strncasecmp(s, unseen[i][0], strlen(unseen[i][0])) == 0) {
			const char *end = strcasestr(s, unseen[i][1]);

			return end ? end : s + strlen(s);
		}
	return s;
}

/* Returns what follows the tag that begins at s. */
static const char *skip_tag(const char *s)
{
	s = skip_unseen(s);
	s += strcspn(s, ">");
	return *s ? s + 1 : s;
}

/* Runs of white space become one space, or one line break where there is one among them. */
static void add_character(struct buf *text, char c)
{
	char *last = text->len ? &text->data[text->len - 1] : NULL;

	if (c == '\r')
		c = '\n';
	if (c == '\t')
		c = ' ';
	if (!strchr(" \n", c) || !last || !strchr(" \n", *last))
		buf_putc(text, c);
	else if (c == '\n')
		*last = c;
}

void html_text(const char *html, struct buf *text)
{
	for (const char *s = html; *s;) {
		char c = *s;
		size_t len = c == '&' ? take_entity(s, &c) : 0;

		if (c == '<' && !len) {
			s = skip_tag(s);
			add_character(text, ' '); /* a tag ends a word */
			continue;
		}
		if (c)
			add_character(text, c);
		s += len ? len : 1;
	}
	buf_putc(text, '\n');
}

/* --- elements */

/* Copies an attribute's value, cut at size; returns what follows it. */
static const char *take_value(const char *s, char *out, size_t size)
{
	char quote = *s == '"' || *s == '\'' ? *s++ : '\0';
	size_t len = quote ? strcspn(s, quote == '"' ? "\">" : "'>") : strcspn(s, " \t\r\n>");

	snprintf(out, size, "%.*s", (int)(len < size ? len : size), s);
	s += len;
	return quote && *s == quote ? s + 1 : s;
}

bool html_attribute(const char *tag, const char *name, char *out, size_t size)
{
	static const char blank[] = " \t\r\n/";
	char value[HTML_VALUE_SIZE];
	const char *s = tag + strcspn(tag, " \t\r\n>");

	for (s += strspn(s, blank); *s && *s != '>'; s += strspn(s, blank)) {
		size_t len = strcspn(s, " \t\r\n=>");
		bool is = len == strlen(name) && strncasecmp(s, name, len) == 0;

		s += len;
		s += strspn(s, " \t\r\n");
		*value = '\0';
		if (*s == '=') {
			s++;
			s = take_value(s + strspn(s, " \t\r\n"), value, sizeof(value));
		} else if (!len) {
			s++;
		}
		if (is) {
			snprintf(out, size, "%s", value);
			return true;
		}
	}
	return false;
}

const char *html_find(const char *html, const char *attribute, const char *value)
{
	char its[HTML_VALUE_SIZE];

	for (const char *s = html + strcspn(html, "<"); *s; s += strcspn(s, "<")) {
		if (skip_unseen(s) == s && html_attribute(s, attribute, its, sizeof(its)) &&
			strcasecmp(its, value) == 0)
			return s;
		s = skip_tag(s);
	}
	return NULL;
}

void html_element_text(const char *tag, struct buf *text)
{
	static const char *const ends[] = {
		"<P", "</P", "<DT", "</D", "<DD", "<TR", "</TD", "<Form"};
	const char *from = skip_tag(tag), *end = NULL;
	struct buf part = BUF_INIT(strlen(from) + 1);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		const char *at = strcasestr(from, ends[i]);

		if (at && (!end || at < end))
			end = at;
	}
	buf_append(&part, from, end ? (size_t)(end - from) : strlen(from));
	html_text(part.data, text);
	buf_free(&part);
}
