/* SPDX-License-Identifier: PostgreSQL */
/* Facts are written in a small language of segments and minutes: segment n of any timeline came
 * at minute n after T0, a backup that ends in segment n ended at minute n and a half.
 *
 *     wal       "1:2-9,11 2:10-12"   timeline, segments
 *     partial   "2:13"
 *     backups   "a 1 2-3 D"          id, timeline, first and last segment, D W F S E (status)
 *     histories "2=1@9.5"            timeline 2 left 1 in the middle of segment 9
 *     bounds    "1:9 c2.5 c8"        a segment walked: first and last commit at eighths of it;
 *                                    '-' none, '!' damaged behind the last one
 *
 * What comes out, one item each, in order:
 *     "*2 3~12+ ax2"       main line, follow timeline 2, from segment 3 to 12, open, opened by
 *                          a, two backups; '~' the end is estimated, '=' proven
 *     "M 1:6-7 5>8 !"      hole: Missing Corrupt Nobackup, segments, minutes, it hurts
 */
#include "plan/coverage.h"

#include "base/clock.h"
#include "harness.h"

#include <inttypes.h>
#include <stdlib.h>

#define T0     (INT64_C(1790000000) * 1000000)
#define MINUTE (INT64_C(60) * 1000000)
#define MAX    64

struct scene {
    struct arena arena;
    struct wal_runs wal;
    struct coverage_facts f;
    struct backup_row backup[MAX];
    struct coverage_file partial[MAX], waiting[MAX];
    struct coverage_bound bound[MAX];
    struct history history[MAX];
};

static uint64_t number(const char **p)
{
    char *end;
    uint64_t n = strtoul(*p, &end, 10);

    assert_ptr_not_equal(end, *p);
    *p = end;
    return n;
}

static bool next(const char **p)
{
    while (**p == ' ' || **p == ';') {
        (*p)++;
    }
    return **p != '\0';
}

static struct coverage_file file_of(pg_tli tli, uint64_t no)
{
    return (struct coverage_file){{tli, no}, T0 + (int64_t)no * MINUTE, 1000};
}

static void read_wal(struct scene *s, const char *p)
{
    struct err err;

    while (next(&p)) {
        pg_tli tli = (pg_tli)number(&p);
        do {
            p++; /* ':' or ',' */
            uint64_t first = number(&p), last = first;
            if (*p == '-') {
                p++;
                last = number(&p);
            }
            for (uint64_t no = first; no <= last; no++) {
                struct coverage_file f = file_of(tli, no);
                assert_true(wal_runs_add(&s->wal, &f, INT64_MAX, &err));
            }
        } while (*p == ',');
    }
}

static size_t read_files(const char *p, struct coverage_file *out)
{
    size_t n = 0;

    while (next(&p)) {
        pg_tli tli = (pg_tli)number(&p);
        p++;
        out[n++] = file_of(tli, number(&p));
    }
    return n;
}

static void read_backups(struct scene *s, const char *p)
{
    uint64_t size = s->wal.seg_size;

    while (next(&p)) {
        struct backup_row *b = &s->backup[s->f.backups++];
        uint64_t end;

        b->id[0] = *p++;
        next(&p);
        b->tli = (pg_tli)number(&p);
        next(&p);
        b->begin_lsn = number(&p) * size + size / 4;
        p++;
        end = number(&p);
        b->end_lsn = end * size + size / 2;
        b->end = (struct moment){T0 + (int64_t)end * MINUTE + MINUTE / 2, 0, true};
        next(&p);
        b->status = *p == 'D'   ? BACKUP_DONE
                    : *p == 'W' ? BACKUP_WAITING_FOR_WALS
                    : *p == 'S' ? BACKUP_STARTED
                    : *p == 'E' ? BACKUP_EMPTY
                                : BACKUP_FAILED;
        p++;
    }
}

