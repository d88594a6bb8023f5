# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# A Kerberos realm of its own, EXAMPLE.TEST, with MIT's KDC on loopback, and Apache in front of
# the simulated CA, which accepts every ticket: for tests that source it behind lib-ca.sh.
#
#   kdc_start, kdc_stop           kdc_start takes the same port again
#   kdc_account NAME [OPTIONS...] an account, as kadmin's addprinc has it; $krb/NAME.keytab has
#                                 its key. A service's, "HTTP/localhost": $krb/HTTP.keytab
#   kdc_change NAME OPTIONS...    as modprinc has it
#   kdc_log                       what the KDC has logged
#   ca_apache_start               behind ca_start: $ca_kerberos_url wants Negotiate,
#                                 $ca_basic_url Basic, of who is in $krb/users
#   ca_apache_stop                ca_apache_start takes the same ports again
#
# All that Kerberos reads and writes is in $krb; KRB5_CONFIG says so to all programs.

krb=$root/krb
krb_realm=EXAMPLE.TEST
kdc=$(PATH=$PATH:/usr/sbin:/sbin command -v krb5kdc || true)
kdc_port=
kadmin=$(PATH=$PATH:/usr/sbin:/sbin command -v kadmin.local || true)
ca_kerberos_port=
ca_kerberos_url=
ca_basic_port=
ca_basic_url=
apache=$(PATH=$PATH:/usr/sbin:/sbin command -v apache2 || true)
apache_modules=/usr/lib/apache2/modules

export KRB5_CONFIG=$krb/krb5.conf KRB5_KDC_PROFILE=$krb/kdc.conf
export KRB5RCACHENAME=none: # else Apache leaves a file in /var/tmp

kdc_admin()
{
	"$kadmin" -r "$krb_realm" "$@" >>"$root/kadmin.log" 2>&1 </dev/null
}

kdc_conf()
{
	cat >"$krb/krb5.conf" <<-END
		[libdefaults]
			default_realm = $krb_realm
			dns_lookup_kdc = false
			dns_lookup_realm = false
			dns_canonicalize_hostname = false
			rdns = false
		[realms]
			$krb_realm = {
				kdc = 127.0.0.1:$1
			}
		[domain_realm]
			localhost = $krb_realm
		[logging]
			kdc = FILE:$krb/kdc.log
	END
	cat >"$krb/kdc.conf" <<-END
		[kdcdefaults]
			kdc_listen = 127.0.0.1:$1
			kdc_tcp_listen = 127.0.0.1:$1
		[realms]
			$krb_realm = {
				database_name = $krb/principal
				key_stash_file = $krb/stash
			}
	END
}

kdc_listens()
{
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || stopped kdc
}

kdc_start()
{
	local port

	for _ in 1 2 3 4 5; do
		port=${kdc_port:-$(free_port)}
		kdc_conf "$port"
		start kdc "$kdc" -n -r "$krb_realm"
		if wait_for 60 kdc_listens "$port" && running kdc; then
			kdc_port=$port
			return 0
		fi
		stop kdc || true
	done
	return 1
}

kdc_stop()
{
	stop kdc
}

kdc_account()
{
	local name=$1

	shift
	kdc_admin addprinc "$@" -randkey "$name"
	kdc_admin ktadd -k "$krb/${name%%/*}.keytab" "$name"
	chmod 600 "$krb/${name%%/*}.keytab"
}

kdc_change()
{
	local name=$1

	shift
	kdc_admin modprinc "$@" "$name"
}

kdc_log()
{
	cat "$krb/kdc.log"
}

kerberos_setup()
{
	[[ -n $kdc && -n $kadmin ]] ||
		skip_all 'no KDC here (Debian: krb5-kdc, krb5-admin-server)'
	[[ -n $apache && -e $apache_modules/mod_auth_gssapi.so ]] ||
		skip_all 'no Apache with mod_auth_gssapi here (Debian: libapache2-mod-auth-gssapi)'
	mkdir -p "$krb/apache"
	kdc_conf 88
	"${kadmin%/*}/kdb5_util" -r "$krb_realm" create -s -P "$(new_uuid)" >"$root/kadmin.log" 2>&1
	kdc_account HTTP/localhost
	if ((EUID == 0)); then
		chmod 711 "$root" "$krb" "$ca"
		chown www-data: "$krb/HTTP.keytab" "$krb/apache"
	fi
}

# --- Apache in front of the simulated CA

ca_apache_conf()
{
	local module

	for module in mpm_event authn_core authn_file auth_basic auth_gssapi authz_core authz_user \
		proxy proxy_fcgi socache_shmcb ssl; do
		printf 'LoadModule %s_module %s/mod_%s.so\n' "$module" "$apache_modules" "$module"
	done
	((EUID != 0)) || printf 'User www-data\nGroup www-data\n'
	cat <<-END
		ServerRoot $krb/apache
		DefaultRuntimeDir $krb/apache
		PidFile $krb/apache/apache.pid
		ServerName localhost
		ErrorLog $root/ca-apache.log
		Listen 127.0.0.1:$1
		Listen 127.0.0.1:$2
		SSLEngine on
		SSLCertificateFile $pki/ca-server.crt
		SSLCertificateKeyFile $pki/ca-server.key
		ProxyPass /certsrv/ unix:$ca/peer.sock|fcgi://localhost/certsrv/
		<VirtualHost 127.0.0.1:$1>
			SSLEngine on
			<Location />
				AuthType GSSAPI
				AuthName Kerberos
				GssapiSSLonly on
				GssapiCredStore keytab:$krb/HTTP.keytab
				Require valid-user
			</Location>
		</VirtualHost>
		<VirtualHost 127.0.0.1:$2>
			SSLEngine on
			<Location />
				AuthType Basic
				AuthName certsrv
				AuthUserFile $krb/users
				Require valid-user
			</Location>
		</VirtualHost>
	END
}

ca_apache_start()
{
	local port other

	chmod 666 "$ca/peer.sock"
	for _ in 1 2 3 4 5; do
		port=${ca_kerberos_port:-$(free_port)}
		other=${ca_basic_port:-$(free_port)}
		ca_apache_conf "$port" "$other" >"$krb/apache.conf"
		rm -f "$krb/apache/apache.pid"
		start ca-apache setsid "$apache" -D FOREGROUND -f "$krb/apache.conf"
		if wait_ready ca-apache -s "$krb/apache/apache.pid"; then
			ca_kerberos_port=$port
			ca_kerberos_url=https://localhost:$port
			ca_basic_port=$other
			ca_basic_url=https://localhost:$other
			return 0
		fi
		grep -q 'Address already in use' "$root/ca-apache.log" || return 1
	done
	return 1
}

ca_apache_stop()
{
	stop ca-apache
}

kerberos_setup
