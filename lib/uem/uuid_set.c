/* A set of UUIDs: a hash table without deletion. */
#include "uem/uuid_set.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_FIRST 1024

static const unsigned char nil[16];

/* The text is of the form that text_uuid() writes. */
static void unpack(const char *uuid, unsigned char out[16])
{
	char digits[33] = "";
	size_t n = 0;

	for (; *uuid && n < 32; uuid++)
		if (*uuid != '-')
			digits[n++] = *uuid;
	if (!text_unhex(digits, out, 16))
		memset(out, 0, 16);
}

/* The slot of the key, or the free one where it belongs. FNV-1a: UEM's UUIDs are not hostile. */
static unsigned char *find(unsigned char (*slot)[16], size_t size, const unsigned char key[16])
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t at;

	for (size_t i = 0; i < 16; i++)
		hash = (hash ^ key[i]) * UINT64_C(0x100000001b3);
	at = (size_t)(hash & (size - 1));
	while (memcmp(slot[at], nil, 16) != 0 && memcmp(slot[at], key, 16) != 0)
		at = (at + 1) & (size - 1);
	return slot[at];
}

/* Half of the slots stay free. */
static enum err grow(struct uuid_set *set, struct error *e)
{
	size_t size = set->size ? set->size * 2 : SIZE_FIRST;
	unsigned char(*slot)[16] = calloc(size, sizeof(*slot));

	if (!slot)
		return error_memory(e);
	for (size_t i = 0; i < set->size; i++)
		if (memcmp(set->slot[i], nil, 16) != 0)
			memcpy(find(slot, size, set->slot[i]), set->slot[i], 16);
	free(set->slot);
	set->slot = slot;
	set->size = size;
	return ERR_OK;
}

enum err uuid_set_add(struct uuid_set *set, const char *uuid, bool *added, struct error *e)
{
	unsigned char key[16], *slot;
	enum err err = set->count * 2 >= set->size ? grow(set, e) : ERR_OK;

	if (err)
		return err;
	unpack(uuid, key);
	slot = find(set->slot, set->size, key);
	*added = memcmp(slot, key, 16) != 0;
	if (*added) {
		memcpy(slot, key, 16);
		set->count++;
	}
	return ERR_OK;
}

bool uuid_set_has(const struct uuid_set *set, const char *uuid)
{
	unsigned char key[16];

	if (!set->size)
		return false;
	unpack(uuid, key);
	return memcmp(find(set->slot, set->size, key), nil, 16) != 0;
}

void uuid_set_fini(struct uuid_set *set)
{
	free(set->slot);
	*set = (struct uuid_set){.count = 0};
}
