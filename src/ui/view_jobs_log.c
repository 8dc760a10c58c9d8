/* SPDX-License-Identifier: PostgreSQL */
/* view_jobs_log.c - the lines of one job. Lines are counted from the job's first, so that they
 * keep their places when the oldest are forgotten. */
#include "base/clock.h"
#include "ui/list.h"
#include "ui/view_jobs_in.h"
#include "ui/wizard.h"
#include "ui/words.h"

#include <string.h>

#define TIME_COLS 13

struct shown { /* the lines that are not hidden: indices for model_line() */
    size_t *index;
    size_t n;
};

static bool is_hit(const struct ui *ui, size_t index)
{
    struct list find = {0};

    (void)str_copy(find.filter, sizeof find.filter, ui->find);
    return ui->find[0] && list_fits(&find, model_line(&ui->model, index)->text);
}

static struct shown shown_lines(struct ui *ui)
{
    size_t n = ui->job == ui->model.followed ? ui->model.lines : 0;
    struct shown s = {ui_rows(ui, n, sizeof *s.index), 0};

    for (size_t i = 0; s.index && i < n; i++) {
        if (!ui->only_hits || !ui->find[0] || is_hit(ui, i)) {
            s.index[s.n++] = i;
        }
    }
    return s;
}

static uint64_t number(const struct ui *ui, size_t index)
{
    return ui->model.lines_lost + index;
}

/* The place among the shown lines of a line, or of the next that is shown. */
static size_t place_of(const struct ui *ui, const struct shown *s, uint64_t line)
{
    size_t i = 0;

    while (i + 1 < s->n && number(ui, s->index[i]) < line) {
        i++;
    }
    return i;
}

static int text_col(const struct box *box)
{
    return box->col + 1 + TIME_COLS + 6;
}

/* Where the next row begins when `room` columns are filled: whole characters, at least one. */
static const char *row_end(const char *text, int room)
{
    const char *p = text;
    char one[16];
    int width = 0;

    while (*p) {
        const char *next = p + 1;

        while (((unsigned char)*next & 0xc0) == 0x80) {
            next++;
        }
        (void)str_fmt(one, sizeof one, "%.*s", (int)(next - p), p);
        width += text_width(one);
        if (width > room && p > text) {
            break;
        }
        p = next;
    }
    return p;
}

static size_t rows_of(const struct ui *ui, const struct box *box, size_t index)
{
    const char *text = model_line(&ui->model, index)->text;
    int room = box->end - text_col(box);
    size_t rows = 1;

    if (!ui->wraps || room < 2) {
        return 1;
    }
    for (text = row_end(text, room); *text; text = row_end(text, room)) {
        rows++;
    }
    return rows;
}

/* First line to be shown so that the cursor is seen and no row stays empty below the last. */
static size_t top_of(const struct ui *ui, const struct box *box, const struct shown *s,
                     size_t at, size_t height)
{
    size_t top = place_of(ui, s, ui->log_top), rows = 0, i;

    top = top > at ? at : top;
    for (i = at + 1; i > top; i--) {
        rows += rows_of(ui, box, s->index[i - 1]);
        if (rows > height) {
            top = i < at + 1 ? i : at;
            break;
        }
    }
    rows = 0;
    for (i = top; i < s->n && rows < height; i++) {
        rows += rows_of(ui, box, s->index[i]);
    }
    while (top > 0 && rows + rows_of(ui, box, s->index[top - 1]) <= height) {
        rows += rows_of(ui, box, s->index[--top]);
    }
    return top;
}

/* ---- drawing ---------------------------------------------------------------------------- */

static void mark_hits(const struct ui *ui, struct grid *g, const struct box *box, int row,
                      const char *text)
{
    size_t n = strlen(ui->find);
    char lead[1024];

    if (n == 0 || ui->find[0] == '!') {
        return;
    }
    for (const char *p = text; strlen(p) >= n; p++) {
        if (str_eq_nocase(str_n(p, n), ui->find)) {
            int col;

            (void)str_fmt(lead, sizeof lead, "%.*s", (int)(p - text), text);
            col = text_col(box) + text_width(lead);
            grid_role(g, col, row, col + text_width(ui->find), ROLE_PROMPT);
            p += n - 1;
        }
    }
}

static int draw_line(const struct ui *ui, struct grid *g, const struct box *box, int row,
                     size_t index)
{
    static const struct {
        enum role word, text;
        const char *name;
    } kinds[] = {
        [SAY_OUT] = {ROLE_TEXT, ROLE_TEXT, ""},
        [SAY_WARN] = {ROLE_WARN, ROLE_TEXT, "WARN"},
        [SAY_ERROR] = {ROLE_FAIL, ROLE_TEXT, "FAIL"},
        [SAY_LOG] = {ROLE_TEXT, ROLE_TEXT, ""},
        [SAY_DEBUG] = {ROLE_DIM, ROLE_DIM, ""},
    };
    const struct log_line *line = model_line(&ui->model, index);
    int col = text_col(box), rows = (int)rows_of(ui, box, index);
    const char *text = line->text;
    char time[WHEN_CAP];

    if (line->us) {
        grid_text(g, box->col + 1, row, col, ROLE_DIM, when_time(line->us, time));
    }
    grid_text(g, col - 6, row, col - 1, kinds[line->kind].word, kinds[line->kind].name);
    if (rows == 1) {
        grid_cut(g, col, row, box->end, kinds[line->kind].text, line->text);
    }
    for (int i = 0; rows > 1 && i < rows && row + i <= box->last; i++) {
        grid_text(g, col, row + i, box->end, kinds[line->kind].text, text);
        text = row_end(text, box->end - col);
    }
    mark_hits(ui, g, box, row, line->text);
    return row + rows;
}

