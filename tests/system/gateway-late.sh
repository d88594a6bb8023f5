#!/bin/bash
# A gateway that asks for our certificate after the handshake, as Apache does with SSLVerifyClient
# for a location, and ASP.NET Core with DelayCertificate. Over TLS 1.3 it gets none.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-answers.sh
. "$top_srcdir/tests/system/lib-answers.sh"

workers=1
apache=$(PATH=$PATH:/usr/sbin:/sbin command -v apache2 || true)
[[ -n $apache ]] || skip_all 'no Apache here (Debian: apache2)'
late=$root/late

# Apache in front of the same simulator as nginx; root's Apache gives up its rights.
late_conf()
{
	local module user=

	if ((EUID == 0)); then
		user=www-data
		chmod 711 "$root" "$eg"
	fi
	for module in mpm_event authz_core ssl socache_shmcb proxy proxy_fcgi; do
		printf 'LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n' "$module" "$module"
	done
	cat <<-END
		ServerRoot $late
		DefaultRuntimeDir $late
		PidFile $late/apache.pid
		ServerName localhost
		ErrorLog $root/late.log
		LogLevel ssl:info
		Listen 127.0.0.1:$late_port
		${user:+User $user}
		${user:+Group $user}
		SSLEngine on
		SSLProtocol $1
		SSLCertificateFile $pki/eg-server.crt
		SSLCertificateKeyFile $pki/eg-server.key
		SSLCACertificateFile $pki/eg-ca.crt
		<Location "/v2/certificates">
			SSLVerifyClient require
			SSLVerifyDepth 3
			SSLRenegBufferSize 8388608
			SetHandler "proxy:unix:$eg/peer.sock|fcgi://localhost"
			ProxyFCGISetEnvIf "true" CLIENT_CERTIFICATE "%{escape:%{SSL:SSL_CLIENT_CERT}}"
		</Location>
	END
}

# late_start PROTOCOLS
late_start()
{
	mkdir -p "$late"
	chmod 777 "$eg/peer.sock"
	for _ in 1 2 3 4 5; do
		late_port=$(free_port)
		late_conf "$1" >"$late/apache.conf"
		rm -f "$late/apache.pid"
		start late setsid "$apache" -D FOREGROUND -f "$late/apache.conf"
		wait_ready late -s "$late/apache.pid" && return 0
		grep -q 'Address already in use' "$root/late.log" || return 1
	done
	return 1
}

refused_by_late()
{
	grep -c 'client did not advertise\|extension not received\|verify client post handshake' "$root/late.log" || true
}

ok 'everything starts' world certificates.key=ec-p256
ok 'Apache, with a certificate asked for late' late_start '-all +TLSv1.2 +TLSv1.3'
ok '(configured)' handler_with escrow.url="https://localhost:$late_port"

log_from_here
before=$(eg_upload_count)
post_new
answered 202 'an enrollment is delivered'
is "$(eg_upload_count)" $((before + 1)) '... the gateway has it once'
ok '... the log names what happened, and the remedy' in_log \
	'asked for our certificate after the handshake, which works only up to TLS 1.2; .*tls-max = 1.2'
refusals=$(refused_by_late)
ok '... it was refused once' test "$refusals" -ge 1
log_from_here
post_new
answered 202 'another one'
is "$(refused_by_late)" "$refusals" '... goes by TLS 1.2 at once'
not_ok '... without another word' in_log 'after the handshake'
ok 'certprov check' certprov check
like "$(<"$root/output")" \
	'WARN +Escrow Gateway: https://localhost:[0-9]+ asks for our certificate after the handshake.*set tls-max = 1.2' \
	'... says so as well'
ok 'certprov deliver --all' certprov deliver --all

ok 'with tls-max = 1.2' handler_with escrow.tls-max=1.2
refusals=$(refused_by_late)
log_from_here
post_new
answered 202 '... an enrollment is delivered'
is "$(refused_by_late)" "$refusals" '... at the first try'
ok '... certprov check' certprov check
not_ok '... has nothing to say' grep -q 'after the handshake' "$root/output"
ok '(as before)' handler_with escrow.tls-max=

# --- nothing helps but another setting there

stop late || true
ok 'Apache with TLS 1.3 alone' late_start '-all +TLSv1.3'
ok '(configured)' handler_with escrow.url="https://localhost:$late_port"
post_new
failed 503 'did not get our certificate over TLS 1.3 \(status 403\); then over TLS 1.2' '... cannot be served'
check_fails 'Escrow Gateway' 'did not get our certificate over TLS 1.3'

# --- it asks late, and does not know us

stop late || true
ok 'Apache, with a certificate asked for late' late_start '-all +TLSv1.2 +TLSv1.3'
ok '(configured)' handler_with escrow.url="https://localhost:$late_port"
eg_unlist
post_new
failed 502 "does not accept our client certificate \(status 403\); register .* $(thumbprint identity)" \
	'a client certificate that is not registered there'

not_ok 'no secret in an answer or a log' told_secrets
stop late || true
done_testing
