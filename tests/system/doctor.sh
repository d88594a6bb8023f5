#!/bin/bash
# certprov check: in a right set-up it finds nothing; for each single fault it finds just that
# fault, with its cause and its remedy.
# shellcheck disable=SC2016,SC2034 # commands that way() evaluates

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

for tool in certtool faketime sqlite3; do
	command -v "$tool" >/dev/null || skip_all "no $tool here"
done
umask 022
right=$root/right  # what it is like, and where the handler works
dir=$root/way      # a copy for each way to be wrong
ways=0
also=              # a regex of what must be found with it
web=$root/front    # where the web server's configuration lies
# On a disk with room, whatever is left of this machine's.
checker=$(program tests/stops/certprov-disk)
export CERTPROV_TEST_DISK='100000 50000 0'
certprov()
{
	"$checker" -c "$conf" "$@"
}

# --- what a way does; the current folder is the copy's

# secret FILE CONTENT
secret()
{
	(umask 077 && printf '%s\n' "$2" >"$1")
}

# identity NAME [EXPORT-OPTIONS...]: $pki/NAME is our client certificate
identity()
{
	pki_pfx "$1" 'identity password' "${@:2}"
	install -m 600 "$pki/$1.pfx" certificate.pfx
}

# authority NAME [KEY]: $pki/NAME.crt is the authority's, and $pki/KEY.key its key
authority()
{
	install -m 644 "$pki/$1.crt" ca.crt
	install -m 600 "$pki/${2:-$1}.key" ca.key
}

sql()
{
	sqlite3 certprov.db "$1"
}

# As if the product had written what sql() did.
signed()
{
	"$top_builddir/tests/system/store_sign" "$dir/certprov.conf"
}

# Writes over the first page of what should be an empty table.
damage()
{
	local page

	page=$(sql "SELECT rootpage FROM sqlite_master WHERE name = 'lease'")
	head -c 4096 /dev/zero | tr '\0' '\377' |
		dd of=certprov.db bs=4096 seek=$((page - 1)) conv=notrunc status=none
}

# gateway EDIT [CERTIFICATE]: another one, until the next
gateway()
{
	eg_stop
	eg_edit=$1 eg_start "${2:-eg-server}"
}

# answers STATUS [REST]: a gateway that says just that
answers()
{
	gateway "s#error_page 418 = @peer;##; s#return 418;#return $1;#"
}

# front_is FILE EDIT: a web server whose configuration differs
front_is()
{
	cp -r "$front" "$root/web"
	sed -i "$2" "$root/web/$1"
	web=$root/web
}

# --- the judge

# way NAME COMMAND FAILED|WARN CHECK CAUSE REMEDY [CODE]: CAUSE and REMEDY are regexes
way()
{
	local name=$1 command=$2 word=$3 what=$4 cause=$5 remedy=$6 code=0 exit=${7:-78} saved others
	local conf=$dir/certprov.conf web=$web checker=$checker also=$also
	local -x CERTPROV_TEST_DISK=$CERTPROV_TEST_DISK
	local -a as=()

	ways=$((ways + 1))
	[[ $word == FAILED ]] || exit=0
	saved=$(declare -p settings)
	rm -rf "$dir" "$root/web"
	cp -a "$right" "$dir"
	cd "$dir"
	eval "$command"
	cd "$root"
	timeout 120 "${as[@]}" "$checker" -c "$conf" check --web-server "$web" \
		>"$root/check" 2>"$root/check.err" || code=$?
	eval "${saved/declare -A/declare -gA}"
	others=$(grep -v '^ok ' "$root/check" | grep -Ev "^$word +$what: ${also:+|$also}" || true)
	if [[ $code == "$exit" && -z $others ]] && ! [[ -s $root/check.err ]] &&
		grep -Eq "^$word +$what: .*$cause.*$remedy" "$root/check"; then
		pass "$ways. $name"
	else
		fail "$ways. $name"
		diag "  exit status $code, want $exit and only: $word $what: $cause ... $remedy"
		diag "$(cat "$root/check" "$root/check.err")"
	fi
}

# --- the right set-up

front_http_port=$(free_port)
ok 'everything starts' world certificates.key=ec-p256 \
	identity.allowed-domains=example.com \
	"ca.crl-url=http://localhost:$front_http_port/certprov/ca.crl"
