#ifndef CA_ADCS_HTML_H
#define CA_ADCS_HTML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define HTML_VALUE_SIZE 128

/* The visible text of a page or a part of it, with "\n" at its end. Entities become ASCII. */
void html_text(const char *html, struct buf *text);

/* The "<" of the first tag with that attribute, both without regard to case; NULL: there is none.
 */
const char *html_find(const char *html, const char *attribute, const char *value);

/* The value of an attribute of the tag whose "<" is given, cut at size; false: it has none. */
bool html_attribute(const char *tag, const char *name, char *out, size_t size);

/* The text behind a tag up to the next paragraph, list entry or cell. */
void html_element_text(const char *tag, struct buf *text);

#endif
