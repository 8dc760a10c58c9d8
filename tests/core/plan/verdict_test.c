/* SPDX-License-Identifier: PostgreSQL */
#include "plan/verdict.h"

#include "base/clock.h"
#include "harness.h"

/* Sat 22 Aug 2026 03:12:45 in Berlin. */
#define NOW  (INT64_C(1787361165) * US_PER_S)
#define HOUR (INT64_C(3600) * US_PER_S)
#define DAY  (24 * HOUR)
#define SEG  (UINT64_C(1) << 24)

static int32_t berlin(int64_t us)
{
    (void)us;
    return 7200;
}

/* A server that is well, in every part; a row spoils one or more of them. */
struct scene {
    struct live live;
    struct backup_row backup[3];
    struct stretch stretch[2];
    struct hole hole[2];
    struct coverage coverage;
    struct verdict_facts f;
};

static void set_up(struct scene *s)
{
    *s = (struct scene){
        .live = {.state = LIVE_OK,
                 .systemid = "7388412907713462841",
                 .lsn = 100 * SEG,
                 .flushed = 100 * SEG,
                 .now_us = NOW,
                 .has_slot = true,
                 .archiver_known = true},
        .backup = {{.id = "20260822T020003",
                    .status = BACKUP_DONE,
                    .end = {NOW - HOUR, 0, true},
                    .end_lsn = 90 * SEG,
                    .size = 500}},
        .stretch = {{.is_main = true, .to = {.us = NOW, .lsn = 100 * SEG}}},
        .coverage = {.stretches = 1, .seg_size = SEG, .last_wal_us = NOW - HOUR / 10},
    };
    s->coverage.stretch = s->stretch;
    s->coverage.hole = s->hole;
    s->f = (struct verdict_facts){
        .server = "orders",
        .live = &s->live,
        .backup = s->backup,
        .backups = 1,
        .coverage = &s->coverage,
        .systemid = "7388412907713462841",
        .streams = true,
        .is_receiving = true,
        .slot = "barman",
        .limits = {VERDICT_UNSET, VERDICT_UNSET, VERDICT_UNSET, VERDICT_UNSET, 0},
        .now_us = NOW,
        .offset = berlin,
    };
}

/* ---- what spoils it ------------------------------------------------------------------ */

