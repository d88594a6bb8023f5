#!/bin/bash
# The whole job with a CA that is a program: the one that doc/ca-command.md shows, and
# programs that do what they should not.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

program=$root/mail-ca

# The page's own, with its CA here.
# shellcheck disable=SC2016 # sed's dollars
shown()
{
	sed -n '/^#!\/bin\/sh$/,/^```$/{/^```/d; p}' "$top_srcdir/doc/ca-command.md" |
		sed "s|/etc/mail-ca/ca\.|$pki/mail-ca.|g"
}

# becomes: the program is what comes on standard input; a new file, as by an administrator
becomes()
{
	cat >"$program.new"
	chmod 755 "$program.new"
	mv "$program.new" "$program"
}

# certificate PART ARGS...: what openssl x509 says of the certificate in the last upload
certificate()
{
	eg_pkcs12 "$(eg_upload_count)" "$1" | eg_openssl -nokeys -clcerts |
		openssl x509 -noout "${@:2}"
}

verifies()
{
	eg_pkcs12 "$(eg_upload_count)" "$1" | eg_openssl -nokeys -clcerts >"$root/leaf.pem" &&
		openssl verify -purpose "$2" -CAfile "$pki/mail-ca.crt" "$root/leaf.pem"
}

# post: an enrollment of somebody new, of $device
post()
{
	device=$(new_uuid)
	event_json device="$device" user="$(new_uuid)" >"$root/event.json"
	post_event "$root/event.json"
}

logged()
{
	sed -n "s|.*request=$(header X-Request-Id) $program: ||p" "$root/handler.log"
}

pki_ca mail-ca
shown | becomes
ok 'everything starts' world ca.type=command "ca.program=$program" \
	"ca.issuer-file=$pki/mail-ca.crt" ca.timeout=60s

# --- from the event to the gateway

post_event "$sample_event"
is "$status" 202 'the event is answered by 202, with the program that our page shows'
is "$(eg_upload_count)" 1 'the gateway has the upload'
for row in 'signing|smimesign' 'encryption|smimeencrypt'; do
	ok "${row%|*}: openssl takes it for its purpose, up to the CA" verifies "${row%|*}" "${row#*|}"
	is "$(certificate "${row%|*}" -email)" zenny@example.com '... the address'
done
like "$(certprov check --web-server none 2>&1)" "ok +CA: $program can be run" \
	'certprov check finds it well'
ok '... all of it' certprov check --web-server none
configure events.on-unenroll=revoke-signing
like "$(certprov check --web-server none 2>&1)" \
	'WARN +CA: on-unenroll.*cannot revoke at a CA of type command.*set on-unenroll = keep' \
	'certprov check tells that an unenrollment would revoke nothing'
configure events.on-unenroll=

# --- what it is told

{
	printf '#!/bin/sh\nenv | sort >>"%s/told"\ncat >"%s/request"\n' "$root" "$root"
	printf 'PATH=/usr/bin:/bin exec /bin/sh "%s/shown" <"%s/request"\n' "$root" "$root"
} | becomes
shown >"$root/shown"
SECRET=x CERTPROV_CONFIG=x certprov enroll - <<<"$(event_json device="$(new_uuid)" \
	user=33333333-3333-4333-8333-333333333333 name="o'brien")" >"$root/enroll.log" 2>&1
is "$(grep -v -e '^PWD=' -e '^_=' "$root/told" | sed 's/\(DEVICE_UUID=\).*-.*/\1one/' | sort | uniq -c |
	sed 's/^ *//' | tr '\n' ';')" "1 CERTPROV_DEVICE_UUID=;1 CERTPROV_DEVICE_UUID=one;$(
	)2 CERTPROV_MAIL=o'brien@example.com;2 CERTPROV_SUBJECT=CN=o'brien,O=Example;$(
	)1 CERTPROV_USAGE=encryption;1 CERTPROV_USAGE=signing;$(
	)2 CERTPROV_USER_UUID=33333333-3333-4333-8333-333333333333;$(
	)2 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin;" \
	'it is told whose certificate it is for what, and nothing else'
