/* SPDX-License-Identifier: PostgreSQL */
#include "wal_check.h"

#include "gpg.h"
#include "wal/history.h"
#include "wal/page.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX (1024 * 1024) /* a label or a history file has a few hundred bytes */

bool wal_candidate_of(const struct repo *r, const char *path, int fd, struct wal_candidate *out,
                      struct err *err)
{
    char head[CODEC_MAGIC_LEN];
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
    n = pread(fd, head, sizeof head, 0);
    if (n < 0) {
        return err_os(err, errno, "read", path);
    }
    out->codec = codec_detect(head, (size_t)n, r ? r->custom : NULL);
    out->is_sealed = out->codec == CODEC_NONE && gpg_detect(head, (size_t)n);
    out->size = (uint64_t)st.st_size;
    return true;
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

static bool prove_chunks(struct wal_reader *rd, const struct wal_candidate *c,
                         const struct wal_rules *rules, struct wal_proof *proof, uint8_t *chunk,
                         struct err *err)
{
    struct wal_proof_of what = {.sysid = rules->systemid, .major = (int)rules->major};
    struct wal_head head;
    struct wal_page page;
    bool is_begun = false;
    size_t n;

    do {
        if (!read_chunk(rd, chunk, CHUNK, &n, err)) {
            return false;
        }
        if (!is_begun) {
            wal_page_decode(chunk, n, &page);
            if (!head_of(c, rules, &page, &head, err)) {
                return false;
            }
            what.seg = head.seg;
            what.seg_size = head.seg_size;
            what.blcksz = page.blcksz;
            wal_proof_begin(proof, &what);
            is_begun = true;
        }
        if (!wal_proof_feed(proof, chunk, n - n % proof->walk.opt.blcksz)) {
            return true;
        }
    } while (n == CHUNK);
    (void)wal_proof_end(proof);
    return true;
}

bool wal_candidate_prove(const struct wal_candidate *c, const struct wal_rules *rules,
                         struct wal_proven *proven, struct err *err)
{
    struct wal_found found = {.repo = c->repo};
    struct wal_reader *rd = NULL;
    struct wal_proof *proof;
    struct arena a;
    uint8_t *chunk;
    bool ok;

    proven->is_walked = false;
    str_copy(found.path, sizeof found.path, c->path);
    arena_init(&a, 0);
    proof = ARENA_NEW(&a, struct wal_proof);
    chunk = arena_alloc(&a, CHUNK);
    ok = (proof && chunk) || arena_err(&a, err);
    if (ok) {
        rd = wal_reader_new(&found, 0, err);
        ok = rd && prove_chunks(rd, c, rules, proof, chunk, err);
    }
    if (ok) {
        proven->is_walked = true;
        proven->seg_size = proof->walk.opt.seg_size;
        proven->end = proof->end;
        proven->edge = proof->edge;
    }
    wal_reader_free(rd);
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
