#!/bin/bash
# Each transaction of the store can run again: the store's own tests pass when every first try of
# one is rolled back.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

for subject in store store_address store_audit store_barred store_enrollment store_lease \
	store_list store_rekey store_renewal store_request store_revocation store_row_mac \
	store_upload; do
	ok "$subject" env CERTPROV_TEST_AGAIN=1 "$top_builddir/tests/unit/$subject"
done
done_testing
