/* SPDX-License-Identifier: PostgreSQL */
#include "base/clock.h"
#include "base/fstab.h"
#include "cfg/config.h"
#include "engine/look_in.h"
#include "engine/retention_of.h"
#include "wal/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define YOUNG_NS  (2 * NS_PER_S) /* the coarsest time stamps of file systems */
#define NOTES_MAX 65536
#define MOVE_US   (600 * US_PER_S)

bool look_print_changed(struct look_print *p, const char *path)
{
    struct look_print now = {0};
    struct stat st;
    bool changed;

    if (stat(path, &st) == 0) {
        now.is_there = true;
        now.inode = st.st_ino;
        now.size = (uint64_t)st.st_size;
        now.mtime_ns = (int64_t)st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
        now.is_young = clock_wall_ns() - now.mtime_ns < YOUNG_NS;
    }
    changed = p->is_young || now.is_there != p->is_there || now.inode != p->inode ||
              now.size != p->size || now.mtime_ns != p->mtime_ns;
    *p = now;
    return changed;
}

/* ---- the catalogue ------------------------------------------------------------------ */

static const char *kept(struct arena *a, const char *s)
{
    return s ? arena_strdup(a, s) : NULL;
}

/* What no policy speaks of has no verdict. */
static const char *verdict_of(const struct retention_state *s, size_t i)
{
    return s->enforced ? retention_verdict_name(s->fate[i].verdict) : NULL;
}

/* A mark that cannot be read leaves all verdicts out: delete asks itself. */
static void judge(struct look *l, const struct catalogue *c, struct arena *a,
                  struct retention_state *out)
{
    struct err ignored;

    *out = (struct retention_state){.enforced = false};
    if (!retention_of(&l->repo, l->srv, c, a, out, &ignored)) {
        *out = (struct retention_state){.enforced = false};
    }
    l->rows_us = clock_wall_ns() / 1000;
    l->rows_move = out->enforced && out->policy.kind == RETENTION_WINDOW;
}

static void fill_row(struct look *l, const struct backup *b, struct backup_row *out)
{
    enum keep keep = KEEP_NONE;
    struct err ignored;

    if (!keep_read(&l->repo, b->id, &keep, &ignored)) {
        keep = KEEP_NONE; /* delete asks itself, and refuses where it cannot be read */
    }
    *out = (struct backup_row){
        .name = kept(&l->rows, b->backup_name),
        .status = b->status,
        .type = backup_type_of(b),
        .begin = b->begin_time,
        .end = b->end_time,
        .begin_lsn = b->begin_xlog,
        .end_lsn = b->end_xlog,
        .tli = b->timeline,
        .version = b->version,
        .size = b->size,
        .took_s = b->total_time > 0 ? b->total_time : b->copy_time,
        .keep = keep == KEEP_FULL         ? ROW_KEEP_FULL
                : keep == KEEP_STANDALONE ? ROW_KEEP_STANDALONE
                                          : ROW_KEEP_NONE,
        .error = kept(&l->rows, b->error),
        .parent = kept(&l->rows, b->parent_backup_id),
        .tablespaces = b->tablespaces,
        .is_corrupt = b->error && strstr(b->error, "damaged pages"),
    };
    memcpy(out->id, b->id, sizeof out->id);
}

static void take_seg_size(struct look *l, const struct catalogue *c)
{
    l->backup_seg_size = 0;
    for (size_t i = c->n; i-- > 0 && l->backup_seg_size == 0;) {
        const struct backup *b = &c->backup[i];
        bool same = !b->systemid || !l->identity.systemid[0] ||
                    strcmp(b->systemid, l->identity.systemid) == 0;

        if (same && backup_copy_done(b) && wal_seg_size_ok(b->xlog_segment_size)) {
            l->backup_seg_size = b->xlog_segment_size;
        }
    }
}

static bool take_catalogue(struct look *l, const struct catalogue *c, struct arena *a,
                           struct err *err)
{
    struct retention_state retention;
    char text[1600];

