#!/bin/bash
# Keys in an HSM, here SoftHSM 2: the local CA's, and our identity at the Escrow Gateway. A missing
# token delays events and loses none; a wrong PIN is tried once.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"
# shellcheck source=tests/system/lib-token.sh
. "$top_srcdir/tests/system/lib-token.sh"

# shellcheck source=tests/system/lib-real-ca.sh
. "$top_srcdir/tests/system/lib-real-ca.sh"

# run COMMAND...: sets $code, $said (both of its outputs)
run()
{
	code=0
	said=$("$@" 2>&1) || code=$?
}

# enroll_new: posts the event of a new device and user; sets $device
enroll_new()
{
	device=$(new_uuid)
	event_json "device=$device" "user=$(new_uuid)" >"$root/event.json"
	post_event "$root/event.json"
}

# A process looks for tokens anew only so often.
enrolls()
{
	enroll_new
	[[ $status == 202 ]]
}

state_of()
{
	certprov list events --json --device "$1" | jq -r '.[0].state'
}

cause_of()
{
	certprov list events --json --device "$1" | jq -r '.[0].cause'
}

finding()
{
	sed -n "s/^\\([a-zA-Z]*\\) *$1: */\\1 /p" <<<"$said"
}

# verified NAME CA: the newest upload's signing certificate, by openssl
verified()
{
	unpack "$(eg_upload_count)" signing
	ok "$1: openssl verifies the chain" openssl verify -CAfile "$2" "$got.crt"
}

token_new ca
token_new gateway
ok 'two tokens' test "${token_folders[ca]}" != "${token_folders[gateway]}"
token_import gateway identity
eg_start
configure escrow.identity="$(token_url gateway identity)" escrow.identity-password-file= \
	ca.key="$(token_url ca rsa)" ca.certificate=rsa.crt

# --- set-up

run certprov init --key "$(token_url ca other)"
is "$code" 78 'init --key, and [ca] key says otherwise: exit 78'
like "$said" 'key "other" of token "ca".*\[ca\] key' 'which names both'
run certprov init --key "$(token_url ca rsa)"
is "$code" 0 'init --key URL'
like "$(openssl x509 -in "$root/certprov/rsa.crt" -noout -text)" 'Public-Key: \(3072 bit\)' \
	'makes an RSA key'
objects=$(token_tool --list-all 'pkcs11:token=ca;object=rsa')
like "$objects" 'Private key' 'in the token'
like "$objects" 'CKA_NEVER_EXTRACTABLE; CKA_SENSITIVE' 'from where it can never come out'
cp "$root/certprov/rsa.crt" "$root/before.crt"
run certprov init
is "$code" 0 'init again: keeps both'
ok 'the certificate is as it was' cmp "$root/before.crt" "$root/certprov/rsa.crt"
is "$(token_tool --list-all 'pkcs11:token=ca;object=rsa')" "$objects" 'and so is the key'
ok 'no key lies in a file' test ! -e "$root/certprov/ca.key"

# --- the main job

handler_start
front_start
enroll_new
is "$status" 202 'RSA: an event is delivered'
verified 'RSA' "$root/certprov/rsa.crt"
posts=()
for i in {1..6}; do
	(
		answer=$root/answer-$i
		event_json "device=$(new_uuid)" "user=$(new_uuid)" >"$root/event-$i.json"
		post_event "$root/event-$i.json"
		echo "$status" >"$answer.status"
	) &
	posts+=($!)
done
wait "${posts[@]}"
is "$(grep -cE '202|503' "$root"/answer-*.status | grep -c ':1$')" 6 'two workers, six at a time'
nothing_pending()
{
	certprov deliver --now >>"$root/deliver.log" 2>&1 || true
	[[ $(certprov list events --state pending --json) == '[]' ]]
}
# On a slow machine some wait for too long for their turn, and are put off.
ok '... all are delivered' wait_for 120 nothing_pending
is "$(certprov list events --state delivered --json | jq length)" 7 '... with the one before'
run certprov check
like "$(finding 'CA key')" '^ok' 'check: the key signs'
like "$(finding 'our client certificate')" "^ok .*SHA-1 $(thumbprint identity sha1) SHA-256 $(thumbprint identity)" \
	'check: thumbprints of the certificate in the token'
