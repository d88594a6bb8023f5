#!/bin/bash
# The whole job with a real CFSSL. Judged by openssl, by the simulated Escrow Gateway and by
# CFSSL's own database.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-real-ca.sh
. "$top_srcdir/tests/system/lib-real-ca.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"

# shellcheck source=tests/system/lib-job.sh
. "$top_srcdir/tests/system/lib-job.sh"

database()
{
	sqlite3 -cmd '.timeout 60000' "$real/certificates.db" "$1"
}

issued()
{
	database 'SELECT count(*) FROM certificates'
}

real_ca_or_skip cfssl
ok 'everything starts' world "${real_settings[@]}"

job_done cfssl-ca
job_interrupted issued

# --- who may ask

printf '00112233445566778899aabbccddee00\n' >"$real/auth.key"
not_ok 'check, with another key' certprov check
like "$(<"$root/output")" 'invalid token' '... says what is wrong with it'
printf 'a secret\n' >"$real/auth.key"
not_ok 'a key that is none' certprov check
like "$(<"$root/output")" 'auth-key-file: .*hexadecimal' '... is told'
unlike "$(<"$root/output")" 'a secret' '... but not shown'
printf '00112233445566778899aabbccddeeFF\n' >"$real/auth.key"

# --- a profile that wants no token

unset "settings[ca.auth-key-file]"
configure ca\ signing.profile=open
ok 'without a token' ca_order signing
not_ok 'where one is wanted' ca_order encryption
like "$(<"$root/output")" 'authentication required' '... it says so'
configure "${real_settings[@]}"

# --- revocation

serial=$(certprov list certificates --json | jq -r '.[0].serial')
ok 'revoke' certprov revoke --serial "$serial" --reason keyCompromise --yes
is "$(database "SELECT status, reason FROM certificates WHERE status <> 'good'")" 'revoked|1' \
	'... has it in its database'
ok '... once more' ca_revoke "$serial"
not_ok 'what it does not know' ca_revoke 0123456789abcdef "$(issuer_of "$serial")"
like "$(<"$root/output")" 'not found' '... it says so'
not_ok 'what another has issued' ca_revoke "$serial" 'CN=Another'
like "$(<"$root/output")" 'not CN=Another' '... is not asked for'

done_testing
