/* SPDX-License-Identifier: PostgreSQL */
#include "cell.h"

#include "barkeep/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_CAP 2048 /* of one formatted text; what is longer is cut */

static const char *const symbol_table[2][SYM_COUNT] = {
#define X(name, block, ascii) block,
    {SYMBOL_LIST(X)},
#undef X
#define X(name, block, ascii) ascii,
    {SYMBOL_LIST(X)},
#undef X
};

static const char *const spark_table[2][9] = {
    {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
    {" ", ".", ":", "-", "=", "+", "*", "%", "#"},
};

const char *symbol_text(enum symbols set, enum symbol symbol)
{
    return symbol_table[set][symbol];
}

/* ---- the grid --------------------------------------------------------------------------- */

struct grid *grid_new(int cols, int rows, enum symbols symbols)
{
    struct grid *g = calloc(1, sizeof *g);

    cols = cols < 1 ? 1 : cols;
    rows = rows < 1 ? 1 : rows;
    if (!g) {
        return NULL;
    }
    *g = (struct grid){.cols = cols, .rows = rows, .symbols = symbols};
    g->cell = calloc((size_t)cols * (size_t)rows, sizeof *g->cell);
    if (!g->cell) {
        free(g);
        return NULL;
    }
    grid_clear(g);
    return g;
}

void grid_free(struct grid *g)
{
    if (g) {
        free(g->cell);
        free(g);
    }
}

void grid_clear(struct grid *g)
{
    size_t n = (size_t)g->cols * (size_t)g->rows;

    for (size_t i = 0; i < n; i++) {
        g->cell[i] = (struct cell){' ', ROLE_TEXT, 1};
    }
    g->cursor_col = g->cursor_row = -1;
}

struct cell *grid_at(const struct grid *g, int col, int row)
{
    if (col < 0 || row < 0 || col >= g->cols || row >= g->rows) {
        return NULL;
    }
    return &g->cell[(size_t)row * (size_t)g->cols + (size_t)col];
}

bool grid_same(const struct grid *a, const struct grid *b)
{
    size_t n = (size_t)a->cols * (size_t)a->rows;

    return a->cols == b->cols && a->rows == b->rows && a->cursor_col == b->cursor_col &&
           a->cursor_row == b->cursor_row && memcmp(a->cell, b->cell, n * sizeof *a->cell) == 0;
}

/* A wide character that loses one half becomes a blank in the other. */
static void clear_halves(struct grid *g, int col, int row)
{
    struct cell *c = grid_at(g, col, row), *beside;

    if (c && c->width == 0 && (beside = grid_at(g, col - 1, row))) {
        *beside = (struct cell){' ', beside->role, 1};
    }
    if (c && c->width == 2 && (beside = grid_at(g, col + 1, row))) {
        *beside = (struct cell){' ', beside->role, 1};
    }
}

static void put(struct grid *g, int col, int row, enum role role, uint32_t ch, int width)
{
    struct cell *c = grid_at(g, col, row);

    if (!c) {
        return;
    }
    clear_halves(g, col, row);
    *c = (struct cell){ch, (uint8_t)role, (uint8_t)width};
    if (width == 2) {
        clear_halves(g, col + 1, row);
        *grid_at(g, col + 1, row) = (struct cell){0, (uint8_t)role, 0};
    }
}

/* ---- text ------------------------------------------------------------------------------- */

/* One code point from UTF-8; what is broken is taken byte by byte as '?'. */
static uint32_t decode(const unsigned char **p)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *s = *p;
    int more = s[0] < 0x80 ? 0 : s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : s[0] >= 0xc2 ? 1 : -1;
    uint32_t ch = more <= 0 ? s[0] : s[0] & (0x3fu >> more);

    *p = s + 1;
    if (more < 0) {
        return '?';
    }
    for (int i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return '?';
        }
        ch = ch << 6 | (s[i] & 0x3f);
    }
    if (ch < least[more] || ch > 0x10ffff || (ch >= 0xd800 && ch <= 0xdfff)) {
        return '?';
    }
    *p = s + 1 + more;
    return ch;
}

/* What a terminal could obey, or show as something that it is not: control characters, what
 * turns the direction, has no width or no meaning of its own. */
