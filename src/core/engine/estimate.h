/* SPDX-License-Identifier: PostgreSQL */
/* estimate.h - the verb estimate-size: what a backup of a server will take, and whether there is
 * room for it.
 *
 * full         the server's own sizes of its tablespaces, by the share that the last full backup
 *              of the same compression took of its cluster; without one the cluster's size
 * wal          the archive's growth over the last day, for as long as the copy will take at the
 *              last one's speed (or the bandwidth limit); one segment at least
 * incremental  17 and later with summarize_wal: the blocks changed since the latest backup
 *              began, by the server's WAL summaries. Otherwise why it cannot be told.
 * room         of the file systems of base/ and wals/, for this user
 *
 * An estimate: files beside the tables (logs in the data directory) are known only by the last
 * backup's share.
 *
 * Writes   Nothing.
 * Errors   Only what keeps the cluster's size from being known. Too little room is an answer.
 */
#ifndef ENGINE_ESTIMATE_H
#define ENGINE_ESTIMATE_H

#include "barkeep/task.h"
#include "engine/repo_of.h"

struct estimate_space {
    const char *name, *location; /* location "": in the data directory */
    uint32_t oid;
    uint64_t bytes;
};

struct estimate_room {
    const char *path; /* what was looked at: the place, or the nearest directory above it */
    uint64_t free;    /* bytes */
    uint64_t needs;
    bool known;
};

struct estimate {
    const struct estimate_space *space;
    size_t spaces;
    uint64_t cluster; /* bytes, their sum */

    const char *like; /* id of the backup the share is of; NULL: none */
    double share;     /* of the cluster that a full backup takes; 1 without one */
    uint64_t full;    /* bytes */
    double seconds;   /* that the copy will take; 0: not known */
    double wal_rate;  /* bytes a second as they are archived */
    uint64_t wal;     /* bytes during the copy */

    const char *parent;     /* id of the backup an incremental one would be on top of */
    bool incremental_known; /* else why not: */
    const char *incremental_why;
    uint64_t incremental; /* bytes */

    struct estimate_room base, wals; /* one file system: all is in base */
    bool fits;
};

MUST_CHECK bool estimate_size(const struct task *t, const struct repo *r,
                              const struct server_cfg *srv, struct arena *a,
                              struct estimate *out, struct err *err);

#endif
