#!/bin/bash
# What a person at a terminal sees, and what pipes and files get: colours, columns, questions,
# hints; and that the manual describes every field of --json.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

binary=$(program certprov)
manual=$top_srcdir/man/certprov.1
script=$(command -v script || true)

# on_terminal [INPUT] -- ARGS...: certprov on a terminal of its own; sets $code and $seen
on_terminal()
{
	local input=
	local -a command

	[[ $1 == -- ]] || {
		input=$1
		shift
	}
	shift
	command=("$binary" -c "$conf" "$@")
	code=0
	printf '%s' "$input" >"$root/typed"
	rm -f "$root/ended"
	# what is typed is there before anybody asks, and the terminal stays open until the end
	{
		cat "$root/typed"
		wait_for 60 test -e "$root/ended"
	} | {
		timeout 60 "$script" -qe -c "${command[*]@Q}" /dev/null >"$root/seen" 2>&1 || code=$?
		echo "$code" >"$root/ended"
	}
	code=$(<"$root/ended")
	seen=$(tr -d '\r' <"$root/seen")
}

# plain TEXT: without colours
plain()
{
	printf '%s\n' "$1" | sed 's/\x1b\[[0-9;]*m//g'
}

# aligned TEXT: in each line of it, the column that the first line calls "state" begins there
aligned()
{
	awk 'NR == 1 { at = index($0, "state") }
		NR > 1 && (substr($0, at - 2, 2) != "  " || substr($0, at, 1) == " ") { exit 1 }
		END { exit NR < 2 || !at }' <<<"$1"
}

# is_coloured WORD CODE NAME
is_coloured()
{
	like "$seen" $'\e\['"$2m$1"$'\e\[0m' "$3"
}

device=$(new_uuid)
user=$(new_uuid)
ok 'the gateway starts' eg_start
old_ca
configure certificates.key=ec-p256
certprov_init
event_json device="$device" user="$user" DeviceFriendlyName=$'Zoë’s 電話\e[31m\tx' >"$root/event.json"
certprov enroll "$root/event.json" >"$root/enroll.out"
event_json device="$(new_uuid)" user="$(new_uuid)" name=other mail=o@example.com \
	DeviceFriendlyName='a much longer name' >"$root/event.json"
certprov enroll "$root/event.json" >"$root/enroll.out"
for answer_of_gateway in '503 7' 400; do
	eg_script "$answer_of_gateway"
	event_json device="$(new_uuid)" >"$root/event.json"
	certprov enroll "$root/event.json" >"$root/enroll.out" 2>&1 || true
done

# --- no terminal

for what in devices certificates uploads events; do
	certprov list "$what" >"$root/out"
	not_ok "list $what into a file has no colours" grep -q $'\e' "$root/out"
	ok '... and tabs' grep -q $'\t' "$root/out"
done
not_ok 'check into a file has no colours' grep -q $'\e' <(certprov check)

# --- hints

# says_hint REGEX ARGS...
says_hint()
{
	local regex=$1 error code=0

	shift
	error=$(certprov "$@" 2>&1 >/dev/null) || code=$?
	like "$code $error" "^2 certprov: .*$regex" "certprov $*"
}

says_hint 'did you mean list\?$' lsit devices
says_hint 'did you mean status\?$' statsu
says_hint 'no command "nonsense"; certprov --help lists them$' nonsense
says_hint 'did you mean devices\?$' list device
says_hint 'no list "nonsense"; certprov list --help names them$' list nonsense
says_hint 'they are active, archived, revoked: did you mean active\?$' list certificates --state actve
says_hint 'they are active, archived, revoked$' list certificates --state nonsense

# --- the manual

# in_manual SECTION: what stands there in quotes
in_manual()
{
	sed -n "/^\.S[sh] $1/,/^\.S[sh]/p" "$manual" | sed -n 's/^\.\(It \)\{0,1\}Ql //p' | tr -s ' ,' '\n'
}

for what in devices users certificates uploads events 'events --audit'; do
	# shellcheck disable=SC2086 # a table and its option
	keys=$(certprov list $what --json | jq -r '.[0] | keys_unsorted[]' | sort)
	isnt "$keys" '' "list $what --json has members"
	is "$(comm -23 <(echo "$keys") <(in_manual JSON | sort -u))" '' '... which the manual has all'
