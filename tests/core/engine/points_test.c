/* SPDX-License-Identifier: PostgreSQL */
/* points and commits of the scene of moment_scene.h. */
#include "moment_scene.h"

#include "engine/moment.h"

#define HOUR 3600

static const struct row {
    const char *label;
    int64_t from, to; /* seconds behind BASE */
    uint64_t commits;
    const char *points; /* names, newest first, with spaces between */
    uint64_t of;        /* segments that are read */
    int gone;           /* a segment that is missing; 0: none */
} rows[] = {
    {"all", 900, 2000, 9, B3 " twice twice " B2 " early " B1, 7, 0},
    {"the ends belong to it, but for a commit at the last one", 1010, 1610, 6,
     "twice twice " B2 " early", 7, 0},
    {"nothing happened", 1411, 1499, 0, "", 7, 0},
    {"two hours later", 1900 + 2 * HOUR, 1900 + 3 * HOUR, 0, "", 0, 0},
    {"two hours before: the first file could begin there", 1000 - 4 * HOUR, 1000 - 3 * HOUR, 0,
     "", 1, 0},
    {"a segment is missing", 900, 2000, 8, B3 " twice twice " B2 " early " B1, 6, 6},
};

struct parts {
    unsigned n;
    uint64_t segments;
};

static void on_part(void *ctx, const struct answer_points *so_far)
{
    struct parts *p = ctx;

    assert_true(so_far->segments >= p->segments);
    p->segments = so_far->segments;
    p->n++;
}

static void read_points(void **state)
{
    const struct row *row = *state;
    struct parts parts = {0};
    struct points_spec spec = {scene_us(row->from), scene_us(row->to), &parts, on_part};
    struct answer_points p;
    struct err err = {0};
    char names[400];
    uint64_t commits = 0;
    struct scene s;
    struct sbuf b;

    scene_init(&s);
    if (row->gone) {
        assert_int_equal(unlink(scene_segment(&s, row->gone)), 0);
    }
    assert_true(points_read(&s.said.t, s.config, &s.config->server[0], &spec, &s.a, &p, &err));
    sbuf_init(&b, names, sizeof names);
    for (size_t i = 0; i < p.points; i++) {
        sbuf_fmt(&b, "%s%s", i ? " " : "", p.point[i].name);
    }
    assert_string_equal(names, row->points);
    assert_true(p.commits.n >= 1 && p.commits.n <= 512);
    for (size_t i = 0; i < p.commits.n; i++) {
        commits += p.commits.bytes[i];
    }
    assert_int_equal(commits, row->commits);
    assert_int_equal(p.of, row->of);
    assert_int_equal(p.segments, row->of);
    assert_true(parts.n >= 1 && parts.segments == row->of);
    scene_release(&s);
}

static void buckets(void **state)
{
    struct points_spec spec = {scene_us(1000), scene_us(1000 + 5120), NULL, NULL};
    struct answer_points p;
    struct err err = {0};
    struct scene s;

    (void)state;
    scene_init(&s);
    assert_true(points_read(&s.said.t, s.config, &s.config->server[0], &spec, &s.a, &p, &err));
    assert_int_equal(p.commits.n, 512);
    assert_true(p.commits.step_us == 10 * US_PER_S);
    assert_int_equal(p.commits.bytes[0], 1);  /* 701 @1000 */
    assert_int_equal(p.commits.bytes[5], 1);  /* 703 @1050 */
    assert_int_equal(p.commits.bytes[10], 1); /* 702 @1100 */
    assert_int_equal(p.commits.bytes[20], 0); /* 704 was rolled back */
    scene_release(&s);
}

static void empty_span(void **state)
{
    struct points_spec spec = {5, 5, NULL, NULL};
    struct answer_points p;
    struct err err = {0};
    struct scene s;

    (void)state;
    scene_init(&s);
    assert_false(points_read(&s.said.t, s.config, &s.config->server[0], &spec, &s.a, &p, &err));
    assert_int_equal(err.code, ERR_USAGE);
    scene_release(&s);
}

/* --- the files of a backup --- */

static void put_file(const struct scene *s, const char *name, size_t size)
{
    static const char zeros[4096];

    fx_write(fx_fmt("%s/" B1 "/data/%s", s->f.r.base_dir, name), zeros, size);
}

static void files_without_manifest(void **state)
{
    struct answer_backup b;
    struct err err = {0};
    struct scene s;

    (void)state;
    scene_init(&s);
    assert_true(dir_make(fx_fmt("%s/" B1 "/data/base/1", s.f.r.base_dir), &err));
    for (int i = 0; i < 150; i++) {
        put_file(&s, fx_fmt("base/1/%d", 1000 + i), (size_t)(i * 7 % 150));
    }
    put_file(&s, "largest", 4000);
    assert_true(backup_detail(&s.said.t, s.config, &s.config->server[0], B1, &s.a, &b, &err));
    assert_int_equal(b.files, 151);
    assert_int_equal(b.largests, 100);
    assert_false(b.has_manifest);
    assert_string_equal(b.largest[0].path, "largest");
    assert_true(b.largest[1].size == 149 && b.largest[99].size == 51);
    assert_string_equal(b.needed_from, "000000010000000000000003");
    assert_string_equal(b.tree, fx_fmt("%s/" B1, s.f.r.base_dir));
    /* One that is not to be believed is told, and the tree counts. */
    fx_text(fx_fmt("%s/" B1 "/data/backup_manifest", s.f.r.base_dir), "{ \"Files\": [] }\n");
    assert_true(backup_detail(&s.said.t, s.config, &s.config->server[0], B1, &s.a, &b, &err));
    assert_false(b.has_manifest);
    assert_int_equal(b.files, 152);
    assert_non_null(strstr(s.said.warn, "backup_manifest"));
    /* Its directory is gone. */
    assert_true(backup_detail(&s.said.t, s.config, &s.config->server[0], B2, &s.a, &b, &err));
    assert_int_equal(b.files, 0);
    assert_false(
        backup_detail(&s.said.t, s.config, &s.config->server[0], "nobody", &s.a, &b, &err));
    assert_int_equal(err.code, ERR_MISSING);
    scene_release(&s);
}

TEST_MAIN(ROWS(rows, read_points); ONE(buckets); ONE(empty_span); ONE(files_without_manifest))
