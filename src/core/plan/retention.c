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
                   "Write REDUNDANCY n, RECOVERY WINDOW OF n DAYS, WEEKS or MONTHS, or KEEP n "
                   "DAILY, n WEEKLY, n MONTHLY.",
                   "", "not a retention policy: %s", why);
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

static const char *const period_names[RETENTION_PERIODS] = {"DAILY", "WEEKLY", "MONTHLY",
                                                            "YEARLY"};

/* "7 DAILY" */
static bool take_term(struct str *rest, struct retention *out, struct err *err)
{
    struct str word;
    uint32_t n = 0;

    if (!take_number(rest, &n, err)) {
        return false;
    }
    if (n == 0) {
        return not_understood(err, "the numbers after KEEP begin with 1");
    }
    word = take_word(rest);
    for (size_t i = 0; i < RETENTION_PERIODS; i++) {
        if (!str_eq_nocase(word, period_names[i])) {
            continue;
        }
        if (out->periods[i]) {
            return not_understood(err, "each of DAILY, WEEKLY, MONTHLY, YEARLY only once");
        }
        out->periods[i] = n;
        return true;
    }
    return not_understood(err, "a number is followed by DAILY, WEEKLY, MONTHLY or YEARLY");
}

/* Terms with commas between; the rest of the text belongs to them. */
static bool take_terms(struct str *rest, struct retention *out, struct err *err)
{
    struct str term;

    while (str_split(rest, ',', &term)) {
        if (!take_term(&term, out, err)) {
            return false;
        }
        if (skip_blanks(term).n > 0) {
            return not_understood(err, "a comma stands between two terms");
        }
    }
    return true;
}

static bool take_redundancy(struct str *rest, struct retention *out, struct err *err)
{
    return take_number(rest, &out->n, err);
}

static const struct {
    const char *word;
    enum retention_kind kind;
    bool (*take)(struct str *rest, struct retention *out, struct err *err);
} beginnings[] = {
    {"redundancy", RETENTION_REDUNDANCY, take_redundancy},
    {"recovery", RETENTION_WINDOW, take_window},
    {"keep", RETENTION_KEEP, take_terms},
};

bool retention_parse(struct str text, struct retention *out, struct err *err)
{
    struct str first = take_word(&text);

    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        struct retention r = {.kind = beginnings[i].kind};

        if (!str_eq_nocase(first, beginnings[i].word)) {
            continue;
        }
        if (!beginnings[i].take(&text, &r, err)) {
            return false;
        }
        if (skip_blanks(text).n > 0) {
            return not_understood(err, "something follows after its end");
        }
        *out = r;
        return true;
    }
    return not_understood(err, "it must begin with REDUNDANCY, RECOVERY WINDOW OF or KEEP");
}

bool retention_parse_wal(struct str text, struct retention *out, struct err *err)
{
    struct retention r = {.kind = RETENTION_MAIN};
    struct str rest = text, first = take_word(&rest);

    if (str_eq_nocase(first, "main") && skip_blanks(rest).n == 0) {
        *out = r;
        return true;
    }
    if (!str_eq_nocase(first, "recovery")) {
        return err_set(err, ERR_FORMAT,
                       "Write MAIN, or RECOVERY WINDOW OF n DAYS, WEEKS or MONTHS.", "",
                       "not a retention policy of WAL: it must be MAIN or a RECOVERY WINDOW");
    }
    return retention_parse(text, out, err);
}

static void print_terms(const struct retention *r, struct sbuf *b)
{
    const char *between = "KEEP ";

    for (size_t i = 0; i < RETENTION_PERIODS; i++) {
        if (r->periods[i]) {
            sbuf_fmt(b, "%s%" PRIu32 " %s", between, r->periods[i], period_names[i]);
            between = ", ";
        }
    }
}

const char *retention_print(const struct retention *r, char out[RETENTION_CAP])
{
    static const char *const units[] = {"DAYS", "WEEKS", "MONTHS"};
    struct sbuf b;

    sbuf_init(&b, out, RETENTION_CAP);
    switch (r->kind) {
    case RETENTION_REDUNDANCY:
        sbuf_fmt(&b, "REDUNDANCY %" PRIu32, r->n);
        break;
    case RETENTION_WINDOW:
        sbuf_fmt(&b, "RECOVERY WINDOW OF %" PRIu32 " %s", r->n, units[r->unit]);
        break;
    case RETENTION_KEEP:
        print_terms(r, &b);
        break;
    case RETENTION_MAIN:
        sbuf_add(&b, "MAIN");
        break;
    }
    return out;
}
