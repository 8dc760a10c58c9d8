/* SPDX-License-Identifier: PostgreSQL */
/* wizard_goal.c - targets: what a person types, and what is said about them.
 *
 *     2026-08-22 03:02:11 +02     a time; without its offset it is refused, its readings offered
 *     03:02 +02, 03:02:11         the last time the clock showed that
 *     10 min ago, 2h ago          counted back from now
 *     xid 88120441, lsn 4C/9A2F1B08, name before-release-812, latest, immediate
 *     ... tli 2                      behind all but a name: on that timeline
 */
#include "base/clock.h"
#include "base/fmt.h"
#include "ui/wizard.h"

#include <inttypes.h>
#include <string.h>

#define DAY_US (86400 * US_PER_S)

/* ---- saying ----------------------------------------------------------------------------------- */

const char *mark_text(const struct mark *mark, int64_t now_us, int cols, char out[128])
{
    char when[WHEN_CAP], lsn[FMT_CAP];
    struct sbuf b;

    sbuf_init(&b, out, 128);
    if (mark->us) {
        sbuf_fmt(&b, "%s%s", mark->is_proven ? "" : "about ",
                 when_moment(mark->us, now_us, when));
    }
    if (mark->xid) {
        sbuf_fmt(&b, "%sxid %" PRIu32, b.len ? ", " : "", mark->xid);
    }
    if (mark->lsn && (cols >= 100 || b.len == 0)) {
        sbuf_fmt(&b, "%sLSN %s", b.len ? ", " : "", fmt_lsn(mark->lsn, lsn));
    }
    if (b.len == 0) {
        sbuf_add(&b, "none");
    }
    return out;
}

const char *goal_text(const struct goal *goal, char *out, size_t cap)
{
    const char *side = goal->is_exclusive ? "right BEFORE" : "right AFTER";

    switch (goal->kind) {
    case GOAL_LATEST:
        (void)str_copy(out, cap, "at the end of the WAL: everything that is kept");
        break;
    case GOAL_TIME:
        (void)str_fmt(out, cap, "%s %s", goal->is_exclusive ? "right BEFORE" : "at",
                      goal->text);
        break;
    case GOAL_XID:
        (void)str_fmt(out, cap, "%s transaction %s", side, goal->text);
        break;
    case GOAL_LSN:
        if (goal->point[0]) {
            (void)str_fmt(out, cap, "at restore point '%s' (LSN %s)", goal->point, goal->text);
            break;
        }
        (void)str_fmt(out, cap, "%s LSN %s", side, goal->text);
        break;
    case GOAL_NAME:
        (void)str_fmt(out, cap, "at restore point '%s'", goal->text);
        break;
    case GOAL_IMMEDIATE:
        (void)str_copy(out, cap, "as soon as the backup is consistent");
        break;
    }
    if (goal->tli) {
        size_t n = strlen(out);

        (void)str_fmt(out + n, cap - n, ", timeline %" PRIu32, goal->tli);
    }
    return out;
}

int64_t goal_us(const struct goal *goal)
{
    struct time_text t;

    return goal->kind == GOAL_TIME && time_parse(str_of(goal->text), &t) && t.has_offset
               ? t.stamp.us
               : 0;
}

