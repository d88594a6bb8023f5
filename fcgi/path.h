#ifndef FCGI_PATH_H
#define FCGI_PATH_H

/* The paths below the web server's prefix. The table in route.c says what each of them does. */
enum path {
	PATH_EVENTS,
	PATH_HEALTHZ,
	PATH_CA_CERTIFICATE,
	PATH_CA_CRL,
	PATH_CA_ENCRYPTION_CERTIFICATE,
	PATH_CA_ENCRYPTION_CRL,
	PATH_METRICS,
	PATH_STATUS,
	PATH_OTHER, /* not one of our paths */
	PATH_COUNT
};

extern const char *const path_names[PATH_COUNT]; /* "/events" …; "other" */

enum path path_find(const char *name);

#endif
