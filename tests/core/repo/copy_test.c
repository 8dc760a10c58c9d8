/* SPDX-License-Identifier: PostgreSQL */
/* CRC-32C of "123456789" is 0xE3069283, the check value of the Rocksoft model; a manifest has
 * its bytes in the order of a little-endian host. */
#include "repo/copy.h"

#include "base/file.h"
#include "repo/tree.h"

#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char root[64];
static const uint8_t right[4] = {0x83, 0x92, 0x06, 0xE3};
static const uint8_t wrong[4] = {0x83, 0x92, 0x06, 0xE2};

static const char *at(const char *name)
{
    static char path[4][PATH_CAP];
    static int n;

    n = (n + 1) % 4;
    snprintf(path[n], PATH_CAP, "%s/%s", root, name);
    return path[n];
}

static void put(const char *name, const char *text, mode_t mode)
{
    int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void holds(const char *name, const char *text, mode_t mode)
{
    char got[64] = "";
    struct stat st;
    int fd = open(at(name), O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(read(fd, got, sizeof got - 1), strlen(text));
    assert_string_equal(got, text);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, mode);
    close(fd);
}

static const struct row {
    const char *label;
    enum copy_over over;
    const char *source, *there; /* there NULL: the target is new */
    mode_t mode;
    bool sized;
    uint64_t size;
    enum digest_kind kind;
    const uint8_t *sum;
    const char *why; /* NULL: copied */
} rows[] = {
    {"plain", COPY_NEW, "123456789", NULL, 0600, false, 0, DIGEST_NONE, NULL, NULL},
    {"row 97: mode kept", COPY_NEW, "123456789", NULL, 0640, false, 0, DIGEST_NONE, NULL, NULL},
    {"with sum", COPY_NEW, "123456789", NULL, 0600, true, 9, DIGEST_CRC32C, right, NULL},
    {"empty", COPY_NEW, "", NULL, 0600, true, 0, DIGEST_NONE, NULL, NULL},
    {"there, right", COPY_RECHECK, "123456789", "123456789", 0600, true, 9, DIGEST_CRC32C,
     right, NULL},
    {"there, other bytes", COPY_RECHECK, "123456789", "12345678x", 0600, true, 9, DIGEST_CRC32C,
     right, NULL},
    {"there, longer", COPY_RECHECK, "123456789", "1234567890", 0600, true, 9, DIGEST_CRC32C,
     right, NULL},
    {"there, shorter, unlisted", COPY_RECHECK, "123456789", "1234", 0640, false, 0, DIGEST_NONE,
     NULL, NULL},
    {"there, other bytes, unlisted", COPY_RECHECK, "123456789", "x23456789", 0600, false, 0,
     DIGEST_NONE, NULL, NULL},
    {"row 94: wrong sum", COPY_NEW, "123456789", NULL, 0600, true, 9, DIGEST_CRC32C, wrong,
     "its CRC32C is 839206e3, the manifest has 839206e2"},
    {"row 94: wrong size", COPY_NEW, "123456789", NULL, 0600, true, 8, DIGEST_CRC32C, right,
     "has 9 bytes instead of 8"},
    {"nothing is written over", COPY_NEW, "123456789", "old", 0600, false, 0, DIGEST_NONE, NULL,
     "exist"},
};

static void copies(void **state)
{
    const struct row *r = *state;
    struct sync sync;
    struct copy_rules rules = {.over = r->over, .sync = &sync};
    struct copy_file f = {.sized = r->sized, .size = r->size, .kind = r->kind, .sum = r->sum};
    struct err err = {0};
    uint64_t bytes = 0;

    sync_init(&sync);
    unlink(at("to"));
    put("from", r->source, r->mode);
    if (r->there) {
        put("to", r->there, 0600);
    }
    f.from = at("from");
    f.to = at("to");
    if (copy_file(&rules, &f, &bytes, &err)) {
        assert_null(r->why);
        assert_int_equal(bytes, strlen(r->source));
        holds("to", r->source, r->mode);
    } else {
        assert_non_null(r->why);
        assert_non_null(strstr(err.why, r->why));
        assert_non_null(strstr(err.what, r->there ? "/to" : "/from"));
    }
}

static void links_are_not_followed(void **state)
{
    struct sync sync;
    struct copy_rules rules = {.over = COPY_RECHECK, .sync = &sync};
    struct copy_file f = {.from = at("link"), .to = at("to")};
    struct err err = {0};
    uint64_t bytes;

    (void)state;
    sync_init(&sync);
    put("victim", "untouched", 0600);
    put("from", "123456789", 0600);
    assert_int_equal(symlink("victim", at("link")), 0);
    unlink(at("to"));
    assert_false(copy_file(&rules, &f, &bytes, &err)); /* as a source */
    f.from = at("from");
    f.to = at("link");
    err = (struct err){0};
    assert_false(copy_file(&rules, &f, &bytes, &err)); /* as a target */
    assert_int_equal(err.code, ERR_IO);
    holds("victim", "untouched", 0600);
    assert_false(copy_dir(at("link"), 0700, &rules.owner, &err));
}

static void row_96_root_gives_it_away(void **state)
{
    struct sync sync;
    struct copy_rules rules = {.owner = {true, 65534, 65534}, .sync = &sync};
    struct copy_file f;
    struct err err = {0};
    struct stat st;
    uint64_t bytes;

    (void)state;
    if (geteuid() != 0) {
        skip(); /* only root may */
    }
    sync_init(&sync);
    put("from", "123456789", 0640);
    unlink(at("given"));
    f = (struct copy_file){.from = at("from"), .to = at("given")};
    assert_true(copy_file(&rules, &f, &bytes, &err));
    assert_int_equal(stat(at("given"), &st), 0);
    assert_true(st.st_uid == 65534 && st.st_gid == 65534 && (st.st_mode & 0777) == 0640);
    /* Killed before it was given away: the right bytes, of the wrong owner. */
    rules.over = COPY_RECHECK;
    assert_int_equal(chown(at("given"), 0, 0), 0);
    assert_true(copy_file(&rules, &f, &bytes, &err));
    assert_int_equal(stat(at("given"), &st), 0);
    assert_true(st.st_uid == 65534 && st.st_gid == 65534);
    assert_true(copy_dir(at("given.d"), 0750, &rules.owner, &err));
    assert_int_equal(stat(at("given.d"), &st), 0);
    assert_true(st.st_uid == 65534 && (st.st_mode & 0777) == 0750);
}

struct told {
    uint64_t bytes;
    unsigned calls, most; /* the call after `most` is refused; 0: none is */
};

static bool count(void *ctx, uint64_t bytes, struct err *err)
{
    struct told *t = ctx;

    t->bytes += bytes;
    t->calls++;
    return t->most == 0 || t->calls <= t->most || err_set(err, ERR_CANCEL, "", "", "cancelled");
}

/* A million bytes: told while they are written, and stopped among them. */
static void a_large_file_is_told_as_it_grows(void **state)
{
    static uint8_t sum[DIGEST_MAX];
    static char text[1000001];
    struct sync sync;
    struct copy_rules rules = {.sync = &sync};
    char from[PATH_CAP], to[PATH_CAP];
    struct copy_file file = {.from = from, .to = to, .kind = DIGEST_CRC32C, .sum = sum};
    struct told told = {0};
    struct digest d;
    struct err err;
    uint64_t bytes;

    (void)state;
    sync_init(&sync);
    str_copy(from, sizeof from, at("large"));
    str_copy(to, sizeof to, at("large.copy"));
    memset(text, 'x', 1000000);
    put("large", text, 0600);
    assert_true(digest_init(&d, DIGEST_CRC32C, &err));
    digest_feed(&d, text, 1000000);
    digest_end(&d, sum);
    file.wrote = count;
    file.ctx = &told;
    assert_true(copy_file(&rules, &file, &bytes, &err));
    assert_int_equal(told.bytes, 1000000);
    assert_true(told.calls >= 4);
    unlink(to);
    told = (struct told){.most = 2};
    assert_false(copy_file(&rules, &file, &bytes, &err));
    assert_int_equal(err.code, ERR_CANCEL);
    assert_int_equal(told.calls, 3);
    unlink(to);
    file.kind = DIGEST_NONE;
    told = (struct told){0};
    assert_true(copy_file(&rules, &file, &bytes, &err));
    assert_int_equal(told.bytes, 1000000);
    unlink(to);
    unlink(from);
}

static void a_tree_is_told_whole(void **state)
{
    struct tree t = {.depth = 0};
    struct tree_entry e;
    struct err err = {0};
    int files = 0, dirs = 0, others = 0;

    (void)state;
    assert_int_equal(mkdir(at("tree"), 0700), 0);
    assert_int_equal(mkdir(at("tree/a"), 0700), 0);
    assert_int_equal(mkdir(at("tree/pruned"), 0700), 0);
    put("tree/a/one", "1", 0600);
    put("tree/two", "2", 0600);
    put("tree/pruned/three", "3", 0600);
    assert_int_equal(symlink("/", at("tree/link")), 0);
    assert_int_equal(mkfifo(at("tree/pipe"), 0600), 0);
    assert_true(tree_open(&t, at("tree"), &err));
    while (tree_next(&t, &e, &err) && e.kind != TREE_END) {
        files += e.kind == TREE_FILE;
        dirs += e.kind == TREE_DIR;
        others += e.kind == TREE_LINK || e.kind == TREE_OTHER;
        assert_string_not_equal(e.rel, "pruned/three");
        if (strcmp(e.rel, "pruned") == 0) {
            tree_prune(&t);
        }
    }
    tree_close(&t);
    assert_int_equal(files, 2);
    assert_int_equal(dirs, 2);
    assert_int_equal(others, 2);
    assert_false(tree_open(&t, at("nothing"), &err));
}

static int in_a_directory(struct harness *h)
{
    struct err err = {0};
    int failed;

    snprintf(root, sizeof root, "/tmp/barkeep-copy-XXXXXX");
    if (!mkdtemp(root)) {
        return 1;
    }
    failed = _cmocka_run_group_tests("copy", h->test, h->n, NULL, NULL);
    return tree_remove(root, &err) ? failed : 1;
}

int main(int argc, char **argv)
{
    static struct harness h;

    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    ROWS(rows, copies);
    ONE(links_are_not_followed);
    ONE(row_96_root_gives_it_away);
    ONE(a_large_file_is_told_as_it_grows);
    ONE(a_tree_is_told_whole);
    return in_a_directory(&h);
}
