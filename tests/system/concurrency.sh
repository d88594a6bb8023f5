#!/bin/bash
# Many events at the same time, workers that are killed, signals under load: what
# the Escrow Gateway has in the end is what one event after the other would have given.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-load.sh
. "$top_srcdir/tests/system/lib-load.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"

workers=4
table=$root/table

log_is_quiet()
{
	! grep -E '^[^ ]+ (error|warning) ' "$root/handler.log"
}

figure_is()
{
	[[ $(figure "$1") == "$2" ]]
}

# serials OWNER USAGE: of the active certificates, as the store has them.
serials()
{
	certprov list certificates --state active --json |
		jq -r --arg owner "$1" --arg usage "$2" --arg tag "$3" '.[]
			| select(.usage == $usage and (.user_uuid | startswith($tag)))
			| "\(.[$owner]) \(.serial)"' | sort
}

# all_is_once TAG DEVICES USERS: $table holds each device's signing credential and each user's
# encryption credential, and nobody else's.
all_is_once()
{
	is "$(count_column 1 <"$table")" "$2" "$2 devices are served"
	is "$(count_column 4 <"$table")" "$2" "with $2 signing keys"
	is "$(count_column 1 3 4 5 <"$table")" "$2" 'each device with its own'
	is "$(count_column 7 <"$table")" "$3" "and $3 encryption keys"
	is "$(count_column 2 6 7 8 <"$table")" "$3" "each user with the same on all devices"
	is "$(column 1 3 <"$table")" "$(serials device_uuid signing "$1")" \
		'the store has these signing certificates as the active ones'
	is "$(column 2 6 <"$table")" "$(serials user_uuid encryption "$1")" \
		'and these encryption certificates'
	is "$(column 2 5 <"$table")" "$(column 2 8 <"$table")" 'both for one address'
	is "$(awk '{ split($5, mail, "[.@]"); if (substr($2, 25) + 0 != mail[2]) print }' <"$table")" \
		'' "the user's own"
}

children()
{
	pgrep -P "${pids[handler]}" || true
}

most_memory()
{
	local pid

	for pid in $(children); do
		awk '/^VmHWM:/ { print $2 }' "/proc/$pid/status"
	done | sort -n | tail -n 1
}

memory_is_small()
{
	if sanitized; then
		skip "$1" 'built with AddressSanitizer'
	else
		ok "$1: $(most_memory) kB" test "$(most_memory)" -lt 16384
	fi
}

command -v pgrep >/dev/null || skip_all 'pgrep (Debian: procps) is not there'
ok 'everything starts' world

# --- the same event, twenty times

same=()
for ((i = 0; i < 20; i++)); do
	cp "$sample_event" "$root/same-$i"
	same+=("$root/same-$i")
done
post_many 8 "${same[@]}"
is "$statuses" 20x202 'the same event 20 times, 8 at a time: 202'
is "$(eg_upload_count)" 20 'each after an upload'
upload_table >"$table"
is "$(count_column 1 2 3 4 5 6 7 8 <"$table")" 1 'all of the same two credentials'
is "$(figure signing_active) $(figure encryption_active)" '1 1' 'there are no others'
is "$(figure signing_archived) $(figure encryption_archived)" '0 0' 'and were none'
is "$(cat "${same[@]/%/.answer}" | jq -c .certificates | sort -u | wc -l)" 1 'all answers agree'
ok 'nothing in the log but success' log_is_quiet

# --- 64 devices of 8 users at once

events a111111 64 8
post_many 64 "$root"/a111111/???
is "$statuses" 64x202 '64 devices of 8 users at once: 202'
upload_table 21 >"$table"
all_is_once a111111 64 8
is "$(jq -r '"\(.device_uuid) \(.certificates[] | select(.usage == "signing").serial)"' \
	"$root"/a111111/*.answer | sort)" "$(column 1 3 <"$table")" 'the answers name the same'
ok 'nothing in the log but success' log_is_quiet
is "$(figure uploads_delivered) $(figure events_delivered)" '65 84' 'all is delivered'
memory_is_small "a worker's memory"

# --- SIGHUP under load

# repeat FILE...: the same events, until each is answered 202. On a slow machine some are asked to
# come again, 503, as others make no progress.
repeat()
{
	local tries=0

	post_many 4 "$@"
	while [[ $statuses != "$#x202" ]] && ((tries++ < 10)); do
		sleep 1
		post_many 4 "$@"
	done
}

# uploads_begin COUNT: there are more than that
uploads_begin()
{
	(($(eg_upload_count) > $1))
}

configure certificates.key=ec-p256
events b222222 240 16
eg_mode slow 0.2
begun=$(eg_upload_count)
posts_begin 32 "$root"/b222222/???
ok '(the load has begun)' wait_for 120 uploads_begin "$begun"
for level in debug info debug; do
	mapfile -t old < <(children)
	configure log.level=$level
	handler_reload
	ok 'SIGHUP under load: the old workers go' wait_for 120 gone "${old[@]}"
