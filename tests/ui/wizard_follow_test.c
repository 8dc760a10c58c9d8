/* SPDX-License-Identifier: PostgreSQL */
/* Step 1 stays open while the looker goes on: what reaches to the end follows it, what a person
 * chose stays where it is. In the story the WAL ends at 03:12:08. */
#include "golden.h"
#include "wizard_steps.h"

#define END story_us(22, 3, 12, 8)

/* The next look at the server: its WAL ends so many seconds later. */
static void look(int64_t seconds)
{
    struct snapshot *next = story_snapshot(STORY_ORDERS);
    struct stretch *newest = (struct stretch *)(uintptr_t)&next->coverage->stretch[1];

    newest->to.us += seconds * US_PER_S;
    story_news(&s.ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = next});
    script_take(&s);
}

static void open_step(const char *keys)
{
    script_begin(&s);
    script_keys(&s, "r");
    script_wait(&s, 50);
    script_points(&s);
    script_moment(&s);
    script_keys(&s, keys);
    script_wait(&s, 500);
    script_clear(&s);
}

static void test_latest_follows(void **state)
{
    (void)state;
    open_step("");
    look(60);
    assert_int_equal(s.ui.wizard.at_us, END + 60 * US_PER_S);
    assert_int_equal(s.ui.wizard.to_us, END + 60 * US_PER_S);
    assert_int_equal(s.ui.wizard.words.goal.kind, GOAL_LATEST);
    script_wait(&s, 200);
    assert_int_equal(script_count(&s, ASK_MOMENT), 1);
    script_end_all(&s);
}

static void test_what_was_chosen_stays(void **state)
{
    int64_t at, span;
    char text[128];

    (void)state;
    open_step("hhhh");
    at = s.ui.wizard.at_us;
    span = s.ui.wizard.to_us - s.ui.wizard.from_us;
    (void)str_copy(text, sizeof text, s.ui.wizard.words.goal.text);
    look(60);
    assert_int_equal(s.ui.wizard.at_us, at);
    assert_string_equal(s.ui.wizard.words.goal.text, text);
    assert_int_equal(s.ui.wizard.to_us, END + 60 * US_PER_S);
    assert_int_equal(s.ui.wizard.to_us - s.ui.wizard.from_us, span);
    script_wait(&s, 200);
    assert_int_equal(script_count(&s, ASK_MOMENT), 0); /* it is known */
    script_end_all(&s);
}

/* An axis that would leave the cursor behind grows. */
static void test_cursor_is_not_left_behind(void **state)
{
    int64_t from;

    (void)state;
    open_step("HHHHHH");
    s.ui.wizard.at_us = s.ui.wizard.from_us + 10 * US_PER_S;
    from = s.ui.wizard.from_us;
    look(3600);
    assert_int_equal(s.ui.wizard.from_us, from);
    assert_int_equal(s.ui.wizard.at_us, from + 10 * US_PER_S);
    script_end_all(&s);
}

static void test_axis_in_the_past_stays(void **state)
{
    struct wizard before;

    (void)state;
    open_step("@2026-08-20 10:00 +02\n");
    assert_true(s.ui.wizard.to_us < END);
    before = s.ui.wizard;
    look(60);
    assert_int_equal(s.ui.wizard.from_us, before.from_us);
    assert_int_equal(s.ui.wizard.to_us, before.to_us);
    assert_int_equal(s.ui.wizard.at_us, before.at_us);
    script_end_all(&s);
}

/* Reading WAL again has time, and what was read is shown until all of it came. */
static void test_points_are_read_again(void **state)
{
    const struct answer *old;
    struct answer *part;

    (void)state;
    open_step("");
    old = s.ui.model.answer[ASK_POINTS];
    script_clear(&s);
    for (int i = 1; i <= 5; i++) {
        look(i);
    }
    script_wait(&s, 1000);
    assert_int_equal(script_count(&s, ASK_POINTS), 0);
    script_wait(&s, 31000);
    assert_int_equal(script_count(&s, ASK_POINTS), 1);
    part = script_answer(&s, ASK_POINTS);
    part->is_last = false;
    script_hand(&s, part);
    assert_ptr_equal(s.ui.model.answer[ASK_POINTS], old);
    assert_int_equal(old->points.points, 2);
    script_points(&s);
    assert_ptr_not_equal(s.ui.model.answer[ASK_POINTS], old);
    script_end_all(&s);
}

