/* SPDX-License-Identifier: PostgreSQL */
#include "wizard.h"

#include "base/clock.h"
#include "ui/prompt.h"
#include "ui/wizard_axis.h"

#include <inttypes.h>
#include <string.h>

#define REST_NS   (150 * NS_PER_MS) /* the cursor has rested */
#define AXIS_NS   (300 * NS_PER_MS)
#define KEPT_US   (3600 * US_PER_S)
#define FOLLOW_NS (30 * NS_PER_S)
#define HALF_US   (1800 * US_PER_S)
#define NEWER_US  (60 * US_PER_S)

/* ---- rows 0 and 1 -------------------------------------------------------------------------- */

void wizard_top(struct ui *ui, struct grid *g, enum light light, const char *sentence)
{
    static const char *const step[][2] = {{"when", "WHEN"},
                                          {"where", "WHERE"},
                                          {"plan", "PLAN"},
                                          {"run", "RUN"},
                                          {"check", "CHECK"}};
    int now = (int)ui->view - VIEW_WHEN;
    const char *gap = g->cols >= 120 ? "     " : " ";
    char where[160];
    struct sbuf b;

    sbuf_init(&b, where, sizeof where);
    if (g->cols < 76) {
        sbuf_fmt(&b, "RESTORE  %d of 5  %s", now + 1, step[now][1]);
    } else {
        sbuf_add(&b, "RESTORE ");
        for (int i = 0; i < 5; i++) {
            sbuf_fmt(&b, "%s%d %s", gap, i + 1, step[i][i == now]);
        }
    }
    frame_top(ui, g, where, light, sentence);
}

const char *wizard_key_label(const struct ui *ui, enum act act)
{
    static const struct {
        enum act act;
        enum view_id view;
        const char *label;
    } own[] = {
        {ACT_OPEN, VIEW_WHEN, "next: where"},
        {ACT_OPEN, VIEW_WHERE, "next: the plan"},
        {ACT_NEXT_PANE, VIEW_WHERE, "next field"},
        {ACT_CHOOSE, VIEW_WHERE, "change"},
        {ACT_CHOOSE, VIEW_CHECK, "add a table"},
        {ACT_DELETE, VIEW_CHECK, "DROP"},
        {ACT_BACK, VIEW_RUN, "leave"},
        {ACT_BACK, VIEW_CHECK, "keep"},
        {ACT_COPY, VIEW_PLAN, "copy command"},
        {ACT_COPY, VIEW_CHECK, "copy psql command"},
    };

    if (act == ACT_COPY && ui->view == VIEW_CHECK && ui->wizard.words.where != WHERE_COPY) {
        return "copy command";
    }
    if (act == ACT_OPEN && ui->view >= VIEW_PLAN) {
        return ui->view == VIEW_PLAN  ? plan_next_label(ui)
               : ui->view == VIEW_RUN ? run_next_label(ui)
                                      : check_next_label(ui);
    }
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (own[i].act == act && own[i].view == ui->view) {
            return own[i].label;
        }
    }
    return NULL;
}

/* ---- asking -------------------------------------------------------------------------------- */

/* The axis ends with the last commit; a restore point may lie behind that. */
static bool is_at_end(const struct ui *ui)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct stretch *newest = s ? snapshot_newest_stretch(s) : NULL;

    return !newest || ui->wizard.to_us >= newest->to.us;
}

void wizard_ask(struct ui *ui, enum ask_kind kind)
{
    struct wizard *w = &ui->wizard;
    struct ask ask = {
        .kind = kind, .restore = w->words, .from_us = w->from_us, .to_us = w->to_us};

    ui->model.is_quiet[kind] = false;
    ask.tables = w->tables;
    memcpy(ask.table, w->table, sizeof ask.table);
    if (kind == ASK_POINTS && is_at_end(ui) && ask.to_us < ui->model.now_us + NEWER_US) {
        ask.to_us = ui->model.now_us + NEWER_US;
    }
    if (!ui_ask_again(ui, &ask)) {
        ui_say(ui, LIGHT_WARN, "too much is being asked at once; it is tried again");
        w->moment_due_ns = kind == ASK_MOMENT ? ui->model.now_ns + NS_PER_S : w->moment_due_ns;
        w->points_due_ns = kind == ASK_POINTS ? ui->model.now_ns + NS_PER_S : w->points_due_ns;
    }
}

void wizard_to_the_end(struct ui *ui)
{
    const struct snapshot *s = ui_snapshot(ui);
    const struct stretch *newest = s ? snapshot_newest_stretch(s) : NULL;
    const struct backup_row *backup = s ? snapshot_good_backup(s) : NULL;
    struct goal *goal = &ui->wizard.words.goal;

    if (goal->kind == GOAL_LATEST && !goal->tli && newest && backup &&
        backup->tli < newest->tli) {
        goal->tli = newest->tli;
    }
}