done
configure certificates.validity=12
handler_reload
ok 'a wrong configuration is not taken' wait_for 120 \
	grep -q 'stays in force: .*certprov.conf:[0-9]*: ' "$root/handler.log"
ok '(the load has lasted)' posts_run
eg_mode
posts_end
unlike "$statuses" 'x([^25]|2[^0]|5[^0]|50[^3])' 'no request fails'
repeat "$root"/b222222/???
is "$statuses" 240x202 'or it is tried again: 202'
configure certificates.validity=
upload_table $((20 + 64 + 1)) >"$table"
all_is_once b222222 240 16

# --- workers that are killed

killed_are()
{
	[[ $(grep -c 'killed by signal 9' "$root/handler.log") == "$1" ]]
}

# kill_some COUNT: that many workers, one after the other, whatever they are doing.
kill_some()
{
	local -a all
	local i

	for ((i = 1; i <= $1; i++)); do
		sleep "0.$((RANDOM % 4 + 1))"
		mapfile -t all < <(children)
		((${#all[@]} == 0)) || kill -KILL "${all[RANDOM % ${#all[@]}]}" 2>/dev/null || true
		wait_for 120 killed_are "$i" || true
	done
}

handler_stop
workers=8 ok 'eight workers' handler_start
before=$(eg_upload_count)
events c333333 320 20
eg_mode slow 0.2
posts_begin 16 "$root"/c333333/???
ok '(the load has begun)' wait_for 120 uploads_begin "$before"
kill_some 6
eg_mode
posts_end
like "$statuses" '502' 'workers are killed in mid-request'
diag "$statuses"
ok 'and replaced' killed_are 6
repeat "$root"/c333333/???
is "$statuses" 320x202 'the same events again: 202'
upload_table $((before + 1)) >"$table"
all_is_once c333333 320 20
is "$(figure events_pending) $(figure events_failed) $(figure uploads_pending)" '0 0 0' \
	'nothing is left to do'
is "$(figure signing_archived) $(figure encryption_archived)" '0 0' 'and nothing was made twice'
is "$(sqlite3 "$root/certprov/certprov.db" 'PRAGMA integrity_check')" ok 'the store is sound'

# --- SIGTERM under load

# All twelve have come to the handler's socket, beside which there is the listening one.
all_have_come()
{
	(($(grep -c " $root/certprov.sock\$" /proc/net/unix) - 1 + $(wc -l <"$posted") - begun >= 12))
}

events d444444 12 3
eg_mode slow 0.5
begun=$(wc -l <"$posted")
posts_begin 12 "$root"/d444444/???
ok 'all workers are busy, and more wait for them' wait_for 120 all_have_come
code=0
handler_stop || code=$?
is "$code" 0 'SIGTERM under load: exit 0'
posts_end
unlike "$statuses" 'x([^25]|2[^0]|5[^0]|50[^3])' 'after everything was answered'
eg_mode
certprov deliver --now >"$root/output" 2>&1 || true
is "$(figure events_pending)" 0 'and written down'

# --- keys made ahead

# State of the key maker, and the CPU time that it has used.
key_maker()
{
	local pid

	for pid in $(children); do
		if [[ $(ps -o cls= -p "$pid") == *IDL* ]]; then
			awk '{ print $3, $14 + $15 }' "/proc/$pid/stat"
		fi
	done
}
key_maker_time()
{
	key_maker | cut -d ' ' -f 2
}

# It has worked, and two looks find it asleep. It runs only where nobody else wants to: on a busy
# machine it stands still for long, but ready to run.
key_maker_rests()
{
	local first

	first=$(key_maker)
	[[ $first == 'S '[1-9]* ]] || return 1
	sleep 1
	[[ $(key_maker) == "$first" ]]
}

configure certificates.key=rsa-2048 certificates.key-pool=4
ok 'with a pool of keys' handler_start
ok 'keys are made ahead, and no more than are wanted' wait_for 900 key_maker_rests
spent=$(key_maker_time)
before=$(eg_upload_count)
events e555555 24 12
post_many 8 "$root"/e555555/???
is "$statuses" 24x202 '24 devices of 12 users: 202'
upload_table $((before + 1)) >"$table"
all_is_once e555555 24 12
is "$( (column 4 <"$table"; column 7 <"$table") | sort -u | wc -l)" 36 'no key was handed out twice'
ok 'and the pool is filled anew' wait_for 900 key_maker_rests
ok 'by the key maker' test "$(key_maker_time)" -gt "$spent"
memory_is_small "a worker's memory with it"
mapfile -t all < <(children)
handler_stop
is "$(ps -o pid= -p "$(IFS=,; echo "${all[*]}")")" '' 'no process outlives the handler'

done_testing
