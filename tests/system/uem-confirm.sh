#!/bin/bash
# With [uem], an event is a claim that UEM confirms: what somebody with the webhook's password could
# bring about without it is tried here, each time followed by everything that could send a key, and
# judged by what the gateway has received.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"
# shellcheck source=tests/system/lib-uem.sh
. "$top_srcdir/tests/system/lib-uem.sh"

# post DEVICE USER MAIL [CHANGE...]: an enrollment
post()
{
	event_json "device=$1" "user=$2" "mail=$3" "EventTime=$(date -u +%FT%TZ)" "${@:4}" \
		>"$root/event.json"
	post_event "$root/event.json"
}

# end DEVICE: an unenrollment
end()
{
	jq --arg device "$1" --arg time "$(date -u +%FT%TZ)" \
		'.DeviceUUID = $device | .EventTime = $time' \
		"$top_srcdir/tests/data/events/break-mdm.json" >"$root/event.json"
	post_event "$root/event.json"
}

# mail_of DEVICE: the address in its last upload's encryption certificate
mail_of()
{
	upload_table 1 | grep "^$1 " | tail -n 1 | cut -d ' ' -f 8
}

state_of_anna()
{
	certprov list certificates --user "$anna" --json |
		jq -r '[.[] | "\(.serial) \(.state) \(.mail)"] | sort | .[]'
	certprov list devices --user "$anna" --json | jq -r '.[] | "\(.device_uuid) \(.state)"'
	certprov list users --user "$anna" --json | jq -r '.[].user_name'
}

# nothing_done NAME STATUS: the event just posted is refused, and changes nothing of hers
nothing_done()
{
	is "$status" "$2" "$1"
	is "$(state_of_anna)" "$known" '... and nothing of hers has changed'
	send_all "$anna"
	is "$(uploads_to "$evil")" 0 '... no key of anybody went to the device'
	known=$(state_of_anna)
}

workers=2
ok 'UEM runs' uem_start
anna=$(new_uuid) mallory=$(new_uuid) staging=$(new_uuid)
phone=$(new_uuid) evil=$(new_uuid) unknown=$(new_uuid)
uem_user "$anna" anna anna@example.com
uem_user "$mallory" mallory mallory@example.com
uem_user "$staging" stage stage@example.com '"staging": true'
uem_device "$phone" "$anna"
uem_configure
ok 'everything else runs' world identity.mail='{EnrollmentEmailAddress}, {EnrollmentUserName}@example.com'

# --- what is true is done

post "$phone" "$anna" anna@example.com EnrollmentUserName=anna
is "$status" 202 'an enrollment that UEM confirms'
is "$(uem_calls /connect/token) $(uem_calls /API/)" '1 2' '... with one token and two questions'
post "$phone" "$anna" anna@example.com EnrollmentUserName=anna
is "$status" 202 '... once more'
is "$(uem_log 'select(.path | startswith("/API/mdm")) | .version' | sort -u)" 2 \
	'the oldest version that takes a UUID is asked for'
known=$(state_of_anna)

# --- what is not true is not

uem_device "$evil" "$mallory"
post "$evil" "$anna" anna@example.com EnrollmentUserName=anna
nothing_done "own device, the victim's UUID" 403
post "$evil" "$mallory" anna@example.com EnrollmentUserName=mallory
nothing_done "own device, own UUID, the victim's address" 403
post "$evil" "$mallory" '' EnrollmentUserName=anna
is "$status" 202 "own device, own UUID, the victim's user name and no address"
is "$(mail_of "$evil")" mallory@example.com '... gets the own address, which UEM has'
uem_forget "$evil"
evil=$(new_uuid)
post "$unknown" "$anna" anna@example.com
nothing_done 'a device that UEM does not have' 403
evil=$phone post "$phone" "$mallory" mallory@example.com
is "$status" 403 "a device of another user's"
is "$(state_of_anna)" "$known" '... and nothing has changed'
uem_device "$evil" "$anna" Unenrolled
post "$evil" "$anna" anna@example.com
nothing_done 'a device that is not enrolled' 403
uem_device "$evil" "$anna" EnterpriseWipePending
post "$evil" "$anna" anna@example.com
nothing_done 'a device that is about to be wiped' 403
uem_device "$evil" "$staging"
post "$evil" "$staging" stage@example.com
nothing_done 'a staging user' 403
uem_device "$evil" 00000000-0000-0000-0000-000000000000
post "$evil" "$anna" anna@example.com
nothing_done 'a device that is nobody' 403

event_json device= "user=$anna" mail=mallory@example.com EventId:=0 \
	'EventType=User Email Address Changed' "EventTime=$(date -u +%FT%TZ)" >"$root/event.json"
post_event "$root/event.json"
nothing_done 'a change of address by the user UUID alone' 403
end "$phone"
is "$status" 403 'an unenrollment by the device UUID alone'
is "$(state_of_anna)" "$known" '... and nothing has changed'
count=$(uploads_to "$phone")
certprov deliver --device "$phone" >"$root/send.log" 2>&1
is "$(uploads_to "$phone")" "$((count + 1))" '... and she still gets her keys'
is "$(certprov list events --state failed --json | jq '[.[] | select(.cause | test("not confirmed by UEM"))] | length > 8')" \
	true 'all of them are recorded, with the reason'

# --- changes that are true

uem_user "$anna" anna anna.married@example.com
event_json device= "user=$anna" mail=anna.married@example.com EventId:=0 \
	'EventType=User Email Address Changed' "EventTime=$(date -u +%FT%TZ)" >"$root/event.json"
post_event "$root/event.json"
is "$status" 202 'a change of address that UEM confirms'
is "$(mail_of "$phone")" anna.married@example.com '... is made'
uem_device "$phone" "$anna" Unenrolled
end "$phone"
is "$status" 200 'an unenrollment that UEM confirms'
is "$(certprov list devices --device "$phone" --json | jq -r '.[0].state')" unenrolled '... is made'
uem_device "$phone" "$anna"
post "$phone" "$anna" anna.married@example.com EnrollmentUserName=anna
is "$status" 202 'the device enrolls again'
uem_forget "$phone"
end "$phone"
is "$status" 200 'an unenrollment of a device that UEM has no more'

# --- ages: keys go to nobody who has left since

uem_device "$phone" "$anna"
post "$phone" "$anna" anna.married@example.com EnrollmentUserName=anna
is "$status" 202 '(the device is back)'
count=$(uploads_to "$phone") calls=$(uem_calls /API/mdm)
certprov deliver --all >"$root/send.log" 2>&1
is "$(uploads_to "$phone") $(uem_calls /API/mdm)" "$((count + 1)) $calls" \
	'what was confirmed a moment ago is not asked for again'
configure uem.confirm-age=60s
sqlite3 -cmd '.timeout 9000' "$root/certprov/certprov.db" \
	'UPDATE confirmation SET at = at - 7200'
uem_device "$phone" "$mallory"
certprov deliver --all >"$root/send.log" 2>&1 || true
is "$(uploads_to "$phone" "$anna")" "$((count + 1))" \
	'after confirm-age UEM is asked again: the device is not hers any more'
certprov renew --user "$anna" --now >"$root/send.log" 2>&1 || true
is "$(uploads_to "$phone" "$anna")" "$((count + 1))" '... nor does renew send anything'
uem_device "$phone" "$anna"
certprov deliver --all >"$root/send.log" 2>&1 || true
ok '... until UEM says that it is' test "$(uploads_to "$phone" "$anna")" -gt "$((count + 1))"

done_testing
