#ifndef FCGI_PAGES_STATUS_EXPIRY_H
#define FCGI_PAGES_STATUS_EXPIRY_H

#include "fcgi/pages/status_data.h"

/* "our client certificate ends …", or that it cannot be read. Why a file cannot be read names its
 * path: that is in the log alone. */
void status_expiry_put_text(const struct expiry *expiry, struct buf *out);

/* Expiry: a time line of our own certificates and lists, and of the active certificates. */
void status_expiry_put(const struct status_data *status);

#endif
