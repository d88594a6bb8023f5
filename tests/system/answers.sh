#!/bin/bash
# Every answer of the handler, through nginx: its status, its exact form, what it must contain and
# what it must not.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-answers.sh
. "$top_srcdir/tests/system/lib-answers.sh"

device=f90f1abd-b914-4895-9b59-82e8aecf0e66
user=fe13e814-7415-4fce-9f47-de5a55bfe57a
events=$top_srcdir/tests/data/events
event=$root/event.json

# certificate N PART [INDEX]: what openssl x509 with the options $how says of it
certificate()
{
	eg_pkcs12 "$@" | eg_openssl -nokeys -clcerts | openssl x509 "${how[@]}"
}

# What openssl reads from the PKCS#12 files, in the form of the answer's list.
certificates_received()
{
	local number part index
	local -a how=(-noout -serial -enddate -dateopt iso_8601)

	number=$(eg_upload_count)
	jq -r '.smime_certificates | to_entries[] | "\(.key) \(.value | keys[])"' \
		"$(eg_upload "$number")" | while read -r part index; do
		certificate "$number" "$part" "$index" |
			sed 's/^serial=\(.*\)/\L\1/; s/^notAfter=\(.*\) \(.*Z\)/\1T\2/' |
			tr '\n' ' ' | sed "s/^/$part /; s/ \$/\n/"
	done
}

not()
{
	! "$@"
}

# --- 202

ok 'everything starts' world

for file in "$sample_event" "$events"/{android,newer-uem,emoji}.json; do
	post_event "$file"
	answered 202 "${file##*/}"
	is "$(header Content-Type)" application/json '... JSON'
	# shellcheck disable=SC2016 # jq's own variables
	ok '... exactly as promised' jq -e --arg device "$device" --arg user "$user" '
		keys_unsorted == ["status", "device_uuid", "user_uuid", "certificates"]
		and .status == "delivered" and .device_uuid == $device and .user_uuid == $user
		and ([.certificates[].usage] | .[:2] == ["signing", "encryption"]
			and all(.[2:][]; . == "archived"))
		and all(.certificates[];
			keys_unsorted == ["usage", "serial", "not_after"]
			and (.serial | test("^[0-9a-f]{16,40}$"))
			and (.not_after | test("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$")))' \
		"$answer.body"
	is "$(jq -r '.certificates[] | "\(.usage) \(.serial) \(.not_after)"' "$answer.body" | sort)" \
		"$(certificates_received | sort)" '... it lists what the gateway has received'
done
is "$(jq -r '[.certificates[].usage] | join(" ")' "$answer.body")" \
	'signing encryption archived archived' 'after a change of address two are archived'

# --- what of a request is found again

id=$(header X-Request-Id)
is "$(certprov list events --json | jq -r '.[0].request_id')" "$id" \
	"the store's event has the request's id"
is "$(grep -c "request=$id" "$root/handler.log")" 2 'the log has two lines with it:'
ok '... the event with the outcome and the time of each step' grep -qE \
	"request=$id event=[0-9]+ type=\"MDM Enrollment Complete\" device=$device user=$user outcome=ok record=[0-9.]+ms identity=[0-9.]+ms signing=[a-z]+:[0-9.]+ms encryption=[a-z]+:[0-9.]+ms pack=[0-9.]+ms upload=[0-9.]+ms finish=[0-9.]+ms total=[0-9.]+ms" \
	"$root/handler.log"
ok '... and the request' grep -qE "request=$id POST /events from 127.0.0.1: 202 in" "$root/handler.log"
request GET /events --header 'X-Request-Id: somebody-elses-id'
answered 200 "a client's own request id"
isnt "$(header X-Request-Id)" somebody-elses-id '... does not replace that of nginx'

# --- 200: what asks nothing of us, and who has gone

uploads=$(eg_upload_count)
post_event "$events/compromised.json"
answered 200 compromised.json
is "$(<"$answer.body")" '{"status":"ignored","event_type":"CompromisedStatusChanged"}' '... ignored'
for type in 'Compliance Status Changed' 'Asset Number Changed' "It's \"new\" 🚀"; do
	event_json EventId:=4711 EventType="$type" DeviceUUID=rubbish >"$event"
	post_event "$event"
	answered 200 "$type"
	is "$(jq -c . "$answer.body")" "$(jq -cn --arg type "$type" '{status: "ignored", event_type: $type}')" \
		'... ignored, as it is written'
