/* SPDX-License-Identifier: PostgreSQL */
/* A record in memory and in a run: u32 key length, u32 value length, key, value. The order of
 * arrival is kept among equal keys: in memory by sorting (key, position), between runs by the
 * number of the run, for runs are written in the order of arrival and merged oldest first. */
#include "sort.h"

#include "bug.h"
#include "file.h"
#include "get.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define RUNS_MAX   64
#define RUN_BUFFER ((size_t)64 * 1024)
#define HEAD       8

struct run {
    uint64_t at, end; /* not yet read part of the file */
    char *buf;        /* RUN_BUFFER */
    size_t from, to;  /* not yet taken part of buf */
};

struct sort {
    char *mem;
    size_t cap, used;
    uint32_t *slot; /* positions of records in mem */
    size_t n, slots, next;
    int fd; /* the runs; -1 none yet */
    char dir[PATH_CAP];
    uint64_t size;
    struct run run[RUNS_MAX];
    unsigned runs;
    int last; /* run whose record was handed out and is to be passed; -1: none */
    bool reading;
};

struct sort *sort_new(const char *dir, size_t memory, struct err *err)
{
    struct sort *s = calloc(1, sizeof *s);

    BUG_IF(memory < (size_t)4 * SORT_RECORD_MAX || memory > UINT32_MAX);
    if (s) {
        /* A record of a manifest has some 60 bytes: an eighth for the positions is enough. */
        s->fd = -1;
        s->last = -1;
        s->slots = memory / 8 / sizeof *s->slot;
        s->cap = memory - s->slots * sizeof *s->slot;
        s->mem = malloc(s->cap);
        s->slot = malloc(s->slots * sizeof *s->slot);
    }
    if (!s || !s->mem || !s->slot) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        sort_free(s);
        return NULL;
    }
    if (!str_copy(s->dir, sizeof s->dir, dir)) {
        err_set(err, ERR_FORMAT, "", dir, "too long");
        sort_free(s);
        return NULL;
    }
    return s;
}

void sort_free(struct sort *s)
{
    if (!s) {
        return;
    }
    if (s->fd >= 0) {
        close(s->fd);
    }
    for (unsigned i = 0; i < RUNS_MAX; i++) {
        free(s->run[i].buf);
    }
    free(s->mem);
    free(s->slot);
    free(s);
}

static struct str record_key(const char *record)
{
    return str_n(record + HEAD, get_le32(record));
}

static size_t record_size(const char *record)
{
    return HEAD + (size_t)get_le32(record) + get_le32(record + 4);
}

