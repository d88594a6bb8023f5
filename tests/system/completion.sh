#!/bin/bash
# Completion for bash and zsh: what it offers is what the program takes.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

binary=$(program certprov)
zsh=$(command -v zsh || true)

# What the shells give each other; zsh's own completion is replaced by what prints its words.
cat >"$root/ask.bash" <<END
. "$top_srcdir/completions/bash/certprov"
COMP_WORDS=("$binary" "\$@")
COMP_CWORD=\$#
_certprov
printf '%s\n' "\${COMPREPLY[@]}"
END
cat >"$root/ask.zsh" <<END
_files() { print -l -- \${words[CURRENT]}*(N) }
_describe() { local word; for word in \${(P)2}; do print -r -- \${word%%:*}; done |
	grep -e "^\${words[CURRENT]}" }
words=("$binary" "\$@")
CURRENT=\$((\$# + 1))
. "$top_srcdir/completions/zsh/_certprov"
END

# offers WORD...: the words for the last one, in order, in one line
offers()
{
	(cd "$root/folder" && "${ask[@]}" "$@" 2>&1) | sort -u | xargs
}

# line WORD...: them in the same form
line()
{
	printf '%s\n' "$@" | sort -u | xargs
}

# Read in the help in another way than the completion does.
commands_of_help()
{
	"$binary" --help | awk '/^Commands:/ { inside = 1; next } !NF { inside = 0 } inside { print $1 }'
}

options_of_help()
{
	"$binary" "$1" --help | tr -cs -- '-a-z0-9' '\n' | grep -E '^--[a-z]' | sort -u
	printf '%s\n' --config --help
}

# words_in REGEX: what of standard input is such a word
words_in()
{
	grep -oE "$1" | sort -u | xargs
}

configure escrow.url=https://localhost:1
certprov_init
mkdir "$root/folder"
touch "$root/folder/file-1" "$root/folder/file-2"

try_shell()
{
	local command option table

	is "$(offers '')" "$(commands_of_help | sort | xargs)" "$1: all commands"
	is "$(offers re)" "$(commands_of_help | grep ^re | sort | xargs)" "$1: those with a beginning"
	is "$(offers --)" '--config --help --version' "$1: options before the command"
	for command in $(commands_of_help); do
		# shellcheck disable=SC2046 # words
		is "$(offers "$command" --)" "$(line $(options_of_help "$command"))" \
			"$1: all options of $command"
	done
	is "$(offers -c "$conf" --config "$conf" revoke --se)" --serial "$1: behind other options"
	is "$(offers list '')" "$(line devices users certificates uploads events)" "$1: tables"
	is "$(offers config '')" test "$1: what config does"
	for table in $(offers list ''); do
		is "$(offers list "$table" --state '')" \
			"$(certprov list "$table" --state nonsense 2>&1 | sed 's/.*they are //; s/,//g' |
				xargs -n 1 | sort | xargs)" "$1: the states of $table"
	done
	is "$(offers revoke --user u --reason '')" \
		"$(certprov revoke --help | words_in '\b(unspecified|superseded|[a-z]+[A-Z][A-Za-z]+)\b')" \
		"$1: reasons"
	is "$(offers recover --reason '')" '' "$1: a reason that is a text"
	is "$(offers recover --pkcs12 '')" 'legacy modern' "$1: forms"
	is "$(offers renew --usage '')" 'encryption signing' "$1: usages"
	is "$(offers crl --pem --us)" --usage "$1: an option whose help begins with a capital"
	is "$(offers init --key '')" "$(certprov init --help | words_in '(rsa|ec)-p?[0-9]+')" "$1: key types"
	is "$(offers list certificates --expiring 3)" 30d "$1: times"
	is "$(offers revoke --user '')" '' "$1: nothing where a UUID is due"
	for option in '--config' '-c' 'enroll' 'crl --output' 'crl -o' 'recover --password-file' \
		'check --web-server'; do
		# shellcheck disable=SC2086 # words
		is "$(offers $option fil)" 'file-1 file-2' "$1: files behind $option"
	done
	is "$(offers nonsense '')" '--config --help' "$1: an unknown command"
}

ask=(bash --norc "$root/ask.bash")
try_shell bash
if [[ -n $zsh ]]; then
	ask=("$zsh" -f "$root/ask.zsh")
	try_shell zsh
else
	skip 'zsh' 'no zsh here'
	is "$(sed -n '/^_certprov_values/,/^}/p; /^_certprov_states/,/^}/p' "$top_srcdir/completions/zsh/_certprov" |
		words_in '\b[a-zA-Z][A-Za-z0-9-]{4,}\b')" \
		"$(sed -n '/^_certprov_values/,/^}/p; /^_certprov_states/,/^}/p' \
			"$top_srcdir/completions/bash/certprov" | sed 's/echo/print -l/' |
			words_in '\b[a-zA-Z][A-Za-z0-9-]{4,}\b')" "it has the same values as bash's"
fi

done_testing
