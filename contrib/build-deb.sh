#!/bin/sh
# Builds the Debian package from these sources, a git tree or a release, in a copy of
# them: the sources stay as they are.
#
#	contrib/build-deb.sh FOLDER [VERSION]
#
# The .deb goes into FOLDER, with .buildinfo and .changes beside it. VERSION is another one
# than that of contrib/debian/changelog. DEB_BUILD_OPTIONS=nocheck leaves the unit tests out,
# and DEB_BUILD_PROFILES=nocheck what they need.
# Needs the packages build-essential and debhelper, and those that contrib/debian/control names.
set -e

usage()
{
	sed -n '2,/^set/{ /^#/s/^# \{0,1\}//p; }' "$0"
	exit "$1"
}

[ "${1:-}" != --help ] || usage 0
[ $# -ge 1 ] || usage 2 >&2
top=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/certprov-deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# The files that git knows or would add, as they are now; a release has no git.
files()
{
	if [ -e "$top/.git" ]; then
		git -c safe.directory="$top" -C "$top" ls-files --cached --others --exclude-standard \
			--deduplicate | while IFS= read -r file; do
			[ ! -e "$top/$file" ] || printf '%s\n' "$file"
		done
	else
		(cd "$top" && find . -path './build*' ! -path './build-aux*' -prune -o -type f -print)
	fi
}

mkdir "$work/certprov"
files | tar -C "$top" --no-recursion -T - -cf - | tar -C "$work/certprov" -xf -
cd "$work/certprov"
mv contrib/debian debian
[ -z "${2:-}" ] || sed -i "1s/([^)]*)/($2)/" debian/changelog
DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-} parallel=$(nproc)" dpkg-buildpackage --build=binary --no-sign
mv "$work"/certprov*.* "$out"
