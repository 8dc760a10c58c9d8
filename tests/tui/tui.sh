# shellcheck shell=bash
# tui.sh - drive a full-screen program inside tmux and see what a person would see. Sourced by
# one.sh, which runs one test of *_test.sh in an empty directory, $T.
#
#   tui_start COLS ROWS PROGRAM [ARGUMENT...]   in a terminal of its own; also `VAR=x tui_start`
#   tui_shell COLS ROWS                         an interactive shell, for job control
#   tui_keys KEY...        as tmux send-keys has it; tui_type TEXT: literally
#   tui_paste TEXT         as a terminal pastes it (bracketed when the program asked for it)
#   tui_resize COLS ROWS
#   tui_shot [OPTION...]   the screen as text; -e with colours
#   tui_still              the same, once it has not changed for half a second
#   tui_wait TEXT          until the screen has it, at most 10 s; tui_gone TEXT: until it has not
#   tui_pid                of the program that tui_start started
#   tui_same_modes         stty -g before and after are equal; after 'exit N' was seen
#
# Nothing sleeps for a fixed time: every step waits for a screen. The server is our own; it ends
# with the test. What the program sees of the environment is what $tui_env says.
set -eu

tmux=(tmux -S "$T/tmux" -f /dev/null)
tui_env=()
tui_sessions=0
trap '"${tmux[@]}" kill-server 2>/dev/null || :' EXIT

tui_fail() {
    printf '%s\n' "$*" >&2
    "${tmux[@]}" capture-pane -p >&2 || :
    exit 1
}

# tui_session COLS ROWS COMMAND
tui_session() {
    [ "$tui_sessions" = 0 ] || "${tmux[@]}" kill-server 2>/dev/null || :
    # one that is just ending would still be found at its socket
    tui_sessions=$((tui_sessions + 1))
    tmux=(tmux -S "$T/tmux$tui_sessions" -f /dev/null)
    "${tmux[@]}" new-session -d -x "$1" -y "$2" "$3" ';' set -g status off ';' \
        set -g window-size manual ';' set -s escape-time 0 ';' resize-window -x "$1" -y "$2"
}

# The environment of the program, quoted for a shell.
tui_environment() {
    printf 'env -i PATH=%q HOME=%q TERM=%q LC_ALL=%q TZ=%q BARKEEP_NOW=%q ' "$PATH" "$T" \
        "${TERM_IS:-tmux-256color}" "${LC_ALL_IS:-C.UTF-8}" Europe/Berlin "${NOW_IS:-1787361165}"
    [ ${#tui_env[@]} = 0 ] || printf '%q ' "${tui_env[@]}"
}

tui_start() {
    local cols=$1 rows=$2
    shift 2
    rm -f "$T/before" "$T/after" "$T/pid"
    {
        printf 'trap : INT; stty -g >%q\n' "$T/before"
        # the program has the pid of this shell
        printf 'sh -c %q\n' "echo \$\$ >$T/pid; exec $(tui_environment)$(printf '%q ' "$@")"
        printf 'code=$?; stty -g >%q\n' "$T/after"
        # shellcheck disable=SC2016 # for the shell in the terminal
        printf 'printf "exit %%s\\n" "$code"; read _\n'
    } >"$T/session"
    tui_session "$cols" "$rows" "sh $T/session"
}

tui_shell() {
    # shellcheck disable=SC2016 # for the shell in the terminal
    tui_session "$1" "$2" "$(tui_environment)PS1='ready\$ ' bash --norc --noprofile -i"
    tui_wait 'ready$'
}

tui_keys() { "${tmux[@]}" send-keys -- "$@"; }
tui_type() { "${tmux[@]}" send-keys -l -- "$1"; }
tui_resize() { "${tmux[@]}" resize-window -x "$1" -y "$2"; }
# shellcheck disable=SC2120 # options only where wanted
tui_shot() { "${tmux[@]}" capture-pane -p "$@"; }

tui_paste() {
    "${tmux[@]}" set-buffer -b pasted -- "$1"
    "${tmux[@]}" paste-buffer -p -b pasted
}

# tui_until WHAT COMMAND...: at most 10 s
tui_until() {
    local what=$1 until=$((SECONDS + 10 * ${TIMES:-1})) pause=0.05
    shift
    until "$@"; do
        [ $SECONDS -le $until ] || tui_fail "$what"
        tui_nap "$pause"
        [ "$pause" = 0.05 ] && pause=0.1 || pause=0.25
    done
}

# A moment, without a process: the wait is on a pipe that nobody writes to.
tui_nap() {
    if [ -z "${tui_pipe:-}" ]; then
        exec {tui_pipe}<> <(:)
    fi
    read -rt "${1:-0.1}" -u "$tui_pipe" || :
}

# shellcheck disable=SC2119
tui_has() {
    local shot
    shot=$("${tmux[@]}" capture-pane -p)
    [[ $shot == *"$1"* ]]
}
tui_has_not() { ! tui_has "$1"; }
tui_wait() { tui_until "never saw: $1" tui_has "$1"; }
tui_gone() { tui_until "never went: $1" tui_has_not "$1"; }
# shellcheck disable=SC2119
tui_is() { [ "$("${tmux[@]}" capture-pane -p)" = "$1" ]; }

# What is compared with later: all that comes has come.
# shellcheck disable=SC2119
tui_still() {
    local now before same=0 until=$((SECONDS + 10 * ${TIMES:-1}))
    now=$(tui_shot)
    while [ "$same" -lt 5 ] && [ $SECONDS -le $until ]; do
        tui_nap
        before=$now
        now=$(tui_shot)
        [ "$now" = "$before" ] && same=$((same + 1)) || same=0
    done
    printf '%s\n' "$now"
}

tui_pid() {
    tui_until "no process" test -s "$T/pid"
    cat "$T/pid"
}

tui_same_modes() {
    tui_until "the shell is not back" test -s "$T/after"
    cmp "$T/before" "$T/after" || tui_fail "stty -g: before and after differ"
}
