#!/bin/bash
# Three customers on one server, each with a handler, user, store and gateway of its own, made by
# contrib/add-tenant, behind nginx and then behind Apache.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-load.sh
. "$top_srcdir/tests/system/lib-load.sh"
((EUID == 0)) || skip_all 'only root can make users'
command -v useradd >/dev/null || skip_all 'no useradd here (Debian: passwd)'
command -v spawn-fcgi >/dev/null || skip_all 'no spawn-fcgi here (Debian: spawn-fcgi)'
# shellcheck source=tests/system/lib-apache.sh
. "$top_srcdir/tests/system/lib-apache.sh"

web_user=$apache_user
tag=t$((RANDOM % 9000 + 1000))x$((BASHPID % 100000))
tenants=("$tag-a" "$tag-b" "$tag-c")
host=$root/host
etc=$host/etc/certprov
mkdir -p "$root/bin" "$host"
chmod 755 "$host" "$root/bin"
cp "$(program certprov)" "$root/bin/certprov"

add_tenant()
{
	PATH=$root/bin:$PATH DESTDIR=$host "$top_srcdir/contrib/add-tenant" "$@"
}

as()
{
	runuser -u "$1" -- "${@:2}"
}

tenant_certprov()
{
	as "certprov-$1" "$root/bin/certprov" -c "$etc/$1/certprov.conf" "${@:2}"
}

state_of()
{
	printf '%s/var/lib/certprov-%s\n' "$host" "$1"
}

# Who asks for whom in the rest of this file.
select_tenant()
{
	front_url=https://localhost:$front_port/$1
	credentials=uem:password-of-$1
}

# --- what the command refuses

for name in '' A -a a- a--b 1a a_b a.b ../a a/b 'a b' certprov aaaaaaaaaaaaaaaaaaaaaaa $'a\nb'; do
	not_ok "${name@Q} is no name" add_tenant "$name"
done
not_ok 'a folder without a configuration' add_tenant "$tag-a" "$root/bin"
is "$(getent passwd | grep -c "^certprov-$tag")" 0 'no user was made'
not_ok 'nor a folder' test -e "$etc"
accounts+=("certprov-$tag-d")
useradd --system --no-create-home --shell /bin/sh "certprov-$tag-d"
not_ok 'a user who logs in is not taken over' add_tenant "$tag-d"

# --- adding them

# A folder as a customer would send it, and a gateway for that customer.
prepare()
{
	local folder=$root/new-$1 state

	state=$(state_of @NAME@)
	eg_of "$1" eg_start || return 1
	cp -r "$root/certprov" "$folder"
	htpasswd -niBC 5 uem <<<"password-of-$1" >"$folder/uem.users"
	conf=$folder/certprov.conf configure certificates.key=ec-p256 escrow.timeout=300s \
		"escrow.url=${eg_urls[$1]}" "ca.certificate=$state/ca.crt" "ca.key=$state/ca.key" \
		"store.url=sqlite:$state/certprov.db" "store.key-file=$state/store.key"
}

listing()
{
	find "$host" -printf '%p %m %u:%g %s %T@\n' | grep -v 'certprov\.db' | sort
}

for tenant in "${tenants[@]}"; do
	accounts+=("certprov-$tenant")
	ok "(a gateway for $tenant)" prepare "$tenant"
	ok "$tenant is added" add_tenant "$tenant" "$root/new-$tenant"
	like "$(<"$root/output")" "https://HOST/$tenant/events" 'with the URL of the tenant'
	like "$(<"$root/output")" "crl-url = http://HOST/$tenant/ca.crl" '... and that of the revocation list'
	is "$(openssl x509 -in "$(state_of "$tenant")/ca.crt" -noout -subject -nameopt RFC2253)" \
		"subject=CN=$tenant S/MIME CA,O=$tenant" 'the CA has its name'
	is "$(stat -c '%a %U:%G' "$etc/$tenant")" "750 root:certprov-$tenant" 'the configuration is its own'
	is "$(stat -c '%a %U:%G' "$(state_of "$tenant")")" "700 certprov-$tenant:certprov-$tenant" \
		'and so is the store'
	is "$(find "$etc/$tenant" -type f -printf '%m %u:%g\n' | sort -u)" \
		"640 root:certprov-$tenant" 'no file is open to others, and it can change none'
	ok 'check reports no problem' tenant_certprov "$tenant" check
done
before=$(listing)
ok 'the same again' add_tenant "$tag-a" "$root/new-$tag-b"
is "$(listing)" "$before" 'changes nothing'

# --- starting them, as systemd's socket or spawn-fcgi would