run certprov crl --output "$root/list.crl"
ok 'a revocation list, by openssl' openssl crl -in "$root/list.crl" -inform DER \
	-CAfile "$root/certprov/rsa.crt" -noout -verify

# --- away in mid-work, and back

for token in ca gateway; do
	before=$(eg_upload_count)
	token_away "$token"
	enroll_new
	is "$status $(state_of "$device")" '503 pending' "token $token is away: 503, pending"
	isnt "$(header Retry-After)" '' 'with Retry-After'
	like "$(cause_of "$device")" "of token \"$token\": the token is not there" 'the cause names it'
	run certprov deliver --now
	is "$code" 75 'deliver meanwhile: exit 75'
	run certprov check
	is "$code" 75 'check: exit 75'
	issued=$(certprov list certificates --json --device "$device" | jq length)
	token_back "$token"
	run certprov deliver --now
	is "$code $(state_of "$device")" '0 delivered' "it is back: deliver finishes it"
	is "$(($(eg_upload_count) - before))" 1 'by one upload'
	[[ $token == ca ]] || is "$issued" \
		"$(certprov list certificates --json --device "$device" | jq length)" \
		'with what was issued at first'
	ok 'the handler, never restarted, works again' wait_for 60 enrolls
done

# --- not there at the start

handler_stop
token_away ca
token_away gateway
handler_start
enroll_new
is "$status $(state_of "$device")" '503 pending' 'started without tokens: 503, pending'
like "$(<"$root/handler.log")" 'warning.*of token "ca": the token is not there' 'which it said'
token_back gateway
token_back ca
ok 'they have come: it works' wait_for 60 enrolls
run certprov deliver --now
is "$code $(certprov list events --state pending --json | jq length)" '0 0' 'nothing is left'
handler_stop

# --- a wrong PIN

