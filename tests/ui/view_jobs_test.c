/* SPDX-License-Identifier: PostgreSQL */
/* Jobs and the log of one, as they are seen. */
#include "ui/golden.h"
#include "ui/more_story.h"

static void following(void **state)
{
    static struct ui ui;
    (void)state;

    story_begin(&ui);
    story_paint(&ui);
    (void)ui_key(&ui, '4');
    (void)ui_key(&ui, UI_KEY_ENTER);
    assert_int_equal(ui.view, VIEW_JOBS);
    story_log(&ui, 60);
    golden_sizes(&ui, "jobs");
    ui_release(&ui);
}

static void begin(struct ui *ui)
{
    story_begin(ui);
    story_paint(ui);
    (void)ui_key(ui, '4');
}

static void keys(struct ui *ui, const char *text)
{
    for (; *text; text++) {
        (void)ui_key(ui, (unsigned char)*text);
    }
}

static void failed(void **state)
{
    static struct ui ui;
    (void)state;

    begin(&ui);
    keys(&ui, "jjj\n");
    story_said(&ui, 38, SAY_OUT, story_us(21, 22, 57, 40),
               "Starting backup using postgres method");
    story_said(&ui, 38, SAY_ERROR, story_us(21, 22, 58, 21),
               "cannot write: '/srv/barman/billing-db1/base': No space left on device");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "jobs-failed");
    ui_release(&ui);
}

/* The reason is all there is, and no row has room for it: it stands where the log would. */
static void failed_at_once(void **state)
{
    static struct ui ui;
    (void)state;

    begin(&ui);
    keys(&ui, "jjj\n");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "jobs-failed-at-once");
    keys(&ui, "!");
    assert_non_null(strstr(ui.message, "#38 backup: cannot write: '/srv/barman/"));
    assert_non_null(strstr(ui.message, "Free space there"));
    ui_release(&ui);
}

static void died(void **state)
{
    static struct ui ui;
    (void)state;

    begin(&ui);
    keys(&ui, "jjjj\n");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "jobs-died");
    ui_release(&ui);
}

static void found(void **state)
{
    static struct ui ui;
    (void)state;

    begin(&ui);
    keys(&ui, "\n");
    story_log(&ui, 60);
    keys(&ui, "/repo1\nNN");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "jobs-found");
    keys(&ui, "&z");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "jobs-found-only");
    ui_release(&ui);
}

/* Lines longer than the screen, and lines that are not text: clipped, then wrapped. */
static void long_lines(void **state)
{
    static struct ui ui;
    char text[400];
    (void)state;

    begin(&ui);
    keys(&ui, "\n");
    for (int i = 0; i < 399; i++) {
        text[i] = (char)('a' + i % 26);
    }
    text[399] = '\0';
    story_said(&ui, 41, SAY_LOG, STORY_NOW_US, text);
    story_said(&ui, 41, SAY_OUT, 0,
               STORY_HOSTILE STORY_HOSTILE STORY_HOSTILE STORY_HOSTILE STORY_HOSTILE);
    story_said(&ui, 41, SAY_OUT, STORY_NOW_US,
               "\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac, then the end");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "jobs-long");
    keys(&ui, "w");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "jobs-wrapped");
    golden_draw(&ui, 60, 16, SYMBOLS_ASCII, "jobs-wrapped");
    ui_release(&ui);
}

static void none(void **state)
{
    static struct ui ui;
    (void)state;

    story_begin(&ui);
    story_news(&ui,
               (struct news){.kind = NEWS_JOBS, .jobs = calloc(1, sizeof(struct job_table))});
    story_paint(&ui);
    ui_goto(&ui, VIEW_JOBS);
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "jobs-none");
    keys(&ui, "jkgG\n/x\nn&wzy\t\n");
    story_paint(&ui);
    ui_release(&ui);
}

TEST_MAIN(ONE(following); ONE(failed); ONE(failed_at_once); ONE(died); ONE(found);
          ONE(long_lines); ONE(none))
