/* SPDX-License-Identifier: PostgreSQL */
/* Thousands of invented histories of a server (segments, backups, promotions, an old primary that
 * goes on, pg_upgrade) under every kind of policy. What a restore could need is noted here by
 * what really happened, with cluster and branch; the plan sees only names. */
#include "harness.h"

#include "base/clock.h"
#include "plan/retention.h"
#include "plan/wal_cleanup.h"

#include <stdio.h>

#define BACKUPS 60
#define WALS    1200
#define SEEDS   1500
#define DAY     INT64_C(86400)

struct wal { /* a segment that was archived */
    char name[25];
    unsigned cluster, tli, no;
    bool gone;
};

struct fact { /* of a backup, beside what the catalogue says */
    unsigned cluster, tli, begin, end;
    bool gone;
};

struct world {
    uint64_t seed;
    struct backup backup[BACKUPS];
    struct fact fact[BACKUPS];
    enum keep keep[BACKUPS];
    char names[BACKUPS][2][25];
    char parent[BACKUPS][BACKUP_ID_CAP];
    size_t n;
    struct wal wal[WALS];
    size_t wals;
    unsigned cluster, tli, top, no; /* where the server is; top: the highest timeline */
    int64_t now_s;
    uint64_t minimum;
    struct retention policy;
};

static struct world w;
static unsigned deleted_backups, deleted_wals, left_backups;

static unsigned dice(unsigned sides)
{
    w.seed ^= w.seed << 13;
    w.seed ^= w.seed >> 7;
    w.seed ^= w.seed << 17;
    return (unsigned)((w.seed >> 11) % sides);
}

static void name_of(unsigned tli, unsigned no, char out[25])
{
    snprintf(out, 25, "%08X%08X%08X", tli, no >> 8, no & 0xff);
}

/* A name that is archived already is not archived again: the second cluster's file is refused. */
static void archive(void)
{
    struct wal f = {.cluster = w.cluster, .tli = w.tli, .no = w.no};

    name_of(f.tli, f.no, f.name);
    w.no++;
    for (size_t i = 0; i < w.wals; i++) {
        if (strcmp(w.wal[i].name, f.name) == 0) {
            return;
        }
    }
    if (w.wals < WALS) {
        w.wal[w.wals++] = f;
    }
}

static void id_of(int64_t s, char out[BACKUP_ID_CAP])
{
    struct civil c = civil_at(s * US_PER_S, 0);

    snprintf(out, BACKUP_ID_CAP, "%04d%02d%02dT%02d%02d%02d", c.year % 10000, c.month % 100,
             c.day % 100, c.hour % 100, c.minute % 100, c.second % 100);
}

static enum backup_status random_status(void)
{
    static const enum backup_status odd[] = {BACKUP_FAILED, BACKUP_FAILED, BACKUP_STARTED,
                                             BACKUP_WAITING_FOR_WALS, BACKUP_EMPTY};

    return dice(8) ? BACKUP_DONE : odd[dice(5)];
}

/* Any earlier backup of the same cluster and timeline that could be read. */
static const char *random_parent(void)
{
    for (unsigned tries = 0; tries < 4 && w.n; tries++) {
        size_t i = w.n - 1 - dice(w.n < 5 ? (unsigned)w.n : 5);

        if (w.backup[i].status == BACKUP_DONE && w.fact[i].cluster == w.cluster &&
            w.fact[i].tli == w.tli) {
            return w.backup[i].id;
        }
    }
    return NULL;
}

static void back_up(void)
{
    struct backup *b = &w.backup[w.n];
    struct fact *f = &w.fact[w.n];
    const char *parent = dice(3) ? NULL : random_parent();

    *b = (struct backup){.status = random_status(), .mode = "postgres", .timeline = w.tli};
    *f = (struct fact){.cluster = w.cluster, .tli = w.tli, .begin = w.no};
    id_of(w.now_s, b->id);
    if (parent) {
        str_copy(w.parent[w.n], BACKUP_ID_CAP, parent);
        b->parent_backup_id = w.parent[w.n];
    }
    for (unsigned more = dice(3); more > 0; more--) {
        archive();
    }
    f->end = w.no;
    archive();
    name_of(f->tli, f->begin, w.names[w.n][0]);
    name_of(f->tli, f->end, w.names[w.n][1]);
    if (b->status != BACKUP_EMPTY) {
        b->begin_wal = w.names[w.n][0];
    }
    if (b->status != BACKUP_STARTED && b->status != BACKUP_EMPTY) {
        b->end_wal = w.names[w.n][1];
        b->end_time = (struct moment){.us = (w.now_s + 600) * US_PER_S, .known = true};
    }
    w.keep[w.n] = KEEP_NONE;
    if (b->status == BACKUP_DONE && !parent && dice(6) == 0) {
        w.keep[w.n] = dice(2) ? KEEP_FULL : KEEP_STANDALONE;
    }
    w.n++;
}

