#!/bin/bash
# certprov deliver finishes pending events, once each, and uploads again what the Escrow Gateway has
# lost.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

# deliver ARGS...: sets $code, $said (standard error) and $printed.
deliver()
{
	code=0
	printed=$(certprov deliver "$@" 2>"$root/said") || code=$?
	said=$(<"$root/said")
}

event_of()
{
	certprov list events --json --device "$1" | jq -r ".[0].$2"
}

# How many seconds from now the event of a device is due.
due_in()
{
	query "SELECT next_at - unixepoch() FROM event WHERE device_uuid = '$1'
		ORDER BY id DESC LIMIT 1"
}

# is_between LEAST GOT MOST NAME
is_between()
{
	if (($1 <= $2 && $2 <= $3)); then
		pass "$4"
	else
		fail "$4"
		diag "  got $2, not in $1 to $3"
	fi
}

ok 'the world starts' world certificates.key=ec-p256
anna=$(new_uuid)
phone=$(new_uuid)

# --- nothing to do

deliver
is "$code $said$printed" '0 ' 'nothing to do: exit 0, no word'
deliver --all
is "$code $said" '0 ' 'no devices: nothing to push again'

# --- the gateway is down, then up

eg_stop
enroll "$phone" "$anna"
is "$status" 503 'gateway down: 503'
is "$(event_of "$phone" state)" pending 'the event is pending'
is_between 40 "$(due_in "$phone")" 72 'it is due in about a minute'
deliver --now
is "$code" 75 'gateway still down: exit 75'
like "$said" "device $phone, user $anna: pending: Escrow Gateway" 'the cause is on standard error'
is "$(event_of "$phone" tries)" 2 'the second try is counted'
is_between 80 "$(due_in "$phone")" 144 'and due after about two minutes'
like "$(certprov status)" "pending: device $phone: Escrow Gateway" 'status names it'

eg_start
deliver
is "$code $said" '0 ' 'not due yet: nothing is done'
is "$(eg_upload_count)" 0 'nothing was uploaded'
deliver --now
is "$code $said" '0 ' '--now delivers it'
is "$(event_of "$phone" state)" delivered 'the event is delivered'
is "$(eg_upload_count)" 1 'by one upload'
deliver --now
is "$(eg_upload_count)" 1 'and not again'

# --- due

eg_mode 503
laptop=$(new_uuid)
enroll "$laptop" "$anna"
eg_mode
query "UPDATE event SET next_at = unixepoch() WHERE state = 'pending'"
deliver
is "$code $(event_of "$laptop" state) $(eg_uploads_of "$laptop")" '0 delivered 1' \
	'what is due is delivered without --now'

# --- the peer says when

for retry in 7 5000; do
	device=$(new_uuid)
	eg_script "429 $retry"
	enroll "$device" "$anna"
	is "$status" 503 "429, Retry-After $retry: 503"
	wait=$((retry < 3600 ? retry : 3600))
	is_between $((wait - 5)) "$(due_in "$device")" "$wait" "due in $wait seconds"
	eg_script "429 $retry"
	deliver --now
	is_between $((wait - 5)) "$(due_in "$device")" "$wait" 'and again after deliver'
	deliver --now
done

# --- refused for good

device=$(new_uuid)
eg_script 422
enroll "$device" "$anna"
is "$status $(event_of "$device" state)" '502 failed' 'refused by the gateway: failed'
deliver
is "$code $(event_of "$device" tries)" '0 1' 'deliver leaves it alone'
eg_script 422
deliver --now
is "$code" 1 'refused again: exit 1'
like "$said" "device $device, user $anna: failed: .*status 422" 'with device and cause'
deliver --now
is "$code $(event_of "$device" state) $(eg_uploads_of "$device")" '0 delivered 1' '--now takes it up'

# --- an identity that needs attention

