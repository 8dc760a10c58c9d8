/* SPDX-License-Identifier: PostgreSQL */
/* act.h - what an act does that means the same in every view; the rest goes to the view. */
#ifndef UI_ACT_H
#define UI_ACT_H

#include "ui/ui.h"

unsigned act_run(struct ui *ui, enum act act);

#endif
