/* SPDX-License-Identifier: PostgreSQL */
#include "plan/restore.h"

#include "harness.h"

#define S  INT64_C(1000000)
#define GB (UINT64_C(1) << 30)

/* Three backups; the second failed. Ends at 100 s, -, 300 s; LSN 0x1100, -, 0x3300. Behind them
 * one on top of the third, and a snapshot. */
static struct backup backups[] = {
    {.id = "20261120T000000",
     .status = BACKUP_DONE,
     .timeline = 1,
     .begin_xlog = 0x1000,
     .end_xlog = 0x1100,
     .end_time = {100 * S, 0, true},
     .version = 150020},
    {.id = "20261121T000000", .status = BACKUP_FAILED, .timeline = 1},
    {.id = "20261122T000000",
     .status = BACKUP_WAITING_FOR_WALS,
     .timeline = 2,
     .begin_xlog = 0x3000,
     .end_xlog = 0x3300,
     .end_time = {300 * S, 0, true},
     .version = 150020},
    {.id = "20261123T000000",
     .status = BACKUP_DONE,
     .parent_backup_id = "20261122T000000",
     .timeline = 2,
     .end_xlog = 0x4400},
    {.id = "20261124T000000",
     .status = BACKUP_DONE,
     .mode = "snapshot-concurrent",
     .timeline = 2,
     .end_xlog = 0x5500},
};

static const struct pick {
    const char *label;
    struct target target;
    size_t n; /* how many of the backups there are */
    const char *id;
    const char *why; /* refused: in err.why */
} picks[] = {
    {"auto: the newest", {.kind = TARGET_END}, 3, "20261122T000000", NULL},
    {"auto: a failed one is none", {.kind = TARGET_END}, 2, "20261120T000000", NULL},
    {"auto: time between", {.kind = TARGET_TIME, .us = 299 * S}, 3, "20261120T000000", NULL},
    {"auto: time at the very end",
     {.kind = TARGET_TIME, .us = 300 * S},
     3,
     "20261122T000000",
     NULL},
    {"auto: not an incremental one", {.kind = TARGET_END}, 4, "20261122T000000", NULL},
    {"auto: nor a snapshot", {.kind = TARGET_END}, 5, "20261122T000000", NULL},
    {"auto: lsn", {.kind = TARGET_LSN, .lsn = 0x32FF}, 3, "20261120T000000", NULL},
    {"auto: timeline", {.line = LINE_NUMBER, .tli = 1}, 3, "20261120T000000", NULL},
    {"auto: latest timeline", {.line = LINE_LATEST}, 3, "20261122T000000", NULL},
    {"row 83: auto: before all of them",
     {.kind = TARGET_TIME, .us = 99 * S},
     3,
     NULL,
     "after 1970-01-01 00:01:40+00:00, when the earliest backup, 20261120T000000, ends"},
    {"row 83: auto: lsn before all",
     {.kind = TARGET_LSN, .lsn = 0x10FF},
     3,
     NULL,
     "behind 0/1100, where the earliest backup, 20261120T000000, ends"},
    {"auto: no backup", {.kind = TARGET_END}, 0, NULL, "Cannot find any candidate backup"},
    {"auto: no such timeline",
     {.line = LINE_NUMBER, .tli = 3},
     3,
     NULL,
     "no complete full backup of that timeline"},
    {"auto: xid", {.kind = TARGET_XID, .xid = 5}, 3, NULL, "cannot be told"},
    {"auto: name", {.kind = TARGET_NAME, .name = "x"}, 3, NULL, "cannot be told"},
    {"auto: immediate", {.kind = TARGET_IMMEDIATE}, 3, NULL, "cannot be told"},
    {"auto: current", {.line = LINE_CURRENT}, 3, NULL, "cannot be told"},
};

static void picked(void **state)
{
    const struct pick *p = *state;
    struct restore_choice choice;
    struct err err = {0};

    if (restore_choose(backups, p->n, &p->target, 2, &choice, &err)) {
        assert_non_null(p->id);
        assert_string_equal(choice.backup->id, p->id);
        return;
    }
    assert_null(p->id);
    assert_true(strstr(err.why, p->why) || strstr(err.hint, p->why));
    assert_true(err.hint[0] != '\0');
}

/* --- timelines: 1 MiB segments; 1 forks into 2 at 0x500000, 3 leaves 1 at 0x300000. --- */

#define MIB 0x100000u

static const struct history_entry of2[] = {{1, 0, 0x500000, ""},
                                           {2, 0x500000, HISTORY_NO_END, ""}};
