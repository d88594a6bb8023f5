#ifndef FCGI_LISTENER_H
#define FCGI_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* The socket that web servers connect to. Its descriptor does not block and is closed on exec. */
struct listener {
	int fd;
	const char *path; /* of the unix socket that we made, borrowed; NULL: inherited */
	dev_t device;	  /* which file it is */
	ino_t inode;
};

/*
 * Makes a unix socket of mode 0660 at path and listens. A socket that a dead process left behind is
 * replaced. ERR_UNAVAILABLE: the socket is in use; ERR_CONFIG: there is another file, or the socket
 * cannot be made.
 */
enum err listener_open(const char *path, struct listener *out, struct error *e) must_check;

/* Returns true if descriptor 0 is a listening socket. */
bool listener_is_inherited(void);

/* Takes over the socket on descriptor 0, which becomes /dev/null. ERR_INTERNAL. */
enum err listener_inherit(struct listener *out, struct error *e) must_check;

/* Removes the file of a socket that we made, so that nobody connects any more. A file that another
 * process has put in its place stays. */
void listener_remove(struct listener *listener);

#endif
