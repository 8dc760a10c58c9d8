/* SPDX-License-Identifier: PostgreSQL */
/* The archive of the tests, worked out by hand; segments of 1 MiB, so segment 0x50 begins at
 * 0/5000000:
 *
 *     1 ---- 0/5000800 ----> (old future up to segment 52)
 *               2 ---- 0/7000000 ----> 4
 *               2 ---- 0/6000100 ----> 3 (stray)
 *     1 ---- 0/2000000 ----> 6        (5 has no history file)
 */
#include "plan/timeline.h"

#include "harness.h"

#define MIB (1u << 20)
#define END HISTORY_NO_END

static const struct history_entry e2[] = {{1, 0, 0x5000800, ""}, {2, 0x5000800, END, ""}};
static const struct history_entry e3[] = {
    {1, 0, 0x5000800, ""}, {2, 0x5000800, 0x6000100, ""}, {3, 0x6000100, END, ""}};
static const struct history_entry e4[] = {
    {1, 0, 0x5000800, ""}, {2, 0x5000800, 0x7000000, ""}, {4, 0x7000000, END, ""}};
static const struct history_entry e6[] = {{1, 0, 0x2000000, ""}, {6, 0x2000000, END, ""}};
static const struct history histories[] = {{4, e4, 3}, {2, e2, 2}, {6, e6, 2}, {3, e3, 3}};

/* 4F..52 of 1, 50..60 of 2 but 58, 70..72 of 4 */
static struct wal_seg segs[32];

static struct timelines archive(void)
{
    size_t n = 0;

    for (uint64_t no = 0x4F; no <= 0x52; no++) {
        segs[n++] = (struct wal_seg){1, no};
    }
    for (uint64_t no = 0x50; no <= 0x60; no++) {
        if (no != 0x58) {
            segs[n++] = (struct wal_seg){2, no};
        }
    }
    for (uint64_t no = 0x70; no <= 0x72; no++) {
        segs[n++] = (struct wal_seg){4, no};
    }
    return (struct timelines){histories, 4, segs, n, MIB};
}

static const struct resolve_row {
    const char *label;
    struct timeline_want want;
    pg_tli base, target; /* target 0: refused */
    enum err_code code;
    const char *what;
} resolve_rows[] = {
    {"current on 1", {TIMELINE_CURRENT, 0}, 1, 1, ERR_NONE, NULL},
    {"current on 3", {TIMELINE_CURRENT, 0}, 3, 3, ERR_NONE, NULL},
    {"current on 5, no file", {TIMELINE_CURRENT, 0}, 5, 5, ERR_NONE, NULL},
    {"latest ends at the hole", {TIMELINE_LATEST, 0}, 1, 4, ERR_NONE, NULL},
    {"latest from 4", {TIMELINE_LATEST, 0}, 4, 4, ERR_NONE, NULL},
    {"latest from 5", {TIMELINE_LATEST, 0}, 5, 6, ERR_NONE, NULL},
    {"latest from the last", {TIMELINE_LATEST, 0}, UINT32_MAX, UINT32_MAX, ERR_NONE, NULL},
    {"number 3", {TIMELINE_NUMBER, 3}, 1, 3, ERR_NONE, NULL},
    {"number 1 needs no file", {TIMELINE_NUMBER, 1}, 1, 1, ERR_NONE, NULL},
    {"number 6", {TIMELINE_NUMBER, 6}, 1, 6, ERR_NONE, NULL},
    {"number 5", {TIMELINE_NUMBER, 5}, 1, 0, ERR_MISSING, "00000005.history"},
    {"number 10", {TIMELINE_NUMBER, 10}, 1, 0, ERR_MISSING, "0000000A.history"},
    {"number 0", {TIMELINE_NUMBER, 0}, 1, 0, ERR_USAGE, "0"},
};

static void check_resolve(void **state)
{
    const struct resolve_row *r = *state;
    struct timelines t = archive();
    struct timeline_base base = {r->base, 0x1000000, 0x1000100};
    struct err err = {0};
    pg_tli got = 0;

    assert_int_equal(timeline_resolve(&t, &r->want, &base, &got, &err), r->target != 0);
    assert_int_equal(got, r->target);
    assert_int_equal(err.code, r->code);
    if (r->what) {
        assert_string_equal(err.what, r->what);
        assert_true(err.hint[0] != '\0');
    }
}

