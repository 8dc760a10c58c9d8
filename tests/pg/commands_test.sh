# shellcheck shell=bash disable=SC2016,SC2094
# commands_test.sh - commands around backups and WAL: put-wal, keep, list-files, rebuild-xlogdb,
# check-wal-archive, replication-status, list-processes, terminate-process.

incoming() { printf '%s\n' "$BK_HOME/main/incoming"; }

# A server that has closed two segments of 1 MiB, which lie in wal/.
archiving_server() {
    mkdir -p wal
    pg_new main - --segsize=1 'archive_mode = on' \
        "archive_command = 'cp %p $T/part && mv $T/part $T/wal/%f'"
    pg_start main
    pg_sql main 'create table t as select generate_series(1, 1000) as n' \
        'select pg_switch_wal()' 'insert into t select n from t' 'select pg_switch_wal()' >/dev/null
    wait_until 30 wal_count_is 2
    bk_home main 'archiver = on' 'streaming_archiver = off' 'slot_name = -' 'create_slot = -'
}
wal_count_is() { [ "$(find wal -type f | wc -l)" -ge "$1" ]; }
first_wal() { find wal -type f -printf '%f\n' | sort | sed -n 1p; }

# ssh and barman as barman-wal-archive finds them: everything runs here.
fake_ssh() {
    mkdir -p bin
    printf '%s\n' '#!/bin/sh' "export SSH_CONNECTION='192.0.2.7 1 192.0.2.8 22'" \
        'for word; do last=$word; done' 'case $last in' \
        '*barman*) exec sh -c "$last" ;;' 'esac' \
        'while [ "$1" != barman ]; do shift; done' 'exec sh -c "$*"' >bin/ssh
    printf '%s\n' '#!/bin/sh' "exec '$BARKEEP' -c '$BK_CONF' \"\$@\"" >bin/barman
    chmod +x bin/ssh bin/barman
}

# push FILE [OPTION]...   what Debian's client sends; without it the same stream by tar
push() {
    local file=$1
    shift
    PATH=$T/bin:$PATH barman-wal-archive "$@" here main "$file"
}

# MD5 of older clients, SHA-256 of newer ones
sums_of() { printf '(%s|%s)' "$(md5sum "$1" | cut -d ' ' -f 1)" "$(sha256sum "$1" | cut -d ' ' -f 1)"; }

# stream NAME...   a tar of these files with their SHA256SUMS, from directory s
stream() {
    (cd s && sha256sum -b "$@" >SHA256SUMS && tar -cf - --format=pax "$@" SHA256SUMS)
}

#: quick
test_002_push_to_put_wal() {
    local seg want
    command -v barman-wal-archive >/dev/null || skip 'no barman-wal-archive. Run scripts/deps --test.'
    archiving_server
    fake_ssh
    seg=$(first_wal)
    expect_status 0 push "wal/$seg" --test
    expect_match 'Ready to accept WAL files for the server main' "$OUT"
    expect_status 0 push "wal/$seg"
    expect_equal '' "$(cat "$OUT" "$ERR")" 'said'
    cmp "wal/$seg" "$(incoming)/$seg"
    expect_equal "$(stat -c %Y "wal/$seg")" "$(stat -c %Y "$(incoming)/$seg")" 'its time'
    expect_equal 600 "$(stat -c %a "$(incoming)/$seg")" 'its mode'
    # Again: fine, and nothing rewritten; also when the sums are SHA-256 and no longer MD5.
    want=$(stat -c '%i %z' "$(incoming)/$seg")
    expect_status 0 push "wal/$seg"
    mkdir -p s
    cp -p "wal/$seg" s/
    stream "$seg" >stream
    expect_status 0 bk put-wal main <stream
    expect_equal "$want" "$(stat -c '%i %z' "$(incoming)/$seg")" 'inode and time of change'
    printf '1\t0/1800000\tno recovery target specified\n' >00000002.history
    expect_status 0 push 00000002.history

    # Half a file in its place, of a copy that was cut off, is set aside for it.
    truncate -s 500000 "$(incoming)/$seg"
    expect_status 0 bk put-wal main <stream
    expect_match "WARNING: File $seg lay in incoming and is not what its name says: .*500000 bytes" "$ERR"
    cmp "wal/$seg" "$(incoming)/$seg"
    expect_equal 500000 "$(stat -c %s "$BK_HOME/main/errors/$seg".2*Z.error)"
    rm "$BK_HOME/main/errors/$seg".*

    # Other bytes under the same name: kept aside and told with both sums, status 0.
    mkdir -p other
    { head -c 500000 "wal/$seg"; head -c 10 /dev/zero | tr '\0' x; tail -c +500011 "wal/$seg"; } >"other/$seg"
    expect_status 0 push "other/$seg"
    expect_match "WARNING: Duplicate Files Detected with Mismatched Checksums.*$seg" "$ERR"
    expect_match "$(sums_of "wal/$seg").*$(sums_of "other/$seg")" "$ERR"
    expect_match 'SSH host: 192.0.2.7' "$ERR"
    cmp "wal/$seg" "$(incoming)/$seg"
    cmp "other/$seg" "$BK_HOME/main/errors/$seg".2*Z.duplicate
    expect_equal '' "$(find "$(incoming)" -name '.*' -type f)" 'left over'
    mkdir -p "$BK_HOME/main/wals"
    expect_status 0 bk archive-wal main
    cmp "wal/$seg" "$BK_HOME/main/wals/${seg:0:16}/$seg"
}