device=$(new_uuid)
bert=$(new_uuid)
configure identity.allowed-domains=example.org
handler_renew
enroll "$device" "$bert" mail=bert@example.com name=bert
is "$status $(event_of "$device" state)" '422 failed' 'an address that is not allowed: failed'
deliver --now
is "$code" 1 'still not allowed: exit 1'
deliver --device "$device"
is "$code" 1 'nothing can be pushed to it: exit 1'
like "$said" "no enrolled device matches" 'a refused event has enrolled nothing'
configure identity.allowed-domains=
handler_reload
deliver --now
is "$code $(event_of "$device" state) $(eg_uploads_of "$device")" '0 delivered 1' \
	'fixed, then --now: delivered'

# --- what has failed is tried again when what it was tried with has changed

device=$(new_uuid)
configure identity.allowed-domains=example.org
event_json "device=$device" "user=$(new_uuid)" mail=cleo@example.com >"$root/event.json"
certprov enroll "$root/event.json" >/dev/null 2>&1 || true
is "$(event_of "$device" state)" failed 'an address that is not allowed: failed'
deliver
is "$code $said $(event_of "$device" tries)" '0  1' 'nothing has changed: it is left alone'
configure identity.allowed-domains=example.com
deliver
is "$code $(event_of "$device" state) $(eg_uploads_of "$device")" '0 delivered 1' \
	'another configuration, then plain deliver: delivered'
configure identity.allowed-domains=
eg_script 422
certprov enroll "$root/event.json" >/dev/null 2>&1 || true
is "$(event_of "$device" state)" failed 'refused by the gateway: failed'
deliver
is "$code $said $(event_of "$device" tries)" '0  1' 'nothing has changed: it is left alone'
eg_script 422
touch "$root/certprov/certificate.password"
deliver
is "$code $(event_of "$device" tries)" '1 2' 'a file that it names was touched: tried, refused again'
deliver
is "$code $said $(event_of "$device" tries)" '0  2' 'and left alone again'
touch "$root/certprov/certificate.pfx"
deliver
is "$code $(event_of "$device" state) $(eg_uploads_of "$device")" '0 delivered 2' \
	'another one was: delivered'
eg_script 422
deliver --device "$device"
is "$code $(query "SELECT state FROM upload WHERE device_uuid = '$device'")" '1 failed' \
	'a failed upload without an event'
deliver
is "$code $said $(eg_uploads_of "$device")" '0  2' 'is left alone'
touch "$root/certprov/p12.password"
deliver
is "$code $said $(eg_uploads_of "$device")" '0  3' 'until a file is touched'

# --- several events of one device: one upload for all

device=$(new_uuid)
eg_mode 503
for _ in 1 2 3 4; do
	enroll "$device" "$anna"
done
eg_mode
is "$(query "SELECT count(*) FROM event WHERE state = 'pending'")" 4 'four events of one device'
deliver --now
is "$code $(eg_uploads_of "$device")" '0 1' 'one upload serves them all'
is "$(query "SELECT count(*) FROM event WHERE state = 'pending'")" 0 'none is left'

# --- who is gone gets nothing

gone=$(new_uuid)
eg_mode 503
enroll "$gone" "$anna"
enroll "$gone" '' EventId:=39 'EventType=Break MDM Confirmed' mail= name=
is "$status" 200 'unenrolled'
eg_mode
deliver --now
is "$code $(event_of "$gone" state) $(eg_uploads_of "$gone")" '0 recorded 0' \
	'a pending enrollment of an unenrolled device is not delivered'

# --- again

total=$(query "SELECT count(*) FROM device WHERE state = 'enrolled'")
before=$(eg_upload_count)
deliver --device "$phone"
is "$code $(($(eg_upload_count) - before)) $(eg_uploads_of "$phone")" '0 1 2' '--device: that one'
mapfile -t sets < <(jq -S '.smime_certificates | map_values(length)' \
	"$(eg_upload 1)" "$(eg_upload)" | jq -c .)
is "${sets[0]}" "${sets[1]}" 'as many certificates as the first time'
serials()
{
	eg_pkcs12 "$1" "$2" | eg_openssl -nokeys -clcerts 2>/dev/null | openssl x509 -noout -serial
}
is "$(serials "$(eg_upload_count)" signing)" "$(serials 1 signing)" 'the same signing certificate'
is "$(serials "$(eg_upload_count)" encryption)" "$(serials 1 encryption)" \
	'the same encryption certificate'

