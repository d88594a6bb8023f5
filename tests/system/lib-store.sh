# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# What must hold in a store whatever has happened to it, at any moment: for tests
# that source it behind lib.sh, lib-uploads.sh and lib-load.sh, and in which nothing is renewed.
# Each of the first four prints what does not hold, a line each, and fails if there is any.
#
#   store_is_sound DB      the file itself, and its rows with each other
#   certificates_fit DB    each row says what its certificate says, as openssl reads it
#   answers_hold DB FILE   the answers that FILE, a part of $posted, has are true: DB has the event
#                          of each 202 as delivered, of each 200 as recorded
#   answers_are_uploaded   each 202 of $posted names what the gateway has accepted, and logged,
#                          for that device and user
#   store_sql DB SQL
#   leases_end             as if so much time had passed; for when all who held them are dead
#   secrets_note N...      $secrets: all passwords, and the private keys of uploads N...
#   secrets_in FILE...     succeeds, and shows it, if there is a private key or a secret

secrets=$root/secrets
judged=$root/judged # rows that certificates_fit has seen: they never change
: >"$judged"

store_sql()
{
	sqlite3 -cmd '.timeout 20000' "$1" "$2"
}

# Succeeds if standard input is empty; else shows it.
nothing()
{
	! grep .
}

store_is_sound()
{
	sqlite3 -cmd '.timeout 20000' "$1" <<-'END' 2>&1 | nothing
		SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check != 'ok';
		SELECT 'foreign key of ' || "table", rowid FROM pragma_foreign_key_check;

		SELECT 'more than one', usage, user_uuid, device_uuid, count(*) FROM credential
			GROUP BY usage, user_uuid, device_uuid HAVING count(*) > 1;
		SELECT 'key or certificate is missing', serial FROM credential
			WHERE length(key) < 64 OR length(chain) < 256;
		SELECT 'of nobody', serial FROM credential LEFT JOIN device USING (user_uuid)
			WHERE device.user_uuid IS NULL;

		SELECT 'delivered without an upload', id FROM event
			LEFT JOIN upload USING (device_uuid, user_uuid)
			WHERE event.state = 'delivered' AND delivered_at IS NULL;
		SELECT 'uploaded, but not there', upload.device_uuid, value
			FROM upload, json_each('["' || replace(contents, ',', '","') || '"]')
			LEFT JOIN credential ON serial = substr(value, instr(value, ':') + 1)
				AND credential.user_uuid = upload.user_uuid
				AND credential.device_uuid IN ('', upload.device_uuid)
			WHERE credential.id IS NULL;

		WITH usages(usage) AS (VALUES ('signing'), ('encryption'))
		SELECT 'delivered, but has no', usage, device.device_uuid, device.user_uuid
			FROM device JOIN event ON event.id = device.event_id, usages
			WHERE device.state = 'enrolled' AND event.state = 'delivered'
			AND device.device_uuid NOT IN
				(SELECT device_uuid FROM event WHERE kind = 'unenrolled')
			AND NOT EXISTS (SELECT 1 FROM credential AS c WHERE c.usage = usages.usage
				AND c.state = 'active' AND c.user_uuid = device.user_uuid
				AND c.device_uuid = iif(c.usage = 'signing', device.device_uuid, ''));
		SELECT 'unenrolled, but may sign', device.device_uuid FROM device
			JOIN credential USING (device_uuid, user_uuid)
			JOIN event ON event.device_uuid = device.device_uuid
				AND event.id > device.event_id
				AND kind = 'unenrolled' AND event.state = 'recorded'
			WHERE device.state = 'unenrolled' AND credential.state = 'active';
	END
}

# Rows on standard input, "SERIAL NOT-BEFORE NOT-AFTER CHAIN", the chain in hexadecimal: the
# leaves as PEM, one behind the other. What follows the first SEQUENCE is the rest of the chain.
leaves()
{
	perl -ane '
		my $der = pack "H*", $F[3];
		my $leaf = substr $der, 0, 4 + (unpack "x2n", $der);
		my $pem = pack "u", $leaf;
		my $pad = -(length $leaf) % 3;
		$pem =~ s/^.//gm;
		$pem =~ tr#` -_#AA-Za-z0-9+/#;
		substr $pem, -1 - $pad, $pad, "=" x $pad;
		print "-----BEGIN CERTIFICATE-----\n$pem-----END CERTIFICATE-----\n";'
}

# The same of PEM certificates by openssl: "SERIAL NOT-BEFORE NOT-AFTER".
certificate_figures()
{
	local text

	text=$(openssl storeutl -noout -text -certs "$1")
	paste -d ' ' <(sed -n '/Serial Number:$/{n; s/[ :]//g; p}' <<<"$text") \
		<(sed -n 's/.*Not Before: //p' <<<"$text" | date -f - +%s) \
		<(sed -n 's/.*Not After *: //p' <<<"$text" | date -f - +%s)
}

certificates_fit()
{
	local rows=$root/rows

	store_sql "$1" "SELECT serial || ' ' || not_before || ' ' || not_after || ' ' || hex(chain)
		FROM credential ORDER BY id" >"$rows.all" || return 1
	grep -vxFf "$judged" "$rows.all" >"$rows" || return 0
	leaves <"$rows" >"$rows.pem"
	certificate_figures "$rows.pem" >"$rows.got"
	cat "$rows" >>"$judged"
	diff <(cut -d ' ' -f 1-3 "$rows") "$rows.got"
}

answers_hold()
{
	awk '$1 < 300 { print $2, $1 == 202 ? "delivered" : "recorded" }' "$2" |
		jq -Rn '[inputs / " "]' >"$root/answered"
	store_sql "$1" "
		SELECT 'answered, but not written down', value ->> 0, value ->> 1, event.state
			FROM json_each(readfile('$root/answered'))
			LEFT JOIN event ON request_id = value ->> 0
			WHERE event.state IS NOT value ->> 1" 2>&1 | nothing
}

# The columns of upload_table, without keys and addresses.
uploaded()
{
	upload_table | cut -d ' ' -f 1-3,6,9
}

answered()
{
	awk '$1 == 202 { print $3 ".answer" }' "$posted" | xargs -r cat | jq -r '
		.certificates as $c | def serials($usage):
			[$c[] | select(.usage == $usage) | .serial] | join(",") | if . == "" then "-" else . end;
		"\(.device_uuid) \(.user_uuid) \(serials("signing")) \(serials("encryption")) "
		+ serials("archived")'
}

answers_are_uploaded()
{
	comm -23 <(answered | sort -u) <(uploaded | sort -u) | nothing &&
		diff <(eg_log 'select(.status == 200) | .upload' | sort) \
			<(find "$eg/state/uploads" -name '*.json' -printf '%f\n' | sed 's/\.json//' | sort)
}

leases_end()
{
	store_sql "$1" 'UPDATE lease SET until = unixepoch(); UPDATE request SET until = 0'
}

# --- secrets

# The octets of an EC key that lies on standard input as ECPrivateKey, behind its first seven.
key_octets()
{
	openssl ec -in "$1" -outform DER 2>"$root/openssl.log" | od -An -v -tx1 -j 7 -N 32 | tr -d ' \n'
}

secrets_note()
{
	local n part

	printf '%s\n' "$eg_password" 'identity password' "${credentials#*:}" >"$secrets"
	for n; do
		for part in signing encryption; do
			unpack "$n" "$part"
			printf 'hex:%s\n' "$(key_octets "$got.key")"
		done
	done >>"$secrets"
}

secrets_in()
{
	"$top_srcdir/tests/system/find-secrets.pl" "$secrets" "$@"
}
