#!/bin/bash
# Shows the whole chain: the sample event goes in by HTTPS, the user's
# certificates come out at a simulated Escrow Gateway, and a mail is signed and
# encrypted with them.
#
#	tests/demo.sh           runs it and cleans up
#	tests/demo.sh --keep    leaves it running and tells how to play with it
#	tests/demo.sh --ca est  with a real external CA behind it, instead of the local
#	                        one, or hsm: with keys in a token; names: local, and what
#	                        tests/system/real-ca-*.sh are for
#	tests/demo.sh --uem     with a simulated UEM that confirms events: it knows the user's
#	                        address, and refutes an attacker's claim
#
# Installs missing Debian packages (as root) and builds in build-demo, which the
# next run takes up again; nothing else stays behind.

set -euo pipefail
export LC_ALL=C.UTF-8

# shellcheck source=tests/setup.sh
. "$(dirname "$0")/setup.sh"

build=${CERTPROV_DEMO_BUILD:-$top/build-demo}
keep=
ca=local
uem_too=

usage()
{
	sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
}

while (($#)); do
	case $1 in
	--keep) keep=yes ;;
	--uem) uem_too=yes ;;
	--ca=*) ca=${1#*=} ;;
	--ca)
		ca=${2:-}
		shift
		;;
	--help)
		usage
		exit 0
		;;
	*)
		usage >&2
		exit 2
		;;
	esac
	shift
done
[[ $ca == local || -e $top/tests/system/real-ca-$ca.sh ]] || {
	usage >&2
	exit 2
}

# --- how it looks

bold=
plain=
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
	bold=$'\e[1m'
	plain=$'\e[0m'
fi

section()
{
	printf '\n%s%s%s\n\n' "$bold" "$1" "$plain"
}

row()
{
	printf '  %-14s %s\n' "$1" "$2"
}

indented()
{
	sed 's/^/  /'
}

# check TEXT COMMAND...: the demo proves what it says.
check()
{
	local text=$1

	shift
	"$@" >"$root/check.out" 2>&1 || {
		cat "$root/check.out" >&2
		die "this should hold, but does not: $text"
	}
	printf '  [ok] %s\n' "$text"
}

# --- building

build_it()
{
	local log=$build/build.log

	mkdir -p "$build/obj"
	copy_source "$build/src"
	{
		[[ -x $build/src/configure ]] || "$build/src/autogen.sh"
		cd "$build/obj"
		[[ -e config.status ]] || "$build/src/configure" --quiet
		make -s -j "$(nproc)" all tests/peers/escrow-gateway tests/peers/uem-server
	} >"$log" 2>&1 || {
		tail -n 40 "$log" >&2
		die "the build failed; all of its output: $log"
	}
}

# --- what arrived

# unpack N PART: PART.N.crt, .key and .chain in $root/got, from the Nth upload.
unpack()
{
	local at=$root/got/$2.$1

	eg_pkcs12 "$1" "$2" >"$at.p12"
	eg_openssl -in "$at.p12" -clcerts -nokeys -out "$at.crt"
	eg_openssl -in "$at.p12" -cacerts -nokeys -out "$at.chain"
	eg_openssl -in "$at.p12" -nocerts -noenc -out "$at.key"
}

field()
{
	openssl x509 -in "$1" -noout "${@:2}" | sed 's/^[a-z]*=//I'
}

describe()
{
	local crt=$root/got/$2.$1.crt

	printf '  %s%s%s\n' "$bold" "$2" "$plain"
	row '  subject' "$(field "$crt" -subject -nameopt RFC2253)"
	row '  address' "$(field "$crt" -email)"
	row '  key usage' "$(field "$crt" -ext keyUsage | sed -n 's/^ *//; 2p')"
	row '  issuer' "$(field "$crt" -issuer -nameopt RFC2253)"
	row '  serial' "$(field "$crt" -serial)"
	row '  valid' "$(field "$crt" -startdate -dateopt iso_8601) to $(field "$crt" -enddate -dateopt iso_8601)"
	printf '\n'
}