void wizard_ask_moment(struct ui *ui)
{
    ui->wizard.moment_due_ns = ui->model.now_ns + REST_NS;
}

void wizard_ask_points(struct ui *ui)
{
    ui->wizard.points_due_ns = ui->model.now_ns + AXIS_NS;
}

void wizard_set_goal(struct ui *ui, const struct goal *goal)
{
    struct goal *own = &ui->wizard.words.goal;
    char action[sizeof own->action];

    (void)str_copy(action, sizeof action, own->action);
    *own = *goal;
    (void)str_copy(own->action, sizeof own->action, action);
    ui->wizard.is_chosen = ui->wizard.types || goal->kind != GOAL_LATEST;
    wizard_to_the_end(ui);
    wizard_ask_moment(ui);
}

bool wizard_is_stale(const struct ui *ui, enum ask_kind kind)
{
    return (kind == ASK_MOMENT && ui->wizard.moment_due_ns) || ui->model.waiting[kind];
}

const struct answer *wizard_answer(const struct ui *ui, enum ask_kind kind)
{
    const struct answer *a = ui->model.answer[kind];

    return a && !a->has_failed ? a : NULL;
}

/* ---- beginning ------------------------------------------------------------------------------ */

static void forget_answers(struct ui *ui)
{
    static const enum ask_kind kinds[] = {ASK_MOMENT, ASK_PLACE, ASK_PLAN, ASK_COPY,
                                          ASK_COMPARE};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        answer_free(ui->model.answer[kinds[i]]);
        ui->model.answer[kinds[i]] = NULL;
        ui->model.waiting[kinds[i]] = 0;
    }
}

/* From the detail of a backup: the moment it became consistent; from the timelines: the cursor. */
static void at_origin(struct ui *ui)
{
    const struct backup_row *b = ui->view == VIEW_BACKUP ? ui_backup_row(ui) : NULL;
    int64_t us = b ? b->end.us : ui->view == VIEW_WAL ? ui->axis_at_us : 0;
    struct wizard *w = &ui->wizard;

    if (us > 0) {
        w->at_us = us + (US_PER_S - us % US_PER_S) % US_PER_S;
        w->from_us = w->at_us - HALF_US;
        w->to_us = w->at_us + HALF_US;
        goal_at(&w->words.goal, w->at_us);
    }
}

static const char *home_of(const struct ui *ui)
{
    return ui->model.home ? ui->model.home : "";
}

static void begin_anew(struct ui *ui)
{
    struct wizard *w = &ui->wizard;

    memset(w, 0, sizeof *w);
    forget_answers(ui);
    w->is_begun = true;
    w->begun_us = ui->model.now_us;
    w->words.where = WHERE_COPY;
    (void)str_copy(w->home, sizeof w->home, home_of(ui));
    (void)str_copy(w->words.server, sizeof w->words.server, ui->server);
    (void)str_copy(w->words.backup, sizeof w->words.backup, "auto");
    (void)str_copy(w->words.goal.action, sizeof w->words.goal.action, "pause");
    axis_first(ui);
    wizard_to_the_end(ui);
    at_origin(ui);
    ui_goto(ui, VIEW_WHEN);
}

static unsigned no_go_on(struct ui *ui)
{
    begin_anew(ui);
    return UI_REDRAW;
}

static unsigned yes_go_on(struct ui *ui)
{
    struct wizard *w = &ui->wizard;
    enum view_id step;

    w->is_resting = false;
    if (!ui->start_ticket) {
        wizard_find_jobs(ui);
    }
    step = w->step >= VIEW_WHEN && w->step <= VIEW_CHECK ? (enum view_id)w->step : VIEW_WHEN;
    ui_select_server(ui, w->words.server);
    for (int v = VIEW_WHEN; v < (int)step && step < VIEW_RUN; v++) {
        ui->view == (enum view_id)v ? (void)0 : ui_goto(ui, (enum view_id)v);
    }
    ui_goto(ui, step);
    return UI_REDRAW;
}

/* What is kept is about a server of this configuration, not about one of that name elsewhere. */
static bool is_ours(const struct ui *ui)
{
    const struct wizard *w = &ui->wizard;

    for (size_t i = 0; i < ui->model.servers && strcmp(w->home, home_of(ui)) == 0; i++) {
        if (strcmp(ui->model.name[i], w->words.server) == 0) {
            return true;
        }
    }
    return false;
}

/* What is kept is asked for: it is young, or a job of it may still run. */
static bool is_young(const struct ui *ui)
{
    const struct wizard *w = &ui->wizard;
    bool runs = wizard_job_runs(ui, w->restore_job) || wizard_job_runs(ui, w->copy_job);

    return runs ||
           (ui->model.now_us - w->begun_us < KEPT_US && ui->model.now_us >= w->begun_us);
}

