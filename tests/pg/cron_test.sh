# shellcheck shell=bash
# cron_test.sh - what cron starts on a live server, and what becomes of it.

server() {
    pg_new main - --segsize=1 && pg_start main
    bk_home main "$@"
}

receiver_pid() {
    local pid
    pid=$(cat "$BK_HOME/.main-receive-wal.lock" 2>/dev/null) && kill -0 "$pid" 2>/dev/null &&
        printf '%s\n' "$pid"
}
no_receiver() { ! receiver_pid >/dev/null; }

#: quick
test_cron_children() {
    local pid args
    server
    expect_status 0 bk cron
    expect_no_match 'Starting WAL archiving' "$OUT" # nothing waits
    expect_match 'Starting streaming archiver for server main' "$OUT"
    wait_until 20 streams
    pid=$(receiver_pid)
    args=$(tr '\0' ' ' <"/proc/$pid/cmdline")
    expect_equal "-c $BK_CONF -q receive-wal main " "${args#* }" 'arguments'
    expect_equal "$pid" "$(ps -o sid= -p "$pid" | tr -d ' ')" 'its session'
    expect_equal '/dev/null /dev/null /dev/null' \
        "$(readlink "/proc/$pid/fd/0" "/proc/$pid/fd/1" "/proc/$pid/fd/2" | xargs)" 'its stdio'
    expect_status 0 bk cron
    expect_no_match 'streaming archiver' "$OUT"
    expect_equal "$pid" "$(receiver_pid)" 'the receiver'
    expect_status 0 "$BARKEEP" -c "$BK_CONF" -q cron
    expect_equal '' "$(cat "$OUT" "$ERR")" 'said with -q'

    # Switched off, it is ended; a hangup of the terminal does not matter to it before.
    kill -HUP "$pid"
    streams || fail 'SIGHUP ended the receiver'
    sed -i 's/^streaming_archiver.*/streaming_archiver = off\narchiver = on/' "$BK_CONF"
    expect_status 0 bk cron
    wait_until 20 no_receiver
    wait_until 20 nobody_streams
    expect_no_match 'ERROR|CRITICAL|assert|BUG' "$T/barman.log"
}

#: deadline=180
test_cron_two_at_once() {
    local n pid
    server
    for n in 1 2 3; do
        bk_bg one cron
        bk_bg two cron
        wait "${BK_PID[one]}" || fail "$(cat one.log)"
        wait "${BK_PID[two]}" || fail "$(cat two.log)"
        wait_until 20 streams
        nap 0.5
        expect_equal 1 "$(pg_ask main 'select count(*) from pg_stat_replication')" 'receivers'
        pid=$(receiver_pid)
        [ $((n % 2)) = 0 ] && kill -KILL "$pid" || kill -TERM "$pid"
        wait_until 20 nobody_streams
        wait_until 20 no_receiver
    done
    expect_no_match 'assert|BUG' "$T/barman.log"
}

#: deadline=180
test_cron_server_goes_and_comes() {
    server
    expect_status 0 bk cron
    wait_until 20 streams
    pg_stop main fast
    expect_status 0 bk cron
    nap 1
    pg_start main
    wait_until 60 cron_brings_it_back
    expect_no_match 'assert|BUG|password' "$T/barman.log"
}

cron_brings_it_back() { bk cron >/dev/null && streams; }

test_cron_of_all_kinds() {
    server
    bk_server main idle 'active = false'
    bk_server main bare 'conninfo = -' 'streaming_conninfo = -'
    expect_status 0 bk cron
    expect_match "Skipping inactive server 'idle'" "$OUT"
    expect_match "Skipping temporarily disabled server 'bare'" "$OUT"
    wait_until 20 streams
    [ ! -e "$BK_HOME/idle" ] || fail 'an inactive server got directories'
}

