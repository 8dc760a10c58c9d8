/* SPDX-License-Identifier: PostgreSQL */
/* view_where.c - step 2: beside production, in place, or files only; and where exactly.
 *
 * Rows are what can be changed: j k and Tab move, Space changes, Enter goes on to the plan. */
#include "base/fmt.h"
#include "ui/prompt.h"
#include "ui/view.h"
#include "ui/wizard.h"

#include <string.h>

enum field {
    FIELD_COPY,
    FIELD_IN_PLACE,
    FIELD_FILES,
    FIELD_DIRECTORY,
    FIELD_PORT,
    FIELD_ACTION,
    FIELD_JOBS,
    FIELD_MOVE
};

static const char *const actions[] = {"pause", "promote", "shutdown"};

/* The rows of this moment, in order; how many. */
static size_t fields_of(const struct ui *ui, size_t field[FIELD_MOVE + ASK_MOVES_MAX])
{
    const struct restore_words *r = &ui->wizard.words;
    size_t n = 0;

    field[n++] = FIELD_COPY;
    field[n++] = FIELD_IN_PLACE;
    field[n++] = FIELD_FILES;
    field[n++] = FIELD_DIRECTORY;
    if (r->where == WHERE_COPY) {
        field[n++] = FIELD_PORT;
    }
    if (r->goal.kind != GOAL_LATEST) {
        field[n++] = FIELD_ACTION;
    }
    field[n++] = FIELD_JOBS;
    for (size_t i = 0; i < r->moves; i++) {
        field[n++] = FIELD_MOVE + i;
    }
    return n;
}

static size_t field_at(const struct ui *ui, size_t *rows)
{
    size_t field[FIELD_MOVE + ASK_MOVES_MAX];

    *rows = fields_of(ui, field);
    return field[ui->wizard.row < *rows ? ui->wizard.row : *rows - 1];
}

void where_enter(struct ui *ui)
{
    ui->wizard.step = VIEW_WHERE;
    wizard_ask(ui, ASK_PLACE);
}

/* ---- changing ------------------------------------------------------------------------------- */

static unsigned choose_where(struct ui *ui, enum restore_where where)
{
    const struct answer *a = wizard_answer(ui, ASK_PLACE);
    struct wizard *w = &ui->wizard;

    if (where == WHERE_COPY && a && !a->place.binaries) {
        ui_say(ui, LIGHT_WARN, "no PostgreSQL %d here to start a copy with: files only",
               a->place.version / 10000);
        return UI_REDRAW;
    }
    if (where == WHERE_IN_PLACE && a && !a->place.live_directory) {
        ui_say(ui, LIGHT_WARN, "the data of %s is not on this host: files only, or a copy",
               w->words.server);
        return UI_REDRAW;
    }
    if (w->words.where == where) {
        return UI_REDRAW;
    }
    w->words.where = where;
    w->destination_typed = false;
    w->words.destination[0] = '\0';
    w->words.moves = 0;
    wizard_ask(ui, ASK_PLACE);
    return UI_REDRAW | UI_SAVE;
}

static unsigned next_action(struct ui *ui)
{
    char *action = ui->wizard.words.goal.action;
    size_t n = sizeof actions / sizeof actions[0], i = 0;

    while (i < n && strcmp(actions[i], action) != 0) {
        i++;
    }
    (void)str_copy(action, sizeof ui->wizard.words.goal.action, actions[(i + 1) % n]);
    return UI_REDRAW | UI_SAVE;
}

static void open_field(struct ui *ui, size_t field)
{
    const struct restore_words *r = &ui->wizard.words;
    char number[16] = "", question[200];
    const char *text = number;

    if (field == FIELD_DIRECTORY) {
        (void)str_copy(question, sizeof question, "directory: ");
        text = r->destination;
    } else if (field == FIELD_PORT) {
        (void)str_copy(question, sizeof question, "port on 127.0.0.1, empty for none: ");
        (void)(ui->wizard.words.port &&
               str_fmt(number, sizeof number, "%u", ui->wizard.words.port));
    } else if (field == FIELD_JOBS) {
        (void)str_copy(question, sizeof question, "files at once, empty as configured: ");
        (void)(r->jobs && str_fmt(number, sizeof number, "%u", r->jobs));
    } else {
        (void)str_fmt(question, sizeof question,
                      "tablespace %s: ", r->move[field - FIELD_MOVE].name);
        text = r->move[field - FIELD_MOVE].location;
    }
    prompt_open(ui, PROMPT_FIELD, text);
    ui->prompt.field = field;
    (void)str_copy(ui->prompt.question, sizeof ui->prompt.question, question);
}