static void well(struct scene *s)
{
    (void)s;
}
static void disabled(struct scene *s)
{
    s->f.disabled = "two servers write into one directory";
}
static void off(struct scene *s)
{
    s->live.state = LIVE_OFF;
    s->live.why = "inactive in the configuration";
    s->f.is_receiving = false;
}
static void not_asked(struct scene *s)
{
    s->live.state = LIVE_NOT_ASKED;
}
static void not_read(struct scene *s)
{
    s->f.coverage = NULL;
    s->f.backups = 0;
}
static void other_cluster(struct scene *s)
{
    s->live.systemid = "7388412907713460000";
}
static void archiver_fails(struct scene *s)
{
    s->f.archives = true;
    s->live.archiver_fails = true;
    s->live.archiver_failed_us = NOW - 4 * HOUR - 14 * 60 * US_PER_S;
    s->live.archiver_failed_wal = "0000000100000000000000E4";
}
static void foreign_archiver_fails(struct scene *s)
{
    archiver_fails(s);
    s->f.archives = false;
}
static void archiver_failed_when_last_heard(struct scene *s)
{
    archiver_fails(s);
    s->live.state = LIVE_SILENT;
    s->live.since_us = NOW - 11 * 60 * US_PER_S;
    s->live.why = "connection refused";
}
static void slot_lost(struct scene *s)
{
    s->live.slot_lost = true;
}
static void slot_missing(struct scene *s)
{
    s->live.has_slot = false;
}
static void slot_elsewhere(struct scene *s)
{
    s->f.slot = NULL;
    s->live.has_slot = false;
    s->live.flushed = 0;
}
static void receiver_down(struct scene *s)
{
    s->f.is_receiving = false;
    s->live.flushed = 0;
}
static void receiver_down_without_slot(struct scene *s)
{
    receiver_down(s);
    s->f.slot = NULL;
    s->live.has_slot = false;
}
static void not_connected(struct scene *s)
{
    s->live.flushed = 0;
}
static void silent(struct scene *s)
{
    s->live.state = LIVE_SILENT;
    s->live.since_us = NOW - 11 * 60 * US_PER_S;
    s->live.why = "no connection within 5 s";
}
static void silent_and_receiver_down(struct scene *s)
{
    silent(s);
    s->f.is_receiving = false;
}
static void no_backup(struct scene *s)
{
    s->f.backups = 0;
    s->coverage.stretches = 0;
}
static void first_backup_runs(struct scene *s)
{
    no_backup(s);
    s->f.backups = 1;
    s->backup[0].status = BACKUP_STARTED;
    s->f.is_backing_up = true;
}
static void first_backup_broken_off(struct scene *s)
{
    first_backup_runs(s);
    s->f.is_backing_up = false;
}
static void first_backup_failed(struct scene *s)
{
    no_backup(s);
    s->f.backups = 1;
    s->backup[0].status = BACKUP_FAILED;
    s->backup[0].error = "No space left on device";
}
static void second_failed(struct scene *s)
{
    s->backup[1] = s->backup[0];
    s->backup[0].status = BACKUP_FAILED;
    s->backup[0].error = "";
    s->f.backups = 2;
}
static void failed_long_ago(struct scene *s)
{
    s->backup[1] = s->backup[0];
    s->backup[1].status = BACKUP_FAILED;
    s->f.backups = 2;
}
static void broken_off(struct scene *s)
{
    s->backup[1] = s->backup[0];
    s->backup[0].status = BACKUP_STARTED;
    s->f.backups = 2;
}
static void waits(struct scene *s)
{
    s->backup[0].status = BACKUP_WAITING_FOR_WALS;
    s->coverage.stretches = 0;
}
static void waits_to_be_archived(struct scene *s)
{
    s->backup[0].status = BACKUP_WAITING_FOR_WALS;
}
static void nothing_restorable(struct scene *s)
{
    s->coverage.stretches = 0;
}
static void only_abandoned(struct scene *s)
{
    s->stretch[0].is_main = false;
}
static void hole_open(struct scene *s)
{
    s->hole[0] = (struct hole){.hurts = true, .from_us = NOW - HOUR};
    str_copy(s->hole[0].first, sizeof s->hole[0].first, "0000000100000000000000E4");
    s->coverage.holes = 1;
}
static void hole_over(struct scene *s)
{
    hole_open(s);
    s->hole[0].why = HOLE_CORRUPT;
    s->hole[0].from_us = NOW - 40 * DAY;
    s->hole[0].to_us = NOW - 2 * DAY;
}
static void hole_harmless(struct scene *s)
{
    hole_open(s);
    s->hole[0].hurts = false;
}
static void hole_open_and_receiver_down(struct scene *s)
{
    hole_open(s);
    receiver_down(s);
}
static void too_old(struct scene *s)
{
    s->f.limits.backup_age_s = 1800;
}
static void old_enough(struct scene *s)
{
    s->f.limits.backup_age_s = 3600;
}
static void none_and_a_limit(struct scene *s)
{
    no_backup(s);
    s->f.limits.backup_age_s = 86400;
}
static void huge_limit(struct scene *s)
{
    s->f.limits.backup_age_s = s->f.limits.wal_age_s = INT64_MAX;
}
static void too_small(struct scene *s)
{
    s->f.limits.backup_size_bytes = 1024;
}
static void too_few(struct scene *s)
{
    s->f.limits.redundancy = 2;
    s->backup[1] = s->backup[0];
    s->backup[1].parent = "20260822T020003"; /* incremental ones do not count */
    s->f.backups = 2;
}
static void wal_too_old(struct scene *s)
{
    s->f.limits.wal_age_s = 60;
}
static void too_many_wait(struct scene *s)
{
    s->f.limits.waiting_files = 10;
    s->coverage.waiting = 11;
    s->coverage.waiting_since_us = NOW;
}
static void one_waits_long(struct scene *s)
{
    s->coverage.waiting = 1;
    s->coverage.waiting_since_us = NOW - HOUR;
}
static void waits_a_little(struct scene *s)
{
    s->coverage.waiting = 3;
    s->coverage.waiting_since_us = NOW - 60 * US_PER_S;
}
static void unread(struct scene *s)
{
    s->f.unread = 2;
    s->f.unread_why = "'x-backup.info': not a key";
}
static void corrupt(struct scene *s)
{
    s->backup[0].is_corrupt = true;
}
static void streams_late(struct scene *s)
{
    s->live.lsn = 100 * SEG + 34 * 1048576;
    s->stretch[0].to.us = NOW - 12 * 60 * US_PER_S;
}
static void streams_a_little_late(struct scene *s)
{
    streams_late(s);
    s->stretch[0].to.us = NOW - 60 * US_PER_S;
}
static void idle_for_days(struct scene *s)
{
    s->stretch[0].to.us = NOW - 3 * DAY;
}
static void archives_late(struct scene *s)
{
    s->f.streams = s->f.is_receiving = false;
    s->f.archives = true;
    s->live.lsn = 102 * SEG + 100;
    s->stretch[0].to.us = NOW - 20 * 60 * US_PER_S;
    s->coverage.last_wal_us = NOW - 20 * 60 * US_PER_S;
}
static void archives_in_time(struct scene *s)
{
    archives_late(s);
    s->live.lsn = 101 * SEG + 100;
}
static void backing_up(struct scene *s)
{
    s->f.is_backing_up = true;
}
static void everything(struct scene *s)
{
    archiver_fails(s);
    receiver_down(s);
    unread(s);
    hole_over(s);
}
static void kept_unreadable(struct scene *s)
{
    not_read(s);
    s->f.kept_why = "'/srv/barman/orders': Permission denied";
}