# Where no systemd is: the line that add-tenant prints, in the foreground.
tenant_start()
{
	start "tenant-$1" spawn-fcgi -n -s "$root/$1.sock" -U "certprov-$1" -G "$web_user" -M 0660 \
		-u "certprov-$1" -g "certprov-$1" -- "$root/bin/certprov.fcgi" \
		-c "$etc/$1/certprov.conf" -w 2
	wait_ready "tenant-$1" -S "$root/$1.sock"
}

for tenant in "${tenants[@]}"; do
	ok "$tenant starts" tenant_start "$tenant"
	is "$(stat -c '%a %U:%G' "$root/$tenant.sock")" "660 certprov-$tenant:$web_user" \
		'only it and the web server reach the socket'
done

# --- nobody gets at another's

# Whether USER may connect: curl gives 7 when it cannot.
connects()
{
	local code=0

	as "$1" curl --silent --max-time 1 --unix-socket "$2" http://localhost/ >/dev/null || code=$?
	((code != 7))
}

readable_by()
{
	as "$1" find "${@:2}" -readable 2>/dev/null || true
}

may()
{
	as "$1" test "$2" "$3"
}

ok '(the web server may connect)' connects "$web_user" "$root/$tag-a.sock"
for one in "${tenants[@]}"; do
	me=certprov-$one
	ok "($one may connect to its own)" connects "$me" "$root/$one.sock"
	like "$(readable_by "$me" "$(state_of "$one")")" store.key "($one reads its own key)"
	like "$(readable_by "$me" "$etc/$one")" certificate.pfx '(and configuration)'
	not_ok "$one may not change it" may "$me" -w "$etc/$one"
	not_ok 'nor see who else is there' may "$me" -r "$etc"
	not_ok 'nor put a socket in the place of another' may "$me" -w "$root"
	for other in "${tenants[@]}"; do
		[[ $other != "$one" ]] || continue
		not_ok "$one may not connect to $other" connects "$me" "$root/$other.sock"
		is "$(readable_by "$me" "$etc/$other" "$(state_of "$other")")" '' "$one reads nothing of $other's"
		for file in "$etc/$other"/{certprov.conf,certificate.pfx,uem.users,p12.password} \
			"$(state_of "$other")"/{certprov.db,store.key,ca.key,ca.crt}; do
			ok "(${file##*/} is there)" test -s "$file"
			not_ok "... and refused" as "$me" cat "$file"
		done
		for file in environ mem maps; do
			not_ok "... and the handler's $file" \
				as "$me" head -c 1 "/proc/${pids[tenant-$other]}/$file"
		done
		not_ok "... and signals to it" as "$me" kill -0 "${pids[tenant-$other]}"
	done
	is "$(readable_by "$web_user" "$etc/$one" "$(state_of "$one")")" '' \
		"the web server reads nothing of $one's"
done

# --- under load at once

# devices FILE...: sorted; the events', or those that a gateway has got
devices()
{
	cat "$@" | jq -r '.DeviceUUID // .device_uuid' | sort
}

uploads_of()
{
	find "$root/$1/state/uploads" -name '*.json' -exec cat {} + | jq -r .device_uuid | sort
}

# all_at_once DIGIT: each gets 12 events that nobody else gets
all_at_once()
{
	local i tenant
	local -a posting=()

	for i in 0 1 2; do
		tenant=${tenants[i]}
		events "${1}000a0$i" 12 6
		(
			select_tenant "$tenant"
			post_many 4 "$root/${1}000a0$i"/???
			printf '%s' "$statuses" >"$root/$tenant.statuses"
		) &
		posting+=($!)
	done
	wait "${posting[@]}"
	for i in 0 1 2; do
		tenant=${tenants[i]}
		is "$(<"$root/$tenant.statuses")" 12x202 "$front_name: ${tenant#*-} has all its uploads delivered"
		is "$(uploads_of "$tenant" | grep "^${1}000a")" "$(devices "$root/${1}000a0$i"/???)" \
			"$front_name: its gateway has them, and nothing else"
	done
}

strangers()
{
	select_tenant "$tag-a"
	credentials=uem:password-of-$tag-b
	post_event "$sample_event"
	is "$status" 401 "$front_name: the credentials of another are wrong"
	credentials=uem:password-of-$tag-a
	request GET /metrics
	is "$status" 403 "$front_name: metrics are closed"
	request GET ''
	is "$status" 200 "$front_name: the bare prefix is /events"
	request PUT /events
	is "$status" 405 "$front_name: PUT is not allowed"
	for name in "$tag-e" "$tag" "$tag-a-" "$tag-A" x/../../"$tag-a.sock" "$tag-a.sock" '' %00; do
		front_url=https://localhost:$front_port
		request GET "/$name/healthz" --path-as-is
		like "$status" '^40[034]$' "$front_name: /$name belongs to nobody"
	done
}

