/* SPDX-License-Identifier: PostgreSQL */
#include "wal/record.h"

#include "base/clock.h"
#include "base/get.h"

#include <string.h>

/* Fragment ids that can stand before the main data of a record without block references. */
#define ID_TOP_XID    252
#define ID_ORIGIN     253
#define ID_DATA_LONG  254
#define ID_DATA_SHORT 255

int64_t wal_time_us(int64_t timestamptz)
{
    int64_t us;

    return __builtin_add_overflow(timestamptz, PG_EPOCH_US, &us) ? INT64_MAX : us;
}

int64_t wal_seconds_us(int64_t unix_seconds)
{
    int64_t us;

    if (__builtin_mul_overflow(unix_seconds, US_PER_S, &us)) {
        return unix_seconds < 0 ? INT64_MIN : INT64_MAX;
    }
    return us;
}

void wal_record_decode(const void *p, struct wal_record *out)
{
    const uint8_t *b = p;

    *out = (struct wal_record){
        .tot_len = get_le32(b),
        .xid = get_le32(b + 4),
        .prev = get_le64(b + 8),
        .info = b[16],
        .rmid = b[17],
        .crc = get_le32(b + 20),
    };
}

bool wal_body_main(const uint8_t *body, size_t n, uint64_t body_len, uint64_t *at)
{
    size_t pos = 0;

    while (pos < n) {
        uint64_t len;
        switch (body[pos]) {
        case ID_TOP_XID:
            pos += 5;
            continue;
        case ID_ORIGIN:
            pos += 3;
            continue;
        case ID_DATA_SHORT:
            if (n - pos < 2) {
                return false;
            }
            len = body[pos + 1];
            pos += 2;
            break;
        case ID_DATA_LONG:
            if (n - pos < 5) {
                return false;
            }
            len = get_le32(body + pos + 1);
            pos += 5;
            break;
        default:
            return false;
        }
        *at = pos;
        return pos + len == body_len;
    }
    *at = body_len;
    return pos == body_len; /* no main data: XLOG_SWITCH */
}

bool wal_checkpoint_decode(const void *p, size_t n, struct wal_checkpoint *out)
{
    const uint8_t *b = p;

    if (n < WAL_CHECKPOINT_SIZE) {
        return false;
    }
    *out = (struct wal_checkpoint){
        .redo = get_le64(b),
        .tli = get_le32(b + 8),
        .prev_tli = get_le32(b + 12),
        .next_xid = get_le64(b + 24),
        .next_oid = get_le32(b + 32),
        .next_multi = get_le32(b + 36),
        .oldest_xid = get_le32(b + 44),
        .time_us = wal_seconds_us((int64_t)get_le64(b + 64)),
        .oldest_active_xid = get_le32(b + 80),
    };
    return true;
}

static bool on_checkpoint(struct wal_event *e)
{
    e->kind = WAL_EVENT_CHECKPOINT;
    if (!wal_checkpoint_decode(e->main, e->main_len, &e->checkpoint)) {
        return false;
    }
    e->time_us = e->checkpoint.time_us;
    return true;
}

static bool on_switch(struct wal_event *e)
{
    e->kind = WAL_EVENT_SWITCH;
    return e->main_len == 0;
}

static bool on_backup_end(struct wal_event *e)
{
    e->kind = WAL_EVENT_BACKUP_END;
    if (e->main_len < 8) {
        return false;
    }
    e->lsn = get_le64(e->main);
    return true;
}

static bool on_settings(struct wal_event *e)
{
    e->kind = WAL_EVENT_SETTINGS;
    if (e->main_len < 26) {
        return false;
    }
    e->settings = (struct wal_settings){
        .max_connections = (int32_t)get_le32(e->main),
        .max_worker_processes = (int32_t)get_le32(e->main + 4),
        .max_wal_senders = (int32_t)get_le32(e->main + 8),
        .max_prepared_xacts = (int32_t)get_le32(e->main + 12),
        .max_locks_per_xact = (int32_t)get_le32(e->main + 16),
        .wal_level = (int32_t)get_le32(e->main + 20),
    };
    return true;
}

/* The name is a 64-byte field; what follows its NUL was on the server's stack. */
static bool on_restore_point(struct wal_event *e)
{
    e->kind = WAL_EVENT_RESTORE_POINT;
    if (e->main_len < 8 + WAL_RESTORE_POINT_CAP) {
        return false;
    }
    e->time_us = wal_time_us((int64_t)get_le64(e->main));
    memset(e->name, 0, sizeof e->name);
    for (size_t i = 0; i + 1 < sizeof e->name && e->main[8 + i]; i++) {
        e->name[i] = (char)e->main[8 + i];
    }
    return true;
}

