/* SPDX-License-Identifier: PostgreSQL */
/* view_when.c - step 1: the moment. Above the axis, in the middle what happened, below what one
 * gets: what is kept, what is lost, where it stops, or why it cannot and what is nearest. */
#include "base/clock.h"
#include "base/fmt.h"
#include "ui/prompt.h"
#include "ui/view.h"
#include "ui/wizard.h"
#include "ui/wizard_axis.h"

#include <inttypes.h>
#include <string.h>

void when_enter(struct ui *ui)
{
    ui->wizard.step = VIEW_WHEN;
    if (axis_follow(ui) || !wizard_answer(ui, ASK_MOMENT)) {
        ui->wizard.moment_due_ns = ui->model.now_ns;
    }
    ui->wizard.points_due_ns = ui->model.now_ns;
}

/* ---- choosing ------------------------------------------------------------------------------- */

static void take_goal(struct ui *ui, const struct goal *goal, int64_t us)
{
    ui->wizard.types = true;
    wizard_set_goal(ui, goal);
    if (us) {
        ui->wizard.at_us = us;
        axis_show(ui, us);
    }
    ui->wizard.moment_due_ns = ui->model.now_ns; /* typed: nothing to wait for */
}

unsigned wizard_typed(struct ui *ui, const char *text)
{
    struct prompt *p = &ui->prompt;
    struct goal goal;

    switch (goal_read(ui, text, &goal, p->told)) {
    case GOAL_WRONG:
        return UI_REDRAW;
    case GOAL_READINGS:
        prompt_open(ui, PROMPT_CHOICE, "");
        (void)str_fmt(p->question, sizeof p->question, "Which one?  1%s%zu   Esc none of them",
                      ui->wizard.offers > 1 ? " - " : " of ", ui->wizard.offers);
        return UI_REDRAW;
    case GOAL_READ:
        break;
    }
    p->kind = PROMPT_NONE;
    take_goal(ui, &goal, goal_us(&goal));
    return UI_REDRAW | UI_SAVE;
}

unsigned wizard_choice(struct ui *ui, int key)
{
    struct wizard *w = &ui->wizard;

    if (key == UI_KEY_ESC) {
        ui->prompt.kind = PROMPT_NONE;
        w->offers = 0;
        return UI_REDRAW;
    }
    if (key < '1' || key >= '1' + (int)w->offers) {
        (void)str_fmt(ui->prompt.told, sizeof ui->prompt.told, "a number from 1 to %zu, or Esc",
                      w->offers);
        return UI_REDRAW;
    }
    ui->prompt.kind = PROMPT_NONE;
    take_goal(ui, &w->offer[key - '1'].goal, w->offer[key - '1'].us);
    w->offers = 0;
    return UI_REDRAW | UI_SAVE;
}

/* [ and ]: the nearest moment that can be restored; the commit itself is in it. */
static unsigned take_near(struct ui *ui, enum act act)
{
    const struct answer *a = wizard_answer(ui, ASK_MOMENT);
    const struct mark *mark = act == ACT_NEAR_BELOW ? &a->moment.below : &a->moment.above;
    struct goal goal = {.kind = GOAL_TIME};
    char text[WHEN_CAP];

    (void)str_copy(goal.text, sizeof goal.text, when_option(mark->us, text));
    take_goal(ui, &goal, mark->us);
    return UI_REDRAW | UI_SAVE;
}

static unsigned turn_side(struct ui *ui)
{
    ui->wizard.words.goal.is_exclusive = !ui->wizard.words.goal.is_exclusive;
    wizard_ask_moment(ui);
    return UI_REDRAW;
}

static unsigned go_on(struct ui *ui)
{
    if (ui->wizard.moment_due_ns) {
        ui->wizard.moment_due_ns = ui->model.now_ns;
        wizard_tick(ui);
        ui_say(ui, LIGHT_WAIT,
               "looking at what that gives; Enter again goes on without waiting");
        return UI_REDRAW;
    }
    wizard_step(ui, VIEW_WHERE);
    return UI_REDRAW;
}

const char *when_off(const struct ui *ui)
{
    const struct answer *a = wizard_answer(ui, ASK_MOMENT);

    return a && !a->moment.can_restore && !wizard_is_stale(ui, ASK_MOMENT)
               ? "that moment cannot be restored; [ and ] take the nearest that can"
               : NULL;
}

