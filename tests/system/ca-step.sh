#!/bin/bash
# The whole job with a real step-ca. Judged by openssl and by the simulated Escrow Gateway.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-real-ca.sh
. "$top_srcdir/tests/system/lib-real-ca.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"
# shellcheck source=tests/system/lib-job.sh
. "$top_srcdir/tests/system/lib-job.sh"

issued()
{
	grep -c 'path=/1.0/sign .*status=201' "$root/real-ca.log" || true
}

# with KEY=VALUE...: another provisioner or key
with()
{
	local key

	for key in jwk-file jwk-password-file identity identity-password-file; do
		unset "settings[ca.$key]"
	done
	configure "$@"
}

real_ca_or_skip step
ok 'everything starts' world "${real_settings[@]}"

job_done step-root
job_interrupted issued

# --- keys that are no use

for form in compact flattened; do
	with "ca.jwk-file=$real/$form.jwe"
	not_ok "an encrypted key, $form" ca_order signing
	like "$(<"$root/output")" '^config: .*\.jwe: it is encrypted: .*step crypto jwe decrypt' \
		'... is told how to be decrypted'
done
with "ca.jwk-file=$real/compact.jwe" "ca.jwk-password-file=$real/jwk.password"
not_ok '... with its password' ca_order signing
like "$(<"$root/output")" '^config: .*jwk-password-file.*step crypto jwe decrypt' '... as well'
with "ca.jwk-file=$real/public.jwk"
not_ok 'its public half' ca_order signing
like "$(<"$root/output")" '^config: .*public' '... is told'
with
not_ok 'neither a key nor an identity' ca_order signing
like "$(<"$root/output")" '^config: .*jwk-file' '... is told'

# --- an identity

with "ca.identity=$pki/ra.pfx" "ca.identity-password-file=$real/ra.password" \
	'ca signing.provisioner=signing of RAs' 'ca encryption.provisioner=encryption of RAs'
ok 'a token signed with an identity' ca_order signing
ok '... whose provisioner is there' certprov check
pki_ca other-ca
pki_client other other-ca
pki_pfx other 'ra identity'
with "ca.identity=$pki/other.pfx" "ca.identity-password-file=$real/ra.password"
not_ok 'an identity of another CA' ca_order signing
like "$(<"$root/output")" 'rejected our credentials' '... is not let in'

# --- who may ask

with "${real_settings[@]}" 'ca signing.provisioner=nobody'
not_ok 'check, with an unknown provisioner' certprov check
like "$(<"$root/output")" 'no provisioner "nobody" of type JWK' '... says which'
not_ok '... which cannot order' ca_order signing
with "${real_settings[@]}"

# --- revocation

serial=$(certprov list certificates --json | jq -r '.[0].serial')
ok 'revoke' certprov revoke --serial "$serial" --reason keyCompromise --yes
like "$(grep '/1.0/revoke' "$root/real-ca.log" | tail -n 1)" 'status=200' '... is done there'
ok '... once more' ca_revoke "$serial"
like "$(grep '/1.0/revoke' "$root/real-ca.log" | tail -n 1)" 'already revoked' \
	'... which it had done already'

done_testing
