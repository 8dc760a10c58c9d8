/* SPDX-License-Identifier: PostgreSQL */
/* backup.h - the verb `backup`: a copy of a running cluster over the replication protocol.
 *
 *     lock, look, id      .srv-backup.lock; directories, connection, identity, somebody takes WAL
 *     STARTED             backup.info saved before the first byte
 *     receive             the connection's thread
 *       -> lane           tar, checksum, write below base/<id>, spool of checksums, manifest
 *          -> lane        write-out while data arrives
 *     sync                file system synced, manifest in its place
 *     WAL                 switch (primary), DONE or WAITING_FOR_WALS
 *
 * After     success: DONE or WAITING_FOR_WALS, exit 0. Failure or cancel: FAILED with its
 *           reason in backup.info, the partial tree stays until `delete`. A process killed
 *           leaves STARTED and a lock that nobody holds.
 * Says      Barman's console lines; task_progress against the server's estimate.
 * Memory    flat: lanes are bounded, checksums are spooled to disk.
 */
#ifndef ENGINE_BACKUP_H
#define ENGINE_BACKUP_H

#include "barkeep/err.h"
#include "barkeep/model.h"
#include "barkeep/task.h"
#include "base/digest.h"

struct repo;
struct server_cfg;

struct engine_backup_options {
    const char *name; /* friendly name, NULL: none */
    bool immediate_checkpoint;
    uint32_t bwlimit_kib; /* 0: none */
    unsigned retry_times; /* after the first try */
    unsigned retry_sleep_s;
    bool wait;                  /* for the last WAL segment */
    unsigned wait_timeout_s;    /* 0: for ever */
    int keepalive_s;            /* of the copy's connection while nothing comes; 0: none */
    int64_t check_timeout_s;    /* of the checks before it; 0: none */
    enum digest_kind checksums; /* DIGEST_CRC32C is what PostgreSQL takes by default */
};

struct engine_backup_result {
    char id[BACKUP_ID_CAP]; /* "" when none was begun */
    enum backup_status status;
    uint64_t size;
    bool corrupt; /* the server found bad page checksums: the backup is FAILED */
};

/* From the configuration and nothing else: what the command line did not say. */
void engine_backup_defaults(const struct server_cfg *srv, struct engine_backup_options *out);

struct engine_backup {
    const struct repo *repo;
    const struct server_cfg *srv;
    struct engine_backup_options options;
    struct engine_backup_result result; /* filled also when it failed */
};

MUST_CHECK bool engine_backup(const struct task *task, struct engine_backup *what,
                              struct err *err);

#endif
