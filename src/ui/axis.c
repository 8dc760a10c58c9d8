/* SPDX-License-Identifier: PostgreSQL */
#include "axis.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/words.h"

#include <string.h>

#define RATE_COLS 1024

static void least(int64_t *least, int64_t us)
{
    if (us > 0 && (*least == 0 || us < *least)) {
        *least = us;
    }
}

bool axis_whole(const struct snapshot *s, int64_t now_us, int64_t *from_us, int64_t *to_us)
{
    const struct coverage *c = s ? s->coverage : NULL;
    int64_t from = 0;

    for (size_t i = 0; c && i < c->runs; i++) {
        least(&from, c->run[i].from_us);
    }
    for (size_t i = 0; s && i < s->backups; i++) {
        least(&from, s->backup[i].begin.us);
    }
    if (from == 0 || from >= now_us) {
        return false;
    }
    *from_us = from;
    *to_us = now_us;
    return true;
}

int axis_col(const struct axis *a, int64_t us)
{
    double part = (double)(us - a->from_us) / (double)(a->to_us - a->from_us);

    part = part < -1 ? -1 : part > 2 ? 2 : part;
    if (us == a->to_us) {
        return a->end - 1;
    }
    part *= a->end - a->col;
    return a->col + (part < 0 ? (int)part - 1 : (int)part);
}

int64_t axis_us(const struct axis *a, int col)
{
    return a->from_us + (int64_t)((double)(a->to_us - a->from_us) * (double)(col - a->col) /
                                  (double)(a->end - a->col));
}

int64_t axis_step(const struct axis *a)
{
    return (a->to_us - a->from_us) / (a->end > a->col ? a->end - a->col : 1);
}

bool axis_has(const struct axis *a, int col)
{
    return col >= a->col && col < a->end;
}

/* ---- the scale -------------------------------------------------------------------------- */

/* Steps that a reader counts in: seconds; the first that leaves room for its labels is taken. */
static const int64_t steps[] = {1,     5,      10,     30,      60,      300,
                                600,   1800,   3600,   10800,   21600,   43200,
                                86400, 172800, 604800, 2592000, 7776000, 31536000};
#define STEPS (sizeof steps / sizeof steps[0])
#define DAY_S 86400

static int64_t step_of(const struct axis *a, int64_t room)
{
    for (size_t i = 0; i < STEPS; i++) {
        if (steps[i] * US_PER_S >= axis_step(a) * room) {
            return steps[i];
        }
    }
    return steps[STEPS - 1];
}

/* The first multiple of the step, in local time, that is not before `us`. */
static int64_t round_up(int64_t us, int64_t step_s)
{
    int64_t shift = clock_local_offset(us) * US_PER_S, step = step_s * US_PER_S;
    int64_t local = us + shift, part = local % step;

    return us + (part ? step - part : 0);
}

static void label(int64_t us, int64_t step_s, char out[WHEN_CAP])
{
    struct civil c = civil_at(us, clock_local_offset(us));
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

    if (step_s >= 604800) {
        (void)str_fmt(out, WHEN_CAP, "%04d-%02d-%02d", c.year, c.month, c.day);
    } else if (step_s >= DAY_S || (c.hour == 0 && c.minute == 0 && c.second == 0)) {
        (void)str_fmt(out, WHEN_CAP, "%s %02d", days[c.weekday], c.day);
    } else if (step_s >= 60) {
        (void)str_fmt(out, WHEN_CAP, "%02d:%02d", c.hour, c.minute);
    } else {
        (void)str_fmt(out, WHEN_CAP, "%02d:%02d:%02d", c.hour, c.minute, c.second);
    }
}

void axis_scale(const struct axis *a, struct grid *g, int row)
{
    int64_t step = step_of(a, 9);
    int free = a->col;
    char text[WHEN_CAP];

    for (int64_t us = round_up(a->from_us, step); us < a->to_us;
         us = round_up(us + 1, step)) { /* again each time: summer time shifts it */
        int col = axis_col(a, us);

        label(us, step, text);
        if (col >= free && col + text_width(text) <= a->end) {
            free = grid_text(g, col, row, a->end, ROLE_DIM, text) + 1;
        }
    }
}

void axis_ticks(const struct axis *a, struct grid *g, int row)
{
    int64_t step = step_of(a, 9);

    for (int64_t us = round_up(a->from_us, step); us < a->to_us; us = round_up(us + 1, step)) {
        int col = axis_col(a, us);

        if (axis_has(a, col)) {
            grid_symbol(g, col, row, a->end, ROLE_RULE, SYM_TICK);
        }
    }
}

/* ---- pictures --------------------------------------------------------------------------- */

/* The same symbol from a moment to another, at least one column; only what is on the axis. */
static void bar(const struct axis *a, struct grid *g, int row, const int64_t us[2],
                enum role role, enum symbol symbol)
{
    int from = axis_col(a, us[0]), to = axis_col(a, us[1]);

    if (us[1] < a->from_us || us[0] > a->to_us) {
        return;
    }
    from = from < a->col ? a->col : from;
    to = to >= a->end ? a->end - 1 : to;
    grid_fill(g, from, row, to + 1, role, symbol);
}

