/* SPDX-License-Identifier: PostgreSQL */
#include "wal/xact.h"

#include "base/get.h"
#include "wal/record.h"

#include <string.h>

/* What the main data holds, in its order. Of an array only the count is read. */
enum stage {
    STAGE_TIME,
    STAGE_XINFO,
    STAGE_DATABASE,
    STAGE_SUBXACTS,
    STAGE_FILES,
    STAGE_STATS,
    STAGE_INVALS,
    STAGE_TWOPHASE,
    STAGE_GID,
    STAGE_ORIGIN,
    STAGE_END,
};

/* flag: bit of xinfo without which it is not there (0: always); bytes: read at once. */
static const struct {
    uint32_t flag;
    unsigned bytes;
} stages[] = {
    [STAGE_TIME] = {0, 8},
    [STAGE_XINFO] = {0, 4},
    [STAGE_DATABASE] = {WAL_XINFO_DBINFO, 8},
    [STAGE_SUBXACTS] = {WAL_XINFO_SUBXACTS, 4},
    [STAGE_FILES] = {WAL_XINFO_FILES, 4},
    [STAGE_STATS] = {WAL_XINFO_DROPPED_STATS, 4},
    [STAGE_INVALS] = {WAL_XINFO_INVALS, 4},
    [STAGE_TWOPHASE] = {WAL_XINFO_TWOPHASE, 4},
    [STAGE_GID] = {WAL_XINFO_GID, 1},
    [STAGE_ORIGIN] = {WAL_XINFO_ORIGIN, 8},
};

static bool is_abort(const struct wal_xact_scan *s)
{
    uint8_t op = s->info & WAL_XACT_OP_MASK;
    return op == WAL_XACT_ABORT || op == WAL_XACT_ABORT_PREPARED;
}

static bool is_there(const struct wal_xact_scan *s, int stage)
{
    switch (stage) {
    case STAGE_XINFO:
        return (s->info & WAL_XACT_HAS_INFO) != 0;
    case STAGE_STATS:
        return s->major >= 15 && (s->xact.xinfo & WAL_XINFO_DROPPED_STATS);
    case STAGE_INVALS:
        return !is_abort(s) && (s->xact.xinfo & WAL_XINFO_INVALS);
    case STAGE_GID: /* the text is only written beside the xid */
        return (s->xact.xinfo & WAL_XINFO_GID) && (s->xact.xinfo & WAL_XINFO_TWOPHASE);
    default:
        return stages[stage].flag == 0 || (s->xact.xinfo & stages[stage].flag);
    }
}

static void next_stage(struct wal_xact_scan *s)
{
    do {
        s->stage++;
    } while (s->stage < STAGE_END && !is_there(s, s->stage));
    s->have = 0;
}

static void array_begin(struct wal_xact_scan *s, struct wal_part *part, uint32_t size)
{
    uint32_t n = get_le32(s->word);

    if (n > INT32_MAX || (uint64_t)n * size > s->total - s->at) {
        s->is_bad = true;
        return;
    }
    *part = (struct wal_part){.n = n, .size = size, .at = s->at};
    s->skip = (uint64_t)n * size;
}

/* s->word holds all bytes of the stage. */
static void stage_read(struct wal_xact_scan *s)
{
    struct wal_xact *x = &s->xact;

    switch (s->stage) {
    case STAGE_TIME:
        x->time_us = wal_time_us((int64_t)get_le64(s->word));
        break;
    case STAGE_XINFO:
        x->xinfo = get_le32(s->word);
        break;
    case STAGE_DATABASE:
        x->database = get_le32(s->word);
        break;
    case STAGE_SUBXACTS:
        array_begin(s, &x->subxacts, 4);
        break;
    case STAGE_FILES:
        array_begin(s, &x->files, 12);
        break;
    case STAGE_STATS:
        array_begin(s, &x->stats, s->major >= 18 ? 16 : 12);
        break;
    case STAGE_INVALS:
        array_begin(s, &x->invals, 16);
        break;
    case STAGE_TWOPHASE:
        x->twophase_xid = get_le32(s->word);
        break;
    case STAGE_GID:
        if (s->word[0] != '\0') {
            s->have = 0;
            return; /* the next byte of the text */
        }
        break;
    default: /* STAGE_ORIGIN: an LSN, then a time; neither is of use here */
        s->skip = 8;
        break;
    }
    next_stage(s);
}

void wal_xact_begin(struct wal_xact_scan *s, int major, uint8_t info, uint64_t total)
{
    *s = (struct wal_xact_scan){.major = major, .info = info, .total = total};
}

void wal_xact_feed(struct wal_xact_scan *s, const void *p, size_t n)
{
    const uint8_t *b = p;

    while (n > 0 && !s->is_bad) {
        uint64_t take;
        if (s->skip > 0) {
            take = s->skip < n ? s->skip : n;
            s->skip -= take;
            s->at += take;
        } else if (s->stage == STAGE_END) {
            s->at += n; /* what a later minor version may add */
            return;
        } else {
            unsigned need = stages[s->stage].bytes;
            take = need - s->have < n ? need - s->have : n;
            memcpy(s->word + s->have, b, take);
            s->have += (unsigned)take;
            s->at += take;
            if (s->have == need) {
                stage_read(s);
            }
        }
        b += take;
        n -= take;
    }
}

bool wal_xact_done(const struct wal_xact_scan *s)
{
    return !s->is_bad && s->stage == STAGE_END && s->skip == 0 && s->at == s->total;
}

bool wal_xact_parse(int major, uint8_t info, const void *p, size_t n, struct wal_xact *out)
{
    struct wal_xact_scan s;

    wal_xact_begin(&s, major, info, n);
    wal_xact_feed(&s, p, n);
    if (!wal_xact_done(&s)) {
        return false;
    }
    *out = s.xact;
    return true;
}

pg_xid wal_xact_sub(const struct wal_xact *x, const void *main, uint32_t i)
{
    return get_le32((const uint8_t *)main + x->subxacts.at + (uint64_t)i * 4);
}
