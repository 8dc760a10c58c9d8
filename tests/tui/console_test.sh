# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # tmux and tui_env are tui.sh's
# The console in a real terminal: that cells become bytes, and that the terminal is as it was.
# What the views show is the business of tests/ui; here the words of the story are only looked for.

console() { tui_start "$1" "$2" "$B/tui_console" "${@:3}"; }

test_start_and_quit() {
    console 80 24
    tui_wait orders-db1
    tui_wait 03:12:45
    [ "$(tui_shot | wc -l)" = 24 ] || tui_fail "not 24 lines"
    tui_keys q
    tui_wait 'exit 0'
    tui_same_modes
}

test_large_window() {
    console 140 40
    tui_wait orders-db1
    tui_keys '?'
    tui_wait HELP
    tui_keys Escape
    tui_gone HELP
    tui_keys q
    tui_wait 'exit 0'
    tui_same_modes
}

test_first_paint_is_at_once() {
    local began took
    console 80 24 servers=500
    began=$(date +%s%N)
    tui_wait db-0
    took=$((($(date +%s%N) - began) / 1000000))
    [ "$took" -lt $((1000 * ${TIMES:-1})) ] || tui_fail "first paint after $took ms"
}

test_small_windows_and_back() {
    local first
    console 80 24
    tui_wait orders-db1
    tui_wait 'OK'
    tui_keys g
    tui_wait '> FAIL'
    first=$(tui_still)
    tui_resize 60 16
    tui_until "60x16 is not painted" tui_has "1 SERVERS"
    tui_resize 44 7
    tui_wait 'This window is 44 x 7'
    tui_resize 1 1
    tui_resize 80 24
    tui_until "80x24 is not as it was" tui_is "$first"
    tui_keys q
    tui_wait 'exit 0'
}

# However it came to its size, a screen is the one of a fresh start at that size.
test_resize_storm_is_as_a_fresh_start() {
    local i fresh
    console 100 30
    tui_wait orders-db1
    tui_wait 03:12:45
    tui_until "no second paint" tui_has 'OK'
    fresh=$(tui_still)
    console 80 24
    tui_wait orders-db1
    for ((i = 0; i < 30; i++)); do
        tui_resize $((20 + i * 37 % 140)) $((2 + i * 13 % 50))
    done
    tui_resize 100 30
    tui_until "another screen than a fresh one:
$fresh" tui_is "$fresh"
}

test_ctrl_z_and_fg() {
    local before
    tui_shell 80 24
    tui_type "stty -g; tty"
    tui_keys Enter
    tui_wait /dev/
    tui_type "clear; $B/tui_console"
    tui_keys Enter
    tui_wait orders-db1
    tui_wait 'OK'
    before=$(tui_still)
    tui_keys C-z
    tui_wait Stopped
    tui_type "stty -a | grep -c ' icanon .*' ; echo seen"
    tui_keys Enter
    tui_wait seen
    tui_type fg
    tui_keys Enter
    tui_until "not the screen of before" tui_is "$before"
    tui_keys j k
    tui_keys q
    tui_wait 'ready$'
}

test_ctrl_z_gives_the_modes_back() {
    tui_shell 80 24
    tui_type "stty -g >$T/before; clear"
    tui_keys Enter
    tui_type "$B/tui_console"
    tui_keys Enter
    tui_wait orders-db1
    tui_keys C-z
    tui_wait Stopped
    tui_type "stty -g >$T/after; echo wro''te"
    tui_keys Enter
    tui_wait wrote
    cmp "$T/before" "$T/after"
    tui_type "kill %1; fg"
    tui_keys Enter
    tui_wait 'ready$'
    tui_type "stty -g >$T/after; echo ag''ain"
    tui_keys Enter
    tui_wait again
    cmp "$T/before" "$T/after"
}

# A wrapper that is no shell with job control is stopped along with it.
test_ctrl_z_stops_the_whole_job() {
    tui_shell 80 24
    tui_type "sh -c '$B/tui_console; echo ended \$?'"
    tui_keys Enter
    tui_wait orders-db1
    tui_keys C-z
    tui_wait Stopped
    tui_type fg
    tui_keys Enter
    tui_wait orders-db1
    tui_keys q
    tui_wait 'ended 0'
}

# resized while it slept
test_ctrl_z_resize_fg() {
    local fresh
    console 100 30
    tui_wait orders-db1
    tui_wait 'OK'
    fresh=$(tui_still)
    tui_shell 80 24
    tui_type "clear; $B/tui_console"
    tui_keys Enter
    tui_wait orders-db1
    tui_keys C-z
    tui_wait Stopped
    tui_resize 100 30
    tui_type fg
    tui_keys Enter
    tui_until "another screen than a fresh one:
$fresh" tui_is "$fresh"
}

