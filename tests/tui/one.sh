#!/usr/bin/env bash
# one.sh FILE FUNCTION: one test, as run starts it, in the directory $T.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tui/tui.sh
. "$here/tui.sh"
# shellcheck disable=SC1090 # the file is the argument
. "$1"
"$2"
