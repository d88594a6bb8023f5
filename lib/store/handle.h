#ifndef STORE_HANDLE_H
#define STORE_HANDLE_H

#include <sys/types.h>

#include "base/buf.h"
#include "db/db.h"
#include "store/holder.h"
#include "store/seal.h"

/* An open store, as the files of lib/store share it; nobody outside includes this. */
struct store {
	struct db *db;
	char *key_file;
	struct seal *seal;
	struct blob key_check; /* sealed: tells which master key is the current one */
	struct audit_mac *audit_mac;
	bool rows_have_macs;	  /* the key check says so: see row_mac.h */
	char *gateways;		  /* "\nURL\nURL\n": the configuration's; NULL: it has none */
	char holder[HOLDER_SIZE]; /* of leases: for lease_holder(), of holder_pid */
	pid_t holder_pid;
	int64_t swept_at; /* clock_monotonic_ms(): by leases_sweep() */
};

#endif