/* "3=1@4.5,2@9.0": timeline 3 by way of 1 (left at 4.5) and 2 (left at 9). */
static void read_histories(struct scene *s, const char *p)
{
    while (next(&p)) {
        struct history *h = &s->history[s->f.histories++];
        struct history_entry *e = ARENA_ARRAY(&s->arena, 8, struct history_entry);
        pg_lsn begin = 0;

        h->tli = (pg_tli)number(&p);
        h->entry = e;
        do {
            p++; /* '=' or ',' */
            e[h->n].tli = (pg_tli)number(&p);
            e[h->n].begin = begin;
            p++;
            begin = number(&p) * s->wal.seg_size;
            p++;
            begin += number(&p) * s->wal.seg_size / 10;
            e[h->n++].end = begin;
        } while (*p == ',');
        e[h->n++] = (struct history_entry){h->tli, begin, HISTORY_NO_END, ""};
    }
}

static struct mark mark_in(const struct scene *s, uint64_t no, uint64_t eighth)
{
    return (struct mark){T0 + (int64_t)no * MINUTE + (int64_t)eighth * MINUTE / 8,
                         no * s->wal.seg_size + eighth * s->wal.seg_size / 8, 700, false};
}

static int by_bound(const void *x, const void *y)
{
    return coverage_bound_cmp(x, y);
}

static void read_bounds(struct scene *s, const char *p)
{
    while (next(&p)) {
        struct coverage_bound *b = &s->bound[s->f.bounds++];

        b->seg.tli = (pg_tli)number(&p);
        p++;
        b->seg.no = number(&p);
        b->is_sound = true;
        b->end = (b->seg.no + 1) * s->wal.seg_size;
        if (*p == '@') { /* first is the first behind this eighth */
            p++;
            b->from = b->seg.no * s->wal.seg_size + number(&p) * s->wal.seg_size / 8;
        }
        next(&p);
        if (*p == '-') {
            p++;
        } else {
            b->first = mark_in(s, b->seg.no, number(&p));
            p++;
            b->last = mark_in(s, b->seg.no, number(&p));
        }
        if (*p == '!') {
            p++;
            b->is_sound = false;
            b->end = b->last.us ? b->last.lsn + 8 : b->seg.no * s->wal.seg_size;
        }
    }
    qsort(s->bound, s->f.bounds, sizeof *s->bound, by_bound);
}

struct row {
    const char *label;
    const char *wal, *partial, *backups, *histories, *bounds;
    const char *stretches, *holes, *asks; /* asks NULL: not looked at */
};

static void set_up(struct scene *s, const struct row *row, uint32_t seg_size)
{
    memset(s, 0, sizeof *s);
    arena_init(&s->arena, 0);
    wal_runs_init(&s->wal, seg_size);
    read_wal(s, row->wal ? row->wal : "");
    s->f.partials = read_files(row->partial ? row->partial : "", s->partial);
    read_backups(s, row->backups ? row->backups : "");
    read_histories(s, row->histories ? row->histories : "");
    read_bounds(s, row->bounds ? row->bounds : "");
    s->f.wal = &s->wal;
    s->f.partial = s->partial;
    s->f.waiting = s->waiting;
    s->f.backup = s->backup;
    s->f.history = s->history;
    s->f.bound = s->bound;
    s->f.now_us = T0 + 1000 * MINUTE;
}

static void tear_down(struct scene *s)
{
    wal_runs_release(&s->wal);
    arena_release(&s->arena);
}

static void print(const struct coverage *c, const struct coverage_asks *asks, char *stretches,
                  char *holes, char *ask)
{
    struct sbuf b;

    sbuf_init(&b, stretches, 1024);
    for (size_t i = 0; i < c->stretches; i++) {
        const struct stretch *s = &c->stretch[i];
        sbuf_fmt(&b, "%s%s%u %" PRIu64 "%c%" PRIu64 "%s %sx%zu", i ? "; " : "",
                 s->is_main ? "*" : "", s->tli, s->from.lsn / c->seg_size,
                 s->to.is_proven ? '=' : '~', (s->to.lsn - 1) / c->seg_size,
                 s->is_open ? "+" : "", s->backup_id, s->backups);
    }
    sbuf_init(&b, holes, 1024);
    for (size_t i = 0; i < c->holes; i++) {
        const struct hole *h = &c->hole[i];
        sbuf_fmt(&b, "%s%c %u:%" PRIu64 "-%" PRIu64 " ", i ? "; " : "", "MCN"[h->why], h -> tli,
                 h -> from_lsn / c -> seg_size, (h->to_lsn - 1) / c -> seg_size);
        sbuf_fmt(&b, "%" PRId64 ">", (h->from_us - T0) / MINUTE);
        if (h->to_us) {
            sbuf_fmt(&b, "%" PRId64, (h->to_us - T0) / MINUTE);
        }
        sbuf_add(&b, h->hurts ? " !" : "");
    }
    sbuf_init(&b, ask, 1024);
    for (size_t i = 0; i < asks->n; i++) {
        sbuf_fmt(&b, "%s%u:%" PRIu64 "%s", i ? " " : "", asks->ask[i].seg.tli,
                 asks->ask[i].seg.no, asks->ask[i].from ? "@" : "");
    }
}