/* The way a recovery to the newest timeline takes, in one row: "1━━━2━━━●". */
void axis_lines(const struct axis *a, struct grid *g, int row, const struct coverage *c)
{
    for (size_t i = 0; i < c->lines; i++) {
        const struct line_part *line = &c->line[i];

        if (line->is_main) {
            bar(a, g, row, (int64_t[]){line->begin_us, line->end_us}, ROLE_SPARK, SYM_HEAVY);
        }
    }
    for (size_t i = 0; i < c->lines; i++) {
        const struct line_part *line = &c->line[i];
        int col = axis_col(a, line->begin_us);

        if (line->is_main && col < a->col && line->end_us > a->from_us) {
            col = a->col;
        }
        if (line->is_main && axis_has(a, col)) {
            grid_fmt(g, col, row, a->end, ROLE_ACCENT, "%u", line->tli);
        }
        if (line->is_newest && axis_has(a, axis_col(a, line->end_us))) {
            grid_symbol(g, axis_col(a, line->end_us), row, a->end, ROLE_ACCENT, SYM_NOW);
        }
    }
}

void axis_backups(const struct axis *a, struct grid *g, int row, const struct snapshot *s)
{
    for (size_t i = s->backups; i > 0; i--) { /* the newest is drawn last */
        const struct backup_row *b = &s->backup[i - 1];
        int64_t us = b->end.known && b->end.us ? b->end.us : b->begin.us;
        int col = axis_col(a, us);

        if (us && axis_has(a, col)) {
            grid_fmt(g, col, row, a->end, light_role(light_backup(b)), "%c",
                     b->status == BACKUP_FAILED ? 'x' : letter_type(b->type));
        }
    }
}

void axis_wal(const struct axis *a, struct grid *g, int row, const struct coverage *c)
{
    for (size_t i = 0; i < c->runs; i++) {
        bar(a, g, row, (int64_t[]){c->run[i].from_us, c->run[i].to_us}, ROLE_SPARK, SYM_FULL);
    }
    for (size_t i = 0; i < c->holes; i++) {
        const struct hole *h = &c->hole[i];
        int64_t from = h->from_us, to = from;

        if (h->why == HOLE_NO_BACKUP) {
            continue;
        }
        /* The hole ends for a restore with the next backup, for WAL with its next file. */
        for (size_t k = 0; k < c->runs; k++) {
            if (c->run[k].from_us > from && (to == from || c->run[k].from_us < to)) {
                to = c->run[k].from_us;
            }
        }
        bar(a, g, row, (int64_t[]){from, to}, h->hurts ? ROLE_FAIL : ROLE_WARN, SYM_EMPTY);
    }
}

static void draw_stretch(const struct axis *a, struct grid *g, int row, const struct stretch *s)
{
    enum role role = !s->is_main ? ROLE_DIM : ROLE_OK;
    int from = axis_col(a, s->from.us), to = axis_col(a, s->to.us);

    bar(a, g, row, (int64_t[]){s->from.us, s->to.us}, role, SYM_LINE);
    if (axis_has(a, from)) {
        grid_symbol(g, from, row, a->end, s->from.is_proven ? role : ROLE_DIM, SYM_HOLE_RIGHT);
    }
    if (axis_has(a, to) && to > from && !s->is_open) {
        grid_symbol(g, to, row, a->end, s->to.is_proven ? role : ROLE_DIM, SYM_HOLE_LEFT);
    } else if (axis_has(a, to) && s->is_open) {
        grid_symbol(g, to, row, a->end, s->to.is_proven ? role : ROLE_DIM, SYM_TO);
    }
}

static void draw_hole(const struct axis *a, struct grid *g, int row, const struct hole *h)
{
    int64_t to_us = h->to_us ? h->to_us : a->to_us;
    int from = axis_col(a, h->from_us) + 1, to = axis_col(a, to_us), width;
    char span[FMT_CAP];

    if (!h->hurts || to_us <= h->from_us) {
        return;
    }
    from = from < a->col ? a->col : from;
    to = to > a->end ? a->end : to;
    fmt_span((to_us - h->from_us) * 1000, span);
    width = text_width(span);
    if (to - from >= width + 2) {
        grid_text(g, from + (to - from - width) / 2, row, to, ROLE_FAIL, span);
    }
}

void axis_restorable(const struct axis *a, struct grid *g, int row, const struct coverage *c)
{
    for (int main = 0; main <= 1; main++) { /* the main line is drawn over abandoned ones */
        for (size_t i = 0; i < c->stretches; i++) {
            if (c->stretch[i].is_main == (main == 1)) {
                draw_stretch(a, g, row, &c->stretch[i]);
            }
        }
    }
    for (size_t i = 0; i < c->holes; i++) {
        draw_hole(a, g, row, &c->hole[i]);
    }
}

/* The part of the rate that lies on the axis, each column the largest of its steps. */
void axis_rate(const struct axis *a, struct grid *g, int row, const struct wal_rate *rate)
{
    uint64_t value[RATE_COLS] = {0};
    int width = a->end - a->col < RATE_COLS ? a->end - a->col : RATE_COLS;
    bool is_any = false;

    for (size_t i = 0; i < rate->n && rate->step_us > 0; i++) {
        int64_t us = rate->from_us + (int64_t)i * rate->step_us;
        int first = axis_col(a, us), last = axis_col(a, us + rate->step_us - 1);

        for (int col = first < a->col ? a->col : first; col <= last && col < a->col + width;
             col++) {
            uint64_t *v = &value[col - a->col];

            *v = rate->bytes[i] > *v ? rate->bytes[i] : *v;
            is_any = true;
        }
    }
    if (is_any) {
        grid_spark(g, a->col, row, a->col + width, value, (size_t)width);
    }
}
