/* SPDX-License-Identifier: PostgreSQL */
/* list.h - a pane of rows with a cursor that follows the thing, not the place.
 *
 *     id[]     the identities of the rows, in the order they are shown, filtered
 *     list     remembers which one is selected and what is shown first
 *
 * A row that vanished leaves the cursor at its place. Both functions may be called as often as
 * one likes; only list_act() moves.
 */
#ifndef UI_LIST_H
#define UI_LIST_H

#include "ui/ui.h"

/* Finds the cursor among the rows and what is to be shown first in `height` rows. */
void list_place(struct list *list, const char *const *id, size_t n, size_t height);

/* Moves: up, down, pages, first, last. false: the act is not one of those. height: rows shown. */
bool list_act(struct list *list, enum act act, const char *const *id, size_t n, size_t height);

/* Does the text hold the filter? Case is ignored; "!x" inverts; an empty filter fits all. */
bool list_fits(const struct list *list, const char *text);

/* "3 of 5", "3 of 5 /bill", into out. */
const char *list_count(const struct list *list, char *out, size_t cap);

#endif