static bool is_unsafe(uint32_t ch)
{
    static const uint32_t range[][2] = {
        {0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
        {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},   {0xe000, 0xf8ff},
        {0xfeff, 0xfeff}, {0xfff0, 0xffff}, {0xe0000, 0xe007f}, {0xf0000, UINT32_MAX},
    };

    for (size_t i = 0; i < sizeof range / sizeof range[0]; i++) {
        if (ch >= range[i][0] && ch <= range[i][1]) {
            return true;
        }
    }
    return false;
}

/* The next character that has a width; false: the end. */
static bool next(const unsigned char **p, uint32_t *ch, int *width)
{
    while (**p) {
        *ch = decode(p);
        *ch = is_unsafe(*ch) ? '?' : *ch;
        *width = cell_width(*ch);
        if (*width > 0) {
            return true;
        }
    }
    return false;
}

int text_width(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    uint32_t ch;
    int sum = 0, width;

    while (next(&p, &ch, &width)) {
        sum += width;
    }
    return sum;
}

int grid_text(struct grid *g, int col, int row, int end, enum role role, const char *text)
{
    const unsigned char *p = (const unsigned char *)(text ? text : "");
    uint32_t ch;
    int width;

    end = end > g->cols ? g->cols : end;
    while (col < end && next(&p, &ch, &width)) {
        if (col + width > end) {
            break;
        }
        put(g, col, row, role, ch, width);
        col += width;
    }
    return col;
}

int grid_fmt(struct grid *g, int col, int row, int end, enum role role, const char *fmt, ...)
{
    char text[LINE_CAP];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return grid_text(g, col, row, end, role, text);
}

int grid_cut(struct grid *g, int col, int row, int end, enum role role, const char *text)
{
    end = end > g->cols ? g->cols : end;
    if (col >= end || col + text_width(text) <= end) {
        return grid_text(g, col, row, end, role, text);
    }
    grid_text(g, col, row, end - 1, role, text);
    return grid_symbol(g, end - 1, row, end, role, SYM_MORE);
}

void grid_right(struct grid *g, int col, int row, int end, enum role role, const char *text)
{
    int from = end - text_width(text);

    grid_text(g, from > col ? from : col, row, end, role, text);
}

int grid_symbol(struct grid *g, int col, int row, int end, enum role role, enum symbol symbol)
{
    return grid_text(g, col, row, end, role, symbol_text(g->symbols, symbol));
}

void grid_fill(struct grid *g, int col, int row, int end, enum role role, enum symbol symbol)
{
    while (col < end && col < g->cols) {
        col = grid_symbol(g, col, row, end, role, symbol);
    }
}

void grid_role(struct grid *g, int col, int row, int end, enum role role)
{
    for (; col < end && col < g->cols; col++) {
        struct cell *c = grid_at(g, col, row);

        if (c) {
            c->role = (uint8_t)role;
        }
    }
}

/* ---- small pictures --------------------------------------------------------------------- */

/* The largest of the values that fall into column i of `width`. */
static uint64_t column_max(const uint64_t *value, size_t n, size_t i, size_t width)
{
    size_t from = i * n / width, to = (i + 1) * n / width;
    uint64_t max = value[from];

    for (size_t k = from; k < to; k++) {
        max = value[k] > max ? value[k] : max;
    }
    return max;
}

int grid_spark(struct grid *g, int col, int row, int end, const uint64_t *value, size_t n)
{
    size_t width = end > col ? (size_t)(end - col) : 0;
    uint64_t max = 0;

    for (size_t i = 0; i < n; i++) {
        max = value[i] > max ? value[i] : max;
    }
    for (size_t i = 0; n > 0 && i < width; i++) {
        uint64_t v = column_max(value, n, i, width);
        uint64_t level = max == 0 ? 0 : (v / (max / 8 + 1)) + (v > 0);

        col = grid_text(g, col, row, end, ROLE_SPARK,
                        spark_table[g->symbols][level > 8 ? 8 : level]);
    }
    return col;
}

void grid_bar(struct grid *g, int col, int row, int end, uint64_t done, uint64_t total)
{
    int width = end - col;
    double part = total == 0 ? 0 : (double)done / (double)total;
    int full = (int)((part > 1 ? 1 : part) * width);

    grid_fill(g, col, row, col + full, ROLE_SPARK, SYM_FULL);
    grid_fill(g, col + full, row, end, ROLE_DIM, SYM_EMPTY);
}

enum role light_role(enum light light)
{
    static const enum role role[] = {
        [LIGHT_FAIL] = ROLE_FAIL,  [LIGHT_UNKNOWN] = ROLE_UNKNOWN, [LIGHT_WARN] = ROLE_WARN,
        [LIGHT_RUN] = ROLE_ACCENT, [LIGHT_WAIT] = ROLE_DIM,        [LIGHT_OK] = ROLE_OK,
    };

    return role[light];
}
