#!/bin/bash
# Our PKCS#12 files before four foreign judges: OpenSSL, GnuTLS (certtool),
# NSS (pk12util) and Java (keytool). Each has to find the key that belongs to
# the certificate, the friendlyName and the full chain; in a file with several
# keys, each with its own. Speaks TAP.

set -u
export LC_ALL=C.UTF-8

make_file=${top_builddir:-.}/tests/system/pkcs12_make
friendly='Ann Ürsel'
several=(rsa rsa2 ec) # what a file with several keys has, in its order
declare -A password=([ascii]='correct horse' [utf-8]='pässwörd€' [none]=-)
declare -A iterations=([legacy]=2048 [modern]=10000)

dir=$(mktemp -d "${TMPDIR:-/tmp}/pkcs12-judges.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT

count=0

# report NAME COMMAND...: one line of TAP; what the command said follows if it failed
report() {
	local name=$1
	shift
	count=$((count + 1))
	if "$@" >"$dir/said" 2>&1; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		sed 's/^/# /' "$dir/said"
	fi
}

skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

pem_blocks() {
	sed -n "/BEGIN $1/,/END $1/p"
}

# --- what goes in: root, intermediate CA, and a leaf for each type of key

new_certificate() { # NAME CN CA EXTENSION KEY-OPTIONS...
	local name=$1 cn=$2 ca=$3 extension=$4
	shift 4
	openssl req -x509 -new -nodes -days 30 -subj "/CN=$cn" -addext "$extension" \
		-newkey "$@" -keyout "$dir/$name.key" -out "$dir/$name.pem" \
		${ca:+-CA "$dir/$ca.pem" -CAkey "$dir/$ca.key"} 2>>"$dir/openssl.log"
}

# rsa2 has rsa's subject, as a user's earlier certificate has.
make_inputs() {
	local p256=(ec -pkeyopt ec_paramgen_curve:P-256) type

	printf '%s\n' '[req]' 'distinguished_name = dn' '[dn]' >"$dir/openssl.cnf"
	export OPENSSL_CONF=$dir/openssl.cnf
	new_certificate root 'Test Root' '' basicConstraints=critical,CA:TRUE "${p256[@]}" &&
		new_certificate sub 'Test CA' root basicConstraints=critical,CA:TRUE "${p256[@]}" &&
		new_certificate rsa 'Leaf rsa' sub basicConstraints=CA:FALSE rsa:2048 &&
		new_certificate rsa2 'Leaf rsa' sub basicConstraints=CA:FALSE rsa:2048 &&
		new_certificate ec 'Leaf ec' sub basicConstraints=CA:FALSE "${p256[@]}" || return 1
	for type in "${several[@]}"; do
		cat "$dir/$type.pem" "$dir/sub.pem" "$dir/root.pem" >"$dir/$type.chain"
		openssl x509 -in "$dir/$type.pem" -noout -pubkey >"$dir/$type.pub" || return 1
		certtool -i --infile "$dir/$type.pem" | grep -o 'pin-sha256:.*' >"$dir/$type.pin"
	done
}

# --- the judges: judge_X FILE PASSWORD TYPE

judge_openssl() {
	local file=$1 pass=$2 type=$3 out=$dir/openssl.out

	openssl pkcs12 -in "$file" -passin "pass:$pass" -noenc >"$out" || return 1
	pem_blocks CERTIFICATE <"$out" | diff - "$dir/$type.chain" || return 1
	openssl pkey -in "$out" -pubout | diff - "$dir/$type.pub" || return 1
	# it prints a BMPString as Latin-1
	[ "$(iconv -f LATIN1 "$out" | grep -c "friendlyName: $friendly\$")" = 2 ] || return 1
	[ "$(grep -ac 'localKeyID: ' "$out")" = 2 ] || return 1
	! openssl pkcs12 -in "$file" -passin 'pass:wrong' -noenc >"$out" 2>&1
}

judge_certtool() {
	local file=$1 type=$3 out=$dir/certtool.out secret=(--password "$2")

	[ -n "$2" ] || secret=(--empty-password)
	certtool --p12-info --inder --infile "$file" "${secret[@]}" --outfile "$out" || return 1
	pem_blocks CERTIFICATE <"$out" | diff - "$dir/$type.chain" || return 1
	[ "$(grep -c "Friendly name: $friendly\$" "$out")" = 2 ] || return 1
	[ "$(grep -c 'Key ID: ' "$out")" = 2 ] || return 1
	pem_blocks 'ENCRYPTED PRIVATE KEY' <"$out" >"$out.key"
	certtool -k --infile "$out.key" "${secret[@]}" --outfile "$out" || return 1
	grep -o 'pin-sha256:.*' "$out" | diff - "$dir/$type.pin"
}

# NSS gives u,u,u only to a certificate whose private key it holds.
judge_nss() {
	local file=$1 pass=$2 type=$3 out=$dir/nss.out db=$dir/nssdb name

	rm -rf "$db"
	mkdir "$db" && certutil -N -d "sql:$db" --empty-password || return 1
	pk12util -l "$file" -W "$pass" >"$out" || return 1
	grep -q "Friendly Name: $friendly\$" "$out" || return 1
	pk12util -i "$file" -d "sql:$db" -W "$pass" || return 1
	certutil -L -d "sql:$db" | tee "$out"
	grep -Eq "^$friendly +u,u,u\$" "$out" || return 1
	for name in 'Test CA' 'Test Root'; do
		grep -q "^$name " "$out" || return 1
	done
	certutil -L -d "sql:$db" -n "$friendly" -a | tr -d '\r' >"$out"
	openssl x509 -in "$out" | diff - "$dir/$type.pem"
}

# -list shows the entry, -importkeystore decrypts its key into a file that openssl reads.
judge_keytool() {
	local file=$1 pass=$2 type=$3 out=$dir/keytool.out copy=$dir/copy.p12 new=copied

	keytool -list -v -storetype PKCS12 -keystore "$file" -storepass "$pass" >"$out" </dev/null ||
		{ cat "$out" && return 1; }
	grep -qi "^Alias name: $friendly\$" "$out" || return 1
	grep -q 'Entry type: PrivateKeyEntry' "$out" || return 1
	grep -q 'Certificate chain length: 3' "$out" || return 1
	rm -f "$copy"
	keytool -importkeystore -srcstoretype PKCS12 -srckeystore "$file" -srcstorepass "$pass" \
		-deststoretype PKCS12 -destkeystore "$copy" -deststorepass $new </dev/null ||
		return 1
	openssl pkcs12 -in "$copy" -passin pass:$new -nocerts -noenc |
		openssl pkey -pubout | diff - "$dir/$type.pub"
}

# --- the judges of several keys in one file: judge_several_X FILE PASSWORD

several_name() { # TYPE
	echo "$1@example.com (encryption) 2027-01-31 0123456789$1"
}

# Each certificate once, and each key with that certificate by localKeyID and friendlyName.
judge_several_openssl() {
	local file=$1 pass=$2 type id out=$dir/openssl.out names=$dir/names

	openssl pkcs12 -in "$file" -passin "pass:$pass" -noenc >"$out" || return 1
	for type in "${several[@]}"; do cat "$dir/$type.pem"; done >"$dir/chains"
	cat "$dir/sub.pem" "$dir/root.pem" >>"$dir/chains"
	pem_blocks CERTIFICATE <"$out" | diff - "$dir/chains" || return 1
	for type in "${several[@]}"; do
		id=$(openssl x509 -in "$dir/$type.pem" -noout -fingerprint | sed 's/.*=//; s/:/ /g')
		[ "$(grep -c "localKeyID: $id" "$out")" = 2 ] || return 1
		[ "$(grep -c "friendlyName: $(several_name "$type")\$" "$out")" = 2 ] || return 1
		sed -n "/localKeyID: $id/,/END/p" "$out" >"$names"
		pem_blocks 'PRIVATE KEY' <"$names" | openssl pkey -pubout | diff - "$dir/$type.pub" ||
			return 1
		pem_blocks CERTIFICATE <"$names" | diff - "$dir/$type.pem" || return 1
	done
}

judge_several_certtool() {
	local file=$1 pass=$2 type out=$dir/certtool.out

	certtool --p12-info --inder --infile "$file" --password "$pass" --outfile "$out" || return 1
	pem_blocks CERTIFICATE <"$out" | diff - "$dir/chains" || return 1
	csplit -sz -f "$out." "$out" '/BEGIN ENCRYPTED PRIVATE KEY/' '{*}' || return 1
	for type in "${several[@]}"; do
		[ "$(grep -c "Friendly name: $(several_name "$type")\$" "$out")" = 2 ] || return 1
		grep -l 'BEGIN ENCRYPTED' "$out".* | while read -r key; do
			certtool -k --infile "$key" --password "$pass"
		done | grep -q "$(cat "$dir/$type.pin")" || return 1
	done
}

# A key has its certificate's nickname, and is listed once.
judge_several_nss() {
	local file=$1 pass=$2 type out=$dir/nss.out db=$dir/nssdb

	rm -rf "$db"
	mkdir "$db" && certutil -N -d "sql:$db" --empty-password || return 1
	pk12util -i "$file" -d "sql:$db" -W "$pass" || return 1
	certutil -K -d "sql:$db" | tee "$out"
	[ "$(grep -c '^<' "$out")" = ${#several[@]} ] || return 1
	certutil -L -d "sql:$db" | tee "$out.list"
	[ "$(grep -c 'u,u,u$' "$out.list")" = ${#several[@]} ] || return 1
	for type in "${several[@]}"; do
		grep -q "$(several_name "$type")\$" "$out" || return 1
		grep -Eq "^$(several_name "$type" | sed 's/[()]/\\&/g') +u,u,u\$" "$out.list" ||
			return 1
	done
}

judge_several_keytool() {
	local file=$1 pass=$2 type out=$dir/keytool.out copy=$dir/copy.p12 new=copied

	keytool -list -v -storetype PKCS12 -keystore "$file" -storepass "$pass" >"$out" </dev/null ||
		{ cat "$out" && return 1; }
	[ "$(grep -c 'Entry type: PrivateKeyEntry' "$out")" = ${#several[@]} ] || return 1
	[ "$(grep -c 'Certificate chain length: 3' "$out")" = ${#several[@]} ] || return 1
	for type in "${several[@]}"; do
		rm -f "$copy"
		keytool -importkeystore -srcstoretype PKCS12 -srckeystore "$file" \
			-srcstorepass "$pass" -srcalias "$(several_name "$type")" \
			-deststoretype PKCS12 -destkeystore "$copy" -deststorepass $new </dev/null ||
			return 1
		openssl pkcs12 -in "$copy" -passin pass:$new -nocerts -noenc |
			openssl pkey -pubout | diff - "$dir/$type.pub" || return 1
	done
}

# Java 17 opens no file with a password beyond ASCII, Java 25 only modern ones:
# it is asked for what it makes of OpenSSL's own file with that password.
java_takes_utf8() { # PROFILE
	local file=$dir/$1-reference.p12 args=()

	[ "$1" = legacy ] && args=(-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1)
	if [ ! -e "$file" ]; then
		openssl pkcs12 -export -in "$dir/ec.chain" -inkey "$dir/ec.key" "${args[@]}" \
			-passout "pass:${password[utf-8]}" -out "$file"
		keytool -list -storetype PKCS12 -keystore "$file" -storepass "${password[utf-8]}" \
			>/dev/null 2>&1 </dev/null && touch "$file.read"
	fi
	[ -e "$file.read" ]
}

# judge NAME PROGRAM FILE PROFILE PASSWORD-KIND [TYPE]
judge() {
	local judge=$1 program=$2 file=$3 profile=$4 kind=$5 type=${6:-}
	local name="$judge reads ${file##*/}" pass=${password[$5]}

	[ "$kind" = none ] && pass=
	if ! command -v "$program" >/dev/null; then
		skip "$name" "$program is not installed"
	elif [ "${judge#several_}" = keytool ] && [ "$kind" = utf-8 ] && ! java_takes_utf8 "$profile"; then
		skip "$name" "this Java does not read OpenSSL's own file with such a password"
	else
		report "$name" "judge_$judge" "$file" "$pass" "$type"
	fi
}

if ! command -v openssl >/dev/null; then
	echo '1..0 # SKIP openssl is not installed'
	exit 0
fi
report 'the certificates to pack are made' make_inputs
for profile in legacy modern; do
	for type in rsa ec; do
		for kind in ascii utf-8 none; do
			file=$dir/$profile-$type-$kind.p12
			report "${file##*/} is written" "$make_file" "$profile" \
				"${iterations[$profile]}" "${password[$kind]}" "$file" \
				"$friendly" "$dir/$type.key" "$dir/$type.chain"
			judge openssl openssl "$file" $profile $kind $type
			judge certtool certtool "$file" $profile $kind $type
			judge nss pk12util "$file" $profile $kind $type
			judge keytool keytool "$file" $profile $kind $type
		done
	done
	file=$dir/$profile-several.p12
	credentials=()
	for type in "${several[@]}"; do
		credentials+=("$(several_name "$type")" "$dir/$type.key" "$dir/$type.chain")
	done
	report "${file##*/} is written" "$make_file" "$profile" "${iterations[$profile]}" \
		"${password[ascii]}" "$file" "${credentials[@]}"
	judge several_openssl openssl "$file" $profile ascii
	judge several_certtool certtool "$file" $profile ascii
	judge several_nss pk12util "$file" $profile ascii
	judge several_keytool keytool "$file" $profile ascii
done
echo "1..$count"
