# shellcheck shell=bash
# backup_test.sh - base backups of real servers. The numbers are rows of the list of faults every
# backup program must stand; rows 69 and 76 (manifests and streams no server sends) are tables
# in tests/core/pg/manifest_test.c, tests/core/engine/sums_test.c and tests/core/repo.

# ---- helpers ---------------------------------------------------------------------------

# server ARG...: a started server "main" with a running receiver.
server() {
    pg_new main "$@"
    pg_start main
    bk_home main
    bk_bg receiver receive-wal main
    wait_until 20 streams
}

base() {
    printf '%s\n' "$BK_HOME/main/base"
}


field() { # field ID KEY: a value of its backup.info
    sed -n "s/^$2=//p" "$BK_HOME/main/meta/$1-backup.info"
}

expect_status_of() { # expect_status_of ID STATUS
    expect_equal "$2" "$(field "$1" status)" "status of $1"
}

# The copy is what the manifest of the server says: by the server's own tool where there is one,
# which 15 has for manifests up to 16's.
verified() {
    local data major tool
    data=$(base)/$(newest)/data
    major=$(cat "$data/PG_VERSION")
    tool=$(pg_bin "$major")/pg_verifybackup
    if [ "$major" -le 16 ] && [ ! -x "$tool" ]; then
        tool=$(pg_bin 15)/pg_verifybackup
    fi
    if [ -x "$tool" ]; then
        "$tool" -n "$data" >"$T/verify.log" 2>&1 || fail "pg_verifybackup: $(cat "$T/verify.log")"
    else
        bk verify-backup main latest >"$T/verify.log" 2>&1 ||
            fail "verify-backup: $(cat "$T/verify.log")"
    fi
}

good_backup() {
    expect_status 0 bk backup main --wait --wait-timeout 60 "$@"
    expect_status_of "$(newest)" DONE
    verified
}

begun() {
    [ -e "$(base)/$(newest)/data" ]
}

copying() { # the tree has something in it, so the server sends
    begun && [ -e "$(base)/$(newest)/data/backup_label" ]
}

fill() { # fill MB: a table of about so many
    pg_sql main "CREATE TABLE fill_$1 AS SELECT g, repeat('x', 1000) AS t
        FROM generate_series(1, $1 * 1000) g"
}

expect_failed() { # the newest backup is FAILED with a reason, its tree is there, delete takes it
    local id
    id=$(newest)
    expect_status_of "$id" FAILED
    expect_match "$1" "$(field "$id" error)"
    [ -d "$(base)/$id/data" ] || fail "the partial tree is gone"
    [ ! -e "$(base)/$id/data/backup_manifest" ] || fail "a failed backup has a manifest"
    expect_status 0 bk delete main "$id"
    [ ! -e "$(base)/$id" ] || fail "delete left the tree"
}

# ---- the main path ---------------------------------------------------------------------

main_path() { # main_path VERSION
    server "$1" --segsize=16
    mkdir "$T/ts"
    pg_sql main "CREATE TABLESPACE ts LOCATION '$T/ts'"
    pg_sql main "CREATE TABLE here AS SELECT g FROM generate_series(1, 10000) g"
    pg_sql main "CREATE TABLE there TABLESPACE ts AS SELECT g FROM generate_series(1, 10000) g"
    good_backup
    expect_match '^Starting backup using postgres method for server main in ' "$OUT"
    expect_match '^This is the first backup for server main' "$OUT"
    expect_match '^Backup start at LSN: [0-9A-F]+/[0-9A-F]+ \([0-9A-F]{24}, [0-9A-F]{8}\)' "$OUT"
    expect_match '^Backup completed \(start time: ' "$OUT"
    good_backup
    expect_no_match 'This is the first backup' "$OUT"
    expect_equal 2 "$(find "$(base)" -mindepth 1 -maxdepth 1 | wc -l)" "backups"
    [ -n "$(find "$(base)/$(newest)/data/pg_tblspc" -type l)" ] ||
        fail "no link to the tablespace"
    [ -s "$(base)/$(newest)/.barkeep/pg_settings" ] || fail "no settings saved"
}

