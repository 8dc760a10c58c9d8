/* SPDX-License-Identifier: PostgreSQL */
/* theme.h - roles to colours, from files a person can edit.
 *
 *     ; role  exact             of 256   of 16       without colour | beside colours
 *     ok    = #8fd19e           114      green       -
 *     bar   = #d8dee9/#3b4252   253/238  white/black reverse        | bold
 *
 * Columns   COLOUR or COLOUR/BACKGROUND. exact: #rrggbb; of 256: 0 .. 255, or "near" for the
 *           nearest to the exact one; of 16: a name. "-": the terminal's own. Then words of
 *           bold, dim, reverse, underline: those that carry the role where there is no colour,
 *           and behind a '|' those that go with colours.
 * Built in  dark, light, safe (colour-blind), mono: themes/ *.ini, compiled in. A user's own is
 *           ~/.config/barkeep/themes/NAME.ini; it says `base = dark` (or another that is built
 *           in) first and then only what differs; without a base it differs from dark.
 * Mono      `colours = no`: the last columns only, whatever the terminal can do.
 * Errors    ERR_FORMAT with file and line. A theme with an error is not used.
 */
#ifndef UI_THEME_H
#define UI_THEME_H

#include "barkeep/err.h"
#include "barkeep/str.h"
#include "ui/cell.h"

#include <stdint.h>

enum theme_attr { ATTR_BOLD = 1, ATTR_DIM = 2, ATTR_REVERSE = 4, ATTR_UNDERLINE = 8 };

struct paint {
    int32_t rgb, back_rgb;   /* 0xrrggbb; -1: the terminal's own */
    int32_t c256, back_c256; /* 0 .. 255; -1 */
    int32_t c16, back_c16;   /* 0 .. 15; -1 */
    uint8_t attr;            /* with colours */
    uint8_t mono;            /* without */
};

struct theme {
    char name[32];
    bool is_mono; /* never colours */
    struct paint paint[ROLE_COUNT];
};

/* text: of a file called `what`. *out is filled already; what the text does not name stays.
 * On an error *out is as it was. */
MUST_CHECK bool theme_parse(struct str text, const char *what, struct theme *out,
                            struct err *err);
/* A built-in name, else a user's file. */
MUST_CHECK bool theme_load(const char *name, struct theme *out, struct err *err);
extern const char *const theme_names[]; /* built in; NULL at the end */

/* The texts of themes/ *.ini, in the order of theme_names. */
extern const char *const theme_texts[];

/* WCAG 2 contrast of two colours, times 100: 100 (none) .. 2100. */
int theme_contrast(int32_t a, int32_t b);
/* The nearest of the 240 colours of a 256 colour terminal that do not depend on its settings:
 * 16 .. 255. */
int theme_nearest_256(int32_t rgb);

#endif
