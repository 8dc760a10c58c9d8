/* SPDX-License-Identifier: PostgreSQL */
/* view_overview.c - the first screen: servers, backups, WAL, jobs, one above the other. */
#include "ui/view.h"
#include "base/clock.h"
#include "ui/list.h"
#include "ui/view_overview_in.h"
#include "ui/words.h"

#include <string.h>

#define FIRST_ROW 2 /* rows 0 and 1 are the frame's, the last two as well */
#define BELOW     2

const struct pane_ops pane_table[PANE_COUNT] = {
    [PANE_SERVERS] = {servers_rows, servers_draw, 6},
    [PANE_BACKUPS] = {backups_rows, backups_draw, 5},
    [PANE_WAL] = {NULL, wal_pane_draw, 0},
    [PANE_JOBS] = {jobs_rows, jobs_list_draw, 0},
};

/* ---- sharing the height ----------------------------------------------------------------- */

/* What each pane has at least, by the height of the screen: title, heads, rows. */
static const struct share {
    int rows; /* of the screen */
    int height[PANE_COUNT];
} shares[] = {
    {40, {8, 9, 9, 5}},
    {30, {7, 8, 7, 4}},
    {22, {5, 6, 5, 3}},
    {0, {4, 4, 2, 2}},
};

static void share_height(const struct ui *ui, const struct grid *g, int height[PANE_COUNT])
{
    const struct snapshot *s = ui_snapshot(ui);
    int need[PANE_COUNT] = {
        [PANE_SERVERS] = (int)ui->model.servers + 2,
        [PANE_BACKUPS] = s ? (int)s->backups + 2 : 3,
        [PANE_WAL] = 0,
        [PANE_JOBS] = ui->model.jobs ? (int)ui->model.jobs->n + 1 : 2,
    };
    static const enum pane turn[] = {PANE_SERVERS, PANE_BACKUPS, PANE_BACKUPS, PANE_JOBS};
    int left = g->rows - FIRST_ROW - BELOW;
    const struct share *share = shares;
    bool grew = true;

    while (g->rows < share->rows) {
        share++;
    }
    for (size_t i = 0; i < PANE_COUNT; i++) {
        height[i] = share->height[i];
        left -= height[i];
    }
    while (left > 0 && grew) {
        grew = false;
        for (size_t i = 0; i < sizeof turn / sizeof turn[0] && left > 0; i++) {
            if (height[turn[i]] < need[turn[i]]) {
                height[turn[i]]++;
                left--;
                grew = true;
            }
        }
    }
    height[PANE_BACKUPS] += left > 0 ? left : 0;
}

/* ---- drawing ---------------------------------------------------------------------------- */

/* "a. b"; b may be NULL. */
static void add_todo(struct sbuf *b, const char *sentence, const char *todo)
{
    sbuf_add(b, sentence);
    if (todo && todo[0]) {
        sbuf_fmt(b, ". %s", todo);
    }
}

/* How long a server has been silent was true when it was looked at; since when stays true. */
static void silence(const struct snapshot *s, int64_t now_us, struct sbuf *b)
{
    char when[WHEN_CAP], text[600];
    const char *why = s->live.why;

    (void)str_fmt(text, sizeof text, "no answer since %s%s%s",
                  when_exact(s->live.since_us, now_us, when), why && why[0] ? ": " : "",
                  why ? why : "");
    add_todo(b, text, s->todo);
}

static void server_meaning(const struct snapshot *s, int64_t now_us, struct sbuf *b)
{
    static const char told[] = "no answer for ";

    if (s && s->live.state == LIVE_SILENT && s->sentence &&
        strncmp(s->sentence, told, sizeof told - 1) == 0) {
        sbuf_fmt(b, "%s %.60s: ", light_word(s->light), s->server);
        silence(s, now_us, b);
    } else if (s && s->sentence && s->sentence[0]) {
        sbuf_fmt(b, "%s %.60s: ", light_word(s->light), s->server);
        add_todo(b, s->sentence, s->todo);
    } else if (s && s->description) {
        sbuf_fmt(b, "%s: %s", s->server, s->description);
    }
}

/* What the selected line means, when there is nothing else to say. */
static void meaning(struct ui *ui, char *out, size_t cap)
{
    const struct backup_row *backup = ui->pane == PANE_BACKUPS ? ui_backup_row(ui) : NULL;
    const struct job_row *job = ui->pane == PANE_JOBS ? ui_job_row(ui) : NULL;
    struct sbuf b;

    sbuf_init(&b, out, cap);
    if (ui->model.servers == 0) {
        sbuf_add(&b, "Add a section for a server to the configuration, then start again.");
    } else if (backup && backup->error && backup->error[0]) {
        sbuf_fmt(&b, "%s: %s", backup->id, backup->error);
    } else if (job && job->text[0]) {
        sbuf_fmt(&b, "#%u: ", job->number);
        add_todo(&b, job->text, job->hint);
    } else {
        server_meaning(ui_snapshot(ui), ui->model.now_us, &b);
    }
}

static void draw_pane(struct ui *ui, struct grid *g, enum pane pane, int row, int height)
{
    struct box box = {0, row, g->cols, row + height - 1, ui->pane == pane};

    arena_reset(&ui->frame, (struct arena_mark){0});
    pane_table[pane].draw(ui, g, &box);
}

void overview_draw(struct ui *ui, struct grid *g)
{
    int height[PANE_COUNT], row = FIRST_ROW;
    char text[600];
    enum light light;

    light = words_restorable(ui, text, sizeof text);
    frame_top(ui, g, NULL, light, text);
    if (ui->is_zoomed) {
        draw_pane(ui, g, ui->pane, row, g->rows - FIRST_ROW - BELOW);
    } else {
        share_height(ui, g, height);
        for (enum pane pane = 0; pane < PANE_COUNT; pane++) {
            draw_pane(ui, g, pane, row, height[pane]);
            row += height[pane];
        }
    }
    meaning(ui, text, sizeof text);
    frame_bottom(ui, g, text);
}

