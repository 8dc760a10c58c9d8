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
     W1_30,
     W1_10,
     W1_20},
    {"106 a lower timeline's backup needs the branch between",
     {DONE(A, 1, W1_10), DONE(B, 3, "000000030000000000000030"), DONE(C, 1, W1_20)},
     3,
     A,
     "000000030000000000000030",
     "00000002000000000000001F",
     W2_25},
    {"071 a new cluster whose places begin again",
     {DONE(A, 1, W1_20), DONE(B, 1, W1_30), DONE(C, 1, "000000010000000000000002")},
     3,
     A,
     W1_30,
     "000000010000000000000001",
     W1_10},
    {"071 after pg_upgrade from timeline 5",
     {DONE(A, 5, "000000050000000000000010"), DONE(B, 5, "000000050000000000000020"),
      DONE(C, 1, W1_30)},
     3,
     A,
     "000000050000000000000020",
     "00000005000000000000001F",
     W1_30},
    {"a limit that is no name removes nothing",
     {DONE(A, 1, W1_10), DONE(B, 1, "0000000100000000000000")},
     2,
     A,
     "",
     NULL,
     "000000010000000000000001"},
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
    assert_true(wal_cleanup_delete(&a,
                                   &(struct wal_cleanup_ask){row->backup, NULL, NULL, row->n},
                                   row->deleted, WAL_DELETE_BY_HAND, &c, &err));
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
    const struct wal_cleanup c = {true, W1_20, keep, 1, NULL, 0};
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
    assert_true(wal_cleanup_delete(&a, &(struct wal_cleanup_ask){.backup = list, .n = 2}, A,
                                   WAL_DELETE_BY_RETENTION, &c, &err));
    for (unsigned i = 0; i < 4096; i++) {
        snprintf(name, sizeof name, "0000000100000000%08X", i);
        gone += wal_cleanup_removes(&c, name);
    }
    assert_int_equal(gone, 512);
    arena_release(&a);
}

/* One kept alone, older: a person's delete leaves all WAL, retention what that one needs. */
static const struct keep_row {
    const char *label;
    enum keep keep;
    enum wal_role role;
    enum wal_delete by;
    bool applies;
} keep_rows[] = {
    {"kept alone, by hand", KEEP_STANDALONE, WAL_ROLE_OWN, WAL_DELETE_BY_HAND, false},
    {"kept alone, by retention", KEEP_STANDALONE, WAL_ROLE_OWN, WAL_DELETE_BY_RETENTION, true},
    {"kept alone, in the window", KEEP_STANDALONE, WAL_ROLE_ALL, WAL_DELETE_BY_RETENTION,
     false},
    {"kept with its WAL", KEEP_FULL, WAL_ROLE_ALL, WAL_DELETE_BY_RETENTION, false},
    {"not kept", KEEP_NONE, WAL_ROLE_ALL, WAL_DELETE_BY_RETENTION, false},
};

static void check_keep(void **state)
{
    const struct keep_row *row = *state;
    const struct backup list[] = {{.id = A,
                                   .status = BACKUP_DONE,
                                   .timeline = 1,
                                   .begin_wal = W1_10,
                                   .end_wal = "000000010000000000000011"},
                                  DONE(B, 1, W1_20),
                                  DONE(C, 1, W1_30)};
    const enum keep keep[] = {row->keep, KEEP_NONE, KEEP_NONE};
    const enum wal_role role[] = {row->role, WAL_ROLE_ALL, WAL_ROLE_ALL};
    struct wal_cleanup c;
    struct err err = {0};
    struct arena a;

    arena_init(&a, 0);
    assert_true(wal_cleanup_delete(&a, &(struct wal_cleanup_ask){list, keep, role, 3}, B,
                                   row->by, &c, &err));
    assert_int_equal(c.applies, row->applies);
    assert_int_equal(wal_cleanup_removes(&c, "00000001000000000000000F"), row->applies);
    assert_false(wal_cleanup_removes(&c, W1_10));
    assert_false(wal_cleanup_removes(&c, "000000010000000000000011"));
    assert_false(wal_cleanup_removes(&c, "000000010000000000000011.00000028.backup"));
    assert_int_equal(wal_cleanup_removes(&c, "000000010000000000000012"), row->applies);
    assert_int_equal(wal_cleanup_removes(&c, "00000001000000000000002F"), row->applies);
    assert_false(wal_cleanup_removes(&c, W1_30));
    arena_release(&a);
}

