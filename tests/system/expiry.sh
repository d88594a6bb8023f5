#!/bin/bash
# Our certificates and lists expire: check, status and the handler's log warn in time. The test
# makes certificates that expire then.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

command -v sqlite3 >/dev/null || skip_all 'no sqlite3 here'

dir=${conf%/*}

# put NAME.EXTENSION FILE: as a secret file
put()
{
	(umask 077 && cp "$pki/$1" "$root/new" && mv "$root/new" "$dir/$2")
}

# identity DAYS|ended|later: our client certificate, which the gateway knows
identity()
{
	case $1 in
	ended) key_type=ec in_past pki_client "identity-$1" eg-ca -days 30 ;;
	later) past='+10 days' key_type=ec in_past pki_client "identity-$1" eg-ca -days 30 ;;
	*) key_type=ec pki_client "identity-$1" eg-ca -days "$1" ;;
	esac
	pki_pfx "identity-$1" 'identity password'
	eg_list "identity-$1"
	put "identity-$1.pfx" certificate.pfx
}

# authority DAYS|ended
authority()
{
	case $1 in
	ended) in_past pki_ca "ca-$1" -days 30 ;;
	*) pki_ca "ca-$1" -days "$1" ;;
	esac
	put "ca-$1.crt" ca.crt
	put "ca-$1.key" ca.key
}

# check CHECK WORD REGEX [CODE]: the line of that check, and its exit status
check()
{
	local what=$1 word=$2 regex=$3 code=0
	local truth='.ok and (.warning | not)'

	case $word in
	WARN) truth='.ok and .warning' ;;
	FAILED) truth='(.ok | not) and (.warning | not)' ;;
	esac
	certprov check >"$root/check" || code=$?
	is "$code" "${4:-0}" "check exits ${4:-0}"
	like "$(grep "^[A-Za-z]* *$what: " "$root/check")" "^$word +$what: .*$regex" "... $word $what"
	certprov check --json >"$root/check" || true
	ok '... the same with --json' jq -e --arg check "$what" \
		"map(select(.check == \$check)) | length == 1 and (.[0] | $truth)" "$root/check"
}

# status REGEX KEY DAYS: a line of it, and the number. What was made for so many days has as many
# left in its first second, and then a day less.
status()
{
	ok '... status' certprov status
	like "$(<"$root/output")" "(^|"$'\n'")$1" '... says so'
	like "$(certprov status --json | jq ".$2")" "^($3)\$" "... $2"
}

ok 'the gateway starts' eg_start
configure certificates.key=ec-p256 ca.crl-validity=1h
ok 'init' certprov_init
ok '(the authority lasts)' cp -p "$dir/ca.crt" "$dir/ca.key" "$root"

# --- our client certificate

name='our client certificate'
advice='\(register the new thumbprint at the Escrow Gateway first\)'
end='20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z'
while IFS='|' read -r days left less word words; do
	diag "$name, made for $days days"
	identity "$days"
	text="ends $end, ($left|$less) left"
	[[ -z $words ]] || text+=": $words $advice"
	check "$name" "$word" "CN=identity-$days,O=Example $text; thumbprints SHA-1 [0-9a-f]{40} SHA-256"
	status "$name $text"$'(\n|$)' client_certificate_days "$days|$((days - 1))"
done <<-'END'
	61|61 days|60 days|ok|
	60|60 days|59 days|WARN|plan to replace it
	30|30 days|29 days|WARN|replace it soon
	7|7 days|6 days|WARN|replace it now
	2|2 days|47 hours|WARN|replace it now
	1|24 hours|23 hours|WARN|replace it at once
END
identity ended
check "$name" FAILED "ended $end: replace it at once $advice" 78
status "$name ended $end: replace it at once" client_certificate_days "-370|-371"
identity later
check "$name" FAILED "is not valid before $end: check this machine's clock" 78
ok '... status' certprov status
like "$(<"$root/output")" "$name is not valid before $end" '... says so'
is "$(certprov status --json 2>"$root/said" | jq 'has("client_certificate_days")')" false \
	'... without days'
like "$(<"$root/said")" "^$name is not valid before" '... but a word on standard error'
identity 365

# --- the authority's

authority 427
check CA ok "CN=Test CA ca-427,O=Example ends $end, (427|426) days left\$"
authority 61
shortens="certificates are issued for less than validity in \[certificates\]: plan to replace it"
check CA WARN "CN=Test CA ca-61,O=Example ends $end, (61|60) days left; since $end $shortens"
authority 424
check CA WARN "ends $end, (424|423) days left; from $end $shortens"
status "the CA certificate ends $end, (424|423) days left; from $end $shortens" \
	ca_certificate_days "424|423"
authority 20
check CA WARN "ends $end, (20|19) days left: replace it soon"
status "the CA certificate ends $end, (20|19) days left: replace it soon" ca_certificate_days "20|19"
authority ended
check CA FAILED "ended $end: replace it at once" 78
status "the CA certificate ended $end: replace it at once" ca_certificate_days "-370|-371"
cp -p "$root/ca.crt" "$root/ca.key" "$dir"

# --- the revocation list, for an hour

# list_left MINUTES: as if it had been signed that much earlier
list_left()
{
	query "UPDATE crl SET next_update = unixepoch() + $1 * 60,
		this_update = unixepoch() + ($1 - 60) * 60"
}

certprov check >"$root/check"
not_ok 'no list is out: no word of it' grep -q ' revocation list: ' "$root/check"
is "$(certprov status --json | jq 'has("crl_days")')" false '... nor in status'
ok 'a list' certprov crl --output "$root/ca.crl"
check 'revocation list' ok "is to be renewed by $end, (59|60) minutes left"
status "the revocation list is to be renewed by $end, (59|60) minutes left" crl_days 0
list_left 20
check 'revocation list' ok "is to be renewed by $end, (19|20) minutes left"
list_left 10
check 'revocation list' WARN "is to be renewed by $end, ([0-9]|10) minutes left: it was not requested lately"
list_left -10
check 'revocation list' WARN "was to be renewed by $end: it was not requested lately"
status "the revocation list was to be renewed by $end: it was not requested lately" crl_days -1
ok 'when somebody asks' certprov crl --output "$root/ca.crl"
check 'revocation list' ok "is to be renewed by $end"

# --- what cannot be read, or reached

ok '(the gateway is away)' eg_stop
mv "$dir/certificate.pfx" "$root/kept"
echo nonsense >"$dir/ca.crt"
ok 'status without files and gateway' certprov status
like "$(<"$root/output")" "$name cannot be read: $dir/certificate.pfx: No such file" \
	'... names the one that is not there'
like "$(<"$root/output")" "the CA certificate cannot be read: $dir/ca.crt: " '... and the spoilt one'
like "$(<"$root/output")" ' 0  devices' '... and counts'
certprov status --json >"$root/status" 2>"$root/said"
ok '... with --json' jq -e '.devices == 0 and
	([has("client_certificate_days", "ca_certificate_days", "crl_days")] | any | not)' "$root/status"
is "$(grep -c 'cannot be read' "$root/said")" 3 '... and three words on standard error'
mv "$root/kept" "$dir/certificate.pfx"
cp -p "$root/ca.crt" "$dir"
ok '(the gateway is back)' eg_start

# --- the gateway's clock

certprov check >"$root/check"
like "$(grep ' clock: ' "$root/check")" "^ok +clock: agrees" 'our clock is right'
if sanitized; then
	skip 'another clock' 'AddressSanitizer and faketime do not go together'
else
	code=0
	faketime -f +10m "$(program certprov)" -c "$conf" check >"$root/check" || code=$?
	is "$code" 0 'a clock that is ten minutes ahead: check exits 0'
	like "$(grep ' clock: ' "$root/check")" \
		"^WARN +clock: our clock is (9|10) minutes ahead of that of $eg_url" '... and says so'
fi

# --- the handler's log

# logged REGEX: how many lines of that
logged()
{
	grep -Ec -- "$1" "$root/handler.log" || true
}

# logs COUNT REGEX: a look may take a moment
logs()
{
	[[ $(logged "$2") == "$1" ]]
}

read_anew()
{
	[[ $(logged 'was read anew') == "$1" ]]
}

pattern="certprov.fcgi.*(our client certificate|the CA certificate|the revocation list) "
ok '(the handler starts)' handler_start
ok '(nginx starts)' front_start
is "$(logged "$pattern")" 0 'all is fine: not a line'
identity 20
authority 5
list_left 10
handler_reload
ok 'SIGHUP' wait_for 60 read_anew 1
ok 'a line each' wait_for 60 logs 2 "$pattern"
is "$(logged "warning .*$name ends $end, (20|19) days left: replace it soon $advice")" 1 '... of our certificate'
is "$(logged "warning .*the CA certificate ends $end, (5|4) days left: replace it now")" 1 "... of the CA's"
for _ in 1 2 3 4 5 6; do
	request GET /healthz
	[[ $status == 200 ]] || fail "GET /healthz: $status"
done
is "$(logged "$pattern")" 2 'requests add none'
identity 1
cp -p "$root/ca.crt" "$root/ca.key" "$dir"
handler_reload
ok 'SIGHUP on the last day' wait_for 60 read_anew 2
ok 'is an error' wait_for 60 logs 1 "error .*$name ends $end, (24|23) hours left: replace it at once"
ok 'and the list a warning' wait_for 60 logs 1 'warning .*the revocation list is to be renewed by'
handler_stop
identity ended
ok 'a handler starts when it has ended' handler_start
ok 'and says so' wait_for 60 logs 1 "error .*$name ended $end: replace it at once"

done_testing
