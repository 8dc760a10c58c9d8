/* SPDX-License-Identifier: PostgreSQL */
/* view_wal_in.h - the timeline view: its axis, and what is under the cursor. */
#ifndef UI_VIEW_WAL_IN_H
#define UI_VIEW_WAL_IN_H

#include "ui/axis.h"

/* The axis as it is seen and the moment of the cursor; false: nothing is known. */
bool wal_axis(const struct ui *ui, int cols, struct axis *a, int64_t *at_us);

/* The backup that ended within the column of the cursor; NULL: none. */
const struct backup_row *wal_backup_at(const struct snapshot *s, const struct axis *a,
                                       int64_t at_us);
const struct hole *wal_hole_at(const struct coverage *c, int64_t at_us);
const struct stretch *wal_stretch_at(const struct coverage *c, int64_t at_us);

/* The nearest thing before or behind the cursor, by is_later; the cursor when there is none. */
enum wal_way { WAL_EARLIER, WAL_LATER };
int64_t wal_event(const struct snapshot *s, int64_t at_us, enum wal_way way);

void wal_under_draw(struct ui *ui, struct grid *g, const struct axis *a, int64_t at_us, int row,
                    int last);
/* The lines of timelines, one a row, newest first; how many there are. */
void wal_lines_draw(const struct axis *a, struct grid *g, int row, int rows,
                    const struct coverage *c);

#endif
