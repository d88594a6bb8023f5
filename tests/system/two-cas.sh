#!/bin/bash
# [ca signing] and [ca encryption]: each usage has a CA of its own, here two local ones.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"

device=$(new_uuid)
user=$(new_uuid)

serial_of()
{
	certprov list certificates --json | jq -r --arg usage "$1" \
		'.[] | select(.usage == $usage) | .serial'
}

# verified CA: the credential that unpack() has taken out was issued by that CA
verified()
{
	openssl verify -CAfile "$root/certprov/$1.crt" "$got.crt" >/dev/null 2>&1
}

# listed PATH CA: the serial numbers in the list that the web server has there, signed by that CA
listed()
{
	credentials='' request GET "$1"
	openssl crl -inform DER -in "$answer.body" -noout -text -verify \
		-CAfile "$root/certprov/$2.crt" >"$root/crl.txt" 2>&1 || return 1
	sed -n 's/.*Serial Number: \(.*\)/\L\1/p' "$root/crl.txt"
}

world 'ca signing.certificate=signing.crt' 'ca signing.key=signing.key' \
	'ca signing.crl-url=http://pki.example.com/certprov/ca.crl' \
	'ca encryption.certificate=encryption.crt' 'ca encryption.key=encryption.key' \
	'ca encryption.crl-url=http://pki.example.com/certprov/ca-encryption.crl'

ok 'init makes both CAs' test -s "$root/certprov/signing.crt" -a -s "$root/certprov/encryption.crt"
not_ok 'and each has a key of its own' \
	cmp -s "$root/certprov/signing.crt" "$root/certprov/encryption.crt"
certprov check >"$root/check" 2>&1 || true
ok 'check looks at each' grep -q 'CA signing' "$root/check"
ok 'of both usages' grep -q 'CA encryption' "$root/check"

event_json "device=$device" "user=$user" >"$root/event.json"
post_event "$root/event.json"
is "$status" 202 'an event is answered'
unpack 1 signing
ok 'the signing certificate is from the one' verified signing
not_ok 'and not from the other' verified encryption
unpack 1 encryption
ok 'the encryption certificate is from the other' verified encryption

# --- revoked where it was issued

certprov revoke --user "$user" --reason superseded --yes >/dev/null
certprov revoke --device "$device" --reason superseded --yes >/dev/null
is "$(listed /ca.crl signing)" "$(serial_of signing)" 'the one has its list at /ca.crl'
is "$(listed /ca-encryption.crl encryption)" "$(serial_of encryption)" \
	'the other at /ca-encryption.crl'
certprov crl --usage encryption --output "$root/encryption.crl"
ok 'crl --usage writes the same' cmp -s "$root/encryption.crl" "$answer.body"
certprov crl --output "$root/first.crl"
not_ok 'without it, the other list' cmp -s "$root/first.crl" "$root/encryption.crl"
credentials='' request GET /ca-encryption.cer
ok 'its certificate is there, too' cmp -s "$answer.body" \
	<(openssl x509 -in "$root/certprov/encryption.crt" -outform DER)
code=0
certprov crl --usage both >/dev/null 2>&1 || code=$?
is "$code" 2 'a usage that there is not'

# --- two of the same name could not be told apart

cp "$root/certprov/encryption.crt" "$root/own.crt"
cp "$root/certprov/encryption.key" "$root/own.key"
openssl req -x509 -new -key "$root/own.key" -days 100 -subj "$(openssl x509 -noout -subject \
	-nameopt compat -in "$root/certprov/signing.crt" | sed 's/^subject=//')" \
	-addext 'keyUsage=critical,keyCertSign,cRLSign' -out "$root/certprov/encryption.crt"
certprov check >"$root/check" 2>&1 || true
ok 'check says so of two CAs of the same name' grep -q 'CA names.*two CAs have the name' "$root/check"
code=0
certprov crl >/dev/null 2>"$root/said" || code=$?
is "$code" 78 'two CAs of the same name are refused'
ok 'with the place' grep -q '\[ca encryption\] certificate: two CAs have the name' "$root/said"
cp "$root/own.crt" "$root/certprov/encryption.crt"

# --- one for all again: what the other has issued stays revocable there

configure 'ca signing.certificate=' 'ca signing.key=' 'ca signing.crl-url=' \
	ca.certificate=signing.crt ca.key=signing.key
handler_reload
event_json "device=$(new_uuid)" "user=$(new_uuid)" mail=bob@example.com >"$root/event.json"
post_event "$root/event.json"
is "$status" 202 '[ca] for signing, [ca encryption] for the other'
unpack 2 signing
ok 'as the sections say' verified signing
unpack 2 encryption
ok 'for both' verified encryption

# --- they have changed places: each is revoked where it was issued all the same

user=$(jq -r .EnrollmentUserUUID "$root/event.json")
device=$(jq -r .DeviceUUID "$root/event.json")
configure ca.certificate=encryption.crt ca.key=encryption.key \
	'ca encryption.certificate=signing.crt' 'ca encryption.key=signing.key'
ok 'revoke --user' certprov revoke --user "$user" --yes
ok 'revoke --device' certprov revoke --device "$device" --yes

# revoked LIST CA USAGE: whether it has the user's certificate of that usage
revoked()
{
	openssl crl -inform DER -in "$1" -noout -text -verify -CAfile "$root/certprov/$2.crt" |
		grep -qi "Serial Number: $(certprov list certificates --json --user "$user" |
			jq -r --arg usage "$3" '.[] | select(.usage == $usage) | .serial')"
}

certprov crl --output "$root/first.crl"
certprov crl --usage encryption --output "$root/second.crl"
ok 'the one has the encryption certificate in its list' revoked "$root/first.crl" encryption encryption
ok 'the other that for signatures' revoked "$root/second.crl" signing signing

done_testing
