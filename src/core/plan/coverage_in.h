/* SPDX-License-Identifier: PostgreSQL */
/* coverage_in.h - between coverage.c (stretches, holes, timelines), coverage_way.c (runs on the
 * way to a timeline) and coverage_mark.c (the moments at their ends); for these only.
 */
#ifndef PLAN_COVERAGE_IN_H
#define PLAN_COVERAGE_IN_H

#include "plan/coverage.h"

struct way_run {
    uint64_t first_no, last_no;
    int64_t from_us, to_us;
    bool is_partial; /* last_no is being received */
    bool is_corrupt; /* in last_no the walk met damage */
    /* The stretch in it; backups 0: none. */
    const struct backup_row *opener;
    size_t backups;
};

struct way { /* to one timeline */
    pg_tli tli, parent;
    struct history history;
    bool is_main, is_newest;
    struct way_run *run;
    size_t runs, cap;
};

struct coverer {
    struct arena *a;
    const struct coverage_facts *f;
    struct coverage *out;
    struct coverage_asks *asks;
    struct wal_runs all; /* archived and waiting */
    struct way *way;     /* by tli */
    size_t ways;
};

/* The segment a recovery along the way reads. */
struct wal_seg way_seg(const struct coverer *c, const struct way *w, uint64_t no);
/* Fills runs of one way; NULL arena memory is told by the arena. */
bool way_fill(struct coverer *c, struct way *w, struct err *err);
/* The run that holds all of these; NULL: none. */
struct way_run *way_find(const struct way *w, uint64_t first_no, uint64_t last_no);

/* First bound of a segment, and the one behind it; NULL: none. */
const struct coverage_bound *bound_first(const struct coverage_facts *f, struct wal_seg seg);
const struct coverage_bound *bound_next(const struct coverage_facts *f,
                                        const struct coverage_bound *b);

/* from, first and to of a stretch; asks for what is not proven. */
void marks_fill(struct coverer *c, const struct way *w, const struct way_run *run,
                struct stretch *out);
void marks_ask(struct coverer *c, struct wal_seg seg, pg_lsn from);

#endif