# What handler and command say when a PIN was tried, and refused.
tries()
{
	cat "$root"/*.log | grep -c 'the token refused the PIN in' || true
}

printf '0-is-wrong\n' >"$pin_file"
handler_start
for _ in 1 2 3; do
	enroll_new
	is "$status $(state_of "$device" 2>/dev/null)" '503 pending' 'wrong PIN: 503, pending'
done
like "$(cause_of "$device" 2>/dev/null)" "the PIN in $pin_file was refused, and is not tried again" \
	'the cause says which file'
certprov deliver --now >>"$root/deliver.log" 2>&1 || true
certprov check >>"$root/deliver.log" 2>&1 || true
is "$(tries)" 2 'each token was asked once, by all processes together'
refused=$(cat "$pin_file".refused-*)
touch "$pin_file"
certprov deliver --now >>"$root/deliver.log" 2>&1 || true
isnt "$(cat "$pin_file".refused-*)" "$refused" 'the file was touched: tried again'
printf '%s\n' "$pin" >"$pin_file"
ok 'the right one is put there: it works, without a restart' wait_for 60 enrolls
run certprov deliver --now
is "$code $(certprov list events --state pending --json | jq length)" '0 0' 'and deliver does the rest'
not_ok 'no memory of a refusal is left' compgen -G "$pin_file.refused-*"
chmod 644 "$pin_file"
run certprov check
like "$(finding CA)" '^FAILED .*has mode 0644' 'a PIN that all can read is refused'
chmod 600 "$pin_file"

# --- the wrong key

configure ca.key="$(token_url ca none)"
handler_reload
wait_for 60 grep -q 'key "none" of token' "$root/handler.log"
wait_for 60 grep -q 'new workers take over' "$root/handler.log"
enroll_new
is "$status $(state_of "$device")" '503 pending' 'no such object: 503, pending'
like "$(cause_of "$device")" 'key "none" of token "ca": the token does not have this object' \
	'the cause names it'
configure ca.key="$(token_url gateway identity)"
run certprov check
like "$(finding CA)" "^FAILED .*rsa.crt.*is another key than the certificate's" \
	'a key that is not the certificate'"'"'s'
configure ca.key="$(token_url ca rsa)"
handler_reload
run certprov deliver --now
is "$code $(state_of "$device")" '0 delivered' 'corrected: deliver finishes it'
handler_stop

# --- EC, made by somebody else's tool

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$pki/ec.key" 2>/dev/null
softhsm2-util --import "$pki/ec.key" --token ca --label ec --id 0a --pin "$pin" >>"$root/softhsm.log"
configure ca.key="$(token_url ca ec)" ca.certificate=ec.crt
run certprov init
is "$code" 0 'init takes an EC key that is in the token'
is "$(openssl x509 -in "$root/certprov/ec.crt" -noout -pubkey)" \
	"$(openssl pkey -in "$pki/ec.key" -pubout)" 'its certificate is for that key'
handler_start
enroll_new
is "$status" 202 'EC: an event is delivered'
verified 'EC' "$root/certprov/ec.crt"
handler_stop

# --- an external CA, to which we show a certificate in a token

if real_ca est; then
	token_import gateway ra
	configure ca.key= ca.certificate= "${real_settings[@]}" \
		ca.identity="$(token_url gateway ra)"
	run certprov check
	like "$(finding CA)" '^ok' 'EST: check finds the CA'
	device=$(new_uuid)
	event_json "device=$device" "user=$(new_uuid)" >"$root/event.json"
	token_away gateway
	run certprov enroll "$root/event.json"
	is "$code $(state_of "$device")" '75 pending' 'EST: the token is away: pending'
	like "$(cause_of "$device")" 'key "ra" of token "gateway"' 'the cause names the key'
	token_back gateway
	run certprov deliver --now
	is "$code $(state_of "$device")" '0 delivered' 'EST: it is back: delivered'
	verified 'EST' "$pki/est-ca.crt"
	configure ca.identity-password-file=certificate.password
	run certprov check
	like "$said" 'certprov.conf:[0-9]+: \[ca\] identity-password-file' \
		'EST: a password for an identity in a token is an error'
	real_stop
	for setting in "${real_settings[@]}" ca.identity=x ca.identity-password-file=x; do
		configure "${setting%%=*}="
	done
	configure ca.key="$(token_url ca ec)" ca.certificate=ec.crt
else
	skip 'an external CA' "$real_missing"
fi

# --- configurations that can't be

rm "$root/certprov/ec.crt"
printf x >"$root/certprov/ec.crt"
run certprov init
is "$code" 78 'a certificate file that is none is not overwritten'
is "$(<"$root/certprov/ec.crt")" x 'it is as it was'
configure ca.key="pkcs11:token=ca;object=rsa?pin-value=$pin" ca.certificate=rsa.crt
run certprov enroll "$root/event.json"
is "$code" 78 'a PIN in the URL: exit 78'
like "$said" 'certprov.conf:[0-9]+: \[ca\] key: .*pin-value' 'with file and line'
unlike "$said" "$pin" 'and without the PIN'
configure ca.key="$(token_url ca rsa)" escrow.identity-password-file=certificate.password
run certprov check
is "$code" 78 'a password for an identity in a token: exit 78'
like "$said" 'certprov.conf:[0-9]+: \[escrow\] identity-password-file' 'with file and line'
configure escrow.identity-password-file=

not_ok 'the PIN is in no log, answer or store' grep -rlF "$pin" "$root" --exclude=token.pin \
	--exclude=certprov.conf --exclude-dir=softhsm

done_testing
