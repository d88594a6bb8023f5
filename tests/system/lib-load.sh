# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# Many events at the same time: for tests that source it behind lib.sh.
#
#   events TAG DEVICES USERS [OWNER]   files $root/TAG/000..., an enrollment each; the devices are
#                       dealt out to the users, or as OWNER says, jq for the number of $i's user.
#                       TAG is seven hexadecimal digits, the start of all UUIDs
#   post_many AT-A-TIME FILE...   sets $statuses, e.g. "19x202 1x503"; answers are FILE.answer, and
#                       $posted has a line for each as it comes: STATUS REQUEST-ID FILE
#   posts_begin AT-A-TIME FILE...   in the background; $statuses is there after posts_end
#   posts_run           succeeds while they run
#   figure NAME         from certprov status

posted=$root/posted
statuses=
posts=
: >"$posted"

events()
{
	mkdir "$root/$1"
	jq -c --arg tag "$1" --argjson devices "$2" --argjson users "$3" '
		def uuid($kind; $i): $tag + $kind + "-0000-4000-8000-" + ("00000000000\($i)"[-12:]);
		. as $event | range($devices) | . as $i | ('"${4:-\$i % \$users}"') as $user | $event + {
			DeviceUUID: uuid("d"; $i), EnrollmentUserUUID: uuid("e"; $user),
			EnrollmentUserName: "\($tag).\($user)", DeviceFriendlyName: "device \($i)"}
		' "$sample_event" | split -l 1 -d -a 3 - "$root/$1/"
}

post_many()
{
	local most=$1 list=$2.posts file

	shift
	for file; do
		cat <<-END
			url = "$front_url/events"
			user = "$credentials"
			cacert = "$pki/front-ca.crt"
			header = "Content-Type: application/json"
			data-binary = "@$file"
			output = "$file.answer"
			write-out = "%{http_code} %header{x-request-id} $file\n"
			max-time = 120
			http1.1
			silent
			show-error
			next
		END
	done | sed '$d' >"$list"
	statuses=$(stdbuf -oL curl --no-progress-meter --parallel --parallel-immediate \
		--parallel-max "$most" --config "$list" | tee -a "$posted" | cut -d ' ' -f 1 |
		sort | uniq -c | awk '{ printf "%s%dx%s", (NR > 1 ? " " : ""), $1, $2 }') || true
}

posts_begin()
{
	(post_many "$@" && printf '%s' "$statuses" >"$root/statuses") &
	posts=$!
}

posts_run()
{
	kill -0 "$posts" 2>/dev/null
}

posts_end()
{
	wait "$posts"
	statuses=$(<"$root/statuses")
}

figure()
{
	certprov status --json | jq ".$1"
}
