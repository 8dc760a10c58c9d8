/* SPDX-License-Identifier: PostgreSQL */
#include "engine/bounds.h"

#include "harness.h"

/* Segment 5 of 1 MiB: 0/500000 up to 0/600000. */
#define SEG "000000010000000000000005"
#define GOOD                                                                                   \
    SEG "\t1048576\t1795355034364561000\t0/0\tsound\t0/600000\t1795355034000000\t0/500100\t"   \
        "740\t1795355035000000\t0/5FFF00\t741"

struct row {
    const char *label, *line;
    bool ok;
};
static const struct row rows[] = {
    {"first and last commit", GOOD, true},
    {"no commit", SEG "\t1048576\t1\t0/0\tsound\t0/600000\t0\t0/0\t0\t0\t0/0\t0", true},
    {"damaged", SEG "\t9\t1\t0/0\tbroken\t0/500000\t0\t0/0\t0\t0\t0/0\t0", true},
    {"first behind a place",
     SEG "\t9\t1\t0/580000\tsound\t0/600000\t7\t0/590000\t1\t7\t"
         "0/590000\t1",
     true},
    {"a last one before that place",
     SEG "\t9\t1\t0/580000\tsound\t0/600000\t0\t0/0\t0\t7\t"
         "0/510000\t1",
     true},

    {"empty", "", false},
    {"only a name", SEG, false},
    {"cut in the middle", SEG "\t1048576\t1795355034364561000\t0/0\tsou", false},
    {"the last field is missing", SEG "\t9\t1\t0/0\tsound\t0/600000\t0\t0/0\t0\t0\t0/0", false},
    {"one field too many", GOOD "\t1", false},
    {"another word", SEG "\t9\t1\t0/0\tfine\t0/600000\t0\t0/0\t0\t0\t0/0\t0", false},
    {"a negative size", SEG "\t-9\t1\t0/0\tsound\t0/600000\t0\t0/0\t0\t0\t0/0\t0", false},
    {"a size beyond all",
     SEG "\t99999999999999999999\t1\t0/0\tsound\t0/600000\t0\t0/0\t0\t0\t"
         "0/0\t0",
     false},
    {"a name that is none",
     "00000001000000000000000X\t9\t1\t0/0\tsound\t0/600000\t0\t0/0\t0\t0"
     "\t0/0\t0",
     false},
    {"a name of another segment size",
     "000000010000000000001FFF\t9\t1\t0/0\tsound\t0/600000\t0"
     "\t0/0\t0\t0\t0/0\t0",
     false},
    {"an end elsewhere", SEG "\t9\t1\t0/0\tsound\t0/700000\t0\t0/0\t0\t0\t0/0\t0", false},
    {"an end before it", SEG "\t9\t1\t0/0\tsound\t0/400000\t0\t0/0\t0\t0\t0/0\t0", false},
    {"a place elsewhere", SEG "\t9\t1\t0/680000\tsound\t0/600000\t0\t0/0\t0\t0\t0/0\t0", false},
    {"commits in another segment",
     SEG "\t9\t1\t0/0\tsound\t0/600000\t7\t0/700000\t1\t7\t0/700000\t1", false},
    {"the last before the first",
     SEG "\t9\t1\t0/0\tsound\t0/600000\t7\t0/590000\t1\t7\t0/510000\t1", false},
    {"a first and no last", SEG "\t9\t1\t0/0\tsound\t0/600000\t7\t0/590000\t1\t0\t0/0\t0",
     false},
    {"a place and no time", SEG "\t9\t1\t0/0\tsound\t0/600000\t0\t0/590000\t1\t0\t0/0\t0",
     false},
    {"an xid too large",
     SEG "\t9\t1\t0/0\tsound\t0/600000\t7\t0/590000\t4294967296\t7\t0/590000\t1", false},
    {"blanks for tabs", SEG " 9 1 0/0 sound 0/600000 0 0/0 0 0 0/0 0", false},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    struct bounds_line line;
    char text[512];
    struct sbuf b;

    assert_int_equal(bounds_parse_line(str_of(row->line), 1048576, &line), row->ok);
    if (row->ok) {
        sbuf_init(&b, text, sizeof text);
        bounds_put_line(&b, 1048576, &line);
        assert_true(sbuf_ok(&b) && b.len > 0 && text[b.len - 1] == '\n');
        text[b.len - 1] = '\0';
        assert_string_equal(text, row->line);
    }
}

static struct bounds_line line_of(uint64_t no, pg_lsn from, uint64_t size)
{
    return (struct bounds_line){.bound = {.seg = {1, no}, .from = from}, .size = size};
}

static bool is_even(void *ctx, const struct bounds_line *line)
{
    (void)ctx;
    return line->bound.seg.no % 2 == 0;
}

static void test_sorted_replaced_and_bounded(void **state)
{
    struct bounds_line line;
    struct bounds b;
    struct err err;

    (void)state;
    bounds_init(&b);
    for (uint64_t i = 0; i < 2000; i++) {
        line = line_of(i * 7 % 2000, 0, 1);
        assert_true(bounds_put(&b, &line, &err));
    }
    assert_int_equal(b.n, BOUNDS_MAX);
    line = line_of(7, 0, 2);
    assert_true(bounds_put(&b, &line, &err));
    assert_int_equal(b.n, BOUNDS_MAX);
    bounds_filter(&b, is_even, NULL);
    line = line_of(7, 0, 3);
    assert_true(bounds_put(&b, &line, &err));
    line = line_of(7, 9, 4);
    assert_true(bounds_put(&b, &line, &err));
    line = line_of(7, 0, 5);
    assert_true(bounds_put(&b, &line, &err));
    for (size_t i = 1; i < b.n; i++) {
        assert_true(coverage_bound_cmp(&b.line[i - 1].bound, &b.line[i].bound) < 0);
        assert_true(b.line[i].bound.seg.no != 7 ||
                    b.line[i].size == (b.line[i].bound.from ? 4 : 5));
    }
    bounds_release(&b);
}

TEST_MAIN(ROWS(rows, test_row), ONE(test_sorted_replaced_and_bounded))
