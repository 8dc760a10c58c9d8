/* SPDX-License-Identifier: PostgreSQL */
/* term.h - the terminal: the one file that knows ncurses, and only one thread calls it.
 *
 * Leaves   the terminal exactly as it was, whatever ends the program: term_close(), a signal
 *          that kills (the handler only writes a prepared string and sets the saved modes),
 *          BUG_IF (its hook). kill -9 cannot be caught: the manual tells of `reset`.
 * Colours  of the theme: exact where terminfo has RGB (or COLORTERM says so and terminfo knows
 *          NAME-direct), else the nearest of 256, else the named of 16, else attributes.
 *          NO_COLOR: attributes.
 * Bytes    term_show() sends the difference to what is shown, once; nothing when nothing
 *          changed. A character whose width the C library sees otherwise than cell.h is sent
 *          as '?', so that no line shifts.
 * Locale   term_locale() is called first, by whoever starts: it sets LC_CTYPE only.
 */
#ifndef UI_TERM_H
#define UI_TERM_H

#include "barkeep/err.h"
#include "ui/cell.h"
#include "ui/input.h"
#include "ui/theme.h"

#include <stdbool.h>
#include <stdint.h>

void term_locale(void);
bool term_is_utf8(void); /* by the locale */
/* By the locale: blocks and lines are two columns wide in some terminals of East Asia. */
enum symbols term_symbols(void);
/* No cursor addressing: status text instead of a screen. err says it when ncurses itself is not there
 * or does not know the terminal, else its code is ERR_NONE. */
bool term_is_dumb(struct err *err);

MUST_CHECK bool term_open(const struct theme *theme, struct err *err);
void term_close(void);
void term_size(int *cols, int *rows);

/* Never waits. UI_KEY_NONE: no more; UI_KEY_RESIZE; pasted characters bear INPUT_PASTED. */
int term_key(void);
int64_t term_due_ns(void); /* when term_key() is to be asked again although nothing comes */

void term_show(const struct grid *g);
void term_redraw(void); /* the next show sends everything */
void term_theme(const struct theme *theme);

/* Leave the screen, stop (Ctrl-Z) or run a program on the terminal, come back. */
void term_stop(void);
int term_run(const char *const *argv); /* exit status; 127: could not be run */

/* Signals as a descriptor: readable when one came. A terminal that is lost is SIGHUP. */
int term_signal_fd(void);
enum term_signal { TERM_NOTHING, TERM_RESIZED, TERM_QUIT, TERM_STOP, TERM_CONTINUED };
enum term_signal term_signal(int *signo);

#endif
