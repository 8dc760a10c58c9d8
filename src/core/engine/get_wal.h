/* SPDX-License-Identifier: PostgreSQL */
/* get_wal.h - the verb get-wal: one WAL file to a descriptor or into a directory.
 *
 * With GET_PARTIAL a segment that is nowhere whole is served from its ".partial", padded with
 * zeros to a whole segment: PostgreSQL then replays up to the last received record.
 *
 * Exit     get_wal_status(): 1 when it is nowhere, 3 for an impossible name or an output file
 *          that cannot be opened, 126 for everything else. For a restore_command that ends with
 *          up to 125 PostgreSQL takes the segment for one that never was: it ends the recovery
 *          there and promotes. With more it gives up, and can be started again.
 */
#ifndef ENGINE_GET_WAL_H
#define ENGINE_GET_WAL_H

#include "barkeep/task.h"
#include "repo_of.h"

enum get_wal_flags {
    GET_PARTIAL = 1,   /* -P */
    GET_GZIP = 2,      /* -z: packed on the way out */
    GET_AS_STORED = 4, /* --keep-compression: decrypted, but not unpacked */
    GET_BZIP2 = 8,     /* -j */
};

struct get_wal {
    const struct repo *repo;
    const char *name;
    unsigned flags;
    const char *directory; /* -o: written to directory/name, durably; NULL: to fd */
    const char *host;      /* of the SSH client, told with what is said; NULL: none */
    int fd;
};

MUST_CHECK bool get_wal(const struct task *t, const struct get_wal *what, struct err *err);
int get_wal_status(const struct err *err); /* the command's exit status after a failure */

/* --peek N: says up to n names that can be had, one a line, beginning with name. At a hole
 * the search goes on with the next 4 GiB if the hole could be the end of these (the segment
 * size need not be known for it), else it ends. */
MUST_CHECK bool get_wal_peek(const struct task *t, const struct get_wal *what, uint64_t n,
                             struct err *err);

#endif
