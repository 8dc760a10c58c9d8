/* SPDX-License-Identifier: PostgreSQL */
/* Lines that are typed: editing, history, completion, questions, and the box of level 3. */
#include "ui/more_story.h"
#include "ui/prompt.h"

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

static const struct edit_row {
    const char *label;
    const char *start;
    int key[6];
    const char *want;
    size_t at;
} edits[] = {
    {"letters", "", {'a', 'b'}, "ab", 2},
    {"in the middle", "ac", {UI_KEY_LEFT, 'b'}, "abc", 2},
    {"at the front", "bc", {UI_KEY_HOME, 'a'}, "abc", 1},
    {"Ctrl-A, Ctrl-E", "bc", {UI_CTRL('A'), UI_CTRL('E'), 'd'}, "bcd", 3},
    {"backspace", "abc", {UI_KEY_BACKSPACE}, "ab", 2},
    {"backspace as DEL", "abc", {0x7f}, "ab", 2},
    {"backspace at the front", "abc", {UI_KEY_HOME, UI_KEY_BACKSPACE}, "abc", 0},
    {"delete", "abc", {UI_KEY_HOME, UI_KEY_DELETE}, "bc", 0},
    {"delete at the end", "abc", {UI_KEY_DELETE}, "abc", 3},
    {"Ctrl-U", "abc def", {UI_CTRL('U')}, "", 0},
    {"Ctrl-U in the middle", "abc", {UI_KEY_LEFT, UI_CTRL('U')}, "c", 0},
    {"Ctrl-W", "abc def", {UI_CTRL('W')}, "abc ", 4},
    {"Ctrl-W takes blanks", "abc  ", {UI_CTRL('W')}, "", 0},
    {"left at the front", "a", {UI_KEY_LEFT, UI_KEY_LEFT}, "a", 0},
    {"right at the end", "a", {UI_KEY_RIGHT}, "a", 1},
    {"two bytes", "", {0xfc}, "\xc3\xbc", 2},
    {"three bytes", "", {0x6771}, "\xe6\x9d\xb1", 3},
    {"four bytes", "", {0x1f600}, "\xf0\x9f\x98\x80", 4},
    {"backspace over three bytes", "a\xe6\x9d\xb1", {UI_KEY_BACKSPACE}, "a", 1},
    {"left over three bytes", "\xe6\x9d\xb1", {UI_KEY_LEFT, 'x'}, "x\xe6\x9d\xb1", 1},
    {"control characters are not text", "a", {UI_CTRL('G'), UI_CTRL('L')}, "a", 1},
    {"keys without a character", "a", {UI_KEY_PAGE_UP, UI_KEY_BACKTAB}, "a", 1},
};

static void edit(void **state)
{
    const struct edit_row *row = *state;

    begin();
    prompt_open(&ui, PROMPT_COMMAND, row->start);
    for (size_t i = 0; i < 6 && row->key[i]; i++) {
        (void)ui_key(&ui, row->key[i]);
    }
    assert_string_equal(ui.prompt.text, row->want);
    assert_int_equal(ui.prompt.at, row->at);
    ui_release(&ui);
}

static void full(void **state)
{
    (void)state;
    begin();
    prompt_open(&ui, PROMPT_COMMAND, "");
    for (int i = 0; i < 2 * PROMPT_CAP; i++) {
        (void)ui_key(&ui, 0x6771);
    }
    assert_true(strlen(ui.prompt.text) < PROMPT_CAP);
    assert_int_equal(strlen(ui.prompt.text) % 3, 0); /* whole characters */
    story_paint(&ui);
    ui_release(&ui);
}