workers_hang()
{
	(($(tenant_certprov "$tag-a" list events --state pending --json | jq length) >= 2))
}

# More than the web server could hold for one of them if it were let. They are recorded and told to
# try later, at the latest when that gateway is gone.
one_hangs()
{
	local i flood

	eg_of "$tag-a" eg_mode hang 600
	events "${1}000b00" 200 200
	(
		select_tenant "$tag-a"
		post_many 200 "$root/${1}000b00"/???
		printf '%s' "$statuses" >"$root/$tag-a.statuses"
	) &
	flood=$!
	ok "(both of its workers hang)" wait_for 60 workers_hang
	for i in 1 2; do
		events "${1}000b0$i" 10 5
		select_tenant "${tenants[i]}"
		post_many 4 "$root/${1}000b0$i"/???
		is "$statuses" 10x202 "$front_name: ${tenants[i]#*-} is served while a's gateway hangs"
	done
	eg_of "$tag-a" eg_mode
	eg_of "$tag-a" eg_stop
	wait "$flood" || true
	like "$(<"$root/$tag-a.statuses")" 'x503' "$front_name: a's own are told to try later"
	ok "(a's gateway is back)" eg_of "$tag-a" eg_start
	ok "(what waited is delivered)" tenant_certprov "$tag-a" deliver --now
	select_tenant "$tag-a"
	events "${1}000b03" 1 1
	post_event "$root/${1}000b03/000"
	is "$status" 202 "$front_name: and a is served again"
}

all_of_it()
{
	all_at_once "$1"
	strangers
	one_hangs "$1"
}

front_name=nginx
front_edit="s|include snippets/certprov.conf;|include snippets/certprov-tenants.conf;|
	s|listen 127.0.0.1:[0-9]*;|& include snippets/certprov-tenants-public.conf;|
	s|/var/lib/certprov-|$host&|"
nginx_as=$web_user ok 'nginx starts' front_start
all_of_it 1
for path in "$tag-a/ca.crl 200" "$tag-b/ca.cer 200" "$tag-a/events 404" "$tag-e/ca.crl 404"; do
	front_url=http://localhost:$front_http_port
	request GET "/${path% *}"
	is "$status" "${path#* }" "nginx without TLS: /${path% *}"
done
front_stop || true

front_name=Apache
front_edit="s|^\tUse CertprovProxy /certprov certprov$|\tUse CertprovTenant $tag-a\n\tUse CertprovTenant $tag-b\n\tUse CertprovTenant $tag-c|"
apache_threads=$'StartServers 2\nServerLimit 2\nMaxRequestWorkers 50' # fewer than one's events
ok 'Apache starts' apache_start proxy_fcgi
all_of_it 2

for tenant in "${tenants[@]}"; do
	log=$root/tenant-$tenant.log
	not_ok "$tenant's log knows nobody else" grep -qE "$tag-[abc]" <(grep -v "$tenant" "$log")
	code=0
	stop "tenant-$tenant" || code=$?
	is "$code" 0 "$tenant stops"
done

# --- removing one, as doc/tenants.md says

# shellcheck source=tests/system/lib-pages.sh
. "$top_srcdir/tests/system/lib-pages.sh"
commands=$(page_block doc/tenants.md remove |
	sed "s|-C / |-C $host |; s| /root/| $root/|; s| /etc/| $host/etc/|; s| /var/| $host/var/|g; s/acme/$tag-c/g")
ok "$tag-c is removed" bash -e -c "$commands"
not_ok '... its configuration' test -e "$etc/$tag-c"
not_ok '... its store' test -e "$(state_of "$tag-c")"
not_ok '... and its user' getent passwd "certprov-$tag-c"
ok "... another's store stays" test -s "$(state_of "$tag-a")/certprov.db"
like "$(tar -tzf "$root/$tag-c.tar.gz")" "var/lib/certprov-$tag-c/store.key" 'what was kept has its master key'
ok 'it can be added again' add_tenant --subject 'CN=Another CA' "$tag-c" "$root/new-$tag-c"
is "$(openssl x509 -in "$(state_of "$tag-c")/ca.crt" -noout -subject -nameopt RFC2253)" \
	'subject=CN=Another CA' '... with a CA that --subject names'

done_testing
