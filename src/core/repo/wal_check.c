/* SPDX-License-Identifier: PostgreSQL */
#include "wal_check.h"

#include "gpg.h"
#include "wal/history.h"
#include "wal/page.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX (1024 * 1024) /* a label or a history file has a few hundred bytes */

bool wal_candidate_of(const struct repo *r, const char *path, int fd, struct wal_candidate *out,
                      struct err *err)
{
    struct stat st;
    ssize_t n;

    *out = (struct wal_candidate){.path = path, .name = path_base(path), .repo = r};
    out->kind = wal_name_kind(str_of(out->name), WAL_CASE_UPPER);
    if (out->kind == WAL_NAME_OTHER) {
        return err_set(err, ERR_FORMAT, "", path, "not a WAL file name");
    }
    if (fstat(fd, &st) != 0) {
        return err_os(err, errno, "read", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return err_set(err, ERR_FORMAT, "Remove it from there.", path, "not a regular file");
    }
    n = pread(fd, out->head, sizeof out->head, 0);
    if (n < 0) {
        return err_os(err, errno, "read", path);
    }
    out->head_n = (size_t)n;
    out->codec = codec_detect(out->head, out->head_n, r ? r->custom : NULL);
    out->is_sealed = out->codec == CODEC_NONE && gpg_detect(out->head, out->head_n);
    out->size = (uint64_t)st.st_size;
    return true;
}

bool wal_file_of(const struct repo *r, const char *path, struct wal_file *out, struct err *err)
{
    struct wal_candidate c;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool ok;

    if (fd < 0) {
        return err_os(err, errno, "read", path);
    }
    ok = wal_candidate_of(r, path, fd, &c, err) &&
         (fstat(fd, &st) == 0 || err_os(err, errno, "read", path));
    close(fd);
    if (ok) {
        *out = (struct wal_file){
            .size = c.size,
            .mtime = (double)st.st_mtim.tv_sec + 1e-9 * (double)st.st_mtim.tv_nsec,
        };
        str_copy(out->name, sizeof out->name, c.name);
        str_copy(out->compression, sizeof out->compression, codec_name(c.codec));
        str_copy(out->encryption, sizeof out->encryption, c.is_sealed ? "gpg" : "");
    }
    return ok;
}

#define CHUNK ((size_t)256 * 1024) /* whole pages, of any size */

struct measured {
    uint64_t size;
    uint8_t head[WAL_PAGE_LONG];
    size_t head_n;
};

/* A whole chunk, or what is left of the file. */
static bool read_chunk(struct wal_reader *rd, uint8_t *p, size_t cap, size_t *n,
                       struct err *err)
{
    size_t got = 1;

    for (*n = 0; *n < cap && got > 0; *n += got) {
        if (!wal_read(rd, p + *n, cap - *n, &got, err)) {
            return false;
        }
    }
    return true;
}

/* The first bytes and the size of what is in the file, unpacked if it is packed. */
static bool measure(const struct wal_candidate *c, uint64_t limit, struct measured *out,
                    struct err *err)
{
    struct wal_found found = {.repo = c->repo};
    struct wal_reader *rd;
    uint8_t buf[32768];
    size_t got = 0;
    bool ok;

