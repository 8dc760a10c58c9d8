/* SPDX-License-Identifier: PostgreSQL */
/* axis.h - time from left to right: what is known of a server, drawn under one scale.
 *
 *     scale       Sat 15   Sun 16   Mon 17         days, hours or minutes, as they fit
 *     timeline    1━━━━━━━━━━2━━━━━━━━━━3━━━●
 *     backups     F     i    F     x
 *     WAL         ███████████░██████████████
 *     restorable  ═══════════╡  ╞═══════════        ? where the bounds are not proven yet
 *
 * A column stands for the time from axis_us(col) to axis_us(col + 1). Pure.
 */
#ifndef UI_AXIS_H
#define UI_AXIS_H

#include "ui/ui.h"

struct axis {
    int64_t from_us, to_us;
    int col, end; /* columns of the grid; end: one behind */
};

/* From the first thing that is known to now; false: nothing is known. */
bool axis_whole(const struct snapshot *s, int64_t now_us, int64_t *from_us, int64_t *to_us);

int axis_col(const struct axis *a, int64_t us); /* may lie outside col .. end */
int64_t axis_us(const struct axis *a, int col);
int64_t axis_step(const struct axis *a); /* of one column */

bool axis_has(const struct axis *a, int col);

void axis_scale(const struct axis *a, struct grid *g, int row);
void axis_ticks(const struct axis *a, struct grid *g, int row);
void axis_lines(const struct axis *a, struct grid *g, int row, const struct coverage *c);
void axis_backups(const struct axis *a, struct grid *g, int row, const struct snapshot *s);
void axis_wal(const struct axis *a, struct grid *g, int row, const struct coverage *c);
void axis_restorable(const struct axis *a, struct grid *g, int row, const struct coverage *c);
void axis_rate(const struct axis *a, struct grid *g, int row, const struct wal_rate *rate);

#endif