#: deadline=180
test_cron_finishes_a_delete() {
    local id old
    server 'minimum_redundancy = 1'
    expect_status 0 bk cron
    wait_until 20 streams
    expect_status 0 bk backup main
    old=$(backups)
    pg_sql main 'create table t as select 1' 'select pg_switch_wal()' >/dev/null
    nap 1.1
    expect_status 0 bk backup main
    id=$(backups | tail -n 1)
    wait_until 60 both_done
    # Killed at its twentieth file: the backup is half gone.
    expect_status 137 bk_fault 'unlink:20:kill:/base/' delete main "$old"
    [ -e "$BK_HOME/main/meta/$old-delete_this" ] || fail 'the delete left no mark'
    [ -e "$BK_HOME/main/base/$old" ] || fail 'the delete was not interrupted'
    expect_status 0 bk cron
    expect_match "Finishing the interrupted delete of backup $old for server main" "$OUT"
    expect_equal "$id" "$(backups)" 'what is left'
    expect_equal "$id-backup.info" "$(ls "$BK_HOME/main/meta")" 'what is left'
    expect_status 0 bk list-backups main --minimal
    expect_equal "$id" "$(cat "$OUT")"
    expect_status 0 bk cron
    expect_no_match 'Finishing' "$OUT"
}

backups() { find "$BK_HOME/main/base" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort; }

both_done() {
    bk cron >/dev/null
    [ "$(grep -l '^status=DONE' "$BK_HOME"/main/meta/*-backup.info | wc -l)" = 2 ]
}

