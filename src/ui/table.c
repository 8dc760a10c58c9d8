/* SPDX-License-Identifier: PostgreSQL */
#include "table.h"

#include <string.h>

#define GAP 2

void columns_place(struct columns *c, const struct column *column, size_t n,
                   const struct box *box)
{
    int wide = box->end - box->col, fixed = box->col + ROW_TEXT, at = fixed, rest;

    *c = (struct columns){.column = column, .n = n};
    for (size_t i = 0; i < n; i++) {
        fixed += column[i].from <= wide ? column[i].width + GAP : 0;
    }
    rest = box->end - fixed + GAP - 1;
    for (size_t i = 0; i < n; i++) {
        int width = column[i].width;

        c->at[i] = -1;
        if (column[i].from > wide) {
            continue;
        }
        if (column[i].takes_rest && rest > 0) {
            width += rest;
            width = column[i].most && width > column[i].most ? column[i].most : width;
        }
        c->at[i] = at;
        c->end[i] = at + width < box->end ? at + width : box->end;
        at += width + GAP;
    }
}

void columns_text(const struct columns *c, struct grid *g, size_t i, int row, enum role role,
                  const char *text)
{
    if (c->at[i] < 0 || !text) {
        return;
    }
    if (c->column[i].is_right && text_width(text) <= c->end[i] - c->at[i]) {
        grid_right(g, c->at[i], row, c->end[i], role, text);
    } else {
        grid_cut(g, c->at[i], row, c->end[i], role, text);
    }
}

void columns_over(const struct columns *c, struct grid *g, size_t first, size_t last, int row,
                  enum role role, const char *text)
{
    while (first < last && c->at[first] < 0) {
        first++;
    }
    if (c->at[last] >= 0 && text) {
        grid_cut(g, c->at[first], row, c->end[last], role, text);
    }
}

void columns_head(const struct columns *c, struct grid *g, int row, int sort, bool reversed)
{
    char text[64];

    for (size_t i = 0; i < c->n; i++) {
        bool sorts = (int)i == sort;

        (void)str_fmt(text, sizeof text, "%s%s", c->column[i].title,
                      !sorts     ? ""
                      : reversed ? symbol_text(g->symbols, SYM_UP)
                                 : symbol_text(g->symbols, SYM_DOWN));
        if (c->at[i] >= 0 && !c->column[i].is_right) { /* the arrow may stand in the gap */
            grid_text(g, c->at[i], row, c->end[i] + 1, sorts ? ROLE_ACCENT : ROLE_DIM, text);
        } else {
            columns_text(c, g, i, row, sorts ? ROLE_ACCENT : ROLE_DIM, text);
        }
    }
}

void row_cursor(struct grid *g, const struct box *box, int row)
{
    grid_text(g, box->col + 1, row, box->end, ROLE_ACCENT, ">");
    for (int col = box->col + 1; box->has_focus && col < box->end; col++) {
        const struct cell *c = grid_at(g, col, row);

        if (c && (c->role == ROLE_TEXT || c->role == ROLE_DIM || c->role == ROLE_SPARK)) {
            grid_role(g, col, row, col + 1, ROLE_SELECTED);
        }
    }
}

const char *title_gap(const struct grid *g)
{
    return g->symbols == SYMBOLS_ASCII ? ", " : " · ";
}

const char *rows_seen(const struct grid *g, const struct list *list, size_t height, char *out,
                      size_t cap)
{
    struct sbuf b;
    size_t last = list->top + height;

    sbuf_init(&b, out, cap);
    if (list->shown > height) {
        sbuf_fmt(&b, "%zu-%zu of ", list->top + 1, last < list->shown ? last : list->shown);
    }
    sbuf_fmt(&b, "%zu", list->shown);
    if (list->filter[0]) {
        sbuf_fmt(&b, " of %zu  /%s", list->total, list->filter);
    }
    if (list->shown > height) {
        sbuf_fmt(&b, " %s%s", list->top > 0 ? symbol_text(g->symbols, SYM_UP) : "",
                 last < list->shown ? symbol_text(g->symbols, SYM_DOWN) : "");
    }
    return out;
}