event_json >"$root/event.json"
post_event "$root/event.json"
is "$status" 202 'an enrollment'
request GET /ca.crl
is "$status" 200 'a revocation list'
handler_stop
cp -a "${conf%/*}" "$right"
conf=$right/certprov.conf
ok 'the handler starts' handler_start
code=0
certprov check --web-server "$web" >"$root/check" || code=$?
is "$code" 0 'a right set-up: check exits 0'
is "$(grep -cv '^ok ' "$root/check")" 0 '... and finds nothing to say'
mapfile -t looks < <(sed 's/^ok *//; s/: .*//' "$root/check")
is "$(printf '%s|' "${looks[@]}")" "configuration|events.users-file|PKCS#12 password|files|\
identity|disk|store|integrity|audit trail|rows|events|CA|revocation list|revocation list's URL|\
our client certificate|Escrow Gateway|clock|handler|web server|" \
	'... in all that it looks at'
certprov check --web-server none --json >"$root/check"
ok '... and without a web server' jq -e 'all(.ok and (.warning | not)) and
	(map(.check) | index("web server")) == null' "$root/check"

# --- the configuration

way 'no configuration' 'rm certprov.conf' \
	FAILED configuration 'certprov\.conf: No such file' 'put it there'
way 'an unknown key' 'echo "nonsense = 1" >>certprov.conf' \
	FAILED configuration 'certprov\.conf:[0-9]+: unknown key "nonsense"' 'in \[store\]'
way 'a value out of range' 'configure escrow.timeout=1d' \
	FAILED configuration 'certprov\.conf:[0-9]+: \[escrow\] timeout:' 'expected a duration such as'
way 'a key twice' 'sed -i "/^key-file/p" certprov.conf' \
	FAILED configuration 'set twice' 'first in line'
way 'a configuration that anyone can change' 'chmod 666 certprov.conf' \
	WARN files 'others can change .*certprov\.conf: its mode is 0666' 'chmod go-w'
way 'an authority that a group can change' 'chmod 664 ca.crt' \
	WARN files 'others can change .*ca\.crt: its mode is 0664' 'chmod go-w'
way "a gateway's authority that anyone can change" 'chmod 646 eg-ca.pem' \
	WARN files 'others can change .*eg-ca\.pem: its mode is 0646' 'chmod go-w'

way 'a folder where anyone can put another' 'chmod 777 .' \
	WARN files 'others can replace our files in .*/way: its mode is 0777' 'chmod go-w'

# --- users

way 'nobody is asked for a password' 'configure events.authenticate=none events.users-file=' \
	WARN events.authenticate 'any client that reaches the handler' 'set authenticate = basic'
way 'no users' 'rm uem.users' \
	FAILED events.users-file 'uem\.users: No such file' 'put it there'
way 'an empty file of users' ': >uem.users' \
	FAILED events.users-file 'there is no user in it' 'htpasswd -B'
way 'a line that is none' 'secret uem.users uem' \
	FAILED events.users-file 'uem\.users:1: expected user:hash' 'htpasswd -B'
way 'a hash that is cut' 'sed -i "s/.\$//" uem.users' \
	FAILED events.users-file 'the hash is damaged or cut' 'htpasswd -B'
way 'a weak hash' 'secret uem.users "uem:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="' \
	FAILED events.users-file 'uem\.users:1: only bcrypt' 'htpasswd -B'
way 'a hash that is slow' "secret uem.users 'uem:$(mkpasswd -m yescrypt -R 9 webhook-password)'" \
	WARN events.users-file 'the hash of user "uem" \(\$y\$jDT\) takes [0-9]+ ms' 'htpasswd -B'
way 'hashes of different costs' 'htpasswd -niBC 6 second <<<password >>uem.users' \
	WARN events.users-file '"uem" \(\$2\$05\) and "second" \(\$2\$06\) cost different times' 'htpasswd -B'
way 'hashes that others can read' 'chmod 644 uem.users' \
	FAILED events.users-file 'has mode 0644' 'chmod 0600'

# --- whose certificates

way 'a template of what there is not' 'configure identity.mail={Mail}' \
	FAILED identity '\{Mail\} is no known field' ''
