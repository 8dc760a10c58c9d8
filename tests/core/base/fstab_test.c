/* SPDX-License-Identifier: PostgreSQL */
/* Lines of fstab(5) and mountinfo, and what they say of directories that are there. The mounts of
 * this machine are used: /proc is one, the test's own directory is none. Mounts made for the
 * purpose, which needs root, are in tests/pg/cron_test.sh. */
#include "base/fstab.h"

#include "base/sys.h"

#include "harness.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- lines of an fstab ---- */

static const struct row {
    const char *label;
    const char *text;
    const char *mounts; /* one a line */
} rows[] = {
    {"one", "/dev/sdb1 /srv/barman ext4 defaults 0 2\n", "/srv/barman\n"},
    {"two", "UUID=0a1b /srv xfs defaults 0 0\nLABEL=x /mnt ext4 rw\n", "/srv\n/mnt\n"},
    {"a slash at the end", "a /srv/ ext4 rw\n", "/srv\n"},
    {"slashes at the end", "a /srv/// ext4 rw\n", "/srv\n"},
    {"the root", "/dev/sda1 / ext4 errors=remount-ro 0 1\n", "/\n"},
    {"tabs and blanks", " \ta\t/srv\t \text4\trw\n", "/srv\n"},
    {"no end of line", "nas:/vol /srv nfs rw", "/srv\n"},
    {"an end of line from elsewhere", "a /srv ext4 rw\r\nb /mnt ext4 rw\r\n", "/srv\n/mnt\n"},
    {"a bind", "/mnt/x /srv none bind 0 0\n", "/srv\n"},
    {"not at boot", "a /srv ext4 noauto,nofail 0 0\n", "/srv\n"},
    {"a blank", "a /srv/two\\040words ext4 rw\n", "/srv/two words\n"},
    {"a backslash", "a /srv/two\\134 ext4 rw\n", "/srv/two\\\n"},
    {"a backslash that is none", "a /srv/two\\04 ext4 rw\n", "/srv/two\\04\n"},
    {"digits that are not octal", "a /srv/two\\090words ext4 rw\n", "/srv/two\\090words\n"},
    {"an escaped end of text", "a /srv/two\\000words ext4 rw\nb /mnt ext4 rw\n", "/mnt\n"},
    {"a comment", "#a /srv ext4 rw\n  # b /mnt ext4 rw\n", ""},
    {"swap", "/swapfile none swap sw 0 0\n/dev/sda2 swap swap sw 0 0\n", ""},
    {"too few words", "a /srv\nb\n", ""},
    {"no options", "a /srv ext4\n", "/srv\n"},
    {"one word", "a\n", ""},
    {"blank lines", "\n  \n\t\n", ""},
    {"empty", "", ""},
    {"a relative path", "a srv ext4 rw\n", ""},
};

static void lines(void **state)
{
    const struct row *r = *state;
    char out[PATH_CAP], all[512];
    struct str text = str_of(r->text);
    struct sbuf b;

    sbuf_init(&b, all, sizeof all);
    while (fstab_next(&text, out)) {
        sbuf_fmt(&b, "%s\n", out);
    }
    assert_string_equal(all, r->mounts);
}

/* A path that no file can have. */
static void too_long(void **state)
{
    static char text[3 * PATH_CAP];
    struct str rest;
    char out[PATH_CAP];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    memcpy(text, "a /", 3);
    memcpy(text + sizeof text - 12, " ext4 rw  \n", 11);
    rest = str_of(text);
    assert_false(fstab_next(&rest, out));
}

/* ---- lines of a mountinfo ---- */

#define INFO                                                                                   \
    "26 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"                                          \
    "29 24 0:26 / /dev/shm rw,relatime shared:2 master:1 - tmpfs tmpfs rw\n"                   \
    "41 26 0:44 /@home /srv/two\\040words rw - btrfs /dev/sdb1 rw,subvol=/@home\n"             \
    "42 26 254:0 /var/x /srv/bound rw,relatime - ext4 /dev/vda rw\n"                           \
    "43 26 0:13\n"                                                                             \
    "x 26 0:13 / /odd rw - tracefs none rw\n"                                                  \
    "44 26 0:4 net:[4026532177] none rw - nsfs nsfs rw\n"

static const struct info_row {
    const char *label;
    uint64_t id;
    const char *point; /* NULL: not found */
} info_rows[] = {
    {"the root", 26, "/"},
    {"with more fields", 29, "/dev/shm"},
    {"a subvolume, a blank", 41, "/srv/two words"},
    {"a bind", 42, "/srv/bound"},
    {"cut", 43, NULL},
    {"no path", 44, NULL},
    {"not there", 4, NULL},
    {"no number", 0, NULL},
    {"too big", UINT64_MAX, NULL},
};

static void point_of(void **state)
{
    const struct info_row *r = *state;
    char out[PATH_CAP];

    assert_int_equal(mountinfo_point(str_of(INFO), r->id, out), r->point != NULL);
    if (r->point) {
        assert_string_equal(out, r->point);
    }
}

/* ---- what is so on this machine ---- */

static char root[PATH_CAP];