before=$(eg_upload_count)
deliver --user "${bert^^}"
is "$code $(($(eg_upload_count) - before))" '0 1' "--user: that user's device, the UUID in any case"
before=$(eg_upload_count)
started=$(date +%s%3N)
deliver --all --rate 4
took=$(($(date +%s%3N) - started))
is "$code $said" '0 ' '--all: exit 0'
is "$(($(eg_upload_count) - before))" "$total" '--all: every enrolled device'
is "$(eg_uploads_of "$gone")" 0 'but no unenrolled one'
is_between $(((total - 1) * 250)) "$took" 60000 '--rate 4: no more than four a second'
is "$(query "SELECT count(*) FROM lease")" 0 'no lease is left'
deliver --device "$gone"
is "$code" 1 '--device of an unenrolled one: exit 1'
like "$said" "no enrolled device.*$gone" 'which is said'
deliver --device 12
is "$code" 1 '--device of a name that none has: exit 1'

# --- usage

for wrong in '--user' '--device' '--rate 0' '--rate x' '--now --all' 'extra'; do
	# shellcheck disable=SC2086 # several words
	deliver $wrong
	is "$code" 2 "deliver $wrong: wrong usage"
done
configure store.url=sqlite:none.db
deliver
is "$code" 78 'no store: exit 78'
configure store.url=sqlite:certprov.db escrow.identity-password-file=none
deliver --all
is "$code" 78 'no password file: exit 78'
like "$said" 'identity-password-file|none' 'which is named'
configure escrow.identity-password-file=certificate.password

# --- two at once beside the handler

eg_mode 503
devices=()
for _ in {1..24}; do
	devices+=("$(new_uuid)")
	enroll "${devices[-1]}" "$(new_uuid)"
done
eg_mode slow 0.2
: >"$eg/state/log"
for i in 1 2 3; do
	certprov deliver --now --rate 1000 >"$root/deliver-$i.log" 2>&1 &
	runs[i]=$!
done
more=()
for _ in {1..8}; do
	more+=("$(new_uuid)")
	enroll "${more[-1]}" "$(new_uuid)"
done
codes=
for i in 1 2 3; do
	wait "${runs[i]}" && codes+=0 || codes+=$?
done
like "$codes" '^(0|75){3}$' 'three deliver at once, and the handler: none fails'
is "$(query "SELECT count(*) FROM event WHERE state != 'delivered' AND kind = 'enrolled'
	AND state != 'recorded'")" 0 'every event is delivered'
