/* SPDX-License-Identifier: PostgreSQL */
/* verdict.h - what is the matter with a server, and what to do about it, in one line each.
 *
 * A table of rules, worst first; the first that holds gives light, sentence and todo. A rule
 * on what the server says holds only while it answers: a silent server is LIGHT_UNKNOWN, and
 * what is wrong on our own disk still comes before that.
 *
 * Sentence  Begins with what it is about, lower case, no full stop; "" when all is well.
 * Todo      Begins with a verb; a command can be pasted, a key of the console is quoted.
 * Limits    Of the configuration; VERDICT_UNSET: none.
 * Times     Are printed with the offset that `offset` gives for a moment.
 * Memory    Texts in the arena.
 * Pure      No clock (now_us is a fact), no file.
 */
#ifndef PLAN_VERDICT_H
#define PLAN_VERDICT_H

#include "barkeep/arena.h"
#include "barkeep/snapshot.h"

#define VERDICT_UNSET INT64_C(-1)

struct verdict_limits {
    int64_t backup_age_s;      /* last_backup_maximum_age */
    int64_t backup_size_bytes; /* last_backup_minimum_size */
    int64_t wal_age_s;         /* last_wal_maximum_age */
    int64_t waiting_files;     /* max_incoming_wals_queue */
    int64_t redundancy;        /* minimum_redundancy */
};

struct verdict_facts {
    const char *server;
    const char *disabled; /* the configuration contradicts itself: how; NULL: it does not */
    const struct live *live;
    const struct backup_row *backup; /* newest first */
    size_t backups, unread;
    const char *unread_why;
    const struct coverage *coverage; /* NULL: the disk was not looked at yet */
    const char *kept_why;            /* it could not be read; NULL */
    const char *kept_todo;           /* what to do about that; NULL or "": not known */
    const char *systemid;            /* of what is kept; "" not known */
    bool streams, archives;
    bool is_receiving; /* a receive-wal holds its lock */
    bool is_backing_up;
    const char *slot; /* slot_name; NULL: none, or on another server than `live` tells of */
    struct verdict_limits limits;
    int64_t now_us;
    int32_t (*offset)(int64_t us); /* seconds east of UTC at that moment */
};

struct verdict {
    enum light light;
    const char *sentence, *todo;
};

MUST_CHECK bool verdict_make(struct arena *a, const struct verdict_facts *f,
                             struct verdict *out, struct err *err);

#endif
