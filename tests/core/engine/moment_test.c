/* SPDX-License-Identifier: PostgreSQL */
/* moments asked for in the scene of moment_scene.h; expectations are read off its picture. */
#include "moment_scene.h"

#include "engine/moment.h"

#include <stdio.h>

#define NO(n) (1u << ((n)-FIRST_NO))

struct row {
    const char *label;
    unsigned gone; /* segments that are missing, NO(n) | ... */
    uint32_t bad;  /* the end of this transaction is damaged */
    enum goal_kind kind;
    const char
        *text; /* GOAL_TIME: seconds behind BASE; GOAL_LSN: the transaction ending there */
    bool is_exclusive;
    const char *backup; /* "": cannot be had */
    pg_xid before, stop;
    pg_xid below;            /* a commit, or 0 */
    int64_t above;           /* seconds of the end of a backup, the xid of a commit, or 0 */
    const char *says, *hint; /* part of it; NULL: anything */
};

static const struct row rows[] = {
    /* times */
    {"time: the first later one in the stream stops it", 0, 0, GOAL_TIME, "1050", false, B1,
     701, 702, 0, 0, "stops after xid 701 (", NULL},
    {"time: of a commit itself, exclusive", 0, 0, GOAL_TIME, "1400", true, B2, 705, 706, 0, 0,
     "before xid 706, 1m 40s later", NULL},
    {"time: of a commit itself", 0, 0, GOAL_TIME, "1400", false, B2, 706, 707, 0, 0,
     "stops after xid 706", NULL},
    {"time: stops at a transaction that was rolled back", 0, 0, GOAL_TIME, "1100", false, B1,
     703, 705, 0, 0, "at xid 704 that was rolled back, 2m 30s later", NULL},
    {"time: no backup ends before it but the first", 0, 0, GOAL_TIME, "1305", false, B1, 705,
     706, 0, 0, NULL, NULL},
    {"time: before the first backup", 0, 0, GOAL_TIME, "949", false, "", 0, 0, 0, 950,
     "before the oldest backup", "Choose 15 Jan 2027"},
    {"time: of the last commit", 0, 0, GOAL_TIME, "1900", false, "", 0, 0, 710, 0,
     "the last commit received is xid 710", "Choose latest"},
    {"time: of the last commit, exclusive", 0, 0, GOAL_TIME, "1900", true, B3, 709, 710, 0, 0,
     NULL, NULL},
    {"time: after everything", 0, 0, GOAL_TIME, "99999", false, "", 0, 0, 710, 0, "never stop",
     "Choose latest"},
    {"time: in a hole", NO(6), 0, GOAL_TIME, "1550", false, "", 0, 0, 706, 1710,
     "000000010000000000000006, which is missing", "xid 706"},
    {"time: in a larger hole", NO(6) | NO(7), 0, GOAL_TIME, "1550", false, "", 0, 0, 706, 1710,
     "2 missing segments, 000000010000000000000006 to 000000010000000000000007", NULL},
    {"time: before a hole", NO(7), 0, GOAL_TIME, "1450", false, B2, 706, 707, 0, 0, NULL, NULL},
    {"time: behind a hole, a later backup", NO(6) | NO(7), 0, GOAL_TIME, "1850", false, B3, 709,
     710, 0, 0, NULL, NULL},
    {"time: behind damage", 0, 708, GOAL_TIME, "1550", false, "", 0, 0, 707, 1710,
     "000000010000000000000007, which is damaged: checksum", NULL},
    {"time: the backup's own WAL is missing", NO(3), 0, GOAL_TIME, "1050", false, "", 0, 0, 0,
     1310, "000000010000000000000003, which is missing", NULL},
    {"time: the WAL of the second backup is missing", NO(5), 0, GOAL_TIME, "1450", false, "", 0,
     0, 703, 1710, NULL, NULL},
    {"time: not one", 0, 0, GOAL_TIME, "x", false, NULL, 0, 0, 0, 0, NULL, NULL},
    /* transactions */
    {"xid", 0, 0, GOAL_XID, "706", false, B2, 706, 707, 0, 0, "stops after xid 706", NULL},
    {"xid: exclusive", 0, 0, GOAL_XID, "707", true, B2, 706, 707, 0, 0, NULL, NULL},
    {"xid: the last of the WAL", 0, 0, GOAL_XID, "710", false, B3, 710, 0, 0, 0,
     "nothing is committed behind it", NULL},
    {"xid: inside a backup, by the one before", 0, 0, GOAL_XID, "705", false, B1, 705, 706, 0,
     0, NULL, NULL},
    {"xid: inside a backup, exclusive", 0, 0, GOAL_XID, "705", true, B1, 703, 705, 0, 0, NULL,
     NULL},
    {"xid: the last before the next backup", 0, 0, GOAL_XID, "708", false, B2, 708, 709, 0, 0,
     NULL, NULL},
    {"xid: rolled back", 0, 0, GOAL_XID, "704", false, "", 0, 0, 703, 705, "rolled back",
     "xid 703"},
    {"xid: never seen", 0, 0, GOAL_XID, "9999", false, "", 0, 0, 0, 0,
     "transactions have come as far as 710", "Look at the number"},
    {"xid: behind a hole", NO(6), 0, GOAL_XID, "708", false, "", 0, 0, 706, 1710,
     "transaction 708 lies behind segment", NULL},
    {"xid: in a hole", NO(6), 0, GOAL_XID, "707", false, "", 0, 0, 0, 0, "segments are missing",
     NULL},
    {"xid: inside a backup, behind a hole", NO(4), 0, GOAL_XID, "705", false, "", 0, 0, 701,
     1310, NULL, NULL},
    {"xid: not one", 0, 0, GOAL_XID, "2", false, NULL, 0, 0, 0, 0, NULL, NULL},
    /* restore points */
    {"name", 0, 0, GOAL_NAME, "early", false, B1, 701, 702, 0, 0, NULL, NULL},
    {"name: made twice behind the same backup", 0, 0, GOAL_NAME, "twice", false, B2, 705, 706,
     0, 0, NULL, "was made 2 times"},
    {"name: never seen", 0, 0, GOAL_NAME, "Early", false, "", 0, 0, 0, 0,
     "restore point 'Early' is nowhere", "list of restore points"},
    {"name: behind a hole, and before it", NO(6), 0, GOAL_NAME, "twice", false, B2, 705, 706, 0,
     0, NULL, NULL},
    /* positions */
    {"lsn: of a commit", 0, 0, GOAL_LSN, "707", false, B2, 707, 708, 0, 0, NULL, NULL},
    {"lsn: of a commit, exclusive", 0, 0, GOAL_LSN, "707", true, B2, 706, 707, 0, 0, NULL,
     NULL},
    {"lsn: of the first commit", 0, 0, GOAL_LSN, "701", false, B1, 701, 702, 0, 0, NULL, NULL},
    {"lsn: before the first backup", 0, 0, GOAL_LSN, "0/300028", false, "", 0, 0, 0, 950, NULL,
     NULL},
    {"lsn: beyond the end", 0, 0, GOAL_LSN, "F/0", false, "", 0, 0, 710, 0, "behind all that",
     "Choose latest"},
    {"lsn: behind a hole", NO(6), 0, GOAL_LSN, "708", false, "", 0, 0, 706, 1710, NULL, NULL},
    /* ends */
    {"latest", 0, 0, GOAL_LATEST, "", false, B3, 710, 0, 0, 0, "the last commit is xid 710",
     NULL},
    {"latest: without the last segment", NO(9), 0, GOAL_LATEST, "", false, B3, 709, 0, 0, 0,
     NULL, NULL},
    {"latest: the newest backup's WAL is missing", NO(8), 0, GOAL_LATEST, "", false, "", 0, 0,
     708, 0, NULL, "xid 708"},
    {"immediate", 0, 0, GOAL_IMMEDIATE, "", false, B3, 0, 709, 0, 0, "before anything", NULL},
    {"immediate: the newest backup's WAL is missing", NO(8), 0, GOAL_IMMEDIATE, "", false, B2,
     705, 706, 0, 0, NULL, NULL},
    {"latest: no WAL at all", 127, 0, GOAL_LATEST, "", false, "", 0, 0, 0, 0, NULL, NULL},
};

