/* SPDX-License-Identifier: PostgreSQL */
/* view_overview_in.h - the four panes of the first screen, one file each.
 *
 * A pane is drawn into a box that the overview cut out for it; zoomed, the box is the screen.
 */
#ifndef UI_VIEW_OVERVIEW_IN_H
#define UI_VIEW_OVERVIEW_IN_H

#include "ui/table.h"

/* Rows of a list in the order they are shown, filtered; in ui->frame, valid until the next
 * drawing or key. */
struct rows {
    const char **id;
    const void **of; /* struct snapshot (may be NULL), backup_row, job_row */
    size_t n;
};

struct pane_ops {
    struct rows (*rows)(struct ui *ui); /* NULL: the pane has no rows */
    void (*draw)(struct ui *ui, struct grid *g, const struct box *box);
    int columns; /* that can be sorted by; 0: none */
};
extern const struct pane_ops pane_table[PANE_COUNT];

struct rows servers_rows(struct ui *ui);
void servers_draw(struct ui *ui, struct grid *g, const struct box *box);

struct rows backups_rows(struct ui *ui);
void backups_draw(struct ui *ui, struct grid *g, const struct box *box);

void wal_pane_draw(struct ui *ui, struct grid *g, const struct box *box);

/* Also the upper half of the jobs view. */
struct rows jobs_rows(struct ui *ui);
void jobs_list_draw(struct ui *ui, struct grid *g, const struct box *box);

#endif
