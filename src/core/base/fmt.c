/* SPDX-License-Identifier: PostgreSQL */
#include "fmt.h"

#include "clock.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *fmt_size_real(double bytes, char out[FMT_CAP])
{
    static const char units[][4] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double v = bytes / 1024;
    size_t unit = 0;

    if (fabs(bytes) < 1024) {
        str_fmt(out, FMT_CAP, "%d B", (int)bytes);
        return out;
    }
    for (; fabs(v) >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++) {
        v /= 1024;
    }
    str_fmt(out, FMT_CAP, "%.1f %s", v, units[unit]);
    return out;
}

const char *fmt_size(int64_t bytes, char out[FMT_CAP])
{
    return fmt_size_real((double)bytes, out);
}

const char *fmt_duration(int64_t ns, char out[FMT_CAP])
{
    static const struct {
        int64_t s;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    int64_t s = (ns < 0 ? -ns : ns) / NS_PER_S;
    struct sbuf b;

    sbuf_init(&b, out, FMT_CAP);
    if (s == 0) {
        sbuf_add(&b, "less than one second");
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        int64_t n = s / units[i].s;
        s %= units[i].s;
        if (n) {
            sbuf_fmt(&b, "%s%" PRId64 " %s%s", b.len ? ", " : "", n, units[i].name,
                     n == 1 ? "" : "s");
        }
    }
    if (ns < 0) {
        sbuf_add(&b, " ago");
    }
    return out;
}

const char *fmt_bytes(uint64_t bytes, char out[FMT_CAP])
{
    static const char units[] = "BKMGTPE";
    double v = (double)bytes;
    size_t unit = 0;

    while (v >= 999.5 && units[unit + 1]) {
        v /= 1024;
        unit++;
    }
    if (unit == 0) {
        str_fmt(out, FMT_CAP, "%" PRIu64 " B", bytes);
    } else {
        str_fmt(out, FMT_CAP, "%.*f %c", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, units[unit]);
    }
    return out;
}

const char *fmt_span(int64_t ns, char out[FMT_CAP])
{
    int64_t s = (ns < 0 ? -ns : ns) / NS_PER_S;

    if (s < 60) {
        str_fmt(out, FMT_CAP, "%" PRId64 " s", s);
    } else if (s < 3600) {
        str_fmt(out, FMT_CAP, "%" PRId64 "m %02" PRId64 "s", s / 60, s % 60);
    } else if (s < 86400) {
        str_fmt(out, FMT_CAP, "%" PRId64 "h %02" PRId64 "m", s / 3600, s / 60 % 60);
    } else {
        str_fmt(out, FMT_CAP, "%" PRId64 " d", s / 86400);
    }
    return out;
}

/* printf's exponent has at least two digits, as Python's; Python switches to it at 1e16. */
const char *fmt_py_float(double v, char out[FMT_CAP])
{
    for (int digits = 1; digits <= 17; digits++) {
        str_fmt(out, FMT_CAP, "%.*g", digits, v);
        if (strtod(out, NULL) == v) {
            break;
        }
    }
    if (strchr(out, 'e') && fabs(v) >= 1e-4 && fabs(v) < 1e16) {
        str_fmt(out, FMT_CAP, "%.1f", v);
    }
    if (!strpbrk(out, ".en")) {
        str_fmt(out + strlen(out), FMT_CAP - strlen(out), ".0");
    }
    return out;
}

double fmt_read_float(const char *text)
{
    return strtod(text, NULL);
}

const char *fmt_lsn(uint64_t lsn, char out[FMT_CAP])
{
    str_fmt(out, FMT_CAP, "%X/%X", (unsigned)(lsn >> 32), (unsigned)lsn);
    return out;
}
