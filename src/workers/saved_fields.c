/* SPDX-License-Identifier: PostgreSQL */
#include "saved_in.h"

#include <stddef.h>

_Static_assert(sizeof(enum light) == sizeof(uint32_t), "FIELD_ENUM");

#define S(key, kind, member, most)                                                             \
    {                                                                                          \
        key, FIELD_##kind, offsetof(struct snapshot, member), most                             \
    }
static const struct field server_fields[] = {
    S("name", TEXT, server, 0),        S("made", I64, made_us, 0),
    S("light", ENUM, light, LIGHT_OK), S("description", TEXT, description, 0),
    S("sentence", TEXT, sentence, 0),  S("todo", TEXT, todo, 0),
    S("unread", U64, unread, 0),       S("receiving", BOOL, is_receiving, 0),
    S("streams", BOOL, streams, 0),    S("archives", BOOL, archives, 0),
};
static const struct field live_fields[] = {
    S("state", ENUM, live.state, LIVE_OFF),
    S("answered", I64, live.answered_us, 0),
    S("since", I64, live.since_us, 0),
    S("why", TEXT, live.why, 0),
    S("address", TEXT, live.address, 0),
    S("version_text", TEXT, live.version_text, 0),
    S("systemid", TEXT, live.systemid, 0),
    S("version", I32, live.version, 0),
    S("in_recovery", BOOL, live.in_recovery, 0),
    S("tli", U32, live.tli, 0),
    S("lsn", U64, live.lsn, 0),
    S("now", I64, live.now_us, 0),
    S("flushed", U64, live.flushed, 0),
    S("sync_state", TEXT, live.sync_state, 0),
    S("has_slot", BOOL, live.has_slot, 0),
    S("slot_lost", BOOL, live.slot_lost, 0),
    S("slot_lsn", U64, live.slot_lsn, 0),
    S("archiver_known", BOOL, live.archiver_known, 0),
    S("archiver_fails", BOOL, live.archiver_fails, 0),
    S("archiver_failed", I64, live.archiver_failed_us, 0),
    S("archiver_failed_wal", TEXT, live.archiver_failed_wal, 0),
};
#undef S
#define B(key, kind, member, most)                                                             \
    {                                                                                          \
        key, FIELD_##kind, offsetof(struct backup_row, member), most                           \
    }
static const struct field backup_fields[] = {
    B("id", CHARS, id, BACKUP_ID_CAP),
    B("name", TEXT, name, 0),
    B("status", ENUM, status, BACKUP_SYNCING),
    B("type", ENUM, type, BACKUP_SNAPSHOT),
    B("begin", I64, begin.us, 0),
    B("begin_offset", I32, begin.offset_s, 0),
    B("begin_known", BOOL, begin.known, 0),
    B("end", I64, end.us, 0),
    B("end_offset", I32, end.offset_s, 0),
    B("end_known", BOOL, end.known, 0),
    B("begin_lsn", U64, begin_lsn, 0),
    B("end_lsn", U64, end_lsn, 0),
    B("tli", U32, tli, 0),
    B("version", I32, version, 0),
    B("size", U64, size, 0),
    B("wal_bytes", U64, wal_bytes, 0),
    B("took", SECONDS, took_s, 0),
    B("keep", ENUM, keep, ROW_KEEP_STANDALONE),
    B("retention", TEXT, retention, 0),
    B("error", TEXT, error, 0),
    B("parent", TEXT, parent, 0),
    B("tablespaces", U64, tablespaces, 0),
    B("corrupt", BOOL, is_corrupt, 0),
};
#undef B
#define C(key, kind, member, most)                                                             \
    {                                                                                          \
        key, FIELD_##kind, offsetof(struct coverage, member), most                             \
    }
static const struct field coverage_fields[] = {
    C("seg_size", U32, seg_size, 0),
    C("last_wal", CHARS, last_wal, WAL_FILE_NAME_CAP),
    C("last_wal_time", I64, last_wal_us, 0),
    C("waiting", U64, waiting, 0),
    C("waiting_since", I64, waiting_since_us, 0),
    C("wal_bytes", U64, wal_bytes, 0),
    C("wal_files", U64, wal_files, 0),
};
#undef C
#define T(key, kind, member, most)                                                             \
    {                                                                                          \
        key, FIELD_##kind, offsetof(struct stretch, member), most                              \
    }
#define MARK(name, member)                                                                     \
    T(name "_time", I64, member.us, 0), T(name "_lsn", U64, member.lsn, 0),                    \
        T(name "_xid", U32, member.xid, 0), T(name "_proven", BOOL, member.is_proven, 0)
static const struct field stretch_fields[] = {
    T("tli", U32, tli, 0),
    T("main", BOOL, is_main, 0),
    T("open", BOOL, is_open, 0),
    MARK("from", from),
    MARK("first", first),
    MARK("to", to),
    T("backup", CHARS, backup_id, BACKUP_ID_CAP),
    T("backups", U64, backups, 0),
};
#undef MARK
#undef T
#define H(key, kind, member, most)                                                             \
    {                                                                                          \
        key, FIELD_##kind, offsetof(struct hole, member), most                                 \
    }
static const struct field hole_fields[] = {
    H("reason", ENUM, why, HOLE_NO_BACKUP),
    H("tli", U32, tli, 0),
    H("segments", U64, segments, 0),
    H("first", CHARS, first, WAL_FILE_NAME_CAP),
    H("last", CHARS, last, WAL_FILE_NAME_CAP),
    H("from_lsn", U64, from_lsn, 0),
    H("to_lsn", U64, to_lsn, 0),
    H("from_time", I64, from_us, 0),
    H("to_time", I64, to_us, 0),
    H("hurts", BOOL, hurts, 0),
    H("note", TEXT, note, 0),
};
#undef H
#define L(key, kind, member, most)                                                             \
    {                                                                                          \
        key, FIELD_##kind, offsetof(struct line_part, member), most                            \
    }
static const struct field line_fields[] = {
    L("tli", U32, tli, 0),       L("parent", U32, parent, 0),     L("begin_lsn", U64, begin, 0),
    L("end_lsn", U64, end, 0),   L("begin", I64, begin_us, 0),    L("end", I64, end_us, 0),
    L("main", BOOL, is_main, 0), L("newest", BOOL, is_newest, 0),
};
#undef L

#define KIND(word, table, type, max)                                                           \
    {                                                                                          \
        word, table, sizeof(table) / sizeof((table)[0]), sizeof(type), max                     \
    }
const struct kind saved_kinds[ROW_KINDS] = {
    KIND("server", server_fields, struct snapshot, 1),
    KIND("live", live_fields, struct snapshot, 1),
    KIND("backup", backup_fields, struct backup_row, SAVED_BACKUPS),
    KIND("coverage", coverage_fields, struct coverage, 1),
    KIND("stretch", stretch_fields, struct stretch, SAVED_STRETCHES),
    KIND("hole", hole_fields, struct hole, SAVED_HOLES),
    KIND("line", line_fields, struct line_part, SAVED_LINES),
};
#undef KIND