static unsigned change(struct ui *ui, size_t field)
{
    switch (field) {
    case FIELD_COPY:
        return choose_where(ui, WHERE_COPY);
    case FIELD_IN_PLACE:
        return choose_where(ui, WHERE_IN_PLACE);
    case FIELD_FILES:
        return choose_where(ui, WHERE_FILES);
    case FIELD_ACTION:
        return next_action(ui);
    default:
        open_field(ui, field);
        return UI_REDRAW;
    }
}

static bool is_path(struct str text, const char **why)
{
    if (text.n == 0 || text.p[0] != '/') {
        *why = "a whole path, from /";
    } else if (text.n == 1) {
        *why = "not the root directory";
    } else if (text.n >= ASK_PATH_CAP) {
        *why = "too long";
    } else {
        *why = "";
        return true;
    }
    return false;
}

static bool take_number(struct str text, uint64_t low, uint64_t high, unsigned *out)
{
    uint64_t n = 0;

    if (text.n && (!str_u64(text, high, &n) || n < low)) {
        return false;
    }
    *out = (unsigned)n;
    return true;
}

/* A tablespace that was proposed beside the directory stays beside it. */
static void move_along(struct restore_words *r, struct str to)
{
    size_t n = strlen(r->destination);

    for (size_t i = 0; i < r->moves && n; i++) {
        char *at = r->move[i].location, rest[ASK_PATH_CAP];

        if (strncmp(at, r->destination, n) == 0 && at[n] == '.') {
            (void)str_copy(rest, sizeof rest, at + n);
            (void)str_fmt(at, ASK_PATH_CAP, "%.*s%s", (int)to.n, to.p, rest);
        }
    }
    (void)str_fmt(r->destination, sizeof r->destination, "%.*s", (int)to.n, to.p);
}

unsigned where_field(struct ui *ui, size_t field, const char *typed)
{
    struct wizard *w = &ui->wizard;
    struct str text = str_trim(str_of(typed));
    const char *why = "";

    if (field == FIELD_PORT) {
        why = take_number(text, 1024, 65535, &w->words.port) ? "" : "a port from 1024 to 65535";
    } else if (field == FIELD_JOBS) {
        why = take_number(text, 1, 64, &w->words.jobs) ? "" : "a number from 1 to 64";
    } else if (is_path(text, &why)) {
        while (text.n > 1 && text.p[text.n - 1] == '/') {
            text.n--;
        }
        if (field == FIELD_DIRECTORY) {
            move_along(&w->words, text);
        } else {
            (void)str_fmt(w->words.move[field - FIELD_MOVE].location, ASK_PATH_CAP, "%.*s",
                          (int)text.n, text.p);
        }
        w->destination_typed = true;
    }
    (void)str_copy(ui->prompt.told, sizeof ui->prompt.told, why);
    if (why[0]) {
        return UI_REDRAW;
    }
    ui->prompt.kind = PROMPT_NONE;
    if (ui->view == VIEW_RUN) { /* where_ask_port() */
        wizard_start_copy(ui);
    }
    return UI_REDRAW | UI_SAVE;
}

void where_ask_port(struct ui *ui)
{
    open_field(ui, FIELD_PORT);
}

static unsigned go_on(struct ui *ui)
{
    if (!ui->wizard.words.destination[0]) {
        ui_say(ui, LIGHT_WARN, "where to is not known yet: Space on 'directory' types it");
        return UI_REDRAW;
    }
    wizard_step(ui, VIEW_PLAN);
    return UI_REDRAW;
}

unsigned where_act(struct ui *ui, enum act act)
{
    size_t rows, field = field_at(ui, &rows);
    struct wizard *w = &ui->wizard;

    w->row = w->row < rows ? w->row : rows - 1;
    switch (act) {
    case ACT_UP:
    case ACT_PREV_PANE:
        w->row = w->row ? w->row - 1 : act == ACT_UP ? 0 : rows - 1;
        return UI_REDRAW;
    case ACT_DOWN:
    case ACT_NEXT_PANE:
        w->row = w->row + 1 < rows ? w->row + 1 : act == ACT_DOWN ? w->row : 0;
        return UI_REDRAW;
    case ACT_FIRST:
    case ACT_LAST:
        w->row = act == ACT_FIRST ? 0 : rows - 1;
        return UI_REDRAW;
    case ACT_CHOOSE:
        return change(ui, field);
    case ACT_OPEN:
        return go_on(ui);
    case ACT_COPY:
        ui_copy(ui, w->words.destination);
        return UI_REDRAW;
    case ACT_BACK:
        return ui_back(ui);
    default:
        return UI_NOTHING;
    }
}