unsigned when_act(struct ui *ui, enum act act)
{
    if (axis_act(ui, act)) {
        return UI_REDRAW;
    }
    switch (act) {
    case ACT_TYPE_TIME:
        prompt_open(ui, PROMPT_TIME, "");
        return UI_REDRAW;
    case ACT_SIDE:
        return turn_side(ui);
    case ACT_NEAR_BELOW:
    case ACT_NEAR_ABOVE:
        return take_near(ui, act);
    case ACT_OPEN:
        return go_on(ui);
    case ACT_COPY:
        ui_copy(ui, ui->wizard.words.goal.text[0] ? ui->wizard.words.goal.text : "latest");
        return UI_REDRAW;
    case ACT_BACK:
        return ui_back(ui);
    default:
        return UI_NOTHING;
    }
}

/* ---- drawing -------------------------------------------------------------------------------- */

static void draw_event(const struct ui *ui, struct grid *g, int row, int col, int end,
                       const struct event *e)
{
    static const char letter[] = {'R', 'b', 'S', 'x', ' '};
    bool is_selected = e->us == ui->wizard.at_us;
    char when[WHEN_CAP], text[160];

    when_moment(e->us, ui->model.now_us, when);
    grid_text(g, 3, row, end, ROLE_TEXT, when);
    grid_fmt(g, col, row, end, e->kind == EVENT_HOLE ? ROLE_FAIL : ROLE_ACCENT, "%c",
             letter[e->kind]);
    grid_cut(g, col + 3, row, end, ROLE_TEXT, event_text(e, text));
    if (is_selected) {
        grid_text(g, 1, row, end, ROLE_ACCENT, ">");
        grid_role(g, 1, row, end, ROLE_SELECTED);
    }
}

/* Where the database stops, between the events before it and behind it. */
static void draw_here(const struct ui *ui, struct grid *g, int row, int col, int end)
{
    const struct answer *a = wizard_answer(ui, ASK_MOMENT);
    bool cannot = a && !a->moment.can_restore && !wizard_is_stale(ui, ASK_MOMENT);
    char when[WHEN_CAP], text[200];

    grid_text(g, 1, row, end, ROLE_ACCENT, ">");
    grid_text(g, 3, row, end, ROLE_ACCENT,
              when_moment(ui->wizard.at_us, ui->model.now_us, when));
    grid_fmt(g, col + 3, row, end, ROLE_ACCENT, "%s %s", cannot ? "CANNOT stop" : "stops",
             goal_text(&ui->wizard.words.goal, text, sizeof text));
    grid_role(g, 1, row, end, ROLE_SELECTED);
}

/* The row of the cursor; *here: it stands before that row, on no event. */
static size_t event_at(const struct ui *ui, const struct events *all, bool *here)
{
    int64_t us = ui->wizard.at_us;
    size_t at = 0;

    while (at < all->n && all->event[at].us > us) {
        at++;
    }
    *here = at == all->n ? all->n > 0 : all->event[at].us != us;
    return at;
}

static size_t first_shown(size_t at, size_t n, size_t height)
{
    size_t first = at > height / 2 ? at - height / 2 : 0;

    return first + height <= n ? first : n > height ? n - height : 0;
}

/* Behind the widest moment: one of another day, or year, has more to say. */
static int letter_col(const struct ui *ui, const struct events *all)
{
    char when[WHEN_CAP];
    int width = text_width(when_moment(ui->wizard.at_us, ui->model.now_us, when)), one;

    for (size_t i = 0; i < all->n; i++) {
        one = text_width(when_moment(all->event[i].us, ui->model.now_us, when));
        width = one > width ? one : width;
    }
    return 3 + (width < 24 ? 24 : width) + 1;
}

