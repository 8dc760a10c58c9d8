/* SPDX-License-Identifier: PostgreSQL */
/* view_overview_backups.c - the backups of the selected server, newest first. */
#include "base/clock.h"
#include "ui/list.h"
#include "ui/view_overview_in.h"
#include "ui/words.h"

#include <stdlib.h>
#include <string.h>

enum {
    COL_STATE,
    COL_ID,
    COL_TYPE,
    COL_ENDED,
    COL_TOOK,
    COL_SIZE,
    COL_WAL,
    COL_RETENTION,
    COL_NAME,
    COLS,
};

static const struct column column[COLS] = {
    {"STATE", 5, 0, false, false, 0}, {"ID", 15, 0, false, false, 0},
    {"TYPE", 5, 76, false, false, 0}, {"ENDED", 14, 0, false, false, 0},
    {"TOOK", 7, 90, true, false, 0},  {"SIZE", 6, 0, true, false, 0},
    {"WAL", 6, 100, true, false, 0},  {"RETENTION", 9, 74, false, false, 0},
    {"NAME", 4, 72, false, true, 0},
};

/* What can be sorted by, in the order of `s`; 0 is the order of the snapshot: newest first. */
static const int sorts[] = {COL_ENDED, COL_STATE, COL_TYPE, COL_TOOK, COL_SIZE};

static int64_t sort_key(const struct backup_row *b, int by)
{
    switch (by) {
    case COL_STATE:
        return light_backup(b);
    case COL_TYPE:
        return b->type;
    case COL_TOOK:
        return -(int64_t)(b->took_s * 1e6);
    case COL_SIZE:
        return -(int64_t)(b->size / 1024);
    default:
        return 0;
    }
}

struct sort_row {
    int64_t key;
    const struct backup_row *backup;
};

static int compare(const void *a, const void *b)
{
    const struct sort_row *x = a, *y = b;

    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return strcmp(y->backup->id, x->backup->id);
}

static bool fits(const struct list *list, const struct backup_row *b)
{
    char text[300];

    if (!list->filter[0]) {
        return true;
    }
    (void)str_fmt(text, sizeof text, "%s %s %s %.200s", b->id, word_type(b->type),
                  light_word(light_backup(b)), b->name ? b->name : "");
    return list_fits(list, text);
}

struct rows backups_rows(struct ui *ui)
{
    struct list *list = &ui->list[PANE_BACKUPS];
    const struct snapshot *s = ui_snapshot(ui);
    size_t n = s ? s->backups : 0, kept = 0;
    struct rows rows = {ui_rows(ui, n, sizeof *rows.id), ui_rows(ui, n, sizeof *rows.of), 0};
    struct sort_row *row = ui_rows(ui, n, sizeof *row);
    int by = sorts[list->sort >= 0 && list->sort < 5 ? list->sort : 0];

    list->total = n;
    if (!rows.id || !rows.of || !row) {
        return (struct rows){0};
    }
    for (size_t i = 0; i < n; i++) {
        if (fits(list, &s->backup[i])) {
            row[kept++] = (struct sort_row){sort_key(&s->backup[i], by), &s->backup[i]};
        }
    }
    qsort(row, kept, sizeof *row, compare);
    for (size_t i = 0; i < kept; i++) {
        const struct backup_row *b = row[list->is_reversed ? kept - 1 - i : i].backup;

        rows.id[i] = b->id;
        rows.of[i] = b;
    }
    rows.n = kept;
    return rows;
}

