/* SPDX-License-Identifier: PostgreSQL */
/* extract.h - writing a tree that somebody else names, below one directory and nowhere else.
 *
 * Safety   Every component is opened with openat() relative to the one before, O_NOFOLLOW and
 *          O_DIRECTORY; files are made with O_EXCL. A link that is there is never followed,
 *          a file that is there is never written to. Links are made only as
 *          pg_tblspc/<digits> and point where the CALLER says, not where the stream says.
 * Cost     The chain of directories of the last member stays open, so 20,000 files that come
 *          directory by directory cost one openat() each.
 * Modes    The permission bits of the member (0700, 0750, 0600, 0640), whatever the umask;
 *          set-id and sticky bits are dropped, a directory is always ours to enter.
 * Order    A directory comes before what is in it, as PostgreSQL sends them.
 * Again    extract_again(): what is there of an extraction that died is replaced, never written
 *          to; a link in its place is removed, not followed.
 * Sync     Tells the struct sync (sync.h) what was written; extract_close() waits for what is
 *          still being written beside us, and does not sync.
 * Threads  One at a time.
 * Errors   ERR_UNSAFE for a name or link that would leave the tree or comes twice, ERR_IO.
 */
#ifndef REPO_EXTRACT_H
#define REPO_EXTRACT_H

#include "barkeep/err.h"
#include "repo/sync.h"
#include "repo/tar.h"

#include <stdint.h>
#include <sys/types.h>

struct extract;

/* root: an existing directory. links: where pg_tblspc/<oid> shall point: "<links>/<oid>";
 * NULL: no links at all (inside a tablespace). sync is the caller's and may be NULL. */
MUST_CHECK struct extract *extract_new(const char *root, const char *links, struct sync *sync,
                                       struct err *err);
void extract_free(struct extract *x); /* NULL is fine; closes what is open, syncs nothing */

void extract_again(struct extract *x);
/* Everything made from now on belongs to them; needs root. */
void extract_owned_by(struct extract *x, uid_t uid, gid_t gid);

MUST_CHECK bool extract_begin(struct extract *x, const struct tar_member *m, struct err *err);
MUST_CHECK bool extract_data(struct extract *x, const void *p, size_t n, struct err *err);
MUST_CHECK bool extract_end(struct extract *x, struct err *err);

/* All members done: with the slow way of syncing, the directories still open are synced. */
MUST_CHECK bool extract_close(struct extract *x, struct err *err);

#endif
