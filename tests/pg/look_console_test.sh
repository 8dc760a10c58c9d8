# shellcheck shell=bash
# look_console_test.sh - what the console knows of a server, against the server itself: the
# first and the last commit of each stretch as the server remembers them, a hole where a segment
# was taken away, and silence that takes nothing away from what is kept.

lookshow=${BARKEEP%/*}/lookshow
declare -A LOOK=()

# ---- helpers ---------------------------------------------------------------------------

# A look that is kept, as the console keeps it: words go in, lines come out.
look_start() {
    [ -x "$lookshow" ] || fail "'$lookshow' was not built"
    coproc LOOKSHOW { exec "$lookshow" "$BK_CONF" main 2>"$T/lookshow.err"; }
    LOOK[in]=${LOOKSHOW[1]}
    LOOK[out]=${LOOKSHOW[0]}
}

# Says each word; the last line of the answer is in $LOOKED.
look() {
    local word
    for word; do
        printf '%s\n' "$word" >&"${LOOK[in]}"
        read -r -t 30 LOOKED <&"${LOOK[out]}" || fail "no answer to '$word'"
        printf '%s\n' "$LOOKED"
    done
}

# The snapshot into $T/shown.
look_show() {
    local line
    printf 'show\n' >&"${LOOK[in]}"
    : >"$T/shown"
    while read -r -t 30 line <&"${LOOK[out]}" && [ "$line" != end ]; do
        printf '%s\n' "$line" >>"$T/shown"
    done
}

look_all() {
    look live kept bounds >/dev/null
    look_show
}

shown() { # WORD FIELD [WHICH]
    awk -v w="$1" -v f="$2" -v n="${3:-1}" '$1 == w && ++i == n { print $f }' "$T/shown"
}

# Microseconds of the commit with that xid, by the server.
server_us() {
    pg_ask main "select extract(epoch from date_trunc('second', t))::bigint * 1000000
        + extract(microseconds from t)::bigint % 1000000
        from pg_xact_commit_timestamp('$1'::xid) t"
}

# xid and time of the last commit the server knows.
server_last() {
    pg_ask main "select xid || ' ' || extract(epoch from date_trunc('second', timestamp))::bigint
        * 1000000 + extract(microseconds from timestamp)::bigint % 1000000
        from pg_last_committed_xact()"
}

segment_now() {
    pg_ask main 'select pg_walfile_name(pg_current_wal_insert_lsn())'
}

is_archived() {
    [ -e "$BK_HOME/main/wals/${1:0:16}/$1" ]
}

# Something in the segment, then the next one.
next_segment() {
    local segment
    pg_sql main 'insert into t select generate_series(1, 10)'
    segment=$(segment_now)
    pg_sql main 'select pg_switch_wal()' >/dev/null
    wait_until 20 is_archived "$segment"
    printf '%s\n' "$segment"
}

set_up() {
    pg_new main "${1:-}" --segsize=1 'track_commit_timestamp = on' && pg_start main
    pg_sql main 'create table t (i int)'
    bk_home main
    bk_bg receiver receive-wal main
    caught_up
    look_start
}

# ---- bounds ----------------------------------------------------------------------------

look_bounds_at_version() {
    local first last
    set_up "$1"
    look_all
    expect_match '^live ok ' "$T/shown"
    expect_match "^address 127.0.0.1:${PG_PORT[main]}$|^address .*:${PG_PORT[main]}$" "$T/shown"
    expect_match '^light WARN' "$T/shown"
    expect_match '^sentence no backup yet' "$T/shown"
    expect_status 0 bk backup main --wait
    first=$(pg_ask main 'insert into t values (1) returning xmin')
    next_segment >/dev/null
    next_segment >/dev/null
    pg_sql main 'insert into t values (2)'
    caught_up
    last=$(server_last)
    look_all
    cat "$T/shown"
    expect_equal 1 "$(grep -c '^stretch' "$T/shown")" stretches
    expect_equal 0 "$(grep -c '^hole missing' "$T/shown" || true)" holes
    expect_match '^stretch 1 main open ' "$T/shown"
    expect_equal proven "$(shown first 5)" 'first commit'
    expect_equal "$(server_us "$(shown first 4)")" "$(shown first 2)" 'time of the first commit'
    [ "$(shown first 4)" -le "$first" ] || fail "xid $first came after the backup, not seen"
    expect_equal "$last" "$(shown to 4) $(shown to 2)" 'last commit'
    expect_equal proven "$(shown to 5)"
    expect_match '^receiving 1' "$T/shown"
    # The server writes a little by itself, so its place now is not that of the look.
    expect_equal t "$(pg_ask main "select '$(shown live 6)'::pg_lsn
        between '$CAUGHT_UP' and pg_current_wal_lsn()")" position
    # It goes on, and is seen within the two seconds it may take.
    pg_sql main 'insert into t values (3)'
    caught_up
    last=$(server_last)
    wait_until 10 looked_to "$last"
}

looked_to() {
    look_all
    [ "$(shown to 4) $(shown to 2)" = "$1" ]
}

test_look_console_13() { look_bounds_at_version 13; }
#: quick
test_look_console_15() { look_bounds_at_version 15; }
test_look_console_18() { look_bounds_at_version 18; }

# ---- a hole ----------------------------------------------------------------------------

test_look_console_hole() {
    local before gone from to
    set_up
    expect_status 0 bk backup main --wait
    before=$(next_segment)
    gone=$(next_segment)
    next_segment >/dev/null
    caught_up
    look_all
    expect_equal 0 "$(grep -c '^hole missing' "$T/shown" || true)" 'holes before'
    # The last commit before the hole, by the walk that is tested against pg_waldump.
    "${BARKEEP%/*}/walwalk" "$BK_HOME/main/wals/${before:0:16}/$before" >"$T/walked"
    from=$(awk '$1 == "commit" { t = $4 } END { print t }' "$T/walked")
    [ -n "$from" ] || fail "no commit in $before"
    mv "$BK_HOME/main/wals/${gone:0:16}/$gone" "$T/spare"
    look_all
    cat "$T/shown"
    expect_equal 1 "$(grep -c '^hole missing' "$T/shown")" holes
    expect_match "^hole missing 1 $gone $gone 1 $from 0 hurts$" "$T/shown"
    expect_match '^light FAIL' "$T/shown"
    expect_match "^sentence nothing can be restored since .*: $gone is missing" "$T/shown"
    # A new backup ends it.
    expect_status 0 bk backup main --wait
    pg_sql main 'insert into t values (4)'
    next_segment >/dev/null
    caught_up
    look_all
    cat "$T/shown"
    expect_equal 2 "$(grep -c '^stretch' "$T/shown")" stretches
    to=$(shown from 2 2)
    expect_match "^hole missing 1 $gone $gone 1 $from $to hurts$" "$T/shown"
    expect_match '^light WARN' "$T/shown"
    # What was proven is remembered by the next look.
    grep -q "^$before" "$BK_HOME/main/.barkeep/bounds" || fail "nothing was kept of $before"
    # Put back, it is one stretch again.
    mv "$T/spare" "$BK_HOME/main/wals/${gone:0:16}/$gone"
    look_all
    expect_equal 1 "$(grep -c '^stretch' "$T/shown")" 'stretches at the end'
    expect_no_match '^hole missing' "$T/shown"
}

# A segment that is damaged at the end of a stretch is told as such.
test_look_console_damage() {
    local last
    set_up
    expect_status 0 bk backup main --wait
    next_segment >/dev/null
    last=$(next_segment)
    expect_status 0 bk receive-wal --stop main
    rm -f "$BK_HOME"/main/streaming/*.partial
    head -c 64 /dev/urandom |
        dd of="$BK_HOME/main/wals/${last:0:16}/$last" bs=1 seek=100 conv=notrunc status=none
    look_all
    cat "$T/shown"
    expect_match "^hole corrupt 1 $last $last 1 [0-9]+ 0 hurts$" "$T/shown"
}

# ---- silence, rights, cost -----------------------------------------------------------------

test_look_console_silence() {
    local ms
    set_up
    expect_status 0 bk backup main --wait
    pg_sql main 'insert into t values (1)'
    caught_up
    look_all
    grep -E '^(backup|stretch|from|first|to) ' "$T/shown" >"$T/before"
    look kept bounds
    expect_match '^light (OK|WARN)' "$T/shown"
    pg_stop main immediate
    look live
    expect_match '^live changed ' "$LOOKED"
    ms=$(awk '{ print $3 }' <<<"$LOOKED")
    [ "$ms" -lt 1000 ] || fail "silence was noticed after $ms ms"
    look_show
    cat "$T/shown"
    expect_match '^live silent 1' "$T/shown"
    expect_match '^why .*(refused|shut|terminated|No such file)' "$T/shown"
    grep -E '^(backup|stretch|from|first|to) ' "$T/shown" >"$T/after"
    cmp "$T/before" "$T/after" || fail "kept facts have changed: $(diff "$T/before" "$T/after")"
    pg_start main
    look live
    look_show
    expect_match '^live ok ' "$T/shown"
}

# A user who may only connect; passwords are nowhere.
test_look_console_few_rights() {
    set_up
    pg_sql main "create role few login password 'geheim'"
    bk_home main "conninfo = host=127.0.0.1 port=${PG_PORT[main]} user=few dbname=postgres password=geheim"
    look_start
    look_all
    cat "$T/shown"
    expect_match '^live ok .* slot$' "$T/shown"
    expect_match '^archiver ok' "$T/shown"
    [ "$(shown live 7)" != 0/0 ] || fail 'the receiver is not seen'
    pg_stop main immediate
    look_all
    expect_match '^live silent ' "$T/shown"
    expect_no_match geheim "$T/shown"
}

test_look_console_archiver_fails() {
    pg_new main '' --segsize=1 'archive_mode = on' "archive_command = 'false'" && pg_start main
    bk_home main 'archiver = on' 'streaming_archiver = off' 'slot_name = -'
    pg_sql main 'create table t (i int); select pg_switch_wal()'
    wait_until 20 archive_failed
    look_start
    look_all
    expect_match '^archiver fails 0000000100000000000000' "$T/shown"
    expect_match '^sentence archive_command fails since .*\(last 0000000100000000000000' "$T/shown"
}

archive_failed() {
    [ "$(pg_ask main 'select failed_count > 0 from pg_stat_archiver')" = t ]
}

# Twice the same: nothing is told anew, and nothing is walked.
test_look_console_quiet() {
    set_up
    expect_status 0 bk backup main --wait
    caught_up
    bk_bg_stop receiver
    look_all
    nap 3 # what has just changed is looked at again for two seconds
    look_all
    look kept
    expect_match '^kept same ' "$LOOKED"
    look bounds
    expect_match '^bounds same ' "$LOOKED"
    look_show
    [ "$(shown memory 2)" -lt 30000 ] || fail "a snapshot of $(shown memory 2) bytes"
}
