#ifndef FCGI_LISTENER_H
#define FCGI_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* The socket that web servers connect to. Its descriptor does not block and is closed on exec. */
struct listener {
	int fd;
	const char *path; /* of the unix socket that is ours, borrowed; NULL: inherited */
	dev_t device;	  /* which file it is */
	ino_t inode;
};

/*
 * Makes a unix socket of mode 0660 at path and listens. A socket that a dead
 * process left behind is replaced; ERR_CONFIG if one is in use there, or anything else.
 */
enum err listener_open(const char *path, struct listener *out, struct error *e) must_check;

/* Returns true if descriptor 0 is a listening socket. */
bool listener_is_inherited(void);

/* Takes it over; descriptor 0 becomes /dev/null. ERR_INTERNAL. */
enum err listener_inherit(struct listener *out, struct error *e) must_check;

/* Removes our socket's file, so that nobody new connects; another's in its place stays. */
void listener_remove(struct listener *listener);

#endif
