# shellcheck shell=bash
# copy_test.sh - a restored cluster that is started to be looked at, and restores in place. A
# number is the row of the list of faults that doc/faults.md keeps.

# The programs of the other versions lie where scripts/deps --matrix has put them.
export BARKEEP_PG_BIN=${BARKEEP_PG_CACHE:-/var/cache/barkeep/pg}

# ---- helpers ---------------------------------------------------------------------------

# A server with a receiver, a table of marks, and a backup.
scene() {
    pg_new main "${V:--}" "${@}"
    pg_start main
    bk_home main
    pg_sql main 'create table marks (n int primary key)'
    bk_receiver
    bk backup main
}

marked() { # N...: a row and, behind it, a restore point markN
    local n lsn
    for n; do
        pg_sql main "insert into marks values ($n)"
        lsn=$(pg_ask main "select pg_create_restore_point('mark$n')")
    done
    wait_until 10 flushed_to "$lsn"
}

fact() { # DEST KEY
    local key value
    while read -r key value; do
        [ "$key" != "$2" ] || printf '%s\n' "$value"
    done <"$1/.barkeep-copy/facts"
}

copy_sql() { # DEST SQL
    local key value socket='' port=''
    while read -r key value; do
        case $key in
        socket) socket=$value ;;
        port) port=$value ;;
        esac
    done <"$1/.barkeep-copy/facts"
    if [ -z "${PGOPTIONS:-}" ] && [ -x "$ASK" ]; then
        "$ASK" "$socket/.s.PGSQL.$port" "$2"
    else
        "$PSQL" -X -qAt -v ON_ERROR_STOP=1 -h "$socket" -p "$port" -U postgres -d postgres -c "$2"
    fi
}