way 'a template that never gives an address' 'configure identity.mail={EnrollmentUserName}@' \
	FAILED identity 'mail: "\{EnrollmentUserName\}@" can never give a mail address' 'write it as'
way 'one of two that never does' \
	'configure "identity.mail={EnrollmentUserName}@, {EnrollmentEmailAddress}"' \
	WARN identity 'can never give a mail address' 'write it as'
way 'no domains' 'configure identity.allowed-domains=' \
	WARN allowed-domains 'any mail address in the world' 'set allowed-domains'
way 'addresses in a domain that is not allowed' \
	'configure identity.mail={EnrollmentUserName}@example.com identity.allowed-domains=example.org' \
	FAILED identity 'always gives addresses in a domain that is not allowed' \
	'add it to allowed-domains'

# --- the password around private keys

way 'no password around private keys' 'configure escrow.pkcs12-password-file=' \
	WARN 'PKCS#12 password' 'there is none' 'set pkcs12-password-file'
way 'none, and many iterations' \
	'configure escrow.pkcs12-password-file= escrow.pkcs12-iterations=300001' \
	WARN 'PKCS#12 password' 'there is none' 'set pkcs12-password-file.* lower pkcs12-iterations to 300000'
way 'one that old importers read otherwise' 'echo "grüße von hier" >p12.password' \
	WARN 'PKCS#12 password' 'p12\.password has characters that are not ASCII' \
	'choose another.* or set pkcs12 = modern'
way 'no file of it' 'rm p12.password' \
	FAILED 'PKCS#12 password' 'p12\.password: No such file' 'put it there'
way 'an empty one' ': >p12.password' \
	FAILED 'PKCS#12 password' 'p12\.password' 'first line must hold a password'
way 'one that others can read' 'chmod 604 p12.password' \
	FAILED 'PKCS#12 password' 'has mode 0604' 'chmod 0600'

# --- the store

way 'no store' 'rm certprov.db' \
	FAILED store 'certprov\.db: there is no store here' 'run: certprov init'
way 'a store of a newer version' 'sql "PRAGMA user_version = 99"' \
	FAILED store 'is of a newer version \(schema 99\)' 'update the program'
way 'a store that anyone can read' 'chmod 644 certprov.db' \
	WARN files 'certprov\.db has mode 0644, so that others can read' 'chmod 0600'
way "another program's database" 'sql "PRAGMA application_id = 1"' \
	FAILED store 'is no certprov store' 'name the right file as \[store\] url'
way 'no database at all' 'head -c 8192 /dev/urandom >certprov.db' \
	FAILED store 'is no certprov store' 'name the right file as \[store\] url'
way 'a folder in its place' 'rm certprov.db; mkdir certprov.db' \
	FAILED store 'certprov\.db' 'is not a regular file'
way 'a damaged store' damage \
	FAILED integrity 'certprov\.db is damaged' 'restore it from a backup'
way 'a write-ahead log without end' 'truncate -s 100M certprov.db-wal' \
	WARN 'write-ahead log' 'certprov\.db-wal has grown to 100 MB' 'find it with fuser'
way 'an altered audit trail' \
	'sql "DROP TRIGGER audit_no_update; UPDATE audit SET detail = 1 WHERE id = 1"' \
	FAILED 'audit trail' 'entry 1 of the audit trail' 'see a backup' 1
way 'a device that somebody has put in' \
	"sql \"UPDATE device SET device_uuid = '$(new_uuid)'\"" \
	FAILED rows '(device|user) .*by somebody without the master key' 'see doc/security.md' 1
way 'an event that waits for three hours' "sql \"UPDATE event SET state = 'pending', next_at = 1,
	received_at = unixepoch() - 10900\"; signed" \
	WARN events '1 are pending, the oldest for 3 hours' 'certprov status.*certprov deliver'
way 'an event that has failed' "sql \"UPDATE event SET state = 'failed'\"" \
	WARN events '1 have failed for good' 'certprov status.*certprov deliver --now'
way 'no master key' 'rm store.key' \
	FAILED store 'store\.key: there is no master key here' 'put its copy back'
way 'another master key' 'secret store.key "$(openssl rand -hex 32)"' \
	FAILED store 'is not the master key' 'name the right one'