/* The events around the cursor: `height` rows. */
static void draw_events(struct ui *ui, struct grid *g, int row, int end, int height)
{
    static struct events all;
    size_t at, first;
    char count[64];
    bool here;
    int col;

    events_of(ui, &all);
    col = letter_col(ui, &all);
    at = event_at(ui, &all, &here);
    (void)str_fmt(count, sizeof count, "%zu", all.n);
    frame_title(g, 0, row++, end, false, "EVENTS",
                end > 70 ? "R restore point  b backup  S switch  x hole" : count);
    height -= here;
    first = first_shown(at, all.n, (size_t)(height > 0 ? height : 0));
    for (size_t i = first; i <= all.n && height >= 0; i++) {
        if (here && i == at) {
            draw_here(ui, g, row++, col, end);
        }
        if (i < all.n && height-- > 0) {
            draw_event(ui, g, row++, col, end, &all.event[i]);
        }
    }
    if (all.n == 0) {
        grid_text(g, 3, row, end, ROLE_DIM, "nothing is known to have happened in this time");
    }
}

/* At the right of a wide screen: from when to when, and what lies between. */
static void draw_stretches(const struct ui *ui, struct grid *g, int col, int row, int height)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct coverage *c = s ? s->coverage : NULL;
    char from[WHEN_CAP], to[WHEN_CAP];

    grid_symbol(g, col - 1, row, g->cols, ROLE_RULE, SYM_BAR);
    frame_title(g, col, row++, g->cols, false, "CAN BE RESTORED", "newest first");
    for (int i = 0; i < height; i++) {
        grid_symbol(g, col - 1, row + i, g->cols, ROLE_RULE, SYM_BAR);
    }
    for (size_t i = c ? c->stretches : 0; i-- > 0 && height > 0;) {
        const struct stretch *st = &c->stretch[i];

        grid_fmt(g, col + 1, row++, g->cols, ROLE_OK, "%s %s %s",
                 when_short(st->from.us, ui->model.now_us, from),
                 symbol_text(g->symbols, SYM_TO), when_short(st->to.us, ui->model.now_us, to));
        if (--height > 0) {
            grid_fmt(g, col + 3, row++, g->cols, ROLE_DIM,
                     "timeline %" PRIu32 ", %zu backup%s%s", st->tli, st->backups,
                     st->backups == 1 ? "" : "s", st->is_main ? "" : ", abandoned");
            height--;
        }
    }
    for (size_t i = c ? c->holes : 0; i-- > 0 && height-- > 0;) {
        grid_fmt(g, col + 1, row++, g->cols, ROLE_FAIL, "hole %s %s %s",
                 when_short(c->hole[i].from_us, ui->model.now_us, from),
                 symbol_text(g->symbols, SYM_TO),
                 c->hole[i].to_us ? when_short(c->hole[i].to_us, ui->model.now_us, to) : "now");
    }
}

/* ---- what you get --------------------------------------------------------------------------- */

/* The last moment of the timeline that is restored. */
static int64_t end_of(const struct ui *ui, pg_tli tli)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct coverage *c = s ? s->coverage : NULL;
    int64_t us = 0;

    for (size_t i = 0; c && i < c->stretches; i++) {
        us = c->stretch[i].tli == tli && c->stretch[i].to.us > us ? c->stretch[i].to.us : us;
    }
    return us;
}

/* What lies behind the end of the timeline that is restored: all that the newest one has. */
static const char *left_out(const struct ui *ui, pg_tli tli, char *out, size_t cap)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct stretch *newest = s ? snapshot_newest_stretch(s) : NULL;
    char until[WHEN_CAP];

    if (newest && newest->tli > tli) {
        (void)str_fmt(out, cap, "all of timeline %" PRIu32 ", until %s", newest->tli,
                      when_moment(newest->to.us, ui->model.now_us, until));
    } else {
        (void)str_copy(out, cap, "nothing that is kept: it goes to the end of the WAL");
    }
    return out;
}

