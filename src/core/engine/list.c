/* SPDX-License-Identifier: PostgreSQL */
#include "list.h"

#include "wal/history.h"
#include "wal/seg.h"

#include <stdlib.h>
#include <string.h>

#define TLI_DIGITS 8

/* A backup's stretch of segment names, [begin, limit]; stretches overlap a little, since limit
 * is the end of the next backup. Sorted by begin; reach is the greatest limit up to here, so a
 * look backwards can stop. */
struct list_stretch {
    const char *begin, *end, *limit; /* limit NULL: no end */
    const char *reach;               /* NULL: no end */
    pg_tli tli;
    struct backup_wal *wal;
};

static int by_begin(const void *x, const void *y)
{
    const struct list_stretch *a = x, *b = y;

    return strcmp(a->begin, b->begin);
}

/* NULL is greater than every name. */
static const char *later(const char *a, const char *b)
{
    if (!a || !b) {
        return NULL;
    }
    return strcmp(a, b) >= 0 ? a : b;
}

static size_t stretches(const struct catalogue *c, struct backup_wal *wal,
                        struct list_stretch *out)
{
    const char *limit = NULL;
    size_t n = 0;

    for (size_t i = c->n; i-- > 0;) { /* from the newest, to know the next one's end */
        const struct backup *b = &c->backup[i];

        if (!backup_copy_done(b) || !b->begin_wal || !b->end_wal) {
            continue;
        }
        out[n] = (struct list_stretch){b->begin_wal, b->end_wal, limit, NULL, 0, &wal[i]};
        n += wal_name_tli(str_of(b->begin_wal), &out[n].tli);
        limit = b->end_wal;
    }
    qsort(out, n, sizeof *out, by_begin);
    for (size_t i = 0; i < n; i++) {
        out[i].reach = i ? later(out[i - 1].reach, out[i].limit) : out[i].limit;
    }
    return n;
}

static void count(const struct list_stretch *s, const struct wal_file *f)
{
    struct backup_wal *w = s->wal;

    if (strcmp(f->name, s->begin) == 0) {
        memcpy(w->first, f->name, sizeof w->first);
        w->first_time = f->mtime;
    }
    if (strcmp(f->name, s->end) <= 0) {
        w->num++;
        w->size += f->size;
    } else {
        w->next_num++;
        w->next_size += f->size;
    }
    if (strcmp(f->name, w->last) >= 0) {
        memcpy(w->last, f->name, sizeof w->last);
        w->last_time = f->mtime;
    }
}

/* How many stretches begin at or before that name. Names mostly come in order, so the answer of
 * the last time is tried first. */
