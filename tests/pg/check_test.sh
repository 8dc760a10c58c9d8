# shellcheck shell=bash
# check_test.sh - check and status of servers that hang, are down, are two, or may not be asked.

# freeze NAME   the kernel still takes its connections, but nobody answers; thaw NAME
freeze() { kill -STOP "$(head -n 1 "${PG_DATA[$1]}/postmaster.pid")"; }
thaw() { kill -CONT "$(head -n 1 "${PG_DATA[$1]}/postmaster.pid")"; }

# within SECONDS STATUS CMD...
within() {
    local seconds=$1 start=$SECONDS
    shift
    expect_status "$@"
    [ $((SECONDS - start)) -le "$seconds" ] || fail "took $((SECONDS - start)) s: ${*:2}"
}

# The block of one server in what check or status printed.
block() { awk -v head="Server $1" '/^Server / { on = index($0, head) == 1 } on' "$OUT"; }

#: quick
test_check_server_hangs() {
    pg_new main && pg_start main
    bk_home main
    freeze main
    within 5 1 bk check --check-timeout 2 main
    expect_match 'PostgreSQL: FAILED' "$OUT"
    expect_match 'check timeout: FAILED' "$OUT"
    expect_match 'directories: OK' "$OUT"
    expect_match 'receive-wal running: FAILED' "$OUT"
    expect_equal 'check timeout' "$(tail -n 1 "$OUT" | sed 's/^\t//; s/:.*//')"
    sed -i 's/^conninfo = .*/& connect_timeout=2/' "$BK_CONF"
    within 5 1 bk check main
    expect_match 'PostgreSQL: FAILED .*connect_timeout' "$OUT"
    expect_no_match 'check timeout|PostgreSQL streaming' "$OUT"
    within 5 0 bk status main
    expect_match 'PostgreSQL version: FAILED trying to get PostgreSQL version' "$OUT"
    expect_match 'No. of available backups: 0' "$OUT"
    thaw main
    within 10 1 bk check main
    expect_match 'PostgreSQL: OK' "$OUT"
}

test_check_streaming_hangs() {
    pg_new main && pg_start main
    pg_new other && pg_start other
    bk_home main "streaming_conninfo = $(pg_conninfo other)"
    freeze other
    within 5 1 bk check --check-timeout 2 main
    expect_match 'PostgreSQL: OK' "$OUT"
    expect_match 'PostgreSQL streaming: FAILED' "$OUT"
    expect_match 'wal_level: OK' "$OUT"
    expect_match 'check timeout: FAILED' "$OUT"
    thaw other
    within 10 1 bk check main
    expect_match 'systemid coherence: FAILED' "$OUT"
}

test_check_all_kinds_at_once() {
    pg_new main && pg_start main
    pg_new hangs && pg_start hangs
    bk_home main 'slot_name = -' 'streaming_archiver = off' 'archiver = on'
    bk_server hangs hangs "conninfo = $(pg_conninfo hangs) connect_timeout=2"
    bk_server main down 'conninfo = host=127.0.0.1 port=1 dbname=d user=u password=geheim'
    bk_server main idle 'conninfo = host=127.0.0.1 port=1' 'active = false'
    bk_server main bare 'conninfo = -' 'streaming_conninfo = -'
    bk_server main fenced "backup_directory = $BK_CONF/fenced"
    freeze hangs
    within 12 1 bk check all
    thaw hangs
    expect_equal 'bare down fenced hangs idle main' \
        "$(sed -n 's/^Server \([a-z]*\).*/\1/p' "$OUT" | xargs)" 'servers'
    expect_match 'PostgreSQL: OK' "$(block main)"
    expect_match 'archive_mode: FAILED' "$(block main)"
    expect_match 'PostgreSQL: FAILED .*connect_timeout' "$(block hangs)"
    expect_match 'PostgreSQL: FAILED .*refused' "$(block down)"
    expect_no_match geheim "$(cat "$OUT" "$ERR")"
    expect_match 'Server idle \(inactive\):' "$(block idle)"
    expect_match 'PostgreSQL: FAILED' "$(block idle)"
    expect_match 'Server bare \(WARNING: disabled\):' "$(block bare)"
    expect_match "Missing 'conninfo'" "$(block bare)"
    expect_match 'directories: FAILED .*not a directory' "$(block fenced)"
    [ ! -e "$BK_HOME/bare" ] || fail 'a disabled server got directories'
    expect_status 0 bk check idle
    expect_match 'PostgreSQL: FAILED' "$OUT"
    expect_status 1 bk status all
    expect_match "cannot list the directory: '$BK_CONF/fenced/meta': not a directory" "$ERR"
    expect_equal 'bare down hangs idle main' \
        "$(sed -n 's/^Server \([a-z]*\).*/\1/p' "$OUT" | xargs)" 'servers'
}

