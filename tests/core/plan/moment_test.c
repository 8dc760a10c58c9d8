/* SPDX-License-Identifier: PostgreSQL */
#include "harness.h"

#include "plan/moment.h"

#define S    US_PER_S
#define T0   (INT64_C(1787356931) * S) /* 2026-08-22 00:02:11 UTC */
#define MS   INT64_C(1000)
#define KOLK (19800)

static int32_t east;

static int32_t offset(int64_t us)
{
    (void)us;
    return east;
}

static const struct time_row {
    const char *label;
    int64_t us;
    int32_t east;
    const char *want;
} times[] = {
    {"two hours east", T0 + 479 * MS, 7200, "22 Aug 02:02:11.479 +02"},
    {"utc", T0, 0, "22 Aug 00:02:11.000 +00"},
    {"half an hour", T0 + 999999, KOLK, "22 Aug 05:32:11.999 +05:30"},
    {"west, the day before", T0, -10800, "21 Aug 21:02:11.000 -03"},
    {"another year", T0 - 365 * 86400 * S, 0, "22 Aug 2025 00:02:11.000 +00"},
    {"before 1970", -1, 0, "31 Dec 1969 23:59:59.999 +00"},
};

static void time_said(void **state)
{
    const struct time_row *row = *state;
    struct moment_facts f = {.offset = offset, .now_us = T0};
    char out[MOMENT_TIME_CAP];

    east = row->east;
    assert_string_equal(moment_time(&f, row->us, out), row->want);
}

#define COMMIT(x, t)                                                                           \
    {                                                                                          \
        .known = true, .start = 0x1000, .end = 0x1040, .tli = 1, .xid = (x), .us = (t)         \
    }
#define MARK(x, t)                                                                             \
    {                                                                                          \
        .us = (t), .lsn = 0x2000, .xid = (x), .is_proven = true                                \
    }

static const struct wal_mark twice[] = {
    {.known = true, .start = 0x4C98000028, .us = T0 + S},
    {.known = true, .start = 0x4C9A0000F8, .us = T0 + 120 * S},
    {.known = true, .start = 0x4C9B0000F8, .us = T0 + 180 * S},
};
static const struct restore_check refusal = {"timeline", VERDICT_REFUSED, "two futures",
                                             "Choose one."};

