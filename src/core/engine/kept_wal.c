/* SPDX-License-Identifier: PostgreSQL */
#include "engine/kept_wal.h"

#include <stdlib.h>
#include <string.h>

struct loading {
    struct arena *a;
    struct kept_wal *out;
    struct wal_seg *seg;
    size_t segs, seg_cap;
    struct history *history;
    size_t histories, history_cap;
    size_t name_cap, odd_cap;
};

void *kept_grown(struct arena *a, const void *old, size_t n, size_t *cap, size_t size)
{
    size_t more = *cap ? 2 * *cap : 64;
    void *p = arena_array(a, more, size);

    if (p) {
        if (n) {
            memcpy(p, old, n * size);
        }
        *cap = more;
    }
    return p;
}

static bool add_seg(struct loading *l, const char *name, struct err *err)
{
    struct wal_seg seg;
    struct err odd = {0};

    if (!wal_seg_parse(name, l->out->lines.seg_size, &seg, &odd)) {
        return true; /* of another segment size: no way leads over it */
    }
    if (l->segs == l->seg_cap) {
        struct wal_seg *p = kept_grown(l->a, l->seg, l->segs, &l->seg_cap, sizeof *p);
        if (!p) {
            return arena_err(l->a, err);
        }
        l->seg = p;
    }
    l->seg[l->segs++] = seg;
    return true;
}

static bool add_name(struct loading *l, const char *name, struct err *err)
{
    struct kept_wal *k = l->out;

    for (size_t i = 0; i < k->history_files; i++) {
        if (strcmp(k->history_file[i], name) == 0) {
            return true;
        }
    }
    if (k->history_files == l->name_cap) {
        const char **p =
            kept_grown(l->a, k->history_file, k->history_files, &l->name_cap, sizeof *p);
        if (!p) {
            return arena_err(l->a, err);
        }
        k->history_file = p;
    }
    k->history_file[k->history_files] = arena_strdup(l->a, name);
    return k->history_file[k->history_files++] || arena_err(l->a, err);
}

static bool add_odd(struct loading *l, const char *path, const char *why, struct err *err)
{
    struct kept_wal *k = l->out;

    if (k->odds == l->odd_cap) {
        struct odd_history *p = kept_grown(l->a, k->odd, k->odds, &l->odd_cap, sizeof *p);
        if (!p) {
            return arena_err(l->a, err);
        }
        k->odd = p;
    }
    k->odd[k->odds++] = (struct odd_history){arena_strdup(l->a, path), arena_strdup(l->a, why)};
    return !l->a->failed || arena_err(l->a, err);
}

static bool add_history(struct loading *l, const char *dir, const char *name, struct err *err)
{
    struct err odd = {0};
    struct history h;
    char path[PATH_CAP];
    struct str text;
    size_t before = l->out->history_files;
    pg_tli tli;

    if (!wal_name_tli(str_of(name), &tli) || !path_join(path, dir, name, err)) {
        return true;
    }
    if (!wal_read_whole(l->out->repo, l->a, path, HISTORY_MAX, &text, &odd) ||
        !history_parse(l->a, tli, text, &h, &odd)) {
        if (odd.code == ERR_MEMORY) {
            *err = odd;
            return false;
        }
        return add_odd(l, path, odd.why, err);
    }
    if (!add_name(l, name, err)) {
        return false;
    }
    if (l->out->history_files == before) {
        return true; /* known from another place */
    }
    if (l->histories == l->history_cap) {
        struct history *p =
            kept_grown(l->a, l->history, l->histories, &l->history_cap, sizeof *p);
        if (!p) {
            return arena_err(l->a, err);
        }
        l->history = p;
    }
    l->history[l->histories++] = h;
    return true;
}

static bool load_dir(struct loading *l, const char *dir, struct err *err)
{
    struct names names;

    if (!dir_names(l->a, dir, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    for (size_t i = 0; i < names.n; i++) {
        enum wal_name_kind kind = wal_name_kind(str_of(names.name[i]), WAL_CASE_UPPER);

        if (kind == WAL_NAME_SEGMENT && !add_seg(l, names.name[i], err)) {
            return false;
        }
        if (kind == WAL_NAME_HISTORY && !add_history(l, dir, names.name[i], err)) {
            return false;
        }
    }
    return true;
}

static int by_place(const void *a, const void *b)
{
    return wal_seg_cmp(*(const struct wal_seg *)a, *(const struct wal_seg *)b);
}

static bool load_archive(struct loading *l, struct err *err)
{
    const struct repo *repo = l->out->repo;
    struct names names;
    char dir[PATH_CAP];

    if (!dir_names(l->a, repo->wals_dir, DIR_MAY_MISS, &names, err)) {
        return false;
    }
    for (size_t i = 0; i < names.n; i++) {
        uint64_t hex;

        if (strlen(names.name[i]) == WAL_DIR_LEN &&
            str_hex_u64(str_of(names.name[i]), WAL_DIR_LEN, &hex) &&
            (!path_join(dir, repo->wals_dir, names.name[i], err) || !load_dir(l, dir, err))) {
            return false;
        }
    }
    return load_dir(l, repo->wals_dir, err);
}

bool kept_wal_load(struct arena *a, const struct repo *repo, uint32_t seg_size,
                   struct kept_wal *out, struct err *err)
{
    struct loading l = {.a = a, .out = out};
    size_t n = 0;

    *out = (struct kept_wal){.repo = repo, .lines.seg_size = seg_size};
    if (!load_archive(&l, err) || !load_dir(&l, repo->streaming_dir, err) ||
        !load_dir(&l, repo->incoming_dir, err)) {
        return false;
    }
    if (l.segs) {
        qsort(l.seg, l.segs, sizeof *l.seg, by_place);
    }
    for (size_t i = 0; i < l.segs; i++) {
        if (n == 0 || wal_seg_cmp(l.seg[n - 1], l.seg[i]) != 0) {
            l.seg[n++] = l.seg[i];
        }
    }
    out->lines.history = l.history;
    out->lines.n = l.histories;
    out->lines.seg = l.seg;
    out->lines.segs = n;
    return true;
}

pg_lsn kept_wal_next(const struct timelines *t, const struct history *route, uint64_t no)
{
    uint64_t best = UINT64_MAX;

    for (size_t i = 0; i < t->segs; i++) {
        if (t->seg[i].no >= no && t->seg[i].no < best &&
            history_tli_of_seg(route, t->seg[i].no, t->seg_size) == t->seg[i].tli) {
            best = t->seg[i].no;
        }
    }
    return best == UINT64_MAX ? 0 : best * t->seg_size;
}