static void say_text(const struct scene *s, const struct row *row, struct goal *goal)
{
    uint64_t n;
    char text[FMT_CAP];

    str_copy(goal->text, sizeof goal->text, row->text);
    if (!str_u64(str_of(row->text), 1000000, &n)) {
        return;
    }
    if (row->kind == GOAL_TIME) {
        str_copy(goal->text, sizeof goal->text,
                 stamp_iso((struct stamp){scene_us((int64_t)n), 0}, text));
    } else if (row->kind == GOAL_LSN) {
        str_copy(goal->text, sizeof goal->text, fmt_lsn(s->lsn[n - 701], text));
    }
}

static void expect_answer(const struct row *row, const struct answer_moment *m)
{
    assert_string_equal(m->backup_id, row->backup);
    assert_int_equal(m->can_restore, row->backup[0] != '\0');
    assert_int_equal(m->before.xid, row->before);
    assert_int_equal(m->stop.xid, row->stop);
    assert_int_equal(m->below.xid, row->below);
    if (row->above > 0 && row->above < 700) {
        assert_int_equal(m->above.xid, row->above);
    } else if (m->above.xid) {
        assert_int_equal(m->above.xid, row->above);
    } else {
        assert_true(m->above.us == (row->above ? scene_us(row->above) : 0));
    }
    if (row->says && !strstr(m->sentence, row->says)) {
        assert_string_equal(m->sentence, row->says);
    }
    if (row->hint && !strstr(m->hint, row->hint)) {
        assert_string_equal(m->hint, row->hint);
    }
    assert_true(m->sentence[0] != '\0');
    assert_true(m->can_restore || m->hint[0] != '\0');
}

