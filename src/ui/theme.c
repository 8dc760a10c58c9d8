/* SPDX-License-Identifier: PostgreSQL */
#include "ui/theme.h"

#include "barkeep/arena.h"
#include "base/file.h"
#include "ui/entry.h"
#include "ui/place.h"

#include <string.h>

const char *const theme_names[] = {"dark", "light", "safe", "mono", NULL};

static const char columns_hint[] =
    "Write: role = #rrggbb[/#rrggbb] 256[/256] name[/name] attributes.";

static const char *const role_names[ROLE_COUNT] = {
#define X(name, text, letter) [name] = text,
    ROLE_LIST(X)
#undef X
};

static const char *const names_of_16[] = {
    "black",        "red",           "green",       "yellow",         "blue",
    "magenta",      "cyan",          "white",       "bright_black",   "bright_red",
    "bright_green", "bright_yellow", "bright_blue", "bright_magenta", "bright_cyan",
    "bright_white",
};

static const struct {
    const char *name;
    uint8_t attr;
} attr_names[] = {
    {"bold", ATTR_BOLD},
    {"dim", ATTR_DIM},
    {"reverse", ATTR_REVERSE},
    {"underline", ATTR_UNDERLINE},
};

/* ---- colours ---- */

/* x to the power of 2.4 for x from 0.09 to 1, by Newton's way to the fifth root of x * x: the
 * library of mathematics would be loaded at each start for this alone. */
static double power_2_4(double x)
{
    double root = 1;

    for (int i = 0; i < 12; i++) {
        root -= (root - x * x / (root * root * root * root)) / 5;
    }
    return x * x * root;
}

static double linear(int32_t channel)
{
    double c = channel / 255.0;

    return c <= 0.04045 ? c / 12.92 : power_2_4((c + 0.055) / 1.055);
}

static double luminance(int32_t rgb)
{
    return 0.2126 * linear(rgb >> 16 & 255) + 0.7152 * linear(rgb >> 8 & 255) +
           0.0722 * linear(rgb & 255);
}

int theme_contrast(int32_t a, int32_t b)
{
    double la = luminance(a), lb = luminance(b);
    double high = la > lb ? la : lb, low = la > lb ? lb : la;

    return (int)(100.0 * (high + 0.05) / (low + 0.05) + 1e-6);
}

static int32_t rgb_of_256(int index)
{
    static const int32_t level[] = {0, 95, 135, 175, 215, 255};
    int32_t grey = 8 + 10 * (index - 232);
    int cube = index - 16;

    if (index >= 232) {
        return grey << 16 | grey << 8 | grey;
    }
    return level[cube / 36] << 16 | level[cube / 6 % 6] << 8 | level[cube % 6];
}

static int32_t distance(int32_t a, int32_t b)
{
    int32_t sum = 0;

    for (int shift = 0; shift <= 16; shift += 8) {
        int32_t d = (a >> shift & 255) - (b >> shift & 255);
        sum += d * d;
    }
    return sum;
}

int theme_nearest_256(int32_t rgb)
{
    int best = 16;

    for (int i = 17; i < 256; i++) {
        if (distance(rgb, rgb_of_256(i)) < distance(rgb, rgb_of_256(best))) {
            best = i;
        }
    }
    return best;
}

/* ---- one column ---- */

#define NEAR_256 (-2)

static bool parse_rgb(struct str word, int32_t *out)
{
    uint64_t v;
    char hex[6];

    if (word.n != 7 || word.p[0] != '#') {
        return false;
    }
    for (int i = 0; i < 6; i++) {
        char c = word.p[1 + i];
        hex[i] = c >= 'a' && c <= 'f' ? (char)(c - 'a' + 'A') : c;
    }
    if (!str_hex_u64(str_n(hex, 6), 6, &v)) {
        return false;
    }
    *out = (int32_t)v;
    return true;
}

static bool parse_256(struct str word, int32_t *out)
{
    uint64_t v;

    if (str_eq(word, "near")) {
        *out = NEAR_256;
        return true;
    }
    if (!str_u64(word, 255, &v)) {
        return false;
    }
    *out = (int32_t)v;
    return true;
}

