/* SPDX-License-Identifier: PostgreSQL */
/* view_check.c - step 5: is this the database you wanted? Where it stopped, its rows beside
 * those of production, and what can be done next. */
#include "base/clock.h"
#include "base/fmt.h"
#include "ui/prompt.h"
#include "ui/view.h"
#include "ui/wizard.h"

#include <inttypes.h>
#include <string.h>

void check_enter(struct ui *ui)
{
    ui->wizard.step = VIEW_CHECK;
    if (ui->wizard.words.where == WHERE_COPY) {
        wizard_ask(ui, ASK_COPY);
    }
    if (!wizard_answer(ui, ASK_MOMENT)) { /* gone on with: what is lost is said again */
        wizard_ask(ui, ASK_MOMENT);
    }
}

static const struct answer_copy *copy_of(const struct ui *ui)
{
    const struct answer *a = wizard_answer(ui, ASK_COPY);

    return a ? &a->copy : NULL;
}

static bool answers_queries(const struct answer_copy *copy)
{
    return copy && (copy->phase == COPY_PAUSED || copy->phase == COPY_OPEN);
}

/* ---- acts ------------------------------------------------------------------------------------ */

static void take_tables_shown(struct wizard *w, const struct answer *a)
{
    for (size_t i = 0; w->tables == 0 && a && i < a->compare.tables; i++) {
        if (i < ASK_TABLES && a->compare.table[i].name) {
            (void)str_copy(w->table[i], sizeof w->table[0], a->compare.table[i].name);
        }
    }
    w->tables = w->tables == 0 && a
                    ? (a->compare.tables < ASK_TABLES ? a->compare.tables : ASK_TABLES)
                    : w->tables;
}

static bool remove_table(struct wizard *w, const char *name)
{
    for (size_t i = 0; i < w->tables; i++) {
        if (strcmp(w->table[i], name) == 0) {
            memmove(w->table[i], w->table[i + 1], (w->tables - i - 1) * sizeof w->table[0]);
            w->tables--;
            return true;
        }
    }
    return false;
}

/* A name is added to the list; "-NAME" is taken out of it. */
unsigned check_field(struct ui *ui, const char *typed)
{
    struct wizard *w = &ui->wizard;
    struct str text = str_trim(str_of(typed));
    char name[2 * NAME_CAP];
    const char *told = "";

    (void)str_fmt(name, sizeof name, "%.*s", (int)text.n, text.p);
    take_tables_shown(w, wizard_answer(ui, ASK_COMPARE));
    if (text.n == 0 || text.n >= sizeof name) {
        told = "schema.table, or -schema.table to leave it out";
    } else if (name[0] == '-') {
        told = remove_table(w, name + 1) ? "" : "that one is not in the list";
    } else if (w->tables == ASK_TABLES) {
        told = "the list is full: -NAME takes one out";
    } else {
        (void)remove_table(w, name);
        (void)str_copy(w->table[w->tables++], sizeof w->table[0], name);
    }
    (void)str_copy(ui->prompt.told, sizeof ui->prompt.told, told);
    if (!told[0]) {
        ui->prompt.kind = PROMPT_NONE;
        wizard_ask(ui, ASK_COMPARE);
    }
    return UI_REDRAW;
}

static unsigned add_table(struct ui *ui)
{
    prompt_open(ui, PROMPT_FIELD, "");
    ui->prompt.field = WIZARD_TABLE;
    (void)str_copy(ui->prompt.question, sizeof ui->prompt.question, "compare table: ");
    return UI_REDRAW;
}

static unsigned compare(struct ui *ui)
{
    if (answers_queries(copy_of(ui))) {
        wizard_ask(ui, ASK_COMPARE);
    } else {
        wizard_start_copy(ui);
    }
    return UI_REDRAW;
}

/* Files stand and no server runs on them. */
static bool can_start(const struct answer_copy *copy)
{
    return copy && (copy->phase == COPY_FILES || copy->phase == COPY_STOPPED ||
                    copy->phase == COPY_FAILED);
}

const char *check_off(const struct ui *ui)
{
    const struct answer_copy *copy = copy_of(ui);

    if (ui->wizard.words.where != WHERE_COPY) {
        return "that is for a copy beside production";
    }
    return answers_queries(copy) || can_start(copy) ? NULL
                                                    : "there is nothing to compare with yet";
}

const char *check_next_label(const struct ui *ui)
{
    return can_start(copy_of(ui)) ? "start it again" : "count again";
}

