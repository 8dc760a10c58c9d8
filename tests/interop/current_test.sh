#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# current_test.sh - Barman 3.17 itself and barkeep say the same of the same homes.
#
#     tests/interop/current_test.sh BARKEEP BARMAN-SOURCE [FIRST [LAST]]
#
# BARMAN-SOURCE is a tree of that release, which no distribution of ours has:
#     git clone -b release/3.17.0 https://github.com/EnterpriseDB/barman
# It runs where it lies, with Debian's python3-psycopg2 and python3-dateutil (both come with its
# package barman). Without one: 77, skipped. Random homes (current_home.py, seeds FIRST to LAST, 1
# to 20) are asked for all that can be asked without changing anything, in lines and in JSON, and at
# last for the list of WAL made anew; most of them with a PostgreSQL server that answers.
# current_compare.py tells what is held equal, and prints what was. ONLY=REGEX asks the commands that
# match; RETENTION=1 makes homes for the report of retention policies instead. A home takes some 5
# seconds, and less than half with RETENTION=1; two runs with other seeds can go side by side:
#     TMPDIR=/dev/shm tests/interop/current_test.sh build/barkeep /usr/src/barman 1 100
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
barkeep=$(realpath "$1")
source=${2:-}
[ -e "$source/barman/cli.py" ] || { echo "SKIP: no source of Barman 3.17. See the head of $0."; exit 77; }
bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
[ -x "$bin/initdb" ] || { echo "SKIP: no PostgreSQL here. Run scripts/deps --test."; exit 77; }

dir=$(mktemp -d)
as_postgres=()
if [ "$(id -u)" = 0 ]; then # a server does not run as root
    as_postgres=(setpriv --reuid=postgres --regid=postgres --init-groups --)
fi
mkdir "$dir/pg"
[ ${#as_postgres[@]} = 0 ] || { chmod 755 "$dir"; chown postgres: "$dir/pg"; }
stop() {
    "${as_postgres[@]}" "$bin/pg_ctl" -D "$dir/pg/data" -m immediate -s stop >/dev/null 2>&1 || true
    [ -n "${KEEP:-}" ] || rm -rf "$dir"
}
trap stop EXIT

port=$((20000 + RANDOM % 12000))
export PGOPTIONS=
"${as_postgres[@]}" "$bin/initdb" -D "$dir/pg/data" -U postgres -A trust --locale=C --no-sync \
    >"$dir/initdb"
printf '%s\n' "port = $port" "listen_addresses = '127.0.0.1'" "unix_socket_directories = ''" \
    'fsync = off' 'autovacuum = off' 'archive_mode = on' "archive_command = 'test ! -e /nowhere'" \
    "timezone = 'UTC'" "log_timezone = 'UTC'" | "${as_postgres[@]}" tee -a \
    "$dir/pg/data/postgresql.conf" >/dev/null
"${as_postgres[@]}" "$bin/pg_ctl" -D "$dir/pg/data" -l "$dir/pg/log" -w -s start >/dev/null
sql() { "$bin/psql" -XqAt -h 127.0.0.1 -p "$port" -U postgres "$@"; }
sql -c 'create role plain login' -c "select pg_create_physical_replication_slot('there', true)" \
    -c "select pg_create_physical_replication_slot('empty')" -c 'select pg_switch_wal()' \
    -c checkpoint >/dev/null
for _ in $(seq 50); do # nothing moves any more
    [ "$(sql -c 'select archived_count > 0 from pg_stat_archiver')" = t ] && break
    sleep 0.2
done
systemid=$(sql -c 'select system_identifier from pg_control_system()')

export PYTHONDONTWRITEBYTECODE=1 PATH=$bin:$PATH OWNER
OWNER=$(id -un)
/usr/bin/python3 "$here/current_compare.py" "$barkeep" "$source" "$dir" "$port" "$systemid" \
    "${3:-1}" "${4:-20}"
