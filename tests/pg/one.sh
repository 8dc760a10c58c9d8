# shellcheck shell=bash
# one.sh FILE FUNCTION - the process of one test; tests/pg/run starts it.
set -Eeuo pipefail
shopt -s inherit_errexit
cd "$T"
PATH=$PATH:/usr/sbin:/sbin
# A failing command names itself: there is no other trace of where a test stopped.
trap 'printf "FAILED: %s line %s: %s (status %s)\n" "${BASH_SOURCE[0]##*/}" "$LINENO" "$BASH_COMMAND" "$?" >&2' ERR
# The deadline is over: say where.
hangs() {
    local i
    printf 'HANGS: %s\n' "$BASH_COMMAND" >&2
    for ((i = 1; i < ${#FUNCNAME[@]} - 1; i++)); do
        printf '    at %s line %s (%s)\n' "${BASH_SOURCE[i]##*/}" "${BASH_LINENO[i - 1]}" "${FUNCNAME[i]}" >&2
    done
    trap - ERR
    exit 124
}
trap hangs TERM
# shellcheck source=tests/pg/lib.sh
. "${TESTS_PG:?}/lib.sh"
# shellcheck disable=SC1090 # the test's file
. "$1"
"$2"
