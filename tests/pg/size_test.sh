# shellcheck shell=bash
# size_test.sh - what a backup will take, beside what it then takes; and a manifest for a backup
# that has none, read by the server's own pg_verifybackup.


#: quick
test_estimate_size_and_manifest() {
    local id told size data
    pg_new main - --segsize=1 && pg_start main
    bk_home main 'immediate_checkpoint = true'
    expect_status 0 bk estimate-size main
    expect_match 'Full backup: .* \(no backup of that kind to compare with\)' "$OUT"
    expect_match 'Incremental backup: cannot be told \(' "$OUT"
    expect_match 'Fits: yes' "$OUT"
    bk_bg receiver receive-wal main
    wait_until 20 streams
    expect_status 0 bk backup main
    id=$(newest)
    expect_status 0 bk estimate-size main
    expect_match "as backup $id\)" "$OUT"
    expect_status 0 bk -f json estimate-size main
    told=$(sed -n 's/.*"full_backup_bytes": \([0-9]*\).*/\1/p' "$OUT")
    size=$(sed -n 's/^size=//p' "$BK_HOME/main/meta/$id-backup.info")
    [ "$told" -gt $((size * 9 / 10)) ] && [ "$told" -lt $((size * 11 / 10)) ] ||
        fail "told $told, it took $size"

    data=$BK_HOME/main/base/$id/data
    expect_status 1 bk generate-manifest main "$id"
    expect_match "File $data/backup_manifest already exists" "$ERR"
    rm "$data/backup_manifest"
    sed -i 's/^mode=.*/mode=rsync-concurrent/' "$BK_HOME/main/meta/$id-backup.info"
    expect_status 0 bk generate-manifest main latest
    expect_match "^Backup manifest for backup 'latest' successfully generated for server main$" \
        "$OUT"
    "$(pg_bin)/pg_verifybackup" -n "$data" || fail 'pg_verifybackup does not take it'
    printf x >>"$data/PG_VERSION"
    ! "$(pg_bin)/pg_verifybackup" -n "$data" || fail 'it does not see a change'
}

# From the server's WAL summaries: more after more was changed, and never more than all. Until
# the summarizer has come by there is nothing to tell from.
summarized() { # summarized LSN
    [ "$(pg_ask main "SELECT summarized_lsn >= '$1' FROM pg_get_wal_summarizer_state()")" = t ]
}
change() { # change SQL: do it, and wait until it is summarized: summaries end at checkpoints
    local lsn
    pg_sql main "$1"
    lsn=$(pg_ask main 'SELECT pg_current_wal_lsn()')
    pg_sql main CHECKPOINT
    wait_until 30 summarized "$lsn"
}
incremental() {
    bk -f json estimate-size main |
        sed -n 's/.*"incremental_backup_bytes": \([0-9]*\).*/\1/p'
}

#: deadline=180
test_estimate_size_incremental() {
    local small large
    pg_new main 18 --segsize=1 'summarize_wal = on' && pg_start main
    bk_home main 'immediate_checkpoint = true'
    # shellcheck disable=SC2016 # the quotes of SQL
    pg_sql main 'CREATE TABLE t AS SELECT g, repeat($$x$$, 100) FROM generate_series(1, 20000) g' \
        >/dev/null
    bk_bg receiver receive-wal main
    wait_until 20 streams
    expect_status 0 bk backup main
    change 'UPDATE t SET g = g WHERE g = 1'
    expect_status 0 bk estimate-size main
    expect_match "Incremental backup: .* \(on top of backup $(newest)\)" "$OUT"
    small=$(incremental)
    change 'UPDATE t SET g = g'
    large=$(incremental)
    [ "$large" -gt $((small + 2000000)) ] || fail "$small, then $large"
}

# A file system with no room for it.
#: small_fs=4
test_estimate_size_does_not_fit() {
    pg_new main - --segsize=1 && pg_start main
    bk_home main "backup_directory = $SMALL_FS/main"
    expect_status 1 bk estimate-size main
    expect_match 'Fits: no' "$OUT"
    [ ! -e "$SMALL_FS/main" ] || fail 'it wrote something'
}
