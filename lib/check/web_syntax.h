#ifndef CHECK_WEB_SYNTAX_H
#define CHECK_WEB_SYNTAX_H

#include "check/finding.h"

/* Lets the server whose configuration is in dir test it; reports a fault only. */
void check_web_syntax(struct check *c, const char *dir);

#endif
