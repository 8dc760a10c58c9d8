/* SPDX-License-Identifier: PostgreSQL */
/* view_plan.c - step 3: the dry run. What will be done, what was checked, and the same as a
 * command line. Enter runs it; in place the name of the server is asked first. */
#include "base/clock.h"
#include "base/fmt.h"
#include "ui/prompt.h"
#include "ui/view.h"
#include "ui/wizard.h"

#include <inttypes.h>
#include <string.h>

/* With a timeline, auto would look for a backup that was taken on it; what step 1 found may lie
 * on the one it left. */
static const char *backup_for(const struct ui *ui)
{
    const struct answer *a = wizard_answer(ui, ASK_MOMENT);
    const struct snapshot *s = ui_snapshot(ui);
    const struct backup_row *newest = s ? snapshot_good_backup(s) : NULL;

    if (!ui->wizard.words.goal.tli) {
        return "auto";
    }
    if (a && !wizard_is_stale(ui, ASK_MOMENT) && a->moment.backup_id[0]) {
        return a->moment.backup_id;
    }
    return newest ? newest->id : "auto";
}

void plan_enter(struct ui *ui)
{
    ui->wizard.step = VIEW_PLAN;
    ui->wizard.row = ui->wizard.top = 0;
    (void)str_copy(ui->wizard.words.backup, sizeof ui->wizard.words.backup, backup_for(ui));
    answer_free(ui->model.answer[ASK_PLAN]); /* of another plan */
    ui->model.answer[ASK_PLAN] = NULL;
    wizard_ask(ui, ASK_PLAN);
}

static const struct answer_plan *plan_of(const struct ui *ui)
{
    const struct answer *a = wizard_answer(ui, ASK_PLAN);

    return a && !ui->model.waiting[ASK_PLAN] ? &a->plan : NULL;
}

static enum light line_light(enum plan_verdict verdict)
{
    return verdict == PLAN_OK ? LIGHT_OK : verdict == PLAN_WARN ? LIGHT_WARN : LIGHT_FAIL;
}

/* ---- acts ------------------------------------------------------------------------------------ */

static void dialog_fact(struct dialog *d, const char *label, const char *text)
{
    (void)str_fmt(d->line[d->lines++], sizeof d->line[0], "%-10s %s", label, text);
}

static void server_fact(const struct ui *ui, struct dialog *d, const struct snapshot *s)
{
    char text[160];

    (void)str_fmt(text, sizeof text, "%s  %s%s%s", ui->wizard.words.server,
                  !s->live.version_text ? ""
                  : s->live.in_recovery ? "STANDBY "
                                        : "PRIMARY ",
                  s->live.address ? s->live.address : "",
                  s->live.state == LIVE_OK ? "  it ANSWERS now" : "  it does not answer");
    dialog_fact(d, "server", text);
    if (s->live.systemid && ui->rows >= 20) {
        dialog_fact(d, "system", s->live.systemid);
    }
}

static void in_place_facts(struct ui *ui, struct dialog *d, const struct answer_plan *plan)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct answer *moment = wizard_answer(ui, ASK_MOMENT);
    char text[160], tail[128], mark[128];

    if (s) {
        server_fact(ui, d, s);
    } else {
        dialog_fact(d, "server", ui->wizard.words.server);
    }
    dialog_fact(d, "directory", path_tail(ui->wizard.words.destination, 56, "..", tail));
    (void)str_fmt(text, sizeof text, "backup %s, in the place of all that is there",
                  plan->backup_id ? plan->backup_id : "?");
    dialog_fact(d, "gets", text);
    goal_text(&ui->wizard.words.goal, text, sizeof text);
    dialog_fact(d, "target", text);
    if (moment && (moment->moment.stop.us || moment->moment.stop.xid)) {
        (void)str_fmt(text, sizeof text, "from %s on",
                      mark_text(&moment->moment.stop, ui->model.now_us, ui->cols, mark));
        dialog_fact(d, "lost", text);
    }
    dialog_fact(d, "old data", "stays beside it, renamed *.before-TIME; back by hand only");
    if (ui->rows < 20) {
        return;
    }
    dialog_fact(d, "instead", "a new copy does not touch production");
}

