#!/bin/bash
# A user's mail address changes: by an event that says so, by a new enrollment, late, twice, while
# others are away. Every device of the user gets certificates for the new address, and each can read
# old mail; nobody else gets anything.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-answers.sh
. "$top_srcdir/tests/system/lib-answers.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"

# change DEVICE USER [CHANGE...]: UEM says that the address has changed
change()
{
	enroll "$@" EventId:=9999 'EventType=User Email Address Changed'
}

sorted()
{
	tr , '\n' <<<"$1" | sort | paste -sd ,
}

list_of()
{
	printf '%s\n' "$@" | sort | paste -sd ,
}

# Mail to the user, encrypted for the certificate that the user has at the moment
old_mail()
{
	unpack "$(upload_table 1 | grep -n "^$1 " | tail -n 1 | cut -d : -f 1)" encryption
	printf 'Content-Type: text/plain\r\n\r\nto %s\r\n' "$2" >"$root/$2.mail"
	openssl cms -encrypt -binary -aes256 -in "$root/$2.mail" -out "$root/$2.encrypted" "$got.crt"
}

# reads DEVICE MAIL...: with what it got last, as current or archived
reads()
{
	local n part i mail read

	n=$(upload_table 1 | grep -n "^$1 " | tail -n 1 | cut -d : -f 1)
	for mail in "${@:2}"; do
		read=no
		for part in encryption archived; do
			for ((i = 0; i < $(jq --arg part $part '.smime_certificates[$part] // [] | length' \
				"$(eg_upload "$n")"); i++)); do
				unpack "$n" $part $i
				openssl cms -decrypt -binary -in "$root/$mail.encrypted" -recip "$got.crt" \
					-inkey "$got.key" -out "$root/decrypted" 2>/dev/null &&
					cmp -s "$root/decrypted" "$root/$mail.mail" && read=yes
			done
		done
		[[ $read == yes ]] || {
			echo "$1 cannot read $mail"
			return 1
		}
	done
}

deliver()
{
	code=0
	said=$(certprov deliver "$@" 2>&1 >/dev/null) || code=$?
}

audited()
{
	certprov list events --audit --json | jq -c "[.[] | select($1)]"
}

# --- both devices of a user, by an event and by a new enrollment

# everyone_has MAIL NAME: both devices, all certificates
everyone_has()
{
	is "$(has "$phone" 5 8)" "$1 $1" "$2: the phone signs and decrypts for the new address"
	is "$(has "$tablet" 5 8)" "$1 $1" '... and so does the tablet'
	is "$(has "$tablet" 6)" "$(has "$phone" 6)" '... with the same encryption certificate'
}

