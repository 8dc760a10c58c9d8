/* SPDX-License-Identifier: PostgreSQL */
/* view_overview_jobs.c - the jobs, newest first: what runs with its bar, what ended with its
 * result. The lower pane of the overview and the upper one of the jobs view. */
#include "base/clock.h"
#include "ui/list.h"
#include "ui/view_overview_in.h"
#include "ui/words.h"

#include <string.h>

#define NUMBER_CAP 12

struct place { /* columns of a row */
    int number, state, verb, server, rest, end;
};

static struct place places(const struct box *box)
{
    bool wide = box->end - box->col >= 100;
    int verb = box->col + 15;

    return (struct place){.number = box->col + 3,
                          .state = box->col + 9,
                          .verb = verb,
                          .server = verb + (wide ? 16 : 14),
                          .rest = verb + (wide ? 42 : 27),
                          .end = box->end - 1};
}

static bool fits(const struct list *list, const struct job_row *job)
{
    char text[300];

    if (!list->filter[0]) {
        return true;
    }
    (void)str_fmt(text, sizeof text, "#%u %s %.32s %.128s %.100s", job->number,
                  light_word(light_job(job)), job->verb, job->server, job->text);
    return list_fits(list, text);
}

struct rows jobs_rows(struct ui *ui)
{
    struct list *list = &ui->list[PANE_JOBS];
    const struct job_table *t = ui->model.jobs;
    size_t n = t ? t->n : 0;
    struct rows rows = {ui_rows(ui, n, sizeof *rows.id), ui_rows(ui, n, sizeof *rows.of), 0};
    char(*number)[NUMBER_CAP] = ui_rows(ui, n, sizeof *number);

    list->total = n;
    for (size_t i = 0; rows.id && rows.of && number && i < n; i++) {
        if (fits(list, &t->job[i])) {
            (void)str_fmt(number[i], NUMBER_CAP, "%u", t->job[i].number);
            rows.id[rows.n] = number[i];
            rows.of[rows.n++] = &t->job[i];
        }
    }
    return rows;
}

static void draw_running(const struct ui *ui, struct grid *g, const struct place *p, int row,
                         const struct job_row *job)
{
    const struct running *r = model_running(&ui->model, job->number);
    int wide = p->end - p->rest, col = p->rest, percent;
    char text[FMT_CAP], more[FMT_CAP];

    if (!r) {
        grid_fmt(g, col, row, p->end, ROLE_DIM, "for %s",
                 word_ago(job->began_us, ui->model.now_us, text));
        return;
    }
    percent = percent_of(&r->progress);
    if (percent >= 0 && wide >= 32) {
        int bar = wide >= 60 ? 24 : wide - 29 > 5 ? wide - 29 : 5;

        grid_bar(g, col, row, col + bar, r->progress.done, r->progress.total);
        col += bar + 1;
    }
    if (percent >= 0) {
        col = grid_fmt(g, col, row, p->end, ROLE_TEXT, "%3d %%  ", percent);
    } else {
        col = grid_fmt(g, col, row, p->end, ROLE_TEXT, "%s  ", r->progress.phase);
    }
    if (wide >= 26 && (r->progress.done || r->progress.total)) {
        col = grid_fmt(g, col, row, p->end, ROLE_TEXT, "%s  ", word_done(&r->progress, text));
    }
    if (wide >= 60 && r->progress.per_sec) {
        grid_text(g, col, row, p->end, ROLE_TEXT, word_rate(&r->progress, text));
    }
    word_left(&r->progress, more);
    if (text_width(more) < p->end - col) {
        grid_right(g, col, row, p->end, ROLE_TEXT, more);
    }
}

static const char *last_words(const struct job_row *job)
{
    if (job->state == ROW_CANCELLED) {
        return "cancelled";
    }
    return job->state == ROW_DIED && !job->text[0] ? "its process ended without a last word"
                                                   : job->text;
}

/* When it ended and, where there is room, how long it took. */
static void ended_text(const struct ui *ui, const struct job_row *job, bool is_short,
                       char out[WHEN_CAP + FMT_CAP])
{
    char when[WHEN_CAP], took[FMT_CAP] = "";

    if (job->ended_us && job->began_us) {
        fmt_span((job->ended_us - job->began_us) * 1000, took);
    }
    when_short(job->ended_us ? job->ended_us : job->began_us, ui->model.now_us, when);
    (void)str_fmt(out, WHEN_CAP + FMT_CAP, is_short ? "%s%.0s" : "%s %7.20s", when, took);
}

