/* SPDX-License-Identifier: PostgreSQL */
#include "tar.h"

#include "base/file.h"

#include <string.h>

/* Where the fields of a header are (POSIX ustar). */
enum {
    AT_NAME = 0,
    AT_MODE = 100,
    AT_SIZE = 124,
    AT_MTIME = 136,
    AT_CHECKSUM = 148,
    AT_TYPE = 156,
    AT_LINK = 157,
    AT_MAGIC = 257,
    AT_PREFIX = 345,
};

#define SIZE_LIMIT ((uint64_t)1 << 62)

void tar_init(struct tar *t, enum tar_trailer trailer, const struct tar_events *events)
{
    *t = (struct tar){.events = *events, .trailer = trailer};
}

void tar_accept_pax(struct tar *t)
{
    t->accepts_pax = true;
}

static bool refuse(const struct tar *t, const char *why, struct err *err)
{
    char what[TAR_NAME_CAP + 64];

    if (t->member.name[0]) {
        return err_set(err, ERR_FORMAT, "", t->member.name, "%s", why);
    }
    str_fmt(what, sizeof what, "member %llu of the stream", (unsigned long long)t->members + 1);
    return err_set(err, ERR_FORMAT, "", what, "%s", why);
}

/* A text field: up to n bytes, only NUL after the first NUL. */
static bool text_field(const uint8_t *p, size_t n, struct str *out)
{
    const uint8_t *nul = memchr(p, 0, n);
    size_t len = nul ? (size_t)(nul - p) : n;

    for (size_t i = len; i < n; i++) {
        if (p[i]) {
            return false;
        }
    }
    *out = str_n((const char *)p, len);
    return true;
}

/* Octal digits, ended by blanks or NULs; empty is 0. */
static bool octal_field(const uint8_t *p, size_t n, uint64_t *out)
{
    uint64_t v = 0;
    size_t i = 0;

    while (i < n && p[i] == ' ') {
        i++;
    }
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++) {
        v = v << 3 | (uint64_t)(p[i] - '0');
    }
    for (; i < n; i++) {
        if (p[i] != 0 && p[i] != ' ') {
            return false;
        }
    }
    *out = v;
    return true;
}

/* GNU's base-256: 0x80, then the number big-endian in the rest of the field. 0xFF would begin
 * a negative one. */
static bool number_field(const uint8_t *p, size_t n, uint64_t *out)
{
    uint64_t v = 0;

    if (p[0] < 0x80) {
        return octal_field(p, n, out);
    }
    if (p[0] != 0x80) {
        return false;
    }
    for (size_t i = 1; i < n; i++) {
        if (v >> 55) {
            return false;
        }
        v = v << 8 | p[i];
    }
    *out = v;
    return true;
}

static bool checksum_ok(const uint8_t b[TAR_BLOCK])
{
    uint64_t want;
    uint64_t sum = 0;

    for (size_t i = 0; i < TAR_BLOCK; i++) {
        sum += i >= AT_CHECKSUM && i < AT_CHECKSUM + 8 ? ' ' : b[i];
    }
    return octal_field(b + AT_CHECKSUM, 8, &want) && want == sum;
}

/* prefix/name without "./" in front and "/" behind, which PostgreSQL writes for directories. */
static bool take_name(struct tar *t, struct err *err)
{
    struct str prefix, name;
    struct sbuf b;

    t->member.name[0] = '\0';
    if (!text_field(t->block + AT_PREFIX, 155, &prefix) ||
        !text_field(t->block + AT_NAME, 100, &name)) {
        return refuse(t, "a name with a NUL byte inside", err);
    }
    if (t->pax_given && t->pax.path[0]) {
        prefix = str_of("");
        name = str_of(t->pax.path);
    }
    sbuf_init(&b, t->member.name, sizeof t->member.name);
    if (prefix.n) {
        sbuf_add_n(&b, prefix.p, prefix.n);
        sbuf_char(&b, '/');
    }
    if (!prefix.n && str_starts(name, "./") && name.n > 2) {
        name = str_skip(name, 2);
    }
    sbuf_add_n(&b, name.p, name.n);
    if (b.len > 1 && b.p[b.len - 1] == '/') {
        b.p[--b.len] = '\0';
    }
    if (!sbuf_ok(&b) || !path_is_below(str_n(b.p, b.len))) {
        return refuse(t, "a name that does not stay below the directory", err);
    }
    return true;
}

static bool take_kind(struct tar *t, struct err *err)
{
    char type = (char)t->block[AT_TYPE];
    struct str link;

    t->member.link[0] = '\0';
    switch (type) {
    case '0':
    case '\0':
        t->member.kind = TAR_FILE;
        return true;
    case '5':
        t->member.kind = TAR_DIR;
        return true;
    case '2':
        t->member.kind = TAR_LINK;
        if (!text_field(t->block + AT_LINK, 100, &link) || link.n == 0) {
            return refuse(t, "a link without a target", err);
        }
        memcpy(t->member.link, link.p, link.n);
        t->member.link[link.n] = '\0';
        return true;
    case '1':
        return refuse(t, "a hard link, which no base backup has", err);
    case '3':
    case '4':
    case '6':
        return refuse(t, "a device or pipe, which no base backup has", err);
    default:
        return refuse(t, "a member of a kind that no base backup has", err);
    }
}