show_upload()
{
	local upload

	upload=$(eg_upload "$1")
	row device "$(jq -r .device_uuid "$upload")"
	row user "$(jq -r .user_uuid "$upload")"
	printf '\n'
	unpack "$1" signing
	unpack "$1" encryption
	describe "$1" signing
	describe "$1" encryption
}

post()
{
	printf '  $ curl --user uem:... --data @%s %s/events\n\n' "$1" "$front_url"
	post_event "$2"
	printf '  %s\n' "$(head -n 1 "$answer.headers" | tr -d '\r')"
	jq . "$answer.body" 2>/dev/null | indented || indented <"$answer.body"
	printf '\n'
}

lacks()
{
	! grep -q "$@"
}

same_certificate()
{
	[[ $(thumb "$1") == "$(thumb "$2")" ]]
}

other_certificate()
{
	! same_certificate "$1" "$2"
}

thumb()
{
	openssl x509 -in "$root/got/$1.crt" -noout -fingerprint -sha256
}

# --- a mail

mail_round_trip()
{
	local got=$root/got mail=$root/mail address

	address=$(field "$got/signing.1.crt" -email)
	printf 'Content-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n' \
		'The results are in, all is well.' >"$mail"
	openssl cms -sign -in "$mail" -signer "$got/signing.1.crt" -inkey "$got/signing.1.key" \
		-certfile "$got/signing.1.chain" -from "$address" -to "$address" \
		-subject Results -out "$mail.signed"
	check "signed by $address" grep -q 'multipart/signed' "$mail.signed"
	check 'the signature verifies up to our CA' openssl cms -verify -in "$mail.signed" \
		-CAfile "$anchor" -purpose smimesign -out "$mail.verified"
	check 'and the text is what was signed' cmp "$mail" "$mail.verified"
	openssl cms -encrypt -aes-256-cbc -in "$mail.signed" -out "$mail.encrypted" \
		"$got/encryption.1.crt"
	check "encrypted to $address: unreadable on the way" \
		lacks results "$mail.encrypted"
	check 'decrypted with the key that was delivered' openssl cms -decrypt \
		-in "$mail.encrypted" -recip "$got/encryption.1.crt" \
		-inkey "$got/encryption.1.key" -out "$mail.decrypted"
	check 'and its signature still verifies' openssl cms -verify -in "$mail.decrypted" \
		-CAfile "$anchor" -purpose smimesign -out "$mail.read"
	check 'and the text is the same' cmp "$mail" "$mail.read"
}

# --- UEM

# The sample's user and both devices, as UEM has them; the address is in no event.
uem_world()
{
	# shellcheck source=tests/system/lib-uem.sh
	. "$top_srcdir/tests/system/lib-uem.sh"
	uem_start uem-server || die 'the simulated UEM did not start'
	uem_user "$(jq -r .EnrollmentUserUUID "$sample_event")" zenny zenny.zimmermann@example.com
	uem_device "$(jq -r .DeviceUUID "$sample_event")" "$(jq -r .EnrollmentUserUUID "$sample_event")"
	uem_device "$second_device" "$(jq -r .EnrollmentUserUUID "$sample_event")"
	uem_configure
	configure identity.source=uem
}

attack()
{
	event_json device=11111111-2222-4333-8444-555555555555 DeviceFriendlyName='not hers' \
		>"$root/attack.json"
	post attack.json "$root/attack.json"
	check 'answered 403: UEM has no such device of hers' test "$status" = 403
	check 'the gateway has got nothing' test "$(eg_upload_count)" = 2
	certprov deliver --all >"$root/attack.log" 2>&1 || true
	check 'nor does it get anything there later' lacks 11111111-2222 "$eg/state/log"
}

# --- staying

