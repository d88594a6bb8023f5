#!/bin/bash
# What every kind of CA must do, against the simulated one: first by ca_order, request by request,
# then in the whole product. Judged by openssl and by the simulator's own log. With arguments: only
# these kinds.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-ca.sh
. "$top_srcdir/tests/system/lib-ca.sh"

# A kind is a line here and ca_settings_KIND in lib-ca.sh. What its interface has:
#   retry     it can say when to come again
#   pending   a request may wait for approval
#   revoke    certificates can be revoked
#   tls       ca-file says which server is the right one
#   forms=N   how many forms of a right answer there are beside that of the papers
kinds=(adcs cfssl command ejbca est step vault)
declare -A features=(
	[adcs]='pending tls'
	[command]=''
	[cfssl]='retry revoke tls'
	[est]='retry pending tls forms=4'
	[step]='retry revoke tls'
	[ejbca]='pending revoke tls forms=3'
	[vault]='retry revoke tls forms=1'
)

# What is named in the text for each wrong certificate.
declare -A wrong=(
	[wrong-key]='public key|our key'
	[wrong-address]='another mail address'
	[no-email-protection]='lacks emailProtection'
	[wrong-usage]='key usage does not allow'
	[too-long]='longer than asked'
	[not-yet-valid]='not valid before'
	[is-ca]="a CA's certificate|key usage allows more"
	[broken-chain]='chain|issuer'
	[foreign-issuer]='a CA that is not in issuer-file'
)

kind=
said=

has()
{
	[[ " ${features[$kind]} " == *" $1 "* ]]
}

# use KIND [SECTION.KEY=VALUE...]
use()
{
	local -a words

	kind=$1
	ca_forget
	mapfile -t words < <(ca_settings "$kind")
	configure certificates.key=ec-p256 ca.timeout=60s "${words[@]}" "${@:2}"
}

# order [USAGE [OPTIONS...]]: mail address is $mail
order()
{
	ca_order "${@:2}" "$conf" "${1:-signing}" "$mail" 11111111-1111-4111-8111-111111111111 \
		22222222-2222-4222-8222-222222222222
}

# says REGEX NAME: about the last order
says()
{
	like "$said" "$1" "$kind: $2"
}

# The certificates of the last order, in their order.
subjects()
{
	openssl storeutl -certs -noout -text "$root/order.pem" | sed -n 's/^ *Subject: *//p'
}

verifies()
{
	openssl x509 -in "$root/order.pem" -out "$root/leaf.pem" &&
		openssl verify -purpose "$1" -CAfile "$ca/issuers/root.crt" \
			-untrusted "$root/order.pem" "$root/leaf.pem"
}

is_for_our_key()
{
	diff <(openssl x509 -in "$root/order.pem" -noout -pubkey) \
		<(openssl pkey -in "$root/order.key" -pubout)
}

has_address()
{
	[[ $(openssl x509 -in "$root/order.pem" -noout -email) == "$mail" ]]
}

serial()
{
	cut -d' ' -f2 <<<"$said"
}

# --- what is right

# issues TYPE USAGE PURPOSE
issues()
{
	configure certificates.key="$1"
	order "$2"
	says '^issued [0-9a-f]{32} CN=Mail Issuing CA 1,.*Example\\, Inc\.,C=DE [23]$' "issues $1, $2"
	ok "$kind: ... which openssl takes for it" verifies "$3"
	ok "$kind: ... for our key" is_for_our_key
	ok "$kind: ... and our address" has_address
	is "$(ca_log 'select(.serial != "") | [.serial, .usage, .mail]' | tail -n 1)" \
		"[\"$(serial)\",\"$2\",\"$mail\"]" "$kind: ... as the authority knows it"
}

# OpenSSL's purpose smimeencrypt is for RSA alone.
issues_all()
{
	issues rsa-2048 signing smimesign
	issues rsa-2048 encryption smimeencrypt
	issues ec-p256 signing smimesign
	issues ec-p256 encryption any
	ca_mode wrong-order
	order
	says '^issued' 'a chain in the wrong order'
	like "$(subjects | tr '\n' ';')" 'CN ?= ?Test Person;.*CN ?= ?Mail Issuing CA 1;([^;]*Root CA;)?$' \
		"$kind: ... comes out in the right one"
	ca_mode
	ca_order "$conf" chain
	says '^chain CN=Mail Issuing CA 1,' 'knows its chain'
	ca_order "$conf" probe
	says '^ok$' 'is there'
}