static const struct place_row {
    const char *label;
    const char *fstab, *path; /* '@' is the test's own directory */
    const char *mount;        /* NULL: nothing to say */
} place_rows[] = {
    {"itself", "x @/disk ext4 rw\n", "@/disk", "@/disk"},
    {"below", "x @/disk ext4 rw\n", "@/disk/sub", "@/disk"},
    {"below, not there", "x @/disk ext4 rw\n", "@/disk/a/b", "@/disk"},
    {"slashes at the end", "x @/disk/ ext4 rw\n", "@/disk/a//", "@/disk"},
    {"the mount point is missing", "x @/none ext4 rw\n", "@/none/home", "@/none"},
    {"by a link", "x @/disk ext4 rw\n", "@/link/home", "@/disk"},
    {"the line by a link", "x @/link ext4 rw\n", "@/disk/home", "@/link"},
    {"a link to what is not there", "x @/none ext4 rw\n", "@/gone/home", "@/none"},
    {"a relative link to what is not there", "x @/none ext4 rw\n", "@/sidewards", "@/none"},
    {"the nearest, last", "y @ ext4 rw\nx @/disk ext4 rw\n", "@/disk/a", "@/disk"},
    {"the nearest, first", "x @/disk ext4 rw\ny @ ext4 rw\n", "@/disk/a", "@/disk"},
    {"a bind", "/mnt @/disk none bind 0 0\n", "@/disk", "@/disk"},
    {"not at boot", "UUID=0a @/disk ext4 noauto,nofail 0 0\n", "@/disk", "@/disk"},
    {"a blank", "x @/two\\040words ext4 rw\n", "@/two words/a", "@/two words"},
    {"mounted", "x /proc proc rw\n", "/proc/sys", NULL},
    {"mounted, by a link", "x /proc proc rw\n", "/proc/self", NULL},
    {"a link out of it to what is mounted", "x @/disk ext4 rw\n", "@/disk/away", NULL},
    {"above", "x @/disk/sub ext4 rw\n", "@/disk", NULL},
    {"a longer name", "x @/disk2 ext4 rw\n", "@/disk", NULL},
    {"a shorter name", "x @/dis ext4 rw\n", "@/disk", NULL},
    {"another letter case", "x @/DISK ext4 rw\n", "@/disk", NULL},
    {"the root", "x / ext4 rw\n", "@/disk", NULL},
    {"swap", "x none swap sw\n", "@/disk", NULL},
    {"no line", "", "@/disk", NULL},
    {"a link to itself", "x @ ext4 rw\n", "@/loop/a", NULL},
    {"below a file", "x @ ext4 rw\n", "@/file/a", NULL},
    {"a relative path", "x @ ext4 rw\n", "disk", NULL},
    {"an empty path", "x @ ext4 rw\n", "", NULL},
};

static const char *expand(const char *text, char *out, size_t cap)
{
    struct sbuf b;

    sbuf_init(&b, out, cap);
    for (; *text; text++) {
        if (*text == '@') {
            sbuf_add(&b, root);
        } else {
            sbuf_char(&b, *text);
        }
    }
    assert_true(sbuf_ok(&b));
    return out;
}

static const char *in_root(const char *name)
{
    static char path[2 * PATH_CAP];

    str_fmt(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void make(void)
{
    char dir[] = "/tmp/barkeep-fstab-XXXXXX", to[2 * PATH_CAP];
    int fd;

    assert_non_null(mkdtemp(dir));
    assert_int_equal(sys_real_path(dir, root), 0);
    assert_int_equal(mkdir(in_root("disk"), 0700), 0);
    assert_int_equal(mkdir(in_root("disk/sub"), 0700), 0);
    assert_int_equal(mkdir(in_root("two words"), 0700), 0);
    fd = open(in_root("file"), O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0 && close(fd) == 0);
    assert_int_equal(symlink(expand("@/disk", to, sizeof to), in_root("link")), 0);
    assert_int_equal(symlink(expand("@/none/x", to, sizeof to), in_root("gone")), 0);
    assert_int_equal(symlink("none/./x", in_root("sidewards")), 0);
    assert_int_equal(symlink("/proc", in_root("disk/away")), 0);
    assert_int_equal(symlink("loop", in_root("loop")), 0);
}

static void take_away(void)
{
    static const char *const file[] = {"link",      "gone", "sidewards",
                                       "disk/away", "loop", "file"};
    static const char *const dir[] = {"disk/sub", "disk", "two words"};

    for (size_t i = 0; i < sizeof file / sizeof file[0]; i++) {
        assert_int_equal(unlink(in_root(file[i])), 0);
    }
    for (size_t i = 0; i < sizeof dir / sizeof dir[0]; i++) {
        assert_int_equal(rmdir(in_root(dir[i])), 0);
    }
    assert_int_equal(rmdir(root), 0);
}

static void place(void **state)
{
    const struct place_row *r = *state;
    static char text[4 * PATH_CAP], path[2 * PATH_CAP], want[2 * PATH_CAP];
    const char *const paths[] = {NULL, "/proc", path};
    char out[PATH_CAP];
    size_t got;

    make();
    expand(r->fstab, text, sizeof text);
    expand(r->path, path, sizeof path);
    got = fstab_unmounted_by(str_of(text), paths, 3, out);
    take_away();
    assert_int_equal(got, r->mount ? 2 : 3);
    if (r->mount) {
        assert_string_equal(out, expand(r->mount, want, sizeof want));
    }
}

/* More lines than there is room for: the first ones count. */
static void many_lines(void **state)
{
    static char text[1 << 16];
    const char *const first = "/nowhere/0000/and/no/room/a";
    struct sbuf b;
    char out[PATH_CAP];

    (void)state;
    sbuf_init(&b, text, sizeof text);
    for (int i = 0; i < 1500; i++) {
        sbuf_fmt(&b, "x /nowhere/%04d/and/no/room ext4 rw\n", i);
    }
    assert_true(sbuf_ok(&b));
    assert_int_equal(fstab_unmounted_by(str_of(text), &first, 1, out), 0);
    assert_string_equal(out, "/nowhere/0000/and/no/room");
}

TEST_MAIN(ROWS(rows, lines), ROWS(info_rows, point_of), ROWS(place_rows, place), ONE(too_long),
          ONE(many_lines))
