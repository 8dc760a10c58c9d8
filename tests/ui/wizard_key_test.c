/* SPDX-License-Identifier: PostgreSQL */
#include "wizard_steps.h"

static void test_whole_story(void **state)
{
    uint32_t job;

    (void)state;
    job = to_run();
    assert_string_equal(script_started(&s),
                        "restore --target-xid 88120441 --exclusive --target-action pause "
                        "--tablespace ts_hist:" STORY_DEST
                        ".ts_hist orders-db1 20260822T020003 " STORY_DEST);
    assert_int_equal(s.ui.model.followed, job);
    script_clear(&s);
    script_end(&s, job, ROW_DONE, "Restore completed", "");
    assert_string_equal(script_started(&s), "start-copy orders-db1 " STORY_DEST);
    job = script_start(&s, "start-copy");
    assert_int_equal(s.ui.view, VIEW_RUN);
    script_end(&s, job, ROW_DONE, "", "");
    assert_int_equal(s.ui.view, VIEW_CHECK);
    script_copy(&s, COPY_PAUSED);
    assert_string_equal(script_asked(&s, ASK_COMPARE)->restore.destination, STORY_DEST);
    script_compare(&s);
    script_clear(&s);
    script_keys(&s, "P");
    assert_string_equal(script_started(&s), ""); /* asked first */
    script_keys(&s, "y");
    assert_string_equal(script_started(&s), "promote-copy orders-db1 " STORY_DEST);
    job = script_start(&s, "promote-copy");
    script_end(&s, job, ROW_DONE, "", "");
    message_has("promoted");
    script_wait(&s, 100);
    script_copy(&s, COPY_OPEN);
    assert_non_null(key_off(&s.ui, ACT_PROMOTE));
    script_end_all(&s);
}

/* ---- leaving ---- */

static void test_esc_at_each_step(void **state)
{
    (void)state;
    to_plan();
    script_keys(&s, "\033");
    assert_int_equal(s.ui.view, VIEW_WHERE);
    script_keys(&s, "\033");
    assert_int_equal(s.ui.view, VIEW_WHEN);
    script_keys(&s, "\033");
    assert_int_equal(s.ui.view, VIEW_OVERVIEW);
    assert_string_equal(script_started(&s), "");
    script_keys(&s, "r");
    assert_int_equal(s.ui.prompt.kind, PROMPT_YESNO); /* what was typed is offered again */
    script_keys(&s, "y");
    assert_string_equal(s.ui.wizard.words.goal.text, "88120441");
    script_end_all(&s);
}

static void test_begin_anew(void **state)
{
    (void)state;
    to_plan();
    script_keys(&s, "\033\033\033rn");
    assert_int_equal(s.ui.view, VIEW_WHEN);
    assert_int_equal(s.ui.wizard.words.goal.kind, GOAL_LATEST);
    script_end_all(&s);
}

static void test_leave_and_come_back_to_the_run(void **state)
{
    uint32_t job = to_run();

    (void)state;
    script_keys(&s, "\033");
    assert_int_equal(s.ui.view, VIEW_OVERVIEW);
    message_has("runs on");
    script_keys(&s, "ry");
    assert_int_equal(s.ui.view, VIEW_RUN);
    assert_int_equal(s.ui.model.followed, job);
    script_keys(&s, "\033");
    script_clear(&s);
    script_end(&s, job, ROW_DONE, "", ""); /* ends while nobody looks: the copy follows */
    assert_string_equal(script_started(&s), "start-copy orders-db1 " STORY_DEST);
    assert_int_equal(s.ui.view, VIEW_OVERVIEW);
    script_end_all(&s);
}

