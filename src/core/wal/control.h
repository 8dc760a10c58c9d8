/* SPDX-License-Identifier: PostgreSQL */
/* control.h - global/pg_control of PostgreSQL 13 to 18.
 *
 * Offsets in control.c. The layout is one from 13 to 17 (versions 1300, 1700); 18 (1800) puts
 * a byte before the nonce, which moves the checksum from 288 to 292.
 *
 * Order    Version first, since it says where the checksum is; a version that is known only
 *          with its bytes swapped is the other byte order. Then the checksum, then the sizes.
 * Errors   ERR_FORMAT. Nothing of *out is to be used after one.
 * Source   PostgreSQL 13-18, src/include/catalog/pg_control.h.
 */
#ifndef WAL_CONTROL_H
#define WAL_CONTROL_H

#include "barkeep/err.h"
#include "wal/record.h"

#define CONTROL_FILE_SIZE 8192
#define CONTROL_READ_MIN  296 /* bytes that must be at hand */

enum control_state {
    CONTROL_STARTUP,
    CONTROL_SHUTDOWNED,
    CONTROL_SHUTDOWNED_IN_RECOVERY,
    CONTROL_SHUTDOWNING,
    CONTROL_IN_CRASH_RECOVERY,
    CONTROL_IN_ARCHIVE_RECOVERY,
    CONTROL_IN_PRODUCTION,
};

struct control {
    uint64_t sysid;
    uint32_t version;     /* 1300, 1700, 1800 */
    uint32_t cat_version; /* 202209061 */
    int major;            /* 0: a catalogue of no release from 13 to 16 (a beta) */
    enum control_state state;
    int64_t time_us;
    pg_lsn checkpoint; /* where the record is */
    struct wal_checkpoint checkpoint_copy;
    pg_lsn min_recovery;
    pg_tli min_recovery_tli;
    pg_lsn backup_start, backup_end;
    bool backup_end_required;
    struct wal_settings settings;
    bool wal_log_hints, track_commit_timestamp;
    uint32_t blcksz, relseg_size, xlog_blcksz, xlog_seg_size; /* relseg_size in pages */
    uint32_t data_checksums;                                  /* 0: off */
};

/* what: path for messages. */
MUST_CHECK bool control_parse(const void *bytes, size_t n, const char *what,
                              struct control *out, struct err *err);

const char *
control_state_text(enum control_state state);       /* "in production", as pg_controldata */
int control_major_of_catalog(uint32_t cat_version); /* 0: not known */

#endif
