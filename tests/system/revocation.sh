#!/bin/bash
# certprov revoke and certprov crl, the list at /ca.crl, and what an unenrollment revokes. openssl
# and certtool judge the certificates.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"

workers=3 # one waits for the gateway, one for it, and one is free

# revoke ARGS...: sets $code, $said (standard error) and $printed.
revoke()
{
	code=0
	printed=$(certprov revoke "$@" 2>"$root/said") || code=$?
	said=$(<"$root/said")
}

# serial_of USAGE UUID: the serial number of the active certificate of a device or user
serial_of()
{
	certprov list certificates --json --state active | jq -r --arg usage "$1" --arg uuid "$2" \
		'.[] | select(.usage == $usage and (.device_uuid == $uuid or
			(.device_uuid == "" and .user_uuid == $uuid))) | .serial'
}

state_of()
{
	certprov list certificates --json |
		jq -r --arg serial "$1" '.[] | select(.serial == $serial) | .state'
}

# The list that the web server gives out, as $root/crl.pem and $root/crl.txt.
fetch()
{
	credentials='' request GET /ca.crl
	openssl crl -inform DER -in "$answer.body" -out "$root/crl.pem" &&
		openssl crl -in "$root/crl.pem" -noout -text -verify \
			-CAfile "$root/certprov/ca.crt" >"$root/crl.txt" 2>&1
}

number()
{
	sed -n '/X509v3 CRL Number/{n;s/ //gp}' "$root/crl.txt"
}

# is_listed SERIAL [REASON]
is_listed()
{
	grep -A 4 "Serial Number: ${1^^}\$" "$root/crl.txt" | grep -q "${2:-Serial}"
}

# verdict UPLOAD PART: what openssl says of a certificate that was uploaded
verdict()
{
	unpack "$1" "$2"
	openssl verify -crl_check -CRLfile "$root/crl.pem" -CAfile "$root/certprov/ca.crt" \
		"$got.crt" 2>&1 || true
}

# What the upload has as archived: serial numbers, and each with its key
archived_serials()
{
	local i

	for ((i = 0; i < $(jq '.smime_certificates.archived // [] | length' "$(eg_upload "$1")"); i++)); do
		unpack "$1" archived "$i"
		cmp -s <(openssl x509 -in "$got.crt" -noout -pubkey) \
			<(openssl pkey -in "$got.key" -pubout) || printf 'wrong key: '
		openssl x509 -in "$got.crt" -noout -serial | sed 's/serial=//' | tr A-F a-f
	done
}

ok 'the world starts' world certificates.key=ec-p256 ca.crl-validity=2d
anna=$(new_uuid)
phone=$(new_uuid)
tablet=$(new_uuid)
enroll "$phone" "$anna"
is "$status" 202 'a phone enrolls'
enroll "$tablet" "$anna"
is "$status" 202 'and a tablet of the same user'
signing=$(serial_of signing "$phone")
encryption=$(serial_of encryption "$anna")

# --- the list at /ca.crl

ok 'a list without entries, signed by the CA' fetch
is "$status $(header Content-Type)" '200 application/pkix-crl' 'its type'
is "$(header Cache-Control)" 'public, max-age=3600' 'it can be cached for an hour'
like "$(header Last-Modified)" '^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT$' \
	'it has a date'
is "$(number)" 1 'its number is 1'
ok 'it has the next update in two days' test "$(certtool --crl-info --inder --infile "$answer.body" |
	sed -n 's/^\s*Next at: //p' | xargs -I{} date -d {} +%F)" = "$(date -u -d '2 days' +%F)"
like "$(verdict 1 signing)" OK 'openssl -crl_check accepts the signing certificate'
etag=$(header ETag)
modified=$(header Last-Modified)
credentials='' request GET /ca.crl --header "If-None-Match: $etag"
is "$status $(stat -c %s "$answer.body")" '304 0' 'unchanged by its tag'
credentials='' request GET /ca.crl --header "If-Modified-Since: $modified"
is "$status" 304 'unchanged by its date'
tls_url=$front_url
front_url=http://localhost:$front_http_port/certprov
ok 'it is there without TLS' fetch
is "$status" 200 'where certificates point at'
front_url=$tls_url

# --- one certificate, by its serial number

revoke --serial "$(sed 's/../&:/g; s/:$//' <<<"${signing^^}")" --reason keyCompromise
is "$code $printed$said" "0 signing $signing device $phone" 'revoked: one line'
is "$(state_of "$signing")" revoked 'it is revoked in the store'
is "$(certprov list certificates --json --state revoked | jq -r '.[].reason')" keyCompromise \
	'with its reason'
ok 'the list is another at once' fetch
isnt "$(header ETag)" "$etag" 'with another tag'
is "$(number)" 2 'and the next number'
ok 'it has the certificate, and why' is_listed "$signing" 'Key Compromise'
like "$(verdict 1 signing)" 'certificate revoked' 'openssl -crl_check refuses it'
like "$(verdict 1 encryption)" OK 'and accepts the other'
like "$(certtool --crl-info --inder --infile "$answer.body")" 'Revoked certificates \(1\)' \
	'certtool reads it, too'
revoke --serial "$signing" --reason superseded
is "$code $printed" '0 ' 'once more: nothing to do'
like "$said" 'was revoked already' 'it says so'
fetch
is "$(number)" 2 'the list stays'

# --- nothing that could be revoked

