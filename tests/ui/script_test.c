/* SPDX-License-Identifier: PostgreSQL */
/* Keys and news at chosen moments: what is selected, what is ordered, what stands still. */
#include "ui/more_story.h"

#include "base/clock.h"

static struct ui ui;

static void begin(void)
{
    story_begin(&ui);
    story_paint(&ui);
}

static void keys(const char *text)
{
    for (; *text; text++) {
        (void)ui_key(&ui, (unsigned char)*text);
    }
}

/* Seconds pass, with a tick and a painting at the end. */
static void pass(int seconds)
{
    model_now(&ui.model, ui.model.now_us + seconds * US_PER_S,
              ui.model.now_ns + seconds * NS_PER_S);
    (void)ui_tick(&ui);
    story_paint(&ui);
}

static void no_orders(void)
{
    for (size_t i = 0; i < ui.orders; i++) {
        ask_free(ui.order[i].order.ask);
        ui.order[i].order.ask = NULL;
    }
    ui.orders = 0;
}

static const char *row_text(int row, char out[400])
{
    struct grid *g = grid_new(80, 24, SYMBOLS_ASCII);
    size_t n = 0;

    ui.symbols = SYMBOLS_ASCII;
    ui_draw(&ui, g);
    for (int col = 0; col < 80; col++) {
        uint32_t ch = grid_at(g, col, row)->ch;

        out[n++] = ch && ch < 0x80 ? (char)ch : '?';
    }
    out[n] = '\0';
    grid_free(g);
    return out;
}

/* ---- orders ----------------------------------------------------------------------------- */

static void moving_selects_once(void **state)
{
    (void)state;
    begin();
    keys("kk");
    assert_string_equal(ui.server, "東京-db");
    assert_int_equal(ui.orders, 1); /* of selections one behind the other the last counts */
    assert_int_equal(ui.order[0].order.kind, ORDER_SELECT);
    assert_int_equal(ui.order[0].order.server, 4);
    ui_release(&ui);
}

static void opening_asks(void **state)
{
    const struct ask *ask;
    (void)state;

    begin();
    keys("2j\n");
    assert_int_equal(ui.view, VIEW_BACKUP);
    assert_int_equal(ui.orders, 1);
    assert_int_equal(ui.order[0].order.kind, ORDER_ASK);
    ask = ui.order[0].order.ask;
    assert_int_equal(ask->kind, ASK_BACKUP);
    assert_string_equal(ask->restore.server, "orders-db1");
    assert_string_equal(ask->restore.backup, "20260821T140003");
    assert_int_equal(ask->ticket, ui.model.waiting[ASK_BACKUP]);
    assert_int_not_equal(ask->ticket, 0);
    ui_release(&ui);
}

static void opening_a_job_follows_it(void **state)
{
    (void)state;
    begin();
    keys("4j\n");
    assert_int_equal(ui.view, VIEW_JOBS);
    assert_int_equal(ui.orders, 1);
    assert_int_equal(ui.order[0].order.kind, ORDER_FOLLOW);
    assert_int_equal(ui.order[0].order.job, 40);
    no_orders();
    keys("\033\n"); /* back, and in again: its lines are still coming */
    assert_int_equal(ui.view, VIEW_JOBS);
    assert_int_equal(ui.orders, 0);
    keys("\tj"); /* the next job in the list */
    assert_int_equal(ui.orders, 1);
    assert_int_equal(ui.order[0].order.job, 39);
    ui_release(&ui);
}

static void cancel_asks_for_the_right_job(void **state)
{
    (void)state;
    begin();
    keys("4cy");
    assert_int_equal(ui.orders, 1);
    assert_int_equal(ui.order[0].order.kind, ORDER_CANCEL);
    assert_int_equal(ui.order[0].order.job, 41);
    no_orders();
    keys("jcy"); /* that one has ended */
    assert_int_equal(ui.orders, 0);
    ui_release(&ui);
}

