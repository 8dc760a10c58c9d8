# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034,SC2119,SC2120 # tmux and tui_env are tui.sh's, TIMES is for it, set_up may be given options
# console.sh - what the live tests of the console share: a server with an incident, the console
# in a terminal on it, and the steps of the wizard. Sourced by console*_test.sh.

# All of this waits for a server, some of it beside three other tests.
: "${TIMES:=4}"
# shellcheck source=tests/tui/tui.sh
. "${TESTS_PG:?}/tui.sh"
tui_nap() { nap "${1:-0.1}"; }

# console [COLS ROWS [VAR=VALUE...]]: on the real clock; T, for tests/pg/run to find its jobs
console() {
    tui_start "${1:-80}" "${2:-24}" env -u BARKEEP_NOW T="$T" TSAN_OPTIONS="${TSAN_OPTIONS:-}" \
        "${@:3}" "$BARKEEP" -c "$BK_CONF"
}

on_screen() { # REGEX: a line of the screen matches
    local lines line
    mapfile -t lines < <("${tmux[@]}" capture-pane -p)
    for line in "${lines[@]}"; do
        [[ ! $line =~ $1 ]] || return 0
    done
    return 1
}
tui_match() { tui_until "never matched: $1" on_screen "$1"; }

# ask KEYS TEXT: a key, and the question that it opens, before anything is answered
ask() {
    tui_keys "$1"
    tui_wait "$2"
}

# A server 'main' with 1000 orders, its WAL received.
set_up() { # ['option = value'...] of its section
    pg_new main - --segsize=1 && pg_start main
    pg_sql main 'create table orders (id int); insert into orders select generate_series(1, 1000)'
    bk_home main "$@"
    bk_bg receiver receive-wal main
    caught_up
}

# ... with a backup, and time going by: $FINE is a whole second at which there were 1000 orders,
# afterwards 400 are deleted.
set_up_incident() {
    set_up
    expect_status 0 bk backup main --wait
    fine_moment
    pg_sql main 'delete from orders where id > 600'
    caught_up
}

# A second that lies between two commits, on the server's own clock.
fine_moment() {
    pg_sql main 'create table if not exists before (i int)'
    FINE=$(pg_ask main "select to_char(date_trunc('second', clock_timestamp()) + interval '1 s',
        'YYYY-MM-DD HH24:MI:SS')")
    pg_sql main "select pg_sleep_until('$FINE'::timestamptz + interval '20 ms')"
}

backups_done() {
    bk list-backups main --minimal 2>/dev/null | wc -l
}

copies() { find "$T" -maxdepth 1 -name 'restore-main-*' | wc -l; }
no_copy() { [ "$(copies)" = 0 ]; }

# From the overview to a target that was typed; the server can be restored.
wizard_to() { # TEXT
    tui_wait 'CAN RESTORE'
    tui_keys r
    tui_wait '1 WHEN'
    tui_keys @
    tui_wait 'target:'
    tui_type "$1"
    tui_keys Enter
    target_is_known
}

# Until what is told is of the new target.
target_is_known() {
    tui_gone 'target:'
    tui_gone 'looking at the new target'
    tui_match '^ stops '
}

# step by step, each when the one before has been answered
wizard_plan() {
    tui_keys Enter
    tui_wait '2 WHERE'
    tui_wait 'free there'
    tui_match 'directory +\[ .*restore-main-'
    tui_keys Enter
    tui_wait '3 PLAN'
    tui_match 'READY .* 0 FAIL'
}

console_gone() { not_running "$1"; }

# ---- a copy ----

copy_sql() { # SOCKET-DIRECTORY SQL
    "$ASK" "$1/.s.PGSQL.5432" "$2"
}

drop_the_copy() {
    local pid
    pid=$(head -n 1 "$1/postmaster.pid")
    ask D 'DROP THIS COPY'
    tui_type main
    tui_keys Enter
    tui_wait 'That is not the name.'
    tui_keys Escape
    tui_gone 'DROP THIS COPY'
    kill -0 "$pid" || fail 'the copy was stopped by a wrong name'
    ask D 'DROP THIS COPY'
    tui_type "${1##*/}"
    tui_keys Enter
    tui_until 'the directory is still there' no_copy
    wait_until 5 not_running "$pid"
    tui_wait '1 SERVERS'
}

# got_back: step 5 of the wizard has the copy stopped where it should, with what was deleted
got_back() {
    tui_wait '5 CHECK'
    tui_match '^ REACHED +paused at '
    tui_match 'public.orders +1 000 +600 +[+]400 got back'
}
