/* SPDX-License-Identifier: PostgreSQL */
/* Contrasts are held against the WCAG 2 formula worked out apart (contrast_of below), the
 * nearest of 256 against the table of xterm. */
#include "harness.h"

#include "ui/theme.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct theme any(void)
{
    struct theme t;

    memset(&t, 0x55, sizeof t);
    str_copy(t.name, sizeof t.name, "any");
    t.is_mono = false;
    return t;
}

/* ---- one line ---- */

static const struct line {
    const char *label, *text;
    bool ok;
    struct paint want; /* of ok */
    const char *why;   /* must appear in why when not */
} lines[] = {
    {"plain", "ok = #8fd19e 114 green -", true, {0x8fd19e, -1, 114, -1, 2, -1, 0, 0}, NULL},
    {"background",
     "ok = #000102/#A0B0C0 16/231 black/bright_white reverse | bold",
     true,
     {0x000102, 0xA0B0C0, 16, 231, 0, 15, ATTR_BOLD, ATTR_REVERSE},
     NULL},
    {"the terminal's own", "ok = - - - -", true, {-1, -1, -1, -1, -1, -1, 0, 0}, NULL},
    {"default is a word for it",
     "ok = default default default -",
     true,
     {-1, -1, -1, -1, -1, -1, 0, 0},
     NULL},
    {"only the background",
     "ok = -/#ffffff -/231 -/white -",
     true,
     {-1, 0xffffff, -1, 231, -1, 7, 0, 0},
     NULL},
    {"near",
     "ok = #ff0000/#0000ff near/near - -",
     true,
     {0xff0000, 0x0000ff, 196, 21, -1, -1, 0, 0},
     NULL},
    {"all attributes",
     "ok = - - - bold dim | reverse underline",
     true,
     {-1, -1, -1, -1, -1, -1, ATTR_REVERSE | ATTR_UNDERLINE, ATTR_BOLD | ATTR_DIM},
     NULL},
    {"comment behind",
     "ok = #8fd19e 114 green - ; nice",
     true,
     {0x8fd19e, -1, 114, -1, 2, -1, 0, 0},
     NULL},
    {"crlf and blanks",
     "  ok\t=\t#8fd19e   114\tgreen  -  \r\n",
     true,
     {0x8fd19e, -1, 114, -1, 2, -1, 0, 0},
     NULL},

    {"no such role", "okay = #8fd19e 114 green -", .why = "no role is called 'okay'"},
    {"no equal sign", "ok #8fd19e", .why = "no '='"},
    {"no key", "= #8fd19e 114 green -", .why = "nothing before"},
    {"no value", "ok = ", .why = "nothing behind"},
    {"only a comment as value", "ok = ; x", .why = "nothing behind"},
    {"one column", "ok = #8fd19e", .why = "a column is missing"},
    {"three columns", "ok = #8fd19e 114 green", .why = "fourth column is missing"},
    {"five digits", "ok = #8fd19 114 green -", .why = "'#8fd19' is not #rrggbb"},
    {"seven digits", "ok = #8fd19e0 114 green -", .why = "is not #rrggbb"},
    {"no hash", "ok = 8fd19e 114 green -", .why = "is not #rrggbb"},
    {"not a digit", "ok = #8fd19g 114 green -", .why = "is not #rrggbb"},
    {"256 is too much", "ok = #8fd19e 256 green -", .why = "'256' is not a colour of 256"},
    {"negative", "ok = #8fd19e -1 green -", .why = "is not a colour of 256"},
    {"hexadecimal", "ok = #8fd19e 0x1 green -", .why = "is not a colour of 256"},
    {"no such name", "ok = #8fd19e 114 orange -", .why = "'orange' is not a colour of 16"},
    {"capital", "ok = #8fd19e 114 Green -", .why = "is not a colour of 16"},
    {"empty background", "ok = #8fd19e/ 114 green -", .why = "is not #rrggbb"},
    {"two backgrounds", "ok = #8fd19e/#000000/#000000 1 red -", .why = "is not #rrggbb"},
    {"no such attribute", "ok = #8fd19e 114 green blink", .why = "'blink' is no attribute"},
    {"two bars", "ok = - - - bold | dim | dim", .why = "'|' is no attribute"},
    {"twice", "ok = - - - -\nok = - - - -", .why = "'ok' is there twice"},
    {"base is not first", "ok = - - - -\nbase = dark", .why = "must be the first"},
    {"base is not built in", "base = mine", .why = "'mine' is not built in"},
    {"base in itself is no way in", "base = ../dark", .why = "is not built in"},
    {"colours", "colours = maybe", .why = "neither yes nor no"},
};

