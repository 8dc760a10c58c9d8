/* SPDX-License-Identifier: PostgreSQL */
#include "wizard_axis.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/axis.h"
#include "ui/wizard.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_AXIS (3600 * US_PER_S)
#define PAGE       8 /* events */

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

static void add(struct events *all, struct event event)
{
    if (all->n < AXIS_EVENTS && event.us > 0) {
        all->event[all->n++] = event;
    }
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;

    return x->us != y->us ? (x->us < y->us ? 1 : -1) : (int)x->kind - (int)y->kind;
}

/* Newest first; the oldest of a name on a timeline is its first there. */
static void count_names(struct events *all)
{
    for (size_t i = all->n; i-- > 0;) {
        struct event *e = &all->event[i];
        unsigned older = 0, newer = 0;

        for (size_t k = 0; e->kind == EVENT_POINT && e->name && k < all->n; k++) {
            const struct event *other = &all->event[k];

            if (other->kind == EVENT_POINT && other->tli == e->tli && other->name &&
                strcmp(other->name, e->name) == 0) {
                older += k > i;
                newer += k < i;
            }
        }
        e->nth = older + 1;
        e->of = older + 1 + newer;
    }
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
            enum event_kind kind = p->kind == POINT_SWITCH ? EVENT_SWITCH : EVENT_POINT;

            add(out, (struct event){kind, p->at.us, p->at.lsn, p->tli, p->name, 0, 0});
        }
    }
    for (size_t i = 0; s && i < s->backups; i++) {
        if (s->backup[i].status == BACKUP_DONE) {
            const struct backup_row *b = &s->backup[i];

            add(out, (struct event){EVENT_BACKUP, b->end.us, b->end_lsn, 0, b->id, 0, 0});
        }
    }
    for (size_t i = 0; c && i < c->holes; i++) {
        if (c->hole[i].hurts) {
            const struct hole *h = &c->hole[i];

            add(out,
                (struct event){EVENT_HOLE, h->from_us, h->from_lsn, h->tli, h->first, 0, 0});
        }
    }
    for (size_t i = 0; c && i < c->stretches; i++) {
        if (c->stretch[i].is_main) {
            const struct mark *to = &c->stretch[i].to;

            add(out, (struct event){EVENT_END, to->us, to->lsn, c->stretch[i].tli, NULL, 0, 0});
        }
    }
    qsort(out->event, out->n, sizeof out->event[0], by_time);
    count_names(out);
}

const char *event_text(const struct event *event, char out[160])
{
    size_t n;

    switch (event->kind) {
    case EVENT_POINT:
        (void)str_fmt(out, 160, "restore point '%s'", event->name ? event->name : "?");
        if (event->of > 1) { /* it is chosen by its place, whatever a name would find */
            n = strlen(out);
            (void)str_fmt(out + n, 160 - n, ", %u of %u%s", event->nth, event->of,
                          event->nth > 1 ? ": by LSN" : "");
        }
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

/* The end as the newest look has it; 0: nothing can be restored. */
static int64_t newest_us(const struct ui *ui)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct stretch *newest = s ? snapshot_newest_stretch(s) : NULL;

    return newest ? newest->to.us : 0;
}

/* The last hour before the newest moment, and the cursor there. */
void axis_first(struct ui *ui)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct stretch *newest = s ? snapshot_newest_stretch(s) : NULL;
    struct wizard *w = &ui->wizard;

    w->to_us = newest ? newest->to.us : ui->model.now_us;
    w->from_us = w->to_us - FIRST_AXIS;
    if (newest && newest->from.us > w->from_us && newest->from.us < w->to_us) {
        w->from_us = newest->from.us - (w->to_us - newest->from.us) / 16;
    }
    w->at_us = w->to_us;
    w->end_us = newest ? newest->to.us : 0;
}

/* An axis that reached to the end still does. It keeps its span, unless the cursor would be
 * left behind or all was shown: then it grows. */
static void extend(struct ui *ui, int64_t by)
{
    struct wizard *w = &ui->wizard;
    int64_t first, last;

    whole(ui, &first, &last);
    w->to_us += by;
    if (w->from_us > first && w->at_us >= w->from_us + by) {
        w->from_us += by;
    }
}