/* Everything is kept but the place: a new copy needs a new directory. */
static unsigned another_target(struct ui *ui)
{
    struct wizard *w = &ui->wizard;

    w->restore_job = w->copy_job = 0;
    w->wants_copy = w->destination_typed = false;
    w->words.destination[0] = '\0';
    w->words.moves = 0;
    (void)str_copy(w->words.backup, sizeof w->words.backup, "auto");
    w->begun_us = ui->model.now_us;
    answer_free(ui->model.answer[ASK_COPY]);
    answer_free(ui->model.answer[ASK_COMPARE]);
    ui->model.answer[ASK_COPY] = ui->model.answer[ASK_COMPARE] = NULL;
    ui->model.waiting[ASK_COPY] = ui->model.waiting[ASK_COMPARE] = 0;
    wizard_leave(ui);
    ui_goto(ui, VIEW_WHEN);
    ui_say(ui, LIGHT_OK, "the copy stays where it is; choose another target for a new one");
    return UI_REDRAW | UI_SAVE;
}

static unsigned keep(struct ui *ui)
{
    char tail[128];

    wizard_leave(ui);
    ui_say(ui, LIGHT_OK, "kept: %s", path_tail(ui->wizard.words.destination, 60, "..", tail));
    return UI_REDRAW;
}

static const char *start_command(const struct ui *ui, char out[ASK_PATH_CAP * 2])
{
    const struct answer *a = wizard_answer(ui, ASK_PLACE);
    const char *binaries = a ? a->place.binaries : NULL;

    (void)str_fmt(out, ASK_PATH_CAP * 2, "%s%spg_ctl -D %s start", binaries ? binaries : "",
                  binaries ? "/" : "", ui->wizard.words.destination);
    return out;
}

static unsigned copy_command(struct ui *ui)
{
    const struct answer_copy *copy = copy_of(ui);
    char text[ASK_PATH_CAP * 2];

    if (ui->wizard.words.where != WHERE_COPY) {
        ui_copy(ui, start_command(ui, text));
    } else if (copy && copy->psql && copy->psql[0]) {
        ui_copy(ui, copy->psql);
    } else {
        ui_copy(ui, ui->wizard.words.destination);
    }
    return UI_REDRAW;
}

static unsigned move(struct ui *ui, enum act act)
{
    const struct answer *a = wizard_answer(ui, ASK_COMPARE);
    size_t n = a ? a->compare.tables : 0, *row = &ui->wizard.row;

    switch (act) {
    case ACT_UP:
        *row -= *row > 0;
        break;
    case ACT_DOWN:
        *row += *row + 1 < n;
        break;
    case ACT_FIRST:
        *row = 0;
        break;
    default:
        *row = n - (n > 0);
        break;
    }
    return UI_REDRAW;
}

unsigned check_act(struct ui *ui, enum act act)
{
    switch (act) {
    case ACT_UP:
    case ACT_DOWN:
    case ACT_FIRST:
    case ACT_LAST:
        return move(ui, act);
    case ACT_OPEN:
        return compare(ui);
    case ACT_CHOOSE:
        return add_table(ui);
    case ACT_PSQL:
        return wizard_psql(ui);
    case ACT_PROMOTE:
        return wizard_promote(ui);
    case ACT_DELETE:
        return wizard_drop(ui);
    case ACT_GO_BACK:
        return another_target(ui);
    case ACT_COPY:
        return copy_command(ui);
    case ACT_LOG:
        ui->job = ui->wizard.copy_job ? ui->wizard.copy_job : ui->wizard.restore_job;
        ui_goto(ui, VIEW_JOBS);
        return UI_REDRAW;
    case ACT_BACK:
    case ACT_DETACH:
        return keep(ui);
    default:
        return UI_NOTHING;
    }
}

/* ---- where it stopped ------------------------------------------------------------------------ */

static const struct {
    enum light light;
    const char *word, *title;
} phase_text[] = {
    [COPY_ABSENT] = {LIGHT_FAIL, "GONE  nothing is at the destination", "not there"},
    [COPY_FILES] = {LIGHT_WAIT, "RESTORED  the files stand, no server was started",
                    "not started"},
    [COPY_REPLAYING] = {LIGHT_RUN, "REPLAYING  on its way, to stop ", "not at its target yet"},
    [COPY_PAUSED] = {LIGHT_OK, "REACHED  paused ", "read-only, not promoted"},
    [COPY_OPEN] = {LIGHT_OK, "OPEN  the copy is writable", "writable"},
    [COPY_STOPPED] = {LIGHT_WARN, "STOPPED  its server does not run", "stopped"},
    [COPY_FAILED] = {LIGHT_FAIL, "FAILED  its server gave up", "failed"},
};

