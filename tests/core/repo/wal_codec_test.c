/* SPDX-License-Identifier: PostgreSQL */
/* WAL stored in every form: packed by each codec, encrypted, as it came; and histories. The number
 * in labels is a row of the list of faults. */
#include "fixture.h"

#include "keyring.h"

#define W1 "000000010000000000000001"
#define W2 "000000010000000000000002"

static const struct wal_store_options plain = {
    .rules = {.systemid = FX_SYSID, .seg_size = FX_SEG, .major = 15}};

static bool archive(struct fx *f, const struct wal_store_options *o, const char *path,
                    struct wal_added *added, struct err *err)
{
    struct wal_store *s = wal_store_new(&f->r, o, err);
    bool ok = s && wal_store_add(s, path, added, err) && wal_store_flush(s, err);

    wal_store_free(s);
    return ok;
}

static const char *kept(struct fx *f, const char *name)
{
    return fx_fmt("%s/%.16s/%s", f->r.wals_dir, name, name);
}

static const struct codec_row {
    const char *label;
    enum codec_kind pack, seen;
    enum wal_seal seal;
    const char *line; /* the last columns of xlog.db */
} codec_rows[] = {
    {"gzip", CODEC_GZIP, CODEC_GZIP, WAL_UNSEALED, "gzip\tNone\n"},
    {"pigz", CODEC_PIGZ, CODEC_GZIP, WAL_UNSEALED, "pigz\tNone\n"},
    {"pygzip", CODEC_PYGZIP, CODEC_GZIP, WAL_UNSEALED, "pygzip\tNone\n"},
    {"bzip2", CODEC_BZIP2, CODEC_BZIP2, WAL_UNSEALED, "bzip2\tNone\n"},
    {"xz", CODEC_XZ, CODEC_XZ, WAL_UNSEALED, "xz\tNone\n"},
    {"zstd", CODEC_ZSTD, CODEC_ZSTD, WAL_UNSEALED, "zstd\tNone\n"},
    {"lz4", CODEC_LZ4, CODEC_LZ4, WAL_UNSEALED, "lz4\tNone\n"},
    {"snappy", CODEC_SNAPPY, CODEC_SNAPPY, WAL_UNSEALED, "snappy\tNone\n"},
    {"custom", CODEC_CUSTOM, CODEC_CUSTOM, WAL_UNSEALED, "custom\tNone\n"},
    {"gpg", CODEC_NONE, CODEC_NONE, WAL_SEALED, "None\tgpg\n"},
    {"zstd and gpg", CODEC_ZSTD, CODEC_ZSTD, WAL_SEALED, "zstd\tgpg\n"},
    {"gzip and gpg", CODEC_GZIP, CODEC_GZIP, WAL_SEALED, "gzip\tgpg\n"},
};

static void check_reading(struct fx *f, enum codec_kind kind)
{
    static uint8_t mem[FX_SEG + 1];
    struct wal_found found;
    struct wal_reader *rd;
    struct err err = {0};
    size_t got = 1, n = 0;

    assert_true(wal_find(&f->r, W1, WAL_WHOLE, &found, &err));
    rd = wal_reader_new(&found, 0, &err);
    assert_non_null(rd);
    assert_int_equal(wal_reader_codec(rd), kind);
    while (got && wal_read(rd, mem + n, sizeof mem - n, &got, &err)) {
        n += got;
    }
    wal_reader_free(rd);
    assert_int_equal(n, FX_SEG);
    assert_int_equal(get_le32(mem + 4), 1);
}

/* Stored, listed, read, and known again when it is delivered a second time. */
static void check_codec(void **state)
{
    const struct codec_row *row = *state;
    struct codec_custom filters = {.pack = "printf PACKED; cat",
                                   .unpack = "tail -c +7",
                                   .magic = "PACKED",
                                   .magic_len = 6};
    struct wal_store_options o = plain;
    struct keyring keys;
    struct wal_added added;
    struct err err = {0};
    const char *path;
    char head[CODEC_MAGIC_LEN];
    struct fx f;
    int fd;

    fx_init(&f);
    if (row->seal == WAL_SEALED) {
        keyring_init(&keys);
        f.r.gpg = &keys.gpg;
    }
    f.r.custom = &filters;
    fx_text(fx_fmt("%s/main-xlog.db", f.r.xlogdb_dir), ""); /* not made from the files */
    o.pack = row->pack;
    o.level = codec_level(row->pack, "low");
    o.seal = row->seal;
    path = fx_segment(f.r.incoming_dir, 1);
    assert_true(archive(&f, &o, path, &added, &err));
    assert_int_equal(added.fate, WAL_STORED);
    assert_int_equal(fx_count(f.r.incoming_dir), 0);
    assert_int_equal(fx_count(fx_fmt("%s/0000000100000000", f.r.wals_dir)), 1);
    assert_true(
        str_ends(str_of(fx_read(fx_fmt("%s/main-xlog.db", f.r.xlogdb_dir))), row->line));
    fd = open(kept(&f, W1), O_RDONLY);
    assert_int_equal(read(fd, head, sizeof head), sizeof head);
    close(fd);
    assert_int_equal(gpg_detect(head, sizeof head), row->seal == WAL_SEALED);

    check_reading(&f, row->seen);

    path = fx_segment(f.r.incoming_dir, 1);
    assert_true(archive(&f, &o, path, &added, &err));
    assert_int_equal(added.fate, WAL_TWIN);
    assert_int_equal(fx_count(f.r.incoming_dir), 0);
    assert_int_equal(fx_xlogdb_lines(&f.r), 1);
    if (row->seal == WAL_SEALED) {
        keyring_release(&keys);
    }
    fx_release(&f);
}