# both_ways SCOPE: of signing certificates
both_ways()
{
	local own=1 before request

	diag "signing-scope = $1"
	[[ $1 == user ]] || own=2
	anna=$(new_uuid)
	phone=$(new_uuid)
	tablet=$(new_uuid)
	bert=$(new_uuid)
	other=$(new_uuid)
	enroll "$phone" "$anna" mail=anna@example.com
	enroll "$tablet" "$anna" mail=anna@example.com
	enroll "$other" "$bert" mail=bert@example.com
	is "$status" 202 'two devices of a user, one of another'
	read -r sign_phone encrypt < <(has "$phone" 3 6)
	sign_tablet=$(has "$tablet" 3)
	old_mail "$phone" "first-$1"
	before=$(rows certificates)

	change "$phone" "$anna" mail=anna.b@example.com
	request=$(header X-Request-Id)
	answered 202 'by an event'
	is "$(jq -r '[.status, .device_uuid, .user_uuid] | join(" ")' <<<"$body")" \
		"delivered $phone $anna" '... which says so'
	is "$(has "$phone" 5 8)" 'anna.b@example.com anna.b@example.com' '... the phone has it at once'
	is "$(uploads_to "$tablet")" 1 '... the tablet does not yet'
	is "$(rows certificates)" $((before + 1 + own)) '... though its certificate is there'
	deliver
	is "$code $said" '0 ' '... certprov deliver'
	everyone_has anna.b@example.com 'by an event'
	is "$(sorted "$(has "$phone" 9)")" "$(list_of "$sign_phone" "$encrypt")" \
		'archived: what the phone had'
	is "$(sorted "$(has "$tablet" 9)")" "$(list_of "$sign_tablet" "$encrypt")" \
		'archived: what the tablet had, and not what the phone signed with'
	ok 'the phone reads old mail' reads "$phone" "first-$1"
	ok 'the tablet reads old mail' reads "$tablet" "first-$1"
	is "$(uploads_to "$other")" 1 'nobody else gets anything'
	is "$(audited ".request_id == \"$request\" and .action == \"issued\"
		and .user_uuid == \"$anna\"" | jq -r '.[].detail' | sort)" \
		"$(for serial in "$encrypt" "$sign_phone" "$sign_tablet"; do
			usage=signing
			[[ $serial != "$encrypt" ]] || usage=encryption
			printf '%s certificate for anna.b@example.com: ' $usage
			printf 'another address than anna@example.com, replaces %s\n' "$serial"
		done | sort -u)" 'the audit trail says what was replaced, and why'

	before=$(eg_upload_count)
	deliver
	is "$code $said $(eg_upload_count)" "0  $before" 'nothing is left to do'
	before=$(rows certificates)
	change "$phone" "$anna" mail=anna.b@example.com
	is "$status $(rows certificates)" "202 $before" 'the same event again: nothing new is made'
	deliver
	is "$(uploads_to "$tablet")" 2 '... and nothing is due for the tablet'

	old_mail "$tablet" "second-$1"
	enroll "$tablet" "$anna" mail=anna.c@example.com
	is "$status $(has "$tablet" 5 8)" '202 anna.c@example.com anna.c@example.com' \
		'by a new enrollment of the tablet'
	deliver
	is "$code $said" '0 ' '... certprov deliver'
	everyone_has anna.c@example.com 'by a new enrollment'
	ok 'the phone reads all old mail' reads "$phone" "first-$1" "second-$1"
	ok 'the tablet reads all old mail' reads "$tablet" "first-$1" "second-$1"

	laptop=$(new_uuid)
	enroll "$laptop" "$anna" mail=anna.c@example.com
	is "$status $(has "$laptop" 6)" "202 $(has "$phone" 6)" 'a laptop that enrolls later'
	ok '... reads all old mail' reads "$laptop" "first-$1" "second-$1"
	is "$(tr , '\n' <<<"$(has "$laptop" 9)" | wc -l)" $((own == 2 ? 2 : 4)) \
		"... and has no other device's signing key"
	is "$(uploads_to "$other")" 1 'nobody else gets anything'
}

ok 'the world starts' world certificates.key=ec-p256
both_ways device

# --- who is meant

before=$(rows certificates)
events=$(certprov list events --json | jq length)
# meant_for_nobody NAME DEVICE USER
meant_for_nobody()
{
	change "$2" "$3" mail=mallory@example.com
	answered 200 "$1"
	is "$(jq -r '.status + ": " + .event_type' <<<"$body")" 'ignored: User Email Address Changed' \
		'... and ignored'
}
meant_for_nobody 'an unknown device of a known user' "$(new_uuid)" "$anna"
meant_for_nobody "another user's device" "$other" "$anna"
meant_for_nobody 'an unknown user' '' "$(new_uuid)"
meant_for_nobody 'a device without a user' "$phone" ''
meant_for_nobody 'neither' '' ''
change "$phone" x mail=mallory@example.com
is "$status $(jq -r .field <<<"$body")" '400 EnrollmentUserUUID' 'a UUID that is none: 400'
is "$(rows certificates) $(certprov list events --json | jq length)" "$before $events" \
	'nothing was made or recorded'

