/* SPDX-License-Identifier: PostgreSQL */
/* view_jobs_in.h - the log of the opened job: lines that stand still unless they are followed. */
#ifndef UI_VIEW_JOBS_IN_H
#define UI_VIEW_JOBS_IN_H

#include "ui/table.h"

void log_draw(struct ui *ui, struct grid *g, const struct box *box);
unsigned log_act(struct ui *ui, enum act act); /* moving, finding, copying */

#endif
