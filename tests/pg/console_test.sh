# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # tmux and tui_env are tui.sh's, TIMES is for it
# console_test.sh - the console in a terminal on real servers, through whole stories: what a
# person types, what the screen says, and what SQL and the disk say of it afterwards.

# shellcheck source=tests/pg/console.sh
. "${TESTS_PG:?}/console.sh"

# ---- a first backup ------------------------------------------------------------------------

# The end of a command line with the path of this test's configuration in it.
sees_command() {
    tui_resize 200 40
    tui_wait "$1"
    tui_resize 80 24
}

test_console_first_backup() {
    set_up 'bandwidth_limit = 2500'
    console
    tui_wait 'CANNOT RESTORE   no backup of main yet; b takes the first one'
    tui_match '> WARN +main +primary +none'
    ask b 'Back up main now?  y/n'
    sees_command '--batch backup --wait main'
    # Enter is not yes
    tui_keys Enter
    tui_wait 'only y does it'
    tui_keys n
    tui_wait 'nothing was done'
    ask b 'Back up main now?  y/n'
    tui_keys y
    sees_command '--batch backup --wait main'
    tui_match '#[0-9]+ +RUN +backup +main .*[0-9] ?%|#[0-9]+ +RUN +backup +main .* [0-9.]+ [KM]'
    tui_match '> RUN +[0-9]{8}T[0-9]{6} +full'
    tui_match '#[0-9]+ +OK +backup +main '
    tui_match '> OK +[0-9]{8}T[0-9]{6} +full'
    tui_wait 'CAN RESTORE'
    expect_equal 1 "$(backups_done)" backups
    tui_keys q
    tui_wait 'exit 0'
    tui_same_modes
}

# ---- from r to a promoted copy -----------------------------------------------------------

# N as the screen groups it: 1 000
grouped() { sed -E ':a;s/^([0-9]+)([0-9]{3})/\1 \2/;ta' <<<"$1"; }

test_console_time_to_promoted_copy() {
    local copy socket production
    set_up_incident
    pg_sql main 'insert into orders select generate_series(2001, 2050)'
    caught_up
    production=$(pg_ask main 'select count(*) from orders')
    expect_equal 650 "$production"
    console
    tui_wait 'CAN RESTORE'
    tui_keys r
    tui_wait '1 WHEN'
    # a time that could be two moments is none
    tui_keys @
    tui_wait 'target:'
    tui_type "$FINE"
    tui_keys Enter
    tui_wait 'has no offset from UTC, so it can be several moments'
    tui_match "^ +1 +${FINE}[+]0[12]:00 +by the clock here"
    tui_match "^ +2 +${FINE}[+]00:00 +"
    tui_keys Escape
    tui_gone 'WHICH MOMENT IS THAT?'
    expect_equal 0 "$(copies)" 'directories of copies'
    tui_keys @
    tui_wait 'target:'
    tui_type "$FINE"
    tui_keys Enter
    tui_wait 'WHICH MOMENT IS THAT?'
    tui_keys 2
    tui_match "^ STOP +at ${FINE}[+]00:00"
    target_is_known
    wizard_plan
    sees_command '--target-time'
    no_copy || fail 'the dry run has written'
    tui_keys Enter
    tui_wait '5 CHECK'
    tui_match '^ REACHED +paused at '
    # the numbers beside production are those of SQL
    tui_match "public.orders +$(grouped 1000) +$(grouped "$production") +[+]350 got back"
    copy=$(echo "$T"/restore-main-*)
    socket=$(sed -n 5p "$copy/postmaster.pid")
    expect_equal 1000 "$(copy_sql "$socket" 'select count(*) from orders')" 'rows in the copy'
    expect_equal t "$(copy_sql "$socket" 'select pg_is_in_recovery()')"
    # psql, and back to the same screen
    tui_keys o
    tui_wait 'postgres=#'
    tui_type "select 'rows ' || count(*) from orders \\g" # tmux would take a ; for its own
    tui_keys Enter
    tui_wait 'rows 1000'
    tui_type '\q'
    tui_keys Enter
    tui_wait 'IS THIS THE DATABASE YOU WANTED?'
    ask P 'Promote? Writable'
    tui_keys n
    tui_wait 'nothing was done'
    expect_equal t "$(copy_sql "$socket" 'select pg_is_in_recovery()')"
    ask P 'Promote? Writable'
    tui_keys y
    tui_match '^ OPEN +the copy is writable'
    expect_equal f "$(copy_sql "$socket" 'select pg_is_in_recovery()')"
    copy_sql "$socket" 'insert into orders values (1)'
    drop_the_copy "$copy"
    expect_equal "$production" "$(pg_ask main 'select count(*) from orders')" 'rows of production'
    expect_equal 1 "$(backups_done)" backups
    tui_keys q
    tui_wait 'exit 0'
    tui_same_modes
}

