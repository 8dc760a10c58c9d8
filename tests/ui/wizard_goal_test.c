/* SPDX-License-Identifier: PostgreSQL */
/* Step 1 by keys: what is typed and the words it becomes, when it is asked, holes. */
#include "wizard_story.h"

static struct script s;

static void message_has(const char *text)
{
    if (!strstr(s.ui.message, text)) {
        fail_msg("the message is '%s', not '%s'", s.ui.message, text);
    }
}

/* ---- what is typed as a target, and the words it becomes ---- */

static const struct target_row {
    const char *label, *typed;
    int choice; /* the key, 0: none */
    const char *goal, *words;
} targets[] = {
    {"time with offset", "2026-08-22 03:02:11+02", 0, "2026-08-22 03:02:11+02:00",
     "restore --target-time '2026-08-22 03:02:11+02:00' --target-action pause"},
    {"time in UTC", "2026-08-22 01:02:11Z", 0, "2026-08-22 01:02:11+00:00", NULL},
    {"half a second", "2026-08-22 03:02:11.5 +02", 0, "2026-08-22 03:02:11.500000+02:00", NULL},
    {"clock with offset is today", "03:02 +02", 0, "2026-08-22 03:02:00+02:00", NULL},
    {"clock still to come is yesterday", "23:10 +02", 0, "2026-08-21 23:10:00+02:00", NULL},
    {"ten minutes ago", "10 min ago", 0, "2026-08-22 03:02:45+02:00", NULL},
    {"two hours ago", "2h ago", 0, "2026-08-22 01:12:45+02:00", NULL},
    {"no offset, first reading", "2026-08-22 03:02:11", '1', "2026-08-22 03:02:11+02:00", NULL},
    {"no offset, UTC", "2026-08-22 01:02:11", '2', "2026-08-22 01:02:11+00:00", NULL},
    {"clock without offset", "03:02", '1', "2026-08-22 03:02:00+02:00", NULL},
    {"hour that is twice, first", "2025-10-26 02:30", '1', "2025-10-26 02:30:00+02:00", NULL},
    {"hour that is twice, second", "2025-10-26 02:30", '2', "2025-10-26 02:30:00+01:00", NULL},
    {"hour that was skipped", "2026-03-29 02:30", '1', "2026-03-29 03:30:00+02:00", NULL},
    {"xid", "xid 741", 0, "741", "restore --target-xid 741 --exclusive --target-action pause"},
    {"xid in capitals", "XID=741", 0, "741", NULL},
    {"lsn", "lsn 4C/9A2F1B08", 0, "4C/9A2F1B08",
     "restore --target-lsn 4C/9A2F1B08 --target-action pause"},
    {"bare lsn", "4C/9A2F1B08", 0, "4C/9A2F1B08", NULL},
    {"name", "name before release", 0, "before release",
     "restore --target-name 'before release' --target-action pause"},
    {"latest", "latest", 0, "", "restore orders-db1"},
    {"immediate", "immediate", 0, "", "restore --target-immediate --target-action pause"},
    {"another timeline", "latest tli 2", 0, "", "restore --target-tli 2 orders-db1"},
    {"a moment there", "03:02 +02 TLI 2", 0, "2026-08-22 03:02:00+02:00", " --target-tli 2 "},
    {"no offset there", "03:02 tli 2", '1', "2026-08-22 03:02:00+02:00", " --target-tli 2 "},
    {"a name that looks so", "name x tli 2", 0, "x tli 2",
     "restore --target-name 'x tli 2' --target-action pause"},
};

static void test_target(void **state)
{
    const struct target_row *row = *state;
    char text[4096];

    script_begin(&s);
    script_keys(&s, "r@");
    script_keys(&s, row->typed);
    script_keys(&s, "\n");
    if (row->choice) {
        assert_int_equal(s.ui.prompt.kind, PROMPT_CHOICE);
        script_key(&s, row->choice);
    }
    assert_int_equal(s.ui.prompt.kind, PROMPT_NONE);
    assert_string_equal(s.ui.wizard.words.goal.text, row->goal);
    if (row->words) {
        ui_command_text(&s.ui, wizard_words(&s.ui), text, sizeof text);
        if (!strstr(text, row->words)) {
            fail_msg("the command is '%s'", text);
        }
    }
    script_end_all(&s);
}

/* The room for a goal is the caller's and may hold anything: nothing of that stays. */
static void test_goal_is_replaced_whole(void **state)
{
    static const char *const typed[] = {"10 min ago", "03:02 +02", "2026-08-22 03:02:11+02",
                                        "xid 741",    "4C/1",      "name x",
                                        "latest",     "immediate"};
    struct goal goal;
    char told[200];

    (void)state;
    script_begin(&s);
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
        memset(&goal, 0xff, sizeof goal);
        assert_int_equal(goal_read(&s.ui, typed[i], &goal, told), GOAL_READ);
        assert_int_equal(goal.tli, 0);
        assert_string_equal(goal.action, "");
    }
    script_end_all(&s);
}

