/* SPDX-License-Identifier: PostgreSQL */
/* The answers of check --nagios, worked out from what Nagios and Barman's users expect. */
#include "batch/nagios.h"
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#define LINE(l, good, h, perf)                                                                 \
    {                                                                                          \
        .label = (l), .ok = (good), .hint = (h), .perfdata = (perf)                            \
    }

static const struct check well = {.line = {LINE("PostgreSQL", true, NULL, -1),
                                           LINE("backup minimum size", true, "1 B", 7),
                                           LINE("wal size", true, "0 B", 0)},
                                  .n = 3};
static const struct check ill = {.line = {LINE("PostgreSQL", false, NULL, -1),
                                          LINE("ssh", false, "password=secret\nnext", -1),
                                          LINE("directories", true, NULL, -1)},
                                 .n = 3};

static const struct check half = {
    .line = {LINE("ssh", false, NULL, -1), LINE("backup minimum size", true, NULL, 7)}, .n = 2};

static const struct row {
    const char *name;
    struct {
        const char *server;
        const struct check *check;
    } of[3];
    bool in_error;
    int status;
    const char *text;
} rows[] = {
    {"no server", {{0}}, false, 0, "BARMAN OK - No server configured\n"},
    {"one is well",
     {{"a", &well}},
     false,
     0,
     "BARMAN OK - Ready to serve the Espresso backup for a|a=7B a_wals=0B\n"},
    {"two are well",
     {{"a", &well}, {"b", &well}},
     false,
     0,
     "BARMAN OK - Ready to serve the Espresso backup for 2 servers * a * b"
     "|a=7B a_wals=0B b=7B b_wals=0B\n"},
    {"an inactive one is ignored",
     {{"a", &well}, {"b", &ill}},
     false,
     0,
     "BARMAN OK - Ready to serve the Espresso backup for a * IGNORING: b|a=7B a_wals=0B\n"},
    {"only an inactive one",
     {{"b", &ill}},
     false,
     0,
     "BARMAN OK - No server configured * IGNORING: b\n"},
    {"only an inactive one, and it has figures",
     {{"b", &half}},
     false,
     0,
     "BARMAN OK - No server configured * IGNORING: b\n"},
    {"one is ill, its hint safe",
     {{"b", &ill}},
     true,
     2,
     "BARMAN CRITICAL - server b has issues * b FAILED: PostgreSQL, ssh\n"
     "b.PostgreSQL: FAILED\n"
     "b.ssh: FAILED (password=*REDACTED*?next)\n"},
    {"one of two is ill",
     {{"a", &well}, {"b", &ill}},
     true,
     2,
     "BARMAN CRITICAL - 1 server out of 2 have issues * b FAILED: PostgreSQL, ssh"
     "|a=7B a_wals=0B\n"
     "b.PostgreSQL: FAILED\n"
     "b.ssh: FAILED (password=*REDACTED*?next)\n"},
    {"the configuration is wrong",
     {{0}},
     true,
     2,
     "BARMAN CRITICAL - Global configuration errors\n"},
};

/* Each added here, or by way of a text from another process: the answer is the same. */
static void answer(const struct row *row, bool sent)
{
    struct nagios n = {0};
    struct arena a;
    struct err err;
    char *text = NULL;
    size_t size;
    FILE *out;

    arena_init(&a, 0);
    for (size_t k = 0; k < 3 && row->of[k].server; k++) {
        struct nagios one = {0};

        assert_true(
            nagios_add(sent ? &one : &n, &a, row->of[k].server, row->of[k].check, &err));
        if (!sent) {
            continue;
        }
        out = open_memstream(&text, &size);
        nagios_send(&one, out);
        fclose(out);
        assert_true(nagios_receive(&n, &a, str_n(text, size), &err));
        free(text);
    }
    out = open_memstream(&text, &size);
    print_message("%s\n", row->name);
    assert_int_equal(nagios_end(&n, row->in_error, out), row->status);
    fclose(out);
    assert_string_equal(text, row->text);
    free(text);
    arena_release(&a);
}

static void answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        answer(&rows[i], false);
        answer(&rows[i], true);
    }
}

static void refuses_other_texts(void **state)
{
    static const char *const bad[] = {"Server a:",
                                      "line 1 0 x\037\036",
                                      "server a\036hello\036",
                                      "server a\036line ",
                                      "server a\036line 2 0 x\037\036",
                                      "server a\036line 1 x y\037\036"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct nagios n = {0};
        struct arena a;
        struct err err = {0};

        arena_init(&a, 0);
        assert_false(nagios_receive(&n, &a, str_of(bad[i]), &err));
        assert_int_equal(err.code, ERR_FORMAT);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers),
                                       cmocka_unit_test(refuses_other_texts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
