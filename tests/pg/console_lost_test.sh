# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # tmux and tui_env are tui.sh's, TIMES is for it
# console_lost_test.sh - the wizard when it does not go to its end at once: a terminal emulator that
# is killed, cancels while WAL is copied and while the copy replays; and sources that are not a
# plain primary: a standby, a server that left a timeline behind.

# shellcheck source=tests/pg/console.sh
. "${TESTS_PG:?}/console.sh"

faulty_console() { # FAULT
    [ -e "${BARKEEP_FAULT_LIB:-}" ] || fail "no fault shim was built beside $BARKEEP"
    console 80 24 ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" \
        LD_PRELOAD="$BARKEEP_FAULT_LIB" BARKEEP_FAULT="$1"
}

# ---- the emulator is killed ---------------------------------------------------------------------

# No SIGHUP from anybody who closes a window in an orderly way: its process is gone at once. And the
# next terminal is another one, of another size and kind.
test_console_emulator_killed_in_restore() {
    local pid job emulator
    set_up_incident
    faulty_console open:200:stall:restore-main-
    wizard_to "$FINE+00"
    wizard_plan
    tui_keys Enter
    tui_match '^ RUNNING +#[0-9]+'
    pid=$(tui_pid)
    job=$(tui_shot | sed -n 's/.*the job runs on its own, pid \([0-9]*\).*/\1/p')
    emulator=$("${tmux[@]}" display -p '#{pid}')
    kill -9 "$emulator"
    tui_until 'the console outlives its terminal' console_gone "$pid"
    kill -0 "$job" || fail 'the job went with the terminal'
    tui_env=(NO_COLOR=1)
    TERM_IS=linux LC_ALL_IS=C console 140 40
    tui_wait "Go on with the restore of main begun"
    tui_keys y
    tui_match '^ (RUNNING|REPLAYING|REACHED) '
    got_back
    ! tui_shot | LC_ALL=C grep -q '[^ -~]' || tui_fail 'there are other characters than ASCII'
    drop_the_copy "$(echo "$T"/restore-main-*)"
    tui_keys q
    tui_wait 'exit 0'
    tui_same_modes
}

# ---- cancel ---------------------------------------------------------------------------------------

cancel_it() { # VERB
    ask c "Cancel #"
    tui_wait 'y/n'
    tui_keys y
    tui_match "^ CANCELLED +#[0-9]+ $1"
}

# What was copied stays, is not started, and the same plan goes on with it.
test_console_cancel_while_wal_is_copied() {
    local copy
    set_up_incident
    faulty_console open:2:stall:/barman_wal/
    wizard_to "$FINE+00"
    wizard_plan
    tui_keys Enter
    tui_match '^ +OK +copy'
    tui_match '^ +RUN +WAL'
    cancel_it restore
    tui_match '^ +FAIL +WAL'
    tui_wait 'cancelled; the directory stays, marked unfinished'
    copy=$(echo "$T"/restore-main-*)
    [ -e "$copy/.barkeep-restore" ] || fail 'nothing marks it as unfinished'
    expect_status 1 bk start-copy main "$copy"
    expect_match 'the restore has not ended' "$ERR"
    tui_keys Enter
    tui_wait '3 PLAN'
    tui_match 'READY .* 0 FAIL'
    tui_keys Enter
    got_back
    tui_keys q
    tui_wait 'exit 0'
}

listens() { # DIR: the directory of its socket is the fifth line
    [ -n "$(sed -n 5p "$1/postmaster.pid")" ]
}

# The server that replays fetches each segment with cp: that takes 7 s now.
test_console_cancel_in_replay() {
    local copy pid socket
    set_up_incident
    faulty_console openr:1+:stall:/barman_wal/
    wizard_to "$FINE+00"
    wizard_plan
    tui_keys Enter
    tui_match '^ REPLAYING +#[0-9]+'
    copy=$(echo "$T"/restore-main-*)
    wait_until 20 test -s "$copy/postmaster.pid"
    wait_until 20 listens "$copy"
    pid=$(head -n 1 "$copy/postmaster.pid")
    socket=$(sed -n 5p "$copy/postmaster.pid")
    cancel_it start-copy
    tui_wait "cancelled; the copy's server is stopped, its files stay"
    wait_until 10 not_running "$pid"
    [ -e "$copy/PG_VERSION" ] || fail 'its files are gone'
    [ ! -e "$socket" ] || fail 'the directory of its socket is left'
    tui_wait 'Enter starts the copy again'
    tui_keys Escape
    tui_wait '1 SERVERS'
    tui_keys q
    tui_wait 'exit 0'
}

# ---- a standby is the source ------------------------------------------------------------------------

replayed() {
    [ "$(pg_ask main 'select pg_current_wal_lsn()')" = \
        "$(pg_ask standby 'select pg_last_wal_replay_lsn()')" ]
}

streams_from() {
    [ "$(pg_ask "$1" 'select count(*) from pg_stat_replication')" != 0 ]
}