way 'a master key that is none' 'secret store.key nonsense' \
	FAILED store 'a master key is 64 hexadecimal digits' 'put its copy back'
way 'two master keys' 'openssl rand -hex 32 >new; cat store.key >>new; cat new >store.key' \
	WARN 'master keys' 'store\.key has 2' 'run it again'
way 'a master key that others can read' 'chmod 644 store.key' \
	FAILED store 'has mode 0644' 'chmod 0600'

# disk SIZE FREE NETWORK: another one beneath
disk()
{
	export CERTPROV_TEST_DISK="$*"
}

way 'a disk that is nearly full' 'disk 100000 200 0' \
	WARN disk '200 MB \(0 %\) are left for .*certprov\.db' 'make room'
way 'a large one' 'disk 100000 4000 0' \
	WARN disk '4000 MB \(4 %\) are left' 'make room'
way 'a full disk' 'disk 100000 3 0' \
	FAILED disk '3 MB are left' 'make room, or nothing can be recorded' 75
way "another host's disk" 'disk 100000 50000 1' \
	WARN disk 'is on a network file system' 'move it to a local disk'

# --- the authority

way "no authority's certificate" 'rm ca.crt' \
	FAILED CA 'ca\.crt: No such file' 'put it there'
way "no authority's key" 'rm ca.key' \
	FAILED CA 'ca\.key: No such file' 'put it there'
way 'a certificate that cannot be read' 'echo nonsense >ca.crt' \
	FAILED CA 'ca\.crt: no certificate in PEM that can be read' ''
way "another authority's key" 'authority eg-ca eg-server' \
	FAILED CA 'is for another key' 'set \[ca\] certificate and key to a pair'
way 'a certificate that is none of an authority' 'authority eg-server' \
	FAILED CA 'is not a CA certificate \(basicConstraints\)' 'set \[ca\] certificate to one'
way 'an authority that must not sign certificates' \
	'pki_req no-sign -subj /CN=no-sign -addext basicConstraints=critical,CA:TRUE \
		-addext keyUsage=critical,cRLSign; authority no-sign' \
	FAILED CA 'does not allow signing certificates \(keyUsage\)' 'have it issued with keyCertSign'
way 'a weak authority' 'key_type=rsa:1024 pki_ca weak; authority weak' \
	FAILED CA 'has a key that is too weak' 'use RSA from 2048'
way "an authority's key that others can read" 'chmod 644 ca.key' \
	FAILED CA 'ca\.key has mode 0644' 'chmod 0600'
way 'a link to it' 'mv ca.key real.key; ln -s real.key ca.key' \
	FAILED CA 'is a symbolic link' 'name the file itself'
also="WARN +revocation list's URL" # that list is another authority's
way 'an authority that has ended' 'in_past pki_ca ended -days 30; authority ended' \
	FAILED CA 'ended 20' 'replace it at once'
way 'one that has not begun' 'past="+10 days" in_past pki_ca later; authority later' \
	FAILED CA 'is not valid before 20' "check this machine's clock"
way 'one whose end shortens what it issues' 'pki_ca shortens -days 424; authority shortens' \
	WARN CA '(424|423) days left; from 20[0-9T:Z-]* certificates are issued for less than validity' \
	'plan to replace it'
way 'one that soon ends' 'pki_ca soon -days 20; authority soon' \
	WARN CA '(20|19) days left' 'replace it soon'
also=

what="revocation list's URL"
way 'no place for the revocation list' 'configure ca.crl-url=' \
	WARN "$what" 'there is none, so mail readers cannot learn of revocations' 'set crl-url in \[ca\]'
way 'nobody there' "configure ca.crl-url=http://localhost:$(free_port)/ca.crl" \
	WARN "$what" 'no connection: Connection refused' 'let the web server answer there'
way 'no list there' "configure ca.crl-url=http://localhost:$front_http_port/nowhere" \
	WARN "$what" 'does not serve our revocation list \(status 404\)' 'let the web server answer there'
way 'something else there' \
	"configure ca.crl-url=http://localhost:$front_http_port/certprov/ca.cer" \
	WARN "$what" 'it is not a revocation list in DER' 'or correct crl-url'
way "another authority's list" 'pki_ca other -days 500; authority other' \
	WARN "$what" 'the list is not signed by our CA' 'or correct crl-url'