static const struct row rows[] = {
    /* ---- nothing, or nothing to restore ---- */
    {"empty archive", .stretches = "", .holes = "", .asks = ""},
    {"WAL and no backup", "1:2-9", .stretches = "", .holes = "N 1:2-9 2>"},
    {"a backup and no WAL", .backups = "a 1 2-3 D", .stretches = "", .holes = ""},
    {"a failed backup opens nothing", "1:2-9", NULL, "a 1 2-3 F", .stretches = "",
     .holes = "N 1:2-9 2>", .asks = ""},
    {"nor does one that runs", "1:2-9", NULL, "a 1 2-3 S", .stretches = "",
     .holes = "N 1:2-9 2>"},
    {"nor an empty one", "1:2-9", NULL, "a 1 2-3 E", .stretches = "", .holes = "N 1:2-9 2>"},
    {"a backup of a timeline that is nowhere else", "1:2-9", NULL, "a 7 2-3 D", .stretches = "",
     .holes = ""},
    /* ---- one timeline ---- */
    {"a backup and WAL behind it", "1:2-9", NULL, "a 1 2-3 D", .stretches = "*1 3~9 ax1",
     .holes = "", .asks = "1:9 1:3@"},
    {"waiting for WAL that has come", "1:2-9", NULL, "a 1 2-3 W", .stretches = "*1 3~9 ax1",
     .holes = ""},
    {"waiting for WAL that has not come", "1:2-9", NULL, "a 1 9-10 W", .stretches = "",
     .holes = "N 1:2-9 2>"},
    {"two backups are one stretch", "1:2-9", NULL, "b 1 5-6 D;a 1 2-3 D",
     .stretches = "*1 3~9 ax2", .holes = ""},
    {"the earlier failed", "1:2-9", NULL, "b 1 5-6 D;a 1 2-3 F", .stretches = "*1 6~9 bx1",
     .holes = "N 1:2-4 2>6"},
    {"being received at the end", "1:2-9", "1:10", "a 1 2-3 D", .stretches = "*1 3~9+ ax1",
     .holes = "", .asks = "1:10 1:3@"},
    {"received and walked", "1:2-9", "1:10", "a 1 2-3 D", NULL, "1:10 2-5;1:3@4 5-7",
     .stretches = "*1 3=10+ ax1", .holes = "", .asks = ""},
    {"no commit in what is received", "1:2-9", "1:10", "a 1 2-3 D", NULL,
     "1:10 -;1:9 1-2;1:3@4 5-7", .stretches = "*1 3=9+ ax1", .holes = "", .asks = ""},
    {"a partial of a whole segment does not count", "1:2-9", "1:9", "a 1 2-3 D",
     .stretches = "*1 3~9 ax1", .holes = ""},
    {"a partial behind a hole", "1:2-7", "1:9", "a 1 2-3 D", .stretches = "*1 3~7 ax1",
     .holes = "M 1:8-8 7> !"},
    {"a backup ends in a partial not walked", "1:2-9", "1:10", "a 1 9-10 D", .stretches = "",
     .holes = "N 1:2-10 2>", .asks = "1:10"},
    {"a backup ends in a partial, seen there", "1:9", "1:10", "a 1 9-10 D", NULL, "1:10 1-7",
     .stretches = "*1 10=10+ ax1", .holes = "", .asks = "1:10@"},
    {"no commit since the backup", "1:2-4", NULL, "a 1 2-3 D", NULL, "1:4 -;1:3 1-2",
     .stretches = "*1 3=3 ax1", .holes = "", .asks = ""},
    /* ---- holes ---- */
    {"one segment is missing", "1:2-5,7-9", NULL, "a 1 2-3 D", .stretches = "*1 3~5 ax1",
     .holes = "M 1:6-6 5> !"},
    {"many are missing", "1:2-5,9-12", NULL, "a 1 2-3 D", .stretches = "*1 3~5 ax1",
     .holes = "M 1:6-8 5> !"},
    {"a backup behind the hole", "1:2-5,7-12", NULL, "a 1 2-3 D;b 1 9-10 D",
     .stretches = "*1 3~5 ax1; *1 10~12 bx1", .holes = "M 1:6-6 5>10 !"},
    {"from the last commit that was read", "1:2-5,7-12", NULL, "a 1 2-3 D;b 1 9-10 D", NULL,
     "1:5 1-4", .stretches = "*1 3=5 ax1; *1 10~12 bx1", .holes = "M 1:6-6 5>10 !"},
    {"two holes", "1:2-5,7-8,10-12", NULL, "a 1 2-3 D;b 1 10-11 D",
     .stretches = "*1 3~5 ax1; *1 11~12 bx1", .holes = "M 1:6-6 5>11 !; M 1:9-9 8>11"},
    {"a hole before the first backup", "1:2-3,5-9", NULL, "a 1 6-7 D",
     .stretches = "*1 7~9 ax1", .holes = "N 1:2-3 2>7; M 1:4-4 3>7"},
    {"inside the backup's own WAL", "1:2-3,5-9", NULL, "a 1 3-6 D", .stretches = "",
     .holes = "N 1:2-3 2>; M 1:4-4 3> !"},
    {"inside the second backup's own WAL", "1:2-7,9-12", NULL, "a 1 2-3 D;b 1 7-9 D",
     .stretches = "*1 3~7 ax1", .holes = "M 1:8-8 7> !"},
    {"the first segment of a backup is missing", "1:3-9", NULL, "a 1 2-3 D", .stretches = "",
     .holes = "N 1:3-9 3>"},
    {"a damaged segment", "1:2-9", NULL, "a 1 2-3 D;b 1 7-8 D", NULL, "1:5 1-4!",
     .stretches = "*1 3=5 ax1; *1 8~9 bx1", .holes = "C 1:5-5 5>8 !"},
    {"damage in the last one", "1:2-9", NULL, "a 1 2-3 D", NULL, "1:9 1-4!",
     .stretches = "*1 3=9 ax1", .holes = "C 1:9-9 9> !"},
    {"a backup ends behind the damage", "1:2-9", NULL, "a 1 2-9 D", NULL, "1:9 1-2!",
     .stretches = "", .holes = "N 1:2-9 2>; C 1:9-9 9> !"},
    /* ---- timelines ---- */
    {"the newest timeline goes on", "1:2-9 2:9-12", NULL, "a 1 2-3 D", "2=1@9.5", "1:9 1-2",
     .stretches = "*2 3~12 ax1", .holes = ""},
    {"the old one was left at its end", "1:2-8 2:9-12", NULL, "a 1 2-3 D", "2=1@9.0",
     .stretches = "*2 3~12 ax1", .holes = ""},
    {"the old one left a partial", "1:2-8 2:9-12", "1:9", "a 1 2-3 D", "2=1@9.5",
     .stretches = "*2 3~12 ax1", .holes = "", .asks = "2:12 1:3@ 1:9"},
    {"nothing in it is behind the switch", "1:2-8 2:9-12", "1:9", "a 1 2-3 D", "2=1@9.5",
     "1:9 1-2", .stretches = "*2 3~12 ax1", .holes = ""},
    {"commits in it are behind the switch", "1:2-8 2:9-12", "1:9", "a 1 2-3 D", "2=1@9.1",
     "1:9 4-6", .stretches = "1 3=9 ax1; *2 3~12 ax1", .holes = ""},
    {"the old one has a future of its own", "1:2-15 2:9-12", NULL, "a 1 2-3 D", "2=1@9.5",
     .stretches = "*2 3~12 ax1; 1 3~15 ax1", .holes = ""},
    {"commits behind the switch in its own segment", "1:2-9 2:9-12", NULL, "a 1 2-3 D",
     "2=1@9.1", "1:9 4-6", .stretches = "1 3=9 ax1; *2 3~12 ax1", .holes = ""},
    {"a backup of the abandoned future", "1:2-15 2:9-12", NULL, "a 1 11-12 D", "2=1@9.5",
     .stretches = "1 12~15 ax1", .holes = "N 1:2-12 2>"},
    {"a backup after the switch", "1:2-9 2:9-14", NULL, "a 2 10-11 D", "2=1@9.5",
     .stretches = "*2 11~14 ax1", .holes = "N 1:2-9 2>11"},
    {"the switch's segment is missing", "1:2-9 2:10-14", NULL, "a 1 2-3 D", "2=1@9.5",
     .stretches = "*2 3~8 ax1; 1 3~9 ax1", .holes = "M 2:9-9 8> !"},
    {"three in a row", "1:2-5 2:5-8 3:8-12", NULL, "a 1 2-3 D", "2=1@5.5 3=1@5.5,2@8.5",
     "1:5 1-2;2:8 1-2", .stretches = "*3 3~12 ax1", .holes = ""},
    {"two children, the newer is the main line", "1:2-9 2:5-8 3:9-12", NULL, "a 1 2-3 D",
     "2=1@5.5 3=1@9.5", "1:9 1-2", .stretches = "2 3~8 ax1; *3 3~12 ax1", .holes = ""},
    {"switch points that go back", "1:2-9 2:9-12 3:6-8", NULL, "a 1 2-3 D",
     "2=1@9.5 3=1@9.5,2@6.5", "1:9 1-2", .stretches = "*3 3~8 ax1; 2 3~12 ax1", .holes = ""},
    {"a timeline without its history", "1:2-9 3:12-15", NULL, "a 1 2-3 D;b 3 12-13 D",
     .stretches = "1 3~9 ax1; *3 13~15 bx1", .holes = ""},
};

