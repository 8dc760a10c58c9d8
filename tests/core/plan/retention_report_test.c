/* SPDX-License-Identifier: PostgreSQL */
/* What a policy says of a catalogue, worked out on paper. Now is Tuesday, 31 March 2026, 12:00
 * UTC; a backup ends an hour after the time in its id. */
#include "harness.h"

#include "base/clock.h"
#include "plan/retention.h"

#include <stdio.h>

#define NOW "20260331T120000"
#define MAX 8

/* Status D W F S E (done, waiting, failed, started, empty), or I: an incremental DONE one, i a
 * FAILED one; of those `parent`. keep: f or s. */
struct one {
    const char *id;
    char status;
    char keep;
    const char *parent;
    const char *want;
};

static const struct row {
    const char *label;
    const char *policy;
    unsigned minimum;
    struct one backup[MAX];
    const char *now; /* NULL: NOW */
} rows[] = {
    {"newest two of three",
     "REDUNDANCY 2",
     0,
     {{"20260301T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260302T010000", 'D', 0, NULL, "VALID"},
      {"20260303T010000", 'D', 0, NULL, "VALID"}}},
    {"minimum redundancy is more",
     "REDUNDANCY 1",
     2,
     {{"20260301T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260302T010000", 'D', 0, NULL, "VALID"},
      {"20260303T010000", 'D', 0, NULL, "VALID"}}},
    {"none at all",
     "REDUNDANCY 0",
     0,
     {{"20260301T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260302T010000", 'D', 0, NULL, "OBSOLETE"}}},
    {"fewer than wanted",
     "REDUNDANCY 5",
     0,
     {{"20260301T010000", 'D', 0, NULL, "VALID"}, {"20260302T010000", 'D', 0, NULL, "VALID"}}},
    {"no backup", "REDUNDANCY 1", 1, {{NULL, 0, 0, NULL, NULL}}},
    {"one that waits does not count",
     "REDUNDANCY 1",
     0,
     {{"20260301T010000", 'D', 0, NULL, "VALID"}, {"20260302T010000", 'W', 0, NULL, "-"}}},
    {"050 a corrupt one pushes no good one out",
     "REDUNDANCY 1",
     0,
     {{"20260301T010000", 'D', 0, NULL, "VALID"},
      {"20260302T010000", 'F', 0, NULL, "-"},
      {"20260303T010000", 'F', 0, NULL, "-"}}},
    {"one that runs, and an empty one",
     "REDUNDANCY 1",
     0,
     {{"20260301T010000", 'D', 0, NULL, "VALID"},
      {"20260302T010000", 'S', 0, NULL, "-"},
      {"20260303T010000", 'E', 0, NULL, "-"}}},
    {"a kept one takes a place",
     "REDUNDANCY 2",
     0,
     {{"20260301T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260302T010000", 'D', 'f', NULL, "KEEP:FULL"},
      {"20260303T010000", 'D', 0, NULL, "VALID"}}},
    {"kept beyond the policy",
     "REDUNDANCY 1",
     0,
     {{"20260301T010000", 'D', 's', NULL, "KEEP:STANDALONE"},
      {"20260302T010000", 'D', 'f', NULL, "KEEP:FULL"},
      {"20260303T010000", 'D', 0, NULL, "VALID"}}},
    {"a kept one that failed is only failed",
     "REDUNDANCY 1",
     0,
     {{"20260301T010000", 'F', 'f', NULL, "-"}, {"20260302T010000", 'D', 0, NULL, "VALID"}}},
    {"104 chains go or stay as a whole",
     "REDUNDANCY 1",
     0,
     {{"20260301T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260302T010000", 'I', 0, "20260301T010000", "OBSOLETE"},
      {"20260303T010000", 'D', 0, NULL, "VALID"},
      {"20260304T010000", 'I', 0, "20260303T010000", "VALID"},
      {"20260305T010000", 'I', 0, "20260302T010000", "OBSOLETE"}}},
    {"104 a failed child shares the fate of its root",
     "REDUNDANCY 1",
     0,
     {{"20260301T010000", 'D', 0, NULL, "VALID"},
      {"20260302T010000", 'i', 0, "20260301T010000", "VALID"}}},
    {"104 children of a failed root",
     "REDUNDANCY 0",
     0,
     {{"20260301T010000", 'F', 0, NULL, "-"},
      {"20260302T010000", 'I', 0, "20260301T010000", "-"}}},
    {"104 a parent that is missing",
     "REDUNDANCY 1",
     0,
     {{"20260302T010000", 'I', 0, "20260301T010000", "-"},
      {"20260303T010000", 'D', 0, NULL, "VALID"}}},
    {"104 parents in a circle",
     "REDUNDANCY 1",
     0,
     {{"20260302T010000", 'I', 0, "20260303T010000", "-"},
      {"20260303T010000", 'I', 0, "20260302T010000", "-"}}},
    {"a child with the lower id: the clock was put back",
     "REDUNDANCY 1",
     0,
     {{"20260302T021000", 'I', 0, "20260302T025000", "VALID"},
      {"20260302T025000", 'D', 0, NULL, "VALID"}}},
    {"children of one kept with its WAL",
     "REDUNDANCY 1",
     0,
     {{"20260301T010000", 'D', 'f', NULL, "KEEP:FULL"},
      {"20260302T010000", 'I', 0, "20260301T010000", "VALID"},
      {"20260303T010000", 'D', 0, NULL, "VALID"}}},
    {"children of one kept alone, beyond the policy",
     "REDUNDANCY 1",
     0,
     {{"20260301T010000", 'D', 's', NULL, "KEEP:STANDALONE"},
      {"20260302T010000", 'I', 0, "20260301T010000", "OBSOLETE"},
      {"20260303T010000", 'D', 0, NULL, "VALID"}}},
    {"children of one kept alone, within",
     "REDUNDANCY 2",
     0,
     {{"20260301T010000", 'D', 's', NULL, "KEEP:STANDALONE"},
      {"20260302T010000", 'I', 0, "20260301T010000", "VALID"},
      {"20260303T010000", 'D', 0, NULL, "VALID"}}},

    {"the first before the window closes it",
     "RECOVERY WINDOW OF 7 DAYS", /* begins on 24 March, 12:00 */
     0,
     {{"20260320T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260323T010000", 'D', 0, NULL, "VALID"},
      {"20260325T010000", 'D', 0, NULL, "VALID"},
      {"20260330T010000", 'D', 0, NULL, "VALID"}}},
    {"one that ends as the window begins does not close it",
     "RECOVERY WINDOW OF 7 DAYS",
     0,
     {{"20260322T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260323T010000", 'D', 0, NULL, "VALID"},
      {"20260324T110000", 'D', 0, NULL, "VALID"}}},
    {"all before the window",
     "RECOVERY WINDOW OF 1 WEEK",
     0,
     {{"20260301T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260302T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260303T010000", 'D', 0, NULL, "VALID"}}},
    {"105 all before the window, and a minimum",
     "RECOVERY WINDOW OF 1 WEEK",
     2,
     {{"20260301T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260302T010000", 'D', 0, NULL, "OBSOLETE*"},
      {"20260303T010000", 'D', 0, NULL, "VALID"}}},
    {"105 children of one that only the minimum wants",
     "RECOVERY WINDOW OF 1 WEEK",
     2,
     {{"20260301T010000", 'D', 0, NULL, "OBSOLETE*"},
      {"20260302T010000", 'I', 0, "20260301T010000", "OBSOLETE*"},
      {"20260303T010000", 'D', 0, NULL, "VALID"}}},
    {"105 a kept one fills the minimum",
     "RECOVERY WINDOW OF 1 WEEK",
     3,
     {{"20260301T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260302T010000", 'D', 0, NULL, "OBSOLETE*"},
      {"20260303T010000", 'D', 'f', NULL, "KEEP:FULL"},
      {"20260304T010000", 'D', 0, NULL, "VALID"}}},
    {"no window at all: the newest",
     "RECOVERY WINDOW OF 0 DAYS",
     0,
     {{"20260330T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260331T010000", 'D', 0, NULL, "VALID"}}},
    {"a month has 31 days", /* 28 February, 12:00 */
     "RECOVERY WINDOW OF 1 MONTH",
     0,
     {{"20260227T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260228T010000", 'D', 0, NULL, "VALID"},
      {"20260228T120000", 'D', 0, NULL, "VALID"}}},
    {"a failed one does not close the window",
     "RECOVERY WINDOW OF 1 WEEK",
     0,
     {{"20260301T010000", 'D', 0, NULL, "VALID"},
      {"20260302T010000", 'F', 0, NULL, "-"},
      {"20260330T010000", 'D', 0, NULL, "VALID"}}},
    {"an incremental one does not close the window",
     "RECOVERY WINDOW OF 1 WEEK",
     0,
     {{"20260301T010000", 'D', 0, NULL, "VALID"},
      {"20260302T010000", 'I', 0, "20260301T010000", "VALID"},
      {"20260330T010000", 'D', 0, NULL, "VALID"}}},
    {"kept alone and closing the window: its children go, as with Barman",
     "RECOVERY WINDOW OF 1 WEEK",
     0,
     {{"20260301T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260302T010000", 'D', 's', NULL, "KEEP:STANDALONE"},
      {"20260303T010000", 'I', 0, "20260302T010000", "OBSOLETE"}}},
    {"kept alone in the window: its children stay",
     "RECOVERY WINDOW OF 1 WEEK",
     0,
     {{"20260329T010000", 'D', 's', NULL, "KEEP:STANDALONE"},
      {"20260330T010000", 'I', 0, "20260329T010000", "VALID"}}},
    {"112 the clock was set back before all backups",
     "RECOVERY WINDOW OF 1 DAYS",
     0,
     {{"20260301T010000", 'D', 0, NULL, "VALID"}, {"20260302T010000", 'D', 0, NULL, "VALID"}},
     "20200101T000000"},
    {"030 the clock was set back an hour between two",
     "REDUNDANCY 1",
     0,
     {{"20260329T015959", 'D', 0, NULL, "OBSOLETE"},
      {"20260329T020000", 'D', 0, NULL, "VALID"}},
     "20260329T012959"},

    {"the newest of each of the last two days",
     "KEEP 2 DAILY",
     0,
     {{"20260328T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260329T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260329T230000", 'D', 0, NULL, "VALID"},
      {"20260331T010000", 'D', 0, NULL, "VALID"}}},
    {"a pause deletes nothing",
     "KEEP 3 DAILY",
     0,
     {{"20250101T010000", 'D', 0, NULL, "VALID"},
      {"20250201T010000", 'D', 0, NULL, "VALID"},
      {"20250301T010000", 'D', 0, NULL, "VALID"}}},
    {"a week begins on Monday", /* 23 and 30 March are Mondays */
     "KEEP 2 WEEKLY",
     0,
     {{"20260322T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260323T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260329T010000", 'D', 0, NULL, "VALID"},
      {"20260330T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260331T010000", 'D', 0, NULL, "VALID"}}},
    {"a week goes on in the next year", /* 29 December 2025 is a Monday */
     "KEEP 2 WEEKLY",
     0,
     {{"20251221T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20251228T010000", 'D', 0, NULL, "VALID"},
      {"20251229T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260101T010000", 'D', 0, NULL, "VALID"}}},
    {"a week over the end of February in a leap year", /* 26 February 2024 is a Monday */
     "KEEP 1 WEEKLY",
     0,
     {{"20240225T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20240226T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20240229T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20240303T010000", 'D', 0, NULL, "VALID"}}},
    {"months, and years",
     "KEEP 2 YEARLY, 2 MONTHLY",
     0,
     {{"20240228T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20251230T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20251231T010000", 'D', 0, NULL, "VALID"},
      {"20260228T010000", 'D', 0, NULL, "VALID"},
      {"20260301T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260330T010000", 'D', 0, NULL, "VALID"}}},
    {"a day and months together",
     "KEEP 1 DAILY, 3 MONTHLY",
     0,
     {{"20260101T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260131T010000", 'D', 0, NULL, "VALID"},
      {"20260228T010000", 'D', 0, NULL, "VALID"},
      {"20260330T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260331T010000", 'D', 0, NULL, "VALID"}}},
    {"one that failed or waits does not stand for a day",
     "KEEP 1 DAILY",
     0,
     {{"20260329T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260330T010000", 'D', 0, NULL, "VALID"},
      {"20260330T050000", 'F', 0, NULL, "-"},
      {"20260331T010000", 'W', 0, NULL, "-"}}},
    {"105 days and a minimum",
     "KEEP 2 DAILY",
     4,
     {{"20260327T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260328T010000", 'D', 0, NULL, "OBSOLETE*"},
      {"20260328T050000", 'D', 0, NULL, "VALID"},
      {"20260329T010000", 'D', 0, NULL, "OBSOLETE*"},
      {"20260329T050000", 'D', 0, NULL, "VALID"}}},
    {"105 days and a minimum that a kept one fills",
     "KEEP 1 DAILY",
     2,
     {{"20260301T010000", 'D', 'f', NULL, "KEEP:FULL"},
      {"20260330T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260331T010000", 'D', 0, NULL, "VALID"}}},
    {"a kept one may stand for its day",
     "KEEP 1 DAILY",
     0,
     {{"20260331T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260331T050000", 'D', 's', NULL, "KEEP:STANDALONE"},
      {"20260331T060000", 'I', 0, "20260331T050000", "VALID"}}},
    {"104 chains and days",
     "KEEP 1 DAILY",
     0,
     {{"20260330T010000", 'D', 0, NULL, "OBSOLETE"},
      {"20260330T020000", 'I', 0, "20260330T010000", "OBSOLETE"},
      {"20260331T010000", 'D', 0, NULL, "VALID"},
      {"20260331T020000", 'I', 0, "20260331T010000", "VALID"},
      {"20260331T030000", 'I', 0, "20260330T020000", "OBSOLETE"}}},
};

