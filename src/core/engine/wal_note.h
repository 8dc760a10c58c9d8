/* SPDX-License-Identifier: PostgreSQL */
/* wal_note.h - what is known of missing and of strange WAL, in .barkeep/wal-notes.
 *
 *     hole|diverged  timeline  from  to  when        a line a note, parted by tabs
 *
 * hole: WAL that was never received. diverged: WAL of a timeline behind the place where the next one
 * left it; it is kept, and never used for the next one.
 *
 * wal_note()     a line once for each kind, timeline and beginning
 * wal_branch_*() tells and notes, once, that a segment that is archived lies behind where another
 *                timeline left its own: an old primary goes on, or a restored copy was promoted
 */
#ifndef ENGINE_WAL_NOTE_H
#define ENGINE_WAL_NOTE_H

#include "barkeep/task.h"
#include "repo/repo.h"
#include "wal/history.h"

enum note_kind { NOTE_HOLE, NOTE_DIVERGED };

/* *is_new: it was not there. */
MUST_CHECK bool wal_note(const struct repo *r, enum note_kind kind, pg_tli tli,
                         const pg_lsn range[2], bool *is_new, struct err *err);

struct wal_branch {
    const struct task *t;
    const struct repo *repo;
    struct arena a;
    struct history *history; /* of the archive; NULL: not read yet */
    size_t n;
    pg_tli told; /* of the last segment that was told or noted before; 0: none */
};

void wal_branch_init(struct wal_branch *b, const struct task *t, const struct repo *repo);
void wal_branch_release(struct wal_branch *b);
/* A history file arrived: what was read is old. */
void wal_branch_forget(struct wal_branch *b);
MUST_CHECK bool wal_branch_take(struct wal_branch *b, const char *name, uint32_t seg_size,
                                struct err *err);

#endif
