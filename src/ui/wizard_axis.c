/* SPDX-License-Identifier: PostgreSQL */
#include "wizard_axis.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/wizard.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int width_of(int cols)
{
    return cols - AXIS_COL - 1 > 1 ? cols - AXIS_COL - 1 : 1;
}

int64_t axis_step_us(const struct ui *ui)
{
    int64_t step = (ui->wizard.to_us - ui->wizard.from_us) / width_of(ui->cols);

    return step > 1 ? step : 1;
}

/* ---- events ----------------------------------------------------------------------------------- */

static void add(struct events *all, enum event_kind kind, int64_t us, pg_lsn lsn,
                const char *name)
{
    if (all->n < AXIS_EVENTS && us > 0) {
        all->event[all->n++] = (struct event){kind, us, lsn, name};
    }
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;

    return x->us != y->us ? (x->us < y->us ? 1 : -1) : (int)x->kind - (int)y->kind;
}

void events_of(const struct ui *ui, struct events *out)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct coverage *c = s ? s->coverage : NULL;
    const struct answer *a = wizard_answer(ui, ASK_POINTS);

    out->n = 0;
    for (size_t i = 0; a && i < a->points.points; i++) {
        const struct point *p = &a->points.point[i];

        if (p->kind != POINT_BACKUP) { /* the catalogue knows them all */
            add(out, p->kind == POINT_SWITCH ? EVENT_SWITCH : EVENT_POINT, p->at.us, p->at.lsn,
                p->name);
        }
    }
    for (size_t i = 0; s && i < s->backups; i++) {
        if (s->backup[i].status == BACKUP_DONE) {
            add(out, EVENT_BACKUP, s->backup[i].end.us, s->backup[i].end_lsn, s->backup[i].id);
        }
    }
    for (size_t i = 0; c && i < c->holes; i++) {
        if (c->hole[i].hurts) {
            add(out, EVENT_HOLE, c->hole[i].from_us, c->hole[i].from_lsn, c->hole[i].first);
        }
    }
    for (size_t i = 0; c && i < c->stretches; i++) {
        if (c->stretch[i].is_main) {
            add(out, EVENT_END, c->stretch[i].to.us, c->stretch[i].to.lsn, NULL);
        }
    }
    qsort(out->event, out->n, sizeof out->event[0], by_time);
}

const char *event_text(const struct event *event, char out[160])
{
    switch (event->kind) {
    case EVENT_POINT:
        (void)str_fmt(out, 160, "restore point '%s'", event->name ? event->name : "?");
        break;
    case EVENT_BACKUP:
        (void)str_fmt(out, 160, "backup %s is consistent", event->name);
        break;
    case EVENT_SWITCH:
        (void)str_fmt(out, 160, "timeline switch%s%s", event->name ? ": " : "",
                      event->name ? event->name : "");
        break;
    case EVENT_HOLE:
        (void)str_fmt(out, 160, "hole begins: %s is missing", event->name);
        break;
    case EVENT_END:
        (void)str_copy(out, 160, "last commit that can be restored");
        break;
    }
    return out;
}

/* ---- moving ------------------------------------------------------------------------------------ */

/* All there is: from the first stretch to the newest moment. */
static void whole(const struct ui *ui, int64_t *from, int64_t *to)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct coverage *c = s ? s->coverage : NULL;

    *to = ui->model.now_us;
    *from = *to - 3600 * US_PER_S;
    for (size_t i = 0; c && i < c->stretches; i++) {
        const struct stretch *st = &c->stretch[i];

        *from = st->from.us && (i == 0 || st->from.us < *from) ? st->from.us : *from;
        *to = st->to.us && (i == 0 || st->to.us > *to) ? st->to.us : *to;
    }
    if (*to <= *from) {
        *to = *from + 3600 * US_PER_S;
    }
}

void axis_show(struct ui *ui, int64_t us)
{
    struct wizard *w = &ui->wizard;
    int64_t span = w->to_us - w->from_us;

    if (us >= w->from_us && us <= w->to_us) {
        return;
    }
    w->from_us = us < w->from_us ? us - span / 8 : us - span + span / 8;
    w->to_us = w->from_us + span;
    wizard_ask_points(ui);
}

