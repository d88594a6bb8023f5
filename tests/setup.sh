# shellcheck shell=bash
# What check.sh and demo.sh have in common: packages, and a copy of the sources
# to build from, so that the source tree stays as it is. Sourced.
# shellcheck disable=SC2034 # the lists are for those who source it

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Debian's names: to build, to run the programs between real peers, and for all tests.
build_packages=(autoconf automake gcc libc6-dev libcjson-dev libcrypt-dev libcurl4-gnutls-dev
	libexpat1-dev libfcgi-dev libgnutls28-dev libidn2-dev libinih-dev libkrb5-dev libldap-dev
	libp11-kit-dev libsqlite3-dev libtasn1-6-dev libunistring-dev make pkg-config)
run_packages=(apache2-utils ca-certificates curl jq nginx openssl)
test_packages=(apache2 clang clang-format codespell default-jre-headless faketime gnutls-bin
	golang-cfssl golang-github-smallstep-certificates-dev golang-go krb5-admin-server
	krb5-kdc ldap-utils libapache2-mod-auth-gssapi libapache2-mod-fcgid libclang-rt-dev libcmocka-dev
	libfcgi-bin libnss3-tools llvm mandoc passwd procps prometheus shellcheck slapd softhsm2
	spawn-fcgi sqlite3 systemd tinyproxy-bin valgrind whois xz-utils)
browser_packages=(chromium fonts-dejavu-core)
package_packages=(build-essential debhelper debootstrap lintian systemd-container util-linux)
services=(apache2 krb5-admin-server krb5-kdc nginx prometheus slapd) # of packages by these names

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

missing_packages()
{
	local package

	for package; do
		dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
			say "$package"
	done
}

apt()
{
	DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"
}

# The tests run these themselves, so a package must not put one of its own on
# port 80 or 9090. Where systemd runs, a masked unit is not started by the package's
# scripts, and the mask is taken off afterwards; elsewhere it is stopped when it has come up.
# hold_services PACKAGE...: prints those that are masked now.
hold_services()
{
	local service

	[[ -d /run/systemd/system ]] || return 0
	for service in "${services[@]}"; do
		if [[ " $* " == *" $service "* ]] &&
			systemctl --quiet --runtime mask "$service.service"; then
			say "$service"
		fi
	done
}

# stop_services PACKAGE...: those that have come up with the packages.
stop_services()
{
	local service

	for service in "${services[@]}"; do
		if [[ " $* " == *" $service "* && ! -d /run/systemd/system ]] &&
			[[ -s /run/$service.pid || -s /run/$service/$service.pid ]]; then
			"/etc/init.d/$service" stop >/dev/null 2>&1 || true
		fi
	done
}

release_services()
{
	local service

	for service; do
		systemctl --quiet --runtime unmask "$service.service"
		systemctl --quiet disable "$service.service" 2>/dev/null || true
	done
}

install_packages()
{
	local -a missing masked
	local log

	command -v dpkg-query >/dev/null || return 0 # not Debian: configure will name what lacks
	mapfile -t missing < <(missing_packages "$@")
	((${#missing[@]})) || return 0
	((EUID == 0)) || die "missing packages; as root: apt-get install ${missing[*]}"
	say "Installing ${missing[*]}"
	log=$(mktemp)
	mapfile -t masked < <(hold_services "${missing[@]}")
	apt install --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
		{ apt update && apt install --no-install-recommends "${missing[@]}"; } >>"$log" 2>&1 ||
		{ cat "$log" >&2; release_services "${masked[@]}"; die 'packages cannot be installed'; }
	rm -f "$log"
	release_services "${masked[@]}"
	stop_services "${missing[@]}"
}

# What git knows or would take, as it is now; a release has no git.
source_files()
{
	if [[ -e $top/.git ]]; then
		git -c safe.directory="$top" -C "$top" ls-files -z --cached --others \
			--exclude-standard --deduplicate | while IFS= read -rd '' file; do
			[[ ! -e $top/$file ]] || printf '%s\0' "$file"
		done
	else
		(cd "$top" && find . -path './build*' -prune -o -type f -print0)
	fi
}

# Keeps times, so that a second copy makes make do only what has changed.
copy_source()
{
	mkdir -p "$1"
	source_files | tar -C "$top" --null --no-recursion -T - -cf - | tar -C "$1" -xf -
}