static int draw_can(const struct ui *ui, struct grid *g, int row, int last, enum role role)
{
    const struct answer_moment *m = &wizard_answer(ui, ASK_MOMENT)->moment;
    const char *sentence = m->sentence ? m->sentence : "";
    int64_t end_us = end_of(ui, m->tli);
    char text[400], mark[128], until[WHEN_CAP];

    if (m->hint &&
        m->hint[0]) { /* two restore points of one name: it is not left out for room */
        row = draw_fact(g, row, last, role == ROLE_DIM ? role : ROLE_WARN, "beware", m->hint);
    }
    if (m->before.us || m->before.xid || m->before.lsn) {
        (void)str_fmt(text, sizeof text, "every commit up to %s",
                      mark_text(&m->before, ui->model.now_us, ui->cols, mark));
    } else {
        (void)str_copy(text, sizeof text,
                       "what the backup holds; no commit lies behind it yet");
    }
    row = draw_fact(g, row, last, role, "kept", text);
    if (m->stop.us || m->stop.xid) {
        (void)str_fmt(text, sizeof text, "%s, and all behind it%s%s",
                      mark_text(&m->stop, ui->model.now_us, ui->cols, mark),
                      end_us ? " until " : "",
                      end_us ? when_moment(end_us, ui->model.now_us, until) : "");
    } else {
        (void)left_out(ui, m->tli, text, sizeof text);
    }
    row = draw_fact(g, row, last, role, "lost", text);
    if (str_starts(str_of(sentence), "stops ")) { /* as the label says */
        sentence += strlen("stops ");
    }
    row = draw_fact(g, row, last, role, "stops", sentence);
    if (m->backup_id[0]) {
        (void)str_fmt(text, sizeof text, "backup %s, timeline %" PRIu32, m->backup_id, m->tli);
        row = draw_fact(g, row, last, role, "from", text);
    }
    return row;
}

static int draw_near(const struct ui *ui, struct grid *g, int row, int last, const char *key,
                     const struct mark *mark)
{
    char text[200], at[128];

    if (mark->us == 0 || row > last) {
        return row;
    }
    grid_fmt(g, 1, row, 11, ROLE_ACCENT, "%s", key);
    (void)str_fmt(text, sizeof text, "nearest %s: %s", key[0] == '[' ? "before" : "behind",
                  ui->cols < 78 ? when_moment(mark->us, ui->model.now_us, at)
                                : mark_text(mark, ui->model.now_us, ui->cols, at));
    return draw_wrapped(g, 12, row, g->cols - 1, last, ROLE_OK, text);
}

static int draw_cannot(const struct ui *ui, struct grid *g, int row, int last)
{
    const struct answer_moment *m = &wizard_answer(ui, ASK_MOMENT)->moment;
    int near = (m->below.us != 0) + (m->above.us != 0);

    row = draw_fact(g, row, last - near, ROLE_FAIL, "why", m->sentence ? m->sentence : "");
    row = draw_near(ui, g, row, last, "[", &m->below);
    row = draw_near(ui, g, row, last, "]", &m->above);
    return draw_fact(g, row, last, ROLE_DIM, "do", m->hint ? m->hint : "");
}

static void draw_gets(struct ui *ui, struct grid *g, int row, int last)
{
    const struct answer *a = wizard_answer(ui, ASK_MOMENT);
    bool is_stale = wizard_is_stale(ui, ASK_MOMENT);
    char span[FMT_CAP], right[96] = "";

    if (a && is_stale) {
        (void)str_fmt(right, sizeof right, "looking at the new target  %s",
                      ui->model.waiting[ASK_MOMENT]
                          ? fmt_span(ui->model.now_ns - ui->model.asked_ns[ASK_MOMENT], span)
                          : "");
    }
    frame_title(g, 0, row++, g->cols, false, "WHAT YOU GET", right);
    row = draw_waiting(ui, g, row, last, ASK_MOMENT, "looking for that moment in the WAL");
    if (a) {
        int first = row;

        row = a->moment.can_restore ? draw_can(ui, g, row, last, ROLE_TEXT)
                                    : draw_cannot(ui, g, row, last);
        for (; is_stale && first < row; first++) {
            grid_role(g, 0, first, g->cols, ROLE_DIM);
        }
    }
}

/* Instead of it, after a time without an offset was typed. */
static void draw_offers(struct ui *ui, struct grid *g, int row, int last)
{
    const struct wizard *w = &ui->wizard;
    char text[256], when[WHEN_CAP];

    frame_title(g, 0, row++, g->cols, true, "WHICH MOMENT IS THAT?", "");
    (void)str_fmt(text, sizeof text,
                  "'%s' has no offset from UTC, so it can be several moments. Another one than "
                  "meant would restore another state.",
                  w->offer_text);
    row = draw_wrapped(g, 3, row, g->cols - 1, last - (int)w->offers, ROLE_WARN, text);
    for (size_t i = 0; i < w->offers && row <= last; i++) {
        int col = grid_fmt(g, 3, row, g->cols, ROLE_ACCENT, "%zu  ", i + 1);

        col = grid_fmt(g, col, row, g->cols, ROLE_TEXT, "%-26s ", w->offer[i].goal.text);
        col = grid_fmt(g, col, row, g->cols, ROLE_DIM, "%s", w->offer[i].label);
        if (g->cols >= 100) {
            grid_fmt(g, col, row, g->cols, ROLE_DIM, "  = %s here",
                     when_moment(w->offer[i].us, ui->model.now_us, when));
        }
        row++;
    }
}

