/* SPDX-License-Identifier: PostgreSQL */
#include "engine/look.h"

#include "base/clock.h"
#include "cfg/config.h"
#include "engine/look_in.h"
#include "plan/verdict.h"

#include <stdlib.h>
#include <string.h>

/* ---- new and free ------------------------------------------------------------------- */

/* "host:port" or the directory of the socket; never anything else of a conninfo. */
static const char *address_of(struct arena *a, const char *conninfo)
{
    char host[256] = "", port[32] = "";

    if (!conninfo) {
        return "";
    }
    if ((!pg_conninfo_value(conninfo, "host", host, sizeof host) || !host[0]) &&
        (!pg_conninfo_value(conninfo, "hostaddr", host, sizeof host) || !host[0])) {
        str_copy(host, sizeof host, "local");
    }
    if (!pg_conninfo_value(conninfo, "port", port, sizeof port) || !port[0]) {
        str_copy(port, sizeof port, "5432");
    }
    return arena_fmt(a, "%s:%s", host, port);
}

static const char *why_off(const struct server_cfg *srv)
{
    if (srv->disabled) {
        return "the configuration contradicts itself";
    }
    if (!srv->active) {
        return "inactive in the configuration";
    }
    if (server_cfg_passive(srv)) {
        return "a passive copy of another node's server";
    }
    return srv->conninfo ? NULL : "no conninfo in the configuration";
}

/* The slot lives on the server that conninfo names, unless receive-wal asks another one. */
static const char *slot_of(const struct server_cfg *srv)
{
    const char *wal = server_cfg_wal_conninfo(srv);

    return srv->slot_name && srv->streaming_archiver && wal && srv->conninfo &&
                   strcmp(wal, srv->conninfo) == 0
               ? srv->slot_name
               : NULL;
}

static bool set_up(struct look *l, struct err *err)
{
    const struct server_cfg *srv = l->srv;

    if (!repo_of(&l->fixed, srv, l->config->barman_home, l->config->barman_lock_directory,
                 &l->repo, err)) {
        return false;
    }
    l->address = address_of(&l->fixed, srv->conninfo);
    l->off_why = why_off(srv);
    l->slot = slot_of(srv);
    if (!l->address) {
        return arena_err(&l->fixed, err);
    }
    if (l->off_why) {
        l->state = LIVE_OFF;
        return true;
    }
    l->pulse = pulse_new(srv->conninfo, l->slot, srv->streaming_archiver_name);
    return l->pulse || err_set(err, ERR_MEMORY, "", "", "out of memory");
}

struct look *look_new(const struct config *config, uint32_t index, struct err *err)
{
    struct look *l = calloc(1, sizeof *l);

    if (!l) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    l->config = config;
    l->index = index;
    l->srv = &config->server[index];
    arena_init(&l->fixed, 0);
    arena_init(&l->rows, 0);
    arena_init(&l->lines, 0);
    arena_init(&l->dirs, 0);
    arena_init(&l->queue, 0);
    bounds_init(&l->bounds);
    wal_runs_init(&l->runs, 16u << 20);
    if (!set_up(l, err)) {
        look_free(l);
        return NULL;
    }
    return l;
}

void look_free(struct look *l)
{
    if (!l) {
        return;
    }
    pulse_free(l->pulse);
    arena_release(&l->fixed);
    arena_release(&l->rows);
    arena_release(&l->lines);
    arena_release(&l->dirs);
    arena_release(&l->queue);
    bounds_release(&l->bounds);
    wal_runs_release(&l->runs);
    free(l);
}

/* ---- facts -------------------------------------------------------------------------- */

static int by_place(const void *x, const void *y)
{
    const struct coverage_file *a = x, *b = y;

    return wal_seg_cmp(a->seg, b->seg);
}

static int by_bound(const void *x, const void *y)
{
    return coverage_bound_cmp(x, y);
}

bool look_facts(struct look *l, struct arena *a, struct coverage_facts *out, struct err *err)
{
    size_t partials = l->partials + l->old_partials, bounds = l->bounds.n;
    struct coverage_file *partial = ARENA_ARRAY(a, partials + 1, struct coverage_file);
    struct coverage_bound *bound = ARENA_ARRAY(a, bounds + 1, struct coverage_bound);

    if (!partial || !bound) {
        return arena_err(a, err);
    }
    for (size_t i = 0; i < partials; i++) {
        partial[i] = i < l->partials ? l->partial[i] : l->old_partial[i - l->partials];
    }
    qsort(partial, partials, sizeof *partial, by_place);
    for (size_t i = 0; i < bounds; i++) {
        bound[i] = l->bounds.line[i].bound;
    }
    /* Not that of a segment which has become whole since: its end was not walked. */
    if (l->receiving.is_known && l->partials &&
        wal_seg_cmp(l->receiving.bound.seg, l->partial[l->partials - 1].seg) == 0) {
        bound[bounds++] = l->receiving.bound;
        qsort(bound, bounds, sizeof *bound, by_bound);
    }
    *out = (struct coverage_facts){
        .backup = l->row,
        .backups = l->backups,
        .wal = &l->runs,
        .waiting = l->waiting,
        .waitings = l->waitings,
        .partial = partial,
        .partials = partials,
        .history = l->history,
        .histories = l->histories,
        .bound = bound,
        .bounds = bounds,
        .note = l->note,
        .notes = l->notes_n,
        .now_us = clock_wall_ns() / 1000,
    };
    return true;
}