how_to_play()
{
	section 'It is running: play with it'
	cat <<-END
		  Handler       $front_url/events   (user uem, password webhook-password)
		  Gateway       $eg_url
		  Everything    $root

		  Post an event:
		    curl --cacert $pki/front-ca.crt --user uem:webhook-password \\
		      --data @$sample_event $front_url/events

		  What the program knows:
		    alias certprov='${SOFTHSM2_CONF:+SOFTHSM2_CONF=$SOFTHSM2_CONF }$(program certprov) -c $conf'
		    certprov status
		    certprov list certificates
		    certprov check

		  What the gateway has got, and why it refused what it refused:
		    jq . $eg/state/log

		  Make the gateway fail: the next upload gets 503, the one after hangs
		    printf '503 30\nhang 10\n' >>$eg/state/script
		  All the orders: tests/peers/escrow-state.h

		  The logs:
		    tail -f $root/handler.log $front/nginx.log

		  To stop: Ctrl-C here, or
		    kill $$
	END
}

stay()
{
	trap 'exit 0' INT TERM HUP
	how_to_play
	wait "${pids[front]}"
}

# --- the story

section 'Certificate Provider: from an enrollment to the Escrow Gateway'
real_packages=()
if [[ $ca != local ]]; then
	# shellcheck source=tests/system/real-ca-est.sh
	. "$top/tests/system/real-ca-$ca.sh"
fi
install_packages "${build_packages[@]}" "${run_packages[@]}" "${real_packages[@]}"
started=$SECONDS
build_it
row built "in $build ($((SECONDS - started)) s)"

top_srcdir=$build/src
top_builddir=$build/obj
# shellcheck source=tests/system/lib.sh
. "$top_srcdir/tests/system/lib.sh"
# shellcheck source=tests/system/lib-real-ca.sh
. "$top_srcdir/tests/system/lib-real-ca.sh"
tap_done=yes # this is no test file
mkdir -p "$root/got"

[[ $ca == local ]] || real_ca "$ca" || die "$real_missing"
second_device=0c5ee9a1-7a44-4f0f-8d6a-3f4c2b9e1d77
expected=zenny@example.com
origin='the event has no address: the template {EnrollmentUserName}@example.com gave it'
if [[ -n $uem_too ]]; then
	uem_world
	expected=zenny.zimmermann@example.com
	origin='the event has no address: UEM knows it'
fi
world "${real_settings[@]}" || die 'something did not start; its log is above'
anchor=${settings[ca.issuer-file]:-$root/certprov/${settings[ca.certificate]:-ca.crt}} # whom readers trust
row CA "${real_title:-local: a key and a certificate in two files}"
row gateway "$eg_url, a simulated one: mutual TLS, clients by thumbprint"
row handler "certprov.fcgi, $workers workers, SQLite"
row 'web server' "nginx, $front_url"
[[ -z $uem_too ]] || row UEM "$uem_url, a simulated one"

section '1. A device enrolls: UEM posts the event'
post enrollment-event.json "$sample_event"
check 'answered 202' test "$status" = 202
check 'the gateway has it' test "$(eg_upload_count)" = 1

section '2. What the Escrow Gateway received'
show_upload 1
check "$origin" test "$(field "$root/got/signing.1.crt" -email)" = "$expected"
check 'both chains verify' openssl verify -CAfile "$anchor" \
	-untrusted "$root/got/signing.1.chain" \
	"$root/got/signing.1.crt" "$root/got/encryption.1.crt"

section '3. A mail with these certificates'
mail_round_trip

section '4. The same user enrolls a second device'
event_json "device=$second_device" DeviceFriendlyName='zenny iPad' \
	>"$root/second-device.json"
post second-device.json "$root/second-device.json"
check 'answered 202' test "$status" = 202
printf '\n'
show_upload 2
check 'the encryption certificate is the same: old mail is readable on both' \
	same_certificate encryption.1 encryption.2
check 'the signing certificate is another: it belongs to the device' \
	other_certificate signing.1 signing.2

if [[ -n $uem_too ]]; then
	section '5. An attacker with the password of the webhook asks for her keys'
	attack
fi
if [[ -n $keep ]]; then
	stay
fi
section 'Done. tests/demo.sh --keep leaves it running to play with.'