#: quick
test_backup_main_path() { main_path -; }
#: deadline=180
test_backup_main_path_13() { main_path 13; }
#: deadline=180
test_backup_main_path_18() { main_path 18; }

test_backup_refuses_without_a_receiver() {
    pg_new main
    pg_start main
    bk_home main
    expect_status 1 bk backup main
    expect_match 'receive-wal is not running' "$ERR"
    [ -z "$(newest)" ] || fail "a backup was begun"
}

test_backup_refuses_another_cluster() {
    server
    good_backup
    bk_bg_stop receiver
    pg_stop main
    pg_new other
    pg_start other
    bk_home main "conninfo = $(pg_conninfo other)" \
        "streaming_conninfo = $(pg_conninfo other)"
    expect_status 1 bk backup main
    expect_equal 1 "$(find "$(base)" -mindepth 1 -maxdepth 1 | wc -l)" "backups"
}

test_backup_saves_configuration_outside() {
    pg_new main
    mkdir -p "$T/etc"
    mv "${PG_DATA[main]}/pg_hba.conf" "$T/etc/my_hba.conf"
    echo "hba_file = '$T/etc/my_hba.conf'" >>"${PG_DATA[main]}/postgresql.conf"
    pg_start main
    bk_home main
    bk_bg receiver receive-wal main
    wait_until 20 streams
    good_backup
    cmp "$T/etc/my_hba.conf" "$(base)/$(newest)/.barkeep/config$T/etc/my_hba.conf" ||
        fail "the file was not saved as it is"
    expect_equal "$T/etc/my_hba.conf" "$(field "$(newest)" hba_file)"
}

# From 16 on pg_hba.conf and pg_ident.conf include others.
test_backup_saves_included_auth_files() {
    local kept
    pg_new main 17
    mkdir -p "$T/etc"
    echo 'host all all 10.0.0.0/8 scram-sha-256' >"$T/etc/team_hba.conf"
    echo 'people alice bob' >"$T/etc/team_ident.conf"
    echo "include \"$T/etc/team_hba.conf\"" >>"${PG_DATA[main]}/pg_hba.conf"
    echo "include \"$T/etc/team_ident.conf\"" >>"${PG_DATA[main]}/pg_ident.conf"
    pg_start main
    bk_home main
    bk_bg receiver receive-wal main
    wait_until 20 streams
    good_backup
    kept=$(base)/$(newest)/.barkeep/auth$T/etc
    cmp "$T/etc/team_hba.conf" "$kept/team_hba.conf" || fail 'pg_hba.conf lost what it includes'
    cmp "$T/etc/team_ident.conf" "$kept/team_ident.conf" ||
        fail 'pg_ident.conf lost what it includes'
}

test_backup_syncs_file_by_file_and_sha256() {
    server
    BARKEEP_SYNC=fsync good_backup
    good_backup --manifest-checksums sha256
    grep -q '"Checksum-Algorithm": "SHA256"' "$(base)/$(newest)/data/backup_manifest" ||
        fail "the manifest has other checksums"
}

# ---- rows ------------------------------------------------------------------------------

# Files vanish, shrink and grow while they are copied; the copy recovers to something sound.
#: deadline=240
test_046_047_048_files_change_during_the_copy() {
    local i data copy=$T/copy
    server
    fill 60
    pg_sql main "CREATE TABLE sum (n int); INSERT INTO sum VALUES (0)"
    (
        for ((i = 0; ; i++)); do
            pg_sql main <<<"CREATE TABLE gone_$i AS SELECT g FROM generate_series(1, 20000) g;
                INSERT INTO gone_$i SELECT g FROM generate_series(1, 20000) g;
                DELETE FROM gone_$i; VACUUM gone_$i; UPDATE sum SET n = n + 1;"
            [ "$i" -lt 3 ] || pg_sql main "DROP TABLE gone_$((i - 3))"
        done
    ) >"$T/churn.log" 2>&1 &
    i=$!
    good_backup --bwlimit 20000
    kill "$i" || fail "the server was not busy: $(cat "$T/churn.log")"
    wait "$i" 2>/dev/null || true
    data=$(base)/$(newest)/data
    cp -a "$data" "$copy"
    touch "$copy/recovery.signal"
    cat >>"$copy/postgresql.auto.conf" <<EOC
restore_command = '$BARKEEP -c $BK_CONF get-wal main %f > %p'
recovery_target = 'immediate'
recovery_target_action = 'promote'
EOC
    restored_start copy "$copy"
    pg_wait_promoted copy
    expect_equal 60000 "$(pg_ask copy 'SELECT count(*) FROM fill_60')"
}