struct row {
    const char *label;
    void (*spoil)(struct scene *s);
    const char *word, *sentence, *todo; /* todo: a part of it */
};
static const struct row rows[] = {
    {"all is well", well, "OK  ", "", ""},
    {"the configuration contradicts itself", disabled, "FAIL",
     "the configuration contradicts itself: two servers write into one directory", "correct"},
    {"inactive", off, "... ", "not looked after: inactive in the configuration", ""},
    {"not asked yet", not_asked, "... ", "not looked at yet", ""},
    {"asked, but the disk not read yet", not_read, "... ", "not looked at yet", ""},
    {"the disk cannot be read", kept_unreadable, "FAIL",
     "what is kept cannot be read: '/srv/barman/orders': Permission denied", "owner and mode"},
    {"another cluster", other_cluster, "FAIL",
     "the server is another cluster: system id 7388412907713460000, what is kept is of "
     "7388412907713462841",
     "conninfo"},
    {"archive_command fails", archiver_fails, "FAIL",
     "archive_command fails since Fri 22:58 (last 0000000100000000000000E4)", "log"},
    {"somebody else's archive_command fails", foreign_archiver_fails, "WARN",
     "the server's own archive_command fails: it keeps all its WAL", "disk"},
    {"what a silent server said is no verdict", archiver_failed_when_last_heard, "????",
     "no answer for 11m 00s: connection refused", "reached"},
    {"slot lost", slot_lost, "FAIL",
     "replication slot 'barman' is lost: the server has removed WAL it was to keep",
     "receive-wal --create-slot orders"},
    {"no slot", slot_missing, "FAIL", "replication slot 'barman' does not exist",
     "receive-wal --create-slot orders"},
    {"the slot is on another server", slot_elsewhere, "OK  ", "", ""},
    {"no receiver", receiver_down, "FAIL",
     "receive-wal does not run, WAL is kept by the slot only", "cron"},
    {"no receiver, no slot", receiver_down_without_slot, "FAIL",
     "receive-wal does not run, WAL is not received", "cron"},
    {"a receiver that is not connected", not_connected, "WARN",
     "receive-wal runs but is not connected to the server", "log"},
    {"silent", silent, "????", "no answer for 11m 00s: no connection within 5 s", "runs"},
    {"silent, and the receiver has died", silent_and_receiver_down, "FAIL",
     "receive-wal does not run, WAL is not received", "cron"},
    {"no backup", no_backup, "WARN", "no backup yet", "press 'b' for the first backup"},
    {"the first one runs", first_backup_runs, "RUN ", "a backup runs", ""},
    {"the first one was broken off", first_backup_broken_off, "WARN", "no backup yet", "'b'"},
    {"the first one failed", first_backup_failed, "WARN",
     "last backup failed: No space left on device", "'b'"},
    {"the last one failed without a word", second_failed, "WARN",
     "last backup failed: 20260822T020003", "'b'"},
    {"one failed long ago", failed_long_ago, "OK  ", "", ""},
    {"the last one was broken off", broken_off, "WARN", "backup 20260822T020003 was broken off",
     "'D'"},
    {"waiting for WAL", waits, "WARN", "backup 20260822T020003 waits for WAL",
     "switch-wal --force --archive orders"},
    {"waiting for the archiver", waits_to_be_archived, "WARN",
     "backup 20260822T020003 waits for WAL to be archived", "switch-wal"},
    {"nothing can be restored", nothing_restorable, "FAIL",
     "nothing can be restored: WAL of backup 20260822T020003 is not there", "'b'"},
    {"only an abandoned timeline", only_abandoned, "FAIL",
     "nothing can be restored: WAL of backup 20260822T020003 is not there", "'b'"},
    {"a hole and no backup behind it", hole_open, "FAIL",
     "nothing can be restored since 02:12:45: 0000000100000000000000E4 is missing", "'b'"},
    {"a hole, long over", hole_over, "WARN",
     "hole before Thu 03:12: nothing since 13 Jul 2026 03:12, 0000000100000000000000E4 is "
     "damaged",
     "put the file back"},
    {"a hole that nobody minds", hole_harmless, "OK  ", "", ""},
    {"the hole first", hole_open_and_receiver_down, "FAIL",
     "nothing can be restored since 02:12:45: 0000000100000000000000E4 is missing", "'b'"},
    {"too old", too_old, "FAIL", "last backup is 1h 00m old, limit 30m 00s", "'b'"},
    {"exactly at the limit", old_enough, "OK  ", "", ""},
    {"none, and one is wanted", none_and_a_limit, "FAIL",
     "no backup yet, and one every 1 d is wanted", "'b'"},
    {"a limit beyond all time", huge_limit, "OK  ", "", ""},
    {"too small", too_small, "FAIL", "last backup has 500 B, at least 1.00 K is wanted",
     "20260822T020003"},
    {"too few", too_few, "FAIL", "1 full backups, at least 2 are wanted", "'b'"},
    {"WAL too old", wal_too_old, "FAIL", "last archived WAL is 6m 00s old, limit 1m 00s",
     "cron"},
    {"too many wait", too_many_wait, "FAIL", "11 WAL files wait to be archived, limit 10",
     "archive-wal orders"},
    {"one waits for an hour", one_waits_long, "WARN",
     "1 WAL file waits to be archived since 02:12:45", "archive-wal orders"},
    {"three wait for a minute", waits_a_little, "OK  ", "", ""},
    {"two cannot be read", unread, "WARN",
     "2 backups cannot be read: 'x-backup.info': not a key", "file"},
    {"damaged pages", corrupt, "WARN",
     "the server found damaged pages in backup 20260822T020003", "pg_amcheck"},
    {"behind", streams_late, "WARN", "behind by 12m 00s: 34.0 M of WAL not received yet",
     "network"},
    {"behind for a minute", streams_a_little_late, "OK  ", "", ""},
    {"nobody has written for days", idle_for_days, "OK  ", "", ""},
    {"the archiver is behind", archives_late, "WARN", "behind by 20m 00s: WAL does not arrive",
     "archive_command"},
    {"one segment is being filled", archives_in_time, "OK  ", "", ""},
    {"a backup runs", backing_up, "RUN ", "a backup runs", ""},
    {"the worst of all first", everything, "FAIL",
     "archive_command fails since Fri 22:58 (last 0000000100000000000000E4)", "log"},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    struct verdict v;
    struct scene s;
    struct arena a;
    struct err err;

    arena_init(&a, 0);
    set_up(&s);
    row->spoil(&s);
    assert_true(verdict_make(&a, &s.f, &v, &err));
    assert_string_equal(v.sentence, row->sentence);
    assert_string_equal(light_word(v.light), row->word);
    assert_non_null(strstr(v.todo, row->todo));
    assert_int_equal(v.todo[0] == '\0', row->todo[0] == '\0');
    arena_release(&a);
}

static void test_no_memory(void **state)
{
    struct verdict v;
    struct scene s;
    struct arena a;
    struct err err;

    (void)state;
    arena_init(&a, 1);
    set_up(&s);
    no_backup(&s);
    assert_false(verdict_make(&a, &s.f, &v, &err));
    assert_int_equal(err.code, ERR_MEMORY);
    arena_release(&a);
}

TEST_MAIN(ROWS(rows, test_row), ONE(test_no_memory))
