#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include "check/finding.h"

/*
 * The doctor: tries everything that an event will need. web_server is the folder of the web
 * server's configuration, NULL for the usual ones, WEB_SERVER_NONE to skip it. Returns the failure
 * that decides the exit status, or ERR_OK.
 */
enum err check_all(const struct config *config, const char *web_server, check_report *report,
	void *ctx) must_check;

/* The same of what the handler needs at its start: quick, without network, store or token. */
enum err check_before_start(
	const struct config *config, check_report *report, void *ctx) must_check;

#endif