/* ---- acts ------------------------------------------------------------------------------- */

static unsigned go_pane(struct ui *ui, int pane)
{
    ui->pane = (enum pane)((pane + PANE_COUNT) % PANE_COUNT);
    return UI_REDRAW;
}

static unsigned open_selected(struct ui *ui)
{
    switch (ui->pane) {
    case PANE_SERVERS:
        return ui->server[0] ? go_pane(ui, PANE_BACKUPS) : UI_NOTHING;
    case PANE_BACKUPS:
        if (!ui_backup_row(ui)) {
            ui_say(ui, LIGHT_WAIT, "there is no backup to open; b takes one");
            return UI_REDRAW;
        }
        (void)str_copy(ui->backup, sizeof ui->backup, ui_backup_row(ui)->id);
        ui_goto(ui, VIEW_BACKUP);
        return UI_REDRAW;
    case PANE_WAL:
        ui_goto(ui, VIEW_WAL);
        return UI_REDRAW;
    default:
        if (!ui_job_row(ui)) {
            ui_say(ui, LIGHT_WAIT, "there is no job to open");
            return UI_REDRAW;
        }
        ui->job = ui_job_row(ui)->number;
        ui->log_has_focus = true;
        ui_goto(ui, VIEW_JOBS);
        return UI_REDRAW;
    }
}

static unsigned open_log(struct ui *ui)
{
    ui->pane = PANE_JOBS;
    return open_selected(ui);
}

/* Esc undoes one thing at a time: the filter, the zoom, the pane. */
static unsigned step_back(struct ui *ui)
{
    struct list *list = &ui->list[ui->pane];

    if (list->filter[0]) {
        list->filter[0] = '\0';
    } else if (ui->is_zoomed) {
        ui->is_zoomed = false;
    } else if (ui->pane != PANE_SERVERS) {
        ui->pane = PANE_SERVERS;
    }
    return UI_REDRAW;
}

static unsigned sort_next(struct ui *ui)
{
    struct list *list = &ui->list[ui->pane];

    list->sort = (list->sort + 1) % pane_table[ui->pane].columns;
    list->is_reversed = false;
    return UI_REDRAW | UI_SAVE;
}

static unsigned sort_back(struct ui *ui)
{
    ui->list[ui->pane].is_reversed = !ui->list[ui->pane].is_reversed;
    return UI_REDRAW | UI_SAVE;
}

static unsigned copy_selected(struct ui *ui)
{
    const struct backup_row *b = ui_backup_row(ui);
    const struct job_row *job = ui_job_row(ui);

    if (ui->pane == PANE_BACKUPS && b) {
        ui_copy(ui, b->id);
    } else if (ui->pane == PANE_JOBS && job) {
        ui_copy_plan(ui, job->plan);
    } else if (ui->server[0]) {
        ui_copy(ui, ui->server);
    }
    return UI_REDRAW;
}

static unsigned copy_line(struct ui *ui)
{
    char text[600];

    (void)words_restorable(ui, text, sizeof text);
    if (ui->pane != PANE_SERVERS) {
        meaning(ui, text, sizeof text);
    }
    if (text[0]) {
        ui_copy(ui, text);
    }
    return UI_REDRAW;
}

static unsigned move(struct ui *ui, enum act act)
{
    struct list *list = &ui->list[ui->pane];
    struct rows rows;

    if (!pane_table[ui->pane].rows) {
        return UI_NOTHING;
    }
    arena_reset(&ui->frame, (struct arena_mark){0});
    rows = pane_table[ui->pane].rows(ui);
    if (!list_act(list, act, rows.id, rows.n, list->height)) {
        return UI_NOTHING;
    }
    if (ui->pane == PANE_SERVERS && rows.n) {
        ui_select_server(ui, list->at);
    }
    return UI_REDRAW;
}

void overview_settle(struct ui *ui)
{
    struct list *list = &ui->list[PANE_SERVERS];
    struct rows rows;

    if (ui->view != VIEW_OVERVIEW || !list->filter[0] || ui->prompt.kind != PROMPT_NONE) {
        return;
    }
    arena_reset(&ui->frame, (struct arena_mark){0});
    rows = servers_rows(ui);
    (void)str_copy(list->at, sizeof list->at, ui->server);
    list_place(list, rows.id, rows.n, list->height);
    if (rows.n) {
        ui_select_server(ui, list->at);
    }
}

unsigned overview_act(struct ui *ui, enum act act)
{
    switch (act) {
    case ACT_NEXT_PANE:
        return go_pane(ui, (int)ui->pane + 1);
    case ACT_PREV_PANE:
        return go_pane(ui, (int)ui->pane - 1);
    case ACT_PANE_1:
    case ACT_PANE_2:
    case ACT_PANE_3:
    case ACT_PANE_4:
        return go_pane(ui, (int)act - ACT_PANE_1);
    case ACT_ZOOM_PANE:
        ui->is_zoomed = !ui->is_zoomed;
        return UI_REDRAW;
    case ACT_OPEN:
        return open_selected(ui);
    case ACT_LOG:
        return open_log(ui);
    case ACT_BACK:
        return step_back(ui);
    case ACT_SORT:
        return sort_next(ui);
    case ACT_REVERSE:
        return sort_back(ui);
    case ACT_COPY:
        return copy_selected(ui);
    case ACT_COPY_LINE:
        return copy_line(ui);
    default:
        return move(ui, act);
    }
}
