#!/bin/bash
# The log: text and JSON, standard error, syslog and the journal; and one request id everywhere.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

log=$root/handler.log

# enrollment CHANGE...: an event of a new device and user
enrollment()
{
	event_json device="$(new_uuid)" user="$(new_uuid)" mail="u$RANDOM$RANDOM@example.com" "$@"
}

# lines ID: of that request, as JSON
lines()
{
	jq -c --arg id "$1" 'select(.request == $id)' "$log"
}

# log_has REGEX FILE
log_has()
{
	wait_for 60 grep -qE "$1" "$2"
}

hostile=$'x",\n"outcome":"forged\e[31m \u202e'

# --- JSON on standard error

ok 'the world is there' world certificates.key=ec-p256 log.format=json
enrollment EventType="$hostile" >"$root/event.json"
post_event "$root/event.json"
is "$status" 202 'an event with a hostile type'
ok 'each line is an object of JSON' jq -e -s 'length > 2 and all(type == "object")' "$log"
is "$(jq -s length "$log")" "$(wc -l <"$log")" 'one line each'
ok '... with time, level, program, process and message' jq -e -s 'all(
	(.time | test("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$")) and .level == "info" and
	.program == "certprov.fcgi" and (.pid | type) == "number" and (.message | type) == "string")' \
	"$log"
not_ok '... and nothing that moves a terminal' grep -qP '[^\x20-\x7e]' "$log"
id=$(header X-Request-Id)
is "$(lines "$id" | wc -l)" 2 'the request has two lines with its id'
is "$(lines "$id" | jq -r 'select(.event) | .type')" "$hostile" 'the type comes out as it went in'
is "$(lines "$id" | jq -r 'select(.event) | "\(.device) \(.user) \(.outcome)"')" \
	"$(jq -r '"\(.DeviceUUID) \(.EnrollmentUserUUID) ok"' "$root/event.json")" \
	'... with device, user and outcome'
is "$(lines "$id" | jq -r 'select(.event) | [.steps[].step] | join(" ")')" \
	'record identity signing encryption pack upload finish total' '... and the steps'
ok '... each with its milliseconds' jq -e -s 'all(.[] | select(.event) | .steps[]; .ms >= 0)' "$log"
is "$(lines "$id" | jq -r 'select(.status) | "\(.method) \(.path) \(.remote) \(.status)"')" \
	'POST /events 127.0.0.1 202' 'the request has method, path, client and status'

# --- one id

ok "nginx's log has it" log_has "request=$id\$" "$front/certprov.access.log"
is "$(certprov list events --json | jq -r '.[0].request_id')" "$id" 'and so has the event'
is "$(certprov list events --audit --json | jq -r 'map(.request_id) | unique | join(" ")')" "$id" \
	'and whatever the audit trail says of it'

enrollment >"$root/event.json"
eg_script 400
post_event "$root/event.json"
is "$status" 502 'a gateway that refuses'
is "$(lines "$(header X-Request-Id)" | jq -r 'select(.event) | "\(.level) \(.outcome)"')" \
	'warning refused' 'is the outcome'
request GET '/now"here'
ok 'a path with a quote' jq -e -s 'any(.path == "/now\"here" and .status == 404)' "$log"

# --- text again, by SIGHUP

configure log.format=text
handler_reload
ok 'the format changes with the configuration' log_has '^[^{].* the configuration was read anew' "$log"
post_event - < <(enrollment EventType="$hostile")
is "$status" 202 'an event then'
ok '... has a line of text' grep -qE \
	"^[0-9TZ:-]+ info certprov\.fcgi\[[0-9]+\] request=$(header X-Request-Id) event=[0-9]+ type=\"x\\\\\",\\\\u000a.*\" device=.* outcome=ok record=" \
	"$log"
handler_stop || true

# --- syslog and the journal, in a /run and a /dev of the handler's own

# run_apart COMMAND...: $root/dev and $root/run take the place of the machine's
run_apart()
{
	# shellcheck disable=SC2016 # for the shell within
	exec unshare --mount sh -e -c '
		root=$1; shift
		mount -t tmpfs none "$root/dev"
		mkdir "$root/dev/shm"
		for device in null zero full random urandom; do
			touch "$root/dev/$device"
			mount --bind "/dev/$device" "$root/dev/$device"
		done
		ln -s "$root/sockets/log" "$root/dev/log"
		mount --rbind "$root/dev" /dev
		mount --rbind "$root/run" /run
		exec "$@"' sh "$root" "$@"
}

# handler_apart TARGET: and what it logs is in $root/TARGET.log
handler_apart()
{
	rm -f "$root/certprov.sock"
	start "$1" run_apart "$(program certprov.fcgi)" -c "$conf" -s "$root/certprov.sock" -w 1
	wait_ready "$1" -S "$root/certprov.sock"
}

# logs_to TARGET FORMAT: an event then; $log is what has come in
logs_to()
{
	configure log.target="$1" log.format="$2"
	log=$root/received
	: >"$log"
	ok "target = $1, format = $2: the handler starts" handler_apart "handler-$1-$2"
	enrollment EventType="$hostile" >"$root/event.json"
	post_event "$root/event.json"
	is "$status" 202 'an event'
	id=$(header X-Request-Id)
	device=$(jq -r .DeviceUUID "$root/event.json")
	user=$(jq -r .EnrollmentUserUUID "$root/event.json")
	ok 'the line of its request comes' log_has 'POST /events from' "$log"
	stop "handler-$1-$2" || true
	is "$(<"$root/handler-$1-$2.log")" '' 'standard error stays empty'
	not_ok 'nothing is forged' grep -qE $'^("outcome":"forged|.*\e)' "$log"
}

mkdir -p "$root"/{dev,run/systemd/journal,sockets}
if unshare --mount sh -c "mount -t tmpfs none '$root/dev'" 2>"$root/unshare.error"; then
	start journal perl "$top_srcdir/tests/system/datagrams.pl" "$root/run/systemd/journal/socket" \
		"$root/received"
	start syslog perl "$top_srcdir/tests/system/datagrams.pl" "$root/sockets/log" "$root/received"
	ok 'a journal is there' wait_ready journal -S "$root/run/systemd/journal/socket"
	ok 'a syslog is there' wait_ready syslog -S "$root/sockets/log"

	logs_to journal text
	awk -v RS= '/CERTPROV_EVENT=/' "$log" >"$root/entry"
	for field in PRIORITY=6 SYSLOG_IDENTIFIER=certprov.fcgi "CERTPROV_REQUEST=$id" \
		"CERTPROV_DEVICE=$device" "CERTPROV_USER=$user" CERTPROV_OUTCOME=ok; do
		ok "the event has $field" grep -qxF "$field" "$root/entry"
	done
	like "$(grep ^MESSAGE= "$root/entry")" "^MESSAGE=event=[0-9]+ type=.* device=$device .* total=" \
		'... and the text'
	like "$(grep ^CERTPROV_TYPE= "$root/entry")" '^CERTPROV_TYPE=x",\\x0a"outcome":' \
		'... and its type, in one line'

	logs_to syslog text
	ok 'priority, name and process come first' grep -qE \
		"^<30>.* certprov\.fcgi\[[0-9]+\]: request=$id event=[0-9]+ type=.* device=$device " "$log"
	logs_to syslog json
	is "$(grep "\"request\":\"$id\"" "$log" | sed 's/^[^{]*//' | tr -d '\0' |
		jq -r 'select(.event) | "\(.device) \(.outcome)"')" "$device ok" 'the object comes behind them'
else
	skip 'syslog and the journal' "no mount namespace here: $(<"$root/unshare.error")"
fi

done_testing
