/* SPDX-License-Identifier: PostgreSQL */
/* view_overview_servers.c - the servers: worst first, and nothing jumps under the cursor. */
#include "base/clock.h"
#include "ui/list.h"
#include "ui/view_overview_in.h"
#include "ui/words.h"

#include <stdlib.h>
#include <string.h>

#define QUIET_NS (3 * NS_PER_S)

enum {
    COL_STATE,
    COL_NAME,
    COL_BACKUP,
    COL_UNTIL,
    COL_BEHIND,
    COL_RATE, /* up to here one can sort by them */
    COL_ROLE,
    COL_VERSION,
    COL_FROM,
    COL_DAY,
    COLS,
};

/* In the order they stand; the numbers above are what a list remembers. */
static const int place[COLS] = {COL_STATE, COL_NAME,  COL_ROLE,   COL_VERSION, COL_BACKUP,
                                COL_FROM,  COL_UNTIL, COL_BEHIND, COL_RATE,    COL_DAY};
static const struct column column[COLS] = {
    {"STATE", 5, 0, false, false, 0},        {"NAME", 12, 0, false, true, 32},
    {"ROLE", 7, 76, false, false, 0},        {"PG", 5, 100, false, false, 0},
    {"LAST BACKUP", 17, 0, false, false, 0}, {"RESTORABLE FROM", 15, 120, false, false, 0},
    {"TO", 15, 0, false, false, 0},          {"BEHIND", 7, 72, true, false, 0},
    {"WAL/min", 8, 100, true, false, 0},     {"24 h", 14, 132, false, false, 0},
};

static int place_of(int sort)
{
    for (int i = 0; i < COLS; i++) {
        if (place[i] == sort) {
            return i;
        }
    }
    return 0;
}

/* ---- the order -------------------------------------------------------------------------- */

struct sort_row {
    int64_t key; /* small ones first */
    const char *name;
    uint32_t index;
};

static int64_t sort_key(const struct ui *ui, const struct snapshot *s, int sort)
{
    const struct backup_row *good = s ? snapshot_good_backup(s) : NULL;
    const struct stretch *stretch = s ? snapshot_newest_stretch(s) : NULL;
    uint64_t rate = 0;
    int64_t behind = INT64_MAX - 1;

    switch (sort) {
    case COL_STATE:
        return s ? (int64_t)s->light : (int64_t)LIGHT_WAIT;
    case COL_BACKUP: /* the oldest first */
        return good ? good->end.us : 0;
    case COL_UNTIL:
        return stretch ? stretch->to.us : 0;
    case COL_BEHIND: /* the farthest first, unknown before all */
        return s && snapshot_behind(s, ui->model.now_us, &behind) ? -behind : INT64_MIN;
    case COL_RATE:
        return s && snapshot_rate(s, &rate) ? -(int64_t)rate : 1;
    default:
        return 0;
    }
}

static int compare(const void *a, const void *b)
{
    const struct sort_row *x = a, *y = b;

    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return strcmp(x->name, y->name);
}

/* Anew when something changed and nobody is at the keys, or when another order is wanted. */
static void keep_order(struct ui *ui)
{
    const struct list *list = &ui->list[PANE_SERVERS];
    bool wanted = ui->order_sort != list->sort || ui->order_is_reversed != list->is_reversed;
    bool quiet = ui->key_ns == 0 || ui->model.now_ns - ui->key_ns >= QUIET_NS;
    size_t n = ui->model.servers;
    struct sort_row *row;

    if (!wanted && !(ui->order_is_old && quiet)) {
        return;
    }
    row = ui_rows(ui, n, sizeof *row);
    if (!row) {
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        row[i] = (struct sort_row){sort_key(ui, ui->model.server[i], list->sort),
                                   ui->model.name[i], i};
    }
    qsort(row, n, sizeof *row, compare);
    for (size_t i = 0; i < n; i++) {
        ui->server_order[i] = row[list->is_reversed ? n - 1 - i : i].index;
    }
    ui->order_is_old = false;
    ui->order_sort = list->sort;
    ui->order_is_reversed = list->is_reversed;
}

