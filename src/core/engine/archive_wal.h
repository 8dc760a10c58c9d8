/* SPDX-License-Identifier: PostgreSQL */
/* archive_wal.h - the verb archive-wal: what waits in streaming/ and incoming/ goes to wals/.
 *
 * streaming first, then incoming, each in the order of names, at most its batch size of files.
 * Names that begin with a dot and "*.tmp" are left alone. A ".partial" in streaming is what the
 * receiver is writing and stays; of several, all but the last are archived as they are. Unlike
 * Barman, the last complete segment of an idle server is not held back: the receiver finds its
 * place from the slot and the archive.
 *
 * Says     "Processing xlog segments from streaming for SRV[ (batch size: N)]", one line with a
 *          tab for each file, or "<tab>no file found"; source names: streaming, file archival.
 * Fails    A file that breaks a rule of the store stays where it is and is told with SAY_ERROR;
 *          the others go on. Only what stops everything is returned as an error.
 * Walk     Segments that are packed, encrypted, or came packed are walked (arrival.h); a damaged
 *          one is archived, and told with SAY_WARN. One that is only moved is held to its size and
 *          first page.
 * Hooks    With archive scripts files are taken one at a time; those after are run when the file
 *          is archived and listed, durably. One that says stop ends the run, with a warning; its
 *          file stays.
 * Busy     With LOCK_ARCHIVE_WAL taken: ERR_BUSY.
 */
#ifndef ENGINE_ARCHIVE_WAL_H
#define ENGINE_ARCHIVE_WAL_H

#include "barkeep/task.h"
#include "repo_of.h"

enum archive_from { ARCHIVE_STREAMING = 1, ARCHIVE_INCOMING = 2 };
enum archive_talk {
    ARCHIVE_SAYS_ALL,
    ARCHIVE_SAYS_FILES
}; /* FILES: nothing when there is none */

struct archive_wal {
    const struct repo *repo;
    struct wal_store_options store;
    unsigned from;            /* enum archive_from, or-ed */
    uint64_t streaming_batch; /* 0: all */
    uint64_t incoming_batch;
    enum archive_talk talk;
    const struct server_cfg *srv; /* whose archive scripts are run; NULL: none */
};

struct archive_result {
    uint64_t stored, twins, duplicates, unknown, refused;
};

/* From the configuration: archivers, batch sizes, compression, rules. */
MUST_CHECK bool archive_wal_of(const struct repo *r, const struct server_cfg *srv,
                               struct archive_wal *out, struct err *err);

MUST_CHECK bool archive_wal(const struct task *t, const struct archive_wal *what,
                            struct archive_result *result, struct err *err);

#endif