static void draw_row(const struct ui *ui, struct grid *g, const struct columns *c, int row,
                     const struct backup_row *b)
{
    static const char *const kept[] = {"", "KEEP:FULL", "KEEP:STANDALONE"};
    const char *retention = b->keep != ROW_KEEP_NONE ? kept[b->keep] : b->retention;
    enum role role = backup_is_good(b) ? ROLE_TEXT : ROLE_DIM;
    enum light light = light_backup(b);
    char text[WHEN_CAP], size[FMT_CAP];

    columns_text(c, g, COL_STATE, row, light_role(light), light_word(light));
    columns_text(c, g, COL_ID, row, role, b->id);
    columns_text(c, g, COL_TYPE, row, role, word_type(b->type));
    if (b->end.known) {
        columns_text(c, g, COL_ENDED, row, role, when_short(b->end.us, ui->model.now_us, text));
        columns_text(c, g, COL_TOOK, row, role, fmt_span((int64_t)(b->took_s * 1e9), size));
    } else {
        columns_text(c, g, COL_ENDED, row, ROLE_DIM, "-");
    }
    columns_text(c, g, COL_SIZE, row, role, b->size ? fmt_bytes(b->size, size) : "-");
    columns_text(c, g, COL_WAL, row, role, b->wal_bytes ? fmt_bytes(b->wal_bytes, size) : "-");
    if (b->error && b->error[0]) { /* no policy counts it: its reason gets that room too */
        columns_over(c, g, COL_RETENTION, COL_NAME, row, ROLE_FAIL, b->error);
    } else {
        columns_text(c, g, COL_RETENTION, row, role, retention);
        columns_text(c, g, COL_NAME, row, role, b->name);
    }
}

static void draw_title(const struct ui *ui, struct grid *g, const struct box *box,
                       size_t height)
{
    const struct snapshot *s = ui_snapshot(ui);
    const char *dot = title_gap(g);
    char left[NAME_CAP + 20], right[FILTER_CAP + 160], seen[FILTER_CAP + 80], size[FMT_CAP];
    uint64_t sum = 0;
    struct sbuf b;

    for (size_t i = 0; s && i < s->backups; i++) {
        sum += s->backup[i].size + s->backup[i].wal_bytes;
    }
    sbuf_init(&b, right, sizeof right);
    sbuf_add(&b, rows_seen(g, &ui->list[PANE_BACKUPS], height, seen, sizeof seen));
    if (sum) {
        sbuf_fmt(&b, "%s%s with WAL", dot, fmt_bytes(sum, size));
    }
    if (s && s->unread) {
        sbuf_fmt(&b, "%s%zu unreadable", dot, s->unread);
    }
    (void)str_fmt(left, sizeof left, "2 BACKUPS%s%s", ui->server[0] ? " of " : "", ui->server);
    frame_title(g, box->col, box->row, box->end, box->has_focus, left, s ? right : "");
}

static const char *nothing(const struct ui *ui, const struct list *list)
{
    const struct snapshot *s = ui_snapshot(ui);

    if (list->total) {
        return "no backup fits the filter; Esc clears it";
    }
    if (!ui->server[0]) {
        return "";
    }
    if (s && s->kept_why) {
        return s->kept_why;
    }
    return s ? "no backup yet; b takes the first one" : "being read";
}

void backups_draw(struct ui *ui, struct grid *g, const struct box *box)
{
    struct list *list = &ui->list[PANE_BACKUPS];
    struct rows rows = backups_rows(ui);
    size_t height = box->last - box->row > 2 ? (size_t)(box->last - box->row - 1) : 1;
    struct columns columns;

    list_place(list, rows.id, rows.n, height);
    list->height = height;
    columns_place(&columns, column, COLS, box);
    draw_title(ui, g, box, height);
    columns_head(&columns, g, box->row + 1, sorts[list->sort < 5 ? list->sort : 0],
                 list->is_reversed);
    for (size_t i = list->top; i < rows.n && i < list->top + height; i++) {
        int row = box->row + 2 + (int)(i - list->top);

        draw_row(ui, g, &columns, row, rows.of[i]);
        if (i == list->row) {
            row_cursor(g, box, row);
        }
    }
    if (rows.n == 0) {
        grid_text(g, box->col + ROW_TEXT, box->row + 2, box->end, ROLE_DIM, nothing(ui, list));
    }
}
