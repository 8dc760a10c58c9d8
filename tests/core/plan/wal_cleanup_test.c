/* SPDX-License-Identifier: PostgreSQL */
/* Verdicts were worked out on paper from the picture in wal_cleanup.h. */
#include "harness.h"

#include "plan/wal_cleanup.h"

#include <stdio.h>

#define A "20260101T000000"
#define B "20260102T000000"
#define C "20260103T000000"

#define W1_10 "000000010000000000000010"
#define W1_20 "000000010000000000000020"
#define W1_30 "000000010000000000000030"
#define W2_25 "000000020000000000000025"

#define DONE(ID, TLI, WAL)                                                                     \
    {                                                                                          \
        .id = ID, .status = BACKUP_DONE, .timeline = TLI, .begin_wal = WAL                     \
    }
#define STATE(ID, S, TLI, WAL)                                                                 \
    {                                                                                          \
        .id = ID, .status = S, .timeline = TLI, .begin_wal = WAL                               \
    }

static const struct row {
    const char *label;
    struct backup backup[4];
    size_t n;
    const char *deleted;
    const char *until; /* NULL: does not apply */
    const char *goes, *stays;
} rows[] = {
    {"oldest of three",
     {DONE(A, 1, W1_10), DONE(B, 1, W1_20), DONE(C, 1, W1_30)},
     3,
     A,
     W1_20,
     "00000001000000000000001F",
     W1_20},
    {"middle of three",
     {DONE(A, 1, W1_10), DONE(B, 1, W1_20), DONE(C, 1, W1_30)},
     3,
     B,
     NULL,
     NULL,
     W1_10},
    {"newest of three",
     {DONE(A, 1, W1_10), DONE(B, 1, W1_20), DONE(C, 1, W1_30)},
     3,
     C,
     NULL,
     NULL,
     W1_10},
    {"the only one: what is after its begin stays",
     {DONE(A, 1, W1_10)},
     1,
     A,
     W1_10,
     "00000001000000000000000F",
     W1_10},
    {"failed, nothing known, alone", {STATE(A, BACKUP_FAILED, 0, NULL)}, 1, A, "", NULL, W1_10},
    {"failed before a good one",
     {STATE(A, BACKUP_FAILED, 1, W1_10), DONE(B, 1, W1_20)},
     2,
     A,
     W1_20,
     W1_10,
     W1_20},
    {"failed after a good one",
     {DONE(A, 1, W1_10), STATE(B, BACKUP_FAILED, 1, W1_20)},
     2,
     B,
     NULL,
     NULL,
     W1_10},
    {"a failed one does not hold back",
     {DONE(A, 1, W1_10), STATE(B, BACKUP_FAILED, 1, W1_20), DONE(C, 1, W1_30)},
     3,
     A,
     W1_30,
     W1_20,
     W1_30},
    {"a running one does",
     {DONE(A, 1, W1_10), STATE(B, BACKUP_STARTED, 1, W1_20), DONE(C, 1, W1_30)},
     3,
     A,
     W1_20,
     W1_10,
     W1_20},
    {"older one still waits for WAL",
     {STATE(A, BACKUP_WAITING_FOR_WALS, 1, W1_10), DONE(B, 1, W1_20)},
     2,
     B,
     NULL,
     NULL,
     W1_10},
    {"limit on timeline 2: timeline 1 goes",
     {DONE(A, 1, W1_10), DONE(B, 2, W2_25)},
     2,
     A,
     W2_25,
     "0000000100000000000000FF",
     W2_25},
    {"limit on timeline 1: timeline 2 stays",
     {DONE(A, 1, W1_10), DONE(B, 1, W1_20), DONE(C, 2, W2_25)},
     3,
     A,
     W1_20,
     W1_10,
     "000000020000000000000001"},
    {"another backup on timeline 1 protects it",
     {DONE(A, 1, W1_10), DONE(B, 2, W2_25), STATE(C, BACKUP_STARTED, 1, W1_30)},
     3,
     A,
     W2_25,
     "000000020000000000000024",
     W1_10},
    {"not in the list", {DONE(B, 1, W1_20)}, 1, A, W1_20, W1_10, W1_20},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct wal_cleanup c;
    struct err err = {0};
    struct arena a;

    arena_init(&a, 0);
    assert_true(wal_cleanup_delete(&a, row->backup, row->n, row->deleted, &c, &err));
    assert_int_equal(c.applies, row->until != NULL);
    if (row->until) {
        assert_string_equal(c.until, row->until);
    }
    if (row->goes) {
        assert_true(wal_cleanup_removes(&c, row->goes));
    }
    assert_false(wal_cleanup_removes(&c, row->stays));
    arena_release(&a);
}

static const struct name_row {
    const char *label;
    const char *name;
    bool goes;
} name_rows[] = {
    {"older segment", "00000001000000000000001F", true},
    {"the limit itself", W1_20, false},
    {"younger segment", "000000010000000000000021", false},
    {"label of an older one", "00000001000000000000001F.00000028.backup", true},
    {"label of the limit", W1_20 ".00000028.backup", false},
    {"older partial", "00000001000000000000001F.partial", true},
    {"partial of the limit", W1_20 ".partial", false},
    {"history", "00000001.history", false},
    {"protected timeline", "000000030000000000000001", false},
    {"later timeline, smaller place", "000000020000000000000001", false},
    {"not a WAL name", "00000001000000000000001", false},
    {"empty", "", false},
};

static void check_name(void **state)
{
    static const pg_tli keep[] = {3};
    const struct wal_cleanup c = {true, W1_20, keep, 1};
    const struct name_row *row = *state;

    assert_int_equal(wal_cleanup_removes(&c, row->name), row->goes);
}

/* 512 of the 4096 segments of 1 MiB below one directory: exactly those, whatever their number.
 */
static void more_than_256_in_one_directory(void **state)
{
    const struct backup list[] = {DONE(A, 1, "000000010000000000000000"),
                                  DONE(B, 1, "000000010000000000000200")};
    struct wal_cleanup c;
    struct err err = {0};
    struct arena a;
    unsigned gone = 0;
    char name[32];

    (void)state;
    arena_init(&a, 0);
    assert_true(wal_cleanup_delete(&a, list, 2, A, &c, &err));
    for (unsigned i = 0; i < 4096; i++) {
        snprintf(name, sizeof name, "0000000100000000%08X", i);
        gone += wal_cleanup_removes(&c, name);
    }
    assert_int_equal(gone, 512);
    arena_release(&a);
}

static void the_first_backup(void **state)
{
    struct backup list[] = {STATE(A, BACKUP_FAILED, 1, W1_10), DONE(B, 1, W1_20)};
    struct wal_cleanup c;
    struct err err = {0};
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    assert_true(wal_cleanup_first(&a, list, 2, &list[1], &c, &err));
    assert_true(c.applies);
    assert_string_equal(c.until, W1_20);
    list[0].status = BACKUP_DONE;
    assert_true(wal_cleanup_first(&a, list, 2, &list[1], &c, &err));
    assert_false(c.applies);
    list[0].status = BACKUP_STARTED;
    assert_true(wal_cleanup_first(&a, list, 2, &list[1], &c, &err));
    assert_false(c.applies);
    assert_false(wal_cleanup_removes(&c, W1_10));
    arena_release(&a);
}

TEST_MAIN(ROWS(rows, check_row), ROWS(name_rows, check_name),
          ONE(more_than_256_in_one_directory), ONE(the_first_backup))
