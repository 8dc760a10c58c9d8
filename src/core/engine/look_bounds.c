/* SPDX-License-Identifier: PostgreSQL */
/* look_bounds.c - walk the segments that coverage_make() asks for, each once.
 *
 * A segment is walked by itself: a record that was begun in the one before it is passed over, one
 * that goes on in the next is not proven. Of the segment being received, the walk goes on from
 * the last record it has seen.
 */
#include "base/clock.h"
#include "engine/look_in.h"
#include "repo/wal_marks.h"
#include "repo/wal_store.h"
#include "wal/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK        ((size_t)256 * 1024)  /* whole pages */
#define BUDGET       (UINT64_C(256) << 20) /* bytes of WAL in one look */
#define RECEIVING_NS (2 * NS_PER_S)

struct walking {
    struct look *l;
    const struct task *t;
    struct arena a;
    struct wal_walk *walk;
    uint8_t *chunk;
    struct coverage_bound *bound; /* being found out */
    uint64_t read;                /* bytes of this look */
};

static bool on_event(void *ctx, const struct wal_event *e)
{
    struct walking *w = ctx;
    struct mark at = {e->time_us, e->rec.start, e->xid, true};

    if (e->kind != WAL_EVENT_COMMIT) {
        return true;
    }
    if (!w->bound->first.us && e->rec.start >= w->bound->from) {
        w->bound->first = at;
    }
    w->bound->last = at;
    return true;
}

static void start_walk(struct walking *w, pg_lsn from)
{
    struct wal_walk_options options = {.seg_size = w->l->runs.seg_size, .from = from};

    options.event = on_event;
    options.ctx = w;
    (void)str_u64(str_of(w->l->identity.systemid), UINT64_MAX, &options.sysid);
    wal_walk_init(w->walk, &options);
}

/* ---- a segment that does not change any more ---------------------------------------- */

/* Its pages through the walk. *fed: bytes that were there. */
static bool feed_file(struct walking *w, struct wal_reader *rd, uint64_t *fed, struct err *err)
{
    uint64_t seg_size = w->l->runs.seg_size;
    size_t have = 0, got;

    *fed = 0;
    do {
        size_t whole;

        if (!task_go_on(w->t, err) || !wal_read(rd, w->chunk + have, CHUNK - have, &got, err)) {
            return false;
        }
        have += got;
        if (have < CHUNK && got > 0) {
            continue;
        }
        whole = have - have % WAL_PAGE_SIZE;
        if (*fed + whole > seg_size) {
            return err_set(err, ERR_FORMAT, "", "", "longer than a segment");
        }
        *fed += whole;
        w->read += whole;
        if (whole && !wal_walk_feed(w->walk, w->chunk, whole)) {
            return true;
        }
        have = 0;
    } while (got > 0);
    return true;
}

/* Nothing but zeros behind its last record: the end of WAL, unless it goes on elsewhere. */
static bool goes_on(const struct look *l, struct wal_seg seg)
{
    struct wal_seg next = {seg.tli, seg.no + 1};

    for (size_t i = 0; i < l->waitings; i++) {
        if (wal_seg_cmp(l->waiting[i].seg, next) == 0) {
            return true;
        }
    }
    return wal_runs_find(&l->runs, next) != NULL;
}

static void judge(struct walking *w, const struct wal_found *found, uint64_t fed,
                  const struct err *why)
{
    const struct wal_walk *walk = w->walk;
    struct coverage_bound *b = w->bound;
    enum wal_end_reason reason = walk->end.reason;

    b->end = walk->records ? walk->last_end : wal_seg_start(b->seg, w->l->runs.seg_size);
    if (found->is_partial) {
        b->is_sound = true;
    } else if (why->code || reason != WAL_END_NONE) {
        b->is_sound = !why->code && reason == WAL_END_ZERO && !goes_on(w->l, b->seg);
    } else {
        b->is_sound = fed == w->l->runs.seg_size;
    }
    if (b->is_sound && !found->is_partial && reason == WAL_END_NONE) {
        b->end = wal_seg_start(b->seg, w->l->runs.seg_size) + w->l->runs.seg_size;
    }
}

static bool take_stamp(const char *path, struct bounds_line *line)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return false;
    }
    line->size = (uint64_t)st.st_size;
    line->mtime_ns = (int64_t)st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
    return true;
}

/* false: cancelled or without memory. *known: the segment could be read, or what is wrong with
 * it could be told. */