test_console_standby_as_source() {
    pg_new main - --segsize=1 && pg_start main
    pg_sql main 'create table orders (id int); insert into orders select generate_series(1, 1000)'
    "$(pg_bin)/pg_basebackup" -d "$(pg_conninfo main)" -D "$T/pg_standby" -c fast -R >/dev/null
    pg_adopt standby "$T/pg_standby"
    pg_start standby
    bk_home main "conninfo = $(pg_conninfo standby)" \
        "streaming_conninfo = host=127.0.0.1 port=${PG_PORT[standby]} user=postgres" \
        "primary_conninfo = $(pg_conninfo main)"
    bk_bg receiver receive-wal main
    wait_until 30 streams_from standby
    wait_until 30 replayed
    pg_sql standby checkpoint
    console 140 40
    tui_match '> WARN +main +standby'
    tui_has 'STANDBY' || tui_fail 'the first row does not say that it is a standby'
    ask b 'Back up main now?  y/n'
    tui_keys y
    tui_match '#[0-9]+ +OK +backup +main '
    fine_moment
    pg_sql main 'delete from orders where id > 600' 'select pg_switch_wal()' >/dev/null
    wait_until 30 replayed
    tui_wait 'CAN RESTORE'
    wizard_to "$FINE+00"
    wizard_plan
    tui_keys Enter
    got_back
    drop_the_copy "$(echo "$T"/restore-main-*)"
    expect_equal t "$(pg_ask standby 'select pg_is_in_recovery()')" 'the standby'
    tui_keys q
    tui_wait 'exit 0'
}

# ---- a timeline that was left -------------------------------------------------------------------

# Production was brought back to the moment before the DELETE; what the old one had then is wanted
# after all. It lies in the unfinished segment that was being received when the old one died.
test_console_abandoned_timeline() {
    local copy socket
    set_up_incident
    pg_sql main 'insert into orders values (5001), (5002)'
    caught_up
    pg_kill9 main
    bk_bg_stop receiver || true
    expect_status 0 bk restore main latest "$T/second" --target-time "$FINE+00" \
        --target-action promote
    restored_start second "$T/second"
    pg_wait_promoted second
    sed -i "s/port=${PG_PORT[main]}/port=${PG_PORT[second]}/g" "$BK_CONF"
    bk_receiver
    pg_sql second 'insert into orders select generate_series(2001, 2005)'
    caught_up second
    console 140 40
    tui_match '> (OK|WARN) +main +primary'
    tui_wait 'CAN RESTORE'
    tui_keys t
    tui_wait 'TIMELINES'
    tui_match '^ tli 2 '
    tui_match '^ tli 1 '
    tui_match 'restorable .* tli 1, 1 backup'
    tui_keys Escape
    wizard_to 'latest tli 1'
    tui_match '^ STOP +at the end of the WAL: everything that is kept, timeline 1'
    tui_match 'from +backup [0-9T]+, timeline 1'
    tui_wait ', abandoned'
    wizard_plan
    tui_match 'segments?, timeline 1'
    tui_keys Enter
    tui_wait '5 CHECK'
    tui_match '^ OPEN '
    tui_match 'public.orders +602 +1 005 +-403 new since'
    copy=$(echo "$T"/restore-main-*)
    socket=$(sed -n 5p "$copy/postmaster.pid")
    expect_equal 5002 "$(copy_sql "$socket" 'select max(id) from orders')" \
        'rows in the copy'
    drop_the_copy "$copy"
    expect_equal 1005 "$(pg_ask second 'select count(*) from orders')" 'rows of production'
    # without a word the end is that of production, though the backup is of the other timeline
    tui_keys r
    tui_match '^ STOP +at the end of the WAL: everything that is kept, timeline 2'
    target_is_known
    tui_match 'lost +nothing that is kept'
    wizard_plan
    tui_match 'segments?, timeline 2'
    tui_keys Enter
    tui_wait '5 CHECK'
    tui_match 'public.orders +1 005 +1 005 +0 the same'
    drop_the_copy "$(echo "$T"/restore-main-*)"
    tui_keys q
    tui_wait 'exit 0'
}

# ---- a name that was given twice -------------------------------------------------------------------

test_console_restore_point_made_twice() {
    set_up
    expect_status 0 bk backup main --wait
    pg_sql main "select pg_create_restore_point('nightly')" 'delete from orders where id > 900' \
        "select pg_create_restore_point('nightly')" 'delete from orders where id > 500' >/dev/null
    caught_up
    console 140 40
    wizard_to 'name nightly'
    tui_match "R +restore point 'nightly', 1 of 2"
    tui_match "R +restore point 'nightly', 2 of 2: by LSN"
    tui_match "'nightly' was made 2 times: by its name the server stops at that of "
    # the list knows its place: k goes up to the later one
    tui_keys k
    tui_match "^ STOP +at restore point 'nightly' \(LSN "
    target_is_known
    wizard_plan
    tui_keys Enter
    tui_wait '5 CHECK'
    tui_match '^ REACHED +paused at '
    tui_match 'public.orders +900 +500 +[+]400 got back'
    drop_the_copy "$(echo "$T"/restore-main-*)"
    tui_keys q
    tui_wait 'exit 0'
}

# ---- what the copy will not take along --------------------------------------------------------------

test_console_plan_foresees_settings() {
    pg_new main - --segsize=1 "shared_preload_libraries = 'auto_explain'" && pg_start main
    pg_sql main 'create table orders (id int); insert into orders select generate_series(1, 1000)'
    printf '%s\n' 'no_such_setting = 1' 'work_mem = 8MB' >>"${PG_DATA[main]}/postgresql.auto.conf"
    bk_home main
    bk_bg receiver receive-wal main
    caught_up
    expect_status 0 bk backup main --wait
    fine_moment
    pg_sql main 'delete from orders where id > 600'
    caught_up
    console 140 40
    wizard_to "$FINE+00"
    wizard_plan
    tui_match "WARN +settings .*does not take 1 setting of postgresql.auto.conf: 'no_such_setting'"
    tui_match 'WARN +settings .*shared_preload_libraries names auto_explain: the copy is started without'
    tui_keys Enter
    got_back
    drop_the_copy "$(echo "$T"/restore-main-*)"
    tui_keys q
    tui_wait 'exit 0'
}
