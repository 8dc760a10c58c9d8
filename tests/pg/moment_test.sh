# shellcheck shell=bash
# shellcheck disable=SC2153,SC2154 # TIME, XID and LSN are lib.sh's
# moment_test.sh - what the console says of a moment before it is restored, held against what
# the servers themselves remember of it.

moments=${BARKEEP%/*}/moments

# The answer about KIND TEXT..., into $ANSWER.
ask() {
    "$moments" "$BK_CONF" main moment "$@" >"$ANSWER" || fail "no answer about $*"
    cat "$ANSWER"
}

says() { # WORD VALUE: a line of the answer begins so
    grep -q "^$1 $2\b" "$ANSWER" || fail "not '$1 $2': $(grep "^$1 " "$ANSWER")"
}

mark_of() { # XID: as the server has it
    pg_ask "${2:-main}" "select concat_ws(' ', $1,
        extract(epoch from date_trunc('second', t))::bigint * 1000000
        + extract(microseconds from t)::bigint % 1000000)
        from pg_xact_commit_timestamp('$1'::xid) t"
}

# Fill and leave the segment at hand.
next_segment() {
    pg_sql main 'create table if not exists fill (t text)'
    pg_sql main 'select pg_switch_wal()' >/dev/null
    pg_sql main "insert into fill select md5(i::text) from generate_series(1, 9000) i"
    pg_sql main 'select pg_switch_wal()' >/dev/null
}

# Two backups, marks 1 and 2 between them and 3 to 5 behind, a restore point behind each, one
# transaction rolled back; the receiver is still at it, so the newest segment is a .partial.
moment_scene() { # BARMAN_OPTION...
    ANSWER=$T/answer
    [ -x "$moments" ] || fail "'$moments' was not built"
    pg_new main "${V:--}" --segsize=1
    pg_start main
    bk_home main "$@"
    pg_sql main 'create table marks (n int primary key)'
    bk_receiver
    bk backup main
    FIRST=$(bk list-backups --minimal main | sed -n 1p)
    mark 1
    pg_sql main "select pg_create_restore_point('it''s %s;\$(id) \"x\"')"
    next_segment
    mark 2
    nap 1.1 # ids of backups and their ends have whole seconds
    bk backup main
    SECOND=$(bk list-backups --minimal main | sed -n 1p)
    nap 1.1
    mark 3
    pg_sql main "select pg_create_restore_point('after three')"
    next_segment
    XID[aborted]=$(pg_ask main <<'SQL' | tail -n 1
begin;
insert into marks values (99);
select pg_current_xact_id()::xid;
rollback;
SQL
    )
    mark 4 5
    caught_up
}

each_moment() {
    ask time "${TIME[4]}"
    says can 1
    says backup "$SECOND"
    says before "$(mark_of "${XID[4]}")"
    says stop "$(mark_of "${XID[5]}")"
    says sentence "stops after xid ${XID[4]}"
    ask time "${TIME[4]}" exclusive
    says stop "$(mark_of "${XID[4]}")"
    ask time "${TIME[1]}"
    says backup "$FIRST"
    says before "$(mark_of "${XID[1]}")"
    ask xid "${XID[2]}"
    says backup "$FIRST"
    says before "$(mark_of "${XID[2]}")"
    ask xid "${XID[3]}" exclusive
    says backup "$SECOND"
    says stop "$(mark_of "${XID[3]}")"
    ask xid "${XID[aborted]}"
    says can 0
    says above "$(mark_of "${XID[4]}")"
    expect_match 'was rolled back' "$ANSWER"
    ask lsn "${LSN[4]}"
    says before "$(mark_of "${XID[4]}")"
    ask name 'after three'
    says backup "$SECOND"
    says before "$(mark_of "${XID[3]}")"
    ask name "it's %s;\$(id) \"x\""
    says backup "$FIRST"
    says before "$(mark_of "${XID[1]}")"
    ask name 'nobody'
    says can 0
    expect_match 'is nowhere in the WAL' "$ANSWER"
    ask xid 4000000
    says can 0
    expect_match 'have come as far as' "$ANSWER"
    ask xid 3
    expect_match 'began before the oldest backup' "$ANSWER"
    ask latest ''
    says can 1
    says before "$(mark_of "${XID[5]}")"
    ask time "$(TZ=UTC date -d '+1 day' '+%F %T+00')"
    says can 0
    says below "$(mark_of "${XID[5]}")"
    expect_match '^hint Choose latest' "$ANSWER"
    ask time "$(TZ=UTC date -d '-1 day' '+%F %T+00')"
    says can 0
    says below '0 0'
    expect_no_match '^above 0 0 ' "$ANSWER"
}

# What was said is what the server then does.
as_said() { # N KIND OPTION TEXT
    expect_status 0 bk restore "$3" "$4" --target-action promote main auto "$T/copy"
    restored_start "copy$1$2" "$T/copy" "${V:--}"
    pg_wait_promoted "copy$1$2"
    expect_equal "$1" "$(pg_ask "copy$1$2" 'select max(n) from marks')" "last row by $2"
    pg_stop "copy$1$2" immediate
    rm -rf "$T/copy"
}

#: deadline=240 quick
test_moment_is_what_the_server_remembers() {
    moment_scene
    each_moment
    pg_kill9 main
    bk_bg_stop receiver || true
    as_said 2 xid --target-xid "${XID[2]}"
    as_said 3 name --target-name 'after three'
    expect_status 1 bk restore --target-xid 4000000 main auto "$T/copy"
    expect_match 'have come as far as' "$ERR"
    [ ! -e "$T/copy" ]
}

#: deadline=240
test_moment_pg13() {
    V=13
    moment_scene
    each_moment
}

#: deadline=240
test_moment_pg18() {
    V=18
    moment_scene
    each_moment
}

#: deadline=240
test_moment_compressed_archive() {
    moment_scene 'compression = gzip'
    bk archive-wal main
    file=$(find "$BK_HOME/main/wals" -type f -regex '.*/[0-9A-F]*' | sed -n 1p)
    expect_equal 1f8b "$(head -c 2 "$file" | od -An -tx1 | tr -d ' ')" 'not packed'
    each_moment
}

