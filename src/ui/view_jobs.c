/* SPDX-License-Identifier: PostgreSQL */
/* view_jobs.c - the jobs above, the log of the opened one below. */
#include "base/clock.h"
#include "ui/list.h"
#include "ui/view.h"
#include "ui/view_jobs_in.h"
#include "ui/view_overview_in.h"
#include "ui/words.h"

#include <string.h>

#define TOP 2

static void follow(struct ui *ui, uint32_t job)
{
    ui->job = job;
    (void)str_fmt(ui->list[PANE_JOBS].at, sizeof ui->list[PANE_JOBS].at, "%u", job);
    if (ui->model.followed != job) {
        model_follow(&ui->model, job);
        ui_order(ui, ORDER_FOLLOW, 0, job);
        ui->is_following = true;
        ui->log_top = ui->log_at = 0;
    }
}

void jobs_enter(struct ui *ui)
{
    uint64_t number = ui->job;

    ui->jobs_new_us = ui->jobs_seen_us;
    ui->jobs_seen_us = ui->model.now_us;
    if (number == 0 && !str_u64(str_of(ui->list[PANE_JOBS].at), UINT32_MAX, &number)) {
        number = ui->model.jobs && ui->model.jobs->n ? ui->model.jobs->job[0].number : 0;
    }
    if (number) {
        follow(ui, (uint32_t)number);
    }
}

/* ---- drawing ---------------------------------------------------------------------------- */

static void add_running(const struct ui *ui, struct sbuf *b, const struct job_row *job)
{
    const struct running *r = model_running(&ui->model, job->number);
    char text[FMT_CAP];
    int percent = r ? percent_of(&r->progress) : -1;

    sbuf_add(b, "RUNNING   ");
    if (percent >= 0) {
        sbuf_fmt(b, "%d %%  ", percent);
    }
    if (r && r->progress.done) {
        sbuf_fmt(b, "%s   ", word_done(&r->progress, text));
    }
    sbuf_fmt(b, "%s so far", word_ago(job->began_us, ui->model.now_us, text));
    if (r && word_left(&r->progress, text)[0]) {
        sbuf_fmt(b, ", about %s", text);
    }
    if (r && r->progress.phase[0] && strcmp(r->progress.phase, job->verb) != 0) {
        sbuf_fmt(b, "   %s", r->progress.phase);
    }
    if (r && r->progress.what[0]) {
        sbuf_fmt(b, "   %s", r->progress.what);
    }
}

static enum light sentence(const struct ui *ui, const struct job_row *job, char *out,
                           size_t cap)
{
    static const char *const word[] = {
        [ROW_NEW] = "STARTING",  [ROW_RUNNING] = "RUNNING",     [ROW_DONE] = "DONE",
        [ROW_FAILED] = "FAILED", [ROW_CANCELLED] = "CANCELLED", [ROW_DIED] = "DIED",
    };
    char when[WHEN_CAP], took[FMT_CAP];
    struct sbuf b;

    sbuf_init(&b, out, cap);
    if (!job) {
        sbuf_add(&b, ui->job ? "GONE   this job is no longer listed" : "NO JOBS yet");
        return LIGHT_WAIT;
    }
    if (job->state == ROW_RUNNING) {
        add_running(ui, &b, job);
        return LIGHT_RUN;
    }
    sbuf_add(&b, word[job->state]);
    if (job->ended_us) {
        sbuf_fmt(&b, "   %s after %s", when_short(job->ended_us, ui->model.now_us, when),
                 fmt_span((job->ended_us - job->began_us) * 1000, took));
    }
    if (job->state == ROW_DIED) {
        sbuf_add(&b, "   its process ended without a last word; the log tells how far it came");
    } else if (job->state == ROW_FAILED) {
        sbuf_fmt(&b, "   %s", job->text);
    }
    return light_job(job);
}

static void meaning(const struct ui *ui, const struct job_row *job, char *out, size_t cap)
{
    struct sbuf b;

    sbuf_init(&b, out, cap);
    if (job && job->hint[0]) {
        sbuf_add(&b, job->hint);
    } else if (job && job->plan[0]) {
        sbuf_fmt(&b, "barkeep --batch %s", job->plan);
    }
    (void)ui;
}