static const struct check_row {
    const char *label;
    pg_tli target, base;
    pg_lsn end;
    enum err_code code;
    const char *why, *also;
} check_rows[] = {
    {"stays on 1", 1, 1, 0x9000000, ERR_NONE, NULL, NULL},
    {"1 to 2, before the switch", 2, 1, 0x5000000, ERR_NONE, NULL, NULL},
    {"1 to 2, at the switch", 2, 1, 0x5000800, ERR_NONE, NULL, NULL},
    {"1 to 2, one byte late", 2, 1, 0x5000801, ERR_USAGE, "0/5000800", "0/5000801"},
    {"1 to 4, late", 4, 1, 0x6000000, ERR_USAGE, "0/5000800", "0/6000000"},
    {"2 to 4", 4, 2, 0x6800000, ERR_NONE, NULL, NULL},
    {"2 to 3, late", 3, 2, 0x6800000, ERR_USAGE, "0/6000100", "0/6800000"},
    {"3 to 4: a stray", 4, 3, 0x6000200, ERR_USAGE, "does not descend", "timeline 3"},
    {"2 to 6: another branch", 6, 2, 0x6000000, ERR_USAGE, "does not descend", NULL},
    {"4 to 2: back", 2, 4, 0x7000100, ERR_USAGE, "does not descend", NULL},
    {"2 to 1: back", 1, 2, 0x5000900, ERR_USAGE, "does not descend", NULL},
    {"to 5: no file", 5, 1, 0x1000000, ERR_MISSING, "not in the archive", NULL},
};

static void check_check(void **state)
{
    const struct check_row *r = *state;
    struct timelines t = archive();
    struct timeline_base base = {r->base, 0x1000000, r->end};
    struct err err = {0};

    assert_int_equal(timeline_check(&t, r->target, &base, &err), r->code == ERR_NONE);
    assert_int_equal(err.code, r->code);
    if (r->why) {
        assert_non_null(strstr(err.why, r->why));
        assert_true(!r->also || strstr(err.why, r->also));
    }
}

/* From 1 at 0/1000000 all are reachable; from 0/4000000 no longer 6. */
static void choices(void **state)
{
    struct timelines t = archive();
    struct timeline_base base = {1, 0x1000000, 0x1000100};
    struct timeline_choice c[8];

    (void)state;
    assert_int_equal(timeline_choices(&t, &base, c, 8), 5);
    static const pg_tli order[] = {1, 2, 3, 4, 6}, parent[] = {0, 1, 2, 2, 1};
    static const bool leaf[] = {false, false, true, true, true};
    static const uint64_t last[] = {0x52, 0x60, 0, 0x72, 0};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(c[i].tli, order[i]);
        assert_int_equal(c[i].parent, parent[i]);
        assert_int_equal(c[i].is_leaf, leaf[i]);
        assert_int_equal(c[i].is_latest, order[i] == 4);
        assert_int_equal(c[i].last_no, last[i]);
        assert_true(c[i].is_reachable);
    }
    assert_int_equal(c[2].begin, 0x6000100);
    assert_int_equal(timeline_branches(c, 5), 3);

    base = (struct timeline_base){1, 0x3F00000, 0x4000000};
    assert_int_equal(timeline_choices(&t, &base, c, 8), 5);
    assert_false(c[4].is_reachable);
    assert_int_equal(timeline_branches(c, 5), 2);

    base = (struct timeline_base){2, 0x6000000, 0x6800000};
    assert_int_equal(timeline_choices(&t, &base, c, 2), 4); /* 2 3 4 6, two of them told */
    assert_int_equal(timeline_choices(&t, &base, c, 8), 4);
    assert_int_equal(timeline_branches(c, 4), 1); /* only 4 */
    assert_true(c[2].is_reachable && c[2].is_leaf);

    base = (struct timeline_base){5, 0x6000000, 0x6800000};
    assert_int_equal(timeline_choices(&t, &base, c, 8),
                     2); /* 5 itself, without a file, and 6 */
    assert_int_equal(c[0].tli, 5);
    assert_true(c[0].is_reachable && c[0].is_leaf);
    assert_false(c[1].is_reachable);
}