done
event_json EventId:=641 -EventType >"$event"
post_event "$event"
is "$status $(<"$answer.body")" '200 {"status":"ignored","event_type":"641"}' 'an id alone: ignored'
for name in break-mdm delete device-wipe enterprise-wipe; do
	post_event "$events/$name.json"
	answered 200 "$name.json"
	is "$(<"$answer.body")" '{"status":"recorded"}' '... recorded'
	is "$(certprov list devices --device "$device" --json | jq -r '.[0].state')" unenrolled \
		'... the device has gone'
	post_event "$sample_event"
	is "$status $(certprov list devices --device "$device" --json | jq -r '.[0].state')" \
		'202 enrolled' '... and comes back'
done
is $(($(eg_upload_count) - uploads)) 4 'only who came back has an upload'

# --- 400

refused 400 '' 'not JSON.*empty' 'an empty body' </dev/null
refused 400 '' 'not JSON.*cut' 'half an event' < <(head -c 400 "$sample_event")
refused 400 '' 'not JSON' 'two events' < <(cat "$sample_event" "$sample_event")
refused 400 '' 'one object' 'an array' <<<'[1]'
refused 422 EnrollmentUserName 'damaged' 'Latin-1' \
	< <(event_json user="$(new_uuid)" name=zoé | iconv -t latin1)
refused 422 EnrollmentUserName 'damaged' 'a NUL in a string' \
	< <(event_json user="$(new_uuid)" name=zenny | sed 's/"zenny"/"zen\\u0000ny"/')
refused 400 '' 'not JSON' 'a NUL behind it' < <(event_json; printf '\0')
refused 400 '' 'not JSON' 'braces without end' < <(printf '{"a":%.0s' {1..3000})
refused 400 EventType 'needs an EventId or an EventType' 'neither EventId nor EventType' \
	< <(event_json -EventId -EventType)
refused 400 EventType 'different events' 'an id and a type that disagree' \
	< <(event_json EventType='Device wipe')
refused 400 EventId 'whole number' 'a word for EventId' < <(event_json EventId=many)
refused 400 EventId 'whole number' 'a negative EventId' < <(event_json EventId:=-148)
taken 'a list for EventType, beside its id' < <(event_json 'EventType:=[148]')
taken 'a DeviceId with a fraction: nobody uses it' < <(event_json DeviceId:=1.5)
refused 400 DeviceUUID 'must be a UUID' 'a device that is none' < <(event_json device="${device%?}")
refused 400 EnrollmentUserUUID 'must be a UUID' 'a number for a user' < <(event_json user:=12)
refused 422 EnrollmentUserName 'no usable mail address' 'an endless name' \
	< <(event_json user="$(new_uuid)" name="$(printf 'x%.0s' {1..600})")
refused 400 EnrollmentUserUUID 'more than once' 'twice.json' <"$events/twice.json"
refused 400 EnrollmentUserUUID 'all zeros' 'zero-user.json' <"$events/zero-user.json"
refused 400 DeviceUUID 'older versions of UEM' 'older-uem.json' <"$events/older-uem.json"
refused 400 DeviceUUID 'all zeros' 'a device that is all zeros' \
	< <(event_json device=00000000-0000-0000-0000-000000000000)

# --- 413

size=$(event_json Padding= | wc -c)
taken 'exactly 64 KiB' < <(event_json Padding="$(head -c $((65536 - size)) /dev/zero | tr '\0' x)")
is "$(stat -c %s "$event")" 65536 '... that is 65536 bytes'
refused 413 '' 'At most 65536 bytes' 'one byte more' < <(sed 's/xx/xxx/' "$event")

# --- 415

for type in multipart/form-data text/html image/png application/soap+xml image/svg+xml; do
	refused 415 '' 'Only application/json and application/xml' "$type" <"$sample_event"
done
for type in text/xml text/json text/plain application/x-www-form-urlencoded ''; do
	taken "type: ${type:-none}" <"$sample_event"
done
type=application/json

# --- 422: recorded as failed, taken up again once the cause is fixed

other=$(new_uuid)
other_user=$(new_uuid)
refused 422 EnrollmentUserName 'no usable mail address' 'a name that gives no address' \
	< <(event_json device="$other" user="$other_user" name='no address')
