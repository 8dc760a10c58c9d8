/* SPDX-License-Identifier: PostgreSQL */
/* golden.h - a screen as text and roles, held against tests/golden/NAME.txt.
 *
 * A file has the text, a line of '=' and the roles, one letter a cell (cell.h). With
 * GOLDEN_UPDATE=DIRECTORY in the environment files are written there instead: `make golden`
 * shows what changed and asks. A difference prints both pictures.
 */
#ifndef TESTS_UI_GOLDEN_H
#define TESTS_UI_GOLDEN_H

#include "harness.h"

#include "ui/ui.h"

#include <stdio.h>
#include <stdlib.h>

#define GOLDEN_MAX (512 * 1024)

static inline void golden_utf8(char **p, uint32_t ch)
{
    unsigned char *s = (unsigned char *)*p;

    if (ch < 0x80) {
        *s++ = (unsigned char)ch;
    } else if (ch < 0x800) {
        *s++ = (unsigned char)(0xc0 | ch >> 6);
        *s++ = (unsigned char)(0x80 | (ch & 0x3f));
    } else if (ch < 0x10000) {
        *s++ = (unsigned char)(0xe0 | ch >> 12);
        *s++ = (unsigned char)(0x80 | (ch >> 6 & 0x3f));
        *s++ = (unsigned char)(0x80 | (ch & 0x3f));
    } else {
        *s++ = (unsigned char)(0xf0 | ch >> 18);
        *s++ = (unsigned char)(0x80 | (ch >> 12 & 0x3f));
        *s++ = (unsigned char)(0x80 | (ch >> 6 & 0x3f));
        *s++ = (unsigned char)(0x80 | (ch & 0x3f));
    }
    *p = (char *)s;
}

/* Lines without the blanks at their ends; roles of blanks are blanks in plain text roles. */
static inline void golden_print(const struct grid *g, char *out)
{
#define X(name, text, letter) letter,
    static const char letters[] = {ROLE_LIST(X)};
#undef X
    char *p = out;

    for (int part = 0; part < 2; part++) {
        for (int row = 0; row < g->rows; row++) {
            char *begin = p;

            for (int col = 0; col < g->cols; col++) {
                const struct cell *c = grid_at(g, col, row);

                if (part == 0 && c->ch) {
                    golden_utf8(&p, c->ch);
                } else if (part == 1) {
                    *p++ = c->ch == ' ' && c->role == ROLE_TEXT ? ' ' : letters[c->role];
                }
            }
            while (p > begin && p[-1] == ' ') {
                p--;
            }
            *p++ = '\n';
        }
        if (part == 0) {
            for (int col = 0; col < g->cols; col++) {
                *p++ = '=';
            }
            *p++ = '\n';
        }
    }
    *p = '\0';
}

static inline void golden_compare(const struct grid *g, const char *name)
{
    static char seen[GOLDEN_MAX], kept[GOLDEN_MAX];
    char path[512];
    FILE *f;
    size_t n = 0;

    snprintf(path, sizeof path, "%s/../golden/%s.txt", TEST_DATA, name);
    golden_print(g, seen);
    if (getenv("GOLDEN_UPDATE")) {
        snprintf(path, sizeof path, "%s/%s.txt", getenv("GOLDEN_UPDATE"), name);
        f = fopen(path, "w");
        assert_non_null(f);
        fputs(seen, f);
        fclose(f);
        return;
    }
    f = fopen(path, "r");
    if (f) {
        n = fread(kept, 1, sizeof kept - 1, f);
        fclose(f);
    }
    kept[n] = '\0';
    if (strcmp(seen, kept) != 0) {
        print_message("---- %s is kept as:\n%s---- and was drawn as:\n%s", path, kept, seen);
        fail_msg("%s has changed (make golden)", name);
    }
}

/* Draws the state at a size and compares: "overview-80x24", "overview-80x24-ascii". */
static inline void golden_draw(struct ui *ui, int cols, int rows, enum symbols symbols,
                               const char *name)
{
    struct grid *g = grid_new(cols, rows, symbols);
    char full[128];

    assert_non_null(g);
    ui->symbols = symbols;
    ui->cols = cols;
    ui->rows = rows;
    ui_draw(ui, g);
    snprintf(full, sizeof full, "%s-%dx%d%s", name, cols, rows,
             symbols == SYMBOLS_ASCII ? "-ascii" : "");
    golden_compare(g, full);
    grid_free(g);
}

/* At every size that a view has to be complete or usable at, in both sets of symbols. */
static inline void golden_sizes(struct ui *ui, const char *name)
{
    static const int size[][2] = {{60, 16}, {80, 24}, {140, 40}};

    for (size_t i = 0; i < 3; i++) {
        golden_draw(ui, size[i][0], size[i][1], SYMBOLS_BLOCK, name);
        golden_draw(ui, size[i][0], size[i][1], SYMBOLS_ASCII, name);
    }
}

#endif
