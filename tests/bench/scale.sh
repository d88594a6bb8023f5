#!/bin/bash
# What the commands cost on a large store: time, CPU time and memory of each, with USERS users who
# have one to three devices each, as tests/bench/populate makes them; uploads go to a simulated Escrow
# Gateway. Where others use the machine too, compare CPU times: the rest is theirs.
# Run it from the build folder:
#
#	make scale            or: tests/bench/scale.sh [USERS [SECONDS-OF-UPLOADS]]
#
# The store needs about 12 KB a user, in $TMPDIR. What the program has no command for is left out.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
tap_done=yes # no test: nothing to count

users=${1:-100000}
again_seconds=${2:-15}
measure=$(program tests/bench/measure)
populate=$(program tests/bench/populate)
certprov=$(program certprov)
failed=0

make_store()
{
	old_ca
	configure certificates.key=ec-p256 events.on-unenroll=revoke-all
	certprov_init
	top_srcdir=$top_srcdir "$measure" "$root/measured" \
		"$populate" "$conf" "$users" --gone 4
}

# row NAME STATUS: the last line of $root/measured, and how much was printed. STATUS: a pattern
row()
{
	local seconds cpu memory code

	read -r seconds cpu memory code < <(tail -n 1 "$root/measured")
	printf '%-44s %9s %9s %8s %9s\n' "$1" "$seconds" "$cpu" "$memory" "$(wc -l <"$root/printed")"
	[[ $code =~ ^($2)$ ]] || {
		printf '    it gave %s: %s\n' "$code" "$(tail -n 1 "$root/complaints")"
		failed=1
	}
}

# cost ARGS...: a line of the table for a command; label: its name there.
cost()
{
	"$measure" "$root/measured" "$certprov" -c "$conf" "$@" >"$root/printed" \
		2>"$root/complaints" || true
	row "${label:-$*}" 0
}

has_command()
{
	certprov "$1" --help >"$root/help" 2>&1
}

# A user in the middle with two devices or more, and one of them.
choose()
{
	local n

	for ((n = users / 2; n < users; n++)); do
		user=$(printf 'user%07d' "$n")
		read -r device user_uuid < <(certprov list devices --user "$user" | sed -n 3p | cut -f 1,2) ||
			continue
		[[ -n $device ]] && return 0
	done
	return 1
}

looking()
{
	cost status
	cost status --json
	label='list devices --user UUID' cost list devices --user "$user_uuid"
	cost list devices --user "$user"
	label='list devices --device UUID' cost list devices --device "$device"
	label='list devices --device NAME' cost list devices --device "$user iPhone 1"
	cost list devices --state unenrolled
	label='list users --user UUID' cost list users --user "$user_uuid"
	cost list users --user "$user"
	label='list users --device UUID' cost list users --device "$device"
	cost list users --state unenrolled
	cost list certificates --user "$user"
	label='list certificates --device UUID' cost list certificates --device "$device"
	label='list certificates --device NAME' cost list certificates --device "$user iPhone 1"
	cost list certificates --expiring 30d
	cost list certificates --state active --expiring 7d
	cost list certificates --state revoked
	cost list events --state pending
	cost list events --state failed
	cost list events --user "$user"
	label='list events --device UUID' cost list events --device "$device"
	label='list events --device NAME' cost list events --device "$user iPhone 1"
	cost list uploads --state failed
	cost list uploads --state pending
	cost list uploads --user "$user"
	label='list uploads --device UUID' cost list uploads --device "$device"
	label='list uploads --device NAME' cost list uploads --device "$user iPhone 1"
	cost list devices --json
	cost list users --json
	cost list certificates --json
	cost list uploads --json
	cost list events --json
}

# All of it would take long: what is done in some seconds tells the rate.
delivering()
{
	local before seconds cpu

	label="deliver, $(certprov status --json | jq .events_pending) pending" cost deliver
	label='deliver, nothing due' cost deliver
	before=$(eg_upload_count)
	"$measure" "$root/measured" timeout --signal=TERM "$again_seconds" \
		"$certprov" -c "$conf" deliver --all --rate 1000 >"$root/printed" 2>"$root/complaints" || true
	row "deliver --all, stopped after $again_seconds s" "0|124"
	read -r seconds cpu _ < <(tail -n 1 "$root/measured")
	awk -v n=$(($(eg_upload_count) - before)) -v s="$seconds" -v cpu="$cpu" 'BEGIN {
		printf "    %d uploads, %.0f a second", n, n / s
		if (n) printf ", %.2f ms of CPU each", 1000 * cpu / n
		print ""
	}'
}

eg_start
make_store 2>"$root/complaints" || {
	cat "$root/complaints" >&2
	exit 1
}
: >"$root/printed"
printf '%-44s %9s %9s %8s %9s\n' "$users users" seconds CPU KB lines
row populate 0
printf '    the store: %s\n' "$(du -h "${conf%/*}/certprov.db" | cut -f 1)"
choose
looking
delivering
if has_command renew; then
	cost renew --dry-run --within 30d
	cost renew --within 30d --rate 1000
fi
label="crl, $(certprov status --json | jq '.signing_revoked + .encryption_revoked') revoked" \
	cost crl --output "$root/list.crl"
exit "$failed"
