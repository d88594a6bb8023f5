/* Reads an event notification in XML into the tree that its JSON form has. Knows no field rules. */

#define XML_DTD /* expat 2.4 and 2.5 declare their limit of amplification for it only */

#include "uem/event_xml.h"

#include <expat.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/utf8.h"

#define ROOT "Eventlog"
#define ELEMENTS_MAX 257 /* the root, and as many fields as an object of JSON may have */
#define DEPTH_MAX 32
#define NAME_MAX_LEN 128	    /* bytes of an element's name */
#define AMPLIFICATION_MAX 2.0f	    /* "&lt;" counts as five bytes instead of four */
#define NUMBER_MAX 9007199254740992 /* 2^53: up to here a double has every integer */

struct reader {
	XML_Parser parser;
	enum xml_encoding encoding;
	cJSON *object;
	char name[NAME_MAX_LEN + 1]; /* of the field that is being read */
	struct buf text;	     /* its text so far */
	bool nested;		     /* it has elements inside */
	int elements, depth;	     /* started so far; open now */
	enum err err;
	struct error *e;
};

/* --- the end of reading */

/* Expat may still call a handler after this; each looks at r->err first. */
static void stop(struct reader *r, enum err err)
{
	r->err = err;
	XML_StopParser(r->parser, XML_FALSE);
}

static void refuse(struct reader *r, const char *why)
{
	stop(r, error_set(r->e, ERR_MALFORMED, "%s", why));
}

static enum err syntax_fault(const struct reader *r)
{
	enum XML_Error code = XML_GetErrorCode(r->parser);

	if (code == XML_ERROR_NO_MEMORY)
		return error_memory(r->e);
	if (code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN ||
		code == XML_ERROR_UNCLOSED_CDATA_SECTION)
		return error_set(r->e, ERR_MALFORMED, "it is cut");
	if (code == XML_ERROR_UNDEFINED_ENTITY)
		return error_set(r->e, ERR_MALFORMED,
			"it refers to an entity that XML itself does not have");
	return error_set(r->e, ERR_MALFORMED, "it has a fault in its syntax, in line %lu",
		XML_GetCurrentLineNumber(r->parser));
}

/* --- fields */

static bool is_number(const char *name)
{
	static const char *const names[] = {"EventId", "DeviceId", "EnrollmentUserId"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static cJSON *make_value(char *text, const char *name)
{
	int64_t number = 0;

	if (is_number(name) && text_number(utf8_trim(text), NUMBER_MAX, &number))
		return cJSON_CreateNumber((double)number);
	return cJSON_CreateString(text);
}

static void begin_field(struct reader *r, const char *name)
{
	if (cJSON_GetObjectItemCaseSensitive(r->object, name)) {
		stop(r, error_field(r->e, ERR_MALFORMED, name, "%s occurs more than once", name));
		return;
	}
	memcpy(r->name, name, strlen(name) + 1);
	buf_reset(&r->text);
	r->nested = false;
}

static void end_field(struct reader *r)
{
	char none[] = "";
	enum err err = buf_check(&r->text, r->e);
	cJSON *item = NULL;

	if (!err)
		item = r->nested ? cJSON_CreateObject()
				 : make_value(r->text.len ? r->text.data : none, r->name);
	if (!err && (!item || !cJSON_AddItemToObject(r->object, r->name, item))) {
		cJSON_Delete(item);
		err = error_memory(r->e);
	}
	if (err)
		stop(r, err);
}

/* --- expat's handlers */

static void XMLCALL on_declaration(
	void *data, const XML_Char *version, const XML_Char *encoding, int standalone)
{
	struct reader *r = data;

	(void)version;
	(void)standalone;
	if (!r->err && encoding && !xml_text_may_declare(r->encoding, encoding))
		refuse(r, "its encoding must be UTF-8, UTF-16 or ISO-8859-1, as declared");
}

static void XMLCALL on_doctype(void *data, const XML_Char *name, const XML_Char *system_id,
	const XML_Char *public_id, int has_internal_subset)
{
	struct reader *r = data;

	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_internal_subset;
	if (!r->err)
		refuse(r, "it has a document type declaration (DOCTYPE)");
}

static void XMLCALL on_start(void *data, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = data;

	(void)attributes;
	if (r->err)
		return;
	if (++r->elements > ELEMENTS_MAX)
		refuse(r, "it has too many elements");
	else if (r->depth >= DEPTH_MAX)
		refuse(r, "its elements are nested too deeply");
	else if (strlen(name) > NAME_MAX_LEN)
		refuse(r, "the name of an element is too long");
	else if (!r->depth && strcmp(name, ROOT) != 0)
		stop(r, error_set(r->e, ERR_UNSUPPORTED,
				"XML whose root is not " ROOT ": no event notification of UEM's"));
	else if (r->depth == 1)
		begin_field(r, name);
	else if (r->depth > 1)
		r->nested = true;
	r->depth++;
}

static void XMLCALL on_end(void *data, const XML_Char *name)
{
	struct reader *r = data;

	(void)name;
	if (r->err)
		return;
	r->depth--;
	if (r->depth == 1)
		end_field(r);
}

static void XMLCALL on_text(void *data, const XML_Char *text, int len)
{
	struct reader *r = data;

	if (r->err)
		return;
	if (r->depth == 2)
		buf_append(&r->text, text, (size_t)len);
	for (int i = 0; r->depth == 1 && i < len; i++)
		if (!strchr(" \t\r\n", text[i])) {
			refuse(r, "it has text between the elements");
			return;
		}
}

/* --- the whole */

static void set_up(struct reader *r)
{
	XML_SetUserData(r->parser, r);
	XML_SetXmlDeclHandler(r->parser, on_declaration);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
#ifdef HAVE_XML_SETBILLIONLAUGHSATTACKPROTECTIONMAXIMUMAMPLIFICATION
	/* There are no entities to amplify anything; this holds should that ever be wrong. */
	(void)XML_SetBillionLaughsAttackProtectionMaximumAmplification(
		r->parser, AMPLIFICATION_MAX);
	(void)XML_SetBillionLaughsAttackProtectionActivationThreshold(r->parser, 1);
#endif
}

static enum err run(struct reader *r, const char *xml, size_t len)
{
	if (len > INT_MAX)
		return error_set(r->e, ERR_TOO_LARGE, "it is too long");
	r->parser = XML_ParserCreate("UTF-8"); /* whatever it declares */
	r->object = cJSON_CreateObject();
	if (!r->parser || !r->object)
		return error_memory(r->e);
	set_up(r);
	if (XML_Parse(r->parser, xml, (int)len, XML_TRUE) != XML_STATUS_OK && !r->err)
		r->err = syntax_fault(r);
	return r->err;
}

enum err event_xml_read(
	const char *xml, size_t len, enum xml_encoding encoding, cJSON **out, struct error *e)
{
	struct reader r = {.encoding = encoding, .text = BUF_INIT(len), .e = e};
	enum err err = run(&r, xml, len);

	if (err)
		cJSON_Delete(r.object);
	else
		*out = r.object;
	if (r.parser)
		XML_ParserFree(r.parser);
	buf_free(&r.text);
	return err;
}