static int state_fact(struct grid *g, int row, int last, enum light light, const char *label,
                      const char *text)
{
    if (row > last) {
        return row;
    }
    draw_state(g, 3, row, light);
    grid_text(g, 9, row, 22, ROLE_DIM, label);
    return draw_wrapped(g, 22, row, g->cols - 1, last, ROLE_TEXT, text);
}

static const char *target_fact(const struct ui *ui, char *out, size_t cap)
{
    const struct answer *m = wizard_answer(ui, ASK_MOMENT);
    char goal[200], mark[128];

    goal_text(&ui->wizard.words.goal, goal, sizeof goal);
    if (m && m->moment.can_restore && m->moment.stop.xid) {
        (void)str_fmt(out, cap, "%s; first lost: %s", goal,
                      mark_text(&m->moment.stop, ui->model.now_us, ui->cols, mark));
    } else {
        (void)str_copy(out, cap, goal);
    }
    return out;
}

static int draw_server(struct grid *g, int row, int last, const struct answer_copy *copy)
{
    char text[400], port[32] = "";

    if (copy->pid == 0) {
        return row;
    }
    if (copy->port) {
        (void)str_fmt(port, sizeof port, ", port %u", copy->port);
    }
    (void)str_fmt(text, sizeof text, "pid %" PRId64 ", timeline %" PRIu32 "%s%s%s", copy->pid,
                  copy->tli, port, copy->socket_dir ? ", socket " : "",
                  copy->socket_dir ? copy->socket_dir : "");
    return state_fact(g, row, last, LIGHT_OK, "server", text);
}

static int draw_stopped(struct ui *ui, struct grid *g, int row, int last)
{
    const struct answer_copy *copy = copy_of(ui);
    enum light light;
    char text[400], mark[128];

    if (!copy) {
        return draw_waiting(ui, g, row, last, ASK_COPY, "looking at the copy");
    }
    light = phase_text[copy->phase].light;
    if (copy->reached.us || copy->reached.xid) {
        row = state_fact(g, row, last, light, "stands at",
                         mark_text(&copy->reached, ui->model.now_us, ui->cols, mark));
    }
    if (copy->sentence && copy->sentence[0]) {
        row = state_fact(g, row, last, light, "says", copy->sentence);
    }
    row = state_fact(g, row, last, answers_queries(copy) ? LIGHT_OK : LIGHT_WAIT, "target",
                     target_fact(ui, text, sizeof text));
    row = draw_server(g, row, last, copy);
    if (copy->log &&
        (copy->phase == COPY_FAILED || copy->phase == COPY_STOPPED || g->rows >= 32)) {
        row = state_fact(g, row, last, copy->phase == COPY_FAILED ? LIGHT_FAIL : LIGHT_OK,
                         "log", copy->log);
    }
    return row;
}

/* ---- tables beside production ------------------------------------------------------------------ */

/* "9 120 044": thin groups are read faster at night. */
static const char *grouped(int64_t n, bool is_estimate, bool has_sign, char out[32])
{
    char digits[24];
    struct sbuf b;
    size_t len;

    sbuf_init(&b, out, 32);
    (void)str_fmt(digits, sizeof digits, "%" PRIu64, (uint64_t)(n < 0 ? -n : n));
    len = strlen(digits);
    sbuf_fmt(&b, "%s%s", is_estimate ? "~" : "", n < 0 ? "-" : has_sign && n ? "+" : "");
    for (size_t i = 0; i < len; i++) {
        sbuf_fmt(&b, "%s%c", i && (len - i) % 3 == 0 ? " " : "", digits[i]);
    }
    return out;
}

static void draw_count(struct grid *g, int end, int row, int64_t n, bool is_estimate)
{
    char text[32];

    if (n < 0) {
        grid_right(g, 0, row, end, ROLE_UNKNOWN, "?");
    } else {
        grid_right(g, end - 18, row, end, ROLE_TEXT, grouped(n, is_estimate, false, text));
    }
}

static const char *meaning_of(const struct table_count *t)
{
    return t->copy > t->live ? "got back" : t->copy < t->live ? "new since" : "the same";
}

static int name_end(const struct grid *g)
{
    return g->cols >= 120 ? 50 : g->cols >= 78 ? 25 : 20;
}

static int count_width(const struct grid *g)
{
    return g->cols >= 120 ? 18 : g->cols >= 78 ? 15 : 13;
}

