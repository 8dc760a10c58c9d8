/* SPDX-License-Identifier: PostgreSQL */
/* frame.c - the rows that are the same everywhere: where am I, what matters, what can I press. */
#include "base/clock.h"
#include "base/fmt.h"
#include "ui/list.h"
#include "ui/prompt.h"
#include "ui/ui.h"
#include "ui/wizard.h"

#include <string.h>

/* Row 0: the server, and the clock with its offset at the right. */
static void draw_place(struct ui *ui, struct grid *g, const char *where)
{
    const struct snapshot *s = ui_snapshot(ui);
    char clock[WHEN_CAP];
    int end = g->cols, col;

    grid_fill(g, 0, 0, g->cols, ROLE_BAR, SYM_BLANK);
    (g->cols >= 100 ? when_full : when_clock)(ui->model.now_us, clock);
    end -= text_width(clock) + 2;
    grid_text(g, end + 1, 0, g->cols, ROLE_BAR, clock);
    col = grid_fmt(g, 1, 0, end, ROLE_BAR, "%s", ui->server[0] ? ui->server : "barkeep");
    if (where && where[0]) {
        grid_fmt(g, col, 0, end, ROLE_BAR, "  %s", where);
        return;
    }
    if (!s) {
        return;
    }
    if (s->live.version_text) {
        col = grid_fmt(g, col, 0, end, ROLE_BAR, "  %s",
                       s->live.in_recovery ? "STANDBY" : "PRIMARY");
    }
    if (s->live.address) {
        col = grid_fmt(g, col, 0, end, ROLE_BAR, "  %s", s->live.address);
    }
    if (s->live.version_text) {
        col = grid_fmt(g, col, 0, end, ROLE_BAR, "  PG %s  tli %u", s->live.version_text,
                       s->live.tli);
    }
    if (s->live.systemid && g->cols >= 120) {
        grid_fmt(g, col, 0, end, ROLE_BAR, "  system %s", s->live.systemid);
    }
}

void frame_top(struct ui *ui, struct grid *g, const char *where, enum light light,
               const char *sentence)
{
    draw_place(ui, g, where);
    grid_cut(g, 1, 1, g->cols, light_role(light), sentence);
    if (ui->model.is_paused) {
        char span[FMT_CAP], text[FMT_CAP + 16];

        (void)str_fmt(text, sizeof text, " paused %s ",
                      fmt_span((ui->model.now_us - ui->model.paused_us) * 1000, span));
        grid_right(g, 0, 1, g->cols, ROLE_WARN, text);
    }
}

void frame_title(struct grid *g, int col, int row, int end, bool has_focus, const char *title,
                 const char *right)
{
    enum role role = has_focus ? ROLE_TITLE : ROLE_RULE;
    int width = right && right[0] ? text_width(right) + 1 : 0;
    int at = col;

    if (has_focus) {
        at = grid_symbol(g, at, row, end, ROLE_ACCENT, SYM_FOCUS);
    } else {
        at = grid_text(g, at, row, end, role, " ");
    }
    at = grid_fmt(g, at, row, end, ROLE_TITLE, "%s ", title);
    if (end - width <= at) {
        width = 0;
    }
    grid_fill(g, at, row, end - width, ROLE_RULE, SYM_RULE);
    if (width) {
        grid_fmt(g, end - width, row, end, ROLE_DIM, " %s", right);
    }
}

/* ---- the last two rows ------------------------------------------------------------------ */

/* The keys that can mean something here, in the order of likelihood. ?help is never cut. */
static const enum act likely[] = {
    ACT_OPEN,   ACT_BACK,      ACT_TYPE_TIME,   ACT_NEAR_BELOW, ACT_NEAR_ABOVE, ACT_SIDE,
    ACT_LEFT,   ACT_RIGHT,     ACT_CHOOSE,      ACT_CANCEL,     ACT_BACKUP,     ACT_RESTORE,
    ACT_VERIFY, ACT_DETACH,    ACT_PSQL,        ACT_PROMOTE,    ACT_DELETE,     ACT_LOG,
    ACT_WAL,    ACT_EVIDENCE,  ACT_EVENT_RIGHT, ACT_ZOOM_IN,    ACT_FILTER,     ACT_NEXT_HIT,
    ACT_WRAP,   ACT_NEXT_PANE, ACT_COPY,        ACT_COMMAND,    ACT_SAVE,       ACT_SORT,
    ACT_QUIT,
};

