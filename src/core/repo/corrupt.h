/* SPDX-License-Identifier: PostgreSQL */
/* corrupt.h - the files of a backup in which the server found damaged pages while it was taken.
 *
 * base/<id>/.barkeep/corrupt, a line a file: its path, a tab, what the server said. Such a backup
 * is FAILED, so retention and "latest" never count it; its data is complete otherwise, and who
 * accepts the damage may restore it.
 *
 * Errors  ERR_IO.
 */
#ifndef REPO_CORRUPT_H
#define REPO_CORRUPT_H

#include "barkeep/arena.h"
#include "base/file.h"
#include "repo/repo.h"

#define CORRUPT_MAX ((size_t)16 * 1024 * 1024) /* of the file */

struct corrupt {
    uint64_t files; /* 0: none was found */
    const char *first;
};

/* Of base/<id>: without the file all is zero. */
MUST_CHECK bool corrupt_read(const struct repo *r, struct arena *a, const char *id,
                             struct corrupt *out, struct err *err);

/* Is the backup one of those? false also when that cannot be told. */
bool backup_is_corrupt(const struct repo *r, const char *id);

/* What a server says of a damaged page, appended. dir: base/<id>. The name in quotes is its
 * file's; a text without one is kept whole. *count: how many files there are by now. */
struct corrupt_list {
    char dir[PATH_CAP];
    int fd; /* -1 while there is none */
    char last[512];
    uint64_t files;
};
void corrupt_list_init(struct corrupt_list *l, const char *dir);
MUST_CHECK bool corrupt_list_add(struct corrupt_list *l, const char *text, struct err *err);
/* Durable; a list that nothing was added to leaves no file. */
MUST_CHECK bool corrupt_list_end(struct corrupt_list *l, struct err *err);
/* It was no damage after all. */
void corrupt_list_drop(struct corrupt_list *l);
void corrupt_list_release(struct corrupt_list *l);

#endif