static struct moment moment_of(const char *id, int plus_s)
{
    struct civil c = {0};
    struct moment m = {.known = true};
    int n[6];

    assert_int_equal(
        sscanf(id, "%4d%2d%2dT%2d%2d%2d", &n[0], &n[1], &n[2], &n[3], &n[4], &n[5]), 6);
    c = (struct civil){
        .year = n[0], .month = n[1], .day = n[2], .hour = n[3], .minute = n[4], .second = n[5]};
    assert_true(civil_us(&c, 0, &m.us));
    m.us += plus_s * US_PER_S;
    return m;
}

static enum backup_status status_of(char c)
{
    switch (c) {
    case 'D':
    case 'I':
        return BACKUP_DONE;
    case 'W':
        return BACKUP_WAITING_FOR_WALS;
    case 'S':
        return BACKUP_STARTED;
    case 'E':
        return BACKUP_EMPTY;
    default:
        return BACKUP_FAILED;
    }
}

static size_t make(const struct one *from, struct backup *b, enum keep *keep)
{
    size_t n = 0;

    for (; n < MAX && from[n].id; n++) {
        b[n] = (struct backup){.status = status_of(from[n].status),
                               .parent_backup_id = from[n].parent,
                               .mode = "postgres",
                               .end_time = moment_of(from[n].id, 3600),
                               .timeline = 1};
        str_copy(b[n].id, sizeof b[n].id, from[n].id);
        keep[n] = from[n].keep == 'f'   ? KEEP_FULL
                  : from[n].keep == 's' ? KEEP_STANDALONE
                                        : KEEP_NONE;
    }
    return n;
}

