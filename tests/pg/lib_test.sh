# shellcheck shell=bash
# The tools that the other tests stand on: a server of each version starts, loses its power
# and comes back, and a check that must fail does fail.

fails() {
    ! (trap - ERR; "$@") >/dev/null 2>&1
}

test_lib_checks_can_fail() {
    expect_status 3 bash -c 'echo to-out; echo to-err >&2; exit 3'
    expect_match 'to-ou?t' "$OUT"
    expect_match '^to-err$' "$ERR"
    expect_no_match 'to-err' "$OUT"
    fails expect_match 'nowhere' "$OUT"
    fails expect_no_match 'to-out' "$OUT"
    fails expect_status 0 false
    fails expect_status 3 true
    fails expect_equal 1 2
    fails wait_until 1 false
}

one_server() {
    local version=$1 last
    pg_new a "$version" --segsize=1 'work_mem = 5MB'
    pg_start a
    expect_equal 5MB "$(pg_ask a 'show work_mem')"
    expect_equal 1MB "$(pg_ask a 'show wal_segment_size')"
    expect_match "^${version}[0-9]{4}$" "$(pg_ask a 'show server_version_num')"
    pg_traffic_start a
    wait_until 10 test "$(traffic_acked a)" -ge 1
    nap 0.5
    pg_kill9 a
    pg_traffic_stop a
    last=$(traffic_acked a)
    [ "$last" -gt 3 ] || fail "only $last rows"
    pg_start a
    [ "$(traffic_max a)" -ge "$last" ] || fail "acknowledged row $last is not there"
    expect_equal "$last" "$(row_at a "$(commit_time a "$last")")"
    pg_stop a
}

test_lib_server_15() {
    one_server 15
}

test_lib_server_13() {
    one_server 13
}

test_lib_server_14() {
    one_server 14
}

test_lib_server_16() {
    one_server 16
}

test_lib_server_17() {
    one_server 17
}

test_lib_server_18() {
    one_server 18
}

# A cold copy stands in for a restored directory: other port, same rows.
test_lib_restored_and_second_server() {
    local id_a id_b
    pg_new a
    pg_start a
    pg_sql a 'create table t as select generate_series(1, 10) as n'
    pg_load_start a
    nap 0.5
    pg_load_stop a
    id_a=$(pg_ask a 'select system_identifier from pg_control_system()')
    pg_new b
    pg_start b
    id_b=$(pg_ask b 'select system_identifier from pg_control_system()')
    [ "$id_a" != "$id_b" ] || fail "two servers of one test are one cluster"
    pg_stop a
    cp -a "${PG_DATA[a]}" "$T/copy"
    restored_start c "$T/copy"
    pg_wait_promoted c
    expect_equal 10 "$(pg_ask c 'select count(*) from t')"
    pg_restart b
    pg_wait_ready b
}

#: small_fs=8
test_lib_small_file_system() {
    fails dd if=/dev/zero of="$SMALL_FS/big" bs=1M count=16
    rm "$SMALL_FS/big"
    dd if=/dev/zero of="$SMALL_FS/small" bs=1M count=4 status=none
}

