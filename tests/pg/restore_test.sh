# shellcheck shell=bash
# shellcheck disable=SC2153,SC2154 # TIME, XID and LSN are lib.sh's
# restore_test.sh - restores of real servers. A number is the row of the list of faults that
# doc/faults.md keeps.

# ---- helpers ---------------------------------------------------------------------------

# A server with traffic, its receiver, and a backup taken while rows are written.
scene() {
    pg_new main "${V:--}" "${@}"
    pg_start main
    bk_home main
    bk_receiver
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

# The end of the story: no more rows, everything received, the server killed.
lose_server() {
    pg_traffic_stop main
    bk_lose
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
    bk list-backups --minimal main | sed -n 1p
}

# ---- targets ---------------------------------------------------------------------------

#: deadline=180
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

# A server with five marks, a restore point after the third, and one transaction rolled back.
marked_scene() { # pg_new's options
    pg_new main "${V:--}" "$@"
    pg_start main
    bk_home main
    pg_sql main 'create table marks (n int primary key)'
    bk_receiver
    bk backup main
    mark 1 2 3
    pg_sql main "select pg_create_restore_point('after three')"
    XID[aborted]=$(pg_ask main <<'SQL' | tail -n 1
begin;
insert into marks values (99);
select pg_current_xact_id()::xid;
rollback;
SQL
    )
    mark 4 5
}

lands_on() { # N NAME OPTION...
    local n=$1 name=$2
    shift 2
    restored "$name" "$@"
    expect_equal "$n $n" "$(marks_of "$name")" "rows with $*"
    pg_stop "$name" immediate
    rm -rf "${T:?}/$name"
}

each_target() { # OPTION...: how WAL is fetched
    local go=(--target-action promote "$@")
    lands_on 3 t1 --target-time "${TIME[3]}" "${go[@]}"
    lands_on 2 t2 --target-time "${TIME[3]}" --exclusive "${go[@]}"
    lands_on 2 x1 --target-xid "${XID[2]}" "${go[@]}"
    lands_on 1 x2 --target-xid "${XID[2]}" --exclusive "${go[@]}"
    lands_on 2 l1 --target-lsn "${LSN[2]}" "${go[@]}"
    lands_on 3 n1 --target-name 'after three' "${go[@]}"
    lands_on 0 i1 --target-immediate "${go[@]}"
    lands_on 5 e1 --target-tli latest "$@"
}

#: deadline=300
test_restore_each_target_staged() {
    marked_scene
    bk_lose
    each_target
    lands_on 4 auto --target-time "${TIME[4]}" --target-action promote
}

#: deadline=300
test_restore_each_target_get_wal() {
    marked_scene
    bk_lose
    each_target --get-wal
    lands_on 5 all --get-wal
}

#: deadline=300 quick
test_restore_small_segments_and_compressed() {
    pg_new main "${V:--}" --segsize=1
    pg_start main
    bk_home main 'compression = gzip'
    pg_sql main 'create table marks (n int primary key)'
    bk_receiver
    bk backup main
    pg_sql main 'create table fill as select md5(i::text) from generate_series(1, 60000) i'
    mark 1 2 3
    bk_lose
    bk archive-wal main
    lands_on 3 end
    lands_on 2 time --target-time "${TIME[2]}" --target-action promote
    lands_on 2 fetched --get-wal --target-time "${TIME[2]}" --target-action promote
}

# The main path on the oldest and the newest server: backup, stream, lose it, verify, and come
# back to each kind of target.
whole_path() { # VERSION
    V=$1
    marked_scene --segsize=16
    bk_lose
    expect_status 0 bk verify-backup main latest
    each_target
}

#: deadline=300
test_restore_pg13() { whole_path 13; }
#: deadline=300
test_restore_pg18() { whole_path 18; }

#: deadline=180
test_083_084_085_086_087_090_targets_out_of_reach_or_ambiguous() {
    marked_scene
    pg_sql main "select pg_create_restore_point('after three')"
    mark 6
    bk_lose
    refused 'lies before the end of backup' --target-time "$(TZ=UTC date -d '-1 day' '+%F %T+00')"
    refused 'the last reachable commit is' --target-time "$(TZ=UTC date -d '+1 day' '+%F %T+00')"
    expect_match "transaction ${XID[6]}" "$ERR"
    refused 'is not in the WAL' --target-xid 4000000000
    refused 'was rolled back' --target-xid "${XID[aborted]}"
    refused 'is out of reach: from' --target-lsn F/0
    refused "restore point 'nobody' is not in the WAL" --target-name nobody
    # auto has no backup to offer for such a time
    BACKUP=auto
    expect_status 1 bk restore --target-time "$(TZ=UTC date -d '-1 day' '+%F %T+00')" main auto "$T/x"
    expect_match 'the earliest' "$ERR"
    # Two points of one name, an hour that the clock shows twice, a year that needs its offset.
    expect_status 0 bk restore --dry-run --target-name 'after three' main latest "$T/new"
    expect_match 'was made 2 times' "$OUT"
    TZ=Europe/Berlin expect_status 1 bk restore --dry-run --target-time '2025-10-26 02:30:00' \
        main latest "$T/new"
    expect_match 'twice: 2025-10-26 02:30:00\+02:00 and 2025-10-26 02:30:00\+01:00' "$ERR"
    TZ=Asia/Kolkata expect_status 1 bk restore --dry-run --target-time '2040-01-01 05:30:00' \
        main latest "$T/new"
    expect_match 'no offset.*2040-01-01 00:00:00\+00:00' "$OUT"
}

#: deadline=180
test_086_092_a_gap_and_damage_in_the_wal() {
    local name
    pg_new main "${V:--}" --segsize=1
    pg_start main
    bk_home main
    pg_sql main 'create table marks (n int primary key)'
    bk_receiver
    bk backup main
    mark 1
    pg_sql main 'create table fill as select md5(i::text) from generate_series(1, 60000) i'
    mark 2
    bk_lose
    bk archive-wal main
    name=$(find "$BK_HOME/main/wals" -type f -regex '.*/[0-9A-F]*' | sort | tail -n 3 | sed -n 1p)
    mv "$name" "$T/kept"
    refused "segment ${name##*/} is missing, WAL goes on at"
    refused "segment ${name##*/} is missing" --target-lsn "${LSN[2]}"
    lands_on 1 one --target-xid "${XID[1]}" --target-action promote
    # Row 92: the same segment, damaged.
    cp "$T/kept" "$name"
    printf 'xxxxxxxx' | dd of="$name" bs=1 seek=500000 conv=notrunc status=none
    refused "segment ${name##*/} is damaged"
}

#: deadline=180
test_077_078_080_081_destinations() {
    scene
    bk_bg_stop receiver || true
    mkdir "$T/full"
    touch "$T/full/.hidden"
    expect_status 1 bk restore main latest "$T/full"
    expect_match "'.hidden' is there" "$ERR"
    expect_equal .hidden "$(ls -A "$T/full")"
    expect_status 1 bk restore main latest "${PG_DATA[main]}"
    expect_match 'a server is running' "$ERR"
    expect_status 1 bk restore main latest "$BK_HOME/main/base/$(backup_id)/data"
    expect_match 'lies in the repository' "$ERR"
    expect_status 1 bk restore main latest "$BK_HOME/main/new"
    expect_match 'lies in the repository' "$ERR"
    expect_status 1 bk restore main latest ''
    expect_match 'not a usable directory name' "$ERR"
    expect_status 1 bk restore main latest "${PG_DATA[main]}/new"
    expect_match "lies in the data directory '${PG_DATA[main]}'" "$ERR"
    ln -s "$T/nowhere/at/all" "$T/dangling"
    expect_status 1 bk restore --dry-run main latest "$T/dangling/new"
    expect_match "'$T/dangling': a link that leads nowhere" "$ERR"
    touch "$T/file"
    expect_status 1 bk restore main latest "$T/file"
    expect_match 'Not a directory' "$ERR"
    pg_traffic_stop main
    # An empty directory that is there already is taken.
    mkdir "$T/empty"
    expect_status 0 bk restore main latest "$T/empty"
    restored_start copy "$T/empty"
}

#: deadline=180 small_fs=6
test_081_not_enough_room() {
    local lsn
    mkdir "$T/space"
    scene
    pg_sql main "create tablespace space location '$T/space'" \
        'create table wide tablespace space as select generate_series(1, 400000) i' >/dev/null
    lsn=$(pg_sql main 'select pg_current_wal_lsn()')
    bk backup main
    expect_status 1 bk restore main latest "$SMALL_FS/new"
    expect_match 'needed' "$ERR"
    # A tablespace that lies elsewhere, and WAL that does.
    expect_status 1 bk restore --tablespace "space:$SMALL_FS/space" main latest "$T/new"
    expect_match "the file system of '$SMALL_FS/space' has .* needed" "$ERR"
    expect_status 1 bk restore --staging-wal-directory "$SMALL_FS/wal" --target-lsn "$lsn" main oldest "$T/new"
    expect_match "the file system of '$SMALL_FS/wal' has .* needed" "$ERR"
    [ -z "$(ls "$SMALL_FS")" ] && [ ! -e "$T/new" ] || fail 'something was written'
}

#: deadline=300
test_082_killed_and_resumed() {
    local nth resumed=0
    scene
    lose_server
    for nth in 3 40 150 250 320; do
        rm -rf "$T/copy"
        ! bk_fault "open:$nth:kill" restore main latest "$T/copy" || continue
        [ ! -e "$T/copy/global/pg_control" ] || fail 'could be started'
        ! "$(pg_bin "${V:--}")/pg_ctl" -D "$T/copy" -t 5 -w start 2>/dev/null || fail 'it started'
        if [ -e "$T/copy/.barkeep-restore" ]; then
            # Another plan does not go on there.
            expect_status 1 bk restore --target-immediate main latest "$T/copy"
            expect_match 'another unfinished' "$ERR"
            # What is there is not believed.
            [ ! -e "$T/copy/PG_VERSION" ] || echo 99 >"$T/copy/PG_VERSION"
            resumed=$((resumed + 1))
        else
            rm -rf "$T/copy"
        fi
        expect_status 0 bk restore main latest "$T/copy"
        [ ! -e "$T/copy/.barkeep-restore" ]
    done
    [ "$resumed" -ge 3 ] || fail "only $resumed of the kills left something to resume"
    restored_start copy "$T/copy"
    [ "$(traffic_max copy)" -ge "$(traffic_acked main)" ]
    # Now it was started: the same command refuses.
    pg_stop copy
    expect_status 1 bk restore main latest "$T/copy"
}

#: deadline=240
test_082_no_room_and_power_cut_while_restoring() {
    scene
    lose_server
    expect_status 1 bk_fault write:30+:ENOSPC restore main latest "$T/copy"
    expect_match 'no space left on device' "$ERR"
    [ ! -e "$T/copy/global/pg_control" ]
    expect_status 1 bk_fault syncfs:1:EIO restore main latest "$T/copy"
    [ ! -e "$T/copy/global/pg_control" ]
    expect_status 0 bk restore main latest "$T/copy"
    restored_start full "$T/copy"
    pg_stop full immediate
    rm -rf "$T/copy"
    bk_powercut restore main latest "$T/copy"
    powercut
    restored_start copy "$T/copy"
    [ "$(traffic_max copy)" -ge "$(traffic_acked main)" ]
}

#: deadline=180
test_094_a_file_is_not_what_the_manifest_says() {
    local file
    scene
    lose_server
    expect_status 0 bk verify-backup main latest
    expect_match 'successfully verified' "$OUT"
    # Without the library of the checksums nothing is believed, and it is said what to install.
    mkdir "$T/lib"
    echo 'no library' >"$T/lib/libnettle.so.8"
    LD_LIBRARY_PATH=$T/lib expect_status 1 bk verify-backup main latest
    expect_match "ERROR: .*'libnettle.so.8'" "$ERR"
    expect_match '^HINT: Install nettle \(Debian: apt install libnettle8\)' "$ERR"
    LD_LIBRARY_PATH=$T/lib refused "'libnettle.so.8'"
    file=$(find "$BK_HOME/main/base/$(backup_id)/data/base" -type f -size +64k | sort | sed -n 1p)
    printf x | dd of="$file" bs=1 seek=9000 conv=notrunc status=none
    expect_status 1 bk restore main latest "$T/copy"
    expect_match "${file##*/}" "$ERR"
    [ ! -e "$T/copy/global/pg_control" ]
    expect_status 1 bk verify-backup main latest
    expect_match "checksum mismatch for file \"base/.*${file##*/}\"" "$OUT"
    # A missing file is seen before anything is copied.
    rm "$file"
    refused "${file##*/}"
    expect_status 1 bk verify-backup main latest
    expect_match "${file##*/}\" is missing" "$OUT"
}

#: deadline=240
test_095_099_odd_paths_and_absent_segments() {
    local dir="$T/it's a copy of 100%f #1;" # more than pg_ctl itself can quote: unit tests
    marked_scene
    bk_lose
    mkdir "$dir"
    expect_status 0 bk restore --target-time "${TIME[3]}" --target-action promote main latest "$dir/staged"
    restored_start staged "$dir/staged"
    pg_wait_promoted staged
    expect_equal '3 3' "$(marks_of staged)"
    [ ! -e "$dir/staged/barman_wal" ] || fail 'recovery_end_command did not find the directory'
    cp "$BK_CONF" "$dir/b.conf"
    BK_CONF=$dir/b.conf
    expect_status 0 bk restore --get-wal --target-lsn "${LSN[2]}" --target-action promote main latest "$dir/fetched"
    restored_start fetched "$dir/fetched"
    pg_wait_promoted fetched
    expect_equal '2 2' "$(marks_of fetched)"
    # Row 99: a segment that is not there is told at once, with a status that is no real fault.
    local command
    command=$(sed -n "s/^restore_command = '\(.*\)'\$/\1/p" "$dir/fetched/postgresql.auto.conf" |
        sed "s/''/'/g; s/\\\\\\\\/\\\\/g; s/%f/0000000900000000000000FF/; s/%p/\/dev\/null/; s/%%/%/g")
    SECONDS=0
    expect_status 1 sh -c "$command"
    [ "$SECONDS" -le 1 ]
}

# A segment that is there and cannot be read is not the end of the WAL: the server gives up, and goes
# on when it can be read.
test_099_a_segment_that_cannot_be_read_ends_no_recovery() {
    local file
    pg_new main - --segsize=1
    pg_start main
    bk_home main
    pg_sql main 'create table marks (n int primary key)'
    bk_receiver
    bk backup --wait main
    mark 1
    pg_sql main 'select pg_switch_wal()' >/dev/null
    mark 2
    file=$(pg_ask main "select pg_walfile_name('${LSN[2]}')")
    pg_sql main 'select pg_switch_wal()' >/dev/null
    mark 3
    bk_lose
    bk archive-wal main
    expect_status 0 bk restore --get-wal main latest "$T/copy"
    file=$BK_HOME/main/wals/${file:0:16}/$file
    chmod 000 "$file"
    pg_adopt first "$T/copy"
    ! pg_ctl_start first '-c archive_mode=off' || wait_until 10 not_running "$(head -n 1 "$T/copy/postmaster.pid")"
    expect_match "FATAL: .*could not restore file \"${file##*/}\"" "${PG_LOG[first]}"
    expect_status 126 bk get-wal main "${file##*/}"
    chmod 600 "$file"
    restored_start copy "$T/copy"
    pg_wait_promoted copy
    expect_equal '3 3' "$(marks_of copy)"
    # What is nowhere is told as ever, but not when it is only out of sight.
    expect_status 1 bk get-wal main 0000000900000000000000FF
    chmod 000 "$BK_HOME/main/wals"
    expect_status 126 bk get-wal main 0000000900000000000000FF
    chmod 700 "$BK_HOME/main/wals"
}

scene_of_96() {
    scene
    lose_server
}

copy_of_96_starts() {
    restored_start copy "$T/place/copy"
    pg_wait_promoted copy
    [ "$(traffic_max copy)" -ge "$(traffic_acked main)" ] || fail 'the last row is lost'
}

# Root restores for the owner of the place, and refuses a place of its own.
#: root deadline=180
test_096_restored_by_root() {
    as_postgres scene_of_96
    sed -i 's/^barman_user = .*/barman_user = root/' "$BK_CONF"
    mkdir "$T/place"
    expect_status 1 bk restore main latest "$T/place/copy"
    expect_match 'would belong to root' "$ERR"
    [ ! -e "$T/place/copy" ]
    chown postgres: "$T/place"
    expect_status 0 bk restore main latest "$T/place/copy"
    expect_equal '' "$(find "$T/place/copy" -not -user postgres -o -not -group postgres)" "others' files"
    as_postgres copy_of_96_starts
}

#: deadline=180
test_097_group_access_is_kept() {
    scene --initdb=--allow-group-access
    lose_server
    restored copy
    expect_equal 750 "$(stat -c %a "$T/copy")"
    expect_equal 640 "$(stat -c %a "$T/copy/global/pg_control")"
    expect_equal 750 "$(stat -c %a "$T/copy/base")"
    expect_equal '' "$(find "$T/copy" -type f -not -perm 640 -not -name 'backup_manifest.*' -o \
        -type d -not -perm 750)" 'other modes'
}

#: deadline=240
test_058_tablespaces_relocated() {
    mkdir "$T/fast one" "$T/slow"
    pg_new main
    pg_start main
    bk_home main
    pg_sql main "create tablespace fast location '$T/fast one'"
    pg_sql main "create tablespace slow location '$T/slow'"
    pg_sql main 'create table marks (n int primary key)'
    pg_sql main 'create table there tablespace fast as select generate_series(1, 5000) i'
    pg_sql main 'create table here tablespace slow as select generate_series(1, 7000) i'
    bk_receiver
    bk backup main
    mark 1
    bk_lose
    # Their old places are taken.
    refused "tablespace fast: '$T/fast one' is not empty"
    expect_status 1 bk restore --tablespace "nobody:$T/x" main latest "$T/x"
    expect_match 'which has: ' "$ERR"
    refused 'same destination' --tablespace "fast:$T/t" --tablespace "slow:$T/t"
    refused 'one inside the other' --tablespace "fast:$T/t" --tablespace "slow:$T/t/u"
    restored copy --tablespace "fast:$T/new fast" --tablespace "slow:$T/copy/slow"
    expect_equal 5000 "$(pg_ask copy 'select count(*) from there')"
    expect_equal 7000 "$(pg_ask copy 'select count(*) from here')"
    expect_equal '' "$(find "$T/new fast" "$T/copy" -name '.barkeep*')"
}

# PostgreSQL puts a tablespace that the WAL creates where the original has it: beside the live
# server the copy would write into the original's files.
test_058_tablespace_created_after_the_backup() {
    local at
    mkdir "$T/new"
    pg_new main "${V:--}"
    pg_start main
    bk_home main
    pg_sql main 'create table marks (n int primary key)'
    bk_receiver
    bk backup main
    mark 1
    pg_sql main "create tablespace new location '$T/new'" \
        'create table there tablespace new as select generate_series(1, 1000) i' >/dev/null
    mark 2 3
    caught_up
    refused "is created in the WAL, at LSN .* would write into '$T/new', where 'PG_"
    refused "would write into '$T/new'" --target-xid "${XID[2]}" --get-wal
    at=$(sed -n 's/^HINT: .*--target-lsn \([0-9A-F/]*\) --exclusive.*/\1/p' "$ERR")
    # To before it, as the hint says: nothing is in the way.
    restored before --target-lsn "$at" --exclusive --target-action promote
    expect_equal '1 1' "$(marks_of before)"
    # Gone, and empty, as on another host.
    pg_stop main
    mv "$T/new" "$T/away"
    expect_status 0 bk restore --dry-run main latest "$T/copy"
    expect_match "in '$T/new', which is not there" "$OUT"
    mkdir "$T/new"
    expect_status 0 bk restore --dry-run main latest "$T/copy"
    expect_match "PostgreSQL will put it into '$T/new'" "$OUT"
    restored copy
    expect_equal '3 3' "$(marks_of copy)"
    expect_equal 1000 "$(pg_ask copy 'select count(*) from there')"
    bk_bg_stop receiver || true
}

many_files() { # SERVER: more than anybody has by hand
    [ "$(pg_ask "$1" "select count(distinct sourcefile) from pg_settings")" -gt 66 ]
}

#: deadline=240
test_restore_configuration_outside_pgdata() {
    local etc=$T/etc name value n own="vartype in ('bool', 'integer', 'real') and
        context = 'user' and name !~ '^(transaction|seed|work_mem)'"
    pg_new main
    mkdir -p "$etc/conf.d"
    mv "${PG_DATA[main]}"/{postgresql,pg_hba,pg_ident}.conf "$etc"
    {
        echo "data_directory = '${PG_DATA[main]}'"
        echo "hba_file = '$etc/pg_hba.conf'"
        echo "ident_file = '$etc/pg_ident.conf'"
        echo "archive_mode = on"
        echo "archive_command = 'touch $T/archived/%f'"
        echo "include_dir = 'conf.d'"
    } >>"$etc/postgresql.conf"
    echo "work_mem = '7MB'" >"$etc/conf.d/more.conf"
    mkdir "$T/archived"
    "${PG_BIN[main]}/pg_ctl" -D "$etc" -l "${PG_LOG[main]}" -w -s start >/dev/null
    while IFS='|' read -r name value; do
        echo "$name = $value" >"$etc/conf.d/$name.conf"
    done < <(pg_sql main "select name, setting from pg_settings where $own")
    pg_sql main 'select pg_reload_conf()' >/dev/null
    wait_until 10 many_files main
    n=$(pg_ask main "select count(*) from pg_settings where $own and sourcefile ~ '/conf.d/'")
    bk_home main
    pg_sql main 'create table marks (n int primary key)'
    bk_receiver
    bk backup main
    mark 1 2
    bk_lose
    expect_status 0 bk restore main latest "$T/copy"
    expect_match 'postgresql.conf is the copy of' "$OUT"
    expect_match 'archive_command = false' "$OUT"
    rm -rf "$etc"
    restored_start copy "$T/copy"
    expect_equal '2 2' "$(marks_of copy)"
    expect_equal "$T/copy" "$(pg_ask copy 'show data_directory')"
    expect_equal 7MB "$(pg_ask copy 'show work_mem')"
    expect_equal "$n" "$(pg_ask copy "select count(*) from pg_settings where $own and
        sourcefile = '$T/copy/postgresql.conf'")" 'settings, each of a file of its own'
    expect_match '^archive_command = false' "$T/copy/postgresql.conf"
}

# What an included file says is not changed, but does not make the copy archive over its original.
test_restore_archives_nothing_by_an_included_file() {
    pg_new main - 'archive_mode = on' "include_dir = 'conf.d'"
    mkdir "${PG_DATA[main]}/conf.d" "$T/archived"
    echo "archive_command = 'cp %p $T/archived/%f'" >"${PG_DATA[main]}/conf.d/more.conf"
    pg_start main
    bk_home main
    bk_receiver
    bk backup main
    bk_lose
    expect_status 0 bk restore main latest "$T/copy"
    expect_match "postgresql.auto.conf line [0-9]+: archive_command = false" "$OUT"
    expect_match "postgresql.conf line [0-9]+: include_dir = 'conf.d'" "$OUT"
    expect_match archive_command "$T/copy/conf.d/more.conf"
    restored_start copy "$T/copy"
    expect_equal false "$(pg_ask copy "select setting from pg_file_settings
        where name = 'archive_command' and applied")"
}

#: deadline=300
test_088_089_093_098_promoted_copy_archives_into_the_same_repository() {
    local first
    marked_scene
    first=$(backup_id)
    bk_lose
    restored copy --target-xid "${XID[2]}" --target-action promote
    # The copy takes the server's place: same repository, timeline 2.
    sed -i "s/port=${PG_PORT[main]}/port=${PG_PORT[copy]}/g" "$BK_CONF"
    pg_sql copy "alter system reset archive_command"
    bk_receiver
    pg_sql copy 'insert into marks values (33)'
    caught_up copy
    pg_kill9 copy
    bk_bg_stop receiver || true
    BACKUP=$first
    # Row 88: the old future is still there, and so is the new one.
    restored new --target-tli latest
    expect_equal '3 33' "$(marks_of new)"
    restored old --target-tli 1
    expect_equal '5 5' "$(marks_of old)"
    refused 'timeline 1' --target-xid "${XID[5]}" --target-tli 2
    expect_match -- '--target-tli 1' "$OUT"
    # Without a word it stays on the backup's timeline, and says so.
    expect_status 0 bk restore --dry-run main "$first" "$T/x"
    expect_match 'leaves out what came later on: timeline 2' "$OUT"
    # Row 93: a history that is not there.
    refused '00000007.history' --target-tli 7
    # Row 89: a stray branch makes "latest" a question.
    printf '1\t%s\tnobody\n' "${LSN[1]}" >"$BK_HOME/main/wals/00000003.history"
    refused 'several futures: timeline 2 .*timeline 3' --target-tli latest
}

# What restore leaves in a server is in its backups; they come back all the same.
#: deadline=180
test_098_backup_of_a_restored_server() {
    local form
    marked_scene
    bk_lose
    restored copy --target-xid "${XID[2]}" --target-action promote
    sed -i "s/port=${PG_PORT[main]}/port=${PG_PORT[copy]}/g" "$BK_CONF"
    pg_sql copy "alter system reset archive_command"
    bk_receiver
    [ -e "$T/copy/.barman-recover.info" ]
    mkdir "$T/copy/barman_wal" # as long as it is a standby
    echo old >"$T/copy/barman_wal/00000002.history"
    for form in none gzip; do
        [ "$form" = none ] || echo 'backup_compression = gzip' >>"$BK_CONF"
        expect_status 0 bk backup --wait main
        expect_status 0 bk verify-backup main latest
        restored "$form"
        expect_equal '2 2' "$(marks_of "$form")" "rows of $form"
        expect_equal '' "$(ls "$T/$form/barman_wal")" 'WAL of the restore before'
    done
}

#: deadline=180
test_restore_standby_mode_and_own_files() {
    marked_scene
    expect_status 0 bk restore --standby-mode --get-wal --recovery-conf-filename mine.conf main latest "$T/copy"
    [ -e "$T/copy/standby.signal" ]
    expect_match "^restore_command = .* --batch get-wal ''main'' %f > %p'" "$T/copy/mine.conf"
    expect_no_match 'restore_command' "$T/copy/postgresql.auto.conf"
    [ -e "$T/copy/postgresql.auto.conf.origin" ]
    [ -e "$T/copy/backup_manifest.$(backup_id)" ]
    [ ! -e "$T/copy/backup_manifest" ]
    [ -e "$T/copy/.barman-recover.info" ]
    bk_bg_stop receiver || true
}

# Over all threads together, plain files, archives and WAL alike.
test_restore_bwlimit() {
    local began took form bytes
    pg_new main
    pg_start main
    bk_home main
    bk_receiver
    for form in none gzip; do
        sed -i '/^backup_compression/d' "$BK_CONF"
        [ "$form" = none ] || echo 'backup_compression = gzip' >>"$BK_CONF"
        bk backup --wait main
        began=$SECONDS
        expect_status 0 bk restore --bwlimit 3072 -j 4 main latest "$T/$form"
        took=$((SECONDS - began))
        bytes=$(du -sb --exclude pg_wal "$T/$form" | cut -f 1)
        [ "$took" -ge $((bytes / 3072 / 1024 - 1)) ] || fail "$bytes bytes in $took s"
        [ "$took" -ge 2 ] || fail "$form: not slowed down at all"
    done
}