    l->row = ARENA_ARRAY(&l->rows, c->n + 1, struct backup_row);
    l->wal = ARENA_ARRAY(&l->rows, c->n + 1, struct backup_wal);
    if (!l->row || !l->wal) {
        return arena_err(&l->rows, err);
    }
    judge(l, c, a, &retention);
    for (size_t i = 0; i < c->n; i++) {
        struct backup_row *row = &l->row[c->n - 1 - i];

        fill_row(l, &c->backup[i], row);
        row->retention = verdict_of(&retention, i);
    }
    l->backups = c->n;
    l->unread = c->unread;
    l->unread_why =
        c->unread ? arena_strdup(&l->rows, err_text(c->why, text, sizeof text)) : NULL;
    take_seg_size(l, c);
    return list_counter_init(&l->counter, &l->rows, c->backup, c->n, l->wal, err) &&
           (!l->rows.failed || arena_err(&l->rows, err));
}

static bool load_catalogue(struct look *l, struct err *err)
{
    struct catalogue c;
    struct arena a;
    struct err why;
    bool ok;

    arena_release(&l->rows);
    arena_init(&l->rows, 0);
    l->backups = l->unread = 0;
    if (!identity_load(&l->repo, &l->identity, &why)) {
        l->identity = (struct identity){0};
    }
    arena_init(&a, 0);
    ok = catalogue_look(&l->repo, &a, &c, err) && take_catalogue(l, &c, &a, err);
    arena_release(&a);
    return ok;
}

/* ---- what waits and what is being received ------------------------------------------ */

static int by_place(const void *x, const void *y)
{
    const struct coverage_file *a = x, *b = y;

    return wal_seg_cmp(a->seg, b->seg);
}

struct collecting {
    struct look *l;
    struct coverage_file *whole, *partial;
    size_t wholes, partials;
};

static void collect(struct collecting *c, const char *dir, const char *name)
{
    enum wal_name_kind kind = wal_name_kind(str_of(name), WAL_CASE_UPPER);
    char segment[WAL_NAME_CAP], path[PATH_CAP];
    struct coverage_file f = {0};
    struct stat st;
    struct err odd;

    if (kind != WAL_NAME_SEGMENT && kind != WAL_NAME_PARTIAL) {
        return;
    }
    memcpy(segment, name, WAL_NAME_LEN);
    segment[WAL_NAME_LEN] = '\0';
    if (!wal_seg_parse(segment, c->l->runs.seg_size, &f.seg, &odd) ||
        !path_join(path, dir, name, &odd) || lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return;
    }
    f.us = (int64_t)st.st_mtim.tv_sec * US_PER_S + st.st_mtim.tv_nsec / 1000;
    f.bytes = (uint64_t)st.st_size;
    if (kind == WAL_NAME_SEGMENT) {
        c->whole[c->wholes++] = f;
    } else {
        c->partial[c->partials++] = f;
    }
}

/* Sorted, each place once. */
static size_t tidy(struct coverage_file *f, size_t n)
{
    size_t left = 0;

    if (n) {
        qsort(f, n, sizeof *f, by_place);
    }
    for (size_t i = 0; i < n; i++) {
        if (left == 0 || wal_seg_cmp(f[left - 1].seg, f[i].seg) != 0) {
            f[left++] = f[i];
        }
    }
    return left;
}

/* The newest may have grown, another may be received now; one that an old timeline left behind is
 * what it was. */
static bool is_still_so(void *ctx, const struct bounds_line *line)
{
    const struct look *l = ctx;

    for (size_t i = 0; line->is_partial && i + 1 < l->partials; i++) {
        if (wal_seg_cmp(l->partial[i].seg, line->bound.seg) == 0) {
            return l->partial[i].us == line->mtime_ns / 1000;
        }
    }
    return !line->is_partial;
}

static bool load_queue(struct look *l, struct err *err)
{
    const char *const dir[] = {l->repo.streaming_dir, l->repo.incoming_dir};
    struct collecting c = {.l = l};
    struct names names[2];
    struct arena a;
    bool ok = true;

    arena_init(&a, 0);
    arena_release(&l->queue);
    arena_init(&l->queue, 0);
    l->waitings = l->partials = 0;
    for (size_t i = 0; ok && i < 2; i++) {
        ok = dir_names(&a, dir[i], DIR_MAY_MISS, &names[i], err);
    }
    if (ok) {
        size_t n = names[0].n + names[1].n + 1;
        c.whole = ARENA_ARRAY(&l->queue, n, struct coverage_file);
        c.partial = ARENA_ARRAY(&l->queue, n, struct coverage_file);
        ok = (c.whole && c.partial) || arena_err(&l->queue, err);
    }
    for (size_t i = 0; ok && i < 2; i++) {
        for (size_t j = 0; j < names[i].n; j++) {
            collect(&c, dir[i], names[i].name[j]);
        }
    }
    arena_release(&a);
    if (ok) {
        l->waiting = c.whole;
        l->waitings = tidy(c.whole, c.wholes);
        l->partial = c.partial;
        l->partials = tidy(c.partial, c.partials);
        bounds_filter(&l->bounds, is_still_so, l);
    }
    return ok;
}