eg_mode 503
change '' "$anna" mail=anna.d@example.com
answered 503 'a user alone, the gateway is busy'
is "$(certprov list events --state pending --json | jq -r '.[] | .device_uuid + " " + .event_type')" \
	"$laptop User Email Address Changed" 'it is pending, with the device that enrolled last'
eg_mode
deliver --now
is "$code $said" '0 ' 'certprov deliver --now'
is "$(has "$laptop" 5 8)" 'anna.d@example.com anna.d@example.com' '... finishes it'
deliver
everyone_has anna.d@example.com 'a user alone'

event_json device="$phone" user="$anna" mail=anna.e@example.com -EventId \
	EventType=useremailaddresschange >"$root/event.json"
is "$(certprov enroll "$root/event.json" | jq -r .status)" delivered 'certprov enroll takes it, too'
deliver
everyone_has anna.e@example.com 'by certprov enroll'

change "$phone" "$anna" mail=anna.f@example.com
certprov renew --user "$anna" --within 400d
everyone_has anna.f@example.com 'renewed after a change of address'

# --- no address, or none that may be

ok 'addresses from the event alone' handler_with 'identity.mail={EnrollmentEmailAddress}' \
	identity.allowed-domains=example.com
change "$phone" "$anna" mail=
answered 202 'an empty address'
is "$(has "$phone" 8)" anna.f@example.com '... changes nothing for a known user'
change "$phone" "$anna" mail=anna@example.org
answered 422 'an address that is not allowed'
is "$(certprov list events --state failed --json | jq length)" 1 'which is kept as failed'
deliver
is "$(has "$phone" 8)" anna.f@example.com 'and the old one stays'
certprov renew --user "$anna" --within 400d
everyone_has anna.f@example.com '... also when it is renewed'
ok 'as before' handler_with 'identity.mail=' identity.allowed-domains=
change "$phone" "$anna" mail=anna.f@example.com
is "$status $(certprov list events --state failed --json | jq length)" '202 0' \
	'the next one settles them'

# --- late

read -r sign encrypt < <(has "$phone" 3 6)
change "$phone" "$anna" mail=late@example.com EventTime=2020-03-01T10:00:00.5Z
change "$phone" "$anna" mail=latest@example.com EventTime=2020-04-01T10:00:00Z
is "$status $(has "$phone" 8)" '202 latest@example.com' '(two more changes)'
read -r sign encrypt < <(has "$phone" 3 6)
enroll "$phone" "$anna" mail=anna.e@example.com EventTime=2020-02-29T10:00:00Z
answered 202 'an older enrollment that comes in now'
is "$(has "$phone" 3 6)" "$sign $encrypt" '... does not bring the old address back'
change "$tablet" "$anna" mail=late@example.com EventTime=2020-03-01T10:00:00.5Z
is "$status $(has "$tablet" 6 8)" "202 $encrypt latest@example.com" \
	'nor an older change, of another device'
late=$(new_uuid)
enroll "$late" "$anna" mail=anna.e@example.com EventTime=2020-03-31T23:59:59Z
is "$status $(has "$late" 5 6)" "202 latest@example.com $encrypt" \
	'an older enrollment of a new device gives it the present address'
deliver
everyone_has latest@example.com 'after all these'
certprov renew --user "$anna" --within 400d
everyone_has latest@example.com '... and renewed'
enroll "$phone" "$anna" mail=anna.e@example.com EventTime=2020-02-29T10:00:00Z
is "$status $(has "$phone" 8)" '202 latest@example.com' '... which forgets no time'
enroll "$phone" "$anna" mail=anna.e@example.com EventTime=2020-05-01T10:00:00Z
is "$status $(has "$phone" 5 8)" '202 anna.e@example.com anna.e@example.com' \
	'a newer one does bring an address back'