static const struct wrong_row {
    const char *label, *typed, *told;
} wrongs[] = {
    {"nothing", "", "a time with its offset"},
    {"words", "half past ten", "not a target"},
    {"31 February", "2026-02-31 10:00 +02", "not a target"},
    {"minute 60", "03:60 +02", "not a target"},
    {"tomorrow", "2026-08-23 03:00 +02", "still to come"},
    {"timeline 0", "latest tli 0", "a timeline is a number"},
    {"timeline in words", "xid 741 tli two", "a timeline is a number"},
    {"timeline with a sign", "03:02 +02 tli -1", "a timeline is a number"},
    {"timeline alone", "tli 2", "not a target"},
    {"xid with a sign", "xid -5", "number from 3"},
    {"xid too large", "xid 4294967296", "number from 3"},
    {"xid of the system", "xid 2", "number from 3"},
    {"xid in words", "xid twelve", "number from 3"},
    {"xid alone", "xid", "not a target"},
    {"lsn without slash", "lsn 4C9A2F1B08", "an LSN looks like"},
    {"lsn of zero", "lsn 0/0", "an LSN looks like"},
    {"lsn too long", "lsn 4C/9A2F1B081", "an LSN looks like"},
    {"lsn with a tail", "lsn 4C/9A2F1B08x", "an LSN looks like"},
    {"name too long", "name aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "at most 63 bytes"},
    {"ago without a number", "min ago", "not a target"},
    {"ago in fortnights", "2 fortnights ago", "not a target"},
    {"ago too far", "100001 days ago", "not a target"},
};

static void test_wrong(void **state)
{
    const struct wrong_row *row = *state;
    struct goal before;

    script_begin(&s);
    script_keys(&s, "r@");
    before = s.ui.wizard.words.goal;
    script_keys(&s, row->typed);
    script_keys(&s, "\n");
    assert_int_equal(s.ui.prompt.kind, PROMPT_TIME); /* still open, with the reason */
    if (!strstr(s.ui.prompt.told, row->told)) {
        fail_msg("told '%s'", s.ui.prompt.told);
    }
    assert_memory_equal(&before, &s.ui.wizard.words.goal, sizeof before);
    script_end_all(&s);
}

/* ---- debounce, late answers ---- */

static void test_asks_only_when_rested(void **state)
{
    (void)state;
    script_begin(&s);
    script_keys(&s, "r");
    script_wait(&s, 50);
    script_clear(&s);
    for (int i = 0; i < 20; i++) {
        script_keys(&s, "h");
        script_wait(&s, 100);
    }
    assert_int_equal(script_count(&s, ASK_MOMENT), 0);
    script_wait(&s, 100);
    assert_int_equal(script_count(&s, ASK_MOMENT), 1);
    assert_int_equal(script_asked(&s, ASK_MOMENT)->restore.goal.kind, GOAL_TIME);
    script_end_all(&s);
}

static void test_late_answer_of_another_target(void **state)
{
    struct answer *late;

    (void)state;
    script_begin(&s);
    script_keys(&s, "r");
    script_wait(&s, 50);
    late = script_answer(&s, ASK_MOMENT);
    script_keys(&s, "@xid 741\n");
    script_wait(&s, 50);
    late->moment.can_restore = true;
    script_hand(&s, late); /* its ticket is no longer waited for */
    assert_null(s.ui.model.answer[ASK_MOMENT]);
    script_hole(&s);
    assert_non_null(s.ui.model.answer[ASK_MOMENT]);
    script_end_all(&s);
}

static void test_answers_after_30_s(void **state)
{
    (void)state;
    script_begin(&s);
    script_keys(&s, "r");
    script_wait(&s, 50);
    script_wait(&s, 30000);
    assert_int_equal(script_count(&s, ASK_MOMENT), 1); /* waits, does not ask again */
    script_keys(&s, "\n");
    assert_int_equal(s.ui.view, VIEW_WHERE); /* one may go on: the plan checks it */
    script_moment(&s);
    assert_non_null(s.ui.model.answer[ASK_MOMENT]);
    script_end_all(&s);
}

static void test_hole_is_not_passed(void **state)
{
    (void)state;
    script_begin(&s);
    script_keys(&s, "r@2026-08-18 20:00 +02\n");
    script_wait(&s, 50);
    script_hole(&s);
    script_keys(&s, "\n");
    assert_int_equal(s.ui.view, VIEW_WHEN);
    message_has("cannot be restored");
    script_clear(&s);
    script_keys(&s, "]");
    script_wait(&s, 50);
    assert_string_equal(script_asked(&s, ASK_MOMENT)->restore.goal.text,
                        "2026-08-19 02:38:11+02:00");
    script_keys(&s, "[");
    assert_string_equal(s.ui.wizard.words.goal.text, "2026-08-18 11:40:52+02:00");
    script_end_all(&s);
}

static void test_restore_point_from_the_list(void **state)
{
    char text[200];

    (void)state;
    script_begin(&s);
    script_keys(&s, "r");
    script_wait(&s, 50);
    script_points(&s);
    script_keys(&s, "j");
    assert_int_equal(s.ui.wizard.words.goal.kind, GOAL_LSN); /* a name can be there twice */
    assert_string_equal(s.ui.wizard.words.goal.text, "4C/88000100");
    assert_string_equal(goal_text(&s.ui.wizard.words.goal, text, sizeof text),
                        "at restore point 'before-release-812' (LSN 4C/88000100)");
    assert_int_equal(s.ui.wizard.words.goal.tli, 0);
    script_keys(&s, "i");
    assert_false(s.ui.wizard.words.goal.is_exclusive); /* a point has no two sides */
    script_keys(&s, "k");
    assert_int_equal(s.ui.wizard.words.goal.kind, GOAL_LATEST);
    script_end_all(&s);
}

/* Two of one name, the later one on a timeline that was abandoned. */
static void test_restore_points_of_one_name(void **state)
{
    struct answer *a;
    struct point *p;

    (void)state;
    script_begin(&s);
    script_keys(&s, "r");
    script_wait(&s, 50);
    a = script_answer(&s, ASK_POINTS);
    p = ARENA_ARRAY(&a->arena, 2, struct point);
    p[0] = (struct point){POINT_RESTORE_POINT,
                          story_mark(story_us(22, 2, 50, 0), UINT64_C(0x4B1C000100), 0, true),
                          2, "again"};
    p[1] = (struct point){POINT_RESTORE_POINT,
                          story_mark(story_us(22, 2, 40, 0), UINT64_C(0x4C87000100), 0, true),
                          3, "again"};
    a->points.point = p;
    a->points.points = 2;
    script_hand(&s, a);
    script_keys(&s, "j");
    assert_string_equal(s.ui.wizard.words.goal.text, "4B/1C000100");
    assert_int_equal(s.ui.wizard.words.goal.tli, 2);
    script_keys(&s, "j");
    assert_string_equal(s.ui.wizard.words.goal.text, "4C/87000100");
    assert_int_equal(s.ui.wizard.words.goal.tli, 0);
    script_wait(&s, 200);
    assert_string_equal(script_asked(&s, ASK_MOMENT)->restore.goal.text, "4C/87000100");
    script_end_all(&s);
}

/* What is typed by its name, its end or its timeline gets its place on the axis. */
static const struct placed_row {
    const char *label, *typed;
    struct mark before, stop, point;
    int64_t at;
} placed[] = {
    {"the end of another timeline", "latest tli 2", .before = {.us = 5000}, .at = 5000},
    {"the end", "latest", .before = {.us = 7000}, .at = 7000},
    {"a restore point", "name x", {.us = 5000}, {.us = 9000}, {.us = 6000}, 6000},
    {"the end of the backup", "immediate", {.us = 5000}, {.us = 9000}, .at = 9000},
    {"an xid", "xid 741", {.us = 5000}, {.us = 9000}, .at = 9000},
    {"the last transaction", "xid 741", {.us = 5000}, .at = 5000},
};

static void test_placed(void **state)
{
    const struct placed_row *row = *state;
    const int64_t base = story_us(22, 2, 30, 0);
    struct answer *a;

    script_begin(&s);
    script_keys(&s, "r@");
    script_keys(&s, row->typed);
    script_keys(&s, "\n");
    script_wait(&s, 50);
    a = script_answer(&s, ASK_MOMENT);
    a->moment = (struct answer_moment){.can_restore = true, .sentence = "", .hint = ""};
    a->moment.before.us = row->before.us ? base + row->before.us : 0;
    a->moment.stop.us = row->stop.us ? base + row->stop.us : 0;
    a->moment.point.us = row->point.us ? base + row->point.us : 0;
    script_hand(&s, a);
    assert_int_equal(s.ui.wizard.at_us, base + row->at);
    script_end_all(&s);
}

static void test_side(void **state)
{
    (void)state;
    script_begin(&s);
    script_keys(&s, "r@xid 741\n");
    assert_true(s.ui.wizard.words.goal.is_exclusive);
    script_keys(&s, "i");
    assert_false(s.ui.wizard.words.goal.is_exclusive);
    script_end_all(&s);
}

TEST_MAIN(ROWS(targets, test_target); ROWS(wrongs, test_wrong); ROWS(placed, test_placed);
          ONE(test_goal_is_replaced_whole); ONE(test_asks_only_when_rested);
          ONE(test_late_answer_of_another_target); ONE(test_answers_after_30_s);
          ONE(test_hole_is_not_passed); ONE(test_restore_point_from_the_list);
          ONE(test_restore_points_of_one_name); ONE(test_side))