# ---- the server dies while it is watched ---------------------------------------------------

test_console_server_dies() {
    local began ms
    set_up
    expect_status 0 bk backup main --wait
    console
    tui_match '> OK +main +primary'
    began=$(date +%s%N)
    pg_kill9 main
    tui_match '> [?]{4} +main '
    tui_match '[?]{4} main: no answer since today ..:..:..: connection to server'
    tui_wait 'no answer'
    ms=$((($(date +%s%N) - began) / 1000000))
    [ "$ms" -lt 15000 ] || fail "it took $ms ms to be seen"
    # what is kept can be restored all the same
    tui_wait 'CAN RESTORE'
    began=$(date +%s%N)
    tui_keys '?'
    tui_wait HELP
    ms=$((($(date +%s%N) - began) / 1000000))
    [ "$ms" -lt 1000 ] || fail "a key was answered after $ms ms"
    tui_keys Escape
    tui_gone HELP
    pg_start main
    tui_match '> (OK|WARN) +main +primary'
    tui_gone 'no answer'
    tui_keys q
    tui_wait 'exit 0'
}

# ---- the terminal is killed in the middle of a restore ----------------------------------------

# One of the files of the copy takes 7 s: time enough to lose a terminal in.
test_console_terminal_killed_in_restore() {
    local pid job
    set_up_incident
    [ -e "${BARKEEP_FAULT_LIB:-}" ] || fail "no fault shim was built beside $BARKEEP"
    console 80 24 ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" \
        LD_PRELOAD="$BARKEEP_FAULT_LIB" BARKEEP_FAULT=open:200:stall:restore-main-
    wizard_to "$FINE+00"
    wizard_plan
    tui_keys Enter
    tui_match '^ RUNNING +#[0-9]+'
    tui_wait 'safe to close'
    pid=$(tui_pid)
    job=$(tui_shot | sed -n 's/.*the job runs on its own, pid \([0-9]*\).*/\1/p')
    "${tmux[@]}" kill-session
    tui_until 'the console outlives its terminal' console_gone "$pid"
    kill -0 "$job" || fail 'the job went with the terminal'
    console
    tui_wait "Go on with the restore of main begun"
    tui_match '#[0-9]+ +RUN +restore +main'
    tui_keys y
    tui_match '^ RUNNING +#[0-9]+'
    tui_has "pid $job" || fail 'another job is shown'
    got_back
    drop_the_copy "$(echo "$T"/restore-main-*)"
    tui_keys q
    tui_wait 'exit 0'
}

# ---- names that are typed -----------------------------------------------------------------

test_console_delete_by_name() {
    local first second
    set_up
    expect_status 0 bk backup main --wait
    expect_status 0 bk backup main --wait
    first=$(bk list-backups main --minimal | sort | sed -n 1p)
    second=$(bk list-backups main --minimal | sort | tail -n 1)
    console
    tui_wait "$first"
    tui_keys 2
    tui_wait "▌2 BACKUPS"
    tui_keys G
    tui_match "> OK +$first"
    ask D 'DELETE A BACKUP'
    tui_match "backup +$first "
    # another backup's name, and what is no name
    tui_type "$second"
    tui_keys Enter
    tui_wait 'That is not the name.'
    tui_keys C-u
    tui_paste "$first"
    tui_keys Enter
    tui_has 'DELETE A BACKUP' || tui_fail 'a pasted name was taken'
    tui_keys Escape
    tui_gone 'DELETE A BACKUP'
    expect_equal 2 "$(backups_done)" backups
    ask D 'DELETE A BACKUP'
    tui_type "$first"
    tui_keys Enter
    tui_match '#[0-9]+ +OK +delete +main'
    tui_until 'it is still listed' tui_has_not "$first  full"
    expect_equal "$second" "$(bk list-backups main --minimal)" 'what stays'
    [ ! -e "$BK_HOME/main/base/$first" ] || fail 'the directory of the backup is still there'
    tui_keys q
    tui_wait 'exit 0'
}

