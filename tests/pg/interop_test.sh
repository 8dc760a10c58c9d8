# shellcheck shell=bash
# interop_test.sh - Debian's Barman (3.4, which knows the legacy layout only) and barkeep on one
# home: each lists, shows, checks, restores and deletes what the other made, and minds its locks.

old() { barman -c "$BK_CONF" "$@" 2>"$ERR"; }

# Facts of a backup in the words that both use.
facts() { grep -E '^ +(Status|Timeline|Begin WAL|End WAL|Begin LSN|End LSN|WAL number|Number of WALs|No of files|Number of files|Last available|Begin Offset|End Offset|Begin time|PGDATA directory) ' |
    sed -E 's/WAL number/Number of WALs/; s/No of files/Number of files/; s/ +/ /g'; }

server() { # MB of a segment, ['option = value'...]
    command -v barman >/dev/null || skip 'no barman here. Run scripts/deps --test.'
    pg_new main - "--segsize=$1" && pg_start main
    bk_home main 'immediate_checkpoint = true' 'description = -' "${@:2}"
    pg_sql main 'create table t(n int); insert into t select generate_series(1, 1000)'
}

ids() { bk list-backups main --minimal | sort | xargs; }
their_ids() { old list-backup main --minimal | sort | xargs; }
info_there() { find "$BK_HOME/main" -name '*backup.info' | wc -l; }
stop_receiver() {
    bk receive-wal --stop main
    wait_until 20 nobody_streams
}

# What is restored starts and has its rows.
rows_of() {
    restored_start "$1" "$2"
    expect_equal 1000 "$(pg_ask "$1" 'select count(*) from t')" 'rows restored'
    pg_stop "$1"
}

#: deadline=180
test_interop_ours_to_old_barman() {
    local id second
    server 16 'catalogue_layout = legacy' 'retention_policy = REDUNDANCY 1'
    expect_status 0 bk cron
    wait_until 20 streams
    expect_status 0 bk backup --wait main
    id=$(ids)
    expect_equal "$BK_HOME/main/base/$id/backup.info" \
        "$(find "$BK_HOME/main" -name '*backup.info')" 'where its facts are'
    [ ! -e "$BK_HOME/main/meta" ] || fail 'meta/ in the legacy layout'
    expect_equal "$BK_HOME/main/wals/xlog.db" "$(find "$BK_HOME" -name '*xlog.db')" 'list of WAL'

    # Listed, shown, checked.
    expect_equal "$id" "$(their_ids)" 'what they list'
    old show-backup main "$id" | facts >theirs
    bk show-backup main "$id" | facts >ours
    expect_match 'Status : DONE' theirs
    diff theirs ours || fail 'shown otherwise'
    expect_status 0 old check main
    # Their receiver and their archiver mind our locks.
    old receive-wal main >"$OUT"
    expect_match 'Another receive-wal process is already running for server main' "$OUT"

    # Evaluated, and one request to keep seen by both.
    expect_status 0 bk backup --wait main
    second=$(ids | tr ' ' '\n' | tail -n 1)
    old list-backup main >theirs
    expect_match "$id .* OBSOLETE" theirs
    expect_no_match "$second .* OBSOLETE" theirs
    expect_status 0 bk keep --target full main "$id"
    expect_match "$id .* KEEP:FULL" "$(old list-backup main)"
    expect_status 0 old keep --release main "$id"
    expect_match 'Keep: nokeep' "$(bk keep --status main "$id")"

    # Restored by them.
    expect_status 0 old recover main "$second" "$T/there"
    rows_of copy "$T/there"
    # Deleted by them, with the WAL before the second.
    expect_status 0 old delete main "$id"
    expect_equal "$second" "$(ids)" 'what is left'
    expect_status 0 bk verify-backup main "$second"
    stop_receiver
}

