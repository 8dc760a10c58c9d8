/* SPDX-License-Identifier: PostgreSQL */
/* dialog.c - the box of level 3: the facts of this target, and its name to be typed. */
#include "ui/prompt.h"
#include "ui/wizard.h"

#include <string.h>

void dialog_open(struct ui *ui)
{
    ui->dialog.typed[0] = '\0';
    ui->dialog.is_open = true;
}

/* One character more, as UTF-8: a server may have a name from anywhere. */
static void type(struct dialog *d, uint32_t ch)
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = strlen(d->typed);
    size_t size = ch < 0x80 ? 1 : ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;

    if (n + size >= sizeof d->typed || (ch >= 0x80 && ch < 0xa0)) {
        return;
    }
    for (size_t i = size; i-- > 1; ch >>= 6) {
        d->typed[n + i] = (char)(0x80 | (ch & 0x3f));
    }
    d->typed[n] = (char)(lead[size] | ch);
    d->typed[n + size] = '\0';
}

unsigned dialog_key(struct ui *ui, int key)
{
    struct dialog *d = &ui->dialog;
    size_t n = strlen(d->typed);

    if (key == UI_KEY_ESC) {
        d->is_open = false;
        ui_say(ui, LIGHT_WAIT, "nothing was done");
    } else if (key == UI_KEY_ENTER || key == '\r') {
        if (strcmp(d->typed, d->word) == 0) {
            d->is_open = false;
            return UI_REDRAW | d->done(ui);
        }
    } else if (key == UI_KEY_BACKSPACE || key == 0x7f || key == UI_CTRL('H')) {
        do {
            n -= n > 0;
        } while (n > 0 && ((unsigned char)d->typed[n] & 0xc0) == 0x80);
        d->typed[n] = '\0';
    } else if (key == UI_CTRL('U')) {
        d->typed[0] = '\0';
    } else if (key > 0x20 && key != 0x7f && key < UI_KEY_UP) {
        type(d, (uint32_t)key);
    }
    return UI_REDRAW;
}

static void frame(struct grid *g, int col, int row, int width, int height)
{
    int end = col + width, last = row + height - 1;

    for (int r = row; r <= last; r++) {
        grid_fill(g, col, r, end, ROLE_TEXT, SYM_BLANK);
        grid_symbol(g, col, r, end, ROLE_FAIL, SYM_BAR);
        grid_symbol(g, end - 1, r, end, ROLE_FAIL, SYM_BAR);
    }
    grid_fill(g, col, row, end, ROLE_FAIL, SYM_RULE);
    grid_fill(g, col, last, end, ROLE_FAIL, SYM_RULE);
    grid_symbol(g, col, row, end, ROLE_FAIL, SYM_CORNER_TL);
    grid_symbol(g, end - 1, row, end, ROLE_FAIL, SYM_CORNER_TR);
    grid_symbol(g, col, last, end, ROLE_FAIL, SYM_CORNER_BL);
    grid_symbol(g, end - 1, last, end, ROLE_FAIL, SYM_CORNER_BR);
}

#define MARGINS 4 /* the border and a blank at each side */

int dialog_room(int cols)
{
    return (cols < 78 ? cols - 4 : 74) - MARGINS;
}

void dialog_draw(struct ui *ui, struct grid *g)
{
    struct dialog *d = &ui->dialog;
    int air = g->rows >= 20 ? 1 : 0; /* blank rows, where there is room for them */
    int height = (int)d->lines + 5 + 3 * air, width = dialog_room(g->cols) + MARGINS;
    int col = (g->cols - width) / 2, row = (g->rows - height) / 2, end = col + width - 2;
    bool fits = strncmp(d->word, d->typed, strlen(d->typed)) == 0;
    char typed[128]; /* the end of it, where it is typed */

    row = row < 2 ? 2 : row;
    for (int r = row; r < row + height;
         r++) { /* a margin: the box does not touch what it hides */
        grid_fill(g, col - 2, r, col + width + 2, ROLE_TEXT, SYM_BLANK);
    }
    frame(g, col, row, width, height);
    grid_fmt(g, col + 2, row, end, ROLE_FAIL, " %s ", d->title);
    row += 1 + air;
    for (size_t i = 0; i < d->lines; i++) {
        grid_cut(g, col + 2, row++, end, ROLE_TEXT, d->line[i]);
    }
    row += air;
    grid_cut(g, col + 2, row, end, ROLE_TITLE, d->ask);
    row += 1 + air;
    grid_text(g, col + 4, row, end, ROLE_ACCENT, "> ");
    g->cursor_col =
        grid_text(g, col + 6, row, end, fits ? ROLE_PROMPT : ROLE_FAIL,
                  path_tail(d->typed, end - col - 8, symbol_text(g->symbols, SYM_MORE), typed));
    g->cursor_row = row;
    grid_cut(g, col + 2, row + 1, end, ROLE_DIM,
             fits ? "Enter waits for the whole name.   Esc leaves."
                  : "That is not the name.   Backspace, or Esc leaves.");
}
