#!/bin/bash
# Processes are killed by SIGKILL, at random and at every step of their work, by the dozen and under
# load, while every third answer of the gateway fails. Afterwards every recorded event is delivered,
# every answer is true, every user has one key, and no key or password lies anywhere in the open.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-load.sh
. "$top_srcdir/tests/system/lib-load.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"
# shellcheck source=tests/system/lib-store.sh
. "$top_srcdir/tests/system/lib-store.sh"

EVENTS=500 # at least
KILLS=50
PACE=8 # events for each kill
# Points of tests/stops/stops.c that every enrollment passes; two more need their occasion.
points=(record identity signing encryption pack upload finish issued sent written committed)
seed=${CERTPROV_TEST_SEED:-$((RANDOM * 32768 + RANDOM))}

product=("$(program certprov)" "$(program certprov.fcgi)")
CERTPROV_BINDIR=$top_builddir/tests/stops
export CERTPROV_TEST_STOPS=$root/stops TMPDIR=$root/tmp
db=$root/certprov/certprov.db
batch=$root/batch
posts_made=0
kills=0 # those that the handler's log does not have
parents=0
planted=0
workers=4
mkdir "$CERTPROV_TEST_STOPS" "$TMPDIR" "$batch"

# --- killing

# As kill -KILL, but for what is gone already; counts.
kill_now()
{
	local pid

	for pid; do
		! kill -KILL "$pid" 2>/dev/null || kills=$((kills + 1))
	done
}

children()
{
	pgrep -P "$1" || true
}

# Deaths that nobody denies: the parent logs each of its children's.
deaths()
{
	echo $((kills + $(grep -c 'killed by signal 9' "$root/handler.log")))
}