static void go(struct ui *ui, int64_t us)
{
    struct wizard *w = &ui->wizard;
    struct goal goal = w->words.goal;
    int64_t from, to;

    whole(ui, &from, &to);
    w->types = false;
    if (us >= to) {
        w->at_us = to;
        wizard_set_goal(ui, &(struct goal){.kind = GOAL_LATEST});
    } else {
        w->at_us = us < from ? from : us;
        w->at_us -= axis_step_us(ui) >= US_PER_S ? w->at_us % US_PER_S : 0;
        goal_at(&goal, w->at_us);
        wizard_set_goal(ui, &goal);
    }
    axis_show(ui, w->at_us);
}

static bool has_control(const char *name)
{
    for (; *name; name++) {
        if ((unsigned char)*name < 0x20 || *name == 0x7f) {
            return true;
        }
    }
    return false;
}

static void go_event(struct ui *ui, const struct event *event)
{
    struct wizard *w = &ui->wizard;

    if (event->kind == EVENT_POINT && event->name) {
        struct goal goal = {.kind = GOAL_NAME};

        if (has_control(event->name)) { /* PostgreSQL takes it, a line of a file does not */
            char lsn[FMT_CAP];

            goal.kind = GOAL_LSN;
            (void)str_copy(goal.text, sizeof goal.text, fmt_lsn(event->lsn, lsn));
        } else {
            (void)str_copy(goal.text, sizeof goal.text, event->name);
        }
        w->at_us = event->us;
        w->types = false;
        wizard_set_goal(ui, &goal);
        axis_show(ui, w->at_us);
        return;
    }
    go(ui, event->us + (event->us % US_PER_S && event->kind == EVENT_BACKUP
                            ? US_PER_S - event->us % US_PER_S
                            : 0));
}

static void jump(struct ui *ui, int by)
{
    static struct events all; /* large, and one thread draws */
    const struct event *next = NULL;
    int64_t at = ui->wizard.at_us;

    events_of(ui, &all);
    for (size_t i = 0; i < all.n; i++) {
        const struct event *e = &all.event[i];

        if (by > 0 && e->us > at + US_PER_S) {
            next = e; /* newest first: the last one behind is the nearest */
        } else if (by < 0 && e->us < at - US_PER_S) {
            next = e;
            break;
        }
    }
    if (next) {
        go_event(ui, next);
    } else {
        ui_say(ui, LIGHT_WAIT, "no event on that side of the cursor");
    }
}

static void zoom(struct ui *ui, enum act act)
{
    struct wizard *w = &ui->wizard;
    int64_t from, to, span = w->to_us - w->from_us, least = width_of(ui->cols) * US_PER_S / 4;

    whole(ui, &from, &to);
    if (act == ACT_ZOOM_ALL) {
        w->from_us = from;
        w->to_us = to;
        wizard_ask_points(ui);
        return;
    }
    span = act == ACT_ZOOM_IN ? span / 2 : span * 2;
    span = span < least ? least : span > to - from ? to - from : span;
    w->from_us = w->at_us - span / 2;
    w->from_us = w->from_us + span > to ? to - span : w->from_us;
    w->from_us = w->from_us < from ? from : w->from_us;
    w->to_us = w->from_us + span;
    wizard_ask_points(ui);
}

/* j k: the next row of the list of events, and it becomes the target. */
static void select_row(struct ui *ui, int by)
{
    static struct events all;
    size_t row = 0;

    events_of(ui, &all);
    if (all.n == 0) {
        return;
    }
    while (row + 1 < all.n && all.event[row].us > ui->wizard.at_us) {
        row++;
    }
    if (all.event[row].us == ui->wizard.at_us || by < 0) {
        row = by < 0 ? row - (row > 0) : row + (row + 1 < all.n);
    }
    go_event(ui, &all.event[row]);
    ui->wizard.at_us = all.event[row].us; /* exactly there, whatever was rounded */
}

bool axis_act(struct ui *ui, enum act act)
{
    int64_t step = axis_step_us(ui);

    switch (act) {
    case ACT_LEFT:
    case ACT_RIGHT:
        step = step < US_PER_S ? US_PER_S : step;
        go(ui, ui->wizard.at_us + (act == ACT_LEFT ? -step : step));
        return true;
    case ACT_EVENT_LEFT:
    case ACT_EVENT_RIGHT:
        jump(ui, act == ACT_EVENT_LEFT ? -1 : 1);
        return true;
    case ACT_ZOOM_IN:
    case ACT_ZOOM_OUT:
    case ACT_ZOOM_ALL:
        zoom(ui, act);
        return true;
    case ACT_UP:
    case ACT_DOWN:
        select_row(ui, act == ACT_UP ? -1 : 1);
        return true;
    default:
        return false;
    }
}

