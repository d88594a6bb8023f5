#!/bin/bash
# The whole job with a simulated EJBCA, and what is EJBCA's own: end entities, approvals.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-ca.sh
. "$top_srcdir/tests/system/lib-ca.sh"
# shellcheck source=tests/system/lib-store.sh
. "$top_srcdir/tests/system/lib-store.sh"

state=$ca/state
mail=ann.person@example.com

# order_says REGEX NAME [OPTIONS...]
order_says()
{
	ca_order "${@:3}" "$conf" signing "$mail"
	like "$said" "$1" "$2"
}

# paths: what was asked for certificates, and how that went
paths()
{
	ca_log 'select(.path | test("/certificate/(pkcs10|.*/finalize)")) |
		"\(.path | sub(".*/"; "")) \(.status)"' | tr '\n' ' '
}

# somebody: $root/event.json is of a new user with a new device
somebody()
{
	event_json device="$(new_uuid)" user="$(new_uuid)" >"$root/event.json"
	ca_log_from_here
}

ok 'the authority starts' ca_start
mapfile -t words < <(ca_settings ejbca)
ok 'everything starts' world certificates.key=ec-p256 ca.timeout=60s "${words[@]}"

# --- the job

post_event "$sample_event"
is "$status" 202 'an event is answered by 202'
is "$(eg_log 'select(.upload != "") | [.signing, .encryption]')" '[1,1]' '... the gateway has both'
is "$(ca_certificates_issued)" 2 '... of two certificates'
is "$(find "$state/ejbca" -name 'certprov-*' -printf '%f\n' | sort | sed 's/-[0-9a-f]\{32\}$//')" \
	$'certprov-encryption\ncertprov-signing' '... of two end entities'
ok 'certprov check' certprov check
serial=$(certprov list certificates --json | jq -r '.[0].serial')
ok 'certprov revoke' certprov revoke --serial "$serial" --reason keyCompromise
is "$(ca_revoked "$serial")" "$serial KEY_COMPROMISE" '... revokes there, with the reason'

# --- not its own

store_sql "${conf%/*}/certprov.db" "UPDATE credential SET issuer = 'CN=Earlier CA'"
"$top_builddir/tests/system/store_sign" "$conf"
configure events.on-unenroll=revoke-all
handler_stop
handler_start
event_json EventId:=39 EventType='Break MDM Confirmed' >"$root/event.json"
post_event "$root/event.json"
is "$status $(jq -r .status <<<"$body")" '200 recorded' 'unenrolled, with a certificate of an earlier CA'
like "$(<"$root/handler.log")" 'not revoked: .*has not issued that certificate' '... which stays, as the log says'
configure events.on-unenroll=keep
handler_stop
handler_start

# --- killed

somebody
rm -f "$state/waiting"
before=$(ca_certificates_issued)
ca_mode slow 600
(answer=$root/killed; post_event "$root/event.json"; printf '%s' "$status" >"$root/killed.status") &
job=$!
ok 'in the middle of a request' wait_for 60 test -e "$state/waiting"
ca_stop
wait "$job" || true
is "$(<"$root/killed.status")" 503 '... it is killed: 503'
ca_mode
ok '... and comes back' ca_start
ok '... certprov deliver' certprov deliver --now
is "$(eg_upload_count) $(ca_certificates_issued)" "2 $((before + 2))" '... finishes it, once'

# --- approvals

somebody
ca_mode pending 2
post_event "$root/event.json"
is "$status" 503 'an approval is pending: 503'
is "$(eg_upload_count)" 2 '... nothing is uploaded'
not_ok '... certprov deliver' certprov deliver --now
ca_mode
ok '... approved, certprov deliver' certprov deliver --now
is "$(eg_upload_count) $(ca_certificates_issued)" '3 6' '... finishes it, once'
is "$(ca_log '.key | select(. != "")' | sort -u | wc -l)" 2 '... with the keys that it began with'
unlike "$(paths)" 'pkcs10enroll 201.*pkcs10enroll 201.*pkcs10enroll 201' '... and no third order'
like "$(paths)" '^pkcs10enroll 202 .*finalize 200 ' '... by finalizing it'

