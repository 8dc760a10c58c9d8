# shellcheck shell=bash
# backup_check_test.sh - what must be well before a backup begins, and the options that only
# matter to other kinds of backup.


# One line of check that is critical and FAILED: no backup is begun. Those that are not
# (a failed backup before, minimum redundancy, ages) do not matter.
#: quick
test_backup_check_before() {
    pg_new main - --segsize=1 && pg_start main
    bk_home main 'immediate_checkpoint = true' 'minimum_redundancy = 5' \
        'last_backup_maximum_age = 1 HOUR' 'retention_policy = REDUNDANCY two'
    bk_bg receiver receive-wal main
    wait_until 20 streams
    expect_status 1 bk backup main
    expect_match "^ERROR: Impossible to start the backup. Check the log for more details, or run 'barman check main'$" "$ERR"
    expect_match "^HINT: Repair what check calls 'retention policy settings'" "$ERR"
    expect_match "check 'retention policy settings' failed for server 'main'" "$T/barman.log"
    expect_equal '' "$(newest)" 'what was begun'
    sed -i 's/^retention_policy.*//' "$BK_CONF"
    expect_status 0 bk backup main --name weekly --reuse-backup=link -j 4 --keepalive-interval 7 \
        --check-timeout 60 --no-manifest
    expect_match '^WARNING: --reuse-backup concerns rsync backups' "$ERR"
    expect_match '^WARNING: --jobs concerns rsync backups' "$ERR"
    expect_match '^backup_name=weekly$' "$BK_HOME/main/meta/$(newest)-backup.info"
    expect_status 1 bk backup main --incremental latest
    expect_match '^ERROR: this version takes no incremental backups' "$ERR"
    expect_status 2 bk backup main --name last-full
    expect_status 2 bk backup main --name $'caf\xe9'
    expect_status 2 bk backup main --name $'two\nlines'
    expect_equal 1 "$(find "$BK_HOME/main/base" -mindepth 1 -maxdepth 1 | wc -l)" 'backups'
}

# An archive that is empty because nothing was written: a first file is asked for.
test_backup_check_first_file() {
    pg_new main - --segsize=1 'archive_mode = on' \
        "archive_command = 'cp %p $BK_HOME/main/incoming/%f'"
    mkdir -p "$BK_HOME/main/incoming"
    pg_start main
    bk_home main 'immediate_checkpoint = true' 'archiver = on' 'streaming_archiver = off' \
        'slot_name = -' 'create_slot = -'
    expect_status 0 bk backup main --wait --wait-timeout 60
    expect_match '^status=DONE$' "$BK_HOME/main/meta/$(newest)-backup.info"
    # One whose command throws the files away does not get as far.
    rm -r "$BK_HOME/main/wals" "$BK_HOME/main/base" "$BK_HOME/main/meta"
    pg_sql main "ALTER SYSTEM SET archive_command = 'true'" 'SELECT pg_reload_conf()' >/dev/null
    wait_until 20 expect_equal 'true' "$(pg_ask main 'SHOW archive_command')"
    expect_status 1 bk backup main --check-timeout 6
    expect_match "Repair what check calls 'WAL archive'" "$ERR"
}