# refused WHAT REGEX   the stream in file `stream` ends with 1, and nothing of it is left
refused() {
    expect_status 1 bk put-wal main <stream
    expect_match "ERROR: .*$2" "$ERR"
    expect_equal '' "$(find "$(incoming)" -type f)" "left of $1"
}

#: quick
test_003_004_008_025_put_wal_refuses() {
    local seg next
    archiving_server
    mkdir -p s
    seg=$(first_wal)
    next=$(find wal -type f -printf '%f\n' | sort | sed -n 2p)
    cp "wal/$seg" s/
    stream "$seg" >good
    head -c 300000 "wal/$seg" >"s/$next"
    stream "$next" >stream && refused 'a short segment' 'has 300000 bytes'
    { cat "wal/$seg"; printf x; } >"s/$next"
    stream "$next" >stream && refused 'a long segment' 'bytes'
    cp "wal/$seg" "s/$next"
    stream "$next" >stream && refused 'a renamed segment' 'not what its name says'
    head -c 1048576 /dev/urandom >"s/$seg"
    stream "$seg" >stream && refused 'rubbish' 'not what its name says'
    cp "wal/$seg" s/
    cp "wal/$seg" s/passwd
    stream passwd >stream && refused 'a name that is none' "Unsupported filename 'passwd'"
    (cd s && tar -cf - -P --transform "s,^,../," "$seg") >stream
    refused 'a way out' 'does not stay below'
    (cd s && ln -sf /etc/passwd 000000010000000000000009 && tar -cf - 000000010000000000000009) >stream
    refused 'a link' "Unsupported file type '2'"
    (cd s && tar -cf - "$seg") >stream
    refused 'no sum' "Missing checksum for file '$seg' in put-wal for server 'main'"
    (cd s && printf '%064d *%s\n' 0 "$seg" >SHA256SUMS && tar -cf - "$seg" SHA256SUMS) >stream
    refused 'a wrong sum' "Bad file checksum '.*' \(should be 0+\) for file '$seg'"
    (cd s && sha256sum "$seg" | sed 's/$/x/' >SHA256SUMS && tar -cf - "$seg" SHA256SUMS) >stream
    refused 'a sum without its file' 'Checksum without corresponding file'
    head -c 900000 good >stream
    refused 'half a stream' 'ends in the middle'
    head -c 1052672 good >stream
    refused 'no end' 'ends without the end|Missing checksum|ends in the middle'
    : >stream
    refused 'nothing' 'ends without the end'
    # "./" in front, more than one file, all in one go.
    (cd s && rm -f "$next" && cp "../wal/$next" . && sha256sum -b "./$seg" "./$next" >SHA256SUMS &&
        tar -cf - "./$seg" "./$next" ./SHA256SUMS) >stream
    expect_status 0 bk put-wal main <stream
    cmp "wal/$seg" "$(incoming)/$seg"
    cmp "wal/$next" "$(incoming)/$next"
    # Who may not send.
    sed -i '/^\[main\]/a active = false' "$BK_CONF"
    expect_status 1 bk put-wal main <good
    expect_match 'ERROR: Inactive server: main' "$ERR"
    expect_status 1 bk put-wal nobody <good
}

#: deadline=240
test_010_011_013_015_put_wal_faults() {
    local seg n call
    archiving_server
    mkdir -p s
    seg=$(first_wal)
    cp "wal/$seg" s/
    stream "$seg" >good
    expect_status 0 bk put-wal main <good
    # Two at once: one wins, both succeed.
    rm -rf "$(incoming)"
    bk put-wal main <good &
    n=$!
    expect_status 0 bk put-wal main <good
    wait "$n" || fail 'the other one failed'
    cmp "wal/$seg" "$(incoming)/$seg"
    rm -rf "$(incoming)"
    # The power goes right after success was told.
    bk_powercut put-wal main <good
    powercut
    cmp "wal/$seg" "$(incoming)/$seg"
    # Killed at every call: never a final name with other bytes; the next one succeeds.
    rm -f "$T/calls"
    rm -rf "$(incoming)"
    with_shim BARKEEP_FAULT_LOG="$T/calls" "$BARKEEP" -c "$BK_CONF" --batch put-wal main <good
    for n in $(seq 1 "$(grep -c '^any' "$T/calls")"); do
        rm -rf "$(incoming)"
        bk_fault "any:$n:kill" put-wal main <good >/dev/null 2>&1 || true
        [ ! -e "$(incoming)/$seg" ] || cmp "wal/$seg" "$(incoming)/$seg"
        bk put-wal main <good || fail "not after a kill at call $n"
        cmp "wal/$seg" "$(incoming)/$seg"
    done
    # A sync that fails is no success, and what an old one left is swept away.
    rm -rf "$(incoming)"
    for call in fsync:1:EIO link:1:ENOSPC write:2:ENOSPC; do
        rm -rf "$(incoming)"
        expect_status 1 bk_fault "$call" put-wal main <good
        expect_equal '' "$(find "$(incoming)" -type f)" "left after $call"
    done
}