static void test_fields(void **state)
{
    (void)state;
    to_where();
    script_place(&s, "/usr/lib/postgresql/17/bin");
    script_keys(&s, "jjj ");
    script_key(&s, UI_CTRL('U'));
    script_keys(&s, "/srv/else//\n"); /* a slash at its end means nothing */
    assert_string_equal(s.ui.wizard.words.move[0].location, "/srv/else.ts_hist"); /* follows */
    script_keys(&s, "j 80\n");
    assert_int_equal(s.ui.prompt.kind, PROMPT_FIELD);
    script_key(&s, UI_CTRL('U'));
    script_keys(&s, "5499\nj j 4\nj ");
    script_key(&s, UI_CTRL('U'));
    script_keys(&s, "/mnt/hist\n\n");
    assert_int_equal(s.ui.view, VIEW_PLAN);
    script_plan(&s, true);
    script_clear(&s);
    script_keys(&s, "\n");
    assert_string_equal(script_started(&s),
                        "restore --target-xid 88120441 --exclusive --target-action promote "
                        "--tablespace ts_hist:/mnt/hist --jobs 4 orders-db1 20260822T020003 "
                        "/srv/else");
    script_end(&s, script_start(&s, "restore"), ROW_DONE, "", "");
    assert_string_equal(script_started(&s), "start-copy --port 5499 orders-db1 /srv/else");
    script_end_all(&s);
}

static void test_no_binaries_files_only(void **state)
{
    uint32_t job;

    (void)state;
    to_where();
    script_place(&s, NULL);
    assert_int_equal(s.ui.wizard.words.where, WHERE_FILES);
    message_has("no PostgreSQL 17 here");
    script_keys(&s, " "); /* a copy cannot be chosen */
    assert_int_equal(s.ui.wizard.words.where, WHERE_FILES);
    script_keys(&s, "\n");
    script_plan(&s, true);
    script_keys(&s, "\n");
    job = script_start(&s, "restore");
    script_clear(&s);
    script_end(&s, job, ROW_DONE, "", "");
    assert_string_equal(script_started(&s), ""); /* nothing is started */
    script_keys(&s, "\n");
    assert_int_equal(s.ui.view, VIEW_CHECK);
    assert_non_null(key_off(&s.ui, ACT_PROMOTE));
    assert_non_null(key_off(&s.ui, ACT_DELETE));
    script_end_all(&s);
}

static void test_place_failed_needs_a_directory(void **state)
{
    (void)state;
    to_where();
    script_fail(&s, ASK_PLACE, "/srv", "Permission denied", "");
    script_keys(&s, "\n");
    assert_int_equal(s.ui.view, VIEW_WHERE);
    message_has("directory");
    script_end_all(&s);
}

/* ---- plan ---- */

static void test_refused_does_not_run(void **state)
{
    (void)state;
    to_plan();
    script_keys(&s, "\n"); /* not known yet */
    message_has("still being checked");
    script_plan(&s, false);
    assert_int_equal(s.ui.wizard.row, 2); /* at what is wrong */
    script_clear(&s);
    script_keys(&s, "\n\n\n"); /* what stood in the way may be gone: checked again, once */
    message_has("still being checked");
    assert_int_equal(script_count(&s, ASK_PLAN), 1);
    assert_string_equal(script_started(&s), "");
    script_plan(&s, false);
    assert_int_equal(s.ui.wizard.row, 2);
    assert_int_equal(s.ui.view, VIEW_PLAN);
    script_keys(&s, "\n");
    script_plan(&s, true);
    assert_string_equal(script_started(&s), ""); /* not by itself */
    script_keys(&s, "\n");
    assert_int_equal(s.ui.view, VIEW_RUN);
    script_end_all(&s);
}

static void test_failed_plan_is_tried_again(void **state)
{
    (void)state;
    to_plan();
    script_fail(&s, ASK_PLAN, "/srv", "Permission denied", "");
    script_clear(&s);
    script_keys(&s, "\n");
    assert_int_equal(script_count(&s, ASK_PLAN), 1);
    assert_string_equal(script_started(&s), "");
    script_end_all(&s);
}

static void test_copy_the_command(void **state)
{
    (void)state;
    to_plan();
    script_plan(&s, true);
    script_keys(&s, "y");
    assert_string_equal(s.ui.copied,
                        "barkeep --batch restore --target-xid 88120441 --exclusive "
                        "--target-action pause --tablespace ts_hist:" STORY_DEST
                        ".ts_hist orders-db1 20260822T020003 " STORY_DEST);
    script_end_all(&s);
}

static void to_in_place(void)
{
    to_where();
    script_place(&s, "/usr/lib/postgresql/17/bin");
    script_keys(&s, "j ");
    script_place(&s, "/usr/lib/postgresql/17/bin");
    script_keys(&s, "\n");
    script_plan(&s, true);
    script_clear(&s);
    script_keys(&s, "\n");
    assert_true(s.ui.dialog.is_open);
}

