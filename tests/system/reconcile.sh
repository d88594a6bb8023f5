#!/bin/bash
# certprov reconcile: events that never came are found and made up for, exactly those, and with few
# questions to UEM. RECONCILE_USERS is how many users the store begins with, by default 5000 with
# 10,030 devices.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"
# shellcheck source=tests/system/lib-uem.sh
. "$top_srcdir/tests/system/lib-uem.sh"

out=$root/reconcile.out

# reconcile OPTION...: $status; $out has its output, $out.err its errors
reconcile()
{
	status=0
	certprov reconcile "$@" >"$out" 2>"$out.err" || status=$?
}

# UEM has all that the store has as enrolled.
uem_has_ours()
{
	certprov list devices --state enrolled --json | jq -c 'to_entries[] |
		{uuid: .value.device_uuid, id: (.key + 1), user: .value.user_uuid,
			status: "Enrolled", name: .value.device_name}' >"$uem/state/devices"
	certprov list users --json | jq -c 'to_entries[] |
		{uuid: .value.user_uuid, id: (.key + 1), name: .value.user_name,
			mail: .value.mail}' >"$uem/state/users"
}

# miss COUNT: so many devices of new users, of whom we never heard
miss()
{
	for ((i = 0; i < $1; i++)); do
		user=$(new_uuid) device=$(new_uuid)
		printf '{"uuid":"%s","id":%d,"name":"u%s","mail":"u%s@example.com"}\n' \
			"$user" $((700000 + i)) "${user:0:8}" "${user:0:8}" >>"$uem/state/users"
		printf '{"uuid":"%s","id":%d,"user":"%s","status":"Enrolled","name":"missed %d"}\n' \
			"$device" $((700000 + i)) "$user" "$i" >>"$uem/state/devices"
		printf '%s\n' "$device" >>"$root/missing"
	done
}

# leave COUNT FROM: of the devices from that line of UEM's on; every second one is deleted there
leave()
{
	sed -n "$2,$(($2 + $1 - 1))p" "$uem/state/devices" | jq -r .uuid >"$root/gone"
	sed -i "$2,$(($2 + $1 - 1))s/\"Enrolled\"/\"Unenrolled\"/" "$uem/state/devices"
	for ((i = $2 + $1 - 1; i >= $2; i -= 2)); do
		sed -i "${i}d" "$uem/state/devices"
	done
}

state_of()
{
	certprov list devices --json | jq -r --arg state "$1" \
		'.[] | select(.state == $state) | .device_uuid' | sort
}

unfinished()
{
	certprov list events --json | jq '[.[] | select(.state == "pending" or .state == "failed")] | length'
}

workers=2
users=5000
! sanitized || users=300
users=${RECONCILE_USERS:-$users}
eg_start
old_ca
configure certificates.key=ec-p256 events.on-unenroll=revoke-signing 'identity.mail={EnrollmentEmailAddress}'
certprov_init
reconcile
is "$status" 78 'without [uem]'
like "$(<"$out.err")" 'there is no \[uem\]' '... it says why'
ok 'a store is filled' "$top_builddir/tests/bench/populate" "$conf" "$users" --due 0 --pending 0
ok 'UEM runs' uem_start
unlike "$(certprov status)" UEM 'without [uem] the status says nothing of it'
uem_configure
uem_has_ours
like "$(certprov status)" 'UEM has not been reconciled yet' 'the status says that it was never done'
is "$(certprov status --json | jq .reconciled_seconds)" null '... in JSON, too'
before=$(wc -l <"$uem/state/devices")
state_of enrolled >"$root/before"


reconcile
is "$status" 0 'nothing was missed'
is "$(<"$out")" "UEM has $before enrolled devices; 0 enrollments and 0 unenrollments were missed" \
	'... and it says so'
is "$(uem_calls /API/)" "$((before / 500 + 1))" 'only pages were asked for'
is "$(certprov list events --json | jq '[.[] | select(.event_type | test("reconcile"))] | length')" 0 \
	'... and no event was made'

# --- 37 and 12

: >"$root/missing"
leave 12 40
miss 37
sort "$root/missing" >"$root/missing.sorted"
sort "$root/gone" >"$root/gone.sorted"
audited=$(certprov list events --audit --json | jq length)
reconcile --dry-run --json
is "$status" 0 'a dry run'
is "$(jq -r '.[] | select(.missed == "enrollment") | .device_uuid' "$out" | sort)" \
	"$(<"$root/missing.sorted")" '... lists the missed enrollments'
is "$(jq -r '.[] | select(.missed == "unenrollment") | .device_uuid' "$out" | sort)" \
	"$(<"$root/gone.sorted")" '... and the missed unenrollments'
is "$(certprov list events --audit --json | jq length)" "$audited" '... and writes nothing'
is "$(state_of enrolled)" "$(<"$root/before")" '... and changes nothing'
reconcile --dry-run
is "$(wc -l <"$out")" 50 'the same as lines: 49 and the names of the columns'

calls=$(uem_calls /API/)
began=$(date +%s)
reconcile
is "$status" 0 'what was missed is made up for'
diag "$(($(date +%s) - began)) s for $before devices; $(($(uem_calls /API/) - calls)) calls"
like "$(<"$out")" '; 37 enrollments and 12 unenrollments were missed$' '... and counted'
like "$(certprov status)" \
	'UEM was last reconciled at [^ ]+Z: 37 enrollments and 12 unenrollments had been missed\.' \
	'... and the status says so'