static void check_size(const struct row *row, uint32_t seg_size)
{
    char stretches[1024], holes[1024], asks_text[1024];
    struct coverage_asks asks;
    struct coverage c;
    struct scene *s = malloc(sizeof *s);
    struct err err;

    assert_non_null(s);
    set_up(s, row, seg_size);
    assert_true(coverage_make(&s->arena, &s->f, &c, &asks, &err));
    print(&c, &asks, stretches, holes, asks_text);
    assert_string_equal(stretches, row->stretches);
    assert_string_equal(holes, row->holes);
    if (row->asks) {
        assert_string_equal(asks_text, row->asks);
    }
    for (size_t i = 0; i < c.stretches; i++) {
        assert_true(c.stretch[i].to.us >= c.stretch[i].from.us);
    }
    tear_down(s);
    free(s);
}

static void test_row(void **state)
{
    check_size(*state, 1u << 20);
    check_size(*state, 1u << 24);
    check_size(*state, 1u << 30);
}

/* ---- memory refused at every growth: an error, no leak ---------------------------------- */

static void test_torture(void **state)
{
    struct row row = {"", "1:2-15 2:9-12", "2:13", "a 1 2-3 D;b 2 10-11 D", "2=1@9.5"};
    struct coverage_asks asks;
    struct coverage c;

    (void)state;
    for (long n = 1; n < 100; n++) {
        struct scene *s = malloc(sizeof *s);
        struct err err = {0};
        bool ok;

        assert_non_null(s);
        set_up(s, &row, 1u << 24);
        arena_fail_after(n);
        ok = coverage_make(&s->arena, &s->f, &c, &asks, &err);
        arena_fail_after(0);
        assert_true(ok || err.code == ERR_MEMORY);
        tear_down(s);
        free(s);
        if (ok) {
            assert_true(n > 1);
            return;
        }
    }
    fail_msg("never had enough memory");
}