static void test_in_place_wrong_name(void **state)
{
    (void)state;
    to_in_place();
    script_keys(&s, "orders-db2\n");
    assert_true(s.ui.dialog.is_open);
    assert_string_equal(script_started(&s), "");
    script_keys(&s, "\033");
    assert_int_equal(s.ui.view, VIEW_PLAN);
    assert_string_equal(script_started(&s), "");
    script_end_all(&s);
}

static void test_in_place_right_name(void **state)
{
    (void)state;
    to_in_place();
    script_keys(&s, "orders-db1\n");
    assert_string_equal(script_started(&s),
                        "restore --target-xid 88120441 --exclusive --target-action pause "
                        "--in-place orders-db1 20260822T020003 /var/lib/postgresql/17/main");
    script_end_all(&s);
}

/* ---- run ---- */

static void test_cancel_asks_with_the_consequence(void **state)
{
    uint32_t job = to_run();

    (void)state;
    script_clear(&s);
    script_keys(&s, "c");
    assert_non_null(strstr(s.ui.prompt.question, "marked unfinished"));
    script_keys(&s, "n");
    assert_int_equal(s.n, 0);
    script_keys(&s, "cy");
    assert_int_equal(s.order[0].kind, ORDER_CANCEL);
    assert_int_equal(s.order[0].job, job);
    script_end_all(&s);
}

static void test_failed_restore_goes_back_to_the_plan(void **state)
{
    uint32_t job = to_run();

    (void)state;
    script_clear(&s);
    script_end(&s, job, ROW_FAILED, "No space left on device", "Free space there.");
    script_wait(&s, 2000);
    assert_string_equal(script_started(&s), ""); /* no copy of what failed */
    script_keys(&s, "\n");
    assert_int_equal(s.ui.view, VIEW_PLAN);
    assert_string_equal(script_asked(&s, ASK_PLAN)->restore.destination, STORY_DEST);
    script_plan(&s, true);
    script_keys(&s, "\n");
    assert_int_equal(strncmp(script_started(&s), "restore ", 8), 0);
    script_end_all(&s);
}

static void test_port_that_is_taken_is_asked_again(void **state)
{
    uint32_t job;

    (void)state;
    job = to_replay();
    s.ui.wizard.words.port = 5499;
    script_end(&s, job, ROW_FAILED, "could not create any TCP/IP sockets", "Choose another.");
    script_clear(&s);
    script_keys(&s, "\n");
    assert_int_equal(s.ui.prompt.kind, PROMPT_FIELD);
    assert_string_equal(s.ui.prompt.text, "5499");
    script_keys(&s, "x\n"); /* no port: still asked, nothing begins */
    assert_int_equal(s.ui.prompt.kind, PROMPT_FIELD);
    assert_string_equal(script_started(&s), "");
    script_key(&s, UI_CTRL('U'));
    script_keys(&s, "5500\n");
    assert_string_equal(script_started(&s), "start-copy --port 5500 orders-db1 " STORY_DEST);
    assert_int_equal(s.ui.view, VIEW_RUN);
    script_end_all(&s);
}

static void test_job_that_died(void **state)
{
    (void)state;
    script_end(&s, to_run(), ROW_DIED, "", "");
    script_keys(&s, "\n");
    assert_int_equal(s.ui.view, VIEW_PLAN);
    script_end_all(&s);
}

static void test_restore_not_started(void **state)
{
    struct err *err = calloc(1, sizeof *err);

    (void)state;
    to_plan();
    script_plan(&s, true);
    script_keys(&s, "\n");
    (void)err_set(err, ERR_IO, "Free space there.", "/srv/barman/.barkeep/jobs", "disk full");
    story_news(&s.ui, (struct news){.kind = NEWS_STARTED,
                                    .started = {.ticket = s.ui.start_ticket, .err = err}});
    script_take(&s);
    message_has("disk full");
    script_keys(&s, "\n");
    assert_int_equal(s.ui.view, VIEW_PLAN);
    script_end_all(&s);
}

static void test_copy_that_failed_is_started_again(void **state)
{
    (void)state;
    script_end(&s, to_replay(), ROW_FAILED, "FATAL", "");
    assert_int_equal(s.ui.view, VIEW_RUN);
    script_clear(&s);
    script_keys(&s, "\n");
    assert_string_equal(script_started(&s), "start-copy orders-db1 " STORY_DEST);
    script_end_all(&s);
}

