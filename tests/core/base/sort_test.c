/* SPDX-License-Identifier: PostgreSQL */
/* The sort against the plainest thing that does the same: qsort() over an array. */
#include "base/sort.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MEMORY (4 * SORT_RECORD_MAX)

struct item {
    char key[40];
    unsigned at;
};

static int by_key(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int c = strcmp(x->key, y->key);

    return c ? c : (x->at > y->at) - (x->at < y->at);
}

static const struct row {
    const char *label;
    unsigned n;
    unsigned keys; /* how many different ones */
} rows[] = {
    {"nothing", 0, 1},
    {"one", 1, 1},
    {"in memory", 500, 500},
    {"equal keys in memory", 500, 7},
    {"some runs", 20000, 20000},
    {"equal keys over runs", 20000, 11},
    {"more runs than are merged at once", 400000, 399989},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    struct item *item = calloc(r->n + 1, sizeof *item);
    struct err err = {0};
    struct sort *s = sort_new(".", MEMORY, &err);
    struct str key, value;
    uint64_t x = 1;

    assert_non_null(s);
    for (unsigned i = 0; i < r->n; i++) {
        x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        snprintf(item[i].key, sizeof item[i].key, "base/%u", (unsigned)(x >> 33) % r->keys);
        item[i].at = i;
        assert_true(sort_add(s, str_of(item[i].key),
                             str_n((char *)&item[i].at, sizeof item[i].at), &err));
    }
    qsort(item, r->n, sizeof *item, by_key);
    for (unsigned i = 0; i < r->n; i++) {
        assert_int_equal(sort_next(s, &key, &value, &err), 1);
        assert_int_equal(key.n, strlen(item[i].key));
        assert_memory_equal(key.p, item[i].key, key.n);
        assert_int_equal(value.n, sizeof item[i].at);
        assert_memory_equal(value.p, &item[i].at, value.n);
    }
    assert_int_equal(sort_next(s, &key, &value, &err), 0);
    assert_int_equal(sort_next(s, &key, &value, &err), 0);
    sort_free(s);
    free(item);
}

static void largest_records(void **state)
{
    static char big[SORT_RECORD_MAX + 1];
    struct err err = {0};
    struct sort *s = sort_new(".", MEMORY, &err);
    struct str key, value;

    (void)state;
    for (int i = 9; i >= 0; i--) {
        memset(big, '0' + i, sizeof big);
        assert_true(sort_add(s, str_n(big, SORT_RECORD_MAX - 10), str_n(big, 10), &err));
    }
    assert_false(sort_add(s, str_n(big, SORT_RECORD_MAX), str_n(big, 1), &err));
    assert_int_equal(err.code, ERR_FORMAT);
    for (int i = 0; i <= 9; i++) {
        assert_int_equal(sort_next(s, &key, &value, &err), 1);
        assert_int_equal(key.n, SORT_RECORD_MAX - 10);
        assert_int_equal(key.p[key.n - 1], '0' + i);
        assert_int_equal(value.p[9], '0' + i);
    }
    assert_int_equal(sort_next(s, &key, &value, &err), 0);
    sort_free(s);
}

static void no_directory(void **state)
{
    struct err err = {0};
    struct sort *s = sort_new("does-not-exist", MEMORY, &err);
    bool ok = true;

    (void)state;
    for (int i = 0; i < 10000 && ok; i++) {
        ok = sort_add(s, STR_LIT("0123456789"), STR_LIT("0123456789"), &err);
    }
    assert_false(ok);
    assert_int_equal(err.code, ERR_IO);
    sort_free(s);
}

TEST_MAIN(ROWS(rows, check_row), ONE(largest_records), ONE(no_directory))
