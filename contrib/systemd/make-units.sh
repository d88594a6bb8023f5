#!/bin/sh
# Makes the units from their sources beside it, each in two forms: certprov.service for
# the one instance that most have, and certprov@.service, a template for many tenants.
#
#	make-units.sh FOLDER BINDIR SBINDIR SYSCONFDIR
set -e

sources=$(dirname "$0")
folder=$1

# unit SOURCE NAME AT SOCKET FOR OPTIONS: AT is "@" in templates. What is the same in all
# services is the file sandbox, put in first.
unit()
{
	sed -e "/^@sandbox@\$/{
		r $sources/sandbox
		d
	}" "$1" | sed -e "s|@at@|$3|g; s|@instance@|${3:+@%i}|g; s|@user@|${3:+-%i}|g" \
		-e "s|@socket@|$4|g; s|@for@|$5|g; s|@options@|$6|g" \
		-e "s|@bindir@|$bindir|g; s|@sbindir@|$sbindir|g" >"$folder/$2"
}

bindir=$2
sbindir=$3
mkdir -p "$folder"
for source in "$sources"/*.in; do
	name=$(basename "$source" .in)
	unit "$source" "$name" '' certprov '' ''
	unit "$source" "${name%.*}@.${name##*.}" @ %i ' for %i' " -c $4/certprov/%i/certprov.conf"
done
