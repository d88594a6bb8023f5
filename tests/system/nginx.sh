#!/bin/bash
# The files in nginx/, as an administrator would use them, before the real handler.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

ok 'everything starts' world

# --- the prefix and what is passed on

request GET /healthz
is "$status" 200 'a path behind the prefix reaches the handler'
request GET /events
is "$status" 200 'credentials are passed on: Test Connection'
request GET ''
is "$status" 200 'the bare prefix is /events'
request GET X/events
is "$status" 404 'a longer name is not the prefix'
request GET /nothing
is "$status" 404 'a path that the handler does not have'
like "$(header Content-Type)" '^application/problem\+json' 'is answered by the handler'
id=request=$(header X-Request-Id)
ok "the request id is in nginx's log" wait_for 60 grep -q "$id" "$front/certprov.access.log"
ok "and in the handler's" grep -q "$id" "$root/handler.log"

# --- methods

for method in PUT DELETE PATCH OPTIONS; do
	request "$method" /events
	is "$status $(header Allow)" '405 GET, HEAD, POST' "$method is not allowed"
	isnt "$(header X-Request-Id)" '' '... and that answer has a request id too'
done
request HEAD /healthz
is "$status" 200 'HEAD is'

# --- sizes

head -c 131072 /dev/zero | tr '\0' ' ' >"$root/large"
post_event "$root/large"
is "$status" 413 'over 64 KiB: refused'
like "$(header Content-Type)" '^application/problem\+json' 'by the handler, which says why'
printf ' ' >>"$root/large"
post_event "$root/large"
is "$status" 413 'over 128 KiB: refused'
like "$(header Content-Type)" '^text/html' 'by nginx'
post_event "$sample_event" --header 'Transfer-Encoding: chunked' --http1.1
is "$status" 202 'an event without a length'
not_ok 'no body was written to disk' grep -q 'buffered to a temporary file' "$front/nginx.log" \
	"$front/certprov.error.log"

# --- what is closed

for path in /metrics /status /metrics/ /%6detrics //status /healthz/../metrics; do
	request GET "$path" --path-as-is
	is "$status" 403 "$path is closed"
done
not_ok 'TLS 1.1 is refused' curl --silent --tls-max 1.1 --ciphers DEFAULT:@SECLEVEL=0 \
	--cacert "$pki/front-ca.crt" "$front_url/healthz"

# --- without TLS: the CA's public files, nothing else

tls_url=$front_url
front_url=http://localhost:$front_http_port/certprov
for path in /ca.crl /ca.cer; do
	request GET "$path"
	isnt "$(header X-Request-Id)" '' "$path reaches the handler without TLS"
done
for path in /events /healthz /metrics /status ''; do
	request GET "$path"
	is "$status" 404 "${path:-the bare prefix} is not"
done
post_event "$sample_event"
is "$status" 404 'and an event least of all'
front_url=$tls_url

# --- a burst is slowed down, then refused

front_stop || true
front_edit='s/rate=100r/rate=2r/; s/burst=4000/burst=4/' ok 'with a small limit' front_start
started=$(date +%s%N)
for ((i = 0; i < 5; i++)); do
	printf 'url = "%s/healthz"\noutput = "/dev/null"\n' "$front_url"
done >"$root/burst"
statuses=$(curl --silent --parallel --parallel-immediate --cacert "$pki/front-ca.crt" \
	--write-out '%{http_code} ' --config "$root/burst" 2>/dev/null)
is "$statuses" '200 200 200 200 200 ' 'a burst within the limit is answered'
ok 'but not all at once' test $((($(date +%s%N) - started) / 1000000)) -ge 600
for ((i = 0; i < 6; i++)); do # more than twelve seconds would let through
	cat "$root/burst"
done >"$root/bursts"
statuses=$(curl --silent --parallel --parallel-immediate --cacert "$pki/front-ca.crt" \
	--write-out '%{http_code} ' --config "$root/bursts" 2>/dev/null)
like "$statuses" 429 'what is beyond it is answered 429'

# --- a sender that gives up does not stop the work

uploads=$(eg_upload_count)
event_json "device=$(new_uuid)" >"$root/event.json"
given_up "$root/event.json"
is "$status" '' 'the sender has gone'
uploaded()
{
	(($(eg_upload_count) > uploads))
}
ok 'the upload comes all the same' wait_for 60 uploaded

# --- the revocation list is kept

# asked METHOD: how often the handler was asked for the list
asked()
{
	grep -c "$1 /ca.crl from" "$root/handler.log" || true
}

new_list_is_out()
{
	request GET /ca.crl
	[[ $(header ETag) != "$etag" ]]
}

front_stop || true
front_cache=certprov_crl front_edit='s/valid 200 5s/valid 200 1h/' ok 'nginx keeps the list' front_start
gets=$(asked GET)
request HEAD /ca.crl
is "$status" 200 'HEAD'
etag=$(header ETag)
isnt "$(header Content-Length)" 0 '... has its length'
request GET /ca.crl
is "$status $(header ETag)" "200 $etag" 'GET'
ok '... has a list behind HEAD' openssl crl -inform DER -in "$answer.body" -noout
cp "$answer.body" "$root/list"
id=$(header X-Request-Id)
credentials='' request GET /ca.crl
is "$status" 200 'again'
ok '... the same' cmp "$root/list" "$answer.body"
isnt "$(header X-Request-Id)" "$id" '... with a request id of its own'
request GET /ca.crl --header "If-None-Match: $etag"
is "$status $(stat -c %s "$answer.body")" '304 0' 'who has it already gets nothing'
is "$(($(asked GET) - gets))" 1 '... and the handler was asked once'
front_stop || true
rm -r "$front/certprov-crl"
front_cache=certprov_crl ok 'nginx keeps it for seconds' front_start
request GET /ca.crl
is "$status $(header ETag)" "200 $etag" 'no new list'
event_json "device=$(new_uuid)" >"$root/event.json"
post_event "$root/event.json"
ok 'something is revoked' certprov revoke --device "$(jq -r .DeviceUUID "$root/event.json")" \
	--reason superseded
ok '... and the new list comes' wait_for 60 new_list_is_out

# --- nginx checks the credentials

front_stop || true
configure events.authenticate=web-server events.users-file=
handler_stop || true
ok 'authenticate = web-server' handler_start
ok 'nginx without auth_basic' front_start
request GET /events
is "$status" 401 'a name that nobody has verified is none'
front_stop || true
cp "$root/certprov/uem.users" "$front/uem.users"
front_edit="s|# include snippets/certprov-web|include snippets/certprov-web|
	s|^auth_basic_user_file .*;|auth_basic_user_file $front/uem.users;|" ok 'nginx with auth_basic' front_start
request GET /events
is "$status" 200 'a name that nginx has verified'
credentials=uem:wrong
request GET /events
is "$status" 401 'a wrong password'

done_testing
