/* SPDX-License-Identifier: PostgreSQL */
/* cell.h - the screen as data: a grid of cells, and a pen that writes into a part of it.
 *
 * Views write here and nowhere else; term.c turns the difference between two grids into bytes.
 *
 * Shapes   A cell is one character and its role; a wide character owns the cell behind it too
 *          (width 0 there). Roles are names, never colours: theme.h turns them into colours.
 * Text     is UTF-8 and untrusted: control characters, broken sequences, private use and
 *          what has no width becomes '?'; combining marks are left out. Cut by cells, never in
 *          the middle of a character.
 * Symbols  Views name what they mean (SYM_RULE, SYM_FULL); the pen's set says how it looks:
 *          block or ascii.
 * Memory   grid_new()/grid_free(); a resize is a new grid.
 */
#ifndef UI_CELL_H
#define UI_CELL_H

#include "barkeep/snapshot.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name in theme files, letter in golden screens */
#define ROLE_LIST(X)                                                                           \
    X(ROLE_TEXT, "text", 't')                                                                  \
    X(ROLE_DIM, "dim", 'd')                                                                    \
    X(ROLE_TITLE, "title", 'T')                                                                \
    X(ROLE_RULE, "rule", 'r')                                                                  \
    X(ROLE_SELECTED, "selected", 's')                                                          \
    X(ROLE_OK, "ok", 'O')                                                                      \
    X(ROLE_WARN, "warn", 'W')                                                                  \
    X(ROLE_FAIL, "fail", 'F')                                                                  \
    X(ROLE_UNKNOWN, "unknown", 'U')                                                            \
    X(ROLE_ACCENT, "accent", 'A')                                                              \
    X(ROLE_BAR, "bar", 'b')                                                                    \
    X(ROLE_BAR_PROD, "bar_prod", 'P')                                                          \
    X(ROLE_PROMPT, "prompt", 'p')                                                              \
    X(ROLE_SPARK, "spark", 'k')

enum role {
#define X(name, text, letter) name,
    ROLE_LIST(X)
#undef X
        ROLE_COUNT,
};

#define SYMBOL_LIST(X) /* block, ascii */                                                      \
    X(SYM_BLANK, " ", " ")                                                                     \
    X(SYM_RULE, "─", "-")                                                                      \
    X(SYM_BAR, "│", "|")                                                                       \
    X(SYM_FOCUS, "▌", "*")                                                                     \
    X(SYM_FULL, "█", "#")                                                                      \
    X(SYM_EMPTY, "░", ".")                                                                     \
    X(SYM_DOT, "·", ",")                                                                       \
    X(SYM_TO, "▸", ">")                                                                        \
    X(SYM_UP, "↑", "^")                                                                        \
    X(SYM_DOWN, "↓", "v")                                                                      \
    X(SYM_LINE, "═", "=")                                                                      \
    X(SYM_HEAVY, "━", "=")                                                                     \
    X(SYM_LOST, "╌", "~")                                                                      \
    X(SYM_HOLE_LEFT, "╡", "]")                                                                 \
    X(SYM_HOLE_RIGHT, "╞", "[")                                                                \
    X(SYM_TICK, "╷", "'")                                                                      \
    X(SYM_NOW, "●", "o")                                                                       \
    X(SYM_POINTER, "▲", "^")                                                                   \
    X(SYM_FORK_UP, "┘", "'")                                                                   \
    X(SYM_FORK, "└", "`")                                                                      \
    X(SYM_CORNER_TL, "┌", "+")                                                                 \
    X(SYM_CORNER_TR, "┐", "+")                                                                 \
    X(SYM_CORNER_BL, "└", "+")                                                                 \
    X(SYM_CORNER_BR, "┘", "+")                                                                 \
    X(SYM_CHOSEN, "(•)", "(*)")                                                                \
    X(SYM_MORE, "…", "~")

enum symbol {
#define X(name, block, ascii) name,
    SYMBOL_LIST(X)
#undef X
        SYM_COUNT,
};

enum symbols { SYMBOLS_BLOCK, SYMBOLS_ASCII };

struct cell {
    uint32_t ch; /* 0: the second half of a wide character */
    uint8_t role;
    uint8_t width; /* 0, 1, 2 */
};

struct grid {
    int cols, rows;
    enum symbols symbols;
    int cursor_col, cursor_row; /* -1: hidden */
    struct cell *cell;
};

struct grid *grid_new(int cols, int rows, enum symbols symbols); /* NULL: no memory */
void grid_free(struct grid *g);
void grid_clear(struct grid *g);                              /* blanks, no cursor */
struct cell *grid_at(const struct grid *g, int col, int row); /* NULL: outside */
bool grid_same(const struct grid *a, const struct grid *b);

/* Columns of a code point: 0, 1, 2; of a text after cleaning. */
int cell_width(uint32_t ch);
int text_width(const char *text);

/* Writes at (col,row) up to, not including, the column `end`; returns the column behind. */
int grid_text(struct grid *g, int col, int row, int end, enum role role, const char *text);
int grid_fmt(struct grid *g, int col, int row, int end, enum role role, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* The same; what does not fit ends in a mark that says so. */
int grid_cut(struct grid *g, int col, int row, int end, enum role role, const char *text);
/* Right-aligned: ends before `end`, begins not before col. */
void grid_right(struct grid *g, int col, int row, int end, enum role role, const char *text);
int grid_symbol(struct grid *g, int col, int row, int end, enum role role, enum symbol symbol);
/* The same symbol from col to end. */
void grid_fill(struct grid *g, int col, int row, int end, enum role role, enum symbol symbol);
void grid_role(struct grid *g, int col, int row, int end, enum role role); /* recolour */

const char *symbol_text(enum symbols set, enum symbol symbol);

/* The eight heights of a sparkline: level 0 .. 8 of a value held against its maximum. */
int grid_spark(struct grid *g, int col, int row, int end, const uint64_t *value, size_t n);
/* A bar of `done` of `total` from col to end. */
void grid_bar(struct grid *g, int col, int row, int end, uint64_t done, uint64_t total);

enum role light_role(enum light light);

#endif
