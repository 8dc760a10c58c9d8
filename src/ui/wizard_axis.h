/* SPDX-License-Identifier: PostgreSQL */
/* wizard_axis.h - the axis of step 1: time from left to right, and what stands on it.
 *
 * Columns  axis_col() .. grid width - 1; a column is (to - from) / width of time.
 */
#ifndef UI_WIZARD_AXIS_H
#define UI_WIZARD_AXIS_H

#include "ui/ui.h"

#define AXIS_COL    13
#define AXIS_EVENTS 512

enum event_kind { EVENT_POINT, EVENT_BACKUP, EVENT_SWITCH, EVENT_HOLE, EVENT_END };

struct event { /* what H and L jump to, and the list shows; by time, newest first */
    enum event_kind kind;
    int64_t us;
    pg_lsn lsn;
    pg_tli tli;       /* 0: not known */
    const char *name; /* restore point, backup, segment */
    unsigned nth, of; /* of the restore points with that name: by it only the first is found */
};

struct events {
    struct event event[AXIS_EVENTS];
    size_t n;
};

void events_of(const struct ui *ui, struct events *out);
const char *event_text(const struct event *event, char out[160]);

/* At the beginning: the last hour before the newest moment, and the cursor there. */
void axis_first(struct ui *ui);
/* A look came: what reached to the end goes on to the new one; what was chosen stays. false:
 * the end is where it was. */
bool axis_follow(struct ui *ui);

/* From `row` on; the row behind it. is_short: no ticks, no WAL rate. */
int axis_draw(struct ui *ui, struct grid *g, int row, bool is_short);

/* A move of the cursor or the axis: h l H L + - 0. false: another act. */
bool axis_act(struct ui *ui, enum act act);
void axis_show(struct ui *ui, int64_t us); /* scrolls until the moment is on it */
int64_t axis_step_us(const struct ui *ui); /* of one column */

#endif
