# shellcheck shell=bash
# restore_test.sh - restores of real servers. A number is the row of the list of faults that
# doc/faults.md keeps.

# ---- helpers ---------------------------------------------------------------------------

# A server with traffic, its receiver, and a backup taken while rows are written.
scene() {
    pg_new main "${V:--}" "${@}"
    pg_start main
    bk_home main
    bk receive-wal --create-slot --if-not-exists main
    bk_bg receiver receive-wal main
    pg_traffic_start main 0.02
    wait_until 30 has_rows main 10
    bk backup main
}

has_rows() {
    [ "$(traffic_max "$1")" -ge "$2" ]
}

more_rows() { # SERVER N: so many more than now
    local until
    until=$(($(traffic_max "$1") + $2))
    wait_until 30 has_rows "$1" "$until"
}

# All that the server has flushed is with us.
received() {
    [ "$(pg_sql main "select coalesce(bool_or(flush_lsn >= '$1'), false)
        from pg_stat_replication where application_name = 'barman_receive_wal'")" = t ]
}

caught_up() {
    local lsn
    lsn=$(pg_sql main 'select pg_current_wal_flush_lsn()')
    wait_until 30 received "$lsn"
}

# The end of the story: no more rows, everything received, the server killed.
lose_server() {
    pg_traffic_stop main
    caught_up
    pg_kill9 main
    bk_bg_stop receiver || true
}

# Restore to $T/NAME, start it, wait for its promotion.
restored() { # NAME [OPTION...]
    local name=$1
    shift
    expect_status 0 bk restore "$@" main "${BACKUP:-latest}" "$T/$name"
    restored_start "$name" "$T/$name" "${V:--}"
    pg_wait_promoted "$name"
}

refused() { # REGEX OPTION...: nothing is written, neither by --dry-run nor by the restore
    local what=$1
    shift
    expect_status 1 bk restore --dry-run "$@" main "${BACKUP:-latest}" "$T/refused"
    expect_match 'REFUSED' "$OUT"
    expect_match "$what" "$OUT"
    expect_status 1 bk restore "$@" main "${BACKUP:-latest}" "$T/refused"
    expect_match "$what" "$ERR"
    [ ! -e "$T/refused" ] || fail "something was written to $T/refused"
}

backup_id() {
    bk list-backups --minimal main | head -n "${1:-1}" | tail -n 1
}

# ---- targets ---------------------------------------------------------------------------

#: deadline=180 quick
test_restore_end_of_a_killed_server() {
    local acked
    scene
    more_rows main 50
    lose_server
    acked=$(traffic_acked main)
    restored copy
    expect_equal "$(traffic_count copy)" "$(traffic_max copy)" 'rows without a hole'
    [ "$(traffic_max copy)" -ge "$acked" ] || fail "row $acked was acknowledged and is lost"
    [ ! -e "$T/copy/recovery.signal" ]
    [ ! -e "$T/copy/.barkeep-restore" ]
}
