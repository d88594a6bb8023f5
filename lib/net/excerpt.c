/* Quotes a peer's answer for the log, without what may be secret. */
#include "net/excerpt.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

/* The length of a start that may be base64, also in JSON or a URL. */
static size_t base64_run(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && (isalnum((unsigned char)s[n]) || (s[n] && strchr("+/=-_\\", s[n]))))
		n++;
	return n;
}

void excerpt(const void *said, size_t len, char out[EXCERPT_SIZE])
{
	static const char cut[] = "[...]";
	const char *s = said, *end = s + len;
	size_t n = 0;

	while (s < end && n < EXCERPT_SIZE - 1 - sizeof(cut)) {
		size_t run = base64_run(s, (size_t)(end - s));

		if (run >= UUID_SIZE) {
			memcpy(out + n, cut, sizeof(cut) - 1);
			n += sizeof(cut) - 1;
			s += run;
			continue;
		}
		if (*s > ' ' && *s <= '~')
			out[n++] = *s;
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
		s++;
	}
	out[n] = '\0';
}