signal_ends_it() { # SIGNAL EXIT; a sanitizer would make its own exit status of it
    tui_env=(ASAN_OPTIONS=handle_segv=0:handle_sigbus=0)
    console 80 24
    tui_wait orders-db1
    kill -"$1" "$(tui_pid)"
    tui_wait "exit $2"
    tui_same_modes
    tui_gone orders-db1
    [ "$("${tmux[@]}" display -p '#{cursor_flag} #{alternate_on}')" = '1 0' ] ||
        tui_fail "the cursor is hidden, or the other screen is still on"
}

test_sigterm() { signal_ends_it TERM 143; }
test_sighup() { signal_ends_it HUP 129; }
test_sigint() { signal_ends_it INT 130; }
test_crash_sigsegv() { signal_ends_it SEGV 139; }
test_crash_sigabrt() { signal_ends_it ABRT 134; }
test_crash_sigbus() { signal_ends_it BUS 135; }

test_ctrl_c_ends_it() {
    console 80 24
    tui_wait orders-db1
    tui_keys C-c
    tui_wait 'exit 130'
    tui_same_modes
}

# BUG_IF says where, on a screen that is there to be read.
test_bug_is_told_on_the_restored_screen() {
    console 80 24 bug
    tui_wait orders-db1
    tui_keys C-r
    tui_wait 'exit 134'
    tui_same_modes
    tui_has tui_console.c || tui_fail "the bug is not told"
}

test_sigterm_keeps_what_was_chosen() {
    console 80 24
    tui_wait orders-db1
    tui_type ':theme light'
    tui_keys Enter
    tui_type ':server orders-db1'
    tui_keys Enter
    tui_wait 'orders-db1  PRIMARY'
    kill -TERM "$(tui_pid)"
    tui_wait 'exit 143'
    grep -qx 'theme = light' "$T/.local/state/barkeep/ui.ini"
    grep -qx 'server = orders-db1' "$T/.local/state/barkeep/ui.ini"
    [ "$(stat -c %a "$T/.local/state/barkeep/ui.ini")" = 600 ]
    console 80 24
    tui_wait 'orders-db1  PRIMARY'
}

test_broken_state_is_told_once() {
    mkdir -p "$T/.local/state/barkeep"
    printf 'theme = dark\nservers.sort = up\n' >"$T/.local/state/barkeep/ui.ini"
    console 140 24
    tui_wait ui.ini:2
    tui_keys q
    tui_wait 'exit 0'
    console 140 24
    tui_wait orders-db1
    tui_gone ui.ini
}

test_broken_keys_and_theme_are_told_with_their_line() {
    mkdir -p "$T/.config/barkeep/themes"
    printf 'backup = F\nrestore = F\n' >"$T/.config/barkeep/keys.ini"
    console 240 24
    tui_wait keys.ini:2
    tui_keys q
    tui_wait 'exit 0'
    rm "$T/.config/barkeep/keys.ini"
    printf '\n\nok = green\n' >"$T/.config/barkeep/themes/mine.ini"
    console 240 24 theme=mine
    tui_wait mine.ini:3
    tui_keys q
    tui_wait 'exit 0'
}

test_own_keys() {
    mkdir -p "$T/.config/barkeep"
    printf 'quit = x\n' >"$T/.config/barkeep/keys.ini"
    console 80 24
    tui_wait orders-db1
    tui_keys q
    tui_wait 'means nothing'
    tui_keys x
    tui_wait 'exit 0'
}

colours_of_screen() {
    tui_shot -e | grep -oE $'\e\\[[0-9;]*m' | tr -d '\033[m' | tr ';' '\n' | sort -un | tr '\n' ' '
}

has_colour() { colours_of_screen | tr ' ' '\n' | grep -qE '^(3[0-8]|4[0-8]|9[0-7]|10[0-7])$'; }

test_colours_without_no_color() {
    console 80 24
    tui_wait orders-db1
    has_colour || tui_fail "no colour at all: $(colours_of_screen)"
}

test_no_color() {
    tui_env=(NO_COLOR=1)
    console 80 24
    tui_wait orders-db1
    ! has_colour || tui_fail "there are colours: $(colours_of_screen)"
    colours_of_screen | grep -qw 7 || tui_fail "nothing is reversed"
    tui_type ':theme light'
    tui_keys Enter
    tui_keys j k
    ! has_colour || tui_fail "there are colours: $(colours_of_screen)"
}

test_empty_no_color_means_nothing() {
    tui_env=(NO_COLOR=)
    console 80 24
    tui_wait orders-db1
    has_colour || tui_fail "no colour at all"
}