# Level 3: the data directory of the server itself.
test_console_in_place() {
    local data
    data=${PG_DATA[main]:-$T/pg_main}
    set_up_incident
    bk_bg_stop receiver
    pg_stop main
    echo kept >"$data/only_here"
    console
    tui_match '> FAIL +main .* no answer'
    wizard_to "$FINE+00"
    tui_keys Enter
    tui_wait '2 WHERE'
    tui_wait 'free there'
    tui_keys j
    tui_match '> \( \) in place'
    tui_keys Space
    tui_match '> \(\*\) in place'
    tui_match "directory +\[ $data "
    tui_wait 'IN PLACE: WHAT IT MEANS'
    tui_keys Enter
    tui_wait '3 PLAN'
    tui_match 'READY .* 0 FAIL'
    ask Enter 'REPLACE THE DATA OF A SERVER'
    tui_type mian
    tui_keys Enter
    tui_wait 'That is not the name.'
    tui_keys Escape
    tui_gone 'REPLACE THE DATA OF A SERVER'
    expect_equal kept "$(cat "$data/only_here")" 'the directory'
    ask Enter 'REPLACE THE DATA OF A SERVER'
    tui_type main
    tui_keys Enter
    tui_until 'the old data is still there' not_there "$data/only_here"
    tui_match '^ DONE +the files stand'
    expect_equal kept "$(cat "$data".before-*/only_here)" 'the old directory, set aside'
    tui_keys Enter
    tui_wait '5 CHECK'
    pg_start main
    expect_equal 1000 "$(pg_ask main 'select count(*) from orders')" 'orders after the restore'
    tui_keys d
    tui_match '> [A-Z]+ +main +'
    tui_keys q
    tui_wait 'exit 0'
}

not_there() { [ ! -e "$1" ]; }

# ---- 114: windows, locales, and no terminal at all ---------------------------------------------

test_114_tiny_window_storm_and_closed_terminal() {
    local pid before i
    set_up 'bandwidth_limit = 1000'
    console
    tui_wait 'no backup of main yet'
    ask b 'Back up main now?  y/n'
    tui_keys y
    tui_match '#[0-9]+ +RUN +backup +main '
    tui_resize 1 1
    tui_resize 44 7
    tui_wait 'This window is 44 x 7'
    for ((i = 0; i < 40; i++)); do
        tui_resize $((1 + i * 37 % 140)) $((1 + i * 13 % 50))
    done
    tui_resize 80 24
    tui_wait '4 JOBS'
    tui_match '#[0-9]+ +RUN +backup +main '
    pid=$(tui_pid)
    "${tmux[@]}" kill-server
    tui_until 'the console outlives its terminal' not_running "$pid"
    pgrep -f "$BK_CONF --batch.* backup --wait main" >/dev/null || fail 'no backup runs any more'
    wait_until 60 one_backup
    # what is seen in a terminal that knows only ASCII
    LC_ALL_IS=C console
    tui_match '> OK +[0-9]{8}T[0-9]{6} +full'
    ! tui_shot | LC_ALL=C grep -q '[^ -~]' || tui_fail 'there are other characters than ASCII'
    before=$(tui_shot | sed -n '/2 BACKUPS/,/3 WAL/p')
    tui_resize 1 1
    tui_resize 80 24
    tui_until 'it is not as it was' backups_shown "$before"
    tui_keys q
    tui_wait 'exit 0'
    tui_same_modes
}

one_backup() {
    [ "$(backups_done)" = 1 ] && bk show-backup main latest 2>/dev/null | grep -q DONE
}

backups_shown() { [ "$(tui_shot | sed -n '/2 BACKUPS/,/3 WAL/p')" = "$1" ]; }

# ---- 115: names that a terminal could obey -------------------------------------------------------

