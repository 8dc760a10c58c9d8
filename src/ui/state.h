/* SPDX-License-Identifier: PostgreSQL */
/* state.h - what the screen remembers between two runs: ~/.local/state/barkeep/ui.ini.
 *
 *     theme = light
 *     servers.sort = 2
 *     wizard.server = orders-db1        offered again for an hour after it was written
 *
 * Text      entry.h; bytes that a value cannot hold are written as \xHH. An empty text, 0 and
 *           "no" are left out.
 * Errors    Keys that nobody knows are ignored (a newer barkeep wrote them); a value that cannot
 *           be is ERR_FORMAT with file and line, and then nothing of the file is used.
 * Harmless  to delete: it holds no secret and nothing that cannot be chosen again.
 */
#ifndef UI_STATE_H
#define UI_STATE_H

#include "barkeep/arena.h"
#include "ui/ui.h"

#define STATE_WIZARD_US (INT64_C(3600) * 1000000)

struct state {
    char theme[NAME_CAP];
    char server[NAME_CAP];
    int32_t pane;
    struct list list[PANE_COUNT]; /* sort, is_reversed, filter */
    struct wizard wizard;         /* is_begun: there are answers */
    int64_t saved_us;             /* wall clock */
};

MUST_CHECK bool state_parse(struct str text, const char *what, struct state *out,
                            struct err *err);
void state_print(const struct state *s, struct sbuf *out);

/* The file's. A file that is not there is an empty state. */
MUST_CHECK bool state_load(struct state *out, struct err *err);
MUST_CHECK bool state_save(const struct state *s, struct err *err);

/* What is worth remembering, and back again: the server only when it still exists, answers only
 * when they are younger than an hour, or led to a copy that stands somewhere. */
void state_of(const struct ui *ui, struct state *out);
void state_apply(const struct state *s, struct ui *ui);

#endif
