# shellcheck shell=bash
# store_test.sh - backups that are stored as archives, compressed by us or by the server, and what
# comes back out of them. A number is the row of the list of faults that doc/faults.md keeps.

# ---- helpers ---------------------------------------------------------------------------

# scene VERSION OPTION...: a server with two tablespaces and some rows, its receiver running.
scene() {
    local version=$1
    shift
    pg_new main "$version" 'log_replication_commands = on'
    pg_start main
    mkdir -p "$T/ts1" "$T/ts2"
    pg_sql main "CREATE TABLESPACE one LOCATION '$T/ts1'"
    pg_sql main "CREATE TABLESPACE \"two 'x'\" LOCATION '$T/ts2'"
    pg_sql main "CREATE TABLE plain AS SELECT g, md5(g::text) AS t FROM generate_series(1, 40000) g"
    pg_sql main "CREATE TABLE in_one TABLESPACE one AS SELECT g FROM generate_series(1, 5000) g"
    pg_sql main "CREATE TABLE in_two TABLESPACE \"two 'x'\" AS SELECT g FROM generate_series(1, 700) g"
    bk_home main 'immediate_checkpoint = true' "$@"
    bk_bg receiver receive-wal main
    wait_until 30 streams
}


field() { # KEY: a value of the newest backup.info
    sed -n "s/^$1=//p" "$BK_HOME/main/meta/$(newest)-backup.info"
}

data() {
    printf '%s\n' "$BK_HOME/main/base/$(newest)/data"
}

oid() {
    pg_ask main "SELECT oid FROM pg_tablespace WHERE spcname = '$1'"
}

good_backup() {
    expect_status 0 bk backup main --wait --wait-timeout 60
    expect_equal DONE "$(field status)"
    expect_status 0 bk verify-backup main latest
}

contents() { # NAME
    pg_ask "$1" "SELECT (SELECT count(*) || md5(string_agg(t, '' ORDER BY g)) FROM plain),
        (SELECT sum(g) FROM in_one), (SELECT sum(g) FROM in_two)"
}

# Restored elsewhere, started, and the same rows in it.
comes_back() { # NAME [VERSION]
    expect_status 0 bk restore --tablespace "one:$T/$1.one" --tablespace "two 'x':$T/$1.two" \
        main latest "$T/$1"
    cp "$OUT" "$T/restored"
    [ ! -e "$T/$1/.barkeep-restore" ] || fail "the marker is still there"
    expect_equal "$T/$1.one" "$(readlink "$T/$1/pg_tblspc/$(oid one)")"
    restored_start "$1" "$T/$1" "${2:--}"
    pg_wait_promoted "$1"
    expect_equal "$(contents main)" "$(contents "$1")" "rows of $1"
    pg_stop "$1"
}

# ALGORITHM SUFFIX TAR-OPTION: the files are where Barman has them, and tar reads them.
stored_as() {
    local name archive
    for name in base "$(oid one)" "$(oid "two ''x''")"; do
        archive=$(data)/$name$2
        [ -f "$archive" ] || fail "no $name$2: $(ls "$(data)")"
        tar ${3:+"$3"} -tf "$archive" >"$T/list" || fail "tar does not read $archive"
        [ "$name" != base ] || expect_match '^global/pg_control$' "$T/list"
    done
    [ -f "$(data)/backup_manifest" ] || fail "no manifest"
    expect_equal 4 "$(find "$(data)" -type f | wc -l)" 'files'
    [ -d "$BK_HOME/main/base/$(newest)/$(oid one)" ] || fail 'no directory of the tablespace'
    expect_equal "$1" "$(field compression)" 'compression'
    expect_equal "$(find "$BK_HOME/main/base/$(newest)" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')" \
        "$(field size)" 'size'
    expect_equal "$(field size)" "$(field deduplicated_size)"
    expect_match 'START WAL LOCATION' "$(field backup_label)"
}

# ---- forms -----------------------------------------------------------------------------

#: quick
test_store_gzip() {
    scene - 'backup_compression = gzip'
    good_backup
    stored_as gzip .tar.gz -z
    comes_back copy
}

# stores 'option = value'...: from now on, instead of how it was
stores() {
    sed -i '/^backup_compression/d' "$BK_CONF"
    printf '%s\n' "$@" >>"$BK_CONF"
}

#: deadline=240
test_store_none_lz4_and_zstd() {
    scene - 'backup_compression = none'
    good_backup
    stored_as none .tar ''
    comes_back none
    stores 'backup_compression = lz4'
    good_backup
    stored_as lz4 .tar.lz4 -Ilz4
    comes_back lz4
    stores 'backup_compression = zstd' 'backup_compression_level = 5'
    good_backup
    stored_as zstd .tar.zst -Izstd
    comes_back zstd
}

