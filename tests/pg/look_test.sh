# shellcheck shell=bash
# look_test.sh - switch-wal, status, check and cron on live servers of every version.

look_at_version() {
    local segment
    pg_new main "$1" --segsize=1 && pg_start main
    bk_home main 'archiver = on'
    expect_status 1 bk check main
    expect_match 'PostgreSQL: OK' "$OUT"
    expect_match 'PostgreSQL streaming: OK' "$OUT"
    expect_match "replication slot: FAILED \(replication slot 'barman' doesn't exist" "$OUT"
    expect_match 'receive-wal running: FAILED' "$OUT"
    expect_match 'pg_receivexlog: OK \(built in\)' "$OUT"
    expect_match 'archive_mode: FAILED' "$OUT"
    expect_status 0 bk cron
    expect_match 'Starting streaming archiver for server main' "$OUT"
    wait_until 20 slot_active main
    pg_sql main 'create table t as select generate_series(1, 1000) i'
    expect_status 0 bk switch-wal --force --archive main
    segment=$(sed -n 's/^The WAL file \([0-9A-F]*\) has been closed.*/\1/p' "$OUT")
    [ -e "$BK_HOME/main/wals/${segment:0:16}/$segment" ] || fail "'$segment' is not archived"
    expect_status 0 bk switch-wal main
    expect_match 'has been closed|No switch required' "$OUT"
    expect_status 0 bk switch-wal main
    expect_match 'has been closed|No switch required' "$OUT"
    sed -i 's/^archiver = on/archiver = off/' "$BK_CONF"
    expect_status 0 bk check main
    expect_no_match FAILED "$OUT"
    expect_status 0 bk status main
    expect_match "PostgreSQL version: $(pg_ask main "select split_part(current_setting('server_version'), ' ', 1)")\$" "$OUT"
    expect_match 'Cluster state: in production' "$OUT"
    expect_match "PostgreSQL Data directory: ${PG_DATA[main]}" "$OUT"
    expect_match 'Current data size: [0-9.]+ MiB' "$OUT"
    expect_match 'Current WAL segment: 0000000100000000' "$OUT"
    expect_status 0 bk receive-wal --stop main
    pg_stop main
    expect_status 1 bk check main
    expect_match 'PostgreSQL: FAILED' "$OUT"
    expect_status 0 bk status main
    expect_match 'FAILED trying to get PostgreSQL version' "$OUT"
}

slot_active() {
    [ "$(pg_ask "$1" 'select active from pg_replication_slots')" = t ]
}

test_look_13() { look_at_version 13; }
test_look_14() { look_at_version 14; }
#: quick
test_look_15() { look_at_version 15; }
test_look_16() { look_at_version 16; }
test_look_17() { look_at_version 17; }
test_look_18() { look_at_version 18; }

# A segment that is exactly full: the boundary belongs to the segment before, in every version.
test_look_name_on_a_boundary() {
    local version name
    for version in 15 17; do
        pg_new "v$version" "$version" --segsize=1 && pg_start "v$version"
        bk_home "v$version"
        name=$(pg_ask "v$version" 'create table t(i int); select pg_walfile_name(pg_switch_wal())')
        expect_status 0 bk switch-wal "v$version"
        expect_match 'has been closed|No switch required' "$OUT"
        expect_no_match "The WAL file $name " "$OUT"
        pg_stop "v$version"
    done
}

#: quick
test_109_password_is_never_shown() {
    local what
    pg_new main && pg_start main
    bk_home main "conninfo = host=127.0.0.1 port=1 user=u password=geheim dbname=d connect_timeout=2" \
        "streaming_conninfo = postgresql://u:geheim@127.0.0.1:1/d"
    expect_status 1 bk check main
    expect_no_match geheim "$(cat "$OUT" "$ERR" "$T/barman.log")"
    expect_status 1 bk switch-wal all
    expect_match "^ERROR: cannot switch WAL of server 'main': connect to PostgreSQL" "$ERR"
    expect_status 1 bk receive-wal --create-slot main
    expect_no_match geheim "$(cat "$OUT" "$ERR" "$T/barman.log")"
    expect_match 'connect to PostgreSQL' "$ERR"
    for what in 'show-servers main' 'status main' diagnose 'backup main'; do
        # shellcheck disable=SC2086 # words
        bk -f json $what >"$OUT" 2>"$ERR" || true
        [ -s "$OUT" ] || fail "$what says nothing"
        expect_no_match geheim "$(cat "$OUT" "$ERR" "$T/barman.log")"
    done
    ulimit -S -c "$(ulimit -H -c)"
    bk_bg receiver receive-wal main
    expect_status 0 bk cron
    expect_match 'Max core file size +[01] ' "/proc/${BK_PID[receiver]}/limits"
    expect_no_match geheim "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ')"
    bk_bg_stop receiver
    bk_home main 'conninfo = host=127.0.0.1 password=ge heim'
    expect_status 1 bk check main
    expect_no_match heim "$(cat "$OUT" "$ERR" "$T/barman.log")"
}
