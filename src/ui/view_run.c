/* SPDX-License-Identifier: PostgreSQL */
/* view_run.c - step 4: the restore, and the start of the copy, as they run. They are jobs of
 * their own: leaving this screen, or losing the terminal, stops nothing. */
#include "base/clock.h"
#include "base/fmt.h"
#include "ui/view.h"
#include "ui/wizard.h"
#include "ui/words.h"

#include <inttypes.h>
#include <string.h>

/* The job that is looked at: the copy once it has a number. */
static uint32_t job_of(const struct ui *ui)
{
    return ui->wizard.copy_job ? ui->wizard.copy_job : ui->wizard.restore_job;
}

void run_enter(struct ui *ui)
{
    uint32_t job = job_of(ui);

    ui->wizard.step = VIEW_RUN;
    if (job && ui->model.followed != job) {
        model_follow(&ui->model, job);
        ui_order(ui, ORDER_FOLLOW, 0, job);
    }
    if (ui->wizard.copy_job) {
        ui->wizard.copy_due_ns = ui->model.now_ns;
    }
}

static const struct job_row *row_of(const struct ui *ui)
{
    return model_job(&ui->model, job_of(ui));
}

static bool has_ended(const struct job_row *row)
{
    return row && row->state != ROW_RUNNING && row->state != ROW_NEW;
}

static bool has_failed(const struct job_row *row)
{
    return has_ended(row) && row->state != ROW_DONE;
}

/* ---- acts ------------------------------------------------------------------------------------ */

static unsigned go_on(struct ui *ui)
{
    struct wizard *w = &ui->wizard;
    const struct job_row *row = row_of(ui);

    if (w->copy_job && has_failed(row)) { /* the files stand: only the start is tried again */
        w->words.port ? where_ask_port(ui) : wizard_start_copy(ui); /* its port may be taken */
        return UI_REDRAW;
    }
    if (w->failed_to_start && w->restore_job) {
        wizard_start_copy(ui);
        return UI_REDRAW;
    }
    if (has_failed(row) || w->failed_to_start) {
        wizard_step(ui, VIEW_PLAN);
        return UI_REDRAW;
    }
    if (has_ended(row) && (w->copy_job || w->words.where != WHERE_COPY)) {
        wizard_step(ui, VIEW_CHECK);
        return UI_REDRAW;
    }
    return UI_NOTHING; /* key_off() says why */
}

const char *run_off(const struct ui *ui)
{
    const struct job_row *row = row_of(ui);

    if (ui->wizard.failed_to_start || has_failed(row) ||
        (has_ended(row) && (ui->wizard.copy_job || ui->wizard.words.where != WHERE_COPY))) {
        return NULL;
    }
    return "it is still running; Esc leaves it running, c cancels it";
}

const char *run_next_label(const struct ui *ui)
{
    if (has_failed(row_of(ui)) || ui->wizard.failed_to_start) {
        return ui->wizard.copy_job ? "start the copy again" : "back to the plan";
    }
    return "look at it";
}

unsigned run_act(struct ui *ui, enum act act)
{
    switch (act) {
    case ACT_OPEN:
        return go_on(ui);
    case ACT_LOG:
        ui->job = job_of(ui);
        ui_goto(ui, VIEW_JOBS);
        return UI_REDRAW;
    case ACT_BACK:
    case ACT_DETACH:
        wizard_leave(ui);
        if (!has_ended(row_of(ui))) {
            ui_say(ui, LIGHT_RUN, "#%" PRIu32 " runs on; r on %s comes back to it", job_of(ui),
                   ui->wizard.words.server);
        }
        return UI_REDRAW;
    case ACT_COPY:
        ui_copy(ui, ui->wizard.words.destination);
        return UI_REDRAW;
    default:
        return UI_NOTHING;
    }
}

/* ---- phases ---------------------------------------------------------------------------------- */

enum phase { PHASE_CHECK, PHASE_COPY, PHASE_WAL, PHASE_REPLAY, PHASES };

static const struct {
    const char *name;   /* as shown */
    const char *begins; /* how the job calls it */
    bool is_copy;       /* of start-copy */
} phase_table[PHASES] = {
    {"check", "check", false},
    {"copy", "copy", false},
    {"WAL", "copy WAL", false},
    {"replay", "", true},
};

static const struct running *running_of(const struct ui *ui)
{
    return model_running(&ui->model, job_of(ui));
}

/* How far: everything before it is done. A phase nobody knows is the first of its job. */
static int phase_of(const struct ui *ui)
{
    const struct job_row *row = row_of(ui);

    if (ui->wizard.copy_job) {
        return row && row->state == ROW_DONE ? PHASES : PHASE_REPLAY;
    }
    if (row && row->state == ROW_DONE) {
        return PHASE_REPLAY;
    }
    return ui->wizard.phase < PHASE_REPLAY ? ui->wizard.phase : PHASE_CHECK;
}