# Then compressed on the way only: a tree, as if nothing had been compressed.
#: deadline=180
test_store_by_the_server() {
    scene - 'backup_compression = gzip' 'backup_compression_location = server' \
        'backup_compression_level = 2'
    good_backup
    stored_as gzip .tar.gz -z
    comes_back copy
    expect_match "COMPRESSION 'gzip', COMPRESSION_DETAIL 'level=2'" "$(statements)"
    stores 'backup_compression = gzip' 'backup_compression_location = server' \
        'backup_compression_format = plain'
    good_backup
    [ -f "$(data)/PG_VERSION" ] || fail 'not a tree'
    expect_equal None "$(field compression)"
    "$(pg_bin)/pg_verifybackup" -n "$(data)" >"$T/verify.log" || fail "$(cat "$T/verify.log")"
    comes_back plain
}

statements() {
    grep -a 'BASE_BACKUP' "${PG_LOG[main]}" || true
}

test_store_13() {
    scene 13 'backup_compression = gzip'
    good_backup
    stored_as gzip .tar.gz -z
    comes_back copy 13
}

test_store_17() {
    scene 17 'backup_compression = gzip' 'backup_compression_location = server'
    good_backup
    stored_as gzip .tar.gz -z
    comes_back copy 17
}

# What pg_basebackup writes is what Barman keeps.
test_store_made_by_pg_basebackup() {
    local id
    scene - 'backup_compression = gzip'
    good_backup
    id=$(newest)
    rm "$(data)"/*
    "$(pg_bin)/pg_basebackup" -d "$(pg_conninfo main)" -D "$T/tar" -Ft -z -X none -c fast \
        >/dev/null 2>&1
    cp "$T/tar"/* "$(data)"
    sed -i "s/^backup_label=.*/backup_label=None/" "$BK_HOME/main/meta/$id-backup.info"
    pg_sql main <<<'SELECT pg_switch_wal(); CHECKPOINT'
    expect_status 0 bk verify-backup main latest
    comes_back copy
}

# ---- faults ----------------------------------------------------------------------------

# A byte of a stored archive is another: verify-backup finds it, and a restore does not end.
test_101_bit_flip_in_an_archive() {
    local archive size
    scene - 'backup_compression = none'
    good_backup
    archive=$(data)/base.tar
    size=$(stat -c %s "$archive")
    printf 'X' | dd of="$archive" bs=1 seek=$((size / 2)) conv=notrunc status=none
    expect_status 1 bk verify-backup main latest
    expect_match 'checksum mismatch for file "base/' "$OUT"
    expect_status 1 bk restore main latest "$T/copy" --tablespace "one:$T/c1" \
        --tablespace "two 'x':$T/c2"
    expect_match 'checksum is not what the manifest says' "$ERR"
    [ ! -e "$T/copy/global/pg_control" ] || fail 'it could be started'
}

test_101_archive_cut() {
    scene - 'backup_compression = gzip'
    good_backup
    truncate -s -1000 "$(data)/base.tar.gz"
    expect_status 1 bk verify-backup main latest
    expect_match 'base.tar.gz' "$OUT"
    rm "$(data)/$(oid one).tar.gz"
    expect_status 1 bk restore --dry-run main latest "$T/copy"
    expect_match "damaged: '$(oid one).tar': is missing" "$OUT"
    expect_status 1 bk restore main latest "$T/copy"
    [ ! -e "$T/copy" ] || fail 'something was written'
}

# A disk without room says nothing of the backup; and a delete, which makes room, goes on.
test_store_no_room() {
    scene - 'backup_compression = zstd'
    good_backup
    expect_status 1 bk_fault 'write:1+:ENOSPC:/.barkeep/' verify-backup main latest
    expect_match 'cannot verify: .*no space left on device' "$ERR"
    expect_no_match 'faults? found' "$ERR"
    expect_status 0 bk_fault 'write:1+:ENOSPC:delete_this' delete main latest
    expect_equal '' "$(find "$BK_HOME/main/base" "$BK_HOME/main/meta" -mindepth 1)" 'what is left'
}

# A disk that the kernel took away from writers after an error: what is on it is wanted then.
#: root
test_store_read_only_home() {
    local status=0
    as_postgres two_forms
    mkdir "$T/ro"
    mount --bind "$BK_HOME" "$T/ro"
    mount -o remount,bind,ro "$T/ro"
    as_postgres back_from_read_only || status=$?
    umount "$T/ro"
    expect_equal 0 "$status" 'status of what was tried'
}

two_forms() {
    scene - 'compression = gzip'
    good_backup
    echo 'backup_compression = gzip' >>"$BK_CONF"
    good_backup
    contents main >rows
    bk_lose
}