# A page that was added and never written is no damage, nor is a piece of one.
test_051_053_zero_page_and_no_whole_pages() {
    local odd new
    server - --initdb=-k
    pg_sql main 'CREATE TABLE odd AS SELECT 1 AS x'
    pg_sql main 'CREATE TABLE new AS SELECT 1 AS x'
    pg_sql main CHECKPOINT
    odd=$(pg_ask main "SELECT pg_relation_filepath('odd')")
    new=$(pg_ask main "SELECT pg_relation_filepath('new')")
    printf 'tail' >>"${PG_DATA[main]}/$odd"
    truncate -s +8192 "${PG_DATA[main]}/$new"
    good_backup
    expect_match "'$odd' is not a whole number of pages" "$ERR"
    cmp "${PG_DATA[main]}/$odd" "$(base)/$(newest)/data/$odd" || fail 'not copied as it is'
    cmp "${PG_DATA[main]}/$new" "$(base)/$(newest)/data/$new" || fail 'no zero page'
}

# One cluster with everything odd that may lie in a data directory, and one backup of it.
test_054_057_059_061_odd_things_in_pgdata() {
    local file name dir empty unlogged copy
    server
    pg_sql main "CREATE TABLE empty (x int)"
    empty=$(pg_ask main "SELECT pg_relation_filepath('empty')")
    : >"${PG_DATA[main]}/nothing"
    dir=${PG_DATA[main]}/odd
    mkdir "$dir"
    (
        cd "$dir" || exit
        mkdir ' d ' $'d\n' $'d\\'
        for name in ' a b' $'a\nb' 'a\b' "a'b\"" 'a=b' '#a' '[a' $'\xff\xfe' '-a' 'a;b' 'ä' '...'; do
            printf '%s' "$name" >"$name"
            printf '%s' "$name" >" d /$name"
        done
    )
    mkfifo "${PG_DATA[main]}/fifo"
    (cd "${PG_DATA[main]}" && perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "socket", Listen => 1)')
    [ -S "${PG_DATA[main]}/socket" ] || fail 'the test is wrong: no socket'
    ln -s /nowhere "${PG_DATA[main]}/dangling"
    ln -s /etc/passwd "${PG_DATA[main]}/link"
    pg_sql main "CREATE UNLOGGED TABLE u AS SELECT g FROM generate_series(1, 1000) g"
    unlogged=$(pg_ask main "SELECT pg_relation_filepath('u')")
    good_backup
    copy=$(base)/$(newest)/data
    for file in "$empty" nothing; do
        [ -f "$copy/$file" ] || fail "'$file' is missing"
        [ ! -s "$copy/$file" ] || fail "'$file' is not empty"
    done
    diff -r "$dir" "$copy/odd" || fail "not byte for byte"
    grep -q 'Encoded-Path' "$copy/backup_manifest" ||
        fail "the test is wrong: every name was UTF-8"
    for name in fifo dangling link socket; do
        expect_match "skipping special file \"..$name\"" "$ERR"
        [ ! -e "$copy/$name" ] && [ ! -L "$copy/$name" ] || fail "'$name' was copied"
    done
    [ -e "$copy/${unlogged}_init" ] || fail "no init fork"
    [ ! -e "$copy/$unlogged" ] || fail "the main fork was copied"
}