static void check_row(void **state)
{
    const struct row *row = *state;
    struct retention_fate fate[MAX];
    struct backup backup[MAX];
    enum keep keep[MAX];
    struct retention policy;
    struct err err = {0};
    struct retention_ask ask = {.backup = backup,
                                .keep = keep,
                                .n = make(row->backup, backup, keep),
                                .minimum_redundancy = row->minimum,
                                .now_us = moment_of(row->now ? row->now : NOW, 0).us};

    assert_true(retention_parse(str_of(row->policy), &policy, &err));
    retention_report(&policy, &ask, fate);
    for (size_t i = 0; i < ask.n; i++) {
        const char *said = retention_verdict_name(fate[i].verdict);

        if (strcmp(said, row->backup[i].want) != 0) {
            fail_msg("%s: %s and not %s", row->backup[i].id, said, row->backup[i].want);
        }
    }
}

/* After pg_upgrade timelines begin again at 1, and in a new cluster LSNs do: neither makes the
 * new backups the older ones. */
static void r071_generations(void **state)
{
    struct backup backup[3] = {
        {.id = "20260301T010000", .timeline = 5, .systemid = "7", .version = 150004},
        {.id = "20260302T010000", .timeline = 5, .systemid = "7", .version = 150004},
        {.id = "20260303T010000", .timeline = 1, .systemid = "8", .version = 160001},
    };
    const struct retention policy = {.kind = RETENTION_REDUNDANCY, .n = 2};
    struct retention_ask ask = {.backup = backup, .n = 3};
    struct retention_fate fate[3];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        backup[i].status = BACKUP_DONE;
        backup[i].end_xlog = (3 - i) * 0x1000000;
    }
    retention_report(&policy, &ask, fate);
    assert_int_equal(fate[0].verdict, RETENTION_OBSOLETE);
    assert_int_equal(fate[1].verdict, RETENTION_VALID);
    assert_int_equal(fate[2].verdict, RETENTION_VALID);
}