static void draw_heads(struct grid *g, int row)
{
    static const char *const head[] = {" the copy ", " production ", " difference "};

    for (int i = 0; i < 3; i++) {
        grid_right(g, 0, row, name_end(g) + (i + 1) * count_width(g), ROLE_DIM, head[i]);
    }
}

static void draw_table(const struct ui *ui, struct grid *g, int row, size_t i)
{
    const struct table_count *t = &wizard_answer(ui, ASK_COMPARE)->compare.table[i];
    int name = name_end(g), step = count_width(g);
    bool is_estimate = t->copy_is_estimate || t->live_is_estimate;
    char text[32];

    grid_text(g, 3, row, name, ROLE_TEXT, t->name);
    draw_count(g, name + step - 1, row, t->copy, t->copy_is_estimate);
    draw_count(g, name + 2 * step - 1, row, t->live, t->live_is_estimate);
    if (t->copy >= 0 && t->live >= 0) {
        enum role role = t->copy > t->live ? ROLE_OK : ROLE_TEXT;

        grid_right(g, 0, row, name + 3 * step - 1, role,
                   grouped(t->copy - t->live, is_estimate, true, text));
        grid_text(g, name + 3 * step, row, g->cols - 1, ROLE_DIM, meaning_of(t));
    } else {
        (void)draw_wrapped(g, name + 2 * step, row, g->cols - 1, row, ROLE_WARN,
                           t->why ? t->why : "not known");
    }
    if (i == ui->wizard.row) {
        grid_text(g, 1, row, g->cols, ROLE_ACCENT, ">");
        grid_role(g, 1, row, name, ROLE_SELECTED);
    }
}

static int draw_tables(struct ui *ui, struct grid *g, int row, int last, size_t n)
{
    size_t height = last >= row ? (size_t)(last - row + 1) : 0;
    size_t first = ui->wizard.row >= height && height ? ui->wizard.row - height + 1 : 0;

    for (size_t i = first; i < n && row <= last; i++) {
        draw_table(ui, g, row++, i);
    }
    if (n == 0 && row <= last) {
        grid_text(g, 3, row++, g->cols, ROLE_DIM, "no table yet: Space types the name of one");
    }
    return row;
}

static int draw_compare(struct ui *ui, struct grid *g, int row, int last)
{
    const struct answer *a = wizard_answer(ui, ASK_COMPARE);
    char title[160];

    if (row + 1 > last) {
        return row;
    }
    (void)str_fmt(title, sizeof title, "COMPARE%s%s", a && a->compare.database ? " " : "",
                  a && a->compare.database ? a->compare.database : "");
    frame_title(g, 0, row, g->cols, false, title, "");
    draw_heads(g, row++);
    if (!answers_queries(copy_of(ui))) {
        grid_text(g, 3, row++, g->cols, ROLE_DIM, "when the copy answers queries");
        return row;
    }
    row = draw_waiting(ui, g, row, last, ASK_COMPARE, "counting rows on both sides");
    if (!a) {
        return row;
    }
    if (a->compare.live_why) {
        row = draw_fact(g, row, last, ROLE_WARN, "   WARN", a->compare.live_why);
    }
    return draw_tables(ui, g, row, last, a->compare.tables);
}

/* ---- what next -------------------------------------------------------------------------------- */

static const struct {
    enum act act;
    const char *key, *text, *note;
} next_table[] = {
    {ACT_PSQL, "o", "psql into the copy", "look, and take rows back with COPY or pg_dump"},
    {ACT_PROMOTE, "P", "promote", "becomes writable on a new timeline; asks"},
    {ACT_GO_BACK, "B", "another target", "a new copy from step 1; this one stays"},
    {ACT_DETACH, "d", "keep it and leave", "it goes on running; r comes back to it"},
    {ACT_DELETE, "D", "drop this copy", "asks for its name"},
};
#define NEXTS ((int)(sizeof next_table / sizeof next_table[0]))

static const char *next_note(const struct ui *ui, int i)
{
    const struct answer_copy *copy = copy_of(ui);
    bool runs = copy && copy->pid;

    return next_table[i].act == ACT_DETACH && !runs ? "its files stay; r comes back to it"
                                                    : next_table[i].note;
}

static void draw_next(struct ui *ui, struct grid *g, int row, int last)
{
    if (row > last) {
        return;
    }
    frame_title(g, 0, row++, g->cols, false, "WHAT NEXT", "");
    for (int i = 0; i < NEXTS && row <= last; i++, row++) {
        const char *off = key_off(ui, next_table[i].act);

        grid_text(g, 3, row, g->cols, off ? ROLE_DIM : ROLE_ACCENT, next_table[i].key);
        grid_text(g, 6, row, 30, off ? ROLE_DIM : ROLE_TEXT, next_table[i].text);
        (void)draw_wrapped(g, 30, row, g->cols - 1, row, ROLE_DIM,
                           off ? off : next_note(ui, i));
    }
}