/* ---- drawing ------------------------------------------------------------------------------------ */

struct axis {
    struct grid *g;
    const struct wizard *w;
    int width;
};

/* The column of a moment; -1: not on the axis. */
static int col_of(const struct axis *x, int64_t us)
{
    int64_t span = x->w->to_us - x->w->from_us;

    if (us < x->w->from_us || us > x->w->to_us || span <= 0) {
        return -1;
    }
    us = (us - x->w->from_us) / (span / x->width ? span / x->width : 1);
    return AXIS_COL + (us >= x->width ? x->width - 1 : (int)us);
}

static int64_t us_of(const struct axis *x, int i)
{
    return x->w->from_us + (x->w->to_us - x->w->from_us) / x->width * i;
}

/* A round span of time that leaves at least 14 columns between two labels. */
static int64_t label_step(const struct axis *x)
{
    static const int64_t steps[] = {10,   30,    60,    300,   600,   1800,   3600,
                                    7200, 14400, 21600, 43200, 86400, 172800, 604800};
    int64_t span = x->w->to_us - x->w->from_us;
    size_t n = sizeof steps / sizeof steps[0];

    for (size_t i = 0; i < n; i++) {
        if (steps[i] * US_PER_S * x->width >= span * 14) {
            return steps[i] * US_PER_S;
        }
    }
    return span > 0 ? span : US_PER_S;
}

static void draw_labels(const struct axis *x, int row, bool has_ticks)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    int64_t step = label_step(x), zone = clock_local_offset(x->w->from_us) * US_PER_S;
    int64_t at = x->w->from_us + zone;

    for (at += (step - at % step) % step; at - zone <= x->w->to_us; at += step) {
        struct civil c = civil_at(at - zone, clock_local_offset(at - zone));
        int col = col_of(x, at - zone), end = x->g->cols - 1;
        bool is_day =
            step >= 86400 * US_PER_S || (c.hour == 0 && c.minute == 0 && c.second == 0);

        if (col < 0 || col + 8 > end) {
            continue;
        }
        if (is_day) {
            grid_fmt(x->g, col, row, end, ROLE_DIM, "%s %02d", days[c.weekday], c.day);
        } else if (step % (60 * US_PER_S)) {
            grid_fmt(x->g, col, row, end, ROLE_DIM, "%02d:%02d:%02d", c.hour, c.minute,
                     c.second);
        } else {
            grid_fmt(x->g, col, row, end, ROLE_DIM, "%02d:%02d", c.hour, c.minute);
        }
        if (has_ticks) {
            grid_symbol(x->g, col, row + 1, end, ROLE_DIM, SYM_TICK);
        }
    }
}

/* A rate on this axis: each column has the largest of its steps. */
static void draw_rate(const struct axis *x, int row, const struct wal_rate *rate)
{
    uint64_t value[1024] = {0};
    int width = x->width < 1024 ? x->width : 1024;

    for (size_t i = 0; i < rate->n; i++) {
        int64_t begin = rate->from_us + (int64_t)i * rate->step_us;

        for (int col = 0; col < width; col++) {
            if (us_of(x, col + 1) > begin && us_of(x, col) < begin + rate->step_us &&
                rate->bytes[i] > value[col]) {
                value[col] = rate->bytes[i];
            }
        }
    }
    grid_spark(x->g, AXIS_COL, row, AXIS_COL + width, value, (size_t)width);
}