static const struct history_entry of3[] = {{1, 0, 0x300000, ""},
                                           {3, 0x300000, HISTORY_NO_END, ""}};
static const struct history known[] = {{2, of2, 2}, {3, of3, 2}};
static const struct wal_seg segs[] = {{1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5},
                                      {2, 5}, {2, 6}, {3, 3}, {3, 4}};

static const struct line {
    const char *label;
    size_t histories;
    struct timeline_base base;
    struct target target;
    enum wal_mode mode;
    enum verdict verdict;
    pg_tli tli;           /* unless refused */
    const char *sentence; /* contained */
} lines[] = {
    {"alone",
     0,
     {1, 0x100000, 0x200000},
     {.kind = TARGET_TIME},
     WAL_MODE_STAGED,
     VERDICT_OK,
     1,
     "the backup's own"},
    {"row 88: latest, one future",
     1,
     {1, 0x100000, 0x200000},
     {.line = LINE_LATEST},
     WAL_MODE_STAGED,
     VERDICT_OK,
     2,
     "descends from 1"},
    {"row 88: current",
     1,
     {1, 0x100000, 0x200000},
     {.line = LINE_CURRENT},
     WAL_MODE_STAGED,
     VERDICT_OK,
     1,
     "own"},
    {"row 88: by number",
     1,
     {1, 0x100000, 0x200000},
     {.line = LINE_NUMBER, .tli = 2},
     WAL_MODE_STAGED,
     VERDICT_OK,
     2,
     "descends"},
    {"row 88: backup ends behind the fork",
     1,
     {1, 0x400000, 0x500001},
     {.line = LINE_NUMBER, .tli = 2},
     WAL_MODE_STAGED,
     VERDICT_REFUSED,
     0,
     "0/500000"},
    {"row 88: backup ends at the fork",
     1,
     {1, 0x400000, 0x500000},
     {.line = LINE_NUMBER, .tli = 2},
     WAL_MODE_STAGED,
     VERDICT_OK,
     2,
     "descends"},
    {"row 88: backup of a later timeline",
     1,
     {2, 0x500000, 0x600000},
     {.line = LINE_NUMBER, .tli = 1},
     WAL_MODE_STAGED,
     VERDICT_REFUSED,
     0,
     ""},
    {"row 89: latest with two futures",
     2,
     {1, 0x100000, 0x200000},
     {.line = LINE_LATEST},
     WAL_MODE_STAGED,
     VERDICT_REFUSED,
     0,
     "timeline 3 (left 1 at 0/300000)"},
    {"row 89: without a word too",
     2,
     {1, 0x100000, 0x200000},
     {.kind = TARGET_XID},
     WAL_MODE_GET_WAL,
     VERDICT_REFUSED,
     0,
     "several futures"},
    {"row 89: a number decides",
     2,
     {1, 0x100000, 0x200000},
     {.line = LINE_NUMBER, .tli = 3},
     WAL_MODE_STAGED,
     VERDICT_OK,
     3,
     ""},
    {"row 93: history missing",
     1,
     {1, 0x100000, 0x200000},
     {.line = LINE_NUMBER, .tli = 4},
     WAL_MODE_STAGED,
     VERDICT_REFUSED,
     0,
     "00000004.history"},
    {"row 93: in hex",
     1,
     {1, 0x100000, 0x200000},
     {.line = LINE_NUMBER, .tli = 26},
     WAL_MODE_STAGED,
     VERDICT_REFUSED,
     0,
     "0000001A.history"},
    {"into pg_wal the server stays on its line",
     1,
     {1, 0x100000, 0x200000},
     {.kind = TARGET_END},
     WAL_MODE_INTO_PGDATA,
     VERDICT_WARN,
     1,
     "timeline 2 (left 1 at 0/500000)"},
    {"immediate needs no other line",
     2,
     {1, 0x100000, 0x200000},
     {.kind = TARGET_IMMEDIATE},
     WAL_MODE_STAGED,
     VERDICT_OK,
     1,
     "own"},
};

static void lined(void **state)
{
    const struct line *l = *state;
    struct timelines t = {known, l->histories, segs, sizeof segs / sizeof segs[0], MIB};
    struct restore_checks checks = {.n = 0};
    struct arena a;
    pg_tli tli = 0;
    bool ok;

    arena_init(&a, 0);
    ok = restore_line(&a, &t, &l->base, &l->target, l->mode, &checks, &tli);
    assert_int_equal(ok, l->verdict != VERDICT_REFUSED);
    assert_int_equal(checks.n, 1);
    assert_int_equal(checks.check[0].verdict, l->verdict);
    assert_non_null(strstr(checks.check[0].sentence, l->sentence));
    if (ok) {
        assert_int_equal(tli, l->tli);
    } else {
        assert_true(checks.check[0].hint[0] != '\0');
    }
    arena_release(&a);
}