static const struct path_row {
    const char *label;
    const struct history h;
    pg_lsn from, until;
    size_t n;
    struct wal_seg first, last;
} path_rows[] = {
    {"one segment", {2, e2, 2}, 0x4F00028, 0x4F00100, 1, {1, 0x4F}, {1, 0x4F}},
    {"ends on a boundary", {2, e2, 2}, 0x4E00028, 0x4F00000, 1, {1, 0x4E}, {1, 0x4E}},
    {"over the switch: child's copy",
     {2, e2, 2},
     0x4F00028,
     0x5000700,
     2,
     {1, 0x4F},
     {2, 0x50}},
    {"switch on a boundary", {4, e4, 3}, 0x6F00028, 0x7000001, 2, {2, 0x6F}, {4, 0x70}},
    {"three timelines", {4, e4, 3}, 0x4F00028, 0x7100000, 0x22, {1, 0x4F}, {4, 0x70}},
    {"nothing", {2, e2, 2}, 0x5000000, 0x4000000, 0, {0, 0}, {0, 0}},
};

static void check_path(void **state)
{
    const struct path_row *r = *state;
    struct timeline_path p;
    struct wal_seg seg, last = {0, 0};
    size_t n = 0;

    timeline_path_init(&p, &r->h, MIB, r->from, r->until);
    for (; timeline_path_next(&p, &seg); n++) {
        if (n == 0) {
            assert_int_equal(wal_seg_cmp(seg, r->first), 0);
        } else {
            assert_int_equal(seg.no, last.no + 1);
            assert_true(seg.tli >= last.tli);
        }
        last = seg;
    }
    assert_int_equal(n, r->n);
    assert_int_equal(wal_seg_cmp(last, r->last), 0);
    assert_false(timeline_path_next(&p, &seg));
}

static const struct gap_row {
    const char *label;
    const struct history h;
    pg_lsn from, until;
    bool missing;
    uint64_t have;
    struct wal_seg seg;
} gap_rows[] = {
    {"gap: none", {2, e2, 2}, 0x4F00028, 0x5100000, false, 2, {0, 0}},
    {"gap: in the middle", {2, e2, 2}, 0x4F00028, 0x6000000, true, 9, {2, 0x58}},
    {"gap: endless", {2, e2, 2}, 0x5900000, 0, true, 8, {2, 0x61}},
    {"gap: first is not there", {2, e2, 2}, 0x4E00000, 0, true, 0, {1, 0x4E}},
    {"gap: other branch does not count", {6, e6, 2}, 0x4F00028, 0, true, 0, {6, 0x4F}},
    {"gap: old future", {4, e4, 3}, 0x5000900, 0x5100000, false, 1, {0, 0}},
};

static void check_gap(void **state)
{
    const struct gap_row *r = *state;
    struct timelines t = archive();
    struct timeline_path p;
    struct wal_seg seg = {0, 0};
    uint64_t have = 99;

    timeline_path_init(&p, &r->h, MIB, r->from, r->until);
    assert_int_equal(timeline_gap(&t, p, &have, &seg), r->missing);
    assert_int_equal(have, r->have);
    assert_int_equal(wal_seg_cmp(seg, r->seg), 0);
}

static void empty_archive(void **state)
{
    struct timelines t = {.seg_size = MIB};
    struct history_spare spare;
    struct timeline_base base = {1, 0x1000000, 0x1000100};
    struct timeline_choice c[2];

    (void)state;
    assert_false(timeline_has(&t, (struct wal_seg){1, 1}));
    assert_null(timeline_history(&t, 2, &spare));
    assert_int_equal(timeline_history(&t, 1, &spare)->n, 1);
    assert_int_equal(timeline_choices(&t, &base, c, 2), 1);
    assert_int_equal(timeline_branches(c, 1), 1);
}

TEST_MAIN(ROWS(resolve_rows, check_resolve), ROWS(check_rows, check_check), ONE(choices),
          ROWS(path_rows, check_path), ROWS(gap_rows, check_gap), ONE(empty_archive))
