# shellcheck shell=bash
# archive-wal under faults. Numbers are rows of the list of faults that an archive must survive.
#
# $T/wal holds good segments of 1 MiB from a real server; every turn begins with a fresh home
# and copies of them in incoming.

# make_wal [N]: so many segments (4), the first half full, and a history file. What is broken at
# every call in turn is seen with two as well as with four, in a quarter of the time.
# The tests of a run share them: what a server writes is not the matter here.
make_wal() {
    local kept=$TEMPLATES/wal${1:-4}
    (
        flock 9
        if [ ! -d "$kept" ]; then
            write_wal "${1:-4}"
            mv wal "$kept"
        fi
    ) 9>"$kept.lock"
    cp -a "$kept" wal
    pg_register src "$T/pg_src" "$(pg_bin)" # it does not run
}

write_wal() {
    local segments=$1
    mkdir wal
    pg_new src - --segsize=1 'archive_mode = on' \
        "archive_command = 'cp %p $T/part && mv $T/part $T/wal/%f'"
    pg_start src
    pg_sql src 'create table t as select generate_series(1, 1000) as n'
    for ((; segments > 1; segments--)); do
        pg_sql src 'select pg_switch_wal()' >/dev/null
        pg_sql src 'insert into t select n from t'
    done
    pg_sql src 'select pg_switch_wal()' >/dev/null
    wait_until 30 wal_count_is "$1"
    pg_stop src immediate
    printf '1\t0/1800000\tno recovery target specified\n' >wal/00000002.history
}

wal_count_is() { [ "$(find wal -type f | wc -l)" -ge "$1" ]; }

# fresh ['option = value']...   a home with nothing archived and everything in incoming; the same
# as the time before is a copy, since that is done hundreds of times
FRESH=none
fresh() {
    rm -rf "$BK_HOME"
    if [ "$FRESH" != "$*" ]; then
        bk_home src 'archiver = on' 'streaming_archiver = off' 'slot_name = -' 'create_slot = -' "$@"
        mkdir -p "$BK_HOME"/src/{base,wals,incoming,streaming,errors,meta,.barkeep}
        cp wal/* "$BK_HOME/src/incoming/"
        rm -rf "$T/fresh"
        cp -a "$BK_HOME" "$T/fresh"
        FRESH=$*
    else
        cp -a "$T/fresh" "$BK_HOME"
    fi
}

# Some of this is looked at after every call of a program, hundreds of times: by the shell itself
# and one md5sum, since each process costs more than what it looks at.
shopt -s nullglob dotglob

# $ARCHIVED: whatever bears a final name in the archive.
archived() {
    local f
    ARCHIVED=()
    for f in "$BK_HOME"/src/wals/* "$BK_HOME"/src/wals/*/*; do
        case $f in
        *.tmp | *xlog.db*) ;;
        *) [ ! -f "$f" ] || ARCHIVED+=("$f") ;;
        esac
    done
}