/* ---- names, notes, lines ------------------------------------------------------------- */

static void test_hole_has_names_and_a_note(void **state)
{
    static const struct row row = {"", "1:254-255,258-260", NULL, "a 1 254-255 D"};
    const struct coverage_note note = {1, UINT64_C(256) << 24, UINT64_C(257) << 24,
                                       "the server had removed it"};
    struct scene *s = malloc(sizeof *s);
    struct coverage c;
    struct err err;

    (void)state;
    assert_non_null(s);
    set_up(s, &row, 1u << 24);
    s->f.note = &note;
    s->f.notes = 1;
    assert_true(coverage_make(&s->arena, &s->f, &c, NULL, &err));
    assert_int_equal(c.holes, 1);
    assert_string_equal(c.hole[0].first, "000000010000000100000000");
    assert_string_equal(c.hole[0].last, "000000010000000100000001");
    assert_int_equal(c.hole[0].segments, 2);
    assert_string_equal(c.hole[0].note, "the server had removed it");
    assert_string_equal(c.last_wal, "000000010000000100000004");
    assert_int_equal(c.wal_files, 5);
    assert_int_equal(c.wal_bytes, 5000);
    tear_down(s);
    free(s);
}

static void test_lines(void **state)
{
    static const struct row row = {"", "1:2-15 2:9-12", "2:13", "a 1 2-3 D", "2=1@9.5"};
    struct scene *s = malloc(sizeof *s);
    struct coverage c;
    struct err err;
    pg_lsn seg = 1u << 24;

    (void)state;
    assert_non_null(s);
    set_up(s, &row, 1u << 24);
    s->waiting[0] = file_of(2, 14);
    s->waiting[1] = file_of(2, 15);
    s->f.waitings = 2;
    s->f.partial = NULL;
    s->f.partials = 0;
    assert_true(coverage_make(&s->arena, &s->f, &c, NULL, &err));
    assert_int_equal(c.lines, 2);
    assert_int_equal(c.line[0].tli, 1);
    assert_int_equal(c.line[0].parent, 0);
    assert_int_equal(c.line[0].end, 9 * seg + seg / 10 * 5 + seg * 5 / 10 - seg / 10 * 5);
    assert_true(c.line[0].is_main && !c.line[0].is_newest);
    assert_int_equal(c.line[1].parent, 1);
    assert_true(c.line[1].is_main && c.line[1].is_newest);
    assert_int_equal(c.line[1].end, 16 * seg);
    assert_int_equal(c.waiting, 2);
    assert_true(c.waiting_since_us == T0 + 14 * MINUTE);
    assert_string_equal(c.last_wal, "00000002000000000000000C");
    tear_down(s);
    free(s);
}