static bool parse_16(struct str word, int32_t *out)
{
    for (int i = 0; i < 16; i++) {
        if (str_eq(word, names_of_16[i])) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool parse_one(struct str word, bool (*parse)(struct str, int32_t *), int32_t *out)
{
    if (str_eq(word, "-") || str_eq(word, "default")) {
        *out = -1;
        return true;
    }
    return parse(word, out);
}

/* COLOUR[/BACKGROUND] */
static bool parse_pair(struct str word, bool (*parse)(struct str, int32_t *), int32_t out[2])
{
    struct str fore;

    out[1] = -1;
    if (!str_split(&word, '/', &fore) || !parse_one(fore, parse, &out[0])) {
        return false;
    }
    return !word.p || parse_one(word, parse, &out[1]);
}

static bool parse_attr(struct str word, uint8_t *out)
{
    if (str_eq(word, "-")) {
        return true;
    }
    for (size_t i = 0; i < sizeof attr_names / sizeof attr_names[0]; i++) {
        if (str_eq(word, attr_names[i].name)) {
            *out |= attr_names[i].attr;
            return true;
        }
    }
    return false;
}

/* ---- one line ---- */

static bool take_attrs(const struct entries *e, struct str rest, struct paint *p,
                       struct err *err)
{
    uint8_t attr[2] = {0, 0};
    int side = 0;
    bool some = false;
    struct str word;

    while (entry_word(&rest, &word)) {
        if (str_eq(word, "|") && side == 0) {
            side = 1;
        } else if (!parse_attr(word, &attr[side])) {
            return entry_bad(e, err, "There are bold, dim, reverse, underline, and '-'.",
                             "'%.*s' is no attribute", (int)word.n, word.p);
        }
        some = true;
    }
    if (!some) {
        return entry_bad(e, err, columns_hint, "the fourth column is missing");
    }
    p->mono = attr[0];
    p->attr = attr[1];
    return true;
}

static bool take_paint(const struct entries *e, struct paint *out, struct err *err)
{
    static const struct {
        bool (*parse)(struct str, int32_t *);
        const char *is, *hint;
    } column[] = {
        {parse_rgb, "#rrggbb", "Write six hexadecimal digits behind '#', or '-'."},
        {parse_256, "a colour of 256", "Write 0 to 255, 'near', or '-'."},
        {parse_16, "a colour of 16", "Write red, bright_red, ..., or '-'."},
    };
    struct str rest = e->value, word;
    int32_t value[3][2];

    for (size_t i = 0; i < 3; i++) {
        if (!entry_word(&rest, &word)) {
            return entry_bad(e, err, columns_hint, "a column is missing");
        }
        if (!parse_pair(word, column[i].parse, value[i])) {
            return entry_bad(e, err, column[i].hint, "'%.*s' is not %s", (int)word.n, word.p,
                             column[i].is);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        if (value[1][i] == NEAR_256) {
            value[1][i] = value[0][i] < 0 ? -1 : theme_nearest_256(value[0][i]);
        }
    }
    *out = (struct paint){value[0][0], value[0][1], value[1][0], value[1][1],
                          value[2][0], value[2][1], 0,           0};
    return take_attrs(e, rest, out, err);
}

static int built_in(struct str name)
{
    for (int i = 0; theme_names[i]; i++) {
        if (str_eq(name, theme_names[i])) {
            return i;
        }
    }
    return -1;
}

static bool take_base(const struct entries *e, bool is_first, struct theme *t, struct err *err)
{
    int i = built_in(e->value);

    if (i < 0) {
        return entry_bad(e, err, "Use dark, light, safe or mono.", "'%.*s' is not built in",
                         (int)e->value.n, e->value.p);
    }
    if (!is_first) {
        return entry_bad(e, err, "Move it up.", "'base' must be the first entry");
    }
    return theme_parse(str_of(theme_texts[i]), theme_names[i], t, err);
}

static bool take_colours(const struct entries *e, struct theme *t, struct err *err)
{
    if (!str_eq(e->value, "yes") && !str_eq(e->value, "no")) {
        return entry_bad(e, err, "Write yes or no.", "'%.*s' is neither yes nor no",
                         (int)e->value.n, e->value.p);
    }
    t->is_mono = str_eq(e->value, "no");
    return true;
}

static bool take_entry(const struct entries *e, struct theme *t, uint32_t *seen,
                       struct err *err)
{
    int role = 0;

    if (str_eq(e->key, "base")) {
        return take_base(e, *seen == 0, t, err);
    }
    if (str_eq(e->key, "colours")) {
        return take_colours(e, t, err);
    }
    while (role < ROLE_COUNT && !str_eq(e->key, role_names[role])) {
        role++;
    }
    if (role == ROLE_COUNT) {
        return entry_bad(e, err, "The roles are listed in barkeep(1).",
                         "no role is called '%.*s'", (int)e->key.n, e->key.p);
    }
    if (*seen & 1u << role) {
        return entry_bad(e, err, "Remove one of them.", "'%s' is there twice",
                         role_names[role]);
    }
    *seen |= 1u << role;
    return take_paint(e, &t->paint[role], err);
}

bool theme_parse(struct str text, const char *what, struct theme *out, struct err *err)
{
    struct theme t = *out;
    struct entries e;
    enum entry_next next;
    uint32_t seen = 0;

    entries_begin(&e, text, what);
    while ((next = entries_next(&e, err)) == ENTRY_IS) {
        if (!take_entry(&e, &t, &seen, err)) {
            return false;
        }
    }
    if (next == ENTRY_BAD) {
        return false;
    }
    *out = t;
    return true;
}

/* ---- files ---- */

/* A name is a file's name without its end, nothing that leads elsewhere. */
static bool name_ok(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-')) {
            return false;
        }
    }
    return name.n > 0 && name.n < sizeof((struct theme *)0)->name;
}

static bool load_file(const char *name, struct theme *out, struct err *err)
{
    char path[PATH_CAP], below[64];
    struct arena a;
    struct str text;
    bool ok;

    str_fmt(below, sizeof below, "themes/%s.ini", name);
    if (!place_config(path, below, err)) {
        return false;
    }
    arena_init(&a, 4 * ENTRY_FILE_MAX);
    ok = file_read(&a, path, ENTRY_FILE_MAX, &text, err) && theme_parse(text, path, out, err);
    arena_release(&a);
    if (!ok && err->code == ERR_MISSING) {
        return err_set(err, ERR_MISSING, "Built in are dark, light, safe and mono.", path,
                       "there is no theme of that name");
    }
    return ok;
}

bool theme_load(const char *name, struct theme *out, struct err *err)
{
    struct theme t = {0};
    int i = built_in(str_of(name));

    if (!name_ok(str_of(name))) {
        return err_set(err, ERR_USAGE, "Use letters, digits, '-' and '_'.", name,
                       "cannot be the name of a theme");
    }
    if (!theme_parse(str_of(theme_texts[i < 0 ? 0 : i]), "dark", &t, err) ||
        (i < 0 && !load_file(name, &t, err))) {
        return err_wrap(err, "use the theme '%s'", name);
    }
    str_copy(t.name, sizeof t.name, name);
    *out = t;
    return true;
}