copy_says() { # DEST PHASE [REGEX]
    expect_status 0 bk show-copy main "$1"
    expect_match "^Copy in .*: $2\$" "$OUT"
    [ $# -lt 3 ] || expect_match "$3" "$OUT"
}

copy_is() { # DEST PHASE
    bk show-copy main "$1" >"$T/shown" && shell_finds "^Copy in .*: $2\$" "$T/shown"
}

# Restore to mark N at DEST, paused there.
restored_to() { # N DEST [OPTION...]
    local n=$1 dest=$2
    shift 2
    expect_status 0 bk restore --target-name "mark$n" "$@" main latest "$dest"
}

copy_marks() {
    copy_sql "$1" "select string_agg(n::text, ' ' order by n) from marks"
}

# ---- the way of a copy -----------------------------------------------------------------

# Each file in turn cannot be read: what is stopped all the same is stopped, exit status 0.
stopped_but_not_seen() {
    local n=0 status seen=0
    while [ $((++n)) -lt 60 ]; do
        status=0
        bk_fault "openr:$n:EIO:$T/copy/" stop-copy main "$T/copy" >"$OUT" 2>"$ERR" || status=$?
        if grep -q 'It cannot be looked at afterwards' "$ERR"; then
            expect_equal 0 "$status" "exit status with fault $n"
            seen=$((seen + 1))
        elif [ "$status" = 0 ]; then
            break # no such call any more
        fi
    done
    [ "$seen" -gt 0 ] || fail 'no look failed'
}

whole_way() {
    local sock
    scene "$@"
    marked 1 2 3
    caught_up
    copy_says "$T/copy" absent
    restored_to 2 "$T/copy"
    copy_says "$T/copy" restored 'not started'
    expect_status 0 bk start-copy main "$T/copy"
    expect_match 'paused at its target' "$OUT"
    sock=$(fact "$T/copy" socket)
    expect_equal 700 "$(stat -c %a "$sock")"
    expect_equal '1 2' "$(copy_marks "$T/copy")"
    copy_says "$T/copy" paused "Connect: psql -h $sock -p 5432 -U postgres -d postgres"
    expect_match 'Last commit: 20' "$OUT"
    # Twice is once.
    expect_status 0 bk start-copy main "$T/copy"
    expect_status 0 bk compare-copy --table public.marks main "$T/copy"
    expect_match 'public.marks: copy 2, production 3, copy has -1' "$OUT"
    expect_status 0 bk promote-copy main "$T/copy"
    copy_says "$T/copy" open 'Timeline: 2'
    copy_sql "$T/copy" 'insert into marks values (99)'
    expect_equal off "$(copy_sql "$T/copy" 'show archive_mode')"
    [ ! -e "$T/copy/barman_wal" ] || fail 'the WAL that recovery used was left'
    expect_status 0 bk promote-copy main "$T/copy"
    expect_status 0 bk stop-copy main "$T/copy"
    [ ! -e "$sock" ]
    copy_says "$T/copy" stopped
    expect_status 0 bk stop-copy main "$T/copy"
    stopped_but_not_seen
    expect_status 0 bk start-copy main "$T/copy"
    expect_equal '1 2 99' "$(copy_marks "$T/copy")"
    sock=$(fact "$T/copy" socket)
    expect_status 0 bk drop-copy main "$T/copy"
    [ ! -e "$T/copy" ] && [ ! -e "$sock" ]
    expect_equal 3 "$(pg_ask main 'select count(*) from marks')"
}

#: deadline=240 quick
test_copy_whole_way() {
    whole_way
    # To the end of the WAL: nothing to pause at, it opens by itself.
    expect_status 0 bk restore main latest "$T/end"
    expect_status 0 bk start-copy main "$T/end"
    expect_match ': open$' "$OUT"
    expect_equal '1 2 3' "$(copy_marks "$T/end")"
    expect_status 0 bk drop-copy main "$T/end"
}
#: deadline=300
test_copy_whole_way_pg13() { V=13 whole_way; }
#: deadline=300
test_copy_whole_way_pg18() { V=18 whole_way; }
#: deadline=300
test_copy_large_segments() { whole_way --segsize=64; }

# ---- harmless --------------------------------------------------------------------------

# Everything an original can bring along that would reach outside, or keep a server of this
# host from starting.
hostile_settings() {
    cat <<END
archive_mode = 'on'
archive_command = 'touch $T/LEAK.archive'
archive_cleanup_command = 'touch $T/LEAK.cleanup'
recovery_end_command = 'touch $T/LEAK.end'
primary_conninfo = '$(pg_conninfo main)'
primary_slot_name = 'barman'
shared_preload_libraries = 'no_such_library'
session_preload_libraries = 'no_such_library'
local_preload_libraries = 'no_such_library'
listen_addresses = '*'
unix_socket_directories = '/nonexistent'
ssl = 'on'
ssl_cert_file = '/nonexistent/cert'
synchronous_standby_names = '*'
shared_buffers = '400GB'
huge_pages = 'on'
logging_collector = 'on'
log_directory = '$T/LEAK.log'
log_destination = 'syslog,csvlog'
external_pid_file = '$T/LEAK.pid'
hot_standby = 'off'
recovery_min_apply_delay = '1h'
max_connections = '5'
max_worker_processes = '1'
max_wal_senders = '1'
statement_timeout = '1ms'
cluster_name = 'production'
END
}

#: deadline=240
test_copy_is_harmless() {
    local copy=$T/copy
    local workers=('max_logical_replication_workers = 4' 'max_worker_processes = 8')
    pg_new up "${V:--}" 'wal_level = logical' "${workers[@]}"
    pg_start up
    pg_sql up 'create table feed (n int primary key)'
    pg_sql up 'create publication p for table feed'
    pg_new main "${V:--}" 'archive_mode = on' "${workers[@]}" \
        "archive_command = 'touch $T/archived.by.main'"
    pg_start main
    bk_home main
    pg_sql main 'create table marks (n int primary key)'
    pg_sql main 'create table feed (n int primary key)'
    pg_sql main "create subscription s connection '$(pg_conninfo up)' publication p"
    pg_sql main "alter system set shared_preload_libraries = 'no_such_library'"
    pg_sql main "alter system set listen_addresses = '*'"
    pg_sql main "alter system set synchronous_standby_names = '*'"
    pg_sql main "alter role postgres set session_preload_libraries = 'no_such_library'"
    bk receive-wal --create-slot main # the receiver itself would ask by an ordinary connection
    bk_receiver
    PGOPTIONS='-c session_preload_libraries=' bk backup main
    export PGOPTIONS='-c session_preload_libraries='
    marked 1 2
    caught_up
    restored_to 1 "$copy"
    unset PGOPTIONS
    hostile_settings >>"$copy/postgresql.auto.conf"
    echo "include '/nonexistent/x.conf'" >"$copy/postgresql.conf"
    echo 'local all all reject' >"$copy/pg_hba.conf"
    echo 'this is no line of an hba file' >>"$copy/pg_hba.conf"
    pg_kill9 main
    bk_bg_stop receiver || true
    rm -f "$T/archived.by.main"
    expect_status 0 bk start-copy main "$copy"
    expect_match 'paused at its target' "$OUT"
    export PGOPTIONS='-c session_preload_libraries='
    expect_equal 1 "$(copy_marks "$copy")"
    expect_equal 'main RESTORED' "$(copy_sql "$copy" 'show cluster_name')"
    expect_equal '' "$(copy_sql "$copy" 'show listen_addresses')"
    expect_equal '' "$(copy_sql "$copy" 'show primary_conninfo')"
    expect_status 0 bk promote-copy main "$copy"
    copy_sql "$copy" 'insert into marks values (7)' # waits for no standby
    copy_sql "$copy" 'select pg_switch_wal()' >/dev/null
    copy_sql "$copy" 'checkpoint'
    nap 2
    expect_equal '' "$(copy_sql "$copy" "select string_agg(backend_type, ' ')
        from pg_stat_activity where backend_type ~ 'logical|archiver|autovacuum|walreceiver'")"
    # Nobody came to where the subscription leads: main is dead, only the copy could.
    expect_equal 0 "$(pg_ask up 'select count(*) from pg_stat_replication')"
    expect_equal '' "$(find "$T" -maxdepth 1 \( -name 'LEAK*' -o -name 'archived*' \))"
    expect_status 0 bk compare-copy main "$copy" # production is dead: that is said, no more
    expect_match 'public.marks: copy 2, production \?' "$OUT"
    expect_match 'refused' "$ERR"
    expect_status 0 bk drop-copy main "$copy"
}

# As on Debian: the configuration lies outside and is gone with the host.
#: deadline=240
test_copy_configuration_outside_pgdata() {
    local etc=$T/etc
    pg_new main "${V:--}"
    mkdir -p "$etc/conf.d"
    mv "${PG_DATA[main]}"/{postgresql,pg_hba,pg_ident}.conf "$etc"
    {
        echo "data_directory = '${PG_DATA[main]}'"
        echo "hba_file = '$etc/pg_hba.conf'"
        echo "ident_file = '$etc/pg_ident.conf'"
        echo "include_dir = 'conf.d'"
        echo 'archive_mode = on'
        echo "archive_command = 'touch $T/archived'"
        echo 'max_connections = 222'
    } >>"$etc/postgresql.conf"
    echo 'max_prepared_transactions = 33' >"$etc/conf.d/more.conf"
    "${PG_BIN[main]}/pg_ctl" -D "$etc" -l "${PG_LOG[main]}" -w -s start >/dev/null
    bk_home main
    pg_sql main 'create table marks (n int primary key)'
    bk_receiver
    bk backup main
    marked 1 2
    caught_up
    restored_to 1 "$T/copy"
    # As if nothing had been saved with the backup.
    rm -rf "$etc" "$T/copy"/{postgresql,pg_hba,pg_ident}.conf
    expect_status 0 bk start-copy main "$T/copy"
    expect_equal 1 "$(copy_marks "$T/copy")"
    expect_equal 222 "$(copy_sql "$T/copy" 'show max_connections')"
    expect_equal 33 "$(copy_sql "$T/copy" 'show max_prepared_transactions')"
    expect_status 0 bk drop-copy main "$T/copy"
}

# The recovery settings are in a file that our configuration takes the place of.
#: deadline=180
test_copy_recovery_settings_elsewhere() {
    scene
    marked 1 2
    caught_up
    restored_to 1 "$T/copy" --recovery-conf-filename mine.conf
    expect_status 0 bk start-copy main "$T/copy"
    expect_match 'paused at its target' "$OUT"
    expect_equal 1 "$(copy_marks "$T/copy")"
    expect_status 0 bk drop-copy main "$T/copy"
}

# The original raised what a standby must not have less of, after the backup.
#: deadline=240
test_copy_settings_raised_in_the_wal() {
    scene
    marked 1
    echo 'max_connections = 345' >>"${PG_DATA[main]}/postgresql.conf"
    pg_restart main
    marked 2
    echo 'max_locks_per_transaction = 111' >>"${PG_DATA[main]}/postgresql.conf"
    pg_restart main
    marked 3 4
    wait_until 30 received main 0/1
    caught_up
    restored_to 3 "$T/copy"
    expect_status 0 bk start-copy main "$T/copy"
    expect_equal '1 2 3' "$(copy_marks "$T/copy")"
    expect_equal 345 "$(copy_sql "$T/copy" 'show max_connections')"
    expect_status 0 bk drop-copy main "$T/copy"
}

# Over TCP only who has a password.
#: deadline=180
test_copy_port() {
    local port
    scene
    pg_sql main "create role reader login password 'secret'"
    marked 1
    caught_up
    port=$(free_port)
    restored_to 1 "$T/copy"
    expect_status 0 bk start-copy --port "$port" main "$T/copy"
    expect_equal 1 "$(PGPASSWORD=secret "$(pg_client psql)" -X -qAt -h 127.0.0.1 -p "$port" \
        -U reader -d postgres -c 'select 1')"
    expect_status 2 "$(pg_client psql)" -X -w -h 127.0.0.1 -p "$port" -U postgres -d postgres -c ''
    expect_status 0 bk stop-copy main "$T/copy"
    # A port that is taken: the server's own words, and what to do.
    expect_status 1 bk start-copy --port "${PG_PORT[main]}" main "$T/copy"
    expect_match 'could not create any TCP/IP sockets' "$ERR"
    expect_match 'Choose another --port' "$ERR"
    copy_says "$T/copy" failed 'could not create any TCP/IP sockets'
    expect_status 2 bk start-copy --port 70000 main "$T/copy"
    expect_status 0 bk drop-copy main "$T/copy"
}

# ---- what goes wrong -------------------------------------------------------------------

#: deadline=180
test_copy_server_gives_up() {
    scene
    marked 1 2
    caught_up
    restored_to 2 "$T/copy"
    rm -f "$T/copy/barman_wal/"*
    expect_status 1 bk start-copy main "$T/copy"
    expect_match 'the server gave up: ' "$ERR"
    expect_match '^HINT: ' "$ERR"
    copy_says "$T/copy" failed
    [ -z "$(fact "$T/copy" socket | xargs ls 2>/dev/null)" ]
    expect_status 0 bk drop-copy main "$T/copy"

    restored_to 2 "$T/copy"
    echo "recovery_target_action = 'x'" >>"$T/copy/postgresql.auto.conf"
    expect_status 1 bk start-copy main "$T/copy"
    expect_match 'invalid value for parameter "recovery_target_action"' "$ERR"
    expect_match 'Take that line out of its postgresql.auto.conf' "$ERR"

    echo 12 >"$T/copy/PG_VERSION"
    expect_status 1 bk start-copy main "$T/copy"
    expect_match 'no programs of PostgreSQL 12' "$ERR"
    expect_match 'Install postgresql-12 .* or postgresql12-server' "$ERR"

    mkdir "$T/empty"
    expect_status 1 bk start-copy main "$T/empty"
    expect_match 'no data directory' "$ERR"
    expect_status 1 bk start-copy main "$T/absent"
    expect_status 0 bk restore --standby-mode main latest "$T/standby"
    expect_status 1 bk start-copy main "$T/standby"
    expect_match 'a standby, which would replay for ever' "$ERR"
    expect_status 1 bk start-copy main "${PG_DATA[main]}"
    expect_match 'start-copy did not start' "$ERR"
    pg_stop main
    expect_status 1 bk start-copy main "${PG_DATA[main]}"
    expect_match "the place of server 'main' itself" "$ERR"
    # Nor one that nobody restored.
    initdb_fresh "$(pg_bin "${V:--}")" "$T/new"
    expect_status 1 bk start-copy main "$T/new"
    expect_match 'not a restored cluster' "$ERR"
    [ ! -e "${PG_DATA[main]}/.barkeep-copy" ]
}

# What this host's server does not know is commented out and told.
test_copy_settings_not_known_here() {
    local conf=$T/copy/postgresql.auto.conf
    scene
    marked 1 2
    caught_up
    restored_to 2 "$T/copy"
    printf '%s\n' 'no_such_setting = 1' "lc_messages = 'xx_XX.utf8'" 'NO_SUCH = on' >>"$conf"
    expect_status 0 bk start-copy main "$T/copy"
    expect_match "'no_such_setting = 1' is commented out in the copy" "$ERR"
    grep -qx '#BARMAN#no_such_setting = 1' "$conf"
    grep -qx "#BARMAN#lc_messages = 'xx_XX.utf8'" "$conf"
    grep -qx '#BARMAN#NO_SUCH = on' "$conf"
    grep -q '^recovery_target_name' "$conf"
    expect_equal '1 2' "$(copy_marks "$T/copy")"
    expect_status 0 bk drop-copy main "$T/copy"
}

# Replay that takes its time.
slow() { # DEST
    sed -i "s/^restore_command = 'cp /restore_command = 'sleep 1; cp /" "$1/postgresql.auto.conf"
    grep -q 'sleep 1' "$1/postgresql.auto.conf"
}

#: deadline=240
test_copy_killed_and_cancelled_while_starting() {
    local pid
    scene
    marked 1
    for _ in 1 2 3 4; do
        pg_sql main 'select pg_switch_wal()' >/dev/null
        pg_sql main 'delete from marks where n = 0'
        pg_sql main 'create table t as select 1; drop table t'
    done
    marked 2
    caught_up
    restored_to 2 "$T/copy"
    slow "$T/copy"
    bk_bg start start-copy main "$T/copy"
    wait_until 20 copy_is "$T/copy" replaying
    bk_bg_stop start KILL
    copy_says "$T/copy" replaying
    expect_status 0 bk stop-copy main "$T/copy"
    copy_says "$T/copy" stopped
    # TERM cancels: the server goes, the files stay.
    bk_bg start start-copy main "$T/copy"
    wait_until 20 test -e "$T/copy/postmaster.pid"
    pid=$(head -n 1 "$T/copy/postmaster.pid")
    bk_bg_stop start TERM
    expect_equal 1 "$BK_STATUS"
    not_running "$pid"
    [ -e "$T/copy/PG_VERSION" ]
    # Killed again; the next one follows the server that is there to its target.
    bk_bg start start-copy main "$T/copy"
    wait_until 20 copy_is "$T/copy" replaying
    bk_bg_stop start KILL
    expect_status 0 bk start-copy main "$T/copy"
    expect_equal '1 2' "$(copy_marks "$T/copy")"
    expect_status 0 bk drop-copy main "$T/copy"
    [ ! -e "$T/copy" ]
}

# A copy that fetched WAL of after its plan has put a tablespace where production has it, and no
# backup tells of that one.
test_copy_that_shares_a_tablespace_is_not_dropped() {
    mkdir "$T/space"
    scene
    marked 1
    caught_up
    expect_status 0 bk restore --get-wal main latest "$T/copy"
    pg_sql main "create tablespace fast location '$T/space'"
    pg_sql main 'create table there tablespace fast as select generate_series(1, 1000) i'
    marked 2
    caught_up
    expect_status 0 bk start-copy main "$T/copy"
    expect_status 0 bk stop-copy main "$T/copy"
    expect_status 1 bk start-copy main "$T/copy"
    expect_match "'$T/space': the place of server 'main' itself" "$ERR"
    expect_status 0 bk drop-copy main "$T/copy"
    expect_match "'$T/space' was left" "$ERR"
    [ -e "$(echo "$T/space"/PG_*)" ] || fail "production's tablespace is gone"
}

#: deadline=240
test_copy_drop_refuses() {
    local facts
    mkdir "$T/space"
    scene
    pg_sql main "create tablespace fast location '$T/space'"
    pg_sql main 'create table there tablespace fast as select generate_series(1, 1000) i'
    bk backup main
    marked 1
    caught_up
    restored_to 1 "$T/copy" --tablespace "fast:$T/copy.fast"
    # Not started: not ours to drop.
    expect_status 1 bk drop-copy main "$T/copy"
    expect_match 'no copy of ours' "$ERR"
    expect_status 0 bk start-copy main "$T/copy"
    expect_status 0 bk compare-copy --table public.there main "$T/copy"
    expect_match 'public.there: copy 1000, production 1000$' "$OUT"
    expect_status 0 bk stop-copy main "$T/copy"
    facts=$(cat "$T/copy/.barkeep-copy/facts")

    # By a link.
    ln -s "$T/copy" "$T/link"
    expect_status 1 bk drop-copy main "$T/link/"
    expect_match 'a link' "$ERR"
    # Of another server.
    bk_server main other "conninfo = $(pg_conninfo main)"
    expect_status 1 bk drop-copy other "$T/copy"
    expect_match "a copy of server 'main'" "$ERR"
    # Another system id.
    sed -i 's/^system .*/system 7/' "$T/copy/.barkeep-copy/facts"
    expect_status 1 bk drop-copy main "$T/copy"
    expect_match 'its system id is another' "$ERR"
    # Half a file.
    head -c 40 <<<"$facts" >"$T/copy/.barkeep-copy/facts"
    expect_status 1 bk drop-copy main "$T/copy"
    printf '%s\n' "$facts" >"$T/copy/.barkeep-copy/facts"
    # Facts that lie elsewhere.
    mv "$T/copy/.barkeep-copy" "$T/away"
    ln -s "$T/away" "$T/copy/.barkeep-copy"
    expect_status 1 bk drop-copy main "$T/copy"
    expect_match 'no copy of ours' "$ERR"
    rm "$T/copy/.barkeep-copy"
    # The server itself, with facts that say it is a copy; running and stopped.
    cp -a "$T/away" "${PG_DATA[main]}/.barkeep-copy"
    expect_status 1 bk drop-copy main "${PG_DATA[main]}"
    pg_stop main
    expect_status 1 bk drop-copy main "${PG_DATA[main]}"
    expect_match "the place of server 'main' itself" "$ERR"
    pg_start main
    expect_status 1 bk stop-copy main "${PG_DATA[main]}"
    expect_match 'start-copy did not start' "$ERR"
    pg_answers main
    rm -rf "${PG_DATA[main]}/.barkeep-copy"
    mv "$T/away" "$T/copy/.barkeep-copy"
    # Started by other means.
    restored_start byhand "$T/copy" "${V:--}"
    expect_status 1 bk drop-copy main "$T/copy"
    expect_match 'start-copy did not start' "$ERR"
    pg_answers byhand
    pg_stop byhand
    # A link that was turned to production's tablespace: that one stays.
    rm "$T/copy/pg_tblspc/"*
    ln -s "$T/space" "$T/copy/pg_tblspc/$(pg_ask main "select oid from pg_tablespace where spcname = 'fast'")"
    expect_status 0 bk drop-copy main "$T/copy"
    expect_match 'was left' "$ERR"
    [ ! -e "$T/copy" ] && [ -e "$T/copy.fast" ]
    expect_equal 1000 "$(pg_ask main 'select count(*) from there')"
    # And with its own: all goes.
    rm -rf "$T/copy.fast"
    restored_to 1 "$T/copy" --tablespace "fast:$T/copy.fast"
    expect_status 0 bk start-copy main "$T/copy"
    expect_status 0 bk drop-copy main "$T/copy"
    [ ! -e "$T/copy" ] && [ ! -e "$T/copy.fast" ]
    expect_equal 1000 "$(pg_ask main 'select count(*) from there')"
}

# A drop that is killed is finished by the next one, and nothing of it can be started.
#: deadline=240
test_copy_drop_killed() {
    local nth left=0
    scene
    marked 1
    caught_up
    for nth in 1 20 150 320; do
        restored_to 1 "$T/copy"
        expect_status 0 bk start-copy main "$T/copy"
        expect_status 0 bk stop-copy main "$T/copy"
        if ! bk_fault "unlink:$nth:kill" drop-copy main "$T/copy"; then
            left=$((left + 1))
            [ ! -e "$T/copy/global/pg_control" ] || [ "$nth" = 1 ]
            expect_status 1 bk start-copy main "$T/copy"
        fi
        [ ! -e "$T/copy" ] || expect_status 0 bk drop-copy main "$T/copy"
        [ ! -e "$T/copy" ]
    done
    [ "$left" -ge 2 ] || fail "only $left of the kills left something"
}

# ---- compare ---------------------------------------------------------------------------

#: deadline=240
test_copy_compare() {
    scene --template1
    pg_sql main 'create role looker login'
    pg_sql main 'create schema "we""ird; drop table marks"'
    pg_sql main "create table \"we\"\"ird; drop table marks\".\"a.b'c\" as select generate_series(1, 12)"
    pg_sql main 'create table closed as select generate_series(1, 20)'
    pg_sql main 'create table busy as select generate_series(1, 500)'
    pg_sql main 'create table hidden as select generate_series(1, 30) i'
    pg_sql main 'alter table hidden enable row level security'
    pg_sql main 'create table gone as select generate_series(1, 40)'
    pg_sql main 'create unlogged table unlogged as select 1'
    pg_sql main 'analyze busy'
    pg_sql main 'create database other'
    marked 1
    caught_up
    restored_to 1 "$T/copy"
    expect_status 0 bk start-copy main "$T/copy"
    pg_sql main 'drop table gone'
    pg_sql main "delete from \"we\"\"ird; drop table marks\".\"a.b'c\""
    pg_sql main 'grant select on marks, busy, hidden to looker'
    pg_sql main 'grant usage on schema "we""ird; drop table marks" to looker'
    pg_sql main 'grant select on all tables in schema "we""ird; drop table marks" to looker'

    expect_status 0 bk compare-copy main "$T/copy"
    expect_match 'beside server main, database postgres' "$OUT"
    expect_match 'we"ird; drop table marks.a.b.c: copy 12, production 0, copy has \+12' "$OUT"
    expect_match 'public.closed: copy 20, production 20$' "$OUT"
    expect_match 'public.gone: copy 40, production \?' "$OUT"
    expect_match 'in production: there is no such table' "$OUT"
    expect_no_match 'public.unlogged' "$OUT"

    bk_server main poor "conninfo = host=127.0.0.1 port=${PG_PORT[main]} user=looker dbname=postgres"
    expect_status 0 bk compare-copy --table public.closed --table hidden --table 'x.y; z' \
        --table public.marks poor "$T/copy"
    expect_match 'in production: permission denied' "$OUT"
    expect_match 'hidden: copy 30, production \?' "$OUT"
    expect_match 'x.y; z: copy \?, production \?' "$OUT"
    expect_match 'public.marks: copy 1, production 1$' "$OUT"

    # A count that has to wait gives way to the estimate.
    "$(pg_client psql)" -X -q -d "$(pg_conninfo main)" \
        -c 'begin; lock table busy; select pg_sleep(60)' >/dev/null 2>&1 &
    wait_until 10 is_locked
    expect_status 0 bk compare-copy --timeout 1 --table public.busy main "$T/copy"
    expect_match 'public.busy: copy 500, production ~500$' "$OUT"
    pg_sql main "select pg_terminate_backend(pid) from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid()" >/dev/null
    wait $! || true

    expect_status 0 bk compare-copy --database other main "$T/copy"
    expect_match 'database other' "$OUT"
    expect_status 1 bk compare-copy --database 'no such' main "$T/copy"
    expect_status 0 bk stop-copy main "$T/copy"
    expect_status 1 bk compare-copy main "$T/copy"
    expect_match 'does not run' "$ERR"
    expect_status 0 bk drop-copy main "$T/copy"
}

is_locked() {
    [ "$(pg_ask main "select count(*) from pg_locks where mode = 'AccessExclusiveLock'
        and relation = 'busy'::regclass and granted")" = 1 ]
}

# Root is refused whatever it says.
#: root deadline=180
test_copy_never_as_root() {
    as_postgres scene_of_root
    sed -i 's/^barman_user = .*/barman_user = root/' "$BK_CONF"
    expect_status 1 bk start-copy main "$T/copy"
    expect_match 'never started as root' "$ERR"
    expect_match 'barman_user' "$ERR"
    [ ! -e "$T/copy/.barkeep-copy" ]
}
scene_of_root() {
    scene
    marked 1
    caught_up
    restored_to 1 "$T/copy"
}

# ---- in place --------------------------------------------------------------------------

aside_of() { # PATH: what was set aside of it
    find "$(dirname "$1")" -maxdepth 1 -name "$(basename "$1").before-*"
}

#: deadline=240
test_in_place_round_trip() {
    local data before space=$T/space
    mkdir "$space"
    scene
    data=${PG_DATA[main]}
    pg_sql main "create tablespace fast location '$space'"
    pg_sql main 'create table there tablespace fast as select generate_series(1, 1000) i'
    bk backup main
    marked 1 2
    caught_up
    expect_status 1 bk restore --in-place main latest "$data"
    expect_match 'a server is running' "$ERR"
    pg_stop main
    bk_bg_stop receiver || true
    # Only there.
    expect_status 1 bk restore --in-place main latest "$T/elsewhere"
    expect_match 'is not where the backup comes from' "$ERR"
    [ ! -e "$T/elsewhere" ]
    expect_status 1 bk restore main latest "$data"
    expect_match 'not empty' "$ERR"
    # The plan tells it, and writes nothing.
    expect_status 0 bk restore --dry-run --in-place --target-name mark1 main latest "$data"
    expect_match "PGDATA: '$data' will be set aside as '$data.before-2" "$OUT"
    expect_match "tablespace fast: '$space' will be set aside as '$space.before-2" "$OUT"
    expect_equal '' "$(aside_of "$data")"
    expect_status 0 bk restore --in-place --target-name mark1 --target-action promote main latest "$data"
    expect_match 'To go back' "$OUT"
    expect_match "mv '$data' '$data.restored'" "$OUT"
    before=$(aside_of "$data")
    [ -e "$before/global/pg_control" ] && [ ! -e "$data.barkeep-in-place" ]
    [ -n "$(aside_of "$space")" ]
    pg_start main
    pg_wait_promoted main
    expect_equal 1 "$(pg_ask main "select string_agg(n::text, ' ' order by n) from marks")"
    expect_equal 1000 "$(pg_ask main 'select count(*) from there')"
    pg_stop main
    # The way back, as it was printed.
    grep "^    mv '" "$OUT.restore" 2>/dev/null | sh -e || true
    mv "$data" "$data.restored"
    mv "$space" "$space.restored"
    mv "$before" "$data"
    mv "$(aside_of "$space")" "$space"
    pg_start main
    expect_equal '1 2' "$(pg_ask main "select string_agg(n::text, ' ' order by n) from marks")"
    expect_equal 1000 "$(pg_ask main 'select count(*) from there')"
}

# Killed anywhere: the old cluster is whole, in its place or aside, and the same command ends it.
#: deadline=400
test_082_in_place_killed_and_resumed() {
    local data spec before resumed=0
    scene
    data=${PG_DATA[main]}
    echo 'the old one' >"$data/old"
    marked 1
    caught_up
    pg_stop main
    bk_bg_stop receiver || true
    for spec in open:3 rename:1 rename:2 rename:3 rename:4 mkdir:1 open:100 open:320 rename:9; do
        rm -rf "$T"/pg_main.restored
        if ! bk_fault "$spec:kill" restore --in-place main latest "$data"; then
            before=$(aside_of "$data")
            if [ -n "$before" ]; then
                expect_equal 'the old one' "$(cat "$before/old")"
                resumed=$((resumed + 1))
                # While it is unfinished the note says which is which.
                [ -e "$data/global/pg_control" ] || [ -e "$data.barkeep-in-place" ]
            else
                expect_equal 'the old one' "$(cat "$data/old")"
            fi
            expect_status 0 bk restore --in-place main latest "$data"
        fi
        before=$(aside_of "$data")
        expect_equal 1 "$(wc -l <<<"$before")" 'set aside'
        expect_equal 'the old one' "$(cat "$before/old")"
        [ ! -e "$data/old" ] && [ ! -e "$data.barkeep-in-place" ]
        mv "$data" "$data.restored"
        mv "$before" "$data"
    done
    [ "$resumed" -ge 3 ] || fail "only $resumed of the kills came after the renaming"
    mv "$data" "$data.old"
    mv "$data.restored" "$data"
    pg_start main
    expect_equal 1 "$(pg_ask main 'select count(*) from marks')"
}

#: deadline=240
test_082_power_cut_in_place() {
    local data
    scene
    data=${PG_DATA[main]}
    echo 'the old one' >"$data/old"
    marked 1
    caught_up
    pg_stop main
    bk_bg_stop receiver || true
    bk_powercut restore --in-place main latest "$data"
    powercut
    expect_equal 'the old one' "$(cat "$(aside_of "$data")/old")"
    pg_start main
    expect_equal 1 "$(pg_ask main 'select count(*) from marks')"
}

#: deadline=240 small_fs=400
test_079_in_place_refuses() {
    local data
    scene
    data=${PG_DATA[main]}
    caught_up
    pg_stop main
    bk_bg_stop receiver || true
    # Its parent cannot be written.
    mkdir "$T/up"
    mv "$data" "$T/up/data"
    ln -s "$T/up/data" "$data"
    chmod 555 "$T/up"
    expect_status 1 bk restore --in-place main latest "$data"
    expect_match 'cannot be written by this user' "$ERR"
    expect_match 'Restore beside it and move' "$ERR"
    chmod 755 "$T/up"
    rm "$data"
    # A mount point.
    cp -a "$T/up/data/." "$SMALL_FS"
    ln -s "$SMALL_FS" "$data"
    expect_status 1 bk restore --in-place main latest "$data"
    expect_match 'is a mount point' "$ERR"
    rm "$data"
    # Another cluster; no cluster.
    initdb_fresh "$(pg_bin "${V:--}")" "$data"
    expect_status 1 bk restore --in-place main latest "$data"
    expect_match 'is another cluster: its system id' "$ERR"
    rm -rf "$data"
    mkdir "$data"
    touch "$data/notes.txt"
    expect_status 1 bk restore --in-place main latest "$data"
    expect_match 'is not a data directory' "$ERR"
    rm -rf "$data"
    # Gone altogether: nothing to set aside.
    expect_status 0 bk restore --in-place main latest "$data"
    expect_no_match 'To go back' "$OUT"
    expect_equal '' "$(aside_of "$data")"
}