static size_t begun(const struct list_stretch *s, size_t n, const char *name, size_t hint)
{
    size_t low = 0, high = n;

    if ((hint == 0 || strcmp(s[hint - 1].begin, name) <= 0) &&
        (hint == n || strcmp(s[hint].begin, name) > 0)) {
        return hint;
    }
    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(s[mid].begin, name) <= 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

bool list_counter_init(struct list_counter *lc, struct arena *a, const struct backup *backup,
                       size_t n, struct backup_wal *wal, struct err *err)
{
    const struct catalogue all = {.backup = backup, .n = n};

    *lc = (struct list_counter){.s = ARENA_ARRAY(a, n + 1, struct list_stretch)};
    if (!lc->s) {
        return arena_err(a, err);
    }
    lc->n = stretches(&all, wal, lc->s);
    for (size_t i = 0; i < lc->n; i++) {
        struct list_stretch *s = &lc->s[i];
        s->begin = arena_strdup(a, s->begin);
        s->end = arena_strdup(a, s->end);
        s->limit = s->limit ? arena_strdup(a, s->limit) : NULL;
        s->reach = s->reach ? arena_strdup(a, s->reach) : NULL;
    }
    return !a->failed || arena_err(a, err);
}

void list_counter_add(struct list_counter *lc, const struct wal_file *f)
{
    const struct list_stretch *s = lc->s;

    if (f->name[8] == '.' || f->name[WAL_NAME_LEN]) {
        return; /* history, label, partial */
    }
    if (memcmp(f->name, lc->last, 8) != 0) {
        if (!wal_name_tli(str_of(f->name), &lc->tli)) {
            return;
        }
        memcpy(lc->last, f->name, sizeof lc->last);
    }
    lc->at = begun(s, lc->n, f->name, lc->at);
    for (size_t i = lc->at; i-- > 0;) {
        if (s[i].reach && strcmp(f->name, s[i].reach) > 0) {
            break;
        }
        if (lc->tli <= s[i].tli && (!s[i].limit || strcmp(f->name, s[i].limit) <= 0)) {
            count(&s[i], f);
        }
    }
}

static bool count_wals(const struct repo *r, struct list_counter *lc, struct err *err)
{
    struct wal_file f;
    struct xlogdb db;
    int more;

    if (!xlogdb_open(&db, r, err)) {
        return false;
    }
    while ((more = xlogdb_next(&db, &f, err)) > 0) {
        list_counter_add(lc, &f);
    }
    xlogdb_close(&db);
    return more == 0;
}

bool list_load(const struct repo *r, struct arena *a, struct backup_list *out, struct err *err)
{
    struct backup_list list = {.wal = NULL};
    struct backup_wal *wal;
    struct list_counter lc;

    if (!catalogue_look(r, a, &list.catalogue, err)) {
        return false;
    }
    wal = ARENA_ARRAY(a, list.catalogue.n + 1, struct backup_wal);
    if (!wal) {
        return arena_err(a, err);
    }
    list.wal = wal;
    if (!list_counter_init(&lc, a, list.catalogue.backup, list.catalogue.n, wal, err) ||
        (lc.n > 0 && !count_wals(r, &lc, err))) {
        return false;
    }
    *out = list;
    return true;
}

bool list_retention(const struct repo *r, const struct server_cfg *srv, struct arena *a,
                    struct backup_list *list, struct err *err)
{
    if (!srv->retention_policy) { /* the marks are of no interest then */
        return true;
    }
    return retention_of(r, srv, &list->catalogue, a, &list->retention, err);
}

const char *list_verdict(const struct backup_list *list, const struct backup *b)
{
    if (!list->retention.enforced) {
        return NULL;
    }
    return retention_verdict_name(list->retention.fate[b - list->catalogue.backup].verdict);
}

static double ratio(uint64_t size, uint64_t num, uint32_t seg_size)
{
    return num ? 1 - (double)size / ((double)num * (double)seg_size) : 0;
}

/* Does timeline tli, by its history file, leave b's timeline after the end of b? found false:
 * there is no such file. */
static bool leaves_after(const struct repo *r, struct arena *a, pg_tli tli,
                         const struct backup *b, bool *leaves, bool *found, struct err *err)
{
    char name[WAL_HISTORY_NAME_CAP], path[PATH_CAP];
    struct err why = {0};
    struct history h;
    struct str text;
    pg_lsn at;

    *leaves = *found = false;
    wal_history_name(tli, name);
    if (!repo_wal_path(r, name, path, err)) {
        return false;
    }
    if (!wal_read_whole(r, a, path, HISTORY_MAX, &text, &why)) {
        if (why.code == ERR_MISSING) {
            return true;
        }
        *err = why;
        return false;
    }
    *found = true;
    if (history_parse(a, tli, text, &h, err)) {
        *leaves = history_switch_of(&h, b->timeline, &at) && at >= b->end_xlog;
        return true;
    }
    return false;
}

/* Files of the timelines above the backup's, up to the first that is not there. */
static bool child_timelines(const struct repo *r, struct arena *a, const struct backup *b,
                            struct backup_show *out, struct err *err)
{
    size_t cap = 16;
    pg_tli *list = ARENA_ARRAY(a, cap, pg_tli);
    bool found = b->timeline > 0, leaves;

    for (pg_tli tli = b->timeline + 1; list && found && tli > b->timeline; tli++) {
        if (!leaves_after(r, a, tli, b, &leaves, &found, err)) {
            return false;
        }
        if (leaves && out->timelines == cap) {
            pg_tli *grown = ARENA_ARRAY(a, cap * 2, pg_tli);
            if (grown) {
                memcpy(grown, list, cap * sizeof *list);
            }
            list = grown;
            cap *= 2;
        }
        if (leaves && list) {
            list[out->timelines++] = tli;
        }
    }
    out->timeline = list;
    return list ? true : arena_err(a, err);
}

static double stat_of(const struct backup *b, const char *key)
{
    double v;

    return backup_copy_stat(b, key, &v) && v > 0 ? v : 0;
}

static void sizes(const struct backup *b, const struct backup_wal *w, struct backup_show *out)
{
    uint64_t whole = out->type == BACKUP_RSYNC ? b->size : b->cluster_size;

    out->size_with_wals = (b->deduplicated_size ? b->deduplicated_size : b->size) + w->size;
    if (whole && b->deduplicated_size) {
        uint64_t of = b->cluster_size ? b->cluster_size : b->size;

        out->saved_ratio = 1 - (double)b->deduplicated_size / (double)whole;
        out->saved_bytes = (double)of * out->saved_ratio;
    }
    if (!w->first[0]) {
        return;
    }
    out->wal_ratio = ratio(w->size, w->num, b->xlog_segment_size);
    out->next_ratio = ratio(w->next_size, w->next_num, b->xlog_segment_size);
    if (w->last_time > w->first_time) {
        out->wals_per_s = (double)(w->num + w->next_num) / (w->last_time - w->first_time);
    }
}

bool list_needs(const struct backup *b, const char *segment)
{
    return b->begin_wal && b->end_wal && strcmp(segment, b->begin_wal) >= 0 &&
           strcmp(segment, b->end_wal) <= 0;
}

/* From the backup on, as its WAL is counted: on its timeline, up to the end of the next. */
static bool is_of(const struct backup_show *show, const char *segment)
{
    const struct backup *b = show->backup, *next = show->next;

    return b->begin_wal && strncmp(segment, b->begin_wal, TLI_DIGITS) == 0 &&
           strcmp(segment, b->begin_wal) >= 0 &&
           (!next || !next->end_wal || strcmp(segment, next->end_wal) <= 0);
}

static bool damaged(const struct repo *r, struct arena *a, struct backup_show *out,
                    struct err *err)
{
    struct wal_marks marks;

    if (!wal_marks_load(r, a, &marks, err)) {
        return false;
    }
    for (size_t i = 0; i < marks.n; i++) {
        if (is_of(out, marks.mark[i].name)) {
            marks.mark[out->damages++] = marks.mark[i];
        }
    }
    out->damaged = marks.mark;
    return true;
}

bool list_show(const struct repo *r, struct arena *a, const struct backup_list *list,
               const struct backup *b, struct backup_show *out, struct err *err)
{
    const struct backup_wal *w = &list->wal[b - list->catalogue.backup];

    *out = (struct backup_show){
        .backup = b,
        .wal = w,
        .type = backup_type_of(b),
        .retention = list_verdict(list, b),
        .copy_time = stat_of(b, "copy_time"),
        .analysis_time = stat_of(b, "analysis_time"),
        .workers = (uint64_t)stat_of(b, "number_of_workers"),
        .previous = catalogue_previous(&list->catalogue, b->id),
        .next = catalogue_next(&list->catalogue, b->id),
    };
    sizes(b, w, out);
    if (out->copy_time > 0) {
        uint64_t bytes = b->deduplicated_size ? b->deduplicated_size : b->size;
        out->throughput = (double)bytes / out->copy_time;
    }
    return keep_read(r, b->id, &out->keep, err) && damaged(r, a, out, err) &&
           child_timelines(r, a, b, out, err);
}
