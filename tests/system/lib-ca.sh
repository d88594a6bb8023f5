# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# The simulated certificate authority (tests/peers/certificate-authority.h): for tests that
# source it behind lib.sh.
#
#   ca_start               starts it, behind its own nginx, on $ca_url
#   ca_stop                stops it; ca_start takes the same port again
#   ca_restart
#   ca_mode [MODE...]      what it does from now on ("later 9", "pending 2 deny", "garbage at
#                          /cacerts": see tests/peers/certificate-authority-core.h); none: ok
#   ca_log [FILTER]        its log through jq, compact: ca_log 'select(.status != 200) | .text'
#   ca_log_from_here       what is in it already no longer counts, for ca_log
#   ca_certificates_issued how many
#   ca_issued SERIAL       path of that certificate, PEM
#   ca_revoked [SERIAL]    "SERIAL REASON" a line
#   ca_settings KIND       what configure takes, a word each; KIND is a kind of CA
#   ca_forget              all of [ca] from $settings, before another kind is configured
#   ca_order ARGS...       sets $said to what the program tests/system/ca_order says
#
# Its certificates: root.crt, issuing.crt below it; foreign-root.crt and foreign.crt, which
# nobody trusts; tls.crt, the issuer of its server's certificate. All are in $ca/issuers.
# Clients: "ra" with the password in $ca/ra.password, and $pki/ra.pfx with the
# one in $ca/pfx.password. ca_edit is a sed command for its nginx.conf.

ca=$root/ca
ca_port=
ca_url=
ca_log_start=0

# ca_issuer NAME SUBJECT [CA]: an authority, below that CA if one is named
ca_issuer()
{
	local name=$1 subject=$2
	local -a extensions=(-days 3650 -subj "$subject"
		-addext 'basicConstraints=critical,CA:TRUE'
		-addext 'keyUsage=critical,keyCertSign,cRLSign')

	if [[ -n ${3:-} ]]; then
		pki_leaf "ca-$name" "ca-$3" "${extensions[@]}"
	else
		pki_req "ca-$name" "${extensions[@]}"
	fi
	cp "$pki/ca-$name.crt" "$ca/issuers/$name.crt"
	cp "$pki/ca-$name.key" "$ca/issuers/$name.key"
}

ca_setup()
{
	mkdir -p "$ca/state/issued" "$ca/state/requests" "$ca/issuers" "$ca/tmp"
	ca_issuer root '/O=Example/CN=Mail Root CA'
	ca_issuer issuing '/C=DE/O=Example, Inc./CN=Mail Issuing CA 1' root
	ca_issuer foreign-root '/O=Elsewhere/CN=Foreign Root CA'
	ca_issuer foreign '/O=Elsewhere/CN=Foreign Issuing CA' foreign-root
	ca_issuer tls '/O=Example/CN=CA Server TLS'
	pki_server ca-server ca-tls localhost
	pki_client ra ca-tls
	(
		umask 077
		printf '%s:pass:wörd\n' ra 'EXAMPLE\ra' >"$ca/state/users"
		printf 'pass:wörd\n' >"$ca/ra.password"
		printf 'ra identity\n' >"$ca/pfx.password"
		pki_pfx ra 'ra identity'
	)
}

ca_start()
{
	start ca-program "$top_builddir/tests/peers/certificate-authority" -s "$ca/peer.sock" \
		-d "$ca/state" -i "$ca/issuers" -w "${ca_workers:-16}"
	wait_ready ca-program -S "$ca/peer.sock" || return 1
	peer_nginx_start "$ca" "${ca_port:-}" ca-server -e '/error_page 495/d' \
		-e "s|ssl_verify_client .*;|ssl_verify_client optional; ssl_client_certificate $ca/issuers/tls.crt;|" \
		${ca_edit:+-e "$ca_edit"} || return 1
	ca_port=$peer_port
	ca_url=https://localhost:$peer_port
}

ca_stop()
{
	stop ca-nginx || true
	stop ca-program || true
	rm -f "$ca/peer.sock"
}

ca_restart()
{
	ca_stop
	ca_start
}

ca_mode()
{
	printf '%s\n' "${*:-ok}" >"$ca/state/mode.new"
	mv "$ca/state/mode.new" "$ca/state/mode"
}

ca_log()
{
	[[ ! -e $ca/state/log ]] ||
		tail -n "+$((ca_log_start + 1))" "$ca/state/log" | jq -rc "${1:-.}"
}

ca_log_from_here()
{
	ca_log_start=0
	[[ ! -e $ca/state/log ]] || ca_log_start=$(wc -l <"$ca/state/log")
}

ca_certificates_issued()
{
	find "$ca/state/issued" -name '*.crt' | wc -l
}

ca_issued()
{
	printf '%s/state/issued/%s.crt\n' "$ca" "$1"
}

ca_revoked()
{
	[[ ! -e $ca/state/revoked ]] || grep -e "^${1:-}" "$ca/state/revoked" || true
}

