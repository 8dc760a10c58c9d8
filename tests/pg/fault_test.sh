# shellcheck shell=bash
# The fault shim itself, on programs whose calls are known: dd, mv, rm, mkdir, cp, sync.

# run_broken SPEC STATUS CMD...
run_broken() {
    local spec=$1 status=$2
    shift 2
    expect_status "$status" with_shim BARKEEP_FAULT="$spec" "$@"
}

test_fault_each_error() {
    local row call error text
    while read -r error text; do
        run_broken "write:1:$error:/target" 1 dd if=/dev/zero of=target bs=10 count=1
        expect_match "$text" "$ERR"
    done <<'END'
ENOSPC No space left on device
EIO Input/output error
EMFILE Too many open files
EACCES Permission denied
EROFS Read-only file system
EDQUOT Disk quota exceeded
END
    : >old
    while read -r call row; do
        # shellcheck disable=SC2086 # a command and its arguments
        run_broken "$call:1:EIO" 1 $row
        expect_match 'Input/output error' "$ERR"
    done <<'END'
fsync sync old
fdatasync sync -d old
syncfs sync -f old
rename mv -T old new
unlink rm old
mkdir mkdir made
open dd if=/dev/zero of=new bs=1 count=1
openr cat old
symlink ln -s old new
link ln old new
ftruncate truncate -s 100 old
fallocate fallocate -l 100 old
close sync old
END
    [ -e old ] && [ ! -s old ] && [ ! -e new ] && [ ! -e made ] || fail "a refused call happened"
    rmdir_is_refused
}

rmdir_is_refused() {
    mkdir empty
    run_broken rmdir:1:EIO 1 rmdir empty
    [ -d empty ] || fail "a refused rmdir happened"
}

test_fault_nth_and_later() {
    run_broken write:3:ENOSPC 1 dd if=/dev/zero of=target bs=10 count=5
    expect_equal 20 "$(stat -c %s target)"
    run_broken write:6:ENOSPC 0 dd if=/dev/zero of=target bs=10 count=5
    run_broken write:1:EIO:/elsewhere 0 dd if=/dev/zero of=target bs=10 count=5
    # dd without a retry stops at the first, cp of two files meets the second too
    mkdir to
    echo one >a
    echo two >b
    run_broken open:2+:EACCES:/to/ 1 cp a b to
    [ -e to/a ] && [ ! -e to/b ] || fail "the wrong open was refused"
}

test_fault_short_torn_kill() {
    # dd writes the rest of a short write: one call more, and the same bytes
    expect_status 0 with_shim BARKEEP_FAULT=write:2:short:/target BARKEEP_FAULT_LOG="$T/log" \
        dd if=/dev/zero of=target bs=100 count=3
    expect_equal 300 "$(stat -c %s target)"
    expect_equal 4 "$(grep -c '^any write ' log)"
    run_broken write:2:torn:/target 137 dd if=/dev/zero of=target bs=100 count=3
    expect_equal 150 "$(stat -c %s target)"
    run_broken write:2:kill:/target 137 dd if=/dev/zero of=target bs=100 count=3
    expect_equal 100 "$(stat -c %s target)"
    : >old
    run_broken rename:1:kill 137 mv -T old new
    [ -e old ] && [ ! -e new ] || fail "the rename happened"
}

test_fault_wrong_spec_is_seen() {
    run_broken write:0:EIO 99 /bin/true
    run_broken write:x:EIO 99 /bin/true
    run_broken write:1 99 /bin/true
    : >old
    run_broken unlink:1:ENONSENSE 99 rm old
}

# Every call that the log shows can be broken, and no other.
test_fault_log_counts() {
    local n
    : >old
    expect_status 0 with_shim BARKEEP_FAULT_LOG="$T/log" dd if=/dev/zero of=target bs=10 count=3 conv=fsync
    expect_equal 3 "$(grep -c "^any write $T/target\$" log)"
    expect_equal 1 "$(grep -c '^any fsync ' log)"
    expect_equal 1 "$(grep -c '^any open ' log)"
    n=$(grep -c '^any ' log)
    run_broken "any:$n:kill" 137 dd if=/dev/zero of=target bs=10 count=3 conv=fsync
    run_broken "any:$((n + 1)):kill" 0 dd if=/dev/zero of=target bs=10 count=3 conv=fsync
}

journalled() {
    expect_status 0 with_shim BARKEEP_POWERCUT="$T/powercut" "$@"
}

fifty() {
    printf 'x%.0s' {1..50} >"$T/fifty"
}

test_powercut_data() {
    fifty
    : >synced
    : >unsynced
    : >part
    sync .
    journalled dd if=fifty of=synced conv=notrunc,fsync bs=10
    journalled dd if=fifty of=unsynced conv=notrunc bs=10
    journalled dd if=fifty of=part conv=notrunc,fdatasync bs=10 count=2
    journalled dd if=fifty of=part conv=notrunc bs=10 seek=2 count=1
    powercut
    expect_equal "$(cat fifty)" "$(cat synced)"
    expect_equal 50 "$(stat -c %s unsynced)"
    expect_equal '' "$(tr -d '\0' <unsynced)"
    expect_equal xxxxxxxxxxxxxxxxxxxx "$(tr -d '\0' <part)"
    [ ! -e powercut ] && [ ! -e powercut.d ] || fail "the journal is still there"
}

test_powercut_names() {
    fifty
    echo first >target
    echo gone >removed
    echo gone >removed2
    journalled dd if=fifty of=new conv=fsync
    journalled mv -T new target
    journalled rm removed
    journalled mkdir dir
    powercut
    expect_equal first "$(cat target)"
    expect_equal gone "$(cat removed)"
    [ ! -e new ] && [ ! -e dir ] || fail "a name that nobody synced is still there"

    journalled dd if=fifty of=new conv=fsync
    journalled mv -T new target
    journalled rm removed2
    journalled mkdir dir
    journalled sync "$T"
    journalled rm removed
    powercut
    expect_equal "$(cat fifty)" "$(cat target)"
    [ ! -e removed2 ] && [ -d dir ] && [ -e removed ] || fail "a synced name was taken back"
}

# A folder filled, renamed and synced above: what lies in it stays, but only if it was synced.
test_powercut_folder_renamed() {
    fifty
    journalled mkdir stage
    journalled dd if=fifty of=stage/safe conv=fsync
    journalled sync stage
    journalled dd if=fifty of=stage/lost
    journalled mv -T stage final
    journalled sync "$T"
    powercut
    expect_equal safe "$(ls final)"
    expect_equal "$(cat fifty)" "$(cat final/safe)"
}

test_powercut_syncfs() {
    fifty
    journalled mkdir stage
    journalled dd if=fifty of=stage/a
    journalled sync -f stage/a
    journalled dd if=fifty of=stage/b
    powercut
    expect_equal a "$(ls stage)"
    expect_equal "$(cat fifty)" "$(cat stage/a)"
}

# A sync that failed makes nothing safe.
test_powercut_failed_sync() {
    fifty
    : >file
    sync .
    journalled dd if=fifty of=file conv=notrunc
    expect_status 1 with_shim BARKEEP_POWERCUT="$T/powercut" BARKEEP_FAULT=fsync:1:EIO sync file
    powercut
    expect_equal '' "$(tr -d '\0' <file)"
}
