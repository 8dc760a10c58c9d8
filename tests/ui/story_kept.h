/* SPDX-License-Identifier: PostgreSQL */
/* story_kept.h - what is kept of orders-db1 in the story: backups and coverage, with a hole. */
#ifndef TESTS_UI_STORY_KEPT_H
#define TESTS_UI_STORY_KEPT_H

#include "harness.h"

#include "barkeep/ask.h"
#include "barkeep/jobs.h"
#include "barkeep/snapshot.h"
#include "base/clock.h"
#include "ui/ui.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STORY_NOW_US INT64_C(1787361165000000) /* 2026-08-22 01:12:45 UTC, 03:12:45 +02 */
#define STORY_SYSTEM "7388412907713462841"

static const char *const story_server[] = {"auth-db1", "billing-db1", "billing-db2",
                                           "orders-db1", "東京-db"};
#define STORY_SERVERS 5
#define STORY_ORDERS  3

/* Local time of August 2026 in Berlin, as microseconds. */
static inline int64_t story_us(int day, int hour, int minute, int second)
{
    struct civil c = {
        .year = 2026, .month = 8, .day = day, .hour = hour, .minute = minute, .second = second};
    int64_t us = 0;

    assert_true(civil_us(&c, 7200, &us));
    return us;
}

static inline struct backup_row story_backup(const char *id, int64_t begin_us, int took_s,
                                             uint64_t size)
{
    struct backup_row b = {.status = BACKUP_DONE,
                           .type = BACKUP_FULL,
                           .tli = 3,
                           .version = 170006,
                           .size = size,
                           .took_s = took_s,
                           .wal_bytes = UINT64_C(5100000000)};

    (void)str_copy(b.id, sizeof b.id, id);
    b.begin = (struct moment){begin_us, 7200, true};
    b.end = (struct moment){begin_us + took_s * US_PER_S, 7200, true};
    b.begin_lsn = UINT64_C(0x4C71000028);
    b.end_lsn = UINT64_C(0x4C71E3A5F0);
    return b;
}

static inline void story_backups(struct snapshot *s)
{
    struct backup_row *b = ARENA_ARRAY(&s->arena, 8, struct backup_row);

    b[0] = story_backup("20260822T020003", story_us(22, 2, 0, 3), 248, UINT64_C(448833560000));
    b[1] = story_backup("20260821T140003", story_us(21, 14, 0, 3), 182, UINT64_C(448100000000));
    b[1].name = "before-release-812";
    b[2] = story_backup("20260821T020004", story_us(21, 2, 0, 4), 2460, UINT64_C(447800000000));
    b[2].keep = ROW_KEEP_FULL;
    b[3] = story_backup("20260820T140002", story_us(20, 14, 0, 2), 241, UINT64_C(447700000000));
    b[3].status = BACKUP_FAILED;
    b[3].error = "connection lost after 312 GiB: server closed the connection unexpectedly";
    b[4] = story_backup("20260820T020004", story_us(20, 2, 0, 4), 1140, UINT64_C(447000000000));
    b[5] = story_backup("20260819T020004", story_us(19, 2, 0, 4), 2286, UINT64_C(445000000000));
    b[6] = story_backup("20260818T020003", story_us(18, 2, 0, 3), 840, UINT64_C(444000000000));
    b[7] = story_backup("20260817T020003", story_us(17, 2, 0, 3), 780, UINT64_C(443000000000));
    b[0].retention = b[1].retention = b[4].retention = "VALID";
    b[2].retention = "KEEP:FULL";
    b[3].retention = "-";
    b[5].retention = "OBSOLETE*";
    b[6].retention = b[7].retention = "OBSOLETE";
    b[5].tli = 2;
    b[6].tli = b[7].tli = 2;
    s->backup = b;
    s->backups = 8;
}

static inline struct mark story_mark(int64_t us, pg_lsn lsn, pg_xid xid, bool proven)
{
    return (struct mark){us, lsn, xid, proven};
}

