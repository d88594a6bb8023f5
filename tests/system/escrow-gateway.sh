#!/bin/bash
# The simulated Escrow Gateway refuses what the real one could refuse, says what
# was wrong, does what it is ordered to, and has recorded before it answers.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

device=f90f1abd-b914-4895-9b59-82e8aecf0e66
user=fe13e814-7415-4fce-9f47-de5a55bfe57a
client=identity
path=/v2/certificates
type=application/json
accept=application/json

# eg_post FILE [CURL-OPTIONS...]: an upload as the documentation's example has it.
eg_post()
{
	local file=$1
	local -a cert=()

	shift
	[[ -z $client ]] || cert=(--cert "$pki/$client.pfx:identity password" --cert-type P12)
	status=$(curl --silent --show-error --cacert "$pki/eg-ca.crt" --max-time 30 \
		--output "$answer.body" --dump-header "$answer.headers" \
		--write-out '%{http_code}' "${cert[@]}" \
		--header "Content-Type: $type" --header "Accept: $accept" \
		--data-binary "@$file" "$@" "$eg_url$path" 2>"$answer.error") || true
	body=$(tr -d '\0' <"$answer.body")
}

# p12 NAME [EXPORT-OPTIONS...]: base64 of a PKCS#12 file with the issuer in it.
p12()
{
	local name=$1

	shift
	pki_pfx "$name" "$eg_password" -certfile "$pki/mail-ca.crt" "$@" >/dev/null || return 1
	base64 -w 0 "$pki/$name.pfx"
}

# payload PART=BASE64...: parts may repeat; jq makes the JSON.
payload()
{
	jq -cn --arg device "$device" --arg user "$user" '
		{device_uuid: $device, user_uuid: $user, smime_certificates:
			(reduce $ARGS.positional[] as $p ({};
				($p | index("=")) as $i | .[$p[:$i]] += [$p[$i + 1:]]))}' --args -- "$@"
}

# refused STATUS REGEX NAME [CURL-OPTIONS...], the body on standard input.
refused()
{
	local want=$1 regex=$2 name=$3 before

	shift 3
	before=$(eg_upload_count)
	cat >"$root/body.json"
	eg_post "$root/body.json" "$@"
	like "$status $body" "^$want .*$regex" "$name: $want"
	is "$(eg_upload_count)" "$before" "$name: nothing is recorded"
}

edit()
{
	jq -c "$@" "$root/good.json"
}

