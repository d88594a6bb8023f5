# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# A real OpenLDAP server: for tests that source it behind lib.sh.
#
#   ldap_start [NAME]        starts slapd; with certificate $pki/NAME.crt (default ldap-server) from
#                            CA "ldap-ca"; $ldap is its folder, $ldap_port its port (ldap://,
#                            StartTLS), $ldaps_port that of ldaps://. It takes client certificates
#                            of CA "eg-ca"
#   ldap_stop                ldap_start takes the same ports again
#   ldap_configure [SECTION.KEY=VALUE...]   source = ldap and [ldap] for it, by ldaps://
#   ldap_user NAME [ATTRIBUTE=VALUE...]     an entry of an inetOrgPerson with Active Directory's
#                            attributes; replaces an earlier one. ATTRIBUTE:=VALUE: in base64
#   ldap_forget NAME         the entry is gone
#   ldap_binds               how many binds it has had from the account of ldap_configure
#
# Hosts are addresses, as libldap replaces the name localhost by another. Its tree is dc=example,dc=com, users are cn=NAME,ou=users. Its log is $root/slapd.log.

ldap=$root/ldap
ldap_port=
ldaps_port=
ldap_base=dc=example,dc=com
ldap_account=cn=certprov,$ldap_base
slapd=$(PATH=$PATH:/usr/sbin:/sbin command -v slapd || true)
[[ -n $slapd ]] || skip_all 'no slapd here'

# Active Directory's attributes, as slapd knows none of them.
ldap_schema()
{
	cat <<-'END'
		attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName'
		 EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch
		 SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
		attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName'
		 EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch
		 SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
		attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses'
		 EQUALITY caseExactMatch SUBSTR caseExactSubstringsMatch
		 SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
		attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID'
		 EQUALITY octetStringMatch
		 SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
		objectclass ( 1.3.6.1.4.1.32473.1.1 NAME 'likeActiveDirectory' AUXILIARY
		 MAY ( sAMAccountName $ userPrincipalName $ proxyAddresses $ objectGUID ) )
	END
}

ldap_setup()
{
	mkdir -p "$ldap/data"
	ldap_schema >"$ldap/ad.schema"
	pki_ca ldap-ca
	pki_server ldap-server ldap-ca localhost
}

ldap_conf()
{
	cat <<-END
		include /etc/ldap/schema/core.schema
		include /etc/ldap/schema/cosine.schema
		include /etc/ldap/schema/inetorgperson.schema
		include $ldap/ad.schema
		pidfile $ldap/slapd.pid
		modulepath /usr/lib/ldap
		moduleload back_mdb
		loglevel stats
		TLSCertificateFile $pki/$1.crt
		TLSCertificateKeyFile $pki/$1.key
		TLSCACertificateFile $pki/eg-ca.crt
		TLSVerifyClient try
		security simple_bind=128
		database mdb
		suffix $ldap_base
		directory $ldap/data
		rootdn cn=root,$ldap_base
		rootpw root-password
		access to attrs=userPassword by anonymous auth by * none
		access to * by users read by * none
	END
}

ldap_fill()
{
	ldap_add <<-END
		dn: $ldap_base
		objectClass: domain
		dc: example

		dn: ou=users,$ldap_base
		objectClass: organizationalUnit
		ou: users

		dn: $ldap_account
		objectClass: applicationProcess
		objectClass: simpleSecurityObject
		cn: certprov
		userPassword: ${ldap_password:=the password}
	END
}

# With libldap's own clients, past the program; LDAPNOINIT: no settings of this machine.
ldap_add()
{
	LDAPTLS_CACERT=$pki/ldap-ca.crt ldapadd -x -H "ldaps://127.0.0.1:$ldaps_port" \
		-D "cn=root,$ldap_base" -w root-password >"$root/ldapadd.log" 2>&1
}

ldap_answers()
{
	LDAPTLS_REQCERT=never ldapwhoami -x -H "ldaps://127.0.0.1:$ldaps_port" \
		-D "cn=root,$ldap_base" -w root-password >/dev/null 2>&1 || stopped slapd
}

ldap_start()
{
	[[ -d $ldap ]] || ldap_setup
	ldap_conf "${1:-ldap-server}" >"$ldap/slapd.conf"
	for _ in 1 2 3 4 5; do
		ldap_port=${ldap_port:-$(free_port)} ldaps_port=${ldaps_port:-$(free_port)}
		# 256: no syslog, but statistics on standard error
		start slapd "$slapd" -d 256 -f "$ldap/slapd.conf" \
			-h "ldap://127.0.0.1:$ldap_port ldaps://127.0.0.1:$ldaps_port ldaps://127.0.0.2:$ldaps_port"
		if wait_for 60 ldap_answers && running slapd; then
			[[ -e $ldap/filled ]] || ldap_fill || return 1
			: >"$ldap/filled"
			return 0
		fi
		ldap_stop
		ldap_port='' ldaps_port=''
	done
	return 1
}

ldap_stop()
{
	stop slapd || true
}

ldap_configure()
{
	local dir=${conf%/*}

	mkdir -p "$dir"
	(
		umask 077
		printf '%s\n' "$ldap_password" >"$dir/ldap.password"
		cp "$pki/ldap-ca.crt" "$dir/ldap-ca.pem"
	)
	configure identity.source=ldap "ldap.url=ldaps://127.0.0.1:$ldaps_port" \
		"ldap.bind-dn=$ldap_account" ldap.password-file=ldap.password \
		"ldap.base=$ldap_base" 'ldap.filter=(sAMAccountName={EnrollmentUserName})' \
		ldap.ca-file=ldap-ca.pem "$@"
}

ldap_dn()
{
	printf 'cn=%s,ou=users,%s\n' "${1//\\/\\\\}" "$ldap_base"
}

ldap_user()
{
	local name=$1 pair

	shift
	ldap_forget "$name"
	{
		printf 'dn: %s\n' "$(ldap_dn "$name")"
		printf 'objectClass: %s\n' inetOrgPerson likeActiveDirectory
		printf 'cn: %s\nsn: %s\nsAMAccountName: %s\n' "$name" "$name" "$name"
		for pair; do
			printf '%s: %s\n' "${pair%%=*}" "${pair#*=}"
		done
	} | ldap_add
}

ldap_forget()
{
	LDAPTLS_CACERT=$pki/ldap-ca.crt ldapdelete -x -H "ldaps://127.0.0.1:$ldaps_port" \
		-D "cn=root,$ldap_base" -w root-password "$(ldap_dn "$1")" \
		>/dev/null 2>&1 || true
}

ldap_binds()
{
	grep -c "BIND dn=\"$ldap_account\" method=128" "$root/slapd.log" || true
}