done
is "$(comm -23 <(certprov status --json | jq -r 'keys[]' | sort) <(in_manual JSON | sort -u))" '' \
	'the manual has what status --json has'
is "$(comm -23 <(certprov check --json | jq -r '.[0] | keys[]' | sort) <(in_manual JSON | sort -u))" '' \
	'... and check --json'

[[ -n $script ]] || {
	skip 'a terminal' 'no script(1) here'
	done_testing
	exit 0
}

# --- a terminal

export TERM=xterm
unset NO_COLOR
on_terminal -- list devices
is "$code" 0 'list devices on a terminal'
ok '... has its columns aligned' aligned "$(plain "$seen")"
like "$seen" $'^\e\[1mdevice_uuid\e\[0m' '... and names in bold'
is_coloured enrolled 32 '... and a state in green'
unlike "$(plain "$seen")" $'\e' '... nothing else moves the cursor'
unlike "$seen" $'\t' '... nor a tab'
like "$seen" 'a much longer name' '... and nothing is cut'
on_terminal -- list events
is_coloured failed 31 'failed is red'
is_coloured pending 33 'pending is yellow'
on_terminal -- list events --json
is "$(jq -c . <<<"$seen")" "$(certprov list events --json | jq -c .)" 'JSON is the same on a terminal'
on_terminal -- list events --state recorded
is "$code $seen" '0 ' 'nothing is nothing'
on_terminal -- check
is_coloured 'ok     ' 32 'check has ok in green'
export NO_COLOR=1
on_terminal -- list devices
unlike "$seen" $'\e' 'NO_COLOR: no colours'
ok '... the columns stay' aligned "$seen"
export NO_COLOR=
on_terminal -- list devices
like "$seen" $'\e' 'an empty NO_COLOR is none'
unset NO_COLOR
TERM=dumb on_terminal -- list devices
unlike "$seen" $'\e' 'TERM=dumb: no colours'
TERM=dumb on_terminal -- deliver --all
unlike "$seen" $'\e' '... and no progress'
on_terminal -- deliver --device "$device"
like "$seen" $'\r?\e\[K1 of 1: 1 delivered' 'progress is shown'

ok '(a store of many)' "$top_builddir/tests/bench/populate" "$conf" 400
on_terminal -- list devices
ok 'many rows: still aligned' aligned "$(plain "$seen")"
is "$(wc -l <<<"$seen")" "$(certprov list devices | wc -l)" '... and all are there'
is "$(plain "$seen" | grep -c device_uuid)" 1 '... the names once'

# --- questions

# revoked: how many certificates are
revoked()
{
	certprov list certificates --state revoked --json | jq length
}

for typed in $'n\n' $'\n' $'nonsense\n' $'\x04'; do
	on_terminal "$typed" -- revoke --user "$user"
	like "$seen" "Revoke [0-9]+ certificates of user $user\? That cannot be undone\. \[y/N\]" \
		'revoke asks first'
	like "$code $seen" '^1 .*nothing was revoked' "... and does nothing for ${typed@Q}"
	is "$(revoked)" 0 '... really'
done
on_terminal $'y\n' -- revoke --device "$device"
like "$code $seen" "^0 .*Revoke 1 certificate of device $device\?.*signing [0-9a-f]+ device $device" \
	'with yes it does'
is "$(revoked)" 1 '... really'
on_terminal -- revoke --device "$device"
like "$code" 0 'with nothing to revoke'
unlike "$seen" 'Revoke' 'it does not ask'
on_terminal -- revoke --user "$user" --yes
unlike "$code $seen" 'cannot be undone' '--yes: no question'
like "$code" 0 '... it does so'
serial=$(certprov list certificates --state active --json | jq -r '.[0].serial')
on_terminal -- revoke --serial "$serial"
like "$code $seen" "^0 .*$serial" 'nor with a serial number: that is one, and meant'
certprov revoke --user "$(certprov list users --user other --json | jq -r '.[0].user_uuid')" \
	>"$root/out" 2>"$root/err"
is "$(wc -l <"$root/out") $(<"$root/err")" '2 ' 'nor without a terminal: for scripts'

done_testing
