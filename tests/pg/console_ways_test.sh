# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # tmux and tui_env are tui.sh's, TIMES is for it
# console_ways_test.sh - the wizard where a restore is not the plain one: the disk fills, the
# configuration lies elsewhere, there are tablespaces.

# shellcheck source=tests/pg/console.sh
. "${TESTS_PG:?}/console.sh"

# Another directory in step 2, from its first row.
where_to() { # DIRECTORY
    tui_keys j j j
    tui_match '> +directory'
    tui_keys Space
    tui_wait 'directory: '
    tui_keys C-u
    tui_type "$1"
    tui_keys Enter
    tui_gone 'directory: '
}

# ---- the disk is full while one looks on -------------------------------------------------------

fill_when() { # DIRECTORY is there
    until [ -d "$1" ]; do
        nap 0.02
    done
    cat /dev/zero >"$SMALL_FS/filler" 2>/dev/null || true
}

# A file of the copy takes 7 s: time enough to fill the disk in.
#: small_fs=128
test_console_disk_full_in_restore() {
    local copy=$SMALL_FS/copy
    set_up_incident
    console 80 24 ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" \
        LD_PRELOAD="$BARKEEP_FAULT_LIB" BARKEEP_FAULT=open:200:stall:small/copy
    wizard_to "$FINE+00"
    tui_keys Enter
    tui_wait '2 WHERE'
    tui_wait 'free there'
    where_to "$copy"
    tui_keys Enter
    tui_wait '3 PLAN'
    tui_match 'READY .* 0 FAIL'
    fill_when "$copy/base" &
    tui_keys Enter
    tui_match '^ FAILED +#[0-9]+ restore'
    tui_match 'left on device'
    tui_wait 'Enter goes back to the plan'
    rm "$SMALL_FS/filler"
    tui_keys Enter
    tui_wait '3 PLAN'
    tui_match 'READY .* 0 FAIL'
    tui_keys Enter
    got_back
    tui_keys q
    tui_wait 'exit 0'
}

# ---- a configuration outside PGDATA -------------------------------------------------------------

# As Debian has it: postgresql.conf, pg_hba.conf and pg_ident.conf in a directory of their own, and
# in them what a copy must not do: archive, preload, listen.
test_console_configuration_outside_pgdata() {
    local data copy socket
    pg_new main - --segsize=1
    data=${PG_DATA[main]}
    mkdir "$T/etc"
    mv "$data"/{postgresql,pg_hba,pg_ident}.conf "$T/etc/"
    printf '%s\n' "data_directory = '$data'" "hba_file = '$T/etc/pg_hba.conf'" \
        "ident_file = '$T/etc/pg_ident.conf'" "archive_mode = on" \
        "archive_command = 'echo %f >>$T/archived'" "include_if_exists 'more.conf'" \
        >>"$T/etc/postgresql.conf"
    printf '%s\n' "max_connections = 47" "shared_preload_libraries = 'auto_explain'" \
        >"$T/etc/more.conf"
    "${PG_BIN[main]}/pg_ctl" -D "$T/etc" -l "${PG_LOG[main]}" -w -s start >/dev/null
    pg_sql main 'create table orders (id int); insert into orders select generate_series(1, 1000)'
    bk_home main
    bk_bg receiver receive-wal main
    caught_up
    expect_status 0 bk backup main --wait
    fine_moment
    pg_sql main 'delete from orders where id > 600'
    caught_up
    console
    wizard_to "$FINE+00"
    wizard_plan
    tui_keys Enter
    got_back
    copy=$(echo "$T"/restore-main-*)
    socket=$(sed -n 5p "$copy/postmaster.pid")
    expect_equal off "$(copy_sql "$socket" 'show archive_mode')" archive_mode
    expect_equal '' "$(copy_sql "$socket" 'show shared_preload_libraries')" libraries
    expect_equal '' "$(copy_sql "$socket" 'show listen_addresses')" addresses
    expect_equal "$copy/.barkeep-copy/postgresql.conf" "$(copy_sql "$socket" 'show config_file')"
    expect_equal "$copy/.barkeep-copy/pg_hba.conf" "$(copy_sql "$socket" 'show hba_file')"
    [ "$(copy_sql "$socket" 'show max_connections')" -ge 47 ] || fail 'max_connections is too small'
    drop_the_copy "$copy"
    tui_keys q
    tui_wait 'exit 0'
}

# ---- tablespaces ----------------------------------------------------------------------------------

test_console_tablespaces() {
    local copy socket
    pg_new main - --segsize=1 && pg_start main
    mkdir "$T/hist" "$T/odd name"
    pg_sql main "create tablespace hist location '$T/hist'" \
        "create tablespace \"odd name\" location '$T/odd name'" \
        'create table orders (id int) tablespace hist' \
        'insert into orders select generate_series(1, 1000)' \
        'create table events (id int) tablespace "odd name"' 'insert into events values (1)'
    bk_home main
    bk_bg receiver receive-wal main
    caught_up
    expect_status 0 bk backup main --wait
    fine_moment
    pg_sql main 'delete from orders where id > 600'
    caught_up
    console
    wizard_to "$FINE+00"
    tui_keys Enter
    tui_wait '2 WHERE'
    tui_wait 'free there'
    tui_match 'hist +\[ .*restore-main-.*[.]hist \]'
    tui_match 'odd name +\[ .*restore-main-.*[.]odd name \]'
    # one of them goes elsewhere
    tui_keys G k
    tui_match '> +hist '
    tui_keys Space
    tui_wait 'tablespace hist: '
    tui_keys C-u
    tui_type "$T/elsewhere"
    tui_keys Enter
    tui_gone 'tablespace hist: '
    tui_keys Enter
    tui_wait '3 PLAN'
    tui_match 'READY .* 0 FAIL'
    tui_match 'tablespace hist: '
    tui_keys Enter
    got_back
    copy=$(echo "$T"/restore-main-*[0-9])
    socket=$(sed -n 5p "$copy/postmaster.pid")
    expect_equal "$T/elsewhere" "$(copy_sql "$socket" "select pg_tablespace_location(oid)
        from pg_tablespace where spcname = 'hist'")"
    ask D 'DROP THIS COPY'
    tui_match 'tablespace +.*elsewhere'
    tui_type "${copy##*/}"
    tui_keys Enter
    tui_until 'directories of the copy are left' no_copy
    [ ! -e "$T/elsewhere" ] || fail 'a tablespace of the copy is still there'
    expect_equal 600 "$(pg_ask main 'select count(*) from orders')" 'rows of production'
    tui_keys q
    tui_wait 'exit 0'
}