back_from_read_only() {
    local id n=0
    sed -i "s,^barman_home = .*,barman_home = $T/ro," "$BK_CONF"
    for id in "$BK_HOME"/main/base/*; do
        id=${id##*/}
        n=$((n + 1))
        expect_status 0 bk verify-backup main "$id"
        expect_status 0 bk restore --tablespace "one:$T/one$n" --tablespace "two 'x':$T/two$n" \
            main "$id" "$T/back$n"
        restored_start "back$n" "$T/back$n"
        pg_wait_promoted "back$n"
        expect_equal "$(cat rows)" "$(contents "back$n")" "rows of back$n"
        pg_stop "back$n"
    done
    expect_equal 2 "$n" 'backups'
    expect_status 1 bk delete main "$id"
    expect_match 'read-only file system' "$ERR"
}

# Killed in the middle of an archive, the same command extracts it again.
test_082_killed_while_unpacking() {
    local n
    scene - 'backup_compression = gzip'
    good_backup
    for n in 40 300 700; do
        expect_status 137 bk_fault "any:$n:kill" restore --tablespace "one:$T/copy.one" \
            --tablespace "two 'x':$T/copy.two" main latest "$T/copy"
        [ ! -e "$T/copy/global/pg_control" ] || fail 'it could be started'
    done
    comes_back copy
}

# Killed behind the archives, the same command reads only that one again of which something is
# not as it was: the damaged archive of the base is not touched.
test_082_unpacked_is_not_unpacked_again() {
    local file
    scene - 'backup_compression = gzip'
    good_backup
    expect_status 137 bk_fault "any:1:kill:$T/copy/backup_manifest" restore \
        --tablespace "one:$T/copy.one" --tablespace "two 'x':$T/copy.two" main latest "$T/copy"
    [ -s "$T/copy/.barkeep-restore.control" ] || fail 'was not unpacked'
    [ ! -e "$T/copy/global/pg_control" ] || fail 'it could be started'
    file=$(find "$T/copy.one" -type f -size +8k -print -quit)
    printf damage | dd of="$file" bs=1 seek=5000 conv=notrunc status=none
    printf damage | dd of="$(data)/base.tar.gz" bs=1 seek=3000 conv=notrunc status=none
    comes_back copy
    expect_match '2 of 3 archives there already, whole; the others are unpacked' "$T/restored"
    expect_equal '' "$(find "$T/copy" "$T/copy.one" -name '.barkeep*')" 'left over'
}

test_store_plan_says_what_it_takes() {
    local need
    scene - 'backup_compression = zstd'
    good_backup
    expect_status 0 bk restore --dry-run main latest "$T/copy" --tablespace "one:$T/c1" \
        --tablespace "two 'x':$T/c2"
    expect_match 'would work' "$OUT"
    need=$(grep -oE '[0-9.]+ MiB needed' "$OUT" | sed -n 1p)
    [ "${need%%.*}" -ge $(($(du -sm --exclude pg_wal "$(pg_ask main 'show data_directory')" | cut -f 1) - 1)) ] ||
        fail "needs only $need"
}

# Encrypted, and back; with another passphrase nothing is restored.
#: deadline=180
test_102_gpg_and_a_wrong_passphrase() {
    export GNUPGHOME=$T/gnupg
    mkdir -m 700 "$GNUPGHOME"
    # The agent else calibrates itself to need a tenth of a second each time it takes the passphrase.
    echo 's2k-count 65536' >"$GNUPGHOME/gpg-agent.conf"
    gpg --batch --quiet --pinentry-mode loopback --passphrase secret \
        --quick-gen-key barkeep@x future-default default never 2>/dev/null
    scene - 'backup_compression = gzip' 'encryption = gpg' 'encryption_key_id = barkeep@x' \
        'encryption_passphrase_command = echo secret'
    good_backup
    expect_equal gpg "$(field encryption)"
    [ -f "$(data)/base.tar.gz.gpg" ] || fail "no base.tar.gz.gpg: $(ls "$(data)")"
    expect_equal 0 "$(find "$(data)" -name '*.tar*' ! -name '*.gpg' | wc -l)" 'files in the clear'
    comes_back copy
    gpgconf --kill gpg-agent
    sed -i 's/echo secret/echo wrong/' "$BK_CONF"
    expect_status 1 bk restore main latest "$T/wrong" --tablespace "one:$T/c1" \
        --tablespace "two 'x':$T/c2"
    expect_match 'gpg|passphrase' "$ERR"
    [ ! -e "$T/wrong/global/pg_control" ] || fail 'it could be started'
    expect_status 1 bk verify-backup main latest # which says nothing of the backup
    expect_match 'cannot verify: .*No secret key' "$ERR"
    expect_no_match 'faults? found' "$ERR"
}
