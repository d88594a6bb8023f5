#!/bin/bash
# The whole job with a real EST server: estserver of libest, by password and by certificate.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-real-ca.sh
. "$top_srcdir/tests/system/lib-real-ca.sh"

# certificate N PART ARGS...: what openssl x509 says of the certificate in the Nth upload
certificate()
{
	eg_pkcs12 "$1" "$2" | eg_openssl -nokeys -clcerts | openssl x509 -noout "${@:3}"
}

extension()
{
	certificate "$1" "$2" -ext "$3" | sed -n 's/^ *//; 2p'
}

# As a mail program would: by the chain that came along, up to the CA that we know.
verifies()
{
	eg_pkcs12 "$1" "$2" | eg_openssl -nokeys >"$root/all.pem" &&
		openssl x509 -in "$root/all.pem" -out "$root/leaf.pem" &&
		openssl verify -purpose "$3" -CAfile "$pki/est-ca.crt" "$root/leaf.pem"
}

# order ARGS...: sets $said, a line; of an EC key for speed
order()
{
	said=$("$top_builddir/tests/system/ca_order" --output="$root/order" "$@" "$conf" \
		signing person@example.com 2>&1) || true
}

issued()
{
	wc -l <"$real/index.txt" # OpenSSL's list
}

# what certprov check says of the CA
check()
{
	certprov check --web-server none 2>&1 | grep -E '^[a-zA-Z]+ +CA:' || true
}

real_ca_or_skip est
ok 'everything starts' world "${real_settings[@]}"

# --- from the event to the gateway

post_event "$sample_event"
is "$status" 202 'the event is answered by 202'
is "$(eg_upload_count) $(issued)" '1 2' 'the gateway has the upload, the CA has issued two'
for row in 'signing|smimesign|Digital Signature, Non Repudiation' \
	'encryption|smimeencrypt|Key Encipherment'; do
	IFS='|' read -r part purpose usage <<<"$row"
	ok "$part: openssl takes it for its purpose, up to the CA" verifies 1 "$part" "$purpose"
	is "$(certificate 1 "$part" -email)" zenny@example.com '... the address'
	is "$(extension 1 "$part" keyUsage)" "$usage" '... the key usage'
	is "$(extension 1 "$part" extendedKeyUsage)" 'E-mail Protection' '... the purpose'
done
like "$(check)" '^ok .*https://localhost:[0-9]+ answers \(est\)' 'certprov check finds it well'
ok '... all of it' certprov check --web-server none

# --- killed in the middle of a request

second=$(new_uuid)
event_json device="$second" >"$root/second.json"
kill -STOP "${pids[real-ca]}"
(post_event "$root/second.json"; printf '%s\n' "$status" >"$root/second.status") &
ok 'a request is on its way to it' wait_for 60 sh -c \
	"ss -Htn state established 'dport = :$real_port' | grep -q ."
real_stop KILL
wait $!
is "$(<"$root/second.status")" 503 'the CA is killed in the middle of it: 503'
like "$(certprov check --web-server none 2>&1)" 'FAILED +CA: https://localhost:[0-9]+: no connection' \
	'certprov check says so'
real_start
ok 'it is started again, and certprov deliver finishes the event' certprov deliver --now
ok '... once' certprov deliver --now
is "$(eg_log 'select(.status == 200) | .device' | grep -c "$second")" 1 '... with one upload'
is "$(issued)" 3 '... and one more certificate: the other belongs to the user'

# --- what it may say of us

configure certificates.key=ec-p256
cp "${conf%/*}/p12.password" "$real/wrong.password"
configure ca.password-file="$real/wrong.password"
order
like "$said" '^barred: .*rejected our credentials.*status 401' 'another password: not let in'
like "$(check)" 'FAIL.*rejected our credentials' '... certprov check says so, and nothing is issued'
configure ca.password-file="$real/est.password" ca.issuer-file="$pki/eg-ca.crt"
order
like "$said" '^refused: .*a CA that is not in issuer-file' 'another issuer than ours: refused'
configure ca.issuer-file="$pki/est-ca.crt" ca.ca-file="$pki/eg-ca.crt"
order
like "$said" '^config: .*issuer that we do not trust' 'another server: not trusted'
configure ca.ca-file="$pki/est-tls.crt" ca.label=nowhere
order
like "$said" '^barred: .*check url.*status 404' 'a label that it does not know: not judged'

# --- by certificate, and by both

configure ca.label= ca.identity="$pki/ra.pfx" ca.identity-password-file="$real/ra.password"
order
like "$said" '^issued' 'certificate and password: issued'
real_stop
real_options=(-n)
real_start
configure ca.username= ca.password-file=
order
like "$said" '^issued' 'the certificate alone: issued'
ok '... for our key' diff <(openssl x509 -in "$root/order.pem" -noout -pubkey) \
	<(openssl pkey -in "$root/order.key" -pubout)

# --- a person decides

real_stop
real_options=(-n -m 3)
real_start
before=$(issued)
order
like "$said" '^pending - [1-9][0-9]*$' 'a decision is pending; it says when to ask again'
is "$(issued)" "$before" '... nothing is issued'
order --again
like "$said" '^issued' 'the same request, later: issued'
is "$(issued)" $((before + 1)) '... once'
ok '... for the key of the first request' diff <(openssl x509 -in "$root/order.pem" -noout -pubkey) \
	<(openssl pkey -in "$root/order.key" -pubout)

done_testing