/* ---- the runs and the rates ---------------------------------------------------------- */

static void test_any_order_is_one_run(void **state)
{
    struct wal_runs w;
    struct err err;

    (void)state;
    wal_runs_init(&w, 1u << 24);
    for (uint64_t i = 0; i < 1000; i++) { /* 7 and 1000 have no common divisor */
        struct coverage_file f = file_of(1, i * 7 % 1000);
        assert_true(wal_runs_add(&w, &f, INT64_MAX, &err));
        assert_true(wal_runs_add(&w, &f, INT64_MAX, &err)); /* listed twice */
    }
    assert_int_equal(w.n, 1);
    assert_int_equal(w.files, 1000);
    assert_int_equal(w.bytes, 1000000);
    assert_true(w.run[0].from_us == T0 && w.run[0].to_us == T0 + 999 * MINUTE);
    assert_null(wal_runs_find(&w, (struct wal_seg){1, 1000}));
    assert_null(wal_runs_find(&w, (struct wal_seg){2, 5}));
    assert_non_null(wal_runs_find(&w, (struct wal_seg){1, 999}));
    wal_runs_release(&w);
}

static uint64_t sum(const struct wal_rate *r)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < r->n; i++) {
        bytes += r->bytes[i];
    }
    return bytes;
}

struct rate_row {
    const char *label;
    int64_t minute[6];   /* of the files, from T0 on; INT64_MIN ends them */
    int64_t now;         /* minutes */
    uint64_t day, whole; /* files in them */
};
#define END INT64_MIN
static const struct rate_row rates[] = {
    {"none", {END}, 10, 0, 0},
    {"today", {1, 2, 3, END}, 10, 3, 3},
    {"yesterday is only in the whole", {1, 2, 2000, END}, 2010, 1, 3},
    {"a year back", {1, 500000, END}, 500001, 1, 2},
    {"the clock went back", {100, 50, 120, END}, 130, 3, 3},
    {"far back, before the first", {500000, 1, 500001, END}, 500002, 2, 3},
    {"a time to come is now", {1, 900000, 2, END}, 10, 3, 3},
    {"1970 is a clock that was wrong", {-T0 / MINUTE, 5, END}, 10, 1, 1},
    {"long ago, nothing since", {1, END}, 3000000, 0, 1},
};
static void test_rate(void **state)
{
    const struct rate_row *row = *state;
    uint64_t day_bytes[WAL_RATE_DAY], whole_bytes[WAL_RATE_WHOLE];
    struct wal_rate day, whole;
    struct wal_runs w;
    struct err err;
    int64_t now = T0 + row->now * MINUTE;

    wal_runs_init(&w, 1u << 20);
    for (size_t i = 0; row->minute[i] != END; i++) {
        struct coverage_file f = file_of(1, 2 * i);
        f.us = T0 + row->minute[i] * MINUTE;
        assert_true(wal_runs_add(&w, &f, now, &err));
    }
    wal_runs_rates(&w, now, day_bytes, &day, whole_bytes, &whole);
    assert_int_equal(day.n, 288);
    assert_int_equal(sum(&day), row->day << 20);
    assert_true(whole.n <= 512);
    assert_int_equal(sum(&whole), row->whole << 20);
    if (whole.n) {
        int64_t end = whole.from_us + (int64_t)whole.n * whole.step_us;
        assert_true(end > now && end - whole.step_us <= now);
    }
    assert_true(day.from_us + 288 * day.step_us > now);
    wal_runs_release(&w);
}