#: quick
test_115_control_characters_in_names() {
    local copy
    local evil=$'\e]0;pwned\a\e[5;41mdb'
    pg_new main - --template1 && pg_start main
    pg_sql main "create database \"$evil\""
    bk_home main \
        "conninfo = host=127.0.0.1 port=${PG_PORT[main]} user=postgres dbname='$evil'"
    bk_bg receiver receive-wal main
    caught_up
    evil_sql "create table \"$evil\" (i int)"
    evil_sql "insert into \"$evil\" select generate_series(1, 1000)"
    expect_status 0 bk backup main --wait
    evil_sql "select pg_create_restore_point(E'\\x1b]0;pwned\\x07\\x1b[5;41mpoint\\nmore')"
    evil_sql "delete from \"$evil\" where i > 400"
    caught_up
    tui_shell 80 24
    "${tmux[@]}" pipe-pane -o "cat >$T/raw"
    tui_type "clear; env -u BARKEEP_NOW T=$T $BARKEEP -c $BK_CONF"
    tui_keys Enter
    tui_wait 'CAN RESTORE'
    tui_keys r
    tui_wait '1 WHEN'
    tui_match "R +restore point '.*pwned.*point.*more'"
    tui_keys j
    tui_match '^ STOP +at restore point '
    target_is_known
    wizard_plan
    tui_keys Enter
    tui_wait '5 CHECK'
    tui_match '^ REACHED '
    tui_match 'pwned.* 1 000 +400 +[+]600 got back'
    copy=$(echo "$T"/restore-main-*)
    drop_the_copy "$copy"
    tui_keys q
    tui_wait 'ready$'
    # nothing of a name was obeyed, and nothing of it was sent
    [ "$("${tmux[@]}" display -p '#{pane_title}')" != pwned ] || fail 'a name set the title'
    [ -s "$T/raw" ] || fail 'no bytes were seen'
    grep -aq pwned "$T/raw" || fail 'the names were not shown at all'
    ! grep -aqF $'\e]0;pwned' "$T/raw" || fail 'the title sequence was sent'
    ! grep -aqE $'\e\\[5;41m' "$T/raw" || fail 'the colour sequence was sent'
    ! grep -aqF $'pwned\a' "$T/raw" || fail 'the bell of a name was sent'
}

evil_sql() {
    "$(pg_client psql)" -X -qAt -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "${PG_PORT[main]}" -U postgres \
        -d "$evil" -c "$1" >/dev/null
}

# ---- a job that a shell started ------------------------------------------------------------------

test_console_backup_of_a_shell() {
    local id
    set_up 'bandwidth_limit = 1000'
    console
    tui_wait 'no backup of main yet'
    bk_bg typed backup main
    tui_match '#[0-9]+ +RUN +backup +main .*(%|[KM])'
    tui_keys 4
    tui_wait '▌4 JOBS'
    tui_keys g
    tui_match '> #[0-9]+ +RUN +backup +main'
    tui_keys Enter
    tui_wait 'LOG of #'
    tui_wait 'Starting backup'
    tui_wait 'following'
    ask c 'Cancel #2 backup main?'
    tui_wait 'y/n'
    tui_keys n
    tui_wait 'nothing was done'
    kill -0 "${BK_PID[typed]}" || fail 'it was cancelled by n'
    ask c 'Cancel #2 backup main?'
    tui_wait 'y/n'
    tui_keys y
    tui_match '^ CANCELLED '
    wait_until 10 not_running "${BK_PID[typed]}"
    BK_STATUS=0
    wait "${BK_PID[typed]}" || BK_STATUS=$?
    [ "$BK_STATUS" != 0 ] || fail 'a cancelled backup ended with status 0'
    expect_match 'stopping, as asked' "$T/typed.log"
    id=$(bk list-backups main --minimal)
    expect_match 'FAILED' "$(bk show-backup main "$id")"
    tui_keys q
    tui_wait 'exit 0'
}

# ---- no screen -----------------------------------------------------------------------------------

# TERM=dumb, a screen reader, a pipe: what the first screen would say, in lines.
#: quick
test_console_without_a_screen() {
    pg_new main - && pg_start main
    bk_home main
    TERM_IS=dumb console 120 40
    tui_wait 'Server main:'
    tui_match 'PostgreSQL version: [0-9]'
    tui_wait 'exit 0'
    tui_same_modes
    "$BARKEEP" -c "$BK_CONF" </dev/null >"$T/piped"
    expect_match '^Server main:' "$T/piped"
    ! grep -q usage: "$T/piped"
    "$BARKEEP" -c "$BK_CONF" --batch >"$T/batch" # what was asked is missing: that is help
    expect_match '^usage: ' "$T/batch"
}
