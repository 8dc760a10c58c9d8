# shellcheck shell=bash
# hook_test.sh - scripts of the user around a real backup, archiving, restore and delete: which,
# in which order, with which environment.

# Every script of the configuration, each writing a line "HOOK PHASE" and what it was told.
hooks() {
    local verb phase retry
    cat >"$T/hook" <<'END'
#!/bin/sh
# hook DIR: tell who was called, keep the environment, write to both outputs
d=$1
echo "$BARMAN_PHASE $BARMAN_HOOK $BARMAN_STATUS$BARMAN_SEGMENT" >>"$d/called"
env | grep '^BARMAN_' | LC_ALL=C sort >"$d/env.$BARMAN_PHASE.$BARMAN_HOOK"
echo "hello from $BARMAN_HOOK"
echo "complaint of $BARMAN_HOOK" >&2
status=0 file=$d/exit.$BARMAN_PHASE.$BARMAN_HOOK
[ -e "$file" ] && status=$(cat "$file")
[ -e "$d/once" ] && rm -f "$file"
exit "$status"
END
    chmod +x "$T/hook"
    for verb in backup archive delete wal_delete recovery; do
        for phase in pre post; do
            for retry in '' _retry; do
                printf '%s_%s%s_script = "%s %s"\n' "$phase" "$verb" "$retry" "$T/hook" "$T"
            done
        done
    done >>"$BK_CONF"
}

server() {
    pg_new main - --segsize=1 && pg_start main
    bk_home main 'immediate_checkpoint = true'
    hooks
    bk_bg receiver receive-wal main
    wait_until 20 streams
}
called() { sed -n "/$1/p" "$T/called"; }
told() { sed -n "s/^$2=//p" "$T/env.$1"; } # told PHASE.HOOK VARIABLE

#: quick deadline=180
test_hook_every_verb() {
    local id old
    server
    expect_status 0 bk backup main
    old=$(newest)
    expect_equal "pre backup_script EMPTY
pre backup_retry_script EMPTY
post backup_retry_script WAITING_FOR_WALS
post backup_script WAITING_FOR_WALS" "$(called 'backup_')" 'scripts of the backup'
    expect_equal "$old" "$(told pre.backup_script BARMAN_BACKUP_ID)"
    expect_equal "$BK_HOME/main/base/$old" "$(told pre.backup_script BARMAN_BACKUP_DIR)"
    expect_equal "$BK_CONF" "$(told pre.backup_script BARMAN_CONFIGURATION)"
    expect_equal '' "$(told pre.backup_script BARMAN_PREVIOUS_ID)"
    expect_match 'pre_backup_script: complaint of backup_script' "$T/barman.log"
    expect_no_match 'complaint of' "$ERR"

    # Told to wait: DONE. The receiver leaves its files to archive-wal, where the scripts run.
    expect_status 0 bk backup main --wait --wait-timeout 60
    id=$(newest)
    expect_equal 'DONE' "$(told post.backup_script BARMAN_STATUS)"
    expect_equal "$old" "$(told post.backup_script BARMAN_PREVIOUS_ID)"
    expect_match '^post archive_script [0-9A-F]{24}$' "$T/called"
    expect_match "^BARMAN_FILE=$BK_HOME/main/streaming/[0-9A-F]{24}$" "$T/env.pre.archive_script"
    expect_match "^BARMAN_FILE=$BK_HOME/main/wals/[0-9A-F]{16}/[0-9A-F]{24}$" \
        "$T/env.post.archive_script"

    expect_status 0 bk restore --target-immediate --target-action promote \
        --recovery-option-port 2222 main "$id" "$T/restored"
    expect_equal "$T/restored" "$(told post.recovery_script BARMAN_DESTINATION_DIRECTORY)"
    expect_equal '{"recovery_option_port": "2222", "target_action": "promote", "target_immediate": true}' \
        "$(told post.recovery_script BARMAN_RECOVER_OPTIONS)"
    expect_equal '' "$(told post.recovery_script BARMAN_TABLESPACES)"

    expect_status 0 bk delete main "$old"
    expect_match '^pre delete_script (DONE|WAITING_FOR_WALS)$' "$T/called"
    expect_match '^post wal_delete_script [0-9A-F]{24}$' "$T/called"
    expect_equal "$id" "$(told post.delete_script BARMAN_NEXT_ID)"
}

# A pre_backup_retry_script that says stop: FAILED, and the scripts after it know why.
test_hook_stops_a_backup() {
    local id
    server
    echo 63 >"$T/exit.pre.backup_retry_script"
    expect_status 1 bk backup main
    id=$(newest)
    expect_match '^ERROR: Backup failed running pre-backup scripts\.$' "$ERR"
    expect_match 'exit status 63: stop' "$ERR"
    expect_match '^status=FAILED$' "$BK_HOME/main/meta/$id-backup.info"
    expect_match 'exit status 63' "$(told post.backup_script BARMAN_ERROR)"
    expect_equal FAILED "$(told post.backup_script BARMAN_STATUS)"
    # One of another status is tried again after three seconds.
    echo 1 >"$T/exit.pre.backup_retry_script"
    : >"$T/called"
    : >"$T/once"
    expect_status 0 bk backup main
    rm "$T/once"
    expect_equal 2 "$(called 'pre backup_retry' | wc -l)" 'attempts'
    echo 63 >"$T/exit.pre.recovery_retry_script"
    expect_status 1 bk restore main "$(newest)" "$T/restored"
    [ ! -e "$T/restored" ] || fail 'something was restored'
}
