#!/bin/bash
# The documentation is true: its links lead to files, its paths, commands, options and keys of the
# configuration exist, and the commands of doc/backup.md, run as they stand, save and restore a
# store; those of doc/ca-local.md make a CA below an offline root.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"
# shellcheck source=tests/system/lib-uploads.sh
. "$top_srcdir/tests/system/lib-uploads.sh"

# shellcheck source=tests/system/lib-pages.sh
. "$top_srcdir/tests/system/lib-pages.sh"

# --- links

broken_links()
{
	local page target

	for page in "${pages[@]}"; do
		while read -r target; do
			[[ $target == *://* || -e ${page%/*}/${target%%#*} ]] ||
				printf '%s: %s\n' "${page##*/}" "$target"
		done < <(grep -oE '\]\([^)#]+' "$page" | cut -c 3-)
	done
	for page in "${pages[@]}"; do
		while read -r target; do
			[[ -e $top_srcdir/$target ]] || printf '%s: %s\n' "${page##*/}" "$target"
		done < <(grep -oE '\bdoc/[a-z-]+\.md' "$page")
	done
}

is "$(broken_links)" '' 'every link within the documentation leads to a file'
like "$(grep -ohE '\]\([^)#]+' "${pages[@]}" | wc -l)" '^[1-9]' '(which were looked at)'

# Paths of the sources that are named for developers; NAME in one stands for others.
missing_paths()
{
	local path

	while read -r path; do
		compgen -G "$top_srcdir/$path" >/dev/null || [[ -e $top_srcdir/$path.c ]] ||
			printf '%s\n' "$path"
	done < <(paths_named)
}

paths_named()
{
	grep -ohP '(?<![\w/.-])(cli|completions|contrib|doc|fcgi|lib|man|nginx|tests)/[\w.*/-]*[\w*/]' \
		"$top_srcdir"/{README,CONTRIBUTING}.md | grep -v NAME | sort -u
}

# The folders of CONTRIBUTING.md's table: each includes headers of its own and of those below it.
# shellcheck disable=SC2016 # not of the shell
folders()
{
	sed -n 's/^| `\(fcgi\|cli\|lib\/[a-z]*\)\/` |.*/\1/p' "$top_srcdir/CONTRIBUTING.md"
}

upward_includes()
{
	local folder above='no-such-folder'

	while read -r folder; do
		grep -E "^#include \"($above)/" "$top_srcdir/$folder"/*.[ch] || true
		above+="|${folder#lib/}"
	done < <(folders)
}

is "$(upward_includes)" '' 'no folder of CONTRIBUTING.md uses one above it'
ok '(which were looked at)' test "$(folders | wc -l)" -ge 13
is "$(missing_paths)" '' 'every path that README.md and CONTRIBUTING.md name exists'
ok '(which were looked at)' test "$(paths_named | wc -l)" -ge 30

# --- blocks that tests run

unused_marks()
{
	local page name

	for page in "${pages[@]}"; do
		page=${page#"$top_srcdir/"}
		while read -r name; do
			grep -qE "(follow|page_block|words) $page $name\b" "$top_srcdir"/tests/package/*.sh \
				"$top_srcdir"/tests/system/tenants.sh ||
				printf '%s: %s\n' "$page" "$name"
			page_block "$page" "$name" >/dev/null || printf '%s: %s is empty\n' "$page" "$name"
		done < <(page_marks "$page")
	done
}

# In the pages that tell how it is installed, no command is left out.
unmarked_blocks()
{
	local page

	for page in README.md doc/apache.md doc/nginx.md; do
		awk -v page="$page" '
			/^ *```$/ { if (!inside && last !~ /<!-- test: /) print page ": " FNR }
			/^ *```/ { inside = !inside }
			{ last = $0 }' "$top_srcdir/$page"
	done
}

is "$(unused_marks)" '' 'every block with a name is run'
is "$(unmarked_blocks)" '' 'and those of the installation have one'
like "$(page_marks README.md | wc -l)" '^[1-9]' '(which were looked at)'

# --- commands and options

# Commands as they are written in blocks and in `...`, a line each: "COMMAND OPTION...".
commands_named()
{
	sed -e ':a; /\\$/ { N; s/\\\n//; ba }' "${pages[@]}" |
		grep -oE '\bcertprov( -c [^ ]+)? [a-z]+\b[^`|;#]*' |
		sed -E 's/^certprov( -c [^ ]+)? //; s/ (-- |>).*//' |
		awk '{ line = $1; for (i = 2; i <= NF; i++) if ($i ~ /^\[?--/) line = line " " $i
			print line }' | tr -d '[],.:)' | sort -u
}

