#ifndef CHECK_SERVICES_H
#define CHECK_SERVICES_H

#include "config/config.h"
#include "provider/provider.h"

/*
 * Checks that the services run, and will run after the next boot. The handler's socket and service,
 * the timers, the web server (web as check_web() has it). Says nothing where systemd does not run,
 * or has none of our units for this configuration. Returns the worst finding.
 */
enum err check_services(const struct config *config, const char *web, provider_report *report,
	void *ctx) must_check;

/*
 * check_handler.c: has the handler that runs with this configuration read its files as they are
 * now, and is it the program that is installed? Says nothing where none is seen to run.
 */
void check_handler(const struct config *config, provider_report *report, void *ctx);

#endif