/* ---- drawing -------------------------------------------------------------------------------- */

static void draw_radio(const struct ui *ui, struct grid *g, int row, enum restore_where where)
{
    static const char *const name[] = {"new copy", "in place", "files only"};
    static const char *const what[] = {
        "beside production, kept harmless",
        "REPLACES its data; needs the name",
        "you start them yourself",
    };
    bool is_chosen = ui->wizard.words.where == where;

    grid_fmt(g, 3, row, g->cols, is_chosen ? ROLE_ACCENT : ROLE_TEXT, "(%s) %s",
             is_chosen ? "*" : " ", name[where]);
    grid_text(g, 19, row, g->cols, ROLE_DIM, what[where]);
}

static void draw_label(struct grid *g, int row, const char *label, const char *value,
                       const char *note)
{
    int col;

    grid_text(g, 3, row, 18, ROLE_DIM, label);
    col = grid_fmt(g, 19, row, g->cols, ROLE_TEXT, "[ %s ]", value);
    if (col + 3 + text_width(note) < g->cols) {
        grid_text(g, col + 3, row, g->cols, ROLE_DIM, note);
    }
}

static void draw_directory(const struct ui *ui, struct grid *g, int row)
{
    const char *path = ui->wizard.words.destination;
    char tail[128];

    path_tail(path, g->cols - 26, symbol_text(g->symbols, SYM_MORE), tail);
    draw_label(g, row, "directory",
               path[0]                        ? tail
               : ui->model.waiting[ASK_PLACE] ? "..."
                                              : "",
               "");
}

static void draw_action(const struct ui *ui, struct grid *g, int row)
{
    int col = 19;

    grid_text(g, 3, row, g->cols, ROLE_DIM, "at the target");
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        bool is_chosen = strcmp(ui->wizard.words.goal.action, actions[i]) == 0;

        col = grid_fmt(g, col, row, g->cols, is_chosen ? ROLE_ACCENT : ROLE_TEXT, "(%s) %s  ",
                       is_chosen ? "*" : " ", actions[i]);
    }
}

static void draw_field(const struct ui *ui, struct grid *g, int row, size_t field)
{
    const struct restore_words *r = &ui->wizard.words;
    char text[160], tail[128], label[16];

    switch (field) {
    case FIELD_COPY:
    case FIELD_IN_PLACE:
    case FIELD_FILES:
        draw_radio(ui, g, row, (enum restore_where)field);
        break;
    case FIELD_DIRECTORY:
        draw_directory(ui, g, row);
        break;
    case FIELD_PORT:
        (void)str_fmt(text, sizeof text, "%u", ui->wizard.words.port);
        draw_label(g, row, "port", ui->wizard.words.port ? text : "none",
                   ui->wizard.words.port ? "on 127.0.0.1, beside its private socket"
                                         : "a private socket only");
        break;
    case FIELD_ACTION:
        draw_action(ui, g, row);
        break;
    case FIELD_JOBS:
        (void)str_fmt(text, sizeof text, "%u", r->jobs);
        draw_label(g, row, "files at once", r->jobs ? text : "as configured", "");
        break;
    default:
        path_tail(r->move[field - FIELD_MOVE].location, g->cols - 26,
                  symbol_text(g->symbols, SYM_MORE), tail);
        (void)str_fmt(label, sizeof label, "%.15s", r->move[field - FIELD_MOVE].name);
        draw_label(g, row, label, tail, "tablespace");
    }
}

static int draw_rows(struct ui *ui, struct grid *g, int row, int last)
{
    size_t field[FIELD_MOVE + ASK_MOVES_MAX], n = fields_of(ui, field);
    size_t height = (size_t)(last - row + 1), first;
    struct wizard *w = &ui->wizard;

    w->row = w->row < n ? w->row : n - 1;
    first = w->row >= height ? w->row - height + 1 : 0;
    for (size_t i = first; i < n && row <= last; i++) {
        if (field[i] == FIELD_DIRECTORY && first == 0 && g->rows >= 20) {
            row++;
        }
        draw_field(ui, g, row, field[i]);
        if (i == w->row) {
            grid_text(g, 1, row, g->cols, ROLE_ACCENT, ">");
            grid_role(g, 1, row, g->cols, ROLE_SELECTED);
        }
        row++;
    }
    return row;
}

