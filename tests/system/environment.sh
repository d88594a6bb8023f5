#!/bin/bash
# An environment that makes libraries write down secrets, or choose other algorithms: neither
# the handler nor the command obeys it.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

# What GnuTLS would obey: no version of TLS is left.
printf '[overrides]\ndisabled-version = tls1.2\ndisabled-version = tls1.3\n' >"$root/policy"
talkative=(SSLKEYLOGFILE="$root/keys" GNUTLS_DEBUG_LEVEL=9
	GNUTLS_SYSTEM_PRIORITY_FILE="$root/policy" KRB5_TRACE="$root/kerberos"
	GSSNTLMSSP_DEBUG="$root/ntlm" P11_KIT_DEBUG=all)

# nothing_told FILE...: nor in these logs, of TLS and tokens; libraries say that they are loaded
# before anybody can stop them.
nothing_told()
{
	[[ ! -e $root/keys && ! -e $root/kerberos && ! -e $root/ntlm ]] &&
		! grep -E '^gnutls.*(HSK|REC|BUF)\[|C_Initialize|C_GetInfo' "$@"
}

ok 'the gateway starts' eg_start
configure certificates.key=ec-p256
ok 'init' certprov_init
ok 'nginx starts' front_start
start handler env "${talkative[@]}" "$(program certprov.fcgi)" -c "$conf" -s "$root/certprov.sock" -w 1
ok 'the handler starts' wait_ready handler -S "$root/certprov.sock"
ok '... as the process that was started' running handler
post_event "$sample_event"
is "$status" 202 '... and delivers over TLS'
ok '... and tells nobody its keys' nothing_told "$root/handler.log"
if [[ -r /proc/${pids[handler]}/environ ]]; then
	is "$(tr '\0' '\n' <"/proc/${pids[handler]}/environ" | grep -cE '^(SSLKEY|GNUTLS|KRB5_T|GSSNTLM|P11)')" \
		0 '... nor does its environment have any of it'
else
	skip 'its environment' 'only root may read it'
fi

code=0
env "${talkative[@]}" "$(program certprov)" -c "$conf" deliver --all >"$root/said" 2>&1 || code=$?
is "$code" 0 'the command delivers over TLS'
is "$(eg_upload_count)" 2 '... once more'
ok '... and tells nobody its keys' nothing_told "$root/said"
is "$(env "${talkative[@]}" "$(program certprov)" -c 'no such' config test 2>&1 | tail -n 1)" \
	"$("$(program certprov)" -c 'no such' config test 2>&1)" '... and keeps its arguments'

done_testing