/* What cannot be decrypted cannot be shown to be the same: set aside, as nothing may be lost. */
static void encrypted_without_its_passphrase(void **state)
{
    struct wal_store_options o = plain;
    struct keyring keys;
    struct wal_added added;
    struct err err = {0};
    struct wal_found found;
    const char *path;
    struct fx f;

    (void)state;
    fx_init(&f);
    keyring_init(&keys);
    keys.gpg.passphrase_command = NULL;
    f.r.gpg = &keys.gpg;
    o.seal = WAL_SEALED;
    assert_true(archive(&f, &o, fx_segment(f.r.incoming_dir, 1), &added, &err));
    path = fx_segment(f.r.incoming_dir, 1);
    assert_true(archive(&f, &o, path, &added, &err));
    assert_int_equal(added.fate, WAL_DUPLICATE);
    assert_int_equal(fx_count(f.r.errors_dir), 1);
    assert_true(wal_find(&f.r, W1, WAL_WHOLE, &found, &err));
    assert_null(wal_reader_new(&found, 0, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    keyring_release(&keys);
    fx_release(&f);
}

/* Packed by whoever delivers it: checked inside, stored as it came, not packed twice. */
static void comes_packed(void **state)
{
    struct wal_store_options o = plain;
    struct wal_added added;
    struct err err = {0};
    struct fx_seg bad = fx_seg(1, 1);
    char command[3 * PATH_CAP];
    const char *path;
    struct fx f;

    (void)state;
    fx_init(&f);
    o.pack = CODEC_XZ;
    o.level = 1;
    path = fx_segment(f.r.incoming_dir, 1);
    snprintf(command, sizeof command, "cd %s && zstd -q --rm %s && mv %s.zst %s",
             f.r.incoming_dir, W1, W1, W1);
    assert_int_equal(system(command), 0);
    assert_true(archive(&f, &o, path, &added, &err));
    assert_non_null(strstr(fx_read(fx_fmt("%s/main-xlog.db", f.r.xlogdb_dir)), "\tzstd\tNone"));
    bad.size = 8192;
    fx_seg_write(fx_fmt("%s/" W2, f.r.incoming_dir), bad);
    snprintf(command, sizeof command, "cd %s && lz4 -q %s %s.lz4 && mv %s.lz4 %s",
             f.r.incoming_dir, W2, W2, W2, W2);
    assert_int_equal(system(command), 0);
    assert_false(archive(&f, &o, fx_fmt("%s/" W2, f.r.incoming_dir), &added, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_int_equal(fx_xlogdb_lines(&f.r), 1);
    fx_release(&f);
}

static const struct history_row {
    const char *label;
    const char *text;
    size_t n;
    bool ok;
} history_rows[] = {
#define TEXT(x) x, sizeof(x) - 1
    {"18: as PostgreSQL writes it", TEXT("1\t0/400000\tno reason\n"), true},
    {"18: empty", TEXT(""), false},
    {"18: comments alone", TEXT("# nothing\n"), false},
    {"18: CR and LF", TEXT("1\t0/400000\tno reason\r\n"), true},
    {"18: without its last newline", TEXT("1\t0/400000\tno reason"), true},
    {"18: a NUL at its end", TEXT("1\t0/400000\tno reason\n\0"), true},
    {"18: no position", TEXT("1\tlater\n"), false},
    {"18: something else",
     TEXT("\x7f"
          "ELF"),
     false},
};

static void check_history_row(void **state)
{
    const struct history_row *row = *state;
    struct wal_added added;
    struct err err = {0};
    const char *path;
    struct fx f;
    int fd;

    fx_init(&f);
    path = fx_fmt("%s/00000002.history", f.r.incoming_dir);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, row->text, row->n), row->n);
    close(fd);
    assert_int_equal(archive(&f, &plain, path, &added, &err), row->ok);
    assert_int_equal(fx_count(f.r.incoming_dir), row->ok ? 0 : 1);
    assert_true(row->ok || err.code == ERR_FORMAT);
    fx_release(&f);
}

TEST_MAIN(ROWS(codec_rows, check_codec), ONE(encrypted_without_its_passphrase),
          ONE(comes_packed), ROWS(history_rows, check_history_row))