static void draw_title(const struct ui *ui, struct grid *g, const struct box *box,
                       const struct shown *s, size_t at)
{
    const char *dot = title_gap(g);
    const struct job_row *job = model_job(&ui->model, ui->job);
    char left[80], right[400];
    struct sbuf b;

    (void)str_fmt(left, sizeof left, ui->job ? "LOG of #%u" : "LOG", ui->job);
    sbuf_init(&b, right, sizeof right);
    if (ui->find[0]) {
        sbuf_fmt(&b, "%s/%.40s%s", ui->only_hits ? "only " : "", ui->find, dot);
    }
    if (s->n) {
        sbuf_fmt(&b, "%llu of %llu%s", (unsigned long long)number(ui, s->index[at]) + 1,
                 (unsigned long long)(ui->model.lines_lost + ui->model.lines), dot);
    }
    if (job && box->end - box->col >= 100) {
        sbuf_fmt(&b, "%.200s%s", job->directory, dot);
    }
    sbuf_add(&b, ui->is_following ? "following" : "standing still, G follows");
    frame_title(g, box->col, box->row, box->end, box->has_focus, left, right);
}

/* A job that failed at once has said nothing but why. */
static void draw_nothing(const struct ui *ui, struct grid *g, const struct box *box, int row)
{
    const struct job_row *job = model_job(&ui->model, ui->job);
    bool is_empty = !ui->only_hits || !ui->find[0];
    const char *text = ui->job == 0                      ? "no job is selected"
                       : !is_empty                       ? "no line was found"
                       : job && job->state > ROW_RUNNING ? "it left no message"
                                                         : "no message yet";
    int col = box->col + ROW_TEXT;

    if (is_empty && job && job->state == ROW_FAILED && job->text[0]) {
        row = draw_wrapped(g, col, row, box->end - 1, box->last, ROLE_FAIL, job->text);
        (void)draw_wrapped(g, col, row, box->end - 1, box->last, ROLE_TEXT, job->hint);
        return;
    }
    grid_text(g, col, row, box->end, ROLE_DIM, text);
}

void log_draw(struct ui *ui, struct grid *g, const struct box *box)
{
    struct shown s = shown_lines(ui);
    size_t height = box->last > box->row ? (size_t)(box->last - box->row) : 1, at, top;
    int row = box->row + 1;

    at = s.n == 0 ? 0 : ui->is_following ? s.n - 1 : place_of(ui, &s, ui->log_at);
    draw_title(ui, g, box, &s, at);
    ui->log_height = height;
    if (s.n == 0) {
        draw_nothing(ui, g, box, row);
        return;
    }
    top = top_of(ui, box, &s, at, height);
    ui->log_top = number(ui, s.index[top]);
    for (size_t i = top; i < s.n && row <= box->last; i++) {
        int first = row;

        row = draw_line(ui, g, box, row, s.index[i]);
        if (i == at && box->has_focus && !ui->is_following) {
            grid_role(g, box->col + 1, first, box->end, ROLE_SELECTED);
        }
    }
}

/* ---- acts ------------------------------------------------------------------------------- */

static unsigned go_to(struct ui *ui, const struct shown *s, size_t at)
{
    ui->is_following = at + 1 >= s->n && !ui->only_hits;
    ui->log_at = number(ui, s->index[at < s->n ? at : s->n - 1]);
    return UI_REDRAW;
}

/* The next hit behind or before the cursor; round the end it goes on at the other one. */
static unsigned find_from(struct ui *ui, const struct shown *s, size_t at, bool forward)
{
    for (size_t i = 1; i <= s->n; i++) {
        size_t k = forward ? (at + i) % s->n : (at + s->n - i) % s->n;

        if (is_hit(ui, s->index[k])) {
            ui->is_following = false;
            ui->log_at = number(ui, s->index[k]);
            if (forward ? k <= at : k >= at) {
                ui_say(ui, LIGHT_WAIT, "went round the end of the log");
            }
            return UI_REDRAW;
        }
    }
    ui_say(ui, LIGHT_WAIT, "'%s' is not in this log", ui->find);
    return UI_REDRAW;
}

static unsigned copy(struct ui *ui, const struct shown *s, size_t at)
{
    ui_copy(ui, model_line(&ui->model, s->index[at])->text);
    return UI_REDRAW;
}

unsigned log_act(struct ui *ui, enum act act)
{
    struct shown s;
    size_t at, page = ui->log_height ? ui->log_height : 1;

    arena_reset(&ui->frame, (struct arena_mark){0});
    s = shown_lines(ui);
    if (s.n == 0) {
        return UI_NOTHING;
    }
    at = ui->is_following ? s.n - 1 : place_of(ui, &s, ui->log_at);
    switch (act) {
    case ACT_UP:
        return go_to(ui, &s, at ? at - 1 : 0);
    case ACT_DOWN:
        return go_to(ui, &s, at + 1);
    case ACT_PAGE_UP:
    case ACT_HALF_UP:
        page = act == ACT_HALF_UP ? (page + 1) / 2 : page;
        return go_to(ui, &s, at > page ? at - page : 0);
    case ACT_PAGE_DOWN:
    case ACT_HALF_DOWN:
        return go_to(ui, &s, at + (act == ACT_HALF_DOWN ? (page + 1) / 2 : page));
    case ACT_FIRST:
        return go_to(ui, &s, 0);
    case ACT_LAST:
        ui->is_following = true;
        return UI_REDRAW;
    case ACT_NEXT_HIT:
    case ACT_PREV_HIT:
        return find_from(ui, &s, at, act == ACT_NEXT_HIT);
    case ACT_COPY:
    case ACT_COPY_LINE:
        return copy(ui, &s, at);
    default:
        return UI_NOTHING;
    }
}
