/* SPDX-License-Identifier: PostgreSQL */
#include "plan/retention.h"

#include <inttypes.h>

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct str skip_blanks(struct str s)
{
    while (s.n && is_blank(s.p[0])) {
        s = str_skip(s, 1);
    }
    return s;
}

/* The next word, up to a blank or the end; empty at the end. */
static struct str take_word(struct str *rest)
{
    struct str word;

    *rest = skip_blanks(*rest);
    word = str_n(rest->p, 0);
    while (word.n < rest->n && !is_blank(rest->p[word.n])) {
        word.n++;
    }
    *rest = str_skip(*rest, word.n);
    return word;
}

static bool not_understood(struct err *err, const char *why)
{
    return err_set(err, ERR_FORMAT,
                   "Write REDUNDANCY n, or RECOVERY WINDOW OF n DAYS, WEEKS or MONTHS.", "",
                   "not a retention policy: %s", why);
}

static bool take_number(struct str *rest, uint32_t *out, struct err *err)
{
    uint64_t n;

    if (!str_u64(take_word(rest), RETENTION_N_MAX, &n)) {
        return not_understood(err, "a number from 0 to 999999 must follow");
    }
    *out = (uint32_t)n;
    return true;
}

static bool take_unit(struct str *rest, enum retention_unit *out, struct err *err)
{
    static const char *const units[][2] = {
        [RETENTION_DAYS] = {"day", "days"},
        [RETENTION_WEEKS] = {"week", "weeks"},
        [RETENTION_MONTHS] = {"month", "months"},
    };
    struct str word = take_word(rest);

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (str_eq_nocase(word, units[i][0]) || str_eq_nocase(word, units[i][1])) {
            *out = (enum retention_unit)i;
            return true;
        }
    }
    return not_understood(err, "the window's unit must be DAYS, WEEKS or MONTHS");
}

static bool take_window(struct str *rest, struct retention *out, struct err *err)
{
    if (!str_eq_nocase(take_word(rest), "window") || !str_eq_nocase(take_word(rest), "of")) {
        return not_understood(err, "RECOVERY must be followed by WINDOW OF");
    }
    return take_number(rest, &out->n, err) && take_unit(rest, &out->unit, err);
}

bool retention_parse(struct str text, struct retention *out, struct err *err)
{
    struct retention r = {0};
    struct str first = take_word(&text);

    if (str_eq_nocase(first, "redundancy")) {
        r.kind = RETENTION_REDUNDANCY;
        if (!take_number(&text, &r.n, err)) {
            return false;
        }
    } else if (str_eq_nocase(first, "recovery")) {
        r.kind = RETENTION_WINDOW;
        if (!take_window(&text, &r, err)) {
            return false;
        }
    } else {
        return not_understood(err, "it must begin with REDUNDANCY or RECOVERY WINDOW OF");
    }
    if (skip_blanks(text).n > 0) {
        return not_understood(err, "something follows after its end");
    }
    *out = r;
    return true;
}

const char *retention_print(const struct retention *r, char out[RETENTION_CAP])
{
    static const char *const units[] = {"DAYS", "WEEKS", "MONTHS"};

    if (r->kind == RETENTION_REDUNDANCY) {
        str_fmt(out, RETENTION_CAP, "REDUNDANCY %" PRIu32, r->n);
    } else {
        str_fmt(out, RETENTION_CAP, "RECOVERY WINDOW OF %" PRIu32 " %s", r->n, units[r->unit]);
    }
    return out;
}