static const struct complete_row {
    const char *label;
    const char *typed, *want;
    const char *told; /* part of it */
} completions[] = {
    {"a command", "serv", "server ", ""},
    {"several commands", "s", "s", "server"},
    {"a server", "server ord", "server orders-db1 ", ""},
    {"servers share a beginning", "server b", "server billing-db", "billing-db2"},
    {"a backup", "open 20260821T14", "open 20260821T140003 ", ""},
    {"a backup to verify", "verify 20260817", "verify 20260817T020003 ", ""},
    {"a theme", "theme sa", "theme safe ", ""},
    {"nothing begins so", "server zz", "server zz", "nothing"},
    {"no word wanted", "overview x", "overview x", "nothing"},
    {"nothing typed", "", "", "overview"},
};

static void complete(void **state)
{
    const struct complete_row *row = *state;

    begin();
    prompt_open(&ui, PROMPT_COMMAND, row->typed);
    (void)ui_key(&ui, UI_KEY_TAB);
    assert_string_equal(ui.prompt.text, row->want);
    assert_non_null(strstr(ui.prompt.told, row->told));
    ui_release(&ui);
}

static void history(void **state)
{
    (void)state;
    begin();
    keys(":overview\n:server auth-db1\n:");
    (void)ui_key(&ui, UI_KEY_UP);
    assert_string_equal(ui.prompt.text, "server auth-db1");
    (void)ui_key(&ui, UI_KEY_UP);
    assert_string_equal(ui.prompt.text, "overview");
    (void)ui_key(&ui, UI_KEY_UP);
    assert_string_equal(ui.prompt.text, "overview");
    (void)ui_key(&ui, UI_KEY_DOWN);
    (void)ui_key(&ui, UI_KEY_DOWN);
    assert_string_equal(ui.prompt.text, "");
    ui_release(&ui);
}

/* Of its own, and the list follows what is recalled. */
static void history_of_filters(void **state)
{
    (void)state;
    begin();
    keys(":overview\n/bill\n/");
    (void)ui_key(&ui, UI_CTRL('U'));
    keys("orders\n/");
    (void)ui_key(&ui, UI_KEY_UP);
    assert_string_equal(ui.prompt.text, "orders");
    (void)ui_key(&ui, UI_KEY_UP);
    assert_string_equal(ui.list[PANE_SERVERS].filter, "bill");
    (void)ui_key(&ui, UI_KEY_UP);
    assert_string_equal(ui.prompt.text, "bill");
    (void)ui_key(&ui, UI_KEY_DOWN);
    (void)ui_key(&ui, UI_KEY_DOWN);
    assert_string_equal(ui.prompt.text, "");
    ui_release(&ui);
}

static const struct command_row {
    const char *label;
    const char *line;
    const char *server; /* selected then */
    enum view_id view;
    const char *message; /* part of it */
} commands[] = {
    {"server", "server auth-db1", "auth-db1", VIEW_OVERVIEW, ""},
    {"unknown server", "server nope", "orders-db1", VIEW_OVERVIEW,
     "no server is called 'nope'"},
    {"open", "open 20260817T020003", "orders-db1", VIEW_BACKUP, ""},
    {"open by name", "open before-release-812", "orders-db1", VIEW_BACKUP, ""},
    {"open what is not there", "open 2026", "orders-db1", VIEW_OVERVIEW, "no backup '2026'"},
    {"wal", "wal auth-db1", "auth-db1", VIEW_WAL, ""},
    {"jobs", "jobs 38", "orders-db1", VIEW_JOBS, ""},
    {"no such job", "jobs 99", "orders-db1", VIEW_OVERVIEW, "no job '99'"},
    {"not a number", "jobs x", "orders-db1", VIEW_OVERVIEW, "no job 'x'"},
    {"symbols that there are not", "symbols round", "orders-db1", VIEW_OVERVIEW,
     "block or ascii, not 'round'"},
    {"nonsense", "frobnicate", "orders-db1", VIEW_OVERVIEW, "is no command"},
    {"nothing", "   ", "orders-db1", VIEW_OVERVIEW, ""},
    {"beginning is enough", "serv auth-db1", "auth-db1", VIEW_OVERVIEW, ""},
    {"a beginning of several", "re", "orders-db1", VIEW_OVERVIEW, "'re' begins 2 commands"},
    {"a beginning of three", "s", "orders-db1", VIEW_OVERVIEW, "'s' begins"},
    {"verify another backup than there is", "verify 2026", "orders-db1", VIEW_OVERVIEW,
     "no backup '2026'"},
    {"delete another backup than there is", "delete 2026", "orders-db1", VIEW_OVERVIEW,
     "no backup '2026'"},
    {"cancel takes no word", "cancel 38", "orders-db1", VIEW_OVERVIEW, "takes no word"},
    {"save-screen takes no word", "save-screen /x", "orders-db1", VIEW_OVERVIEW,
     "takes no word"},
    {"a very long word",
     "server "
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "orders-db1", VIEW_OVERVIEW, "no server"},
};

