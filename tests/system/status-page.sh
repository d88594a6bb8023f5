#!/bin/bash
# The status page behind nginx: who may see it, its headers, its contents and its search; names and
# causes that look like markup stay text in a browser; it fits a phone.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

webhook=$credentials
admin=boss:admin-password
page=$root/page
chromium=$(command -v chromium || true)

# get_page [QUERY]: as an administrator; sets $status; $page has it
get_page()
{
	credentials=$admin request GET "/status${1:+?$1}"
	cp "$answer.body" "$page"
}

says()
{
	grep -qF -- "$1" "$page"
}

# How many rows the table of that caption has
rows_of()
{
	perl -0ne '
		($table) = m{<caption>\Q'"$1"'\E.*?<tbody[^>]*>(.*?)</tbody>}s;
		print scalar(() = ($table // "") =~ /<tr /g), "\n"' "$page"
}

# Each tag that is none of the page's own, with its attributes, and each text that a tag begins in
strange_tags()
{
	perl -0ne '
		s{<!DOCTYPE html>}{}i;
		s{<style>[^<]*</style>}{};
		my $name = qr{html|head|meta|title|body|a|header|footer|main|nav|section|h[12]|p|ul|li|dl|
			dt|dd|div|span|small|code|bdi|time|table|caption|thead|tbody|tr|th|td|form|label|
			input|button|details|summary|svg|desc|g|wbr|line|rect|circle|text}x;
		my $attribute = qr{(?:lang|charset|name|content|class|href|id|tabindex|role|scope|datetime|
			aria-label|aria-labelledby|aria-describedby|data-label|for|type|maxlength|method|
			action|autocomplete|autocapitalize|spellcheck|value|width|height|x|y|x1|x2|y1|y2|
			cx|cy|r|text-anchor|open)}x;
		s{</$name>|<$name(?:\s+$attribute(?:="[^"<>]*")?)*/?>}{}g;
		print map { "$_\n" } /[<>][^<>]{0,60}/g' "$1"
}

# browse [OPTION...] ADDRESS: headless, with a profile of its own
browse()
{
	timeout 120 "$chromium" --headless --no-sandbox --disable-gpu --hide-scrollbars \
		--ignore-certificate-errors --user-data-dir="$root/chromium" "$@" 2>>"$root/chromium.noise"
}

world certificates.key=ec-p256 admin.users-file= || exit 1

# --- who may

get_page
is "$status" 403 'nginx lets nobody in as it comes'
front_stop || true
front_edit='s/deny all;/allow all;/' ok 'it is opened' front_start
get_page
is "$status" 404 'without [admin] there is none'
(umask 077 && htpasswd -niBC 5 boss <<<"${admin#*:}" >"$root/certprov/admin.users")
configure admin.users-file=admin.users
handler_stop || true
ok 'with [admin]' handler_start
for credentials in '' "$webhook" boss:wrong; do
	request GET /status
	is "$status" 401 "not for ${credentials:-nobody}"
done
credentials=$webhook
get_page
is "$status $(header Content-Type)" '200 text/html; charset=utf-8' 'for administrators'
is "$(header Cache-Control)" no-store 'not to be kept'
is "$(header Referrer-Policy) $(header X-Content-Type-Options)" 'no-referrer nosniff' 'and no more'
style=$(perl -0ne 'print $1 if m{<style>(.*?)</style>}s' "$page" | openssl dgst -sha256 -binary | base64)
is "$(header Content-Security-Policy)" "default-src 'none'; style-src 'sha256-$style'; \
base-uri 'none'; form-action 'self'; frame-ancestors 'none'" 'nothing but its own style sheet'
credentials=$admin request POST /status --data x
is "$status $(header Allow)" '405 GET, HEAD' 'nobody may post to it'
credentials=$admin request HEAD /status
is "$status" 200 'HEAD'

# --- what it says

ok 'an empty store is well' says '<p class="verdict well">All is well</p>'
ok 'nothing is undone' says 'Nothing is pending, nothing has failed.'
credentials=uem:wrong post_event - < <(event_json)
is "$status" 401 'one with a wrong password'
get_page
ok '... asks for a person' says '<li>1 event was refused for missing or wrong credentials since '
uploads=$(eg_upload_count)
device=$(new_uuid)
user=$(new_uuid)
event_json "device=$device" "user=$user" mail=anna@example.com name=anna >"$root/event"
post_event "$root/event"
is "$status" 202 'an event'
get_page
ok '... and all is well again' says '<p class="verdict well">All is well</p>'
eg_script 400
event_json "device=$(new_uuid)" "user=$(new_uuid)" >"$root/event"
post_event "$root/event"
is "$status" 502 'one that is refused'
uploads_then=$(eg_upload_count)
eg_script 500
event_json "device=$(new_uuid)" "user=$(new_uuid)" >"$root/event"
post_event "$root/event"
is "$status" 503 'one that is tried again'
get_page
ok 'a person is needed' says '<p>Needs attention</p>'
ok 'and why' says '<li>1 event failed for good'
is "$(rows_of 'Failed events') $(rows_of 'Pending events')" '1 1' 'both are listed'
is "$(rows_of 'Failed uploads') $(rows_of 'Pending uploads')" '0 0' \
	'their uploads are not listed once more'
is "$(rows_of 'The latest events')" 3 'so are the latest events'
is "$(grep -c '<span>signing [0-9.]*</span> <span>encryption' "$page")" 3 'with the times of steps'
like "$(grep -A2 -F "data-label=\"Name\"><div><bdi>$(sed -E 's#[/.:]+#&<wbr>#g' <<<"$eg_url")" "$page")" \
	'1 succeeded, 2 failed' 'the gateway has had three uploads'
like "$(grep -F 'data-label="Name"><div><bdi>local' "$page")" '6 succeeded, 0 failed' 'the CA six requests'
ok 'our certificate ends' says "our client certificate ends $(
	date -u -d "$(openssl x509 -in "$pki/identity.crt" -noout -enddate | cut -d= -f2)" +%FT%TZ)"
isnt "$uploads_then" "$uploads" 'the gateway counts what it gets'
before=$(eg_upload_count)
get_page
is "$(eg_upload_count)" "$before" 'the page asks it nothing'

# --- what it finds

serial=$(certprov list certificates --user anna --json | jq -r '.[0].serial')
found='Certificates found'
for wanted in anna ANNA anna@example.com "$user" "${user^^}"; do
	get_page "q=$wanted"
	is "$(rows_of "$found")" 2 "two are of $wanted"
done
get_page 'q=+anna%40example.com+'
is "$(rows_of "$found")" 2 'as a form sends it'
for wanted in "$device" "$serial" "${serial^^}"; do
	get_page "q=$wanted"
	is "$(rows_of "$found")" 1 "one is of $wanted"
done
for wanted in ann % _nna "anna'--" '' 00; do
	get_page "q=$(jq -rn --arg q "$wanted" '$q | @uri')"
	is "$status $(rows_of "$found")" '200 0' "none of '$wanted'"
done
for wanted in %ff %00 % "$(printf 'x%.0s' {1..800})" 'a&q=b'; do
	get_page "q=$wanted"
	is "$status" 400 "refused: ${wanted:0:20}"
done

# --- nothing becomes markup

hostile=('<script>alert(1)</script>' '"><img src=x onerror=alert(1)>' "' onfocus='alert(1)" '</style>'
	'<svg onload=alert(1)>' $'\u202Egnp.exe' '😀👩‍💻 ✓' '&lt;b&gt;' 'مرحبا')
for name in "${hostile[@]}"; do
	event_json "device=$(new_uuid)" "user=$(new_uuid)" "mail=anna@example.com" \
		"DeviceFriendlyName=$name" "EventType=Enrollment Complete" >"$root/event"
	post_event "$root/event"
	sqlite3 "$root/certprov/certprov.db" "UPDATE event SET cause = '${name//\'/\'\'}', \
		device_name = '${name//\'/\'\'}', user_name = '${name//\'/\'\'}', state = 'failed', \
		next_at = NULL WHERE id = (SELECT max(id) FROM event)"
done
get_page "q=$(jq -rn --arg q "${hostile[1]}" '$q | @uri')"
is "$status $(rows_of 'Failed events')" '200 10' 'all of them are shown'
is "$(strange_tags "$page")" '' 'each tag is one that our pages use'
ok 'what was looked for is in its field' says \
	'value="&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"'
ok 'a script is text' says '&lt;script&gt;alert(1)&lt;/script&gt;'
ok 'nobody is led astray' says '[U+202E]gnp.exe'
ok 'other scripts and pictures stay' says '<bdi>😀👩‍💻 ✓</bdi>'
printf '<p onclick="x"><b>x</b><script>' >"$root/strange"
is "$(strange_tags "$root/strange" | grep -c '^<')" 4 'the judge of tags does find some'
not_ok 'no password, no key, no place in the file system' \
	grep -E "${webhook#*:}|${admin#*:}|PRIVATE|$root" "$page"

# --- in a browser

if [[ -z $chromium ]]; then
	skip 'a browser shows it' 'no chromium here'
	done_testing
	exit
fi
browse --dump-dom "${front_url/:\/\//:\/\/$admin@}/status?q=anna" >"$root/dom" || true
ok 'a browser shows it' grep -q '<caption>Certificates found' "$root/dom"
is "$(grep -ciE '<(script|img|svg onload)' "$root/dom")" 0 'without a tag more'
# frame WIDTH: the page in a frame of that width, which the test's script measures
frame()
{
	printf '<!DOCTYPE html><meta charset="utf-8"><iframe width="%s" height="900" srcdoc="' "$1"
	sed 's/&/\&amp;/g; s/"/\&quot;/g' "$page"
	cat <<-'END'
		"></iframe><script>onload = function() {
			var page = document.querySelector("iframe").contentDocument;
			var body = getComputedStyle(page.body);
			document.title = page.documentElement.scrollWidth <= page.documentElement.clientWidth
				? "fits" : "is too wide";
			document.title += " " + page.querySelectorAll("script, img, iframe, [onload], [onerror]"
				).length + " " + body.backgroundColor;
		}</script>
	END
}
measured()
{
	frame "$1" >"$root/frame.html"
	browse --blink-settings="preferredColorScheme=$2" --dump-dom "file://$root/frame.html" |
		sed -n 's/.*<title>\([^<]*\)<.*/\1/p' | tail -n 1
}
get_page q=anna@example.com # the widest table
is "$(measured 360 1)" 'fits 0 rgb(246, 247, 245)' 'it fits a phone'
is "$(measured 360 0)" 'fits 0 rgb(20, 24, 26)' 'it is dark where that is preferred'
for width in 320 800 1045 1400; do
	is "$(measured "$width" 1)" 'fits 0 rgb(246, 247, 245)' "it fits $width pixels"
done

# --- after a bad day

eg_mode 503
for i in {1..71}; do
	event_json "device=$(new_uuid)" "user=$(new_uuid)" "mail=user$i@example.com" \
		"DeviceFriendlyName=Phone of user $i" >"$root/event"
	post_event "$root/event"
done
eg_mode
get_page
like "$(grep -F '× ' "$page")" '>7[0-9] × <bdi>' 'one cause is one line, with its number'
like "$(certprov status)" 'pending: 7[0-9] × .*, since 20' 'certprov status, too'
is "$(certprov status | grep -c '^pending: [0-9]* ×')" 1 \
	'... and names it once, not its uploads once more'
# height WIDTH: of the page there, in pixels
height()
{
	frame "$1" | sed 's/document.title += .*/document.title = page.documentElement.scrollHeight;/
		s/^\t*).length + .*//' >"$root/frame.html"
	browse --dump-dom "file://$root/frame.html" | sed -n 's/.*<title>\([^<]*\)<.*/\1/p' | tail -n 1
}
tall=$(height 390)
ok "a phone shows it in $tall pixels" test "$tall" -lt 8000
is "$(measured 390 1)" 'fits 0 rgb(246, 247, 245)' 'and it fits'