# Looking at an empty archive must not make a server write, an inactive one least of all.
test_check_only_looks() {
    local before
    pg_new main && pg_start main
    pg_sql main 'create table t as select 1'
    bk_home main
    before=$(pg_ask main 'select pg_walfile_name(pg_current_wal_lsn())')
    expect_status 1 bk check main
    expect_match 'WAL archive: FAILED' "$OUT"
    bk_home main 'active = false'
    expect_status 0 bk check main
    expect_match 'WAL archive: FAILED' "$OUT"
    expect_equal "$before" "$(pg_ask main 'select pg_walfile_name(pg_current_wal_lsn())')"
    expect_equal 0 "$(pg_ask main 'select count(*) from pg_replication_slots')" 'slots'
    expect_equal '' "$(find "$BK_HOME" -type f ! -name '*xlog*' ! -name '*.lock')" 'left over'
}

copy_of_main() { # a running standby "copy"
    mkdir "$T/copy"
    "$(pg_bin)/pg_basebackup" -d "$(pg_conninfo main)" -D "$T/copy" -c fast -R >/dev/null
    chmod 700 "$T/copy"
    pg_adopt copy "$T/copy"
    pg_start copy
}

test_check_standby_and_primary() {
    pg_new main && pg_start main
    copy_of_main
    bk_home copy "primary_conninfo = $(pg_conninfo main)"
    expect_status 1 bk check copy
    expect_match 'PostgreSQL server is standby: OK' "$OUT"
    expect_match 'Primary server is not a standby: OK' "$OUT"
    expect_match 'Primary and standby have same system ID: OK' "$OUT"
    bk_home main "primary_conninfo = $(pg_conninfo copy)"
    expect_status 1 bk check main
    expect_match 'PostgreSQL server is standby: FAILED' "$OUT"
    expect_no_match 'Primary' "$OUT"
    bk_home copy "primary_conninfo = $(pg_conninfo copy)"
    expect_status 1 bk check copy
    expect_match 'Primary server is not a standby: FAILED' "$OUT"
    expect_match 'Primary and standby have same system ID: OK' "$OUT"
    pg_new other && pg_start other
    bk_home copy "primary_conninfo = $(pg_conninfo other)"
    expect_status 1 bk check copy
    expect_match 'Primary and standby have same system ID: FAILED' "$OUT"
    pg_stop other
    expect_status 1 bk check copy
    expect_match 'Primary server is not a standby: FAILED .*refused' "$OUT"
}

test_check_wal_host() {
    pg_new main && pg_start main
    copy_of_main
    bk_home main "wal_streaming_conninfo = $(pg_conninfo copy)" \
        "wal_conninfo = $(pg_conninfo copy)"
    expect_status 1 bk check main
    expect_match 'has monitoring privileges \(WAL streaming\): OK' "$OUT"
    expect_match 'PostgreSQL streaming \(WAL streaming\): OK' "$OUT"
    expect_match 'wal_level \(WAL streaming\): OK' "$OUT"
    expect_match 'systemid coherence \(WAL streaming\): OK' "$OUT"
    expect_match "replication slot \(WAL streaming\): FAILED .*doesn't exist" "$OUT"
    expect_no_match 'replication slot: ' "$OUT"
    expect_status 0 bk receive-wal --create-slot main
    bk_bg receiver receive-wal main
    wait_until 20 copy_is_received
    bk check main >"$OUT" || true # 'WAL archive' fails or not: a segment may have come already
    expect_match 'replication slot \(WAL streaming\): OK' "$OUT"
    pg_stop copy
    expect_status 1 bk check main
    expect_match 'no access to monitoring functions: FAILED .*refused' "$OUT"
    expect_match 'PostgreSQL streaming \(WAL streaming\): FAILED .*refused' "$OUT"
    expect_match 'replication slot \(WAL streaming\): FAILED .*refused' "$OUT"
    expect_match 'PostgreSQL streaming: OK' "$OUT"
}

