#!/bin/bash
# Nobody gets another user's keys. The test tries what an attacker with the webhook's password, a
# second user of a device, a thief of a phone, or a late event could do. After each attempt it runs
# every command that could send a key, and looks at the uploads that the gateway has received.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-answers.sh
. "$top_srcdir/tests/system/lib-answers.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"

now()
{
	date -u +%FT%TZ
}

name_of()
{
	certprov list users --user "$1" --json | jq -r '.[0].user_name'
}

enrolled()
{
	certprov list devices --device "$1" --json | jq -r '.[] | select(.state == "enrolled").user_uuid'
}

workers=2
world identity.mail='{EnrollmentEmailAddress}, {EnrollmentUserName}@example.com' \
	identity.allowed-domains=example.com identity.address-conflict=refuse
anna=$(new_uuid) bert=$(new_uuid) phone=$(new_uuid) tablet=$(new_uuid)

# --- a refused event leaves nothing

evil=$(new_uuid)
enroll "$evil" "$anna" mail=anna@evil.example.org name=mallory
is "$status" 422 'before the victim: an event with her UUID that is refused'
enroll "$phone" "$anna" mail=anna@example.com name=anna
is "$status" 202 '(the victim enrolls)'
enroll "$evil" "$anna" mail=anna@evil.example.org name=mallory
is "$status" 422 'after her: refused'
enroll "$evil" "$anna" 'mail=Anna <anna@example.com>' name=mallory
is "$status" 422 '... with an address that is unusable'
is "$(name_of "$anna")" anna 'her name is as it was'
is "$(enrolled "$evil")" '' 'the device has not enrolled'
send_all "$anna"
is "$(uploads_to "$evil")" 0 'nothing was ever sent to it'
like "$(uploads_to "$phone")" '^[2-9]' '(but to hers)'

# --- one device, one user at a time

enroll "$phone" "$bert" mail=bert@example.com name=bert
is "$status $(enrolled "$phone")" "202 $bert" "another user enrolls the device: it is that user's alone"
before=$(uploads_to "$phone" "$anna")
send_all "$anna"
is "$(uploads_to "$phone" "$anna")" "$before" 'nothing of the first user is sent there any more'
enroll "$phone" "$anna" mail=anna@example.com name=anna EventTime=2020-01-01T00:00:00Z
is "$status" 200 "a late event of the first user's enrollment"
is "$body" '{"status":"recorded"}' '... is recorded'
is "$(enrolled "$phone") $(uploads_to "$phone" "$anna")" "$bert $before" '... and changes nothing'
eg_script 503
enroll "$phone" "$anna" mail=anna@example.com name=anna "EventTime=$(now)"
is "$status $(enrolled "$phone")" "503 $anna" 'she enrolls it again, while the gateway is busy'
before=$(uploads_to "$phone" "$bert")
enroll "$phone" "$bert" mail=bert@example.com name=bert "EventTime=$(now)"
is "$status" 202 '... and that user once more'
count=$(uploads_to "$phone" "$anna")
send_all "$anna"
is "$(uploads_to "$phone" "$anna") $(enrolled "$phone")" "$count $bert" \
	'her enrollment, taken up late, brings nothing'
is "$(certprov list events --state failed --json | jq '[.[] | select(.user_name == "anna")] | length')" \
	0 '... and is no failure'

ok 'shared-devices = yes' handler_with events.shared-devices=yes
enroll "$phone" "$anna" mail=anna@example.com name=anna "EventTime=$(now)"
is "$status $(enrolled "$phone" | wc -l)" '202 2' 'both have it'
ok 'as before' handler_with events.shared-devices=
enroll "$phone" "$anna" mail=anna@example.com name=anna "EventTime=$(now)"
is "$status $(enrolled "$phone")" "202 $anna" 'now it is hers alone'

# --- a lost device

enroll "$tablet" "$anna" mail=anna@example.com name=anna "EventTime=$(now)"
is "$status" 202 '(she has a tablet, too)'
encrypt=$(has "$tablet" 6)
is "$(has "$phone" 6)" "$encrypt" '(with the same encryption key)'
ok 'certprov unenroll: the phone is lost' certprov unenroll --device "$phone"
before=$(uploads_to "$phone")
ok 'a new encryption key for her' certprov renew --user "$anna" --now
is "$(has "$tablet" 6 | grep -c "$encrypt" || true)" 0 'the tablet has it'
like "$(has "$tablet" 9)" "$encrypt" '... and the old one, for old mail'
send_all "$anna"
enroll "$phone" "$anna" mail=anna@example.com name=anna EventTime=2026-11-01T00:00:00Z
is "$status" 200 'an event from before the loss comes in late'
is "$(uploads_to "$phone")" "$before" 'the phone gets nothing'
enroll "$phone" "$anna" mail=anna@example.com name=anna "EventTime=$(date -u -d '+1 minute' +%FT%TZ)"
is "$status $(has "$phone" 6)" "202 $(has "$tablet" 6)" 'it was found, and enrolls again: it gets all'

