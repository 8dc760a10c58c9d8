/* SPDX-License-Identifier: PostgreSQL */
/* model.h - the nouns: what a server, a backup and an archived WAL file are.
 *
 * Values that live in an arena of whoever loaded them; immutable once loaded. A text that is
 * not known is NULL, a number that is not known is 0 unless its line says otherwise.
 *
 * Source  Barman's backup.info (one `key=value` a line) and xlog.db; the members bear the names
 *         of the keys, so that a reader of the file finds them.
 */
#ifndef BARKEEP_MODEL_H
#define BARKEEP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t pg_lsn; /* byte position in the WAL stream, counted from 0 */
typedef uint32_t pg_tli; /* timeline, 1 .. UINT32_MAX; 0: not known */
typedef uint32_t pg_xid;

#define BACKUP_ID_LEN 15 /* YYYYMMDDTHHMMSS, local time at the start */
#define BACKUP_ID_CAP (BACKUP_ID_LEN + 1)

/* name in backup.info */
#define BACKUP_STATUS_LIST(X)                                                                  \
    X(BACKUP_EMPTY, "EMPTY")                                                                   \
    X(BACKUP_STARTED, "STARTED")                                                               \
    X(BACKUP_WAITING_FOR_WALS, "WAITING_FOR_WALS")                                             \
    X(BACKUP_DONE, "DONE")                                                                     \
    X(BACKUP_FAILED, "FAILED")                                                                 \
    X(BACKUP_SYNCING, "SYNCING")

enum backup_status {
#define X(name, text) name,
    BACKUP_STATUS_LIST(X)
#undef X
};

/* What a person has noted beside a backup: never delete it, with the WAL behind it or alone. */
enum keep { KEEP_NONE, KEEP_FULL, KEEP_STANDALONE };

enum backup_type { BACKUP_FULL, BACKUP_INCREMENTAL, BACKUP_RSYNC, BACKUP_SNAPSHOT };

struct moment {       /* a time with the offset it was written with */
    int64_t us;       /* since 1970, UTC */
    int32_t offset_s; /* east of UTC */
    bool known;
};

struct tablespace {
    const char *name;
    uint32_t oid;
    const char *location; /* on the server */
};

struct backup {
    char id[BACKUP_ID_CAP];
    const char *backup_label; /* text of the label file, newlines as they are */
    const char *backup_name;
    uint32_t begin_offset, end_offset;
    struct moment begin_time, end_time;
    const char *begin_wal, *end_wal;
    pg_lsn begin_xlog, end_xlog;
    const char *children_backup_ids; /* "id,id" */
    uint64_t cluster_size;           /* bytes; 0 not known */
    const char *compression;         /* NULL for a plain tree */
    const char *config_file, *hba_file, *ident_file;
    const char *copy_stats;       /* a Python literal, kept as it was written */
    double copy_time, total_time; /* seconds, read from copy_stats; 0 not known */
    const char *data_checksums;   /* "on", "off" */
    uint64_t deduplicated_size;
    const char *encryption;
    const char *error;
    const char *included_files; /* Python list literal, kept as written */
    const char *mode;           /* "postgres", "rsync-concurrent", ... */
    const char *parent_backup_id;
    const char *pgdata;
    const char *server_name;
    uint64_t size;
    const char *snapshots_info; /* Python dict literal, kept as written */
    enum backup_status status;
    const char *summarize_wal;
    const char *systemid;
    const struct tablespace *tablespace;
    size_t tablespaces;
    pg_tli timeline;
    int version;                /* 150018 */
    uint32_t xlog_segment_size; /* 16777216 when the file does not say */
};

#define WAL_FILE_NAME_CAP 48 /* "<24>.<8>.backup" is 40 with its NUL, ".partial" 33 */

struct wal_file { /* a line of xlog.db */
    char name[WAL_FILE_NAME_CAP];
    uint64_t size;        /* bytes on disk, compressed or not */
    double mtime;         /* seconds since 1970 */
    char compression[12]; /* "" for none */
    char encryption[8];   /* "" for none */
};

#endif