void goal_at(struct goal *goal, int64_t us)
{
    char text[WHEN_CAP], action[sizeof goal->action];
    pg_tli tli = goal->tli;

    (void)str_copy(action, sizeof action, goal->action);
    *goal = (struct goal){.kind = GOAL_TIME, .tli = tli};
    (void)str_copy(goal->text, sizeof goal->text, when_option(us, text));
    (void)str_copy(goal->action, sizeof goal->action, action);
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* "xid 741": the word, blanks or '=', and what is behind it. */
static bool take_word(struct str *s, const char *word)
{
    size_t n = strlen(word);

    if (s->n <= n || !str_eq_nocase(str_n(s->p, n), word) ||
        (s->p[n] != ' ' && s->p[n] != '=' && s->p[n] != ':')) {
        return false;
    }
    *s = str_trim(str_skip(*s, n + 1));
    return s->n > 0;
}

static bool is_lsn(struct str s)
{
    uint64_t high, low;

    return str_take_hex(&s, &high) && high <= UINT32_MAX && str_take_char(&s, '/') &&
           str_take_hex(&s, &low) && low <= UINT32_MAX && s.n == 0 && (high || low);
}

static enum goal_reading keep(struct goal *goal, enum goal_kind kind, struct str text,
                              bool is_exclusive)
{
    *goal = (struct goal){.kind = kind, .is_exclusive = is_exclusive};
    (void)str_fmt(goal->text, sizeof goal->text, "%.*s", (int)text.n, text.p);
    return GOAL_READ;
}

/* Who names a transaction has found the bad one: stop before it. i turns it round. */
static enum goal_reading read_xid(struct str s, struct goal *goal, char told[200])
{
    uint64_t xid;

    if (!str_u64(s, UINT32_MAX, &xid) || xid < 3) {
        (void)str_copy(told, 200, "a transaction is a number from 3 to 4294967295");
        return GOAL_WRONG;
    }
    return keep(goal, GOAL_XID, s, true);
}

static enum goal_reading read_lsn(struct str s, struct goal *goal, char told[200])
{
    if (!is_lsn(s)) {
        (void)str_copy(told, 200, "an LSN looks like 4C/9A2F1B08");
        return GOAL_WRONG;
    }
    return keep(goal, GOAL_LSN, s, false);
}

static enum goal_reading read_name(struct str s, struct goal *goal, char told[200])
{
    if (s.n >= sizeof goal->point) {
        (void)str_copy(told, 200, "a restore point has at most 63 bytes");
        return GOAL_WRONG;
    }
    return keep(goal, GOAL_NAME, s, false);
}

/* "10 min ago", "2h ago" */
static bool read_ago(struct str s, int64_t now_us, int64_t *us)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } unit[] = {{"s", 1},       {"sec", 1},     {"second", 1},   {"seconds", 1},
                {"m", 60},      {"min", 60},    {"minute", 60},  {"minutes", 60},
                {"h", 3600},    {"hour", 3600}, {"hours", 3600}, {"d", 86400},
                {"day", 86400}, {"days", 86400}};
    uint64_t n;

    if (!str_ends(s, " ago") || !str_take_u64(&s, 100000, &n)) {
        return false;
    }
    s = str_trim(str_n(s.p, s.n - 4));
    for (size_t i = 0; i < sizeof unit / sizeof unit[0]; i++) {
        if (str_eq_nocase(s, unit[i].name)) {
            *us = now_us - (int64_t)n * unit[i].seconds * US_PER_S;
            *us -= *us % US_PER_S;
            return true;
        }
    }
    return false;
}

/* ---- a time without its offset --------------------------------------------------------------- */

static void add_offer(struct wizard *w, struct stamp s, const char *zone)
{
    struct wizard_offer *o;
    char text[STAMP_CAP];

    for (size_t i = 0; i < w->offers; i++) {
        if (w->offer[i].us == s.us) {
            return;
        }
    }
    if (w->offers == WIZARD_OFFERS) {
        return;
    }
    o = &w->offer[w->offers++];
    *o = (struct wizard_offer){.goal = {.kind = GOAL_TIME}, .us = s.us};
    (void)str_copy(o->goal.text, sizeof o->goal.text, stamp_iso(s, text));
    (void)str_fmt(o->label, sizeof o->label, "%s", zone);
}

static void offer_readings(struct ui *ui, const struct time_text *t)
{
    struct wizard *w = &ui->wizard;
    const struct snapshot *s = ui_snapshot(ui);
    struct stamp local[2];
    int readings = clock_local_readings(&t->civil, local);
    int64_t us;

    w->offers = 0;
    for (int i = 0; i < (readings ? readings : 1); i++) {
        local[i].us += readings ? t->us : 0;
        add_offer(w, local[i],
                  readings == 0   ? "that hour was skipped here: counted on from before it"
                  : readings == 1 ? "by the clock here"
                  : i == 0        ? "by the clock here, the first time (summer time)"
                                  : "by the clock here, the second time (winter time)");
    }
    for (size_t i = 0; s && i < s->backups && i < 1; i++) {
        int32_t zone = s->backup[i].end.offset_s;

        if (s->backup[i].end.known && civil_us(&t->civil, zone, &us)) {
            add_offer(w, (struct stamp){us + t->us, zone},
                      "by the clock the last backup was made with");
        }
    }
    if (civil_us(&t->civil, 0, &us)) {
        add_offer(w, (struct stamp){us + t->us, 0}, "in UTC");
    }
}