/* ---- histories and notes ------------------------------------------------------------ */

static bool add_histories(struct look *l, struct history *out, size_t cap, const char *dir,
                          const struct names *names)
{
    for (size_t i = 0; i < names->n && l->histories < cap; i++) {
        struct str name = str_of(names->name[i]), text;
        char path[PATH_CAP];
        bool known = false;
        struct err odd;
        pg_tli tli;

        if (wal_name_kind(name, WAL_CASE_UPPER) != WAL_NAME_HISTORY ||
            !wal_name_tli(name, &tli)) {
            continue;
        }
        for (size_t j = 0; j < l->histories; j++) {
            known = known || out[j].tli == tli;
        }
        if (!known && path_join(path, dir, names->name[i], &odd) &&
            wal_read_whole(&l->repo, &l->lines, path, HISTORY_MAX, &text, &odd) &&
            history_parse(&l->lines, tli, text, &out[l->histories], &odd)) {
            l->histories++;
        }
    }
    return !l->lines.failed;
}

/* "hole TAB tli TAB from TAB to TAB when" */
static bool parse_note(struct arena *a, struct str line, struct coverage_note *out)
{
    struct str field[5];
    uint64_t tli;

    for (size_t i = 0; i < 5; i++) {
        if (!str_split(&line, '\t', &field[i])) {
            return false;
        }
    }
    if (line.n || !str_eq(field[0], "hole") || !str_u64(field[1], UINT32_MAX, &tli) ||
        !wal_lsn_parse(field[2], &out->from) || !wal_lsn_parse(field[3], &out->to)) {
        return false;
    }
    out->tli = (pg_tli)tli;
    out->text = arena_fmt(a, "the server had removed it before it was received, noted %.*s",
                          (int)(field[4].n > 40 ? 40 : field[4].n), field[4].p);
    return out->text != NULL;
}

static void load_notes(struct look *l)
{
    char path[PATH_CAP];
    struct str text, line, rest;
    struct err odd;
    size_t n = 0;

    l->notes_n = 0;
    if (!path_join(path, l->repo.own_dir, "wal-notes", &odd) ||
        !file_read(&l->lines, path, NOTES_MAX, &text, &odd)) {
        return;
    }
    for (rest = text; str_line(&rest, &line);) {
        n++;
    }
    l->note = ARENA_ARRAY(&l->lines, n + 1, struct coverage_note);
    for (rest = text; l->note && str_line(&rest, &line);) {
        l->notes_n += parse_note(&l->lines, line, &l->note[l->notes_n]);
    }
}

static bool load_lines(struct look *l, struct err *err)
{
    struct names archive, streaming;
    struct history *h = NULL;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    arena_release(&l->lines);
    arena_init(&l->lines, 0);
    l->histories = l->notes_n = 0;
    ok = dir_names(&a, l->repo.wals_dir, DIR_MAY_MISS, &archive, err) &&
         dir_names(&a, l->repo.streaming_dir, DIR_MAY_MISS, &streaming, err);
    if (ok) {
        size_t n = 0;
        for (size_t i = 0; i < archive.n; i++) {
            n += str_ends(str_of(archive.name[i]), ".history");
        }
        for (size_t i = 0; i < streaming.n; i++) {
            n += str_ends(str_of(streaming.name[i]), ".history");
        }
        h = ARENA_ARRAY(&l->lines, n + 1, struct history);
        ok = h && add_histories(l, h, n, l->repo.wals_dir, &archive) &&
             add_histories(l, h, n, l->repo.streaming_dir, &streaming);
        load_notes(l);
        l->history = h;
        ok = (ok && !l->lines.failed) || arena_err(&l->lines, err);
    }
    arena_release(&a);
    return ok;
}

