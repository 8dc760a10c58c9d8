/* SPDX-License-Identifier: PostgreSQL */
/* harness.h - cmocka, with one named test per row of a table.
 *
 *     build/tests/core_wal_seg_test                  run everything
 *     build/tests/core_wal_seg_test '*lower case*'   run the rows whose label matches
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define HARNESS_MAX 512

struct harness {
    struct CMUnitTest test[HARNESS_MAX];
    size_t n;
};

/* label must be the first member of the row. */
static inline void harness_rows(struct harness *h, const void *rows, size_t n, size_t size,
                                CMUnitTestFunction fn)
{
    for (size_t i = 0; i < n; i++) {
        const char *row = (const char *)rows + i * size;
        const char *label;
        memcpy(&label, row, sizeof label);
        h->test[h->n++] = (struct CMUnitTest){label, fn, NULL, NULL, (void *)(uintptr_t)row};
    }
}

static inline void harness_one(struct harness *h, const char *label, CMUnitTestFunction fn)
{
    h->test[h->n++] = (struct CMUnitTest){label, fn, NULL, NULL, NULL};
}

#define ROWS(rows, fn)                                                                         \
    harness_rows(&h, rows, sizeof(rows) / sizeof((rows)[0]), sizeof((rows)[0]), fn)
#define ONE(fn) harness_one(&h, #fn, fn)

#define TEST_MAIN(...)                                                                         \
    int main(int argc, char **argv)                                                            \
    {                                                                                          \
        static struct harness h;                                                               \
        if (argc > 1) {                                                                        \
            cmocka_set_test_filter(argv[1]);                                                   \
        }                                                                                      \
        __VA_ARGS__;                                                                           \
        return _cmocka_run_group_tests(argv[0], h.test, h.n, NULL, NULL);                      \
    }

#endif
