#ifndef BASE_DID_YOU_MEAN_H
#define BASE_DID_YOU_MEAN_H

#include <stdbool.h>
#include <stddef.h>

/* "Did you mean": which of the words that we know is nearest to one that we don't. */

struct did_you_mean {
	const char *word; /* borrowed, like every candidate */
	const char *name; /* the nearest of those that were tried; NULL: none is near */
	size_t distance;
};

#define DID_YOU_MEAN_INIT(unknown) \
	{                          \
		.word = (unknown)  \
	}

/*
 * Letters left out, put in, replaced or swapped with their neighbour each count one, and case
 * nothing. Near is a third of the word at most, but at least one; the first of equals stays.
 */
void did_you_mean_try(struct did_you_mean *nearest, const char *candidate);

#define DID_YOU_MEAN_TEXT_SIZE 64

/* ": did you mean NAME?", or "" where there is none. Returns out. */
const char *did_you_mean_text(const struct did_you_mean *nearest, char out[DID_YOU_MEAN_TEXT_SIZE]);

#endif