#: deadline=400
test_055_file_beyond_4_gib() {
    local size=$((4 * 1024 * 1024 * 1024 + 12345)) copy
    [ "$(df -k --output=avail "$T" | tail -n 1)" -gt $((12 * 1024 * 1024)) ] ||
        skip "needs 12 GiB of disk"
    server
    truncate -s "$size" "${PG_DATA[main]}/sparse"
    printf 'end' | dd of="${PG_DATA[main]}/sparse" bs=1 seek=$((size - 3)) conv=notrunc status=none
    expect_status 0 bk backup main --wait --wait-timeout 60
    expect_status_of "$(newest)" DONE
    copy=$(base)/$(newest)/data/sparse
    grep -q "\"sparse\", \"Size\": $size," "$(base)/$(newest)/data/backup_manifest"
    expect_equal "$size" "$(stat -c %s "$copy")"
    expect_equal end "$(tail -c 3 "$copy")"
}

test_056_long_paths() {
    local name
    server
    mkdir "${PG_DATA[main]}/d"
    name=$(printf 'n%.0s' {1..97}) # "d/" and 97 are the 99 bytes that fit
    echo fits >"${PG_DATA[main]}/d/$name"
    good_backup
    expect_equal fits "$(cat "$(base)/$(newest)/data/d/$name")"
    echo 'does not' >"${PG_DATA[main]}/d/n$name"
    expect_status 1 bk backup main
    expect_match 'too long' "$ERR"
    expect_failed 'too long'
}

# A checkpoint that is spread takes its time, and the server lists what it sends after it.
test_058_tablespaces_that_come_and_go_before_the_copy() {
    server - 'checkpoint_timeout = 30s' 'checkpoint_completion_target = 0.9' 'max_wal_size = 10GB'
    mkdir "$T/goes" "$T/comes" "$T/new"
    pg_sql main "CREATE TABLESPACE goes LOCATION '$T/goes'" CHECKPOINT
    fill 30
    sed -i 's/^immediate_checkpoint.*/immediate_checkpoint = false/' "$BK_CONF"
    bk_bg b backup --wait main
    wait_until 20 begun
    pg_sql main 'DROP TABLESPACE goes' "CREATE TABLESPACE comes LOCATION '$T/comes'" \
        'CREATE TABLE there TABLESPACE comes AS SELECT generate_series(1, 1000) i' >/dev/null
    expect_no_match '^Backup start at LSN' "$T/b.log"
    pg_sql main CHECKPOINT # hurries the other one
    wait "${BK_PID[b]}"
    expect_status 0 bk show-backup main latest
    expect_match "comes +: $T/comes \(oid: " "$OUT"
    expect_no_match "$T/goes" "$OUT"
    expect_status 0 bk verify-backup main latest
    pg_kill9 main
    rm -r "$T/comes"
    expect_status 0 bk restore main latest "$T/copy"
    restored_start copy "$T/copy"
    expect_equal 1000 "$(pg_ask copy 'select count(*) from there')"
}

test_058_tablespaces() {
    local oid data name
    server - 'allow_in_place_tablespaces = on'
    mkdir "$T/one" "$T/one1" "$T/real" "${PG_DATA[main]}/inside"
    ln -s "$T/real" "$T/chain"
    pg_sql main "CREATE TABLESPACE one LOCATION '$T/one'"
    pg_sql main "CREATE TABLESPACE one1 LOCATION '$T/one1'"
    pg_sql main "CREATE TABLESPACE \"chained 'x'\" LOCATION '$T/chain'"
    pg_sql main "CREATE TABLESPACE inside LOCATION '${PG_DATA[main]}/inside'"
    pg_sql main "CREATE TABLESPACE in_place LOCATION ''"
    for name in one one1 "chained 'x'" inside in_place; do
        pg_sql main "CREATE TABLE \"t $name\" TABLESPACE \"$name\"
            AS SELECT g FROM generate_series(1, 1000) g"
    done
    good_backup
    data=$(base)/$(newest)/data
    for name in one one1 "chained ''x''" inside; do
        oid=$(pg_ask main "SELECT oid FROM pg_tablespace WHERE spcname = '$name'")
        [ -d "$(base)/$(newest)/$oid" ] || fail "no directory of '$name'"
        expect_equal "$(base)/$(newest)/$oid" "$(readlink "$data/pg_tblspc/$oid")"
        expect_match "$oid" "$(field "$(newest)" tablespaces)"
    done
    oid=$(pg_ask main "SELECT oid FROM pg_tablespace WHERE spcname = 'in_place'")
    [ -d "$data/pg_tblspc/$oid" ] && [ ! -L "$data/pg_tblspc/$oid" ] ||
        fail "the tablespace in place is not in place"
    expect_no_match "$oid" "$(field "$(newest)" tablespaces)"
    find "$data/inside" -type f | grep -q . && fail "the nested tablespace came twice"
    true
}

