/* SPDX-License-Identifier: PostgreSQL */
#include "plan/wal_runs.h"

#include "base/bug.h"

#include <string.h>

#define STEP_MIN  (INT64_C(60) * 1000000)
#define YEAR_2000 INT64_C(946684800000000)

void wal_runs_init(struct wal_runs *w, uint32_t seg_size)
{
    BUG_IF(!wal_seg_size_ok(seg_size));
    *w = (struct wal_runs){.seg_size = seg_size, .step_us = STEP_MIN};
    arena_init(&w->arena, 0);
}

void wal_runs_release(struct wal_runs *w)
{
    arena_release(&w->arena);
    *w = (struct wal_runs){0};
}

static bool runs_grow(struct wal_runs *w, size_t n, struct err *err)
{
    size_t cap = w->cap ? w->cap : 4;
    struct wal_run *p;

    if (n <= w->cap) {
        return true;
    }
    while (cap < n) {
        cap *= 2;
    }
    p = ARENA_ARRAY(&w->arena, cap, struct wal_run);
    if (!p) {
        return arena_err(&w->arena, err);
    }
    if (w->n) {
        memcpy(p, w->run, w->n * sizeof *p);
    }
    w->run = p;
    w->cap = cap;
    return true;
}

bool wal_runs_copy(struct wal_runs *to, const struct wal_runs *from, struct err *err)
{
    *to = *from;
    arena_init(&to->arena, 0);
    to->run = NULL;
    to->cap = to->n = 0;
    if (!runs_grow(to, from->n + 1, err)) {
        return false;
    }
    if (from->n) {
        memcpy(to->run, from->run, from->n * sizeof *to->run);
    }
    to->n = from->n;
    return true;
}

/* ---- the runs ----------------------------------------------------------------------- */

static bool ends_before(const struct wal_run *run, struct wal_seg seg)
{
    return run->tli < seg.tli || (run->tli == seg.tli && run->last_no < seg.no);
}