static void verify_takes_the_selected(void **state)
{
    (void)state;
    begin();
    keys("2jjvy");
    assert_int_equal(ui.orders, 1);
    assert_memory_equal(ui.order[0].words, "verify-backup\0orders-db1\00020260821T020004\0",
                        42);
    assert_string_equal(ui.start_text,
                        "barkeep --batch verify-backup orders-db1 20260821T020004");
    ui_release(&ui);
}

static void pause_and_refresh(void **state)
{
    (void)state;
    begin();
    keys("p");
    assert_int_equal(ui.order[0].order.kind, ORDER_PAUSE);
    keys("p");
    assert_int_equal(ui.order[1].order.kind, ORDER_RESUME);
    keys("\x12");
    assert_int_equal(ui.order[2].order.kind, ORDER_REFRESH);
    assert_int_equal(ui.order[2].order.server, STORY_ORDERS);
    ui_release(&ui);
}

/* ---- nothing jumps ---------------------------------------------------------------------- */

static void rows_wait_for_quiet(void **state)
{
    struct snapshot *s;
    char row[400];
    (void)state;

    begin();
    keys("k");
    assert_string_equal(ui.server, "auth-db1");
    s = story_snapshot(0);
    s->light = LIGHT_FAIL;
    story_news(&ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = s});
    pass(1);
    assert_non_null(strstr(row_text(6, row), "auth-db1")); /* where it stood */
    assert_non_null(strstr(row_text(6, row), "FAIL"));
    pass(2);
    assert_null(strstr(row_text(6, row), "auth-db1"));
    assert_non_null(strstr(row_text(4, row), "> FAIL   auth-db1")); /* first, cursor with it */
    assert_string_equal(ui.server, "auth-db1");
    ui_release(&ui);
}

static void cursor_of_backups_follows(void **state)
{
    struct snapshot *s;
    struct backup_row *b;
    (void)state;

    begin();
    keys("2j");
    s = story_snapshot(STORY_ORDERS);
    b = ARENA_ARRAY(&s->arena, 9, struct backup_row);
    memcpy(b + 1, s->backup, 8 * sizeof *b);
    b[0] = story_backup("20260822T031000", story_us(22, 3, 10, 0), 60, 1000);
    s->backup = b;
    s->backups = 9;
    story_news(&ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = s});
    story_paint(&ui);
    assert_string_equal(ui.list[PANE_BACKUPS].at, "20260821T140003");
    assert_int_equal(ui.list[PANE_BACKUPS].row, 2);
    ui_release(&ui);
}

static void a_server_answers_after_30_s(void **state)
{
    struct snapshot *s;
    char row[400];
    (void)state;

    begin();
    keys("kkkk"); /* past the top */
    keys("j");
    assert_string_equal(ui.server, "billing-db2");
    pass(15);
    assert_non_null(strstr(row_text(5, row), "> ????   billing-db2"));
    assert_non_null(strstr(row, "no answer 11 m"));
    keys("2\t1"); /* keys are answered all the time */
    assert_int_equal(ui.pane, PANE_SERVERS);
    pass(15);
    s = story_snapshot(2);
    s->live.state = LIVE_OK;
    s->live.why = NULL;
    s->light = LIGHT_OK;
    s->sentence = s->todo = "";
    story_news(&ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = s});
    pass(3);
    assert_string_equal(ui.server, "billing-db2");
    for (int i = 4; i < 8; i++) {
        if (strstr(row_text(i, row), "> OK     billing-db2")) {
            ui_release(&ui);
            return;
        }
    }
    fail_msg("billing-db2 is not where the cursor is");
}

static void a_filter_that_hides_the_selected(void **state)
{
    (void)state;
    begin();
    keys("/auth");
    assert_string_equal(ui.server, "orders-db1"); /* nothing moves while it is typed */
    keys("\n");
    assert_string_equal(ui.server, "auth-db1");
    (void)ui_key(&ui, UI_KEY_ESC);
    assert_string_equal(ui.list[PANE_SERVERS].filter, "");
    assert_string_equal(ui.server, "auth-db1");
    keys("/nowhere\n");
    assert_string_equal(ui.server, "auth-db1"); /* none fits: it stays */
    ui_release(&ui);
}