test_060_097_pg_wal_elsewhere_and_group_access() {
    local copy
    server - "--initdb=--waldir=$T/wal" --initdb=-g
    [ -L "${PG_DATA[main]}/pg_wal" ] || fail "the test is wrong: pg_wal is no link"
    good_backup
    copy=$(base)/$(newest)
    [ -d "$copy/data/pg_wal" ] && [ ! -L "$copy/data/pg_wal" ] || fail "pg_wal is not a directory"
    expect_equal '' "$(find "$copy" -name '0000000*')" "WAL in the copy"
    expect_equal 750 "$(stat -c %a "$copy/data")"
    expect_equal 640 "$(stat -c %a "$copy/data/PG_VERSION")"
    expect_equal 750 "$(stat -c %a "$copy/data/base")"
}

# A spread checkpoint takes minutes here; the cancel must not wait for it.
test_062_cancel_while_waiting_for_the_checkpoint() {
    local began
    server - 'checkpoint_timeout = 1h' 'checkpoint_completion_target = 0.9' \
        'shared_buffers = 128MB'
    fill 60
    sed -i 's/^immediate_checkpoint.*/immediate_checkpoint = false/' "$BK_CONF"
    bk_bg b backup main
    wait_until 20 begun
    sleep 1
    expect_match '^Starting backup using' "$T/b.log"
    expect_no_match '^Backup start at LSN' "$T/b.log"
    # What whoever watches the job reads.
    python3 - "$BK_HOME/.barkeep/jobs" <<'END'
import glob, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(5)
s.connect(glob.glob(sys.argv[1] + "/*/sock")[0])
s.send(b"facts 0")
while b"phase=waiting for checkpoint" not in s.recv(65536):
    pass
END
    began=$SECONDS
    bk_bg_stop b TERM
    expect_equal 1 "$BK_STATUS" "exit status"
    [ $((SECONDS - began)) -le 2 ] || fail "the cancel took $((SECONDS - began)) s"
    expect_failed 'cancelled'
}

test_063_connection_lost() {
    server
    fill 60
    bk_bg b backup main --bwlimit 5000
    wait_until 30 copying
    pg_sql main "SELECT pg_terminate_backend(pid) FROM pg_stat_replication
        WHERE application_name = 'barman_streaming_backup'"
    wait "${BK_PID[b]}" && fail "a backup whose connection was cut said that it is good"
    expect_failed '.'
    good_backup
}

test_063_server_gone() {
    server
    fill 60
    bk_bg b backup main --bwlimit 5000
    wait_until 30 copying
    pg_kill9 main
    wait "${BK_PID[b]}" && fail "a backup whose server died said that it is good"
    expect_failed '.'
}

#: deadline=240
test_064_signals_at_random_points() {
    local signal id i
    server
    fill 40
    for signal in TERM INT KILL TERM KILL; do
        # INT is ignored in the background unless it is asked for.
        (trap - INT; exec "$BARKEEP" -c "$BK_CONF" --batch backup main --bwlimit 8000) \
            >"$T/b.log" 2>&1 &
        i=$!
        sleep "1.$((RANDOM % 10))"
        kill "-$signal" "$i" 2>/dev/null || true
        wait "$i" 2>/dev/null && fail "killed and yet successful"
        id=$(newest)
        [ -n "$id" ] || continue # before it had begun
        if [ "$signal" = KILL ]; then
            expect_status_of "$id" STARTED
        else
            expect_status_of "$id" FAILED
        fi
        expect_status 0 bk list-backups main
        expect_status 0 bk delete main "$id"
        [ ! -e "$(base)/$id" ] || fail "delete left the tree of $id"
    done
    good_backup
}

