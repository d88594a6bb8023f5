/* Finds the known word that is closest to an unknown one. */
#include "base/did_you_mean.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define LEN_MAX 32 /* longer than any word of ours */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The optimal string alignment distance; d[i][j] is that of the first i and j letters. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t d[LEN_MAX + 1][LEN_MAX + 1];

	for (size_t i = 0; i <= a_len; i++)
		for (size_t j = 0; j <= b_len; j++) {
			bool same = i && j && text_lower(a[i - 1]) == text_lower(b[j - 1]);

			if (!i || !j) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] =
				least(d[i - 1][j - 1] + !same, 1 + least(d[i - 1][j], d[i][j - 1]));
			if (i > 1 && j > 1 && text_lower(a[i - 1]) == text_lower(b[j - 2]) &&
				text_lower(a[i - 2]) == text_lower(b[j - 1]))
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[a_len][b_len];
}

void did_you_mean_try(struct did_you_mean *nearest, const char *candidate)
{
	size_t len = strlen(nearest->word), candidate_len = strlen(candidate), far;

	if (len < 2 || len > LEN_MAX || candidate_len > LEN_MAX)
		return;
	far = distance(nearest->word, len, candidate, candidate_len);
	if (far > (len < 3 ? 1 : len / 3) || (nearest->name && far >= nearest->distance))
		return;
	nearest->name = candidate;
	nearest->distance = far;
}

const char *did_you_mean_text(const struct did_you_mean *nearest, char out[DID_YOU_MEAN_TEXT_SIZE])
{
	*out = '\0';
	if (nearest->name)
		snprintf(out, DID_YOU_MEAN_TEXT_SIZE, ": did you mean %s?", nearest->name);
	return out;
}
