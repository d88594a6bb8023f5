/* systemd's units: what should run, and is off. */

#include "check/services.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check/systemd.h"
#include "check/web.h"

#define WHAT "services"

enum { SOCKET, SERVICE, DELIVER, RENEW, CRL, DELIVER_RUN, RENEW_RUN, CRL_RUN, UNIT_COUNT };

struct services {
	provider_report *report;
	void *ctx;
	enum err worst;
	unsigned faults;
	bool local_ca; /* whose list is to be made */
	struct unit unit[UNIT_COUNT];
};

static void tell(struct services *s, enum err err, const char *fmt, ...) printf_like(3, 4);
static void tell(struct services *s, enum err err, const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	s->report(s->ctx, WHAT, err, !err, text);
	s->faults++;
	s->worst = err ? err : s->worst;
}

/*
 * Units of the only instance have no name, those of a tenant have the tenant's:
 * …/certprov/certprov.conf or …/certprov/NAME/certprov.conf. False: no unit runs with this
 * configuration.
 */
static bool instance_of(const char *path, char out[UNIT_NAME_SIZE])
{
	static const char folder[] = "/certprov/", file[] = "certprov.conf";
	const char *at = strstr(path, folder), *next;
	int n = 0;

	for (; at && (next = strstr(at + 1, folder)) != NULL; at = next)
		continue;
	if (!at)
		return false;
	at += strlen(folder);
	*out = '\0';
	next = strchr(at, '/');
	if (next) {
		n = snprintf(out, UNIT_NAME_SIZE, "@%.*s", (int)(next - at), at);
		at = next + 1;
	}
	return n < UNIT_NAME_SIZE / 2 && strcmp(at, file) == 0;
}

static void name_units(struct services *s, const char *instance)
{
	static const char *const forms[UNIT_COUNT] = {
		[SOCKET] = "certprov%s.socket",
		[SERVICE] = "certprov%s.service",
		[DELIVER] = "certprov-deliver%s.timer",
		[RENEW] = "certprov-renew%s.timer",
		[CRL] = "certprov-crl%s.timer",
		[DELIVER_RUN] = "certprov-deliver%s.service",
		[RENEW_RUN] = "certprov-renew%s.service",
		[CRL_RUN] = "certprov-crl%s.service",
	};

	for (int i = 0; i < UNIT_COUNT; i++) {
		const char *place = strchr(forms[i], '%');

		snprintf(s->unit[i].name, UNIT_NAME_SIZE, "%.*s%s%s", (int)(place - forms[i]),
			forms[i], instance, place + 2);
	}
}

static void judge_handler(struct services *s)
{
	const struct unit *socket = &s->unit[SOCKET], *service = &s->unit[SERVICE];
	bool enabled = unit_is_enabled(socket) || unit_is_enabled(service);

	if (strcmp(service->active, "failed") == 0)
		tell(s, ERR_REFUSED,
			"%s has failed: systemctl status %s says why; once that is fixed, "
			"systemctl restart %s",
			service->name, service->name, service->name);
	else if (!unit_is_active(socket) && !unit_is_active(service))
		tell(s, enabled ? ERR_REFUSED : ERR_OK,
			"%s is stopped, so no event is accepted: systemctl %s %s", service->name,
			enabled ? "start" : "enable --now", service->name);
	else if (!enabled)
		tell(s, ERR_OK,
			"%s is not enabled, and will be off after the next boot: "
			"systemctl enable %s",
			service->name, service->name);
}

/* what: what is not done while it is off. */
static void judge_timer(
	struct services *s, const struct unit *timer, const struct unit *run, const char *what)
{
	if (!unit_is_there(timer))
		return;
	if (!unit_is_active(timer) || !unit_is_enabled(timer))
		tell(s, ERR_OK, "%s is %s, and then %s: systemctl enable --now %s", timer->name,
			unit_is_active(timer) ? "not enabled" : "off", what, timer->name);
	if (strcmp(run->active, "failed") == 0)
		tell(s, ERR_OK, "the last run of %s has failed: journalctl -u %s says why",
			run->name, run->name);
}

static void check_units(struct services *s)
{
	if (!systemd_show(s->unit, UNIT_COUNT)) {
		if (systemd_has_file(s->unit[SERVICE].name))
			tell(s, ERR_OK,
				"nobody can tell if %s and its timers run, as systemctl show does "
				"not answer this user: install dbus, or run this as root",
				s->unit[SERVICE].name);
		return;
	}
	if (!unit_is_there(&s->unit[SERVICE]))
		return;
	judge_handler(s);
	judge_timer(s, &s->unit[DELIVER], &s->unit[DELIVER_RUN], "nothing pending is finished");
	judge_timer(s, &s->unit[RENEW], &s->unit[RENEW_RUN],
		"no certificate is replaced before it ends");
	if (s->local_ca)
		judge_timer(s, &s->unit[CRL], &s->unit[CRL_RUN],
			"the revocation list's copy on disk grows old");
	if (s->faults == 0)
		s->report(s->ctx, WHAT, ERR_OK, false, "handler and timers are on");
}

/* --- the web server */

/* Of the usual folders only: whose another one is nobody knows. */
static void check_web_units(struct services *s, const char *web)
{
	static const struct {
		const char *folder, *unit;
	} servers[] = {{"/etc/nginx", "nginx.service"}, {"/etc/apache2", "apache2.service"},
		{"/etc/httpd", "httpd.service"}};

	for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
		struct unit unit = {.name = ""};

		if ((web && strcmp(web, servers[i].folder) != 0) ||
			!check_web_uses(servers[i].folder))
			continue;
		snprintf(unit.name, sizeof(unit.name), "%s", servers[i].unit);
		if (!systemd_show(&unit, 1) || !unit_is_there(&unit))
			continue;
		if (!unit_is_active(&unit))
			tell(s, ERR_REFUSED,
				"%s is stopped, so no event arrives: systemctl start %s", unit.name,
				unit.name);
		if (!unit_is_enabled(&unit))
			tell(s, ERR_OK,
				"%s is not enabled, and will be off after the next boot: "
				"systemctl enable %s",
				unit.name, unit.name);
	}
}

enum err check_services(
	const struct config *config, const char *web, provider_report *report, void *ctx)
{
	struct services s = {.report = report, .ctx = ctx};
	char instance[UNIT_NAME_SIZE];

	if (!systemd_runs())
		return ERR_OK;
	for (int usage = 0; usage < USAGE_COUNT; usage++)
		s.local_ca |= config_ca(config, (enum usage)usage)->type == CA_LOCAL;
	if (instance_of(config->path, instance)) {
		name_units(&s, instance);
		check_units(&s);
	}
	if (!web || strcmp(web, WEB_SERVER_NONE) != 0)
		check_web_units(&s, web);
	return s.worst;
}
