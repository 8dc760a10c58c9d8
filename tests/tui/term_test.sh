# shellcheck shell=bash
# The terminal alone, by tests/tools/tui_term: keys, and a program that runs on it.

term() { tui_start 80 24 "$B/tui_term" "$@"; }

test_run_a_program_and_come_back() {
    # shellcheck disable=SC2016 # for the shell in the terminal
    term sh -c 'ps -o stat= -p $$; stty -a | grep -o " icanon"; echo "I run"; read answer; exit 0'
    tui_wait 'size 80x24'
    tui_keys r
    tui_wait 'I run'
    tui_wait 'S+' # in the foreground
    tui_wait icanon
    tui_type hello
    tui_keys Enter
    tui_wait 'ended 0'
    tui_gone 'I run'
    tui_keys j
    tui_wait 'key 6a'
    tui_keys q
    tui_wait 'exit 0'
    tui_same_modes
}

# It reads: dash loses an interrupt that comes when it is about to become another program.
test_a_program_gets_ctrl_c_and_we_do_not() {
    term sh -c 'echo "I run"; read a'
    tui_wait 'size 80x24'
    tui_keys r
    tui_wait 'I run'
    tui_keys C-c
    tui_wait 'exit status 130'
    tui_keys x
    tui_wait 'ended 130'
    tui_keys q
    tui_wait 'exit 0'
}

test_a_program_that_is_not_there() {
    term no-such-program
    tui_wait 'size 80x24'
    # Often enough that one has ended before we begin to wait for it.
    tui_keys r r r r r r r r r r r r r r r r r r r r
    tui_wait 'ended 127'
    tui_keys q
    tui_wait 'exit 0'
}

# Ctrl-Z in the program leads to the shell, fg leads back into it.
test_a_program_is_stopped_along_with_us() {
    tui_shell 80 24
    tui_type "$B/tui_term sh -c 'echo \"I r\"un; read a; echo got \$a; sleep 0.3'"
    tui_keys Enter
    tui_wait 'size 80x24'
    tui_keys r
    tui_wait 'I run'
    tui_keys C-z
    tui_wait Stopped
    tui_type fg
    tui_keys Enter
    tui_type word
    tui_keys Enter
    tui_wait 'ended 0'
    tui_keys q
    tui_wait 'ready$'
}

# SIGTERM while the program has the terminal: it gets SIGHUP, then we leave.
test_sigterm_while_a_program_runs() {
    term sh -c 'echo "I run"; sleep 30'
    tui_wait 'size 80x24'
    tui_keys r
    tui_wait 'I run'
    kill -TERM "$(tui_pid)"
    tui_wait 'exit 143'
    tui_same_modes
}

test_keys_of_the_keyboard() {
    local key
    term
    tui_wait 'size 80x24'
    while read -r key code; do
        tui_keys "$key"
        tui_wait "key $code "
    done <<'KEYS'
Up 110000
Down 110001
Left 110002
Right 110003
PPage 110004
NPage 110005
Home 110006
End 110007
DC 110008
BSpace 110009
BTab 11000a
Tab 9
Enter a
Escape 1b
C-d 4
Space 20
KEYS
    tui_type '東'
    tui_wait 'key 6771 '
}

test_paste_is_marked() {
    term
    tui_wait 'size 80x24'
    tui_paste 'qqq'
    tui_wait 'key 71 pasted 3'
    tui_keys q
    tui_wait 'exit 0'
}