is "$(certprov status --json | jq '[.missed_enrollments, .missed_unenrollments, .reconciled_seconds < 600] | @csv')" \
	'"37,12,true"' '... in JSON, too'
ok "at most 30 calls, and 2 for each missing device: $(($(uem_calls /API/) - calls))" \
	test $(($(uem_calls /API/) - calls)) -le $((30 + 2 * 37))
is "$(comm -23 <(sort "$root/before") "$root/gone.sorted" | sort - "$root/missing.sorted")" \
	"$(state_of enrolled)" 'exactly those are enrolled that should be'
is "$(state_of unenrolled)" "$(<"$root/gone.sorted")" '... and exactly those unenrolled'
is "$(certprov list certificates --state revoked --json | jq -r '.[] | select(.usage == "signing") | .device_uuid' | sort)" \
	"$(<"$root/gone.sorted")" '... whose signing certificates are revoked'
is "$(upload_table 1 | cut -d ' ' -f 1 | sort -u | grep -cFf "$root/missing")" 37 \
	'each missing device has got its keys'
is "$(certprov list events --json | jq '[.[] | select(.event_type == "Enrollment found by certprov reconcile" and .state == "delivered")] | length')" \
	37 'each is an event like any other'
is "$(certprov list events --json | jq '[.[] | select(.event_type == "Unenrollment found by certprov reconcile" and .state == "recorded")] | length')" \
	12 '... as are the others'

calls=$(uem_calls /API/)
events=$(certprov list events --json | jq length)
reconcile
is "$status $(certprov list events --json | jq length)" "0 $events" 'the second time there is nothing'
is "$(uem_calls /API/)" "$((calls + $(wc -l <"$uem/state/devices") / 500 + 1))" \
	'... and only pages are asked for'

# --- who is left out

mallory=$(new_uuid)
uem_user "$mallory" stage stage@example.com '"staging": true'
staged=$(new_uuid) nobody=$(new_uuid)
uem_device "$staged" "$mallory"
uem_device "$nobody" 00000000-0000-0000-0000-000000000000
reconcile
is "$status" 0 'staging users, and devices without a user'
like "$(<"$out")" 'left out: 1 device for which UEM has no user' '... are left out and counted'
like "$(<"$out")" 'left out: 1 device of users who enroll devices for others \(staging\)' '... both'
is "$(certprov list events --device "$staged" --json)$(certprov list events --device "$nobody" --json)" \
	'[][]' '... and nothing is recorded'
uem_forget "$staged"
uem_forget "$nobody"

lost=$(head -n 1 "$root/missing.sorted")
certprov unenroll --device "$lost" --yes >/dev/null
reconcile
like "$(<"$out")" 'left out: 1 device unenrolled here' 'a lost device, unenrolled by hand'
is "$(certprov list devices --device "$lost" --json | jq -r '.[0].state')" unenrolled '... stays so'
sed -i "/$lost/s/\"status\"/\"since\":\"$(date -u -d '+2 seconds' +%FT%T.000)\",\"status\"/" "$uem/state/devices"
reconcile
like "$(<"$out")" '; 1 enrollment and 0 unenrollments were missed$' '... until it enrolls again'
is "$(certprov list devices --device "$lost" --json | jq -r '.[0].state')" enrolled '... then it is back'

# --- UEM down

miss 12
count=$(state_of enrolled | wc -l)
uem_script search ok 503
reconcile
is "$status" 75 'UEM fails in the middle of its list'
is "$(state_of enrolled | wc -l)" "$count" '... nothing is done'
uem_mode users 503
reconcile
is "$status" 75 'UEM fails behind its list'
is "$(state_of enrolled | wc -l)" "$count" '... nothing is enrolled'
is "$(unfinished)" 0 '... and nothing is recorded'
uem_mode users
uem_mode devices 503
reconcile
is "$status" 75 'UEM fails while it is to confirm'
is "$(state_of enrolled | wc -l)" "$count" '... nothing is enrolled'
uem_mode devices
uem_mode search 403
reconcile
is "$status" 75 'an account that may not list'
uem_mode search
certprov deliver --now >/dev/null 2>&1 || true
reconcile
is "$status" 0 'UEM is back'
is "$(state_of enrolled | wc -l)" "$((count + 12))" '... all are enrolled'
is "$(unfinished)" 0 '... and nothing is unfinished'
uem_stop
reconcile
is "$status" 75 'UEM is out of reach'
ok 'UEM is there again' uem_start

uem_set quota "1000 90 $(($(date +%s) + 3000))"
miss 3
reconcile
is "$status" 75 'the last tenth of the quota is for events'
uem_set quota
reconcile
is "$status" 0 '... later it goes on'

# --- killed

miss 20
count=$(state_of enrolled | wc -l)
eg_gate slow
start killed "$(program certprov)" -c "$conf" reconcile
ok 'an upload is held' eg_held
mapfile -t workers_of < <(pgrep -P "${pids[killed]}")
kill -9 "${pids[killed]}" "${workers_of[@]}"
stop killed || true
eg_open
is "$((20 - ($(state_of enrolled | wc -l) - count) > 0))" 1 'killed in the middle'
reconcile
is "$status" 0 'the next run does the rest'
certprov deliver --now >/dev/null 2>&1
is "$(state_of enrolled | wc -l)" "$((count + 20))" '... all are enrolled'
is "$(unfinished)" 0 '... nothing is unfinished'
is "$(upload_table 1 | cut -d ' ' -f 1 | sort -u | grep -cFf "$root/missing")" 72 \
	'... each has its keys'

done_testing
