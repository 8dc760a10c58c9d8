/* SPDX-License-Identifier: PostgreSQL */
/* A backup as a server would stream it, fed to the tree. Every file holds "123456789", whose
 * CRC-32C is e3069283 (RFC 3720); the sum of the manifest is made by digest.h, which has the
 * vectors of FIPS 180-4 for itself. */
#include "core/repo/fixture.h"

#include "base/digest.h"
#include "engine/backup_tree.h"
#include "engine/kept_pack.h"
#include "pg/conn.h"

#define TEXT "123456789"
#define SUM  "839206e3"
#define BASE "PG_VERSION:pg_wal/:pg_wal/x:base/:base/16384.1"

/* Members are parted by ':'; one that ends in '/' is a directory, in '>' a link. */
static const struct row {
    const char *label;
    const char *location; /* of a second archive, tablespace 16385; "": there is none */
    const char *members, *space;
    const char *listed; /* in the manifest, parted by ':' */
    const char *why;    /* NULL: kept */
} rows[] = {
    {"plain", "", BASE, "", "PG_VERSION:base/16384.1", NULL},
    {"a tablespace", "/srv/ts", BASE ":pg_tblspc/:pg_tblspc/16385>", "PG_15/:PG_15/1",
     "PG_VERSION:base/16384.1:pg_tblspc/16385/PG_15/1", NULL},
    {"a tablespace in place", "pg_tblspc/16385", BASE, "PG_15/:PG_15/1",
     "PG_VERSION:base/16384.1:pg_tblspc/16385/PG_15/1", NULL},
    {"in another order", "", BASE, "", "base/16384.1:PG_VERSION", NULL},

    {"a tablespace anywhere below", "base/x", BASE, "", "", "not where a tablespace can be"},
    {"a tablespace above", "../x", BASE, "", "", "not where a tablespace can be"},
    {"not in the manifest", "", BASE, "", "PG_VERSION", "came but is not in the manifest"},
    {"did not come", "", BASE, "", "PG_VERSION:base/16384.1:base/2", "did not come"},
    {"listed twice", "", BASE, "", "PG_VERSION:base/16384.1:PG_VERSION", "twice"},
    {"listed twice, others in between", "", BASE, "", "PG_VERSION:PG_VERSION:base/16384.1",
     "twice"},
    {"sent twice", "", BASE ":PG_VERSION", "", "", "the stream names it twice"},
    {"a link of its own", "", "PG_VERSION:link>", "", "", "not a tablespace's"},
    {"through a link", "/srv/ts", "pg_tblspc/:pg_tblspc/16385>:pg_tblspc/16385/x", "", "",
     "not a directory"},
    {"our temporary name", "", BASE ":backup_manifest.tmp", "", "", "exist"},
};

static bool put(struct tree *t, const void *p, size_t n, struct err *err)
{
    struct tree_item item = {.kind = TREE_DATA, .bufs = 1};

    item.buf[0].mem = malloc(n);
    assert_non_null(item.buf[0].mem);
    memcpy(item.buf[0].mem, p, n);
    item.buf[0].p = item.buf[0].mem;
    item.buf[0].n = n;
    return tree_consume(t, &item, false, err);
}

static bool put_member(struct tree *t, struct str name, struct err *err)
{
    uint8_t b[1024] = {0};
    char last = name.p[name.n - 1];
    unsigned sum = 0;

    memcpy(b, name.p, last == '>' ? name.n - 1 : name.n);
    memcpy(b + 100, "0000600", 8);
    memcpy(b + 124, last == '/' || last == '>' ? "00000000000" : "00000000011", 12);
    memcpy(b + 136, "14610000000", 12);
    b[156] = last == '/' ? '5' : last == '>' ? '2' : '0';
    if (last == '>') {
        memcpy(b + 157, "/srv/ts", 7);
    }
    memcpy(b + 257,
           "ustar\0"
           "00",
           8);
    memset(b + 148, ' ', 8);
    for (int i = 0; i < 512; i++) {
        sum += b[i];
    }
    snprintf((char *)b + 148, 8, "%06o", sum);
    memcpy(b + 512, TEXT, sizeof TEXT - 1);
    return put(t, b, last == '/' || last == '>' ? 512 : 1024, err);
}

