/* SPDX-License-Identifier: PostgreSQL */
#include "engine/put_wal.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* What came last is guessed next. */
static void kind_is_remembered(void **state)
{
    static const enum digest_kind came[] = {DIGEST_SHA256, DIGEST_MD5,    DIGEST_MD5,
                                            DIGEST_SHA256, DIGEST_SHA256, DIGEST_MD5};
    char dir[] = "/tmp/put_wal_test.XXXXXX", own[64], note[80];
    enum digest_kind last = DIGEST_SHA256;
    struct repo r = {.own_dir = own};

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(own, sizeof own, "%s/.barkeep", dir);
    for (size_t i = 0; i < sizeof came / sizeof came[0]; i++) {
        assert_int_equal(put_sums_guess(&r), last);
        put_sums_note(&r, put_sums_guess(&r), came[i]);
        last = came[i];
    }
    snprintf(note, sizeof note, "%s/put-md5", own);
    assert_int_equal(unlink(note), 0);
    assert_int_equal(mkdir(note, 0700), 0); /* something else of that name is no note */
    assert_int_equal(put_sums_guess(&r), DIGEST_SHA256);
    assert_int_equal(rmdir(note), 0);
    assert_int_equal(rmdir(own), 0);
    put_sums_note(&(struct repo){.own_dir = "/proc/nowhere"}, DIGEST_SHA256, DIGEST_MD5);
    assert_int_equal(rmdir(dir), 0);
}

TEST_MAIN(ROWS(rows, sums_line), ONE(kind_is_remembered))