#: deadline=180
test_interop_old_barman_to_us() {
    local id second
    server 1
    old receive-wal --create-slot main
    old cron
    wait_until 30 streams
    old switch-wal --force --archive main >"$OUT" || cat "$OUT" "$ERR"
    expect_status 0 old backup --wait main
    id=$(their_ids)

    # Listed, shown, checked, verified; the layout is found out and kept.
    expect_equal "$id" "$(ids)" 'what we list'
    old show-backup main "$id" | facts >theirs
    bk show-backup main "$id" | facts >ours
    expect_match 'Status : DONE' ours
    diff theirs ours || fail 'shown otherwise'
    expect_status 0 bk check main
    expect_status 0 bk verify-backup main "$id"
    expect_status 1 bk receive-wal main
    expect_match 'receive-wal' "$ERR"

    expect_status 0 bk backup --wait main
    second=$(ids | tr ' ' '\n' | tail -n 1)
    expect_equal "$id $second" "$(their_ids)" 'what they list'
    expect_equal 2 "$(info_there)" 'files with facts'
    [ ! -e "$BK_HOME/main/meta" ] || fail 'meta/ in a home of the legacy layout'
    expect_no_match $'\t[^\t]*\t[^\t]*\t[^\t]*\t' "$BK_HOME/main/wals/xlog.db"

    # WAL archived by either is served by either.
    pg_sql main 'select pg_switch_wal()' >/dev/null
    local wal
    wal=$(tail -n 1 "$BK_HOME/main/wals/xlog.db" | cut -f 1)
    expect_equal "$(old get-wal main "$wal" | md5sum)" "$(bk get-wal main "$wal" | md5sum)" "$wal"

    expect_status 0 bk restore main "$id" "$T/there"
    rows_of copy "$T/there"
    expect_status 0 bk delete main "$id"
    expect_equal "$second" "$(their_ids)" 'what is left'
    expect_status 0 bk restore main "$second" "$T/again"
    rows_of again "$T/again"
    pkill -INT -f "$BK_CONF.* receive-wal main" || true
    wait_until 20 nobody_streams
}

# ---- over SSH ---------------------------------------------------------------------------

# An sshd of our own on loopback: $SSH_PORT, with `barman` meaning us; and an `ssh` that knows it.
ssh_start() {
    local dir=$T/ssh
    command -v barman-wal-archive >/dev/null && [ -x /usr/sbin/sshd ] ||
        skip 'no barman-cli or no sshd here. Run scripts/deps --test.'
    mkdir -p "$dir/bin" "$dir/remote"
    ln -s "$BARKEEP" "$dir/remote/barman"
    ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
    ssh-keygen -q -t ed25519 -N '' -f "$dir/user"
    cp "$dir/user.pub" "$dir/authorized_keys"
    SSH_PORT=$(free_port)
    printf '%s\n' "Port $SSH_PORT" 'ListenAddress 127.0.0.1' "HostKey $dir/host" \
        "AuthorizedKeysFile $dir/authorized_keys" 'UsePAM no' 'StrictModes no' \
        'PasswordAuthentication no' "PidFile $dir/pid" \
        "SetEnv PATH=$dir/remote:/usr/bin:/bin" >"$dir/sshd_config"
    printf '[127.0.0.1]:%s %s\n' "$SSH_PORT" "$(cut -d ' ' -f 1-2 "$dir/host.pub")" >"$dir/known"
    printf '%s\n' "IdentityFile $dir/user" 'IdentitiesOnly yes' "UserKnownHostsFile $dir/known" \
        'StrictHostKeyChecking yes' 'BatchMode yes' >"$dir/config"
    printf '#!/bin/sh\nexec /usr/bin/ssh -F %s "$@"\n' "$dir/config" >"$dir/bin/ssh"
    chmod 755 "$dir/bin/ssh"
    /usr/sbin/sshd -D -e -f "$dir/sshd_config" 2>"$dir/log" &
    wait_until 10 bash -c "(: <>/dev/tcp/127.0.0.1/$SSH_PORT) 2>/dev/null"
}

over_ssh() { # TOOL OPTION... WAL [DEST]
    local tool=$1
    shift
    PATH=$T/ssh/bin:$PATH "$tool" -U "$(id -un)" --port "$SSH_PORT" -c "$BK_CONF" "$@"
}

archived() { [ "$(pg_ask main "select archived_count > 2 and failed_count = 0 from pg_stat_archiver")" = t ]; }