static void same_paint(const struct paint *a, const struct paint *b)
{
    assert_int_equal(a->rgb, b->rgb);
    assert_int_equal(a->back_rgb, b->back_rgb);
    assert_int_equal(a->c256, b->c256);
    assert_int_equal(a->back_c256, b->back_c256);
    assert_int_equal(a->c16, b->c16);
    assert_int_equal(a->back_c16, b->back_c16);
    assert_int_equal(a->attr, b->attr);
    assert_int_equal(a->mono, b->mono);
}

static void line_row(void **state)
{
    const struct line *r = *state;
    struct theme t = any(), before = t;
    struct err err = {0};
    bool ok = theme_parse(str_of(r->text), "x.ini", &t, &err);

    assert_int_equal(ok, r->ok);
    if (ok) {
        same_paint(&t.paint[ROLE_OK], &r->want);
        same_paint(&t.paint[ROLE_FAIL], &before.paint[ROLE_FAIL]);
        assert_int_equal(err.code, ERR_NONE);
        return;
    }
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.why, r->why));
    assert_true(strncmp(err.what, "x.ini:", 6) == 0);
    assert_true(err.hint[0]);
    assert_memory_equal(&t, &before, sizeof t);
}

static void line_numbers_are_told(void **state)
{
    struct theme t = any();
    struct err err = {0};

    (void)state;
    assert_false(theme_parse(str_of("\xEF\xBB\xBF; a\r\n\r\n# b\r\nok = - - - -\r\nbad\r\n"),
                             "/home/me/t.ini", &t, &err));
    assert_string_equal(err.what, "/home/me/t.ini:5");
}

static void nul_and_long_lines_are_refused(void **state)
{
    struct theme t = any();
    struct err err = {0};
    char text[10000];

    (void)state;
    assert_false(theme_parse(str_n("ok\0= - - - -", 12), "x", &t, &err));
    assert_non_null(strstr(err.why, "NUL"));
    memset(text, 'a', sizeof text);
    memset(&err, 0, sizeof err);
    assert_false(theme_parse(str_n(text, sizeof text), "x", &t, &err));
    assert_non_null(strstr(err.why, "longer than"));
}

static void base_gives_what_is_not_said(void **state)
{
    struct theme t = any(), safe = any();
    struct err err = {0};

    (void)state;
    assert_true(theme_load("safe", &safe, &err));
    assert_true(theme_parse(str_of("base = safe\nok = #ffffff 231 white -\n"), "x", &t, &err));
    assert_int_equal(t.paint[ROLE_OK].rgb, 0xffffff);
    same_paint(&t.paint[ROLE_FAIL], &safe.paint[ROLE_FAIL]);
}

/* ---- built in ---- */

