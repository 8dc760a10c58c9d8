/* SPDX-License-Identifier: PostgreSQL */
#include "harness.h"

#include "base/clock.h"
#include "ui/entry.h"
#include "ui/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct state s, t;
static struct ui ui;

static const struct row {
    const char *label, *text;
    const char *where; /* of the error; NULL: good */
} rows[] = {
    {"empty", "", NULL},
    {"comments", "; x\n# y\n\n", NULL},
    {"theme", "theme = light\n", NULL},
    {"keys of a newer barkeep", "pane.colour = 3\nservers.width = x y z\n", NULL},
    {"escapes", "server = a\\x20\\x3B\n", NULL},
    {"sixteen tables", "wizard.table.15 = a.b\n", NULL},

    {"a line that is none", "theme = light\nhello\n", "x:2"},
    {"sort is no number", "servers.sort = up\n", "x:1"},
    {"sort is too large", "servers.sort = 101\n", "x:1"},
    {"pane is too large", "pane = 4\n", "x:1"},
    {"yes in capitals", "servers.reversed = YES\n", "x:1"},
    {"filter is too long",
     "servers.filter = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
     "x:1"},
    {"half an escape", "server = a\\x2\n", "x:1"},
    {"another escape", "server = a\\n\n", "x:1"},
    {"escaped NUL", "server = a\\x00\n", "x:1"},
    {"small digits in an escape", "server = a\\x2f\n", "x:1"},
    {"target of no kind", "wizard.target = 6\n", "x:1"},
    {"port", "wizard.port = 65536\n", "x:1"},
    {"moment", "\nwizard.cursor = soon\n", "x:2"},
    {"moment too large", "wizard.cursor = 99999999999999999999\n", "x:1"},
};

static void parse_row(void **state)
{
    const struct row *r = *state;
    struct err err = {0};
    bool ok;

    memset(&s, 0xaa, sizeof s);
    memset(&t, 0, sizeof t);
    ok = state_parse(str_of(r->text), "x", &s, &err);
    assert_int_equal(ok, r->where == NULL);
    if (!ok) {
        assert_string_equal(err.what, r->where);
        assert_memory_equal(&s, &t, sizeof s); /* nothing of it is used */
    }
}

static void numbers_over_the_end_are_not_written(void **state)
{
    struct err err = {0};

    (void)state;
    assert_true(
        state_parse(str_of("wizard.table.16 = a.b\nwizard.location.99 = /x\n"), "x", &s, &err));
    assert_int_equal(s.wizard.tables, 0);
    assert_int_equal(s.wizard.words.moves, 0);
}

static void fill(struct state *x)
{
    memset(x, 0, sizeof *x);
    str_copy(x->theme, sizeof x->theme, "safe");
    str_copy(x->server, sizeof x->server, " odd; name\\ \xe6\x9d\xb1 ");
    x->pane = 2;
    x->saved_us = INT64_C(1787361165000000);
    x->list[0].sort = 3;
    x->list[0].is_reversed = true;
    str_copy(x->list[3].filter, sizeof x->list[3].filter, "!x\ty\x7f");
    x->wizard.is_begun = true;
    str_copy(x->wizard.words.server, sizeof x->wizard.words.server, "orders-db1");
    x->wizard.words.goal.kind = GOAL_TIME;
    str_copy(x->wizard.words.goal.text, sizeof x->wizard.words.goal.text,
             "2026-08-22 03:02:10+02:00");
    x->wizard.words.goal.is_exclusive = true;
    x->wizard.words.goal.tli = 4294967295u;
    x->wizard.words.where = WHERE_FILES;
    x->wizard.at_us = -5;
    x->wizard.is_chosen = true;
    str_copy(x->wizard.home, sizeof x->wizard.home, "/srv/barman");
    x->wizard.words.port = 65535;
    x->wizard.words.moves = ASK_MOVES_MAX;
    for (int i = 0; i < ASK_MOVES_MAX; i++) {
        snprintf(x->wizard.words.move[i].name, NAME_CAP, "ts%d", i);
        memset(x->wizard.words.move[i].location, '\n', ASK_PATH_CAP - 1); /* 4 bytes each */
    }
    x->wizard.tables = 2;
    str_copy(x->wizard.table[0], sizeof x->wizard.table[0], "orders.order_line");
    str_copy(x->wizard.table[1], sizeof x->wizard.table[1], "public.\"a = b\"");
}

