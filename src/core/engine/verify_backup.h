/* SPDX-License-Identifier: PostgreSQL */
/* verify_backup.h - the verb verify-backup: is every byte of a backup what was taken?
 *
 * What pg_verifybackup does, natively and side by side: the manifest's own checksum, every
 * file's size and checksum, files that are missing or not listed; and what it cannot do: the
 * WAL from the start to the end of the backup is walked record by record, so that the backup
 * is known to become consistent.
 *
 * Output  "Verifying backup 'ID' on server SRV" (ID as it was asked for), a line for each fault, a last line that says
 *         well or not.
 * Errors  ERR_FORMAT with the number of faults; ERR_MISSING without a manifest.
 */
#ifndef ENGINE_VERIFY_BACKUP_H
#define ENGINE_VERIFY_BACKUP_H

#include "barkeep/task.h"

struct server_cfg;

struct verify_result {
    uint64_t files, bytes;
    uint64_t faults;
};

/* jobs 0: configured. backup_id: id, name, latest, ... */
struct verify_request {
    const struct server_cfg *server;
    const char *backup_id;
    unsigned jobs;
};

MUST_CHECK bool engine_verify_backup(const struct task *task,
                                     const struct verify_request *request,
                                     struct verify_result *out, struct err *err);

#endif