somebody
ca_mode pending 1 deny
post_event "$root/event.json"
is "$status" 503 'pending'
code=0
certprov deliver --now >"$root/output" 2>&1 || code=$?
is "$code" 1 '... and rejected'
like "$(<"$root/output")" 'the request was denied' '... which the log says'
is "$(eg_upload_count) $(ca_certificates_issued)" '3 6' '... nothing is issued'

echo 7 >"$state/ejbca-version"
ca_mode pending
order_says '^pending [0-9]+ 0$' 'an older EJBCA: the request is in a link'
order_says '^issued' '... is issued' --again
rm "$state/ejbca-version"

ca_log_from_here
before=$(ca_certificates_issued)
ca_mode pending
order_says '^pending' 'pending'
ca_mode truncated
order_says '^garbled' '... approved, and the answer is lost' --again
ca_mode
order_says '^issued' '... it is issued once more to the same end entity' --again
is "$(paths)" 'pkcs10enroll 202 finalize 200 finalize 400 pkcs10enroll 201 ' '... in that order'
is "$(ca_certificates_issued)" $((before + 2)) '... and the first is void'

ca_log_from_here
before=$(ca_certificates_issued)
ca_mode pending
order_says '^pending' 'pending'
ca_mode refuse at /v1/ca
order_says '^barred: .*status 403' '... approved, but our role may not ask who issues' --again
ca_mode
order_says '^issued' '... it may: issued' --again
is "$(paths)" 'pkcs10enroll 202 finalize 200 ' '... without another approval'
is "$(ca_certificates_issued)" $((before + 1)) '... once'

# --- what is refused, or wrongly configured

configure ca.ca-name='Another CA'
order_says '^refused: .*certificate_authority_name: no such CA' 'another ca-name'
ca_order "$conf" probe
like "$said" '^barred: .*has no CA named "Another CA"' '... which the doctor finds'
configure ca.ca-name='Mail CA' ca.certificate-profile=TLS
order_says '^refused: .*certificate_profile_name' 'another certificate profile'
configure ca.certificate-profile=S/MIME ca.end-entity-profile=Servers
order_says '^refused: .*end_entity_profile_name' 'another end entity profile'
configure 'ca.end-entity-profile=Mail "Users"'
configure "ca.url=$ca_url/ejbca/ejbca-rest-api"
order_says '^issued' 'a URL with its path'
configure "ca.url=$ca_url/elsewhere"
order_says '^barred: .*status 404' '... with another one'
configure "ca.url=$ca_url" ca.identity= ca.identity-password-file=
ca_order "$conf" probe
like "$said" "^config: $conf: \\[ca\\] identity: missing" 'no identity'
configure "${words[@]}"

# --- by what it knows us

pki_client ending ca-tls -days 20
pki_pfx ending 'ra identity'
configure "ca.identity=$pki/ending.pfx"
like "$(certprov check 2>&1)" 'WARN +CA client certificate: .*CN=ending.* ends .*days left: replace it soon' \
	'check warns of our certificate at the CA'
like "$(certprov status)" 'our certificate at the CA ends .*days left: replace it soon' '... status, too'
like "$(certprov status --json | jq .ca_client_certificate_days)" '^(19|20)$' '... in days'
handler_stop
ok '... a handler' handler_start
ok '... logs it' wait_for 60 grep -q 'our certificate at the CA ends' "$root/handler.log"
pki_client lasting ca-tls -days 300
pki_pfx lasting 'ra identity'
configure "ca.identity=$pki/lasting.pfx"
unlike "$(certprov check 2>&1)" 'WARN +CA client' '... not of one that lasts'
configure "${words[@]}"

# --- secrets

is "$(ca_log 'select(.status == 500)')" '' 'the simulator has not failed'
for file in "$state"/ejbca/certprov-*; do
	printf '%s\n' "$(<"$file")"
done | sort -u >"$root/passwords"
is "$(wc -l <"$root/passwords")" "$(find "$state/ejbca" -name 'certprov-*' | wc -l)" \
	'each end entity has a password of its own'
not_ok 'no password is in a log' grep -rFl -f "$root/passwords" "$root"/*.log "$root/output" \
	"$root/answers" "$state/log"
done_testing