# FAILED, never "latest", and restored only by who accepts the damage.
test_065_damaged_page() {
    local file id
    server - --initdb=-k
    pg_sql main "CREATE TABLE bad AS SELECT g FROM generate_series(1, 10000) g"
    pg_sql main "CREATE TABLE good AS SELECT g FROM generate_series(1, 100) g"
    file=$(pg_ask main "SELECT pg_relation_filepath('bad')")
    pg_stop main
    printf 'damage' | dd of="${PG_DATA[main]}/$file" bs=1 seek=9000 conv=notrunc status=none
    pg_start main
    wait_until 30 streams
    expect_status 1 bk backup main
    expect_match 'damaged pages' "$ERR"
    id=$(newest)
    expect_status_of "$id" FAILED
    expect_match 'damaged pages' "$(field "$id" error)"
    verified # everything came, as the server has it
    expect_match "^$file	" "$(base)/$id/.barkeep/corrupt"
    wait_until 30 becomes_archived "$id"
    expect_status 1 bk restore main latest "$T/copy"
    expect_status 1 bk restore main "$id" "$T/copy"
    expect_match "damaged pages in 1 file, the first is '$file'" "$ERR"
    [ ! -e "$T/copy" ] || fail 'something was written'
    expect_status 0 bk restore --accept-corruption main "$id" "$T/copy"
    expect_match 'damaged pages in 1 file are restored' "$ERR"
    restored_start copy "$T/copy"
    expect_equal 100 "$(pg_ask copy 'SELECT count(*) FROM good')"
}

becomes_archived() { # the last WAL of that backup is
    bk archive-wal main >/dev/null
    find "$BK_HOME/main/wals" -name "$(field "$1" end_wal)" | grep -q .
}

standby() { # main's standby "copy", started; barkeep's server main looks at it
    pg_new main
    pg_start main
    "$(pg_bin)/pg_basebackup" -d "$(pg_conninfo main)" -D "$T/copy" -c fast -R >/dev/null
    pg_adopt copy "$T/copy"
    pg_start copy
    bk_home main "conninfo = $(pg_conninfo copy)" \
        "streaming_conninfo = $(pg_conninfo copy)"
    bk_bg receiver receive-wal main
    wait_until 30 streams copy
    # Into the middle of a segment that nobody switches.
    pg_sql main <<<"CREATE TABLE here (); CHECKPOINT;"
    wait_until 30 replayed
    pg_sql copy CHECKPOINT
}

replayed() {
    [ "$(pg_ask main 'SELECT pg_current_wal_lsn()')" = \
        "$(pg_ask copy 'SELECT pg_last_wal_replay_lsn()')" ]
}

becomes_done() {
    bk archive-wal main >/dev/null && bk check-backup main "$1" >/dev/null &&
        [ "$(field "$1" status)" = DONE ]
}

#: deadline=180
test_066_standby_promoted_during_the_backup() {
    standby
    fill 60
    wait_until 30 replayed
    bk_bg b backup main --bwlimit 5000
    wait_until 30 copying
    pg_sql copy 'SELECT pg_promote()'
    wait "${BK_PID[b]}" && fail "a backup over a promotion said that it is good"
    expect_failed 'promoted'
}

#: deadline=180
test_067_standby_of_an_idle_primary() {
    local id
    standby
    expect_status 0 bk backup main
    id=$(newest)
    expect_match 'BACKUP FROM: standby' "$(field "$id" backup_label)"
    expect_status_of "$id" WAITING_FOR_WALS
    expect_match 'WAITING_FOR_WALS' "$ERR"
    pg_sql main <<<'CREATE TABLE some_wal (); SELECT pg_switch_wal();'
    wait_until 60 becomes_done "$id"
    verified
}

# The primary is asked to close the segment, so the wait ends well.
test_067_primary_switches_for_its_standby() {
    standby
    sed -i "/^conninfo/a primary_conninfo = $(pg_conninfo main)" "$BK_CONF"
    expect_status 0 bk backup main --wait --wait-timeout 30
    expect_status_of "$(newest)" DONE
}

test_067_wait_ends() {
    standby
    expect_status 1 bk backup main --wait --wait-timeout 1
    expect_match 'did not arrive' "$ERR"
    expect_status_of "$(newest)" WAITING_FOR_WALS
}

