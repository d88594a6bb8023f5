# shellcheck shell=bash
# shellcheck disable=SC2154 # the parts of the library share variables
# The whole job with a real CA: for tests that source it behind lib-real-ca.sh and
# lib-uploads.sh.
#
#   job_done ROOT           the sample event is answered, uploaded, and right in openssl's eyes:
#                           $pki/ROOT.crt certifies it; then check reports no problem
#   job_interrupted ISSUED  an event comes while the CA is dead; it is finished once the CA is
#                           back, and once only. ISSUED is a command that prints how many
#                           certificates it has issued
#   ca_order USAGE          one order, by tests/system/ca_order
#   ca_revoke SERIAL [ISSUER]  its way around the store
#   issuer_of SERIAL        as ca_order and the store write it

job_verified()
{
	openssl verify -CAfile "$pki/$1.crt" -untrusted "$got.ca" -purpose "$2" "$got.crt"
}

job_done()
{
	local root_ca=$1

	post_event "$sample_event"
	is "$status" 202 'the event is answered by 202'
	is "$(eg_upload_count)" 1 'the gateway has the upload'
	unpack 1 signing
	ok '... with a signing certificate' job_verified "$root_ca" smimesign
	unpack 1 encryption
	ok '... and one for encryption' job_verified "$root_ca" smimeencrypt
	is "$(openssl x509 -in "$got.crt" -noout -email)" \
		zenny@example.com '... for the address'
	ok 'check reports no problem' certprov check
	post_event "$sample_event"
	is "$status" 202 'the same event again'
	is "$(certprov list certificates --json | jq length)" 2 '... gets no more certificates'
}

# Killed, not stopped, so that it has no time to finish anything.
job_interrupted()
{
	local issued=$1 before

	before=$("$issued")
	event_json "device=$(new_uuid)" "user=$(new_uuid)" >"$root/second.json"
	real_stop KILL
	post_event "$root/second.json"
	is "$status" 503 'the CA is killed: the event is answered by 503'
	is "$(eg_upload_count)" 2 '... nothing is uploaded'
	not_ok '... and check says so' certprov check
	ok 'the CA is back' real_start
	ok '... deliver' certprov deliver --now
	is "$(eg_upload_count)" 3 '... has finished it'
	ok '... deliver again' certprov deliver --now
	is "$(eg_upload_count)" 3 '... has nothing to do'
	is "$("$issued")" $((before + 2)) '... and it was done once'
}

ca_order()
{
	"$top_builddir/tests/system/ca_order" "--output=$root/order" "$conf" "$1" \
		test.person@example.com 2>&1
}

issuer_of()
{
	certprov list certificates --json | jq -r --arg serial "$1" \
		'.[] | select(.serial == $serial) | .issuer'
}

ca_revoke()
{
	"$top_builddir/tests/system/ca_order" "$conf" revoke "$1" "${2:-$(issuer_of "$1")}" \
		superseded 2>&1
}