static int draw_key(struct ui *ui, struct grid *g, int col, enum act act)
{
    const struct key_entry *e = key_entry_of(act);
    const char *label = ui_key_label(ui, act);
    char name[16];
    int width;

    key_text(ui->keys.key[act][0], name);
    width = text_width(name) + 1 + text_width(label);
    if (!e || col + width + 2 > g->cols) {
        return col;
    }
    col = grid_text(g, col, g->rows - 1, g->cols, ROLE_ACCENT, name);
    return grid_fmt(g, col, g->rows - 1, g->cols, ROLE_DIM, " %s  ", label);
}

/* An open prompt owns every key: only its own are told. */
static const char *const prompt_keys[] = {
    [PROMPT_NONE] = "",
    [PROMPT_COMMAND] = "Enter runs it   Tab completes   Up Down earlier ones   Esc leaves",
    [PROMPT_FILTER] = "Enter keeps it   Esc clears it   !x: all but x   Up Down earlier ones",
    [PROMPT_TIME] = "Enter takes it   Ctrl-U empties   Esc leaves",
    [PROMPT_YESNO] = "y does it   n or Esc: nothing happens",
    [PROMPT_FIELD] = "Enter takes it   Ctrl-U empties   Esc leaves",
    [PROMPT_CHOICE] = "", /* the question names its keys */
};

static void draw_keys(struct ui *ui, struct grid *g)
{
    int row = g->rows - 1, col = 1;

    if (ui->dialog.is_open) {
        grid_text(g, 1, row, g->cols, ROLE_DIM, "Esc leave, nothing happens");
        return;
    }
    if (ui->prompt.kind != PROMPT_NONE) {
        grid_text(g, 1, row, g->cols, ROLE_DIM,
                  ui->prompt.kind == PROMPT_YESNO && ui->prompt.no
                      ? "y does it   n begins anew   Esc: nothing happens"
                      : prompt_keys[ui->prompt.kind]);
        return;
    }
    if (ui->has_help) {
        grid_text(g, 1, row, g->cols, ROLE_DIM,
                  "Esc close   type to search   Enter runs the line");
        return;
    }
    col = grid_text(g, col, row, g->cols, ROLE_ACCENT, "?");
    col = grid_text(g, col, row, g->cols, ROLE_DIM, "help  ");
    for (size_t i = 0; i < sizeof likely / sizeof likely[0]; i++) {
        const struct key_entry *e = key_entry_of(likely[i]);

        if (e && e->views & IN(ui->view) && ui->keys.key[likely[i]][0] &&
            !key_off(ui, likely[i])) {
            col = draw_key(ui, g, col, likely[i]);
        }
    }
}

/* How many rows upwards the message takes: one, and as many as it needs when it is shown whole. */
static int message_rows(const struct ui *ui, const struct grid *g, int col)
{
    int rows;

    if (!ui->message_is_whole || text_width(ui->message) <= g->cols - col) {
        return 1;
    }
    rows = wrapped_rows(ui->message, g->cols - 1 - col);
    return rows < g->rows / 2 ? rows : g->rows / 2;
}

static void draw_message(const struct ui *ui, struct grid *g, int row)
{
    const char *word = ui->message_light == LIGHT_OK ? "" : light_word(ui->message_light);
    int col = word[0] ? 2 + text_width(word) : 1, rows = message_rows(ui, g, col);

    if (rows == 1) {
        if (word[0]) {
            grid_fmt(g, 1, row, g->cols, light_role(ui->message_light), "%s ", word);
        }
        grid_cut(g, col, row, g->cols, ROLE_TEXT, ui->message);
        return;
    }
    for (int r = row - rows; r <= row; r++) {
        grid_fill(g, 0, r, g->cols, ROLE_TEXT, SYM_BLANK);
    }
    grid_text(g, 1, row - rows + 1, g->cols, light_role(ui->message_light), word);
    (void)draw_wrapped(g, col, row - rows + 1, g->cols - 1, row, ROLE_TEXT, ui->message);
}

