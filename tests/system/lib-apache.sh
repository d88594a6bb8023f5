# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# Apache in front, with our own files from contrib/apache/: for tests that source it
# behind lib.sh. It takes the place of nginx's front_start; requests stay the same.
#
#   apache_start MODULE   the way to the handler: proxy_fcgi, fcgid, cgid or, with the prefork MPM,
#                       cgi. front_edit is a sed command for our files. Its log, and that of a
#                       handler that it has started: $root/apache.log
#   front_stop          as ever
#   apache_own FILE...  gives them to whom Apache runs as
#   apache_socket_open SOCKET   lets Apache connect to it
#   apache_threads      processes and threads, if not Debian's: lines of configuration
#
# A test whose Apache starts the handler itself has the program in $root/bin.

apache=$(PATH=$PATH:/usr/sbin:/sbin command -v apache2 || true)
apache_modules=/usr/lib/apache2/modules
apache_user=
apache_threads=
apache_common=(alias auth_basic authn_core authn_file authz_core authz_host authz_user env
	headers macro reqtimeout setenvif socache_shmcb ssl unique_id)

# Root's Apache gives up its rights, to a user who must be able to enter.
apache_setup()
{
	[[ -n $apache ]] || skip_all 'no Apache here (Debian: apache2)'
	[[ -e $apache_modules/mod_fcgid.so ]] ||
		skip_all 'no mod_fcgid here (Debian: libapache2-mod-fcgid)'
	if ((EUID == 0)); then
		apache_user=www-data
		chmod 711 "$root"
	fi
	mkdir -p "$root/bin"
	cp "$(program certprov.fcgi)" "$root/bin"
}

apache_own()
{
	[[ -z $apache_user ]] || chown -R "$apache_user:" "$@"
}

apache_socket_open()
{
	[[ -z $apache_user ]] || chgrp "$apache_user" "$1"
}

apache_load()
{
	local module mpm=mpm_event proxy=

	case $1 in
	cgi) mpm=mpm_prefork ;; # each MPM has its own way to CGI programs
	proxy_fcgi) proxy=proxy ;;
	esac
	for module in "$mpm" "${apache_common[@]}" $proxy "$1"; do
		printf 'LoadModule %s_module %s/mod_%s.so\n' "$module" "$apache_modules" "$module"
	done
}

# The line that an administrator writes for that way.
apache_use()
{
	case $1 in
	fcgid) printf 'Use CertprovFcgid /certprov' ;;
	cgi*) printf 'Use CertprovCgi /certprov' ;;
	*) printf 'Use CertprovProxy /certprov certprov' ;;
	esac
}

# apache_file FILE: as it would be installed, but for the places and ports.
apache_file()
{
	mkdir -p "$front/${1%/*}"
	sed -e "s|/run/certprov/|$root/|g; s|/usr/sbin/certprov.fcgi|$root/bin/certprov.fcgi|g" \
		-e "s|<VirtualHost \*:443>|<VirtualHost 127.0.0.1:$port>|" \
		-e "s|<VirtualHost \*:80>|<VirtualHost 127.0.0.1:$http_port>|" \
		-e "s|certprov.example.com|localhost|" \
		-e "s|/etc/ssl/certs/certprov.pem|$pki/front.crt|" \
		-e "s|/etc/ssl/private/certprov.key|$pki/front.key|" \
		-e "s|/var/log/apache2/certprov.error.log|$root/apache.log|" \
		-e "s|/var/log/apache2/|$front/|" \
		-e "s|^\(.\)Use CertprovProxy /certprov certprov|\1$(apache_use "$module")|" ${front_edit:+-e "$front_edit"} \
		"$top_srcdir/contrib/apache/$1" >"$front/$1"
}

apache_conf()
{
	local port=$1 http_port=$2 module=$3

	apache_file conf-available/certprov.conf
	apache_file sites-available/certprov.conf
	cat >"$front/apache.conf" <<-END
		ServerRoot $front
		DefaultRuntimeDir $front
		PidFile $front/apache.pid
		ServerName localhost
		ErrorLog $root/apache.log
		Listen 127.0.0.1:$port
		Listen 127.0.0.1:$http_port
		$(apache_load "$module")
		${apache_user:+User $apache_user}
		${apache_user:+Group $apache_user}
		$apache_threads
		<IfModule mod_cgid.c>
			ScriptSock $front/cgid.sock
		</IfModule>
		<IfModule mod_fcgid.c>
			FcgidIPCDir $front/fcgid
			FcgidProcessTableFile $front/fcgid/shm
		</IfModule>
		<Directory "/">
			Options FollowSymLinks
			AllowOverride None
			Require all denied
		</Directory>
		SetEnv CERTPROV_CONFIG $conf
		<IfModule mod_fcgid.c>
			FcgidInitialEnv CERTPROV_CONFIG $conf
		</IfModule>
		Include conf-available/certprov.conf
		Include sites-available/certprov.conf
	END
}

# In a session of its own: the prefork MPM ends with a signal to its whole process group.
apache_try()
{
	rm -f "$front/apache.pid"
	start front setsid "$apache" -D FOREGROUND -f "$front/apache.conf"
	wait_ready front -s "$front/apache.pid"
}

apache_start()
{
	local port http_port

	front_certificate
	mkdir -p "$front/fcgid"
	apache_own "$front"
	for _ in 1 2 3 4 5; do
		port=$(free_port)
		http_port=$(free_port)
		apache_conf "$port" "$http_port" "$1"
		if apache_try; then
			front_port=$port
			front_http_port=$http_port
			front_url=https://localhost:$port/certprov
			return 0
		fi
		grep -q 'Address already in use' "$root/front.log" || return 1
	done
	return 1
}

apache_setup
