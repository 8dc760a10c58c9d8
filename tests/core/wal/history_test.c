/* SPDX-License-Identifier: PostgreSQL */
/* Expected values by hand, from the format in history.h. */
#include "wal/history.h"

#include "core/wal/data.h"
#include "harness.h"

#define TWO     "1\t0/5000000\tno recovery target specified\n"
#define S(text) text, sizeof text - 1

static const struct row {
    const char *label;
    pg_tli tli;
    const char *text;
    size_t n;
    bool ok;
    size_t entries;  /* with the timeline itself */
    pg_lsn begin;    /* of the timeline itself */
    const char *why; /* when not */
} rows[] = {
    {"one parent", 2, S(TWO), true, 2, 0x5000000, NULL},
    {"two parents", 3, S(TWO "2\t4C/9A0000F8\tat restore point \"x\"\n"), true, 3, 0x4C9A0000F8,
     NULL},
    {"hole in the numbers", 9, S(TWO "7\t0/6000000\tx\n"), true, 3, 0x6000000, NULL},
    {"no newline at the end", 2, S("1\t0/5000000\tx"), true, 2, 0x5000000, NULL},
    {"CRLF", 2, S("1\t0/5000000\tx\r\n"), true, 2, 0x5000000, NULL},
    {"no reason", 2, S("1\t0/5000000\n"), true, 2, 0x5000000, NULL},
    {"blanks for tabs", 2, S("  1  0/5000000  x\n"), true, 2, 0x5000000, NULL},
    {"comments and blank lines", 2, S("# c\n\n" TWO "\n  # d\n"), true, 2, 0x5000000, NULL},
    {"NUL at the end", 2, S(TWO "\0"), true, 2, 0x5000000, NULL},
    {"reason of any words", 2, S("1\t0/5000000\tbefore 2026-11-22 1/2 \x80\n"), true, 2,
     0x5000000, NULL},
    {"largest", UINT32_MAX, S("4294967294\tFFFFFFFF/FFFFFFFE\tx\n"), true, 2, UINT64_MAX - 1,
     NULL},
    {"switch points that go back", 3, S(TWO "2\t0/4000000\tx\n"), true, 3, 0x4000000, NULL},
    {"timeline 1, empty", 1, S(""), true, 1, 0, NULL},

    {"empty", 2, S(""), false, .why = "no parent"},
    {"comment only", 2, S("# nothing\n"), false, .why = "no parent"},
    {"NUL only", 2, S("\0\0"), false, .why = "no parent"},
    {"NUL inside", 2, S("1\t0/5000\0000\tx\n"), false, .why = "NUL"},
    {"not increasing", 4, S("2\t0/5000000\tx\n1\t0/6000000\tx\n"), false, .why = "grow"},
    {"twice", 4, S(TWO TWO), false, .why = "grow"},
    {"parent is itself", 2, S("2\t0/5000000\tx\n"), false, .why = "below"},
    {"parent is above", 2, S("3\t0/5000000\tx\n"), false, .why = "below"},
    {"timeline 0", 2, S("0\t0/5000000\tx\n"), false, .why = "grow"},
    {"hex timeline", 12, S("A\t0/5000000\tx\n"), false, .why = "line 1"},
    {"negative", 2, S("-1\t0/5000000\tx\n"), false, .why = "line 1"},
    {"above 32 bits", 2, S("4294967297\t0/5000000\tx\n"), false, .why = "line 1"},
    {"no position", 2, S("1\n"), false, .why = "position"},
    {"words", 2, S("<html>\n"), false, .why = "line 1"},
    {"position without slash", 2, S("1\t5000000\tx\n"), false, .why = "position"},
    {"position with a tail", 2, S("1\t0/5000000z\tx\n"), false, .why = "position"},
    {"no blank between", 2, S("10/5000000\tx\n"), false, .why = "position"},
    {"second line bad", 3, S(TWO "x\n"), false, .why = "line 2"},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    struct arena a;
    struct history h = {0};
    struct err err = {0};
    char name[WAL_HISTORY_NAME_CAP];

    arena_init(&a, 0);
    wal_history_name(r->tli, name);
    assert_int_equal(history_parse(&a, r->tli, str_n(r->text, r->n), &h, &err), r->ok);
    if (r->ok) {
        assert_int_equal(err.code, ERR_NONE);
        assert_int_equal(h.n, r->entries);
        assert_int_equal(h.tli, r->tli);
        assert_int_equal(h.entry[0].begin, 0);
        assert_int_equal(h.entry[h.n - 1].tli, r->tli);
        assert_int_equal(h.entry[h.n - 1].begin, r->begin);
        assert_true(h.entry[h.n - 1].end == HISTORY_NO_END);
    } else {
        assert_int_equal(err.code, ERR_FORMAT);
        assert_string_equal(err.what, name);
        assert_non_null(strstr(err.why, r->why));
    }
    arena_release(&a);
}

