/* SPDX-License-Identifier: PostgreSQL */
/* Lines of fstab(5): what stands at or above a directory. */
#include "base/fstab.h"

#include "harness.h"

#define HOME "/srv/barman"

static const struct row {
    const char *label;
    const char *text;
    const char *mount; /* NULL: none */
} rows[] = {
    {"itself", "/dev/sdb1 /srv/barman ext4 defaults 0 2\n", "/srv/barman"},
    {"above", "UUID=0a1b /srv xfs defaults 0 0\n", "/srv"},
    {"the nearest, first", "a /srv/barman ext4 rw\nb /srv ext4 rw\n", "/srv/barman"},
    {"the nearest, last", "b /srv ext4 rw\na /srv/barman ext4 rw\n", "/srv/barman"},
    {"a slash at the end", "a /srv/ ext4 rw\n", "/srv"},
    {"tabs and blanks", " \ta\t/srv\t \text4\trw\n", "/srv"},
    {"no end of line", "nas:/vol /srv nfs rw", "/srv"},
    {"not the root", "/dev/sda1 / ext4 errors=remount-ro 0 1\n", NULL},
    {"below", "a /srv/barman/main ext4 rw\n", NULL},
    {"a longer name", "a /srv/barman2 ext4 rw\n", NULL},
    {"a shorter name", "a /srv/bar ext4 rw\n", NULL},
    {"another letter case", "a /SRV ext4 rw\n", NULL},
    {"a comment", "#a /srv ext4 rw\n", NULL},
    {"a bind is no disk", "/mnt/x /srv none bind 0 0\n", NULL},
    {"a bind among options", "/mnt/x /srv none rw,rbind 0 0\n", NULL},
    {"an option that begins so", "a /srv ext4 binder\n", "/srv"},
    {"swap", "/swapfile none swap sw 0 0\n", NULL},
    {"too few words", "a /srv ext4\n", NULL},
    {"one word", "a\n", NULL},
    {"blank lines", "\n  \n\t\n", NULL},
    {"empty", "", NULL},
    {"a relative path", "a srv ext4 rw\n", NULL},
};

static void above(void **state)
{
    const struct row *r = *state;
    char out[PATH_CAP];
    bool found = fstab_above(str_of(r->text), HOME, out);

    assert_int_equal(found, r->mount != NULL);
    if (r->mount) {
        assert_string_equal(out, r->mount);
    }
}

static const struct row escapes[] = {
    {"a blank", "a /srv/two\\040words ext4 rw\n", "/srv/two words"},
    {"a backslash that is none", "a /srv/two\\04 ext4 rw\n", NULL},
    {"digits that are not octal", "a /srv/two\\090words ext4 rw\n", NULL},
};

static void escaped(void **state)
{
    const struct row *r = *state;
    char out[PATH_CAP];

    assert_int_equal(fstab_above(str_of(r->text), "/srv/two words/barman", out),
                     r->mount != NULL);
    if (r->mount) {
        assert_string_equal(out, r->mount);
    }
}

/* A path that no file can have. */
static void too_long(void **state)
{
    static char text[3 * PATH_CAP];
    char out[PATH_CAP];

    (void)state;
    memset(text, '/', sizeof text - 1);
    memcpy(text, "a ", 2);
    memcpy(text + sizeof text - 12, " ext4 rw  \n", 11);
    assert_false(fstab_above(str_of(text), HOME, out));
}

TEST_MAIN(ROWS(rows, above), ROWS(escapes, escaped), ONE(too_long))