static inline void story_stretches(struct arena *a, struct coverage *c)
{
    struct stretch *st = ARENA_ARRAY(a, 2, struct stretch);
    struct hole *hole = ARENA_ARRAY(a, 1, struct hole);

    st[0] = (struct stretch){.tli = 2, .is_main = true, .backups = 2};
    (void)str_copy(st[0].backup_id, sizeof st[0].backup_id, "20260817T020003");
    st[0].from = story_mark(story_us(17, 2, 13, 3), UINT64_C(0x3900000100), 0, true);
    st[0].first = story_mark(story_us(17, 2, 13, 4), UINT64_C(0x3900000200), 81000001, true);
    st[0].to = story_mark(story_us(18, 11, 40, 52), UINT64_C(0x3BE0FFFF00), 84000017, true);
    st[1] = (struct stretch){.tli = 3, .is_main = true, .is_open = true, .backups = 5};
    (void)str_copy(st[1].backup_id, sizeof st[1].backup_id, "20260819T020004");
    st[1].from = story_mark(story_us(19, 2, 38, 10), UINT64_C(0x3F00000100), 0, true);
    st[1].first = story_mark(story_us(19, 2, 38, 11), UINT64_C(0x3F00000300), 85000001, true);
    st[1].to = story_mark(story_us(22, 3, 12, 8), UINT64_C(0x4CA0123450), 88125758, true);
    hole[0] = (struct hole){.why = HOLE_MISSING,
                            .tli = 2,
                            .segments = 2,
                            .hurts = true,
                            .from_lsn = UINT64_C(0x3BE1000000),
                            .to_lsn = UINT64_C(0x3BE3000000),
                            .from_us = story_us(18, 11, 40, 52),
                            .to_us = story_us(19, 2, 38, 10)};
    (void)str_copy(hole[0].first, sizeof hole[0].first, "000000020000003B000000E1");
    (void)str_copy(hole[0].last, sizeof hole[0].last, "000000020000003B000000E2");
    c->stretch = st;
    c->stretches = 2;
    c->hole = hole;
    c->holes = 1;
}

static inline void story_rate(struct arena *a, struct wal_rate *rate, int64_t from,
                              int64_t step, size_t n)
{
    uint64_t *bytes = ARENA_ARRAY(a, n, uint64_t);

    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint64_t)(16 + (i * 37) % 61 + (i % 96 == 90 ? 400 : 0)) * 1048576;
    }
    *rate = (struct wal_rate){from, step, bytes, n};
}

static inline void story_coverage(struct snapshot *s)
{
    struct coverage *c = ARENA_NEW(&s->arena, struct coverage);
    struct line_part *line = ARENA_ARRAY(&s->arena, 3, struct line_part);
    struct wal_run *run = ARENA_ARRAY(&s->arena, 3, struct wal_run);

    line[0] = (struct line_part){
        1,    0,    0, UINT64_C(0x3500000000), story_us(15, 2, 0, 0), story_us(16, 22, 0, 0),
        true, false};
    line[1] = (struct line_part){2,
                                 1,
                                 UINT64_C(0x3500000000),
                                 UINT64_C(0x4B1C000000),
                                 story_us(16, 22, 0, 0),
                                 story_us(21, 18, 30, 0),
                                 true,
                                 false};
    line[2] = (struct line_part){3,
                                 2,
                                 UINT64_C(0x4B1B000000),
                                 UINT64_C(0x4CA0123450),
                                 story_us(21, 14, 2, 55),
                                 STORY_NOW_US,
                                 true,
                                 true};
    run[0] = (struct wal_run){1,
                              0x3000,
                              0x34ff,
                              story_us(15, 2, 0, 0),
                              story_us(16, 22, 0, 0),
                              UINT64_C(21474836480)};
    run[1] = (struct wal_run){2,
                              0x3500,
                              0x3be0,
                              story_us(16, 22, 0, 0),
                              story_us(18, 11, 40, 52),
                              UINT64_C(29544677376)};
    run[2] = (struct wal_run){3,
                              0x3be3,
                              0x4ca0,
                              story_us(18, 11, 44, 6),
                              story_us(22, 3, 12, 8),
                              UINT64_C(71672266752)};
    story_stretches(&s->arena, c);
    c->line = line;
    c->lines = 3;
    c->run = run;
    c->runs = 3;
    story_rate(&s->arena, &c->day, STORY_NOW_US - 86400 * US_PER_S, 300 * US_PER_S, 288);
    story_rate(&s->arena, &c->whole, story_us(15, 2, 0, 0), 1200 * US_PER_S, 507);
    c->seg_size = 16777216;
    (void)str_copy(c->last_wal, sizeof c->last_wal, "000000030000004C000000A0");
    c->last_wal_us = story_us(22, 3, 12, 8);
    c->waiting = 1;
    c->waiting_since_us = c->last_wal_us;
    c->wal_bytes = UINT64_C(122691780608);
    c->wal_files = 7313;
    s->coverage = c;
}

#endif