/* ---- check ---- */

static void test_looks_each_second_then_slower(void **state)
{
    (void)state;
    script_end(&s, to_replay(), ROW_DONE, "", "");
    script_copy(&s, COPY_REPLAYING);
    script_clear(&s);
    script_wait(&s, 1100);
    assert_int_equal(script_count(&s, ASK_COPY), 1);
    script_copy(&s, COPY_PAUSED);
    script_clear(&s);
    script_wait(&s, 4500);
    assert_int_equal(script_count(&s, ASK_COPY), 0);
    script_wait(&s, 1000);
    assert_int_equal(script_count(&s, ASK_COPY), 1);
    script_end_all(&s);
}

static void test_tables(void **state)
{
    (void)state;
    to_check();
    script_clear(&s);
    script_keys(&s, " public.item\n");
    assert_int_equal(script_asked(&s, ASK_COMPARE)->tables, 5);
    assert_string_equal(script_asked(&s, ASK_COMPARE)->table[4], "public.item");
    script_keys(&s, " -orders.event\n");
    assert_int_equal(script_asked(&s, ASK_COMPARE)->tables, 4);
    script_keys(&s, " -orders.event\n");
    assert_int_equal(s.ui.prompt.kind, PROMPT_FIELD); /* not in the list: told */
    script_end_all(&s);
}

static void test_psql(void **state)
{
    (void)state;
    to_check();
    script_keys(&s, "o");
    assert_int_equal(s.flags & UI_SUSPEND, UI_SUSPEND);
    assert_string_equal(s.ui.run[0], "sh");
    assert_string_equal(s.ui.run[1], "-c");
    assert_string_equal(
        s.ui.run[2], "/usr/lib/postgresql/17/bin/psql -h /tmp/barkeep-Xq3v9a -p 5432 orders");
    assert_null(s.ui.run[3]);
    script_end_all(&s);
}

static void test_drop(void **state)
{
    (void)state;
    to_check();
    script_clear(&s);
    script_keys(&s, "D" STORY_DEST "\n"); /* the whole path is not the name */
    assert_true(s.ui.dialog.is_open);
    script_keys(&s, "\033Dorders-db1\n");
    assert_true(s.ui.dialog.is_open);
    assert_string_equal(script_started(&s), "");
    script_keys(&s, "-20260822-0302\n");
    assert_string_equal(script_started(&s), "drop-copy orders-db1 " STORY_DEST);
    script_end(&s, script_start(&s, "drop-copy"), ROW_DONE, "", "");
    assert_int_equal(s.ui.view, VIEW_OVERVIEW);
    assert_false(s.ui.wizard.is_begun);
    script_end_all(&s);
}

static void test_drop_failed(void **state)
{
    (void)state;
    to_check();
    script_keys(&s, "Dorders-db1-20260822-0302\n");
    script_end(&s, script_start(&s, "drop-copy"), ROW_FAILED, "is not ours",
               "Remove it by hand.");
    assert_int_equal(s.ui.view, VIEW_CHECK);
    message_has("is not ours. Remove it by hand.");
    script_end_all(&s);
}

static void test_another_target(void **state)
{
    (void)state;
    to_check();
    script_keys(&s, "B");
    assert_int_equal(s.ui.view, VIEW_WHEN);
    assert_string_equal(s.ui.wizard.words.goal.text, "88120441");
    assert_string_equal(s.ui.wizard.words.destination, "");
    script_wait(&s, 400);
    script_keys(&s, "\n");
    assert_int_equal(s.ui.view, VIEW_WHERE);
    script_place(&s, "/usr/lib/postgresql/17/bin");
    assert_string_equal(s.ui.wizard.words.destination, STORY_DEST);
    script_end_all(&s);
}

static void test_keep(void **state)
{
    (void)state;
    to_check();
    script_clear(&s);
    script_keys(&s, "d");
    assert_int_equal(s.ui.view, VIEW_OVERVIEW);
    assert_string_equal(script_started(&s), "");
    script_keys(&s, "ry");
    assert_int_equal(s.ui.view, VIEW_CHECK);
    script_end_all(&s);
}

/* Every key at every step: nothing breaks, and nothing is started or destroyed by one key but
 * the plan that holds. */
