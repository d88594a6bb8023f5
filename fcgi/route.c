/* The table of routes: path, method, who has access, whether a body is read, and the handler. */
#include "fcgi/route.h"

#include <string.h>

#include "fcgi/ca_files.h"
#include "fcgi/events.h"
#include "fcgi/healthz.h"
#include "fcgi/pages/metrics_page.h"
#include "fcgi/pages/status_page.h"

static const struct route routes[] = {
	{PATH_EVENTS, "GET", ACCESS_EVENTS, false, events_get},
	{PATH_EVENTS, "POST", ACCESS_EVENTS, true, events_post},
	{PATH_HEALTHZ, "GET", ACCESS_ALL, false, healthz_get},
	{PATH_CA_CERTIFICATE, "GET", ACCESS_ALL, false, ca_files_get_certificate},
	{PATH_CA_CRL, "GET", ACCESS_ALL, false, ca_files_get_crl},
	{PATH_CA_ENCRYPTION_CERTIFICATE, "GET", ACCESS_ALL, false, ca_files_get_certificate},
	{PATH_CA_ENCRYPTION_CRL, "GET", ACCESS_ALL, false, ca_files_get_crl},
	{PATH_METRICS, "GET", ACCESS_ADMIN, false, metrics_page_get},
	{PATH_STATUS, "GET", ACCESS_ADMIN, false, status_page_get},
};

enum err route_find(const struct request *request, bool admin, struct response *response,
	const struct route **out, struct error *e)
{
	/* An answer to HEAD is that to GET without its body, see response_send(). */
	const char *method = strcmp(request->method, "HEAD") == 0 ? "GET" : request->method;
	struct buf methods = BUF_INIT(64);
	enum err err = ERR_OK;

	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (routes[i].path != request->which ||
			(routes[i].access == ACCESS_ADMIN && !admin))
			continue;
		if (strcmp(method, routes[i].method) == 0) {
			*out = &routes[i];
			goto out;
		}
		buf_printf(&methods, "%s%s", methods.len ? ", " : "", routes[i].method);
		if (strcmp(routes[i].method, "GET") == 0)
			buf_puts(&methods, ", HEAD");
	}
	if (methods.len) {
		response_header(response, "Allow", "%s", methods.data);
		err = error_set(e, ERR_METHOD, "no such method at this path");
	} else {
		err = error_set(e, ERR_NOT_FOUND, "no such path");
	}
out:
	buf_free(&methods);
	return err;
}
