# shellcheck shell=bash disable=SC2154,SC2034 # sourced by run, which has room, pg, rows
# wal.sh - what WAL costs: archive-wal, get-wal, put-wal, beside Debian's barman.
#
# The segments are real ones, all different: a good third from loading pgbench's tables, the others
# from its transactions, which write whole pages after each checkpoint.

calls=12 # of get-wal and put-wal, each with another segment

wal_wanted() { # how many segments the wanted sections need
    if wanted archive; then echo 200; elif wanted put; then echo $((2 * calls)); else echo "$calls"; fi
}

# The server does not wait for the disk, hands its segments over by a second name and forgets them:
# 200 of them take a minute and no more than their own room.
segments_make() { # -> full segments in $room/segments
    [ ! -d "$room/segments" ] || return 0
    mkdir "$room/segments"
    if [ -n "$ready" ]; then
        cp -lt "$room/segments" "$ready"/0* 2>/dev/null || cp -t "$room/segments" "$ready"/0*
        return 0
    fi
    server_start wal 21503 'fsync = off' 'synchronous_commit = off' 'wal_recycle = off' \
        'wal_init_zero = off' 'max_wal_size = 1GB' 'archive_mode = on' \
        "archive_command = 'ln %p $room/segments/%f'"
    while [ "$(segments | wc -l)" -lt "$(wal_wanted)" ]; do
        "$pg/pgbench" -i -q -I dtGp -s 40 >/dev/null 2>&1
        sql CHECKPOINT
        "$pg/pgbench" -n -M prepared -c 4 -j 2 -T 12 >/dev/null 2>&1
        segments_cut
    done
    "$pg/pg_ctl" -D "$room/wal" -m immediate -w stop >/dev/null
    rm -rf "${room:?}/wal"
    sync -f "$room"
}

# A segment that a switch cuts short is mostly zeros: nobody's WAL.
segments_cut() {
    local cut
    cut=$(sql "SELECT pg_walfile_name(pg_switch_wal())")
    while [ "$(sql "SELECT last_archived_wal >= '$cut' FROM pg_stat_archiver")" != t ]; do
        sleep 0.2
    done
    rm -f "$room/segments/$cut"
}

segments() { find "$room/segments" -type f -name '0*' | sort; }

# What waits in incoming, and nothing in the archive. Its segments are other names of the kept ones:
# nobody writes into a segment.
wal_waits() { # SIDE COUNT
    rm -rf "$room/$1/wal/wals" "$room/$1/wal/incoming" "$room/$1/wal/.barkeep"
    mkdir -p "$room/$1/wal/incoming" "$room/$1/wal/wals"
    segments | awk -v n="$2" 'NR <= n' | xargs -r cp -lt "$room/$1/wal/incoming"
}

# --- archive-wal ---------------------------------------------------------------------------