becomes_checkpointed() { # the primary, after that place
    [ "$(pg_ask main 'SELECT checkpoint_lsn FROM pg_control_checkpoint()')" != "$1" ]
}

# WAL that does not come, as from an idle primary: it is made to write, once.
test_067_primary_checkpoint_timeout() {
    local before
    standby
    sed -i "/^conninfo/a primary_conninfo = $(pg_conninfo main)\nprimary_checkpoint_timeout = 1" \
        "$BK_CONF"
    before=$(pg_ask main 'SELECT checkpoint_lsn FROM pg_control_checkpoint()')
    kill -STOP "${BK_PID[receiver]}"
    bk_bg b backup main --wait --wait-timeout 60
    wait_until 40 said "$T/b.log" 'a checkpoint is forced on the primary'
    wait_until 20 becomes_checkpointed "$before"
    kill -CONT "${BK_PID[receiver]}"
    wait "${BK_PID[b]}" || fail "$(cat "$T/b.log")"
    expect_status_of "$(newest)" DONE
    expect_equal 1 "$(grep -c 'a checkpoint is forced' "$T/b.log")" 'checkpoints'
}

test_068_two_at_once() {
    server
    fill 40
    bk_bg b backup main --bwlimit 8000
    wait_until 30 copying
    expect_status 1 bk backup main
    expect_match 'Another backup process is running' "$ERR"
    wait "${BK_PID[b]}" || fail "the first one was disturbed: $(cat "$T/b.log")"
    expect_equal 1 "$(find "$(base)" -mindepth 1 -maxdepth 1 | wc -l)" "backups"
    verified
}

# One second twice, then a clock that went back an hour.
test_070_ids_never_repeat() {
    local second third
    server
    BARKEEP_NOW=1795355039 TZ=UTC expect_status 0 bk backup main
    expect_equal 20261122T134359 "$(newest)"
    BARKEEP_NOW=1795355039 TZ=UTC expect_status 0 bk backup main
    second=$(newest)
    expect_equal 20261122T134400 "$second"
    BARKEEP_NOW=1795351439 TZ=UTC expect_status 0 bk backup main
    third=$(newest)
    expect_equal 20261122T134401 "$third"
    expect_equal 3 "$(find "$(base)" -mindepth 1 -maxdepth 1 | wc -l)" "backups"
}