copy_is_received() {
    [ "$(pg_ask copy 'select active from pg_replication_slots')" = t ]
}

test_check_rights() {
    pg_new main && pg_start main
    pg_sql main 'create role bob login'
    bk_home main "conninfo = host=127.0.0.1 port=${PG_PORT[main]} user=bob dbname=postgres"
    expect_status 1 bk check main
    expect_match 'no access to backup functions: FAILED' "$OUT"
    expect_no_match 'standard user with backup privileges' "$OUT"
    pg_sql main 'grant pg_monitor to bob'
    expect_status 1 bk check main
    expect_match 'no access to backup functions: FAILED' "$OUT"
    pg_sql main 'grant execute on function pg_backup_start(text, boolean) to bob' \
        'grant execute on function pg_backup_stop(boolean) to bob' \
        'grant execute on function pg_switch_wal() to bob' \
        'grant execute on function pg_create_restore_point(text) to bob'
    expect_status 1 bk check main
    expect_match 'superuser or standard user with backup privileges: OK' "$OUT"
}

test_check_archive_command() {
    pg_new main - 'archive_mode = on' "archive_command = 'false'" && pg_start main
    bk_home main 'archiver = on' 'streaming_archiver = off' 'slot_name = -' 'create_slot = -'
    expect_status 1 bk check main
    expect_match 'archive_mode: OK' "$OUT"
    expect_match 'archive_command: OK' "$OUT"
    expect_match 'continuous archiving: OK' "$OUT"
    pg_sql main 'create table t as select 1' 'select pg_switch_wal()' >/dev/null
    wait_until 30 archiver_failed
    expect_status 1 bk check main
    expect_match 'continuous archiving: FAILED' "$OUT"
    expect_status 0 bk status main
    expect_match 'Failures of WAL archiver: [1-9][0-9]* \([0-9A-F]{24} at ' "$OUT"
    expect_match 'Last archived WAL: No WAL segment shipped yet' "$OUT"
    pg_sql main "alter system set archive_command = 'true'" 'select pg_reload_conf()' >/dev/null
    wait_until 90 archiver_works
    expect_status 1 bk check main
    expect_match 'continuous archiving: OK' "$OUT"
    expect_status 0 bk status main
    expect_match 'Last archived WAL: [0-9A-F]{24}, at ' "$OUT"
    expect_match "PostgreSQL 'archive_command' setting: true" "$OUT"
}

archiver_failed() {
    [ "$(pg_ask main 'select failed_count > 0 from pg_stat_archiver')" = t ]
}
archiver_works() {
    [ "$(pg_ask main 'select last_archived_time > last_failed_time from pg_stat_archiver')" = t ]
}

test_check_settings() {
    pg_new main && pg_start main
    bk_home main 'retention_policy = recovery window of 1 week'
    expect_status 1 bk check main
    expect_match 'retention policy settings: OK' "$OUT"
    expect_no_match 'encryption' "$OUT"
    expect_status 0 bk status main
    expect_match 'Retention policies: enforced \(mode: auto, retention: RECOVERY WINDOW OF 1 WEEKS, WAL' "$OUT"
    bk_home main 'retention_policy = KEEP 2' 'encryption = gpg' 'compression = custom'
    expect_status 1 bk check main
    expect_match 'retention policy settings: FAILED \(not a retention policy' "$OUT"
    expect_match 'encryption: FAILED' "$OUT"
    expect_match 'compression settings: FAILED' "$OUT"
    expect_match "barman.conf:[0-9]+: invalid retention_policy of server 'main'" "$ERR"
    expect_no_match 'KEEP 2' "$ERR"
    expect_status 0 bk status main
    expect_match 'Retention policies: not enforced \(not a retention policy' "$OUT"
}