static bool walk_segment(struct walking *w, const struct coverage_ask *ask, bool *known,
                         struct err *err)
{
    struct bounds_line line = {.bound = {.seg = ask->seg, .from = ask->from}};
    char name[WAL_NAME_CAP];
    struct wal_reader *rd;
    struct wal_found found;
    struct err why = {0};
    uint64_t fed = 0;
    bool ok;

    *known = false;
    wal_seg_name(ask->seg, w->l->runs.seg_size, name);
    if (!wal_find(&w->l->repo, name, WAL_OR_PARTIAL, &found, &why) ||
        !take_stamp(found.path, &line)) {
        return true;
    }
    rd = wal_reader_new(&found, 0, &why);
    if (!rd) {
        return true; /* a codec we do not have, no right to read it */
    }
    w->bound = &line.bound;
    start_walk(w, 0);
    wal_walk_file(w->walk, ask->seg);
    ok = feed_file(w, rd, &fed, &why);
    wal_reader_free(rd);
    if (!ok && why.code != ERR_FORMAT) {
        if (why.code == ERR_CANCEL || why.code == ERR_TIMEOUT) {
            *err = why;
            return false;
        }
        return true;
    }
    judge(w, &found, fed, &why);
    line.is_partial = found.is_partial;
    *known = true;
    w->l->bounds_new = w->l->bounds_new || !found.is_partial;
    return bounds_put(&w->l->bounds, &line, err);
}

/* ---- the segment that is being received --------------------------------------------- */

static bool feed_from(struct walking *w, int fd, uint64_t at, struct err *err)
{
    for (;;) {
        ssize_t n;

        if (!task_go_on(w->t, err)) {
            return false;
        }
        n = pread(fd, w->chunk, CHUNK, (off_t)at);
        if (n < 0) {
            return errno == EINTR ? true : err_os(err, errno, "read", "WAL being received");
        }
        n -= n % WAL_PAGE_SIZE;
        if (at + (uint64_t)n > w->l->runs.seg_size) {
            n = (ssize_t)(w->l->runs.seg_size - at);
        }
        if (n == 0 || !wal_walk_feed(w->walk, w->chunk, (size_t)n)) {
            return true;
        }
        at += (uint64_t)n;
    }
}

static bool same_mark(const struct mark *x, const struct mark *y)
{
    return x->us == y->us && x->lsn == y->lsn;
}

/* Walk on in it. *changed: there is a commit that was not known. */
static void walk_receiving(struct walking *w, int fd, bool *changed)
{
    struct look_partial *r = &w->l->receiving;
    uint32_t seg_size = w->l->runs.seg_size;
    struct coverage_bound before = r->bound;
    struct err ignored;

    w->bound = &r->bound;
    start_walk(w, r->last);
    if (r->last) {
        wal_walk_page(w->walk, r->bound.seg, r->last);
    } else {
        wal_walk_file(w->walk, r->bound.seg);
    }
    (void)feed_from(w, fd, w->walk->at % seg_size, &ignored);
    if (w->walk->records) {
        r->last = w->walk->last;
        r->bound.end = w->walk->last_end;
    }
    *changed = !r->is_known || !same_mark(&before.last, &r->bound.last) ||
               !same_mark(&before.first, &r->bound.first) || before.end != r->bound.end;
    r->is_known = true;
}

/* -1: it is not there. */
static int open_receiving(const struct look *l, const struct coverage_file *newest,
                          int64_t *mtime_ns)
{
    char name[WAL_NAME_CAP], path[PATH_CAP];
    struct stat st;
    int fd;

    wal_seg_name(newest->seg, l->runs.seg_size, name);
    if (!str_fmt(path, sizeof path, "%s/%s.partial", l->repo.streaming_dir, name)) {
        return -1;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        return -1;
    }
    if (fd >= 0) {
        *mtime_ns = (int64_t)st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
    }
    return fd;
}

static bool begins_anew(const struct look_partial *r, const struct coverage_file *newest,
                        int64_t mtime_ns, const struct coverage_ask *ask)
{
    return !r->is_known || wal_seg_cmp(r->bound.seg, newest->seg) != 0 ||
           mtime_ns < r->mtime_ns || (ask && ask->from != r->bound.from);
}

