/* SPDX-License-Identifier: PostgreSQL */
/* The key table: one letter, one idea; and what is off says why. */
#include "ui/more_story.h"

static void no_key_has_two_acts(void **state)
{
    (void)state;
    for (size_t i = 0; i < key_count; i++) {
        for (size_t a = 0; a < 4 && key_table[i].key[a]; a++) {
            for (size_t k = i + 1; k < key_count; k++) {
                for (size_t b = 0; b < 4 && key_table[k].key[b]; b++) {
                    if (key_table[i].key[a] == key_table[k].key[b]) {
                        fail_msg("'%s' and '%s' share a key", key_table[i].label,
                                 key_table[k].label);
                    }
                }
            }
        }
    }
}

static void every_act_has_one_entry(void **state)
{
    (void)state;
    for (enum act act = ACT_NONE + 1; act < ACT_COUNT; act++) {
        size_t n = 0;

        for (size_t i = 0; i < key_count; i++) {
            n += key_table[i].act == act;
        }
        if (n != 1) {
            fail_msg("act %d has %zu entries", act, n);
        }
    }
}

static void texts_fit(void **state)
{
    char name[16];
    (void)state;

    for (size_t i = 0; i < key_count; i++) {
        const struct key_entry *e = &key_table[i];

        assert_true(strlen(e->label) > 0 && strlen(e->label) <= 14);
        assert_true(strlen(e->help) > 0 &&
                    strlen(e->help) <= 57); /* 80 columns less 21, and an edge */
        assert_true(e->views != 0);
        assert_true(e->key[0] != 0);
        assert_string_not_equal(key_text(e->key[0], name), e->key[0] == '?' ? "" : "?");
    }
}

static void no_command_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < key_count; i++) {
        for (size_t k = i + 1; k < key_count && key_table[i].command; k++) {
            if (key_table[k].command &&
                strcmp(key_table[i].command, key_table[k].command) == 0) {
                fail_msg(":%s is two acts", key_table[i].command);
            }
        }
    }
}

/* Every key in every view of the lists: nothing crashes, and a key that does nothing says so. */
static void every_key_everywhere(void **state)
{
    static struct ui ui;
    (void)state;

    for (enum view_id view = VIEW_OVERVIEW; view <= VIEW_JOBS; view++) {
        for (int key = 1; key < 0x180; key++) {
            story_begin(&ui);
            story_paint(&ui);
            ui.view = view;
            (void)str_copy(ui.backup, sizeof ui.backup, "20260822T020003");
            ui.job = 41;
            (void)ui_key(&ui, key < 0x100 ? key : UI_KEY_UP + key - 0x100);
            story_paint(&ui);
            ui_release(&ui);
        }
    }
}

static const struct off_row {
    const char *label;
    enum view_id view;
    enum pane pane;
    enum act act;
    const char *why; /* part of it; NULL: on */
} offs[] = {
    {"delete needs a backup", VIEW_OVERVIEW, PANE_SERVERS, ACT_DELETE, "select a backup"},
    {"delete in its pane", VIEW_OVERVIEW, PANE_BACKUPS, ACT_DELETE, NULL},
    {"cancel needs a job", VIEW_OVERVIEW, PANE_SERVERS, ACT_CANCEL, "select a job"},
    {"cancel in its pane", VIEW_OVERVIEW, PANE_JOBS, ACT_CANCEL, NULL},
    {"Esc on the first screen", VIEW_OVERVIEW, PANE_SERVERS, ACT_BACK, "first screen"},
    {"Esc from another pane", VIEW_OVERVIEW, PANE_WAL, ACT_BACK, NULL},
    {"filter of a picture", VIEW_WAL, PANE_SERVERS, ACT_FILTER, "no list"},
    {"sort of jobs", VIEW_OVERVIEW, PANE_JOBS, ACT_SORT, "servers and backups"},
    {"next hit without a search", VIEW_JOBS, PANE_JOBS, ACT_NEXT_HIT, "searched"},
    {"restore", VIEW_OVERVIEW, PANE_SERVERS, ACT_RESTORE, NULL},
};

static void off(void **state)
{
    const struct off_row *row = *state;
    static struct ui ui;
    const char *why;

    story_begin(&ui);
    story_paint(&ui);
    ui.view = row->view;
    ui.pane = row->pane;
    why = key_off(&ui, row->act);
    if (row->why) {
        assert_non_null(why);
        assert_non_null(strstr(why, row->why));
    } else {
        assert_null(why);
    }
    ui_release(&ui);
}

TEST_MAIN(ONE(no_key_has_two_acts); ONE(every_act_has_one_entry); ONE(texts_fit);
          ONE(no_command_twice); ONE(every_key_everywhere); ROWS(offs, off))
