# shellcheck shell=bash
# The record walk against the servers that wrote the WAL: as many records, commits and aborts as
# pg_waldump finds (where the version has it here), and every commit at the microsecond that the
# server itself remembers. Likewise pg_control.

walwalk=${BARKEEP%/*}/walwalk

# Something of each kind that the walk tells of.
walk_workload() {
    pg_sql a <<'SQL'
create table t (a int, b text);
insert into t select g, repeat('x', g % 1000) from generate_series(1, 3000) g;
select pg_create_restore_point('first mark');
begin; insert into t values (1); savepoint s; insert into t values (2); commit;
begin; delete from t; rollback;
begin; insert into t values (3); prepare transaction 'one'; commit prepared 'one';
begin; insert into t values (4); prepare transaction 'two'; rollback prepared 'two';
do $$ begin for i in 1..200 loop begin insert into t values (i);
    exception when others then null; end; end loop; end $$;
drop table t;
checkpoint;
select pg_switch_wal();
select length(pg_logical_emit_message(true, 'long', repeat('z', 3000000))::text);
create table u (a int);
select pg_create_restore_point('last mark');
SQL
    for _ in 1 2 3 4 5 6 7 8 9; do
        pg_sql a 'insert into u values (1)'
    done
}

# Segments $1 .. $2 of pg_wal, in order.
walk_segments() {
    find "${PG_DATA[a]}/pg_wal" -maxdepth 1 -type f -regextype posix-extended \
        -regex '.*/[0-9A-F]{24}' | sort | awk -F/ -v a="$1" -v b="$2" '$NF >= a && $NF <= b'
}

# "xid microseconds" of every transaction from $1 on, as the server has it.
walk_server_times() {
    pg_sql a "select concat_ws(' ', x,
            extract(epoch from date_trunc('second', t))::bigint * 1000000
            + extract(microseconds from t)::bigint % 1000000)
        from generate_series($1::bigint, txid_snapshot_xmax(txid_current_snapshot()) - 1) x,
            pg_xact_commit_timestamp(x::text::xid) t where t is not null"
}

walk_against_waldump() {
    local dump=${PG_BIN[a]}/pg_waldump
    [ -x "$dump" ] || return 0
    "$dump" -p "${PG_DATA[a]}/pg_wal" "$1" "$2" >"$T/dumped" 2>/dev/null || true
    expect_equal "$(wc -l <"$T/dumped")" "$(awk '$1 == "records" { print $2 }' "$T/walked")" records
    expect_equal "$(grep -Ec 'desc: COMMIT' "$T/dumped")" "$(grep -c '^commit' "$T/walked")" commits
    expect_equal "$(grep -Ec 'desc: ABORT' "$T/dumped")" "$(grep -c '^abort' "$T/walked")" aborts
}

# pg_control as we read it, and what the server says of itself.
walk_control() {
    "$walwalk" -c "${PG_DATA[a]}/global/pg_control" >"$T/control"
    pg_sql a "select concat_ws(' ', 'control', s.system_identifier, s.pg_control_version,
            s.catalog_version_no, current_setting('server_version_num')::int / 10000)
        from pg_control_system() s
        union all select concat_ws(' ', 'checkpoint', checkpoint_lsn, redo_lsn, timeline_id)
        from pg_control_checkpoint()
        union all select concat_ws(' ', 'sizes', database_block_size, blocks_per_segment,
            wal_block_size, bytes_per_wal_segment, data_page_checksum_version)
        from pg_control_init()
        union all select concat_ws(' ', 'settings', current_setting('max_connections'),
            current_setting('max_worker_processes'), current_setting('max_wal_senders'),
            current_setting('max_prepared_transactions'),
            current_setting('max_locks_per_transaction'), 1)" >"$T/told"
    cmp "$T/told" "$T/control" || fail "pg_control: $(diff "$T/told" "$T/control")"
}

walk_one() {
    local first last files xid
    [ -x "$walwalk" ] || fail "'$walwalk' was not built"
    pg_new a "$1" --segsize="$2" 'max_prepared_transactions = 5' 'wal_keep_size = 1GB' \
        'max_wal_size = 2GB'
    pg_start a
    pg_sql a 'select pg_switch_wal()' >/dev/null
    first=$(pg_ask a 'select pg_walfile_name(pg_current_wal_insert_lsn())')
    xid=$(pg_ask a 'select txid_current() + 1')
    walk_workload >/dev/null
    walk_server_times "$xid" >"$T/server_all"
    last=$(pg_ask a 'select pg_walfile_name(pg_current_wal_insert_lsn())')
    pg_stop a
    mapfile -t files < <(walk_segments "$first" "$last")
    "$walwalk" "${files[@]}" >"$T/walked"
    expect_match '^end nothing was written here ' "$T/walked"
    expect_match ' unproven 1 ' "$T/walked"
    expect_match '^restore_point [^ ]+ [0-9]+ first mark$' "$T/walked"
    expect_match '^restore_point [^ ]+ [0-9]+ last mark$' "$T/walked"
    expect_match '^commit .* 200$' "$T/walked"
    expect_equal 2 "$(grep -c '^abort' "$T/walked")" aborts
    walk_against_waldump "$first" "$last"
    # The server has a time for subtransactions too, which WAL names only in their parent.
    awk -v from="$xid" '$1 == "commit" && $3 >= from { print $3, $4 }' "$T/walked" >"$T/ours"
    awk 'NR == FNR { seen[$1]; next } $1 in seen' "$T/ours" "$T/server_all" | sort >"$T/server"
    sort -o "$T/ours" "$T/ours"
    [ "$(wc -l <"$T/ours")" -gt 12 ] || fail "only $(wc -l <"$T/ours") commits"
    cmp "$T/server" "$T/ours" || fail "commit times differ: $(diff "$T/server" "$T/ours" | head -n 5)"
    pg_start a
    walk_control
    pg_stop a
}

test_wal_walk_1_mb_segments() {
    walk_one 15 1
}

test_wal_walk_16_mb_segments() {
    walk_one - 16
}

test_wal_walk_13() {
    walk_one 13 1
}

test_wal_walk_14() {
    walk_one 14 1
}

test_wal_walk_16() {
    walk_one 16 1
}

test_wal_walk_17() {
    walk_one 17 1
}

test_wal_walk_18() {
    walk_one 18 1
}
