#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# current_test.sh - Barman 3.17 itself and barkeep say the same of the same catalogues.
#
#     tests/interop/current_test.sh BARKEEP BARMAN-SOURCE [FIRST [LAST]]
#
# BARMAN-SOURCE is a tree of that release, which no distribution of ours has:
#     git clone -b release/3.17.0 https://github.com/EnterpriseDB/barman
# It runs where it lies, with Debian's python3-psycopg2 and python3-dateutil (both come with its
# package barman). Without one: 77, skipped. Random catalogues (catalogue.awk, seeds FIRST to LAST,
# 1 to 20) are listed, and one backup of each shown, in lines and in JSON; text must be equal to the
# letter, documents in what they hold.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
barkeep=$(realpath "$1")
source=${2:-}
[ -e "$source/barman/cli.py" ] || { echo "SKIP: no source of Barman 3.17. See the head of $0."; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export TZ=UTC PYTHONDONTWRITEBYTECODE=1

printf '%s\n' '[barman]' "barman_home = $dir/home" "barman_user = $(id -un)" \
    "log_file = $dir/log" '[s]' 'conninfo = host=127.0.0.1 port=1' 'backup_method = postgres' \
    'archiver = on' 'retention_policy = REDUNDANCY 2' >"$dir/barman.conf"

theirs() { PYTHONPATH=$source /usr/bin/python3 -m barman.cli -c "$dir/barman.conf" "$@"; }
ours() { "$barkeep" -c "$dir/barman.conf" "$@"; }

compared=0
failed=0
broken=0
compare() { # FORMAT COMMAND...
    local who status_theirs=0 status_ours=0
    theirs -f "$@" >"$dir/theirs" 2>"$dir/theirs.err" || status_theirs=$?
    ours -f "$@" >"$dir/ours" 2>"$dir/ours.err" || status_ours=$?
    if grep -q '^EXCEPTION\|"_EXCEPTION"' "$dir/theirs.err" "$dir/theirs"; then # it fails at its own bug: nothing to compare
        broken=$((broken + 1))
        return 0
    fi
    if [ "$1" = json ]; then
        for who in theirs ours; do
            /usr/bin/python3 -m json.tool --sort-keys "$dir/$who" "$dir/$who.json" &&
                mv "$dir/$who.json" "$dir/$who"
        done
    fi
    compared=$((compared + 1))
    if [ "$status_theirs" != "$status_ours" ] || ! diff -u "$dir/theirs" "$dir/ours"; then
        cat "$dir/theirs.err"
        printf 'FAILED: seed %s: %s (status %s, %s)\n' "$seed" "$*" "$status_theirs" "$status_ours"
        failed=$((failed + 1))
    fi
}

for ((seed = ${3:-1}; seed <= ${4:-20}; seed++)); do
    rm -rf "${dir:?}/home"
    mkdir "$dir/home"
    awk -v seed="$seed" -v dir="$dir/home/s" -v server=s -f "$here/catalogue.awk"
    some=$(find "$dir/home/s/base" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tail -n 1)
    for format in console json; do
        compare "$format" list-backups s
        [ -z "$some" ] || compare "$format" show-backup s "$some"
    done
done
printf '%d compared, %d differ, %d not told by Barman\n' "$compared" "$failed" "$broken"
[ "$failed" = 0 ] && [ "$compared" -gt 0 ]