static void what_is_written_is_read(void **state)
{
    static char mem[ENTRY_FILE_MAX];
    struct err err = {0};
    struct sbuf b;

    (void)state;
    fill(&s);
    sbuf_init(&b, mem, sizeof mem);
    state_print(&s, &b);
    assert_true(sbuf_ok(&b));
    if (!state_parse(str_n(b.p, b.len), "x", &t, &err)) {
        fail_msg("%s: %s", err.what, err.why);
    }
    assert_memory_equal(&s, &t, sizeof s);
}

static void file_in_the_state_directory(void **state)
{
    char dir[] = "/tmp/state_test.XXXXXX", path[256], command[300];
    struct err err = {0};
    struct stat st;
    FILE *f;

    (void)state;
    assert_non_null(mkdtemp(dir));
    setenv("XDG_STATE_HOME", dir, 1);
    assert_true(state_load(&t, &err)); /* there is none yet */
    assert_string_equal(t.theme, "");
    fill(&s);
    assert_true(state_save(&s, &err));
    assert_true(state_load(&t, &err));
    assert_memory_equal(&s, &t, sizeof s);

    snprintf(path, sizeof path, "%s/barkeep/ui.ini", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    f = fopen(path, "w");
    fputs("; \ntheme\n", f);
    fclose(f);
    assert_false(state_load(&t, &err));
    assert_true(strstr(err.what, "ui.ini:2"));
    assert_true(state_save(&s, &err)); /* and is whole again */
    memset(&err, 0, sizeof err);
    assert_true(state_load(&t, &err));
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

static void answers_are_offered_for_an_hour(void **state)
{
    static const char *const server[] = {"a", "b"};
    const int64_t now = INT64_C(1787361165000000), minute = 60 * US_PER_S;

    (void)state;
    for (int i = 0; i < 4; i++) {
        static const int minutes[] = {0, 59, 60, -1};
        assert_true(ui_init(&ui, server, 2));
        model_now(&ui.model, now, 0);
        fill(&s);
        str_copy(s.server, sizeof s.server, i == 0 ? "gone" : "b");
        s.saved_us = now - minutes[i] * minute;
        state_apply(&s, &ui);
        assert_int_equal(ui.wizard.is_begun, i < 2);
        assert_string_equal(ui.server, i == 0 ? "a" : "b");
        assert_int_equal(ui.pane, PANE_WAL);
        assert_int_equal(ui.list[0].sort, 3);
        state_of(&ui, &t);
        assert_int_equal(t.saved_us, now);
        assert_int_equal(t.wizard.is_begun, i < 2);
        assert_string_equal(t.list[3].filter, s.list[3].filter);
        assert_true(
            strstr(ui.message, "jobs are filtered as last time: /!x")); /* it hides rows */
        ui_release(&ui);
    }
}

static void a_copy_is_remembered_for_longer(void **state)
{
    static const char *const server[] = {"a"};

    (void)state;
    assert_true(ui_init(&ui, server, 1));
    model_now(&ui.model, INT64_C(1787361165000000), 0);
    fill(&s);
    s.saved_us = ui.model.now_us - 50 * 3600 * US_PER_S;
    s.wizard.step = VIEW_CHECK;
    s.wizard.words.where = WHERE_COPY;
    state_apply(&s, &ui);
    assert_true(ui.wizard.is_begun);
    ui_release(&ui);
}

TEST_MAIN(ROWS(rows, parse_row), ONE(numbers_over_the_end_are_not_written),
          ONE(what_is_written_is_read), ONE(file_in_the_state_directory),
          ONE(answers_are_offered_for_an_hour), ONE(a_copy_is_remembered_for_longer))