revoke --serial 0123456789
is "$code" 1 'an unknown serial number: exit 1'
like "$said" 'no certificate has the serial number 0123456789' 'it says so'
revoke --user "$(new_uuid)"
is "$code" 1 'an unknown user: exit 1'
revoke --device "$(new_uuid)"
is "$code" 1 'an unknown device: exit 1'
revoke --device "$phone"
is "$code $said$printed" '0 ' 'a device with nothing active: nothing to do'
for wrong in '' '--serial xyz' '--serial 00' '--user' "--user $anna --device $phone" \
	"--user $anna --reason certificateHold" "--user $anna --reason removeFromCRL"; do
	# shellcheck disable=SC2086 # words
	revoke $wrong
	is "$code" 2 "wrong usage: ${wrong/$anna/UUID}"
done
is "$(serial_of encryption "$anna")" "$encryption" 'nothing was revoked by it'

# --- a new one in its place

sent=$(eg_upload_count)
enroll "$phone" "$anna"
is "$status $(eg_upload_count)" "202 $((sent + 1))" 'the phone enrolls again'
isnt "$(serial_of signing "$phone")" "$signing" 'it gets a new signing certificate'
is "$(serial_of encryption "$anna")" "$encryption" 'and keeps the encryption certificate'
is "$(archived_serials $((sent + 1)))" "$signing" 'the revoked one comes along as archived'
revoke --user "$anna" --reason affiliationChanged
is "$code $(wc -l <<<"$printed")" '0 3' 'all that the user has: three lines'
like "$printed" "encryption $encryption user $anna" 'one for the encryption certificate'
ok 'the list has it' fetch
ok 'and why' is_listed "$encryption" 'Affiliation Changed'
enroll "$tablet" "$anna"
is "$status" 202 'the tablet enrolls again'
isnt "$(serial_of encryption "$anna")" "$encryption" 'with a new encryption certificate'
like "$(archived_serials $((sent + 2)))" "$encryption" \
	'old mail stays readable: the revoked one comes along, with its key'

# --- certprov crl

ok 'into a file' certprov crl --output "$root/ca.crl"
is "$(stat -c %a "$root/ca.crl")" 644 'that all may read'
fetch
ok 'it is the list that is out' cmp "$root/ca.crl" "$answer.body"
ok 'nothing is left beside it' test "$(compgen -G "$root/ca.crl*")" = "$root/ca.crl"
ok 'PEM on standard output' cmp <(certprov crl --pem | openssl crl -outform DER) "$root/ca.crl"
ok 'DER on standard output' cmp <(certprov crl) "$root/ca.crl"
code=0
certprov crl --output "$root/nowhere/ca.crl" 2>"$root/said" || code=$?
is "$code" 78 'a file that cannot be written: exit 78'
like "$(<"$root/said")" nowhere/ca.crl 'it names it'
before=$(number)
sqlite3 "$root/certprov/certprov.db" 'UPDATE crl SET next_update = next_update - 90000'
ok 'past half of its time' fetch
is "$(number)" $((before + 1)) 'there is a new one'
requests=()
for _ in {1..8}; do
	curl --silent --output /dev/null --cacert "$pki/front-ca.crt" "$front_url/ca.crl" &
	requests+=($!)
done
revoke --serial "$(serial_of encryption "$anna")"
wait "${requests[@]}" || true
ok 'asked for by many while one is revoked' fetch
is "$(grep -c 'Serial Number' "$root/crl.txt")" 5 'all five are on the list'

# --- unenrolled: on-unenroll

bert=$(new_uuid)
enroll "$phone" "$bert" 'mail=bert@example.com'
enroll "$tablet" "$bert" 'mail=bert@example.com'
signing=$(serial_of signing "$phone" | head -n 1)
encryption=$(serial_of encryption "$bert")
unenroll "$phone"
is "$status $(jq -r .status <<<"$body")" '200 recorded' 'keep: a phone is unenrolled'
is "$(state_of "$signing")" active 'its certificate stays'
enroll "$phone" "$bert" 'mail=bert@example.com'
ok 'revoke-signing' handler_with events.on-unenroll=revoke-signing
unenroll "$phone"
is "$status $(jq -r .status <<<"$body")" '200 recorded' 'revoke-signing: it is unenrolled'
is "$(state_of "$signing")" revoked 'its signing certificate is revoked'
is "$(state_of "$encryption")" active "the user's encryption certificate is not"
fetch
ok 'the list has it, and why' is_listed "$signing" 'Cessation Of Operation'
enroll "$phone" "$bert" 'mail=bert@example.com'
is "$status" 202 'it comes back'
eg_mode slow 2
watch=$(new_uuid)
(enroll "$watch" "$bert" 'mail=bert@example.com') &
race=$!
has_serial()
{
	[[ -n $(serial_of signing "$watch") ]]
}
wait_for 60 has_serial
unenroll "$watch"
is "$status" 200 'one is unenrolled while its upload is under way'
wait "$race"
eg_mode
is "$(serial_of signing "$watch")" '' 'it waits for that: no certificate is left over'
ok 'revoke-all' handler_with events.on-unenroll=revoke-all
unenroll "$phone"
is "$(serial_of signing "$phone")" '' 'revoke-all: its signing certificate is revoked'
is "$(state_of "$encryption")" active "the user has another device: the user's certificate stays"
unenroll "$tablet"
is "$status $(jq -r .status <<<"$body")" '200 recorded' 'the last device is unenrolled'
is "$(state_of "$encryption")" revoked "now the user's encryption certificate is revoked"
sent=$(eg_upload_count)
enroll "$tablet" "$bert" 'mail=bert@example.com'
is "$status" 202 'the user comes back'
like "$(archived_serials $((sent + 1)))" "$encryption" 'and can read old mail'

ok 'the store is whole' test "$(sqlite3 "$root/certprov/certprov.db" 'PRAGMA integrity_check')" = ok

done_testing