/* ask: of the plan, or NULL: only what was added. false: nothing is being received. */
static bool look_receiving(struct walking *w, const struct coverage_ask *ask, bool *changed)
{
    struct look *l = w->l;
    struct look_partial *r = &l->receiving;
    struct coverage_file *newest = l->partials ? &l->partial[l->partials - 1] : NULL;
    int64_t mtime_ns = 0;
    int fd = newest ? open_receiving(l, newest, &mtime_ns) : -1;

    *changed = false;
    if (fd < 0) {
        r->is_known = r->is_known && newest;
        return false;
    }
    if (begins_anew(r, newest, mtime_ns, ask)) {
        *r = (struct look_partial){
            .bound = {.seg = newest->seg,
                      .from = ask ? ask->from : 0,
                      .is_sound = true,
                      .end = wal_seg_start(newest->seg, l->runs.seg_size)},
        };
    } else if (mtime_ns == r->mtime_ns || clock_mono_ns() - r->walked_ns < RECEIVING_NS) {
        close(fd);
        return true;
    }
    r->mtime_ns = mtime_ns;
    walk_receiving(w, fd, changed);
    close(fd);
    r->walked_ns = clock_mono_ns();
    newest->us = mtime_ns / 1000;
    return true;
}

/* ---- the file ----------------------------------------------------------------------- */

static bool is_as_walked(void *ctx, const struct bounds_line *line)
{
    struct look *l = ctx;
    struct bounds_line now;
    char name[WAL_NAME_CAP];
    struct wal_found found;
    struct err odd;

    wal_seg_name(line->bound.seg, l->runs.seg_size, name);
    return wal_find(&l->repo, name, WAL_WHOLE, &found, &odd) && take_stamp(found.path, &now) &&
           now.size == line->size && now.mtime_ns == line->mtime_ns;
}

static bool read_bounds(struct walking *w, struct err *err)
{
    struct look *l = w->l;
    struct str text, line;
    struct bounds_line got;
    char path[PATH_CAP];
    struct err odd;

    l->bounds_read = true;
    if (!path_join(path, l->repo.own_dir, "bounds", &odd) ||
        !file_read(&w->a, path, BOUNDS_FILE_MAX, &text, &odd)) {
        return true;
    }
    while (str_line(&text, &line)) {
        if (bounds_parse_line(line, l->runs.seg_size, &got) &&
            !bounds_put(&l->bounds, &got, err)) {
            return false;
        }
    }
    bounds_filter(&l->bounds, is_as_walked, l);
    return true;
}

/* Damage that was found when the segment arrived. A record may have begun in the one before. */
static bool put_damage(struct look *l, const struct damaged_wal *mark, struct err *err)
{
    struct bounds_line line = {.size = mark->size, .mtime_ns = mark->mtime_ns};
    pg_lsn start;

    if (!wal_seg_parse(mark->name, l->runs.seg_size, &line.bound.seg, err)) {
        return false;
    }
    start = wal_seg_start(line.bound.seg, l->runs.seg_size);
    line.bound.end = mark->lsn / l->runs.seg_size == line.bound.seg.no ? mark->lsn : start;
    return bounds_put(&l->bounds, &line, err);
}

/* What has arrived damaged since the last time? */
static bool marks_changed(const struct look *l, int64_t *mtime_ns)
{
    struct bounds_line now;
    char path[PATH_CAP];
    struct err odd;
    bool is_there =
        path_join(path, l->repo.own_dir, "wal-corrupt", &odd) && take_stamp(path, &now);

    *mtime_ns = is_there ? now.mtime_ns : 0;
    return *mtime_ns != l->marks_ns;
}

static void read_marks(struct walking *w)
{
    struct look *l = w->l;
    struct wal_marks marks;
    int64_t mtime_ns;
    struct err odd;

    if (!marks_changed(l, &mtime_ns) || !wal_marks_load(&l->repo, &w->a, &marks, &odd)) {
        return;
    }
    l->marks_ns = mtime_ns;
    for (size_t i = 0; i < marks.n; i++) {
        l->bounds_due = put_damage(l, &marks.mark[i], &odd) || l->bounds_due;
    }
}

static void put_bounds(struct sbuf *b, const void *what)
{
    const struct look *l = what;

    for (size_t i = 0; i < l->bounds.n; i++) {
        if (!l->bounds.line[i].is_partial) {
            bounds_put_line(b, l->runs.seg_size, &l->bounds.line[i]);
        }
    }
}