ca_forget()
{
	local key

	for key in "${!settings[@]}"; do
		[[ $key != ca.* && $key != 'ca '* ]] || unset "settings[$key]"
	done
}

ca_order()
{
	said=$("$top_builddir/tests/system/ca_order" --output="$root/order" "$@" 2>&1) || true
}

# --- the kinds; a new one is a function here

ca_settings()
{
	"ca_settings_$1"
}

ca_settings_adcs()
{
	printf '%s\n' ca.type=adcs "ca.url=$ca_url" "ca.ca-file=$ca/issuers/tls.crt" \
		"ca.issuer-file=$ca/issuers/root.crt" ca.template=SMimeUser ca.auth=basic \
		ca.username='EXAMPLE\ra' "ca.password-file=$ca/ra.password"
}

# A program such as a customer may have: it asks the same authority, by EST.
ca_command()
{
	cat <<-END
		#!/bin/sh
		work=\$(mktemp -d "$ca/tmp/command.XXXXXX") || exit 75
		trap 'rm -rf "\$work"' EXIT
		trap 'exit 75' TERM
		ask()
		{
			curl --silent --show-error --cacert "$ca/issuers/tls.crt" \\
				--user "ra:\$(cat "$ca/ra.password")" --output "\$work/answer" \\
				--write-out '%{http_code}' "\$@" >"\$work/status" || exit 75
			case \$(cat "\$work/status") in
			200) ;;
			202 | 429 | 5*) exit 75 ;;
			*)
				cat "\$work/answer" >&2
				exit 1
				;;
			esac
			base64 -d "\$work/answer" | openssl pkcs7 -inform DER -print_certs || exit 75
		}
		grep -v -e ----- >"\$work/request"
		ask --header 'Content-Type: application/pkcs10' --data-binary "@\$work/request" \\
			"$ca_url/.well-known/est/simpleenroll"
		ask "$ca_url/.well-known/est/cacerts"
	END
}

ca_settings_command()
{
	ca_command >"$ca/command"
	chmod 755 "$ca/command"
	cat "$ca/issuers/root.crt" "$ca/issuers/issuing.crt" >"$ca/command-issuers.pem"
	printf '%s\n' ca.type=command "ca.program=$ca/command" \
		"ca.issuer-file=$ca/command-issuers.pem"
}

ca_settings_cfssl()
{
	(
		umask 077
		printf '%s\n' 000102030405060708090A0B0C0D0E0f >"$ca/auth.key"
	)
	printf '%s\n' ca.type=cfssl "ca.url=$ca_url" "ca.ca-file=$ca/issuers/tls.crt" \
		"ca.issuer-file=$ca/issuers/root.crt" 'ca.label=mail' 'ca.profile=S/MIME "users"' \
		"ca.auth-key-file=$ca/auth.key"
}

ca_settings_est()
{
	printf '%s\n' ca.type=est "ca.url=$ca_url" "ca.ca-file=$ca/issuers/tls.crt" \
		"ca.issuer-file=$ca/issuers/root.crt" ca.username=ra \
		"ca.password-file=$ca/ra.password"
}

# The key is that of RFC 7515, A.3.
ca_settings_step()
{
	mkdir -p "$ca/state/step-tokens"
	(
		umask 077
		cat >"$ca/state/step.jwk" <<-END
			{"kty":"EC","crv":"P-256","kid":"mail key",
			"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
			"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
			"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}
		END
	)
	printf '%s\n' ca.type=step "ca.url=$ca_url" "ca.ca-file=$ca/issuers/tls.crt" \
		"ca.issuer-file=$ca/issuers/root.crt" 'ca.provisioner=mail "RA"' \
		"ca.jwk-file=$ca/state/step.jwk"
}

# By AppRole; the others of its ways are ca-vault.sh's.
ca_settings_vault()
{
	mkdir -p "$ca/state/vault-tokens"
	(
		umask 077
		printf 'certprov s3cret-id\n' >"$ca/state/vault-role"
		printf 's3cret-id\n' >"$ca/secret-id"
	)
	printf '%s\n' ca.type=vault "ca.url=$ca_url" "ca.ca-file=$ca/issuers/tls.crt" \
		"ca.issuer-file=$ca/issuers/root.crt" ca.mount=mail/pki ca.role=user@smime \
		ca.role-id=certprov "ca.secret-id-file=$ca/secret-id"
}

ca_settings_ejbca()
{
	mkdir -p "$ca/state/ejbca"
	printf '%s\n' ca.type=ejbca "ca.url=$ca_url" "ca.ca-file=$ca/issuers/tls.crt" \
		"ca.issuer-file=$ca/issuers/root.crt" "ca.ca-name=Mail CA" \
		ca.certificate-profile=S/MIME 'ca.end-entity-profile=Mail "Users"' \
		"ca.identity=$pki/ra.pfx" "ca.identity-password-file=$ca/pfx.password"
}

ca_setup