unknown_options()
{
	local line command option help

	while read -r line; do
		read -r command line <<<"$line"
		help=$(certprov "$command" --help 2>&1) || continue # prose: "certprov is"
		for option in $line; do
			grep -qe "$option\b" <<<"$help" || printf '%s %s\n' "$command" "$option"
		done
	done < <(commands_named)
}

# In a block or in `...`, the word behind certprov is a command, not prose.
unknown_commands()
{
	local command

	while read -r command; do
		certprov "$command" --help >/dev/null 2>&1 || printf '%s\n' "$command"
	done < <(grep -ohE '(`|^ *|-- )certprov( -c [^ ]+)? [a-z]+' "${pages[@]}" |
		sed -E 's/.*certprov( -c [^ ]+)? //' | sort -u)
}

is "$(unknown_commands)" '' 'every command that is named exists'
is "$(unknown_options)" '' 'and so does every option'
like "$(commands_named | tr '\n' '/')" 'deliver --all --rate/.*renew --within' '(which were looked at)'

# "COMMAND OPTION", a line each, of those that are not in the part of certprov(1) on that command
missing_in_manual()
{
	local command option

	while read -r command option; do
		awk -v command="$command" -v option="${option#-}" '
			/^\.(It|Sh|Ss) / { inside = index($0 " ", ".It Ic " command " ") == 1 }
			inside && (!option || match($0, "Fl " option "( |$)")) { found = 1 }
			END { exit !found }' "$top_srcdir/man/certprov.1" || printf '%s %s\n' "$command" "$option"
	done
}

# The same form: those that the program names, and each command alone
options_of_program()
{
	local command

	for command in $(certprov --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'); do
		printf '%s\n' "$command"
		certprov "$command" --help |
			sed -n "s/^  \(-[A-Za-z], *\)\{0,1\}\(--[a-z0-9-]*\).*/$command \2/p"
	done
}

is "$(options_of_program | missing_in_manual)" '' 'each command and option of the program is in certprov(1)'
is "$(printf 'list --nonsense\nnonsense\n' | missing_in_manual | xargs)" 'list --nonsense nonsense' \
	'(one that is not would be seen)'
ok '(which were looked at)' test "$(options_of_program | wc -l)" -ge 40

# --- the configuration

# Each block of ini is taken on its own: what a key names is not there, but the key is known.
strange_configurations()
{
	local page said n

	for page in "${pages[@]}"; do
		for ((n = 1; ; n++)); do
			page_blocks ini "${page#"$top_srcdir/"}" "$n" >"$root/page.conf"
			[[ -s $root/page.conf ]] || break
			printf '%s\n' "${page##*/} $n" >>"$root/pages-with-ini"
			said=$("$(program certprov)" -c "$root/page.conf" status 2>&1) || true
			grep -E 'page\.conf:[0-9]+:' <<<"$said" || true
		done
	done
}

is "$(strange_configurations)" '' 'every key of the configuration in the pages is taken'
like "$(<"$root/pages-with-ini")" 'README.md 1.*ca-est.md 1' '(which were looked at)'
printf '[escrow]\nurls = https://eg.example.com\n' >"$root/page.conf"
like "$("$(program certprov)" -c "$root/page.conf" status 2>&1)" 'page\.conf:2:' \
	'(a strange one would be seen)'

# `key = value` in the text
unknown_keys()
{
	local key

	while read -r key; do
		grep -qE "^\.It .*\b$key\b" "$top_srcdir/man/certprov.conf.5" || printf '%s\n' "$key"
	done < <(grep -ohE '`[a-z][a-z0-9-]+ = ' "${pages[@]}" | tr -d '`= ' | sort -u)
}

is "$(unknown_keys)" '' 'and certprov.conf(5) has those in the text'

# SECTION.KEY of the program, which certprov.conf(5) has not in the part on that section
missing_keys()
{
	local section key

	while read -r section key; do
		awk -v section="$section" -v key="$key" '
			/^\.Ss/ { inside = index($0, ".Ss Section [" section "]") == 1 }
			inside && /^\.It Cm/ && match($0, "[ ,]" key "( |$)") { found = 1 }
			END { exit !found }' "$top_srcdir/man/certprov.conf.5" || printf '%s.%s\n' "$section" "$key"
	done
}

# As keys.c has them.
keys_of_program()
{
	sed -n 's/^\t{"\([a-z]*\)", "\([a-z0-9-]*\)", .*/\1 \2/p
		s/^\t{section, "\([a-z0-9-]*\)", .*/ca \1/p' "$top_srcdir/lib/config/keys.c"
}

is "$(keys_of_program | missing_keys)" '' 'each key of the program is in certprov.conf(5)'
is "$(echo ca nonsense | missing_keys)" ca.nonsense '(one that is not would be seen)'
ok '(which were looked at)' test "$(keys_of_program | wc -l)" -ge 60
ok 'what is posted to UEM is JSON' jq -e .TargetUrl <(page_blocks json doc/uem.md)

# --- backup and restore, as doc/backup.md has it

# The files are where the README's configuration has them, beneath $root.
etc=$root/etc/certprov
state=$root/var/lib/certprov
mkdir -p "$root/bin" "$root/etc" "$root/var/lib" "$root/var/backups" "$root/mnt/keys"
mkdir -m 700 "$state"
mv "${conf%/*}" "$etc"
conf=$etc/certprov.conf

# What the commands find in PATH. The web server of this machine is no part of it.
cat >"$root/bin/certprov" <<-END
	#!/bin/bash
	[[ \$1 != check ]] || set -- "\$@" --web-server none
	exec "$(program certprov)" -c "$conf" "\$@"
END
cat >"$root/bin/systemctl" <<-END
	#!/bin/bash
	[[ " \$* " == *" certprov.service "* ]] || exit 0
	read -r pid <"$root/handler-pid"
	case \$1 in
	stop)
		kill "\$pid"
		while kill -0 "\$pid" 2>/dev/null && ! grep -q 'State:.Z' "/proc/\$pid/status"; do
			sleep 0.1
		done
		;;
	restart) kill -HUP "\$pid" ;;
	esac
