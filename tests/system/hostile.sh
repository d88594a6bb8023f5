#!/bin/bash
# What an attacker or an accident can do besides single requests: forged lines in the log, files at
# their limit, an altered store, a clock that jumps, unusable passwords.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

for tool in faketime pgrep prlimit sqlite3; do
	command -v "$tool" >/dev/null || skip_all "no $tool here"
done

user=$(new_uuid)
device=$(new_uuid)
log=$root/handler.log

enrollment()
{
	event_json device="$device" user="$user" mail=victim@example.com "$@"
}

in_log()
{
	grep -qE -- "$1" "$log"
}

workers_now()
{
	pgrep -P "${pids[handler]}" | sort | xargs
}

# limit_files BYTES: as RLIMIT_FSIZE of each worker
limit_files()
{
	local pid

	for pid in $(workers_now); do
		prlimit --pid "$pid" --fsize="$1:unlimited"
	done
}

ok 'the world is there' world certificates.key=ec-p256

# --- the log

request GET '/nowhere%20from%2010.0.0.1:%20401%20in%200%20ms'
is "$status" 404 'a path that looks like a line of the log is not found'
ok '... and stays one word there' in_log 'GET /nowhere_from_10\.0\.0\.1:_401_in_0_ms from 127\.0\.0\.1: 404'
not_ok '... nothing is said of the address in it' in_log 'from 10\.0\.0\.1'

post_event - < <(enrollment 'EventType=x" outcome=forged "')
is "$status" 202 'an event type with quotes is taken for its id'
ok '... and stays one value in the log' in_log 'type="x\\" outcome=forged \\"" device='

post_event - < <(enrollment EventId:=999 'EventType=x" y="')
is "$status" 200 'an unknown one is ignored'
ok '... and quoted, too' in_log 'type="x\\" y=\\"" asks nothing'

# --- events that are damaged where it does not matter, and where it does

# spoiled BYTES CHANGE...: an event, with these bytes (as printf has them) in the place of DAMAGE
spoiled()
{
	local bytes=$1

	shift
	enrollment "$@" | perl -0pe 'BEGIN { $bytes = shift } s/DAMAGE/$bytes/' "$(printf '%b' "$bytes")"
}

# repaired NAME BYTES: where they only decorate
repaired()
{
	local before

	before=$(wc -l <"$log")
	spoiled "$2" DeviceFriendlyName=DAMAGE >"$root/spoiled.json"
	post_event "$root/spoiled.json"
	is "$status" 202 "$1: done"
	is "$(tail -n "+$((before + 1))" "$log" | grep -c "event of device $device was damaged")" 1 \
		'... and said once'
}

repaired 'half an emoji' 'Zoe \\ud83d'
repaired 'Windows-1252' 'Zo\0353'
repaired 'cut UTF-8' 'Zoe \0360\0237\0230'
repaired 'a raw tab' 'Zoe\tphone'
repaired 'padded with NUL' 'Zoe\\u0000\\u0000'
repaired '1,100 bytes' "$(printf 'x%.0s' {1..1100})"
enrollment PhoneNumber:=491701234567 DeviceId:='"15"' EventId:='"148"' >"$root/types.json"
post_event "$root/types.json"
is "$status" 202 'numbers as strings and strings as numbers: done'

# refused_at STATUS FIELD NAME BYTES CHANGE...
refused_at()
{
	local want=$1 field=$2 name=$3 bytes=$4

	shift 4
	spoiled "$bytes" "$@" >"$root/spoiled.json"
	post_event "$root/spoiled.json"
	is "$status $(jq -r .field "$answer.body")" "$want $field" "$name: $want, $field"
	ok '... its device is in the log' in_log "device=$device .*outcome=unprocessable|device $device: DeviceUUID must"
}

refused_at 422 EnrollmentEmailAddress 'a damaged address' '\\ud83d' mail=vDAMAGE@example.com
refused_at 422 EnrollmentEmailAddress 'an address that goes on behind a NUL' '\\u0000x' \
	mail=victim@example.comDAMAGE
refused_at 422 EnrollmentUserName 'a damaged name that makes the address' '\0353' mail= name=vDAMAGE
refused_at 422 EnrollmentUserName 'a damaged name in the subject' '\\udc00' name=vDAMAGE
refused_at 400 DeviceUUID 'a device that goes on behind a NUL' '\\u0000x' DeviceUUID="${device}DAMAGE"
for value in '"\\u00g0"' 01 1. -01 2.e3; do
	enrollment X=DAMAGE | sed "s/\"DAMAGE\"/$value/" >"$root/spoiled.json"
	post_event "$root/spoiled.json"
	is "$status" 400 "no JSON, though cJSON takes it: $value"
	like "$(jq -r .detail "$answer.body")" "device $device" '... and the answer names the device'