# --- our client certificate

way 'no client certificate' 'rm certificate.pfx' \
	FAILED 'Escrow Gateway' 'certificate\.pfx: No such file' 'put it there'
way 'an empty file' ': >certificate.pfx' \
	FAILED 'Escrow Gateway' 'is not a PKCS#12 file' 'make one with openssl pkcs12'
way 'a wrong password' 'secret certificate.password wrong' \
	FAILED 'Escrow Gateway' 'the password in .*certificate\.password is wrong for it' ''
way 'no password' 'configure escrow.identity-password-file=' \
	FAILED 'Escrow Gateway' 'certificate\.pfx has a password' 'name the file that holds it'
way 'no password file' 'rm certificate.password' \
	FAILED 'Escrow Gateway' 'certificate\.password: No such file' 'put it there'
way 'a password that others can read' 'chmod 644 certificate.password' \
	FAILED 'Escrow Gateway' 'has mode 0644' 'chmod 0600'
way 'a client key that others can read' 'chmod 644 certificate.pfx' \
	FAILED 'Escrow Gateway' 'has mode 0644' 'chmod 0600'
way 'a certificate without its key' 'identity identity -nokeys' \
	FAILED 'Escrow Gateway' 'certificate\.pfx has no private key' \
	'export the certificate with its key'
way "another certificate's key" 'certtool --to-p12 --p12-name x --password "identity password" \
	--outder --load-privkey "$pki/front.key" --load-certificate "$pki/identity.crt" \
	--outfile certificate.pfx 2>/dev/null; chmod 600 certificate.pfx' \
	FAILED 'Escrow Gateway' 'no certificate that belongs to its private key' 'export both together'
way 'a client certificate that soon ends' \
	'key_type=ec pki_client soon eg-ca -days 6; eg_list soon; identity soon' \
	WARN 'our client certificate' '(6|5) days left' 'replace it now'
also='FAILED +Escrow Gateway: .*which expired on 20' # it is refused there
way 'one that has ended' \
	'key_type=ec in_past pki_client ended eg-ca -days 30; eg_list ended; identity ended' \
	FAILED 'our client certificate' 'ended 20' 'replace it at once'
also=
way 'one that is not for clients' \
	'pki_mail mail eg-ca digitalSignature -days 400; eg_list mail; identity mail' \
	WARN "client certificate's purpose" 'is not meant for TLS clients' 'extended key usage clientAuth'

# --- the gateway

what='Escrow Gateway'
way 'a certificate that is not registered' eg_unlist \
	FAILED "$what" 'does not accept our client certificate \(status 403\)' \
	"register our .* SHA-256 $(thumbprint identity), SHA-1 $(thumbprint identity sha1)" 1
eg_list identity
way 'a name that nobody knows' 'configure escrow.url=https://certprov.invalid' \
	FAILED "$what" 'its name could not be resolved' "check url and this machine's DNS" 75
way 'nobody there' 'configure escrow.url=https://localhost:1' \
	FAILED "$what" 'no connection: Connection refused' 'is the port right' 75
way 'nobody answers' 'gateway "s#error_page 418 = @peer;##; s#return 418;#return 599;#"' \
	FAILED "$what" 'the connection broke before an answer' 'may be rejecting our client certificate' 75
way 'a port without TLS' "configure escrow.url=https://localhost:$front_http_port" \
	FAILED "$what" 'no TLS connection' 'is it the right port' 75
way 'a redirect' 'answers "301 https://localhost/"' \
	FAILED "$what" 'redirects \(status 301\)' 'must name the gateway itself' 1
way 'a place that it does not know' 'answers 404' \
	WARN "$what" 'knows no /v2/certificates \(status 404\)' 'check url in \[escrow\]'
way 'a path in its URL' 'configure "escrow.url=$eg_url/v2/certificates"' \
	FAILED "$what" 'url: .*/v2/certificates/v2/certificates is not there \(status 404\)' \
	'without a path'
way 'a gateway that wants another login' 'answers 401' \
	FAILED "$what" 'does not accept our client certificate \(status 401\)' 'register our client' 1
way 'a gateway that is busy' 'answers 503' \
	FAILED "$what" 'status 503' 'try later' 75