/* Nothing was known when the wizard was opened. */
static void test_first_look_comes_late(void **state)
{
    (void)state;
    script_begin(&s);
    snapshot_free(s.ui.model.server[STORY_ORDERS]);
    s.ui.model.server[STORY_ORDERS] = NULL;
    wizard_begin(&s.ui);
    assert_int_equal(s.ui.view, VIEW_WHEN);
    assert_int_equal(s.ui.wizard.at_us, s.ui.model.now_us);
    look(0);
    assert_int_equal(s.ui.wizard.at_us, END);
    assert_int_equal(s.ui.wizard.to_us, END);
    script_end_all(&s);
}

/* Back from step 2, what came meanwhile is on the axis. */
static void test_back_from_where(void **state)
{
    (void)state;
    open_step("");
    script_keys(&s, "\n");
    assert_int_equal(s.ui.view, VIEW_WHERE);
    look(60);
    script_keys(&s, "\033");
    assert_int_equal(s.ui.view, VIEW_WHEN);
    assert_int_equal(s.ui.wizard.at_us, END + 60 * US_PER_S);
    script_end_all(&s);
}

/* The time of a file, until its last commit is known, which is earlier. */
static void test_the_end_is_proven(void **state)
{
    (void)state;
    open_step("");
    look(60);
    look(40);
    assert_int_equal(s.ui.wizard.at_us, END + 40 * US_PER_S);
    assert_int_equal(s.ui.wizard.to_us, END + 60 * US_PER_S);
    look(90);
    assert_int_equal(s.ui.wizard.at_us, END + 90 * US_PER_S);
    assert_int_equal(s.ui.wizard.to_us, END + 90 * US_PER_S);
    script_end_all(&s);
}

/* The end of a timeline that was left does not go on with the newest one. */
static void test_latest_of_another_timeline_stays(void **state)
{
    int64_t at;

    (void)state;
    open_step("@latest tli 2\n");
    at = s.ui.wizard.at_us;
    look(60);
    assert_int_equal(s.ui.wizard.at_us, at);
    script_end_all(&s);
}

/* A server that was promoted after its last backup: a recovery would stay on the timeline of that
 * backup by itself, and what the server wrote since would be lost. */
static void test_latest_is_of_the_newest_timeline(void **state)
{
    struct snapshot *next = story_snapshot(STORY_ORDERS);

    (void)state;
    script_begin(&s);
    for (size_t i = 0; i < next->backups; i++) {
        ((struct backup_row *)(uintptr_t)next->backup)[i].tli = 2;
    }
    story_news(&s.ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = next});
    script_keys(&s, "r");
    script_wait(&s, 50);
    assert_int_equal(script_asked(&s, ASK_MOMENT)->restore.goal.tli, 3);
    script_moment(&s);
    script_keys(&s, "\n");
    script_place(&s, "/usr/lib/postgresql/17/bin");
    script_keys(&s, "\n"); /* no backup was taken on that timeline: auto would find none */
    assert_string_equal(script_asked(&s, ASK_PLAN)->restore.backup, "20260822T020003");
    script_keys(&s, "\033\033");
    look(60);
    assert_int_equal(s.ui.wizard.at_us, END + 60 * US_PER_S); /* it follows all the same */
    script_keys(&s, "hhhh");
    assert_int_equal(s.ui.wizard.words.goal.tli, 0); /* a time says itself where it lies */
    script_end_all(&s);
}

/* Asked for by name: then what is left out is said. */
static void test_end_of_an_old_timeline(void **state)
{
    static char seen[64 * 1024];
    struct grid *g = grid_new(80, 24, SYMBOLS_BLOCK);
    struct answer *a;

    (void)state;
    open_step("@latest tli 2\n");
    script_wait(&s, 200);
    wizard_ask(&s.ui, ASK_MOMENT);
    script_take(&s);
    a = script_answer(&s, ASK_MOMENT);
    a->moment =
        (struct answer_moment){.can_restore = true,
                               .sentence = "goes to the end of the WAL",
                               .tli = 2,
                               .before = story_mark(story_us(21, 14, 0, 0), 1, 5, true)};
    script_hand(&s, a);
    ui_draw(&s.ui, g);
    golden_print(g, seen);
    assert_non_null(strstr(seen, "lost       all of timeline 3, until today 03:12:08"));
    grid_free(g);
    script_end_all(&s);
}

TEST_MAIN(ONE(test_latest_is_of_the_newest_timeline), ONE(test_end_of_an_old_timeline),
          ONE(test_latest_of_another_timeline_stays), ONE(test_latest_follows),
          ONE(test_what_was_chosen_stays), ONE(test_cursor_is_not_left_behind),
          ONE(test_axis_in_the_past_stays), ONE(test_points_are_read_again),
          ONE(test_first_look_comes_late), ONE(test_back_from_where),
          ONE(test_the_end_is_proven))
