#ifndef FCGI_PAGES_STATUS_STYLE_H
#define FCGI_PAGES_STATUS_STYLE_H

#include "base/buf.h"

/* The style sheet, for a style element: always the same, and the headers have its hash. */
void status_style_put(struct buf *out);

#endif