segment_of() { # LSN
    find "$BK_HOME/main/wals" -type f -name "$(pg_ask main "select pg_walfile_name('$1')")"
}

#: deadline=240
test_moment_holes() {
    local name next below
    moment_scene
    bk archive-wal main
    # The segment with mark 3's restore point goes; 4 and 5 lie behind it.
    name=$(segment_of "${LSN[3]}")
    mv "$name" "$T/kept"
    ask xid "${XID[4]}"
    says can 0
    expect_match "behind segment ${name##*/}, which is missing" "$ANSWER"
    says above '0 0'
    ask time "${TIME[1]}"
    says can 1
    ask time "${TIME[2]}" # nothing is left that ends after it
    says can 0
    ask latest ''
    says can 0
    # Damaged instead.
    cp "$T/kept" "$name"
    printf 'xxxxxxxx' | dd of="$name" bs=1 seek=120 conv=notrunc status=none
    ask latest ''
    says can 0
    expect_match "segment ${name##*/}, which is damaged" "$ANSWER"
    cp "$T/kept" "$name"
    ask latest ''
    says can 1
    # Between the two backups: below is mark 1, above the end of the second backup.
    name=$(segment_of "${LSN[1]}")
    next=$(find "${name%/*}" -type f -name '0*' | sort | grep -A 1 "${name##*/}" | tail -n 1)
    mv "$next" "$T/kept"
    ask xid "${XID[2]}"
    says can 0
    # What was written between mark 1 and the hole.
    below=$(awk '$1 == "below" { print $2 }' "$ANSWER")
    [ "$below" -ge "${XID[1]}" ] && [ "$below" -lt "${XID[2]}" ] || fail "below is $below"
    says below "$(mark_of "$below")"
    expect_no_match '^above 0 0 ' "$ANSWER"
}

#: deadline=240
test_moment_points_commits_backup_and_plan() {
    local from to commits lsn
    from=$(($(date +%s) * 1000000))
    moment_scene
    pg_sql main "select pg_create_restore_point('after three')"
    lsn=$(pg_ask main "select pg_create_restore_point(E'tab\tand \\\\x1b')")
    wait_until 10 flushed_to "$lsn"
    caught_up
    to=$(($(date +%s) * 1000000))
    "$moments" "$BK_CONF" main points "$from" "$((to + 1000000))" >"$ANSWER"
    cat "$ANSWER"
    expect_equal 2 "$(grep -c '^point restore_point .* after three$' "$ANSWER")" points
    grep -qF "it's %s;\$(id) \"x\"" "$ANSWER" || fail 'no first point'
    grep -q "$(printf 'tab\tand')" "$ANSWER" || fail 'no point with a tab'
    expect_match "^point backup [0-9]+ [^ ]+ 1 $FIRST$" "$ANSWER"
    expect_match "^point backup [0-9]+ [^ ]+ 1 $SECOND$" "$ANSWER"
    # Newest first.
    awk '$1 == "point" { print $3 }' "$ANSWER" >"$T/times"
    sort -rn "$T/times" | cmp - "$T/times" || fail 'not newest first'
    # As many commits as the server remembers, from mark 1 on.
    from=$(mark_of "${XID[1]}" | cut -d ' ' -f 2)
    "$moments" "$BK_CONF" main points "$from" "$((to + 1000000))" >"$ANSWER"
    commits=$(awk '$1 == "commits" { n += $3 } END { print n }' "$ANSWER")
    expect_equal "$(pg_ask main "select count(*) from generate_series(${XID[1]}::bigint,
        txid_snapshot_xmax(txid_current_snapshot()) - 1) x
        where pg_xact_commit_timestamp(x::text::xid) is not null")" "$commits" commits
    [ "$commits" -ge 7 ] || fail "only $commits commits"
    "$moments" "$BK_CONF" main points "$((to + 7200000000))" "$((to + 7300000000))" >"$ANSWER"
    expect_equal 1 "$(wc -l <"$ANSWER")" 'lines for the future'
    backup_and_plan
}

