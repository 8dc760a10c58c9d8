# shellcheck shell=bash
# golden_test.sh - what commands print that need a server, to the letter: tests/golden/live/NAME.txt
# as lines and NAME.json with -f json. What a server makes anew each time (times, positions, sizes,
# numbers of processes, what WAL it was behind) is cut out, see steady(), and so is who archives a
# streamed segment: the command that waits for it, or the receiver before it.
#
# scripts/golden --live makes them again; read what git diff shows before you commit it.
# tests/batch/golden_test.c has the commands that a fixed catalogue is enough for.

# '@' is barman_home, '%' the test's directory.
steady() {
    awk '/^Processing xlog segments from streaming/ { cut = 1; next } cut && /^\t/ { next }
        { cut = 0; print }' | sed -E -e 's/\b[0-9a-f]{64}\b/SUM/g' -e "s#$BK_HOME#@#g; s#$T#%#g; s#/tmp/barkeep-[A-Za-z0-9]{6}#/tmp/barkeep-XXXXXX#g" \
        -e 's/20[0-9]{6}T[0-9]{6}/ID/g' \
        -e 's/20[0-9]{2}-[0-9]{2}-[0-9]{2}[ T][0-9:]{8}(\.[0-9]+)?(\+00(:00)?| UTC)?/TIME/g' \
        -e 's/(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} 20[0-9]{2}/TIME/g' \
        -e 's/[0-9A-F]{24}/WAL/g; s/WAL, [0-9A-F]{8}\b/WAL, OFFSET/g' \
        -e 's#\b[0-9A-F]{1,8}/[0-9A-F]{5,8}\b#LSN#g' \
        -e 's/\b(less than one second|[0-9]+ (second|minute)s?(, [0-9]+ seconds?)?)/SPAN/g' \
        -e 's/-?\b[0-9.]+ ([KMGT]i)?B\b/SIZE/g; s/[0-9.]+%/N%/g' \
        -e 's/\b[0-9]+\.[0-9]+(e-[0-9]+)?\b/N/g; s/\b[0-9]{3,}\b/N/g; s/(_bytes": )-?[0-9]+/\1N/g' \
        -e 's#\b[0-9]/[0-9] (Remote write|WAL Sent \(min\)|1-safe)#STAGE#; s/=[0-9]+B\b/=NB/g' \
        -e '/^WAL segments preceding/d; /^\tWAL from server/d' \
        -e 's/(, )?"Processing xlog segments from streaming for [a-z]+"(, "\\t[^"]*")+//' \
        -e 's/^(PID|[0-9]+) /N /; s/\b(port=|-p |Process: |"pid": )[0-9]+/\1N/g'
}

kept() { # NAME.EXT STATUS CMD...: run it and compare what it prints with what is kept
    local name=$1 want=$2 got=0
    shift 2
    "$@" >"$OUT" 2>"$ERR" || got=$?
    {
        printf '$ barkeep %s\n' "${*:2}"
        cat "$OUT"
        [ ! -s "$ERR" ] || { echo '==== stderr' && cat "$ERR"; }
        printf '==== exit status %s\n' "$got"
    } | steady >"$T/got"
    expect_equal "$want" "$got" "exit status of ${*:2}"
    if [ -n "${GOLDEN_UPDATE:-}" ]; then
        cp "$T/got" "$GOLDEN_UPDATE/$name"
    else
        diff -u "$TESTS_PG/golden/$name" "$T/got" || fail "$name is printed otherwise"
    fi
}

golden() { # NAME CMD...: as lines and as JSON
    kept "$1.txt" 0 bk "${@:2}"
    kept "$1.json" 0 bk -f json "${@:2}"
}

some_wal() { pg_sql main "select pg_logical_emit_message(false, 'x', 'y')" >/dev/null; }

# The receiver as cron starts it, ends it, and shows it.
processes() { # EXT [OPTION...]
    local ext=$1
    shift
    kept "receive-wal-create-slot.$ext" 0 bk "$@" receive-wal --create-slot main
    kept "receive-wal-drop-slot.$ext" 0 bk "$@" receive-wal --drop-slot main
    bk receive-wal --create-slot main
    kept "cron.$ext" 0 bk "$@" cron
    wait_until 20 streams
    kept "list-processes.$ext" 0 bk "$@" list-processes main
    kept "terminate-process.$ext" 0 bk "$@" terminate-process main receive-wal
    wait_until 20 nobody_streams
    bk receive-wal --drop-slot main
}

#: deadline=120
test_golden_processes_and_slots() {
    pg_new main 15 --segsize=16 && pg_start main
    bk_home main
    processes txt
    processes json -f json
}