/* The end at the right, the last words before it. A failure's reason needs the room most. */
static void draw_ended(const struct ui *ui, struct grid *g, const struct place *p, int row,
                       const struct job_row *job)
{
    bool failed = job->state == ROW_FAILED || job->state == ROW_DIED;
    int room = p->end - p->rest, end;
    const char *text = last_words(job);
    char right[WHEN_CAP + FMT_CAP];

    ended_text(ui, job, room < (failed ? 60 : 30), right);
    end = p->end - text_width(right) - 2;
    if (room < 30) { /* one of the two */
        end = failed && text[0] ? p->end : p->rest;
    } else if (!failed && end - p->rest < 24) {
        text = "";
    }
    if (end < p->end) {
        grid_right(g, p->rest, row, p->end, ROLE_TEXT, right);
    }
    grid_cut(g, p->rest, row, end, failed ? ROLE_TEXT : ROLE_DIM, text);
}

/* Ended since the jobs were looked at. */
static bool is_fresh(const struct ui *ui, const struct job_row *job)
{
    int64_t seen_us = ui->view == VIEW_JOBS ? ui->jobs_new_us : ui->jobs_seen_us;

    return seen_us && job->ended_us > seen_us;
}

static void draw_row(const struct ui *ui, struct grid *g, const struct place *p, int row,
                     const struct job_row *job)
{
    enum light light = light_job(job);
    bool is_new = is_fresh(ui, job);

    if (is_new) {
        grid_symbol(g, p->number - 1, row, p->number, ROLE_ACCENT, SYM_NOW);
    }
    grid_fmt(g, p->number, row, p->state, is_new ? ROLE_ACCENT : ROLE_TEXT, "#%u", job->number);
    grid_text(g, p->state, row, p->verb, light_role(light), light_word(light));
    grid_cut(g, p->verb, row, p->server - 1, ROLE_TEXT, job->verb);
    grid_cut(g, p->server, row, p->rest - 1, ROLE_TEXT, job->server);
    if (job_runs(job)) {
        draw_running(ui, g, p, row, job);
    } else {
        draw_ended(ui, g, p, row, job);
    }
}

static void title_right(const struct ui *ui, const struct grid *g, size_t height, char *out,
                        size_t cap)
{
    const struct job_table *t = ui->model.jobs;
    const char *dot = title_gap(g);
    char seen[FILTER_CAP + 80];
    size_t running = 0, fresh = 0;
    struct sbuf b;

    for (size_t i = 0; t && i < t->n; i++) {
        running += job_runs(&t->job[i]);
        fresh += is_fresh(ui, &t->job[i]);
    }
    sbuf_init(&b, out, cap);
    sbuf_add(&b, rows_seen(g, &ui->list[PANE_JOBS], height, seen, sizeof seen));
    if (running) {
        sbuf_fmt(&b, "%s%zu running", dot, running);
    }
    if (fresh) {
        sbuf_fmt(&b, "%s%zu new", dot, fresh);
    }
}

void jobs_list_draw(struct ui *ui, struct grid *g, const struct box *box)
{
    struct list *list = &ui->list[PANE_JOBS];
    struct rows rows = jobs_rows(ui);
    size_t height = box->last > box->row ? (size_t)(box->last - box->row) : 1;
    struct place p = places(box);
    char right[FILTER_CAP + 160];

    list_place(list, rows.id, rows.n, height);
    list->height = height;
    title_right(ui, g, height, right, sizeof right);
    frame_title(g, box->col, box->row, box->end, box->has_focus, "4 JOBS",
                ui->model.jobs ? right : "");
    for (size_t i = list->top; i < rows.n && i < list->top + height; i++) {
        int row = box->row + 1 + (int)(i - list->top);

        draw_row(ui, g, &p, row, rows.of[i]);
        if (i == list->row) {
            row_cursor(g, box, row);
        }
    }
    if (rows.n == 0) {
        grid_text(g, box->col + ROW_TEXT, box->row + 1, box->end, ROLE_DIM,
                  !ui->model.jobs           ? "being read"
                  : list->total             ? "no job fits the filter; Esc clears it"
                  : key_off(ui, ACT_BACKUP) ? "no job is known"
                                            : "no job yet; b starts a backup");
    }
}