static bool take_numbers(struct tar *t, struct err *err)
{
    uint64_t mode, mtime;

    if (!octal_field(t->block + AT_MODE, 8, &mode) ||
        !number_field(t->block + AT_SIZE, 12, &t->member.size) ||
        !number_field(t->block + AT_MTIME, 12, &mtime)) {
        return refuse(t, "a header with a malformed number", err);
    }
    t->member.size = t->pax_given && t->pax.has_size ? t->pax.size : t->member.size;
    mtime = t->pax_given && t->pax.has_mtime ? (uint64_t)t->pax.mtime_s : mtime;
    if (t->member.size > SIZE_LIMIT || mtime > SIZE_LIMIT) {
        return refuse(t, "a size that cannot be", err);
    }
    if (t->member.size && t->member.kind != TAR_FILE) {
        return refuse(t, "a directory or link with data", err);
    }
    t->member.mode = (unsigned)(mode & 0777);
    t->member.mtime_s = (int64_t)mtime;
    t->member.mtime_ns = t->pax_given && t->pax.has_mtime ? t->pax.mtime_ns : 0;
    return true;
}

/* Its data go to pax_text. The name that such a header has means nothing. */
static bool take_pax_header(struct tar *t, struct err *err)
{
    uint64_t size;

    if (t->pax_given) {
        return refuse(t, "two pax headers for one member", err);
    }
    if (!number_field(t->block + AT_SIZE, 12, &size) || size == 0 || size > TAR_PAX_MAX) {
        return refuse(t, "a pax header of a size that cannot be", err);
    }
    t->pax_type = (char)t->block[AT_TYPE];
    t->pax_n = 0;
    t->left = size;
    t->pad = (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
    return true;
}

static bool end_pax_header(struct tar *t, struct err *err)
{
    const char *why;

    t->pax = (struct tar_pax){0};
    why = tar_pax_read(str_n(t->pax_text, t->pax_n), t->pax_type, &t->pax);
    t->pax_given = t->pax_type == 'x';
    t->pax_type = 0;
    return !why || refuse(t, why, err);
}

static bool end_member(struct tar *t, struct err *err)
{
    t->members++;
    return t->events.member_end(t->events.ctx, err);
}

static bool take_header(struct tar *t, struct err *err)
{
    t->member.name[0] = '\0';
    if (!checksum_ok(t->block)) {
        return refuse(t, "a header whose checksum is wrong", err);
    }
    if (memcmp(t->block + AT_MAGIC, "ustar", 5) != 0) {
        return refuse(t, "not a ustar header", err);
    }
    if (t->accepts_pax && (t->block[AT_TYPE] == 'x' || t->block[AT_TYPE] == 'g')) {
        return take_pax_header(t, err);
    }
    if (!take_name(t, err) || !take_kind(t, err) || !take_numbers(t, err) ||
        !t->events.member(t->events.ctx, &t->member, err)) {
        return false;
    }
    t->pax_given = false;
    t->left = t->member.size;
    t->pad = (size_t)((TAR_BLOCK - t->left % TAR_BLOCK) % TAR_BLOCK);
    return t->left || end_member(t, err);
}

static bool all_zero(const uint8_t b[TAR_BLOCK])
{
    return b[0] == 0 && memcmp(b, b + 1, TAR_BLOCK - 1) == 0;
}

static bool take_block(struct tar *t, struct err *err)
{
    t->have = 0;
    if (all_zero(t->block)) {
        t->zeros += t->zeros < 2;
        return true;
    }
    if (t->zeros) {
        t->member.name[0] = '\0';
        return refuse(t, "data after the end of the archive", err);
    }
    return take_header(t, err);
}

/* Some bytes of the member's data, its padding or a header: how many went, 0 when it failed. */
static size_t take_some(struct tar *t, const uint8_t *p, size_t n, struct err *err)
{
    size_t take;

    if (t->left) {
        take = n < t->left ? n : (size_t)t->left;
        t->left -= take;
        if (t->pax_type) {
            memcpy(t->pax_text + t->pax_n, p, take);
            t->pax_n += take;
            return t->left || end_pax_header(t, err) ? take : 0;
        }
        if (!t->events.data(t->events.ctx, p, take, err) || (!t->left && !end_member(t, err))) {
            return 0;
        }
        return take;
    }
    if (t->pad) {
        take = n < t->pad ? n : t->pad;
        t->pad -= take;
        return take;
    }
    take = n < TAR_BLOCK - t->have ? n : TAR_BLOCK - t->have;
    memcpy(t->block + t->have, p, take);
    t->have += take;
    return t->have < TAR_BLOCK || take_block(t, err) ? take : 0;
}

bool tar_feed(struct tar *t, const void *p, size_t n, struct err *err)
{
    const uint8_t *at = p;

    while (n) {
        size_t took = take_some(t, at, n, err);
        if (took == 0) {
            return false;
        }
        at += took;
        n -= took;
    }
    return true;
}

bool tar_end(struct tar *t, struct err *err)
{
    if (t->left || t->pad || t->have || t->pax_given) {
        return refuse(t, "the stream ends in the middle of it", err);
    }
    if (t->trailer == TAR_WITH_TRAILER && t->zeros < 2) {
        return refuse(t, "the stream ends without the end of the archive", err);
    }
    return true;
}