# The runner on a folder of its own: what passes, fails, hangs and skips, and what it leaves.
test_lib_runner() {
    local dir=$T/tree/tests/pg pid
    mkdir -p "$dir" "$T/tree/build"
    cp "$TESTS_PG/lib.sh" "$TESTS_PG/one.sh" "$TESTS_PG/powercut_apply" "$TESTS_PG/run" "$dir"
    cp /bin/true "$T/tree/build/barkeep"
    cp "$TESTS_PG/guard" "$BARKEEP_FAULT_LIB" "$T/tree/build"
    # indented here: at the margin they would be tests of this file too
    sed 's/^    //' >"$dir/x_test.sh" <<'END'
    test_well() {
        setsid sleep 3171 &
        (cd / && sleep 3172) &
        (env -u T setsid sleep 3173) &
    }
    test_bad() {
        echo said-before
        false
    }
    #: deadline=1
    test_hang() {
        sleep 3174
    }
    test_absent() {
        skip 'no such thing'
    }
END
    expect_status 1 env -u BARKEEP -u CI "$dir/run"
    expect_match '^ok   well ' "$OUT"
    expect_match '^FAIL bad ' "$OUT"
    expect_match 'said-before' "$OUT"
    expect_match 'x_test.sh line 8: false' "$OUT"
    expect_match '^FAIL hang .*hangs: killed after its deadline' "$OUT"
    expect_match '^skip absent no such thing$' "$OUT"
    expect_equal '1 passed, 2 failed, 1 skipped' "$(tail -n 1 "$OUT")"
    expect_equal '' "$(pgrep -af '^sleep 317[1-4]$' || true)" 'left behind'
    expect_equal '' "$(find "$T" -maxdepth 1 -name 'tmp.*')" 'left behind'

    expect_status 1 env -u BARKEEP CI=true "$dir/run" absent
    expect_equal '0 passed, 1 failed' "$(tail -n 1 "$OUT")"
    expect_status 0 env -u BARKEEP "$dir/run" we*l
    expect_equal '1 passed, 0 failed' "$(tail -n 1 "$OUT")"
    expect_status 2 env -u BARKEEP "$dir/run" nothing

    sed -i 's/deadline=1$/deadline=60/' "$dir/x_test.sh"
    "$dir/run" hang >"$OUT" 2>&1 &
    pid=$!
    wait_until 20 pgrep -f '^sleep 3174$'
    kill -TERM "$pid"
    wait "$pid" || true
    expect_equal '' "$(pgrep -af '^sleep 317[1-4]$' || true)" 'left after TERM'

    rm "$T/tree/build/libbarkeep_fault.so" # nor is fault.c there to make it of
    expect_status 2 env -u BARKEEP "$dir/run" well
    expect_match 'the fault shim .* is not built' "$ERR"
}

# The words about barkeep, with a shell script in its place.
test_lib_barkeep() {
    local n
    pg_new a
    cat >"$T/fake" <<'END'
#!/bin/bash
case "$*" in
*' say')
    echo "$*"
    ;;
*' save')
    dd if=/dev/zero of="$T/saved" bs=10 count=2 status=none
    ;;
*' stay')
    trap 'exit 7' TERM
    echo begun
    while sleep 0.1; do :; done
    ;;
esac
END
    chmod +x "$T/fake"
    export BARKEEP=$T/fake
    bk_home a 'compression = gzip' 'slot_name = other'
    bk_server a second 'create_slot = -'
    expect_match "^barman_home = $BK_HOME\$" "$BK_CONF"
    expect_match '^\[a\]$' "$BK_CONF"
    expect_match "^conninfo = host=127.0.0.1 port=${PG_PORT[a]} user=postgres dbname=postgres\$" "$BK_CONF"
    expect_match '^compression = gzip$' "$BK_CONF"
    expect_equal 'slot_name = other' "$(grep -m 1 slot_name "$BK_CONF")"
    expect_match '^\[second\]$' "$BK_CONF"
    expect_equal 1 "$(grep -c '^create_slot = auto$' "$BK_CONF")"

    expect_status 0 bk say
    expect_equal "-c $BK_CONF --batch say" "$(cat "$OUT")"
    bk_bg job stay
    wait_until 5 grep -q begun job.log
    bk_bg_stop job TERM
    expect_equal 7 "$BK_STATUS"

    bk_calls save
    n=$(grep -c "^any write $T/saved" calls)
    expect_equal 2 "$n"
    [ "$CALLS" -ge 3 ] || fail "only $CALLS calls"
    expect_status 1 bk_fault write:2:ENOSPC save
    expect_match 'No space left' "$ERR"
    rm saved
    bk_powercut save
    powercut
    [ ! -e saved ] || fail "a file that was never synced survived"
}