static const struct said {
    const char *label;
    struct target target;
    struct moment_facts facts;
    const char *sentence, *hint;
} saids[] = {
    {"stops between two commits",
     {.kind = TARGET_TIME, .us = T0},
     {.before = COMMIT(741, T0),
      .stop = COMMIT(742, T0 + 3 * MS),
      .lost = COMMIT(742, T0 + 3 * MS)},
     "stops after xid 741 (22 Aug 00:02:11.000 +00), before xid 742, 3 ms later",
     ""},
    {"the clock stepped back",
     {.kind = TARGET_XID, .xid = 741},
     {.before = COMMIT(741, T0), .lost = COMMIT(742, T0 - 40 * S)},
     "stops after xid 741 (22 Aug 00:02:11.000 +00), before xid 742, 40 s earlier by its clock",
     ""},
    {"microseconds",
     {.kind = TARGET_XID, .xid = 741},
     {.before = COMMIT(741, T0), .lost = COMMIT(742, T0 + 7)},
     "stops after xid 741 (22 Aug 00:02:11.000 +00), before xid 742, 7 us later",
     ""},
    {"nothing behind it",
     {.kind = TARGET_XID, .xid = 741},
     {.before = COMMIT(741, T0)},
     "stops after xid 741 (22 Aug 00:02:11.000 +00); nothing is committed behind it",
     ""},
    {"nothing before it",
     {.kind = TARGET_IMMEDIATE},
     {.lost = COMMIT(742, T0)},
     "stops before anything is committed, before xid 742",
     ""},
    {"at one that was rolled back",
     {.kind = TARGET_TIME, .us = T0},
     {.before = COMMIT(741, T0), .stop = COMMIT(742, T0 + S), .stop_is_abort = true},
     "stops after xid 741 (22 Aug 00:02:11.000 +00), at xid 742 that was rolled back, 1000 ms "
     "later",
     ""},
    {"the end",
     {.kind = TARGET_END},
     {.before = COMMIT(741, T0)},
     "goes to the end of the WAL: the last commit is xid 741 (22 Aug 00:02:11.000 +00)",
     ""},
    {"a point made twice",
     {.kind = TARGET_NAME, .name = "x"},
     {.before = COMMIT(741, T0), .lost = COMMIT(742, T0 + S), .names = 2, .named = twice},
     "stops after xid 741 (22 Aug 00:02:11.000 +00), before xid 742, 1000 ms later",
     "'x' was made 2 times: by its name the server stops at that of 22 Aug 00:02:12.000 +00. "
     "For "
     "that of 22 Aug 00:04:11.000 +00 choose it in the list, or type lsn 4C/9A0000F8."},
    {"and a third time",
     {.kind = TARGET_NAME, .name = "x"},
     {.before = COMMIT(741, T0), .lost = COMMIT(742, T0 + S), .names = 3, .named = twice},
     "stops after xid 741 (22 Aug 00:02:11.000 +00), before xid 742, 1000 ms later",
     "'x' was made 3 times: by its name the server stops at that of 22 Aug 00:02:12.000 +00. "
     "For "
     "that of 22 Aug 00:04:11.000 +00 choose it in the list, or type lsn 4C/9A0000F8; so for "
     "those behind it."},
    {"a point made once",
     {.kind = TARGET_NAME, .name = "x"},
     {.before = COMMIT(741, T0), .names = 1, .named = twice},
     "stops after xid 741 (22 Aug 00:02:11.000 +00); nothing is committed behind it",
     ""},
    {"no backup",
     {.kind = TARGET_END},
     {.verdict = MOMENT_NO_BACKUP},
     "there is no complete backup that can be restored",
     "Take a backup, or look at list-backups."},
    {"refused",
     {.kind = TARGET_END},
     {.verdict = MOMENT_REFUSED, .refusal = &refusal},
     "two futures",
     "Choose one."},
    {"before the first backup",
     {.kind = TARGET_TIME, .us = T0},
     {.verdict = MOMENT_BEFORE, .above = MARK(0, T0 + S)},
     "22 Aug 00:02:11.000 +00 lies before the oldest backup that can be restored, which ends "
     "at "
     "22 Aug 00:02:12.000 +00",
     "Choose 22 Aug 00:02:12.000 +00, where a backup ends, or later."},
    {"before a backup that cannot be restored either",
     {.kind = TARGET_LSN, .lsn = 0x4C9A0000F8},
     {.verdict = MOMENT_BEFORE},
     "LSN 4C/9A0000F8 lies before the oldest backup that can be restored",
     "Take a backup: nothing can be restored yet."},
    {"a hole of one",
     {.kind = TARGET_XID, .xid = 7},
     {.verdict = MOMENT_HOLE,
      .fault = WAL_GAP,
      .missing = 1,
      .where = "A",
      .to = "A",
      .below = MARK(6, T0),
      .above = MARK(0, T0 + S)},
     "transaction 7 lies behind segment A, which is missing",
     "Choose xid 6 (22 Aug 00:02:11.000 +00), or earlier; or 22 Aug 00:02:12.000 +00, where a "
     "backup ends, or later."},
    {"a hole of three",
     {.kind = TARGET_NAME, .name = "x"},
     {.verdict = MOMENT_HOLE,
      .fault = WAL_GAP,
      .missing = 3,
      .where = "A",
      .to = "C",
      .below = MARK(6, T0)},
     "restore point 'x' lies behind 3 missing segments, A to C",
     "Choose xid 6 (22 Aug 00:02:11.000 +00), or earlier."},
    {"damage",
     {.kind = TARGET_END},
     {.verdict = MOMENT_HOLE, .fault = WAL_CORRUPT, .missing = 1, .where = "A", .why = "odd"},
     "the end of the WAL lies behind segment A, which is damaged: odd",
     "Take a backup: nothing can be restored yet."},
    {"without the key",
     {.kind = TARGET_END},
     {.verdict = MOMENT_HOLE, .fault = WAL_LOCKED, .missing = 1, .where = "A", .why = "no key"},
     "the end of the WAL lies behind segment A, which cannot be decrypted: no key",
     "Take a backup: nothing can be restored yet."},
    {"beyond",
     {.kind = TARGET_TIME, .us = T0},
     {.verdict = MOMENT_BEYOND, .below = MARK(6, T0 - S)},
     "nothing ends after 22 Aug 00:02:11.000 +00, so the server would never stop; the last "
     "commit received is xid 6 (22 Aug 00:02:10.000 +00)",
     "Choose latest, which ends with that commit."},
    {"beyond, and nothing was committed",
     {.kind = TARGET_LSN, .lsn = 1},
     {.verdict = MOMENT_BEYOND},
     "LSN 0/1 lies behind all that was received; no commit was received since the backup",
     "Choose latest, or the end of the backup."},
    {"never seen: too new",
     {.kind = TARGET_XID, .xid = 900},
     {.verdict = MOMENT_UNSEEN, .xid_from = 700, .xid_to = 800},
     "transaction 900 is not in the WAL: transactions have come as far as 799",
     "Look at the number again, or wait until its WAL is received."},
    {"never seen: too old, around the wrap of the numbers",
     {.kind = TARGET_XID, .xid = 4294967000},
     {.verdict = MOMENT_UNSEEN, .xid_from = 700, .xid_to = 800},
     "transaction 4294967000 began before the oldest backup, whose first new one is 700",
     "Choose a transaction that ended behind that backup."},
    {"never seen: between",
     {.kind = TARGET_XID, .xid = 750},
     {.verdict = MOMENT_UNSEEN, .xid_from = 700, .xid_to = 800, .has_holes = true},
     "transaction 750 is nowhere in the WAL that is kept; segments are missing in it",
     "Look at the number again: one that only read, or is still running, has no end."},
    {"never seen: a name",
     {.kind = TARGET_NAME, .name = "x"},
     {.verdict = MOMENT_UNSEEN},
     "restore point 'x' is nowhere in the WAL that is kept",
     "Choose one from the list of restore points."},
    {"rolled back",
     {.kind = TARGET_XID, .xid = 7},
     {.verdict = MOMENT_ABORTED, .below = MARK(6, T0), .above = MARK(8, T0 + S)},
     "transaction 7 was rolled back: nothing of it was ever there",
     "Choose xid 6 (22 Aug 00:02:11.000 +00), or earlier; or xid 8 (22 Aug 00:02:12.000 +00), "
     "or later."},
    {"elsewhere",
     {.kind = TARGET_XID, .xid = 7},
     {.verdict = MOMENT_ELSEWHERE, .elsewhere = 3},
     "transaction 7 lies on timeline 3, which this recovery does not follow",
     "Choose timeline 3."},
};

static void moment_said(void **state)
{
    const struct said *row = *state;
    struct backup backup = {.id = "20260822T000000"};
    struct moment_facts f = row->facts;
    struct answer_moment out;
    struct err err = {0};
    struct arena a;

    east = 0;
    f.target = &row->target;
    f.backup = &backup;
    f.offset = offset;
    f.now_us = T0;
    arena_init(&a, 0);
    assert_true(moment_say(&a, &f, &out, &err));
    assert_string_equal(out.sentence, row->sentence);
    assert_string_equal(out.hint, row->hint);
    assert_int_equal(out.can_restore, f.verdict == MOMENT_WELL);
    assert_string_equal(out.backup_id, f.verdict == MOMENT_WELL ? backup.id : "");
    assert_int_equal(out.before.xid, f.verdict == MOMENT_WELL ? f.before.xid : 0);
    assert_int_equal(out.below.xid, f.below.xid);
    assert_true(out.above.us == f.above.us);
    arena_release(&a);
}

TEST_MAIN(ROWS(times, time_said); ROWS(saids, moment_said))