# It holds exactly what was delivered. Packed bytes that were unpacked and compared once are known.
declare -A KNOWN=()
archived_is_good() {
    local f line lines
    archived
    [ ${#ARCHIVED[@]} -gt 0 ] || return 0
    md5sum "${ARCHIVED[@]}" >"$T/sums"
    mapfile -t lines <"$T/sums"
    expect_equal ${#ARCHIVED[@]} ${#lines[@]} 'files summed up'
    for line in "${lines[@]}"; do
        f=${line:34}
        if [ -z "${KNOWN[${line:0:32}.${f##*/}]:-}" ]; then
            cmp -s "$f" "wal/${f##*/}" || gzip -dc "$f" | cmp - "wal/${f##*/}" || fail "damaged: $f"
            KNOWN[${line:0:32}.${f##*/}]=1
        fi
    done
}

# Nothing that was delivered is nowhere: still in incoming, archived, or kept aside.
nothing_is_lost() {
    local given name found
    for given in wal/*; do
        name=${given##*/}
        for found in "$BK_HOME"/src/*/"$name"* "$BK_HOME"/src/wals/*/"$name"; do
            case ${found##*/} in
            "$name" | "$name".2*Z.*) continue 2 ;;
            esac
        done
        fail "lost: $name"
    done
}

# All of it archived, listed once, incoming empty, nothing left over.
all_is_archived() {
    local lines line left listed=()
    archived_is_good
    left=("$BK_HOME"/src/incoming/* "$BK_HOME"/src/wals/*.tmp "$BK_HOME"/src/wals/*/*.tmp)
    [ ${#left[@]} = 0 ] || fail "left in incoming, or over: ${left[*]}"
    mapfile -t lines <"$BK_HOME/src/wals/src-xlog.db"
    for line in "${lines[@]}"; do
        listed+=("${line%%$'\t'*}")
    done
    same_names 'listed' "${listed[@]}"
    same_names 'archived' "${ARCHIVED[@]##*/}"
}

# Each name of wal/ once, and no other.
same_names() { # WHAT NAME...
    local what=$1 name names=(wal/*)
    local -A once=()
    shift
    for name; do
        [ -e "wal/$name" ] && [ -z "${once[$name]:-}" ] || fail "$what is $name, not once in wal/"
        once[$name]=1
    done
    expect_equal ${#names[@]} $# "$what"
}
# count_calls CALL   $CALLS: how often archive-wal does that below the server's directory
count_calls() {
    local call=$1
    [ "$call" != any ] || call='[a-z_]*'
    bk_calls archive-wal src >/dev/null
    CALLS=$(grep -c "^any $call .*/src/" calls || true)
    [ "$CALLS" -gt 0 ] || fail "no calls of '$1' were seen"
}

# every_call ACTION CHECK ['option = value']   break each call in turn, look, run again
every_call() {
    local action=$1 check=$2 n
    shift 2
    fresh "$@"
    count_calls any
    all_is_archived
    for ((n = 1; n <= CALLS; n++)); do
        fresh "$@"
        bk_fault "any:$n:$action:/src/" archive-wal src >"$T/turn.log" 2>&1 || true
        archived_is_good
        nothing_is_lost
        "$check"
    done
}

rerun_completes() {
    bk archive-wal src >"$T/again.log" 2>&1 || fail "the second run failed: $(cat "$T/again.log")"
    all_is_archived
}

#: deadline=300
test_10_killed_at_every_call() {
    make_wal 2
    every_call kill rerun_completes
}

#: deadline=300
test_10_killed_at_every_call_gzip() {
    make_wal 2
    every_call kill rerun_completes 'compression = gzip' 'compression_level = low'
}

#: deadline=300
test_10_torn_at_every_write() {
    local n
    make_wal 2
    fresh 'compression = gzip' 'compression_level = low'
    count_calls write
    for ((n = 1; n <= CALLS; n++)); do
        fresh 'compression = gzip' 'compression_level = low'
        bk_fault "write:$n:torn:/src/" archive-wal src >"$T/turn.log" 2>&1 || true
        archived_is_good
        nothing_is_lost
        rerun_completes
    done
}

test_11_power_cut_after_success() {
    local option
    make_wal
    for option in none gzip; do
        fresh "compression = $option"
        bk_powercut archive-wal src
        powercut
        archived_is_good
        nothing_is_lost
        # What was removed from incoming may be back; it is recognised.
        rerun_completes
    done
}

#: deadline=300
test_11_power_cut_at_every_call() {
    local n
    make_wal 2
    fresh
    count_calls any
    for ((n = 1; n <= CALLS; n++)); do
        fresh
        rm -f powercut
        with_shim BARKEEP_POWERCUT="$T/powercut" BARKEEP_FAULT="any:$n:kill:/src/" \
            "$BARKEEP" -c "$BK_CONF" --batch archive-wal src >"$T/turn.log" 2>&1 || true
        [ ! -e powercut ] || powercut >/dev/null
        nothing_is_lost
        rerun_completes
    done
}

#: deadline=300
test_12_no_space_at_every_write() {
    local n status option
    make_wal 2
    for option in none gzip; do
        fresh "compression = $option" 'compression_level = low'
        count_calls write
        for ((n = 1; n <= CALLS; n++)); do
            fresh "compression = $option" 'compression_level = low'
            status=0
            bk_fault "write:$n+:ENOSPC:/src/wals/" archive-wal src >"$T/turn.log" 2>&1 || status=$?
            archived_is_good
            nothing_is_lost
            if [ "$status" = 0 ]; then
                break # fewer writes than that go into the archive
            fi
            expect_match 'no space left on device' "$T/turn.log"
            expect_equal '' "$(find -L "$BK_HOME/src/wals" -name '*.tmp' ! -name '*xlog*')" 'left over'
            rerun_completes
        done
        [ "$n" -gt 1 ] || fail 'no write was refused'
    done
}

#: small_fs=6
test_12_disk_full() {
    make_wal
    fresh "wals_directory = $SMALL_FS/wals"
    mkdir "$SMALL_FS/wals"
    head -c 3500K /dev/zero >"$SMALL_FS/ballast"
    expect_status 1 bk archive-wal src
    expect_match 'no space left on device' "$ERR"
    expect_equal '' "$(find "$SMALL_FS" -name '*.tmp')" 'left over'
    expect_equal 2 "$(wc -l <"$SMALL_FS/wals/src-xlog.db")" 'what fitted is archived'
    rm "$SMALL_FS/ballast"
    bk archive-wal src
    expect_equal '' "$(ls "$BK_HOME/src/incoming")"
    rmdir "$BK_HOME/src/wals"
    ln -s "$SMALL_FS/wals" "$BK_HOME/src/wals"
    all_is_archived
}

# A sync that failed is final: the file is not offered again as if nothing had been.
#: deadline=300
test_13_sync_fails() {
    local n status
    make_wal 2
    fresh
    count_calls fsync
    for ((n = 1; n <= CALLS; n++)); do
        fresh
        status=0
        bk_fault "fsync:$n:EIO:/src/" archive-wal src >"$T/turn.log" 2>&1 || status=$?
        if [ "$status" = 0 ]; then
            break
        fi
        expect_match 'input/output error' "$T/turn.log"
        archived_is_good
        nothing_is_lost
        bk archive-wal src >/dev/null
        expect_equal '' "$(ls "$BK_HOME/src/incoming")" 'left in incoming'
    done
    [ "$n" -gt 1 ] || fail 'no sync was refused'

    fresh
    expect_status 1 bk_fault 'fsync:1:EIO:/incoming/' archive-wal src
    expect_equal 1 "$(find "$BK_HOME/src/errors" -name '*.error' | wc -l)" 'taken for lost'
}

test_14_destination_is_not_right() {
    make_wal
    fresh
    rm -r "$BK_HOME/src/wals"
    expect_status 1 bk archive-wal src
    expect_match 'wals' "$ERR"
    [ ! -e "$BK_HOME/src/wals" ] || fail 'a missing archive was made'

    fresh
    chmod 500 "$BK_HOME/src/wals"
    expect_status 1 bk archive-wal src
    expect_match 'permission denied' "$ERR"
    chmod 700 "$BK_HOME/src/wals"

    fresh
    mkdir "$T/elsewhere"
    ln -s "$T/elsewhere" "$BK_HOME/src/wals/0000000100000000"
    expect_status 1 bk archive-wal src
    expect_match 'not a directory' "$ERR"
    expect_equal '' "$(ls "$T/elsewhere")" 'written outside of the archive'
    nothing_is_lost
}

test_15_delivered_twice() {
    make_wal
    fresh 'streaming_archiver = on' 'slot_name = barman'
    cp wal/* "$BK_HOME/src/streaming/"
    bk archive-wal src
    all_is_archived
    expect_equal '' "$(ls "$BK_HOME/src/errors")"
    expect_equal '' "$(ls "$BK_HOME/src/streaming")"
}

test_15_two_archivers() {
    make_wal
    for _ in 1 2 3 4 5; do
        fresh
        bk_bg one archive-wal src
        bk_bg two archive-wal src
        wait "${BK_PID[one]}" || fail "$(cat one.log)"
        wait "${BK_PID[two]}" || fail "$(cat two.log)"
        rerun_completes
    done
}

test_16_in_any_order() {
    local f
    make_wal
    fresh
    rm "$BK_HOME"/src/incoming/*
    for f in $(printf "%s\n" wal/* | sort -r); do
        cp "$f" "$BK_HOME/src/incoming/"
        bk archive-wal src >/dev/null
    done
    all_is_archived
}

test_17_22_second_history_of_a_timeline() {
    make_wal
    fresh
    bk archive-wal src
    printf '1\t0/1900000\tanother server\n' >"$BK_HOME/src/incoming/00000002.history"
    expect_status 1 bk archive-wal src
    expect_match 'differs from the archived one' "$ERR"
    expect_match 'split brain: two servers have made timeline 00000002' "$ERR"
    all_is_archived
    expect_equal 1 "$(find "$BK_HOME/src/errors" -name '00000002.history.*.duplicate' | wc -l)"
    expect_status 1 bk check src
    expect_match 'archiver errors: FAILED \(duplicates: 1\)' "$OUT"
}

# ---- delivered again ---------------------------------------------------------------------

first_wal() { find wal -type f -printf '%f\n' | sort | sed -n 1p; }

archived_path() { find "$BK_HOME/src/wals" -name "$1" -type f; }

test_001_the_same_again() {
    local name file before option
    make_wal
    for option in none gzip; do
        fresh "compression = $option"
        bk archive-wal src >/dev/null
        name=$(first_wal)
        file=$(archived_path "$name")
        before=$(stat -c '%i %Y %s' "$file")
        cp "wal/$name" "$BK_HOME/src/incoming/"
        expect_status 0 bk archive-wal src
        expect_equal "$before" "$(stat -c '%i %Y %s' "$file")" 'the archived file'
        all_is_archived
        expect_equal '' "$(ls "$BK_HOME/src/errors")"
    done
}

test_002_other_bytes_of_the_same_name() {
    local name file sum
    make_wal
    fresh
    bk archive-wal src >/dev/null
    name=$(first_wal)
    file=$(archived_path "$name")
    sum=$(sha256sum <"$file")
    cp "wal/$name" "$BK_HOME/src/incoming/"
    printf 'xxxxxxxx' | dd of="$BK_HOME/src/incoming/$name" bs=1 seek=500000 conv=notrunc status=none
    cp "$BK_HOME/src/incoming/$name" "$T/other"
    expect_status 1 bk archive-wal src
    expect_match "differs from the archived one .*${sum%% *}" "$ERR"
    expect_match "$(sha256sum <"$T/other" | cut -d' ' -f1)" "$ERR"
    expect_equal "$sum" "$(sha256sum <"$file")" 'the archived file'
    cmp "$T/other" "$BK_HOME/src/errors/$name".*.duplicate
    expect_status 1 bk check src
    expect_match 'archiver errors: FAILED \(duplicates: 1\)' "$OUT"
}

test_021_old_primary_goes_on() {
    local names name at
    make_wal
    mapfile -t names < <(find wal -regex '.*/[0-9A-F]*' -printf '%f\n' | sort)
    at=${names[2]:22:2}
    at=0/${at#0}00000
    fresh 'compression = gzip'
    rm "$BK_HOME"/src/incoming/*
    printf '1\t%s\tno recovery target specified\n' "$at" \
        >"$BK_HOME/src/incoming/00000002.history"
    cp "wal/${names[0]}" "wal/${names[1]}" "$BK_HOME/src/incoming/"
    expect_status 0 bk archive-wal src
    expect_status 0 bk archive-wal src
    expect_no_match WARNING "$ERR"
    cp "wal/${names[2]}" "$BK_HOME/src/incoming/"
    expect_status 0 bk archive-wal src
    expect_match "${names[2]}' of server src: timeline 1 goes on behind $at, where timeline 2" "$ERR"
    expect_match "^diverged.1.$at" "$BK_HOME/src/.barkeep/wal-notes"
    cp "wal/${names[3]}" "$BK_HOME/src/incoming/"
    expect_status 0 bk archive-wal src
    expect_no_match 'goes on behind' "$ERR"
    for name in "${names[@]}"; do
        gzip -dc "$(archived_path "$name")" | cmp - "wal/$name"
    done
}

# ---- walked on arrival -------------------------------------------------------------------

damage_wal() { printf 'xxxxxxxx' | dd of="$1" bs=1 seek=9000 conv=notrunc status=none; }

# Compressed: a damaged segment is kept, told at once, noted once, and a failure of check.
test_wal_records_are_walked_on_arrival() {
    local names name
    make_wal
    mapfile -t names < <(find wal -regex '.*/[0-9A-F]*' -printf '%f\n' | sort)
    name=${names[1]}
    fresh 'compression = gzip'
    expect_status 0 bk archive-wal src
    expect_no_match 'damaged' "$ERR"
    expect_no_match 'WAL records' "$(bk check src || true)"

    fresh 'compression = gzip'
    damage_wal "$BK_HOME/src/incoming/$name"
    cp "$BK_HOME/src/incoming/$name" "$T/damaged"
    expect_status 0 bk archive-wal src
    expect_match "WARNING: WAL file '$name' of server src is damaged: valid records end at 0/" "$ERR"
    expect_equal 1 "$(grep -c 'is damaged' "$ERR")" 'segments told'
    gzip -dc "$(archived_path "$name")" | cmp - "$T/damaged"
    expect_status 1 bk check src
    expect_match "WAL records: FAILED \($name is damaged: " "$OUT"
    expect_status 2 bk check --nagios src
    expect_match 'WAL records' "$OUT"
    # A sound copy in its place, and the line is gone.
    cp "wal/$name" "$(archived_path "$name")"
    bk check src >"$T/again" || true
    expect_no_match 'WAL records' "$T/again"

    # One that lies in streaming, and is encrypted instead; without either nothing is walked.
    fresh 'streaming_archiver = on' 'slot_name = barman' 'compression = zstd'
    rm "$BK_HOME"/src/incoming/*
    cp "$T/damaged" "$BK_HOME/src/streaming/$name"
    expect_status 0 bk archive-wal src
    expect_match "'$name' of server src is damaged" "$ERR"
    fresh
    cp "$T/damaged" "$BK_HOME/src/incoming/$name"
    expect_status 0 bk archive-wal src
    expect_no_match 'damaged' "$ERR"
}

# A filter that ends well has not always written what it took.
test_archive_custom_filter_loses() {
    local filter magic='printf XYZ1'
    make_wal 2
    for filter in 'exit 0' 'cat >/dev/null' 'head -c 100' "$magic; exit 0" \
        "$magic; head -c 1000000" "$magic; cat; echo more" "$magic; tr a b"; do
        fresh 'compression = custom' "custom_compression_filter = $filter" \
            'custom_decompression_filter = tail -c +5' 'custom_compression_magic = 0x58595a31'
        expect_status 1 bk archive-wal src
        expect_match 'custom_compression_filter succeeded, but' "$ERR"
        expect_equal "$(ls wal)" "$(ls "$BK_HOME/src/incoming")" "what waits, with '$filter'"
        expect_equal '' "$(find "$BK_HOME/src/wals" -name '0*' -type f)" "what is archived, with '$filter'"
    done
    fresh 'compression = custom' 'custom_compression_filter = printf XYZ1; cat' \
        'custom_decompression_filter = tail -c +5' 'custom_compression_magic = 0x58595a31'
    expect_status 0 bk archive-wal src
    expect_equal '' "$(ls "$BK_HOME/src/incoming")" 'what waits'
}

#: deadline=60
test_archive_custom_filter_hangs() {
    local name
    make_wal 2
    name=$(first_wal)
    fresh 'compression = custom' 'custom_compression_filter = cat >/dev/null; sleep 1000' \
        'custom_decompression_filter = cat' 'custom_compression_magic = 0x123456'
    bk_bg hung archive-wal src
    wait_until 10 pgrep -f 'sleep 1000'
    bk_bg_stop hung TERM
    expect_equal 1 "$BK_STATUS" status
    [ -e "$BK_HOME/src/incoming/$name" ] || fail 'the segment is gone'
    ! pgrep -u "$(id -u)" -f 'sleep 1000' || fail 'the filter still runs'
    nothing_is_lost
}