/* Called for news: how far the restore came is known after its end too. */
void run_note_phase(struct ui *ui)
{
    const struct running *r = model_running(&ui->model, ui->wizard.restore_job);

    for (int i = 0; r && i < PHASES; i++) {
        if (phase_table[i].begins[0] &&
            str_starts(str_of(r->progress.phase), phase_table[i].begins)) {
            ui->wizard.phase = i;
        }
    }
}

static int phases_shown(const struct ui *ui)
{
    return ui->wizard.words.where == WHERE_COPY ? PHASES : PHASE_REPLAY;
}

static void draw_numbers(const struct ui *ui, struct grid *g, int row, const struct progress *p)
{
    char done[FMT_CAP], total[FMT_CAP], left[FMT_CAP], rate[FMT_CAP], text[160];
    bool is_replay = ui->wizard.copy_job != 0;
    uint64_t rest = p->total > p->done ? p->total - p->done : 0;

    if (is_replay) { /* database time, in microseconds */
        (void)str_fmt(text, sizeof text, "%s of %s", fmt_span((int64_t)p->done * 1000, done),
                      fmt_span((int64_t)p->total * 1000, total));
    } else {
        (void)str_fmt(text, sizeof text, "%s of %s", fmt_bytes(p->done, done),
                      fmt_bytes(p->total, total));
    }
    grid_fmt(g, g->cols - 31, row, g->cols - 24, ROLE_TEXT, "%3d %%",
             p->total ? (int)((double)p->done * 100 / (double)p->total) : 0);
    grid_text(g, g->cols - 24, row, g->cols - 1, ROLE_TEXT, text);
    if (p->per_sec == 0) {
        return;
    }
    grid_text(g, 16, row + 1, g->cols, ROLE_TEXT, word_rate(p, rate));
    grid_fmt(g, g->cols - 24, row + 1, g->cols - 1, ROLE_TEXT, "about %s left",
             fmt_span((int64_t)(rest / p->per_sec) * NS_PER_S, left));
}

static int draw_progress(const struct ui *ui, struct grid *g, int row)
{
    const struct running *r = running_of(ui);
    const struct model *m = &ui->model;
    int end = g->cols - 32;

    if (!r || r->progress.total == 0) {
        grid_text(g, 16, row, g->cols - 1, ROLE_DIM, r ? r->progress.phase : "beginning");
        if (r && r->progress.what[0]) {
            grid_text(g, 16, row + 1, g->cols - 1, ROLE_DIM, r->progress.what);
        }
        return row + 2;
    }
    grid_bar(g, 16, row, end, r->progress.done, r->progress.total);
    draw_numbers(ui, g, row, &r->progress);
    if (m->rates && m->followed == job_of(ui)) {
        grid_spark(g, 33, row + 1, end > 33 + 40 ? 73 : end, m->rate, m->rates);
    }
    if (g->rows >= 20) {
        row++;
    }
    if (r->progress.what[0] && g->rows >= 20) {
        grid_text(g, 16, row + 1, g->cols - 1, ROLE_DIM, r->progress.what);
    }
    return row + 2;
}

static int draw_phases(const struct ui *ui, struct grid *g, int row, int last)
{
    const struct job_row *job = row_of(ui);
    int now = phase_of(ui);
    char text[200];

    for (int i = 0; i < phases_shown(ui) && row <= last; i++) {
        bool is_now = i == now && !has_ended(job);
        enum light light = i < now ? LIGHT_OK : i > now ? LIGHT_WAIT : LIGHT_RUN;

        if (i == now && has_failed(job)) {
            light = LIGHT_FAIL;
        }
        draw_state(g, 3, row, light);
        grid_text(g, 8, row, g->cols, ROLE_TEXT, phase_table[i].name);
        if (is_now && job_of(ui)) {
            row = draw_progress(ui, g, row);
            continue;
        }
        if (i == PHASE_REPLAY && i >= now && light != LIGHT_FAIL) {
            grid_text(g, 16, row, g->cols - 1, ROLE_DIM,
                      goal_text(&ui->wizard.words.goal, text, sizeof text));
        }
        row++;
    }
    return row;
}

/* ---- the rest -------------------------------------------------------------------------------- */

static const char *cancelled_words(const struct wizard *w)
{
    if (w->copy_job) {
        return "cancelled; the copy's server is stopped, its files stay";
    }
    return w->words.where == WHERE_IN_PLACE
               ? "cancelled; old data that was set aside is whole beside it: *.before-TIME"
               : "cancelled; the directory stays, marked unfinished";
}

