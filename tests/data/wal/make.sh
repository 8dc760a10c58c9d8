#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Make the files of this directory again: see README. Run as an unprivileged user.
#     make.sh BINDIR OUT
set -euo pipefail
bin=$1 out=$2
t=$(mktemp -d)
trap 'pg stop >/dev/null 2>&1 || true; rm -rf "$t"' EXIT
export PGHOST=$t PGPORT=6543 PGUSER=postgres PGDATABASE=postgres TZ=UTC
data=$t/main
pg() { "$bin/pg_ctl" -D "$data" -l "$t/log" -w -m fast "$@"; }
sql() { "$bin/psql" -XqAt -v ON_ERROR_STOP=1 "$@"; }

"$bin/initdb" -D "$data" -A trust -U postgres -N --wal-segsize=1 >/dev/null
mkdir "$t/archive" "$t/ts"
cat >>"$data/postgresql.conf" <<X
listen_addresses = ''
unix_socket_directories = '$t'
port = $PGPORT
full_page_writes = off
autovacuum = off
max_prepared_transactions = 5
archive_mode = on
archive_command = 'cp %p $t/archive/%f'
restore_command = 'cp $t/archive/%f %p'
X
pg start >/dev/null
sql -c "create tablespace ts location '$t/ts'" -c "create table t(a int, b text)" -c "checkpoint"
"$bin/pg_basebackup" -D "$t/copy" -c fast -l "piece of a test" --format=tar -X none 2>/dev/null
tar -xf "$t/copy/base.tar" -C "$out" backup_label tablespace_map
sed -i "s,$t,/srv,g" "$out/tablespace_map"
sql -c "select pg_switch_wal()" >/dev/null
first=$(sql -c "select pg_walfile_name(pg_current_wal_insert_lsn())")
sql <<X
insert into t values (1, 'one');
begin; insert into t values (2); savepoint a; insert into t values (3); savepoint b;
insert into t values (4); commit;
begin; delete from t; rollback;
select pg_create_restore_point('before drop');
select pg_logical_emit_message(true, 'long', repeat('z', 20000));
begin; insert into t values (5); prepare transaction 'gid one'; commit prepared 'gid one';
begin; insert into t values (6); prepare transaction 'gid two'; rollback prepared 'gid two';
drop table t;
checkpoint;
select pg_switch_wal();
create table u(a int);
select pg_create_restore_point('fork');
insert into u values (1);
select pg_switch_wal();
X
second=$(printf '%s%08X' "${first:0:16}" $((16#${first:16} + 1)))
sleep 1
pg stop >/dev/null
cp "$data/global/pg_control" "$out/pg_control"
"$bin/pg_controldata" -D "$data" >"$out/pg_control.txt"
mkdir -m 700 "$t/restored"
tar -xf "$t/copy/base.tar" -C "$t/restored"
sed -i "s,$t/ts,$t/ts2," "$t/restored/tablespace_map"
mkdir "$t/ts2"
cp -r "$t/ts/." "$t/ts2"
data=$t/restored
cat >>"$data/postgresql.conf" <<X
recovery_target_name = 'fork'
recovery_target_action = promote
X
touch "$data/recovery.signal"
pg start >/dev/null
until [ "$(sql -c 'select pg_is_in_recovery()')" = f ]; do sleep 0.1; done
sql -c "insert into u values (2)" -c "select pg_switch_wal()" >/dev/null
sleep 1
pg stop >/dev/null
cp "$t/archive/00000002.history" "$out"
for name in "$first" "$second" "00000002${second:8}"; do
    # What follows the switch record is filler: keep the pages before it.
    "$bin/pg_waldump" "$t/archive/$name" 2>/dev/null | cut -c1-160 >"$out/$name.txt" || true
    last=$(sed -n 's,.*lsn: 0/\([0-9A-F]*\).*SWITCH.*,\1,p' "$out/$name.txt")
    pages=$(((16#$last % 1048576) / 8192 + 1))
    dd if="$t/archive/$name" of="$out/$name" bs=8192 count=$pages status=none
done