static const char *const harmless[][2] = {
    {"archiving", "off: it cannot write into the archive of production"},
    {"network", "none but its private socket (and 127.0.0.1 with a port)"},
    {"libraries", "none preloaded; no workers, no subscriptions, no standby connection"},
    {"name", "its cluster_name says that it is a restored copy"},
};

static const char *const in_place[][2] = {
    {"downtime", "production stays stopped until the restore has ended and it is started"},
    {"old data", "stays beside it, renamed *.before-TIME: room for both is needed"},
    {"way back", "by hand: stop, and give the old directory its name back"},
    {"instead", "a new copy shows the same data without touching production"},
};

static const char *const files_only[][2] = {
    {"recovery", "its settings are written: the target is reached when you start it"},
    {"start it", "with a server of the same major version, as a user that owns the files"},
    {"beware",
     "archive_command becomes 'false'; an archive_library stays as production had it"},
};

/* What was found is about the proposed directory; a typed one is looked at by the plan. */
static bool is_room_known(const struct ui *ui, const struct answer *a)
{
    const struct restore_words *words = &ui->wizard.words;
    const char *looked_at = !a                               ? NULL
                            : words->where == WHERE_IN_PLACE ? a->place.live_directory
                                                             : a->place.destination;

    return looked_at && a->place.have && strcmp(looked_at, words->destination) == 0;
}

static void draw_consequence(struct ui *ui, struct grid *g, int row, int last)
{
    static const struct {
        const char *title;
        const char *const (*line)[2];
        int lines;
    } about[] = {
        [WHERE_COPY] = {"THE COPY IS KEPT HARMLESS", harmless, 4},
        [WHERE_IN_PLACE] = {"IN PLACE: WHAT IT MEANS", in_place, 4},
        [WHERE_FILES] = {"FILES ONLY: WHAT IT MEANS", files_only, 3},
    };
    const struct answer *a = wizard_answer(ui, ASK_PLACE);
    enum restore_where where = ui->wizard.words.where;

    if (row > last) {
        return;
    }
    frame_title(g, 0, row++, g->cols, false, about[where].title, "");
    row = draw_waiting(ui, g, row, last, ASK_PLACE, "looking for room");
    if (a && a->place.sentence && a->place.sentence[0]) {
        row = draw_fact(g, row, last, ROLE_WARN, "WARN", a->place.sentence);
        row = draw_fact(g, row, last, ROLE_DIM, "", a->place.hint ? a->place.hint : "");
    }
    if (is_room_known(ui, a) && a->place.need > a->place.have) {
        row = draw_fact(g, row, last, ROLE_FAIL, "FAIL",
                        "there is not room enough: choose a directory on a larger file system");
    }
    if (a && !a->place.binaries) {
        char text[160];

        (void)str_fmt(
            text, sizeof text,
            "no PostgreSQL %d on this host: a copy cannot be started here. Install it, "
            "or set BARKEEP_PG_BIN.",
            a->place.version / 10000);
        row = draw_fact(g, row, last, ROLE_WARN, "WARN", text);
    }
    for (int i = 0; i < about[where].lines; i++) {
        row = draw_fact(g, row, last, ROLE_TEXT, about[where].line[i][0],
                        about[where].line[i][1]);
    }
}

void where_draw(struct ui *ui, struct grid *g)
{
    char sentence[200] = "STOP  ", right[128] = "nothing is written before step 4";
    const struct answer *a = wizard_answer(ui, ASK_PLACE);
    char need[FMT_CAP], have[FMT_CAP];
    int row, bottom = g->rows >= 20 ? 6 : 4;

    goal_text(&ui->wizard.words.goal, sentence + 6, sizeof sentence - 6);
    if (is_room_known(ui, a)) {
        (void)str_fmt(right, sizeof right, "about %s needed, %s free there",
                      fmt_bytes(a->place.need, need), fmt_bytes(a->place.have, have));
    } else if (a && a->place.need && ui->wizard.destination_typed) {
        (void)str_fmt(right, sizeof right, "about %s needed; the plan looks at the room there",
                      fmt_bytes(a->place.need, need));
    }
    wizard_top(ui, g, LIGHT_RUN, sentence);
    frame_title(g, 0, 2, g->cols, true, "2 WHERE", right);
    row = draw_rows(ui, g, 3, g->rows - 3 - bottom);
    draw_consequence(ui, g, row + (g->rows >= 20), g->rows - 3);
    frame_bottom(ui, g, "Space changes the line; Enter goes on: a dry run.");
}
