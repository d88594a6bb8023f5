# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# What an answer must be, and what it must not tell: for tests that source it
# behind lib.sh.
#
#   answered STATUS NAME [CACHING]    the last request has that status, and an answer of the form
#                                     that all answers have
#   refused STATUS FIELD REGEX NAME   the event on standard input (left in $root/event.json): status,
#                                     the field at fault ("" is none), the detail; no upload
#   taken NAME                        the event on standard input is answered 202
#   post_new                          posts an enrollment of another device, $device
#   failed 503|502 REGEX NAME         the last such post: the answer, the state of the event (pending
#                                     or failed), and the cause in the store and in the log
#   upload_states                     of $device, sorted
#   check_fails CHECK REGEX           certprov check finds fault with that, and says why
#   in_log REGEX                      in the handler's log, behind the last log_from_here
#   log_from_here
#   events_are STATE DEVICE COUNT     so many events of that device are in that state
#   unusable CHECK REGEX NAME [SECTION.KEY=VALUE...]   a configuration that certprov check, a
#                                     running handler at SIGHUP and a new one refuse, and why; the
#                                     handler is stopped then
#   told_secrets                      succeeds and shows it if a secret is in a log or an answer
#
# $type is the Content-Type of events, for refused and taken.

type=application/json
device=
log_start=0

# --- one answer

# What is nobody's business: a place, a file, a library's own words.
tells_too_much()
{
	sed 's/application.\(json\|xml\)//g' "$answer.body" | grep -aoiE \
		'/.*|\.(db|key|crt|pfx|conf|c|users)\b|gnutls|sqlite|curl|cjson|expat|errno|localhost|127\.0.*'
}

is_problem()
{
	[[ $(header Content-Type) == application/problem+json ]] || return 1
	[[ $status != 503 || $(header Retry-After) =~ ^[1-9][0-9]*$ ]] || return 1
	jq -e --argjson status "$status" '
		(keys_unsorted - ["field"]) == ["type", "title", "status", "detail"]
		and (.type | test("^urn:certprov:problem:[a-z-]+$"))
		and (.title | test("^[A-Z][A-Za-z ]+$"))
		and .status == $status
		and (.detail | length > 10)
		and (.field // "x" | test("^[A-Za-z]+$"))' "$answer.body"
}

is_logged()
{
	grep -q " request=$id\$" "$front/certprov.access.log" &&
		in_log " request=$id [A-Z]+ /[^ ]* from [^ ]+: $status in [0-9]+ ms"
}

is_sound()
{
	local id caching=$1

	id=$(header X-Request-Id)
	[[ $id =~ ^[0-9a-f]{32}$ && $(header Cache-Control) == "$caching" &&
		$(header X-Content-Type-Options) == nosniff ]] || {
		echo 'a header is missing or wrong:'
		cat "$answer.headers"
		return 1
	}
	wait_for 60 is_logged || {
		echo "nginx and the handler do not both have request $id with $status in their logs"
		return 1
	}
	[[ $(header Content-Type) == application/pkix-cert ]] || ! tells_too_much || return 1
	((status < 400)) || is_problem || {
		echo 'not a proper problem:'
		cat "$answer.headers" "$answer.body"
		return 1
	}
}

answered()
{
	is "$status" "$1" "$2: $1"
	ok '... in the right form' is_sound "${3:-no-store}"
}

post_input()
{
	cat >"$root/event.new" # the input may be made from the one before
	mv "$root/event.new" "$root/event.json"
	request POST /events --header "Content-Type: $type" --data-binary "@$root/event.json"
}

refused()
{
	local before

	before=$(eg_upload_count)
	post_input
	answered "$1" "$4"
	is "$(jq -r '.field // ""' "$answer.body")" "$2" "... the field: ${2:-none}"
	like "$(jq -r .detail "$answer.body")" "$3" '... and why'
	is "$(eg_upload_count)" "$before" '... nothing is uploaded'
}

taken()
{
	post_input
	answered 202 "$1"
}

# Posts an enrollment of another device.
post_new()
{
	device=$(new_uuid)
	post_input < <(event_json device="$device")
}

upload_states()
{
	certprov list uploads --device "$device" --json | jq -r '[.[] | .state] | sort | join(" ")'
}

# failed 503|502 REGEX NAME: the last post; who is to try again, who is to be asked, and why
failed()
{
	local code=$1 regex=$2 state=failed

	[[ $code == 502 ]] || state=pending
	answered "$code" "$3"
	ok "... the event is $state" events_are "$state" "$device" 1
	like "$(certprov list events --device "$device")" "$regex" '... the store has the cause'
	ok '... the log too' in_log \
		"request=$(header X-Request-Id) POST /events from [0-9.]+: $code in [0-9]+ ms: .*$regex"
}

# --- the handler

in_log()
{
	grep -qE -- "$1" < <(tail -c "+$((log_start + 1))" "$root/handler.log")
}

log_from_here()
{
	log_start=$(stat -c %s "$root/handler.log")
}

events_are()
{
	certprov list events --state "$1" --json | jq -e --arg device "$2" "
		[.[] | select(.device_uuid == \$device)] | length == $3"
}

check_fails()
{
	not_ok '... certprov check fails' certprov check
	like "$(<"$root/output")" "FAILED +$1: [^"$'\n'"]*$2" '... and says why'
}

unusable()
{
	local what=$1 regex=$2 name=$3 code=0

	shift 3
	configure "$@"
	diag "$name"
	check_fails "$what" "$regex"
	running handler || fail '(the handler runs)'
	log_from_here
	handler_reload
	ok '... SIGHUP: the old one stays in force' wait_for 60 in_log "stays in force: .*$regex"
	request GET /healthz
	is "$status" 200 '... and the handler serves'
	handler_stop || true
	log_from_here
	not_ok '... a new handler does not start' handler_start
	ok '... and says why' in_log "$regex"
	handler_stop || code=$?
	is "$code" 78 '... with exit status 78'
}

# --- secrets

# A piece of a PKCS#12 file may begin anywhere in it: of 47 characters that were
# told, 24 are a whole one of the pieces that are looked for.
told_secrets()
{
	local -a logs=("$root"/*.log "$front"/*.log "$root/answers")
	local user=${credentials%%:*} password=${credentials#*:}

	printf '%s\n' "$eg_password" 'identity password' "$password" \
		"$(printf '%s' "$user:$password" | base64)" 'PRIVATE KEY' >"$root/words"
	grep -anFf "$root/words" "${logs[@]}" && return 0
	grep -aohE '[A-Za-z0-9+/]{24}' "${logs[@]}" | sort -u >"$root/pieces" || true
	[[ ! -s $root/pieces ]] ||
		cat "$eg"/state/uploads/*.json | grep -oFf "$root/pieces"
}
