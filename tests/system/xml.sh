#!/bin/bash
# Notifications in XML, UEM's other format: they do what their JSON form does, end to end. Attacks by
# XML are refused, logged and cheap, and nothing that they refer to is read.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-answers.sh
. "$top_srcdir/tests/system/lib-answers.sh"

for tool in iconv pgrep sqlite3; do
	command -v "$tool" >/dev/null || skip_all "no $tool here"
done

notification=$top_srcdir/tests/data/events/notification.xml
type=application/xml

# As event_json, in UEM's XML format.
event_xml()
{
	event_json "$@" | jq -r '"<Eventlog>" + (to_entries | map(
		if .value == "" then "<\(.key)/>" else "<\(.key)>\(.value | tostring | @html)</\(.key)>" end)
		| join("")) + "</Eventlog>"'
}

serials()
{
	jq -r '.certificates[] | "\(.usage) \(.serial)"' "$answer.body" | sort
}

# The highest memory that a worker has needed so far, in KiB.
memory_peak()
{
	local pid

	for pid in $(pgrep -P "${pids[handler]}"); do
		sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status"
	done | sort -n | tail -n 1
}

workers=2
ok 'everything starts' world

# --- the same event in both formats

post_event "$sample_event"
is "$status" 202 'the sample in JSON'
of_json=$(serials)
for type in application/xml 'text/xml; charset=utf-8' application/json ''; do
	taken "the sample in XML, as ${type:-nothing}" <"$notification"
	is "$(serials)" "$of_json" '... has the same certificates'
done
type=application/xml
is "$(jq -r '.device_uuid + " " + .user_uuid' "$answer.body")" \
	"$(jq -r '.DeviceUUID + " " + .EnrollmentUserUUID' "$sample_event")" '... and the same identity'
is "$(query 'SELECT count(DISTINCT payload), count(*) FROM event')" '1|5' \
	'what is stored of them is the same'
like "$(query 'SELECT payload FROM event ORDER BY id DESC LIMIT 1')" '^\{"EventId":148,' '... JSON'
not_ok '... nothing was repaired' in_log 'was damaged'
for encoding in UTF-16 UTF-16LE UTF-16BE; do
	taken "the sample in $encoding" < <(iconv -t "$encoding" "$notification")
	is "$(serials)" "$of_json" '... has the same certificates'
done
taken 'in ISO-8859-1, as declared' < <(
	printf '<?xml version="1.0" encoding="ISO-8859-1"?>'
	event_xml DeviceFriendlyName='Zoë' | iconv -t latin1
)
like "$(query 'SELECT payload FROM event ORDER BY id DESC LIMIT 1')" 'Zoë' '... with its letters'
is "$(serials)" "$of_json" '... has the same certificates'

# --- a user who comes by XML alone

device=$(new_uuid)
user=$(new_uuid)
taken 'a new user by XML' < <(event_xml device="$device" user="$user" mail="o'neil&co@example.com")
first=$(serials)
is "$(certprov list users --user "$user" --json | jq -r '.[0].mail')" "o'neil&co@example.com" \
	'... with an address that XML escapes'
post_event - < <(event_json device="$device" user="$user" mail="o'neil&co@example.com")
is "$status $(serials)" "202 $first" '... and again by JSON: the same certificates'
post_input < <(printf '<Eventlog><EventType>Break MDM Confirmed</EventType><DeviceUUID>%s</DeviceUUID></Eventlog>' \
	"$device")
is "$status $(jq -r .status "$answer.body")" '200 recorded' 'the device is unenrolled by XML'
post_input < <(event_xml EventId:=178 'EventType=Compromised & more')
is "$status $(jq -r .event_type "$answer.body")" '200 Compromised & more' 'an ignored event'
device=$(new_uuid)
certprov enroll - < <(event_xml device="$device" user="$user" mail="o'neil&co@example.com") \
	>"$root/enrolled"
is "$(jq -r '"\(.status) \(.device_uuid)"' "$root/enrolled")" "delivered $device" \
	'certprov enroll takes XML'

# --- what has to wait

eg_mode 503
device=$(new_uuid)
post_input < <(event_xml device="$device")
failed 503 '503' 'the gateway is away'
eg_mode
ok 'certprov deliver takes it up' certprov deliver --now
is "$(upload_states)" delivered '... and delivers it'

# --- what the store cannot take

device=$(new_uuid)
mv "$root/certprov/certprov.db" "$root/certprov/away"
log_from_here
post_input < <(event_xml device="$device" DeviceFriendlyName='<two  words> & "more"')
answered 503 'no store'
mv "$root/certprov/away" "$root/certprov/certprov.db"
tail -c "+$((log_start + 1))" "$root/handler.log" | sed -n 's/.*"certprov enroll -": //p' >"$root/kept"
is "$(jq -r '.DeviceUUID + " " + .DeviceFriendlyName' "$root/kept")" \
	"$device <two  words> & \"more\"" '... the whole event is in the log, as JSON'
ok '... and can be handed in' certprov enroll "$root/kept"

# --- faults, and what they are called

device=$(new_uuid)
refused 400 '' 'XML: it is cut' 'half of it' < <(head -c 400 "$notification")
refused 400 '' 'fault in its syntax' 'two of them' < <(event_xml; event_xml)
refused 415 '' 'root is not Eventlog' 'another root' <<<'<Envelope><Eventlog/></Envelope>'
refused 400 '' 'text between' 'mixed content' <<<'<Eventlog>148<EventId>148</EventId></Eventlog>'
refused 400 '' 'encoding must be' 'another encoding' < <(
	printf '<?xml version="1.0" encoding="windows-1252"?>'
	event_xml
)
refused 400 EventType 'needs an EventId or an EventType' 'an empty root' <<<'<Eventlog/>'
refused 400 EventId 'whole number' 'a word for EventId' < <(event_xml EventId=many)
refused 400 EventType 'different events' 'an id and a type that disagree' \
	< <(event_xml EventType='Device wipe')
