/* SPDX-License-Identifier: PostgreSQL */
/* history.h - a timeline's ancestors: the contents of an NNNNNNNN.history file.
 *
 *     1<TAB>0/5000000<TAB>no recovery target specified
 *     2<TAB>0/7A00000<TAB>at restore point "before"
 *     ^ parent  ^ where it was left                        oldest first, decimal timelines
 *
 * Shape    entry[0] begins at LSN 0; entry[n - 1] is the timeline itself and has no end.
 * Strict   Accepted: comments, blank lines, CRLF, no newline at the end, NUL bytes at the very
 *          end. Refused with ERR_FORMAT: no parent at all (but for timeline 1, which has no
 *          file), timelines that do not grow, a parent not below the file's own timeline, NUL
 *          elsewhere, anything that is not such a line.
 * Odd but right  Switch points may go back: recovering along timeline 2 and stopping before
 *          2 began gives a timeline whose history leaves 2 before it leaves 1. A position
 *          then belongs to the youngest entry that has begun, as PostgreSQL decides.
 * Memory   In the caller's arena.
 * Source   PostgreSQL, src/backend/access/transam/timeline.c.
 */
#ifndef WAL_HISTORY_H
#define WAL_HISTORY_H

#include "barkeep/arena.h"
#include "wal/seg.h"

#define HISTORY_MAX    (1024 * 1024) /* bytes of a file that are read */
#define HISTORY_NO_END UINT64_MAX

struct history_entry {
    pg_tli tli;
    pg_lsn begin, end; /* begin <= LSN < end */
    const char *reason;
};

struct history {
    pg_tli tli;
    const struct history_entry *entry;
    size_t n;
};

/* tli is from the file's name; messages name the file by it and give the line. */
MUST_CHECK bool history_parse(struct arena *a, pg_tli tli, struct str text, struct history *out,
                              struct err *err);

/* The timeline 1, or any other whose file is not to be had, alone. */
MUST_CHECK bool history_alone(struct arena *a, pg_tli tli, struct history *out,
                              struct err *err);

/* Which timeline owns the byte at lsn on the way to h->tli. */
pg_tli history_owner(const struct history *h, pg_lsn lsn);

/* Is tli on the way (h->tli itself included)? NULL when not. */
const struct history_entry *history_find(const struct history *h, pg_tli tli);

/* Where the way leaves tli; false when tli is not an ancestor, or is h->tli itself. */
bool history_switch_of(const struct history *h, pg_tli tli, pg_lsn *lsn);

/* The timeline to read segment `no` from: the youngest whose beginning lies in it or before,
 * since the child's copy of the segment with the switch holds the parent's pages too. */
pg_tli history_tli_of_seg(const struct history *h, uint64_t no, uint32_t seg_size);

/* Can a server that stopped at `end` (the end of a backup, say) on tli go on to h->tli? */
bool history_reaches(const struct history *h, pg_tli tli, pg_lsn end);

#endif
