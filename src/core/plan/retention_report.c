/* SPDX-License-Identifier: PostgreSQL */
/* Which backups a policy keeps. */
#include "plan/backup.h"
#include "plan/retention.h"

#include <string.h>

#define DAY_US    INT64_C(86400000000)
#define DAY_NAMES 8 /* of YYYYMMDD */

const char *retention_verdict_name(enum retention_verdict verdict)
{
    static const char *const name[] = {
#define X(verdict, text) [verdict] = text,
        RETENTION_VERDICT_LIST(X)
#undef X
    };

    return name[verdict];
}

static size_t find(const struct retention_ask *ask, const char *id)
{
    size_t low = 0, high = ask->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(ask->backup[mid].id, id);

        if (order == 0) {
            return mid;
        }
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return ask->n;
}

/* A child can have the lower id, when daylight saving ended between the two. A circle in the
 * files ends as a missing root. */
static size_t root_of(const struct retention_ask *ask, size_t i)
{
    for (size_t steps = 0; steps < ask->n; steps++) {
        if (i >= ask->n || backup_type_of(&ask->backup[i]) != BACKUP_INCREMENTAL) {
            return i;
        }
        i = find(ask, ask->backup[i].parent_backup_id);
    }
    return ask->n;
}

static enum keep keep_of(const struct retention_ask *ask, size_t i)
{
    return ask->keep ? ask->keep[i] : KEEP_NONE;
}

/* ---- inside the policy or not ------------------------------------------------------- */

static void mark_redundancy(const struct retention *policy, const struct retention_ask *ask,
                            struct retention_fate *out)
{
    uint64_t places = policy->n > ask->minimum_redundancy ? policy->n : ask->minimum_redundancy;

    for (size_t i = ask->n; i-- > 0 && places > 0;) {
        if (backup_counts(&ask->backup[i])) {
            out[i].inside = true;
            places--;
        }
    }
}

static int64_t window_begin(const struct retention *window, const struct retention_ask *ask)
{
    static const int64_t days[] = {
        [RETENTION_DAYS] = 1, [RETENTION_WEEKS] = 7, [RETENTION_MONTHS] = 31};
    int64_t span_us = (int64_t)window->n * days[window->unit] * DAY_US;

    return ask->before ? ask->before(ask->now_us, span_us) : ask->now_us - span_us;
}

size_t retention_anchor(const struct retention *window, const struct retention_ask *ask)
{
    int64_t begin = window_begin(window, ask);

    for (size_t i = ask->n; i-- > 0;) {
        const struct backup *b = &ask->backup[i];

        if (backup_counts(b) && b->end_time.known && b->end_time.us < begin) {
            return i;
        }
    }
    return ask->n;
}

static void mark_window(const struct retention *policy, const struct retention_ask *ask,
                        struct retention_fate *out)
{
    size_t anchor = retention_anchor(policy, ask);

    for (size_t i = anchor < ask->n ? anchor : 0; i < ask->n; i++) {
        out[i].inside = backup_counts(&ask->backup[i]);
    }
}

static unsigned digits(const char *p, size_t n)
{
    unsigned v = 0;

    while (n-- > 0) {
        v = v * 10 + (unsigned)(*p++ - '0');
    }
    return v;
}

/* Days since 1 March of the year 0, by the calendar; an impossible day of an id gives some
 * number, and the same one every time. */
static unsigned day_number(const char *id)
{
    unsigned y = digits(id, 4), m = digits(id + 4, 2), d = digits(id + 6, 2);

    y -= m <= 2 && y > 0;
    m = (m + 9) % 12;
    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + d;
}

/* Ids that are in one day, week, month, year have one number, and later ones a larger one. */
static unsigned period_number(const char *id, enum retention_period period)
{
    switch (period) {
    case RETENTION_DAILY:
        return digits(id, 8);
    case RETENTION_WEEKLY:
        return (day_number(id) + 1) / 7; /* 1 March of the year 0 was a Wednesday */
    case RETENTION_MONTHLY:
        return digits(id, 6);
    case RETENTION_YEARLY:
    case RETENTION_PERIODS:
        break;
    }
    return digits(id, 4);
}

static void mark_periods(const struct retention *policy, const struct retention_ask *ask,
                         struct retention_fate *out)
{
    for (unsigned p = 0; p < RETENTION_PERIODS; p++) {
        uint32_t left = policy->periods[p];
        unsigned last = 0;

        for (size_t i = ask->n; i-- > 0 && left > 0;) {
            unsigned number = period_number(ask->backup[i].id, (enum retention_period)p);

            if (backup_counts(&ask->backup[i]) &&
                (left == policy->periods[p] || number != last)) {
                out[i].inside = true;
                last = number;
                left--;
            }
        }
    }
}

/* ---- the words ---------------------------------------------------------------------- */

static void judge(const struct retention *policy, const struct retention_ask *ask,
                  struct retention_fate *out)
{
    uint64_t enough = policy->kind == RETENTION_REDUNDANCY ? 0 : ask->minimum_redundancy;
    uint64_t left = 0;

    /* Under KEEP marked ones stay wherever they are, so they are counted first; under a window
     * one after the other, from the newest. */
    for (size_t i = 0; i < ask->n; i++) {
        left +=
            out[i].inside || (policy->kind == RETENTION_KEEP &&
                              backup_counts(&ask->backup[i]) && keep_of(ask, i) != KEEP_NONE);
    }
    for (size_t i = ask->n; i-- > 0;) {
        struct retention_fate *f = &out[i];
        enum keep keep = keep_of(ask, i);

        if (!backup_counts(&ask->backup[i])) {
            continue;
        }
        f->verdict = f->inside ? RETENTION_VALID : RETENTION_OBSOLETE;
        if (!f->inside && left < enough &&
            !(policy->kind == RETENTION_KEEP && keep != KEEP_NONE)) {
            f->verdict = RETENTION_LEFT;
            left++;
        }
        if (keep != KEEP_NONE) {
            f->verdict = keep == KEEP_FULL ? RETENTION_KEEP_FULL : RETENTION_KEEP_STANDALONE;
        }
    }
}

static enum retention_verdict child_verdict(const struct retention *policy,
                                            const struct retention_ask *ask,
                                            const struct retention_fate *all, size_t root)
{
    switch (all[root].verdict) {
    case RETENTION_KEEP_FULL:
        return RETENTION_VALID;
    case RETENTION_KEEP_STANDALONE:
        /* The one that closes the window is inside, but not for what stands on it. */
        return all[root].inside && !(policy->kind == RETENTION_WINDOW &&
                                     retention_anchor(policy, ask) == root)
                   ? RETENTION_VALID
                   : RETENTION_OBSOLETE;
    default:
        return all[root].verdict;
    }
}

void retention_report(const struct retention *policy, const struct retention_ask *ask,
                      struct retention_fate *out)
{
    static void (*const mark[])(const struct retention *, const struct retention_ask *,
                                struct retention_fate *) = {
        [RETENTION_REDUNDANCY] = mark_redundancy,
        [RETENTION_WINDOW] = mark_window,
        [RETENTION_KEEP] = mark_periods,
    };

    for (size_t i = 0; i < ask->n; i++) {
        out[i] = (struct retention_fate){RETENTION_NONE, false, root_of(ask, i)};
    }
    mark[policy->kind](policy, ask, out);
    judge(policy, ask, out);
    for (size_t i = 0; i < ask->n; i++) {
        if (out[i].root != i && out[i].root < ask->n) {
            out[i].verdict = child_verdict(policy, ask, out, out[i].root);
        }
    }
}
