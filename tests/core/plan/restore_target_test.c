/* SPDX-License-Identifier: PostgreSQL */
/* Moments are worked out with `date -u -d`; stop rules are those of PostgreSQL's
 * recoveryStopsBefore() and recoveryStopsAfter(). */
#include "plan/restore_target.h"

#include "harness.h"

/* 2026-11-22 10:29:00 UTC */
#define T1029 INT64_C(1795343340000000)

/* A zone two hours east until 2026-10-25 03:00, then one hour: 02:30 is shown twice. */
static int berlin(const struct civil *c, struct stamp out[2])
{
    int64_t us;

    if (!civil_us(c, 0, &us)) {
        return 0;
    }
    if (c->month == 3 && c->day == 29 && c->hour == 2) {
        out[0] = (struct stamp){us - 3600 * US_PER_S, 7200};
        return 0;
    }
    if (c->month == 10 && c->day == 25 && c->hour == 2) {
        out[0] = (struct stamp){us - 7200 * US_PER_S, 7200};
        out[1] = (struct stamp){us - 3600 * US_PER_S, 3600};
        return 2;
    }
    out[0] = (struct stamp){us - 3600 * US_PER_S, 3600};
    return 1;
}

static const struct word {
    const char *label;
    struct target_words words;
    enum target_kind kind; /* when why is NULL */
    int64_t number;        /* us, xid or lsn */
    const char *text;      /* of target_text() */
    const char *why;       /* in err.why */
} words[] = {
    {"nothing", {0}, TARGET_END, 0, "the end of the WAL"},
    {"time with offset",
     {.time = "2026-11-22 11:29:00+01"},
     TARGET_TIME,
     T1029,
     "time 2026-11-22 11:29:00+01:00 (2026-11-22 10:29:00+00:00)"},
    {"time in UTC",
     {.time = "2026-11-22T10:29:00Z"},
     TARGET_TIME,
     T1029,
     "time 2026-11-22 10:29:00+00:00"},
    {"time with microseconds",
     {.time = "2026-11-22 10:29:00.000001+00"},
     TARGET_TIME,
     T1029 + 1,
     "time 2026-11-22 10:29:00.000001+00:00"},
    {"time of the local zone",
     {.time = "2026-11-22 11:29:00"},
     TARGET_TIME,
     T1029,
     "time 2026-11-22 11:29:00+01:00 (2026-11-22 10:29:00+00:00)"},
    {"exclusive",
     {.xid = "731", .side = TARGET_EXCLUSIVE},
     TARGET_XID,
     731,
     "transaction 731, exclusive"},
    {"xid, the largest", {.xid = "4294967295"}, TARGET_XID, 4294967295, NULL},
    {"lsn", {.lsn = "4C/9A0000F8"}, TARGET_LSN, 0x4C9A0000F8, "LSN 4C/9A0000F8"},
    {"lsn in lower case", {.lsn = "4c/9a0000f8"}, TARGET_LSN, 0x4C9A0000F8, NULL},
    {"name",
     {.name = "before the delete"},
     TARGET_NAME,
     0,
     "restore point 'before the delete'"},
    {"immediate", {.immediate = "yes"}, TARGET_IMMEDIATE, 0, "the end of the backup"},
    {"action", {.immediate = "yes", .action = "promote"}, TARGET_IMMEDIATE, 0, NULL},

    {"row 90: a time that the clock showed twice",
     {.time = "2026-10-25 02:30:00"},
     .why = "2026-10-25 02:30:00+02:00 and 2026-10-25 02:30:00+01:00"},
    {"row 90: with its offset it is one time",
     {.time = "2026-10-25 02:30:00+02"},
     TARGET_TIME,
     INT64_C(1792888200000000),
     NULL},
    {"row 90: a time that the clock skipped",
     {.time = "2026-03-29 02:30:00"},
     .why = "skipped"},
    {"not a time", {.time = "yesterday"}, .why = "not a time"},
    {"day that does not exist", {.time = "2026-02-30 10:00:00+00"}, .why = "not a time"},
    {"empty time", {.time = ""}, .why = "not a time"},
    {"xid 0", {.xid = "0"}, .why = "not a transaction id"},
    {"xid 2 is frozen", {.xid = "2"}, .why = "not a transaction id"},
    {"xid too large", {.xid = "4294967296"}, .why = "not a transaction id"},
    {"xid with sign", {.xid = "-731"}, .why = "not a transaction id"},
    {"xid in hex", {.xid = "0x2db"}, .why = "not a transaction id"},
    {"lsn without slash", {.lsn = "4C9A0000F8"}, .why = "not an LSN"},
    {"lsn with a tail", {.lsn = "4C/9A0000F8x"}, .why = "not an LSN"},
    {"lsn too long", {.lsn = "4C/19A0000F8"}, .why = "not an LSN"},
    {"name empty", {.name = ""}, .why = "1 to 63 bytes"},
    {"name of 64 bytes",
     {.name = "0123456789012345678901234567890123456789012345678901234567890123"},
     .why = "1 to 63 bytes"},
    {"name with a newline", {.name = "a\nb"}, .why = "control character"},
    {"two targets", {.xid = "731", .lsn = "0/1"}, .why = "more than one"},
    {"target and immediate", {.xid = "731", .immediate = "yes"}, .why = "more than one"},
    {"action without target", {.action = "pause"}, .why = "no target"},
    {"unknown action", {.immediate = "yes", .action = "stop"}, .why = "not a target action"},
    {"timeline 0", {.timeline = "0"}, .why = "not a timeline"},
    {"timeline too large", {.timeline = "4294967296"}, .why = "not a timeline"},
    {"timeline as a word", {.timeline = "newest"}, .why = "not a timeline"},
    {"timeline bare hex", {.timeline = "0A"}, .why = "not a timeline"},
};

