/* SPDX-License-Identifier: PostgreSQL */
/* moment_scene.h - a repository with made WAL of one timeline and three backups, of which every
 * commit is known. Times are seconds behind BASE; xids of commits.
 *
 *     3   B1 .. ends 950 | 701 @1000, restore point "early" @1010
 *     4   702 @1100, 703 @1050 (a clock that stepped back), 704 rolled back @1200
 *     5   B2, 705 @1300, .. ends 1310 | restore point "twice" @1320, 706 @1400
 *     6   707 @1500
 *     7   708 @1600, restore point "twice" @1610
 *     8   B3 .. ends 1710 | 709 @1800
 *     9   710 @1900, then nothing
 */
#ifndef TESTS_ENGINE_MOMENT_SCENE_H
#define TESTS_ENGINE_MOMENT_SCENE_H

#include "core/repo/fixture.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "cfg/config.h"
#include "core/wal/mkwal.h"
#include "said.h"

#include <inttypes.h>

#define B1       "20270115T080000"
#define B2       "20270115T090000"
#define B3       "20270115T100000"
#define BASE     INT64_C(1800000000)
#define SEGS     7
#define FIRST_NO 3

struct scene {
    struct fx f;
    struct arena a;
    struct said said;
    const struct config *config;
    uint64_t lsn[10]; /* of the end of transaction 701 + i */
};

static uint8_t scene_wal[(SEGS + 1) * MK_SEG];

static inline int64_t scene_us(int64_t seconds)
{
    return (BASE + seconds) * US_PER_S;
}

static inline uint64_t scene_filler(struct mk *m, uint32_t n)
{
    static uint8_t rec[300000];

    m->xid = 0;
    return mk_record(m, 10, 0, rec, n);
}

static inline void scene_end(struct scene *s, struct mk *m, uint32_t xid, int64_t seconds,
                             uint8_t info)
{
    uint8_t rec[24 + 5 + 8];

    scene_filler(m, 100 + xid % 7 * 1000);
    m->xid = xid;
    mk_le(rec + 29, (uint64_t)(scene_us(seconds) - PG_EPOCH_US), 8);
    s->lsn[xid - 701] = mk_record(m, 1, info, rec, 8);
}

static inline void scene_point(struct mk *m, const char *name, int64_t seconds)
{
    uint8_t rec[24 + 5 + 72] = {0};

    m->xid = 0;
    mk_le(rec + 29, (uint64_t)(scene_us(seconds) - PG_EPOCH_US), 8);
    memcpy(rec + 37, name, strlen(name));
    mk_record(m, 0, 0x70, rec, 72);
}

static inline void scene_switch(struct mk *m)
{
    uint8_t rec[29];

    m->xid = 0;
    mk_record(m, 0, 0x40, rec, 0);
    m->at = (m->at + MK_SEG - 1) / MK_SEG * MK_SEG;
}

static inline void scene_backup(struct scene *s, const char *id, uint64_t begin, uint64_t end,
                                int64_t seconds)
{
    char from[FMT_CAP], to[FMT_CAP], when[STAMP_CAP];

    fx_text(fx_fmt("%s/%s-backup.info", s->f.r.meta_dir, id),
            fx_fmt("status=DONE\nmode=postgres\ntimeline=1\nversion=150000\nsystemid=42\n"
                   "begin_wal=0000000100000000%08X\nend_wal=0000000100000000%08X\n"
                   "begin_xlog=%s\nend_xlog=%s\nend_time=%s\n"
                   "xlog_segment_size=1048576\npgdata=/srv/pg\nsize=10\n",
                   (unsigned)(begin / MK_SEG), (unsigned)(end / MK_SEG), fmt_lsn(begin, from),
                   fmt_lsn(end, to), stamp_iso((struct stamp){scene_us(seconds), 0}, when)));
}

/* The end of the record before, as the next one would begin. */
static inline uint64_t scene_at(const struct mk *m)
{
    return MK_BASE + ((m->at + 7) & ~UINT64_C(7));
}

static inline void scene_write(struct scene *s, struct mk *m)
{
    uint64_t b1, b2, b3, e1, e2, e3;

    b1 = scene_filler(m, 200);
    scene_filler(m, 90000);
    e1 = scene_at(m);
    scene_end(s, m, 701, 1000, 0);
    scene_point(m, "early", 1010);
    scene_switch(m);
    scene_end(s, m, 702, 1100, 0);
    scene_filler(m, 250000);
    scene_end(s, m, 703, 1050, 0);
    scene_end(s, m, 704, 1200, 0x20);
    scene_switch(m);
    b2 = scene_filler(m, 300);
    scene_end(s, m, 705, 1300, 0);
    scene_filler(m, 300);
    e2 = scene_at(m);
    scene_point(m, "twice", 1320);
    scene_end(s, m, 706, 1400, 0);
    scene_switch(m);
    scene_end(s, m, 707, 1500, 0);
    scene_switch(m);
    scene_end(s, m, 708, 1600, 0);
    scene_point(m, "twice", 1610);
    scene_switch(m);
    b3 = scene_filler(m, 300);
    scene_filler(m, 9000);
    e3 = scene_at(m);
    scene_end(s, m, 709, 1800, 0);
    scene_switch(m);
    scene_end(s, m, 710, 1900, 0);
    scene_backup(s, B1, b1, e1, 950);
    scene_backup(s, B2, b2, e2, 1310);
    scene_backup(s, B3, b3, e3, 1710);
}

static inline const char *scene_segment(const struct scene *s, int no)
{
    return fx_fmt("%s/0000000100000000/0000000100000000%08X", s->f.r.wals_dir, (unsigned)no);
}

/* The archive, with the time of each file half an hour behind its last record. */
static inline void scene_init(struct scene *s)
{
    static const int64_t last[SEGS] = {1010, 1200, 1400, 1500, 1610, 1800, 1900};
    struct mk m = {.buf = scene_wal, .tli = 1};
    struct cfg_messages warnings = {0};
    struct err err = {0};
    const char *conf;

    memset(s, 0, sizeof *s);
    memset(scene_wal, 0, sizeof scene_wal);
    fx_init(&s->f);
    arena_init(&s->a, 0);
    said_init(&s->said);
    scene_write(s, &m);
    assert_true(dir_make(fx_fmt("%s/0000000100000000", s->f.r.wals_dir), &err));
    for (int i = 0; i < SEGS; i++) {
        struct timespec at[2] = {{.tv_sec = BASE + last[i] + 1800},
                                 {.tv_sec = BASE + last[i] + 1800}};

        fx_write(scene_segment(s, FIRST_NO + i), scene_wal + (size_t)i * MK_SEG, MK_SEG);
        assert_int_equal(utimensat(AT_FDCWD, scene_segment(s, FIRST_NO + i), at, 0), 0);
    }
    conf = fx_fmt("%s/conf", s->f.root);
    fx_text(conf, fx_fmt("[barman]\nbarman_home = %s\nbarman_user = me\n[main]\n"
                         "conninfo = host=a\nbackup_method = postgres\narchiver = on\n",
                         s->f.root));
    s->config = config_load(&s->a, conf, &warnings, &err);
    assert_non_null(s->config);
}

static inline void scene_release(struct scene *s)
{
    arena_release(&s->a);
    fx_release(&s->f);
}

/* A byte of the last record with contents in that segment is another one. */
static inline void scene_damage(const struct scene *s, int no, uint64_t lsn)
{
    int fd = open(scene_segment(s, no), O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "?", 1, (off_t)(lsn % MK_SEG + 30)), 1);
    close(fd);
}

#endif