static void test_every_key_everywhere(void **state)
{
    static void (*const to[])(void) = {to_where, to_plan, to_check};
    struct grid *g = grid_new(80, 24, SYMBOLS_BLOCK);

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (int key = 1; key < 0x180; key++) {
            to[i]();
            script_clear(&s);
            script_key(&s, key < 0x7f ? key : UI_KEY_UP + key - 0x7f);
            script_wait(&s, 200);
            ui_draw(&s.ui, g);
            assert_string_equal(script_started(&s), "");
            script_end_all(&s);
        }
    }
    grid_free(g);
}

static void to_replay_view(void)
{
    (void)to_replay();
}

/* What the table says a key does, it does, or says why not: nothing is passed over in silence. */
static void test_no_key_is_silent(void **state)
{
    static const struct {
        void (*to)(void);
        enum view_id view;
    } step[] = {{to_where, VIEW_WHEN},
                {to_where, VIEW_WHERE},
                {to_plan, VIEW_PLAN},
                {to_replay_view, VIEW_RUN},
                {to_check, VIEW_CHECK}};

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < key_count; k++) {
            const struct key_entry *e = &key_table[k];

            step[i].to();
            if (step[i].view == VIEW_WHEN) {
                script_keys(&s, "\033");
            }
            assert_int_equal(s.ui.view, step[i].view);
            script_key(&s, e->key[0]);
            if (s.flags == UI_NOTHING) {
                fail_msg("%s in step %zu", e->keys, i + 1);
            }
            script_end_all(&s);
        }
    }
}

static void test_sizes(void **state)
{
    (void)state;
    to_check();
    for (int cols = 1; cols < 200; cols += 3) {
        for (int rows = 1; rows < 60; rows += 2) {
            struct grid *g = grid_new(cols, rows, SYMBOLS_ASCII);

            for (int view = VIEW_WHEN; view <= VIEW_CHECK; view++) {
                s.ui.view = (enum view_id)view;
                ui_draw(&s.ui, g);
            }
            grid_free(g);
        }
    }
    script_end_all(&s);
}

/* PostgreSQL takes any name; a line of recovery settings cannot hold that one (row 115). */
static void test_point_with_control_characters(void **state)
{
    struct answer *a;
    struct point *p;

    (void)state;
    script_begin(&s);
    script_keys(&s, "r");
    script_wait(&s, 400);
    a = script_answer(&s, ASK_POINTS);
    p = ARENA_ARRAY(&a->arena, 1, struct point);
    p[0] = (struct point){POINT_RESTORE_POINT,
                          story_mark(story_us(22, 3, 12, 7), UINT64_C(0x4C9A000100), 0, true),
                          3, "\033[31mred\n"};
    a->points.point = p;
    a->points.points = 1;
    script_hand(&s, a);
    script_keys(&s, "j");
    assert_int_equal(s.ui.wizard.words.goal.kind, GOAL_LSN);
    assert_string_equal(s.ui.wizard.words.goal.text, "4C/9A000100");
    assert_false(s.ui.wizard.words.goal.is_exclusive);
    script_end_all(&s);
}

TEST_MAIN(ONE(test_whole_story); ONE(test_point_with_control_characters);
          ONE(test_esc_at_each_step); ONE(test_begin_anew);
          ONE(test_leave_and_come_back_to_the_run); ONE(test_fields);
          ONE(test_no_binaries_files_only); ONE(test_place_failed_needs_a_directory);
          ONE(test_refused_does_not_run); ONE(test_failed_plan_is_tried_again);
          ONE(test_copy_the_command); ONE(test_in_place_wrong_name);
          ONE(test_in_place_right_name); ONE(test_cancel_asks_with_the_consequence);
          ONE(test_failed_restore_goes_back_to_the_plan);
          ONE(test_port_that_is_taken_is_asked_again); ONE(test_job_that_died);
          ONE(test_restore_not_started); ONE(test_copy_that_failed_is_started_again);
          ONE(test_looks_each_second_then_slower); ONE(test_tables); ONE(test_psql);
          ONE(test_drop); ONE(test_drop_failed); ONE(test_another_target); ONE(test_keep);
          ONE(test_every_key_everywhere); ONE(test_no_key_is_silent); ONE(test_sizes))