static void read_words(void **state)
{
    const struct word *w = *state;
    struct target t;
    struct err err = {0};
    char text[TARGET_TEXT_CAP];
    bool ok = target_read(&w->words, berlin, &t, &err);

    if (w->why) {
        assert_false(ok);
        assert_int_equal(err.code, w->words.timeline || (w->words.action && w->words.immediate)
                                       ? ERR_USAGE
                                       : ERR_FORMAT);
        assert_non_null(strstr(err.why, w->why));
        assert_true(err.hint[0] >= 'A' && err.hint[0] <= 'Z');
        return;
    }
    assert_true(ok);
    assert_int_equal(t.kind, w->kind);
    if (w->kind == TARGET_TIME) {
        assert_true(t.us == w->number);
    } else if (w->kind == TARGET_XID) {
        assert_true(t.xid == w->number);
    } else if (w->kind == TARGET_LSN) {
        assert_true(t.lsn == (pg_lsn)w->number);
    }
    if (w->text) {
        assert_string_equal(target_text(&t, text), w->text);
    }
}

static void local_zone_is_told(void **state)
{
    struct target_words typed = {.time = "2026-11-22 11:29:00"};
    struct err err = {0};
    struct target t;

    (void)state;
    assert_true(target_read(&typed, berlin, &t, &err));
    assert_true(t.zone_assumed);
    typed.time = "2026-11-22 11:29:00+01";
    assert_true(target_read(&typed, berlin, &t, &err));
    assert_false(t.zone_assumed);
}

static void timelines(void **state)
{
    static const struct {
        const char *word;
        enum target_line line;
        pg_tli tli;
    } row[] = {{"current", LINE_CURRENT, 0},
               {"latest", LINE_LATEST, 0},
               {"10", LINE_NUMBER, 10},
               {"0xA", LINE_NUMBER, 10},
               {"4294967295", LINE_NUMBER, UINT32_MAX}};

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct target_words typed = {.timeline = row[i].word};
        struct err err = {0};
        struct target t;

        assert_true(target_read(&typed, berlin, &t, &err));
        assert_int_equal(t.line, row[i].line);
        assert_true(t.tli == row[i].tli);
        assert_true(target_is_pitr(&t));
    }
}