/* Nothing but the end is wanted, of the newest timeline. */
static bool is_latest(const struct ui *ui)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct stretch *newest = s ? snapshot_newest_stretch(s) : NULL;
    const struct goal *goal = &ui->wizard.words.goal;

    return goal->kind == GOAL_LATEST && (!goal->tli || (newest && goal->tli == newest->tli));
}

bool axis_follow(struct ui *ui)
{
    struct wizard *w = &ui->wizard;
    int64_t end = newest_us(ui), by = end - w->end_us;

    if (by == 0 || end == 0) {
        w->end_us = end ? w->end_us : 0;
        return false;
    }
    wizard_to_the_end(ui);
    if (w->end_us == 0 && is_latest(ui)) { /* nothing was known when it began */
        axis_first(ui);
        return true;
    }
    if (is_latest(ui)) {
        w->at_us = end;
    }
    if (w->end_us && w->to_us >= w->end_us && w->to_us < end) { /* back: a file, now read */
        extend(ui, end - w->to_us);
    }
    w->end_us = end;
    return true;
}

static void go(struct ui *ui, int64_t us)
{
    struct wizard *w = &ui->wizard;
    struct goal goal = w->words.goal;
    int64_t from, to, end = newest_us(ui);

    whole(ui, &from, &to);
    to = end ? end : to; /* an abandoned timeline may have gone on for longer */
    w->types = false;
    if (us >= to) {
        w->at_us = to;
        wizard_set_goal(ui, &(struct goal){.kind = GOAL_LATEST});
    } else {
        w->at_us = us < from ? from : us;
        w->at_us -= axis_step_us(ui) >= US_PER_S ? w->at_us % US_PER_S : 0;
        goal.tli = 0; /* the axis is that of the newest timeline */
        goal_at(&goal, w->at_us);
        wizard_set_goal(ui, &goal);
    }
    axis_show(ui, w->at_us);
}

/* Is that place on the way to the newest timeline? */
static bool is_on_main(const struct ui *ui, const struct event *event)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct coverage *c = s ? s->coverage : NULL;

    for (size_t i = 0; c && i < c->lines; i++) {
        const struct line_part *line = &c->line[i];

        if (line->tli == event->tli) {
            return line->is_newest || (line->is_main && event->lsn < line->end);
        }
    }
    return true; /* not looked at yet */
}

/* By its LSN: a name can stand in the WAL more than once, and a server stops at the first. */
static void go_point(struct ui *ui, const struct event *event)
{
    struct goal goal = {.kind = GOAL_LSN};
    char lsn[FMT_CAP];

    (void)str_copy(goal.text, sizeof goal.text, fmt_lsn(event->lsn, lsn));
    (void)str_copy(goal.point, sizeof goal.point, event->name);
    goal.tli = is_on_main(ui, event) ? 0 : event->tli;
    ui->wizard.at_us = event->us;
    ui->wizard.types = false;
    wizard_set_goal(ui, &goal);
    axis_show(ui, event->us);
}

