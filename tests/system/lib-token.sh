# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# Tokens of SoftHSM 2, in a folder of the test's own: for tests that source it behind lib.sh.
#
#   token_new LABEL          with PIN $pin, which is also in the file $pin_file
#   token_away LABEL         takes it away, token_back LABEL brings it back
#   token_import LABEL NAME  $pki/NAME.key and NAME.crt as objects NAME
#   token_url LABEL OBJECT   the URL of a private key, with pin-source
#   token_tool ARGS...       p11tool, logged in

command -v softhsm2-util p11tool >/dev/null || skip_all 'no SoftHSM 2 or p11tool here'

softhsm=$root/softhsm
pin='7-is-the-PIN'
pin_file=${conf%/*}/token.pin
declare -A token_folders=()
export SOFTHSM2_CONF=$softhsm/conf

mkdir -p "$softhsm/tokens" "$softhsm/away" "${conf%/*}"
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' \
	"$softhsm/tokens" >"$SOFTHSM2_CONF"
(umask 077 && printf '%s\n' "$pin" >"$pin_file")

token_new()
{
	softhsm2-util --init-token --free --label "$1" --pin "$pin" --so-pin 12345678 \
		>>"$root/softhsm.log"
	token_folders[$1]=$(cd "$softhsm/tokens" && find . -mindepth 1 -maxdepth 1 -newer "$SOFTHSM2_CONF" \
		-printf '%T@ %f\n' | sort -n | tail -n 1 | cut -d ' ' -f 2)
}

token_away()
{
	mv "$softhsm/tokens/${token_folders[$1]}" "$softhsm/away/"
}

token_back()
{
	mv "$softhsm/away/${token_folders[$1]}" "$softhsm/tokens/"
}

token_tool()
{
	GNUTLS_PIN=$pin p11tool --batch --login "$@" 2>>"$root/softhsm.log"
}

token_import()
{
	local token=$1 name=$2 id

	id=$(openssl rand -hex 8)
	token_tool --write --load-privkey "$pki/$name.key" --label "$name" --id "$id" "pkcs11:token=$token" &&
		token_tool --write --load-certificate "$pki/$name.crt" --label "$name" --id "$id" \
			"pkcs11:token=$token"
}

token_url()
{
	printf 'pkcs11:token=%s;object=%s;type=private?pin-source=%s\n' "$1" "$2" "$pin_file"
}
