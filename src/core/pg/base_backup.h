/* SPDX-License-Identifier: PostgreSQL */
/* base_backup.h - BASE_BACKUP over a replication connection, in both shapes of the stream.
 *
 *     13, 14   one COPY for each tablespace and the base, bare tar; one more for the manifest
 *     15 ...   a single COPY; each message begins with 'n' (new archive), 'd' (data),
 *              'm' (the manifest begins) or 'p' (progress)
 *
 * Order     start, tablespaces, then for each archive: archive, data ..., archive_end; then
 *           manifest, data ..., archive_end; then end. User tablespaces come before the base.
 * Buffers   data() gets the message and OWNS it: base_backup_free(), from any thread.
 * Cancel    The wait for the checkpoint and for data looks at the task: on cancel the server
 *           is told (it may sit in a checkpoint and not notice a closed socket), the socket is
 *           shut down, ERR_CANCEL.
 * Squeezed  With compression the data of an archive is a gzip, lz4 or zstd stream of the tar.
 * Corrupt   A server that finds bad page checksums says so after everything was delivered
 *           (SQLSTATE XX001): that is `corrupt` in the result, not a failure here.
 * Threads   The connection stays with the calling thread.
 * Source    PostgreSQL documentation 13-18, "Streaming Replication Protocol";
 *           src/backend/backup/basebackup_copy.c.
 */
#ifndef PG_BASE_BACKUP_H
#define PG_BASE_BACKUP_H

#include "barkeep/err.h"
#include "barkeep/model.h"
#include "barkeep/task.h"
#include "base/digest.h"

struct pg; /* conn.h, opened with PG_REPLICATION */

enum checkpoint_kind { CHECKPOINT_SPREAD, CHECKPOINT_FAST };

struct base_backup_spec {
    const char *label;
    enum checkpoint_kind checkpoint;
    uint32_t max_rate_kib;      /* 32 .. 1048576; 0: as fast as it goes */
    enum digest_kind checksums; /* of the manifest */
    const char *compression; /* "gzip", "lz4", "zstd" by the server (15 and later), or NULL */
    const char *suffix;      /* of its archives' names then: ".tar.gz" */
    bool has_level;          /* or the server's own */
    int64_t level, workers;  /* workers 0: none */
    bool tablespace_map;     /* for archives that are kept as archives */
};

struct base_backup_archive {
    uint32_t oid;         /* 0: the base */
    const char *location; /* on the server; NULL for the base. "pg_tblspc/<oid>": in place */
    uint64_t size_bytes;  /* the server's estimate */
};

struct base_backup_buf {
    void *mem; /* what base_backup_free() frees */
    const char *p;
    size_t n;
};

/* Every one returns false to stop. The arrays and texts are valid during the call. */
struct base_backup_sink {
    void *ctx;
    bool (*start)(void *ctx, pg_lsn lsn, pg_tli tli, struct err *err);
    bool (*archives)(void *ctx, const struct base_backup_archive *list, size_t n,
                     struct err *err);
    bool (*archive)(void *ctx, const struct base_backup_archive *archive, struct err *err);
    bool (*manifest)(void *ctx, struct err *err);
    bool (*data)(void *ctx, struct base_backup_buf buf, struct err *err);
    bool (*archive_end)(void *ctx, struct err *err); /* also after the manifest */
};

struct base_backup_result {
    pg_lsn start_lsn, end_lsn;
    pg_tli start_tli, end_tli;
    bool corrupt;
    char corrupt_why[256];
    bool trailers; /* do its archives end with zero blocks? (TAR_WITH_TRAILER) */
};

struct base_backup {
    struct base_backup_spec spec;
    struct base_backup_sink sink;
    struct base_backup_result result;
};

MUST_CHECK bool base_backup_run(const struct task *task, struct pg *pg, struct base_backup *run,
                                struct err *err);
void base_backup_free(struct base_backup_buf *buf);

/* Do the archives of this server (PQserverVersion) end with two zero blocks? */
bool base_backup_has_trailers(int server_version);

/* The command for a server of that version (150018), into out[cap]. */
MUST_CHECK bool base_backup_command(const struct base_backup_spec *spec, int server_version,
                                    char *out, size_t cap, struct err *err);

#endif
