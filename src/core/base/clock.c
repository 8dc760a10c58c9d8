/* SPDX-License-Identifier: PostgreSQL */
#include "clock.h"

#include "bug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_S INT64_C(86400)

int64_t clock_mono_ns(void)
{
    struct timespec ts;

    BUG_IF(clock_gettime(CLOCK_MONOTONIC, &ts) != 0);
    return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_wall_ns(void)
{
    const char *frozen = getenv("BARKEEP_NOW");
    struct timespec ts;
    uint64_t s;

    if (frozen && str_u64(str_of(frozen), UINT32_MAX, &s)) {
        return (int64_t)s * NS_PER_S;
    }
    BUG_IF(clock_gettime(CLOCK_REALTIME, &ts) != 0);
    return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days since 1970-01-01 of a date in the Gregorian calendar, counting years from March so that
 * the leap day is the last of its year. */
static int64_t days_of(int64_t y, int m, int d)
{
    int64_t era, yoe, doy;

    y -= m <= 2;
    era = floor_div(y, 400);
    yoe = y - era * 400;
    doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct civil civil_at(int64_t us, int32_t offset_s)
{
    int64_t s = floor_div(us, US_PER_S) + offset_s;
    int64_t days = floor_div(s, DAY_S);
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int rest = (int)(s - days * DAY_S);
    struct civil c = {
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .month = (int)(mp < 10 ? mp + 3 : mp - 9),
        .hour = rest / 3600,
        .minute = rest / 60 % 60,
        .second = rest % 60,
        .weekday = (int)(((days + 4) % 7 + 7) % 7),
    };
    c.year = (int)(yoe + era * 400 + (c.month <= 2));
    return c;
}

static bool within(int v, int least, int most)
{
    return v >= least && v <= most;
}

static int month_length(int year, int month)
{
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return length[month - 1] + (leap && month == 2);
}

bool civil_us(const struct civil *c, int32_t offset_s, int64_t *us)
{
    if (!within(c->year, 1, 9999) || !within(c->month, 1, 12) ||
        !within(c->day, 1, month_length(c->year, c->month)) || !within(c->hour, 0, 23) ||
        !within(c->minute, 0, 59) || !within(c->second, 0, 59)) {
        return false;
    }
    *us = (days_of(c->year, c->month, c->day) * DAY_S + c->hour * 3600 + c->minute * 60 +
           c->second - offset_s) *
          US_PER_S;
    return true;
}

int32_t clock_local_offset(int64_t us)
{
    time_t t = (time_t)floor_div(us, US_PER_S);
    struct tm tm;
    struct civil c;
    int64_t local;

    if (!localtime_r(&t, &tm)) {
        return 0;
    }
    c = (struct civil){.year = tm.tm_year + 1900,
                       .month = tm.tm_mon + 1,
                       .day = tm.tm_mday,
                       .hour = tm.tm_hour,
                       .minute = tm.tm_min,
                       .second = tm.tm_sec > 59 ? 59 : tm.tm_sec};
    if (!civil_us(&c, 0, &local)) {
        return 0;
    }
    return (int32_t)(local / US_PER_S - t);
}

struct stamp stamp_local(int64_t us)
{
    return (struct stamp){us, clock_local_offset(us)};
}

int clock_local_readings(const struct civil *c, struct stamp out[2])
{
    int64_t plain;
    int n = 0;

    if (!civil_us(c, 0, &plain)) {
        return 0;
    }
    /* Offsets lie within a day of UTC; the offsets in force a day before and a day after are
     * the only two a transition can choose between. The later offset gives the later moment
     * when it is smaller. */
    for (int side = -1; side <= 1; side += 2) {
        int32_t off = clock_local_offset(plain + side * DAY_S * US_PER_S);
        int64_t us = plain - off * US_PER_S;
        if (clock_local_offset(us) == off && (n == 0 || out[0].us != us)) {
            out[n++] = (struct stamp){us, off};
        }
    }
    if (n == 2 && out[0].us > out[1].us) {
        struct stamp swap = out[0];
        out[0] = out[1];
        out[1] = swap;
    }
    if (n == 0) {
        int32_t before = clock_local_offset(plain - DAY_S * US_PER_S);
        out[0] = stamp_local(plain - before * US_PER_S);
    }
    return n;
}

int64_t clock_local_before(int64_t us, int64_t span_us)
{
    int64_t day_us = DAY_S * US_PER_S;
    int64_t wall = us + clock_local_offset(us) * US_PER_S - span_us;
    int32_t early = clock_local_offset(wall - day_us), late = clock_local_offset(wall + day_us);
    int32_t east = early > late ? early : late, west = early > late ? late : early;
    int64_t first = wall - east * US_PER_S, second = wall - west * US_PER_S;

    return clock_local_offset(first) != east && clock_local_offset(second) == west ? second
                                                                                   : first;
}

static void add_offset(struct sbuf *b, int32_t offset_s)
{
    int32_t a = offset_s < 0 ? -offset_s : offset_s;

    sbuf_fmt(b, "%c%02d:%02d", offset_s < 0 ? '-' : '+', a / 3600, a / 60 % 60);
}

const char *stamp_iso(struct stamp s, char out[STAMP_CAP])
{
    struct civil c = civil_at(s.us, s.offset_s);
    int64_t frac = s.us - floor_div(s.us, US_PER_S) * US_PER_S;
    struct sbuf b;

    sbuf_init(&b, out, STAMP_CAP);
    sbuf_fmt(&b, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute,
             c.second);
    if (frac) {
        sbuf_fmt(&b, ".%06d", (int)frac);
    }
    add_offset(&b, s.offset_s);
    return out;
}

const char *stamp_ctime(struct stamp s, char out[STAMP_CAP])
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = civil_at(s.us, s.offset_s);

    str_fmt(out, STAMP_CAP, "%s %s %2d %02d:%02d:%02d %04d", days[c.weekday],
            months[c.month - 1], c.day, c.hour, c.minute, c.second, c.year);
    return out;
}

static bool take_2(struct str *s, int *out)
{
    unsigned v;

    if (!str_take_digits(s, 2, &v)) {
        return false;
    }
    *out = (int)v;
    return true;
}

static bool take_date(struct str *s, struct civil *c)
{
    unsigned year;

    if (!str_take_digits(s, 4, &year) || !str_take_char(s, '-') || !take_2(s, &c->month) ||
        !str_take_char(s, '-') || !take_2(s, &c->day)) {
        return false;
    }
    c->year = (int)year;
    return true;
}

static bool take_fraction(struct str *s, int32_t *us)
{
    int32_t unit = 100000;
    int n = 0;

    for (; s->n && s->p[0] >= '0' && s->p[0] <= '9' && n < 9; n++) {
        *us += (s->p[0] - '0') * unit;
        unit /= 10;
        *s = str_skip(*s, 1);
    }
    return n > 0;
}

static bool take_clock(struct str *s, struct time_text *t)
{
    if (!take_2(s, &t->civil.hour) || !str_take_char(s, ':') || !take_2(s, &t->civil.minute)) {
        return false;
    }
    if (str_take_char(s, ':')) {
        if (!take_2(s, &t->civil.second)) {
            return false;
        }
        if (str_take_char(s, '.')) {
            return take_fraction(s, &t->us);
        }
    }
    return true;
}

/* "Z", "UTC", "GMT", "+HH", "+HHMM", "+HH:MM". */
static bool take_offset(struct str *s, int32_t *offset_s)
{
    int sign, h, m = 0;

    if (str_eq_nocase(*s, "z") || str_eq_nocase(*s, "utc") || str_eq_nocase(*s, "gmt")) {
        *s = str_skip(*s, s->n);
        *offset_s = 0;
        return true;
    }
    if (str_take_char(s, '+')) {
        sign = 1;
    } else if (str_take_char(s, '-')) {
        sign = -1;
    } else {
        return false;
    }
    if (!take_2(s, &h)) {
        return false;
    }
    if (s->n && (str_take_char(s, ':') || s->n == 2) && !take_2(s, &m)) {
        return false;
    }
    *offset_s = sign * (h * 3600 + m * 60);
    return h <= 15 && m <= 59;
}

bool time_parse(struct str text, struct time_text *out)
{
    struct str s = str_trim(text);
    struct time_text t = {0};
    int32_t offset = 0;
    int64_t us;

    if (!take_date(&s, &t.civil)) {
        return false;
    }
    if (str_take_char(&s, 'T') || str_take_char(&s, ' ')) {
        if (!take_clock(&s, &t)) {
            return false;
        }
    }
    while (str_take_char(&s, ' ')) {
    }
    if (s.n) {
        t.has_offset = take_offset(&s, &offset);
        if (!t.has_offset || s.n) {
            return false;
        }
    }
    if (!civil_us(&t.civil, offset, &us)) {
        return false;
    }
    if (t.has_offset) {
        t.stamp = (struct stamp){us + t.us, offset};
    }
    *out = t;
    return true;
}