test_put_wal_sweeps_what_a_killed_one_left() {
    local seg
    archiving_server
    mkdir -p s "$(incoming)"
    seg=$(first_wal)
    cp "wal/$seg" s/
    stream "$seg" >stream
    : >"$(incoming)/.999999999-$seg"
    : >"$(incoming)/.mine"
    expect_status 0 bk put-wal main <stream
    [ -e "$(incoming)/.999999999-$seg" ] || fail 'a fresh file was removed'
    [ -e "$(incoming)/.mine" ] || fail "somebody's file was removed"
}

receiver_pid() { cat "$BK_HOME/.main-receive-wal.lock" 2>/dev/null; }

json() { python3 -c "import json,sys; d=json.load(sys.stdin); print(eval(sys.argv[1]))" "$1"; }

#: quick deadline=180
test_keep_and_files() {
    local id
    pg_new main - --segsize=1 && pg_start main
    bk_home main 'immediate_checkpoint = true'
    bk_bg rec receive-wal main
    wait_until 20 streams
    expect_status 0 bk backup --wait --wait-timeout 60 main
    id=$(bk list-backups --minimal main)
    expect_status 1 bk keep main latest
    expect_match 'ERROR: one of the arguments -r/--release -s/--status --target is required' "$ERR"
    expect_status 2 bk keep --target half main latest
    expect_status 0 bk keep --status main latest
    expect_equal "$(printf 'Server main:\n\tKeep: nokeep')" "$(cat "$OUT")" 'not kept'
    expect_status 0 bk keep --target standalone main latest
    expect_equal '' "$(cat "$OUT" "$ERR")" 'said'
    expect_equal standalone "$(cat "$BK_HOME/main/meta/$id-keep")" 'the note'
    expect_status 0 bk -f json keep -s main "$id"
    expect_equal '{"main": {"keep_status": {"description": "Keep", "message": "standalone"}}}' \
        "$(cat "$OUT")" 'the document'
    expect_status 1 bk delete main "$id"
    expect_status 0 bk keep -r main "$id"
    [ ! -e "$BK_HOME/main/meta/$id-keep" ] || fail 'still kept'
    expect_status 0 bk keep -r main "$id"
    expect_status 1 bk keep --target full main 20200101T000000
    # While somebody else works on it, and when it is no good.
    flock "$BK_HOME/.main-$id.lock" "$BARKEEP" -c "$BK_CONF" --batch keep --target full main "$id" &&
        fail 'changed under the lock'
    sed -i 's/^status=.*/status=FAILED/' "$BK_HOME/main/meta/$id-backup.info"
    expect_status 1 bk keep --target full main "$id"
    expect_match "Cannot add keep to backup $id because it has status FAILED. Only backups with status DONE can be kept." "$ERR"
    sed -i 's/^status=.*/status=DONE/' "$BK_HOME/main/meta/$id-backup.info"
    expect_status 0 bk list-files --target data main "$id"
    expect_equal "$(find "$BK_HOME/main/base/$id" ! -type d | sort)" "$(sort "$OUT")" 'data'
    expect_status 0 bk list-files --target data --list-empty-directories main "$id"
    expect_match "/base/$id/data/pg_notify\$" "$OUT"
    # What a tablespace's link leads to is listed once, where it lies.
    mkdir "$BK_HOME/main/base/$id/16400" && touch "$BK_HOME/main/base/$id/16400/1"
    ln -s "$BK_HOME/main/base/$id/16400" "$BK_HOME/main/base/$id/data/pg_tblspc/16400"
    expect_status 0 bk list-files --target data main "$id"
    expect_equal "$(find "$BK_HOME/main/base/$id" -type f | sort)" "$(sort "$OUT")" 'beside a link'
    rm -r "$BK_HOME/main/base/$id/16400" "$BK_HOME/main/base/$id/data/pg_tblspc/16400"
    bk list-files main "$id" >files
    bk list-files --target full main "$id" >full
    expect_match "/wals/[0-9A-F]{16}/$(sed -n 's/^begin_wal=//p' "$BK_HOME/main/meta/$id-backup.info")\$" files
    bk list-files --target wal main "$id" >wals
    expect_equal "$(wc -l <full)" "$(($(bk list-files --target data main "$id" | wc -l) + $(wc -l <wals)))" 'full'
    while read -r f; do [ -e "$f" ] || fail "no such file: $f"; done <full
    expect_status 0 bk -f json list-files --target data main "$id"
    expect_equal "$(find "$BK_HOME/main/base/$id" ! -type d | wc -l)" "$(json 'len(d["_INFO"])' <"$OUT")" 'in the document'
    bk_bg_stop rec
}