is "$(eg_log .device | sort | uniq -d | wc -l)" 0 'none was uploaded twice'
is "$(eg_log .device | sort -u | wc -l)" $((${#devices[@]} + ${#more[@]})) 'each was once'

before=$(eg_upload_count)
total=$(query "SELECT count(*) FROM device WHERE state = 'enrolled'")
: >"$eg/state/log"
certprov deliver --all >/dev/null 2>"$root/all-1" &
other=$!
deliver --all
wait "$other" || true
unlike "$said$(<"$root/all-1")" 'stopped|failed' 'two --all at once: neither gives up'
# The gateway takes 0.2 s for each: two ends of the same device are never closer.
too_close()
{
	jq -s 'group_by(.device) | map(map(.time) | sort
		| [.[1:], .[:-1]] | transpose | map(select(.[0] - .[1] < 0.2))) | add | length' \
		"$eg/state/log"
}
is "$(too_close)" 0 'two --all at once: no device is uploaded twice at the same time'
is "$(query 'SELECT count(*) FROM lease')" 0 'no lease is left'
is_between "$total" "$(($(eg_upload_count) - before))" $((2 * total)) 'and every device was served'

# --- an event comes in for a device that deliver has leased

some_are_leased()
{
	(($(query 'SELECT count(*) FROM lease') > 0))
}
events_of_phone()
{
	query "SELECT count(*) FROM event WHERE device_uuid = '$phone'"
}
one_more_event()
{
	(($(events_of_phone) > before))
}
eg_gate slow
: >"$eg/state/log"
certprov deliver --device "$phone" &
other=$!
eg_held
before=$(events_of_phone)
{
	wait_for 120 one_more_event || true
	sleep 1
	eg_log .device | grep -cFx "$phone" >"$root/meanwhile" || true
	eg_open
} &
opening=$!
enroll "$phone" "$anna"
wait "$other" "$opening"
is "$status $(eg_log .device | grep -cFx "$phone")" '202 2' 'the handler uploads it, too'
is "$(<"$root/meanwhile")" 0 'but waits for its turn'
like "$(tail -n 2 "$root/handler.log")" ' turn=[0-9]' 'which the log says'

# --- many, and the gateway is busy

busy="SELECT count(*) FROM upload WHERE cause LIKE '%503%'"
before=$(query "$busy")
eg_mode 503
deliver --all
is "$code" 75 '--all, the gateway is busy: exit 75'
like "$said" 'stopped after [5-8] of' 'it gives up after some in a row'
is_between 5 "$(($(query "$busy") - before))" 8 'few were tried'
eg_mode
deliver --all
is "$code" 0 'later it works'

# --- killed in mid-work

eg_mode 503
device=$(new_uuid)
enroll "$device" "$anna"
eg_mode hang 60
setsid "$(program certprov)" -c "$conf" deliver --now >/dev/null 2>&1 &
victim=$!
is_leased()
{
	[[ $(query 'SELECT count(*) FROM lease') == 1 ]] && sleep 0.5
}
ok 'a deliver has leased it' wait_for 120 is_leased
{
	kill -KILL -- "-$victim"
	wait "$victim" || true
} 2>/dev/null
eg_mode
deliver --now
is "$code $(event_of "$device" state) $(eg_uploads_of "$device")" '0 delivered 1' \
	'killed: the next one takes it over at once'

# --- the handler's worker is killed in mid-work

eg_mode hang 60
device=$(new_uuid)
enroll "$device" "$anna" &
posting=$!
is_recorded()
{
	[[ $(query "SELECT count(*) FROM event AS e JOIN lease ON lease.event_id = e.id
		WHERE e.device_uuid = '$device'") == 1 ]] && sleep 0.5
}
ok 'the handler is working on an event' wait_for 20 is_recorded
{
	deliver
	is "$code $(event_of "$device" state)" '0 pending' 'deliver leaves it to the handler'
	deliver --now
	is "$code $(event_of "$device" state)" '75 pending' 'so does --now, with exit 75'
	like "$said" "device $device, .*: pending: another process is working on it" '... and why'
	# shellcheck disable=SC2046 # several workers
	kill -KILL $(pgrep -P "${pids[handler]}")
	wait "$posting" || true
} 2>/dev/null
eg_mode
deliver
is "$code $(event_of "$device" state) $(eg_uploads_of "$device")" '0 delivered 1' \
	'its workers are killed: the timer finishes it, though it was not due yet'

# --- stopped by a signal: it finishes the events that it is working on

eg_mode 503
for _ in {1..12}; do
	enroll "$(new_uuid)" "$(new_uuid)"
done
eg_mode slow 1
before=$(eg_upload_count)
start stopping "$(program certprov)" -c "$conf" deliver --now
ok 'a deliver is running' wait_for 120 some_are_leased
code=0
stop stopping || code=$?
eg_mode
is "$code" 75 'SIGTERM: exit 75'
left=$(query "SELECT count(*) FROM event WHERE state = 'pending' AND kind = 'enrolled'")
is "$((left + $(eg_upload_count) - before))" 12 'what was uploaded is delivered, the rest is pending'
is "$(query 'SELECT count(*) FROM lease')" 0 'no lease is left'
deliver --now
is "$code $(query "SELECT count(*) FROM event WHERE state = 'pending'")" '0 0' 'the rest follows'

done_testing
