/* SPDX-License-Identifier: PostgreSQL */
/* list.h - the numbers behind list-backups and show-backup.
 *
 * One pass over xlog.db serves all backups. A segment belongs to a backup when its name is not
 * before begin_wal, its timeline not above the backup's, and its name not after end_wal of the
 * next copy-done backup; up to the backup's own end_wal it is needed for consistency, after it
 * it is "until the next". Labels, .partial and history files are not counted.
 *
 * Ownership  Everything lives in the arena.
 * Units      bytes on disk; seconds since 1970.
 */
#ifndef ENGINE_LIST_H
#define ENGINE_LIST_H

#include "engine/retention_of.h"
#include "repo/wal_marks.h"
#include "repo_of.h"
#include "wal/seg.h"

struct backup_wal {
    uint64_t num, size;           /* begin_wal .. end_wal */
    uint64_t next_num, next_size; /* after end_wal, up to the next backup's end_wal */
    char first[25], last[25];     /* "" none; first only if it is begin_wal itself */
    double first_time, last_time;
};

struct backup_list {
    struct catalogue catalogue;
    const struct backup_wal *wal;     /* wal[i] belongs to catalogue.backup[i] */
    struct retention_state retention; /* likewise; of list_retention() */
};

/* The counting itself, a line at a time, for whoever sees the lines of xlog.db as they come.
 * wal[i] belongs to backup[i], by id; both stay where they are. The texts of the backups are
 * copied into the arena. */
struct list_counter {
    struct list_stretch *s;
    size_t n, at;
    char last[WAL_NAME_CAP];
    pg_tli tli;
};
MUST_CHECK bool list_counter_init(struct list_counter *lc, struct arena *a,
                                  const struct backup *backup, size_t n, struct backup_wal *wal,
                                  struct err *err);
void list_counter_add(struct list_counter *lc, const struct wal_file *f);

MUST_CHECK bool list_load(const struct repo *r, struct arena *a, struct backup_list *out,
                          struct err *err);

/* What the policies say of each. Without it nothing is enforced. A backup.info that cannot be
 * read is left out, so verdicts are those of the rest. */
MUST_CHECK bool list_retention(const struct repo *r, const struct server_cfg *srv,
                               struct arena *a, struct backup_list *list, struct err *err);
/* The word for a backup of the list; NULL: not enforced. */
const char *list_verdict(const struct backup_list *list, const struct backup *b);

/* What show-backup computes for one backup; ratios are 0 when not known. */
struct backup_show {
    const struct backup *backup;
    const struct backup_wal *wal;
    enum backup_type type;
    enum keep keep;
    const char *retention;   /* list_verdict() */
    uint64_t size_with_wals; /* of what the backup takes on disk, plus wal->size */
    double saved_ratio;      /* 1 - deduplicated_size / cluster_size (rsync: size) */
    double saved_bytes;      /* below 0: it takes more than the cluster was estimated to */
    double wal_ratio;  /* of the needed WAL: 1 - bytes / (num * segment size); known, like the
                        * next two, only when begin_wal itself is there */
    double next_ratio; /* of the WAL until the next backup */
    double wals_per_s;
    double copy_time, analysis_time; /* seconds */
    uint64_t workers;
    double throughput;                    /* bytes/s */
    const struct backup *previous, *next; /* copy done; NULL: none */
    const pg_tli *timeline;               /* child timelines that can be reached */
    size_t timelines;
    const struct damaged_wal *damaged; /* of the WAL counted above: those known to be damaged */
    size_t damages;
};

/* Is that segment needed to make the backup consistent? */
bool list_needs(const struct backup *b, const char *segment);

/* list: of list_load(); b: one of its backups. */
MUST_CHECK bool list_show(const struct repo *r, struct arena *a, const struct backup_list *list,
                          const struct backup *b, struct backup_show *out, struct err *err);

#endif
