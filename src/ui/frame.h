/* SPDX-License-Identifier: PostgreSQL */
/* frame.h - what all views share: the rows that are the same everywhere, and moments in words.
 * ui.h includes it.
 */
#ifndef UI_FRAME_H
#define UI_FRAME_H

#include "ui/cell.h"

struct ui;

/* frame.c: what all views draw alike. */
void frame_top(struct ui *ui, struct grid *g, const char *where, enum light light,
               const char *sentence);                                  /* rows 0 and 1 */
void frame_bottom(struct ui *ui, struct grid *g, const char *meaning); /* the last two rows */
/* A title rule; right may be "". */
void frame_title(struct grid *g, int col, int row, int end, bool has_focus, const char *title,
                 const char *right);
/* A command line that is too wide loses the front of its configuration's path, in place of which
 * stands `more`, not its end, which says what will happen. */
const char *frame_command(const struct ui *ui, const char *text, int width, const char *more,
                          char *out, size_t cap);
void frame_small(struct ui *ui, struct grid *g); /* below 60x16: three true lines */

/* when.c: moments for people, in the local zone. "today 03:12:08", "Wed 19 02:38" */
#define WHEN_CAP 48
const char *when_short(int64_t us, int64_t now_us, char out[WHEN_CAP]);
const char *when_exact(int64_t us, int64_t now_us, char out[WHEN_CAP]); /* with seconds */
/* "today 03:02:11.479 +02", "Wed 19 Aug 2025 02:38:10 +02": never to be mistaken */
const char *when_moment(int64_t us, int64_t now_us, char out[WHEN_CAP]);
const char *when_dated(int64_t us, char out[WHEN_CAP]);  /* "Wed 19 Aug 02:38:10 +02" */
const char *when_clock(int64_t us, char out[WHEN_CAP]);  /* "03:12:45 +02" */
const char *when_time(int64_t us, char out[WHEN_CAP]);   /* "03:12:45.120" */
const char *when_full(int64_t us, char out[WHEN_CAP]);   /* "Wed 19 Aug 2026 02:38:10 +02" */
const char *when_option(int64_t us, char out[WHEN_CAP]); /* for --target-time, with offset */

#endif