enroll "$phone" "$anna" mail=ahead@example.com EventTime=2999-01-01T00:00:00Z
is "$status $(has "$phone" 8)" '202 ahead@example.com' 'one from the far future counts'
enroll "$phone" "$anna" mail=anna.e@example.com "EventTime=$(date -u +%FT%TZ)"
is "$status $(has "$phone" 8)" '202 anna.e@example.com' '... as one of now, and no longer'
enroll "$phone" "$anna" mail=none@example.com EventTime=soon
is "$status $(has "$phone" 8)" '202 none@example.com' 'one without a time counts'
deliver
everyone_has none@example.com 'in the end'

# --- more than an upload has room for

ok 'archive-max' handler_with certificates.archive-max=2
clara=$(new_uuid)
watch=$(new_uuid)
declare -a had=()
for mail in c1 c2 c3; do
	enroll "$watch" "$clara" "mail=$mail@example.com"
	read -r sign encrypt < <(has "$watch" 3 6)
	had+=("$sign" "$encrypt")
done
is "$status $(sorted "$(has "$watch" 9)")" "202 $(list_of "${had[@]:2:2}")" \
	'archive-max = 2: of four earlier certificates, the two newest'
is "$(certprov list uploads --device "$watch" --json | jq '.[].left_out')" 2 'two were left out'
like "$(audited ".action == \"uploaded\" and .device_uuid == \"$watch\"" | jq -r '.[0].detail')" \
	'archive-max left out 2 earlier$' 'the audit trail says so'
left=$(certprov status --json | jq .devices_left_out)
like "$(certprov status)" "$left  devices without their oldest certificates \(archive-max\)" \
	'status counts it'
ok 'archive-max as before' handler_with certificates.archive-max=
deliver --device "$watch"
is "$(sorted "$(has "$watch" 9)")" "$(list_of "${had[@]:0:4}")" 'with more room: all four'
is "$(certprov status --json | jq .devices_left_out)" $((left - 1)) 'status counts it no more'

# --- gone, and back

dora=$(new_uuid)
phone=$(new_uuid)
tablet=$(new_uuid)
enroll "$phone" "$dora" mail=dora@example.com
enroll "$tablet" "$dora" mail=dora@example.com
read -r sign encrypt < <(has "$tablet" 3 6)
old_mail "$phone" gone
unenroll "$tablet"
answered 200 'a tablet is unenrolled, by an event that names no user'
change "$tablet" "$dora" mail=dora.b@example.com
is "$status $(jq -r .status <<<"$body")" '200 ignored' 'its next change of address is nothing to us'
change "$phone" "$dora" mail=dora.b@example.com
is "$status $(has "$phone" 5 8)" '202 dora.b@example.com dora.b@example.com' "the phone's is"
deliver
deliver --all
is "$code $(uploads_to "$tablet")" '0 1' 'the tablet gets nothing more, not even by --all'
is "$(certprov list certificates --state active --json |
	jq --arg device "$tablet" '.[] | select(.device_uuid == $device) | .mail' -r)" \
	dora@example.com 'nor is anything made for it'
enroll "$tablet" "$dora" mail=dora.b@example.com
is "$status $(has "$tablet" 5 8)" '202 dora.b@example.com dora.b@example.com' 'it enrolls again'
is "$(has "$tablet" 6)" "$(has "$phone" 6)" "... and has the user's encryption certificate"
is "$(sorted "$(has "$tablet" 9)")" "$(list_of "$sign" "$encrypt")" '... and its old ones, archived'
ok '... it reads old mail' reads "$tablet" gone
unenroll "$tablet"
unenroll "$phone"
is "$(certprov list certificates --state active --json |
	jq --arg user "$dora" '[.[] | select(.user_uuid == $user and .usage == "encryption")] | length')" \
	1 'both are gone: the encryption key stays'
enroll "$phone" "$dora" mail=dora.b@example.com
is "$status $(has "$phone" 6)" "202 $(has "$tablet" 6)" 'the phone comes back to it'
ok '... and reads old mail' reads "$phone" gone

# --- signing certificates of the user, and nothing but signing