is "$(jq -r .title "$answer.body")" 'No usable identity' '... the title'
ok '... the event is kept as failed' events_are failed "$other" 1
like "$(certprov list events --state failed)" "$other.*no usable mail address" '... with the cause'
is "$(certprov list events --device "$other" --json | jq -r '.[0].request_id')" \
	"$(header X-Request-Id)" "... and the request's id"
like "$(certprov status)" "failed: device $other: no usable mail address" '... status shows it'
cp "$event" "$root/fixed.json"
configure identity.mail='{EnrollmentUserUUID}@example.com'
ok 'with other templates certprov enroll takes it up' certprov enroll "$root/fixed.json"
like "$(<"$root/output")" "^\{\"status\":\"delivered\",\"device_uuid\":\"$other\"" '... delivered'
ok '... and it is not failed any more' events_are failed "$other" 0
ok '... both events are delivered' events_are delivered "$other" 2
configure identity.mail='{EnrollmentEmailAddress}, {EnrollmentUserName}@example.com'
refused 422 EnrollmentEmailAddress 'no usable mail address' 'a bad address and a bad name' \
	< <(event_json device="$other" mail='<zoe@example.com>' name='no address')

# --- UUIDs

other=$(new_uuid)
taken 'UUIDs in upper case' < <(event_json device="${other^^}" user="${user^^}")
is "$(jq -r '.device_uuid + " " + .user_uuid' "$answer.body")" "$other $user" \
	'... are lower case in the answer'
is "$(jq -r '.device_uuid + " " + .user_uuid' "$(eg_upload)")" "$other $user" \
	'... for the gateway'
is "$(certprov list devices --device "${other^^}" --json | jq -r '.[].device_uuid')" "$other" \
	'... and in the store'

# --- what looks like an attack stays a name

how=(-noout -subject -nameopt RFC2253)
taken "a name like a piece of a subject" < <(event_json user="$(new_uuid)" mail=x@example.com \
	name='x,O=Evil+CN=root')
is "$(certificate "$(eg_upload_count)" signing)" \
	'subject=CN=x\,O=Evil\+CN=root,O=Example' '... is taken literally'
refused 422 EnrollmentUserName . 'a name with a line break' \
	< <(event_json user="$(new_uuid)" mail=x@example.com name=$'x\nevent=1 outcome=ok')

# --- paths and methods

for path in /nothing /events/ /events/1 /Events /ca.key /certprov.db; do
	request GET "$path"
	answered 404 "$path"
done
for path in /healthz /ca.cer; do
	request POST "$path" --data '{}'
	answered 405 "POST $path"
	is "$(header Allow)" 'GET, HEAD' '... Allow'
done
for method in PUT DELETE PATCH OPTIONS; do
	request "$method" /events
	is "$status $(header Allow)" '405 GET, HEAD, POST' "$method /events: 405, Allow"
done
for path in /metrics /status; do
	request GET "$path"
	is "$status" 403 "$path: closed by nginx"
done
for path in /events '' /; do
	request GET "$path"
	answered 200 "Test Connection at '$path'"
	is "$(header Content-Type) $(<"$answer.body")" 'text/plain OK' '... OK'
	post_event "$sample_event"
done
for path in /events /healthz /ca.cer; do
	request GET "$path"
	length=$(header Content-Length)
	request HEAD "$path"
	is "$status $(header Content-Length)" "200 $length" "HEAD $path"
done
request HEAD /nothing
is "$status $(header Content-Type)" '404 application/problem+json' 'HEAD of nothing: 404'
request POST '' --data-binary "@$sample_event"
answered 202 'an event at the bare prefix'

# --- /ca.cer

credentials='' request GET /ca.cer
answered 200 /ca.cer 'public, max-age=86400'
is "$(header Content-Type)" application/pkix-cert '... its type'
ok "... is the CA's certificate, DER" cmp "$answer.body" \
	<(openssl x509 -in "$root/certprov/ca.crt" -outform DER)
etag=$(header ETag)
like "$etag" '^"[0-9a-f]{32}"$' '... with an ETag'
credentials='' request GET /ca.cer --header "If-None-Match: $etag"
is "$status $(stat -c %s "$answer.body")" '304 0' '... which saves the second time'

# --- what the configuration changes

ok 'max-body = 1k' handler_with events.max-body=1k
refused 413 '' 'At most 1024 bytes' '1025 bytes' < <(head -c 1025 /dev/zero)
refused 400 '' 'not JSON' '1024 bytes' < <(head -c 1024 /dev/zero)
ok 'max-body as before' handler_with events.max-body=