/* ---- the snapshot ------------------------------------------------------------------- */

static const char *copy(struct arena *a, const char *s)
{
    return s ? arena_strdup(a, s) : NULL;
}

static bool fill_backups(const struct look *l, struct snapshot *s)
{
    struct backup_row *row = ARENA_ARRAY(&s->arena, l->backups + 1, struct backup_row);

    for (size_t i = 0; row && i < l->backups; i++) {
        row[i] = l->row[i];
        row[i].name = copy(&s->arena, row[i].name);
        row[i].error = copy(&s->arena, row[i].error);
        row[i].parent = copy(&s->arena, row[i].parent);
        row[i].wal_bytes = l->wal[l->backups - 1 - i].next_size;
    }
    s->backup = row;
    s->backups = row ? l->backups : 0;
    s->unread = l->unread;
    return row != NULL;
}

static bool fill_coverage(struct look *l, struct snapshot *s, struct err *err)
{
    struct coverage *c = ARENA_NEW(&s->arena, struct coverage), made;
    struct coverage_facts f;
    struct arena a;
    bool ok;

    if (!l->is_read) {
        return true;
    }
    if (!c) {
        return arena_err(&s->arena, err);
    }
    arena_init(&a, 0);
    ok = look_facts(l, &a, &f, err) && coverage_make(&a, &f, &made, NULL, err) &&
         coverage_copy(&s->arena, &made, c, err);
    arena_release(&a);
    s->coverage = ok ? c : NULL;
    return ok;
}

static int64_t limit(int64_t option)
{
    return option == CFG_UNSET ? VERDICT_UNSET : option;
}

static bool fill_verdict(const struct look *l, struct snapshot *s, struct err *err)
{
    const struct server_cfg *srv = l->srv;
    struct verdict_facts f = {
        .server = srv->name,
        .disabled = srv->disabled ? (srv->messages ? srv->message[0] : "see the log") : NULL,
        .live = &s->live,
        .backup = s->backup,
        .backups = s->backups,
        .unread = l->unread,
        .unread_why = l->unread_why,
        .coverage = s->coverage,
        .kept_why = l->kept_why[0] ? l->kept_why : NULL,
        .kept_todo = l->kept_todo,
        .systemid = l->identity.systemid,
        .streams = s->streams,
        .archives = s->archives,
        .is_receiving = l->is_receiving,
        .is_backing_up =
            l->is_backing_up && s->backups &&
            (s->backup[0].status == BACKUP_STARTED || s->backup[0].status == BACKUP_EMPTY),
        .slot = l->slot,
        .limits = {limit(srv->last_backup_maximum_age), limit(srv->last_backup_minimum_size),
                   limit(srv->last_wal_maximum_age), limit(srv->max_incoming_wals_queue),
                   srv->minimum_redundancy},
        .now_us = s->made_us,
        .offset = clock_local_offset,
    };
    struct verdict v;

    if (!verdict_make(&s->arena, &f, &v, err)) {
        return false;
    }
    s->light = v.light;
    s->sentence = v.sentence;
    s->todo = v.todo;
    return true;
}

struct snapshot *look_snapshot(struct look *l, struct err *err)
{
    struct snapshot *s = snapshot_new();

    if (!s) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    s->server = arena_strdup(&s->arena, l->srv->name);
    s->description = copy(&s->arena, l->srv->description);
    s->index = l->index;
    s->made_us = clock_wall_ns() / 1000;
    s->is_receiving = l->is_receiving;
    s->streams = l->srv->streaming_archiver;
    s->archives = l->srv->archiver;
    s->kept_why = l->kept_why[0] ? arena_strdup(&s->arena, l->kept_why) : NULL;
    look_live_fill(l, &s->arena, &s->live);
    if (!fill_backups(l, s) || s->arena.failed) {
        arena_err(&s->arena, err);
    } else if (fill_coverage(l, s, err) && fill_verdict(l, s, err)) {
        return s;
    }
    snapshot_free(s);
    return NULL;
}