const char *frame_command(const struct ui *ui, const char *text, int width, const char *more,
                          char *out, size_t cap)
{
    static const char head[] = "barkeep -c ";
    const char *end = strstr(text, " --batch ");
    int room = width - (int)strlen(head) - (end ? text_width(end) : 0);
    char tail[128];

    if (!ui->model.config_path || !end || strncmp(text, head, strlen(head)) != 0 ||
        text_width(text) <= width) {
        return text;
    }
    (void)str_fmt(out, cap, "%s%s%s", head,
                  path_tail(ui->model.config_path, room < 4 ? 4 : room, more, tail), end);
    return out;
}

void frame_bottom(struct ui *ui, struct grid *g, const char *meaning)
{
    char text[ORDER_WORDS_CAP];
    int row = g->rows - 2;

    if (ui->prompt.kind != PROMPT_NONE) {
        if (ui->prompt.command[0]) {
            grid_fill(g, 0, row - 1, g->cols, ROLE_TEXT, SYM_BLANK);
            grid_cut(g, 1, row - 1, g->cols, ROLE_DIM,
                     frame_command(ui, ui->prompt.command, g->cols - 2,
                                   symbol_text(g->symbols, SYM_MORE), text, sizeof text));
        }
        prompt_draw(ui, g, row);
    } else if (ui->message[0]) {
        draw_message(ui, g, row);
    } else {
        grid_cut(g, 1, row, g->cols, ROLE_DIM, meaning ? meaning : "");
    }
    draw_keys(ui, g);
}

/* ---- a window that is too small --------------------------------------------------------- */

static void draw_jobs_short(const struct ui *ui, struct grid *g, int row)
{
    const struct running *r = ui->model.runnings ? &ui->model.running[0] : NULL;
    const struct job_row *job = r ? model_job(&ui->model, r->job) : NULL;
    size_t failing = 0;
    int col = 1;

    for (size_t i = 0; i < ui->model.servers; i++) {
        failing += ui->model.server[i] && ui->model.server[i]->light == LIGHT_FAIL;
    }
    if (failing) {
        col = grid_fmt(g, col, row, g->cols, ROLE_FAIL, "%zu FAIL  ", failing);
    } else {
        col = grid_fmt(g, col, row, g->cols, ROLE_OK, "0 FAIL  ");
    }
    if (job) {
        grid_fmt(g, col, row, g->cols, ROLE_ACCENT, "#%u RUN %s %d %%", job->number, job->verb,
                 r->progress.total
                     ? (int)((double)r->progress.done * 100 / (double)r->progress.total)
                     : 0);
    }
}

void frame_small(struct ui *ui, struct grid *g)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct stretch *stretch = s ? snapshot_newest_stretch(s) : NULL;
    char when[WHEN_CAP];

    grid_fmt(g, 1, 0, g->cols, ROLE_BAR, "%s  %s", ui->server[0] ? ui->server : "barkeep",
             when_clock(ui->model.now_us, when));
    if (stretch) {
        grid_fmt(g, 1, 1, g->cols, ROLE_OK, "CAN RESTORE to %s",
                 when_short(stretch->to.us, ui->model.now_us, when));
    } else {
        grid_text(g, 1, 1, g->cols, s && s->coverage ? ROLE_FAIL : ROLE_UNKNOWN,
                  s && s->coverage ? "CANNOT RESTORE" : "not looked at yet");
    }
    draw_jobs_short(ui, g, 2);
    grid_fmt(g, 1, 4, g->cols, ROLE_DIM, "This window is %d x %d.", g->cols, g->rows);
    grid_text(g, 1, 5, g->cols, ROLE_DIM, "The console needs 60 x 16.");
    grid_text(g, 1, 6, g->cols, ROLE_DIM, "q quit   everything keeps running");
}