static bool on_end_of_recovery(struct wal_event *e)
{
    e->kind = WAL_EVENT_END_OF_RECOVERY;
    if (e->main_len < 16) {
        return false;
    }
    e->time_us = wal_time_us((int64_t)get_le64(e->main));
    e->end_of_recovery.tli = get_le32(e->main + 8);
    e->end_of_recovery.prev_tli = get_le32(e->main + 12);
    return true;
}

static bool on_overwrite(struct wal_event *e)
{
    e->kind = WAL_EVENT_OVERWRITE;
    if (e->main_len < 16) {
        return false;
    }
    e->lsn = get_le64(e->main);
    e->time_us = wal_time_us((int64_t)get_le64(e->main + 8));
    return true;
}

static bool on_tablespace(struct wal_event *e)
{
    e->kind = WAL_EVENT_TABLESPACE;
    if (e->main_len < 5 || e->main[e->main_len - 1] != '\0') {
        return false;
    }
    e->tablespace.oid = get_le32(e->main);
    e->tablespace.location = (const char *)e->main + 4;
    return true;
}

/* Records that speak, and their readers. Transactions have one of their own. */
static const struct speaker {
    uint8_t rmid, op;
    bool (*read)(struct wal_event *e);
} speakers[] = {
    {WAL_RM_XLOG, 0x00, on_checkpoint},      {WAL_RM_XLOG, 0x10, on_checkpoint},
    {WAL_RM_XLOG, 0x40, on_switch},          {WAL_RM_XLOG, 0x50, on_backup_end},
    {WAL_RM_XLOG, 0x60, on_settings},        {WAL_RM_XLOG, 0x70, on_restore_point},
    {WAL_RM_XLOG, 0x90, on_end_of_recovery}, {WAL_RM_XLOG, 0xD0, on_overwrite},
    {WAL_RM_TBLSPC, 0x00, on_tablespace},
};

static const struct speaker *speaker_of(const struct wal_record *rec)
{
    for (size_t i = 0; i < sizeof speakers / sizeof speakers[0]; i++) {
        if (speakers[i].rmid == rec->rmid && speakers[i].op == (rec->info & 0xF0)) {
            return &speakers[i];
        }
    }
    return NULL;
}

static bool is_xact_end(const struct wal_record *rec)
{
    uint8_t op = rec->info & WAL_XACT_OP_MASK;

    return rec->rmid == WAL_RM_XACT &&
           (op == WAL_XACT_COMMIT || op == WAL_XACT_ABORT || op == WAL_XACT_COMMIT_PREPARED ||
            op == WAL_XACT_ABORT_PREPARED);
}

bool wal_record_speaks(const struct wal_record *rec)
{
    if (rec->rmid > WAL_RM_TBLSPC) {
        return false;
    }
    return is_xact_end(rec) || speaker_of(rec);
}

bool wal_event_of_xact(const struct wal_xact_scan *scan, struct wal_event *e)
{
    uint8_t op = e->rec.info & WAL_XACT_OP_MASK;
    bool prepared = op == WAL_XACT_COMMIT_PREPARED || op == WAL_XACT_ABORT_PREPARED;

    if (!wal_xact_done(scan) || (prepared && scan->xact.twophase_xid == 0)) {
        return false;
    }
    e->kind = op == WAL_XACT_COMMIT || op == WAL_XACT_COMMIT_PREPARED ? WAL_EVENT_COMMIT
                                                                      : WAL_EVENT_ABORT;
    e->xact = scan->xact;
    e->time_us = scan->xact.time_us;
    e->xid = prepared ? scan->xact.twophase_xid : e->rec.xid;
    return true;
}

bool wal_event_decode(int major, struct wal_event *e)
{
    const struct speaker *speaker = speaker_of(&e->rec);

    if (speaker) {
        return speaker->read(e);
    }
    if (!is_xact_end(&e->rec)) {
        e->kind = WAL_EVENT_NONE;
        return true;
    }
    struct wal_xact_scan scan;
    wal_xact_begin(&scan, major, e->rec.info, e->main_len);
    wal_xact_feed(&scan, e->main, e->main_len);
    return wal_event_of_xact(&scan, e);
}