static int compare(struct str a, struct str b)
{
    int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

    return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Heap sort by hand, for qsort() has no place for the memory the positions point into. */
static bool before(const struct sort *s, uint32_t a, uint32_t b)
{
    int c = compare(record_key(s->mem + a), record_key(s->mem + b));

    return c < 0 || (c == 0 && a < b);
}

static void sink(struct sort *s, size_t i, size_t n)
{
    uint32_t v = s->slot[i];

    for (size_t kid; (kid = 2 * i + 1) < n; i = kid) {
        if (kid + 1 < n && before(s, s->slot[kid], s->slot[kid + 1])) {
            kid++;
        }
        if (!before(s, v, s->slot[kid])) {
            break;
        }
        s->slot[i] = s->slot[kid];
    }
    s->slot[i] = v;
}

static void sort_memory(struct sort *s)
{
    for (size_t i = s->n / 2; i-- > 0;) {
        sink(s, i, s->n);
    }
    for (size_t n = s->n; n-- > 1;) {
        uint32_t top = s->slot[0];
        s->slot[0] = s->slot[n];
        s->slot[n] = top;
        sink(s, 0, n);
    }
}

static bool temp_open(struct sort *s, struct err *err)
{
    char path[PATH_CAP];

    if (s->fd >= 0) {
        return true;
    }
    if (!path_join(path, s->dir, "sort.XXXXXX", err)) {
        return false;
    }
    s->fd = mkstemp(path);
    if (s->fd < 0) {
        return err_os(err, errno, "make a temporary file in", s->dir);
    }
    unlink(path);
    return true;
}

struct out {
    struct sort *s;
    char buf[RUN_BUFFER];
    size_t n;
    uint64_t at;
};

static bool out_flush(struct out *o, struct err *err)
{
    bool ok = fd_pwrite_all(o->s->fd, o->buf, o->n, (off_t)o->at, o->s->dir, err);

    o->at += o->n;
    o->n = 0;
    return ok;
}

static bool out_record(struct out *o, const char *record, struct err *err)
{
    size_t n = record_size(record);

    if (n > sizeof o->buf - o->n && !out_flush(o, err)) {
        return false;
    }
    memcpy(o->buf + o->n, record, n);
    o->n += n;
    return true;
}

static struct out *out_new(struct sort *s, struct err *err)
{
    struct out *o = malloc(sizeof *o);

    if (!o) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    o->s = s;
    o->n = 0;
    o->at = s->size;
    return o;
}

static void out_free(struct out *o)
{
    free(o);
}

static char *buffer_new(void)
{
    return malloc(RUN_BUFFER);
}

/* What was written since size becomes run number i. */
static bool add_run(struct sort *s, unsigned i, struct out *o, struct err *err)
{
    struct run *r = &s->run[i];

    if (!out_flush(o, err)) {
        return false;
    }
    if (!r->buf) {
        r->buf = buffer_new();
    }
    if (!r->buf) {
        return err_set(err, ERR_MEMORY, "", "", "out of memory");
    }
    r->at = s->size;
    r->end = o->at;
    r->from = 0;
    r->to = 0;
    s->size = o->at;
    s->runs = i + 1;
    return true;
}

/* Let a whole record stand at buf[from]; 0 at the end of the run. */
static int run_fill(struct sort *s, struct run *r, struct err *err)
{
    size_t have = r->to - r->from, want = RUN_BUFFER - have;

    if (have >= HEAD && have >= record_size(r->buf + r->from)) {
        return 1;
    }
    memmove(r->buf, r->buf + r->from, have);
    r->from = 0;
    r->to = have;
    while (r->at < r->end && want) {
        size_t n = want < r->end - r->at ? want : (size_t)(r->end - r->at);
        ssize_t got = pread(s->fd, r->buf + r->to, n, (off_t)r->at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            err_os(err, got ? errno : EIO, "read a temporary file in", s->dir);
            return -1;
        }
        r->at += (uint64_t)got;
        r->to += (size_t)got;
        want -= (size_t)got;
    }
    return r->to > 0;
}

/* The run with the least record, by its number; -1: none is left; -2: failed. */
static int least(struct sort *s, struct err *err)
{
    int best = -1;

    for (unsigned i = 0; i < s->runs; i++) {
        struct run *r = &s->run[i];
        int there = run_fill(s, r, err);
        if (there < 0) {
            return -2;
        }
        if (there &&
            (best < 0 || compare(record_key(r->buf + r->from),
                                 record_key(s->run[best].buf + s->run[best].from)) < 0)) {
            best = (int)i;
        }
    }
    return best;
}

/* All runs become one. */
static bool merge_runs(struct sort *s, struct err *err)
{
    struct out *o = out_new(s, err);
    bool ok = o != NULL;
    int i = -1;

    while (ok && (i = least(s, err)) >= 0) {
        struct run *r = &s->run[i];
        ok = out_record(o, r->buf + r->from, err);
        r->from += record_size(r->buf + r->from);
    }
    ok = ok && i == -1 && add_run(s, 0, o, err);
    out_free(o);
    return ok;
}

static bool spill(struct sort *s, struct err *err)
{
    struct out *o;
    bool ok = true;

    if (!temp_open(s, err) || (s->runs == RUNS_MAX && !merge_runs(s, err))) {
        return false;
    }
    o = out_new(s, err);
    if (!o) {
        return false;
    }
    sort_memory(s);
    for (size_t i = 0; i < s->n && ok; i++) {
        ok = out_record(o, s->mem + s->slot[i], err);
    }
    ok = ok && add_run(s, s->runs, o, err);
    out_free(o);
    s->n = 0;
    s->used = 0;
    return ok;
}

bool sort_add(struct sort *s, struct str key, struct str value, struct err *err)
{
    size_t size = HEAD + key.n + value.n;
    char *p;

    BUG_IF(s->reading);
    if (key.n > SORT_RECORD_MAX || value.n > SORT_RECORD_MAX - key.n) {
        return err_set(err, ERR_FORMAT, "", "", "a record of %zu bytes", key.n + value.n);
    }
    if ((size > s->cap - s->used || s->n == s->slots) && !spill(s, err)) {
        return false;
    }
    p = s->mem + s->used;
    put_le32(p, (uint32_t)key.n);
    put_le32(p + 4, (uint32_t)value.n);
    memcpy(p + HEAD, key.p, key.n);
    memcpy(p + HEAD + key.n, value.p, value.n);
    s->slot[s->n++] = (uint32_t)s->used;
    s->used += size;
    return true;
}

static int hand_out(const char *record, struct str *key, struct str *value)
{
    *key = record_key(record);
    *value = str_n(record + HEAD + key->n, get_le32(record + 4));
    return 1;
}

int sort_next(struct sort *s, struct str *key, struct str *value, struct err *err)
{
    int i;

    if (!s->reading) {
        s->reading = true;
        if (s->runs && !spill(s, err)) {
            return -1;
        }
        sort_memory(s);
    }
    if (!s->runs) {
        return s->next < s->n ? hand_out(s->mem + s->slot[s->next++], key, value) : 0;
    }
    if (s->last >= 0) {
        struct run *r = &s->run[s->last];
        r->from += record_size(r->buf + r->from);
        s->last = -1;
    }
    i = least(s, err);
    if (i < 0) {
        return i == -1 ? 0 : -1;
    }
    s->last = i;
    return hand_out(s->run[i].buf + s->run[i].from, key, value);
}