static bool put_archive(struct tree *t, size_t i, const char *members, struct err *err)
{
    struct tree_item begin = {.kind = TREE_ARCHIVE, .archive = i};
    struct tree_item end = {.kind = TREE_ARCHIVE_END};
    struct str rest = str_of(members), name;
    bool ok = tree_consume(t, &begin, true, err);

    while (ok && str_split(&rest, ':', &name)) {
        ok = name.n == 0 || put_member(t, name, err);
    }
    return ok && tree_consume(t, &end, true, err);
}

static bool put_manifest(struct tree *t, const char *listed, struct err *err)
{
    struct tree_item begin = {.kind = TREE_MANIFEST}, end = {.kind = TREE_ARCHIVE_END};
    char text[8192], hex[DIGEST_HEX_CAP];
    struct str rest = str_of(listed), name;
    uint8_t sum[DIGEST_MAX];
    struct digest d;
    struct sbuf b;

    sbuf_init(&b, text, sizeof text);
    sbuf_add(&b, "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [");
    for (int i = 0; str_split(&rest, ':', &name); i++) {
        sbuf_fmt(&b,
                 "%s\n{ \"Path\": \"%.*s\", \"Size\": 9, \"Last-Modified\": "
                 "\"2026-11-22 13:43:59 GMT\", \"Checksum-Algorithm\": \"CRC32C\", "
                 "\"Checksum\": \"" SUM "\" }",
                 i ? "," : "", (int)name.n, name.p);
    }
    sbuf_add(&b, "\n],\n\"WAL-Ranges\": [\n{ \"Timeline\": 1, \"Start-LSN\": \"0/2000028\", "
                 "\"End-LSN\": \"0/2000100\" }\n],\n");
    assert_true(digest_init(&d, DIGEST_SHA256, err));
    digest_feed(&d, text, b.len);
    digest_end(&d, sum);
    sbuf_fmt(&b, "\"Manifest-Checksum\": \"%s\"}\n", hex_text(sum, 32, hex, sizeof hex));
    assert_true(sbuf_ok(&b));
    return tree_consume(t, &begin, true, err) && put(t, text, b.len, err) &&
           tree_consume(t, &end, false, err);
}

static bool stream(struct tree *t, const struct row *row, struct err *err)
{
    struct base_backup_archive list[2] = {{.location = NULL},
                                          {.location = row->location, .oid = 16385}};
    size_t n = row->location[0] ? 2 : 1;

    /* The server sends the base directory last. */
    if (n == 2) {
        list[0] = list[1];
        list[1] = (struct base_backup_archive){.location = NULL};
    }
    return tree_archives(t, list, n, err) && (n == 1 || put_archive(t, 0, row->space, err)) &&
           put_archive(t, n - 1, row->members, err) && put_manifest(t, row->listed, err) &&
           tree_commit(t, err);
}

static void check_row(void **state)
{
    const struct row *row = *state;
    struct tree_spec spec = {
        .checksums = DIGEST_CRC32C, .mode = 0700, .block_size = 8192, .trailers = false};
    struct err err = {0};
    struct tree *t;
    struct fx f;
    bool ok;

    fx_init(&f);
    spec.dir = fx_fmt("%s/20260101T000000", f.r.base_dir);
    t = tree_new(&spec, &err);
    assert_non_null(t);
    ok = stream(t, row, &err);
    if (ok != !row->why || (row->why && !strstr(err.why, row->why))) {
        fail_msg("'%s': %s", err.what, ok ? "kept" : err.why);
    }
    assert_int_equal(fx_there(fx_fmt("%s/20260101T000000/data/backup_manifest", f.r.base_dir)),
                     ok);
    if (ok) {
        const struct tree_result *r = tree_result(t);

        /* base/16384.1 is no whole page; pg_wal is not in the manifest, and kept. */
        assert_int_equal(r->odd, 1 + (row->location[0] != '\0'));
        assert_int_equal(r->files, 4 + (row->location[0] != '\0'));
        assert_int_equal(fx_size(fx_fmt("%s/20260101T000000/data/pg_wal/x", f.r.base_dir)), 9);
    }
    if (ok && row->location[0]) {
        assert_int_equal(
            fx_size(fx_fmt("%s/20260101T000000/data/pg_tblspc/16385/PG_15/1", f.r.base_dir)),
            9);
    }
    tree_free(t);
    fx_release(&f);
}