/* --- the watch: a little WAL. The backup is consistent at 200. ---------------------------- */

static const struct event {
    enum wal_event_kind kind;
    pg_lsn start;
    pg_xid xid;
    int64_t us;
    const char *name;
} wal[] = {
    {WAL_EVENT_COMMIT, 100, 11, 1000, NULL}, {WAL_EVENT_RESTORE_POINT, 150, 0, 1500, "early"},
    {WAL_EVENT_COMMIT, 300, 13, 3000, NULL}, {WAL_EVENT_RESTORE_POINT, 350, 0, 3500, "twice"},
    {WAL_EVENT_COMMIT, 400, 12, 2500, NULL}, /* later in the stream, earlier on the clock */
    {WAL_EVENT_ABORT, 500, 14, 5000, NULL},  {WAL_EVENT_RESTORE_POINT, 550, 0, 5500, "twice"},
    {WAL_EVENT_COMMIT, 600, 15, 6000, NULL},
};

static void feed(struct target_watch *w)
{
    for (size_t i = 0; i < sizeof wal / sizeof wal[0]; i++) {
        struct wal_event e = {.kind = wal[i].kind, .xid = wal[i].xid, .time_us = wal[i].us};

        e.rec.start = wal[i].start;
        e.rec.end = wal[i].start + 40;
        e.rec.tli = 1;
        if (wal[i].name) {
            str_copy(e.name, sizeof e.name, wal[i].name);
        }
        if (target_watch_feed(w, &e) == WATCH_ENOUGH) {
            return;
        }
    }
}

static const struct stop {
    const char *label;
    struct target target;
    pg_lsn at; /* 0: never */
    bool too_early, aborted;
    pg_xid last; /* the last commit that stays */
} stops[] = {
    {"time, inclusive", {.kind = TARGET_TIME, .us = 3000}, 500, false, false, 12},
    {"time, exclusive",
     {.kind = TARGET_TIME, .us = 3000, .side = TARGET_EXCLUSIVE},
     300,
     false,
     false,
     11},
    {"row 91: the first in the stream that is later, not the first on the clock",
     {.kind = TARGET_TIME, .us = 2700},
     300,
     false,
     false,
     11},
    {"time just before an abort stops there",
     {.kind = TARGET_TIME, .us = 4999},
     500,
     false,
     false,
     12},
    {"row 84: time behind everything", {.kind = TARGET_TIME, .us = 6000}, 0, false, false, 15},
    {"time of the last commit, exclusive",
     {.kind = TARGET_TIME, .us = 6000, .side = TARGET_EXCLUSIVE},
     600,
     false,
     false,
     12},
    {"row 83: time before the backup is consistent",
     {.kind = TARGET_TIME, .us = 500},
     100,
     true,
     false,
     0},
    {"xid", {.kind = TARGET_XID, .xid = 12}, 400, false, false, 12},
    {"xid, exclusive",
     {.kind = TARGET_XID, .xid = 12, .side = TARGET_EXCLUSIVE},
     400,
     false,
     false,
     13},
    {"row 85: xid rolled back", {.kind = TARGET_XID, .xid = 14}, 500, false, true, 12},
    {"row 85: xid absent", {.kind = TARGET_XID, .xid = 99}, 0, false, false, 15},
    {"row 83: xid inside the backup", {.kind = TARGET_XID, .xid = 11}, 100, true, false, 11},
    {"lsn", {.kind = TARGET_LSN, .lsn = 400}, 400, false, false, 12},
    {"lsn between records", {.kind = TARGET_LSN, .lsn = 301}, 350, false, false, 13},
    {"row 86: lsn beyond the end", {.kind = TARGET_LSN, .lsn = 601}, 0, false, false, 15},
    {"row 83: lsn inside the backup", {.kind = TARGET_LSN, .lsn = 90}, 100, true, false, 11},
    {"name", {.kind = TARGET_NAME, .name = "twice"}, 350, false, false, 13},
    {"row 83: name inside the backup",
     {.kind = TARGET_NAME, .name = "early"},
     150,
     true,
     false,
     11},
    {"name absent", {.kind = TARGET_NAME, .name = "Twice"}, 0, false, false, 15},
    {"end", {.kind = TARGET_END}, 0, false, false, 15},
    {"immediate", {.kind = TARGET_IMMEDIATE}, 0, false, false, 13},
};

