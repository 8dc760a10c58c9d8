/* SPDX-License-Identifier: PostgreSQL */
/* view_wal.c - timelines, backups, WAL and what can be restored, under one axis with a cursor. */
#include "base/clock.h"
#include "base/fmt.h"
#include "ui/table.h"
#include "ui/view.h"
#include "ui/view_wal_in.h"
#include "ui/wizard.h"
#include "ui/words.h"

#include <string.h>

#define LABELS     13
#define TOP        2
#define LEAST_SPAN (60 * US_PER_S)
#define LINES_MOST 6

bool wal_axis(const struct ui *ui, int cols, struct axis *a, int64_t *at_us)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct stretch *newest = s ? snapshot_newest_stretch(s) : NULL;
    int64_t from, to;

    if (!s || !s->coverage || !axis_whole(s, ui->model.now_us, &from, &to)) {
        return false;
    }
    *a = (struct axis){from, to, LABELS, cols - 1};
    if (ui->axis_from_us && ui->axis_to_us > ui->axis_from_us) {
        a->from_us = ui->axis_from_us;
        a->to_us = ui->axis_to_us;
    }
    *at_us = ui->axis_at_us ? ui->axis_at_us : newest ? newest->to.us : to;
    *at_us = *at_us < from ? from : *at_us > to ? to : *at_us;
    return true;
}

void wal_enter(struct ui *ui)
{
    (void)ui;
}

/* ---- drawing ---------------------------------------------------------------------------- */

static void label(struct grid *g, int row, const char *text)
{
    grid_text(g, 1, row, LABELS - 1, ROLE_DIM, text);
}

static void draw_title(const struct ui *ui, struct grid *g, const struct axis *a)
{
    const char *dot = title_gap(g);
    char from[WHEN_CAP], to[WHEN_CAP], span[FMT_CAP], right[200];

    (void)str_fmt(
        right, sizeof right, "%s %s %s%s1 column = %s",
        when_short(a->from_us, ui->model.now_us, from), symbol_text(g->symbols, SYM_TO),
        a->to_us == ui->model.now_us ? "now" : when_short(a->to_us, ui->model.now_us, to), dot,
        fmt_span(axis_step(a) * 1000, span));
    frame_title(g, 0, TOP, g->cols, true, "TIMELINES", right);
}

static void draw_cursor(struct grid *g, const struct axis *a, int row, int64_t at_us)
{
    int col = axis_col(a, at_us), right = a->end - col - 2, left = col - 1 - a->col;
    char when[WHEN_CAP];

    label(g, row, "cursor");
    if (col < a->col || col >= a->end) {
        return;
    }
    grid_symbol(g, col, row, a->end, ROLE_ACCENT, SYM_POINTER);
    when_full(at_us, when);
    if (text_width(when) > (right > left ? right : left)) {
        when_dated(at_us, when);
    }
    if (text_width(when) <= right) {
        grid_text(g, col + 2, row, a->end, ROLE_ACCENT, when);
    } else {
        grid_right(g, a->col, row, col - 1, ROLE_ACCENT, when);
    }
}

/* How many rows the timelines get: one in a small window, where they share a row. */
static int line_rows(const struct grid *g, const struct coverage *c)
{
    int room = g->rows - 20;
    int rows = (int)c->lines < room ? (int)c->lines : room;

    rows = rows > LINES_MOST ? LINES_MOST : rows;
    return rows < 1 ? 1 : rows;
}

static int draw_picture(const struct ui *ui, struct grid *g, const struct axis *a,
                        int64_t at_us)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct coverage *c = s->coverage;
    int row = TOP + 1, rows = line_rows(g, c);
    bool roomy = g->rows >= 22;

    axis_scale(a, g, row++);
    if (roomy) {
        axis_ticks(a, g, row++);
    }
    if (rows == 1 && c->lines != 1) {
        label(g, row, "timeline");
        axis_lines(a, g, row++, c);
    } else {
        wal_lines_draw(a, g, row, rows, c);
        row += rows;
    }
    label(g, row, "backups");
    axis_backups(a, g, row++, s);
    label(g, row, "WAL");
    axis_wal(a, g, row++, c);
    if (roomy) {
        label(g, row, "rate");
        axis_rate(a, g, row++,
                  axis_step(a) <= c->day.step_us && a->from_us >= c->day.from_us ? &c->day
                                                                                 : &c->whole);
    }
    label(g, row, "restorable");
    axis_restorable(a, g, row++, c);
    draw_cursor(g, a, row, at_us);
    return row + 1;
}

void wal_draw(struct ui *ui, struct grid *g)
{
    struct axis a;
    int64_t at_us;
    char text[400], where[32];
    enum light light = words_restorable(ui, text, sizeof text);

    (void)str_fmt(where, sizeof where, "%s WAL", symbol_text(g->symbols, SYM_TO));
    frame_top(ui, g, where, light, text);
    if (wal_axis(ui, g->cols, &a, &at_us)) {
        draw_title(ui, g, &a);
        wal_under_draw(ui, g, &a, at_us, draw_picture(ui, g, &a, at_us), g->rows - 3);
        (void)str_fmt(text, sizeof text, "%s",
                      "F full  i incr  r rsync  s snapshot  x failed   "
                      "dim end: not proven yet");
    } else {
        const struct snapshot *s = ui_snapshot(ui);

        frame_title(g, 0, TOP, g->cols, true, "TIMELINES", "");
        grid_text(g, 3, TOP + 1, g->cols, ROLE_DIM,
                  s && s->coverage
                      ? "no WAL is archived and no backup is kept: there is nothing to draw"
                  : s && s->kept_why ? "not known: what is kept cannot be read"
                                     : "being read");
        text[0] = '\0';
    }
    frame_bottom(ui, g, text);
}

