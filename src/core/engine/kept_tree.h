/* SPDX-License-Identifier: PostgreSQL */
/* kept_tree.h - the files of a kept backup: those its manifest lists, those it does not, and
 * those a restore must leave out or keep for the end.
 *
 *     <base>/<id>/data/...                  PGDATA; pg_tblspc/<oid>/... of the manifest is
 *     <base>/<id>/<oid>/PG_15_202209061/..  here
 *
 * A backup that is stored as archives (kept_pack.h) has no such files: the survey then says
 * which archives are missing, sizes and names are the manifest's, and there is no feed.
 *
 * Survey   once over the manifest and the tree, sizes only: is it whole, how much is it?
 * Feed     again over both, in batches for a pool: memory stays flat with a million files but
 *          for eight bytes a file, by which listed files are told from others.
 * Errors   ERR_FORMAT for a manifest that is not to be believed; a file that is missing or of
 *          another size is a fault of the survey, in words.
 */
#ifndef ENGINE_KEPT_TREE_H
#define ENGINE_KEPT_TREE_H

#include "barkeep/arena.h"
#include "base/digest.h"
#include "base/file.h"
#include "pg/manifest.h"
#include "repo/repo.h"
#include "repo/tree.h"

struct tree_space { /* a tablespace, or PGDATA itself (oid 0) */
    uint32_t oid;
    const char *name;
    const char *from;     /* in the backup, absolute */
    const char *to;       /* where it goes; NULL while nobody has said */
    const char *original; /* on the server */
    bool in_place;        /* a directory below pg_tblspc, not a link */
    uint64_t bytes;       /* by the survey, in whole blocks */
};

struct path_set;
struct kept_archive;

struct kept_tree {
    struct tree_space *space; /* [0] is PGDATA */
    size_t spaces;
    const char *manifest;               /* path; NULL: the backup has none */
    const struct kept_archive *archive; /* base first */
    size_t archives;                    /* 0: a tree of files */
    /* by the survey */
    struct path_set *listed;
    uint64_t files, bytes;
    const char *fault; /* NULL: whole */
    uint64_t faults;
    bool group_access; /* 0750 cluster */
    pg_lsn wal_end;    /* of the manifest's WAL ranges; 0: none */
    uint64_t systemid; /* of the manifest; 0: before PostgreSQL 17 */
    /* by the survey of archives */
    struct path_set *tops; /* first parts of the listed paths */
    enum digest_kind checksums;
    struct kept_listed { /* what the manifest says of pg_control */
        bool is_there;
        uint64_t size;
        uint8_t sum[DIGEST_MAX];
    } control;
};

MUST_CHECK bool kept_tree_open(struct arena *a, const struct repo *r, const struct backup *b,
                               struct kept_tree *out, struct err *err);
void kept_tree_release(struct kept_tree *t);

/* fault: called for each, may be NULL; t->fault keeps the first. */
struct tree_faults {
    void *ctx;
    void (*say)(void *ctx, const char *path, const char *what);
};
MUST_CHECK bool kept_tree_survey(struct kept_tree *t, struct arena *a,
                                 const struct tree_faults *faults, struct err *err);

/* What a restore does with a file or directory of PGDATA. */
enum tree_fate {
    TREE_COPY,
    TREE_LAST,  /* backup_label, pg_control: after all else is durable */
    TREE_SKIP,  /* belongs to the life of the old server */
    TREE_EMPTY, /* a directory that starts empty */
};
enum tree_fate kept_tree_fate(const char *rel);

/* "pg_tblspc/16384/..." of a relocated tablespace, else PGDATA; *rest is what follows. */
const struct tree_space *kept_tree_space(const struct kept_tree *t, const char *rel,
                                         const char **rest);

/* --- the feed of a pool --- */

#define TREE_BATCH_BYTES 7680
#define TREE_BATCH_FILES 64

struct tree_batch {
    uint64_t bytes; /* of all files in it */
    uint32_t files;
    uint32_t used;
    uint64_t bad, unreadable; /* a bit a file: left to who works on it */
    uint8_t mem[TREE_BATCH_BYTES];
};

struct tree_file {
    const struct tree_space *space;
    char rel[MANIFEST_PATH_CAP]; /* below space->from */
    bool listed;                 /* size and sum are the manifest's */
    uint64_t size;
    enum digest_kind kind;
    uint8_t sum[DIGEST_MAX];
};

/* Take the files of a batch one by one: *at begins as 0. false: no more. */
bool tree_batch_take(const struct kept_tree *t, const struct tree_batch *batch, uint32_t *at,
                     struct tree_file *out);

/* FEED_EVERY: also what a restore leaves out or keeps for the end. */
enum feed_what { FEED_LISTED = 1, FEED_OTHERS = 2, FEED_ALL = 3, FEED_EVERY = 4 };

struct tree_feed;
/* dir: called for each directory before the files in it, may be NULL. */
struct feed_spec {
    unsigned what; /* FEED_ */
    void *ctx;
    bool (*dir)(void *ctx, const struct tree_space *space, const char *rel,
                const struct stat *st, struct err *err);
    void (*odd)(void *ctx, const char *path); /* a link, a socket: left out; may be NULL */
};
struct tree_feed *tree_feed_new(const struct kept_tree *t, const struct feed_spec *spec,
                                struct err *err);
void tree_feed_free(struct tree_feed *f);
/* As pool_spec.next: 1 a batch, 0 the end, -1 failed. */
int tree_feed_next(struct tree_feed *f, struct tree_batch *out, struct err *err);

/* What the manifest says of the two files kept for the end; listed false when nothing. Known
 * once the feed has ended. */
const struct tree_file *tree_feed_label(const struct tree_feed *f);
const struct tree_file *tree_feed_control(const struct tree_feed *f);

#endif