static void where_it_stops(void **state)
{
    const struct stop *s = *state;
    struct target_watch w;

    target_watch_init(&w, &s->target, 90, 200);
    feed(&w);
    assert_int_equal(w.stop.known, s->at != 0);
    assert_true(w.stop.start == s->at);
    assert_int_equal(w.stop_too_early, s->too_early);
    assert_int_equal(w.stop_is_abort, s->aborted);
    assert_int_equal(w.last_commit.xid, s->last);
}

/* The server stops at the first record at or behind the position, whatever it is; the walk tells
 * only some. */
static const struct lsn_row {
    const char *label;
    pg_lsn lsn, prev; /* the commit begins at 400, the record before it at prev */
    enum target_side side;
    bool stays;
} lsn_rows[] = {
    {"lsn: the commit itself, inclusive", 400, 380, TARGET_INCLUSIVE, true},
    {"lsn: the commit itself, exclusive", 400, 380, TARGET_EXCLUSIVE, false},
    {"lsn: just behind the record before it", 381, 380, TARGET_INCLUSIVE, true},
    {"lsn: the record before it", 380, 380, TARGET_INCLUSIVE, false},
    {"lsn: records in between", 350, 380, TARGET_INCLUSIVE, false},
    {"lsn: behind it", 401, 380, TARGET_EXCLUSIVE, true},
};

static void what_an_lsn_keeps(void **state)
{
    const struct lsn_row *row = *state;
    struct target t = {.kind = TARGET_LSN, .lsn = row->lsn, .side = row->side};
    struct wal_event e = {.kind = WAL_EVENT_COMMIT, .xid = 21, .time_us = 1};
    struct target_watch w;

    target_watch_init(&w, &t, 90, 200);
    e.rec.start = 400;
    e.rec.end = 440;
    e.rec.prev = row->prev;
    (void)target_watch_feed(&w, &e);
    assert_int_equal(w.last_commit.known, row->stays);
}

static void names_are_counted(void **state)
{
    struct target t = {.kind = TARGET_NAME, .name = "twice"};
    struct target_watch w;

    (void)state;
    target_watch_init(&w, &t, 90, 200);
    feed(&w);
    assert_int_equal(w.names, 2); /* row 87 */
    assert_true(w.named[0].start == 350 && w.named[1].start == 550);
}

static void end_of_backup_is_found(void **state)
{
    struct target t = {.kind = TARGET_END};
    struct wal_event e = {.kind = WAL_EVENT_BACKUP_END, .lsn = 90};
    struct target_watch w;

    (void)state;
    e.rec.start = 140;
    e.rec.end = 180;
    target_watch_init(&w, &t, 90, 200);
    target_watch_feed(&w, &e);
    assert_true(w.consistent == 180);
    e.lsn = 91; /* of another backup */
    target_watch_init(&w, &t, 90, 200);
    target_watch_feed(&w, &e);
    assert_true(w.consistent == 200);
}

TEST_MAIN(ROWS(words, read_words); ROWS(stops, where_it_stops);
          ROWS(lsn_rows, what_an_lsn_keeps); ONE(local_zone_is_told); ONE(timelines);
          ONE(names_are_counted); ONE(end_of_backup_is_found))