old=$(has "$phone" 3)
ok 'revoke for keyCompromise' certprov revoke --device "$phone" --reason keyCompromise
before=$(uploads_to "$phone")
send_all "$anna"
is "$(uploads_to "$phone")" "$before" '... stops delivery, too'
is "$(certprov list certificates --state revoked --json | jq -r '.[] | select(.reason == "keyCompromise").serial' |
	grep -c "$old" || true)" 1 '... and its certificate is revoked for that reason'

unenroll "$tablet" "$(now)"
before=$(uploads_to "$tablet")
enroll "$tablet" "$anna" mail=anna@example.com name=anna EventTime=2026-01-01T00:00:00Z
is "$status $(uploads_to "$tablet")" "200 $before" \
	"an enrollment that is older than UEM's unenrollment revives nothing"
send_all "$anna"
is "$(uploads_to "$tablet")" "$before" '... later neither'

# --- one address, two users

mallory=$(new_uuid) watch=$(new_uuid) other=$(new_uuid)
enroll "$watch" "$bert" mail=bert@example.com name=bert "EventTime=$(now)"
is "$status" 202 '(bert has a watch)'
enroll "$other" "$mallory" mail=BERT@example.com name=mallory
is "$status" 422 "another user asks for a user's address"
like "$body" '"field":"EnrollmentEmailAddress"' '... the field is named'
is "$(uploads_to "$other") $(enrolled "$other")" '0 ' '... nothing is made or sent'
like "$(certprov list events --audit)" "address conflict.*$mallory.*BERT@example.com is the address of user bert" \
	'... the audit trail has it'
like "$(certprov status)" "[0-9]+ events? asked for the address of another user, the latest at .*$mallory" \
	'status has a line'
is "$(certprov status --json | jq '.address_conflicts > 0')" true '... and a number'
ok 'address-conflict = warn' handler_with identity.address-conflict=warn
enroll "$other" "$mallory" mail=bert@example.com name=mallory
is "$status" 202 'with a warning alone'
like "$(<"$root/handler.log")" "user $mallory: bert@example.com is the address of another user, bert " '... which is in the log'
ok 'as before' handler_with identity.address-conflict=refuse
enroll "$watch" "$bert" mail=bert@example.com name=bert "EventTime=$(now)"
is "$status" 202 'who had the address first is not shut out by that'
enroll "$(new_uuid)" "$bert" mail= name=bert "EventTime=$(now)"
is "$status" 202 '... and may enroll another device'
anew=$(new_uuid) same=$(new_uuid)
enroll "$same" "$(new_uuid)" mail=clara@example.com name=clara
enroll "$same" "$anew" mail=clara@example.com name=clara "EventTime=$(now)"
is "$status" 202 'a user who was made anew in UEM, on the same device, is no conflict'

# --- whose address

dora=$(new_uuid) laptop=$(new_uuid)
enroll "$laptop" "$dora" mail=Dora@example.com name=d.ora
first=$(has "$laptop" 3 6)
enroll "$laptop" "$dora" mail= name=d.ora "EventTime=$(now)"
is "$status $(has "$laptop" 3 6)" "202 $first" 'an event without an address changes nothing'
enroll "$(new_uuid)" "$dora" mail= name=d.ora "EventTime=$(now)"
is "$status" 202 '... nor does it fail a second device'
enroll "$laptop" "$dora" mail=dora@EXAMPLE.com name=d.ora "EventTime=$(now)"
is "$status $(has "$laptop" 3 6)" "202 $first" 'nor does another case'
for round in 1 2 3; do
	enroll "$laptop" "$dora" mail=dora.b@example.com name=d.ora "EventTime=$(now)"
	is "$status $(has "$laptop" 8)" '202 dora.b@example.com' "to another address and back: round $round"
	enroll "$laptop" "$dora" mail=dora@example.com name=d.ora "EventTime=$(now)"
	is "$status $(has "$laptop" 3 6)" "202 $first" '... takes up what there was'
done
is "$(certprov list certificates --user "$dora" --json |
	jq '[.[] | select(.usage == "encryption")] | length')" 2 'two encryption certificates in all'

ok 'the audit trail is whole' certprov check
not_ok 'no secret is in a log or an answer' told_secrets

done_testing
