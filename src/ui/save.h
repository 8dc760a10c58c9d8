/* SPDX-License-Identifier: PostgreSQL */
/* save.h - a screen as a text file, for a ticket or a colleague. */
#ifndef UI_SAVE_H
#define UI_SAVE_H

#include "base/file.h"
#include "ui/cell.h"

void save_utf8(struct sbuf *out, uint32_t ch); /* one character */

/* Lines of UTF-8 without the blanks at their ends. */
void save_print(const struct grid *g, struct sbuf *out);

/* Into ~/.local/state/barkeep/screen-YYYYMMDD-HHMMSS.txt; path says where. */
MUST_CHECK bool save_screen(const struct grid *g, int64_t now_us, char path[PATH_CAP],
                            struct err *err);

#endif
