/* SPDX-License-Identifier: PostgreSQL */
/* wizard_story.h - what the engine answers in the story of the bad DELETE. */
#ifndef TESTS_UI_WIZARD_STORY_H
#define TESTS_UI_WIZARD_STORY_H

#include "road_jobs.h"

#define STORY_DEST "/srv/pg/orders-db1-20260822-0302"

static inline void script_points(struct script *s)
{
    struct answer *a = script_answer(s, ASK_POINTS);
    struct point *p = ARENA_ARRAY(&a->arena, 2, struct point);
    uint64_t *commits = ARENA_ARRAY(&a->arena, 120, uint64_t);

    p[0] = (struct point){
        POINT_RESTORE_POINT,
        story_mark(story_us(22, 2, 44, 30) + 118000, UINT64_C(0x4C88000100), 0, true), 3,
        "before-release-812"};
    p[1] = (struct point){POINT_SWITCH,
                          story_mark(story_us(21, 14, 2, 55), UINT64_C(0x4B1B000000), 0, true),
                          3, "2 to 3"};
    for (size_t i = 0; i < 120; i++) {
        commits[i] = 40 + (i * 29) % 37 + (i == 98 ? 90 : 0);
    }
    a->points.point = p;
    a->points.points = 2;
    a->points.commits = (struct wal_rate){story_us(22, 2, 12, 8), 30 * US_PER_S, commits, 120};
    a->points.segments = a->points.of = 42;
    script_hand(s, a);
}

static inline void script_moment(struct script *s)
{
    struct answer *a = script_answer(s, ASK_MOMENT);

    a->moment =
        (struct answer_moment){.can_restore = true,
                               .sentence = "right before transaction 88120441, then pauses",
                               .hint = "",
                               .backup_id = "20260822T020003",
                               .tli = 3,
                               .before = story_mark(story_us(22, 3, 2, 11) + 479000,
                                                    UINT64_C(0x4C9A2F1AE0), 88120440, true),
                               .stop = story_mark(story_us(22, 3, 2, 11) + 482000,
                                                  UINT64_C(0x4C9A2F1B08), 88120441, true)};
    script_hand(s, a);
}

static inline void script_hole(struct script *s)
{
    struct answer *a = script_answer(s, ASK_MOMENT);

    a->moment = (struct answer_moment){
        .can_restore = false,
        .sentence = "it lies in a hole: segments 000000020000003B000000E1 to "
                    "000000020000003B000000E2 are nowhere, and no backup ended in between",
        .hint = "Look for the two files in pg_wal of a standby and put them into incoming.",
        .below = story_mark(story_us(18, 11, 40, 52), UINT64_C(0x3BE0FFFF00), 84000017, true),
        .above = story_mark(story_us(19, 2, 38, 11), UINT64_C(0x3F00000300), 85000001, true)};
    script_hand(s, a);
}

static inline void script_place(struct script *s, const char *binaries)
{
    struct answer *a = script_answer(s, ASK_PLACE);

    a->place = (struct answer_place){.destination = STORY_DEST,
                                     .moves = 1,
                                     .need = UINT64_C(451900000000),
                                     .have = UINT64_C(1319413953331),
                                     .version = 170006,
                                     .binaries = binaries,
                                     .sentence = "",
                                     .hint = "",
                                     .live_directory = "/var/lib/postgresql/17/main"};
    (void)str_copy(a->place.move[0].name, NAME_CAP, "ts_hist");
    (void)str_copy(a->place.move[0].location, ASK_PATH_CAP, STORY_DEST ".ts_hist");
    script_hand(s, a);
}

static inline void script_plan(struct script *s, bool holds)
{
    static const struct plan_line lines[] = {
        {"backup", PLAN_OK, "backup 20260822T020003, the newest that ended before the target",
         ""},
        {"wal", PLAN_OK, "42 segments, every record sound from 4C/71000028 to 4C/9A2F1B08", ""},
        {"target", PLAN_OK,
         "transaction 88120441 can be reached; the last commit that stays is 2026-08-22 "
         "03:02:11.479+02:00 (transaction 88120440, LSN 4C/9A2F1AE0)",
         ""},
        {"destination", PLAN_OK, "data directory: '" STORY_DEST "' is free", ""},
        {"destination", PLAN_OK, "tablespace ts_hist: '" STORY_DEST ".ts_hist' is free", ""},
        {"space", PLAN_OK, "the file system of '/srv/pg' has 1.2 TiB free; 421 GiB needed", ""},
        {"settings", PLAN_WARN,
         "shared_preload_libraries names pg_cron: the copy is started without",
         "What they provide is not there while you look at the copy; its files keep the "
         "setting."},
    };
    static const struct plan_line refused[] = {
        {"backup", PLAN_OK, "backup 20260822T020003, the newest that ended before the target",
         ""},
        {"wal", PLAN_OK, "42 segments, every record sound from 4C/71000028 to 4C/9A2F1B08", ""},
        {"destination", PLAN_REFUSED,
         "data directory: '" STORY_DEST "' is not empty: 'PG_VERSION' is there",
         "Choose an empty directory."},
        {"space", PLAN_REFUSED,
         "the file system of '/srv/pg' has 12.0 GiB free; 421 GiB needed",
         "Make room, or choose a larger file system."},
    };
    struct answer *a = script_answer(s, ASK_PLAN);

    a->plan = (struct answer_plan){.holds = holds,
                                   .line = holds ? lines : refused,
                                   .lines = holds ? 7 : 4,
                                   .backup_id = "20260822T020003",
                                   .tli = 3,
                                   .bytes = UINT64_C(448833560000),
                                   .segments = 42,
                                   .replay_from_us = story_us(22, 2, 4, 11),
                                   .replay_to_us = story_us(22, 3, 2, 11)};
    script_hand(s, a);
}

static inline void script_copy(struct script *s, enum copy_phase phase)
{
    struct answer *a = script_answer(s, ASK_COPY);

    a->copy = (struct answer_copy){
        .phase = phase,
        .sentence = phase == COPY_PAUSED ? "recovery paused before transaction 88120441" : "",
        .reached =
            story_mark(story_us(22, 3, 2, 11) + 479000, UINT64_C(0x4C9A2F1AE0), 88120440, true),
        .tli = phase == COPY_OPEN ? 4 : 3,
        .socket_dir = "/tmp/barkeep-Xq3v9a",
        .port = 5432,
        .pid = phase == COPY_FAILED || phase == COPY_STOPPED ? 0 : 20817,
        .log = STORY_DEST "/.barkeep-copy/log",
        .psql = "/usr/lib/postgresql/17/bin/psql -h /tmp/barkeep-Xq3v9a -p 5432 orders"};
    if (phase == COPY_FAILED) {
        a->copy.sentence =
            "FATAL:  recovery ended before configured recovery target was reached";
    }
    script_hand(s, a);
}

static inline void script_compare(struct script *s)
{
    static const struct table_count table[] = {
        {"orders.order", 9120044, 9121118, false, false, NULL},
        {"orders.order_line", 48211904, 48030916, false, false, NULL},
        {"orders.event", 812004000, 812009000, true, true, NULL},
        {"audit.secret", 1402118, -1, false, false, "production: permission denied"},
    };
    struct answer *a = script_answer(s, ASK_COMPARE);

    a->compare = (struct answer_compare){"orders", table, 4, NULL};
    script_hand(s, a);
}

#endif