static int list_height(const struct ui *ui, const struct grid *g)
{
    int most = (g->rows - TOP - 2) / 3, need = ui->model.jobs ? (int)ui->model.jobs->n + 1 : 2;

    return need > most ? most : need;
}

void jobs_draw(struct ui *ui, struct grid *g)
{
    const struct job_row *job = model_job(&ui->model, ui->job);
    int height = list_height(ui, g);
    struct box list = {0, TOP, g->cols, TOP + height - 1, !ui->log_has_focus};
    struct box log = {0, TOP + height, g->cols, g->rows - 3, ui->log_has_focus};
    char where[160] = "", text[500];
    enum light light = sentence(ui, job, text, sizeof text);

    arena_reset(&ui->frame, (struct arena_mark){0});
    (void)str_fmt(where, sizeof where, "%s jobs", symbol_text(g->symbols, SYM_TO));
    if (job) {
        (void)str_fmt(where, sizeof where, "%s jobs %s #%u %.20s %.64s",
                      symbol_text(g->symbols, SYM_TO), symbol_text(g->symbols, SYM_TO),
                      job->number, job->verb, job->server);
    }
    frame_top(ui, g, where, light, text);
    if (ui->is_zoomed && ui->log_has_focus) {
        log.row = TOP;
    } else if (ui->is_zoomed) {
        list.last = g->rows - 3;
    }
    if (!ui->is_zoomed || !ui->log_has_focus) {
        jobs_list_draw(ui, g, &list);
    }
    if (!ui->is_zoomed || ui->log_has_focus) {
        log_draw(ui, g, &log);
    }
    meaning(ui, job, text, sizeof text);
    frame_bottom(ui, g, text);
}

/* ---- acts ------------------------------------------------------------------------------- */

static unsigned move_job(struct ui *ui, enum act act)
{
    struct list *list = &ui->list[PANE_JOBS];
    struct rows rows;
    uint64_t number;

    arena_reset(&ui->frame, (struct arena_mark){0});
    rows = jobs_rows(ui);
    if (!list_act(list, act, rows.id, rows.n, list->height)) {
        return UI_NOTHING;
    }
    if (rows.n && str_u64(str_of(list->at), UINT32_MAX, &number)) {
        follow(ui, (uint32_t)number);
    }
    return UI_REDRAW;
}

static unsigned step_back(struct ui *ui)
{
    if (ui->find[0]) {
        ui->find[0] = '\0';
        ui->only_hits = false;
        return UI_REDRAW;
    }
    if (ui->is_zoomed) {
        ui->is_zoomed = false;
        return UI_REDRAW;
    }
    return ui_back(ui);
}

static unsigned copy_command(struct ui *ui)
{
    const struct job_row *job = model_job(&ui->model, ui->job);

    if (!job) {
        return UI_NOTHING;
    }
    ui_copy_plan(ui, job->plan);
    return UI_REDRAW;
}

unsigned jobs_act(struct ui *ui, enum act act)
{
    switch (act) {
    case ACT_NEXT_PANE:
    case ACT_PREV_PANE:
        ui->log_has_focus = !ui->log_has_focus;
        return UI_REDRAW;
    case ACT_OPEN:
        ui->log_has_focus = true;
        return UI_REDRAW;
    case ACT_ZOOM_PANE:
        ui->is_zoomed = !ui->is_zoomed;
        return UI_REDRAW;
    case ACT_WRAP:
        ui->wraps = !ui->wraps;
        return UI_REDRAW;
    case ACT_ONLY_HITS:
        ui->only_hits = !ui->only_hits;
        return UI_REDRAW;
    case ACT_BACK:
        return step_back(ui);
    case ACT_NEXT_HIT:
    case ACT_PREV_HIT:
        return log_act(ui, act);
    case ACT_COPY:
    case ACT_COPY_LINE:
        return ui->log_has_focus ? log_act(ui, act) : copy_command(ui);
    default:
        return ui->log_has_focus ? log_act(ui, act) : move_job(ui, act);
    }
}
