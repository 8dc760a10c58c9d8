/* SPDX-License-Identifier: PostgreSQL */
#include "core/repo/fixture.h"

#include "engine/check_backup.h"
#include "said.h"

#include <stdlib.h>

#define ID "20260101T000000"

/* wals: the segments of timeline 1 that are archived, by number. arrived: one that waits for that;
 * negative: in incoming. */
static const struct row {
    const char *label;
    enum backup_status before;
    const char *begin, *end;
    int wals[4]; /* 0 ends */
    enum backup_status after;
    const char *missing;
    int arrived;
} rows[] = {
#define S(n) "00000001000000000000000" #n
    {"all there", BACKUP_WAITING_FOR_WALS, S(2), S(3), {2, 3}, BACKUP_DONE, NULL},
    {"all and more", BACKUP_WAITING_FOR_WALS, S(2), S(3), {1, 2, 3, 4}, BACKUP_DONE, NULL},
    {"one segment", BACKUP_WAITING_FOR_WALS, S(2), S(2), {2}, BACKUP_DONE, NULL},
    {"none", BACKUP_DONE, S(2), S(3), {0}, BACKUP_WAITING_FOR_WALS, NULL},
    {"only older", BACKUP_WAITING_FOR_WALS, S(2), S(3), {1}, BACKUP_WAITING_FOR_WALS, NULL},
    {"end is still to come",
     BACKUP_WAITING_FOR_WALS,
     S(2),
     S(3),
     {2},
     BACKUP_WAITING_FOR_WALS,
     NULL},
    {"first missing", BACKUP_WAITING_FOR_WALS, S(2), S(4), {3, 4}, BACKUP_FAILED, S(2)},
    {"hole", BACKUP_WAITING_FOR_WALS, S(2), S(4), {2, 4}, BACKUP_FAILED, S(3)},
    {"hole, and it has arrived",
     BACKUP_WAITING_FOR_WALS,
     S(2),
     S(4),
     {2, 4},
     BACKUP_WAITING_FOR_WALS,
     NULL,
     3},
    {"end missing, later there, and it has arrived",
     BACKUP_WAITING_FOR_WALS,
     S(2),
     S(3),
     {2, 4},
     BACKUP_WAITING_FOR_WALS,
     NULL,
     -3},
    {"hole, and another has arrived",
     BACKUP_WAITING_FOR_WALS,
     S(2),
     S(5),
     {2, 5},
     BACKUP_FAILED,
     S(3),
     4},
    {"end missing, later there",
     BACKUP_WAITING_FOR_WALS,
     S(2),
     S(3),
     {2, 4},
     BACKUP_FAILED,
     S(3)},
    {"DONE with a hole", BACKUP_DONE, S(2), S(3), {3}, BACKUP_FAILED, S(2)},
    {"failed stays failed", BACKUP_FAILED, S(2), S(3), {2, 3}, BACKUP_FAILED, NULL},
    {"running stays running", BACKUP_STARTED, S(2), S(3), {2, 3}, BACKUP_STARTED, NULL},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    enum backup_status now;
    struct backup b = {.id = ID,
                       .status = row->before,
                       .begin_wal = row->begin,
                       .end_wal = row->end,
                       .timeline = 1,
                       .xlog_segment_size = FX_SEG};
    struct err err = {0};
    struct said said;
    struct arena a;
    struct fx f;

    fx_init(&f);
    arena_init(&a, 0);
    assert_int_equal(mkdir(fx_fmt("%s/0000000100000000", f.r.wals_dir), 0700), 0);
    for (int i = 0; i < 4 && row->wals[i]; i++) {
        fx_segment(fx_fmt("%s/0000000100000000", f.r.wals_dir), (uint64_t)row->wals[i]);
    }
    if (row->arrived) {
        fx_segment(row->arrived > 0 ? f.r.streaming_dir : f.r.incoming_dir,
                   (uint64_t)abs(row->arrived));
    }
    assert_true(backup_info_save(&f.r, &b, &err));
    assert_true(check_backup(said_init(&said), &f.r, ID, &now, &err));
    assert_int_equal(now, row->after);
    assert_true(backup_info_load(&f.r, &a, ID, &b, &err));
    assert_int_equal(b.status, row->after);
    if (row->missing) {
        assert_non_null(strstr(said.error, row->missing));
        assert_string_equal(
            b.error, fx_fmt("At least one WAL file is missing. The first missing WAL file "
                            "is %s",
                            row->missing));
    } else {
        assert_string_equal(said.error,
                            row->before == BACKUP_FAILED
                                ? "The validity of a failed backup cannot be checked\n"
                                : "");
        assert_null(b.error);
    }
    arena_release(&a);
    fx_release(&f);
}

static void nonsense_in_the_file(void **state)
{
    const char *bad[][2] = {{"x", S(3)},
                            {S(3), S(2)},
                            {S(3), "000000020000000000000004"},
                            {"000000010000000000001000", S(2)}};
    struct err err = {0};
    struct said said;
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_int_equal(mkdir(fx_fmt("%s/0000000100000000", f.r.wals_dir), 0700), 0);
    fx_text(fx_fmt("%s/0000000100000000/0000000100000000000FFFFF", f.r.wals_dir), "");
    for (int i = 0; i < 4; i++) {
        struct backup b = {.id = ID,
                           .status = BACKUP_WAITING_FOR_WALS,
                           .begin_wal = bad[i][0],
                           .end_wal = bad[i][1],
                           .xlog_segment_size = FX_SEG};
        enum backup_status now;

        assert_true(backup_info_save(&f.r, &b, &err));
        assert_false(check_backup(said_init(&said), &f.r, ID, &now, &err));
        assert_int_equal(err.code, ERR_FORMAT);
        err = (struct err){0};
    }
    fx_release(&f);
}

static void somebody_else_is_at_it(void **state)
{
    enum backup_status now;
    struct err err = {0};
    struct said said;
    struct lock lock;
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_true(lock_take(&lock, &f.r, ID, LOCK_TRY, &err));
    assert_false(check_backup(said_init(&said), &f.r, ID, &now, &err));
    assert_int_equal(err.code, ERR_BUSY);
    lock_release(&lock);
    fx_release(&f);
}

TEST_MAIN(ROWS(rows, check_row), ONE(nonsense_in_the_file), ONE(somebody_else_is_at_it))