    *out = (struct measured){0};
    if (c->codec == CODEC_NONE && c->head_n > 0) {
        *out = (struct measured){.size = c->size, .head_n = c->head_n};
        memcpy(out->head, c->head, c->head_n);
        return true;
    }
    str_copy(found.path, sizeof found.path, c->path);
    rd = wal_reader_new(&found, 0, err);
    if (!rd) {
        return false;
    }
    while ((ok = read_chunk(rd, buf, sizeof buf, &got, err)) && got > 0) {
        if (out->size == 0) {
            out->head_n = got < sizeof out->head ? got : sizeof out->head;
            memcpy(out->head, buf, out->head_n);
        }
        out->size += got;
        if (c->codec == CODEC_NONE) {
            out->size = c->size;
            break;
        }
        if (out->size > limit) { /* more than a segment is wrong however much it is */
            break;
        }
    }
    wal_reader_free(rd);
    return ok;
}

static bool check_size(const struct wal_candidate *c, uint64_t size, uint32_t seg_size,
                       struct err *err)
{
    if (c->kind == WAL_NAME_SEGMENT ? size == seg_size : size <= seg_size) {
        return true;
    }
    return err_set(err, ERR_FORMAT, "Look at what delivers it; it was left where it is.",
                   c->path, "has %s%" PRIu64 " bytes, a segment of this server has %u",
                   size > seg_size && c->codec != CODEC_NONE ? "more than " : "",
                   size > seg_size && c->codec != CODEC_NONE ? (uint64_t)seg_size : size,
                   seg_size);
}

/* What the segment must be, by its name, its server and, where that is not known, itself. */
static bool head_of(const struct wal_candidate *c, const struct wal_rules *rules,
                    const struct wal_page *page, struct wal_head *out, struct err *err)
{
    char plain[WAL_NAME_CAP];

    *out = (struct wal_head){
        .seg_size = rules->seg_size,
        .sysid = rules->systemid,
        .major = (int)rules->major,
        .what = c->path,
    };
    if (out->seg_size == 0) {
        out->seg_size = wal_seg_size_ok(page->seg_size) ? page->seg_size : (uint32_t)c->size;
    }
    if (!wal_seg_size_ok(out->seg_size)) {
        return err_set(err, ERR_FORMAT, "Look at what delivers it; it was left where it is.",
                       c->path, "has %" PRIu64 " bytes, which no WAL segment has", c->size);
    }
    str_fmt(plain, sizeof plain, "%.*s", WAL_NAME_LEN, c->name);
    return wal_seg_parse(plain, out->seg_size, &out->seg, err);
}

static bool check_segment(const struct wal_candidate *c, const struct wal_rules *rules,
                          struct err *err)
{
    struct wal_head expect;
    struct wal_page page;
    struct measured m;
    enum wal_page_fault fault;

    if (!measure(c, UINT32_C(1) << 30, &m, err)) {
        return false;
    }
    fault = wal_page_decode(m.head, m.head_n, &page);
    if (c->kind == WAL_NAME_PARTIAL && (fault == WAL_PAGE_EMPTY || fault == WAL_PAGE_CUT)) {
        return true; /* nothing was received into it yet */
    }
    return head_of(c, rules, &page, &expect, err) &&
           check_size(c, m.size, expect.seg_size, err) &&
           wal_seg_check_head(m.head, m.head_n, &expect, err);
}

/* ---- the walk ----------------------------------------------------------------------- */

/* Where the pages come from: memory, or a reader through a buffer of CHUNK bytes. */
struct pages {
    struct str mem;
    struct wal_reader *rd; /* NULL: mem */
    uint8_t *buf;
};

static bool next_pages(struct pages *from, const uint8_t **p, size_t *n, struct err *err)
{
    if (from->rd) {
        *p = from->buf;
        return read_chunk(from->rd, from->buf, CHUNK, n, err);
    }
    *p = (const uint8_t *)from->mem.p;
    *n = from->mem.n < CHUNK ? from->mem.n : CHUNK;
    from->mem = str_skip(from->mem, *n);
    return true;
}

static bool prove_pages(struct pages *from, const struct wal_candidate *c,
                        const struct wal_rules *rules, struct wal_proof *proof, struct err *err)
{
    struct wal_proof_of what = {.sysid = rules->systemid, .major = (int)rules->major};
    struct wal_head head;
    struct wal_page page;
    bool is_begun = false;
    const uint8_t *p;
    size_t n;

    do {
        if (!next_pages(from, &p, &n, err)) {
            return false;
        }
        if (!is_begun) {
            wal_page_decode(p, n, &page);
            if (!head_of(c, rules, &page, &head, err)) {
                return false;
            }
            what.seg = head.seg;
            what.seg_size = head.seg_size;
            what.blcksz = page.blcksz;
            wal_proof_begin(proof, &what);
            is_begun = true;
        }
        if (!wal_proof_feed(proof, p, n - n % proof->walk.opt.blcksz)) {
            return true;
        }
    } while (n == CHUNK);
    (void)wal_proof_end(proof);
    return true;
}

static bool pages_open(struct pages *from, const struct wal_candidate *c, struct arena *a,
                       struct err *err)
{
    struct wal_found found = {.repo = c->repo};

