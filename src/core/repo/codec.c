/* SPDX-License-Identifier: PostgreSQL */
#include "codec.h"

#include "base/bug.h"
#include "base/file.h"
#include "codec_in.h"

#include <stdlib.h>
#include <string.h>

#define PUMP_CAP 65536

static const struct {
    const char *name;
    const struct codec_ops *ops;
    const char *magic;
    size_t n;
    int min, max, low, medium, high; /* levels */
} kinds[] = {
    [CODEC_NONE] = {"", NULL, "", 0, 0, 0, 0, 0, 0},
    [CODEC_BZIP2] = {"bzip2", &codec_bzip2, "BZh", 3, 1, 9, 1, 5, 9},
    [CODEC_CUSTOM] = {"custom", &codec_filter, "", 0, 0, 0, 0, 0, 0},
    [CODEC_GZIP] = {"gzip", &codec_zlib, "\x1f\x8b\x08", 3, 1, 9, 1, 6, 9},
    [CODEC_LZ4] = {"lz4", &codec_lz4, "\x04\x22\x4d\x18", 4, 0, 16, 0, 6, 10},
    [CODEC_PIGZ] = {"pigz", &codec_zlib, "\x1f\x8b\x08", 3, 1, 9, 1, 6, 9},
    [CODEC_PYBZIP2] = {"pybzip2", &codec_bzip2, "BZh", 3, 1, 9, 1, 5, 9},
    [CODEC_PYGZIP] = {"pygzip", &codec_zlib, "\x1f\x8b\x08", 3, 1, 9, 1, 6, 9},
    [CODEC_SNAPPY] = {"snappy", &codec_snappy, "\xff\x06\x00\x00sNaPpY", 10, 0, 0, 0, 0, 0},
    [CODEC_XZ] = {"xz", &codec_xz,
                  "\xfd"
                  "7zXZ\0",
                  6, 1, 9, 1, 3, 5},
    [CODEC_ZSTD] = {"zstd", &codec_zstd, "\x28\xb5\x2f\xfd", 4, -22, 22, 1, 4, 9},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

const char *codec_name(enum codec_kind kind)
{
    return kinds[kind].name;
}

bool codec_of_name(const char *name, enum codec_kind *out)
{
    if (strcmp(name, "none") == 0) {
        *out = CODEC_NONE;
        return true;
    }
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *out = (enum codec_kind)i;
            return true;
        }
    }
    return false;
}

enum codec_kind codec_detect(const void *head, size_t n, const struct codec_custom *custom)
{
    for (size_t i = 0; i < KINDS; i++) {
        bool is_custom = i == CODEC_CUSTOM && custom;
        const void *magic = is_custom ? (const void *)custom->magic : kinds[i].magic;
        size_t len = is_custom ? custom->magic_len : kinds[i].n;

        if (len && n >= len && memcmp(head, magic, len) == 0) {
            return (enum codec_kind)i;
        }
    }
    return CODEC_NONE;
}

bool codec_magic_of(const char *text, struct codec_custom *out)
{
    struct str s = str_of(text);
    struct codec_custom made = *out;

    if (!str_take_lit(&s, "0x") && !str_take_lit(&s, "0X")) {
        return false;
    }
    if (s.n == 0 || s.n % 2 != 0 || s.n / 2 > sizeof made.magic) {
        return false;
    }
    made.magic_len = 0;
    while (s.n) {
        uint64_t byte;

        if (!str_hex_u64(str_n(s.p, 2), 0, &byte)) {
            return false;
        }
        made.magic[made.magic_len++] = (uint8_t)byte;
        s = str_skip(s, 2);
    }
    *out = made;
    return true;
}

int codec_level(enum codec_kind kind, const char *level)
{
    int min = kinds[kind].min, max = kinds[kind].max;
    int64_t number;

    if (level && strcmp(level, "low") == 0) {
        return kinds[kind].low;
    }
    if (level && strcmp(level, "high") == 0) {
        return kinds[kind].high;
    }
    if (!level || !str_i64(str_of(level), &number)) {
        return kinds[kind].medium;
    }
    return number < min ? min : number > max ? max : (int)number;
}

bool codec_no_memory(struct err *err)
{
    return err_set(err, ERR_MEMORY, "", "", "out of memory");
}

bool codec_damaged(const struct codec *c, const char *why, struct err *err)
{
    return err_set(err, ERR_FORMAT, "Look for another copy of this file.", "",
                   "damaged %s data: %s", c->name, why);
}

bool codec_too_early(const struct codec *c, struct err *err)
{
    return err_set(err, ERR_FORMAT, "Look for another copy of this file.", "",
                   "%s data ends too early", c->name);
}

void *codec_base_new(size_t size, const struct codec_start *start, struct err *err)
{
    struct codec *c = calloc(1, size);

    if (!c) {
        codec_no_memory(err);
        return NULL;
    }
    c->name = start->name;
    c->way = start->way;
    return c;
}

bool codec_drain(struct codec_stage *s, struct codec_out *out)
{
    size_t n = s->n - s->at;

    if (n > out->cap - out->got) {
        n = out->cap - out->got;
    }
    if (n) {
        memcpy((char *)out->p + out->got, s->p + s->at, n);
        out->got += n;
        s->at += n;
    }
    return s->at == s->n;
}

struct codec *codec_new(enum codec_kind kind, enum codec_way way, int level,
                        const struct codec_custom *custom, struct err *err)
{
    struct codec_start start = {kinds[kind].name, way, level, custom};
    struct codec *c;

    BUG_IF(kind == CODEC_NONE);
    c = kinds[kind].ops->make(&start, err);
    if (c) {
        c->ops = kinds[kind].ops;
    }
    return c;
}

void codec_heed(struct codec *c, int cancel_fd)
{
    if (c->ops->heed) {
        c->ops->heed(c, cancel_fd);
    }
}

void codec_free(struct codec *c)
{
    if (c) {
        c->ops->close(c);
    }
}

bool codec_run(struct codec *c, struct str *in, enum codec_input last, struct codec_out *out,
               struct err *err)
{
    out->got = 0;
    return c->ops->run(c, in, last, out, err);
}

bool codec_pump(struct codec *c, const struct codec_ends *ends, struct err *err)
{
    char mem[PUMP_CAP], out_mem[PUMP_CAP];
    struct codec_out out = {.p = out_mem, .cap = sizeof out_mem};
    struct str in = {mem, 0};
    bool ok = true, end = false;

    while (ok && !(end && out.got == 0 && in.n == 0)) {
        if (in.n == 0 && !end) {
            size_t got = 0;

            ok = fd_read_full(ends->from, mem, PUMP_CAP, &got, ends->from_name, err);
            in = str_n(mem, got);
            end = ok && got < PUMP_CAP;
        }
        ok = ok && codec_run(c, &in, end ? CODEC_LAST : CODEC_MORE_COMES, &out, err) &&
             fd_write_all(ends->to, out.p, out.got, ends->to_name, err);
    }
    return ok;
}