rm -f "$pki"/*.pfx
pki_pfx identity 'identity password'
pki_ca mail-ca
pki_mail sign mail-ca digitalSignature,nonRepudiation
key_type=rsa:2048 pki_mail seal mail-ca keyEncipherment
pki_mail agree mail-ca keyAgreement
in_past pki_mail old mail-ca keyAgreement
sign=$(p12 sign)
seal=$(p12 seal)
agree=$(p12 agree)
old=$(p12 old)
payload "signing=$sign" "encryption=$seal" >"$root/good.json"

ok 'it starts' eg_start

# --- what it accepts

eg_post "$root/good.json"
is "$status" 200 'a good upload is accepted'
is "$(eg_upload_count)" 1 'and recorded'
ok 'to the byte' cmp "$root/good.json" "$(eg_upload 1)"
is "$(eg_log '[.status, .device, .user, .signing, .encryption, .archived, .upload] | join(" ")')" \
	"200 $device $user 1 1 0 0001" 'and its log says so'
is "$(eg_log .client)" "$(thumbprint identity)" 'with the thumbprint of the client'
ok 'openssl reads it back' bash -c "$(declare -f eg_pkcs12 eg_upload eg_openssl)
	eg=$eg; eg_pkcs12 1 signing | eg_openssl -nokeys | grep -q 'CN = sign'"
payload "encryption=$agree" "archived=$old" >"$root/ec.json"
eg_post "$root/ec.json"
is "$status" 200 'encryption alone, EC, and an expired one in archived'
payload "signing=$sign" | eg_post -
is "$status" 200 'signing alone'
: >"$eg/thumbprints"
thumbprint identity sha1 | tr a-f A-F | sed 's/../&:/g; s/:$//' >"$eg/thumbprints"
eg_post "$root/good.json"
is "$status" 200 'a SHA-1 thumbprint with colons on the list'

# --- whom it refuses

eg_unlist
refused 403 'thumbprint is not on the list' 'a client that is not listed' <"$root/good.json"
in_past pki_client expired eg-ca
pki_pfx expired 'identity password'
eg_list identity expired
client=expired refused 403 'client certificate: expired' 'an expired client' <"$root/good.json"
client='' refused 403 'none was sent' 'a client without certificate' <"$root/good.json"

# --- what it refuses

path=/v1/certificates refused 404 'nothing at this path' 'another path' <"$root/good.json"
path=/v2/certificates/ refused 404 'nothing' 'a slash too much' <"$root/good.json"
refused 405 'only POST' 'PUT' --request PUT <"$root/good.json"
is "$(header Allow)" POST 'PUT: Allow'
type=text/plain refused 415 'Content-Type' 'plain text' <"$root/good.json"
type=application/jsonp refused 415 'Content-Type' 'not quite JSON' <"$root/good.json"
accept=text/html refused 406 'Accept' 'a client that wants HTML' <"$root/good.json"
accept='' refused 406 'Accept' 'a client that says nothing' <"$root/good.json"

refused 400 'not JSON' 'nothing' <<<''
refused 400 'not JSON' 'half a body' < <(head -c 400 "$root/good.json")
refused 400 'behind the JSON' 'two bodies' < <(cat "$root/good.json" "$root/good.json")
refused 422 'not an object' 'an array' <<<'[]'
refused 422 'device_uuid: missing' 'no device' < <(edit 'del(.device_uuid)')
refused 422 'user_uuid: missing' 'no user' < <(edit 'del(.user_uuid)')
refused 422 'smime_certificates: missing' 'no certificates' < <(edit 'del(.smime_certificates)')
refused 422 'unknown field ..password' 'a field too much' < <(edit '.password = "x"')
refused 422 'unknown field ..Signing' 'a part too much' < <(edit '.smime_certificates.Signing = []')
refused 422 'user_uuid: is there twice' 'a field twice' \
	< <(sed 's/^{/{"user_uuid":"fe13e814-7415-4fce-9f47-de5a55bfe57a",/' "$root/good.json")
refused 422 'not a UUID' 'a UUID in capitals' < <(edit '.device_uuid |= ascii_upcase')
refused 422 'not a UUID' 'a UUID without hyphens' < <(edit '.user_uuid |= gsub("-"; "")')
refused 422 'not a UUID' 'a number for a UUID' < <(edit '.user_uuid = 12')
refused 422 'not a UUID' 'the UUID that is all zero' \
	< <(edit '.user_uuid |= gsub("[0-9a-f]"; "0")')
refused 422 'nothing in it' 'no part at all' < <(edit '.smime_certificates = {}')
refused 422 'archived: empty' 'an empty part' < <(edit '.smime_certificates.archived = []')
refused 422 'signing: not an array' 'a string for a part' \
	< <(edit '.smime_certificates.signing |= .[0]')
refused 422 'signing\[0\]: not a string' 'null in a part' \
	< <(edit '.smime_certificates.signing = [null]')
refused 422 'not base64' 'base64 with line breaks' \
	< <(edit '.smime_certificates.signing[0] |= .[:64] + "\n" + .[64:]')
refused 422 'not base64' 'base64 without padding' < <(payload 'signing=MIIB8A')
refused 422 'not base64' 'base64 of URLs' < <(payload 'signing=-_-_')
refused 422 'not base64' 'an empty string' < <(payload 'signing=')
refused 422 'encryption\[0\]: not a PKCS#12' 'junk for a PKCS#12 file' < <(payload 'encryption=MIIBAAAA')
refused 422 'not a PKCS#12' 'a certificate alone' \
	< <(payload "signing=$(openssl x509 -in "$pki/sign.crt" -outform DER | base64 -w 0)")
refused 422 'wrong password' 'another password' \
	< <(payload "signing=$(eg_password=other p12 sign)")
refused 422 'wrong password' 'no MAC' < <(payload "signing=$(p12 sign -nomac)")
refused 422 'no private key' 'no key' < <(payload "signing=$(p12 sign -nokeys)")
refused 422 'not encrypted' 'a key in the open' < <(payload "signing=$(p12 sign -keypbe NONE)")
refused 422 'issuer is not in it' 'no issuer' \
	< <(pki_pfx sign "$eg_password"; payload "signing=$(base64 -w 0 "$pki/sign.pfx")")
pki_ca other-ca
refused 422 'issuer is not in it' 'another issuer' < <(
	pki_pfx sign "$eg_password" -certfile "$pki/other-ca.crt"
	payload "signing=$(base64 -w 0 "$pki/sign.pfx")"
)
refused 422 'lacks digitalSignature' 'a certificate that may not sign' < <(payload "signing=$seal")
refused 422 'lacks keyAgreement' 'one that may not encrypt (EC)' < <(payload "encryption=$sign")
key_type=rsa:2048 pki_mail signrsa mail-ca digitalSignature
refused 422 'lacks keyEncipherment' 'one that may not encrypt (RSA)' \
	< <(payload "encryption=$(p12 signrsa)")
refused 422 'not for emailProtection' 'one that is not for mail' < <(
	pki_leaf web mail-ca -subj /CN=web -addext keyUsage=digitalSignature
	payload "signing=$(p12 web)"
)
refused 422 'has expired' 'an expired one that is not archived' < <(payload "encryption=$old")
refused 422 'encryption\[1\]: the same certificate is in encryption too' 'one twice' \
	< <(payload "encryption=$agree" "encryption=$agree")
refused 422 'archived\[0\]: the same certificate is in signing too' 'a current one in archived' \
	< <(payload "signing=$sign" "archived=$sign")
refused 422 'the same key is in signing too' 'one key for both' < <(
	openssl req -config "$pki/openssl.cnf" -x509 -key "$pki/sign.key" -CA "$pki/mail-ca.crt" \
		-CAkey "$pki/mail-ca.key" -subj /CN=twin -out "$pki/twin.crt" \
		-addext keyUsage=keyAgreement -addext extendedKeyUsage=emailProtection
	cp "$pki/sign.key" "$pki/twin.key"
	payload "signing=$sign" "encryption=$(p12 twin)"
)

# Two keys in one file, and a key beside the wrong certificate: certtool makes both.
certtool_p12()
{
	cat "$@" >"$pki/several.key"
	certtool --to-p12 --p12-name x --password "$eg_password" --outder --outfile "$pki/several.pfx" \
		--load-privkey "$pki/several.key" --load-certificate "$pki/sign.crt" \
		--load-ca-certificate "$pki/mail-ca.crt" 2>/dev/null
	base64 -w 0 "$pki/several.pfx"
}
refused 422 'belongs to none' 'a key of another certificate' \
	< <(payload "signing=$(certtool_p12 "$pki/agree.key")")
refused 422 'more than one private key' 'two keys in one file' \
	< <(payload "signing=$(certtool_p12 "$pki/sign.key" "$pki/agree.key")")

# --- what it does when it is told to

uploads=$(eg_upload_count)
eg_script '429 7' '503 +30' '500' '201' '204' 'nonsense'
eg_post "$root/good.json"
is "$status $(header Retry-After)" '429 7' 'ordered: 429 with seconds'
eg_post "$root/good.json"
like "$status $(header Retry-After)" '^503 [A-Z][a-z]{2}, [0-9]{2} .* GMT$' 'ordered: 503 with a date'
eg_post "$root/good.json"
is "$status" 500 'ordered: 500'
is "$(eg_upload_count)" "$uploads" 'none of them is recorded'
eg_post "$root/good.json"
is "$status" 201 'ordered: 201'
eg_post "$root/good.json"
is "$status$body" 204 'ordered: 204, without a body'
is "$(eg_upload_count)" $((uploads + 2)) 'those two are'
eg_post "$root/good.json"
like "$status $body" '^500 .*does not know the order .*nonsense' 'an order it does not know'
eg_post "$root/good.json"
is "$status" 200 'after the last order all is well again'

uploads=$(eg_upload_count)
eg_script cut drop 'huge 3' garbage 'hang 0.2'
eg_post "$root/good.json"
like "$status $(<"$answer.error")" '^200 curl: \(18\)' 'ordered: an answer that breaks off'
eg_post "$root/good.json"
like "$status $(<"$answer.error")" '^000 curl: \((52|56)\)' 'ordered: no answer'
eg_post "$root/good.json"
is "$status $(stat -c %s "$answer.body")" '200 3145728' 'ordered: three megabytes'
eg_post "$root/good.json"
not_ok 'ordered: an answer that is no JSON' jq . "$answer.body"
is "$(eg_upload_count)" $((uploads + 4)) 'all four are recorded: only the answer is sick'
eg_post "$root/good.json"
is "$status" 000 'ordered: a hang, then no answer'
is "$(eg_upload_count)" $((uploads + 4)) 'that one is not'

eg_script 'slow 1'
started=$(date +%s%N)
eg_post "$root/good.json"
ok 'ordered: a second late' test $((($(date +%s%N) - started) / 1000000)) -ge 1000
is "$status" 200 'but accepted'

eg_script 'hang 20'
eg_post "$root/good.json" --max-time 3
is "$status" 000 'a hang'
eg_post "$root/good.json"
is "$status" 200 'does not stop the others'

eg_mode fail 3 502
statuses=
for ((i = 0; i < 6; i++)); do
	eg_post "$root/good.json"
	statuses+="$status "
done
is "$statuses" '200 200 502 200 200 502 ' 'mode: every third fails'
before=$(eg_upload_count)
eg_mode fail 2 drop
eg_post "$root/good.json"
statuses=$status
eg_post "$root/good.json"
is "$statuses $status" '200 000' 'mode: every second is dropped'
is "$(($(eg_upload_count) - before))" 2 'but accepted'
eg_mode
eg_mode 503
eg_post "$root/good.json"
is "$status" 503 'mode: all fail'
eg_mode

# --- many at the same time, and again after a restart

uploads=$(eg_upload_count)
posts=()
for ((i = 0; i < 12; i++)); do
	(answer=$root/parallel-$i eg_post "$root/good.json"; [[ $status == 200 ]]) &
	posts+=($!)
done
accepted=0
for pid in "${posts[@]}"; do
	if wait "$pid"; then
		accepted=$((accepted + 1))
	fi
done
is "$accepted $(($(eg_upload_count) - uploads))" '12 12' 'twelve at once: each recorded once'
is "$(eg_log 'select(.status == 200 or .status == 201 or .status == 204) | .upload' | sort -u | wc -l)" \
	"$(eg_upload_count)" 'the log names each upload once'

url=$eg_url
pki_server eg-other eg-ca other.example
eg_stop
eg_post "$root/good.json"
is "$status" 000 'stopped'
ok 'it starts again, with a certificate for another name' eg_start eg-other
is "$eg_url" "$url" 'at the same place'
eg_post "$root/good.json"
like "$(<"$answer.error")" 'curl: \(60\)' 'which curl does not take'

done_testing
