#ifndef BASE_DID_YOU_MEAN_H
#define BASE_DID_YOU_MEAN_H

#include <stdbool.h>
#include <stddef.h>

/* "Did you mean": which of the words that we know is nearest to one that we don't. */

struct nearest {
	const char *word; /* borrowed, like every candidate */
	const char *name; /* the nearest of those that were tried; NULL: none is near */
	size_t distance;
};

#define NEAREST_INIT(unknown)     \
	{                         \
		.word = (unknown) \
	}

/*
 * Letters left out, put in, replaced or swapped with their neighbour each count one, and case
 * nothing. Near is a third of the word at most, but at least one; the first of equals stays.
 */
void nearest_try(struct nearest *nearest, const char *candidate);

#define NEAREST_TEXT_SIZE 64

/* ": did you mean NAME?", or "" where there is none. Returns out. */
const char *nearest_text(const struct nearest *nearest, char out[NEAREST_TEXT_SIZE]);

#endif