static void happen(void)
{
    switch (dice(14)) {
    case 0: /* promoted; sometimes the old one goes on too */
        if (dice(3) == 0) {
            archive();
            archive();
        }
        w.tli = ++w.top;
        break;
    case 1: /* back on an older branch */
        w.tli = dice(4) ? w.tli : 1 + dice(w.top);
        break;
    case 2:
        if (dice(6) == 0) { /* pg_upgrade goes on where it was, a new cluster does not */
            w.cluster++;
            w.tli = w.top = 1;
            w.no = dice(2) ? w.no + 1 : 1 + dice(3);
        }
        break;
    default:
        for (unsigned more = dice(4); more > 0; more--) {
            archive();
        }
    }
}

static void random_policy(void)
{
    w.minimum = dice(3) ? 0 : dice(5);
    w.policy = (struct retention){.kind = (enum retention_kind)dice(3)};
    w.policy.n = dice(8);
    w.policy.unit = (enum retention_unit)dice(2);
    for (unsigned i = 0; i < RETENTION_PERIODS; i++) {
        w.policy.periods[i] = dice(2) ? dice(6) : 0;
    }
    if (w.policy.kind == RETENTION_KEEP) {
        w.policy.periods[dice(4)] = 1 + dice(4);
    }
}

static void invent(uint64_t seed)
{
    size_t backups = 0;

    memset(&w, 0, sizeof w);
    w.seed = seed * 0x9E3779B97F4A7C15u + 1;
    w.cluster = w.tli = w.top = 1;
    w.no = 1 + dice(300);
    w.now_s = INT64_C(1767225600); /* 2026-01-01 */
    backups = dice(BACKUPS) + 1;
    while (w.n < backups) {
        w.now_s += 700 + dice(2 * (unsigned)DAY);
        happen();
        if (dice(3)) {
            back_up();
        }
    }
    archive();
    random_policy();
}

/* ---- what a restore could need ------------------------------------------------------- */

static bool is_full(size_t i)
{
    return w.backup[i].status == BACKUP_DONE && !w.backup[i].parent_backup_id;
}

static bool copy_done(size_t i)
{
    return w.backup[i].status == BACKUP_DONE || w.backup[i].status == BACKUP_WAITING_FOR_WALS;
}

/* Needed to make it consistent. */
static bool is_own(const struct fact *f, const struct wal *x)
{
    return f->cluster == x->cluster && f->tli == x->tli && x->no >= f->begin && x->no <= f->end;
}

/* Behind it, on its branch or one that may have left it. */
static bool is_behind(const struct fact *f, const struct wal *x)
{
    return f->cluster == x->cluster && x->tli >= f->tli && x->no >= f->begin;
}

static void nothing_needed_is_gone(const struct retention_fate *fate, size_t horizon)
{
    for (size_t i = 0; i < w.n; i++) {
        bool alone = w.keep[i] == KEEP_STANDALONE ||
                     (i < horizon && horizon < w.n && w.keep[i] != KEEP_FULL);

        if (w.fact[i].gone || !copy_done(i)) {
            continue;
        }
        for (size_t k = 0; k < w.wals; k++) {
            const struct wal *x = &w.wal[k];

            if (x->gone && (is_own(&w.fact[i], x) || (!alone && is_behind(&w.fact[i], x)))) {
                fail_msg("%s, that backup %s (%s) needs, is gone", x->name, w.backup[i].id,
                         retention_verdict_name(fate[i].verdict));
            }
        }
    }
}

/* ---- what cron does, on the model ---------------------------------------------------- */

static struct backup left[BACKUPS];
static enum keep left_keep[BACKUPS];
static enum wal_role left_role[BACKUPS];
static size_t left_at[BACKUPS];

static size_t leave(const enum wal_role *role)
{
    size_t n = 0;

    for (size_t i = 0; i < w.n; i++) {
        if (!w.fact[i].gone) {
            left[n] = w.backup[i];
            left_keep[n] = w.keep[i];
            left_role[n] = role ? role[i] : WAL_ROLE_ALL;
            left_at[n++] = i;
        }
    }
    return n;
}

static void clean(const struct wal_cleanup *c)
{
    for (size_t k = 0; k < w.wals; k++) {
        if (!w.wal[k].gone && wal_cleanup_removes(c, w.wal[k].name)) {
            w.wal[k].gone = true;
            deleted_wals++;
        }
    }
}

static void remove_one(size_t i, const enum wal_role *role)
{
    struct wal_cleanup_ask ask = {left, left_keep, left_role, leave(role)};
    struct wal_cleanup c;
    struct err err = {0};
    struct arena a;

    arena_init(&a, 0);
    assert_true(
        wal_cleanup_delete(&a, &ask, w.backup[i].id, WAL_DELETE_BY_RETENTION, &c, &err));
    clean(&c);
    arena_release(&a);
    w.fact[i].gone = true;
    deleted_backups++;
}

static struct retention_ask ask_of(const struct backup *b, const enum keep *keep, size_t n)
{
    return (struct retention_ask){.backup = b,
                                  .keep = keep,
                                  .n = n,
                                  .minimum_redundancy = w.minimum,
                                  .now_us = w.now_s * US_PER_S};
}

