#!/bin/bash
# certprov rekey: every private key is sealed under a new master key, while devices enroll,
# and although it is killed in its midst; the old key then opens nothing any more.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"

dir=$root/certprov
key=$dir/store.key

# rekey ARGS...: sets $code, $said (standard error) and $printed.
rekey()
{
	code=0
	printed=$(certprov rekey "$@" 2>"$root/said") || code=$?
	said=$(<"$root/said")
}

# check: sets $code, and $printed to its line on the store.
check_store()
{
	code=0
	printed=$(certprov check | grep -E ' (store|master keys): ') || true
	certprov check >/dev/null || code=$?
}

# With the key file of before, nothing starts.
refuses()
{
	local name=$1 text=$2

	check_store
	is "$code" 78 "$name: check exits 78"
	like "$printed" "FAILED +store: .*$text" 'and says why'
	code=0
	handler_start >/dev/null || code=$?
	isnt "$code" 0 'the handler does not start'
	like "$(tail -n 1 "$root/handler.log")" "$text" 'and says why'
	stop handler || true
}

ok 'the world starts' world certificates.key=ec-p256
anna=$(new_uuid)
phone=$(new_uuid)

# --- once

enroll "$phone" "$anna"
is "$status" 202 'a device is enrolled'
cp -p "$key" "$root/first.key"
before=$(stat -c '%u:%g:%a' "$key")
rekey
is "$code $said" '0 ' 'rekey: exit 0'
like "$printed" '^2 private keys sealed anew' 'it says how many'
not_ok 'the key is another one' cmp -s "$key" "$root/first.key"
is "$(wc -l <"$key") $(stat -c '%u:%g:%a' "$key")" "1 $before" \
	'alone in its file, with owner and mode'
check_store
is "$printed" "ok      store: $dir/certprov.db" 'check finds nothing to tell'
enroll "$(new_uuid)" "$anna"
is "$status" 202 'the handler goes on with it: the key of the user is read'
is "$(query 'SELECT count(*) FROM credential')" 3 'and a new one is sealed'
rekey
like "$code $printed" '^0 3 private keys' 'once more'
rekey --now
is "$code" 2 'an unknown option: wrong usage'
rekey extra
is "$code" 2 'an argument: wrong usage'

# --- half done: the new key is in the file before the old one, and that is all

cp -p "$key" "$root/second.key"
openssl rand -hex 32 >"$root/third.key"
cat "$root/third.key" "$root/second.key" >"$key"
check_store
is "$code" 0 'two keys: check holds'
like "$printed" "WARN +master keys: $key has 2, so .*run it again" 'but mentions it'
enroll "$(new_uuid)" "$(new_uuid)"
is "$status" 202 'devices are enrolled'
rekey
like "$code $printed" '^0 [0-9]+ private keys' 'rekey goes on'
ok 'with the key that was made' cmp "$key" "$root/third.key"

# --- beside the handler, and killed

streams=4
each=20

# stream N: events of $each devices, the answers' states to $root/stream-N.
stream()
{
	local i

	answer=$root/answer-$1
	for ((i = 0; i < each; i++)); do
		enroll "$(new_uuid)" "${users[(i + $1) % ${#users[@]}]}"
		printf '%s\n' "$status"
	done >"$root/stream-$1"
}

streams_run()
{
	local n

	for ((n = 0; n < streams; n++)); do
		! kill -0 "${running[n]}" 2>/dev/null || return 0
	done
	return 1
}

users=()
for _ in {1..12}; do
	users+=("$(new_uuid)")
done
running=()
for ((n = 0; n < streams; n++)); do
	stream "$n" &
	running[n]=$!
done
runs=0
killed=0
finished=0
unfinished=0
failed=
while streams_run; do
	# Killed after up to 40 ms, which is about what a whole run takes.
	"$(program certprov)" -c "$conf" rekey >/dev/null 2>"$root/rekey-said" &
	victim=$!
	if ((runs++ % 3)); then
		sleep "0.0$((RANDOM % 4))$((RANDOM % 10))"
		kill -KILL "$victim" 2>/dev/null || true
	fi
	code=0
	wait "$victim" 2>/dev/null || code=$?
	case $code in
	0) finished=$((finished + 1)) ;;
	137) killed=$((killed + 1)) ;;
	*) failed=$code:$(<"$root/rekey-said") ;;
	esac
	(($(wc -l <"$key") == 1)) || unfinished=$((unfinished + 1))
done
for ((n = 0; n < streams; n++)); do
	wait "${running[n]}"
done
diag "$finished runs finished, $killed were killed, $unfinished left two keys"
is "$failed" '' 'no run fails'
ok 'some are killed' test "$killed" -gt 0
ok 'and some finished' test "$finished" -gt 0
is "$(sort "$root"/stream-* | uniq -c | xargs)" "$((streams * each)) 202" \
	'all devices are enrolled meanwhile'
rekey
is "$code $said" '0 ' 'the last run finishes it'
is "$(wc -l <"$key")" 1 'one key is left'
is "$(find "$dir" -name 'store.key?*')" '' 'and no copy of it'
total=$(query "SELECT count(*) FROM device WHERE state = 'enrolled'")
is "$total" $((streams * each + 3)) 'no device is lost'
before=$(eg_upload_count)
code=0
certprov deliver --all --rate 1000 2>"$root/said" || code=$?
is "$code $(<"$root/said")" '0 ' 'every private key opens: deliver --all'
is "$(($(eg_upload_count) - before))" "$total" 'uploads for every device'
is "$(query 'PRAGMA integrity_check')" ok 'the store is sound'
is "$(grep -cE '^[^ ]+ error ' "$root/handler.log")" 0 'no error in the log'

# --- no key in the clear

# hex: standard input in hexadecimal digits.
hex()
{
	od -An -v -tx1 | tr -d ' \n'
}

# The number that a private key on a curve is, of the last upload.
private_key_of()
{
	unpack "$(eg_upload_count)" "$1"
	openssl pkey -in "$got.key" -noout -text | sed -n '/^priv:/,/^pub:/{/^p/!p}' |
		tr -cd 0-9a-f
}

files_with()
{
	local file

	for file in "$dir"/certprov.db* "$root"/*.log; do
		if hex <"$file" | grep -qF -- "$1"; then
			printf '%s\n' "$file"
		fi
	done
}

for usage in signing encryption; do
	secret=$(private_key_of "$usage")
	like "$secret" '^[0-9a-f]{64}$' "the $usage key that was uploaded last"
	is "$(files_with "$secret")" '' 'is in none of our files in the clear'
done
isnt "$(files_with "$(printf '%s' "$anna" | hex)")" '' '(a UUID is found so)'

# --- the keys of before open nothing

handler_stop
cp -p "$key" "$root/last.key"
for old in first second third; do
	cp "$root/$old.key" "$key"
	refuses "the $old key" 'is not the master key that the private keys'
done
rekey
is "$code" 78 'and rekey does not take it, either: exit 78'
is "$(<"$key")" "$(<"$root/third.key")" 'nor touch it'
rm "$key"
refuses 'no key' 'store.key: there is no master key here'
printf 'not a key\n' >"$key"
chmod 600 "$key"
refuses 'something else' 'store.key: a master key is 64 hexadecimal'
cp -p "$root/last.key" "$key"
ok 'with the right one it starts again' handler_start
enroll "$phone" "$anna"
is "$status" 202 'and enrolls'

done_testing