ok 'its request is well-formed' openssl req -in "$root/request" -noout -verify
is "$(certificate encryption -email)" "o'brien@example.com" 'and the address is kept as it is'

# --- what it says

becomes <<-'END'
	#!/bin/sh
	echo looking into it >&2
	printf 'no such \033[31mperson\n' >&2
	exit 3
END
post
is "$status" 502 'it refuses: 502'
like "$(logged)" $'^looking into it\nno such \\\\x1b\[31mperson$' 'what it says is in the log'
like "$(certprov list events --json --device "$device" | jq -r '.[0].cause')" \
	'refuses \(exit status 3\); it says: no such' 'the event knows the cause'

printf '#!/bin/sh\nseq 1 1000 >&2\nexit 75\n' | becomes
post
is "$status" 503 'not now: 503'
is "$(logged | head -n 50 | tail -n 1),$(logged | wc -l)" '50,51' '... and it may say so much'
printf '#!/bin/sh\necho x >>"%s/runs"\necho hello\n' "$root" | becomes
ok '... still not: no certificate' eval '! certprov deliver --now'
rm "$root/runs"
handler_stop
handler_start
before=$device
post
is "$status" 503 '... nor for somebody else'
for expected in 503 502 502; do
	post_event "$root/event.json"
	is "$status" "$expected" '... nor at the next event'
done
is "$(wc -l <"$root/runs")" 3 '... so it is not asked any more'
device=$before
shown | becomes
ok '... now: certprov deliver finishes it' certprov deliver --now
ok '... once' certprov deliver --now
is "$(eg_uploads_of "$device")" 1 '... with one upload'

# --- the forms of certificates

for form in 'openssl x509 -outform DER' 'openssl crl2pkcs7 -nocrl -certfile /dev/stdin' \
	'openssl crl2pkcs7 -nocrl -certfile /dev/stdin -outform DER' \
	'openssl x509 -text' 'base64 -w 0' "sed 's/\$/\\r/'"; do
	printf '#!/bin/sh\nPATH=/usr/bin:/bin; /bin/sh "%s/shown" | %s\n' "$root" "$form" | becomes
	post
	is "$status" 202 "its answer is taken: $form"
done
shown | becomes

# --- who hangs, who dies

configure ca.timeout=2s
handler_reload
printf '#!/bin/sh\ntrap "" TERM\nsleep 1000 & echo $! >"%s/child"\nwait; sleep 1000\n' "$root" | becomes
post
is "$status" 503 'it hangs: 503'
like "$(certprov list events --json --device "$device" | jq -r '.[0].cause')" \
	'not done in time' '... in time'
ok '... and nothing of it is left' wait_for 60 gone "$(<"$root/child")"
configure ca.timeout=60s
handler_reload
printf '#!/bin/sh\necho $$ >"%s/pid"\nsleep 1000\n' "$root" | becomes
device=$(new_uuid)
event_json device="$device" user="$(new_uuid)" >"$root/event.json"
(post_event "$root/event.json"; printf '%s\n' "$status" >"$root/status") &
ok 'in the middle of a request' wait_for 60 test -s "$root/pid"
kill -KILL "$(<"$root/pid")"
wait $!
is "$(<"$root/status")" 503 '... it is killed: 503'
shown | becomes
ok '... certprov deliver finishes it' certprov deliver --now
is "$(eg_uploads_of "$device")" 1 '... once'
is "$(pgrep -P "$(pgrep -d, -P "${pids[handler]}")")" '' 'its workers have no child left, dead or alive'

# --- what cannot be run

rm "$program"
code=0
said=$(certprov check --web-server none 2>&1) || code=$?
is "$code" 78 'it is missing: certprov check ends with 78'
like "$said" "FAILED +CA: .*certprov.conf:[0-9]+: \[ca\] program: $program: cannot be run: No such file" \
	'... and names file and line'
post
is "$status" 503 '... an event waits'
shown >"$program"
like "$(certprov check --web-server none 2>&1)" 'program: .*: cannot be run: Permission denied' \
	'it is no program: certprov check says so'
chmod 755 "$program"
ok '... once it is fixed, deliver finishes the pending event' certprov deliver --now

done_testing
