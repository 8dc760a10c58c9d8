/* SPDX-License-Identifier: PostgreSQL */
/* view.h - the views, one file each: view_overview.c ... view_check.c.
 *
 * x_draw   state -> cells; nothing else is touched but where lists were
 * x_act    what an act does there that is not common to all (act.c)
 * x_enter  on the way in: what to ask for, where the cursor begins
 */
#ifndef UI_VIEW_H
#define UI_VIEW_H

#include "ui/ui.h"

void overview_draw(struct ui *ui, struct grid *g);
unsigned overview_act(struct ui *ui, enum act act);
/* A filter that hides the selected server selects another, when it is no longer typed. */
void overview_settle(struct ui *ui);

void backup_draw(struct ui *ui, struct grid *g);
unsigned backup_act(struct ui *ui, enum act act);
void backup_enter(struct ui *ui);

void wal_draw(struct ui *ui, struct grid *g);
unsigned wal_act(struct ui *ui, enum act act);
void wal_enter(struct ui *ui);

void jobs_draw(struct ui *ui, struct grid *g);
unsigned jobs_act(struct ui *ui, enum act act);
void jobs_enter(struct ui *ui);

void when_draw(struct ui *ui, struct grid *g);
unsigned when_act(struct ui *ui, enum act act);
void when_enter(struct ui *ui);

void where_draw(struct ui *ui, struct grid *g);
unsigned where_act(struct ui *ui, enum act act);
void where_enter(struct ui *ui);

void plan_draw(struct ui *ui, struct grid *g);
unsigned plan_act(struct ui *ui, enum act act);
void plan_enter(struct ui *ui);

void run_draw(struct ui *ui, struct grid *g);
unsigned run_act(struct ui *ui, enum act act);
void run_enter(struct ui *ui);

void check_draw(struct ui *ui, struct grid *g);
unsigned check_act(struct ui *ui, enum act act);
void check_enter(struct ui *ui);

#endif
