/* SPDX-License-Identifier: PostgreSQL */
#include "core/repo/fixture.h"

#include "engine/get_wal.h"
#include "said.h"

#include <zlib.h>

#define W1 "000000010000000000000001"
#define W2 "000000010000000000000002"

static struct fx f;
static struct said said;

static void gzip_copy(const char *from, const char *to)
{
    static char mem[FX_SEG];
    int fd = open(from, O_RDONLY);
    gzFile gz = gzopen(to, "wb1");

    assert_int_equal(read(fd, mem, sizeof mem), FX_SEG);
    close(fd);
    assert_int_equal(gzwrite(gz, mem, sizeof mem), FX_SEG);
    gzclose(gz);
}

/* W1 archived and packed, W2 archived, 3 in incoming, 4 in streaming, 5 a partial there. */
static void fill(void)
{
    struct fx_seg part = fx_seg(1, 5);

    fx_init(&f);
    assert_int_equal(mkdir(fx_fmt("%s/0000000100000000", f.r.wals_dir), 0700), 0);
    fx_segment(f.root, 1);
    gzip_copy(fx_fmt("%s/" W1, f.root), fx_fmt("%s/0000000100000000/" W1, f.r.wals_dir));
    fx_segment(fx_fmt("%s/0000000100000000", f.r.wals_dir), 2);
    fx_segment(f.r.incoming_dir, 3);
    fx_segment(f.r.streaming_dir, 4);
    part.size = 50000;
    fx_seg_write(fx_fmt("%s/000000010000000000000005.partial", f.r.streaming_dir), part);
    fx_text(fx_fmt("%s/00000002.history", f.r.wals_dir), "1\t0/1\tx\n");
}