/* Backups whose end is not known are not taken for old. */
static void end_not_known(void **state)
{
    struct backup backup[2] = {{.id = "20260301T010000", .status = BACKUP_DONE},
                               {.id = "20260302T010000", .status = BACKUP_DONE}};
    const struct retention policy = {.kind = RETENTION_WINDOW, .n = 1};
    struct retention_ask ask = {.backup = backup, .n = 2, .now_us = moment_of(NOW, 0).us};
    struct retention_fate fate[2];

    (void)state;
    retention_report(&policy, &ask, fate);
    assert_int_equal(fate[0].verdict, RETENTION_VALID);
    assert_int_equal(fate[1].verdict, RETENTION_VALID);
    assert_int_equal(retention_anchor(&policy, &ask), 2);
}

/* A clock that was put back by an hour some days ago. */
static int64_t an_hour_more(int64_t us, int64_t span_us)
{
    return us - span_us - INT64_C(3600000000);
}

/* Three days back from 31 March 12:00 are 28 March 11:00 here, and the second one ended at 11:30:
 * it is still in the window, and does not close it. */
static void window_by_the_calendar(void **state)
{
    struct backup backup[3] = {{.id = "20260326T010000", .status = BACKUP_DONE},
                               {.id = "20260327T010000", .status = BACKUP_DONE},
                               {.id = "20260328T103000", .status = BACKUP_DONE}};
    const struct retention policy = {.kind = RETENTION_WINDOW, .n = 3};
    struct retention_ask ask = {.backup = backup, .n = 3, .now_us = moment_of(NOW, 0).us};
    struct retention_fate fate[3];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        backup[i].end_time = moment_of(backup[i].id, 3600);
    }
    retention_report(&policy, &ask, fate);
    assert_int_equal(fate[1].verdict, RETENTION_OBSOLETE);
    assert_int_equal(fate[2].verdict, RETENTION_VALID);
    ask.before = an_hour_more;
    retention_report(&policy, &ask, fate);
    assert_int_equal(fate[0].verdict, RETENTION_OBSOLETE);
    assert_int_equal(fate[1].verdict, RETENTION_VALID);
    assert_int_equal(fate[2].verdict, RETENTION_VALID);
    assert_int_equal(retention_anchor(&policy, &ask), 1);
}

TEST_MAIN(ROWS(rows, check_row), ONE(window_by_the_calendar), ONE(r071_generations),
          ONE(end_not_known))