kill_worker()
{
	local -a all

	mapfile -t all < <(children "${pids[handler]}")
	((${#all[@]} == 0)) || kill -KILL "${all[RANDOM % ${#all[@]}]}" 2>/dev/null || true
}

# The sender waits meanwhile: it would only be told that nobody is there.
kill_handler()
{
	local sender

	sender=$(pgrep -P "${posts:-$$}" -x curl || true)
	[[ -z $sender ]] || kill -STOP "$sender" 2>/dev/null || true
	kill_now "${pids[handler]}" "$@"
	wait "${pids[handler]}" 2>/dev/null || true
	unset 'pids[handler]'
	parents=$((parents + 1))
	handler_start || diag "the handler does not start: $(tail -n 3 "$root/handler.log")"
	[[ -z $sender ]] || kill -CONT "$sender" 2>/dev/null || true
}

kill_all()
{
	local -a all

	mapfile -t all < <(children "${pids[handler]}")
	kill_handler "${all[@]}"
}

# The next point: the first process that comes there is killed. Each has its turn twice.
plant()
{
	: >"$CERTPROV_TEST_STOPS/${points[planted++ % ${#points[@]}]}"
}

strike()
{
	local what=$((RANDOM % 12))

	if ((what < 6 && planted < 2 * ${#points[@]})); then
		plant
	elif ((what == 10)); then
		kill_handler
	elif ((what == 11)); then
		kill_all
	else
		kill_worker
	fi
}

# Without a clean-up by anybody.
kill_for_good()
{
	local -a all

	mapfile -t all < <(children "${pids[handler]}")
	kill_now "${pids[handler]}" "${all[@]}"
	wait "${pids[handler]}" 2>/dev/null || true
	unset 'pids[handler]'
	wait_for 60 gone "${all[@]}"
}

is_taken()
{
	[[ ! -e $CERTPROV_TEST_STOPS/$1 ]]
}

# --- posting

# files FILE...: sets $files, copies with a name of their own, for their answers.
batch_of()
{
	local file

	files=()
	for file; do
		files+=("$batch/$((++posts_made))")
		cp "$file" "${files[-1]}"
	done
}

# any_of COUNT FILE...: sets $some
any_of()
{
	local count=$1

	shift
	some=()
	while ((count-- > 0)); do
		some+=("${@:RANDOM % $# + 1:1}")
	done
}

gateway_fails()
{
	local -a how=(503 503 drop cut)

	eg_mode fail 3 "${how[RANDOM % ${#how[@]}]}"
}

# under_fire FILE...: posts them, 8 at a time, while somebody is killed every now and then.
under_fire()
{
	local next

	batch_of "$@"
	next=$(($(wc -l <"$posted") + PACE))
	posts_begin 8 "${files[@]}"
	while posts_run; do
		if (($(wc -l <"$posted") >= next)); then
			next=$((next + PACE))
			sleep "0.0$((RANDOM % 10))"
			gateway_fails
			strike
		fi
		sleep 0.01
	done
	posts_end
	diag "$# events: $statuses; $(deaths) killed so far, $parents of them parents"
}

answered_more_than()
{
	(($(wc -l <"$posted") > $1))
}

event_count()
{
	store_sql "$db" 'SELECT count(*) FROM event'
}

all_points_are_taken()
{
	((planted >= ${#points[@]})) && [[ -z $(ls "$CERTPROV_TEST_STOPS") ]]
}

command -v pgrep >/dev/null || skip_all 'pgrep (Debian: procps) is not there'
diag "CERTPROV_TEST_SEED=$seed"
RANDOM=$seed
not_ok 'the product knows of no stops' grep -q CERTPROV_TEST_STOPS "${product[@]}"
ok '(the test programs do)' grep -q CERTPROV_TEST_STOPS "$(program certprov.fcgi)"
ok 'everything starts' world certificates.key=ec-p256 certificates.key-pool=8 \
	escrow.timeout=5s events.on-unenroll=revoke-signing

# --- 60 users with 1 to 12 devices each; 12 devices that will go again; repeats of all

# shellcheck disable=SC2016 # jq's own
events c0ffee0 390 60 '($i / 78 | floor) * 12 + ((8 * ($i % 78) + 1 | sqrt) - 1) / 2 | floor'
events badcafe 12 6
enrollments=("$root"/c0ffee0/??? "$root"/badcafe/???)
load=()
for file in "${enrollments[@]}"; do
	load+=("$file")
	((RANDOM % 3)) || load+=("${load[RANDOM % ${#load[@]}]}")
done
under_fire "${load[@]}"
for _ in {1..15}; do
	if (($(event_count) >= EVENTS && $(deaths) >= KILLS)) && all_points_are_taken; then
		break
	fi
	any_of 60 "${enrollments[@]}"
	under_fire "${some[@]}"
done
ok "$(event_count) events are recorded" test "$(event_count)" -ge "$EVENTS"
ok "$(deaths) processes were killed" test "$(deaths)" -ge "$KILLS"
ok "$parents parents among them" test "$parents" -ge 1
is "$(ls "$CERTPROV_TEST_STOPS")" '' "at each of ${points[*]}"

# --- the steps that need an occasion: waiting for deliver, and an unenrollment

stop_deliver()
{
	: >"$CERTPROV_TEST_STOPS/$1"
	code=0
	certprov deliver --now --rate 1000 >"$root/deliver.log" 2>&1 || code=$?
}

eg_mode 503
events decade0 4 2
batch_of "$root"/decade0/???
post_many 4 "${files[@]}"
is "$statuses" 4x503 'the gateway is busy'
eg_mode
stop_deliver upload
is "$code" 75 'deliver is killed behind an upload'
like "$(<"$root/deliver.log")" 'ended too early' 'and says so'
is_leased=$(store_sql "$db" 'SELECT device_uuid FROM lease WHERE claimed ORDER BY until DESC LIMIT 1')
# As if it were held by a process that lives: one on another machine cannot be told.
store_sql "$db" "UPDATE lease SET holder = ''"
file=$(grep -lF "\"$is_leased\"" "$root"/{c0ffee0,badcafe,decade0}/???)
batch_of "$file"
: >"$CERTPROV_TEST_STOPS/turn"
post_many 1 "${files[@]}"
is "$statuses" 1x502 'the handler waits for the same device, and is killed then'
ok '... then' is_taken turn

# Those that were not so lucky as to be recorded must be there before they can go.
batch_of "$root"/badcafe/???
post_many 4 "${files[@]}"
for file in "$root"/badcafe/???; do
	jq -c '.EventId = 39 | .EventType = "Break MDM Confirmed" | .EnrollmentUserUUID = ""' \
		"$file" >"$file.gone"
done
batch_of "$root"/badcafe/???.gone
: >"$CERTPROV_TEST_STOPS/revoke"
post_many 4 "${files[@]}"
# Whose worker was killed in mid-work waits for the end of that one's lease.
like "$statuses" '^([0-9]+x200 )?1x502( [0-9]+x503)?$' 'twelve devices go; one worker is killed over it'
ok '... when it had revoked the certificate' is_taken revoke
steps_logged()
{
	sed -n 's/.* outcome=[a-z-]* //p' "$root/handler.log" | grep -oE '[a-z]+=' | tr -d = |
		sort -u | grep -vx total
}
is "$(comm -13 <(printf '%s\n' "${points[@]}" turn revoke | sort) <(steps_logged))" '' \
	'there are no other steps'

# --- all are killed at once, in mid-work, and everything they have left is searched

any_of 60 "$root"/c0ffee0/???
batch_of "${some[@]}"
before=$(wc -l <"$posted")
posts_begin 8 "${files[@]}"
wait_for 60 answered_more_than $((before + 20))
kill_for_good 2>/dev/null
posts_end
diag "at last: $statuses; $(deaths) killed"
kept=("$root/certprov/"{ca.key,store.key,certificate.password,p12.password})

# What could be read by others than those that must have it, and the store.
places()
{
	find "$root/certprov" "$front" "$TMPDIR" "$root"/*.log "$batch"/*.answer -type f |
		grep -vxFf <(printf '%s\n' "${kept[@]}")
}

mapfile -t searched < <(places)
# shellcheck disable=SC2046 # numbers
secrets_note $(seq 1 40 "$(eg_upload_count)")
like "${searched[*]}" "$db .*" 'the store is among what is searched'
ok 'its log too' test -s "$db-wal"
not_ok 'no key, no password lies in the open' secrets_in "${searched[@]}"

# found FORM FILE: it is, when a copy of the store has it in its middle
found()
{
	local size

	size=$(stat -c %s "$db")
	{
		head -c $((size / 2 + 1)) "$db"
		cat "$2"
		tail -c +$((size / 2 + 2)) "$db"
	} >"$root/copy.db"
	ok "... $1 would be found" secrets_in "$root/copy.db"
}

plain=$root/plain
one_key=$got.key
openssl pkcs8 -topk8 -nocrypt -in "$one_key" -outform DER -out "$plain.ec8"
openssl ec -in "$one_key" -outform DER -out "$plain.ec" 2>/dev/null
openssl genrsa -traditional -out "$plain.pem-rsa" 2048 2>/dev/null
openssl rsa -in "$plain.pem-rsa" -traditional -outform DER -out "$plain.rsa" 2>/dev/null
openssl pkcs8 -topk8 -nocrypt -in "$plain.pem-rsa" -outform DER -out "$plain.rsa8"
key_octets "$one_key" >"$plain.hex"
perl -ne 'print pack "H*", $_' "$plain.hex" >"$plain.octets"
base64 -w 0 "$plain.octets" >"$plain.base64"
printf '%s' "$eg_password" >"$plain.password"
{ printf '%s' 'uem:' "${credentials#*:}" | base64 -w 0; } >"$plain.basic"
cp "$one_key" "$plain.pem"
for file in "$plain".*; do
	found "${file##*.}" "$file"
done
for file in "$plain".{ec,ec8,rsa,rsa8}; do
	base64 -w 0 "$file" >"$plain.text"
	found "${file##*.} in base64" "$plain.text"
done

# --- a new start, and deliver, which is killed as well; the gateway goes on failing

ok 'the store opens' certprov status
ok 'the handler starts' handler_start
ok 'the store is sound' store_is_sound "$db"
ok 'each certificate fits its row' certificates_fit "$db"
ok 'all answers are true' answers_hold "$db" "$posted"
unfinished()
{
	store_sql "$db" "SELECT count(*) FROM event WHERE state IN ('pending', 'failed')"
}

# Every holder of a lease is dead: the handler has nothing to do.
deliver_under_fire()
{
	local -a all

	leases_end "$db"
	start deliver "$(program certprov)" -c "$conf" deliver --now --rate 1000
	sleep "0.$((RANDOM % 4 + 1))"
	mapfile -t all < <(children "${pids[deliver]}")
	if ((RANDOM % 2 || ${#all[@]} == 0)); then
		kill_now "${pids[deliver]}"
	else
		kill_now "${all[RANDOM % ${#all[@]}]}"
	fi
	wait "${pids[deliver]}" || true
	unset 'pids[deliver]'
	wait_for 60 gone "${all[@]}"
}

configure escrow.timeout=60s # enough for a busy machine, now that nobody waits in vain
diag "$(unfinished) events are not finished"
before=$(unfinished)
gateway_fails
for _ in 1 2 3 4; do
	deliver_under_fire 2>/dev/null
done
diag "after four deliver that were killed: $(unfinished)"
for _ in {1..12}; do
	[[ $(unfinished) != 0 ]] || break
	gateway_fails
	leases_end "$db"
	certprov deliver --now --rate 1000 >>"$root/deliver.log" 2>&1 || true
	diag "then $(unfinished)"
done
is "$(unfinished)" 0 "all $before are finished by deliver"
eg_mode

# --- the audit

ok 'the store is sound' store_is_sound "$db"
ok 'each certificate fits its row' certificates_fit "$db"
ok 'all answers are true' answers_hold "$db" "$posted"
ok "$(grep -c ^202 "$posted") answers were 202" test "$(grep -c ^202 "$posted")" -ge 100
ok 'what was answered 202 is what the gateway has' answers_are_uploaded

# noticed AUDIT... SQL: of a copy of the store which that has changed
noticed()
{
	store_sql "$db" "VACUUM INTO '$root/changed.db'"
	: >"$judged"
	store_sql "$root/changed.db" "${@: -1}"
	not_ok "(${*: -1}: would be noticed)" "$1" "$root/changed.db" "${@:2:$#-2}"
	rm "$root/changed.db"
}

a_user="user_uuid = (SELECT max(user_uuid) FROM credential)"
noticed store_is_sound "DELETE FROM credential WHERE usage = 'signing' AND $a_user"
noticed store_is_sound "UPDATE credential SET state = 'archived' WHERE $a_user"
noticed store_is_sound "DELETE FROM upload WHERE $a_user"
noticed store_is_sound "UPDATE upload SET contents = 'signing:00' WHERE $a_user"
noticed store_is_sound "UPDATE credential SET key = x'' WHERE $a_user"
noticed store_is_sound "UPDATE device SET user_uuid = 'x' WHERE $a_user"
noticed certificates_fit "UPDATE credential SET not_after = not_after + 1 WHERE $a_user"
noticed certificates_fit "UPDATE credential SET chain = zeroblob(999) WHERE $a_user"
noticed answers_hold "$posted" "DELETE FROM event WHERE state = 'delivered' AND id % 2"
noticed answers_hold "$posted" "UPDATE event SET state = 'failed' WHERE kind = 'unenrolled'"
file=$(awk '$1 == 202 { file = $3 } END { print file ".answer" }' "$posted")
jq -c '.certificates[0].serial = "00"' "$file" >"$root/false"
cp "$file" "$root/true"
cp "$root/false" "$file"
not_ok '(a false answer would be noticed)' answers_are_uploaded
cp "$root/true" "$file"

is "$(store_sql "$db" "SELECT count(*) FROM event WHERE NOT (state = 'delivered'
		OR state = 'recorded' AND (kind = 'unenrolled' OR device_uuid LIKE 'badcafe%'))")" 0 \
	'every enrollment is delivered'
users=$(store_sql "$db" 'SELECT count(*) FROM user')
devices=$(store_sql "$db" "SELECT count(*) FROM device WHERE state = 'enrolled'")
is "$(store_sql "$db" "SELECT count(*) FROM credential
	WHERE usage = 'encryption' AND state = 'active'")" "$users" "$users users, an encryption key each"
is "$(store_sql "$db" "SELECT count(*) FROM credential
	WHERE usage = 'signing' AND state = 'active'")" "$devices" "$devices devices, a signing key each"

eg_uploads=$(eg_upload_count)
ok 'every key opens: each device can be served again' certprov deliver --all --rate 1000
is "$(($(eg_upload_count) - eg_uploads))" "$devices" '... and was'
upload_table 1 >"$root/table"
is "$(count_column 2 6 7 8 <"$root/table")" "$users" 'no other encryption key was ever uploaded'
is "$(count_column 2 <"$root/table")" "$users" '... for any user'
is "$(count_column 1 3 4 <"$root/table")" "$(count_column 1 <"$root/table")" \
	'no device ever got another signing key'
is "$(store_sql "$db" "SELECT count(*) FROM lease WHERE until > unixepoch()")" 0 'nothing is leased'
handler_stop
mapfile -t searched < <(places)
not_ok 'no key, no password lies in the open' secrets_in "${searched[@]}"

done_testing