    *from = (struct pages){.mem = c->mem};
    if (c->mem.n > 0) {
        return true;
    }
    from->buf = arena_alloc(a, CHUNK);
    if (!from->buf) {
        return arena_err(a, err);
    }
    str_copy(found.path, sizeof found.path, c->path);
    from->rd = wal_reader_new(&found, 0, err);
    return from->rd != NULL;
}

bool wal_candidate_prove(const struct wal_candidate *c, const struct wal_rules *rules,
                         struct wal_proven *proven, struct err *err)
{
    struct wal_proof *proof;
    struct pages from = {.rd = NULL};
    struct arena a;
    bool ok;

    proven->is_walked = false;
    arena_init(&a, 0);
    proof = ARENA_NEW(&a, struct wal_proof);
    ok = (proof || arena_err(&a, err)) && pages_open(&from, c, &a, err) &&
         prove_pages(&from, c, rules, proof, err);
    if (ok) {
        proven->is_walked = true;
        proven->seg_size = proof->walk.opt.seg_size;
        proven->end = proof->end;
        proven->edge = proof->edge;
    }
    wal_reader_free(from.rd);
    arena_release(&a);
    return ok;
}

/* PostgreSQL would have to read it: what it could not is not taken in. */
static bool check_history(const struct wal_candidate *c, struct err *err)
{
    struct wal_found found = {.repo = c->repo};
    struct wal_reader *rd;
    struct history history;
    struct arena a;
    uint64_t tli;
    char *text;
    size_t n = 0, got = 1;
    bool ok;

    str_copy(found.path, sizeof found.path, c->path);
    rd = wal_reader_new(&found, 0, err);
    arena_init(&a, (size_t)8 * TEXT_MAX);
    text = rd ? arena_alloc(&a, TEXT_MAX) : NULL;
    ok = rd && (text || arena_err(&a, err));
    while (ok && got > 0 && n < TEXT_MAX) {
        ok = wal_read(rd, text + n, TEXT_MAX - n, &got, err);
        n += ok ? got : 0;
    }
    if (ok && (!str_hex_u64(str_n(c->name, 8), 8, &tli) ||
               !history_parse(&a, (pg_tli)tli, str_n(text, n), &history, err))) {
        err->code = ERR_FORMAT;
        str_copy(err->what, sizeof err->what, c->path);
        str_copy(err->hint, sizeof err->hint,
                 "Look at what delivers it; it was left where it is.");
        ok = false;
    }
    wal_reader_free(rd);
    arena_release(&a);
    return ok;
}

bool wal_candidate_check(const struct wal_candidate *c, const struct wal_rules *rules,
                         struct wal_proven *proven, struct err *err)
{
    if (c->is_sealed) {
        return true;
    }
    if (c->kind == WAL_NAME_SEGMENT || c->kind == WAL_NAME_PARTIAL) {
        return check_segment(c, rules, err) && (!proven || c->kind == WAL_NAME_PARTIAL ||
                                                wal_candidate_prove(c, rules, proven, err));
    }
    if (c->size > TEXT_MAX) {
        return err_set(err, ERR_FORMAT, "Look at what delivers it; it was left where it is.",
                       c->path, "has %" PRIu64 " bytes, too many for such a file", c->size);
    }
    return c->kind != WAL_NAME_HISTORY || check_history(c, err);
}