#: quick
test_wal_list() {
    local wals=$BK_HOME/main/wals
    archiving_server
    expect_status 0 bk check-wal-archive main
    expect_equal "$(printf 'Server main:\n - WAL archive check for server main passed')" "$(cat "$OUT")" 'empty'
    expect_status 0 bk -f json check-wal-archive main
    expect_equal '{"main": "WAL archive check for server main passed"}' "$(cat "$OUT")" 'the document'
    mkdir -p "$BK_HOME"/main/{wals,incoming}
    cp wal/* "$(incoming)/"
    gzip -c "wal/$(first_wal)" >"$(incoming)/$(first_wal)"
    expect_status 0 bk archive-wal main
    expect_status 1 bk check-wal-archive main
    expect_match 'ERROR: WAL archive check failed for server main: Expected empty archive' "$ERR"
    expect_status 1 bk check-wal-archive --timeline 1 main
    expect_match "Found $(find wal -type f | wc -l) files in WAL archive equal to or newer than timeline 1" "$ERR"
    expect_status 0 bk check-wal-archive --timeline 2 main
    expect_status 2 bk check-wal-archive --timeline 0 main
    cp "wal/$(first_wal)" "$wals/$(first_wal | cut -c 1-16)/0000000100000000000000FF.partial"
    printf '1\t0/1800000\tno\n' >"$wals/00000002.history"
    cut -f 1,2,4,5 "$wals/main-xlog.db" >before
    : >"$wals/main-xlog.db"
    expect_status 0 bk rebuild-xlogdb main
    expect_equal "$(printf '%s\n' 'Rebuilding xlogdb for server main' \
        "Done rebuilding xlogdb for server main (history: 1, backup_labels: 0, wal_file: $(find wal -type f | wc -l), partial: 1)")" \
        "$(cat "$OUT")" 'said'
    expect_equal "$(sort before)" "$(cut -f 1,2,4,5 "$wals/main-xlog.db" | grep -v -e history -e partial | sort)" 'the list'
    expect_match "^$(first_wal)	[0-9]+	[0-9.]+	gzip	None\$" "$wals/main-xlog.db"
    # Killed in the middle: the old list or the new one.
    cp "$wals/main-xlog.db" whole
    for n in $(seq 1 12); do
        bk_fault "any:$n:kill" rebuild-xlogdb main >/dev/null 2>&1 || true
        cmp whole "$wals/main-xlog.db"
    done
}

archived_once() { ! bk list-processes main | grep -v -e receive-wal -e Active; }

#: deadline=180
test_processes() {
    local pid
    pg_new main - --segsize=1 && pg_start main
    bk_home main
    expect_status 0 bk list-processes main
    expect_equal 'No active subprocesses found for server main.' "$(cat "$OUT")" 'nobody'
    expect_status 0 bk -f json list-process main
    expect_equal '{"main": []}' "$(cat "$OUT")" 'the document'
    expect_status 1 bk terminate-process main receive-wal
    expect_match 'ERROR: Termination of receive-wal failed: no such process for server main' "$ERR"
    bk cron >/dev/null # a shell's background process would not heed SIGINT
    wait_until 20 streams
    pid=$(receiver_pid)
    expect_status 0 bk list-processes main
    expect_equal "$(printf 'Active subprocesses for server main:\n%s receive-wal' "$pid")" "$(cat "$OUT")" 'one'
    expect_status 0 bk -f json list-processes main
    expect_equal "{\"main\": [{\"name\": \"receive-wal\", \"pid\": $pid}]}" "$(cat "$OUT")" 'the document'
    wait_until 20 archived_once
    # A lock that nobody holds, and one of another server whose name begins alike.
    printf '%s\n' $$ >"$BK_HOME/.main-cron.lock"
    printf '%s\n' $$ >"$BK_HOME/.main-2-cron.lock"
    expect_status 1 bk terminate-process main cron
    expect_status 0 bk lock-directory-cleanup
    expect_equal '' "$(cat "$OUT" "$ERR")" 'said'
    expect_equal '.main-receive-wal.lock' "$(cd "$BK_HOME" && ls -d .*.lock)" 'locks left'
    expect_status 0 bk terminate-process main receive-wal
    expect_equal "Stopped process receive-wal($pid)" "$(cat "$OUT")" 'said'
    wait_until 5 not_running "$pid" || fail 'it runs still'
}

#: quick deadline=180
test_replication_status() {
    pg_new main - --segsize=1 && pg_start main
    bk_home main
    expect_status 0 bk replication-status main
    expect_match "^Status of streaming clients for server 'main':\$" "$OUT"
    expect_match '^  Current LSN on master: 0/[0-9A-F]+$' "$OUT"
    expect_match '^  No streaming clients attached$' "$OUT"
    expect_status 0 bk -f json replication-status --target hot-standby main
    expect_equal '[] No hot standby servers attached' \
        "$(json 'str(d["main"]["hot_standby_servers"]) + " " + d["main"]["standby_info"]' <"$OUT")" 'the document'
    "${PG_BIN[main]}/pg_basebackup" -d "$(pg_conninfo main)" -D pg_standby -R -c fast
    pg_adopt standby "$T/pg_standby"
    pg_start standby
    bk_bg rec receive-wal main
    wait_until 30 streams main 2
    # A logical client does not belong here.
    pg_sql main 'checkpoint'
    wait_until 30 all_is_there
    expect_match '^  Number of streaming clients: 2$' "$OUT"
    expect_match '^  [12]\. Async standby$' "$OUT"
    expect_match '^     Sync stage      : 5/5 Hot standby \(max\)$' "$OUT"
    expect_match '^  [12]\. Async WAL streamer$' "$OUT"
    expect_match '^     Application name: barman_receive_wal$' "$OUT"
    expect_match '^     Sync stage      : 3/3 Remote write$' "$OUT"
    expect_match '^     Communication   : TCP/IP$' "$OUT"
    expect_match '^     IP Address      : 127.0.0.1 / Port: [0-9]+ / Host: -$' "$OUT"
    expect_match '^     User name       : postgres$' "$OUT"
    expect_match '^     Current state   : streaming \(async\)$' "$OUT"
    expect_match '^     Replication slot: barman$' "$OUT"
    expect_match '^     Started at      : 20[0-9-]+ [0-9:]+\.[0-9]+\+00:00$' "$OUT"
    expect_match '^     Replay LSN : 0/[0-9A-F]+ \(diff: 0 B\)$' "$OUT"
    expect_status 0 bk replication-status --minimal --target wal-streamer main
    expect_match "^Wal streamers for master 'main' \(LSN @ 0/[0-9A-F]+\):\$" "$OUT"
    expect_match '^  1\. W\) postgres@127\.0\.0\.1 S:0/[0-9A-F]+ W:0/[0-9A-F]+ P:0 AN:barman_receive_wal$' "$OUT"
    expect_equal 2 "$(wc -l <"$OUT")" 'lines'
    expect_status 0 bk replication-status --minimal --target hot-standby main
    expect_match '^  1\. A\) postgres@127\.0\.0\.1 S:.* F:.* R:.* P:0 AN:walreceiver$' "$OUT"
    expect_status 0 bk -f json replication-status main
    expect_equal "['Async WAL streamer', 'Async standby']" \
        "$(json 'sorted(x["name"] for x in d["main"]["streaming_clients"])' <"$OUT")" 'names'
    expect_equal '[0]' "$(json '[x["replay_lsn_diff_bytes"] for x in d["main"]["streaming_clients"] if "replay_lsn" in x]' <"$OUT")" 'replayed'
    # There is no WAL host: the server itself is asked, as Barman does.
    expect_status 0 bk replication-status --source wal-host main
    expect_match "^Status of streaming clients for server 'main':$" "$OUT"
    pg_sql main "alter system set synchronous_standby_names = 'walreceiver'" 'select pg_reload_conf()' >/dev/null
    wait_until 30 is_synchronous
    bk_bg_stop rec
    pg_stop standby immediate
    pg_stop main immediate
    expect_status 1 bk replication-status main
    expect_match 'ERROR: Unable to connect to server main' "$ERR"
}
all_is_there() {
    bk replication-status main >"$OUT" && grep -q '5/5 Hot' "$OUT" && grep -q '3/3 Remote' "$OUT"
}
is_synchronous() { bk replication-status main | grep -q '^  1\. #1 Sync standby$'; }

#: deadline=180
test_show_servers() {
    local line
    pg_new main - --segsize=1 "synchronous_standby_names = 'ANY 1 (a, barman_receive_wal)'" 'synchronous_commit = local'
    pg_start main
    bk_home main 'archiver = on' 'last_backup_maximum_age = 3 DAYS' 'last_wal_maximum_age = 36 HOURS' \
        'retention_policy = redundancy 2' 'recovery_options = get-wal' \
        "conninfo = $(pg_conninfo main) password=s3cr3t" 'last_backup_minimum_size = 2 Mi'
    bk_server main other 'active = false' 'description = -' 'primary_ssh_command = ssh x'
    expect_status 0 bk receive-wal --create-slot main
    expect_status 0 bk show-servers main
    expect_no_match 's3cr3t' "$OUT"
    expect_equal 'Server main:' "$(head -n 1 "$OUT")" 'first line'
    tail -n +2 "$OUT" | cut -f 2 | cut -d : -f 1 >keys
    expect_equal "$(LC_ALL=C sort -u keys)" "$(cat keys)" 'order of the keys'
    for line in 'active: True' 'active_model: None' 'archive_command: \(disabled\)' 'archive_mode: off' \
        'archive_timeout: 0' 'archived_count: 0' "backup_options: BackupOptions\(\{'concurrent_backup'\}\)" \
        "recovery_options: RecoveryOptions\(\{'get-wal'\}\)" 'checkpoint_timeout: 300' \
        'compression_level: medium' 'connection_error: None' 'conninfo: .* password=\*REDACTED\*' \
        'current_lsn: 0/[0-9A-F]+' 'current_size: [0-9]+' 'current_xlog: [0-9A-F]{24}' \
        'data_checksums: off' 'disabled: False' 'is_archiving: False' 'is_in_recovery: False' \
        'is_superuser: True' 'last_archived_time: None' 'last_backup_minimum_size: 2097152' \
        'last_backup_maximum_age: 3 days \(WARNING! latest backup is No available backups old\)' \
        'last_wal_maximum_age: 1 day, 12:00:00' 'max_wal_senders: 10' 'name: main' \
        'passive_node: False' 'pg_basebackup_installed: True' 'pg_receivexlog_synchronous: True' \
        "replication_slot: Record\(slot_name='barman', active=False, restart_lsn=(None|'0/[0-9A-F]+')\)" \
        'replication_slot_support: True' 'retention_policy: REDUNDANCY 2' 'wal_retention_policy: MAIN' \
        'server_txt_version: 15\.[0-9]+' 'stats_reset: 20[0-9-]+ .*\+[0-9:]+' 'streaming: True' \
        "synchronous_standby_names: \['a', 'barman_receive_wal'\]" 'timeline: 1' 'wal_keep_size: 0' \
        'xlog_segment_size: 1048576' 'slot_name: barman' 'streaming_archiver: True'; do
        grep -Eq "^	$line\$" "$OUT" || fail "no line '$line' in $(cat "$OUT")"
    done
    expect_status 0 bk -f json show-servers main other
    expect_no_match 's3cr3t' "$OUT"
    expect_equal "BackupOptions({'concurrent_backup'}) 10 None True 1 ['a', 'barman_receive_wal']" "$(json \
        '"{backup_options} {max_wal_senders} {active_model} {streaming} {timeline} {synchronous_standby_names}".format(**d["main"])' <"$OUT")" 'document'
    expect_equal '(inactive) True False' "$(json '"{description} {passive_node} {}".format("streaming" in d["other"], **d["other"])' <"$OUT")" 'passive, inactive'
    expect_status 0 bk show-server other
    expect_equal 'Server other (inactive):' "$(head -n 1 "$OUT")" 'first line'
    pg_stop main immediate
    expect_status 0 bk show-servers main
    expect_match '^	connection_error: .*(refused|not reach|No such)' "$OUT"
    expect_match '^	server_txt_version: None$' "$OUT"
    expect_no_match 's3cr3t' "$OUT"
    expect_no_match 's3cr3t' "$T/barman.log"
}

# setting KEY   what show-servers says of it
setting() { bk show-servers main | sed -n "s/^	$1: //p"; }

#: deadline=180
test_models() {
    local pid first
    pg_new main - --segsize=1 && pg_start main
    bk_home main 'cluster = one' 'parallel_jobs = 3'
    printf '%s\n' '' '[fast]' 'model = true' 'cluster = one' 'parallel_jobs = 7' \
        "conninfo = $(pg_conninfo main) password=s3cr3t" 'slot_name = other' \
        '' '[alien]' 'model = on' 'cluster = two' 'parallel_jobs = 9' >>"$BK_CONF"
    expect_status 1 bk config-switch main
    expect_match "ERROR: Either a model name or '--reset' flag need to be given" "$ERR"
    expect_status 1 bk config-switch main none
    expect_match "ERROR: Unknown model 'none'" "$ERR"
    expect_status 1 bk config-switch main alien
    expect_match "Model 'alien' has 'cluster=two', which is not compatible with 'cluster=one' from server 'main'" "$ERR"
    [ ! -e "$BK_HOME/main/.active-model.auto" ] || fail 'a model is active'
    # Nor is it followed where its name was written by somebody, or before the cluster changed.
    mkdir -p "$BK_HOME/main"
    printf alien >"$BK_HOME/main/.active-model.auto"
    expect_status 1 bk show-servers main
    expect_match "^ERROR: Model 'alien' has 'cluster=two', which is not compatible with" "$ERR"
    expect_match 'active_model: None' "$OUT"
    expect_match 'parallel_jobs: 3' "$OUT"
    rm "$BK_HOME/main/.active-model.auto"
    bk cron >/dev/null
    wait_until 20 streams
    first=$(receiver_pid)
    expect_status 0 bk config-switch main fast
    expect_equal "Applying model 'fast' to server 'main'" "$(head -n 1 "$OUT")" 'said'
    expect_match "^Changing value of option 'parallel_jobs' for server 'main' from '3' to '7' through the model 'fast'\$" "$OUT"
    expect_match "'slot_name' for server 'main' from 'barman' to 'other'" "$OUT"
    expect_match "^Stopped process receive-wal\\($first\\)\$" "$OUT"
    expect_no_match 's3cr3t' "$OUT"
    expect_equal fast "$(cat "$BK_HOME/main/.active-model.auto")" 'the model'
    wait_until 20 other_receiver "$first"
    wait_until 20 slot_is other
    expect_equal '7 fast' "$(setting parallel_jobs) $(setting active_model)" 'in force'
    expect_status 0 bk config-switch main fast
    expect_match "Model 'fast' is already active for server 'main', skipping..." "$OUT"
    wait_until 20 slot_is other
    expect_status 0 bk diagnose --show-config-source
    cp "$OUT" d
    expect_equal "7 $BK_CONF default one fast" "$(json '"{} {} {} {} {}".format(d["servers"]["main"]["config"]["parallel_jobs"]["value"], d["servers"]["main"]["config"]["parallel_jobs"]["source"], d["servers"]["main"]["config"]["worm_mode"]["source"], d["models"]["alien"]["config"]["cluster"]["value"].replace("two", "one"), d["servers"]["main"]["active_model"])' <d)" 'sources'
    expect_no_match 's3cr3t' d
    expect_match '^    "global": \{$' d
    expect_status 0 bk config-switch main --reset
    expect_equal 'Resetting the active model for the server main' "$(head -n 1 "$OUT")" 'said'
    [ ! -e "$BK_HOME/main/.active-model.auto" ] || fail 'a model is active'
    wait_until 20 slot_is barman
    bk terminate-process main receive-wal
    expect_no_match 's3cr3t' "$T/barman.log"
}
other_receiver() { [ -n "$(receiver_pid)" ] && [ "$(receiver_pid)" != "$1" ]; }
slot_is() { [ "$(pg_ask main "select slot_name from pg_replication_slots where active")" = "$1" ]; }

#: deadline=240
test_config_update() {
    local queue=$BK_HOME/cfg_changes.queue auto=$BK_HOME/.barman.auto.conf n bad line shown
    pg_new main - --segsize=1
    bk_home main 'parallel_jobs = 3' 'streaming_archiver = off' 'archiver = on'
    sed -i 's/^parallel_jobs.*/# how many\nparallel_jobs = 3/' "$BK_CONF"
    chmod 640 "$BK_CONF"
    cp -p "$BK_CONF" before.conf
    for bad in 'x' '{}' '[1]' '[{"scope":"host","server_name":"main"}]' '[{"scope":"server"}]' \
        '[{"scope":"server","server_name":"main","nonsense":"1"}]' \
        '[{"scope":"server","server_name":"main","parallel_jobs":"many"}]' \
        '[{"scope":"server","server_name":"main","parallel_jobs":"1\n[barman]\nbarman_home = /"}]' \
        '[{"scope":"server","server_name":"barman","parallel_jobs":"1"}]' \
        '[{"scope":"model","model_name":"main","parallel_jobs":"1"}]' \
        '[{"scope":"model","model_name":"m","parallel_jobs":"1"}]' \
        '[{"scope":"model","model_name":"m","cluster":"main","backup_directory":"/"}]' \
        '[{"scope":"server","server_name":"main","parallel_jobs":"4"},{"scope":"x"}]'; do
        expect_status 1 bk config-update "$bad"
        cmp before.conf "$BK_CONF"
        [ ! -e "$queue" ] || expect_equal '[]' "$(cat "$queue")" 'the queue'
        [ ! -e "$auto" ] || fail "written: $(cat "$auto")"
    done
    expect_status 0 bk config-update '[{"scope":"server","server_name":"main","parallel_jobs":"5","worm_mode":true},
        {"scope":"model","model_name":"m","cluster":"main","parallel_jobs":6}]'
    expect_match "^Changing value of option 'parallel_jobs' for section 'main' from '3' to '5' through config-update\.\$" "$OUT"
    expect_match "^Changing value of option 'worm_mode' for section 'main' from 'None' to 'true' through config-update\.\$" "$OUT"
    expect_equal "$(sed 's/^parallel_jobs = 3/parallel_jobs = 5/' before.conf)" "$(cat "$BK_CONF")" 'the file'
    expect_equal 640 "$(stat -c %a "$BK_CONF")" 'its mode'
    expect_equal "$(printf '%s\n' '[main]' 'worm_mode = true' '' '[m]' 'cluster = main' 'parallel_jobs = 6' 'model = on')" \
        "$(cat "$auto")" 'the other file'
    expect_equal '[]' "$(cat "$queue")" 'the queue'
    expect_equal '5 True' "$(setting parallel_jobs) $(setting worm_mode)" 'in force'
    expect_status 0 bk config-switch main m
    expect_equal 6 "$(setting parallel_jobs)" 'in force'
    expect_status 0 bk config-switch --reset main
    # Not while somebody else is at it.
    flock "$BK_HOME/.config-update.lock" "$BARKEEP" -c "$BK_CONF" --batch config-update '[]' && fail 'under the lock'
    # Killed at every call, then finished by the next cron.
    bk_calls config-update '[{"scope":"server","server_name":"main","parallel_jobs":"8","worm_mode":"off"}]'
    for ((n = 1; n <= CALLS; n++)); do
        cp -p before.conf "$BK_CONF"
        rm -f "$auto" "$queue"
        bk_fault "any:$n:kill" config-update '[{"scope":"server","server_name":"main","parallel_jobs":"8","worm_mode":"off"}]' >/dev/null 2>&1 || true
        shell_finds '^parallel_jobs = [38]$' "$BK_CONF" || fail "damaged at call $n"
        if [ -s "$queue" ]; then
            bk cron >/dev/null
            expect_equal '[]' "$(show_text "$queue")" "the queue after a kill at call $n"
            bk show-servers main >shown
            shown=''
            while IFS= read -r line; do
                [[ ! $line =~ ^$'\t'(parallel_jobs|worm_mode):\  ]] || shown+=$line
            done <shown
            expect_equal $'\tparallel_jobs: 8\tworm_mode: False' "$shown" "after a kill at call $n"
        fi
    done
    # A queue that Barman left, and one that is damaged.
    printf '[\n  {\n    "section": "main",\n    "changes_set": [\n      {\n        "key": "parallel_jobs",\n        "value": "2",\n        "config_file": "%s"\n      }\n    ]\n  }\n]' "$BK_CONF" >"$queue"
    expect_status 0 bk cron
    expect_equal 2 "$(setting parallel_jobs)" 'in force'
    printf '[{"section"' >"$queue"
    expect_status 0 bk cron
    expect_match 'WARNING: Malformed or empty configuration change queue' "$ERR"
    [ -s "$queue.malformed" ] || fail 'not kept'
}