# --- 503: the store has gone

request GET /healthz
answered 200 /healthz
is "$body" OK '... OK'
mv "$root/certprov/certprov.db" "$root/certprov/away"
request GET /healthz
answered 503 '/healthz without a store'
refused 503 '' 'The event is kept if it could be recorded' 'an event without a store' <"$sample_event"
ok '... the log names the store' in_log "request=$(header X-Request-Id) .*certprov\.db"
mv "$root/certprov/away" "$root/certprov/certprov.db"
request GET /healthz
answered 200 '/healthz when it is back'
taken 'an event when it is back' <"$sample_event"

# --- 503: the CA cannot

mkdir "$root/ended"
past='86394 seconds ago' in_past pki_ca ended -days 1
cp "$pki/ended.crt" "$root/ended/ca.crt"
(umask 077 && cp "$pki/ended.key" "$root/ended/ca.key")
ok 'with a CA that ends in some seconds' \
	handler_with ca.certificate="$root/ended/ca.crt" ca.key="$root/ended/ca.key"
ok '... and has ended' wait_for 60 not openssl x509 -in "$pki/ended.crt" -noout -checkend 0
sleep 1 # to the end of its last second
taken 'who has certificates' <"$sample_event"
other=$(new_uuid)
refused 503 '' 'not set up correctly' 'who has none' < <(event_json device="$other")
ok '... the event is pending' events_are pending "$other" 1
ok '... the log tells why' in_log \
	"request=$(header X-Request-Id) .*: 503 in .*signing certificate: the CA's certificate has expired"
not_ok '... certprov check fails' certprov check
like "$(<"$root/output")" "FAILED +CA: .* ended 20[^ ]*Z: replace it" \
	'... and tells why'
ok 'a handler that starts with it serves all the same' \
	handler_with ca.certificate="$root/ended/ca.crt" ca.key="$root/ended/ca.key"
ok '... and warns' in_log "warning .*the CA's certificate has expired.*; nothing can be issued"
taken '... who has certificates' <"$sample_event"
refused 503 '' 'not set up correctly' '... not who has none' < <(event_json device="$other")
ok 'with the right CA again' handler_with ca.certificate= ca.key=
taken '... the same event' < <(event_json device="$other")
ok '... and nothing is pending' events_are pending "$other" 0

# --- the whole log

# --- padding, and devices that nobody knows

# How many events there are; 1: the longest is short.
stored()
{
	sqlite3 "$root/certprov/certprov.db" \
		'SELECT count(*), coalesce(max(length(payload)), 0) < 2048 FROM event'
}

padded()
{
	event_json "$@" "Padding=$(printf 'x%.0s' {1..60000})" >"$root/padded.json"
	post_event "$root/padded.json"
}

before=$(stored)
stranger=$(new_uuid)
for type in 'Device wipe' 'Break MDM Confirmed' Delete; do
	padded "device=$stranger" -EventId "EventType=$type"
	is "$status $(jq -r .status "$answer.body")" '200 ignored' "$type of a device that nobody knows"
done
is "$(stored)" "$before" '... is not stored'
known=$(new_uuid)
padded "device=$known" "user=$(new_uuid)" mail=padded@example.com
is "$status" 202 'an enrollment with padding'
padded "device=$known" -EventId 'EventType=Device wipe'
is "$status $(jq -r .status "$answer.body")" '200 recorded' 'and the unenrollment of that device'
is "$(stored)" "$((${before%|*} + 2))|1" '... are stored without it'
padded "device=$known" -EventId 'EventType=Device wipe' EnrollmentUserName=again
is "$status $(jq -r .status "$answer.body")" '200 recorded' 'once more: it was known'
eg_mode 503
waiting=$(new_uuid)
event_json "device=$waiting" "user=$(new_uuid)" mail=waiting@example.com >"$root/event.json"
post_event "$root/event.json"
is "$status" 503 'an enrollment that waits for the gateway'
padded "device=$waiting" -EventId 'EventType=Device wipe'
is "$status $(jq -r .status "$answer.body")" '200 recorded' 'its device is known, too'
eg_mode

is "$(grep -vE ' request=[0-9a-f]{32} |\] (serving|stopping;|stopped|.*nothing can be issued$|the CA certificate end)' "$root/handler.log")" '' \
	'every line of a request has its id'
not_ok 'no secret in an answer or a log' told_secrets
done_testing
