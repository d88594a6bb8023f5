/* What is special about a terminal: colours, progress, questions, and what must not reach it. */

#include "cli/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/utf8.h"

#define ANSWER_SIZE 64

static bool is_dumb(void)
{
	const char *term = getenv("TERM");

	return !term || !*term || strcmp(term, "dumb") == 0;
}

bool terminal_output(void)
{
	return isatty(STDOUT_FILENO);
}

/* ECMA-48, 8.3.117 */
const char *terminal_style(enum terminal_style style)
{
	static const char *const sequences[TERMINAL_STYLE_COUNT] = {
		[TERMINAL_PLAIN] = "\033[0m",
		[TERMINAL_BOLD] = "\033[1m",
		[TERMINAL_GREEN] = "\033[32m",
		[TERMINAL_YELLOW] = "\033[33m",
		[TERMINAL_RED] = "\033[31m",
	};
	const char *no_color = getenv("NO_COLOR");
	bool coloured = terminal_output() && !is_dumb() && (!no_color || !*no_color);

	return coloured ? sequences[style] : "";
}

bool terminal_progress(void)
{
	return isatty(STDERR_FILENO) && !is_dumb();
}

const char *terminal_erase(void)
{
	return terminal_progress() ? "\r\033[K" : "";
}

bool terminal_input(void)
{
	return isatty(STDIN_FILENO);
}

/* Standard error may go elsewhere; the person at the terminal must see the question. */
static void show_question(const char *question)
{
	FILE *terminal = fopen("/dev/tty", "w");
	FILE *out = terminal ? terminal : stderr;

	fprintf(out, "%s [y/N] ", question);
	fflush(out);
	if (terminal)
		fclose(terminal);
}

bool terminal_ask(const char *question)
{
	char answer[ANSWER_SIZE];

	show_question(question);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	answer[strcspn(answer, "\n")] = '\0';
	return text_equal_nocase(answer, "y") || text_equal_nocase(answer, "yes");
}

void terminal_value(const char *value, struct buf *out)
{
	if (!value || !*value)
		value = "-";
	if (!utf8_has_control(value)) {
		buf_puts(out, value);
		return;
	}
	for (; *value; value++)
		buf_putc(out, *value >= 0x20 && *value < 0x7f ? *value : '?');
}
