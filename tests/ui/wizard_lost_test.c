/* SPDX-License-Identifier: PostgreSQL */
/* The terminal is lost in the middle of a restore, and the console started again. */
#include "wizard_steps.h"

static void console_again(void)
{
    struct wizard kept = s.ui.wizard;

    script_end_all(&s);
    script_begin(&s);
    s.ui.wizard = kept;
}

static void test_attach_after_the_terminal_was_lost(void **state)
{
    uint32_t job = to_run();

    (void)state;
    console_again();
    s.ui.wizard.is_starting = false;
    wizard_offer(&s.ui);
    assert_int_equal(s.ui.prompt.kind, PROMPT_YESNO);
    script_clear(&s);
    script_keys(&s, "y");
    assert_int_equal(s.ui.view, VIEW_RUN);
    assert_int_equal(s.order[s.n - 1].kind, ORDER_FOLLOW);
    assert_int_equal(s.order[s.n - 1].job, job);
    script_end_all(&s);
}

/* A restore that ended meanwhile: no copy is started on the answer that nobody gave yet. */
static void test_nothing_begins_before_the_answer(void **state)
{
    uint32_t job = to_run();

    (void)state;
    console_again();
    s.next_job = job - 1;
    wizard_offer(&s.ui);
    script_clear(&s);
    script_end(&s, script_start(&s, "restore"), ROW_DONE, "", "");
    assert_string_equal(script_started(&s), "");
    script_keys(&s, "n");
    script_jobs(&s);
    assert_string_equal(script_started(&s), "");
    script_keys(&s, "ry");
    script_wait(&s, 50);
    assert_string_equal(script_started(&s), "start-copy orders-db1 " STORY_DEST);
    script_end_all(&s);
}

/* In step 5 what is lost is said again. */
static void test_the_moment_is_asked_again(void **state)
{
    struct wizard kept;

    (void)state;
    to_check();
    kept = s.ui.wizard;
    script_end_all(&s);
    script_begin(&s);
    s.ui.wizard = kept;
    wizard_offer(&s.ui);
    script_clear(&s);
    script_keys(&s, "y");
    assert_int_equal(s.ui.view, VIEW_CHECK);
    assert_string_equal(script_asked(&s, ASK_MOMENT)->restore.goal.text, "88120441");
    script_end_all(&s);
}

/* What was started with one key and fails far away is told where one is. */
static void test_own_failure_is_told(void **state)
{
    uint32_t job;

    (void)state;
    script_begin(&s);
    script_keys(&s, "by");
    job = script_start(&s, "backup");
    script_keys(&s, "?");
    script_end(&s, job, ROW_FAILED, "receive-wal does not run", "Start it.");
    message_has("backup: receive-wal does not run. Start it.");
    s.ui.message[0] = '\0';
    script_jobs(&s); /* once */
    assert_string_equal(s.ui.message, "");
    script_end_all(&s);
}

/* Killed before the numbers of its jobs were kept: they are found by what they do. */
static const struct lost_row {
    const char *label;
    int jobs; /* how many of restore and start-copy had begun */
    const char *plan;
    enum view_id view;
} losts[] = {
    {"nothing had begun", 0, "", VIEW_PLAN},
    {"the restore", 1, "barkeep --batch restore orders-db1 auto " STORY_DEST, VIEW_RUN},
    {"another directory", 1, "barkeep --batch restore orders-db1 auto /srv/x", VIEW_PLAN},
    {"the copy too", 2, "barkeep --batch start-copy orders-db1 " STORY_DEST, VIEW_RUN},
};

static void test_lost_before_the_number_was_kept(void **state)
{
    const struct lost_row *row = *state;
    static const char *const verb[] = {"restore", "start-copy"};
    struct wizard kept;

    to_plan();
    kept = s.ui.wizard;
    kept.step = VIEW_RUN;
    script_end_all(&s);
    script_begin(&s);
    s.ui.wizard = kept;
    for (int i = 0; i < row->jobs; i++) {
        (void)script_start(&s, verb[i]);
        s.row[s.rows - 1].plan = row->plan;
    }
    script_jobs(&s);
    wizard_offer(&s.ui);
    script_clear(&s);
    script_keys(&s, "y");
    assert_int_equal(s.ui.view, row->view);
    if (row->view == VIEW_RUN) {
        assert_int_equal(s.ui.model.followed, s.next_job);
    }
    assert_string_equal(script_started(&s), ""); /* nothing begins twice */
    script_end_all(&s);
}

static void test_number_is_kept_at_once(void **state)
{
    struct news news = {.kind = NEWS_STARTED, .job = 77};

    (void)state;
    to_plan();
    script_plan(&s, true);
    script_keys(&s, "\n");
    news.started.ticket = s.ui.start_ticket;
    assert_true(ui_news(&s.ui, &news) & UI_SAVE);
    assert_int_equal(s.ui.wizard.restore_job, 77);
    script_take(&s);
    script_end_all(&s);
}

/* A kill tells nobody: what was answered is kept with the key that answered it. */
static const struct kept_row {
    const char *label, *before, *key;
    bool is_kept;
} kepts[] = {
    {"the cursor moves: nothing is answered yet", "", "h", false},
    {"a target is typed", "@xid 88120441", "\n", true},
    {"a time without an offset", "@2026-08-22 03:02:11", "\n", false},
    {"and which reading of it", "@2026-08-22 03:02:11\n", "1", true},
    {"no reading of that number", "@2026-08-22 03:02:11\n", "9", false},
    {"nonsense is no target", "@xyzzy", "\n", false},
    {"step 1 is left", "@xid 88120441\n", "\n", true},
    {"the next line of step 2", "@xid 88120441\n\n", "j", false},
    {"another way", "@xid 88120441\n\njj", " ", true},
    {"the same way", "@xid 88120441\n\n", " ", false},
    {"back to step 1", "@xid 88120441\n\n", "\x1b", true},
    {"out of step 1", "h", "\x1b", true},
    {"step 2 is left", "@xid 88120441\n\n", "\n", true},
};