/* A window of WAL that C closes: what A and B need to be consistent stays, C's all. */
static void horizon(void **state)
{
    struct backup list[] = {{.id = A,
                             .status = BACKUP_DONE,
                             .timeline = 1,
                             .begin_wal = W1_10,
                             .end_wal = "000000010000000000000011"},
                            {.id = B,
                             .status = BACKUP_WAITING_FOR_WALS,
                             .timeline = 1,
                             .begin_wal = W1_20,
                             .end_wal = W1_20},
                            DONE(C, 2, W2_25)};
    enum keep keep[] = {KEEP_NONE, KEEP_NONE, KEEP_NONE};
    const struct wal_cleanup_ask ask = {.backup = list, .keep = keep, .n = 3};
    struct wal_cleanup c;
    struct err err = {0};
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    assert_true(wal_cleanup_horizon(&a, &ask, 2, &c, &err));
    assert_true(wal_cleanup_removes(&c, "00000001000000000000000F"));
    assert_false(wal_cleanup_removes(&c, W1_10));
    assert_false(wal_cleanup_removes(&c, "000000010000000000000011"));
    assert_true(wal_cleanup_removes(&c, "000000010000000000000012"));
    assert_false(wal_cleanup_removes(&c, W1_20));
    assert_true(wal_cleanup_removes(&c, W1_30));
    assert_true(wal_cleanup_removes(&c, "000000020000000000000024"));
    assert_false(wal_cleanup_removes(&c, W2_25));
    assert_false(wal_cleanup_removes(&c, "000000030000000000000001"));
    keep[1] = KEEP_FULL; /* wants all behind it, on every branch */
    assert_true(wal_cleanup_horizon(&a, &ask, 2, &c, &err));
    assert_true(wal_cleanup_removes(&c, "000000010000000000000012"));
    assert_false(wal_cleanup_removes(&c, W1_30));
    assert_false(wal_cleanup_removes(&c, "000000020000000000000024"));
    list[0].end_wal = NULL; /* where it ends is not known: nothing behind it goes */
    assert_true(wal_cleanup_horizon(&a, &ask, 2, &c, &err));
    assert_false(wal_cleanup_removes(&c, "000000010000000000000012"));
    arena_release(&a);
}

static void the_first_backup(void **state)
{
    struct backup list[] = {STATE(A, BACKUP_FAILED, 1, W1_10), DONE(B, 1, W1_20)};
    const struct wal_cleanup_ask ask = {.backup = list, .n = 2};
    struct wal_cleanup c;
    struct err err = {0};
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    assert_true(wal_cleanup_first(&a, &ask, &list[1], &c, &err));
    assert_true(c.applies);
    assert_string_equal(c.until, W1_20);
    list[0].status = BACKUP_DONE;
    assert_true(wal_cleanup_first(&a, &ask, &list[1], &c, &err));
    assert_false(c.applies);
    list[0].status = BACKUP_STARTED;
    assert_true(wal_cleanup_first(&a, &ask, &list[1], &c, &err));
    assert_false(c.applies);
    assert_false(wal_cleanup_removes(&c, W1_10));
    arena_release(&a);
}

TEST_MAIN(ROWS(rows, check_row), ROWS(name_rows, check_name), ROWS(keep_rows, check_keep),
          ONE(horizon), ONE(more_than_256_in_one_directory), ONE(the_first_backup))