# --- by keys alone

# keys_at ADDRESS STEP...: see keyboard.pl
keys_at()
{
	perl "$top_srcdir/tests/system/keyboard.pl" "$@" -- "$chromium" --headless --no-sandbox \
		--disable-gpu --ignore-certificate-errors --user-data-dir="$root/chromium" \
		2>>"$root/chromium.noise"
}
keys()
{
	keys_at "${front_url/:\/\//:\/\/$admin@}/status" "$@"
}
# behind ELEMENT: the next one
behind()
{
	grep -A1 -xF "$1" <<<"$reachable" | tail -n 1
}
reachable=$(keys elements)
for wanted in 'a #main' 'a #certificates' 'input q' 'button Find' 'summary As a table'; do
	ok "one may reach $wanted" grep -xF "$wanted" <<<"$reachable"
done
is "$(keys round)" "$reachable" 'Tab reaches each, in this order, in sight, and shows where one is'
is "$(keys dark round)" "$reachable" '... in the dark, too'
is "$(keys to 'a #main' press Enter press Tab | sed -E 's/^(main main) .*/\1/')" \
	"main main"$'\n'"$(behind 'a #recent')" 'the first leads past the rest'
is "$(keys to 'button Find' back)" 'input q' 'Shift and Tab lead back'
is "$(keys open to 'summary As a table' press Space open | sed -n '1p; $p' | paste -sd -)" \
	"$(grep -c '<details open' "$page")-$(($(grep -c '<details open' "$page") + 1))" 'what is folded opens'
is "$(keys to 'input q' type anna press Enter address | tail -n 1)" '?q=anna' 'one may search'
cat >"$root/strange.html" <<-'END'
	<!DOCTYPE html><style>a { outline: none; } .far { position: fixed; left: -999px; }</style>
	<a href="x">x</a><a href="y" class="far" style="outline: 3px solid black">y</a>
	<a href="z" style="outline: 3px solid #eee">z</a>
END
is "$(keys_at "file://$root/strange.html" round | paste -sd ,)" 'a x ringless,a y hidden,a z ringless' \
	'(what is wrong would be seen)'

done_testing
