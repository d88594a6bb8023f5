/*
 * Gives all rows of a store their MACs, as they are, for tests that write into it what the product
 * would not:
 *
 *   store_sign CONFIG
 */
#include <stdio.h>

#include "config/config.h"
#include "store/row_mac.h"
#include "store/store.h"

int main(int argc, char **argv)
{
	struct config *config = NULL;
	struct store *store = NULL;
	struct error e;
	enum err err = argc == 2 ? config_load(argv[1], &config, &e)
				 : error_set(&e, ERR_USAGE, "Usage: store_sign CONFIG");

	if (!err)
		err = store_open(config, &store, &e);
	if (!err)
		err = rows_begin(store, &e);
	if (err)
		fprintf(stderr, "store_sign: %s\n", e.text);
	store_close(store);
	config_free(config);
	return err ? 1 : 0;
}
