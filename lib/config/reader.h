#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include "config/config.h"
#include "config/faults.h"

/*
 * Sets in config what the lines of text say, and marks in faults->wrong the keys whose values were
 * refused. ERR_CONFIG with "FILE:LINE: what", unless faults takes the errors.
 */
enum err config_read_lines(struct config *config, const char *text, struct config_faults *faults,
	struct error *e) must_check;

#endif