declare -A per_segment
archive_rounds() { # LABEL COUNT-OURS COUNT-THEIRS
    local n side key
    for n in $(seq "$rounds"); do
        wal_waits ours "$2"
        wal_waits theirs "$3"
        sync -f "$room"
        time_it "$1: barkeep archive-wal, $2" "$room/bin/barkeep" -c "$room/ours-wal.conf" --batch archive-wal wal
        time_it "$1: barman archive-wal, $3" barman -c "$room/theirs-wal.conf" archive-wal wal
    done
    for key in "$1: barkeep archive-wal, $2" "$1: barman archive-wal, $3"; do
        n=${key##*, }
        side=${key#*: }
        per_segment[$1 ${side%% *}]=$(awk -v s="$(median "$key" 1)" -v n="$n" 'BEGIN {print s / n}')
    done
    printf '%-16s %8.1f %8.1f %8.1f %8.1f\n' "$1" \
        "$(rate "${per_segment[$1 barkeep]}")" "$(rate "${per_segment[$1 barman]}")" \
        "$(over "${per_segment[$1 barman]}" "${per_segment[$1 barkeep]}")" \
        "$(over "${per_segment[gzip barman]:-${per_segment[$1 barman]}}" "${per_segment[$1 barkeep]}")"
}

rate() { awk -v s="$1" 'BEGIN {print 1 / s}'; }
over() { awk -v a="$1" -v b="$2" 'BEGIN {print a / b}'; }

# Barman 3.4 knows neither zstd nor lz4: it gets them as filters.
theirs_filter() { # PROGRAM ARGUMENTS...
    sed -i -e "s/^compression = .*/compression = custom/" -e '/^compression_level/d' "$room/theirs-wal.conf"
    printf 'custom_compression_filter = %s -c\ncustom_decompression_filter = %s -c -d\n' "$*" "$1" \
        >>"$room/theirs-wal.conf"
}

# Barman is given fewer: it takes a second for three of them, one after the other.
bench_archive() {
    segments_make
    printf '\n%-16s %8s %8s %8s %8s\n' "archive-wal" barkeep barman ratio '/ gzip'
    home_write wal 21503 'archiver = on' 'compression = gzip'
    archive_rounds gzip 200 30
    home_write wal 21503 'archiver = on'
    archive_rounds none 200 200
    local kind
    for kind in zstd lz4; do
        home_write wal 21503 'archiver = on' "compression = $kind" 'compression_level = low'
        theirs_filter "$kind" -1
        archive_rounds "$kind low" 200 30
    done
    for kind in zstd lz4; do
        home_write wal 21503 'archiver = on' "compression = $kind"
        theirs_filter "$kind"
        archive_rounds "$kind" 200 30
    done
    echo 'segments a second; ratio: to barman with the same compression; / gzip: to its gzip'
}

# --- one segment a call --------------------------------------------------------------------

# The shell that a restore_command or an ssh command runs in is in the numbers, on both sides; memory
# that a virtual machine gave back to its host and gets again page by page is not.
call() { # KEY COMMAND
    local line
    line=$("$room/bin/measure" --touch 64 -- sh -c "$2")
    if [ "${line##* }" != 0 ]; then
        echo "bench: '$1' failed with status ${line##* }: $2" >&2
        sh -c "$2" >&2 || true
        exit 1
    fi
    rows[$1]+="$line"$'\n'
}

bench_get() {
    local kind seg
    segments_make
    for kind in none gzip zstd; do
        home_write wal 21503 'archiver = on' "compression = $kind"
        [ $kind != none ] || sed -i '/^compression/d' "$room/ours-wal.conf" "$room/theirs-wal.conf"
        [ $kind != zstd ] || theirs_filter zstd
        wal_waits ours "$calls"
        wal_waits theirs "$calls"
        server=wal # of ours and theirs
        ours archive-wal wal >/dev/null
        theirs archive-wal wal >/dev/null
        sync -f "$room"
        for seg in $(segments | sed -n "1,${calls}s/.*\///p"); do
            call "get-wal, $kind: barkeep" \
                "$room/bin/barkeep -c $room/ours-wal.conf get-wal wal $seg >$room/got"
            cmp "$room/got" "$room/segments/$seg"
            call "get-wal, $kind: barman" "barman -c $room/theirs-wal.conf get-wal wal $seg >$room/got"
        done
        report "get-wal, median of $calls calls" "get-wal, $kind: barman" "get-wal, $kind: barkeep" \
            "get-wal, $kind: barman"
    done
}

# What barman-wal-archive sends: 3.4 with MD5SUMS, newer ones with SHA256SUMS.
push_make() { # SEGMENT SUMS PROGRAM
    mkdir -p "$room/push/$2"
    (cd "$room/segments" && "$3" -b "$1" >"$room/push/$2/$2")
    tar -cf "$room/push/$2/$1.tar" -C "$room/segments" "$1" -C "$room/push/$2" "$2"
}

bench_put() {
    local seg
    segments_make
    home_write wal 21503 'archiver = on'
    wal_waits ours 0
    wal_waits theirs 0
    segments | sed -n "$((calls + 1)),$((2 * calls))s/.*\///p" >"$room/pushed"
    while read -r seg; do
        push_make "$seg" SHA256SUMS sha256sum
        push_make "$seg" MD5SUMS md5sum
    done <"$room/pushed"
    sync -f "$room"
    while read -r seg; do
        call "put-wal, SHA-256: barkeep" \
            "$room/bin/barkeep -c $room/ours-wal.conf put-wal wal <$room/push/SHA256SUMS/$seg.tar"
        call "put-wal, MD5: barman" \
            "barman -c $room/theirs-wal.conf put-wal wal <$room/push/MD5SUMS/$seg.tar"
    done <"$room/pushed"
    while read -r seg; do
        cmp "$room/ours/wal/incoming/$seg" "$room/segments/$seg"
    done <"$room/pushed"
    wal_waits ours 0
    sync -f "$room"
    while read -r seg; do
        call "put-wal, MD5: barkeep" \
            "$room/bin/barkeep -c $room/ours-wal.conf put-wal wal <$room/push/MD5SUMS/$seg.tar"
    done <"$room/pushed"
    report "put-wal, median of $calls calls" "put-wal, MD5: barman" "put-wal, SHA-256: barkeep" \
        "put-wal, MD5: barkeep" "put-wal, MD5: barman"
}