static void enforce(const struct retention_fate *fate)
{
    enum wal_role role[BACKUPS];

    wal_cleanup_roles(&w.policy, fate, w.keep, w.n, role);
    for (size_t i = 0; i < w.n; i++) {
        for (size_t k = w.n;
             k-- > i;) { /* a tree, leaves first; a root alone is its own tree */
            if (!w.fact[k].gone && fate[k].root == fate[i].root &&
                fate[k].verdict == RETENTION_OBSOLETE &&
                fate[i].verdict == RETENTION_OBSOLETE) {
                remove_one(k, role);
            }
        }
    }
}

static void chains_are_whole(void)
{
    for (size_t i = 0; i < w.n; i++) {
        for (size_t k = 0; k < w.n && !w.fact[i].gone && w.backup[i].parent_backup_id; k++) {
            if (strcmp(w.backup[k].id, w.backup[i].parent_backup_id) == 0) {
                assert_false(w.fact[k].gone);
            }
        }
    }
}

static void the_minimum_is_there(const struct retention_fate *fate)
{
    uint64_t before = 0, after = 0;

    for (size_t i = 0; i < w.n; i++) {
        before += is_full(i);
        after += is_full(i) && !w.fact[i].gone;
        if (w.fact[i].gone) {
            assert_int_equal(fate[i].verdict, RETENTION_OBSOLETE);
            assert_int_equal(w.keep[i], KEEP_NONE);
        }
    }
    assert_true(after >= (before < w.minimum ? before : w.minimum));
}

static void the_report_is_stable(const struct retention_fate *fate)
{
    struct retention_fate again[BACKUPS];
    size_t n = leave(NULL);
    struct retention_ask ask = ask_of(left, left_keep, n);

    retention_report(&w.policy, &ask, again);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(again[i].verdict, fate[left_at[i]].verdict);
        assert_int_not_equal(again[i].verdict, RETENTION_OBSOLETE);
    }
    left_backups += (unsigned)n;
}

static void check(uint64_t seed)
{
    struct retention_fate fate[BACKUPS];
    struct retention_ask ask;

    invent(seed);
    ask = ask_of(w.backup, w.keep, w.n);
    retention_report(&w.policy, &ask, fate);
    enforce(fate);
    chains_are_whole();
    the_minimum_is_there(fate);
    the_report_is_stable(fate);
    nothing_needed_is_gone(fate, w.n);
}

static void nothing_needed_is_ever_deleted(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        check(seed);
    }
    /* It did delete: otherwise all of the above is easy. */
    assert_true(deleted_backups > left_backups / 4);
    assert_true(deleted_wals > 10 * SEEDS);
}

/* The same, and then the horizon of WAL. */
static void the_horizon_takes_nothing_needed(void **state)
{
    unsigned moved = 0;

    (void)state;
    deleted_wals = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct retention window = {.kind = RETENTION_WINDOW};
        struct retention_fate fate[BACKUPS] = {0};
        struct wal_cleanup_ask how;
        struct retention_ask ask;
        struct wal_cleanup c;
        struct err err = {0};
        struct arena a;
        size_t anchor;

        invent(seed);
        window.n = dice(20);
        ask = ask_of(w.backup, w.keep, w.n);
        anchor = retention_anchor(&window, &ask);
        if (anchor == w.n) {
            continue;
        }
        how = (struct wal_cleanup_ask){w.backup, w.keep, NULL, w.n};
        arena_init(&a, 0);
        assert_true(wal_cleanup_horizon(&a, &how, anchor, &c, &err));
        clean(&c);
        arena_release(&a);
        nothing_needed_is_gone(fate, anchor);
        moved++;
    }
    assert_true(moved > SEEDS / 2);
    assert_true(deleted_wals > 10 * moved);
}

/* The oldest backup that is left and holds WAL; w.n: none. */
static size_t oldest_left(void)
{
    for (size_t i = 0; i < w.n; i++) {
        if (!w.fact[i].gone && w.backup[i].begin_wal && w.backup[i].status != BACKUP_FAILED) {
            return i;
        }
    }
    return w.n;
}

static bool oldest_went(void)
{
    for (size_t i = 0; i < w.n; i++) {
        if (copy_done(i)) {
            return w.fact[i].gone;
        }
    }
    return false;
}

/* One cluster, one timeline, no marks: exactly what is older than the oldest backup goes. */
static void all_that_is_useless_goes(void **state)
{
    unsigned looked = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct retention_fate fate[BACKUPS];
        struct retention_ask ask;
        size_t oldest;

        invent(seed);
        if (w.cluster > 1 || w.top > 1) {
            continue;
        }
        memset(w.keep, 0, sizeof w.keep);
        ask = ask_of(w.backup, w.keep, w.n);
        retention_report(&w.policy, &ask, fate);
        enforce(fate);
        oldest = oldest_left();
        if (!oldest_went() || oldest == w.n) {
            continue;
        }
        looked++;
        for (size_t k = 0; k < w.wals; k++) {
            assert_int_equal(w.wal[k].gone, w.wal[k].no < w.fact[oldest].begin);
        }
    }
    assert_true(looked > 50);
}

TEST_MAIN(ONE(nothing_needed_is_ever_deleted), ONE(the_horizon_takes_nothing_needed),
          ONE(all_that_is_useless_goes))
