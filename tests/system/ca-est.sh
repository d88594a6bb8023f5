#!/bin/bash
# The whole job with a real EST server: libest's.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-real-ca.sh
. "$top_srcdir/tests/system/lib-real-ca.sh"

real_ca_or_skip est
ok 'everything starts' world "${real_settings[@]}"

post_event "$sample_event"
is "$status" 202 'the event is answered by 202'
is "$(eg_upload_count)" 1 'the gateway has the upload'

done_testing
