#!/bin/bash
# The Escrow Gateway, or a CA, takes requests and never answers: new events are on the disk at once,
# and their senders are answered soon. Also while the handler is restarted.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-load.sh
. "$top_srcdir/tests/system/lib-load.sh"

# Far below what a sender waits for, far above what is expected (4 s): the machine may be busy.
answer_max=15

# burst TAG COUNT SECONDS: posts that many enrollments over that time, each with its own user;
# $root/TAG.times gets a line for each: STATUS SECONDS RETRY-AFTER
burst()
{
	local tag=$1 count=$2 file

	events "$tag" "$count" "$count"
	for file in "$root/$tag"/???; do
		curl --silent --max-time 120 --cacert "$pki/front-ca.crt" --user "$credentials" \
			--header 'Content-Type: application/json' --data-binary "@$file" \
			--output /dev/null --write-out \
			'%{http_code} %{time_total} %header{retry-after}\n' \
			"$front_url/events" >>"$root/$tag.times" &
		sleep "$(jq -n "$3 / $count")"
	done
}

# Waits for all posts of it. Others keep coming meanwhile, as a post may hold its slot for the whole
# of the gateway's timeout where nobody else needs the slot.
burst_ends()
{
	others=0
	wait_for 180 is_answered "$1" "$2"
}

is_answered()
{
	[[ $(wc -l <"$root/$1.times") == "$2" ]] && return
	if ((others % 10 == 0 && others < 600)); then
		post_another &
	fi
	others=$((others + 1))
	return 1
}

post_another()
{
	event_json "device=$(new_uuid)" "user=$(new_uuid)" | curl --silent --max-time 120 \
		--cacert "$pki/front-ca.crt" --user "$credentials" \
		--header 'Content-Type: application/json' --data-binary @- --output /dev/null \
		"$front_url/events" || true
}

statuses_of()
{
	cut -d ' ' -f 1 "$root/$1.times" | sort | uniq -c | awk '{ printf "%s%dx%s", s, $1, $2; s = " " }'
}

slowest_of()
{
	cut -d ' ' -f 2 "$root/$1.times" | sort -n | tail -n 1
}

recorded()
{
	sqlite3 -cmd '.timeout 9000' "$root/certprov/certprov.db" \
		"SELECT count(DISTINCT device_uuid) FROM event WHERE device_uuid LIKE '$1%'"
}

undelivered()
{
	sqlite3 -cmd '.timeout 9000' "$root/certprov/certprov.db" \
		"SELECT count(*) FROM event WHERE state NOT IN ('delivered', 'recorded')"
}

# was_recorded TAG COUNT WHAT
was_recorded()
{
	diag "$3: slowest answer $(slowest_of "$1") s; $(statuses_of "$1")"
	is "$(recorded "$1")" "$2" "$3: all $2 events are recorded"
	is "$(statuses_of "$1")" "$2x503" '... and answered 503'
	is "$(awk 'NF < 3' "$root/$1.times")" '' '... with Retry-After'
	ok "... within $answer_max s" jq -ne "$(slowest_of "$1") < $answer_max"
}

in_log()
{
	grep -q -- "$1" "$root/handler.log"
}

delivers_all()
{
	certprov deliver --now 2>>"$root/deliver.log" || true
	[[ $(undelivered) == 0 ]]
}

workers=3
ok 'everything starts' world certificates.key=ec-p256 certificates.key-pool=0 escrow.timeout=20s

# --- a gateway that hangs

eg_mode hang 60
burst a111111 200 10
ok '(all are answered)' burst_ends a111111 200
was_recorded a111111 200 'the gateway hangs'

device_post()
{
	event_json "device=$(new_uuid)" "user=$(new_uuid)" >"$root/event.json"
	post_event "$root/event.json"
	[[ $status == 202 ]]
}

not_tried()
{
	device_post || true
	in_log "$eg_url: not tried, because it did not answer in time"
}
ok 'after some timeouts it is not tried any more' wait_for 180 not_tried
ok '... as the log says' in_log "$eg_url: no answer in time, [0-9]* times in a row"
eg_mode
ok 'the gateway is back: deliver finishes all' wait_for 120 delivers_all
ok '... and the handler tries it again' wait_for 120 device_post

# --- a burst that can be done is done

eg_mode slow 0.2
events b222222 40 10
post_many 40 "$root"/b222222/???
is "$statuses" 40x202 '40 at once, a gateway that is a little slow: 202'
eg_mode

# --- a restart in the middle, the socket held by another process as systemd does

handler_stop
binary=$(program certprov.fcgi)
start holder perl "$top_srcdir/tests/system/hold-socket.pl" "$root/certprov.sock" \
	"$binary" -c "$conf" -w 3
ok 'a handler on a held socket' wait_for 60 device_post
eg_mode hang 60
burst c333333 100 5
kill -HUP "${pids[holder]}"
burst d444444 100 5
ok '(all are answered)' burst_ends c333333 100
ok '(all are answered)' burst_ends d444444 100
was_recorded c333333 100 'before a restart'
was_recorded d444444 100 'during a restart and after it'
eg_mode
ok 'the gateway is back: deliver finishes all' wait_for 120 delivers_all
stop holder

# --- two workers are the least

workers=1
ok 'one worker is asked for' handler_start
eg_mode hang 60
burst e555555 30 3
ok '(all are answered)' burst_ends e555555 30
was_recorded e555555 30 'with one worker'
eg_mode
ok 'the gateway is back: deliver finishes all' wait_for 120 delivers_all

done_testing