/* Why it ended, and what Enter does about it. */
static int draw_failure(const struct ui *ui, struct grid *g, int row, int last)
{
    const struct job_row *job = row_of(ui);
    const char *text = job && job->text ? job->text : "";
    const char *next =
        ui->wizard.copy_job
            ? "Enter starts the copy again; the files stay as they are."
            : "Enter goes back to the plan; run again, it goes on where it ended.";

    if (ui->wizard.failed_to_start) {
        row = draw_fact(g, row, last, ROLE_FAIL, "FAIL", ui->last_error);
        row = draw_fact(g, row, last, ROLE_TEXT, "do", ui->last_hint);
        return draw_fact(g, row, last, ROLE_ACCENT, "next",
                         ui->wizard.restore_job ? "Enter starts the copy again."
                                                : "Enter goes back to the plan.");
    }
    if (!has_failed(job)) {
        return row;
    }
    row =
        draw_fact(g, row, last, ROLE_FAIL, "FAIL",
                  job->state == ROW_CANCELLED ? cancelled_words(&ui->wizard)
                  : text[0]                   ? text
                  : job->state == ROW_DIED
                      ? "its process is gone without a last word: killed, or the host restarted"
                      : "it ended without saying why; its log may tell");
    row = draw_fact(g, row, last, ROLE_TEXT, "do", job->hint ? job->hint : "");
    return draw_fact(g, row, last, ROLE_ACCENT, "next", next);
}

/* How far a copy's replay is; NULL: nobody knows. */
static const char *replay_words(const struct ui *ui, const struct answer *a, char out[200])
{
    const struct mark *reached = &a->copy.reached;
    char mark[128];

    if (reached->us || reached->xid) {
        (void)str_fmt(out, 200, "replayed to %s",
                      mark_text(reached, ui->model.now_us, ui->cols, mark));
        return out;
    }
    return a->copy.phase == COPY_REPLAYING ? "no commit is replayed yet" : NULL;
}

static int draw_destination(const struct ui *ui, struct grid *g, int row, int last)
{
    const struct answer *a = wizard_answer(ui, ASK_COPY);
    const struct restore_words *r = &ui->wizard.words;
    char tail[128], text[200];
    const char *replayed;

    if (row + 1 > last) {
        return row;
    }
    frame_title(g, 0, row++, g->cols, false, "DESTINATION", "");
    grid_text(g, 3, row++, g->cols - 1, ROLE_TEXT,
              path_tail(r->destination, g->cols - 4, symbol_text(g->symbols, SYM_MORE), tail));
    if (ui->wizard.copy_job && a && row <= last) {
        replayed = replay_words(ui, a, text);
        if (replayed) {
            grid_text(g, 3, row++, g->cols - 1, ROLE_TEXT, replayed);
        }
    } else if (r->where == WHERE_COPY && row <= last) {
        (void)str_fmt(text, sizeof text, "harmless: archiving off, private socket%s",
                      ui->wizard.words.port ? " and one port on 127.0.0.1" : " only");
        grid_text(g, 3, row++, g->cols - 1, ROLE_DIM, text);
    }
    return row;
}

/* Database time from the backup to the target, and where the replay is. */
static int draw_replay(const struct ui *ui, struct grid *g, int row, int last)
{
    const struct answer *a = wizard_answer(ui, ASK_PLAN);
    const struct running *r = running_of(ui);
    char from[WHEN_CAP], to[WHEN_CAP];
    int begin, end, at;

    if (!ui->wizard.copy_job || !a || !a->plan.replay_from_us || !r || !r->progress.total ||
        row + 1 > last || g->cols < 78) {
        return row;
    }
    when_moment(a->plan.replay_from_us, ui->model.now_us, from);
    when_moment(a->plan.replay_to_us, ui->model.now_us, to);
    frame_title(g, 0, row++, g->cols, false, "REPLAY", "database time, not bytes");
    begin = grid_fmt(g, 3, row, g->cols, ROLE_DIM, "%s ", from);
    end = g->cols - text_width(to) - 3;
    at = begin + (int)((double)(end - begin - 1) * (double)r->progress.done /
                       (double)r->progress.total);
    at = at >= end ? end - 1 : at;
    grid_fill(g, begin, row, at, ROLE_SPARK, SYM_HEAVY);
    grid_symbol(g, at, row, end, ROLE_ACCENT, SYM_NOW);
    grid_fill(g, at + 1, row, end, ROLE_DIM, SYM_LOST);
    grid_fmt(g, end + 1, row, g->cols, ROLE_DIM, "%s", to);
    return row + 1;
}