/* ---- files only, in place --------------------------------------------------------------------- */

static void draw_files(struct ui *ui, struct grid *g, int last)
{
    bool in_place = ui->wizard.words.where == WHERE_IN_PLACE;
    int air = g->rows >= 20 ? 1 : 0;
    char text[ASK_PATH_CAP * 2], goal[400];
    int row = 3 + air;

    frame_title(g, 0, 2, g->cols, true, "5 HOW TO GO ON", "nothing was started");
    row = draw_fact(g, row, last, ROLE_TEXT, "files", ui->wizard.words.destination);
    row =
        draw_fact(g, row, last, ROLE_TEXT, "target", target_fact(ui, goal, sizeof goal)) + air;
    row = draw_fact(g, row, last, ROLE_ACCENT, "start it",
                    in_place ? "as you always start this server" : start_command(ui, text));
    row = draw_fact(
        g, row, last, ROLE_DIM, "",
        in_place && !air
            ? ""
            : "as the user that owns the files. It replays WAL to the target by itself; "
              "recovery.signal and the recovery settings are in place.");
    if (!in_place) {
        row =
            draw_fact(g, row, last, ROLE_WARN, "before",
                      "look at archive_command and port in its settings: beside production it "
                      "must neither archive nor listen where production does.");
    }
    row = draw_fact(g, row + air, last, ROLE_TEXT, "then",
                    "look at the data; SELECT pg_wal_replay_resume() ends a pause and opens it "
                    "for writing.");
    if (in_place) {
        row = draw_fact(g, row, last, ROLE_TEXT, "old data",
                        "stands beside it, renamed *.before-TIME: remove it when all is well.");
        (void)str_fmt(
            text, sizeof text,
            "is in no backup: where WAL comes through one, receive-wal --create-slot %s "
            "makes it again.",
            ui->wizard.words.server);
        row = draw_fact(g, row, last, ROLE_TEXT, "slot", text);
        (void)draw_fact(g, row, last, ROLE_TEXT, "backup",
                        "take a new base backup soon: it is on a new timeline.");
    }
}

/* Why a count is not there: whole, in the row above the keys. */
static const char *why_of_selected(const struct ui *ui)
{
    const struct answer *a = wizard_answer(ui, ASK_COMPARE);
    size_t row = ui->wizard.row;

    return a && row < a->compare.tables && a->compare.table[row].why ? a->compare.table[row].why
                                                                     : "";
}

void check_draw(struct ui *ui, struct grid *g)
{
    const struct answer_copy *copy = copy_of(ui);
    bool is_short = g->rows < 20;
    int row, last = g->rows - 3, nexts = is_short ? 2 : NEXTS + 1;
    const char *title = "", *meaning = why_of_selected(ui);
    char goal[200], sentence[300];

    if (ui->wizard.words.where != WHERE_COPY) {
        wizard_top(ui, g, LIGHT_OK, "RESTORED  the files stand; the server is yours to start");
        draw_files(ui, g, last);
        frame_bottom(ui, g, "y copies the command; Esc leaves.");
        return;
    }
    if (copy) {
        title = phase_text[copy->phase].title;
        goal_text(&ui->wizard.words.goal, goal, sizeof goal);
        (void)str_fmt(sentence, sizeof sentence, "%s%s", phase_text[copy->phase].word,
                      copy->phase == COPY_PAUSED || copy->phase == COPY_REPLAYING ? goal : "");
        wizard_top(ui, g, phase_text[copy->phase].light, sentence);
    } else {
        wizard_top(ui, g, LIGHT_UNKNOWN, "LOOKING  at the copy");
    }
    frame_title(g, 0, 2, g->cols, true,
                is_short ? "5 CHECK" : "5 IS THIS THE DATABASE YOU WANTED?", title);
    row = draw_stopped(ui, g, 3, is_short ? 6 : last - nexts);
    row = draw_compare(ui, g, row + (g->rows >= 32), last - nexts - (g->rows >= 32));
    draw_next(ui, g, is_short ? last - nexts + 1 : row + (g->rows >= 32), last);
    frame_bottom(ui, g,
                 meaning[0] ? meaning
                            : "~ is an estimate. Space adds a table, -NAME takes it out.");
}
