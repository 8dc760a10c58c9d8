#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# catalogue_test.sh - Debian's barman (3.4, old layout) and barkeep list the same backups.
#
#     tests/interop/catalogue_test.sh BARKEEP [SEEDS]
#
# Random catalogues (catalogue.awk) are listed by both. Barman 3.4 writes no type of a backup
# and adds the tablespaces; the rest of each line must be equal. Its xlog.db is given to barkeep
# under the name that newer versions use, as their upgrade does. 77: there is no barman here.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
barkeep=$(realpath "$1")
seeds=${2:-8}
command -v barman >/dev/null || { echo "SKIP: no barman here. Run scripts/deps --bench."; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export TZ=UTC

printf '%s\n' '[barman]' "barman_home = $dir/home" "barman_user = $(id -un)" \
    "log_file = $dir/log" '[s]' 'conninfo = host=127.0.0.1 port=1' 'backup_method = postgres' \
    'archiver = on' >"$dir/barman.conf"

# What Barman 3.4 says, without the tablespaces; what barkeep says, without the type.
old_lines() {
    barman -c "$dir/barman.conf" list-backup s | sed -E 's/ \(tablespaces: [^)]*\)//'
}
our_lines() {
    "$barkeep" -c "$dir/barman.conf" list-backup s | sed -E 's/^(s [0-9T]+) - [FR] - /\1 - /'
}

failed=0
lines=0
for ((seed = 1; seed <= seeds; seed++)); do
    rm -rf "${dir:?}/home"
    mkdir "$dir/home"
    awk -v seed="$seed" -v dir="$dir/home/s" -v server=s -v layout=old -f "$here/catalogue.awk"
    old_lines >"$dir/old"
    if [ -e "$dir/home/s/wals/xlog.db" ]; then
        mv "$dir/home/s/wals/xlog.db" "$dir/home/s/wals/s-xlog.db"
    fi
    our_lines >"$dir/ours"
    lines=$((lines + $(wc -l <"$dir/ours")))
    if ! diff -u "$dir/old" "$dir/ours"; then
        printf 'FAILED: seed %s\n' "$seed"
        failed=$((failed + 1))
    fi
done
printf '%d catalogues, %d backups, %d differ\n' "$seeds" "$lines" "$failed"
[ "$failed" = 0 ] && [ "$lines" -gt 0 ]
