#!/bin/bash
# What a power cut leaves: the store's files as they are at any one moment under
# load, also with the end of the log torn or lost. Each opens and is sound, and
# has all that was answered; deliver finishes the rest of it.
#
# CERTPROV_TEST_SEED=NUMBER makes the same choices again that a run has shown.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-load.sh
. "$top_srcdir/tests/system/lib-load.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"
# shellcheck source=tests/system/lib-store.sh
. "$top_srcdir/tests/system/lib-store.sh"

CUTS=24
EVENTS=100 # at least
seed=${CERTPROV_TEST_SEED:-$((RANDOM * 32768 + RANDOM))}
dir=$root/certprov
workers=4
more=0 # copies with something behind the last commit

# --- one moment's state

answered_at_least()
{
	(($(wc -l <"$posted") >= $1))
}

is_stopped()
{
	local pid

	for pid; do
		[[ ! -e /proc/$pid || $(sed 's/.*) //' "/proc/$pid/stat") == [TZX]* ]] || return 1
	done
}

# cut N: copies the store into $root/cut-N, with what had been answered until then. Nothing
# of the handler runs meanwhile.
cut_power()
{
	local copy=$root/cut-$1
	local -a all

	mkdir "$copy"
	cp "$posted" "$copy.posted"
	kill -STOP "${pids[handler]}"
	mapfile -t all < <(pgrep -P "${pids[handler]}")
	kill -STOP "${all[@]}"
	wait_for 60 is_stopped "${pids[handler]}" "${all[@]}" || fail "(cut $1: all stand still)"
	cp -p "$dir"/* "$copy"
	kill -CONT "${all[@]}" "${pids[handler]}"
	rm "$copy"/certprov.db-shm "$copy"/certprov.db.lock
}

# What the disk may have behind the last commit, which is all that was synchronised: only a
# part of what is there, or of a transaction that had just begun, or nonsense.
tear()
{
	local log=$1/certprov.db-wal tail=$2 size end torn

	size=$(stat -c %s "$log")
	end=$("$top_srcdir/tests/system/wal-end.pl" "$log")
	torn=$((RANDOM % 9000 + 1))
	if ((size > end)); then
		more=$((more + 1))
		truncate -s $((end + (RANDOM * 32768 + RANDOM) % (size - end))) "$log"
	fi
	case $tail in
	begun)
		truncate -s "$end" "$log"
		head -c $((32 + torn)) "$log" | tail -c +33 >"$root/torn"
		cat "$root/torn" >>"$log"
		;;
	nonsense) head -c "$torn" /dev/urandom >>"$log" ;;
	esac
}

# --- each copy

# The copy's own programs, on its own files.
certprov_of()
{
	local conf=$root/cut-$1/certprov.conf

	shift
	certprov "$@"
}

judge()
{
	local n=$1 tail=$2 copy=$root/cut-$1

	not_ok "cut $n, $tail: no key, no password lies in the open" \
		secrets_in "$copy"/certprov.db "$copy"/certprov.db-wal
	ok '... it opens' certprov_of "$n" status
	ok '... is sound' store_is_sound "$copy/certprov.db"
	ok '... each certificate fits its row' certificates_fit "$copy/certprov.db"
	ok '... and it has all that was answered' answers_hold "$copy/certprov.db" "$copy.posted"
}

# As after the cut, when the leases of those who lived then have ended.
finish()
{
	local n=$1 db=$root/cut-$1/certprov.db before users devices

	before=$(eg_upload_count)
	leases_end "$db"
	ok "cut $n: deliver" certprov_of "$n" deliver --now --rate 1000
	is "$(store_sql "$db" "SELECT count(*) FROM event WHERE state != 'delivered'")" 0 \
		'... all that was recorded is delivered'
	ok '... the store is sound' store_is_sound "$db"
	ok '... and can serve every device again' certprov_of "$n" deliver --all --rate 1000
	users=$(store_sql "$db" 'SELECT count(*) FROM user')
	devices=$(store_sql "$db" 'SELECT count(*) FROM device')
	upload_table $((before + 1)) >"$root/table"
	is "$(count_column 1 <"$root/table") $(count_column 1 3 4 <"$root/table")" \
		"$devices $devices" "... $devices devices with a signing key each"
	is "$(count_column 2 <"$root/table") $(count_column 2 6 7 8 <"$root/table")" \
		"$users $users" "... $users users with an encryption key each"
}

ok 'everything starts' world certificates.key=ec-p256 escrow.timeout=60s
diag "CERTPROV_TEST_SEED=$seed"
RANDOM=$seed
events facade0 200 40
eg_mode slow 0.05
posts_begin 8 "$root"/facade0/???
for ((n = 1; n <= CUTS; n++)); do
	wait_for 120 answered_at_least $((EVENTS * n / CUTS))
	sleep "0.0$((RANDOM % 10))"
	cut_power "$n"
done
ok '(the load has lasted)' posts_run
posts_end
is "$statuses" 200x202 'nothing of the load has failed'
eg_mode

# shellcheck disable=SC2046 # numbers
secrets_note $(seq 1 20 "$(eg_upload_count)")
cp -r "$root/cut-1" "$root/lost"
rm "$root/lost/certprov.db-wal"
not_ok '(a log that is lost would be noticed)' \
	answers_hold "$root/lost/certprov.db" "$root/cut-1.posted"
tails=(whole cut begun nonsense)
for ((n = 1; n <= CUTS; n++)); do
	tail=${tails[n % ${#tails[@]}]}
	[[ $tail == whole ]] || tear "$root/cut-$n" "$tail"
	judge "$n" "$tail"
done
diag "$more of them had something behind the last commit"
not_ok '(not everything was finished in all of them)' test -z "$(
	for ((n = 1; n <= CUTS; n++)); do
		store_sql "$root/cut-$n/certprov.db" "SELECT id FROM event WHERE state = 'pending'"
	done)"
handler_stop
for n in 3 8 13 18 "$CUTS"; do
	finish "$n"
done

# --- and it serves

conf=$root/cut-3/certprov.conf
ok 'the handler starts on one of them' handler_start
events facade1 2 1
post_many 2 "$root"/facade1/???
is "$statuses" 2x202 '... and takes new events'
ok '... which are uploaded' answers_are_uploaded

done_testing