# What we make is ours alone, whatever the umask; where others may look, that is told.
test_108_open_to_others() {
    local found
    umask 000
    server
    good_backup
    found=$(find "$BK_HOME/main" -perm /077 ! -type l ! -name '*backup.info')
    expect_equal '' "$found" 'open to others'
    expect_no_match 'open to every user' "$ERR"
    chmod 755 "$T" "$BK_HOME" "$BK_HOME"/main{,/base}
    expect_status 0 bk backup main
    if [ "$(stat -c %A "${T%/*}" | cut -c 10)" = x ]; then
        expect_match "WARNING: directory '$BK_HOME/main/base' is open to every user" "$ERR"
    fi
}

# ---- disk ------------------------------------------------------------------------------

#: small_fs=64
test_backup_disk_full() {
    pg_new main
    pg_start main
    BK_HOME=$SMALL_FS/barman
    bk_home main "streaming_wals_directory = $T/streaming" \
        "incoming_wals_directory = $T/incoming" "wals_directory = $T/wals"
    bk_bg receiver receive-wal main
    wait_until 20 streams
    fill 80
    expect_status 1 bk backup main
    expect_match 'no space left on device' "$ERR"
    expect_failed 'no space left on device'
    pg_sql main 'DROP TABLE fill_80'
    good_backup
}

test_backup_retries() {
    local id
    server
    fill 60
    printf 'basebackup_retry_times = 1\nbasebackup_retry_sleep = 1\n' >>"$BK_CONF"
    bk_bg b backup main --bwlimit 20000
    wait_until 30 copying
    pg_sql main "SELECT pg_terminate_backend(pid) FROM pg_stat_replication
        WHERE application_name = 'barman_streaming_backup'" >"$T/killed"
    wait "${BK_PID[b]}" || fail "not tried again: $(cat "$T/b.log")"
    id=$(newest)
    expect_match 'tried again' "$T/b.log"
    expect_no_match FAILED "$(field "$id" status)"
    expect_equal 1 "$(find "$(base)" -mindepth 1 -maxdepth 1 | wc -l)" "backups"
    verified
}

# What was DONE before the power went is there afterwards, to the last byte.
#: deadline=240
test_backup_power_cut() {
    local id
    server
    fill 20
    bk_powercut backup main --wait --wait-timeout 60 >"$T/b.log" 2>&1 ||
        fail "the backup failed: $(cat "$T/b.log")"
    bk_bg_stop receiver
    powercut
    id=$(newest)
    expect_status_of "$id" DONE
    verified
}

# ---- verify-backup beside the server's own tool ------------------------------------------

flip() { printf X | dd of="$1" bs=1 seek=100 conv=notrunc status=none; }
resum() { # the manifest's own checksum, after it was changed
    local sum
    sed -i '$d' backup_manifest
    sum=$(sha256sum <backup_manifest)
    printf '"Manifest-Checksum": "%s"}\n' "${sum%% *}" >>backup_manifest
}

# What is done to data, and the words in which it is told: once.
DAMAGE='rm PG_VERSION|"PG_VERSION" is missing
rm global/1262|"global/1262" is missing
touch extra|"extra" is present on disk but not in the manifest
mkdir d && touch d/f|"d/f" is present on disk but not in the manifest
mkfifo pipe|"pipe" is not a regular file or directory
rm PG_VERSION && mkfifo PG_VERSION|"PG_VERSION" is not a regular file
flip global/1262|checksum mismatch for file "global/1262"
flip global/pg_control|checksum mismatch for file "global/pg_control"
echo >>PG_VERSION|"PG_VERSION" has 4 bytes instead of 3
flip ../*/PG*/*/*|checksum mismatch for file "pg_tblspc/
cp PG_VERSION ../[0-9]*/PG*/|/PG_VERSION" is present on disk but not in the manifest
rm ../[0-9]*/PG*/*/*|" is missing
truncate -s -99 backup_manifest|ends inside a string
rm backup_manifest|no backup_manifest
sed -i s/PG_VERSION/PG_VERSIOM/ backup_manifest|its own checksum is wrong
sed -i s/PG_VERSION/PG_VERSIOM/ backup_manifest; resum|"PG_VERSIOM" is missing
sed -i s,PG_VERSION,../x, backup_manifest; resum|does not stay below
mkdir d|
touch pg_wal/000000010000000000000001|
touch recovery.signal standby.signal|'

#: deadline=240
test_verify_backup_beside_pg_verifybackup() {
    local dir tool damage words status
    tool=$(pg_bin)/pg_verifybackup
    pg_new main - && pg_start main
    mkdir space
    pg_sql main "create tablespace t location '$T/space'" 'create table u tablespace t as select 1 n'
    bk_home main
    bk_receiver
    expect_status 0 bk backup --wait main
    dir=$(base)/$(newest)
    cp -a "$dir" good
    while IFS='|' read -r damage words; do
        rm -rf "$dir"
        cp -a good "$dir"
        (cd "$dir/data" && eval "$damage")
        status=0
        "$tool" -n "$dir/data" >theirs 2>&1 || status=$?
        expect_equal "$([ -z "$words" ] && echo 0 || echo 1)" "$status" "what pg_verifybackup says after $damage"
        expect_status "$status" bk verify-backup main latest
        [ -z "$words" ] || expect_equal 1 "$(cat "$OUT" "$ERR" | grep -cF -- "$words")" \
            "how often '$words' is told after $damage"
    done <<<"$DAMAGE"
    # A good backup under the name of another cluster's.
    rm -rf "$dir"
    cp -a good "$dir"
    sed -i 's/Manifest-Version": 1,/Manifest-Version": 2,\n"System-Identifier": 77,/' \
        "$dir/data/backup_manifest"
    (cd "$dir/data" && resum)
    expect_status 1 bk verify-backup main latest
    expect_match 'is of a cluster with the system identifier 77, backup.info of one with' "$OUT"
}