issues_in_other_forms()
{
	local n count

	[[ ${features[$kind]} =~ forms=([0-9]+) ]] || return 0
	count=${BASH_REMATCH[1]}
	for ((n = 1; n <= count; n++)); do
		ca_mode other-form "$n"
		order
		says '^issued .* [23]$' "form $n of an answer is understood"
		ok "$kind: ... openssl takes it for its purpose" verifies smimesign
	done
	ca_mode
}

issues_in_parallel()
{
	local before i
	local -a jobs=()

	before=$(ca_certificates_issued)
	for i in {1..8}; do
		"$top_builddir/tests/system/ca_order" --output="$root/parallel-$i" "$conf" \
			signing "person.$i@example.com" >"$root/parallel-$i.said" 2>&1 &
		jobs+=($!)
	done
	for i in "${jobs[@]}"; do
		wait "$i" || true
	done
	is "$(cut -d' ' -f1,2 "$root"/parallel-*.said | sort -u | grep -c '^issued')" 8 \
		"$kind: 8 in parallel"
	is "$(for i in {1..8}; do openssl x509 -in "$root/parallel-$i.pem" -noout -email; done |
		tr '\n' ' ')" "$(printf 'person.%d@example.com ' {1..8})" "$kind: ... each its own"
	is "$(ca_certificates_issued)" $((before + 8)) "$kind: ... and no more"
}

# --- what is wrong

fails()
{
	local retry='[0-9]+'

	! has retry || retry=9
	ca_mode refuse
	order
	says '^refused: .*the policy denies this request' 'refuses, and says why'
	ca_mode later 9
	order
	says "^unavailable $retry: " 'later'
	use "$kind" ca.timeout=1s
	ca_mode hang
	order
	says '^unavailable 0: ' 'its time limit holds'
	use "$kind"
	for mode in garbage empty; do
		ca_mode "$mode"
		order
		says '^(refused|garbled|unavailable 0): ' "$mode"
	done
	for mode in truncated oversized; do
		ca_mode "$mode"
		order
		says '^(refused|garbled|unavailable 0): ' "$mode"
	done
	ca_mode redirect
	order
	if has tls; then
		says '^barred: ' 'a redirect'
	else
		says '^refused: ' 'a redirect, which the program takes for a refusal'
	fi
	is "$(ca_log 'select(.query | test("redirected")) | .path')" '' "$kind: ... is not followed"
	isnt "$(ca_log 'select(.status == 307) | .path')" '' "$kind: ... though there was one"
	ca_mode longer 23
	order
	says '^issued' 'a validity that is rounded up to a whole day'
	use "$kind" ca.validity-leeway=1h
	order
	says '^refused: .*longer than asked' '... which validity-leeway forbids'
	ca_mode no-intermediate
	cat "$ca/issuers/root.crt" "$ca/issuers/issuing.crt" >"$root/issuers.pem"
	use "$kind" ca.issuer-file="$root/issuers.pem"
	order
	says '^issued [0-9a-f]{32} .* 3$' 'issuer-file completes the chain'
	ok "$kind: ... which openssl takes for it" verifies smimesign
	use "$kind"
	for mode in "${!wrong[@]}"; do
		ca_mode "$mode"
		order
		says "^refused: .*(${wrong[$mode]})" "$mode is refused"
	done
	ca_mode
}

is_killed()
{
	local before job

	before=$(ca_certificates_issued)
	rm -f "$ca/state/waiting"
	ca_mode slow 600
	"$top_builddir/tests/system/ca_order" --output="$root/order" "$conf" signing "$mail" \
		>"$root/killed.said" 2>&1 &
	job=$!
	ok "$kind: in the middle of a request" wait_for 60 test -e "$ca/state/waiting"
	ca_stop
	wait "$job" || true
	said=$(<"$root/killed.said")
	says '^unavailable 0: ' '... the authority is killed'
	ca_mode
	ca_start
	order signing --again
	says '^issued' '... it comes back, and has issued for the same request'
	is "$(ca_certificates_issued)" $((before + 1)) "$kind: ... once"
}

waits()
{
	local before retry='[0-9]+'

	has pending || {
		skip "$kind: pending" 'its interface has no such answer'
		return 0
	}
	! has retry || retry=3
	before=$(ca_certificates_issued)
	ca_log_from_here
	ca_mode pending 2
	order
	says "^pending [^ ]+ $retry\$" 'pending'
	order signing --again
	says "^pending [^ ]+ $retry\$" '... still'
	ca_mode later 5
	order signing --again
	says '^unavailable' '... out of order'
	ca_mode pending 2
	order signing --again
	says '^issued' '... issued'
	ok "$kind: ... for the key that it began with" is_for_our_key
	is "$(ca_certificates_issued)" $((before + 1)) "$kind: ... once"
	is "$(ca_log '.key | select(. != "")' | sort -u | wc -l)" 1 "$kind: ... with one key"
	ca_mode pending 1 deny
	order
	says '^pending' 'pending again'
	order signing --again
	says '^refused: .*denied' '... denied'
	is "$(ca_certificates_issued)" $((before + 1)) "$kind: ... without a certificate"
	ca_mode
}

