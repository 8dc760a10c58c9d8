/* SPDX-License-Identifier: PostgreSQL */
/* Where a restore could go, on a repository and a "data directory" in temporary directories. The
 * server does not answer: nobody listens on port 1. */
#include "core/repo/fixture.h"

#include "base/clock.h"
#include "cfg/config.h"
#include "engine/copy.h"
#include "said.h"

#define HERE  "host=127.0.0.1 port=1"
#define THERE "host=db9 hostaddr=127.0.0.1 port=1"

static struct fx f;
static struct said said;
static struct server_cfg srv;
static struct config config;
static struct restore_words words;
static struct answer_place out;
static struct arena a;
static struct err err;

static void backup(const char *id, int version, const char *end)
{
    struct tablespace space[] = {{"hist", 16384, "/mnt/hist"}, {"a/b", 16385, "/mnt/ab"}};
    struct time_text when;
    struct backup b = {.status = BACKUP_DONE,
                       .mode = "postgres",
                       .begin_wal = "000000010000000000000002",
                       .end_wal = "000000010000000000000002",
                       .timeline = 1,
                       .version = version,
                       .size = 1000,
                       .tablespace = space,
                       .tablespaces = 2,
                       .pgdata = fx_fmt("%s/pg/data", f.root),
                       .xlog_segment_size = FX_SEG};

    assert_true(time_parse(str_of(end), &when));
    b.end_time = (struct moment){when.stamp.us, 0, true};
    str_copy(b.id, sizeof b.id, id);
    assert_true(backup_info_save(&f.r, &b, &err));
}

static void begin(const char *conninfo)
{
    fx_init(&f);
    arena_init(&a, 0);
    setenv("TZ", "UTC", 1);
    unsetenv("BARKEEP_PG_BIN");
    assert_true(dir_make(fx_fmt("%s/pg", f.root), &err));
    assert_true(dir_make(fx_fmt("%s/home", f.root), &err));
    srv = (struct server_cfg){.name = "main",
                              .conninfo = conninfo,
                              .backup_directory = f.r.backup_dir,
                              .basebackups_directory = f.r.base_dir,
                              .wals_directory = f.r.wals_dir,
                              .xlogdb_directory = f.r.xlogdb_dir,
                              .incoming_wals_directory = f.r.incoming_dir,
                              .streaming_wals_directory = f.r.streaming_dir,
                              .errors_directory = f.r.errors_dir};
    config = (struct config){.barman_home = arena_fmt(&a, "%s/home", f.root),
                             .barman_lock_directory = f.root};
    words = (struct restore_words){.server = "main", .backup = "auto", .where = WHERE_FILES};
    words.goal = (struct goal){.kind = GOAL_TIME, .text = "2026-11-22 10:29:00+00:00"};
    err = (struct err){0};
}

static bool propose(void)
{
    return place_propose(said_init(&said), &a, &config, &srv, &words, &out, &err);
}

static void end(void)
{
    arena_release(&a);
    fx_release(&f);
}

static const char *below(const char *path)
{
    return arena_fmt(&a, "%s/%s", f.root, path);
}

static void beside_production(void **state)
{
    (void)state;
    begin(HERE);
    backup("20261122T090000", 150020, "2026-11-22 09:00:00Z");
    assert_true(dir_make(below("pg/data"), &err));
    fx_text(fx_fmt("%s/00000001000000000000000%d", f.r.wals_dir, 1), "");
    assert_true(propose());
    assert_string_equal(out.destination, below("pg/restore-main-1122-1029"));
    assert_string_equal(out.sentence, "");
    assert_string_equal(out.live_directory, below("pg/data"));
    assert_int_equal(out.version, 150020);
    assert_true(out.need >= 1000 && out.have > out.need);
    assert_int_equal(out.moves, 2);
    assert_string_equal(out.move[0].name, "hist");
    assert_string_equal(out.move[0].location, below("pg/restore-main-1122-1029.hist"));
    assert_string_equal(out.move[1].name, "a/b");
    assert_string_equal(out.move[1].location, below("pg/restore-main-1122-1029.a_b"));
    assert_false(fx_there(out.destination)); /* a look makes nothing */

    assert_true(dir_make(below("pg/restore-main-1122-1029"), &err));
    assert_int_equal(symlink("nowhere", below("pg/restore-main-1122-1029-2")), 0);
    assert_true(propose());
    assert_string_equal(out.destination, below("pg/restore-main-1122-1029-3"));
    end();
}