static bool fits(const struct list *list, const char *name, const struct snapshot *s)
{
    char text[400];

    if (!list->filter[0]) {
        return true;
    }
    (void)str_fmt(text, sizeof text, "%.128s %s %.60s %.128s", name,
                  s ? light_word(s->light) : "", s && s->live.address ? s->live.address : "",
                  s && s->description ? s->description : "");
    return list_fits(list, text);
}

struct rows servers_rows(struct ui *ui)
{
    struct list *list = &ui->list[PANE_SERVERS];
    size_t n = ui->model.servers;
    struct rows rows = {ui_rows(ui, n, sizeof *rows.id), ui_rows(ui, n, sizeof *rows.of), 0};

    keep_order(ui);
    list->total = n;
    for (size_t i = 0; rows.id && rows.of && i < n; i++) {
        uint32_t index = ui->server_order[i];

        if (fits(list, ui->model.name[index], ui->model.server[index])) {
            rows.id[rows.n] = ui->model.name[index];
            rows.of[rows.n++] = ui->model.server[index];
        }
    }
    return rows;
}

/* ---- drawing ---------------------------------------------------------------------------- */

static void backup_text(const struct ui *ui, const struct snapshot *s, char out[80])
{
    const struct backup_row *b = snapshot_good_backup(s);
    char age[FMT_CAP], size[FMT_CAP];

    if (!b) {
        (void)str_copy(out, 80, s->coverage ? "none" : "");
        return;
    }
    (void)str_fmt(out, 80, "%-4.4s %5s %6s", word_type(b->type),
                  word_age(b->end.us, ui->model.now_us, age), fmt_bytes(b->size, size));
}

static void draw_until(const struct ui *ui, struct grid *g, const struct columns *c, int row,
                       const struct snapshot *s, enum role role)
{
    const struct stretch *stretch = snapshot_newest_stretch(s);
    char when[WHEN_CAP], span[FMT_CAP], text[FMT_CAP + 16];
    int64_t behind;

    if (stretch) {
        columns_text(c, g, (size_t)place_of(COL_FROM), row,
                     stretch->from.is_proven ? role : ROLE_DIM,
                     when_short(stretch->from.us, ui->model.now_us, when));
    }
    if (s->live.state == LIVE_SILENT) {
        (void)str_fmt(text, sizeof text, "no answer %s",
                      word_age(s->live.since_us, ui->model.now_us, span));
        columns_text(c, g, (size_t)place_of(COL_UNTIL), row, ROLE_UNKNOWN, text);
        columns_text(c, g, (size_t)place_of(COL_BEHIND), row, ROLE_UNKNOWN, "?");
        return;
    }
    if (!stretch) {
        columns_text(c, g, (size_t)place_of(COL_UNTIL), row, ROLE_DIM,
                     s->coverage ? "nothing" : "");
        return;
    }
    columns_text(c, g, (size_t)place_of(COL_UNTIL), row,
                 stretch->to.is_proven ? role : ROLE_DIM,
                 when_short(stretch->to.us, ui->model.now_us, when));
    if (snapshot_behind(s, ui->model.now_us, &behind)) {
        columns_text(c, g, (size_t)place_of(COL_BEHIND), row, role,
                     fmt_span(behind * 1000, span));
    } else {
        columns_text(c, g, (size_t)place_of(COL_BEHIND), row, ROLE_UNKNOWN, "?");
    }
}