# check-backup is left to cron: nobody else looks after a backup that waits.
test_cron_looks_after_a_backup_that_waits() {
    server
    expect_status 0 bk receive-wal --create-slot main
    bk_bg receiver receive-wal main
    wait_until 20 streams
    expect_status 0 bk backup main
    sed -i 's/^status=.*/status=WAITING_FOR_WALS/' "$BK_HOME"/main/meta/*-backup.info
    pg_sql main 'create table t as select 1' 'select pg_switch_wal()' >/dev/null
    wait_until 60 it_is_done
    expect_match 'Starting check-backup for backup [0-9T]* of server main' "$T/cron.out"
}

it_is_done() {
    bk cron >>"$T/cron.out"
    grep -q '^status=DONE' "$BK_HOME"/main/meta/*-backup.info
}

#: deadline=180
test_cron_enforces_retention() {
    local old id
    server 'retention_policy = REDUNDANCY 1'
    expect_status 0 bk cron
    wait_until 20 streams
    expect_status 0 bk backup --wait main
    expect_match 'This is the first backup for server main' "$OUT"
    old=$(backups)
    pg_sql main 'create table t as select 1' 'select pg_switch_wal()' >/dev/null
    nap 1.1
    expect_status 0 bk backup --wait main
    id=$(backups | tail -n 1)
    expect_status 0 bk list-backups main
    expect_match "main $old - F - .* - OBSOLETE\$" "$OUT"
    expect_no_match "main $id .*(OBSOLETE|VALID)" "$OUT"
    expect_status 0 bk show-backup main "$id"
    expect_match 'Retention Policy +: VALID' "$OUT"
    expect_status 0 bk cron --dry-run
    expect_match "backup $old, .*: OBSOLETE under REDUNDANCY 1" "$OUT"
    expect_match 'with [0-9]+ WAL files?, .*: 0000000100000000' "$OUT"
    expect_equal "$old"$'\n'"$id" "$(backups)" 'after a dry run'
    mv "$BK_HOME/main/base/$id" "$T/aside" # what has lost its files pushes out no other
    expect_status 0 bk cron
    expect_match "Backup '$id' is an orphan backup" "$ERR"
    expect_equal "$old" "$(find "$BK_HOME/main/base" -mindepth 1 -maxdepth 1 -printf '%f')" 'good ones'
    expect_status 1 bk check main
    expect_match "backup files: FAILED .nothing is left of backup $id " "$OUT"
    expect_status 1 bk verify-backup main "$id"
    expect_match 'nothing is left of the backup but its backup.info' "$ERR"
    mv "$T/aside" "$BK_HOME/main/base/$id"
    expect_status 0 bk cron
    expect_match "Enforcing retention policy: removing backup $old for server main" "$OUT"
    expect_equal "$id" "$(backups)" 'what is left'
    expect_status 0 bk restore main latest "$T/back"
    expect_status 0 bk cron
    expect_no_match 'Enforcing|archiving' "$OUT"
    expect_no_match 'assert|BUG' "$T/barman.log"
}

# ---- a home whose disk is not there ---------------------------------------------------

# off_disk COMMAND...   barkeep where $T/fstab is /etc/fstab, and nothing is mounted; with DISK set
# something is there; with MOUNT set it is a command that mounts
# shellcheck disable=SC2016 # for the inner shell
off_disk() {
    unshare -m sh -c 'mount --bind "$1" /etc/fstab && { [ -z "$2" ] ||
        mount -t tmpfs none "$2"; } && eval "$3" && shift 3 && exec "$@"' sh "$T/fstab" \
        "${DISK:-}" "${MOUNT:-}" "$BARKEEP" -c "$BK_CONF" --batch "$@"
}

# home_at DIR [OPTION...]: a configuration with it
home_at() {
    printf '%s\n' '[barman]' "barman_home = $1" "barman_user = $(id -un)" '[main]' \
        'conninfo = host=127.0.0.1 port=1 user=u dbname=d' 'archiver = on' \
        'backup_method = postgres' "${@:2}" '[m]' 'model = true' 'cluster = main' >"$BK_CONF"
}

#: root
test_unmounted_home_is_left_alone() {
    local command
    [ -e /etc/fstab ] || skip 'no /etc/fstab here'
    mkdir "$T/disk"
    cat /etc/fstab >fstab
    echo "none $T/disk tmpfs noauto 0 0" >>fstab
    home_at "$T/disk" 'streaming_archiver = on' 'slot_name = slot'
    for command in cron 'backup main' 'archive-wal main' 'receive-wal main' 'put-wal main' \
        'rebuild-xlogdb main' 'start-copy main /nowhere' 'config-switch main m' \
        'config-switch --reset main' 'config-update []'; do
        # shellcheck disable=SC2086 # words
        expect_status 1 off_disk $command </dev/null
        expect_match "'$T/disk': nothing is mounted on this mount point" "$ERR"
        expect_match 'Mount it' "$ERR"
        expect_equal '' "$(find "$T/disk" -mindepth 1)" "written by $command"
    done
    home_at "$T/disk"
    expect_status 1 off_disk check main
    expect_match 'directories: FAILED' "$OUT"
    expect_equal '' "$(find "$T/disk" -mindepth 1)" 'written by check'
    DISK=$T/disk expect_status 0 off_disk cron

    # Where somebody keeps backups on purpose, they go on.
    mkdir -p "$T/disk/main/base/20260101T000000"
    expect_status 0 off_disk cron
    expect_equal '' "$(cat "$ERR")" 'said'
}

# What lies above, below, behind a link, over or under the mount point of the line.
#: root
test_unmounted_is_told_from_mounted() {
    [ -e /etc/fstab ] || skip 'no /etc/fstab here'
    mkdir -p "$T/up/home" "$T/real/home"
    ln -s "$T/up/home" "$T/link"
    echo "none $T/up tmpfs noauto 0 0" >fstab
    home_at "$T/up/home"
    expect_status 1 off_disk cron
    expect_match "'$T/up': nothing is mounted" "$ERR"
    MOUNT="mount -t tmpfs none $T/up/home" expect_status 0 off_disk cron
    home_at "$T/link"
    expect_status 1 off_disk cron
    expect_match "'$T/up': nothing is mounted" "$ERR"
    # A bind: the same device.
    echo "$T/real $T/up none bind 0 0" >fstab
    home_at "$T/up/home"
    expect_status 1 off_disk cron
    MOUNT="mount --bind $T/real $T/up" expect_status 0 off_disk cron
    [ -d "$T/real/home/main" ] || fail 'nothing is behind the bind'
    # Mounted, but out of sight: another one lies over it.
    echo "none $T/up/home tmpfs noauto 0 0" >fstab
    MOUNT="mount -t tmpfs none $T/up/home; mount -t tmpfs none $T/up; mkdir $T/up/home" \
        expect_status 1 off_disk cron
    expect_match "'$T/up/home': nothing is mounted" "$ERR"
    expect_equal '' "$(find "$T/up" -mindepth 2)" 'written'
}

a_cluster() {
    pg_new main
    cp -a "${PG_DATA[main]}" "$T/made"
    "${PG_BIN[main]}/pg_controldata" "${PG_DATA[main]}" |
        sed -n 's/^Database system identifier: *//p' >"$T/made.id"
}

