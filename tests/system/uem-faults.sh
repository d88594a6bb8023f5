#!/bin/bash
# UEM, or its token server, is down, slow or confused: nothing is believed, nothing is lost, and
# nobody's account is locked.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-uem.sh
. "$top_srcdir/tests/system/lib-uem.sh"

# A user with a device of her own.
enroll()
{
	user=$(new_uuid) device=$(new_uuid)
	uem_user "$user" "${user%%-*}" "${user%%-*}@example.com"
	uem_device "$device" "$user"
	event_json "device=$device" "user=$user" "mail=${user%%-*}@example.com" \
		"EnrollmentUserName=${user%%-*}" >"$root/event.json"
	post_event "$root/event.json"
}

is_delivered()
{
	certprov deliver --now >>"$root/send.log" 2>&1 || true
	[[ $(certprov list events --device "$1" --json | jq -r '.[0].state') == delivered ]]
}

# later ROOM ORDER: one event meets it, is put off, and is finished behind it
later()
{
	local room=$1

	shift
	uem_mode "$room" "$@"
	[[ $room != token ]] || rm -f "$uem"/state/tokens/*
	enroll
	is "$status" 503 "$room: $*: put off"
	like "$(header Retry-After)" '^[0-9]+$' '... with Retry-After'
	is "$(eg_log "select(.device == \"$device\")")" '' '... nothing was sent'
	uem_mode "$room"
	ok '... and finished later' wait_for 60 is_delivered "$device"
}

workers=2
ok 'UEM runs' uem_start
uem_configure
ok 'everything else runs' world uem.timeout=3s
enroll
is "$status" 202 'an enrollment'

for room in token devices users; do
	for order in 500 '503 7' 429 drop cut garbage 'huge 50' 'hang 60' 302; do
		# shellcheck disable=SC2086
		later $room $order
	done
done
later devices 401
later users 403

# --- a token that was withdrawn

uem_script devices 401
enroll
is "$status" 202 'a 401, once: with a new token it works'
rm -f "$uem"/state/tokens/*
enroll
is "$status" 202 '... so it does when the token was withdrawn'
uem_set client-way basic
rm -f "$uem"/state/tokens/*
enroll
is "$status" 202 'a token server that takes the secret by HTTP Basic alone'
uem_set client-way body
rm -f "$uem"/state/tokens/*
enroll
is "$status" 202 '... and one that takes it in the body alone'
uem_set token-life '"400"'
rm -f "$uem"/state/tokens/*
enroll
is "$status" 202 'a life that is a text'

# --- shapes

uem_set versions 3
enroll
is "$status" 202 'a UEM without version 2: version 3'
uem_set versions
uem_set userless yes
enroll
is "$status" 202 'version 2 leaves the user out: version 1 has it'
uem_set userless
device=$(new_uuid)
for missing in json uem html; do
	uem_set missing "$missing"
	event_json "device=$(new_uuid)" "user=$user" >"$root/event.json"
	post_event "$root/event.json"
	is "$status" 403 "an unknown device, 404 as $missing: refused"
done
uem_set missing html
event_json "device=$(new_uuid)" "user=$(new_uuid)" >"$root/event.json"
post_event "$root/event.json"
is "$status" 503 'a 404 for the user as well, from whatever server: nobody knows'
uem_set missing

# --- another server, another certificate

uem_stop
pki_ca other-ca
pki_server other-server other-ca localhost
ok 'UEM with a certificate of another CA' uem_start other-server
calls=$(uem_calls /)
enroll
is "$status $(uem_calls /)" "503 $calls" 'is not asked'
uem_stop
enroll
is "$status" 503 'no UEM: put off'
ok 'UEM is back' uem_start
ok '... and what was put off is finished' wait_for 60 is_delivered "$device"

# --- an account that could be locked

configure uem.token-url= uem.client-id= uem.client-secret-file= uem.username=api \
	uem.password-file=uem.password
handler_stop >/dev/null
ok 'HTTP Basic' handler_start
enroll
is "$status" 202 'an enrollment'
uem_set admin 'api another password'
calls=$(uem_calls /)
enroll
is "$status $(uem_calls /)" "503 $((calls + 1))" 'a wrong password is tried once'
enroll
certprov deliver >>"$root/send.log" 2>&1 || true
is "$status $(uem_calls /)" "503 $((calls + 1))" '... and not again, by nobody'
like "$(certprov status 2>&1 || true)" 'UEM' '... certprov status says so'
(umask 077 && printf 'another password\n' >"$root/certprov/uem.password")
handler_renew
ok 'with the right one all is finished' wait_for 60 is_delivered "$device"

done_testing
