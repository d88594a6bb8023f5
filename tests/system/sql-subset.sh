#!/bin/bash
# SQL that only one of the store's databases understands is found where it stands, and what to write
# instead is said; the product's own has none.
# shellcheck disable=SC2016 # $1 is a parameter of SQL

. "${top_srcdir:-$(dirname "$0")/../..}/tests/system/lib.sh"

lint=$top_srcdir/tests/sql-subset

# finds WHAT INSTEAD SQL...: SQL is C, a string literal or several.
finds()
{
	local what=$1 instead=$2 code=0

	printf 'static const char sql[] =\n\t%s;\n' "$3" >"$root/fault.c"
	said=$("$lint" "$root/fault.c" 2>&1) || code=$?
	if ((code == 1)) && [[ $said == "$root/fault.c:"*": $what: "*"$instead"* ]]; then
		pass "finds $what"
	else
		fail "finds $what"
		diag "exit status $code: $said"
	fi
}

# takes SQL
takes()
{
	printf 'static const char sql[] = %s;\n' "$1" >"$root/right.c"
	is "$("$lint" "$root/right.c" 2>&1)" '' "takes $1"
}

finds '?1' '$1' '"SELECT a FROM t WHERE b = ?1"'
finds ':name' '$1' '"SELECT a FROM t WHERE b = :name"'
finds '::bigint' CAST '"SELECT a::bigint FROM t"'
finds 'INSERT OR REPLACE' 'ON CONFLICT' '"INSERT OR REPLACE INTO t (a) VALUES ($1)"'
finds 'ON CONFLICT DO UPDATE' 'columns' '"INSERT INTO t (a) VALUES ($1) ON CONFLICT DO UPDATE SET a = $1"'
finds 'ON CONFLICT (lower(' 'plain columns' '"INSERT INTO t (a) VALUES ($1) ON CONFLICT (lower(a)) DO NOTHING"'
finds 'a in DO UPDATE' 'excluded.a' '"INSERT INTO t (a, b) VALUES ($1, 1)" " ON CONFLICT (b) DO UPDATE SET a = a + 1"'
finds 'INSERT INTO t VALUES' 'columns' '"INSERT INTO t VALUES ($1)"'
finds 'last_insert_rowid' RETURNING '"SELECT last_insert_rowid()"'
finds 'rowid' 'column' '"SELECT rowid FROM t"'
finds 'sqlite_schema' 'driver' '"SELECT name FROM sqlite_schema"'
finds 'pg_class' 'driver' '"SELECT relname FROM pg_class"'
finds 'raise(' 'append only' '"SELECT raise(ABORT) FROM t"'
finds 'COLLATE' 'lower()' '"SELECT a FROM t WHERE a = $1 COLLATE NOCASE"'
finds 'LIKE' 'lower()' '"SELECT a FROM t WHERE a LIKE $1"'
finds 'iif(' CASE '"SELECT iif(a, b, c) FROM t"'
finds 'ifnull(' 'coalesce()' '"SELECT ifnull(a, b) FROM t"'
finds 'instr(' 'substr()' '"SELECT a FROM t WHERE instr(a, $1)"'
finds 'strpos(' 'substr()' '"SELECT a FROM t WHERE strpos(a, $1) > 0"'
finds 'zeroblob(' 'parameter' '"UPDATE t SET a = zeroblob(9)"'
finds 'group_concat(' 'rows' '"SELECT group_concat(a) FROM t"'
finds 'unixepoch(' 'clock_now()' '"UPDATE t SET a = unixepoch()"'
finds 'now(' 'clock_now()' '"UPDATE t SET a = now()"'
finds 'greatest(' CASE '"SELECT greatest(a, b) FROM t"'
finds 'max(a, b)' CASE '"SELECT max(a, (SELECT b FROM u)) FROM t"'
finds 'sum(a =' FILTER '"SELECT sum(a = 1) FROM t"'
finds 'INDEXED BY i' 'condition' '"SELECT a FROM t INDEXED BY i"'
finds 'CROSS JOIN u USING' 'LEFT JOIN' '"SELECT a FROM t CROSS JOIN u USING (b)"'
finds 'SELECT *' 'name' '"SELECT * FROM t"'
finds 'LIMIT 1,' OFFSET '"SELECT a FROM t LIMIT 1, 2"'
finds 'IS $1' 'IS NULL' '"SELECT a FROM t WHERE a IS $1"'
finds '+a' "||" '"SELECT a FROM t WHERE +a = $1"'
finds '==' '=' '"SELECT a FROM t WHERE a == $1"'
finds "x'..'" 'parameter' "\"UPDATE t SET a = x'00'\""
finds 'AS BLOB)' 'parameter' "\"UPDATE t SET a = CAST('a' AS BLOB)\""
finds 'FROM user' '"user"' '"SELECT a FROM user"'
finds 'user.a' '"user"' '"SELECT user.a FROM t"'
finds 'BEGIN' 'db_begin()' '"BEGIN IMMEDIATE"'
finds 'PRAGMA' 'driver' '"PRAGMA user_version"'
finds 'SET' 'driver' '"SET search_path TO a"'
finds 'FOR UPDATE' 'db_begin()' '"SELECT a FROM t FOR UPDATE"'
finds 'CREATE TEMP' 'subquery' '"CREATE TEMP TABLE t (a TEXT)"'
finds 'TRIGGER' 'append only' '"CREATE TRIGGER t BEFORE DELETE ON u"'
finds 'INTEGER' '{integer}' '"CREATE TABLE t (a INTEGER)"'
finds 'bytea' '{blob}' '"ALTER TABLE t ADD COLUMN a bytea"'
finds 'AUTOINCREMENT' '{id once}' '"CREATE TABLE t (a {id} AUTOINCREMENT)"'
finds 'WITHOUT ROWID' '{by key}' '"CREATE TABLE t (a TEXT) WITHOUT ROWID"'
finds 'FROM (SELECT …) without a name' 'AS name' '"SELECT a FROM (SELECT a FROM t) WHERE a > 1"'

takes "\"SELECT count(*) FROM t WHERE a = 'iif(?1) COLLATE' AND b IS NOT NULL\""
takes '"INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT (b) DO UPDATE SET a = excluded.a WHERE t.a < excluded.a"'
takes '"SELECT a FROM (SELECT a FROM t) AS u ORDER BY a LIMIT $1"'
takes '"CREATE TABLE t (id {id}, a {integer} NOT NULL, b {blob}){by key}; {append only t}"'
takes '"%s: more than max(a, b); is it like ifnull(c)? see ?"'

printf '%s\n' '#define WHOM "FROM user"' '/* "PRAGMA" */' 'char *a = "SELECT a " WHOM;' >"$root/macro.c"
is "$("$lint" "$root/macro.c" | grep -c .)" 1 'a macro is named where it is made, once'
printf '%s\n' 'char *a = "SELECT a"' '	" FROM t"' '	" WHERE iif(a, b, c)";' >"$root/line.c"
like "$("$lint" "$root/line.c")" "^$root/line.c:3: iif\\(:" 'the line is that of the word'
code=0
"$lint" "$root/none.c" 2>"$root/said" || code=$?
is "$code" 2 'a file that cannot be read is no success'

ok 'the SQL of the store is what all its databases understand' "$lint" "$top_srcdir"/lib/store/*.[ch]
done_testing
