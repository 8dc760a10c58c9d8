/* SPDX-License-Identifier: PostgreSQL */
/* bug.h - a broken promise between two pieces of our own code.
 *
 * BUG_IF(cond) stops the program at once: file, line and condition on stderr, with the last
 * lines of the log, then abort(). The screen registers a hook that gives the terminal back
 * first. Never for what the outside world does: that is a struct err.
 */
#ifndef BASE_BUG_H
#define BASE_BUG_H

#define BUG_IF(cond) ((cond) ? bug_stop(__FILE__, __LINE__, #cond) : (void)0)

__attribute__((noreturn)) void bug_stop(const char *file, int line, const char *cond);

/* Called first by bug_stop(); one hook, NULL for none. */
void bug_set_hook(void (*restore_terminal)(void));

#endif
