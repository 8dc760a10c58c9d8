/* SPDX-License-Identifier: PostgreSQL */
/* wal_check.h - is a file that wants to be archived what its name says? See Rules in
 * wal_store.h.
 */
#ifndef REPO_WAL_CHECK_H
#define REPO_WAL_CHECK_H

#include "wal/page.h"
#include "wal/proof.h"
#include "wal_store.h"

struct wal_candidate {
    const char *path; /* ends in its name */
    const char *name;
    enum wal_name_kind kind;
    enum codec_kind codec;       /* as it lies there */
    bool is_sealed;              /* encrypted: nobody looks into it, it is kept as it came */
    const struct repo *repo;     /* may be NULL */
    uint64_t size;               /* on disk */
    uint8_t head[WAL_PAGE_LONG]; /* its first bytes, as far as they are known */
    size_t head_n;
    struct str mem; /* all of it, where it is plain and was read already; n 0: it was not */
};

/* Fills *out from the name and the first bytes; fd is read at its beginning only. */
MUST_CHECK bool wal_candidate_of(const struct repo *r, const char *path, int fd,
                                 struct wal_candidate *out, struct err *err);

/* What a line of xlog.db says of the file, as far as the file itself can tell. */
MUST_CHECK bool wal_file_of(const struct repo *r, const char *path, struct wal_file *out,
                            struct err *err);

/* proven: a segment is read as a whole and its records are walked; NULL: they are not. What
 * they are found to be is no error. */
MUST_CHECK bool wal_candidate_check(const struct wal_candidate *c,
                                    const struct wal_rules *rules, struct wal_proven *proven,
                                    struct err *err);

/* The walk alone, of a file that is archived already. */
MUST_CHECK bool wal_candidate_prove(const struct wal_candidate *c,
                                    const struct wal_rules *rules, struct wal_proven *proven,
                                    struct err *err);

#endif