static unsigned run_in_place(struct ui *ui, const struct answer_plan *plan)
{
    struct dialog *d = &ui->dialog;

    memset(d, 0, sizeof *d);
    (void)str_copy(d->title, sizeof d->title, "REPLACE THE DATA OF A SERVER");
    in_place_facts(ui, d, plan);
    (void)str_copy(d->ask, sizeof d->ask, "Type the name of the server to go on:");
    (void)str_copy(d->word, sizeof d->word, ui->wizard.words.server);
    d->done = wizard_run;
    dialog_open(ui);
    return UI_REDRAW;
}

/* The plan that was looked at is the one that runs: with the backup it has chosen. */
static void pin_backup(struct ui *ui, const struct answer_plan *plan)
{
    if (plan->backup_id && plan->backup_id[0]) {
        (void)str_copy(ui->wizard.words.backup, sizeof ui->wizard.words.backup,
                       plan->backup_id);
    }
}

static unsigned run(struct ui *ui)
{
    const struct answer_plan *plan = plan_of(ui);

    if (!plan || !plan->holds) { /* what stood in the way may be gone */
        plan_enter(ui);
        return UI_REDRAW;
    }
    pin_backup(ui, plan);
    return ui->wizard.words.where == WHERE_IN_PLACE ? run_in_place(ui, plan) : wizard_run(ui);
}

const char *plan_off(const struct ui *ui)
{
    return ui->model.waiting[ASK_PLAN] ? "still being checked; nothing is run before that"
                                       : NULL;
}

const char *plan_next_label(const struct ui *ui)
{
    const struct answer_plan *plan = plan_of(ui);

    return plan && plan->holds ? "RUN it" : "check again";
}

static const char *command_line(struct ui *ui, char *out, size_t cap)
{
    const struct answer_plan *plan = plan_of(ui);

    if (plan) {
        pin_backup(ui, plan);
    }
    return ui_command_text(ui, wizard_words(ui), out, cap);
}

unsigned plan_act(struct ui *ui, enum act act)
{
    const struct answer_plan *plan = plan_of(ui);
    struct wizard *w = &ui->wizard;
    size_t n = plan ? plan->lines : 0;
    char text[ORDER_WORDS_CAP];

    switch (act) {
    case ACT_UP:
        w->row -= w->row > 0;
        return UI_REDRAW;
    case ACT_DOWN:
        w->row += w->row + 1 < n;
        return UI_REDRAW;
    case ACT_FIRST:
    case ACT_LAST:
        w->row = act == ACT_LAST && n ? n - 1 : 0;
        return UI_REDRAW;
    case ACT_EVIDENCE:
        w->shows_evidence = !w->shows_evidence;
        return UI_REDRAW;
    case ACT_COPY:
    case ACT_COPY_LINE:
        ui_copy(ui, command_line(ui, text, sizeof text));
        return UI_REDRAW;
    case ACT_OPEN:
        return run(ui);
    case ACT_BACK:
        return ui_back(ui);
    default:
        return UI_NOTHING;
    }
}

/* ---- drawing --------------------------------------------------------------------------------- */

static int step_row(struct grid *g, int row, int last, int number, const char *name,
                    const char *text)
{
    if (row > last) {
        return row;
    }
    grid_fmt(g, 3, row, g->cols, ROLE_DIM, "%d %s", number, name);
    grid_cut(g, 14, row, g->cols - 1, ROLE_TEXT, text);
    return row + 1;
}

static const char *then_text(const struct ui *ui, char out[200])
{
    const struct restore_words *r = &ui->wizard.words;
    char port[64] = "";

    if (r->where == WHERE_FILES) {
        (void)str_copy(out, 200, "nothing is started: you start it, it recovers then");
    } else if (r->where == WHERE_IN_PLACE) {
        (void)str_copy(out, 200, "you start the server as you always do; it recovers then");
    } else {
        if (ui->wizard.words.port) {
            (void)str_fmt(port, sizeof port, " and port %u", ui->wizard.words.port);
        }
        (void)str_fmt(out, 200, "started harmlessly, private socket%s; at the target: %s", port,
                      r->goal.kind == GOAL_LATEST ? "open" : r->goal.action);
    }
    return out;
}