/* --- the judge --- */

struct world { /* a plan that holds; each row breaks one thing */
    struct backup backup;
    struct target target;
    struct wal_evidence wal;
    struct restore_place place[3];
    struct restore_volume volume[1];
    struct restore_facts facts;
};

static void make_world(struct world *w)
{
    *w = (struct world){
        .backup = backups[0],
        .target = {.kind = TARGET_END},
        .place = {{"PGDATA", "/srv/new", PLACE_FREE, "", false},
                  {"tablespace fast", "/fast/new", PLACE_FREE, "", false},
                  {"staging directory", "/stage", PLACE_FREE, "", false}},
        .volume = {{"/srv/new", 2 * GB, 3 * GB}},
    };
    w->wal.segments = 7;
    w->wal.watch = (struct target_watch){
        .begin = 0x1000,
        .consistent = 0x1100,
        .end = 0x9000,
        .last_commit = {true, 0x8000, 0x8040, 1, 777, 900 * S},
    };
    w->facts = (struct restore_facts){
        .backup = &w->backup,
        .choice = "the newest",
        .target = &w->target,
        .line = 1,
        .wal = &w->wal,
        .place = w->place,
        .places = 3,
        .volume = w->volume,
        .volumes = 1,
    };
}

static void fine(struct world *w)
{
    (void)w;
}
static void failed(struct world *w)
{
    w->backup.status = BACKUP_FAILED;
}
static void waiting(struct world *w)
{
    w->backup.status = BACKUP_WAITING_FOR_WALS;
}
static void compressed(struct world *w)
{
    w->backup.compression = "gzip";
    w->backup.encryption = "gpg";
}
static void corrupt(struct world *w)
{
    w->backup.status = BACKUP_FAILED;
    w->facts.corrupt_files = 2;
    w->facts.corrupt_first = "base/5/1259";
}
static void corrupt_accepted(struct world *w)
{
    corrupt(w);
    w->facts.accepts_corruption = true;
}
static void failed_accepted(struct world *w)
{
    w->backup.status = BACKUP_FAILED;
    w->facts.accepts_corruption = true;
}
static void incremental(struct world *w)
{
    w->backup.parent_backup_id = "20261119T000000";
    w->facts.full = "20261118T000000";
}
static void snapshot(struct world *w)
{
    w->backup.mode = "snapshot-concurrent";
}
static void old_version(struct world *w)
{
    w->backup.version = 110000;
}
static void torn(struct world *w)
{
    w->facts.tree_fault = "'base/5/1259': is missing";
}
static void not_empty(struct world *w)
{
    w->place[0].state = PLACE_FULL;
    w->place[0].found = ".hidden";
}
static void other_plan(struct world *w)
{
    w->place[0].state = PLACE_OTHER_PLAN;
    w->place[0].found = "system 7";
}
static void live(struct world *w)
{
    w->place[0].state = PLACE_RUNNING;
    w->place[0].found = "process 4711";
}
static void in_repo(struct world *w)
{
    w->place[1].state = PLACE_SOURCE;
    w->place[1].found = "/var/lib/barman/main";
}
static void in_cluster(struct world *w)
{
    w->place[0].state = PLACE_CLUSTER;
    w->place[0].found = "/srv/live";
}
static void same_place(struct world *w)
{
    w->place[1].path = "/srv/new";
}
static void nested(struct world *w)
{
    w->place[1].path = "/srv/new/base";
}
static void nested_well(struct world *w)
{
    w->place[1].path = "/srv/new/tablespaces";
    w->place[1].may_nest = true;
}
static void pgdata_in_tablespace(struct world *w)
{
    w->place[1].path = "/srv";
    w->place[1].may_nest = true;
}
static void common_prefix(struct world *w)
{
    w->place[1].path = "/srv/new2";
}
static void no_room(struct world *w)
{
    w->volume[0].have = 2 * GB - 1;
}
static void just_room(struct world *w)
{
    w->volume[0].have = 2 * GB;
}
static void early_time(struct world *w)
{
    w->target = (struct target){.kind = TARGET_TIME, .us = 99 * S};
}
static void late_time(struct world *w)
{
    w->target = (struct target){.kind = TARGET_TIME, .us = 900 * S};
}
static void late_time_gap(struct world *w)
{
    late_time(w);
    w->wal.fault = WAL_GAP;
    w->wal.where = "000000010000000000000009";
    w->wal.resumes = 0xA000;
}
static void gap_at_end(struct world *w)
{
    w->wal.fault = WAL_GAP;
    w->wal.where = "000000010000000000000009";
    w->wal.resumes = 0xA000;
}
static void damaged(struct world *w)
{
    w->wal.fault = WAL_CORRUPT;
    w->wal.where = "000000010000000000000009";
    w->wal.why = "wrong checksum";
}
static void not_consistent(struct world *w)
{
    w->wal.watch.end = 0x10FF;
}
static void absent_xid(struct world *w)
{
    w->target = (struct target){.kind = TARGET_XID, .xid = 999};
}
static void rolled_back(struct world *w)
{
    absent_xid(w);
    w->wal.watch.stop = (struct wal_mark){true, 0x7000, 0x7040, 1, 999, 800 * S};
    w->wal.watch.stop_is_abort = true;
}
static void elsewhere(struct world *w)
{
    absent_xid(w);
    w->wal.elsewhere = 3;
}
static void beyond(struct world *w)
{
    w->target = (struct target){.kind = TARGET_LSN, .lsn = 0xFFFF};
}
static void in_gap(struct world *w)
{
    beyond(w);
    gap_at_end(w);
}
static void early_stop(struct world *w)
{
    beyond(w);
    w->target.lsn = 0x1010;
    w->wal.watch.stop = (struct wal_mark){.known = true, .start = 0x1010};
    w->wal.watch.stop_too_early = true;
}
static void named_twice(struct world *w)
{
    w->target = (struct target){.kind = TARGET_NAME, .name = "x"};
    w->wal.watch.stop = (struct wal_mark){.known = true, .start = 0x2000};
    w->wal.watch.names = 2;
    w->wal.watch.named[0] = (struct wal_mark){.known = true, .start = 0x2000, .us = 200 * S};
    w->wal.watch.named[1] = (struct wal_mark){.known = true, .start = 0x3000, .us = 300 * S};
}
static void reached(struct world *w)
{
    late_time(w);
    w->target.us = 800 * S;
    w->wal.watch.stop = (struct wal_mark){.known = true, .start = 0x8100};
}
static void assumed(struct world *w)
{
    reached(w);
    w->target.zone_assumed = true;
    w->target.stamp = (struct stamp){800 * S, 3600};
}
static void followed(struct world *w)
{
    w->facts.is_followed = true;
}
static void followed_partial(struct world *w)
{
    w->facts.is_followed = w->wal.uses_partial = true;
}
static void rootless(struct world *w)
{
    w->facts.root_without_owner = true;
}

