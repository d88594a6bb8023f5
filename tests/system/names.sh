#!/bin/bash
# Users and devices by the names that people know: wherever a command takes a UUID, it also takes a
# user name, a mail address or a friendly name, if it is unique.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

# run ARGS...: sets $code, $said (standard error) and $printed.
run()
{
	code=0
	printed=$(certprov "$@" 2>"$root/said") || code=$?
	said=$(<"$root/said")
}

# post DEVICE USER NAME PHONE: sets $status
post()
{
	event_json "device=$1" "user=$2" "name=$3" "mail=$3@example.com" |
		jq --arg phone "$4" '.DeviceFriendlyName = $phone' >"$root/event.json"
	post_event "$root/event.json"
}

ok 'the world starts' world certificates.key=ec-p256
anna=$(new_uuid) bert=$(new_uuid) other=$(new_uuid)
phone=$(new_uuid) tablet=$(new_uuid) second=$(new_uuid)
post "$phone" "$anna" anna "Anna's phone"
is "$status" 202 'anna enrolls a phone'
post "$tablet" "$bert" bert tablet
is "$status" 202 'bert enrolls a tablet'

# uploads: how many the gateway has of the phone and the tablet
uploads()
{
	eg_log 'select(.status == 200) | .device' >"$root/uploads"
	echo "$(grep -cx "$phone" "$root/uploads") $(grep -cx "$tablet" "$root/uploads")"
}

is "$(uploads)" '1 1' 'each is uploaded once'
run deliver --user anna
is "$code $printed $said" '0 1 delivered, 0 pending, 0 failed ' 'deliver --user NAME: it says what was done'
is "$(uploads)" '2 1' "... to that user's device"
run deliver --user BERT@example.com
is "$code $(uploads)" '0 2 2' 'deliver --user MAIL'
run deliver --device "Anna's Phone"
is "$code $(uploads)" '0 3 2' 'deliver --device NAME'
run deliver --user nobody
is "$code $said" '1 certprov: no user has the name or mail address nobody; see: certprov list users' \
	'a name that is nobody'"'"'s'
run list certificates --user anna@example.com --json
is "$code $(jq -r '[.[].user_uuid] | unique | join(" ")' <<<"$printed")" "0 $anna" 'list --user MAIL'
run renew --within 400d --user anna --dry-run --json
is "$code $(jq -r '[.[].user_uuid] | unique | join(" ")' <<<"$printed")" "0 $anna" 'renew --user NAME'
run recover --user anna --output "$root/anna.p12" --reason 'a test' \
	--password-file "$root/certprov/p12.password"
is "$code" 0 'recover --user NAME'
is "$(wc -l <<<"$printed")" 1 '... the one key'

post "$second" "$other" Anna tablet
is "$status" 202 'another anna, with a tablet, too'
run revoke --user anna
is "$code" 2 'revoke --user of a name that two have'
like "$said" "^certprov: anna is not unique, give the UUID: .*$anna \\(anna, anna@example.com\\)" \
	'... lists the candidates'
like "$said" "$other \\(Anna, " '... both'
run revoke --device tablet
is "$code" 2 'revoke --device of a name that two have'
like "$said" "$tablet \\(tablet, bert\\)" '... lists them with their users'
like "$said" "$second \\(tablet, Anna\\)" '... both'
is "$(certprov list certificates --state revoked --json | jq length)" 0 'nothing was revoked'
run unenroll --device tablet
is "$code" 2 'unenroll --device of a name that two have'
run revoke --device "anna's phone"
is "$code" 0 'revoke --device NAME'
is "$(certprov list certificates --state revoked --json | jq -r '.[].device_uuid')" "$phone" \
	"... that device's"
run unenroll --device "anna's phone"
is "$code" 0 'unenroll --device NAME'
is "$(certprov list devices --state unenrolled --json | jq -r '.[].device_uuid')" "$phone" \
	'... that device'

# --- a user with no device left

run unenroll --device "$tablet" --yes
is "$code" 0 '(BERT has no device any more)'
run renew --user BERT@example.com --now
like "$code $printed" '^0 nothing is replaced: user .* no active certificate on an enrolled device$' \
	'renew --now says that nothing is replaced'

done_testing