pki_ca other-ca
way 'a gateway that goes by another authority' \
	'gateway "s#ssl_verify_client .*;#ssl_verify_client on; ssl_client_certificate $pki/other-ca.crt;#
	/error_page 495/d"' \
	FAILED "$what" 'does not accept our client certificate \(status 400\)' 'register our client' 1
in_past pki_server eg-expired eg-ca localhost
way 'a gateway whose certificate has ended' 'gateway "" eg-expired' \
	FAILED "$what" 'has expired' 'it must be renewed there'
pki_server eg-other eg-ca other.example
way "another name in the gateway's certificate" 'gateway "" eg-other' \
	FAILED "$what" 'is for another name' 'give in url the name that it has'
gateway ''
way 'a gateway of an authority that we do not trust' 'cp "$pki/other-ca.crt" eg-ca.pem' \
	FAILED "$what" 'has an issuer that we do not trust' 'to ca-file'
way 'a ca-file without a certificate' ': >eg-ca.pem' \
	FAILED "$what" 'eg-ca\.pem has no certificate' ''
way 'another key of the gateway' \
	'configure escrow.pinned-key=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' \
	FAILED "$what" 'is not the pinned one but' 'ask its administrator'
# Whoever listens and never accepts: a connection, and no word of TLS.
silent=$(free_port)
start silent perl -MIO::Socket::INET -e '
	my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => shift, Listen => 5) or die;
	sleep 600' "$silent"
listens()
{
	(exec 3<>"/dev/tcp/127.0.0.1/$silent") 2>/dev/null
}
ok '(somebody listens)' wait_for 60 listens
way 'a gateway that hangs' 'configure escrow.timeout=1s "escrow.url=https://localhost:$silent"' \
	FAILED "$what" 'not done in time: the TLS handshake did not end' 'right port' 75
stop silent || true

# --- the web server

what='web server'
way 'a web server that does not know of us' 'mkdir "$root/web"; web=$root/web' \
	WARN "$what" 'no file in use beneath .*/web mentions certprov' 'name the folder with --web-server'
way 'our files alone, which no server of it uses' \
	'front_is conf.d/certprov.conf ""; rm "$web/sites-enabled/certprov"' \
	WARN "$what" 'has our files, but no server there uses them' \
	'write "include snippets/certprov.conf;" into the server that speaks TLS'
way 'a web server that does not wait for us' \
	'front_is snippets/certprov-fastcgi.conf "s/read_timeout .*/read_timeout 25s;/"' \
	WARN "$what" 'waits 25 s for our answer, which may take 30 s' 'raise fastcgi_read_timeout'
way 'a web server that takes less than we' \
	'front_is snippets/certprov-fastcgi.conf "s/client_max_body_size .*/client_max_body_size 32k;/"' \
	WARN "$what" 'accepts events of 32768 bytes, and \[events\] max-body is 65536' \
	'raise client_max_body_size'
way 'a web server that looks elsewhere' \
	'front_is conf.d/certprov.conf "s/certprov.sock/nowhere.sock/"' \
	WARN "$what" 'nowhere\.sock, where .* looks for the handler, is not there' 'start certprov\.fcgi'
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => shift, Listen => 1) or die' \
	"$root/dead.sock"
way 'a socket that nobody serves' 'front_is conf.d/certprov.conf "s/certprov.sock/dead.sock/"' \
	WARN "$what" 'no process serves .*dead\.sock' 'start certprov\.fcgi'
way 'a web server of a user that is not there' \
	'front_is nginx.conf "1iuser nobody-knows-me;
		/^user root/d"' \
	WARN "$what" 'runs as user nobody-knows-me, which does not exist' 'correct user'
way 'a web server whose user is not let in' \
	'front_is nginx.conf "1iuser daemon;
		/^user root/d"' \
	WARN "$what" 'certprov\.sock is closed to its user daemon' 'to the group that owns the socket'
apache()
{
	web=$root/web
	mkdir -p "$web/conf-enabled"
	printf 'export APACHE_RUN_USER=%s\n' "$(id -un)" >"$web/envvars"
	printf '%s\n' 'Use CertprovProxy /certprov certprov' "$@" >"$web/conf-enabled/certprov.conf"
}
way 'our macros alone, which no virtual host of it uses' \
	'apache; cp "$top_srcdir/contrib/apache/conf-available/certprov.conf" "$web/conf-enabled"' \
	WARN "$what" 'has our files, but no server there uses them' 'Apache: "Use CertprovProxy'
