#!/bin/bash
# The units for systemd: they are right and in a sandbox, as far as that can be tested without
# systemd as init; and a handler whose socket another process holds, as systemd does, can be
# restarted under load. tests/package/package.sh lets systemd itself run them.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-load.sh
. "$top_srcdir/tests/system/lib-load.sh"

handler=$(program certprov.fcgi) || skip_all 'certprov.fcgi is not built'
socket=$root/certprov.sock
units=$root/units
exposure=1.5 # at most, of 10: what systemd-analyze takes to be "OK" ends at 4.9

# --- the units

# exposed UNIT: sets $level, of 10
exposed()
{
	level=$(systemd-analyze security --offline=true --no-pager "$1" |
		sed -n 's/^.*Overall exposure level for [^:]*: \([0-9.]*\) .*/\1/p')
}

ok 'units are made' "$top_srcdir/contrib/systemd/make-units.sh" "$units" \
	"$(dirname "$(program certprov)")" "$(dirname "$handler")" /etc
is "$(cd "$units" && printf '%s\n' *.service *.timer *.socket | sed 's/@//' | sort | uniq -c |
	awk '$1 != 2')" '' 'each for one instance, and as a template'
not_ok 'no place-holder is left' grep -rE '@[a-z]+@' "$units"
for unit in "$units"/certprov@.* "$units"/certprov-*@.*; do
	ok "${unit##*/} is all for its own tenant" grep -q %i "$unit"
	not_ok '... and for nobody else' grep -E '(/certprov/certprov\.|=certprov$)' "$unit"
done
for setting in MemoryMax=2G MemorySwapMax=0 TasksMax=512 KeyringMode=private; do
	is "$(grep -L "^$setting$" "$units"/*.service)" '' "every service has $setting"
done
if command -v systemd-analyze >/dev/null; then
	ok 'systemd finds nothing wrong with them' silent systemd-analyze verify --man=no "$units"/*.*
	cp "$units/certprov.service" "$root/wrong.service"
	printf '[Service]\nKillMoode=mixed\n' >>"$root/wrong.service"
	not_ok '(it would)' silent systemd-analyze verify --man=no "$root/wrong.service"
	for unit in "$units"/*.service; do
		exposed "$unit"
		ok "${unit##*/}: an exposure of $level, at most $exposure of 10" \
			awk -v level="$level" -v most="$exposure" 'BEGIN { exit !(level != "" && level <= most) }'
	done
else
	skip 'systemd-analyze' 'it is not there (Debian: systemd)'
fi
[[ -d /run/systemd/system ]] ||
	diag 'systemd is not init here: no unit was started; tests/check.sh package does that'

# --- what they run first

for unit in "$units"/certprov.service "$units"/certprov@.service; do
	is "$(sed -n 's/^\(ExecStartPre\|ExecReload\)=[^ ]*certprov\( -c [^ ]*\)\{0,1\} config test$/\1/p' "$unit" | xargs)" \
		'ExecStartPre ExecReload' "${unit##*/}: start and reload test the configuration"
	is "$(sed -n 's/^Type=//p' "$unit")" notify '... and it has started when the handler says so'
done

# --- somebody else's socket

ok 'the gateway starts' eg_start
configure certificates.key=ec-p256
ok 'init' certprov_init

# served_by NAME COMMAND...: the main job, through nginx
served_by()
{
	local name=$1 uploads

	shift
	start "$name" "$@"
	ok "$name holds the socket" wait_ready "$name" -S "$socket"
	uploads=$(eg_upload_count)
	event_json device="$(new_uuid)" >"$root/event.json"
	post_event "$root/event.json"
	is "$status $(jq -r .status "$answer.body")" '202 delivered' '... and an event is answered'
	is "$(eg_upload_count)" $((uploads + 1)) '... after its upload'
}

# --- what systemd is told

# told PATTERN: the last that came fits
told()
{
	grep -v '^$' "$root/told" | grep -E '^(READY|RELOADING|STOPPING)=' | tail -n 1 | grep -qE "$1"
}

# times WORD COUNT
times()
{
	(($(grep -c "^$1=1" "$root/told") >= $2))
}

: >"$root/told"
start systemd perl "$top_srcdir/tests/system/datagrams.pl" "$root/notify" "$root/told"
ok 'somebody listens' wait_ready systemd -S "$root/notify"
export NOTIFY_SOCKET=$root/notify
handler_start
ok 'READY=1 comes' wait_for 60 told READY
handler_reload
ok 'a reload is announced, and its end' wait_for 60 times READY 2
ok '... in this order' times RELOADING 1
printf 'nonsense = 1\n' >>"$conf"
handler_reload
ok 'one with a wrong configuration, too' wait_for 60 times READY 3
configure certificates.key=ec-p256
handler_stop
ok 'a stop is announced' told STOPPING
printf 'nonsense = 1\n' >>"$conf"
: >"$root/told"
handler_start || true
stop handler || true
not_ok 'a wrong configuration is never ready' grep -q READY "$root/told"
configure certificates.key=ec-p256
unset NOTIFY_SOCKET
stop systemd || true

ok 'nginx starts' front_start
if command -v systemd-socket-activate >/dev/null; then
	served_by activate systemd-socket-activate --listen="$socket" --inetd "$handler" -c "$conf" -w 2
	code=0
	stop activate || code=$?
	is "$code" 0 '... and SIGTERM ends it with 0'
	rm -f "$socket"
else
	skip 'systemd-socket-activate' 'it is not there (Debian: systemd)'
fi

# --- restarted under load

more_served_than()
{
	(($(grep -c "serving descriptor 0" "$root/holder.log") > $1))
}

more_answers_than()
{
	(($(wc -l <"$posted") > $1)) || ! posts_run
}

served_by holder perl "$top_srcdir/tests/system/hold-socket.pl" "$socket" "$handler" -c "$conf" -w 4
events 0badcaf 200 200
uploads=$(eg_upload_count)
# Fewer at a time than workers: a worker that is told to stop first serves the waiting requests.
posts_begin 3 "$root"/0badcaf/???
restarts=0
for ((i = 1; i <= 5; i++)); do
	wait_for 120 more_answers_than $((i * 25))
	! posts_run || restarts=$((restarts + 1))
	kill -HUP "${pids[holder]}"
	wait_for 120 more_served_than "$i"
done
posts_end
is "$restarts" 5 '200 events, and five restarts while they come'
is "$(grep -c '^ended' "$root/holder.log") $(grep -c '^ended .* with 0$' "$root/holder.log")" '5 5' \
	'... each an orderly end'
is "$statuses" 200x202 '... every event is answered 202: no 502, no 503'
is "$(certprov list uploads --state delivered --json |
	jq '[.[] | select(.device_uuid | startswith("0badcaf"))] | length')" 200 '... and nothing is lost'
ok '... nor uploaded less than once' test "$(eg_upload_count)" -ge $((uploads + 200))

done_testing
