/* SPDX-License-Identifier: PostgreSQL */
/* What lies over the views: help, prompts, the box of level 3, the small window. */
#include "ui/golden.h"
#include "ui/more_story.h"
#include "ui/prompt.h"

static struct ui ui;

static void keys(const char *text)
{
    for (; *text; text++) {
        (void)ui_key(&ui, (unsigned char)*text);
    }
}

static void begin(void)
{
    story_begin(&ui);
    story_paint(&ui);
}

static void help(void **state)
{
    (void)state;
    begin();
    keys("?");
    golden_sizes(&ui, "help");
    keys("back");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "help-search");
    ui_release(&ui);
}

static void completion(void **state)
{
    (void)state;
    begin();
    keys(":s");
    (void)ui_key(&ui, UI_KEY_TAB);
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "command");
    ui_release(&ui);
}

/* The end of the command, which says what will happen, stays. */
static void question_of_a_long_path(void **state)
{
    (void)state;
    begin();
    ui.model.config_path = "/srv/postgresql/backup/production/europe/west/1/etc/barman.conf";
    keys("b");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "question-long-path");
    golden_draw(&ui, 60, 16, SYMBOLS_ASCII, "question-long-path");
    ui_release(&ui);
}

static void question(void **state)
{
    (void)state;
    begin();
    keys("b");
    golden_sizes(&ui, "question");
    ui_release(&ui);
}

static bool shows(const char *text)
{
    static char seen[64 * 1024];
    struct grid *g = grid_new(80, 24, SYMBOLS_BLOCK);

    assert_non_null(g);
    ui_draw(&ui, g);
    golden_print(g, seen);
    grid_free(g);
    return strstr(seen, text) != NULL;
}

/* One row has no room for what is wrong with a line of a file: all of it is shown until a key is
 * pressed, and again by '!'. */
static void last_error_whole(void **state)
{
    struct err err;

    (void)state;
    begin();
    (void)err_set(&err, ERR_CONFIG, "Correct that line.",
                  "/home/somebody/.config/barkeep/themes/broken.ini:1",
                  "'#zzz' is no colour: #rrggbb, a number from 0 to 255 or a name");
    ui_fail(&ui, &err);
    assert_true(shows("Correct that line."));
    keys("k"); /* the view is seen again, and that something is wrong */
    assert_false(shows("Correct that line."));
    assert_true(shows("themes/broken.ini:1"));
    keys("!");
    assert_true(shows("Correct that line."));
    assert_true(shows("FAIL"));
    keys("k"); /* any other key: the view is seen again */
    assert_false(shows("Correct that line."));
    ui_say(&ui, LIGHT_WARN, "no server is called '%s'; Tab shows the names",
           "a-name-as-long-as-such-names-become-a-name-as-long-as-such-names-become");
    assert_true(shows("Tab shows the names"));
    ui_release(&ui);
}

static void box_of_a_long_path(void **state)
{
    (void)state;
    begin();
    ui.model.config_path = "/srv/postgresql/backup/production/europe/west/1/etc/barman.conf";
    keys("2D");
    assert_true(shows("--batch delete orders-db1 20260822T020003 "));
    (void)prompt_paste(&ui, "20260822T020003");
    assert_string_equal(ui.dialog.typed, "");
    assert_true(shows("a pasted text was ignored: the name is to be typed"));
    (void)ui_key(&ui, UI_KEY_ESC);
    (void)ui_key(&ui, UI_KEY_ENTER);
    ui.message[0] = '\0';
    assert_true(shows("/barman.conf --batch show-backup orders-db1 20260822T020003"));
    ui_release(&ui);
}

static void box(void **state)
{
    (void)state;
    begin();
    keys("2D2026");
    golden_sizes(&ui, "delete");
    keys("x");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "delete-wrong");
    ui_release(&ui);
}

static void filter(void **state)
{
    (void)state;
    begin();
    keys("/bill");
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "filter");
    ui_release(&ui);
}

static void small(void **state)
{
    (void)state;
    begin();
    golden_draw(&ui, 44, 7, SYMBOLS_BLOCK, "small");
    golden_draw(&ui, 20, 3, SYMBOLS_ASCII, "small");
    golden_draw(&ui, 1, 1, SYMBOLS_BLOCK, "small");
    ui_release(&ui);
}

TEST_MAIN(ONE(help); ONE(completion); ONE(question); ONE(question_of_a_long_path);
          ONE(last_error_whole); ONE(box); ONE(box_of_a_long_path); ONE(filter); ONE(small))
