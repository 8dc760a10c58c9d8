/* SPDX-License-Identifier: PostgreSQL */
#include "engine/arrival.h"

#include "base/fmt.h"
#include "repo/wal_marks.h"

#include <inttypes.h>
#include <string.h>

#define EDGE_LINE_MAX  512
#define EDGES_FILE_MAX ((size_t)ARRIVAL_EDGES * EDGE_LINE_MAX)

/* ---- the file ----------------------------------------------------------------------- */

static void read_edges(struct arrival *v, struct str text)
{
    struct str line;
    uint64_t size;

    if (!str_line(&text, &line) || !str_take_lit(&line, "seg_size ") ||
        !str_u64(line, UINT32_MAX, &size) || !wal_seg_size_ok(size)) {
        return;
    }
    v->seg_size = (uint32_t)size;
    while (v->n < ARRIVAL_EDGES && str_line(&text, &line)) {
        v->n += wal_edge_parse(line, &v->edge[v->n]);
    }
}

bool arrival_open(struct arrival *v, const struct task *t, const struct repo *repo,
                  struct err *err)
{
    char path[PATH_CAP];
    struct err odd = {0};
    struct arena a;
    struct str text;

    *v = (struct arrival){.t = t, .repo = repo};
    arena_init(&a, 2 * EDGES_FILE_MAX);
    if (path_join(path, repo->own_dir, "wal-edges", &odd) &&
        file_read(&a, path, EDGES_FILE_MAX, &text, &odd)) {
        read_edges(v, text);
    }
    arena_release(&a);
    if (odd.code == ERR_MEMORY) {
        *err = odd;
    }
    return odd.code != ERR_MEMORY;
}

static void put_edges(struct sbuf *b, const void *what)
{
    const struct arrival *v = what;

    sbuf_fmt(b, "seg_size %" PRIu32 "\n", v->seg_size);
    for (size_t i = 0; i < v->n; i++) {
        wal_edge_put(b, &v->edge[i]);
        sbuf_char(b, '\n');
    }
}

void arrival_save(struct arrival *v)
{
    char path[PATH_CAP];
    struct err ignored;

    if (v->is_changed) {
        v->is_changed = !(path_join(path, v->repo->own_dir, "wal-edges", &ignored) &&
                          dir_make(v->repo->own_dir, &ignored) &&
                          file_print(path, EDGES_FILE_MAX, put_edges, v, &ignored));
    }
}

/* ---- the neighbours ----------------------------------------------------------------- */

static struct wal_edge *find_edge(struct arrival *v, pg_tli tli, uint64_t no)
{
    for (size_t i = v->n; i-- > 0;) {
        if (v->edge[i].seg.tli == tli && v->edge[i].seg.no == no) {
            return &v->edge[i];
        }
    }
    return NULL;
}

/* The place of this segment's edge: its own, a free one, or that of the one that came first. */
static struct wal_edge *put_edge(struct arrival *v, const struct wal_edge *edge)
{
    struct wal_edge *old = find_edge(v, edge->seg.tli, edge->seg.no);

    if (old) {
        size_t at = (size_t)(old - v->edge);
        memmove(old, old + 1, (v->n - at - 1) * sizeof *old);
        v->n--;
    } else if (v->n == ARRIVAL_EDGES) {
        memmove(v->edge, v->edge + 1, (v->n - 1) * sizeof v->edge[0]);
        v->n--;
    }
    v->edge[v->n] = *edge;
    v->is_changed = true;
    return &v->edge[v->n++];
}

/* A first page of a lower timeline is a copy of that timeline's own segment: its predecessor
 * is ours. */
static bool join_before(struct arrival *v, struct wal_edge *e, struct wal_end *end)
{
    const struct wal_edge *before = find_edge(v, e->first_tli, e->seg.no - 1);

    return !before || wal_edge_join(before, e, end) != WAL_JOIN_BROKEN;
}

/* Those that came before the one they follow; *broken becomes the one that does not. */
static bool join_behind(struct arrival *v, const struct wal_edge *e, struct wal_end *end,
                        struct wal_seg *broken)
{
    for (size_t i = 0; i < v->n; i++) {
        struct wal_edge *behind = &v->edge[i];

        if (behind->seg.no == e->seg.no + 1 && behind->first_tli == e->seg.tli &&
            wal_edge_join(e, behind, end) == WAL_JOIN_BROKEN) {
            *broken = behind->seg;
            return false;
        }
    }
    return true;
}

/* ---- what is told ------------------------------------------------------------------- */

static bool is_marked(const struct arrival *v, const char *name)
{
    struct wal_marks marks;
    struct err ignored;
    struct arena a;
    bool found = false;

    arena_init(&a, 0);
    if (wal_marks_load(v->repo, &a, &marks, &ignored)) {
        for (size_t i = 0; i < marks.n; i++) {
            found = found || strcmp(marks.mark[i].name, name) == 0;
        }
    }
    arena_release(&a);
    return found;
}

static bool damaged(struct arrival *v, const char *path, const struct wal_end *end,
                    struct err *err)
{
    char lsn[FMT_CAP];
    const char *why = end->why[0] ? end->why : wal_end_text(end->reason);

    v->damaged++;
    task_say(v->t, SAY_WARN,
             "WAL file '%s' of server %s is damaged: valid records end at %s (%s); it is kept, "
             "but no restore can pass it",
             path_base(path), v->repo->server, fmt_lsn(end->lsn, lsn), why);
    return is_marked(v, path_base(path)) || wal_marks_add(v->repo, path, end->lsn, why, err);
}

/* The damage shows only now, in a segment that arrived before. */
static bool damaged_behind(struct arrival *v, struct wal_seg seg, const struct wal_end *end,
                           struct err *err)
{
    char name[WAL_NAME_CAP];
    struct wal_found found;

    wal_seg_name(seg, v->seg_size, name);
    return !wal_find(v->repo, name, WAL_WHOLE, &found, &(struct err){0}) ||
           damaged(v, found.path, end, err);
}

bool arrival_take(struct arrival *v, const char *path, const struct wal_proven *proven,
                  struct err *err)
{
    struct wal_end end = proven->end;
    struct wal_edge *edge;
    struct wal_seg broken;
    bool ok;

    if (!proven->is_walked) {
        return true;
    }
    if (end.reason != WAL_END_NONE) {
        return damaged(v, path, &end, err);
    }
    if (v->seg_size != proven->seg_size) { /* another cluster's, or the first of all */
        v->n = 0;
        v->seg_size = proven->seg_size;
    }
    edge = put_edge(v, &proven->edge);
    if (!join_before(v, edge, &end)) {
        ok = damaged(v, path, &end, err);
        v->n--; /* what follows it is not held against it */
        return ok;
    }
    return join_behind(v, edge, &end, &broken) || damaged_behind(v, broken, &end, err);
}
