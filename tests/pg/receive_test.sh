# shellcheck shell=bash
# receive_test.sh - receive-wal on live servers. A number in a name is the row of the list of
# faults that must be survived.

# ---- helpers ---------------------------------------------------------------------------

receiver_start() {
    bk_bg receiver receive-wal main
}

# Under the shim, as a process whose id we have (a function in the background has its own).
receiver_start_shimmed() {
    [ -e "${BARKEEP_FAULT_LIB:-}" ] || fail "no fault shim was built beside $BARKEEP"
    env ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" LD_PRELOAD="$BARKEEP_FAULT_LIB" \
        "$1" "$BARKEEP" -c "$BK_CONF" --batch receive-wal main >"$T/receiver.log" 2>&1 &
    BK_PID["receiver"]=$!
}

receiver_kill9() {
    bk_bg_stop receiver KILL
}

# The flush position that the server was told by our receiver, as a number; 0: none.
told() {
    pg_ask "$1" "select coalesce(max(flush_lsn - '0/0'), 0) from pg_stat_replication
        where application_name = 'barman_receive_wal'"
}

is_streaming() {
    [ "$(told "$1")" != 0 ]
}

current_lsn() {
    pg_ask "$1" 'select pg_current_wal_flush_lsn()'
}

wal_of() { # SERVER NAME: its path in archive or streaming
    find "$BK_HOME/$1/wals" "$BK_HOME/$1/streaming" -name "$2" -print -quit
}