static void test_kept_with_the_key(void **state)
{
    const struct kept_row *row = *state;
    unsigned flags;

    script_begin(&s);
    script_keys(&s, "r");
    script_wait(&s, 50);
    script_points(&s);
    script_moment(&s);
    for (const char *p = row->before; *p; p++) {
        (void)ui_key(&s.ui, *p == '\n' ? UI_KEY_ENTER : *p);
        if (*p == '\n') {
            script_wait(&s, 50);
            script_moment(&s);
            s.ui.view == VIEW_WHERE ? script_place(&s, "/usr/lib/postgresql/17/bin") : (void)0;
        }
    }
    flags = ui_key(&s.ui, *row->key == '\n'     ? UI_KEY_ENTER
                          : *row->key == '\x1b' ? UI_KEY_ESC
                                                : *row->key);
    assert_int_equal((flags & UI_SAVE) != 0, row->is_kept);
    script_end_all(&s);
}

static void test_not_offered_after_an_hour(void **state)
{
    (void)state;
    to_plan();
    s.ui.wizard.begun_us -= 3601 * US_PER_S;
    s.ui.view = VIEW_OVERVIEW;
    s.ui.backs = 0;
    wizard_offer(&s.ui);
    assert_int_equal(s.ui.prompt.kind, PROMPT_NONE);
    assert_false(s.ui.wizard.is_begun);
    script_end_all(&s);
}

/* "r comes back to it", whenever that is; it is not asked for at every start. */
static void test_a_copy_is_come_back_to(void **state)
{
    (void)state;
    to_check();
    s.ui.wizard.begun_us -= 50 * 3600 * US_PER_S;
    s.ui.view = VIEW_OVERVIEW;
    s.ui.backs = 0;
    s.rows = 0; /* its jobs are not known any more */
    script_jobs(&s);
    wizard_offer(&s.ui);
    assert_int_equal(s.ui.prompt.kind, PROMPT_NONE);
    script_keys(&s, "r");
    assert_int_equal(s.ui.prompt.kind, PROMPT_YESNO);
    script_keys(&s, "y");
    assert_int_equal(s.ui.view, VIEW_CHECK);
    script_end_all(&s);
}

/* What the line STOP said is what is gone on with, in whatever way it was chosen. */
static const struct left_row {
    const char *label, *keys;
    bool is_offered;
} lefts[] = {
    {"nothing was chosen", "", false},  {"the cursor chose", "hh", true},
    {"the list chose", "j", true},      {"the cursor is back at the end", "hlll", false},
    {"typed", "@xid 88120441\n", true}, {"typed, then the cursor", "@xid 88120441\nh", true},
};

static void test_left_in_step_1(void **state)
{
    const struct left_row *row = *state;
    char goal[sizeof s.ui.wizard.words.goal.text];

    script_begin(&s);
    script_keys(&s, "r");
    script_wait(&s, 400);
    script_points(&s);
    script_moment(&s);
    script_keys(&s, row->keys);
    (void)str_copy(goal, sizeof goal, s.ui.wizard.words.goal.text);
    script_keys(&s, "\033r");
    assert_int_equal(s.ui.prompt.kind, row->is_offered ? PROMPT_YESNO : PROMPT_NONE);
    script_keys(&s, row->is_offered ? "y" : "");
    assert_int_equal(s.ui.view, VIEW_WHEN);
    assert_string_equal(s.ui.wizard.words.goal.text, goal);
    script_end_all(&s);
}

static void test_not_offered_for_a_server_that_is_gone(void **state)
{
    (void)state;
    to_plan();
    (void)str_copy(s.ui.wizard.words.server, NAME_CAP, "gone-db1");
    wizard_offer(&s.ui);
    assert_int_equal(s.ui.prompt.kind, PROMPT_NONE);
    assert_true(s.ui.wizard.is_begun); /* another configuration may have it */
    script_end_all(&s);
}

/* "main" is a server of many a configuration: neither its target nor its job is another's. */
static void test_not_offered_in_another_home(void **state)
{
    struct wizard kept;

    (void)state;
    (void)to_run();
    kept = s.ui.wizard;
    script_end_all(&s);
    script_begin(&s);
    s.ui.model.home = "/srv/other";
    s.ui.wizard = kept;
    wizard_offer(&s.ui);
    assert_int_equal(s.ui.prompt.kind, PROMPT_NONE);
    script_keys(&s, "r");
    assert_int_equal(s.ui.view, VIEW_WHEN);
    assert_string_equal(s.ui.wizard.home, "/srv/other");
    script_end_all(&s);
}

/* ---- where ---- */

TEST_MAIN(ONE(test_attach_after_the_terminal_was_lost);
          ONE(test_nothing_begins_before_the_answer); ONE(test_the_moment_is_asked_again);
          ONE(test_own_failure_is_told); ROWS(lefts, test_left_in_step_1);
          ONE(test_a_copy_is_come_back_to); ROWS(losts, test_lost_before_the_number_was_kept);
          ONE(test_number_is_kept_at_once); ROWS(kepts, test_kept_with_the_key);
          ONE(test_not_offered_after_an_hour); ONE(test_not_offered_for_a_server_that_is_gone);
          ONE(test_not_offered_in_another_home))