backup_and_plan() {
    local data room_of='s/ has [0-9.]* [KMGT]iB free;/ has ROOM free;/'
    "$moments" "$BK_CONF" main backup "$SECOND" >"$ANSWER"
    data=$BK_HOME/main/base/$SECOND
    expect_match "^tree $data$" "$ANSWER"
    expect_match '^files [0-9]+ 1$' "$ANSWER"
    # The manifest lists all but itself.
    expect_equal "$(find "$data/data" -type f ! -name backup_manifest | wc -l)" \
        "$(awk '$1 == "files" { print $2 }' "$ANSWER")" files
    expect_equal "$(find "$data/data" -type f ! -name backup_manifest -printf '%s\n' | sort -rn |
        head -n 100)" "$(awk '$1 == "file" { print $2 }' "$ANSWER")" sizes
    mv "$data/data/backup_manifest" "$T/m"
    "$moments" "$BK_CONF" main backup "$SECOND" >"$ANSWER.2"
    expect_match '^files [0-9]+ 0$' "$ANSWER.2"
    mv "$T/m" "$data/data/backup_manifest"
    cmp <(grep '^file ' "$ANSWER" | awk '{ print $2 }') \
        <(grep '^file ' "$ANSWER.2" | awk '{ print $2 }') || fail 'tree and manifest differ'
    # The lines of the plan are those of the dry run.
    "$moments" "$BK_CONF" main plan time "${TIME[4]}" auto "$T/copy" >"$ANSWER"
    cat "$ANSWER"
    expect_match '^holds 1$' "$ANSWER"
    expect_match "^backup $SECOND$" "$ANSWER"
    expect_status 0 bk restore --dry-run --target-time "${TIME[4]}" main auto "$T/copy"
    # But for the room that is left, which others take from meanwhile.
    expect_equal "$(sed -n 's/^\t\([a-z]*\): \(OK\|WARNING\|REFUSED\): \(.*\)$/\3/p' "$OUT" | sed "$room_of")" \
        "$(sed -n 's/^line [a-z]* [0-9] \(.*\) | .*$/\1/p' "$ANSWER" | sed "$room_of")" 'lines'
    expect_match "^replay [0-9]+ $(mark_of "${XID[4]}" | cut -d ' ' -f 2)$" "$ANSWER"
    "$moments" "$BK_CONF" main plan latest '' auto "$BK_HOME" >"$ANSWER"
    expect_match '^holds 0$' "$ANSWER"
    expect_match '^line destination 2 ' "$ANSWER"
}

#: deadline=300
test_moment_across_a_timeline_switch() {
    local xid time to old
    moment_scene
    old=$(mark_of "${XID[4]}")
    pg_kill9 main
    bk_bg_stop receiver || true
    expect_status 0 bk restore --target-xid "${XID[3]}" --target-action promote main auto "$T/copy"
    restored_start copy "$T/copy" "${V:--}"
    pg_wait_promoted copy
    sed -i "s/port=${PG_PORT[main]}/port=${PG_PORT[copy]}/g" "$BK_CONF"
    bk_receiver
    xid=$(pg_ask copy 'insert into marks values (33) returning xmin' | sed -n 1p)
    time=$(pg_ask copy 'select pg_xact_commit_timestamp(xmin) from marks where n = 33')
    pg_sql copy 'insert into marks values (34)'
    caught_up copy
    ask time "$time"
    says can 1
    says tli 2
    says before "$(mark_of "$xid" copy)"
    ask xid "${XID[2]}"
    says can 1
    says backup "$FIRST"
    # What was left behind lies on timeline 1.
    ask xid "${XID[5]}"
    says can 0
    expect_match 'lies on timeline 1' "$ANSWER"
    ask xid "${XID[4]}" 1
    says can 1
    says before "$old"
    to=$(pg_ask copy "select extract(epoch from clock_timestamp())::bigint")
    "$moments" "$BK_CONF" main points "$(((to - 3600) * 1000000))" "$(((to + 10) * 1000000))" \
        >"$ANSWER"
    cat "$ANSWER"
    expect_equal 1 "$(grep -c '^point switch .* 2 ' "$ANSWER")" switches
    expect_equal 1 "$(grep -c '^point restore_point .* after three$' "$ANSWER")" points
}