static void draw_commits(const struct ui *ui, const struct axis *x, int row)
{
    const struct answer *a = ui->model.answer[ASK_POINTS];
    char text[200] = "";

    grid_text(x->g, 1, row, AXIS_COL, ROLE_DIM, "commits");
    if (a && a->has_failed) {
        char why[1700];

        (void)err_text(&a->err, why, sizeof why);
        grid_fmt(x->g, AXIS_COL, row, x->g->cols - 1, ROLE_WARN, "not read: %s", why);
        return;
    }
    if (a && a->points.commits.n) {
        draw_rate(x, row, &a->points.commits);
    } else if (!a) {
        grid_text(x->g, AXIS_COL, row, x->g->cols - 1, ROLE_DIM,
                  "... the WAL of this time is being read");
    }
    if (a && ui->model.waiting[ASK_POINTS] && a->points.of) {
        (void)str_fmt(text, sizeof text, " %" PRIu64 " of %" PRIu64 " segments ",
                      a->points.segments, a->points.of);
        grid_right(x->g, AXIS_COL, row, x->g->cols - 1, ROLE_DIM, text);
    }
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void draw_stretch(const struct axis *x, int row, const struct stretch *st)
{
    int64_t from = later(st->from.us, x->w->from_us), to = earlier(st->to.us, x->w->to_us);
    int first = col_of(x, from), last = col_of(x, to);

    if (!st->is_main || from > to || first < 0 || last < 0) {
        return;
    }
    grid_fill(x->g, first, row, last + 1, ROLE_OK, SYM_LINE);
    if (from == st->from.us) {
        grid_symbol(x->g, first, row, last + 1, ROLE_OK, SYM_HOLE_RIGHT);
    }
    if (to == st->to.us && !st->is_open) {
        grid_symbol(x->g, last, row, last + 1, ROLE_OK, SYM_HOLE_LEFT);
    }
}

static void draw_hole(const struct axis *x, int row, const struct hole *hole)
{
    int64_t from = later(hole->from_us, x->w->from_us);
    int64_t to = earlier(hole->to_us ? hole->to_us : x->w->to_us, x->w->to_us);
    int first = col_of(x, from), last = col_of(x, to);

    if (hole->hurts && from < to && first >= 0 && last - first > 7) {
        grid_text(x->g, first + (last - first) / 2 - 1, row, last, ROLE_FAIL, "hole");
    }
}

static void draw_restorable(const struct ui *ui, const struct axis *x, int row)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct coverage *c = s ? s->coverage : NULL;

    grid_text(x->g, 1, row, AXIS_COL, ROLE_DIM, "restorable");
    for (size_t i = 0; c && i < c->stretches; i++) {
        draw_stretch(x, row, &c->stretch[i]);
    }
    for (size_t i = 0; c && i < c->holes; i++) {
        draw_hole(x, row, &c->hole[i]);
    }
}

static void draw_events(const struct ui *ui, const struct axis *x, int row)
{
    static struct events all;
    static const char *const letter[] = {"R", "b", "S", "x", ""};

    events_of(ui, &all);
    for (size_t i = all.n; i-- > 0;) {
        int col = col_of(x, all.event[i].us);

        if (col >= 0) {
            grid_text(x->g, col, row, x->g->cols - 1,
                      all.event[i].kind == EVENT_HOLE ? ROLE_FAIL : ROLE_TEXT,
                      letter[all.event[i].kind]);
        }
    }
}

static void draw_target(const struct ui *ui, const struct axis *x, int row)
{
    int col = col_of(x, x->w->at_us), width;
    char when[WHEN_CAP];

    grid_text(x->g, 1, row, AXIS_COL, ROLE_DIM, "target");
    wizard_moment(x->w->at_us, ui->model.now_us, when);
    if (col < 0) {
        grid_fmt(x->g, AXIS_COL, row, x->g->cols - 1, ROLE_DIM,
                 "%s is not on this axis; 0 shows all", x->w->types ? "it" : when);
        return;
    }
    grid_symbol(x->g, col, row, x->g->cols, ROLE_ACCENT, SYM_POINTER);
    width = text_width(when) + 1;
    if (col + 1 + width < x->g->cols) {
        grid_text(x->g, col + 2, row, x->g->cols, ROLE_ACCENT, when);
    } else {
        grid_text(x->g, col - width, row, col, ROLE_ACCENT, when);
    }
}

int axis_draw(struct ui *ui, struct grid *g, int row, bool is_short)
{
    const struct snapshot *s = ui_snapshot(ui);
    struct axis x = {g, &ui->wizard, width_of(g->cols)};

    draw_labels(&x, row, !is_short);
    row += is_short ? 1 : 2;
    draw_commits(ui, &x, row++);
    if (!is_short && s && s->coverage) {
        bool is_day = s->coverage->day.n && x.w->from_us >= s->coverage->day.from_us;

        grid_text(g, 1, row, AXIS_COL, ROLE_DIM, "WAL");
        draw_rate(&x, row++, is_day ? &s->coverage->day : &s->coverage->whole);
    }
    draw_restorable(ui, &x, row++);
    if (!is_short) {
        grid_text(g, 1, row, AXIS_COL, ROLE_DIM, "events");
    }
    draw_events(ui, &x, row);
    row += !is_short;
    draw_target(ui, &x, row++);
    return row;
}