/* ---- moving ----------------------------------------------------------------------------- */

/* The window, as long as before, moved so that the cursor is in it; within all there is. */
static void keep_in_sight(struct ui *ui, const struct axis *a, int64_t at_us)
{
    int64_t span = a->to_us - a->from_us, from = a->from_us, first, now;

    if (!axis_whole(ui_snapshot(ui), ui->model.now_us, &first, &now)) {
        return;
    }
    if (at_us < from) {
        from = at_us - span / 8;
    } else if (at_us > a->to_us) {
        from = at_us - span + span / 8;
    }
    from = from + span > now ? now - span : from;
    from = from < first ? first : from;
    ui->axis_at_us = at_us;
    if (span >= now - first) {
        ui->axis_from_us = ui->axis_to_us = 0;
    } else {
        ui->axis_from_us = from;
        ui->axis_to_us = from + span;
    }
}

static unsigned move_to(struct ui *ui, const struct axis *a, int64_t at_us)
{
    int64_t first, now;

    if (axis_whole(ui_snapshot(ui), ui->model.now_us, &first, &now)) {
        at_us = at_us < first ? first : at_us > now ? now : at_us;
        keep_in_sight(ui, a, at_us);
    }
    return UI_REDRAW;
}

/* Half or double the time, the cursor where it stands. */
static unsigned zoom(struct ui *ui, struct axis a, int64_t at_us, bool in)
{
    int64_t span = a.to_us - a.from_us, left = at_us - a.from_us;

    if (in && span / 2 < LEAST_SPAN) {
        return UI_NOTHING;
    }
    a.from_us = in ? at_us - left / 2 : at_us - left * 2;
    a.to_us = a.from_us + (in ? span / 2 : span * 2);
    keep_in_sight(ui, &a, at_us);
    return UI_REDRAW;
}

static unsigned open_backup(struct ui *ui, const struct axis *a, int64_t at_us)
{
    const struct backup_row *b = wal_backup_at(ui_snapshot(ui), a, at_us);

    if (!b) {
        ui_say(ui, LIGHT_WAIT,
               "no backup ended under the cursor; H and L go to the next thing");
        return UI_REDRAW;
    }
    (void)str_copy(ui->backup, sizeof ui->backup, b->id);
    (void)str_copy(ui->list[PANE_BACKUPS].at, NAME_CAP, b->id);
    ui_goto(ui, VIEW_BACKUP);
    return UI_REDRAW;
}

static unsigned restore_to(struct ui *ui, int64_t at_us)
{
    ui->axis_at_us = at_us;
    wizard_begin(ui);
    return UI_REDRAW;
}

static unsigned move(struct ui *ui, enum act act, const struct axis *a, int64_t at_us)
{
    const struct snapshot *s = ui_snapshot(ui);
    int64_t step = axis_step(a), span = a->to_us - a->from_us;

    switch (act) {
    case ACT_LEFT:
        return move_to(ui, a, at_us - step);
    case ACT_RIGHT:
        return move_to(ui, a, at_us + step);
    case ACT_HALF_UP:
    case ACT_PAGE_UP:
        return move_to(ui, a, at_us - span / (act == ACT_PAGE_UP ? 4 : 8));
    case ACT_HALF_DOWN:
    case ACT_PAGE_DOWN:
        return move_to(ui, a, at_us + span / (act == ACT_PAGE_DOWN ? 4 : 8));
    case ACT_FIRST:
        return move_to(ui, a, 1);
    case ACT_LAST:
        return move_to(ui, a, INT64_MAX);
    case ACT_EVENT_LEFT:
        return move_to(ui, a, wal_event(s, at_us, WAL_EARLIER));
    case ACT_EVENT_RIGHT:
        return move_to(ui, a, wal_event(s, at_us, WAL_LATER));
    default:
        return UI_NOTHING;
    }
}

unsigned wal_act(struct ui *ui, enum act act)
{
    struct axis a;
    int64_t at_us;
    char when[WHEN_CAP];

    if (!wal_axis(ui, ui->cols, &a, &at_us)) {
        return UI_NOTHING;
    }
    switch (act) {
    case ACT_ZOOM_IN:
    case ACT_ZOOM_OUT:
        return zoom(ui, a, at_us, act == ACT_ZOOM_IN);
    case ACT_ZOOM_ALL:
        ui->axis_from_us = ui->axis_to_us = 0;
        return UI_REDRAW;
    case ACT_OPEN:
        return open_backup(ui, &a, at_us);
    case ACT_RESTORE:
        return restore_to(ui, at_us);
    case ACT_COPY:
    case ACT_COPY_LINE:
        ui_copy(ui, when_option(at_us, when));
        return UI_REDRAW;
    default:
        return move(ui, act, &a, at_us);
    }
}