bool wizard_left_a_copy(const struct wizard *w)
{
    return w->step == VIEW_CHECK && w->words.where == WHERE_COPY;
}

/* A target was chosen, or more. */
static bool has_answers(const struct wizard *w)
{
    return w->step > VIEW_WHEN || (w->step == VIEW_WHEN && w->is_chosen);
}

static void ask_go_on(struct ui *ui)
{
    char when[WHEN_CAP];

    ui_ask_yes(ui, yes_go_on, "Go on with the restore of %s begun %s?", ui->wizard.words.server,
               when_short(ui->wizard.begun_us, ui->model.now_us, when));
}

void wizard_begin(struct ui *ui)
{
    struct wizard *w = &ui->wizard;

    if (w->is_begun && has_answers(w) && is_ours(ui) &&
        strcmp(w->words.server, ui->server) == 0 && (is_young(ui) || wizard_left_a_copy(w))) {
        ask_go_on(ui);
        ui->prompt.no = no_go_on;
        return;
    }
    begin_anew(ui);
}

void wizard_offer(struct ui *ui)
{
    struct wizard *w = &ui->wizard;
    bool is_sound = has_answers(w) && w->step <= VIEW_CHECK && w->from_us < w->to_us;

    w->is_begun = w->is_begun && is_sound && (is_young(ui) || wizard_left_a_copy(w));
    w->is_resting = true;
    if (w->is_begun && is_young(ui) && is_ours(ui)) {
        ask_go_on(ui);
    }
}

/* ---- what was typed ----------------------------------------------------------------------------- */

unsigned wizard_field(struct ui *ui, size_t field, const char *text)
{
    return field == WIZARD_TABLE ? check_field(ui, text) : where_field(ui, field, text);
}

/* ---- from step to step ----------------------------------------------------------------------- */

void wizard_step(struct ui *ui, enum view_id step)
{
    ui->wizard.row = ui->wizard.top = 0;
    ui->wizard.shows_evidence = false;
    if (step == VIEW_RUN) { /* Esc leaves what runs; it does not go back to the plan */
        while (ui->backs && IN(ui->back[ui->backs - 1]) & IN_WIZARD) {
            ui->backs--;
        }
        ui->view = ui->backs ? ui->back[--ui->backs] : VIEW_OVERVIEW;
    }
    ui_goto(ui, step);
}

void wizard_leave(struct ui *ui)
{
    while (ui->backs && IN(ui->back[ui->backs - 1]) & IN_WIZARD) {
        ui->backs--;
    }
    ui->view = ui->backs ? ui->back[--ui->backs] : VIEW_OVERVIEW;
    ui->message[0] = '\0';
}

/* ---- time and news ---------------------------------------------------------------------------- */

static bool is_copy_shown(const struct ui *ui)
{
    return ui->wizard.words.where == WHERE_COPY &&
           (ui->view == VIEW_CHECK || (ui->view == VIEW_RUN && ui->wizard.copy_job));
}

void wizard_tick(struct ui *ui)
{
    struct wizard *w = &ui->wizard;
    int64_t now = ui->model.now_ns;

    if (!w->is_begun || !(IN(ui->view) & IN_WIZARD)) {
        return;
    }
    if (w->moment_due_ns && w->moment_due_ns <= now) {
        w->moment_due_ns = 0;
        wizard_ask(ui, ASK_MOMENT);
    }
    if (w->points_due_ns && w->points_due_ns <= now) {
        w->points_due_ns = 0;
        wizard_ask(ui, ASK_POINTS);
    }
    if (w->follow_due_ns && w->follow_due_ns <= now && !ui->model.waiting[ASK_POINTS]) {
        w->follow_due_ns = 0;
        wizard_ask(ui, ASK_POINTS);
        ui->model.is_quiet[ASK_POINTS] = true;
    }
    if (is_copy_shown(ui) && w->copy_due_ns && w->copy_due_ns <= now &&
        !ui->model.waiting[ASK_COPY]) {
        w->copy_due_ns = 0;
        wizard_ask(ui, ASK_COPY);
    }
    wizard_jobs_look(ui);
}

int64_t wizard_next_ns(const struct ui *ui)
{
    const struct wizard *w = &ui->wizard;
    int64_t next = INT64_MAX;

    if (!w->is_begun || !(IN(ui->view) & IN_WIZARD)) {
        return next;
    }
    if (w->moment_due_ns) {
        next = w->moment_due_ns;
    }
    if (w->points_due_ns && w->points_due_ns < next) {
        next = w->points_due_ns;
    }
    if (w->follow_due_ns && w->follow_due_ns < next && !ui->model.waiting[ASK_POINTS]) {
        next = w->follow_due_ns;
    }
    return next;
}

