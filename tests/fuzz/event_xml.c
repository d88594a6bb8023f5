/*
 * Any bytes as a notification in XML: what is repaired is UTF-8 and needs no more repair; an event
 * is the same one after it was stored.
 */

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "base/xml_text.h"
#include "fuzz.h"
#include "uem/event.h"
#include "uem/event_print.h"
#include "uem/event_xml.h"

static void check_repair(const char *text, size_t len, enum xml_encoding encoding)
{
	struct buf once = BUF_INIT(XML_TEXT_LEN(len)), twice = BUF_INIT(XML_TEXT_LEN(3 * len));
	unsigned damage = 0, more = 0;
	struct error e;

	xml_text_repair(text, len, encoding, &once, &damage);
	assert(!buf_check(&once, &e) && once.len && *once.data == '<');
	assert(utf8_is_valid(once.data, once.len));
	xml_text_repair(once.data, once.len, XML_TEXT_UTF8, &twice, &more);
	assert(!buf_check(&twice, &e) && !more);
	assert(twice.len == once.len && memcmp(twice.data, once.data, once.len) == 0);
	buf_free(&once);
	buf_free(&twice);
}

static void check_stored(const struct event *event)
{
	struct buf stored = BUF_INIT(65536), again = BUF_INIT(65536);
	struct event *back = NULL;
	struct error e;

	event_print(event, &stored);
	assert(!buf_check(&stored, &e));
	assert(event_parse(stored.data, stored.len, &back, &e) == ERR_OK);
	event_print(back, &again);
	assert(strcmp(stored.data, again.data) == 0);
	assert(back->kind == event->kind && back->time == event->time);
	event_free(back);
	buf_free(&stored);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	enum xml_encoding encoding = xml_text_encoding(text, size);
	struct event *event = NULL;
	struct error e = {.code = ERR_OK};
	enum err err;

	if (encoding == XML_TEXT_NONE)
		return 0;
	check_repair(text, size, encoding);
	err = event_parse(text, size, &event, &e);
	if (err) {
		assert((err == ERR_MALFORMED || err == ERR_UNSUPPORTED) && e.code == err &&
			*e.text && !event);
		assert(utf8_is_valid(e.text, strlen(e.text)));
		assert(utf8_is_valid(e.field, strlen(e.field)));
	} else {
		check_stored(event);
	}
	event_free(event);
	return 0;
}