# A copy that lies elsewhere is stopped all the same; it is dropped when it is known to be one.
#: root
test_unmounted_home_and_a_copy() {
    [ -e /etc/fstab ] || skip 'no /etc/fstab here'
    mkdir "$T/disk"
    echo "none $T/disk tmpfs noauto 0 0" >fstab
    home_at "$T/disk"
    chmod 777 "$T"
    as_postgres a_cluster
    chown -R "$(id -un)" "$T/made"
    mkdir "$T/made/.barkeep-copy"
    printf '%s\n' 'barkeep copy 1' 'server main' 'backup 20260101T000000' \
        "system $(cat "$T/made.id")" "major $(cat "$T/made/PG_VERSION")" \
        'socket /tmp/barkeep-nowhere' 'port 5432' 'tcp 0' 'when 2026-01-01 00:00:00+00' \
        'database postgres' 'user postgres' >"$T/made/.barkeep-copy/facts"
    expect_status 0 off_disk stop-copy main "$T/made"
    expect_match 'is stopped' "$OUT"
    expect_match "WARNING: This is not recorded as a job: '$T/disk': nothing is mounted" "$ERR"
    expect_status 1 off_disk promote-copy main "$T/made"
    expect_match 'the copy does not run' "$ERR"
    expect_status 1 off_disk drop-copy main "$T/made"
    expect_match "it cannot be told whether server 'main' itself has its place there" "$ERR"
    [ -e "$T/made/global/pg_control" ]
    expect_equal '' "$(find "$T/disk" -mindepth 1)" 'written'
    # A home without a backup tells nothing, one with a backup of another place does.
    DISK=$T/disk expect_status 1 off_disk drop-copy main "$T/made"
    [ -e "$T/made/global/pg_control" ]
    printf '%s\n' 'status=DONE' 'mode=postgres' 'timeline=1' 'pgdata=/srv/elsewhere' >"$T/info"
    MOUNT="mount -t tmpfs none $T/disk; mkdir -p $T/disk/main/meta $T/disk/main/base/20260101T000000
        cp $T/info $T/disk/main/meta/20260101T000000-backup.info" \
        expect_status 0 off_disk drop-copy main "$T/made"
    [ ! -e "$T/made" ]
}

# ---- several servers ------------------------------------------------------------------

# Retention of one that takes its time holds up nobody: not the receivers, not the others'.
test_cron_retention_side_by_side() {
    local name id
    printf '%s\n' '[barman]' "barman_home = $BK_HOME" "barman_user = $(id -un)" \
        "log_file = $T/barman.log" >"$BK_CONF"
    for name in a b c; do
        printf '%s\n' "[$name]" 'conninfo = host=127.0.0.1 port=1 user=u dbname=d' \
            'archiver = on' 'backup_method = postgres' 'retention_policy = REDUNDANCY 1' \
            "pre_delete_script = echo \$BARMAN_SERVER >>$T/began; until [ \$(wc -l <$T/began) = 3 ]; do sleep 0.1; echo >>$T/waits.\$BARMAN_SERVER; [ \$(wc -l <$T/waits.\$BARMAN_SERVER) -lt 100 ] || { echo \$BARMAN_SERVER >>$T/alone; break; }; done" \
            'hook_timeout = 100' >>"$BK_CONF"
        for id in 20260101T000000 20260102T000000; do
            mkdir -p "$BK_HOME/$name/meta" "$BK_HOME/$name/base/$id/data"
            printf '%s\n' 'status=DONE' 'mode=postgres' 'timeline=1' \
                'begin_wal=000000010000000000000002' 'end_wal=000000010000000000000002' \
                'end_time=2026-01-01 00:00:00.000000+00:00' >"$BK_HOME/$name/meta/$id-backup.info"
        done
    done
    expect_status 0 bk cron
    expect_equal 3 "$(grep -c '^Deleted backup 20260101T000000' "$OUT")" 'deleted'
    [ ! -e "$T/alone" ] || fail "waited in vain for the others: $(cat "$T/alone")"
    expect_equal 3 "$(find "$BK_HOME" -path '*/base/2*' -prune -print | wc -l)" 'backups left'
    expect_status 0 bk cron
    expect_equal '' "$(cat "$OUT" "$ERR")" 'said when nothing is to do'
}