static const struct judged {
    const char *label;
    void (*change)(struct world *w);
    enum verdict worst;
    const char *sentence; /* in one of that verdict */
    const char *hint;     /* in its hint */
} judged[] = {
    {"all is well", fine, VERDICT_OK, "can", ""},
    {"target met", reached, VERDICT_OK, "can be reached", ""},
    {"backup failed", failed, VERDICT_REFUSED, "not complete", "list-backups"},
    {"backup waits for WAL", waiting, VERDICT_WARN, "still waiting", ""},
    {"backup compressed and encrypted", compressed, VERDICT_OK, "backup", ""},
    {"row 65: damaged pages", corrupt, VERDICT_REFUSED,
     "damaged pages in 2 files, the first is 'base/5/1259'", "--accept-corruption"},
    {"row 65: damaged pages, accepted", corrupt_accepted, VERDICT_WARN,
     "damaged pages in 2 files are restored as they are", ""},
    {"accepting what failed otherwise", failed_accepted, VERDICT_REFUSED, "not complete",
     "list-backups"},
    {"an incremental backup", incremental, VERDICT_REFUSED, "is incremental",
     "Restore 20261118T000000, the full backup before it"},
    {"a disk snapshot", snapshot, VERDICT_REFUSED, "is a disk snapshot", "list-backups"},
    {"backup of PostgreSQL 11", old_version, VERDICT_REFUSED, "before 12", ""},
    {"backup has lost a file", torn, VERDICT_REFUSED, "base/5/1259", ""},
    {"row 77: directory not empty", not_empty, VERDICT_REFUSED, "'.hidden' is there", "empty"},
    {"row 79: another restore's directory", other_plan, VERDICT_REFUSED, "another unfinished",
     "same options"},
    {"row 78: a server runs there", live, VERDICT_REFUSED, "process 4711", "Stop"},
    {"row 80: inside the repository", in_repo, VERDICT_REFUSED, "lies in the repository",
     "outside"},
    {"row 80: inside a cluster", in_cluster, VERDICT_REFUSED, "lies in the data directory",
     "outside"},
    {"row 58: two with the same place", same_place, VERDICT_REFUSED, "same destination", ""},
    {"row 58: a tablespace in base", nested, VERDICT_REFUSED, "one inside the other", ""},
    {"row 58: a tablespace inside PGDATA, apart", nested_well, VERDICT_OK, "free", ""},
    {"row 58: PGDATA inside a tablespace", pgdata_in_tablespace, VERDICT_REFUSED, "inside", ""},
    {"row 58: a common prefix is no nesting", common_prefix, VERDICT_OK, "free", ""},
    {"row 81: no room", no_room, VERDICT_REFUSED, "2.0 GiB needed", "Make room"},
    {"row 81: just room", just_room, VERDICT_OK, "needed", ""},
    {"row 83: time before the backup's end", early_time, VERDICT_REFUSED,
     "the earliest it reaches is 1970-01-01 00:01:40+00:00", "older backup"},
    {"row 83: stop before the backup's end", early_stop, VERDICT_REFUSED, "LSN 0/1100",
     "older"},
    {"row 84: time behind the last commit", late_time, VERDICT_REFUSED,
     "the last reachable commit is 1970-01-01 00:15:00+00:00 (transaction 777, LSN 0/8000)",
     "--target-lsn 0/8000"},
    {"row 84: time behind a gap", late_time_gap, VERDICT_REFUSED,
     "000000010000000000000009 is missing, WAL goes on at 0/A000", ""},
    {"row 85: xid absent", absent_xid, VERDICT_REFUSED, "not in the WAL from 0/1100 to 0/9000",
     ""},
    {"row 85: xid rolled back", rolled_back, VERDICT_REFUSED, "rolled back", "committed"},
    {"row 85: xid on an abandoned branch", elsewhere, VERDICT_REFUSED, "on timeline 3",
     "--target-tli 3"},
    {"row 86: lsn beyond the end", beyond, VERDICT_REFUSED, "from 0/1100 to 0/9000", ""},
    {"row 86: lsn in a gap", in_gap, VERDICT_REFUSED, "WAL goes on at 0/A000", ""},
    {"row 87: a name given twice", named_twice, VERDICT_WARN,
     "made 2 times: PostgreSQL stops at the first, LSN 0/2000 at 1970-01-01 00:03:20+00:00, "
     "not at "
     "LSN 0/3000 at 1970-01-01 00:05:00+00:00",
     "Give --target-lsn 0/3000 for the other one."},
    {"row 90: the assumed zone is told in UTC", assumed, VERDICT_WARN,
     "(1970-01-01 00:13:20+00:00)", ""},
    {"the end behind a gap", gap_at_end, VERDICT_REFUSED, "is missing", "--target-lsn 0/8000"},
    {"row 92: a damaged segment", damaged, VERDICT_REFUSED, "wrong checksum", ""},
    {"WAL ends inside the backup", not_consistent, VERDICT_REFUSED, "before the backup is",
     "archive"},
    {"a standby has whole segments", followed, VERDICT_OK, "every record sound", ""},
    {"a standby does not fetch the last one", followed_partial, VERDICT_WARN,
     "does not fetch it", "--standby-mode"},
    {"row 96: root would own it", rootless, VERDICT_REFUSED, "root", "server's user"},
};

static void judge(void **state)
{
    const struct judged *j = *state;
    struct restore_checks checks = {.n = 0};
    enum verdict worst = VERDICT_OK;
    bool found = false;
    struct world w;
    struct arena a;

    arena_init(&a, 0);
    make_world(&w);
    j->change(&w);
    assert_int_equal(restore_judge(&a, &w.facts, &checks), j->worst != VERDICT_REFUSED);
    for (size_t i = 0; i < checks.n; i++) {
        const struct restore_check *c = &checks.check[i];

        worst = c->verdict > worst ? c->verdict : worst;
        if (c->verdict == j->worst && strstr(c->sentence, j->sentence) &&
            strstr(c->hint, j->hint)) {
            found = true;
        }
        if (c->verdict == VERDICT_REFUSED) {
            assert_true(c->hint[0] >= 'A' && c->hint[0] <= 'Z');
        }
    }
    assert_int_equal(worst, j->worst);
    if (j->worst != VERDICT_OK || j->change != fine) {
        assert_true(found);
    }
    arena_release(&a);
}

TEST_MAIN(ROWS(picks, picked); ROWS(lines, lined); ROWS(judged, judge))
