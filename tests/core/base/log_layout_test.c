/* SPDX-License-Identifier: PostgreSQL */
/* Layouts of a log line; the expectations were taken from Python's logging, but for the words
 * that only Python has. */
#include "base/log_layout.h"

#include "harness.h"

static const struct row {
    const char *label;
    const char *layout;
    const char *want; /* NULL: refused */
} rows[] = {
    {"the default", LOG_LAYOUT_DEFAULT,
     "2026-11-22 13:43:59,813 [4711] barkeep WARNING: text of it"},
    {"the message alone", "%(message)s", "text of it"},
    {"text around it", "<%(message)s>", "<text of it>"},
    {"a percent sign", "%(levelno)d%% %(message)s", "30% text of it"},
    {"padded", "%(levelname)9s|", "  WARNING|"},
    {"padded behind", "%(levelname)-9s|", "WARNING  |"},
    {"wider than the width", "%(levelname)3s|", "WARNING|"},
    {"cut", "%(message).4s|", "text|"},
    {"cut and padded", "%(message)6.4s|", "  text|"},
    {"number", "%(process)d", "4711"},
    {"number as a word", "%(process)s", "4711"},
    {"zeros in front", "%(process)06d", "004711"},
    {"seconds", "%(created).3f", "1795355039.813"},
    {"milliseconds", "%(msecs)03d", "813"},
    {"milliseconds with places", "%(msecs).1f", "813.0"},
    {"what only Python has", "%(module)s %(lineno)d %(threadName)s", "barkeep 0 MainThread"},
    {"nothing of the line", "hello", NULL},
    {"empty", "", NULL},
    {"a lone percent sign", "%(message)s 100%", NULL},
    {"a name that is none", "%(colour)s", NULL},
    {"an empty name", "%()s", NULL},
    {"a name without its end", "%(message", NULL},
    {"no letter", "%(message)", NULL},
    {"another letter", "%(message)y", NULL},
    {"a word as a number", "%(message)d", NULL},
    {"a width from nowhere", "%(message)*s", NULL},
    {"a width beyond reason", "%(message)99999s", NULL},
};

static void layout(void **state)
{
    const struct row *row = *state;
    struct log_event e = {.now = {.us = 1795355039813000, .offset_s = 0},
                          .level = 30,
                          .level_name = "WARNING",
                          .pid = 4711,
                          .text = "text of it"};
    struct err err = {0};
    char mem[256];
    struct sbuf b;

    assert_int_equal(log_layout_ok(row->layout, &err), row->want != NULL);
    if (!row->want) {
        assert_int_equal(err.code, ERR_CONFIG);
        return;
    }
    sbuf_init(&b, mem, sizeof mem);
    log_layout_put(&b, row->layout, &e);
    assert_string_equal(mem, row->want);
}

static void before_the_epoch(void **state)
{
    struct log_event e = {.now = {.us = -820000, .offset_s = 0}, .text = "x"};
    char mem[256];
    struct sbuf b;

    (void)state;
    sbuf_init(&b, mem, sizeof mem);
    log_layout_put(&b, "%(asctime)s %(msecs)d", &e);
    assert_string_equal(mem, "1969-12-31 23:59:59,180 180");
}

TEST_MAIN(ROWS(rows, layout), ONE(before_the_epoch))