/* ---- answers ---------------------------------------------------------------------------- */

static void an_old_answer_is_thrown_away(void **state)
{
    (void)state;
    begin();
    keys("2\n");
    story_details(&ui);
    assert_non_null(ui.model.answer[ASK_BACKUP]);
    (void)ui_key(&ui, UI_KEY_ESC);
    keys("j\n");
    assert_null(ui.model.answer[ASK_BACKUP]);
    ui.model.waiting[ASK_BACKUP]--; /* the answer comes for the ticket before */
    story_details(&ui);
    ui.model.waiting[ASK_BACKUP]++;
    story_paint(&ui);
    ui_release(&ui);
}

/* ---- the log ---------------------------------------------------------------------------- */

static void open_log(int lines)
{
    begin();
    keys("4\n");
    no_orders();
    story_log(&ui, lines);
    story_paint(&ui);
}

static void standing_still(void **state)
{
    uint64_t top;
    (void)state;

    open_log(100);
    assert_true(ui.is_following);
    keys("kkkkk");
    story_paint(&ui);
    assert_false(ui.is_following);
    assert_int_equal(ui.log_at, 94);
    top = ui.log_top;
    story_log(&ui, 50);
    story_paint(&ui);
    assert_int_equal(ui.log_top, top);
    assert_int_equal(ui.log_at, 94);
    keys("G");
    story_paint(&ui);
    assert_true(ui.is_following);
    keys("g");
    story_paint(&ui);
    assert_int_equal(ui.log_top, 0);
    (void)ui_key(&ui, UI_KEY_PAGE_DOWN);
    (void)ui_key(&ui, UI_KEY_PAGE_UP);
    assert_int_equal(ui.log_at, 0);
    ui_release(&ui);
}

static void lines_keep_their_places(void **state)
{
    (void)state;
    open_log(MODEL_LINES);
    keys("kk");
    assert_int_equal(ui.log_at, MODEL_LINES - 3);
    story_log(&ui, 10); /* the ten oldest are forgotten */
    story_paint(&ui);
    keys("k");
    assert_int_equal(ui.log_at, MODEL_LINES - 4);
    keys("g");
    story_paint(&ui);
    assert_int_equal(ui.log_at, 10);
    assert_int_equal(ui.log_top, 10);
    ui_release(&ui);
}

static void finding(void **state)
{
    (void)state;
    open_log(60); /* the connection is lost in lines 7, 30 and 53 */
    keys("/CONNECTION\n");
    keys("n");
    assert_int_equal(ui.log_at, 7); /* from the end round to the first */
    keys("nn");
    assert_int_equal(ui.log_at, 53);
    keys("N");
    assert_int_equal(ui.log_at, 30);
    keys("y");
    assert_string_equal(ui.copied, "connection to repo1 closed, opened again (1 of 5)");
    keys("&");
    story_paint(&ui);
    keys("j");
    assert_int_equal(ui.log_at, 53);
    (void)ui_key(&ui, UI_KEY_ESC); /* what is searched for goes first */
    assert_string_equal(ui.find, "");
    assert_int_equal(ui.view, VIEW_JOBS);
    (void)ui_key(&ui, UI_KEY_ESC);
    assert_int_equal(ui.view, VIEW_OVERVIEW);
    ui_release(&ui);
}

static void finding_nothing(void **state)
{
    (void)state;
    open_log(60);
    keys("/zzz\nn");
    assert_non_null(strstr(ui.message, "not in this log"));
    keys("&");
    story_paint(&ui);
    keys("jky");
    ui_release(&ui);
}