static int draw_steps(struct ui *ui, struct grid *g, int row, int last)
{
    const struct answer_plan *plan = plan_of(ui);
    char text[300], size[FMT_CAP], from[WHEN_CAP], to[WHEN_CAP];

    if (!plan) {
        return row;
    }
    (void)str_fmt(text, sizeof text, "backup %s, %s",
                  plan->backup_id ? plan->backup_id : "none", fmt_bytes(plan->bytes, size));
    row = step_row(g, row, last, 1, "copy", text);
    (void)str_fmt(text, sizeof text, "%" PRIu64 " segment%s, timeline %" PRIu32, plan->segments,
                  plan->segments == 1 ? "" : "s", plan->tli);
    row = step_row(g, row, last, 2, "WAL", text);
    if (plan->replay_from_us && plan->replay_to_us) {
        (void)str_fmt(text, sizeof text, "%s %s %s",
                      when_moment(plan->replay_from_us, ui->model.now_us, from),
                      symbol_text(g->symbols, SYM_TO),
                      when_moment(plan->replay_to_us, ui->model.now_us, to));
    } else {
        (void)str_copy(text, sizeof text, "to the target");
    }
    row = step_row(g, row, last, 3, "replay", text);
    return step_row(g, row, last, 4, "then", then_text(ui, text));
}

/* One check: its sentence on one row, cut with a mark; whole with its hint as evidence. */
static int draw_check(const struct ui *ui, struct grid *g, int row, int last, size_t i)
{
    const struct plan_line *line = &plan_of(ui)->line[i];
    bool is_selected = i == ui->wizard.row;
    bool is_whole = ui->wizard.shows_evidence;
    int first = row, col = 22;

    draw_state(g, 3, row, line_light(line->verdict));
    grid_text(g, 9, row, col - 1, ROLE_DIM, line->id);
    row = draw_wrapped(g, col, row, g->cols - 1, is_whole ? last : row, ROLE_TEXT,
                       line->sentence);
    if (line->hint && line->hint[0] && (is_whole || line->verdict == PLAN_REFUSED)) {
        row = draw_wrapped(g, col, row, g->cols - 1, is_whole ? last : row,
                           line->verdict == PLAN_REFUSED ? ROLE_ACCENT : ROLE_DIM, line->hint);
    }
    if (is_selected) {
        grid_text(g, 1, first, g->cols, ROLE_ACCENT, ">");
        for (int r = first; !is_whole && r <= first; r++) {
            grid_role(g, 8, r, g->cols, ROLE_SELECTED);
        }
    }
    return row;
}

/* The first line shown: so that the selected one is seen, with room for the longest of them. */
static void place(struct wizard *w, size_t n, int height)
{
    size_t per = w->shows_evidence ? 3 : 1, fits = height > 0 ? (size_t)height / per : 1;

    fits = fits ? fits : 1;
    w->row = w->row < n ? w->row : n ? n - 1 : 0;
    w->top = w->row < w->top ? w->row : w->row >= w->top + fits ? w->row - fits + 1 : w->top;
}

static int draw_checks(struct ui *ui, struct grid *g, int row, int last)
{
    const struct answer_plan *plan = plan_of(ui);
    char right[64];

    if (row > last) {
        return row;
    }
    if (!plan) {
        frame_title(g, 0, row++, g->cols, false, "CHECKS", "");
        return draw_waiting(ui, g, row, last, ASK_PLAN,
                            "everything is checked, every record of WAL is read");
    }
    place(&ui->wizard, plan->lines, last - row);
    (void)str_fmt(right, sizeof right, "%zu of %zu %s e %s",
                  plan->lines ? ui->wizard.row + 1 : 0, plan->lines,
                  symbol_text(g->symbols, SYM_DOT),
                  ui->wizard.shows_evidence ? "shorter" : "evidence");
    frame_title(g, 0, row++, g->cols, false, "CHECKS", right);
    for (size_t i = ui->wizard.top; i < plan->lines && row <= last; i++) {
        row = draw_check(ui, g, row, last, i);
    }
    return row;
}