static void production_is_elsewhere(void **state)
{
    (void)state;
    begin(THERE);
    backup("20261122T090000", 150020, "2026-11-22 09:00:00Z");
    assert_true(dir_make(below("pg/data"), &err)); /* the same path, on another host */
    assert_true(propose());
    assert_string_equal(out.destination, below("restore-main-1122-1029"));
    assert_null(out.live_directory);
    words.where = WHERE_IN_PLACE;
    assert_true(propose());
    assert_non_null(strstr(out.sentence, "not on this host"));
    assert_true(out.hint[0] != '\0');
    end();
}

static void in_its_place(void **state)
{
    char pid[64];

    (void)state;
    begin(HERE);
    backup("20261122T090000", 150020, "2026-11-22 09:00:00Z");
    words.where = WHERE_IN_PLACE;
    assert_true(propose());
    assert_non_null(strstr(out.sentence, "not on this host")); /* it is not there at all */
    assert_true(dir_make(below("pg/data"), &err));
    assert_true(propose());
    assert_string_equal(out.destination, below("pg/data"));
    assert_string_equal(out.sentence, "");
    str_fmt(pid, sizeof pid, "%d\n%s\n", (int)getpid(), below("pg/data"));
    fx_text(below("pg/data/postmaster.pid"), pid);
    assert_true(propose());
    assert_non_null(strstr(out.sentence, "a server runs on"));
    assert_non_null(strstr(out.hint, "Stop that server"));
    end();
}

static void which_backup(void **state)
{
    (void)state;
    begin(HERE);
    assert_false(propose());
    assert_int_equal(err.code, ERR_MISSING);
    backup("20261122T090000", 150020, "2026-11-22 09:00:00Z");
    backup("20261122T110000", 160004, "2026-11-22 11:00:00Z");
    assert_true(propose()); /* the newest that ended before the moment */
    assert_int_equal(out.version, 150020);
    words.goal.kind = GOAL_LATEST;
    assert_true(propose());
    assert_int_equal(out.version, 160004);
    str_copy(words.backup, sizeof words.backup, "20261122T090000");
    assert_true(propose());
    assert_int_equal(out.version, 150020);
    str_copy(words.backup, sizeof words.backup, "20260101T000000");
    assert_false(propose());
    end();
}

/* ---- programs ----------------------------------------------------------------------------- */

static void program(const char *dir, const char *says, mode_t mode)
{
    assert_true(dir_make(below(dir), &err));
    fx_text(fx_fmt("%s/%s/postgres", f.root, dir),
            arena_fmt(&a, "#!/bin/sh\necho '%s'\n", says));
    assert_int_equal(chmod(fx_fmt("%s/%s/postgres", f.root, dir), mode), 0);
}

static const struct program_row {
    const char *label, *dir, *says;
    mode_t mode;
    bool ok;
} program_rows[] = {
    {"below the version", "own/77/bin", "postgres (PostgreSQL) 77.1 (Debian 77.1-1)", 0700,
     true},
    {"the directory itself", "own", "postgres (PostgreSQL) 77.1", 0700, true},
    {"a beta", "own", "postgres (PostgreSQL) 77beta1", 0700, true},
    {"another version where this one should be", "own/77/bin", "postgres (PostgreSQL) 76.1",
     0700, false},
    {"a longer number", "own", "postgres (PostgreSQL) 777", 0700, false},
    {"not to be run", "own", "postgres (PostgreSQL) 77.1", 0600, false},
    {"another program", "own", "mysqld 77.1", 0700, false},
    {"one that says nothing", "own", "", 0700, false},
};

static void check_program(void **state)
{
    const struct program_row *r = *state;
    const char *found;

    begin(HERE);
    program(r->dir, r->says, r->mode);
    setenv("BARKEEP_PG_BIN", below("own"), 1);
    found = copy_binaries(&a, 77);
    if (r->ok) {
        assert_non_null(found);
        assert_string_equal(found, below(r->dir));
    } else {
        assert_null(found);
    }
    unsetenv("BARKEEP_PG_BIN");
    end();
}

/* A copy needs them, files alone do not. */
static void missing_programs(void **state)
{
    (void)state;
    begin(HERE);
    backup("20261122T090000", 770001, "2026-11-22 09:00:00Z");
    assert_true(propose());
    assert_null(out.binaries);
    assert_string_equal(out.sentence, "");
    words.where = WHERE_COPY;
    assert_true(propose());
    if (geteuid() == 0) {
        assert_non_null(strstr(out.sentence, "never started as root"));
    } else {
        assert_non_null(strstr(out.sentence, "no programs of PostgreSQL 77"));
        assert_non_null(strstr(out.hint, "postgresql-77"));
    }
    end();
}

TEST_MAIN(ONE(beside_production), ONE(production_is_elsewhere), ONE(in_its_place),
          ONE(which_backup), ROWS(program_rows, check_program), ONE(missing_programs))