is_ascii() { ! tui_shot | LC_ALL=C grep -q '[^ -~]'; }

test_c_locale_is_ascii() {
    LC_ALL_IS=C console 80 24
    tui_wait orders-db1
    is_ascii || tui_fail "there are other characters than ASCII"
    tui_keys q
    tui_wait 'exit 0'
}

test_posix_locale_with_blocks_forced_is_ascii_on_the_wire() {
    LC_ALL_IS=POSIX console 80 24 symbols=block
    tui_wait orders-db1
    is_ascii || tui_fail "bytes that this terminal cannot show"
}

test_utf8_locale_has_lines() {
    console 80 24
    tui_wait orders-db1
    tui_wait '──'
}

test_symbols_ascii_in_utf8() {
    console 80 24 symbols=ascii
    tui_wait orders-db1
    tui_gone '──'
}

test_east_asian_locale_is_ascii() {
    LC_ALL_IS=ja_JP.UTF-8 console 80 24
    tui_wait orders-db1
    tui_gone '──'
    tui_wait '東京' # names are not ours to change
}

test_locale_that_is_not_installed() {
    LC_ALL_IS=xx_XX.UTF-8 console 80 24
    tui_wait '──'
}

runs_as() { # TERM
    TERM_IS=$1 console 80 24
    tui_wait orders-db1
    tui_keys Down Up j k
    tui_keys '?'
    tui_wait HELP
    tui_keys Escape
    tui_gone HELP
    tui_keys q
    tui_wait 'exit 0'
    tui_same_modes
}

test_term_vt100() { runs_as vt100; }
test_term_linux() { runs_as linux; }
test_term_xterm_256color() { runs_as xterm-256color; }
test_term_vt100_has_no_colour() {
    TERM_IS=vt100 console 80 24
    tui_wait orders-db1
    ! has_colour || tui_fail "vt100 with colours: $(colours_of_screen)"
}

test_term_dumb_leaves() {
    TERM_IS=dumb console 80 24
    tui_wait 'status text instead'
    tui_wait 'exit 0'
    tui_same_modes
}

test_term_unknown_leaves() {
    TERM_IS=no-such-terminal console 80 24
    tui_wait "no screen: 'no-such-terminal': this kind of terminal is not known here"
    tui_wait 'status text instead'
    tui_wait 'exit 0'
}

test_output_is_no_terminal() {
    "$B/tui_console" </dev/null >"$T/out"
    grep -q 'status text instead' "$T/out"
}

test_save_screen() {
    console 80 24
    tui_wait orders-db1
    tui_keys S
    tui_wait 'saved as'
    grep -q orders-db1 "$T"/.local/state/barkeep/screen-20260822-031245.txt
    [ "$(wc -l <"$T/.local/state/barkeep/screen-20260822-031245.txt")" = 24 ]
}

# OSC 52 reaches the terminal, which is tmux here, and becomes its buffer.
test_copy() {
    console 80 24
    tui_wait orders-db1
    "${tmux[@]}" set -s set-clipboard on
    tui_type ':server orders-db1'
    tui_keys Enter
    tui_wait 'orders-db1  PRIMARY'
    tui_keys y
    tui_wait 'clipboard'
    tui_until "not in the buffer of the terminal" buffer_has orders-db1
    grep -q orders-db1 "$T/.local/state/barkeep/copied"
    [ "$(stat -c %a "$T/.local/state/barkeep/copied")" = 600 ]
}

buffer_has() { "${tmux[@]}" show-buffer 2>/dev/null | grep -qF -- "$1"; }

test_paste_is_no_key() {
    console 80 24
    tui_wait orders-db1
    tui_paste $'?qD\ny'
    tui_wait paste
    tui_has_not HELP || tui_fail "a pasted ? opened the help"
    tui_keys /
    tui_paste 'auth'
    tui_wait auth
    tui_keys Enter
    tui_keys q
    tui_wait 'exit 0'
}

test_hostile_names() {
    console 80 24 hostile
    tui_wait '0evil?]0;pwned'
    [ "$("${tmux[@]}" display -p '#{pane_title}')" != pwned ] || tui_fail "a name set the title"
    tui_keys q
    tui_wait 'exit 0'
}

test_wide_names() {
    console 80 24
    tui_wait '東京-db'
    [ "$(tui_shot | wc -L)" -le 80 ] || tui_fail "a line is too long"
}

# Nobody reads the terminal for a while, then its window is closed: no process stays behind.
test_closed_window_leaves_no_process() {
    local pid
    console 80 24
    tui_wait orders-db1
    pid=$(tui_pid)
    "${tmux[@]}" kill-server
    tui_until "it still runs" gone "$pid"
}

gone() { ! kill -0 "$1" 2>/dev/null; }
