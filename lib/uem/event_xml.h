#ifndef UEM_EVENT_XML_H
#define UEM_EVENT_XML_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "base/error.h"
#include "base/xml_text.h"

/*
 * Reads a notification in UEM's XML format: <Eventlog>, and in it an element for each field, with
 * the names of the JSON format. *out is what json_object() would read from the JSON format: a
 * string for each element, a number for one that holds a numeric id, an object for one that has
 * elements inside. Attributes, comments and processing instructions are skipped. xml is UTF-8, as
 * xml_text_repair() made it from a text in that encoding. The caller must use cJSON_Delete().
 *
 * ERR_MALFORMED with a text of the form "it is cut": a fault in the syntax, text between elements,
 * a document type declaration, an entity other than the five of XML (section 4.6), an encoding that
 * is not read, too many, too deep or too long names of elements. With e->field: an element that
 * occurs twice. ERR_UNSUPPORTED: another root, so no notification.
 */
enum err event_xml_read(const char *xml, size_t len, enum xml_encoding encoding, cJSON **out,
	struct error *e) must_check;

#endif
