/*
 * Classifies an event by its id or by the parts of its name, as the webhook's forms of a name are
 * not public. Enrollments alone are known by their whole name, because they give keys away.
 */

#include "uem/event_kind.h"

#include <string.h>

#include "base/text.h"

const struct event_kind_row event_kinds[EVENT_KIND_COUNT] = {
	[EVENT_ENROLLED] = {"enrolled", .has_device = true, .has_user = true},
	[EVENT_UNENROLLED] = {"unenrolled", .has_device = true},
	[EVENT_ADDRESS_CHANGED] = {"address changed"},
	[EVENT_OTHER] = {"other"},
};

/* Names in lower case without spaces; id 0: not known. */
static const struct type {
	int64_t id;
	const char *name;
	enum event_kind kind;
} types[] = {
	{148, "mdmenrollmentcomplete", EVENT_ENROLLED},
	{170, "enrollmentcomplete", EVENT_ENROLLED},
	{39, "breakmdmconfirmed", EVENT_UNENROLLED},
	{229, "deviceenterprisewiperequested", EVENT_UNENROLLED},
	{25, "devicewipe", EVENT_UNENROLLED},
	{178, "compromisedstatuschanged", EVENT_OTHER},
	{0, "compliancestatuschanged", EVENT_OTHER},
	{641, "assetnumberchanged", EVENT_OTHER},
	{642, "friendlynamechanged", EVENT_OTHER},
};

/* A name in two forms, both in lower case: of "DeviceWipe" "devicewipe" and " device wipe ". */
struct name {
	char joined[EVENT_TYPE_MAX + 1];
	char words[2 * EVENT_TYPE_MAX + 3];
};

/* --- words */

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* Bytes of other scripts are letters, too. */
static bool is_letter(char c)
{
	return is_upper(c) || is_lower(c) || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

/* In "BreakMDMConfirmed" at the M and the C. */
static bool starts_word(const char *text, size_t at)
{
	return at > 0 && is_upper(text[at]) && (!is_upper(text[at - 1]) || is_lower(text[at + 1]));
}

static void read_name(const char *text, struct name *out)
{
	size_t joined = 0, words = 0;

	*out = (struct name){{0}, {0}};
	out->words[words++] = ' ';
	for (size_t at = 0; text[at] && joined < EVENT_TYPE_MAX; at++) {
		char c = text_lower(text[at]);

		if ((!is_letter(c) || starts_word(text, at)) && out->words[words - 1] != ' ')
			out->words[words++] = ' ';
		if (!is_letter(c))
			continue;
		out->joined[joined++] = c;
		out->words[words++] = c;
	}
	if (out->words[words - 1] != ' ')
		out->words[words] = ' ';
}

static bool has(const struct name *name, const char *part)
{
	return strstr(name->joined, part) != NULL;
}

static bool has_word(const struct name *name, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = name->words; (at = strstr(at, word)) != NULL; at++)
		if (at[-1] == ' ' && at[len] == ' ')
			return true;
	return false;
}

/* Returns true if it has any of the parts or of the whole words. Lists end with NULL. */
static bool has_any(const struct name *name, const char *const parts[], const char *const words[])
{
	for (; *parts; parts++)
		if (has(name, *parts))
			return true;
	for (; *words; words++)
		if (has_word(name, *words))
			return true;
	return false;
}

static const char *const no_words[] = {NULL};

/* "Device Wipe Cancelled": it has not happened, or no longer counts. */
static bool is_undone(const struct name *name)
{
	static const char *const parts[] = {"cancel", "fail", "denied", "denial", "declin",
		"reject", "abort", "undelete", "expir", "block", "prevent", "protect", "error",
		"revok", "restore", "recover", "unsuccessful", "unable", "skip", "ignor",
		"disallow", NULL};
	static const char *const words[] = {"not", "no", "without", "undo", "undone", NULL};

	return has_any(name, parts, words);
}

/* Returns true if something else than the device is deleted or wiped. */
static bool is_of_another(const struct name *name, bool deleted)
{
	static const char *const parts[] = {"application", "content", "storage", NULL};
	static const char *const words[] = {"app", "apps", NULL};
	static const char *const deleted_parts[] = {"profile", "certificate", "policy", "policies",
		"group", "attribute", "document", "product", "message", NULL};
	static const char *const deleted_words[] = {
		"file", "files", "tag", "tags", "note", "notes", "book", "books", "log", NULL};
	static const char *const persons[] = {"user", "users", "admin", "account", NULL};

	if (has_any(name, parts, words))
		return true;
	return deleted && (has_any(name, deleted_parts, deleted_words) ||
				  (!has(name, "device") && has_any(name, no_words, persons)));
}

/* Drops what follows "by" or "from": who did it, or where the device was. */
static struct name without_agent(const struct name *name)
{
	static const char *const ends[] = {" by ", " from ", " due ", " after ", " via "};
	char words[sizeof(name->words)];
	struct name out;

	memcpy(words, name->words, sizeof(words));
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char *end = strstr(words, ends[i]);

		if (end)
			*end = '\0';
	}
	read_name(words, &out);
	return out;
}

/* --- kinds */

static bool is_deletion(const struct name *name)
{
	static const char *const parts[] = {"delete", "deleting", "deletion", NULL};

	return has_any(name, parts, no_words);
}

static bool is_address(const struct name *name)
{
	return has(name, "user") && has(name, "email") && has(name, "address");
}

/* Returns true if it has words of an unenrollment; it need not be one. */
static bool tells_of_end(const struct name *name)
{
	static const char *const parts[] = {"wipe", "wiping", "unenrol", NULL};

	return is_deletion(name) || has_any(name, parts, no_words) ||
	       (has(name, "break") && has(name, "mdm"));
}

static enum event_kind judge(const struct name *name)
{
	const struct name what = without_agent(name);

	if (is_undone(name))
		return EVENT_OTHER;
	if (is_address(name))
		return EVENT_ADDRESS_CHANGED;
	if (tells_of_end(name) && !is_of_another(&what, is_deletion(name)))
		return EVENT_UNENROLLED;
	return EVENT_OTHER;
}

static bool has_known_word(const struct name *name)
{
	return tells_of_end(name) || has(name, "enrol") ||
	       (has(name, "email") && (has(name, "user") || has(name, "address")));
}

static const struct type *find_type(int64_t id, const char *joined)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (id ? types[i].id == id : strcmp(joined, types[i].name) == 0)
			return &types[i];
	return NULL;
}

/* A name that was only judged does not contradict an id that asks nothing. */
static bool contradict(const struct type *by_id, const struct type *by_name, enum event_kind judged)
{
	if (by_name)
		return by_id->kind != by_name->kind;
	return by_id->kind != EVENT_OTHER && judged != EVENT_OTHER && by_id->kind != judged;
}

enum err event_kind_find(
	int64_t id, const char *type, enum event_kind *out, bool *unmatched, struct error *e)
{
	const struct type *by_id = id ? find_type(id, "") : NULL, *by_name;
	enum event_kind judged, kind;
	struct name name;

	read_name(type, &name);
	by_name = *name.joined ? find_type(0, name.joined) : NULL;
	judged = by_name ? by_name->kind : judge(&name);
	if (by_id && contradict(by_id, by_name, judged))
		return error_field(e, ERR_MALFORMED, event_field_name(EVENT_TYPE),
			"EventType and EventId %lld are of different events", (long long)id);
	kind = by_id ? by_id->kind : judged;
	*unmatched = kind == EVENT_OTHER && !by_name && has_known_word(&name);
	*out = kind;
	return ERR_OK;
}
