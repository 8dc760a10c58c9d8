/* SPDX-License-Identifier: PostgreSQL */
/* tree.h - the entries below a directory, one at a time, without a list of them.
 *
 * Order    Whatever the directories give; a directory comes before what is in it. Links are
 *          told, never followed. After a TREE_DIR, tree_prune() leaves its contents out.
 * Memory   One open directory a level; at most TREE_DEPTH_MAX levels (ERR_FORMAT beyond).
 * Errors   ERR_IO; ERR_FORMAT for a path that is too long. A name that vanishes is passed over.
 */
#ifndef REPO_TREE_H
#define REPO_TREE_H

#include "base/file.h"

#include <sys/stat.h>

#define TREE_DEPTH_MAX 32

enum tree_kind { TREE_END, TREE_FILE, TREE_DIR, TREE_LINK, TREE_OTHER };

struct tree_entry {
    enum tree_kind kind;
    const char *rel; /* below the root; valid until the next call */
    struct stat st;
};

struct tree {
    char path[PATH_CAP]; /* of the entry at hand */
    size_t root_n;       /* length of the root and its '/' */
    DIR *dir[TREE_DEPTH_MAX];
    size_t dir_n[TREE_DEPTH_MAX]; /* length of each one's path and its '/' */
    int depth;                    /* open directories */
    bool descend;                 /* the entry at hand is a directory not pruned yet */
};

MUST_CHECK bool tree_open(struct tree *t, const char *root, struct err *err);
/* TREE_END at the end. */
MUST_CHECK bool tree_next(struct tree *t, struct tree_entry *out, struct err *err);
void tree_prune(struct tree *t);
void tree_close(struct tree *t); /* any time, also twice */

#endif
