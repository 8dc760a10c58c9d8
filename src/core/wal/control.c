/* SPDX-License-Identifier: PostgreSQL */
/*     0 u64 system id       8 u32 version        12 u32 catalog version   16 u32 state
 *    24 i64 time           32 u64 checkpoint     40 copy of it, 88 bytes
 *   136 u64 min recovery  144 u32 its timeline  152 u64 backup start    160 u64 backup end
 *   168 u8 end required   172 i32 wal_level     176 u8 wal_log_hints
 *   180 i32 max_connections  184 max_worker_processes  188 max_wal_senders
 *   192 max_prepared_xacts   196 max_locks_per_xact    200 u8 track_commit_timestamp
 *   216 u32 page   220 pages a file   224 WAL page   228 WAL segment   252 data checksums
 *   288 u32 CRC-32C of what is before it; 292 in version 1800
 */
#include "wal/control.h"

#include "base/bug.h"
#include "base/crc32c.h"
#include "base/get.h"
#include "wal/seg.h"

#include <inttypes.h>

#define VERSION_13_TO_16 1300
#define VERSION_17       1700
#define VERSION_18       1800

static uint32_t swapped(uint32_t v)
{
    return __builtin_bswap32(v);
}

/* Where the checksum is; 0: version not known. */
static size_t crc_offset(uint32_t version)
{
    switch (version) {
    case VERSION_13_TO_16:
    case VERSION_17:
        return 288;
    case VERSION_18:
        return 292;
    default:
        return 0;
    }
}

int control_major_of_catalog(uint32_t cat_version)
{
    static const struct {
        uint32_t cat;
        int major;
    } releases[] = {
        {202007201, 13}, {202107181, 14}, {202209061, 15},
        {202307071, 16}, {202406281, 17}, {202506291, 18},
    };

    for (size_t i = 0; i < sizeof releases / sizeof releases[0]; i++) {
        if (releases[i].cat == cat_version) {
            return releases[i].major;
        }
    }
    return 0;
}

static int major_of(uint32_t version, uint32_t cat_version)
{
    if (version == VERSION_13_TO_16) {
        return control_major_of_catalog(cat_version);
    }
    return version == VERSION_17 ? 17 : 18;
}

const char *control_state_text(enum control_state state)
{
    static const char *const text[] = {
        [CONTROL_STARTUP] = "starting up",
        [CONTROL_SHUTDOWNED] = "shut down",
        [CONTROL_SHUTDOWNED_IN_RECOVERY] = "shut down in recovery",
        [CONTROL_SHUTDOWNING] = "shutting down",
        [CONTROL_IN_CRASH_RECOVERY] = "in crash recovery",
        [CONTROL_IN_ARCHIVE_RECOVERY] = "in archive recovery",
        [CONTROL_IN_PRODUCTION] = "in production",
    };

    BUG_IF((unsigned)state >= sizeof text / sizeof text[0]);
    return text[state];
}

static bool is_power(uint32_t v, uint32_t least, uint32_t most)
{
    return v >= least && v <= most && (v & (v - 1)) == 0;
}

static bool envelope_check(const uint8_t *b, size_t n, const char *what, struct err *err)
{
    if (n < CONTROL_READ_MIN) {
        return err_set(err, ERR_FORMAT, "Check whether the copy was cut short.", what,
                       "only %zu bytes, a control file has %d", n, CONTROL_FILE_SIZE);
    }
    uint32_t version = get_le32(b + 8);
    size_t at = crc_offset(version);
    if (at == 0 && crc_offset(swapped(version)) != 0) {
        return err_set(err, ERR_FORMAT, "Keep this server with a tool of its own kind.", what,
                       "written on a big-endian machine, which is not supported");
    }
    if (at == 0) {
        return err_set(err, ERR_FORMAT, "Check which PostgreSQL version the file is of.", what,
                       "pg_control version %" PRIu32 " is not one of PostgreSQL 13 to 18",
                       version);
    }
    uint32_t sum = crc32c_end(crc32c_feed(CRC32C_START, b, at));
    if (sum != get_le32(b + at)) {
        return err_set(
            err, ERR_FORMAT, "Read it again; a running server may have been writing.", what,
            "wrong checksum: %08" PRIX32 " instead of %08" PRIX32, sum, get_le32(b + at));
    }
    return true;
}

static bool sizes_check(const struct control *c, const char *what, struct err *err)
{
    if (!is_power(c->blcksz, 1024, 32768) || !is_power(c->xlog_blcksz, 1024, 65536) ||
        !wal_seg_size_ok(c->xlog_seg_size) || c->relseg_size == 0) {
        return err_set(err, ERR_FORMAT, "Check which server the file is of.", what,
                       "impossible sizes: page %" PRIu32 ", WAL page %" PRIu32
                       ", WAL segment %" PRIu32,
                       c->blcksz, c->xlog_blcksz, c->xlog_seg_size);
    }
    if ((unsigned)c->state > CONTROL_IN_PRODUCTION) {
        return err_set(err, ERR_FORMAT, "Check which server the file is of.", what,
                       "impossible state %u", (unsigned)c->state);
    }
    return true;
}

bool control_parse(const void *bytes, size_t n, const char *what, struct control *out,
                   struct err *err)
{
    const uint8_t *b = bytes;

    if (!envelope_check(b, n, what, err)) {
        return false;
    }
    struct control c = {
        .sysid = get_le64(b),
        .version = get_le32(b + 8),
        .cat_version = get_le32(b + 12),
        .state = (enum control_state)get_le32(b + 16),
        .time_us = wal_seconds_us((int64_t)get_le64(b + 24)),
        .checkpoint = get_le64(b + 32),
        .min_recovery = get_le64(b + 136),
        .min_recovery_tli = get_le32(b + 144),
        .backup_start = get_le64(b + 152),
        .backup_end = get_le64(b + 160),
        .backup_end_required = b[168] != 0,
        .settings =
            {
                .wal_level = (int32_t)get_le32(b + 172),
                .max_connections = (int32_t)get_le32(b + 180),
                .max_worker_processes = (int32_t)get_le32(b + 184),
                .max_wal_senders = (int32_t)get_le32(b + 188),
                .max_prepared_xacts = (int32_t)get_le32(b + 192),
                .max_locks_per_xact = (int32_t)get_le32(b + 196),
            },
        .wal_log_hints = b[176] != 0,
        .track_commit_timestamp = b[200] != 0,
        .blcksz = get_le32(b + 216),
        .relseg_size = get_le32(b + 220),
        .xlog_blcksz = get_le32(b + 224),
        .xlog_seg_size = get_le32(b + 228),
        .data_checksums = get_le32(b + 252),
    };
    c.major = major_of(c.version, c.cat_version);
    bool whole = wal_checkpoint_decode(b + 40, WAL_CHECKPOINT_SIZE, &c.checkpoint_copy);
    BUG_IF(!whole);
    if (!sizes_check(&c, what, err)) {
        return false;
    }
    *out = c;
    return true;
}
