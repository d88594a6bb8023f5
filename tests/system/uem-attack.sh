#!/bin/bash
# UEM, or what stands before it, gives answers that say nothing: no event is refused for good, no
# device unenrolled and no account locked by them, and no secret of ours is quoted.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-uem.sh
. "$top_srcdir/tests/system/lib-uem.sh"

# post DEVICE USER MAIL NAME: an enrollment
post()
{
	event_json "device=$1" "user=$2" "mail=$3" "EnrollmentUserName=$4" \
		"EventTime=$(date -u +%FT%TZ)" >"$root/event.$BASHPID.json"
	post_event "$root/event.$BASHPID.json"
}

# end DEVICE USER: an unenrollment
end()
{
	jq --arg device "$1" --arg user "$2" --arg time "$(date -u +%FT%TZ)" \
		'.DeviceUUID = $device | .EnrollmentUserUUID = $user | .EventTime = $time' \
		"$top_srcdir/tests/data/events/break-mdm.json" >"$root/event.json"
	post_event "$root/event.json"
}

mail_of()
{
	certprov list certificates --user "$1" --state active --json | jq -r '[.[].mail] | unique | .[]'
}

# says_nothing HOW: a 404 or an empty answer for devices and users
says_nothing()
{
	post "$new" "$anna" anna@example.com anna
	is "$status" 503 "an enrollment, UEM's answer is $1: put off"
	end "$phone" "$anna"
	is "$status" 503 '... so is an unenrollment'
	is "$(certprov list devices --device "$phone" --json | jq -r '.[0].state')" enrolled \
		'... and the device stays'
}

workers=4
ok 'UEM runs' uem_start
anna=$(new_uuid) mallory=$(new_uuid) phone=$(new_uuid) new=$(new_uuid) other=$(new_uuid)
uem_user "$anna" anna anna@example.com
uem_user "$mallory" anna mallory@example.com
uem_device "$phone" "$anna"
uem_configure
ok 'everything else runs' world events.on-unenroll=revoke-all \
	identity.mail='{EnrollmentEmailAddress}, {EnrollmentUserName}@example.com'

# --- answers that say nothing, while every worker knows the user from a moment ago

for _ in 1 2 3 4 5 6 7 8; do
	post "$phone" "$anna" anna@example.com anna
done
is "$status" 202 'an enrollment'
uem_device "$new" "$anna"
uem_mode devices 404
uem_mode users 404
says_nothing "another server's 404"
uem_mode devices
uem_mode users
for how in empty nothing; do
	uem_set missing "$how"
	cp "$uem/state/devices" "$uem/state/devices.kept"
	cp "$uem/state/users" "$uem/state/users.kept"
	: >"$uem/state/devices"
	: >"$uem/state/users"
	says_nothing "$how"
	mv "$uem/state/devices.kept" "$uem/state/devices"
	mv "$uem/state/users.kept" "$uem/state/users"
done
uem_set missing
uem_device "$phone" "$anna" Unknown
end "$phone" "$anna"
is "$status" 503 'a device whose state UEM does not know is not unenrolled'
uem_device "$phone" "$anna"

# --- a user whose name in UEM is another user's address

uem_device "$other" "$mallory"
post "$other" "$mallory" '' anna
is "$status $(mail_of "$mallory")" '202 mallory@example.com' \
	"no address in the event: UEM's comes before what the user's name makes"
uem_user "$mallory" '' mallory@example.com
post "$other" "$mallory" '' anna
is "$(mail_of "$mallory")" mallory@example.com '... a user without a name in UEM gets no other'

# --- secrets

uem_set tenant 'ANOTHER/1='
handler_renew
post "$phone" "$anna" anna@example.com anna
is "$status" 503 'UEM quotes the tenant code that it rejects'
is "$(grep -rlF 'TENANT+CODE/1=' "$root"/*.log "$root/certprov/certprov.db"* || true)" '' \
	'... neither log nor store has it'
is "$(certprov status 2>&1 | grep -cF 'TENANT+CODE/1=')" 0 '... nor certprov status'
uem_set tenant 'TENANT+CODE/1='
certprov deliver --now >"$root/send.log" 2>&1 || true # one worker tries, others report the bar

# --- a token server that is confused about the other way to log in, too

rm -f "$uem"/state/tokens/*
uem_script token 401 500
handler_renew
post "$phone" "$anna" anna@example.com anna
is "$status" 503 'a client that is rejected, and a 500 for the other way'
like "$(certprov status 2>&1)" 'UEM.*rejected our credentials' '... is told as rejected'
certprov deliver --now >"$root/send.log" 2>&1 || true

# --- the last tenth of the quota: no more than the first question of each worker

users=()
for i in {1..17}; do
	users+=("$(new_uuid)")
	uem_user "${users[-1]}" "user$i" "user$i@example.com"
	device=$(new_uuid)
	uem_device "$device" "${users[-1]}"
	post "$device" "${users[-1]}" "user$i@example.com" "user$i"
done
is "$status" 202 'seventeen more users'
uem_set quota "1000 50 $(($(date +%s) + 3600))"
calls=$(uem_calls /API)
certprov renew --now >"$root/send.log" 2>&1 || true
ok 'renew leaves it to events' test "$(uem_calls /API)" -le "$((calls + 16))"
uem_set quota

# --- what asks nothing of UEM does without its files

mv "$root/certprov/uem-ca.pem" "$root/certprov/away.pem"
ok 'the revocation list is made while the CA file of [uem] is away' certprov crl --output "$root/list.crl"
mv "$root/certprov/away.pem" "$root/certprov/uem-ca.pem"

# --- an account that could be locked

configure uem.token-url= uem.client-id= uem.client-secret-file= uem.username=api \
	uem.password-file=uem.password
handler_stop >/dev/null
ok 'HTTP Basic' handler_start
post "$phone" "$anna" anna@example.com anna
is "$status" 202 'an enrollment'
uem_mode devices 302
post "$phone" "$anna" anna@example.com anna
uem_mode devices
is "$(certprov status 2>&1 | grep -c 'not tried again before the configuration changes')" 0 \
	'a redirect is no wrong password: UEM is tried again later'
certprov deliver --now >"$root/send.log" 2>&1
uem_set admin 'api another password'
uem_mode devices slow 3
calls=$(uem_calls /)
for _ in 1 2 3; do
	post "$phone" "$anna" anna@example.com anna &
	posts+=($!)
done
certprov check >"$root/check.log" 2>&1 &
posts+=($!)
wait "${posts[@]}" || true
is "$(uem_calls /)" "$((calls + 1))" 'a wrong password, by three workers and check at once: one try'
certprov check >"$root/check.log" 2>&1 || true
certprov deliver >"$root/send.log" 2>&1 || true
certprov renew --user "$anna" --now >"$root/send.log" 2>&1 || true
is "$(uem_calls /)" "$((calls + 1))" '... and none by check, deliver and renew'

done_testing