/* ---- many ---------------------------------------------------------------------------- */

static void test_100000_files_and_1000_backups(void **state)
{
    static struct backup_row backup[1000];
    struct coverage_facts f = {.backup = backup, .backups = 1000};
    struct coverage c = {0};
    struct wal_runs w;
    struct arena a;
    struct err err;
    int64_t began, took;

    (void)state;
    wal_runs_init(&w, 1u << 24);
    for (size_t i = 0; i < 1000; i++) {
        backup[i].status = BACKUP_DONE;
        backup[i].tli = 1;
        backup[i].begin_lsn = (100 * i + 10) << 24;
        backup[i].end_lsn = backup[i].begin_lsn + 100;
        backup[i].end = (struct moment){T0 + (int64_t)(100 * i + 10) * MINUTE, 0, true};
        str_fmt(backup[i].id, sizeof backup[i].id, "b%zu", i);
    }
    f.wal = &w;
    f.now_us = T0 + 200000 * MINUTE;
    began = clock_mono_ns();
    for (uint64_t i = 0; i < 100000; i++) {
        struct coverage_file file = file_of(1, i);
        if (i % 1000 != 999) { /* a hole every thousand */
            assert_true(wal_runs_add(&w, &file, f.now_us, &err));
        }
    }
    arena_init(&a, 0);
    assert_true(coverage_make(&a, &f, &c, NULL, &err));
    took = clock_mono_ns() - began;
    assert_int_equal(c.stretches, 100);
    assert_int_equal(c.holes, 1 + 99);
    assert_int_equal(c.stretch[99].backups, 10);
    assert_true(took < 500 * NS_PER_MS); /* some ms; sanitizers and a busy machine take more */
    print_message("%lld us\n", (long long)took / 1000);
    arena_release(&a);
    wal_runs_release(&w);
}

TEST_MAIN(ROWS(rows, test_row), ROWS(rates, test_rate), ONE(test_torture),
          ONE(test_hole_has_names_and_a_note), ONE(test_lines), ONE(test_any_order_is_one_run),
          ONE(test_100000_files_and_1000_backups))
