#ifndef CHECK_DISK_H
#define CHECK_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* The file system that a file lies on. */
struct disk {
	int64_t size, free; /* bytes; free: for users other than root */
	bool network;	    /* its files are on another host */
};

/* ERR_CONFIG if there is no such file. */
enum err disk_look(const char *path, struct disk *out, struct error *e) must_check;

#endif