/* The selected line whole, where there is room left for it. */
static void draw_selected(const struct ui *ui, struct grid *g, int row, int last)
{
    const struct answer_plan *plan = plan_of(ui);
    const struct plan_line *line;

    if (!plan || ui->wizard.shows_evidence || ui->wizard.row >= plan->lines) {
        return;
    }
    line = &plan->line[ui->wizard.row];
    row = draw_wrapped(g, 9, row + 1, g->cols - 1, last, ROLE_DIM, line->sentence);
    (void)draw_wrapped(g, 9, row, g->cols - 1, last, ROLE_ACCENT, line->hint ? line->hint : "");
}

static enum light verdict(struct ui *ui, char *out, size_t cap)
{
    const struct answer *a = ui->model.answer[ASK_PLAN];
    const struct answer_plan *plan = plan_of(ui);
    size_t count[3] = {0};

    if (!plan) {
        bool has_failed = a && a->has_failed && !ui->model.waiting[ASK_PLAN];

        (void)str_copy(out, cap,
                       has_failed ? "STOP  the plan could not be made; Enter tries again"
                                  : "CHECKING  nothing is written, nothing runs yet");
        return has_failed ? LIGHT_FAIL : LIGHT_WAIT;
    }
    for (size_t i = 0; i < plan->lines; i++) {
        count[plan->line[i].verdict]++;
    }
    (void)str_fmt(
        out, cap, "%s  %zu OK  %zu WARN  %zu FAIL   %s", plan->holds ? "READY" : "REFUSED",
        count[PLAN_OK], count[PLAN_WARN], count[PLAN_REFUSED],
        !plan->holds                               ? "nothing can be run"
        : ui->wizard.words.where == WHERE_IN_PLACE ? "REPLACES the data of the server"
                                                   : "dry run: nothing is written yet");
    return !plan->holds ? LIGHT_FAIL : count[PLAN_WARN] ? LIGHT_WARN : LIGHT_OK;
}

/* The same as a command: one row, or all of it. */
static int command_rows(const struct ui *ui, const struct grid *g, const char *text)
{
    int rows = wrapped_rows(text, g->cols - 3);

    return !ui->wizard.shows_evidence ? 1 : rows > g->rows / 4 ? g->rows / 4 : rows;
}

void plan_draw(struct ui *ui, struct grid *g)
{
    char sentence[200], right[200], tail[128], text[ORDER_WORDS_CAP], shorter[ORDER_WORDS_CAP];
    const char *command = text;
    enum light light = verdict(ui, sentence, sizeof sentence);
    bool is_short = g->rows < 20;
    int rows, row, last = g->rows - 3;

    command_line(ui, text, sizeof text);
    rows = command_rows(ui, g, text) + !is_short;
    if (!ui->wizard.shows_evidence) {
        command = frame_command(ui, text, g->cols - 3, symbol_text(g->symbols, SYM_MORE),
                                shorter, sizeof shorter);
    }
    wizard_top(ui, g, light, sentence);
    (void)str_fmt(right, sizeof right, "%s %s %s", ui->wizard.words.server,
                  symbol_text(g->symbols, SYM_TO),
                  path_tail(ui->wizard.words.destination, g->cols - 40,
                            symbol_text(g->symbols, SYM_MORE), tail));
    frame_title(g, 0, 2, g->cols, true, "3 PLAN", right);
    row = draw_steps(ui, g, 3, is_short ? 4 : last);
    row = draw_checks(ui, g, row, last - rows);
    draw_selected(ui, g, row, last - rows - 1);
    if (!is_short) {
        frame_title(g, 0, last - rows + 1, g->cols, false, "THE SAME AS A COMMAND",
                    ui->wizard.shows_evidence ? "y copies it" : "e whole, y copies it");
    }
    draw_wrapped(g, 2, last - rows + 1 + (!is_short), g->cols - 1, last, ROLE_DIM, command);
    frame_bottom(ui, g,
                 !plan_of(ui) ? "Esc goes back to change it; nothing has been written."
                 : plan_of(ui)->holds
                     ? "Enter runs it. Esc goes back; nothing has been written."
                     : "Enter checks again, Esc goes back to change it; nothing is written.");
}
