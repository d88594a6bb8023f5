#ifndef CHECK_SYSTEMD_H
#define CHECK_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>

#define UNIT_NAME_SIZE 128
#define UNIT_STATE_SIZE 32

/* The properties of a unit, from systemctl show. */
struct unit {
	char name[UNIT_NAME_SIZE];
	char load[UNIT_STATE_SIZE];   /* LoadState: loaded, not-found, masked, … */
	char active[UNIT_STATE_SIZE]; /* ActiveState: active, inactive, failed, activating, … */
	char file[UNIT_STATE_SIZE];   /* UnitFileState: enabled, disabled, static, … */
};

/* True if systemd runs this system's services (sd_booted(3)). */
bool systemd_runs(void);

/* True if a file of that unit, or of its template, is installed. */
bool systemd_has_file(const char *unit);

/* Fills in the states of units, whose names are set. False: systemctl did not answer. */
bool systemd_show(struct unit *units, size_t count);

bool unit_is_there(const struct unit *unit);
bool unit_is_active(const struct unit *unit); /* or being started */
bool unit_is_enabled(const struct unit *unit);

#endif
