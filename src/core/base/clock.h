/* SPDX-License-Identifier: PostgreSQL */
/* clock.h - what time it is, and how a moment is written.
 *
 * Inside, a moment is an int64_t of nanoseconds or microseconds since 1970 in UTC, and every
 * duration comes from the monotonic clock. What carries its own offset (the times in a
 * backup.info) is a struct stamp. Only this file asks the local time zone.
 *
 * Tests may freeze the wall clock with BARKEEP_NOW (seconds since 1970), so that golden output
 * has one date; the monotonic clock is never frozen.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "barkeep/err.h"
#include "barkeep/str.h"

#include <stdint.h>

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define US_PER_S  INT64_C(1000000)

/* Microseconds from 1970 to 2000, the epoch of PostgreSQL's TimestampTz. */
#define PG_EPOCH_US INT64_C(946684800000000)

struct stamp {
    int64_t us;       /* since 1970, UTC */
    int32_t offset_s; /* east of UTC, as it was written */
};

struct civil {
    int year;       /* 1 .. 9999 */
    int month, day; /* 1 .. 12, 1 .. 31 */
    int hour, minute, second;
    int weekday; /* 0 Sunday */
};

int64_t clock_mono_ns(void);
int64_t clock_wall_ns(void);

/* Calendar arithmetic without a zone: us is shifted by offset_s, then broken up. */
struct civil civil_at(int64_t us, int32_t offset_s);
/* Inverse; false for a date that does not exist (31 April, second 60). */
bool civil_us(const struct civil *c, int32_t offset_s, int64_t *us);

/* Offset of the local zone at that moment, and its abbreviation (may be NULL). */
int32_t clock_local_offset(int64_t us);
struct stamp stamp_local(int64_t us);

/* A wall-clock reading of the local zone -> moments. 1: one reading; 2: the hour is repeated
 * (daylight saving ends), out[0] < out[1]; 0: the hour was skipped; out[0] is then what a clock
 * that had not been put forward would have shown: 02:30 of a skip from 02:00 to 03:00 is 03:30.
 * Of a date that does not exist 0, and out is left as it was. */
int clock_local_readings(const struct civil *c, struct stamp out[2]);

/* When the local clock showed what it shows at us, less span_us: a day before is 25 hours ago when
 * daylight saving ended in between. Of a reading that came twice the first; for 02:30 of a skip
 * from 02:00 to 03:00 the moment of 01:30. */
int64_t clock_local_before(int64_t us, int64_t span_us);

/* "2026-11-22 13:43:59.813183+00:00": microseconds only when not zero, offset +HH:MM. */
#define STAMP_CAP 48
const char *stamp_iso(struct stamp s, char out[STAMP_CAP]);
/* "Sun Nov 22 13:43:59 2026", in the stamp's own offset. */
const char *stamp_ctime(struct stamp s, char out[STAMP_CAP]);

/* "YYYY-MM-DD[ T]HH:MM[:SS[.f{1,9}]][ ][Z|UTC|+HH[[:]MM]]" as people and PostgreSQL write it.
 * has_offset tells whether an offset was there; if not, *c is all that is known and s->us is
 * not set. The date alone means midnight. */
struct time_text {
    struct civil civil;
    int32_t us;
    bool has_offset;
    struct stamp stamp; /* when has_offset */
};
bool time_parse(struct str text, struct time_text *out);

#endif