/* ---- all of it ---------------------------------------------------------------------- */

static uint32_t seg_size_of(const struct look *l)
{
    if (l->backup_seg_size) {
        return l->backup_seg_size;
    }
    return l->answer.seg_size ? l->answer.seg_size : 16u << 20;
}

/* What a change of a directory makes us read. */
enum { READ_ROWS = 1, READ_QUEUE = 2, READ_LINES = 4, READ_ALL = 7 };

static unsigned what_changed(struct look *l)
{
    const struct {
        struct look_print *print;
        const char *path;
        unsigned read;
    } watched[] = {
        {&l->meta, l->repo.meta_dir, READ_ROWS},
        {&l->base, l->repo.base_dir, READ_ROWS},
        {&l->streaming, l->repo.streaming_dir, READ_QUEUE | READ_LINES},
        {&l->incoming, l->repo.incoming_dir, READ_QUEUE},
        {&l->own, l->repo.own_dir, READ_LINES},
        {&l->wals, l->repo.wals_dir, READ_LINES},
    };
    unsigned read = l->is_read ? 0 : READ_ALL;

    if (l->rows_move && clock_wall_ns() / 1000 - l->rows_us > MOVE_US) {
        read |= READ_ROWS;
    }

    for (size_t i = 0; i < sizeof watched / sizeof watched[0]; i++) {
        l->wals_changed = look_print_changed(watched[i].print, watched[i].path);
        read |= l->wals_changed ? watched[i].read : 0; /* the last one is the archive */
    }
    return read;
}

static bool is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? S_ISDIR(st.st_mode) : errno != ENOENT && errno != ENOTDIR;
}

/* A home that is not there, as when its disk is not mounted, is not an empty one; nor is the
 * directory of a server that had backups a moment ago. That of a new server is made by the first
 * command that writes. */
static bool is_there(const struct look *l, struct err *err)
{
    const char *home = l->config->barman_home, *dir = l->repo.backup_dir;

    char mount[PATH_CAP];

    if (is_dir(dir)) {
        return true;
    }
    if (!is_dir(home)) {
        return err_set(err, ERR_MISSING, "Mount its disk, or correct barman_home.", home,
                       "barman_home is not there");
    }
    if (l->backups == 0 && fstab_unmounted(home, mount)) {
        return err_set(err, ERR_MISSING, "Mount it: what stands there now is not barman_home.",
                       mount, "a mount point of /etc/fstab with nothing mounted on it");
    }
    return l->backups == 0 ||
           err_set(err, ERR_MISSING, "Mount its disk; nothing is taken for lost before.", dir,
                   "the server's directory is not there any more");
}

static bool read_changed(struct look *l, bool *changed, struct err *err)
{
    unsigned read;
    bool archive = false;

    if (!is_there(l, err)) {
        return false;
    }
    read = what_changed(l);
    if ((read & READ_ROWS) && !load_catalogue(l, err)) {
        return false;
    }
    if (l->runs.seg_size != seg_size_of(l)) {
        wal_runs_release(&l->runs);
        wal_runs_init(&l->runs, seg_size_of(l));
        read = READ_ALL;
        if (!load_catalogue(l, err)) {
            return false;
        }
    }
    if (((read & READ_QUEUE) && !load_queue(l, err)) ||
        ((read & READ_LINES) && !load_lines(l, err)) ||
        !look_wal(l, (read & READ_ROWS) != 0, &archive, err)) {
        return false;
    }
    *changed = read || archive;
    return true;
}

bool look_kept(struct look *l, const struct task *t)
{
    bool changed = false;
    char text[sizeof l->kept_why];
    struct err err = {0};

    if (!task_go_on(t, &err)) {
        return false;
    }
    if (!read_changed(l, &changed, &err)) {
        l->is_read = false; /* everything anew the next time */
        err_text(&err, text, sizeof text);
        changed = strcmp(text, l->kept_why) != 0;
        str_copy(l->kept_why, sizeof l->kept_why, text);
        str_copy(l->kept_todo, sizeof l->kept_todo, err.hint);
        return changed;
    }
    changed = changed || l->kept_why[0];
    l->kept_why[0] = l->kept_todo[0] = '\0';
    l->is_read = true;
    if (changed) {
        l->bounds_due = true;
        l->skips = 0;
    }
    return changed;
}