# The server names its segments relative to PGDATA, which is a link here.
#: deadline=120
test_029_interop_wal_over_ssh() {
    local wal last
    ssh_start
    pg_new main - --segsize=1 'archive_mode = on' "archive_command = 'PATH=$T/ssh/bin:\$PATH barman-wal-archive -U $(id -un) --port $SSH_PORT -c $BK_CONF 127.0.0.1 main %p'"
    bk_home main 'streaming_archiver = off' 'archiver = on' 'slot_name = -' 'create_slot = -' \
        'compression = gzip'
    mv "${PG_DATA[main]}" "$T/elsewhere"
    ln -s "$T/elsewhere" "${PG_DATA[main]}"
    pg_start main
    bk check main >/dev/null || true # makes the directories
    expect_status 0 over_ssh barman-wal-archive --test 127.0.0.1 main dummy
    expect_match 'Ready to accept WAL files for the server main' "$(cat "$OUT" "$ERR")"
    expect_status 0 over_ssh barman-wal-restore --test 127.0.0.1 main dummy dummy
    expect_match 'Ready to retrieve WAL files from the server main' "$(cat "$OUT" "$ERR")"

    # The server itself pushes.
    pg_sql main 'create table t(n int); insert into t select generate_series(1, 20000)'
    pg_sql main 'select pg_switch_wal()' >/dev/null
    pg_sql main 'insert into t select generate_series(1, 100)'
    pg_sql main 'select pg_switch_wal()' >/dev/null
    wait_until 60 archived
    expect_status 0 bk archive-wal main
    last=$(pg_ask main 'select last_archived_wal from pg_stat_archiver')

    # What comes back is what the server wrote.
    expect_status 0 over_ssh barman-wal-restore 127.0.0.1 main "$last" "$T/back"
    cmp "${PG_DATA[main]}/pg_wal/$last" "$T/back" || fail 'another segment came back'
    expect_status 0 over_ssh barman-wal-restore -p 2 --spool-dir "$T/spool" 127.0.0.1 main \
        "$(head -n 1 "$BK_HOME/main/wals/main-xlog.db" | cut -f 1)" "$T/first"
    expect_equal 1048576 "$(stat -c %s "$T/first")" 'bytes of the first segment'
    expect_status 1 over_ssh barman-wal-restore 127.0.0.1 main 0000000100000000000000FF "$T/none"
    expect_status 1 over_ssh barman-wal-restore 127.0.0.1 other "$last" "$T/none"

    # Once more is fine, other bytes under its name are not taken.
    wal=${PG_DATA[main]}/pg_wal/$last
    expect_status 0 over_ssh barman-wal-archive 127.0.0.1 main "$wal"
    expect_status 0 bk archive-wal main
    expect_status 0 bk get-wal main "$last" -o "$T"
    cmp "$wal" "$T/$last" || fail 'the archived segment changed'
    kill "$(cat "$T/ssh/pid")"
}

# ---- convert-layout -------------------------------------------------------------------

# Two backups, one of them kept, one with a delete under way, and WAL.
small_catalogue() {
    local id s=$BK_HOME/main
    mkdir -p "$s/meta" "$s/wals/0000000100000000" "$s"/base/2026010{1,2}T000000/data
    for id in 20260101T000000 20260102T000000; do
        printf '%s\n' 'begin_wal=000000010000000000000001' 'cluster_size=77' \
            'data_checksums=on' 'end_wal=000000010000000000000001' 'mode=postgres' \
            'status=DONE' 'timeline=1' 'version=150018' >"$s/meta/$id-backup.info"
    done
    printf full >"$s/meta/20260101T000000-keep"
    printf delete >"$s/meta/20260102T000000-delete_this"
    printf '000000010000000000000001\t10\t1795355034.5\tgzip\tNone\n' >"$s/wals/main-xlog.db"
}

offline_home() {
    mkdir -p "$BK_HOME"
    printf '%s\n' '[barman]' "barman_home = $BK_HOME" "barman_user = $(id -un)" '[main]' \
        'conninfo = host=127.0.0.1 port=1' 'backup_method = postgres' 'archiver = on' >"$BK_CONF"
}

# What barkeep says of it, and what is in the files; by the shell itself, since it is asked for
# a hundred times.
seen() {
    local line f part marked=''
    local -A once=()
    {
        bk list-backups main
        bk show-backup main 20260101T000000 >shown
        while read -r line; do
            [[ ! $line =~ Cluster\ Size|Checksums|files|Retention ]] || printf '%s\n' "$line"
        done <shown
        bk keep --status main 20260101T000000
        for f in "$BK_HOME"/main/wals/*xlog.db; do
            while IFS=$'\t' read -r -a part; do # 1 to 4: the legacy layout has no more
                line="${part[*]:0:4}"
                [ -n "${once[$line]:-}" ] || printf '%s\n' "$line"
                once[$line]=1
            done <"$f"
        done
        shopt -s globstar dotglob
        for f in "$BK_HOME"/main/**/*delete_this; do
            [ ! -e "$f" ] || marked=marked
        done
        shopt -u globstar dotglob
        printf '%s\n' "$marked"
    } >"$1"
}

