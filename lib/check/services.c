/*
 * Do the services run, and will they after the next boot? The handler's socket and service, the
 * timers, the web server. Nothing is reported where systemd does not run, or has none of our units
 * for this configuration.
 */

#include <stdio.h>
#include <string.h>

#include "check/subject.h"
#include "check/systemd.h"
#include "check/web_server.h"
#include "check/web_settings.h"

#define ABOUT "services"

enum {
	SOCKET,
	SERVICE,
	DELIVER,
	RENEW,
	CRL,
	RECONCILE,
	DELIVER_RUN,
	RENEW_RUN,
	CRL_RUN,
	RECONCILE_RUN,
	UNIT_COUNT
};

/*
 * The instance of the units that run with this configuration: "" for …/certprov/certprov.conf,
 * "@NAME" for a tenant's …/certprov/NAME/certprov.conf. False: no unit runs with it.
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

static void name_units(struct unit units[UNIT_COUNT], const char *instance)
{
	static const char *const forms[UNIT_COUNT] = {
		[SOCKET] = "certprov%s.socket",
		[SERVICE] = "certprov%s.service",
		[DELIVER] = "certprov-deliver%s.timer",
		[RENEW] = "certprov-renew%s.timer",
		[CRL] = "certprov-crl%s.timer",
		[RECONCILE] = "certprov-reconcile%s.timer",
		[DELIVER_RUN] = "certprov-deliver%s.service",
		[RENEW_RUN] = "certprov-renew%s.service",
		[CRL_RUN] = "certprov-crl%s.service",
		[RECONCILE_RUN] = "certprov-reconcile%s.service",
	};

	for (int i = 0; i < UNIT_COUNT; i++) {
		const char *place = strchr(forms[i], '%');

		snprintf(units[i].name, UNIT_NAME_SIZE, "%.*s%s%s", (int)(place - forms[i]),
			forms[i], instance, place + 2);
	}
}

static void warn_disabled(struct check *c, const char *unit)
{
	finding_warn(c, ABOUT,
		"%s is not enabled, and will be off after the next boot" FIX "systemctl enable %s",
		unit, unit);
}

static void check_handler(struct check *c, const struct unit units[UNIT_COUNT])
{
	const struct unit *socket = &units[SOCKET], *service = &units[SERVICE];
	bool enabled = unit_is_enabled(socket) || unit_is_enabled(service);

	if (strcmp(service->active, "failed") == 0)
		finding_fail(c, ABOUT, ERR_REFUSED,
			"%s has failed" FIX "systemctl status %s says why; once that is fixed, "
			"systemctl restart %s",
			service->name, service->name, service->name);
	else if (!unit_is_active(socket) && !unit_is_active(service) && enabled)
		finding_fail(c, ABOUT, ERR_REFUSED,
			"%s is stopped, so no event is accepted" FIX "systemctl start %s",
			service->name, service->name);
	else if (!unit_is_active(socket) && !unit_is_active(service))
		finding_warn(c, ABOUT,
			"%s is stopped, so no event is accepted" FIX "systemctl enable --now %s",
			service->name, service->name);
	else if (!enabled)
		warn_disabled(c, service->name);
}

/* effect: of the timer being off. */
static void check_timer(
	struct check *c, const struct unit *timer, const struct unit *run, const char *effect)
{
	if (!unit_is_there(timer))
		return;
	if (!unit_is_active(timer) || !unit_is_enabled(timer))
		finding_warn(c, ABOUT, "%s is %s, so %s%s" FIX "systemctl enable --now %s",
			timer->name, unit_is_active(timer) ? "not enabled" : "off", effect,
			unit_is_active(timer) ? " after the next boot" : "", timer->name);
	if (strcmp(run->active, "failed") == 0)
		finding_warn(c, ABOUT, "the last run of %s failed" FIX "journalctl -u %s says why",
			run->name, run->name);
}

static void check_units(struct check *c, struct unit units[UNIT_COUNT])
{
	unsigned before = c->faults;

	if (!systemd_show(units, UNIT_COUNT)) {
		if (systemd_has_file(units[SERVICE].name))
			finding_warn(c, ABOUT,
				"it is not known if %s and its timers run, as systemctl show does "
				"not answer this user" FIX "install dbus, or run this as root",
				units[SERVICE].name);
		return;
	}
	if (!unit_is_there(&units[SERVICE]))
		return;
	check_handler(c, units);
	check_timer(c, &units[DELIVER], &units[DELIVER_RUN], "nothing pending is finished");
	check_timer(
		c, &units[RENEW], &units[RENEW_RUN], "no certificate is replaced before it ends");
	if (config_ca(c->config, USAGE_SIGNING)->type == CA_LOCAL ||
		config_ca(c->config, USAGE_ENCRYPTION)->type == CA_LOCAL)
		check_timer(c, &units[CRL], &units[CRL_RUN],
			"the revocation list's copy on disk grows old");
	if (c->config->uem.url)
		check_timer(c, &units[RECONCILE], &units[RECONCILE_RUN],
			"events that never came are not made up for");
	if (c->faults == before)
		finding_good(c, ABOUT, "handler and timers are on");
}

/* Only for the usual folders: the unit of a server elsewhere is not known. */
static void check_web_unit(struct check *c, const struct web_server *server)
{
	struct unit unit = {.name = ""};
	struct web_settings settings;

	if (c->web_server && strcmp(c->web_server, server->folder) != 0)
		return;
	web_settings_read(server->folder, &settings);
	if (!settings.used)
		return;
	snprintf(unit.name, sizeof(unit.name), "%s", server->unit);
	if (!systemd_show(&unit, 1) || !unit_is_there(&unit))
		return;
	if (!unit_is_active(&unit))
		finding_fail(c, ABOUT, ERR_REFUSED,
			"%s is stopped, so no event arrives" FIX "systemctl start %s", unit.name,
			unit.name);
	if (!unit_is_enabled(&unit))
		warn_disabled(c, unit.name);
}

static void check(struct check *c)
{
	char instance[UNIT_NAME_SIZE];
	struct unit units[UNIT_COUNT] = {{.name = ""}};

	if (!systemd_runs())
		return;
	if (instance_of(c->config->path, instance)) {
		name_units(units, instance);
		check_units(c, units);
	}
	for (size_t i = 0; i < WEB_SERVER_COUNT && !web_server_is_none(c->web_server); i++)
		check_web_unit(c, &web_servers[i]);
}

const struct check_subject subject_services = {check, NULL};