/* --- stored as archives: packed, then read back against the manifest --- */

static const struct packed {
    const char *label;
    struct backup_form form;
    const char *base, *space; /* files */
} packed[] = {
    {"tar", {.is_tar = true, .level = FORM_LEVEL_UNSET}, "base.tar", "16385.tar"},
    {"gzip",
     {.is_tar = true, .codec = CODEC_GZIP, .level = FORM_LEVEL_UNSET},
     "base.tar.gz",
     "16385.tar.gz"},
    {"gzip of level 9",
     {.is_tar = true, .codec = CODEC_GZIP, .level = 9},
     "base.tar.gz",
     "16385.tar.gz"},
};

static void count_faults(void *ctx, const char *path, enum sums_fault fault)
{
    (void)path;
    (void)fault;
    ++*(int *)ctx;
}

/* How many files are not what the manifest says; -1: the archive cannot be read. */
static int faults_of(struct arena *a, const char *data, size_t at, const char *listed)
{
    struct task_sink sink;
    struct task task = task_serial(NULL, NULL, &sink);
    struct kept_pack_read read = {.task = &task, .checksums = DIGEST_CRC32C, .spool = data};
    struct err err = {0};
    int faults = 0;

    (void)listed;
    assert_true(kept_pack_list(a, data, &read.list, &read.n, &err));
    assert_true(at < read.n);
    read.at = at;
    read.manifest = arena_fmt(a, "%s/backup_manifest", data);
    read.fault = count_faults;
    read.events.ctx = &faults;
    return kept_pack_read(&read, &err) ? faults : -1;
}

static void flip_byte(const char *path, long at)
{
    FILE *f = fopen(path, "r+b");
    int c;

    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    c = fgetc(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_not_equal(fputc(c ^ 1, f), EOF);
    fclose(f);
}

static void check_packed(void **state)
{
    const struct packed *p = *state;
    const struct row *row = &rows[1]; /* with a tablespace */
    struct task_sink sink;
    struct task task = task_serial(NULL, NULL, &sink);
    struct tree_spec spec = {.checksums = DIGEST_CRC32C,
                             .mode = 0700,
                             .block_size = 8192,
                             .form = &p->form,
                             .task = &task};
    struct err err = {0};
    const char *data;
    struct arena a;
    struct tree *t;
    struct fx f;

    arena_init(&a, 0);
    fx_init(&f);
    spec.dir = fx_fmt("%s/20260101T000000", f.r.base_dir);
    data = arena_fmt(&a, "%s/20260101T000000/data", f.r.base_dir);
    t = tree_new(&spec, &err);
    assert_non_null(t);
    assert_true(stream(t, row, &err));
    assert_true(fx_there(fx_fmt("%s/%s", data, p->base)));
    assert_true(fx_there(fx_fmt("%s/%s", data, p->space)));
    assert_false(fx_there(fx_fmt("%s/PG_VERSION", data)));
    assert_true(fx_there(fx_fmt("%s/20260101T000000/16385", f.r.base_dir)));
    assert_int_equal(tree_result(t)->bytes, fx_size(fx_fmt("%s/%s", data, p->base)) +
                                                fx_size(fx_fmt("%s/%s", data, p->space)) +
                                                fx_size(fx_fmt("%s/backup_manifest", data)));
    tree_free(t);

    assert_int_equal(faults_of(&a, data, 0, row->listed), 0);
    assert_int_equal(faults_of(&a, data, 1, row->listed), 0);
    /* The first byte of PG_VERSION's data, or of gzip's. */
    flip_byte(fx_fmt("%s/%s", data, p->base), p->form.codec ? 30 : 512);
    assert_int_equal(faults_of(&a, data, 0, row->listed), p->form.codec ? -1 : 1);
    assert_int_equal(truncate(fx_fmt("%s/%s", data, p->space), 20), 0);
    assert_int_equal(faults_of(&a, data, 1, row->listed), -1);
    arena_release(&a);
    fx_release(&f);
}

static void libpq_is_loaded_first(void **state)
{
    char out[64];

    (void)state; /* it frees the buffers */
    assert_string_equal(pg_show_conninfo("host=h", out, sizeof out), "host=h");
}

TEST_MAIN(ONE(libpq_is_loaded_first), ROWS(rows, check_row), ROWS(packed, check_packed))