static void ask(void **state)
{
    const struct row *row = *state;
    struct goal goal = {.kind = row->kind, .is_exclusive = row->is_exclusive};
    struct answer_moment answer;
    struct err err = {0};
    struct scene s;
    bool ok;

    scene_init(&s);
    for (int no = FIRST_NO; no < FIRST_NO + SEGS; no++) {
        if (row->gone & NO(no)) {
            assert_int_equal(unlink(scene_segment(&s, no)), 0);
        }
    }
    if (row->bad) {
        scene_damage(&s, (int)(s.lsn[row->bad - 701] / MK_SEG), s.lsn[row->bad - 701]);
    }
    say_text(&s, row, &goal);
    ok = moment_find(&s.said.t, s.config, &s.config->server[0], &goal, &s.a, &answer, &err);
    assert_int_equal(ok, row->backup != NULL);
    if (ok) {
        expect_answer(row, &answer);
    } else {
        assert_int_equal(err.code, ERR_FORMAT);
    }
    scene_release(&s);
}

static void no_backup(void **state)
{
    struct goal goal = {.kind = GOAL_LATEST};
    struct answer_moment answer;
    struct err err = {0};
    struct scene s;

    (void)state;
    scene_init(&s);
    assert_true(tree_remove(s.f.r.meta_dir, &err));
    assert_true(
        moment_find(&s.said.t, s.config, &s.config->server[0], &goal, &s.a, &answer, &err));
    assert_false(answer.can_restore);
    assert_non_null(strstr(answer.sentence, "no complete backup"));
    scene_release(&s);
}

static bool is_cancelled(void *self)
{
    (void)self;
    return true;
}

static void cancelled(void **state)
{
    struct goal goal = {.kind = GOAL_XID, .text = "703"};
    struct answer_moment answer;
    struct err err = {0};
    struct task_ops ops;
    struct scene s;

    (void)state;
    scene_init(&s);
    ops = *s.said.t.ops;
    ops.cancelled = is_cancelled;
    s.said.t.ops = &ops;
    assert_false(
        moment_find(&s.said.t, s.config, &s.config->server[0], &goal, &s.a, &answer, &err));
    assert_int_equal(err.code, ERR_CANCEL);
    scene_release(&s);
}

/* With the n-th growth of memory refused it says so, and with memory it answers. */
static void without_memory(void **state)
{
    struct goal goal = {.kind = GOAL_XID, .text = "708"};
    struct answer_moment answer;
    struct scene s;
    bool ok = false;
    size_t max;

    (void)state;
    scene_init(&s);
    for (max = 1000; !ok; max += max / 3) {
        struct err err = {0};
        struct arena a;

        arena_init(&a, max);
        ok = moment_find(&s.said.t, s.config, &s.config->server[0], &goal, &a, &answer, &err);
        assert_true(ok || err.code == ERR_MEMORY);
        assert_true(!ok || answer.can_restore);
        arena_release(&a);
    }
    scene_release(&s);
}

TEST_MAIN(ROWS(rows, ask); ONE(no_backup); ONE(cancelled); ONE(without_memory))
