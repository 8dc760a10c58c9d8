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

# The seed chooses a policy too, and some backups get a keep mark: what retention says of them
# stands at the end of each line.
policies=(
    'retention_policy = REDUNDANCY 2'
    $'retention_policy = REDUNDANCY 1\nminimum_redundancy = 3'
    'description = no policy'
    'retention_policy = RECOVERY WINDOW OF 1 MONTH'
    $'retention_policy = RECOVERY WINDOW OF 1 DAY\nminimum_redundancy = 3'
    'retention_policy = REDUNDANCY 0'
)
configure() { # SEED
    printf '%s\n' '[barman]' "barman_home = $dir/home" "barman_user = $(id -un)" \
        "log_file = $dir/log" '[s]' 'conninfo = host=127.0.0.1 port=1' \
        'backup_method = postgres' 'archiver = on' "${policies[$1 % ${#policies[@]}]}" \
        >"$dir/barman.conf"
}
keep_some() { # SEED
    local base n=0
    for base in "$dir"/home/s/base/*/; do
        n=$((n + 1))
        [ $(((n * 7 + $1) % 5)) = 0 ] && [ -d "$base" ] || continue
        mkdir -p "$base/annotations"
        [ $((n % 2)) = 0 ] && printf full >"$base/annotations/keep" ||
            printf standalone >"$base/annotations/keep"
    done
}

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
    configure "$seed"
    keep_some "$seed"
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
