# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# No external CA, but the local one with its key in a token of SoftHSM 2, as is the key of our client
# certificate. Sourced by lib-real-ca.sh.

real_packages=(gnutls-bin softhsm2)

real_get()
{
	command -v softhsm2-util p11tool >/dev/null || {
		echo 'no SoftHSM 2 or p11tool' >&2
		return 1
	}
}

real_setup()
{
	real_title='local, its key in an HSM (SoftHSM 2), by PKCS#11'
	# shellcheck source=tests/system/lib-token.sh
	. "$top_srcdir/tests/system/lib-token.sh"
	token_new demo
	token_import demo identity
}

# certprov init makes the key.
real_start()
{
	real_settings=("ca.key=$(token_url demo ca)"
		"escrow.identity=$(token_url demo identity)" escrow.identity-password-file=)
}
