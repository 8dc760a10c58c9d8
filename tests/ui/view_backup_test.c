/* SPDX-License-Identifier: PostgreSQL */
/* One backup, as it is seen. */
#include "ui/golden.h"
#include "ui/more_story.h"

static void open_row(struct ui *ui, int row)
{
    story_begin(ui);
    story_paint(ui);
    (void)ui_key(ui, '2');
    for (int i = 0; i < row; i++) {
        (void)ui_key(ui, 'j');
    }
    (void)ui_key(ui, UI_KEY_ENTER);
    assert_int_equal(ui->view, VIEW_BACKUP);
}

static void before_details(void **state)
{
    static struct ui ui;
    (void)state;

    open_row(&ui, 0);
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "backup-being-read");
    ui_release(&ui);
}

static void with_details(void **state)
{
    static struct ui ui;
    (void)state;

    open_row(&ui, 0);
    story_details(&ui);
    golden_sizes(&ui, "backup");
    ui_release(&ui);
}

static void failed(void **state)
{
    static struct ui ui;
    (void)state;

    open_row(&ui, 3);
    golden_draw(&ui, 80, 24, SYMBOLS_BLOCK, "backup-failed");
    ui_release(&ui);
}

TEST_MAIN(ONE(before_details); ONE(with_details); ONE(failed))
