/* SPDX-License-Identifier: PostgreSQL */
/* generate_manifest.h - the verb generate-manifest: a backup_manifest for a backup whose server
 * wrote none (rsync).
 *
 *     {"PostgreSQL-Backup-Manifest-Version": 1,
 *     "Files": [
 *     {"Checksum": "..", "Checksum-Algorithm": "SHA256", "Last-Modified": "..", "Path": "..",
 *      "Size": 8192},                                            a line for each file of data/
 *     ],
 *     "Manifest-Checksum": ".."}
 *
 * Lists  regular files of data/ in the order of their paths, but pg_wal/ and the manifest
 *        itself, which pg_verifybackup leaves out too. Not the tablespaces, as Barman. A path
 *        that is not UTF-8 is "Encoded-Path", in hexadecimal.
 * Errors ERR_FORMAT when there is a manifest; for a backup that is not complete, or stored as
 *        archives. The manifest is there whole, durably, or not at all.
 * Source Barman 3.17; PostgreSQL documentation, "Backup Manifest Format".
 */
#ifndef ENGINE_GENERATE_MANIFEST_H
#define ENGINE_GENERATE_MANIFEST_H

#include "barkeep/task.h"
#include "repo/catalogue.h"

struct generate_manifest {
    const struct repo *repo;
    const struct backup *backup;
    unsigned jobs; /* files read side by side; 0: 1 */
};

MUST_CHECK bool generate_manifest(const struct task *t, const struct generate_manifest *what,
                                  struct err *err);

#endif