static void draw_rate(struct grid *g, const struct columns *c, int row,
                      const struct snapshot *s, enum role role)
{
    size_t day = (size_t)place_of(COL_DAY);
    char size[FMT_CAP];
    uint64_t rate;

    if (snapshot_rate(s, &rate)) {
        columns_text(c, g, (size_t)place_of(COL_RATE), row, role, fmt_bytes(rate, size));
    }
    if (c->at[day] >= 0 && s->coverage) {
        grid_spark(g, c->at[day], row, c->end[day], s->coverage->day.bytes, s->coverage->day.n);
    }
}

static void draw_row(const struct ui *ui, struct grid *g, const struct columns *c, int row,
                     const char *name, const struct snapshot *s)
{
    enum light light = s ? s->light : LIGHT_WAIT;
    bool old = s && (s->is_saved || s->live.state == LIVE_SILENT);
    enum role role = old || !s ? ROLE_DIM : ROLE_TEXT;
    char text[80];

    light = s && s->is_saved ? LIGHT_UNKNOWN : light;
    columns_text(c, g, (size_t)place_of(COL_STATE), row, light_role(light), light_word(light));
    columns_text(c, g, (size_t)place_of(COL_NAME), row, role, name);
    if (!s) {
        return;
    }
    if (s->live.version_text) {
        columns_text(c, g, (size_t)place_of(COL_ROLE), row, role,
                     s->live.in_recovery ? "standby" : "primary");
        columns_text(c, g, (size_t)place_of(COL_VERSION), row, role, s->live.version_text);
    }
    backup_text(ui, s, text);
    columns_text(c, g, (size_t)place_of(COL_BACKUP), row, role, text);
    draw_until(ui, g, c, row, s, role);
    draw_rate(g, c, row, s, role);
}

static void title_right(const struct ui *ui, const struct grid *g, size_t height, char *out,
                        size_t cap)
{
    const struct list *list = &ui->list[PANE_SERVERS];
    const char *dot = title_gap(g);
    size_t count[LIGHT_OK + 1] = {0};
    char seen[FILTER_CAP + 80];
    struct sbuf b;

    for (size_t i = 0; i < ui->model.servers; i++) {
        const struct snapshot *s = ui->model.server[i];

        count[!s ? LIGHT_WAIT : s->is_saved ? LIGHT_UNKNOWN : s->light]++;
    }
    sbuf_init(&b, out, cap);
    sbuf_add(&b, rows_seen(g, list, height, seen, sizeof seen));
    for (int light = LIGHT_FAIL; light <= LIGHT_WARN; light++) {
        if (count[light]) {
            sbuf_fmt(&b, "%s%zu %s", dot, count[light], light_word((enum light)light));
        }
    }
}

void servers_draw(struct ui *ui, struct grid *g, const struct box *box)
{
    struct list *list = &ui->list[PANE_SERVERS];
    struct rows rows = servers_rows(ui);
    size_t height = box->last - box->row > 2 ? (size_t)(box->last - box->row - 1) : 1;
    struct columns columns;
    char right[FILTER_CAP + 160];

    if (ui->server[0]) {
        (void)str_copy(list->at, sizeof list->at, ui->server);
    }
    list_place(list, rows.id, rows.n, height);
    list->height = height;
    columns_place(&columns, column, COLS, box);
    title_right(ui, g, height, right, sizeof right);
    frame_title(g, box->col, box->row, box->end, box->has_focus, "1 SERVERS", right);
    columns_head(&columns, g, box->row + 1, place_of(list->sort), list->is_reversed);
    for (size_t i = list->top; i < rows.n && i < list->top + height; i++) {
        int row = box->row + 2 + (int)(i - list->top);

        draw_row(ui, g, &columns, row, rows.id[i], rows.of[i]);
        if (strcmp(rows.id[i], ui->server) == 0) {
            row_cursor(g, box, row);
        }
    }
    if (rows.n == 0) {
        grid_text(g, box->col + ROW_TEXT, box->row + 2, box->end, ROLE_DIM,
                  list->total ? "no server fits the filter; Esc clears it"
                              : "no server is configured");
    }
}
