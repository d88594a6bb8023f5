#!/bin/bash
# The store that the benchmark over many users is made with, but small: it equals what the product
# would have made, and the benchmark runs to its end.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

count()
{
	certprov status --json | jq ".$1"
}

eg_start
old_ca
configure certificates.key=ec-p256 events.on-unenroll=revoke-all
certprov_init
ok 'a store is filled' "$top_builddir/tests/bench/populate" "$conf" 200 --due 10 --pending 5 --gone 4

is "$(count users)" 200 'all users are there'
is "$(count events_pending)" 10 'so many wait as was asked for'
is "$(count events_failed)" 0 'nothing has failed'
is "$(rows users --state unenrolled)" 8 'so many are gone as was asked for'
is "$(rows certificates --state revoked --user user0000075)" "$((1 + $(rows devices --user user0000075)))" \
	'what they had is revoked'
ending=$(certprov list certificates --expiring 30d --state active --json)
is "$(jq '[.[].user_name] | unique | length' <<<"$ending")" 20 'so many have certificates that end soon as was asked for'
is "$(count expired)" 0 'none has ended'
is "$(rows certificates --user user0000009 --state archived)" 4 \
	'each tenth user has had certificates before'
ok 'what waits is delivered: the gateway opens all that it gets' certprov deliver
is "$(count events_pending)" 0 'and waits no more'
device=$(certprov list devices --user user0000009 --json | jq -r '.[0].device_uuid')
ok 'a device with earlier certificates gets all of them again' certprov deliver --device "$device"
like "$(eg_log .text | sort -u)" '^()$' 'the gateway has found nothing wrong'
eg_pkcs12 "$(eg_upload_count)" signing >"$root/signing.p12"
eg_openssl -in "$root/signing.p12" -nokeys -clcerts -legacy >"$root/signing.pem" 2>"$root/openssl.log"
ok 'openssl finds a certificate good' openssl verify -CAfile "$pki/old-ca.crt" \
	-purpose smimesign "$root/signing.pem"

ok 'the benchmark runs' "$top_srcdir/tests/bench/scale.sh" 200 2
done_testing
