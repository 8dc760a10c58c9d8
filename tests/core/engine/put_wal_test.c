/* SPDX-License-Identifier: PostgreSQL */
#include "engine/put_wal.h"

#include "harness.h"

static const struct row {
    const char *label, *line, *sum, *name; /* sum NULL: refused */
} rows[] = {
    {"binary mark", "abc *000000010000000000000001", "abc", "000000010000000000000001"},
    {"text mark", "abc  x", "abc", "x"},
    {"./ in front of the name", "abc *./x", "abc", "x"},
    {"newline of DOS behind", "abc *x\r", "abc", "x"},
    {"a name with a blank", "abc *x y", "abc", "x y"},
    {"one blank only", "abc x", NULL, NULL},
    {"another mark", "abc +x", NULL, NULL},
    {"no name", "abc *", NULL, NULL},
    {"nothing but ./", "abc *./", NULL, NULL},
    {"no blank", "abcx", NULL, NULL},
    {"empty", "", NULL, NULL},
    {"no sum", "  *x", NULL, NULL},
};

static void sums_line(void **state)
{
    const struct row *row = *state;
    struct str sum, name;
    bool ok = put_sums_line(str_of(row->line), &sum, &name);

    assert_int_equal(ok, row->sum != NULL);
    if (ok) {
        assert_true(str_eq(sum, row->sum));
        assert_true(str_eq(name, row->name));
    }
}

TEST_MAIN(ROWS(rows, sums_line))
