/* SPDX-License-Identifier: PostgreSQL */
/* help.c - every key that can mean something in this view, from the key table: searchable, Enter
 * runs the line, and what is off now is listed with the reason. */
#include "ui/act.h"
#include "ui/list.h"
#include "ui/prompt.h"

#include <string.h>

#define HELP_ROWS 96

/* What one came for first; how to move is known to most. */
static const enum key_group group_order[] = {GROUP_WIZARD, GROUP_ACT, GROUP_FIND, GROUP_TELL,
                                             GROUP_MOVE};
#define GROUPS (sizeof group_order / sizeof group_order[0])

struct rows {
    const struct key_entry *entry[HELP_ROWS];
    size_t n;
};

static void keys_of(const struct ui *ui, const struct key_entry *e, char out[64])
{
    struct sbuf b;
    char name[16];

    sbuf_init(&b, out, 64);
    for (size_t i = 0; i < 4 && ui->keys.key[e->act][i]; i++) {
        if (ui->keys.key[e->act][i] != '\r') {
            sbuf_fmt(&b, "%s%s", i ? "  " : "", key_text(ui->keys.key[e->act][i], name));
        }
    }
}

static void collect(const struct ui *ui, struct rows *rows)
{
    struct list search = {0};
    char keys[64], text[256];

    rows->n = 0;
    (void)str_copy(search.filter, sizeof search.filter, ui->help_filter);
    for (size_t k = 0; k < GROUPS * key_count && rows->n < HELP_ROWS; k++) {
        const struct key_entry *e = &key_table[k % key_count];

        if (e->group != group_order[k / key_count]) {
            continue;
        }
        keys_of(ui, e, keys);
        (void)str_fmt(text, sizeof text, "%s %s %s %s", keys, e->label, e->help,
                      e->command ? e->command : "");
        if (e->views & IN(ui->view) && list_fits(&search, text)) {
            rows->entry[rows->n++] = e;
        }
    }
}

static unsigned run_row(struct ui *ui, const struct key_entry *e)
{
    const char *off = key_off(ui, e->act);

    ui->has_help = false;
    if (off) {
        ui_say(ui, LIGHT_WAIT, "%s: %s", e->label, off);
        return UI_REDRAW;
    }
    return UI_REDRAW | act_run(ui, e->act);
}

unsigned help_key(struct ui *ui, int key)
{
    struct rows rows;
    size_t n = strlen(ui->help_filter);

    collect(ui, &rows);
    switch (key) {
    case UI_KEY_ESC:
        ui->has_help = false;
        break;
    case UI_KEY_UP:
        ui->help_row -= ui->help_row > 0;
        break;
    case UI_KEY_DOWN:
        ui->help_row += ui->help_row + 1 < rows.n;
        break;
    case UI_KEY_PAGE_UP:
        ui->help_row = ui->help_row > 10 ? ui->help_row - 10 : 0;
        break;
    case UI_KEY_PAGE_DOWN:
        ui->help_row = ui->help_row + 10 < rows.n ? ui->help_row + 10 : rows.n - (rows.n > 0);
        break;
    case UI_KEY_ENTER:
    case '\r':
        return ui->help_row < rows.n ? run_row(ui, rows.entry[ui->help_row]) : UI_NOTHING;
    case UI_KEY_BACKSPACE:
    case 0x7f:
        ui->help_filter[n ? n - 1 : 0] = '\0';
        ui->help_row = 0;
        break;
    default:
        if (key == '?' && n == 0) {
            ui->has_help = false;
        } else if (key >= 0x20 && key < 0x7f && n + 1 < sizeof ui->help_filter &&
                   !(key == '/' && n == 0)) {
            ui->help_filter[n] = (char)key;
            ui->help_filter[n + 1] = '\0';
            ui->help_row = 0;
        }
    }
    return UI_REDRAW;
}

static void draw_row(const struct ui *ui, struct grid *g, int at[3], const struct key_entry *e)
{
    int col = at[0], row = at[1], end = at[2];
    const char *off = key_off(ui, e->act);
    char keys[64];

    keys_of(ui, e, keys);
    grid_text(g, col, row, col + 16, ROLE_ACCENT, keys);
    if (off) {
        col = grid_text(g, col + 17, row, end, ROLE_DIM, "off: ");
        grid_cut(g, col, row, end, ROLE_DIM, off);
    } else {
        grid_cut(g, col + 17, row, end, ROLE_TEXT, e->help);
    }
}

static const char *const group_title[] = {
    [GROUP_MOVE] = "MOVE",           [GROUP_ACT] = "ACT ON THE SELECTED LINE",
    [GROUP_FIND] = "FIND",           [GROUP_TELL] = "TELL OTHERS",
    [GROUP_WIZARD] = "THE WAY BACK",
};

static void draw_title(const struct ui *ui, struct grid *g, int row, const struct rows *rows)
{
    char title[FILTER_CAP + 16], right[80];

    (void)str_fmt(title, sizeof title, "HELP%s%s", ui->help_filter[0] ? "  /" : "",
                  ui->help_filter);
    (void)str_fmt(right, sizeof right, "%zu of %zu  %s", rows->n ? ui->help_row + 1 : 0,
                  rows->n, view_table[ui->view].name);
    frame_title(g, 0, row, g->cols, true, title, right);
}

void help_draw(struct ui *ui, struct grid *g)
{
    struct rows rows;
    int top = 2, last = g->rows - 3, height = last - top, row = top + 1;
    size_t first;
    enum key_group group = GROUP_MOVE;

    collect(ui, &rows);
    if (ui->help_row >= rows.n) {
        ui->help_row = rows.n ? rows.n - 1 : 0;
    }
    /* Titles of groups take rows too: begin early enough for the selected one to be seen. */
    first = ui->help_row + GROUPS + 1 > (size_t)height
                ? ui->help_row + GROUPS + 1 - (size_t)height
                : 0;
    for (int r = top; r <= last + 1; r++) {
        grid_fill(g, 0, r, g->cols, ROLE_TEXT, SYM_BLANK);
    }
    draw_title(ui, g, top, &rows);
    for (size_t i = first; i < rows.n && row <= last; i++) {
        const struct key_entry *e = rows.entry[i];

        if ((i == first || e->group != group) && row < last) {
            grid_text(g, 2, row++, g->cols, ROLE_TITLE, group_title[e->group]);
        }
        group = e->group;
        draw_row(ui, g, (int[]){4, row, g->cols}, e);
        if (i == ui->help_row) {
            grid_role(g, 2, row, g->cols, ROLE_SELECTED);
        }
        row++;
    }
    if (rows.n == 0) {
        grid_text(g, 4, row, g->cols, ROLE_DIM, "no key here has to do with that");
    }
    grid_text(g, 1, last + 1, g->cols, ROLE_DIM,
              ":server NAME  :open BACKUP  :jobs N  :theme NAME  :symbols ascii");
}