revokes()
{
	local serial issuer

	order
	serial=$(serial)
	issuer=${said#issued * }
	issuer=${issuer% *}
	ca_order "$conf" revoke "$serial" "$issuer" superseded
	if ! has revoke; then
		says '^refused: .*revoke' 'cannot revoke, and says so'
		return 0
	fi
	says '^ok$' 'revokes'
	like "$(ca_revoked "$serial")" "^$serial [^ ]+\$" "$kind: ... at the authority"
	ca_order "$conf" revoke "$serial" "$issuer" superseded
	says '^ok$' '... what is revoked already'
	ca_order "$conf" revoke 0123456789abcdef "$issuer" superseded
	says '^refused: ' '... but none of another CA'
	is "$(ca_revoked | grep -c "^$serial ")" 1 "$kind: ... once"
	ca_stop
	ca_order "$conf" revoke "$serial" "$issuer" superseded
	says '^unavailable' '... nor while it is out of order'
	ca_start
}

trusts()
{
	has tls || return 0
	use "$kind" ca.ca-file="$pki/eg-ca.crt"
	order
	says '^config: .*issuer that we do not trust' 'another server is not trusted'
	use "$kind"
}

# One CA that stays open, and an order from it for each line.
comes_back()
{
	local before pid

	before=$(ca_certificates_issued)
	coproc EACH {
		"$top_builddir/tests/system/ca_order" --output="$root/order" --each "$conf" \
			signing "$mail" 2>&1 || true
	}
	pid=$EACH_PID
	next_says '^issued' 'an open CA'
	ca_stop
	next_says '^unavailable' '... that is stopped'
	ca_start
	next_says '^issued' '... and has been started again'
	ca_mode later
	next_says '^unavailable' '... out of order'
	ca_mode
	next_says '^issued' '... and in order again'
	eval "exec ${EACH[1]}>&-"
	wait "$pid" || true
	is "$(ca_certificates_issued)" $((before + 3)) "$kind: ... with a certificate for each"
}

next_says()
{
	echo >&"${EACH[1]}"
	read -r -t 120 said <&"${EACH[0]}" || said='nothing'
	says "$1" "$2"
}

# --- the whole product: nothing of what is wrong is stored

stores_nothing()
{
	local mode event

	rm -f "${conf%/*}/certprov.db"* "${conf%/*}/store.key"
	ok "$kind: certprov init" certprov init
	for mode in refuse garbage truncated "${!wrong[@]}"; do
		ca_mode "$mode"
		event=$(event_json device="$(new_uuid)" user="$(new_uuid)")
		not_ok "$kind: certprov enroll, $mode" certprov enroll - <<<"$event"
		like "$(<"$root/output")" "${wrong[$mode]:-.}" "$kind: ... says so"
	done
	is "$(certprov list certificates --json | tr -d ' \n')" '[]' "$kind: ... nothing of it is stored"
	is "$(eg_upload_count)" 0 "$kind: ... nor uploaded"
}

# Both certificates of an event are in one upload, which the simulated gateway has judged.
delivers()
{
	local before

	before=$(ca_certificates_issued)
	ca_mode
	ok "$kind: certprov enroll" certprov enroll - <<<"$(event_json \
		device="$(new_uuid)" user="$(new_uuid)")"
	is "$(ca_certificates_issued)" $((before + 2)) "$kind: ... with two certificates"
	is "$(eg_log 'select(.upload != "") | [.signing, .encryption]')" '[1,1]' \
		"$kind: ... which the Escrow Gateway has"
	rm -f "$eg/state/uploads/"*.json "$eg/state/log"
}

# --- all of it

conforms()
{
	use "$1"
	ca_log_from_here
	mail=$1.person@example.com
	issues_all
	issues_in_other_forms
	issues_in_parallel
	fails
	is_killed
	waits
	revokes
	trusts
	comes_back
	stores_nothing
	delivers
	is "$(ca_log 'select(.status == 500)')" '' "$kind: the simulator has not failed"
}

(($# == 0)) || kinds=("$@")
ok 'the Escrow Gateway starts' eg_start
ok 'the authority starts' ca_start
for name in "${kinds[@]}"; do
	conforms "$name"
done
done_testing
