/* SPDX-License-Identifier: PostgreSQL */
/* table.h - columns of a pane: which of them fit, where they stand, their heads.
 *
 * One column takes what the others leave; columns appear from a width of the pane on.
 */
#ifndef UI_TABLE_H
#define UI_TABLE_H

#include "ui/ui.h"

#define COLUMNS_MAX 12
#define ROW_TEXT    3 /* first column of text in a row: "▌ ", ">" stand before it */

struct column {
    const char *title;
    int width; /* least width of the one that takes the rest */
    int from;  /* shown when the pane is so wide */
    bool is_right;
    bool takes_rest;
    int most; /* of the one that takes the rest; 0: any */
};

struct box { /* a pane's place: columns col..end, rows row..last, both ends with their names */
    int col, row, end, last; /* end: one behind; last: the last row */
    bool has_focus;
};

struct columns {
    const struct column *column;
    size_t n;
    int at[COLUMNS_MAX], end[COLUMNS_MAX]; /* at < 0: not shown */
};

void columns_place(struct columns *c, const struct column *column, size_t n,
                   const struct box *box);
/* The heads; the column that is sorted by bears an arrow. sort < 0: none. */
void columns_head(const struct columns *c, struct grid *g, int row, int sort, bool reversed);
void columns_text(const struct columns *c, struct grid *g, size_t i, int row, enum role role,
                  const char *text);
/* Over the columns first .. last, as one. */
void columns_over(const struct columns *c, struct grid *g, size_t first, size_t last, int row,
                  enum role role, const char *text);

/* The row of the cursor: a mark, and its colour when the pane has the focus. What tells of a
 * state keeps its own. */
void row_cursor(struct grid *g, const struct box *box, int row);
/* Between the parts of a title: " · ", or ", " in ascii. */
const char *title_gap(const struct grid *g);
/* "3 of 8 ↓" for the title when not all rows are seen, else "8". */
const char *rows_seen(const struct grid *g, const struct list *list, size_t height, char *out,
                      size_t cap);

#endif
