# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# What the Escrow Gateway has received: for tests that source it behind lib.sh.
#
#   unpack N PART [INDEX]   a credential of upload N, read by openssl: $got.crt, $got.key, and
#                           $got.ca with the rest of the chain, all PEM
#   upload_table [FIRST]    the accepted uploads from FIRST on, a line each, see
#                           tests/peers/escrow-contents.c
#   has DEVICE COLUMN...    those columns of its last upload: 2 the user, 3 and 6 the serial numbers
#                           for signing and encryption, 5 and 8 the addresses, 9 what is archived
#   uploads_to DEVICE [USER]   how many, of that user's keys
#   send_all USER           runs every command that sends keys; $said is what they say. It replaces
#                           the user's certificates
#   column N...             those columns of standard input, each line once
#   count_column N...       how many there are

mkdir -p "$root/got"
got=

unpack()
{
	got=$root/got/$1-$2-${3:-0}
	[[ ! -e $got.ca ]] || return 0
	eg_pkcs12 "$1" "$2" "${3:-0}" >"$got.p12"
	eg_openssl -in "$got.p12" -nodes -nocerts | openssl pkey -out "$got.key"
	eg_openssl -in "$got.p12" -nokeys -clcerts | openssl x509 -out "$got.crt"
	eg_openssl -in "$got.p12" -nokeys -cacerts -out "$got.ca"
}

upload_table()
{
	local -a uploads

	mapfile -t uploads < <(find "$eg/state/uploads" -name '*.json' | sort)
	"$top_builddir/tests/peers/escrow-contents" "$eg/p12.password" "${uploads[@]:${1:-1}-1}"
}

has()
{
	local columns

	printf -v columns '%s,' "${@:2}"
	upload_table 1 | grep "^$1 " | tail -n 1 | cut -d ' ' -f "${columns%,}"
}

uploads_to()
{
	upload_table 1 | grep -c "^$1 ${2:-}" || true
}

send_all()
{
	local command

	: >"$root/said"
	for command in 'deliver' 'deliver --now' 'deliver --all' "deliver --user $1" \
		"renew --user $1 --now" "renew --within 400d" 'deliver --all'; do
		# shellcheck disable=SC2086
		certprov $command >>"$root/said" 2>&1 || true
	done
	said=$(<"$root/said")
}

column()
{
	local columns

	printf -v columns '%s,' "$@"
	cut -d ' ' -f "${columns%,}" | sort -u
}

count_column()
{
	column "$@" | wc -l
}
