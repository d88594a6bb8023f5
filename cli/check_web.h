#ifndef CLI_CHECK_WEB_H
#define CLI_CHECK_WEB_H

#include "base/config.h"
#include "provider/provider.h"

/*
 * Does the web server's configuration fit ours? Looks into dir, a folder like /etc/nginx or
 * /etc/apache2; NULL: into those. What it cannot follow (includes from elsewhere, macros,
 * variables) it does not judge. All that it finds is a warning: the server's own check is the
 * judge of its configuration.
 */
void check_web(const struct config *config, const char *dir, provider_report *report, void *ctx);

#endif
