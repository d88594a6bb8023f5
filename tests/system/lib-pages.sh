# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the parts of the library share variables
# What stands in the documentation, to be run as it stands: for tests that source it behind lib.sh.
#
#   pages               all of them
#   page_blocks KIND PAGE [N]   the text of all blocks that begin with ```KIND, or of the Nth
#   page_block PAGE NAME     that of the block below <!-- test: NAME -->
#   page_marks PAGE          those names
#
# PAGE is a path below $top_srcdir; indentation is taken off.

pages=("$top_srcdir/README.md" "$top_srcdir"/doc/*.md)

page_blocks()
{
	awk -v kind="$1" -v only="${3:-}" '
		!inside && $1 == "```" kind {
			inside = !only || ++n == only ? 1 : 2
			match($0, /^ */)
			indent = RLENGTH
			next
		}
		$1 == "```" { inside = inside ? 0 : 2; next }
		$1 ~ /^```/ { inside = 2; next }
		inside == 1 { print substr($0, indent + 1) }' "$top_srcdir/$2"
}

page_block()
{
	awk -v mark="<!-- test: $2 -->" '
		!inside && index($0, mark) { wanted = 1; next }
		$1 ~ /^```/ {
			if (inside)
				exit
			inside = wanted
			match($0, /^ */); indent = RLENGTH
			next
		}
		inside { print substr($0, indent + 1); found = 1 }
		END { exit !found }' "$top_srcdir/$1"
}

page_marks()
{
	sed -n 's/^ *<!-- test: \([a-z-]*\) -->$/\1/p' "$top_srcdir/$1"
}
