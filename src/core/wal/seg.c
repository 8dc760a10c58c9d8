/* SPDX-License-Identifier: PostgreSQL */
#include "wal/seg.h"

#include "base/bug.h"

#include <inttypes.h>
#include <string.h>

#define MIB ((uint64_t)1024 * 1024)

/* Segments that share the middle field of a name: 4 GiB worth of them. */
static uint32_t segs_per_id(uint32_t seg_size)
{
    BUG_IF(!wal_seg_size_ok(seg_size));
    return (uint32_t)(((uint64_t)1 << 32) / seg_size);
}

static uint64_t last_no(uint32_t seg_size)
{
    return UINT64_MAX / seg_size;
}

static bool is_hex(const char *p, size_t n, enum wal_name_case letters)
{
    for (size_t i = 0; i < n; i++) {
        bool digit = p[i] >= '0' && p[i] <= '9';
        bool upper = p[i] >= 'A' && p[i] <= 'F';
        bool lower = p[i] >= 'a' && p[i] <= 'f' && letters == WAL_CASE_EITHER;
        if (!digit && !upper && !lower) {
            return false;
        }
    }
    return true;
}

static bool hex8(const char *p, uint32_t *out)
{
    uint64_t v;

    if (!str_hex_u64(str_n(p, 8), 8, &v)) {
        return false;
    }
    *out = (uint32_t)v;
    return true;
}

bool wal_seg_size_ok(uint64_t seg_size)
{
    return seg_size >= 1 * MIB && seg_size <= 1024 * MIB && (seg_size & (seg_size - 1)) == 0;
}

bool wal_seg_parse(const char *name, uint32_t seg_size, struct wal_seg *out, struct err *err)
{
    uint32_t per_id = segs_per_id(seg_size);
    uint32_t tli, id, nth;

    if (strlen(name) != WAL_NAME_LEN || !hex8(name, &tli) || !hex8(name + 8, &id) ||
        !hex8(name + 16, &nth)) {
        return err_set(err, ERR_FORMAT, "", name, "not a WAL segment name");
    }
    if (tli == 0) {
        return err_set(err, ERR_FORMAT, "", name, "a WAL segment of timeline 0");
    }
    if (nth >= per_id) {
        return err_set(err, ERR_FORMAT, "Check wal_segment_size of the server it came from.",
                       name, "cannot exist with segments of %" PRIu64 " MiB", seg_size / MIB);
    }
    *out = (struct wal_seg){.tli = tli, .no = (uint64_t)id * per_id + nth};
    return true;
}

void wal_seg_name(struct wal_seg seg, uint32_t seg_size, char out[WAL_NAME_CAP])
{
    uint32_t per_id = segs_per_id(seg_size);

    BUG_IF(seg.no > last_no(seg_size));
    str_fmt(out, WAL_NAME_CAP, "%08" PRIX32 "%08" PRIX32 "%08" PRIX32, seg.tli,
            (uint32_t)(seg.no / per_id), (uint32_t)(seg.no % per_id));
}

pg_lsn wal_seg_start(struct wal_seg seg, uint32_t seg_size)
{
    return seg.no * seg_size;
}

struct wal_seg wal_seg_at(pg_tli tli, pg_lsn lsn, uint32_t seg_size)
{
    BUG_IF(!wal_seg_size_ok(seg_size));
    return (struct wal_seg){.tli = tli, .no = lsn / seg_size};
}

struct wal_seg wal_seg_of_end(pg_tli tli, pg_lsn end, uint32_t seg_size)
{
    return wal_seg_at(tli, end > 0 ? end - 1 : 0, seg_size);
}

bool wal_seg_next(struct wal_seg seg, uint32_t seg_size, struct wal_seg *out)
{
    BUG_IF(!wal_seg_size_ok(seg_size));
    if (seg.no >= last_no(seg_size)) {
        return false;
    }
    *out = (struct wal_seg){.tli = seg.tli, .no = seg.no + 1};
    return true;
}

bool wal_seg_prev(struct wal_seg seg, struct wal_seg *out)
{
    if (seg.no == 0) {
        return false;
    }
    *out = (struct wal_seg){.tli = seg.tli, .no = seg.no - 1};
    return true;
}

int wal_seg_cmp(struct wal_seg a, struct wal_seg b)
{
    if (a.tli != b.tli) {
        return a.tli < b.tli ? -1 : 1;
    }
    return a.no < b.no ? -1 : a.no > b.no;
}

enum wal_name_kind wal_name_kind(struct str name, enum wal_name_case letters)
{
    if (name.n == WAL_HISTORY_NAME_CAP - 1 && str_ends(name, ".history")) {
        return is_hex(name.p, 8, letters) ? WAL_NAME_HISTORY : WAL_NAME_OTHER;
    }
    if (name.n < WAL_NAME_LEN || !is_hex(name.p, WAL_NAME_LEN, letters)) {
        return WAL_NAME_OTHER;
    }
    struct str tail = str_skip(name, WAL_NAME_LEN);
    if (tail.n == 0) {
        return WAL_NAME_SEGMENT;
    }
    if (str_eq(tail, ".partial")) {
        return WAL_NAME_PARTIAL;
    }
    if (tail.n == 16 && tail.p[0] == '.' && is_hex(tail.p + 1, 8, letters) &&
        str_ends(tail, ".backup")) {
        return WAL_NAME_BACKUP;
    }
    return WAL_NAME_OTHER;
}

bool wal_name_tli(struct str name, pg_tli *out)
{
    uint64_t v;

    if (wal_name_kind(name, WAL_CASE_EITHER) == WAL_NAME_OTHER) {
        return false;
    }
    struct str digits = str_n(name.p, 8);
    if (!str_take_hex(&digits, &v) || v == 0) {
        return false;
    }
    *out = (pg_tli)v;
    return true;
}

void wal_name_dir(struct str name, char out[WAL_DIR_CAP])
{
    enum wal_name_kind kind = wal_name_kind(name, WAL_CASE_EITHER);
    size_t n = kind == WAL_NAME_HISTORY ? 0 : WAL_DIR_LEN;

    BUG_IF(kind == WAL_NAME_OTHER);
    for (size_t i = 0; i < n; i++) {
        char c = name.p[i];
        out[i] = (char)(c >= 'a' ? c - 'a' + 'A' : c);
    }
    out[n] = '\0';
}

void wal_history_name(pg_tli tli, char out[WAL_HISTORY_NAME_CAP])
{
    str_fmt(out, WAL_HISTORY_NAME_CAP, "%08" PRIX32 ".history", tli);
}

bool wal_lsn_parse(struct str text, pg_lsn *out)
{
    struct str hi_text;
    uint64_t hi, lo;

    if (!str_split(&text, '/', &hi_text) || hi_text.n == 0 || hi_text.n > 8 || text.n == 0 ||
        text.n > 8) {
        return false;
    }
    if (!str_take_hex(&hi_text, &hi) || hi_text.n > 0 || !str_take_hex(&text, &lo) ||
        text.n > 0) {
        return false;
    }
    *out = hi << 32 | lo;
    return true;
}