static void command(void **state)
{
    const struct command_row *row = *state;

    begin();
    (void)command_run(&ui, row->line);
    assert_string_equal(ui.server, row->server);
    assert_int_equal(ui.view, row->view);
    assert_non_null(strstr(ui.message, row->message));
    assert_false(ui.dialog.is_open);
    assert_int_equal(ui.prompt.kind, PROMPT_NONE);
    ui_release(&ui);
}

static const char *started(void)
{
    for (size_t i = 0; i < ui.orders; i++) {
        if (ui.order[i].order.kind == ORDER_START) {
            return ui.order[i].words;
        }
    }
    return NULL;
}

static void yes_and_no(void **state)
{
    (void)state;
    begin();
    keys("b\n");
    assert_null(started()); /* Enter is not yes */
    assert_int_equal(ui.prompt.kind, PROMPT_YESNO);
    keys("x n");
    assert_null(started());
    assert_int_equal(ui.prompt.kind, PROMPT_NONE);
    keys("b");
    (void)ui_key(&ui, UI_KEY_ESC);
    assert_null(started());
    (void)prompt_paste(&ui, "y");
    keys("b");
    (void)prompt_paste(&ui, "y");
    assert_null(started());
    keys("y");
    assert_non_null(started());
    assert_memory_equal(started(), "backup\0--wait\0orders-db1\0", 26);
    ui_release(&ui);
}

static void box(void **state)
{
    (void)state;
    begin();
    keys("2D\n20260822T02000\n");
    assert_true(ui.dialog.is_open);
    assert_null(started());
    keys("4\n"); /* another backup's name */
    assert_true(ui.dialog.is_open);
    assert_null(started());
    (void)ui_key(&ui, UI_CTRL('U'));
    (void)prompt_paste(&ui, "20260822T020003");
    assert_string_equal(ui.dialog.typed, "");
    keys("\t\n");
    assert_null(started());
    keys("20260822T020003");
    assert_null(started());
    keys("\n");
    assert_false(ui.dialog.is_open);
    assert_non_null(started());
    assert_memory_equal(started(), "delete\0orders-db1\00020260822T020003\0", 35);
    ui_release(&ui);
}

/* The box is about the backup it was opened for, whatever comes up the road meanwhile. */
static void box_keeps_its_target(void **state)
{
    struct snapshot *s;
    (void)state;

    begin();
    keys("2D20260822T020003");
    s = story_snapshot(STORY_ORDERS);
    s->backup++; /* the backup is gone */
    s->backups--;
    story_news(&ui, (struct news){.kind = NEWS_SNAPSHOT, .snapshot = s});
    story_paint(&ui);
    keys("\n");
    assert_non_null(started());
    assert_memory_equal(started(), "delete\0orders-db1\00020260822T020003\0", 35);
    ui_release(&ui);
}

static void box_left(void **state)
{
    (void)state;
    begin();
    keys("2D20260822T020003");
    (void)ui_key(&ui, UI_KEY_ESC);
    keys("\n");
    assert_null(started());
    ui_release(&ui);
}

TEST_MAIN(ROWS(edits, edit); ONE(full); ROWS(completions, complete); ONE(history);
          ONE(history_of_filters); ROWS(commands, command); ONE(yes_and_no); ONE(box);
          ONE(box_keeps_its_target); ONE(box_left))