static void axis_title(const struct ui *ui, const struct grid *g, char *out, size_t cap)
{
    char from[WHEN_CAP], to[WHEN_CAP], span[FMT_CAP];

    (void)str_fmt(out, cap, "%s %s %s", when_short(ui->wizard.from_us, ui->model.now_us, from),
                  symbol_text(g->symbols, SYM_TO),
                  when_short(ui->wizard.to_us, ui->model.now_us, to));
    if (g->cols >= 78) {
        size_t n = strlen(out);

        (void)str_fmt(out + n, cap - n, " %s 1 column %s", symbol_text(g->symbols, SYM_DOT),
                      axis_step_us(ui) < US_PER_S ? "below 1 s"
                                                  : fmt_span(axis_step_us(ui) * 1000, span));
    }
}

static int64_t place_us(const struct answer *a)
{
    return a->moment.point.us ? a->moment.point.us : a->moment.stop.us;
}

static enum light when_light(const struct ui *ui, char *out, size_t cap)
{
    const struct answer *a = wizard_answer(ui, ASK_MOMENT);
    char utc[STAMP_CAP], when[WHEN_CAP], words[200];
    int64_t us = goal_us(&ui->wizard.words.goal);
    size_t n;

    goal_text(&ui->wizard.words.goal, words, sizeof words);
    if (a && !a->moment.can_restore && !wizard_is_stale(ui, ASK_MOMENT)) {
        (void)str_fmt(out, cap, "CANNOT RESTORE  %s", words);
        return LIGHT_FAIL;
    }
    (void)str_fmt(out, cap, "STOP  %s", words);
    n = strlen(out);
    if (ui->wizard.words.goal.point[0]) {
        (void)str_fmt(out + n, cap - n, "   %s",
                      when_moment(ui->wizard.at_us, ui->model.now_us, when));
        if (text_width(out) > ui->cols - 2) { /* the moment says more than its LSN */
            (void)str_fmt(out, cap, "STOP  at restore point '%s'   %s",
                          ui->wizard.words.goal.point, when);
        }
    } else if (a && !us && place_us(a) && !wizard_is_stale(ui, ASK_MOMENT)) {
        (void)str_fmt(out + n, cap - n, "   %s",
                      when_moment(place_us(a), ui->model.now_us, when));
    } else if (us && ui->cols >= 76) { /* typed in UTC: what the clock here showed */
        (void)stamp_iso((struct stamp){us - us % US_PER_S, 0}, utc);
        (void)str_fmt(out + n, cap - n, "   = %s",
                      strstr(words, utc) ? when_moment(us, ui->model.now_us, when) : utc);
    }
    return LIGHT_RUN;
}

void when_draw(struct ui *ui, struct grid *g)
{
    bool is_short = g->rows < 20, is_wide = g->cols >= 120;
    char sentence[256], right[160];
    enum light light = when_light(ui, sentence, sizeof sentence);
    int row, gets = is_short ? 7 : g->rows >= 32 ? 9 : 7, height;

    wizard_top(ui, g, light, sentence);
    axis_title(ui, g, right, sizeof right);
    frame_title(g, 0, 2, g->cols, true, "1 WHEN", right);
    row = axis_draw(ui, g, 3, is_short);
    height = g->rows - 2 - gets - row - 1;
    if (height > 0) {
        draw_events(ui, g, row, is_wide ? 84 : g->cols, height);
        if (is_wide) {
            draw_stretches(ui, g, 85, row, height);
        }
        row += height + 1;
    }
    if (ui->prompt.kind == PROMPT_CHOICE) {
        draw_offers(ui, g, row, g->rows - 3);
    } else {
        draw_gets(ui, g, row, g->rows - 3);
    }
    frame_bottom(
        ui, g, "h l move, H L to events, j k in the list, @ types it. Nothing is written yet.");
}