done

# --- names of events

named_event()
{
	local want=$1 name=$2 answers=$3

	enrollment EventId:=9001 "EventType=$name" mail= name= >"$root/named.json"
	post_event "$root/named.json"
	is "$status $(jq -r .status "$answer.body")" "200 $answers" "\"$name\" is $want"
}

named_event ignored 'Device Wipe Cancelled' ignored
ok '... with a warning' in_log 'warning .*"Device Wipe Cancelled" device=.*: ignored, but'
for name in DeleteDeviceRequested DeviceWipeRequested BreakMDMRequested UnenrolledEnterpriseWipe; do
	named_event 'an unenrollment' "$name" recorded
	is "$(query "SELECT count(*) FROM event WHERE kind = 'unenrolled' AND event_type = '$name'")" 1 \
		'... and recorded as one'
done
post_event - < <(enrollment)
is "$status" 202 'and it enrolls again'

# --- a file at its limit (RLIMIT_FSIZE) is like a full disk

before=$(workers_now)
limit_files 4096
post_event - < <(enrollment)
is "$status" 503 'a store that cannot grow: later'
ok '... Retry-After' test -n "$(header Retry-After)"
request GET /events
is "$status" 200 'and other requests are answered'
is "$(workers_now)" "$before" 'no worker died of it'
limit_files unlimited
post_event - < <(enrollment)
is "$status" 202 'when it can grow again, all is well'

# --- a store in which somebody has written

uploads=$(eg_upload_count)
query "CREATE TABLE saved AS SELECT id, chain FROM credential;
	UPDATE credential SET chain = (SELECT chain FROM saved
		WHERE saved.id != credential.id ORDER BY id LIMIT 1)"
post_event - < <(enrollment)
is "$status" 503 "a key beside another's certificate is not delivered"
is "$(eg_upload_count)" "$uploads" '... nor sent'
ok '... the log names the certificate' in_log 'certificate with serial [0-9a-f]+: sealed under another'
is "$(query "SELECT count(*) FROM event WHERE state = 'pending'")" 1 '... and the event is kept'
query 'UPDATE credential SET chain = (SELECT chain FROM saved WHERE saved.id = credential.id);
	DROP TABLE saved'
ok 'when the store is fixed, the event is delivered' certprov deliver --now
is "$(query "SELECT count(*) FROM event WHERE state = 'pending'")" 0 '... all of it'

# --- a clock that was ahead, and is right again

# What is enrolled while the clock is ahead; the gateway, whose clock is right, refuses it.
enroll_ahead()
{
	timeout 60 faketime -f +20d "$(program certprov)" -c "$conf" enroll "$1" \
		>>"$root/early.log" 2>&1 || true
}

if grep -qa __asan_init "$(program certprov)"; then
	skip 'certificates from the future' 'libfaketime hangs under AddressSanitizer'
else
	enrollment device="$(new_uuid)" user="$(new_uuid)" >"$root/early.json"
	enroll_ahead "$root/early.json"
	is "$(query "SELECT count(*) FROM credential WHERE state = 'active'
		AND not_before > unixepoch() + 86400")" 2 'certificates from the future'
	post_event "$root/early.json"
	is "$status" 202 '... are replaced by some that are valid now'
	is "$(query "SELECT count(*) FROM credential WHERE state = 'active'
		AND not_before > unixepoch()")" 0 '... all of them'
fi

# --- a password that no PKCS#12 file can have

ok 'the handler stops' handler_stop
(
	umask 077
	printf 'key \360\237\224\221\n' >"$root/certprov/p12.password"
)
code=0
certprov check >"$root/check.out" || code=$?
is "$code" 78 'check finds it'
ok '... with file and cause' grep -q 'FAILED  PKCS#12 password: .*p12.password: .*beyond U+FFFF' \
	"$root/check.out"
code=0
"$(program certprov.fcgi)" -c "$conf" -s "$root/certprov.sock" 2>>"$log" || code=$?
is "$code" 78 'and the handler does not start'
printf '\357\273\277%s\r\n' "$eg_password" >"$root/certprov/p12.password"
ok 'the right one, behind a byte order mark, is taken' handler_start
post_event - < <(enrollment)
is "$status" 202 '... without the mark'

sanitizers_are_silent
done_testing