END
chmod +x "$root/bin/"*

handler_starts()
{
	stop handler >/dev/null 2>&1 || true
	handler_start && printf '%s\n' "${pids[handler]}" >"$root/handler-pid"
}

# run N [PAGE]: the block of that number in the page, doc/backup.md, with our places and no other
# users, until a command fails. Its output: $root/block-N.out
run()
{
	awk -v n="$1" '/^```sh$/ { i++; inside = i == n; next } /^```/ { inside = 0 } inside' \
		"$top_srcdir/doc/${2:-backup}.md" |
		sed -e "s|/etc/certprov|$etc|g; s|/var/lib|$root/var/lib|g; s|/var/backups|$root/var/backups|g" \
			-e "s|/mnt/keys|$root/mnt/keys|g; s|/srv/root|$root/offline|g" \
			-e "s|tar -C / |tar -C $root |" \
			-e 's/runuser -u certprov -- //; s/ -o certprov -g certprov//' >"$root/block-$1"
	[[ -s $root/block-$1 ]] || return 1
	PATH=$root/bin:$PATH bash -e "$root/block-$1" >"$root/block-$1.out" 2>&1 || {
		cat "$root/block-$1.out"
		return 1
	}
}

# Until there is $root/enough.
load()
{
	answer=$root/load
	while [[ ! -e $root/enough ]]; do
		enroll "$(new_uuid)" "$(new_uuid)" mail=load@example.com
		printf '%s\n' "$status" >>"$root/load-statuses"
	done
}

load_answered()
{
	[[ $(wc -l <"$root/load-statuses") -ge $1 ]]
}

# newest: the number of the last upload to Anna's phone
newest()
{
	local n

	for ((n = $(eg_upload_count); n > 0; n--)); do
		[[ $(jq -r .device_uuid "$(eg_upload "$n")") != "$phone" ]] || break
	done
	printf '%s\n' "$n"
}

# decrypts PART [INDEX]: the mail, by what Anna's phone got last
decrypts()
{
	unpack "$(newest)" "$@"
	openssl cms -decrypt -binary -in "$root/encrypted" -recip "$got.crt" -inkey "$got.key" \
		-out "$root/decrypted" && cmp "$root/mail" "$root/decrypted"
}

archived_decrypts()
{
	decrypts archived 0 || decrypts archived 1
}

ok 'the world starts' world certificates.key=ec-p256 "ca.certificate=$state/ca.crt" \
	"ca.key=$state/ca.key" "store.url=sqlite:$state/certprov.db" "store.key-file=$state/store.key"