# Every file but our own notes, and what is in it: small texts.
tree() {
    local f text
    shopt -s globstar dotglob
    for f in "$BK_HOME"/main/**; do
        [[ -f $f && $f != */main/.barkeep/* ]] || continue
        IFS= read -rd '' text <"$f" || true
        printf '%s\n%s' "${f#"$BK_HOME/main/"}" "$text"
    done
    shopt -u globstar dotglob
}

same_text() { # FILE FILE
    local a b
    IFS= read -rd '' a <"$1" || true
    IFS= read -rd '' b <"$2" || true
    [ "$a" = "$b" ] || diff "$1" "$2"
}

#: deadline=300
test_convert_layout_killed_anywhere() {
    local to back n want
    offline_home
    small_catalogue
    expect_status 0 bk convert-layout main current # all keys there: then the same both times
    for to in legacy current; do
        back=$BK_HOME.$to
        rm -rf "$back"
        cp -a "$BK_HOME/main" "$back"
        seen before
        bk_calls convert-layout main "$to" >/dev/null
        [ "$CALLS" -gt 20 ] || fail "only $CALLS calls"
        tree >want
        seen after
        same_text before after || fail "another catalogue in the $to layout"
        for ((n = 1; n <= CALLS; n += 3)); do
            rm -rf "$BK_HOME/main"
            cp -a "$back" "$BK_HOME/main"
            bk_fault "any:$n:kill:$BK_HOME/main" convert-layout main "$to" >/dev/null 2>&1 &&
                break
            seen killed
            same_text before killed || fail "killed at call $n to $to: another catalogue"
            expect_status 0 bk convert-layout main "$to"
            tree >got
            same_text want got || fail "killed at call $n to $to: finished otherwise"
            [ ! -e "$BK_HOME/main/.barkeep/converting" ] || fail 'its mark is left'
        done
        [ "$n" -gt 10 ] || fail "only $n kills"
    done
    want=$(tree)
    expect_status 0 bk convert-layout main legacy
    expect_status 0 bk convert-layout main current
    expect_equal "$want" "$(tree)" 'there and back'
}

#: quick
test_convert_layout_refuses() {
    local before
    offline_home
    small_catalogue
    before=$(tree)
    echo 'encryption=gpg' >>"$BK_HOME/main/meta/20260101T000000-backup.info"
    echo 'parent_backup_id=20260101T000000' >>"$BK_HOME/main/meta/20260102T000000-backup.info"
    expect_status 1 bk convert-layout main legacy
    expect_match '20260101T000000.*encrypted' "$ERR"
    expect_match '20260102T000000.*incremental' "$ERR"
    [ -e "$BK_HOME/main/meta/20260102T000000-backup.info" ] || fail 'something was moved'
    sed -i '/^encryption\|^parent/d' "$BK_HOME"/main/meta/*.info
    expect_equal "$before" "$(tree)" 'files'

    expect_status 0 bk convert-layout --dry-run main legacy
    expect_match 'base/20260102T000000/backup.info' "$OUT"
    expect_match 'cluster_size, data_checksums' "$OUT"
    expect_equal "$before" "$(tree)" 'after a dry run'

    printf '000000010000000000000002\t10\t1795355034.5\tNone\tgpg\n' >>"$BK_HOME/main/wals/main-xlog.db"
    expect_status 1 bk convert-layout main legacy
    expect_match '000000010000000000000002.*encrypted' "$ERR"
    sed -i 2d "$BK_HOME/main/wals/main-xlog.db"

    echo 'catalogue_layout = current' >>"$BK_CONF"
    expect_status 1 bk convert-layout main legacy
    expect_match 'catalogue_layout' "$ERR"
    expect_status 2 bk convert-layout main other
    sed -i '/^catalogue_layout/d' "$BK_CONF"

    # Somebody is at work.
    for lock in backup cron archive-wal 20260101T000000; do
        bash -c 'exec 9>"$0"; flock 9; exec sleep 20' "$BK_HOME/.main-$lock.lock" &
        wait_until 5 bash -c "! flock -n '$BK_HOME/.main-$lock.lock' true"
        expect_status 1 bk convert-layout main legacy
        expect_match "main-$lock.lock.*held by" "$ERR"
        kill %% && wait %% 2>/dev/null || true
    done
}