static double contrast_of(int32_t a, int32_t b)
{
    double l[2];
    int32_t c[2] = {a, b};

    for (int i = 0; i < 2; i++) {
        double s = 0, weight[3] = {0.2126, 0.7152, 0.0722};
        for (int k = 0; k < 3; k++) {
            double v = ((c[i] >> (16 - 8 * k)) & 255) / 255.0;
            s += weight[k] * (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
        }
        l[i] = s + 0.05;
    }
    return l[0] > l[1] ? l[0] / l[1] : l[1] / l[0];
}

static int32_t xterm(int index)
{
    static const int level[] = {0x00, 0x5f, 0x87, 0xaf, 0xd7, 0xff};

    if (index >= 232) {
        int v = 8 + (index - 232) * 10;
        return v << 16 | v << 8 | v;
    }
    index -= 16;
    return level[index / 36] << 16 | level[index / 6 % 6] << 8 | level[index % 6];
}

static const struct built {
    const char *label;
    int32_t background;
    double least;
} built[] = {
    {"dark", 0x1f2430, 4.5},
    {"light", 0xffffff, 4.5},
    {"safe", 0x000000, 7.0},
};

/* In exact colours and in those of 256, each role on its own background or the theme's. */
static void contrast_row(void **state)
{
    const struct built *r = *state;
    struct theme t = any();
    struct err err = {0};

    assert_true(theme_load(r->label, &t, &err));
    assert_false(t.is_mono);
    for (int role = 0; role < ROLE_COUNT; role++) {
        const struct paint *p = &t.paint[role];
        int32_t back = p->back_rgb < 0 ? r->background : p->back_rgb;
        int32_t back_256 = p->back_c256 < 0 ? r->background : xterm(p->back_c256);

        assert_true(p->rgb >= 0);
        assert_in_range(p->c256, 16, 255);
        if (contrast_of(p->rgb, back) < r->least ||
            contrast_of(xterm(p->c256), back_256) < r->least) {
            fail_msg("%s role %d: %.2f exact, %.2f of 256, less than %.1f", r->label, role,
                     contrast_of(p->rgb, back), contrast_of(xterm(p->c256), back_256),
                     r->least);
        }
        assert_in_range(theme_contrast(p->rgb, back),
                        (int)(contrast_of(p->rgb, back) * 100) - 1,
                        (int)(contrast_of(p->rgb, back) * 100) + 1);
    }
}

/* Roles that tell states apart differ in every mode. */
static void states_differ(void **state)
{
    static const enum role roles[] = {ROLE_TEXT, ROLE_WARN, ROLE_FAIL, ROLE_UNKNOWN};

    (void)state;
    for (int n = 0; theme_names[n]; n++) {
        struct theme t = any();
        struct err err = {0};

        assert_true(theme_load(theme_names[n], &t, &err));
        assert_string_equal(t.name, theme_names[n]);
        for (size_t i = 0; i < 4; i++) {
            for (size_t k = 0; k < i; k++) {
                const struct paint *a = &t.paint[roles[i]], *b = &t.paint[roles[k]];

                assert_true(t.is_mono || a->rgb != b->rgb);
                assert_true(t.is_mono || a->c256 != b->c256);
                assert_true(t.is_mono || a->c16 != b->c16 || a->attr != b->attr);
                if (roles[i] == ROLE_FAIL || roles[k] == ROLE_TEXT) {
                    assert_int_not_equal(a->mono, b->mono);
                }
            }
        }
    }
}

/* A built-in file leaves nothing to what was there before, and mono no colour. */
static void built_in_files_name_every_role(void **state)
{
    (void)state;
    for (int n = 0; theme_names[n]; n++) {
        struct theme t = any();
        struct err err = {0};

        memset(t.paint, 0x55, sizeof t.paint);
        assert_true(theme_parse(str_of(theme_texts[n]), theme_names[n], &t, &err));
        for (int role = 0; role < ROLE_COUNT; role++) {
            assert_int_not_equal(t.paint[role].rgb, 0x55555555);
            assert_true(!t.is_mono || (t.paint[role].rgb == -1 && t.paint[role].c16 == -1));
        }
        assert_int_equal(t.is_mono, strcmp(theme_names[n], "mono") == 0);
    }
}

static void contrast_of_black_and_white(void **state)
{
    (void)state;
    assert_int_equal(theme_contrast(0x000000, 0xffffff), 2100);
    assert_int_equal(theme_contrast(0x777777, 0x777777), 100);
}

static void nearest_of_256(void **state)
{
    (void)state;
    for (int i = 16; i < 256; i++) { /* of equal ones the first: compare colours */
        assert_int_equal(xterm(theme_nearest_256(xterm(i))), xterm(i));
    }
    assert_int_equal(theme_nearest_256(0x000000), 16);
    assert_int_equal(theme_nearest_256(0x8fd19e), 115);
    assert_int_equal(theme_nearest_256(0x9b9b9b), 247);
}

/* ---- files of a user ---- */

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void user_files(void **state)
{
    char dir[] = "/tmp/theme_test.XXXXXX", command[600];
    struct theme t = any(), before;
    struct err err = {0};

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(command, sizeof command, "mkdir -p %s/barkeep/themes", dir);
    assert_int_equal(system(command), 0);
    setenv("XDG_CONFIG_HOME", dir, 1);
    snprintf(command, sizeof command, "%s/barkeep/themes", dir);
    write_file(command, "mine.ini", "base = light\nok = #000000 16 black -\n");
    write_file(command, "bad.ini", "; first\nok = #zzzzzz 16 black -\n");
    write_file(command, "dark.ini", "colours = no\n");

    assert_true(theme_load("mine", &t, &err));
    assert_string_equal(t.name, "mine");
    assert_int_equal(t.paint[ROLE_OK].rgb, 0);
    assert_int_equal(t.paint[ROLE_FAIL].rgb, 0xb3261e);
    assert_true(theme_load("dark", &t, &err)); /* the built-in one, not the file */
    assert_false(t.is_mono);

    before = t;
    assert_false(theme_load("bad", &t, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_true(strstr(err.what, "/bad.ini:2"));
    memset(&err, 0, sizeof err);
    assert_false(theme_load("none", &t, &err));
    assert_int_equal(err.code, ERR_MISSING);
    memset(&err, 0, sizeof err);
    assert_false(theme_load("../mine", &t, &err));
    assert_int_equal(err.code, ERR_USAGE);
    memset(&err, 0, sizeof err);
    assert_false(theme_load("", &t, &err));
    assert_memory_equal(&t, &before, sizeof t);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

TEST_MAIN(ROWS(lines, line_row), ROWS(built, contrast_row), ONE(line_numbers_are_told),
          ONE(nul_and_long_lines_are_refused), ONE(base_gives_what_is_not_said),
          ONE(states_differ), ONE(built_in_files_name_every_role),
          ONE(contrast_of_black_and_white), ONE(nearest_of_256), ONE(user_files))