way 'an Apache that does not wait for us' \
	'apache "ProxyPass /x \"unix:$root/certprov.sock|fcgi://x\" connectiontimeout=5 timeout=20"' \
	WARN "$what" 'waits 20 s for our answer' 'Apache: timeout'
way 'an Apache that takes less than we' 'apache "LimitRequestBody 1000"' \
	WARN "$what" 'accepts events of 1000 bytes' 'Apache: LimitRequestBody'

# A server that has more to do than to serve us: what is in its other blocks is not ours.
rm -r "$root/web"
front_is conf.d/certprov.conf ''
cat >"$web/sites-enabled/shop" <<-'END'
	server {
		listen 443 ssl;
		server_name shop.example.com;
		location ~ \.php$ {
			client_max_body_size 1k;
			fastcgi_read_timeout 5s; # seconds
			fastcgi_pass unix:/run/php/nowhere.sock;
		}
		include snippets/certprov.conf;
	}
END
rm "$web/sites-enabled/certprov"
conf=$right/certprov.conf
is "$(certprov check --web-server "$web" | grep ' web server:')" "ok      web server: $web" \
	'a server of the administrator, with other things in it'
cat >"$web/sites-enabled/shop" <<-'END'
	server {
		location /hooks { fastcgi_pass certprov; }
		location /hook {
			fastcgi_read_timeout 5s;
			fastcgi_pass certprov;
		}
	}
END
like "$(certprov check --web-server "$web" | grep ' web server:')" 'waits 5 s for our answer' \
	'... and one that passes requests to us in another block'
web=$front

# --- other users

if ((EUID == 0)); then
	public=$(mktemp -d /tmp/certprov-test.XXXXXX)
	scratch+=("$public")
	cp "$checker" "$public/certprov"
	chmod 755 "$public" "$public/certprov"
	dir=$public/way
	web=none
	service=(setpriv --reuid nobody --regid nogroup --clear-groups --inh-caps=-all
		--bounding-set=-all env ASAN_OPTIONS=detect_leaks=0)
	served='chown -R nobody .; as=("${service[@]}"); checker=$public/certprov'

	way 'root, and a store of somebody else' 'chown -R nobody .' \
		WARN user 'you are root, and the store belongs to user nobody' \
		'runuser -u nobody -- certprov check'
	also='WARN +user: '
	way 'a secret that is closed to the service' 'chown -R nobody .; chown root ca.key' \
		WARN files 'ca\.key is closed to user nobody, .* by the mode of .*ca\.key' \
		'give that user access'
	way 'a folder that is closed to the service' \
		'chown -R nobody .; chown root .; chmod 755 .' \
		WARN "store's folder" 'user nobody, the owner of the store, cannot write in .*/way' \
		'chown it to nobody'
	also=
	way "somebody else's configuration" 'chown daemon certprov.conf' \
		WARN files 'certprov\.conf belongs to user [0-9]+, who can change it' 'chown it to root'
	way 'a configuration that we cannot read' \
		"$served; chown root certprov.conf; chmod 600 certprov.conf" \
		FAILED configuration 'certprov\.conf: Permission denied' 'let user [0-9]+ read it'
	way "somebody else's secret" "$served; chown daemon:nogroup certificate.password
		chmod 640 certificate.password" \
		FAILED 'Escrow Gateway' 'certificate\.password belongs to user [0-9]+' 'chown it'
	way 'a store that we cannot write' "$served; chmod 400 certprov.db" \
		FAILED store "certprov\.db: user $(id -u nobody) must be able to write it" ''
	also="WARN +store's folder"
	way 'a folder that we cannot write in' \
		"$served; rm -f certprov.db-* certprov.db.lock; chmod 500 ." \
		FAILED store "certprov\.db.*user $(id -u nobody) must be able to write" 'folder'
	also=
else
	skip 'users that are not the service' 'only root can be somebody else'
fi

ok "that were at least 30 ways to be wrong: $ways" test "$ways" -ge 30
done_testing
