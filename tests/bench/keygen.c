/*
 * The bare cost of a key: mean CPU over COUNT of them, as GnuTLS makes them.
 *
 *   keygen TYPE COUNT
 *
 * Prints milliseconds of CPU a key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pki/key.h"

int main(int argc, char **argv)
{
	int type = argc == 3 ? vocabulary_find(key_type_names, KEY_TYPE_COUNT, argv[1]) : -1;
	long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	clock_t start = clock();
	struct error e;

	if (type < 0 || count < 1 || count > 10000) {
		fputs("usage: keygen TYPE COUNT\n", stderr);
		return 2;
	}
	for (long i = 0; i < count; i++) {
		struct key *key = NULL;

		if (key_generate((enum key_type)type, &key, &e) != ERR_OK) {
			fprintf(stderr, "keygen: %s\n", e.text);
			return 1;
		}
		key_free(key);
	}
	printf("%.3f\n", (double)(clock() - start) * 1e3 / CLOCKS_PER_SEC / (double)count);
	return 0;
}