size_t wal_runs_from(const struct wal_runs *w, struct wal_seg seg)
{
    size_t low = 0, high = w->n;

    if (w->n && ends_before(&w->run[w->n - 1], seg)) {
        return w->n;
    }
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (ends_before(&w->run[mid], seg)) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

const struct wal_run *wal_runs_find(const struct wal_runs *w, struct wal_seg seg)
{
    size_t at = wal_runs_from(w, seg);

    return at < w->n && w->run[at].tli == seg.tli && w->run[at].first_no <= seg.no ? &w->run[at]
                                                                                   : NULL;
}

int64_t wal_run_time(const struct wal_run *run, uint64_t no)
{
    uint64_t of = run->last_no - run->first_no;

    if (no <= run->first_no || of == 0) {
        return run->from_us;
    }
    if (no >= run->last_no) {
        return run->to_us;
    }
    return run->from_us + (int64_t)((double)(run->to_us - run->from_us) *
                                    (double)(no - run->first_no) / (double)of);
}

/* run[at] is the first that ends at or behind the segment, which is in none. */
static bool put(struct wal_runs *w, size_t at, const struct coverage_file *f, struct err *err)
{
    struct wal_run *before = at > 0 ? &w->run[at - 1] : NULL;
    struct wal_run *after = at < w->n ? &w->run[at] : NULL;
    bool joins_before = before && before->tli == f->seg.tli && before->last_no + 1 == f->seg.no;
    bool joins_after = after && after->tli == f->seg.tli && f->seg.no + 1 == after->first_no;

    if (joins_before) {
        before->last_no = f->seg.no;
        before->to_us = f->us;
        before->bytes += f->bytes;
        if (joins_after) {
            before->last_no = after->last_no;
            before->to_us = after->to_us;
            before->bytes += after->bytes;
            w->n--;
            memmove(after, after + 1, (w->n - at) * sizeof *after);
        }
        return true;
    }
    if (joins_after) {
        after->first_no = f->seg.no;
        after->from_us = f->us;
        after->bytes += f->bytes;
        return true;
    }
    if (!runs_grow(w, w->n + 1, err)) {
        return false;
    }
    memmove(&w->run[at + 1], &w->run[at], (w->n - at) * sizeof *w->run);
    w->run[at] = (struct wal_run){f->seg.tli, f->seg.no, f->seg.no, f->us, f->us, f->bytes};
    w->n++;
    return true;
}

/* ---- the histograms ----------------------------------------------------------------- */

static void count_day(struct wal_runs *w, int64_t us)
{
    int64_t step = us / WAL_RATE_DAY_STEP;

    if (step > w->day_last) {
        int64_t from = w->day_last + 1;
        if (from <= step - WAL_RATE_DAY) {
            from = step - WAL_RATE_DAY + 1;
        }
        for (; from <= step; from++) {
            w->day[from % WAL_RATE_DAY] = 0;
        }
        w->day_last = step;
    }
    if (step > w->day_last - WAL_RATE_DAY) {
        w->day[step % WAL_RATE_DAY]++;
    }
}

/* Two steps become one. Returns how many bins are used now. */
static size_t fold(uint32_t *bin, size_t used, int64_t *base, int64_t *step_us)
{
    int64_t half = *base / 2;
    size_t n = 0;

    for (size_t i = 0; i < used; i++) {
        size_t to = (size_t)((*base + (int64_t)i) / 2 - half);
        uint32_t count = bin[i];
        bin[i] = 0;
        bin[to] += count;
        n = to + 1;
    }
    *base = half;
    *step_us *= 2;
    return n;
}

static void count_whole(struct wal_runs *w, int64_t us)
{
    if (w->used == 0) {
        w->base = us / w->step_us;
    }
    for (;;) {
        int64_t step = us / w->step_us;
        int64_t low = step < w->base ? step : w->base;
        int64_t high =
            w->base + (int64_t)w->used > step + 1 ? w->base + (int64_t)w->used : step + 1;
        if (high - low <= WAL_RATE_WHOLE) {
            size_t by = (size_t)(w->base - low);
            memmove(w->bin + by, w->bin, w->used * sizeof *w->bin);
            memset(w->bin, 0, by * sizeof *w->bin);
            w->base = low;
            w->used = (size_t)(high - low);
            w->bin[step - low]++;
            return;
        }
        w->used = fold(w->bin, w->used, &w->base, &w->step_us);
    }
}

bool wal_runs_add(struct wal_runs *w, const struct coverage_file *file, int64_t now_us,
                  struct err *err)
{
    size_t at = wal_runs_from(w, file->seg);
    struct coverage_file f = *file;

    if (at < w->n && w->run[at].tli == f.seg.tli && w->run[at].first_no <= f.seg.no) {
        return true; /* a second line of the same segment */
    }
    if (f.us > now_us) {
        f.us = now_us;
    }
    if (!put(w, at, &f, err)) {
        return false;
    }
    w->files++;
    w->bytes += f.bytes;
    if (f.us >= YEAR_2000) {
        count_day(w, f.us);
        count_whole(w, f.us);
    }
    return true;
}

void wal_runs_rates(const struct wal_runs *w, int64_t now_us, uint64_t *day_bytes,
                    struct wal_rate *day, uint64_t *whole_bytes, struct wal_rate *whole)
{
    int64_t now_step = now_us / WAL_RATE_DAY_STEP, first = now_step - WAL_RATE_DAY + 1;
    uint32_t bin[WAL_RATE_WHOLE];
    int64_t base = w->base, step_us = w->step_us;
    size_t used = w->used, n;

    for (int64_t step = first; step <= now_step; step++) {
        bool known = step >= 0 && step <= w->day_last && step > w->day_last - WAL_RATE_DAY;
        day_bytes[step - first] =
            known ? (uint64_t)w->day[step % WAL_RATE_DAY] * w->seg_size : 0;
    }
    *day = (struct wal_rate){first * WAL_RATE_DAY_STEP, WAL_RATE_DAY_STEP, day_bytes,
                             WAL_RATE_DAY};
    *whole = (struct wal_rate){.bytes = whole_bytes};
    if (used == 0) {
        return;
    }
    memcpy(bin, w->bin, sizeof bin);
    while (now_us / step_us - base >= WAL_RATE_WHOLE) {
        used = fold(bin, used, &base, &step_us);
    }
    n = now_us / step_us < base ? used : (size_t)(now_us / step_us - base) + 1;
    n = n < used ? used : n;
    for (size_t i = 0; i < n; i++) {
        whole_bytes[i] = i < used ? (uint64_t)bin[i] * w->seg_size : 0;
    }
    *whole = (struct wal_rate){base * step_us, step_us, whole_bytes, n};
}
