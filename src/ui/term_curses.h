/* SPDX-License-Identifier: PostgreSQL */
/* term_curses.h - what term.c takes from ncurses, which is loaded when the first screen opens
 * (base/lib.h). The last six are variables of ncurses.
 */
#ifndef UI_TERM_CURSES_H
#define UI_TERM_CURSES_H

#include "base/lib.h"

#include <ncurses.h>
#include <term.h>

#define CURSES_LIST(X)                                                                         \
    X(capability, tigetstr)                                                                    \
    X(flag, tigetflag)                                                                         \
    X(setup, setupterm)                                                                        \
    X(forget, del_curterm)                                                                     \
    X(has_colors, has_colors)                                                                  \
    X(start_color, start_color)                                                                \
    X(default_colors, use_default_colors)                                                      \
    X(pair, init_extended_pair)                                                                \
    X(keep_mode, def_prog_mode)                                                                \
    X(end, endwin)                                                                             \
    X(resize, resize_term)                                                                     \
    X(redraw, clearok)                                                                         \
    X(open, newterm)                                                                           \
    X(cbreak, cbreak)                                                                          \
    X(noecho, noecho)                                                                          \
    X(nonl, nonl)                                                                              \
    X(typeahead, typeahead)                                                                    \
    X(keypad, keypad)                                                                          \
    X(leave, leaveok)                                                                          \
    X(cursor, curs_set)                                                                        \
    X(close, delscreen)                                                                        \
    X(cell, setcchar)                                                                          \
    X(put, wadd_wchnstr)                                                                       \
    X(go, wmove)                                                                               \
    X(wipe, werase)                                                                            \
    X(stage, wnoutrefresh)                                                                     \
    X(update, doupdate)                                                                        \
    X(screen, stdscr)                                                                          \
    X(now, curscr)                                                                             \
    X(term, cur_term)                                                                          \
    X(cols, COLS)                                                                              \
    X(rows, LINES)                                                                             \
    X(colors, COLORS)

struct curses_api {
    CURSES_LIST(LIB_MEMBER)
};

static const char *const curses_symbols[] = {CURSES_LIST(LIB_SYMBOL)};

static const struct lib curses_lib = {
    "libncursesw.so.6", "Install ncurses (Debian: apt install libncursesw6).", ERR_CONFIG,
    curses_symbols, sizeof curses_symbols / sizeof curses_symbols[0]};

#endif