refused 400 DeviceUUID 'must be a UUID' 'a device that is none' < <(event_xml device=x)
refused 400 EnrollmentUserUUID 'missing' 'no user' < <(event_xml -EnrollmentUserUUID)
refused 400 EventId 'more than once' 'EventId twice' \
	< <(event_xml device="$device" | sed 's|<EventType>|<EventId>25</EventId>&|')
like "$(jq -r .detail "$answer.body")" "device $device" '... and the answer names the device'
refused 422 EnrollmentEmailAddress damaged 'an address with bytes that are not UTF-8' \
	< <(event_xml mail=DAMAGE@example.com | LC_ALL=C sed 's/DAMAGE/v\xeb/')
taken 'a friendly name with them' \
	< <(event_xml DeviceFriendlyName=DAMAGE | LC_ALL=C sed 's/DAMAGE/v\xeb/')
ok '... with a line in the log' in_log 'was damaged and is repaired.*DeviceFriendlyName'
refused 413 '' 'At most 65536 bytes' 'too much' < <(event_xml Padding="$(printf 'x%.0s' {1..65536})")
type=image/svg+xml
refused 415 '' 'Only application/json and application/xml' 'SVG' <"$notification"
type=application/xml

# --- attacks

victim=$(new_uuid)
printf 'SECRET-OF-THE-FILE' >"$root/secret"
peak=$(memory_peak)
pids_before=$(pgrep -P "${pids[handler]}" | sort | xargs)

# The event with $1 before its root and $2 in the place of ATTACK.
attack()
{
	printf '<?xml version="1.0"?>%s' "$1"
	event_xml device="$victim" user="$(new_uuid)" DeviceFriendlyName=ATTACK "${@:3}" |
		perl -0pe 'BEGIN { $with = shift } s/ATTACK/$with/' "$2"
}

dtd='document type declaration'
refused 400 '' "$dtd" 'a billion laughs' < <(
	attack "<!DOCTYPE e [<!ENTITY a0 \"ha\">$(for i in {1..30}; do
		printf '<!ENTITY a%d "%s">' "$i" "$(printf "&a$((i - 1));%.0s" {1..10})"
	done)]>" '&a30;'
)
refused 400 '' "$dtd" 'a quadratic blow-up' < <(
	attack "<!DOCTYPE e [<!ENTITY a \"$(printf 'x%.0s' {1..20000})\">]>" \
		"$(printf '&a;%.0s' {1..10000})"
)
refused 400 '' "$dtd" 'a file by an external entity' < <(
	attack "<!DOCTYPE e [<!ENTITY x SYSTEM \"file://$root/secret\">]>" '&x;'
)
refused 400 '' "$dtd" 'an address by an external entity' < <(
	attack "<!DOCTYPE e [<!ENTITY x SYSTEM \"$front_url/healthz?stolen\">]>" '&x;'
)
refused 400 '' "$dtd" 'an external DTD' < <(
	attack "<!DOCTYPE Eventlog SYSTEM \"$front_url/healthz?stolen\">" x
)
refused 400 '' "$dtd" 'a parameter entity' < <(
	attack "<!DOCTYPE e [<!ENTITY % p SYSTEM \"$front_url/healthz?stolen\">%p;]>" x
)
refused 400 '' 'refers to an entity' 'an entity without a declaration' < <(attack '' '&nbsp;')
refused 400 '' 'nested too deeply' 'depth without end' < <(attack '' "$(printf '<a>%.0s' {1..20000})")
refused 400 '' 'too many elements' 'elements without end' < <(
	printf '<Eventlog>'
	printf '<a%d/>' {1..8000}
	printf '</Eventlog>'
)
refused 400 '' 'name of an element is too long' 'a name without end' < <(
	printf '<Eventlog><%s/></Eventlog>' "$(printf 'x%.0s' {1..60000})"
)
refused 400 '' 'fault in its syntax' 'NUL behind it' < <(event_xml; printf '\0')
taken 'attributes without end, which are skipped' < <(
	printf '<Eventlog%s>' "$(printf ' a%d=""' {1..5000})"
	event_xml | sed 's/<Eventlog>//'
)
fetched=$(grep -c '/healthz?stolen' "$front/certprov.access.log" || true)
request GET '/healthz?stolen'
is "$fetched $(grep -c '/healthz?stolen' "$front/certprov.access.log" || true)" '0 1' \
	'nothing was fetched; it would have been seen'
not_ok 'nothing was read' grep -rqs SECRET-OF-THE-FILE "$root/answers" "$root/handler.log" "$eg/state"
is "$(rows devices --device "$victim")" 0 'the device is not known'
is "$(pgrep -P "${pids[handler]}" | sort | xargs)" "$pids_before" 'no worker died'
if sanitized; then
	skip 'memory stays bounded' "AddressSanitizer's memory is not ours"
else
	ok "memory stays bounded" test "$(($(memory_peak) - peak))" -lt 8192
fi
post_event "$sample_event"
is "$status" 202 'and the next event is done'

not_ok 'no secret in an answer or a log' told_secrets
sanitizers_are_silent
done_testing
