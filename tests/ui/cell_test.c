/* SPDX-License-Identifier: PostgreSQL */
/* Text from anywhere in cells: what a terminal could obey never gets there, and nothing is cut
 * in the middle of a character. Widths are those of Unicode's EastAsianWidth.txt. */
#include "ui/cell.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>

/* What stands in the row, wide characters once, blanks at the end left out. */
static void seen(const struct grid *g, char *out)
{
    char *p = out, *end = out;

    for (int col = 0; col < g->cols; col++) {
        uint32_t ch = grid_at(g, col, 0)->ch;

        if (ch == 0) {
            continue;
        }
        if (ch < 0x80) {
            *p++ = (char)ch;
        } else if (ch < 0x800) {
            *p++ = (char)(0xc0 | ch >> 6);
            *p++ = (char)(0x80 | (ch & 0x3f));
        } else {
            *p++ = (char)(0xe0 | ch >> 12);
            *p++ = (char)(0x80 | (ch >> 6 & 0x3f));
            *p++ = (char)(0x80 | (ch & 0x3f));
        }
        end = ch == ' ' ? end : p;
    }
    *end = '\0';
}

static const struct text_row {
    const char *label;
    const char *text;
    int cols;
    const char *want;
    int width; /* of the whole text */
} texts[] = {
    {"plain", "orders-db1", 20, "orders-db1", 10},
    {"empty", "", 20, "", 0},
    {"cut at the end", "orders-db1", 6, "orders", 10},
    {"escape sequence", "\033[31mred", 20, "?[31mred", 8},
    {"title of the window", "\033]0;x\a", 20, "?]0;x?", 6},
    {"C1 control",
     "a\xc2\x9b"
     "31m",
     20, "a?31m", 5},
    {"delete",
     "a\x7f"
     "b",
     20, "a?b", 3},
    {"newline and tab", "a\n\tb", 20, "a??b", 4},
    {"lone continuation",
     "a\x80"
     "b",
     20, "a?b", 3},
    {"impossible bytes", "\xff\xfe", 20, "??", 2},
    {"overlong slash", "\xc0\xaf", 20, "??", 2},
    {"overlong, three bytes", "\xe0\x80\xaf", 20, "???", 3},
    {"surrogate", "\xed\xa0\x80", 20, "???", 3},
    {"beyond Unicode", "\xf4\x90\x80\x80", 20, "????", 4},
    {"sequence ends early", "\xe6\x9d", 20, "??", 2},
    {"broken, then good", "\xe6(x", 20, "?(x", 3},
    {"two byte letter",
     "\xc3\xbc"
     "ber",
     20,
     "\xc3\xbc"
     "ber",
     4},
    {"wide", "\xe6\x9d\xb1\xe4\xba\xac", 20, "\xe6\x9d\xb1\xe4\xba\xac", 4},
    {"wide does not fit by half", "\xe6\x9d\xb1\xe4\xba\xac", 3, "\xe6\x9d\xb1", 4},
    {"combining mark is left out", "e\xcc\x81t", 20, "et", 2},
    {"marks only", "\xcc\x81\xcc\x81", 20, "", 0},
    {"right-to-left override",
     "a\xe2\x80\xae"
     "b",
     20, "a?b", 3},
    {"zero width joiner",
     "a\xe2\x80\x8d"
     "b",
     20, "a?b", 3},
    {"byte order mark", "\xef\xbb\xbfx", 20, "?x", 2},
    {"private use", "\xee\x82\xa0", 20, "?", 1},
    {"tag characters", "\xf3\xa0\x81\x81", 20, "?", 1},
    {"emoji", "\xf0\x9f\x98\x80", 1, "", 2},
};

static void text(void **state)
{
    const struct text_row *row = *state;
    struct grid *g = grid_new(row->cols, 1, SYMBOLS_BLOCK);
    char got[400];

    grid_text(g, 0, 0, row->cols, ROLE_TEXT, row->text);
    seen(g, got);
    assert_string_equal(got, row->want);
    assert_int_equal(text_width(row->text), row->width);
    grid_free(g);
}

static const struct width_row {
    const char *label;
    uint32_t ch;
    int width;
} widths[] = {
    {"letter", 'a', 1},
    {"no-break space", 0xa0, 1},
    {"combining acute", 0x301, 0},
    {"hebrew point", 0x5b0, 0},
    {"thai vowel", 0xe34, 0},
    {"hangul jamo, leading", 0x1100, 2},
    {"hangul jamo, vowel", 0x1160, 0},
    {"box drawing", 0x2500, 1},
    {"full block", 0x2588, 1},
    {"watch", 0x231a, 2},
    {"ideographic space", 0x3000, 2},
    {"hiragana", 0x3042, 2},
    {"voiced sound mark", 0x3099, 0},
    {"han", 0x6771, 2},
    {"hangul", 0xac00, 2},
    {"halfwidth katakana", 0xff76, 1},
    {"fullwidth letter", 0xff21, 2},
    {"variation selector", 0xfe0f, 0},
    {"grinning face", 0x1f600, 2},
    {"han extension B", 0x20000, 2},
    {"above all", 0x10fffd, 1},
};

static void width(void **state)
{
    const struct width_row *row = *state;

    assert_int_equal(cell_width(row->ch), row->width);
}

/* What is written over half of a wide character takes the other half with it. */
static void halves(void **state)
{
    struct grid *g = grid_new(6, 1, SYMBOLS_BLOCK);
    char got[100];
    (void)state;

    grid_text(g, 0, 0, 6, ROLE_TEXT, "\xe6\x9d\xb1\xe4\xba\xac");
    grid_text(g, 1, 0, 6, ROLE_TEXT, "x");
    seen(g, got);
    assert_string_equal(got, " x\xe4\xba\xac");
    grid_text(g, 2, 0, 6, ROLE_TEXT, "y");
    seen(g, got);
    assert_string_equal(got, " xy");
    grid_free(g);
}

static void outside(void **state)
{
    struct grid *g = grid_new(4, 2, SYMBOLS_ASCII);
    (void)state;

    assert_int_equal(grid_text(g, 0, -1, 4, ROLE_TEXT, "up"), 2);
    grid_text(g, 0, 2, 4, ROLE_TEXT, "down");
    grid_text(g, -2, 0, 4, ROLE_TEXT, "left");
    assert_int_equal(grid_at(g, 0, 0)->ch, 'f');
    assert_null(grid_at(g, 4, 0));
    assert_null(grid_at(g, 0, 2));
    grid_fill(g, 3, 0, 400, ROLE_RULE, SYM_RULE);
    grid_role(g, 0, 1, 400, ROLE_FAIL);
    grid_bar(g, 2, 1, 2, 1, 0);
    grid_right(g, 0, 0, 3, ROLE_TEXT, "longer than the place");
    assert_int_equal(grid_at(g, 0, 0)->ch, 'l');
    grid_free(g);
}

/* Every symbol has one width in both sets: pictures do not shift. */
static void symbols(void **state)
{
    (void)state;
    for (enum symbol s = 0; s < SYM_COUNT; s++) {
        assert_int_equal(text_width(symbol_text(SYMBOLS_BLOCK, s)),
                         text_width(symbol_text(SYMBOLS_ASCII, s)));
        for (const char *p = symbol_text(SYMBOLS_ASCII, s); *p; p++) {
            assert_true((unsigned char)*p < 0x80);
        }
    }
}

TEST_MAIN(ROWS(texts, text); ROWS(widths, width); ONE(halves); ONE(outside); ONE(symbols))
