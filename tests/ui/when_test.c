/* SPDX-License-Identifier: PostgreSQL */
/* Moments in words, in Berlin; now is Saturday 22 August 2026 03:12:45. */
#include "ui/more_story.h"

static const struct row {
    const char *label;
    int64_t us;
    const char *brief, *exact, *dated, *moment;
} rows[] = {
    {"today", INT64_C(1787361128000000), "today 03:12:08", "today 03:12:08",
     "Sat 22 Aug 03:12:08 +02", "today 03:12:08 +02"},
    {"just after midnight", INT64_C(1787349600000000), "today 00:00:00", "today 00:00:00",
     "Sat 22 Aug 00:00:00 +02", "today 00:00:00 +02"},
    {"just before midnight", INT64_C(1787349599000000), "Fri 21 23:59", "Fri 21 Aug 23:59:59",
     "Fri 21 Aug 23:59:59 +02", "Fri 21 Aug 23:59:59 +02"},
    {"later today", INT64_C(1787421600000000), "today 20:00:00", "today 20:00:00",
     "Sat 22 Aug 20:00:00 +02", "today 20:00:00 +02"},
    {"tomorrow", INT64_C(1787448000000000), "2026-08-23 03:20", "Sun 23 Aug 03:20:00",
     "Sun 23 Aug 03:20:00 +02", "Sun 23 Aug 03:20:00 +02"},
    {"six days ago", INT64_C(1786842000000000), "Sun 16 03:00", "Sun 16 Aug 03:00:00",
     "Sun 16 Aug 03:00:00 +02", "Sun 16 Aug 03:00:00 +02"},
    {"eight days ago", INT64_C(1786669200000000), "2026-08-14 03:00", "Fri 14 Aug 03:00:00",
     "Fri 14 Aug 03:00:00 +02", "Fri 14 Aug 03:00:00 +02"},
    {"in winter", INT64_C(1768521600000000), "2026-01-16 01:00", "Fri 16 Jan 01:00:00",
     "Fri 16 Jan 01:00:00 +01", "Fri 16 Jan 01:00:00 +01"},
    {"another year", INT64_C(1735689600000000), "2025-01-01 01:00", "2025-01-01 01:00:00",
     "Wed 01 Jan 01:00:00 +01", "Wed 01 Jan 2025 01:00:00 +01"},
    {"never", 0, "never", "never", "Thu 01 Jan 01:00:00 +01", "not known"},
};

static void when(void **state)
{
    const struct row *row = *state;
    char out[WHEN_CAP];

    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    assert_string_equal(when_short(row->us, STORY_NOW_US, out), row->brief);
    assert_string_equal(when_exact(row->us, STORY_NOW_US, out), row->exact);
    assert_string_equal(when_dated(row->us, out), row->dated);
    assert_string_equal(when_moment(row->us, STORY_NOW_US, out), row->moment);
}

static void zones(void **state)
{
    char out[WHEN_CAP];
    (void)state;

    setenv("TZ", "America/St_Johns", 1);
    tzset();
    assert_string_equal(when_clock(STORY_NOW_US, out), "22:42:45 -02:30");
    assert_string_equal(when_full(STORY_NOW_US, out), "Fri 21 Aug 2026 22:42:45 -02:30");
    setenv("TZ", "UTC", 1);
    tzset();
    assert_string_equal(when_clock(STORY_NOW_US, out), "01:12:45 +00");
    assert_string_equal(when_time(STORY_NOW_US + 7000, out), "01:12:45.007");
}

TEST_MAIN(ROWS(rows, when); ONE(zones))