# Every segment that we hold of the server is byte for byte the server's own; how many.
same_as_server() {
    local name=$1 file base n=0
    while read -r file; do
        base=${file##*/}
        if [ -e "${PG_DATA[$name]}/pg_wal/$base" ]; then
            cmp "$file" "${PG_DATA[$name]}/pg_wal/$base" || fail "$base differs from the server's"
            n=$((n + 1))
        fi
    done < <(find "$BK_HOME/$name/wals" "$BK_HOME/$name/streaming" -regex '.*/[0-9A-F]*' -type f)
    printf '%s\n' "$n"
}

# Segments of timeline 1 in the archive and streaming have no hole (1 MB segments).
no_hole() {
    local last='' no
    while read -r no; do
        no=$((16#${no:8:8} * 4096 + 16#${no:16:8}))
        [ -z "$last" ] || [ "$no" = $((last + 1)) ] || fail "segment $no comes after $last"
        last=$no
    done < <(find "$BK_HOME/$1/wals" "$BK_HOME/$1/streaming" -regex '.*/00000001[0-9A-F]*\(.partial\)?' \
        -type f -printf '%f\n' | cut -c 1-24 | sort -u)
}

keeps_all() { # a server whose own copies stay for comparison
    pg_new "$1" - --segsize=1 'wal_keep_size = 2GB' 'max_wal_size = 2GB' "${@:2}"
    pg_start "$1"
    bk_home "$1"
}

partial_of() {
    find "$BK_HOME/$1/streaming" -name '*.partial' -printf '%f\n' | sort | tail -n 1
}

# ---- slots, start, stop ----------------------------------------------------------------

#: quick
test_receive_slot_create_and_drop() {
    pg_new main && pg_start main
    bk_home main 'create_slot = manual'
    expect_status 1 bk receive-wal main
    expect_match 'does not exist' "$ERR"
    expect_status 0 bk receive-wal --create-slot main
    expect_match "Replication slot 'barman' created" "$OUT"
    expect_equal t "$(pg_ask main "select restart_lsn is not null from pg_replication_slots")"
    expect_status 1 bk receive-wal --create-slot main
    expect_match 'already exists' "$ERR"
    expect_status 0 bk receive-wal --create-slot --if-not-exists main
    receiver_start
    wait_until 20 is_streaming main
    expect_status 1 bk receive-wal --drop-slot main
    expect_match 'in use' "$ERR"
    expect_status 1 bk receive-wal main
    expect_match 'already running' "$ERR"
    expect_status 0 bk receive-wal --stop main
    expect_match 'Stopped process receive-wal\([0-9]+\)' "$OUT"
    expect_status 1 bk receive-wal --stop main
    # What a script starts in the background ignores SIGINT.
    (trap '' INT && exec "$BARKEEP" -c "$BK_CONF" receive-wal main) >"$T/deaf.log" 2>&1 &
    wait_until 20 is_streaming main
    expect_status 0 bk receive-wal --stop main
    expect_status 0 bk receive-wal --drop-slot main
    expect_status 1 bk receive-wal --drop-slot main
    expect_match 'does not exist' "$ERR"
    expect_equal '' "$(pg_ask main 'select slot_name from pg_replication_slots')"
    # It is made also while only the connection for replication comes about (15 can ask over it).
    sed -i -e 's/^create_slot.*/create_slot = auto/' -e "s/^conninfo.*/conninfo = host=127.0.0.1 port=1/" "$BK_CONF"
    receiver_start
    if [ "${V:-15}" -ge 15 ]; then
        wait_until 20 is_streaming main
        expect_match "Replication slot 'barman' created" "$T/receiver.log"
    fi
}

# A finished segment goes to the archive at once, also when nothing follows it.
test_receive_idle_segment_is_archived() {
    local segment
    keeps_all main
    receiver_start
    wait_until 20 is_streaming main
    segment=$(pg_ask main 'create table t(i int); select pg_walfile_name(pg_switch_wal())')
    wait_until 20 test -e "$BK_HOME/main/wals/${segment:0:16}/$segment"
    expect_match "^$segment" "$BK_HOME/main/wals/main-xlog.db"
    [ ! -e "$BK_HOME/main/streaming/$segment" ] || fail "$segment is still in streaming"
    caught_up main
    bk_bg_stop receiver TERM
    expect_equal 0 "$BK_STATUS" 'status after SIGTERM'
    expect_equal "$(stat -c %s "$BK_HOME/main/streaming/$(partial_of main)")" 1048576
    [ "$(same_as_server main)" -ge 1 ] || fail 'nothing to compare'
}

# A filter that hangs keeps segments out of the archive, but no commit waiting and no WAL on the
# server alone.
test_receive_goes_on_while_the_archiver_hangs() {
    keeps_all main "synchronous_standby_names = 'barman_receive_wal'"
    printf '%s\n' 'compression = custom' 'custom_compression_filter = sleep 1001' \
        'custom_decompression_filter = cat' 'custom_compression_magic = 0x123456' >>"$BK_CONF"
    receiver_start
    wait_until 20 is_streaming main
    PGOPTIONS='-c statement_timeout=30s' pg_sql main 'create table t(i int)' >/dev/null
    for _ in {1..80}; do
        pg_sql main 'insert into t values (1)' 'select pg_switch_wal()' >/dev/null
    done
    caught_up main
    [ "$(find "$BK_HOME/main/streaming" -type f | wc -l)" -ge 80 ] || fail 'segments are missing'
    expect_equal 1 "$(grep -c 'WAL comes faster than it is archived' "$T/receiver.log")" 'warnings'
    bk_bg_stop receiver TERM
    expect_equal 0 "$BK_STATUS" 'status after SIGTERM'
    sed -i '/^custom_\|^compression/d' "$BK_CONF"
    expect_status 0 bk archive-wal main
    no_hole main
    [ "$(same_as_server main)" -ge 80 ] || fail 'segments are missing'
}

# The server waits for us: a commit returns as soon as it is synced here.
#: quick
test_receive_synchronous_commit() {
    local before after
    keeps_all main "synchronous_standby_names = 'barman_receive_wal'"
    pg_sql main "set synchronous_commit = local; create table t(i int)"
    receiver_start
    wait_until 20 is_streaming main
    expect_equal sync "$(pg_ask main 'select sync_state from pg_stat_replication')"
    before=$(date +%s%N)
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        echo 'insert into t values (1);'
    done | pg_sql main -f-
    after=$(date +%s%N)
    [ $((after - before)) -lt 1500000000 ] ||
        fail "ten synchronous commits took $(((after - before) / 1000000)) ms"
    expect_equal 10 "$(pg_ask main 'select count(*) from t')"
}

# The largest distance, in bytes, between what the server has sent us and what we told as durable;
# looked at by the server itself, which need not start a process each time.
most_behind() { # SERVER SAMPLES
    # shellcheck disable=SC2016 # the quotes of SQL
    pg_sql "$1" 'create function most_behind(samples int) returns bigint language plpgsql as $$
        declare
            most bigint := 0;
            lag bigint;
        begin
            for i in 1 .. samples loop
                perform pg_sleep(0.02), pg_stat_clear_snapshot();
                select coalesce(max(sent_lsn - flush_lsn), 0) into lag from pg_stat_replication
                    where application_name = $a$barman_receive_wal$a$;
                most := greatest(most, lag);
            end loop;
            return most;
        end $$'
    pg_ask "$1" "select most_behind($2)"
}

# Nobody waits for us: what was sent is durable within a second under a trickle, and never more
# than 4 MB behind under load. What the sockets hold the server counts as sent too: those of a
# local connection hold little.
#: deadline=180
test_receive_behind_is_bounded() {
    local lsn most
    keeps_all main
    sed -i "s|^streaming_conninfo = host=127.0.0.1|streaming_conninfo = host=$PG_SOCK|" "$BK_CONF"
    pg_sql main "create table t(i int, filler text)"
    receiver_start
    wait_until 20 is_streaming main
    caught_up main
    for _ in 1 2 3 4 5; do
        lsn=$(pg_ask main "insert into t values (1)" "select pg_current_wal_flush_lsn()")
        sleep 1
        received main "$lsn" || fail "$lsn is not durable after a second"
    done
    pg_load_start main
    most=$(most_behind main 60)
    pg_load_stop main
    [ "$most" -gt 0 ] || fail 'no load was seen'
    [ "$most" -le $((5 * 1024 * 1024)) ] || fail "$most bytes were sent and not durable"
    caught_up main
    bk_bg_stop receiver TERM
    no_hole main
    [ "$(same_as_server main)" -ge 1 ] || fail 'nothing to compare'
}

# A server that begins to wait for us while we stream: a commit takes at most the time that we
# leave WAL unsynced when nobody waits, not a status interval.
test_receive_becomes_synchronous() {
    local before after
    keeps_all main
    pg_sql main "create table t(i int)"
    receiver_start
    wait_until 20 is_streaming main
    caught_up main
    pg_sql main "alter system set synchronous_standby_names = 'barman_receive_wal'" \
        'select pg_reload_conf()' >/dev/null
    wait_until 10 is_sync main
    before=$(date +%s%N)
    for _ in 1 2 3 4 5; do
        echo 'insert into t values (1);'
    done | pg_sql main -f-
    after=$(date +%s%N)
    [ $((after - before)) -lt 3000000000 ] ||
        fail "five commits took $(((after - before) / 1000000)) ms"
}

# ... and after a few commits that waited so, it has noticed, on the same connection.
test_receive_notices_that_it_is_waited_for() {
    local before after pid
    keeps_all main
    pg_sql main "create table t(i int)"
    receiver_start
    wait_until 20 is_streaming main
    caught_up main
    pid=$(pg_ask main 'select pid from pg_stat_replication')
    pg_sql main "alter system set synchronous_standby_names = 'barman_receive_wal'" \
        'select pg_reload_conf()' >/dev/null
    wait_until 10 is_sync main
    for _ in 1 2 3 4 5 6; do
        echo 'insert into t values (1);'
    done | pg_sql main -f-
    sleep 1
    before=$(date +%s%N)
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        echo 'insert into t values (1);'
    done | pg_sql main -f-
    after=$(date +%s%N)
    [ $((after - before)) -lt 1500000000 ] ||
        fail "ten commits took $(((after - before) / 1000000)) ms"
    expect_equal "$pid" "$(pg_ask main 'select pid from pg_stat_replication')" 'connection'
}

is_sync() {
    [ "$(pg_ask "$1" 'select sync_state from pg_stat_replication')" = sync ]
}

# ---- damage on the server's own disk: told by the receiver, found by the plan -----------

receiver_told() { grep -q "is damaged" "$T/receiver.log"; }

test_receive_damaged_wal() {
    local name
    keeps_all main
    bk_receiver
    bk backup main >/dev/null
    caught_up main
    bk_bg_stop receiver TERM
    pg_sql main 'create table fill as select md5(i::text) from generate_series(1, 60000) i'
    name=$(pg_ask main 'select pg_walfile_name(pg_current_wal_insert_lsn() - 2 * 1024 * 1024)')
    printf 'xxxxxxxx' | dd of="${PG_DATA[main]}/pg_wal/$name" bs=1 seek=500000 conv=notrunc status=none
    pg_sql main 'select pg_switch_wal()' >/dev/null
    receiver_start
    wait_until 30 receiver_told
    caught_up main
    expect_match "WAL file '$name' of server main is damaged" "$T/receiver.log"
    expect_equal 1 "$(grep -c 'is damaged' "$T/receiver.log")" 'segments told'
    cmp "${PG_DATA[main]}/pg_wal/$name" "$(wal_of main "$name")"
    bk check main >"$T/check" || true
    expect_match "WAL records: FAILED \($name is damaged: " "$T/check"
    expect_status 1 bk restore --dry-run main latest "$T/dest"
    expect_match "segment $name is damaged" "$OUT"
}

# ---- B. Streaming receiver -------------------------------------------------------------

#: deadline=180
test_031_killed_four_times_under_load() {
    keeps_all main
    pg_load_start main -R 60 # three segments a second
    for _ in 1 2 3 4; do
        receiver_start
        wait_until 20 is_streaming main
        nap 1
        receiver_kill9
    done
    receiver_start
    wait_until 20 is_streaming main
    pg_load_stop main
    caught_up main
    pg_sql main 'select pg_switch_wal()' >"$OUT"
    caught_up main
    bk_bg_stop receiver
    expect_equal 0 "$BK_STATUS"
    no_hole main
    [ "$(same_as_server main)" -ge 5 ] || fail 'too few segments to compare'
}

# What was told as flushed survives the power, whatever was not synced is taken back.
#: deadline=180
test_032_power_cut_after_flush_was_told() {
    local flushed file seg partial
    keeps_all main
    receiver_start_shimmed BARKEEP_POWERCUT="$T/powercut"
    wait_until 20 is_streaming main
    pg_load_start main -R 60
    nap 2
    kill -STOP "${BK_PID["receiver"]}"
    flushed=$(pg_ask main "select flush_lsn from pg_stat_replication")
    bk_bg_stop receiver KILL
    pg_load_stop main
    powercut
    seg=$(pg_ask main "select pg_walfile_name('$flushed')")
    [ "$(same_as_server main)" -ge 1 ] || fail 'nothing to compare'
    no_hole main
    file=$(wal_of main "$seg*")
    [ -n "$file" ] || fail "segment $seg, told up to $flushed, is gone"
    partial=$(pg_ask main "select ('$flushed'::pg_lsn - '0/0') % (1024 * 1024)")
    cmp -n "$partial" "$file" "${PG_DATA[main]}/pg_wal/$seg" ||
        fail "$file does not hold what was told: $flushed"
}

# WAL removed: a hole is written down once, the error is clear, and it does not loop.
test_035_wal_already_removed() {
    pg_new main - --segsize=1 'wal_keep_size = 0' 'max_wal_size = 2MB' 'min_wal_size = 2MB'
    pg_start main
    bk_home main
    receiver_start
    wait_until 20 is_streaming main
    caught_up main
    bk_bg_stop receiver
    bk receive-wal --drop-slot main
    pg_sql main 'create table t as select generate_series(1, 200000) i; checkpoint' \
        'select pg_switch_wal(); checkpoint; select pg_switch_wal(); checkpoint' >"$OUT"
    bk receive-wal --create-slot main
    expect_status 1 timeout 30 "$BARKEEP" -c "$BK_CONF" --batch receive-wal main
    expect_match 'lost' "$ERR"
    expect_match '^hole	1	0/' "$BK_HOME/main/.barkeep/wal-notes"
    expect_status 1 timeout 30 "$BARKEEP" -c "$BK_CONF" --batch receive-wal main
    expect_equal 1 "$(wc -l <"$BK_HOME/main/.barkeep/wal-notes")" 'notes'
    expect_status 0 bk receive-wal --reset main
    expect_match 'Creating status file' "$OUT"
    expect_status 0 bk receive-wal --reset main
    expect_match 'Nothing to do' "$OUT"
    receiver_start
    wait_until 20 is_streaming main
    caught_up main
    bk_bg_stop receiver
    expect_equal 0 "$BK_STATUS"
}

test_036_slot_missing_or_invalidated() {
    pg_new main - --segsize=1 'wal_keep_size = 0' 'max_wal_size = 2MB' 'min_wal_size = 2MB' \
        'max_slot_wal_keep_size = 1MB'
    pg_start main
    bk_home main 'create_slot = manual'
    bk receive-wal --create-slot main
    receiver_start
    wait_until 20 is_streaming main
    caught_up main
    bk_bg_stop receiver
    pg_sql main 'create table t as select generate_series(1, 300000) i' \
        'checkpoint' 'select pg_switch_wal()' 'checkpoint' >"$OUT"
    expect_equal lost "$(pg_ask main 'select wal_status from pg_replication_slots')"
    expect_status 1 timeout 30 "$BARKEEP" -c "$BK_CONF" --batch receive-wal main
    expect_match 'invalidated.*is lost' "$ERR"
    expect_match '^hole	1	' "$BK_HOME/main/.barkeep/wal-notes"
    pg_sql main "select pg_drop_replication_slot('barman')"
    expect_status 1 timeout 30 "$BARKEEP" -c "$BK_CONF" --batch receive-wal main
    expect_match 'does not exist.*is lost' "$ERR"
    expect_equal '' "$(pg_ask main 'select slot_name from pg_replication_slots')" 'slot'
}

# 18 gives up a slot that nobody used for a while.
test_036_slot_idle_for_too_long() {
    pg_new main 18 --segsize=1 'idle_replication_slot_timeout = 1s'
    pg_start main
    bk_home main 'create_slot = manual'
    bk receive-wal --create-slot main
    sleep 1.5
    pg_sql main 'create table t (i int)' 'checkpoint' >/dev/null
    expect_equal idle_timeout "$(pg_sql main 'select invalidation_reason from pg_replication_slots')"
    expect_status 1 timeout 30 "$BARKEEP" -c "$BK_CONF" --batch receive-wal main
    expect_match 'invalidated: idle_timeout' "$ERR"
    bk check main >"$OUT" || true
    expect_match "replication slot: FAILED .*invalidated: idle_timeout" "$OUT"
    expect_equal barman "$(pg_sql main 'select slot_name from pg_replication_slots')" 'slot'
}

test_037_slot_in_use() {
    local pid
    pg_new main && pg_start main
    bk_home main
    bk receive-wal --create-slot main
    "$(pg_bin)/pg_receivewal" -D "$(mkdir "$T/other" && echo "$T/other")" -S barman \
        -d "$(pg_conninfo main)" 2>"$T/other.log" &
    local other=$!
    wait_until 20 test "$(pg_ask main "select active from pg_replication_slots")" != ''
    wait_until 20 slot_is_active main
    pid=$(pg_ask main 'select active_pid from pg_replication_slots')
    receiver_start
    wait_until 20 grep -q "in use by the server's process $pid" "$T/receiver.log"
    kill "$other"
    wait_until 30 is_streaming main
    bk_bg_stop receiver
    expect_equal 0 "$BK_STATUS"
}

slot_is_active() {
    [ "$(pg_ask "$1" 'select active from pg_replication_slots')" = t ]
}

# standby_of NAME NEW ['conf = line']...: made with pg_basebackup.
standby_of() {
    "$(pg_bin)/pg_basebackup" -D "$T/pg_$2" -d "$(pg_conninfo "$1")" -R -c fast -X stream
    pg_adopt "$2" "$T/pg_$2"
    printf '%s\n' "port = ${PG_PORT[$2]}" "listen_addresses = '127.0.0.1'" "${@:3}" \
        >>"$T/pg_$2/postgresql.conf"
    pg_start "$2"
}

promote() {
    pg_sql "$1" 'select pg_promote()' >"$OUT"
    pg_wait_promoted "$1"
}

# Our receiver streams from a standby that is promoted under it.
test_038_promotion_while_streaming() {
    local at seg
    keeps_all first
    standby_of first main
    bk_home main
    bk receive-wal --create-slot main
    receiver_start
    wait_until 20 is_streaming main
    pg_sql first 'create table t as select generate_series(1, 50000) i'
    nap 1
    promote main
    wait_until 30 said "$T/receiver.log" 'switched to timeline 2'
    pg_sql main 'insert into t values (1); select pg_switch_wal()' >"$OUT"
    caught_up main
    bk_bg_stop receiver
    expect_equal 0 "$BK_STATUS"
    cmp "$(wal_of main 00000002.history)" "$T/pg_main/pg_wal/00000002.history"
    at=$(cut -f 2 "$T/pg_main/pg_wal/00000002.history" | sed -n 1p)
    seg=$(pg_ask main "select substr(pg_walfile_name('$at'), 9)")
    [ -n "$(wal_of main "00000001$seg.partial")" ] || fail "00000001$seg.partial is not kept"
    [ -z "$(wal_of main "00000001$seg")" ] || fail "00000001$seg was given its final name"
    [ -n "$(wal_of main "00000002$seg")" ] || fail "00000002$seg is not there"
    [ "$(same_as_server main)" -ge 1 ] || fail 'nothing to compare'
}

# Timeline 2 is somebody else's, as the archive knows: the server goes from 1 to 3.
test_039_next_timeline_is_not_the_next_number() {
    keeps_all first
    mkdir "$T/archive"
    printf '1\t0/3000000\tno recovery target specified\n' >"$T/archive/00000002.history"
    standby_of first main "restore_command = 'cp $T/archive/%f %p'" \
        "recovery_target_timeline = 'current'"
    bk_home main
    bk receive-wal --create-slot main
    receiver_start
    wait_until 20 is_streaming main
    pg_sql first 'create table t as select generate_series(1, 20000) i'
    nap 1
    promote main
    expect_equal 00000003 "$(pg_ask main 'select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)')"
    wait_until 30 said "$T/receiver.log" 'switched to timeline 3'
    pg_sql main 'insert into t values (1); select pg_switch_wal()' >"$OUT"
    caught_up main
    bk_bg_stop receiver
    expect_equal 0 "$BK_STATUS"
    [ -n "$(wal_of main 00000003.history)" ] || fail 'no history of timeline 3'
    [ -z "$(wal_of main 00000002.history)" ] || fail 'a history of timeline 2'
    [ "$(same_as_server main)" -ge 1 ] || fail 'nothing to compare'
}

# Promoted twice while we were away: the way leads over 2 to 3, the histories come first.
test_039_promoted_twice_while_away() {
    keeps_all first
    standby_of first second
    standby_of second main
    bk_home main
    bk receive-wal --create-slot main
    receiver_start
    wait_until 20 is_streaming main
    bk_bg_stop receiver
    pg_sql first 'create table t as select generate_series(1, 20000) i'
    nap 1
    promote second
    pg_sql second 'insert into t values (1); select pg_switch_wal()' >"$OUT"
    wait_until 20 on_timeline_2 main
    promote main
    pg_sql main 'insert into t values (1); select pg_switch_wal()' >"$OUT"
    receiver_start
    wait_until 30 said "$T/receiver.log" 'switched to timeline 2'
    wait_until 30 said "$T/receiver.log" 'switched to timeline 3'
    caught_up main
    bk_bg_stop receiver
    expect_equal 0 "$BK_STATUS"
    cmp "$(wal_of main 00000002.history)" "$T/pg_main/pg_wal/00000002.history"
    cmp "$(wal_of main 00000003.history)" "$T/pg_main/pg_wal/00000003.history"
    [ "$(same_as_server main)" -ge 1 ] || fail 'nothing to compare'
}

on_timeline_2() {
    [ "$(pg_ask "$1" 'select received_tli from pg_stat_wal_receiver')" = 2 ] &&
        [ "$(pg_ask "$1" "select count(*) from t")" = 20001 ]
}

test_040_another_cluster_behind_the_address() {
    local port
    pg_new main && pg_start main
    bk_home main
    receiver_start
    wait_until 20 is_streaming main
    caught_up main
    pg_stop main
    pg_new other
    port=${PG_PORT[main]}
    PG_PORT[other]=$port
    pg_start other
    wait_until 60 not_running "${BK_PID["receiver"]}"
    bk_bg_stop receiver
    expect_equal 1 "$BK_STATUS"
    expect_match 'another cluster|system identifier' "$T/receiver.log"
    expect_equal 1 "$(find "$BK_HOME/main/streaming" -name '*.partial' | wc -l)" 'partial files'
}

# We hold more than the server, which then writes something else there.
test_041_server_lost_wal_that_we_have() {
    local partial aside offset
    keeps_all main
    receiver_start
    wait_until 20 is_streaming main
    caught_up main
    bk_bg_stop receiver
    partial=$(partial_of main)
    offset=$(pg_ask main "select (pg_current_wal_flush_lsn() - '0/0') % (1024 * 1024)")
    head -c 400000 /dev/zero | tr '\0' 'x' |
        dd of="$BK_HOME/main/streaming/$partial" bs=1 seek="$offset" conv=notrunc status=none
    cp "$BK_HOME/main/streaming/$partial" "$T/what_we_had"
    receiver_start
    wait_until 20 is_streaming main
    pg_sql main 'create table t as select generate_series(1, 3000) i'
    wait_until 20 said "$T/receiver.log" 'was moved to'
    wait_until 20 is_streaming main
    caught_up main
    bk_bg_stop receiver
    expect_equal 0 "$BK_STATUS"
    aside=$(find "$BK_HOME/main/errors" -name "$partial.*.diverged")
    expect_match '^diverged	1	' "$BK_HOME/main/.barkeep/wal-notes"
    [ -n "$aside" ] || fail 'nothing was set aside'
    cmp "$aside" "$T/what_we_had" || fail 'what we had was changed'
    cmp -n $((16#${CAUGHT_UP#*/} % (1024 * 1024))) "$BK_HOME/main/streaming/$partial" \
        "${PG_DATA[main]}/pg_wal/${partial%.partial}" ||
        fail 'what the server has now is not what we have'
    bk check main >"$T/check" || true
    expect_match 'archiver errors: FAILED' "$T/check"
}

# A server that asks is answered at once, and never with 0.
test_042_keepalive_is_answered() {
    pg_new main - 'wal_sender_timeout = 2s' && pg_start main
    bk_home main
    receiver_start
    wait_until 20 is_streaming main
    for _ in 1 2 3 4 5 6 7 8; do
        nap 0.5
        is_streaming main || fail 'flush position 0 was told, or the connection is gone'
    done
    expect_no_match 'terminating walsender' "${PG_LOG[main]}"
    bk_bg_stop receiver
    expect_equal 0 "$BK_STATUS"
}

# The disk does not answer for longer than wal_sender_timeout: the connection stays.
#: deadline=120
test_043_disk_stalls_longer_than_wal_sender_timeout() {
    local pid told_before
    keeps_all main 'wal_sender_timeout = 2s'
    receiver_start_shimmed BARKEEP_FAULT=fdatasync:3:stall:/streaming/
    wait_until 20 is_streaming main
    pid=$(pg_ask main 'select pid from pg_stat_replication')
    pg_sql main 'create table t as select generate_series(1, 2000) i'
    nap 0.5
    pg_sql main 'create table u as select generate_series(1, 2000) i'
    nap 0.5
    pg_sql main 'create table v as select generate_series(1, 200000) i'
    nap 1
    told_before=$(told main)
    nap 3 # the disk stands still, twice as long as the server would wait
    expect_equal "$told_before" "$(told main)" 'flush position during the stall'
    expect_equal "$pid" "$(pg_ask main 'select pid from pg_stat_replication')" 'walsender'
    caught_up main
    expect_equal "$pid" "$(pg_ask main 'select pid from pg_stat_replication')" 'walsender'
    expect_no_match 'terminating walsender' "${PG_LOG[main]}"
    bk_bg_stop receiver
    expect_equal 0 "$BK_STATUS"
    [ "$(same_as_server main)" -ge 5 ] || fail 'too few segments to compare'
}

# A failed sync is final: the file is set aside and comes again as a new one.
test_043_failed_sync_is_not_believed() {
    keeps_all main
    receiver_start_shimmed BARKEEP_FAULT=fdatasync:1:EIO:/streaming/
    wait_until 30 not_running "${BK_PID["receiver"]}"
    bk_bg_stop receiver
    expect_equal 1 "$BK_STATUS"
    expect_match 'unsynced' "$T/receiver.log"
    expect_equal 1 "$(find "$BK_HOME/main/errors" -name '*.unsynced' | wc -l)" 'files set aside'
    receiver_start
    wait_until 20 is_streaming main
    caught_up main
    bk_bg_stop receiver
    expect_equal 0 "$BK_STATUS"
}

# Disk full: nothing more is acknowledged, and it goes on by itself when there is room again.
#: deadline=180 small_fs=24
test_044_disk_full() {
    keeps_all main
    mkdir "$SMALL_FS/streaming"
    bk_home main "streaming_wals_directory = $SMALL_FS/streaming"
    receiver_start
    wait_until 20 is_streaming main
    caught_up main
    head -c 60M /dev/zero >"$SMALL_FS/filler" 2>/dev/null || true
    pg_sql main 'create table t as select generate_series(1, 200000) i'
    wait_until 30 grep -qi 'no space left' "$T/receiver.log"
    kill -0 "${BK_PID["receiver"]}" || fail 'the receiver has ended'
    rm "$SMALL_FS/filler"
    wait_until 60 is_streaming main
    caught_up main
    bk_bg_stop receiver
    expect_equal 0 "$BK_STATUS"
    [ "$(same_as_server main)" -ge 5 ] || fail 'too few segments to compare'
}

# Connection ended by the server, server restarted: it comes back by itself.
test_045_reconnects() {
    keeps_all main
    receiver_start
    wait_until 20 is_streaming main
    pg_sql main "select pg_terminate_backend(pid) from pg_stat_replication" >"$OUT"
    wait_until 20 is_streaming main
    pg_stop main immediate
    nap 1
    pg_start main
    wait_until 40 is_streaming main
    pg_sql main 'create table t as select generate_series(1, 50000) i'
    caught_up main
    bk_bg_stop receiver
    expect_equal 0 "$BK_STATUS"
    no_hole main
    [ "$(same_as_server main)" -ge 2 ] || fail 'too few segments to compare'
}

# The server's process stops, its socket stays: nothing is heard, so we leave.
#: deadline=180
test_045_half_open_connection() {
    local pid
    pg_new main && pg_start main
    bk_home main
    receiver_start
    wait_until 20 is_streaming main
    pid=$(pg_ask main 'select pid from pg_stat_replication')
    kill -STOP "$pid"
    wait_until 60 said "$T/receiver.log" 'nothing heard from the server'
    kill -CONT "$pid"
    wait_until 60 is_streaming main
    bk_bg_stop receiver
    expect_equal 0 "$BK_STATUS"
}
