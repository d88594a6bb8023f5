#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>

#include "base/buf.h"

/* Output for a terminal only: colours, progress, questions. */

/* Standard output is a terminal. */
bool terminal_output(void);

enum terminal_style {
	TERMINAL_PLAIN,
	TERMINAL_BOLD,
	TERMINAL_GREEN,
	TERMINAL_YELLOW,
	TERMINAL_RED,
	TERMINAL_STYLE_COUNT,
};

/*
 * The escape sequence for that style; TERMINAL_PLAIN ends it. "" where it is no terminal, where
 * NO_COLOR is set (https://no-color.org), and where TERM is unset or "dumb".
 */
const char *terminal_style(enum terminal_style style);

/* Standard error is a terminal that can write over a line. */
bool terminal_progress(void);
/* Goes before any other line there: removes the progress. "" if none can be shown. */
const char *terminal_erase(void);

/* Standard input is a terminal: a question can be answered. */
bool terminal_input(void);
/* Asks "QUESTION [y/N] "; true for y or yes only. */
bool terminal_ask(const char *question);

/* Adds a value as it is shown: "-" for none, control characters replaced. */
void terminal_value(const char *value, struct buf *out);

#endif