ok 'signing-scope = user' handler_with certificates.signing-scope=user
both_ways user
old_mail "$phone" present
ok 'signing alone' handler_with certificates.signing-scope= certificates.usages=signing
enroll "$phone" "$anna" mail=anna.c@example.com
is "$status $(has "$phone" 8)" '202 -' 'a device has no current encryption certificate any more'
ok '... but reads all mail that was sent to it' reads "$phone" first-user second-user present
emil=$(new_uuid)
phone=$(new_uuid)
tablet=$(new_uuid)
enroll "$phone" "$emil" mail=emil@example.com
enroll "$tablet" "$emil" mail=emil@example.com
change "$phone" "$emil" mail=emil.b@example.com
deliver
is "$code $(has "$phone" 5,8) $(has "$tablet" 5,8)" \
	'0 emil.b@example.com - emil.b@example.com -' 'usages = signing: both sign for the new address'

# --- a change that is done late

ok 'addresses from the event alone, of one domain' handler_with certificates.usages= \
	'identity.mail={EnrollmentEmailAddress}' identity.allowed-domains=example.com
fritz=$(new_uuid)
phone=$(new_uuid)
tablet=$(new_uuid)
enroll "$phone" "$fritz" mail=fritz@example.com "EventTime=$(date -u -d '-60 seconds' +%FT%TZ)"
change "$phone" "$fritz" mail=fritz@example.org "EventTime=$(date -u -d '-30 seconds' +%FT%TZ)"
answered 422 'a change of address is refused for now'
enroll "$tablet" "$fritz" mail= "EventTime=$(date -u +%FT%TZ)"
is "$status $(has "$tablet" 8)" '202 fritz@example.com' \
	'an enrollment without an address, later, takes the known one'
ok 'the domain is allowed' handler_with identity.allowed-domains=example.com,example.org
deliver --now
is "$(has "$phone" 8) $(has "$tablet" 8)" 'fritz@example.org fritz@example.org' \
	'the change is done, though it is older than the enrollment'

# --- a change that waits while its device enrolls again, or goes

ok 'one domain is allowed' handler_with identity.allowed-domains=example.com
gina=$(new_uuid)
phone=$(new_uuid)
tablet=$(new_uuid)
enroll "$phone" "$gina" mail=gina@example.com
enroll "$tablet" "$gina" mail=gina@example.com
change "$phone" "$gina" mail=gina@example.org
answered 422 "a change of the phone's address is refused for now"
is "$(certprov list events --state failed --json | jq -r '.[] | .device_uuid + " " + .kind')" \
	"$phone address changed" '... and is listed as what it is'
enroll "$phone" "$gina" mail=
is "$status $(has "$phone" 8)" '202 gina@example.com' 'the phone enrolls again, without an address'
ok 'the domain is allowed' handler_with identity.allowed-domains=example.com,example.org
deliver --now
is "$(has "$phone" 8) $(has "$tablet" 8)" 'gina@example.org gina@example.org' \
	'the change was not lost by that'
ok 'another domain is not' handler_with identity.allowed-domains=example.com,example.org
change "$tablet" "$gina" mail=gina@example.net
answered 422 "a change of the tablet's address is refused for now"
tablet_had=$(uploads_to "$tablet")
unenroll "$tablet"
answered 200 'the tablet is unenrolled'
ok 'the other domain is allowed' handler_with identity.allowed-domains=
deliver --now
is "$(has "$phone" 5 8) $(uploads_to "$tablet")" "gina@example.net gina@example.net $tablet_had" \
	'the phone gets the new address, the tablet nothing'
change "$phone" "$gina" 'mail=no address'
answered 422 'an address that is none'
unenroll "$phone"
before=$(rows certificates)
deliver --now
is "$(rows certificates) $(certprov list events --state failed --json | jq length)" "$before 0" \
	'of a user without a device it asks nothing'

ok 'the store is whole' test "$(sqlite3 "$root/certprov/certprov.db" 'PRAGMA integrity_check')" = ok
ok 'certprov check holds, the audit trail too' certprov check
not_ok 'no secret is in a log or an answer' told_secrets

done_testing