static const struct row {
    const char *label;
    const char *name;
    unsigned flags;
    long size;     /* what comes; -1: fails */
    int status;    /* when it fails */
    uint64_t addr; /* of the first page; 0: not looked at */
} rows[] = {
    {"packed", W1, 0, FX_SEG, 0, 1 * FX_SEG},
    {"plain", W2, 0, FX_SEG, 0, 2 * FX_SEG},
    {"in incoming", "000000010000000000000003", 0, FX_SEG, 0, 3 * FX_SEG},
    {"in streaming", "000000010000000000000004", 0, FX_SEG, 0, 4 * FX_SEG},
    {"partial, padded", "000000010000000000000005", GET_PARTIAL, FX_SEG, 0, 5 * FX_SEG},
    {"whole one with -P", W2, GET_PARTIAL, FX_SEG, 0, 2 * FX_SEG},
    {"partial by its own name", "000000010000000000000005.partial", 0, 50000, 0, 5 * FX_SEG},
    {"history", "00000002.history", 0, 8, 0, 0},
    {"99: partial without -P", "000000010000000000000005", 0, -1, 1, 0},
    {"99: nowhere", "000000010000000000000009", GET_PARTIAL, -1, 1, 0},
    {"history that is not there", "00000003.history", 0, -1, 1, 0},
    {"impossible name", "../../../etc/passwd", 0, -1, 3, 0},
    {"empty name", "", 0, -1, 3, 0},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct err err = {0};
    uint8_t head[40];
    struct get_wal what;
    const char *out;

    fill();
    out = fx_fmt("%s/out", f.root);
    what = (struct get_wal){.repo = &f.r, .name = row->name, .flags = row->flags};
    what.fd = open(out, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(get_wal(said_init(&said), &what, &err), row->size >= 0);
    if (row->size >= 0) {
        assert_int_equal(fx_size(out), row->size);
    } else {
        assert_int_equal(get_wal_status(&err), row->status);
        assert_int_equal(fx_size(out), 0);
    }
    if (row->addr) {
        assert_int_equal(pread(what.fd, head, 40, 0), 40);
        assert_int_equal(get_le64(head + 8), row->addr);
    }
    assert_string_equal(said.out, ""); /* nothing may mix with the bytes */
    close(what.fd);
    fx_release(&f);
}

/* -o: the whole file or none. */
static void into_a_directory(void **state)
{
    struct err err = {0};
    struct get_wal what;
    struct fx *x = &f;

    (void)state;
    fill();
    assert_int_equal(mkdir(fx_fmt("%s/o", x->root), 0700), 0);
    what = (struct get_wal){.repo = &f.r, .name = W1, .directory = fx_fmt("%s/o", x->root)};
    assert_true(get_wal(said_init(&said), &what, &err));
    assert_int_equal(fx_size(fx_fmt("%s/o/" W1, x->root)), FX_SEG);
    what.name = "000000010000000000000009";
    assert_false(get_wal(said_init(&said), &what, &err));
    assert_int_equal(get_wal_status(&err), 1);
    assert_string_equal(fx_only(fx_fmt("%s/o", x->root)), W1);
    err = (struct err){0};
    what.name = W1;
    what.directory = fx_fmt("%s/nowhere", x->root);
    assert_false(get_wal(said_init(&said), &what, &err));
    assert_int_equal(get_wal_status(&err), 3);
    fx_release(&f);
}

/* Barman names the client of an SSH connection behind each of its messages. */
static void tells_the_ssh_client(void **state)
{
    struct err err = {0};
    struct fx *x = &f;
    struct get_wal what = {.repo = &f.r, .name = W1, .host = "192.0.2.7"};

    (void)state;
    fill();
    what.directory = fx_fmt("%s/o", x->root);
    assert_int_equal(mkdir(what.directory, 0700), 0);
    assert_true(get_wal(said_init(&said), &what, &err));
    assert_string_equal(said.out, fx_fmt("Sending WAL '" W1 "' for server 'main' into "
                                         "'%s/o/" W1 "' file (SSH host: 192.0.2.7)\n",
                                         x->root));
    what.name = "000000010000000000000009";
    assert_false(get_wal(said_init(&said), &what, &err));
    assert_string_equal(err.why, "WAL file '000000010000000000000009' not found in server "
                                 "'main' (SSH host: 192.0.2.7)");
    what.name = "x";
    assert_false(get_wal(said_init(&said), &what, &err));
    assert_string_equal(err.why, "'x' is not a valid wal file name (SSH host: 192.0.2.7)");
    assert_false(get_wal_peek(said_init(&said), &what, 1, &err));
    assert_string_equal(err.why, "'x' is not a valid wal file name (SSH host: 192.0.2.7)");
    what.name = W1;
    what.directory = fx_fmt("%s/nowhere", x->root);
    assert_false(get_wal(said_init(&said), &what, &err));
    assert_string_equal(err.why, fx_fmt("Unable to open '%s/nowhere/" W1
                                        "' file (SSH host: 192.0.2.7): No such file or "
                                        "directory",
                                        x->root));
    fx_release(&f);
}

static void packed_on_the_way_out(void **state)
{
    const char *name[] = {W1, W2, "000000010000000000000005"};
    static char mem[FX_SEG + 1];
    struct err err = {0};

    (void)state;
    fill();
    for (int i = 0; i < 3; i++) {
        struct get_wal what = {.repo = &f.r, .name = name[i], .flags = GET_GZIP | GET_PARTIAL};
        const char *out = fx_fmt("%s/out.gz", f.root);
        gzFile gz;

        what.fd = open(out, O_RDWR | O_CREAT | O_TRUNC, 0600);
        assert_true(get_wal(said_init(&said), &what, &err));
        close(what.fd);
        assert_true(fx_size(out) > 0 && fx_size(out) < FX_SEG);
        gz = gzopen(out, "rb");
        assert_int_equal(gzread(gz, mem, sizeof mem), FX_SEG);
        gzclose(gz);
    }
    fx_release(&f);
}

static void as_it_is_stored(void **state)
{
    struct get_wal what = {.repo = &f.r, .name = W1, .flags = GET_AS_STORED};
    struct err err = {0};
    const char *out;

    (void)state;
    fill();
    out = fx_fmt("%s/out", f.root);
    what.fd = open(out, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(get_wal(said_init(&said), &what, &err));
    close(what.fd);
    assert_int_equal(fx_size(out), fx_size(fx_fmt("%s/0000000100000000/" W1, f.r.wals_dir)));
    fx_release(&f);
}

/* What may stand in a gzip file of the archive: a byte is changed, counted from its end (negative:
 * from its beginning), or bytes are cut off there; or it has two members. */
static const struct gz_row {
    const char *label;
    int members;
    off_t change, cut; /* 0: nothing */
    bool ok;
} gz_rows[] = {
    {"one member", 1, 0, 0, true},
    {"two members", 2, 0, 0, true},
    {"the size at the end is too small", 1, 2, 0, false},
    {"the size at the end is too large", 1, 1, 0, false},
    {"another checksum", 1, 6, 0, false},
    {"another byte within", 1, -30, 0, false},
    {"without its last byte", 1, 0, 1, false},
    {"without size and checksum", 1, 0, 8, false},
    {"the second member is cut", 2, 0, 3, false},
};

static void gzip_members(const char *path, int members)
{
    static char mem[FX_SEG];
    size_t part = sizeof mem / (size_t)members;
    int fd = open(fx_fmt("%s/" W1, f.root), O_RDONLY);

    assert_int_equal(read(fd, mem, sizeof mem), FX_SEG);
    close(fd);
    for (int i = 0; i < members; i++) {
        gzFile gz = gzopen(path, i ? "ab1" : "wb1");

        assert_int_equal(gzwrite(gz, mem + part * (size_t)i, (unsigned)part), (int)part);
        gzclose(gz);
    }
}

static void gzip_in_the_archive(void **state)
{
    const struct gz_row *row = *state;
    struct get_wal what = {.repo = &f.r, .name = W1};
    static char is[FX_SEG], want[FX_SEG];
    struct err err = {0};
    const char *at, *out;
    off_t size, change;
    char byte;
    int fd;

    fill();
    at = fx_fmt("%s/0000000100000000/" W1, f.r.wals_dir);
    gzip_members(at, row->members);
    size = fx_size(at);
    fd = open(at, O_RDWR);
    change = row->change < 0 ? -row->change : size - row->change;
    if (row->change) {
        assert_int_equal(pread(fd, &byte, 1, change), 1);
        byte = (char)(byte ^ 0x10);
        assert_int_equal(pwrite(fd, &byte, 1, change), 1);
    }
    assert_int_equal(ftruncate(fd, size - row->cut), 0);
    close(fd);
    out = fx_fmt("%s/out", f.root);
    what.fd = open(out, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(get_wal(said_init(&said), &what, &err), row->ok);
    if (row->ok) {
        assert_int_equal(pread(what.fd, is, sizeof is, 0), FX_SEG);
        fd = open(fx_fmt("%s/" W1, f.root), O_RDONLY);
        assert_int_equal(read(fd, want, sizeof want), FX_SEG);
        close(fd);
        assert_memory_equal(is, want, FX_SEG);
    } else {
        assert_int_equal(err.code, ERR_FORMAT);
        assert_string_equal(err.what, at);
    }
    close(what.fd);
    fx_release(&f);
}

static void damaged_in_the_archive(void **state)
{
    struct get_wal what = {.repo = &f.r, .name = W1};
    struct err err = {0};
    const char *at;

    (void)state;
    fill();
    at = fx_fmt("%s/0000000100000000/" W1, f.r.wals_dir);
    assert_int_equal(truncate(at, fx_size(at) / 2), 0);
    what.fd = open("/dev/null", O_WRONLY);
    assert_false(get_wal(said_init(&said), &what, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_string_equal(err.what, at);
    close(what.fd);
    fx_release(&f);
}

static bool peek_at(const char *name, uint64_t n, struct err *err)
{
    const struct get_wal what = {.repo = &f.r, .name = name};

    return get_wal_peek(said_init(&said), &what, n, err);
}

static void peek(void **state)
{
    struct err err = {0};

    (void)state;
    fill();
    assert_true(peek_at(W1, 3, &err));
    assert_string_equal(said.out, W1 "\n" W2 "\n000000010000000000000003\n");
    assert_true(peek_at(W2, 10, &err));
    assert_string_equal(said.out, W2 "\n000000010000000000000003\n000000010000000000000004\n");
    assert_true(peek_at("00000002.history", 10, &err));
    assert_string_equal(said.out, "00000002.history\n");
    /* 1 GiB segments: after ...03 comes the next 4 GiB. */
    assert_int_equal(mkdir(fx_fmt("%s/0000000100000001", f.r.wals_dir), 0700), 0);
    fx_text(fx_fmt("%s/0000000100000001/000000010000000100000000", f.r.wals_dir), "");
    assert_int_equal(unlink(fx_fmt("%s/000000010000000000000004", f.r.streaming_dir)), 0);
    assert_true(peek_at("000000010000000000000003", 10, &err));
    assert_string_equal(said.out, "000000010000000000000003\n000000010000000100000000\n");
    assert_false(peek_at("x", 10, &err));
    assert_int_equal(get_wal_status(&err), 3);
    fx_release(&f);
}

TEST_MAIN(ROWS(rows, check_row), ROWS(gz_rows, gzip_in_the_archive), ONE(into_a_directory),
          ONE(tells_the_ssh_client), ONE(packed_on_the_way_out), ONE(as_it_is_stored),
          ONE(damaged_in_the_archive), ONE(peek))