static void draw_log(const struct ui *ui, struct grid *g, int row, int last)
{
    const struct model *m = &ui->model;
    size_t height, first;
    char right[64], clock[WHEN_CAP];

    if (row >= last) {
        return;
    }
    (void)str_fmt(right, sizeof right, "%zu line%s %s m shows all", m->lines,
                  m->lines == 1 ? "" : "s", symbol_text(g->symbols, SYM_DOT));
    frame_title(g, 0, row++, g->cols, false, "LOG", right);
    height = (size_t)(last - row + 1);
    first = m->lines > height ? m->lines - height : 0;
    for (size_t i = first; i < m->lines; i++, row++) {
        const struct log_line *line = model_line(m, i);
        int col = 1;

        if (line->us) {
            when_clock(line->us, clock);
            clock[8] = '\0';
            col = grid_fmt(g, col, row, g->cols, ROLE_DIM, "%s  ", clock);
        }
        if (line->kind == SAY_WARN || line->kind == SAY_ERROR) {
            col = grid_fmt(g, col, row, g->cols, line->kind == SAY_WARN ? ROLE_WARN : ROLE_FAIL,
                           "%s  ", line->kind == SAY_WARN ? "WARN" : "FAIL");
        }
        (void)draw_wrapped(g, col, row, g->cols - 1, row, ROLE_TEXT, line->text);
    }
    if (m->lines == 0) {
        grid_text(g, 1, row, g->cols, ROLE_DIM, "nothing was said yet");
    }
}

static enum light ended_light(const struct ui *ui, const struct job_row *job, char *out,
                              size_t cap)
{
    const struct wizard *w = &ui->wizard;
    int64_t ended_us = job->ended_us ? job->ended_us : ui->model.now_us;
    char span[FMT_CAP];

    if (has_failed(job)) {
        (void)str_fmt(out, cap, "%s  #%" PRIu32 " %s after %s",
                      job->state == ROW_CANCELLED ? "CANCELLED"
                      : job->state == ROW_DIED    ? "DIED"
                                                  : "FAILED",
                      job->number, job->verb,
                      fmt_span((ended_us - job->began_us) * 1000, span));
        return LIGHT_FAIL;
    }
    if (w->copy_job || w->words.where != WHERE_COPY) {
        (void)str_copy(out, cap,
                       w->copy_job ? "REACHED  Enter looks at it"
                                   : "DONE  the files stand; Enter says how to go on");
        return LIGHT_OK;
    }
    (void)str_copy(out, cap, "STARTING  the files stand; the copy is being started");
    return LIGHT_RUN;
}

static enum light run_light(const struct ui *ui, char *out, size_t cap)
{
    const struct job_row *job = row_of(ui);
    const struct wizard *w = &ui->wizard;
    char span[FMT_CAP], tail[128];

    if (w->failed_to_start) {
        (void)str_fmt(out, cap, "FAILED  %s could not be started",
                      w->restore_job ? "the copy" : "the restore");
        return LIGHT_FAIL;
    }
    if (!job_of(ui) || !job) {
        (void)str_copy(out, cap, "STARTING  the job gets its number");
        return LIGHT_WAIT;
    }
    if (has_ended(job)) {
        return ended_light(ui, job, out, cap);
    }
    (void)str_fmt(
        out, cap, "%s  #%" PRIu32 " %s %s   %s", w->copy_job ? "REPLAYING" : "RUNNING",
        job->number, symbol_text(ui->symbols, SYM_TO),
        path_tail(w->words.destination, ui->cols - 40, symbol_text(ui->symbols, SYM_MORE),
                  tail),
        job->began_us ? fmt_span((ui->model.now_us - job->began_us) * 1000, span) : "");
    return LIGHT_RUN;
}

void run_draw(struct ui *ui, struct grid *g)
{
    const struct job_row *job = row_of(ui);
    char sentence[300], right[96] = "safe to close this terminal";
    enum light light = run_light(ui, sentence, sizeof sentence);
    int row, last = g->rows - 3;

    wizard_top(ui, g, light, sentence);
    if (job && job->pid && !has_ended(job)) {
        (void)str_fmt(right, sizeof right,
                      "safe to close: the job runs on its own, pid %" PRId64, job->pid);
    }
    frame_title(g, 0, 2, g->cols, true, "4 RUN", has_ended(job) ? "" : right);
    row = draw_phases(ui, g, 3, last);
    row = draw_replay(ui, g, row, last);
    row = draw_failure(ui, g, row, last);
    row = draw_destination(ui, g, row + (g->rows >= 32), last);
    draw_log(ui, g, row + (g->rows >= 32), last);
    frame_bottom(
        ui, g,
        has_ended(job) || ui->wizard.failed_to_start ? ""
        : ui->wizard.copy_job ? "c cancels: the copy's server is stopped, its files stay."
        : ui->wizard.words.where == WHERE_IN_PLACE
            ? "c cancels: once it copies, the new directory stays unfinished, the old one "
              "beside it."
            : "c cancels: the directory stays, marked unfinished; the plan can go on.");
}