static void go_event(struct ui *ui, const struct event *event)
{
    if (event->kind == EVENT_POINT && event->name && event->lsn) {
        go_point(ui, event);
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

/* So many rows down the list of events, which begins with the newest; it becomes the target. */
static void select_row(struct ui *ui, int by)
{
    static struct events all;
    int row = 0;

    events_of(ui, &all);
    if (all.n == 0) {
        return;
    }
    while (row + 1 < (int)all.n && all.event[row].us > ui->wizard.at_us) {
        row++;
    }
    if (all.event[row].us == ui->wizard.at_us || by < 0) {
        row += by;
    } else {
        row += by - 1; /* the cursor stands before that row */
    }
    row = row < 0 ? 0 : row < (int)all.n ? row : (int)all.n - 1;
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
    case ACT_PAGE_UP:
    case ACT_PAGE_DOWN:
        select_row(ui, act == ACT_PAGE_UP ? -PAGE : PAGE);
        return true;
    case ACT_HALF_UP:
    case ACT_HALF_DOWN:
        select_row(ui, act == ACT_HALF_UP ? -PAGE / 2 : PAGE / 2);
        return true;
    case ACT_FIRST:
    case ACT_LAST:
        select_row(ui, act == ACT_FIRST ? -AXIS_EVENTS : AXIS_EVENTS);
        return true;
    default:
        return false;
    }
}

/* ---- drawing ------------------------------------------------------------------------------------ */

static void draw_commits(const struct ui *ui, struct grid *g, const struct axis *x, int row)
{
    const struct answer *a = ui->model.answer[ASK_POINTS];
    char text[200] = "";

    grid_text(g, 1, row, AXIS_COL, ROLE_DIM, "commits");
    if (a && a->has_failed) {
        char why[1700];

        (void)err_text(&a->err, why, sizeof why);
        grid_fmt(g, AXIS_COL, row, g->cols - 1, ROLE_WARN, "not read: %s", why);
        return;
    }
    if (a && a->points.commits.n) {
        axis_rate(x, g, row, &a->points.commits);
    } else if (!a) {
        grid_text(g, AXIS_COL, row, g->cols - 1, ROLE_DIM,
                  "... the WAL of this time is being read");
    }
    if (a && ui->model.waiting[ASK_POINTS] && !ui->model.is_quiet[ASK_POINTS] && a->points.of) {
        (void)str_fmt(text, sizeof text, " %" PRIu64 " of %" PRIu64 " segments ",
                      a->points.segments, a->points.of);
        grid_right(g, AXIS_COL, row, g->cols - 1, ROLE_DIM, text);
    }
}

static void draw_events(const struct ui *ui, struct grid *g, const struct axis *x, int row)
{
    static struct events all;
    static const char *const letter[] = {"R", "b", "S", "x", ""};

    events_of(ui, &all);
    for (size_t i = all.n; i-- > 0;) {
        int col = axis_col(x, all.event[i].us);

        if (axis_has(x, col)) {
            grid_text(g, col, row, g->cols - 1,
                      all.event[i].kind == EVENT_HOLE ? ROLE_FAIL : ROLE_TEXT,
                      letter[all.event[i].kind]);
        }
    }
}

static void draw_target(const struct ui *ui, struct grid *g, const struct axis *x, int row)
{
    int col = axis_col(x, ui->wizard.at_us), width;
    char when[WHEN_CAP];

    grid_text(g, 1, row, AXIS_COL, ROLE_DIM, "target");
    when_moment(ui->wizard.at_us, ui->model.now_us, when);
    if (!axis_has(x, col)) {
        grid_fmt(g, AXIS_COL, row, g->cols - 1, ROLE_DIM, "%s is not on this axis; 0 shows all",
                 ui->wizard.types ? "it" : when);
        return;
    }
    grid_symbol(g, col, row, g->cols, ROLE_ACCENT, SYM_POINTER);
    width = text_width(when) + 1;
    if (col + 1 + width < g->cols) {
        grid_text(g, col + 2, row, g->cols, ROLE_ACCENT, when);
    } else {
        grid_text(g, col - width, row, col, ROLE_ACCENT, when);
    }
}

int axis_draw(struct ui *ui, struct grid *g, int row, bool is_short)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct coverage *c = s ? s->coverage : NULL;
    const struct wizard *w = &ui->wizard;
    struct axis x = {w->from_us, w->to_us, AXIS_COL, AXIS_COL + width_of(g->cols)};

    axis_scale(&x, g, row++);
    if (!is_short) {
        axis_ticks(&x, g, row++);
    }
    draw_commits(ui, g, &x, row++);
    if (!is_short && c) {
        bool is_day = c->day.n && x.from_us >= c->day.from_us;

        grid_text(g, 1, row, AXIS_COL, ROLE_DIM, "WAL");
        axis_rate(&x, g, row++, is_day ? &c->day : &c->whole);
    }
    grid_text(g, 1, row, AXIS_COL, ROLE_DIM, "restorable");
    if (c) {
        axis_restorable(&x, g, row, c);
    }
    row++;
    if (!is_short) {
        grid_text(g, 1, row, AXIS_COL, ROLE_DIM, "events");
    }
    draw_events(ui, g, &x, row);
    row += !is_short;
    draw_target(ui, g, &x, row++);
    return row;
}
