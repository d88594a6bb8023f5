# shellcheck shell=bash
# Programs of another Debian release, for tests that need one which this release does not
# have. Sourced; it needs no other part of the library.
#
#   fetch_packages RELEASE PACKAGE...   gets them from the mirror that this machine's own apt
#                    uses, with lists of its own, and unpacks them; nothing is installed and no
#                    dependency follows. Prints the folder; in the cache it stays for the next
#                    time: $CERTPROV_TEST_CACHE, else ~/.cache/certprov-tests.
#
# What goes wrong is said on standard error, in a line.

fetch_cache()
{
	printf '%s\n' "${CERTPROV_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/certprov-tests}"
}

# Of the archive that this release comes from.
fetch_mirror()
{
	local release

	release=$(. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
		awk -v release="$release" '$1 == release && $2 == "main" { print $3; exit }'
}

fetch_source()
{
	local uri keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	uri=$(fetch_mirror)
	[[ -n $uri ]] || {
		printf 'apt knows no mirror of Debian\n' >&2
		return 1
	}
	printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$uri" "$1"
	[[ ! -e $keyring ]] || printf 'Signed-By: %s\n' "$keyring"
}

# fetch_apt FOLDER ARGS...: apt-get with nothing of this machine's but its proxy and mirror
fetch_apt()
{
	local at=$1

	shift
	apt-get -qq -o "Dir::State=$at/state" -o "Dir::Cache=$at/cache" \
		-o "Dir::State::status=$at/status" -o Dir::Etc::SourceList=/dev/null \
		-o "Dir::Etc::SourceParts=$at/sources" -o APT::Sandbox::User=root \
		-o Acquire::Retries=2 -o Acquire::http::Timeout=30 "$@"
}

fetch_unpack()
{
	local at=$1 release=$2 deb

	shift 2
	mkdir -p "$at"/{state/lists/partial,cache/archives/partial,sources,debs,root}
	: >"$at/status"
	fetch_source "$release" >"$at/sources/debian.sources" || return 1
	fetch_apt "$at" update && (cd "$at/debs" && fetch_apt "$at" download "$@") || return 1
	for deb in "$at"/debs/*.deb; do
		dpkg-deb -x "$deb" "$at/root" || return 1
	done
}

# Two tests at the same time: one fetches, the other waits.
fetch_packages()
{
	local release=$1 cache name work

	shift
	command -v apt-get dpkg-deb flock >/dev/null || {
		printf 'this is no Debian\n' >&2
		return 1
	}
	cache=$(fetch_cache)
	name=$cache/$release-$(dpkg --print-architecture)-$(printf '%s_' "$@")
	mkdir -p "$cache" || return 1
	(
		flock 9
		[[ ! -d $name ]] || exit 0
		work=$(mktemp -d "$cache/fetch.XXXXXX")
		if fetch_unpack "$work" "$release" "$@" >"$work/log" 2>&1; then
			mv "$work/root" "$name"
		else
			tail -n 1 "$work/log" >&2
		fi
		rm -rf "$work"
		[[ -d $name ]]
	) 9>"$cache/lock" || return 1
	printf '%s\n' "$name"
}