ready() {
    pg_new main 15 --segsize=16 && pg_start main
    bk_home main
    bk_receiver
    pg_sql main 'create table marks as select generate_series(1, 3) n'
}

#: deadline=120
test_golden_backup_and_server() {
    ready
    golden estimate-size-first estimate-size main
    kept backup-first.txt 0 bk backup --name before --wait main
    kept backup.json 0 bk -f json backup --wait main
    kept backup.txt 0 bk backup --wait main
    caught_up
    golden estimate-size estimate-size main
    golden check check main
    golden check-nagios check --nagios main
    golden status status main
    golden replication-status replication-status main
    golden replication-status-minimal replication-status --minimal main
    golden verify-backup verify-backup main latest
    golden check-backup check-backup main latest
    some_wal
    kept switch-wal.txt 0 bk switch-wal main
    some_wal
    kept switch-wal.json 0 bk -f json switch-wal main
    some_wal
    kept switch-wal-archive.txt 0 bk switch-wal --archive main
}

# One copy from its restore to its end.
copy() { # EXT DIRECTORY [OPTION...]
    local ext=$1 to=$2
    shift 2
    kept "restore-dry-run.$ext" 0 bk "$@" restore --dry-run --target-name here main latest "$to"
    kept "restore.$ext" 0 bk "$@" restore --target-name here main latest "$to"
    kept "show-copy-restored.$ext" 0 bk "$@" show-copy main "$to"
    kept "start-copy.$ext" 0 bk "$@" start-copy main "$to"
    kept "show-copy.$ext" 0 bk "$@" show-copy main "$to"
    kept "compare-copy.$ext" 0 bk "$@" compare-copy --table public.marks --table public.none main "$to"
    kept "promote-copy.$ext" 0 bk "$@" promote-copy main "$to"
    kept "stop-copy.$ext" 0 bk "$@" stop-copy main "$to"
    kept "drop-copy.$ext" 0 bk "$@" drop-copy main "$to"
    kept "show-copy-dropped.$ext" 0 bk "$@" show-copy main "$to"
}

#: deadline=180
test_golden_copies() {
    ready
    bk backup --wait main
    pg_sql main 'insert into marks values (0)'
    pg_sql main "select pg_create_restore_point('here')" >/dev/null
    pg_sql main 'insert into marks values (4)'
    caught_up
    copy txt "$T/copy"
    copy json "$T/copy" -f json
}

wal_is_there() { [ "$(find wal -type f -name '0*' | wc -l)" -ge 4 ]; }

# stream FILE NAME: what barman-wal-archive sends of a file: it by that name, and its sum.
stream() {
    mkdir -p sent && rm -f sent/*
    cp -p "$1" "sent/$2"
    (cd sent && sha256sum -b "$2" >SHA256SUMS && tar -cf - --format=pax "$2" SHA256SUMS)
}

# Segment N of those that the server closed: pushed, pushed again, with other bytes, archived.
pushed() { # N EXT [OPTION...]
    local ext=$2 name
    name=$(find wal -type f -printf '%f\n' | sort | sed -n "$1p")
    stream "wal/$name" "$name" >first
    { head -c 500000 "wal/$name" && echo other && tail -c +500007 "wal/$name"; } >changed
    stream changed "$name" >other
    shift 2
    kept "put-wal.$ext" 0 bk "$@" put-wal main <first
    kept "put-wal-again.$ext" 0 bk "$@" put-wal main <first
    kept "put-wal-duplicate.$ext" 0 bk "$@" put-wal main <other
    kept "archive-wal.$ext" 0 bk "$@" archive-wal main
    cmp "wal/$name" "$BK_HOME/main/wals/${name:0:16}/$name"
    kept "archive-wal-nothing.$ext" 0 bk "$@" archive-wal main
    bk put-wal main <first
    kept "archive-wal-again.$ext" 0 bk "$@" archive-wal main
}

test_golden_pushed_wal() {
    mkdir -p wal
    pg_new main 15 --segsize=1 'archive_mode = on' \
        "archive_command = 'cp %p $T/part && mv $T/part $T/wal/%f'"
    pg_start main
    for _ in 1 2 3 4; do
        some_wal
        pg_sql main 'select pg_switch_wal()' >/dev/null
    done
    wait_until 30 wal_is_there
    bk_home main 'archiver = on' 'streaming_archiver = off' 'slot_name = -' 'create_slot = -'
    mkdir -p "$BK_HOME/main/wals"
    pushed 1 txt
    pushed 2 json -f json
}