# A link is enough for what is installed around Barman.
test_called_as_barman() {
    local barman=$T/bin/barman
    mkdir -p bin
    ln -s "$BARKEEP" "$barman"
    pg_new main
    pg_start main
    bk_home main
    bk_server main other
    bk receive-wal --create-slot main
    expect_status 0 "$barman" -v
    expect_match '^3\.17\.0 Barman by EnterpriseDB' "$OUT"
    expect_status 0 "$barman" -c "$BK_CONF"
    expect_match '^usage: barman ' "$OUT"
    expect_no_match 'start-copy|--batch|dry-run' "$OUT"
    expect_status 2 "$barman" -c "$BK_CONF" --batch list-servers
    expect_match '^barman: error: unrecognized arguments: --batch$' "$ERR"
    expect_status 2 "$barman" -c "$BK_CONF" delete main latest --dry-run
    expect_match '^barman: error: unrecognized arguments: --dry-run$' "$ERR"
    expect_status 2 "$barman" -c "$BK_CONF" estimate-size main
    expect_status 0 "$barman" -c "$BK_CONF" -q cron
    expect_status 0 "$barman" -c "$BK_CONF" list-servers --minimal
    expect_equal $'main\nother' "$(cat "$OUT")"
    wait_until 20 streams
    "$barman" -c "$BK_CONF" receive-wal --stop main
}

# all: side by side, in order, one document; a backup each, with locks of its own.
test_all_side_by_side() {
    pg_new main
    pg_start main
    bk_home main
    bk_server main a 'slot_name = a'
    bk_server main b 'slot_name = b'
    for name in a b main; do bk receive-wal --create-slot "$name"; done
    bk_bg ra receive-wal a
    bk_bg rb receive-wal b
    bk_bg rm receive-wal main
    expect_status 0 bk status all
    expect_equal $'Server a:\nServer b:\nServer main:' "$(grep '^Server' "$OUT")"
    expect_status 0 bk -f json status all
    python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); assert list(d) == ["a", "b", "main"], d' "$OUT"
    expect_status 0 bk backup --wait all
    expect_equal $'a\nb\nmain' "$(sed -n 's/^Starting backup using postgres method for server \([a-z]*\) .*/\1/p' "$OUT")"
    for name in a b main; do
        expect_equal 1 "$(bk list-backups --minimal "$name" | wc -l)"
    done
    expect_status 0 bk check all --nagios
    expect_match '^BARMAN OK - Ready to serve the Espresso backup for 3 servers \* a \* b \* main' "$OUT"
}
