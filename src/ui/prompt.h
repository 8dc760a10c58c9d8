/* SPDX-License-Identifier: PostgreSQL */
/* prompt.h - one line that is typed, and the box of level 3.
 *
 * An open prompt owns every key: letters go into the line, Esc closes it, nothing falls
 * through. Editing: Left, Right, Home, End, Backspace, Del, Ctrl-A Ctrl-E Ctrl-U Ctrl-W;
 * commands and filters have history with Up and Down, commands completion with Tab. UTF-8 is
 * edited by characters.
 */
#ifndef UI_PROMPT_H
#define UI_PROMPT_H

#include "ui/ui.h"

void prompt_open(struct ui *ui, enum prompt_kind kind, const char *text);
unsigned prompt_key(struct ui *ui, int key);
void prompt_draw(struct ui *ui, struct grid *g, int row);
/* What the list or the log of this view is filtered or searched by; "". */
const char *prompt_filter(struct ui *ui);
/* A pasted text: goes into the line, control characters left out; nowhere else. */
unsigned prompt_paste(struct ui *ui, const char *text);

/* The box: fill title, line[], ask, word and done of ui->dialog, then open it. */
void dialog_open(struct ui *ui);
unsigned dialog_key(struct ui *ui, int key);
void dialog_draw(struct ui *ui, struct grid *g);
int dialog_room(int cols); /* columns of a line in it */

/* command.c: what ':' takes. Runs a line; the completions of a line, how many; at most cap. */
unsigned command_run(struct ui *ui, const char *line);
size_t command_complete(struct ui *ui, const char *line, const char *out[], size_t cap);

/* help.c */
unsigned help_key(struct ui *ui, int key);
void help_draw(struct ui *ui, struct grid *g);

#endif