/* Without it the next console walks again: no harm. */
static void save_bounds(struct look *l)
{
    char path[PATH_CAP];
    struct err ignored;

    if (path_join(path, l->repo.own_dir, "bounds", &ignored) &&
        dir_make(l->repo.own_dir, &ignored) &&
        file_print(path, l->bounds.n * 256 + 1, put_bounds, l, &ignored)) {
        l->bounds_new = false;
    }
}

/* What no mark of the coverage leans on is let go. */
struct keeping {
    const struct coverage *c;
};
static bool is_leaned_on(void *ctx, const struct bounds_line *line)
{
    const struct coverage *c = ((struct keeping *)ctx)->c;
    uint64_t no = line->bound.seg.no, size = c->seg_size;

    if (!line->bound.is_sound || line->is_partial) {
        return true;
    }
    for (size_t i = 0; i < c->stretches; i++) {
        const struct stretch *s = &c->stretch[i];
        uint64_t from = s->from.lsn / size, first = s->first.lsn / size, to = s->to.lsn / size;

        from -= from > 0;
        if ((no >= from && (no <= first || no <= from + COVERAGE_REACH)) ||
            (no >= to && no <= to + COVERAGE_REACH)) {
            return true;
        }
    }
    return false;
}

/* ---- a look ------------------------------------------------------------------------- */

static bool is_skipped(const struct look *l, struct wal_seg seg)
{
    for (size_t i = 0; i < l->skips; i++) {
        if (wal_seg_cmp(l->skip[i], seg) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_receiving(const struct look *l, struct wal_seg seg)
{
    return l->partials && wal_seg_cmp(l->partial[l->partials - 1].seg, seg) == 0;
}

/* One ask. *done: something is known now that was not. */
static bool answer(struct walking *w, const struct coverage_ask *ask, bool *done,
                   struct err *err)
{
    struct look *l = w->l;
    bool known;

    *done = false;
    if (is_skipped(l, ask->seg)) {
        return true;
    }
    if (is_receiving(l, ask->seg) && look_receiving(w, ask, &known)) {
        *done = known;
        return true;
    }
    if (!walk_segment(w, ask, &known, err)) {
        return false;
    }
    if (!known && l->skips < LOOK_SKIPS) {
        l->skip[l->skips++] = ask->seg;
    }
    *done = known;
    return true;
}

/* *more: there are asks left that can be answered. */
static bool one_round(struct walking *w, bool *more, bool *changed, struct err *err)
{
    struct arena_mark mark = arena_mark(&w->a);
    struct coverage_asks asks;
    struct coverage_facts f;
    struct coverage c;
    bool ok = look_facts(w->l, &w->a, &f, err) && coverage_make(&w->a, &f, &c, &asks, err);

    *more = false;
    for (size_t i = 0; ok && i < asks.n; i++) {
        bool done;
        ok = answer(w, &asks.ask[i], &done, err);
        *more = *more || (ok && done);
        *changed = *changed || *more;
        if (w->read > BUDGET) {
            break;
        }
    }
    if (ok && !*more) {
        bounds_filter(&w->l->bounds, is_leaned_on, &(struct keeping){&c});
    }
    arena_reset(&w->a, mark);
    return ok;
}

static bool walk_all(struct walking *w)
{
    struct look *l = w->l;
    bool changed = false, more = false, ok = true;
    struct err err = {0};

    if (!l->bounds_read) {
        ok = read_bounds(w, &err);
        changed = l->bounds.n > 0;
    }
    read_marks(w);
    if (ok && look_receiving(w, NULL, &more) && more) {
        changed = l->bounds_due = true;
    }
    more = l->bounds_due;
    while (ok && more && w->read <= BUDGET) {
        ok = one_round(w, &more, &changed, &err);
    }
    l->bounds_due = !ok || more;
    if (l->bounds_new) {
        save_bounds(w->l);
    }
    return changed;
}

bool look_bounds(struct look *l, const struct task *t)
{
    struct walking w = {.l = l, .t = t};
    bool changed = false;
    int64_t mtime_ns;

    if (!l->is_read || (!l->bounds_due && !l->partials && !marks_changed(l, &mtime_ns))) {
        return false;
    }
    arena_init(&w.a, 0);
    w.walk = ARENA_NEW(&w.a, struct wal_walk);
    w.chunk = arena_alloc(&w.a, CHUNK);
    if (w.walk && w.chunk) {
        changed = walk_all(&w);
    }
    arena_release(&w.a);
    return changed;
}