printf '%s\n' "${pids[handler]}" >"$root/handler-pid"
anna=$(new_uuid)
phone=$(new_uuid)
enroll "$phone" "$anna" mail=anna@example.com
is "$status" 202 'a device enrolls'
unpack 1 encryption
printf 'Content-Type: text/plain\r\n\r\nGrüße, %s\r\n' "$RANDOM" >"$root/mail"
ok 'a mail is encrypted for its user' \
	openssl cms -encrypt -binary -aes256 -in "$root/mail" -out "$root/encrypted" "$got.crt"

: >"$root/load-statuses"
load &
loader=$!
wait_for 60 load_answered 3 || true
ok 'a backup while devices enroll' run 1
like "$(<"$root/block-1.out")" '^ok$' 'is whole'
before=$(wc -l <"$root/load-statuses")
wait_for 60 load_answered $((before + 2)) || true
touch "$root/enough"
wait "$loader" || true
is "$(sort -u "$root/load-statuses")" 202 'and disturbs none of them'
ok 'and a copy of the keys' run 2
is "$(find "$root/var/backups" "$root/mnt" -type f -perm /077 ! -name ca.crt)" '' 'closed to others'
is "$(tar -tzf "$root/var/backups/certprov/configuration.tar.gz" | grep -c 'certprov\.conf$')" 1 \
	'the configuration is in it'

ok 'restored from them into an empty folder' run 3
like "$(<"$root/block-3.out")" 'ok +store' 'check reports no problem'
unlike "$(<"$root/block-3.out")" 'FAILED' 'in all'
is "$(sqlite3 "$state/certprov.db" 'SELECT count(*) FROM lease')" 0 'nothing is leased there'
ok 'what was leased then is finished' certprov deliver --now
devices=$(certprov list devices --json | jq length)
ok 'the store has what was there when the backup began' test "$devices" -ge 4
sent=$(eg_upload_count)
ok 'everything is uploaded again' run 4
is "$(($(eg_upload_count) - sent))" "$devices" 'to every device'
ok 'and on a new machine it runs after the next boot, too' \
	grep -q 'systemctl enable --now .*certprov.socket .*timer' "$root/block-4"
ok 'and the mail of before can be read' decrypts encryption
ok 'the handler starts again' handler_starts
enroll "$(new_uuid)" "$anna" mail=anna@example.com
is "$status" 202 'a device enrolls'

ok 'a new authority in place of one that was stolen' run 6
unpack "$(newest)" encryption
like "$(openssl x509 -in "$got.crt" -noout -issuer)" 'Example S/MIME CA 2' 'issues all anew'
ok 'and the mail can be read, by what is archived' archived_decrypts
is "$(certprov list certificates --state active --json |
	jq -r '.[].issuer' | sort | uniq -c | wc -l)" 1 'nobody has one of the old authority'

rm "$state/store.key"
ok 'the master key is lost: a new store' run 5
ok 'the handler starts with it' handler_starts
enroll "$phone" "$anna" mail=anna@example.com
is "$status" 202 'a device enrolls'
unpack "$(newest)" signing
like "$(openssl x509 -in "$got.crt" -noout -issuer)" 'Example S/MIME CA 2' \
	'and gets certificates of the same authority'

# --- an intermediate authority, as doc/ca-local.md has it

stop handler || true
rm -r "${state:?}"
mkdir -m 700 "$state"
ok 'an offline root makes an intermediate authority' run 1 ca-local
ok 'which is put in place' run 2 ca-local
unlike "$(<"$root/block-2.out")" 'FAILED' 'check reports no problem'
ok 'the handler starts with it' handler_starts
enroll "$phone" "$anna" mail=anna@example.com
is "$status" 202 'a device enrolls'
unpack "$(newest)" signing
ok 'its certificate holds for those who trust the root alone' openssl verify -purpose smimesign \
	-CAfile "$root/offline/root.crt" -untrusted "$got.ca" "$got.crt"
not_ok '(and not without what goes along)' \
	openssl verify -CAfile "$root/offline/root.crt" "$got.crt"
ok 'it can be revoked' certprov revoke --user "$anna"
certprov crl --output "$root/list.crl"
like "$(openssl crl -in "$root/list.crl" -inform DER -noout -CAfile "$state/ca.crt" 2>&1)" 'verify OK' \
	'by a list of the intermediate one'

done_testing