/* 1 until 0/5000000, 2 until 0/7A00000, then 5. Segments of 1 MiB: 0x50, 0x7A. */
static void who_owns_what(void **state)
{
    struct arena a;
    struct history h;
    struct err err = {0};
    pg_lsn lsn = 0;

    (void)state;
    arena_init(&a, 0);
    assert_true(history_parse(&a, 5, str_of(TWO "2\t0/7A00800\tx\n"), &h, &err));
    assert_int_equal(history_owner(&h, 0), 1);
    assert_int_equal(history_owner(&h, 0x4FFFFFF), 1);
    assert_int_equal(history_owner(&h, 0x5000000), 2);
    assert_int_equal(history_owner(&h, 0x7A007FF), 2);
    assert_int_equal(history_owner(&h, 0x7A00800), 5);
    assert_int_equal(history_owner(&h, UINT64_MAX), 5);
    assert_true(history_switch_of(&h, 1, &lsn));
    assert_int_equal(lsn, 0x5000000);
    assert_true(history_switch_of(&h, 2, &lsn));
    assert_int_equal(lsn, 0x7A00800);
    assert_false(history_switch_of(&h, 3, &lsn));
    assert_false(history_switch_of(&h, 5, &lsn));
    assert_null(history_find(&h, 4));
    assert_int_equal(history_tli_of_seg(&h, 0x4F, 1 << 20), 1);
    assert_int_equal(history_tli_of_seg(&h, 0x50, 1 << 20), 2);
    assert_int_equal(history_tli_of_seg(&h, 0x79, 1 << 20), 2);
    assert_int_equal(history_tli_of_seg(&h, 0x7A, 1 << 20), 5);
    assert_true(history_reaches(&h, 1, 0x5000000));
    assert_false(history_reaches(&h, 1, 0x5000001));
    assert_true(history_reaches(&h, 2, 0x7A00800));
    assert_false(history_reaches(&h, 3, 1));
    assert_true(history_reaches(&h, 5, UINT64_MAX));
    arena_release(&a);
}

/* 3 was made by following 2 and stopping before 2 began. */
static void points_that_go_back(void **state)
{
    struct arena a;
    struct history h;
    struct err err = {0};

    (void)state;
    arena_init(&a, 0);
    assert_true(history_parse(&a, 3, str_of(TWO "2\t0/4000000\tx\n"), &h, &err));
    assert_int_equal(history_owner(&h, 0x3FFFFFF), 1);
    assert_int_equal(history_owner(&h, 0x4800000), 3);
    assert_int_equal(history_owner(&h, 0x6000000), 3);
    assert_int_equal(history_tli_of_seg(&h, 0x48, 1 << 20), 3);
    assert_true(history_reaches(&h, 1, 0x4000000));
    assert_false(history_reaches(&h, 1, 0x4800000));
    arena_release(&a);
}

static void a_real_file(void **state)
{
    struct arena a;
    struct history h;
    struct err err = {0};
    char text[256];

    (void)state;
    arena_init(&a, 0);
    size_t n = data_read("00000002.history", text, sizeof text);
    assert_true(history_parse(&a, 2, str_n(text, n), &h, &err));
    assert_int_equal(h.entry[0].end, 0x9011D8);
    assert_string_equal(h.entry[0].reason, "at restore point \"fork\"");
    assert_true(history_alone(&a, 1, &h, &err));
    assert_int_equal(h.n, 1);
    assert_int_equal(history_owner(&h, 123), 1);
    arena_release(&a);
}

static void out_of_memory(void **state)
{
    (void)state;
    for (long nth = 1; nth <= 2; nth++) {
        struct arena a;
        struct history h;
        struct err err = {0};

        arena_init(&a, nth == 1 ? 1 : 64);
        assert_false(history_parse(&a, 3, str_of(TWO "2\t0/7A00800\tx\n"), &h, &err));
        assert_int_equal(err.code, ERR_MEMORY);
        arena_release(&a);
    }
}

TEST_MAIN(ROWS(rows, check_row), ONE(who_owns_what), ONE(points_that_go_back), ONE(a_real_file),
          ONE(out_of_memory))