static void a_new_result_is_marked(void **state)
{
    struct job_table *t;
    char row[400];
    (void)state;

    begin();
    keys("4\n\033");
    t = story_jobs();
    ((struct job_row *)(uintptr_t)t->job)[0].state = ROW_DONE;
    ((struct job_row *)(uintptr_t)t->job)[0].ended_us = STORY_NOW_US + US_PER_S;
    pass(2);
    story_news(&ui, (struct news){.kind = NEWS_JOBS, .jobs = t});
    story_paint(&ui);
    assert_non_null(strstr(row_text(19, row), "1 new"));
    keys("\n\033");
    pass(1);
    assert_null(strstr(row_text(19, row), "1 new"));
    ui_release(&ui);
}

/* ---- the axis --------------------------------------------------------------------------- */

static void along_the_axis(void **state)
{
    struct {
        int64_t from, to;
    } seen;
    (void)state;

    begin();
    keys("t");
    assert_int_equal(ui.view, VIEW_WAL);
    keys("H"); /* from the last commit to the newest backup */
    assert_int_equal(ui.axis_at_us, story_us(22, 2, 4, 11));
    keys("\n");
    assert_int_equal(ui.view, VIEW_BACKUP);
    assert_string_equal(ui.backup, "20260822T020003");
    (void)ui_key(&ui, UI_KEY_ESC);
    keys("g");
    assert_int_equal(ui.axis_at_us, story_us(15, 2, 0, 0));
    keys("h");
    assert_int_equal(ui.axis_at_us, story_us(15, 2, 0, 0)); /* nothing before it */
    keys("L");
    assert_int_equal(ui.axis_at_us, story_us(16, 22, 0, 0)); /* timeline 2 */
    keys("++++++++++++++++++++++++++++++");
    seen.from = ui.axis_from_us;
    seen.to = ui.axis_to_us;
    assert_true(seen.to - seen.from >= 60 * US_PER_S);
    assert_true(seen.to - seen.from < 120 * US_PER_S);
    assert_true(seen.from <= ui.axis_at_us && ui.axis_at_us <= seen.to);
    for (int i = 0; i < 200; i++) {
        keys("l");
        assert_true(ui.axis_from_us <= ui.axis_at_us && ui.axis_at_us <= ui.axis_to_us);
    }
    story_paint(&ui);
    keys("0");
    assert_int_equal(ui.axis_from_us, 0);
    keys("-");
    assert_int_equal(ui.axis_from_us, 0); /* there is no more than all */
    ui_release(&ui);
}

static void restore_to_the_cursor(void **state)
{
    (void)state;
    begin();
    keys("tHhhhr");
    assert_true(ui.wizard.at_us - ui.axis_at_us < US_PER_S); /* of whole seconds */
    assert_true(ui.wizard.at_us >= ui.axis_at_us);
    assert_true(ui.axis_at_us < story_us(22, 2, 4, 11));
    ui_release(&ui);
}

/* ---- many ------------------------------------------------------------------------------- */

#define MANY 10000

static void ten_thousand_servers(void **state)
{
    static const char *name[MANY];
    static char text[MANY][16];
    int64_t began;
    struct grid *g = grid_new(140, 40, SYMBOLS_BLOCK);
    (void)state;

    for (int i = 0; i < MANY; i++) {
        snprintf(text[i], sizeof text[i], "server-%05d", (i * 7919) % MANY);
        name[i] = text[i];
    }
    assert_true(ui_init(&ui, name, MANY));
    model_now(&ui.model, STORY_NOW_US, 1000 * NS_PER_S);
    for (uint32_t i = 0; i < MANY; i++) {
        struct snapshot *s = story_new(0);

        s->index = i;
        s->light = i % 97 ? LIGHT_OK : LIGHT_FAIL;
        story_news(&ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = s});
    }
    ui_draw(&ui, g);
    began = clock_mono_ns();
    for (int i = 0; i < 100; i++) {
        (void)ui_key(&ui, i % 10 ? 'j' : 'G');
        ui_draw(&ui, g);
    }
    keys("/server-09\n");
    ui_draw(&ui, g);
    assert_int_equal(ui.list[PANE_SERVERS].shown, 1000);
    if ((clock_mono_ns() - began) / NS_PER_MS > 5000) { /* 50 ms a key, with a debug build */
        fail_msg("100 keys took %lld ms", (long long)((clock_mono_ns() - began) / NS_PER_MS));
    }
    grid_free(g);
    ui_release(&ui);
}