/* The looker has seen more. What reaches to the end follows; reading WAL again for its events
 * has time: nothing that was read goes away meanwhile. */
static void take_look(struct ui *ui)
{
    struct wizard *w = &ui->wizard;
    int64_t earliest = ui->model.asked_ns[ASK_POINTS] + FOLLOW_NS;

    if (ui->view < VIEW_WHEN || ui->view > VIEW_PLAN || !axis_follow(ui)) {
        return;
    }
    if (w->words.goal.kind == GOAL_LATEST && ui->view == VIEW_WHEN) {
        wizard_ask_moment(ui);
    }
    if (!w->follow_due_ns) {
        w->follow_due_ns = earliest > ui->model.now_ns ? earliest : ui->model.now_ns;
    }
}

/* Where a typed target lies, as the answer has it; 0: it says where itself, or nothing does. */
static int64_t place_of(const struct goal *goal, const struct answer_moment *m)
{
    switch (goal->kind) {
    case GOAL_LATEST:
        return m->before.us;
    case GOAL_NAME:
        if (m->point.us) {
            return m->point.us;
        }
        break;
    case GOAL_XID:
    case GOAL_LSN:
    case GOAL_IMMEDIATE:
        break;
    case GOAL_TIME:
        return 0;
    }
    return m->stop.us ? m->stop.us : m->before.us;
}

/* What was typed as something else than a time gets its place on the axis. */
static void take_moment(struct ui *ui)
{
    const struct answer *a = wizard_answer(ui, ASK_MOMENT);
    struct wizard *w = &ui->wizard;
    int64_t us;

    if (!a || a->ticket == w->moment_seen || w->moment_due_ns) {
        return;
    }
    w->moment_seen = a->ticket;
    us = place_of(&w->words.goal, &a->moment);
    if (w->types && us && a->moment.can_restore) {
        w->at_us = us;
        axis_show(ui, us);
    }
}

/* A proposal becomes the answer where nobody typed one. */
static void take_place(struct ui *ui)
{
    const struct answer *a = wizard_answer(ui, ASK_PLACE);
    struct restore_words *words = &ui->wizard.words;
    const char *destination;

    if (!a || a->ticket == ui->wizard.place_seen) {
        return;
    }
    ui->wizard.place_seen = a->ticket;
    if (ui->wizard.destination_typed) {
        return;
    }
    destination =
        words->where == WHERE_IN_PLACE ? a->place.live_directory : a->place.destination;
    (void)str_copy(words->destination, sizeof words->destination,
                   destination ? destination : "");
    words->moves = words->where == WHERE_IN_PLACE ? 0 : a->place.moves;
    memcpy(words->move, a->place.move, sizeof words->move);
    if (words->where == WHERE_COPY && !a->place.binaries) {
        words->where = WHERE_FILES; /* said in the step, in words */
        ui_say(ui, LIGHT_WARN, "no PostgreSQL %d here to start a copy: files only is chosen",
               a->place.version / 10000);
    }
}

/* The cursor goes to what is wrong. */
static void take_plan(struct ui *ui)
{
    const struct answer *a = wizard_answer(ui, ASK_PLAN);
    struct wizard *w = &ui->wizard;
    enum plan_verdict worst = PLAN_OK;

    if (!a || a->ticket == w->plan_seen || ui->view != VIEW_PLAN) {
        return;
    }
    w->plan_seen = a->ticket;
    for (size_t i = 0; i < a->plan.lines; i++) {
        if (a->plan.line[i].verdict > worst) {
            worst = a->plan.line[i].verdict;
            w->row = i;
        }
    }
}

/* While the copy moves it is looked at each second, then every five. */
static void take_copy(struct ui *ui)
{
    const struct answer *a = ui->model.answer[ASK_COPY];
    struct wizard *w = &ui->wizard;
    bool moves;

    if (!a || a->ticket == w->copy_seen || !a->is_last) {
        return;
    }
    w->copy_seen = a->ticket;
    moves = !a->has_failed && a->copy.phase == COPY_REPLAYING;
    w->copy_due_ns = ui->model.now_ns + (moves ? 1 : 5) * NS_PER_S;
    if (!a->has_failed && (a->copy.phase == COPY_PAUSED || a->copy.phase == COPY_OPEN) &&
        ui->view == VIEW_CHECK && !ui->model.answer[ASK_COMPARE] &&
        !ui->model.waiting[ASK_COMPARE]) {
        wizard_ask(ui, ASK_COMPARE);
    }
}

void wizard_news(struct ui *ui)
{
    if (!ui->wizard.is_begun || ui->wizard.is_resting) {
        return;
    }
    take_look(ui);
    take_moment(ui);
    take_place(ui);
    take_plan(ui);
    take_copy(ui);
    run_note_phase(ui);
    wizard_jobs_look(ui);
}
