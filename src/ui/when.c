/* SPDX-License-Identifier: PostgreSQL */
/* when.c - moments for people, always in the local zone and always with its offset where the
 * reader could be mistaken. */
#include "base/clock.h"
#include "ui/ui.h"

#include <stdlib.h>

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static struct civil local(int64_t us, int32_t *offset)
{
    *offset = clock_local_offset(us);
    return civil_at(us, *offset);
}

/* "+02", "-03:30" */
static void zone_text(int32_t offset_s, char out[8])
{
    int minutes = abs(offset_s) / 60;
    char sign = offset_s < 0 ? '-' : '+';

    if (minutes % 60) {
        (void)str_fmt(out, 8, "%c%02d:%02d", sign, minutes / 60 % 24, minutes % 60);
    } else {
        (void)str_fmt(out, 8, "%c%02d", sign, minutes / 60 % 24);
    }
}

const char *when_short(int64_t us, int64_t now_us, char out[WHEN_CAP])
{
    int32_t zone, now_zone;
    struct civil c = local(us, &zone), now = local(now_us, &now_zone);

    if (us == 0) {
        (void)str_copy(out, WHEN_CAP, "never");
    } else if (c.year == now.year && c.month == now.month && c.day == now.day) {
        (void)str_fmt(out, WHEN_CAP, "today %02d:%02d:%02d", c.hour, c.minute, c.second);
    } else if (us < now_us && now_us - us < 7 * 86400 * US_PER_S) {
        (void)str_fmt(out, WHEN_CAP, "%s %02d %02d:%02d", days[c.weekday], c.day, c.hour,
                      c.minute);
    } else {
        (void)str_fmt(out, WHEN_CAP, "%04d-%02d-%02d %02d:%02d", c.year, c.month, c.day, c.hour,
                      c.minute);
    }
    return out;
}

const char *when_exact(int64_t us, int64_t now_us, char out[WHEN_CAP])
{
    int32_t zone, now_zone;
    struct civil c = local(us, &zone), now = local(now_us, &now_zone);

    if (us == 0 || (c.year == now.year && c.month == now.month && c.day == now.day)) {
        return when_short(us, now_us, out);
    }
    if (c.year == now.year) {
        (void)str_fmt(out, WHEN_CAP, "%s %02d %s %02d:%02d:%02d", days[c.weekday], c.day,
                      months[c.month - 1], c.hour, c.minute, c.second);
    } else {
        (void)str_fmt(out, WHEN_CAP, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day,
                      c.hour, c.minute, c.second);
    }
    return out;
}

const char *when_dated(int64_t us, char out[WHEN_CAP])
{
    int32_t zone;
    struct civil c = local(us, &zone);
    char text[8];

    zone_text(zone, text);
    (void)str_fmt(out, WHEN_CAP, "%s %02d %s %02d:%02d:%02d %s", days[c.weekday], c.day,
                  months[c.month - 1], c.hour, c.minute, c.second, text);
    return out;
}

const char *when_full(int64_t us, char out[WHEN_CAP])
{
    int32_t zone;
    struct civil c = local(us, &zone);
    char text[8];

    zone_text(zone, text);
    (void)str_fmt(out, WHEN_CAP, "%s %02d %s %04d %02d:%02d:%02d %s", days[c.weekday], c.day,
                  months[c.month - 1], c.year, c.hour, c.minute, c.second, text);
    return out;
}

const char *when_clock(int64_t us, char out[WHEN_CAP])
{
    int32_t zone;
    struct civil c = local(us, &zone);
    char text[8];

    zone_text(zone, text);
    (void)str_fmt(out, WHEN_CAP, "%02d:%02d:%02d %s", c.hour, c.minute, c.second, text);
    return out;
}

const char *when_time(int64_t us, char out[WHEN_CAP])
{
    int32_t zone;
    struct civil c = local(us, &zone);

    (void)str_fmt(out, WHEN_CAP, "%02d:%02d:%02d.%03d", c.hour, c.minute, c.second,
                  (int)(us % US_PER_S / 1000));
    return out;
}

const char *when_option(int64_t us, char out[WHEN_CAP])
{
    return stamp_iso(stamp_local(us), out);
}

const char *when_moment(int64_t us, int64_t now_us, char out[WHEN_CAP])
{
    int32_t zone, now_zone;
    struct civil c = local(us, &zone), now = local(now_us, &now_zone);
    int ms = (int)((us % US_PER_S + US_PER_S) % US_PER_S / 1000);
    char day[24] = "today", offset[8], milli[8] = "";

    if (us == 0) {
        (void)str_copy(out, WHEN_CAP, "not known");
        return out;
    }
    if (c.year != now.year) {
        (void)str_fmt(day, sizeof day, "%s %02d %s %04d", days[c.weekday], c.day,
                      months[c.month - 1], c.year);
    } else if (c.month != now.month || c.day != now.day) {
        (void)str_fmt(day, sizeof day, "%s %02d %s", days[c.weekday], c.day,
                      months[c.month - 1]);
    }
    if (ms) {
        (void)str_fmt(milli, sizeof milli, ".%03d", ms);
    }
    zone_text(zone, offset);
    (void)str_fmt(out, WHEN_CAP, "%s %02d:%02d:%02d%s %s", day, c.hour, c.minute, c.second,
                  milli, offset);
    return out;
}
