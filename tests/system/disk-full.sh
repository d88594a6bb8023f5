#!/bin/bash
# The store's disk is full: events are answered 503, and the log keeps them whole, so that they can
# be handed in once there is room again.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

# A small disk, in a mount namespace of this test's own: gone with its last process.
if [[ -z ${CERTPROV_TEST_APART:-} ]]; then
	((EUID == 0)) || skip_all 'only root can mount a small disk'
	unshare --mount true 2>"$root/unshare.error" || skip_all "no mount namespace: $(<"$root/unshare.error")"
	rm -rf "$root"
	CERTPROV_TEST_APART=yes exec unshare --mount "$BASH" "$0"
fi

log=$root/handler.log
disk=$root/disk
posted=0

fill()
{
	dd if=/dev/zero of="$disk/filler" bs=4096 oflag=append conv=notrunc status=none \
		2>"$root/dd.error" || true
	grep -q 'No space left' "$root/dd.error"
}

make_room()
{
	rm "$disk/filler"
}

# one_event CHANGE...: in $root/event-N.json, over several lines
one_event()
{
	posted=$((posted + 1))
	event_json device="$(new_uuid)" user="$(new_uuid)" mail="u$posted@example.com" "$@" |
		jq . >"$root/event-$posted.json"
}

# The lines that keep an event; the events in them
kept()
{
	grep 'could not be recorded' "$log" || true
}
kept_events()
{
	kept | grep -oP '"certprov enroll -": \K.*'
}

uploaded()
{
	grep -li "$(jq -r .DeviceUUID "$root/event-$1.json")" "$eg"/state/uploads/* | wc -l
}

mkdir "$disk"
mount -t tmpfs -o size=3m none "$disk"
ok 'everything starts' world certificates.key=ec-p256 store.url="sqlite:$disk/certprov.db"
one_event
post_event "$root/event-1.json"
is "$status" 202 'an event while there is room'

# --- full

ok 'the disk is full' fill
one_event DeviceFriendlyName=$'J\u00f6rg\'s "phone" \\ \u202e{}'
post_event "$root/event-2.json"
is "$status" 503 'an enrollment is answered 503'
like "$(header Retry-After)" '^[0-9]+$' '... with Retry-After'
is "$(kept | wc -l)" 1 'one line of the log keeps it'
like "$(kept)" "^[0-9TZ:-]+ error certprov.fcgi\[[0-9]+\] request=$(header X-Request-Id) .*full" \
	'... an error, with the request and the cause'
is "$(kept_events | jq -S .)" "$(jq -S . "$root/event-2.json")" '... as it was sent'
not_ok '... and nothing in it moves a terminal' grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80\xae' "$log"
event_json EventType='Device Enterprise Wipe Requested' EventId:=229 \
	DeviceUUID="$(jq -r .DeviceUUID "$root/event-1.json")" >"$root/gone.json"
post_event "$root/gone.json"
is "$status $(kept | wc -l)" '503 2' 'an unenrollment is kept, too'
post_event - < <(event_json EventType='Compromised Status Changed' EventId:=178)
is "$status $(kept | wc -l)" '200 2' 'an event that asks for nothing is not'
post_event - <<<'{"EventId":148}'
is "$status $(kept | wc -l)" '400 2' 'nor one that is refused'
post_event "$root/event-2.json" --user uem:wrong
is "$status $(kept | wc -l)" '401 2' 'nor one of somebody else'

# --- full when the handler starts

handler_stop
ok '(what SQLite has freed is filled, too)' fill
ok 'the handler starts on a full disk' handler_start
one_event
post_event "$root/event-3.json"
is "$status" 503 'an event then is answered 503'
is "$(kept | wc -l)" 3 '... and is kept'
is "$(kept_events | tail -n 1 | jq -S .)" "$(jq -S . "$root/event-3.json")" '... as it was sent'

configure log.format=json
handler_reload
ok 'the log is JSON now' wait_for 60 grep -q '^{.*the configuration was read anew' "$log"
one_event
post_event "$root/event-4.json"
is "$status" 503 'an event then'
is "$(grep '^{' "$log" | jq -cS 'select(.body) | .body')" "$(jq -cS . "$root/event-4.json")" \
	'... is a member of the object'

# --- room again

make_room
kept_events >"$root/lost"
grep '^{' "$log" | jq -c 'select(.body) | .body' >>"$root/lost"
is "$(wc -l <"$root/lost")" 4 'four events were kept'
while read -r event; do
	ok '... one is handed in' certprov enroll - <<<"$event"
done <"$root/lost"
for n in 2 3 4; do
	is "$(uploaded "$n")" 1 "... and event $n is uploaded"
done
is "$(certprov list events --state pending --json | jq length)" 0 'nothing is left over'
one_event
post_event "$root/event-5.json"
is "$status" 202 'the handler, which was not restarted, works again'

# --- locked by somebody else

mkfifo "$root/commands"
sqlite3 "$disk/certprov.db" <"$root/commands" >"$root/holder.log" 2>&1 &
pids[holder]=$!
exec 9>"$root/commands"
printf 'BEGIN IMMEDIATE;\n.print locked\n' >&9
ok '(another program holds the store)' wait_for 60 grep -q locked "$root/holder.log"
one_event
post_event "$root/event-6.json"
is "$status" 503 'an event then is answered 503'
is "$(grep '^{' "$log" | jq -cS 'select(.body) | .body' | tail -n 1)" \
	"$(jq -cS . "$root/event-6.json")" '... and is kept'
exec 9>&-

umount --lazy "$disk"
done_testing