/* "03:02", "3:02:11 +02": the date of today, or of yesterday when that is still to come. */
static bool parse_clock(struct str s, int64_t now_us, struct time_text *t)
{
    char text[96];
    unsigned digits;
    struct str rest = s;
    struct civil c;
    int64_t us;

    if (!str_take_digits(&rest, 2, &digits) || !str_take_char(&rest, ':')) {
        return false;
    }
    for (int back = 0; back < 2; back++) {
        c = civil_at(now_us - back * DAY_US, clock_local_offset(now_us - back * DAY_US));
        (void)str_fmt(text, sizeof text, "%04d-%02d-%02d %.*s", c.year, c.month, c.day,
                      (int)(s.n < 48 ? s.n : 48), s.p);
        if (!time_parse(str_of(text), t)) {
            return false;
        }
        us = t->has_offset ? t->stamp.us : 0;
        if (!t->has_offset && !civil_us(&t->civil, clock_local_offset(now_us), &us)) {
            return false;
        }
        if (us <= now_us) {
            return true;
        }
    }
    return true;
}

static enum goal_reading read_time(struct ui *ui, struct str s, struct goal *goal,
                                   char told[200])
{
    struct time_text t;
    char text[STAMP_CAP];
    int64_t us;

    if (read_ago(s, ui->model.now_us, &us)) {
        *goal = (struct goal){0};
        goal_at(goal, us);
        return GOAL_READ;
    }
    if (!time_parse(s, &t) && !parse_clock(s, ui->model.now_us, &t)) {
        (void)str_copy(told, 200,
                       "not a target. Like: 03:02 +02   10 min ago   xid 741   latest");
        return GOAL_WRONG;
    }
    if (!t.has_offset) {
        offer_readings(ui, &t);
        (void)str_fmt(ui->wizard.offer_text, sizeof ui->wizard.offer_text, "%.*s", (int)s.n,
                      s.p);
        return GOAL_READINGS;
    }
    if (t.stamp.us > ui->model.now_us) {
        (void)str_copy(told, 200, "that is still to come; 'latest' is all there is");
        return GOAL_WRONG;
    }
    *goal = (struct goal){.kind = GOAL_TIME};
    (void)str_copy(goal->text, sizeof goal->text, stamp_iso(t.stamp, text));
    return GOAL_READ;
}

/* "... tli 2" is taken off. false: it is no timeline. */
static bool take_timeline(struct str *s, pg_tli *tli)
{
    static const char word[] = " tli ";
    const size_t len = sizeof word - 1;
    uint64_t n;

    *tli = 0;
    for (size_t i = s->n; i-- > 0;) {
        if (i + len <= s->n && str_eq_nocase(str_n(s->p + i, len), word)) {
            if (!str_u64(str_trim(str_skip(*s, i + len)), UINT32_MAX, &n) || n == 0) {
                return false;
            }
            *tli = (pg_tli)n;
            *s = str_trim(str_n(s->p, i));
            return true;
        }
    }
    return true;
}

static enum goal_reading read_rest(struct ui *ui, struct str s, struct goal *goal,
                                   char told[200])
{
    if (str_eq_nocase(s, "latest") || str_eq_nocase(s, "now") || str_eq_nocase(s, "end")) {
        return keep(goal, GOAL_LATEST, STR_LIT(""), false);
    }
    if (str_eq_nocase(s, "immediate")) {
        return keep(goal, GOAL_IMMEDIATE, STR_LIT(""), false);
    }
    if (take_word(&s, "xid")) {
        return read_xid(s, goal, told);
    }
    if (take_word(&s, "lsn")) {
        return read_lsn(s, goal, told);
    }
    if (is_lsn(s)) {
        return read_lsn(s, goal, told);
    }
    return read_time(ui, s, goal, told);
}

enum goal_reading goal_read(struct ui *ui, const char *text, struct goal *goal, char told[200])
{
    struct str s = str_trim(str_of(text));
    enum goal_reading how;
    pg_tli tli;

    told[0] = '\0';
    if (s.n == 0) {
        (void)str_copy(told, 200, "a time with its offset, xid N, lsn X/Y, name N, latest");
        return GOAL_WRONG;
    }
    if (take_word(&s, "name")) {
        return read_name(s, goal, told);
    }
    if (!take_timeline(&s, &tli)) {
        (void)str_copy(told, 200, "a timeline is a number from 1 on, as in: latest tli 2");
        return GOAL_WRONG;
    }
    how = read_rest(ui, s, goal, told);
    if (how == GOAL_READ) {
        goal->tli = tli;
    }
    for (size_t i = 0; how == GOAL_READINGS && i < ui->wizard.offers; i++) {
        ui->wizard.offer[i].goal.tli = tli;
    }
    return how;
}
