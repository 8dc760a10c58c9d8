/* SPDX-License-Identifier: PostgreSQL */
/* Expected values come from `date -u -d ...`, not from the code. */
#include "base/clock.h"

#include "harness.h"

#include <stdlib.h>
#include <time.h>

static const struct row {
    const char *label;
    const char *text;
    bool ok, has_offset;
    int64_t us; /* when has_offset */
} rows[] = {
    {"utc", "2026-11-22 13:43:59+00:00", true, true, INT64_C(1795355039000000)},
    {"micros", "2026-11-22 13:43:59.813183+00:00", true, true, INT64_C(1795355039813183)},
    {"t and z", "2026-11-22T13:43:59Z", true, true, INT64_C(1795355039000000)},
    {"east", "2026-11-22 13:43:59+05:30", true, true, INT64_C(1795335239000000)},
    {"west, hours only", "2026-11-22 13:43:59 -08", true, true, INT64_C(1795383839000000)},
    {"before 1970", "1969-12-31 23:59:59.5Z", true, true, INT64_C(-500000)},
    {"leap day", "2024-02-29 00:00:00Z", true, true, INT64_C(1709164800000000)},
    {"no offset", "2026-11-22 13:43:59", true, false, 0},
    {"no seconds", "2026-11-22 13:43", true, false, 0},
    {"date only", "2026-11-22", true, false, 0},
    {"named utc", "2026-11-22 13:43:59 UTC", true, true, INT64_C(1795355039000000)},
    {"no such day", "2026-02-29 00:00:00Z", false, false, 0},
    {"hour 24", "2026-11-22 24:00:00Z", false, false, 0},
    {"second 60", "2026-11-22 13:43:60Z", false, false, 0},
    {"tail", "2026-11-22 13:43:59Z please", false, false, 0},
    {"half an offset", "2026-11-22 13:43:59+0", false, false, 0},
    {"offset too big", "2026-11-22 13:43:59+16:00", false, false, 0},
    {"empty fraction", "2026-11-22 13:43:59.Z", false, false, 0},
    {"empty", "", false, false, 0},
    {"words", "yesterday", false, false, 0},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    struct time_text t = {0};

    assert_int_equal(time_parse(str_of(r->text), &t), r->ok);
    if (r->ok) {
        assert_int_equal(t.has_offset, r->has_offset);
    }
    if (r->has_offset) {
        assert_int_equal(t.stamp.us, r->us);
    }
}

static void printed_in_its_own_offset(void **state)
{
    char out[STAMP_CAP];
    struct stamp s = {INT64_C(1795355039813183), 19800};

    (void)state;
    assert_string_equal(stamp_iso(s, out), "2026-11-22 19:13:59.813183+05:30");
    assert_string_equal(stamp_ctime(s, out), "Sun Nov 22 19:13:59 2026");
    s = (struct stamp){0, 0};
    assert_string_equal(stamp_iso(s, out), "1970-01-01 00:00:00+00:00");
    assert_string_equal(stamp_ctime(s, out), "Thu Jan  1 00:00:00 1970");
}

/* Berlin: 2026-10-25 03:00 CEST became 02:00 CET; 2026-03-29 02:00 CET became 03:00 CEST. */
static void daylight_saving(void **state)
{
    struct civil twice = {2026, 10, 25, 2, 30, 0, 0};
    struct civil never = {2026, 3, 29, 2, 30, 0, 0};
    struct civil once = {2026, 7, 1, 12, 0, 0, 0};
    struct stamp out[2];

    (void)state;
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    assert_int_equal(clock_local_readings(&twice, out), 2);
    assert_int_equal(out[0].us / US_PER_S, 1792888200);
    assert_int_equal(out[0].offset_s, 7200);
    assert_int_equal(out[1].us / US_PER_S, 1792891800);
    assert_int_equal(clock_local_readings(&never, out), 0);
    assert_int_equal(clock_local_readings(&once, out), 1);
    assert_int_equal(out[0].us / US_PER_S, 1782900000);
}

/* Los Angeles: 2026-11-01 02:00 PDT became 01:00 PST; 2026-03-08 02:00 PST became 03:00 PDT. */
static const struct before_row {
    const char *label;
    const char *zone;
    const char *now;
    int64_t hours;
    const char *then;
} before_rows[] = {
    {"no change between", "America/Los_Angeles", "2026-07-02 12:00-07:00", 24,
     "2026-07-01 12:00-07:00"},
    {"no daylight saving", "UTC", "2026-11-02 12:00+00:00", 31 * 24, "2026-10-02 12:00+00:00"},
    {"nothing", "America/Los_Angeles", "2026-11-28 12:00-08:00", 0, "2026-11-28 12:00-08:00"},
    {"over its end", "America/Los_Angeles", "2026-11-28 12:00-08:00", 31 * 24,
     "2026-10-28 12:00-07:00"},
    {"over its begin", "America/Los_Angeles", "2026-03-09 12:00-07:00", 7 * 24,
     "2026-03-02 12:00-08:00"},
    {"to an hour that came twice: the first", "America/Los_Angeles", "2026-11-02 01:30-08:00",
     24, "2026-11-01 01:30-07:00"},
    {"just before that hour", "America/Los_Angeles", "2026-11-02 00:59:59-08:00", 24,
     "2026-11-01 00:59:59-07:00"},
    {"just after that hour", "America/Los_Angeles", "2026-11-02 02:00-08:00", 24,
     "2026-11-01 02:00-08:00"},
    {"to an hour that was skipped", "America/Los_Angeles", "2026-03-09 02:30-07:00", 24,
     "2026-03-08 01:30-08:00"},
    {"just after the skip", "America/Los_Angeles", "2026-03-09 03:00-07:00", 24,
     "2026-03-08 03:00-07:00"},
    {"over both", "Europe/Rome", "2026-11-28 12:00+01:00", 366 * 24, "2025-11-27 12:00+01:00"},
    {"east of Greenwich", "Europe/Rome", "2026-10-26 12:00+01:00", 48,
     "2026-10-24 12:00+02:00"},
};

static void check_before(void **state)
{
    const struct before_row *r = *state;
    struct time_text now = {0}, then = {0};

    assert_true(time_parse(str_of(r->now), &now) && time_parse(str_of(r->then), &then));
    setenv("TZ", r->zone, 1);
    tzset();
    assert_int_equal(clock_local_before(now.stamp.us, r->hours * 3600 * US_PER_S),
                     then.stamp.us);
}

TEST_MAIN(ROWS(before_rows, check_before), ROWS(rows, check_row),
          ONE(printed_in_its_own_offset), ONE(daylight_saving))
