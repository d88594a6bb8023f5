#ifndef BASE_DID_YOU_MEAN_H
#define BASE_DID_YOU_MEAN_H

#include <stdbool.h>
#include <stddef.h>

/* "Did you mean": the known word that is nearest to an unknown one. */

struct did_you_mean {
	const char *word; /* borrowed, like every candidate */
	const char *name; /* the nearest candidate so far; NULL: none is near */
	size_t distance;
};

#define DID_YOU_MEAN_INIT(unknown) \
	{                          \
		.word = (unknown)  \
	}

/*
 * Tries a candidate. The distance is the number of letters left out, added, replaced or swapped
 * with their neighbour; case does not count. A candidate is near up to a third of the word's
 * length, and always at a distance of one. Of equally near ones the first stays.
 */
void did_you_mean_try(struct did_you_mean *nearest, const char *candidate);

#define DID_YOU_MEAN_TEXT_SIZE 64

/* ": did you mean NAME?", or "" where there is none. Returns out. */
const char *did_you_mean_text(const struct did_you_mean *nearest, char out[DID_YOU_MEAN_TEXT_SIZE]);

#endif