static unsigned no_answer(struct ui *u)
{
    (void)u;
    return 0;
}

/* Of a question y/n is seen however long it is, and so is what a key that is no answer gets. */
static void questions_name_their_keys(void **state)
{
    char row[400], server[400];
    (void)state;

    begin();
    keys("b\n");
    assert_non_null(strstr(row_text(22, row), "y/n   only y does it"));
    keys("n");
    memset(server, 'x', 120);
    server[120] = '\0';
    ui_ask_yes(&ui, NULL, "Cancel %s?", server);
    assert_non_null(strstr(row_text(22, row), "y/n"));
    assert_null(strstr(row, "only y"));
    assert_non_null(strstr(row_text(23, row), "n or Esc: nothing happens"));
    ui.prompt.no = no_answer;
    assert_non_null(strstr(row_text(23, row), "n begins anew   Esc: nothing happens"));
    ui_release(&ui);
}

/* How long it has been silent is old when it is read; since when is not. */
static void silence_is_told_with_its_beginning(void **state)
{
    struct snapshot *s;
    char row[400];
    (void)state;

    begin();
    s = story_snapshot(3);
    s->live.state = LIVE_SILENT;
    s->live.since_us = story_us(22, 3, 1, 40);
    s->live.why = "refused";
    s->light = LIGHT_UNKNOWN;
    s->sentence = "no answer for 3 s: refused";
    story_news(&ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = s});
    assert_non_null(strstr(row_text(22, row), "no answer since today 03:01:40: refused"));
    ui_release(&ui);
}

/* Where no question can be seen, none is asked: with a job running q leaves, as the lines say. */
static void a_small_window_can_be_left(void **state)
{
    (void)state;
    begin();
    assert_int_equal(ui.model.runnings, 1);
    assert_int_equal(ui_key(&ui, 'q'), UI_REDRAW);
    assert_int_equal(ui.prompt.kind, PROMPT_YESNO);
    ui_key(&ui, 'n');
    ui.cols = 44;
    ui.rows = 7;
    assert_int_equal(ui_key(&ui, 'b'), UI_NOTHING);
    assert_int_equal(ui_key(&ui, 'q'), UI_QUIT | UI_SAVE);
    assert_int_equal(ui.prompt.kind, PROMPT_NONE);
    ui_release(&ui);
}

/* As long as a directory's name can be: no other server's values stand below it. */
static void the_longest_name(void **state)
{
    static char longest[256];
    const char *name[] = {"a", longest};

    (void)state;
    memset(longest, 'n', sizeof longest - 1);
    assert_true(ui_init(&ui, name, 2));
    ui_select_server(&ui, longest);
    assert_int_equal(ui_server_index(&ui), 1);
    assert_int_equal(ui.order[ui.orders - 1].order.server, 1);
    ui_release(&ui);
}

TEST_MAIN(ONE(a_small_window_can_be_left); ONE(questions_name_their_keys);
          ONE(silence_is_told_with_its_beginning); ONE(moving_selects_once); ONE(opening_asks);
          ONE(opening_a_job_follows_it); ONE(cancel_asks_for_the_right_job);
          ONE(verify_takes_the_selected); ONE(pause_and_refresh); ONE(rows_wait_for_quiet);
          ONE(cursor_of_backups_follows); ONE(a_server_answers_after_30_s);
          ONE(a_filter_that_hides_the_selected); ONE(an_old_answer_is_thrown_away);
          ONE(standing_still); ONE(lines_keep_their_places); ONE(finding); ONE(finding_nothing);
          ONE(a_new_result_is_marked); ONE(along_the_axis); ONE(restore_to_the_cursor);
          ONE(ten_thousand_servers); ONE(the_longest_name))
