/* SPDX-License-Identifier: PostgreSQL */
/* Pictures of every step, at every size: waiting, refused, failed, reached. */
#include "golden.h"
#include "wizard_story.h"

static struct script s;

static void to_when(void)
{
    script_begin(&s);
    script_keys(&s, "r");
    script_wait(&s, 50);
    script_points(&s);
    script_keys(&s, "@xid 88120441\n");
    script_wait(&s, 50);
}

static void to_where(void)
{
    to_when();
    script_moment(&s);
    script_keys(&s, "\n");
}

static void to_plan(void)
{
    to_where();
    script_place(&s, "/usr/lib/postgresql/17/bin");
    script_keys(&s, "\n");
}

static uint32_t to_run(void)
{
    uint32_t job;

    to_plan();
    script_plan(&s, true);
    script_keys(&s, "\n");
    job = script_start(&s, "restore");
    s.ui.message[0] = '\0';
    return job;
}

static uint32_t to_replay(void)
{
    uint32_t job = to_run();

    script_wait(&s, 23 * 60000);
    script_end(&s, job, ROW_DONE, "Restore completed", "");
    job = script_start(&s, "start-copy");
    s.ui.message[0] = '\0';
    return job;
}

static void to_check(void)
{
    script_end(&s, to_replay(), ROW_DONE, "", "");
}

static void quiet(const char *name)
{
    s.ui.message[0] = '\0';
    golden_sizes(&s.ui, name);
    script_end_all(&s);
}

static void test_when_waits(void **state)
{
    (void)state;
    script_begin(&s);
    script_keys(&s, "r");
    script_wait(&s, 12000);
    quiet("when-waits");
}

static void test_when_xid(void **state)
{
    (void)state;
    to_when();
    script_moment(&s);
    quiet("when-xid");
}

static void test_when_stale(void **state)
{
    (void)state;
    to_when();
    script_moment(&s);
    script_keys(&s, "hh");
    quiet("when-stale");
}

/* A name that was given twice: the list says which is which, the answer where the name stops. */
static void test_when_twice(void **state)
{
    struct answer *a;
    struct point *p;

    (void)state;
    script_begin(&s);
    script_keys(&s, "r");
    script_wait(&s, 50);
    a = script_answer(&s, ASK_POINTS);
    p = ARENA_ARRAY(&a->arena, 2, struct point);
    p[0] = (struct point){POINT_RESTORE_POINT,
                          story_mark(story_us(22, 2, 58, 2), UINT64_C(0x4C91000100), 0, true),
                          3, "nightly"};
    p[1] = (struct point){POINT_RESTORE_POINT,
                          story_mark(story_us(22, 2, 41, 7), UINT64_C(0x4C87000100), 0, true),
                          3, "nightly"};
    a->points.point = p;
    a->points.points = 2;
    script_hand(&s, a);
    script_keys(&s, "@name nightly\n");
    script_wait(&s, 50);
    a = script_answer(&s, ASK_MOMENT);
    a->moment = (struct answer_moment){
        .can_restore = true,
        .sentence = "stops after xid 88119001 (22 Aug 02:41:06.911 +02), before xid 88119002, "
                    "1204 ms later",
        .hint = "'nightly' was made 2 times: by its name the server stops at that of 22 Aug "
                "02:41:07.000 +02. For that of 22 Aug 02:58:02.000 +02 choose it in the list, "
                "or type lsn 4C/91000100.",
        .backup_id = "20260822T020003",
        .tli = 3,
        .before =
            story_mark(story_us(22, 2, 41, 6) + 911000, UINT64_C(0x4C86FFFF00), 88119001, true),
        .stop =
            story_mark(story_us(22, 2, 41, 8) + 115000, UINT64_C(0x4C87000200), 88119002, true),
        .point = story_mark(story_us(22, 2, 41, 7), UINT64_C(0x4C87000100), 0, true)};
    script_hand(&s, a);
    quiet("when-twice");
}

static void test_when_hole(void **state)
{
    (void)state;
    to_when();
    script_keys(&s, "@2026-08-18 20:00 +02\n");
    script_wait(&s, 50);
    script_hole(&s);
    script_keys(&s, "0");
    script_wait(&s, 400);
    script_points(&s);
    quiet("when-hole");
}

static void test_when_failed(void **state)
{
    (void)state;
    to_when();
    script_fail(&s, ASK_MOMENT,
                "/srv/barman/orders-db1/wals/000000030000004C/000000030000004C00000080",
                "Input/output error", "Look at the disk; the file may be in another copy.");
    script_fail(&s, ASK_POINTS, "/srv/barman/orders-db1/wals", "Input/output error", "");
    quiet("when-failed");
}

static void test_when_no_offset(void **state)
{
    (void)state;
    to_when();
    script_moment(&s);
    script_keys(&s, "@2026-08-22 03:02:11\n");
    quiet("when-no-offset");
}

/* A moment of another day is longer: nothing is written over it. */
static void test_when_of_yesterday(void **state)
{
    (void)state;
    script_begin(&s);
    script_keys(&s, "r");
    script_wait(&s, 400);
    script_points(&s);
    script_moment(&s);
    model_now(&s.ui.model, s.ui.model.now_us + 24 * 3600 * US_PER_S, s.ui.model.now_ns);
    script_keys(&s, "j"); /* in row 1 the moment of the restore point is whole */
    script_wait(&s, 400);
    script_moment(&s);
    golden_draw(&s.ui, 80, 24, SYMBOLS_BLOCK, "when-yesterday");
    script_end_all(&s);
}

static void test_when_wrong(void **state)
{
    (void)state;
    to_when();
    script_moment(&s);
    script_keys(&s, "@half past ten\n");
    quiet("when-wrong");
}

static void test_where(void **state)
{
    (void)state;
    to_where();
    script_place(&s, "/usr/lib/postgresql/17/bin");
    quiet("where");
}

static void test_where_waits(void **state)
{
    (void)state;
    to_where();
    script_wait(&s, 7000);
    quiet("where-waits");
}

static void test_where_no_binaries(void **state)
{
    (void)state;
    to_where();
    script_place(&s, NULL);
    golden_sizes(&s.ui, "where-no-binaries");
    script_end_all(&s);
}

/* What was found is about the proposed directory: nothing is claimed about a typed one. */
static void test_where_typed_directory(void **state)
{
    struct grid *g = grid_new(80, 24, SYMBOLS_BLOCK);
    char text[64 * 1024];

    (void)state;
    to_where();
    script_place(&s, "/usr/lib/postgresql/17/bin");
    s.ui.message[0] = '\0';
    ui_draw(&s.ui, g);
    golden_print(g, text);
    assert_non_null(strstr(text, " free there"));
    script_keys(&s, "jjj ");
    script_key(&s, UI_CTRL('U'));
    script_keys(&s, "/mnt/small\n");
    grid_clear(g);
    ui_draw(&s.ui, g);
    golden_print(g, text);
    assert_null(strstr(text, " free there"));
    assert_non_null(strstr(text, "the plan looks at the room there"));
    grid_free(g);
    script_end_all(&s);
}

static void test_where_in_place(void **state)
{
    (void)state;
    to_where();
    script_place(&s, "/usr/lib/postgresql/17/bin");
    script_keys(&s, "j ");
    script_place(&s, "/usr/lib/postgresql/17/bin");
    quiet("where-in-place");
}

static void test_where_types(void **state)
{
    (void)state;
    to_where();
    script_place(&s, "/usr/lib/postgresql/17/bin");
    script_keys(&s, "jjj ");
    script_key(&s, UI_CTRL('U'));
    script_keys(&s, "relative\n");
    quiet("where-types");
}

static void test_plan(void **state)
{
    (void)state;
    to_plan();
    script_plan(&s, true);
    quiet("plan");
}

static void test_plan_evidence(void **state)
{
    (void)state;
    to_plan();
    script_plan(&s, true);
    script_keys(&s, "ejj");
    quiet("plan-evidence");
}

static void test_plan_waits(void **state)
{
    (void)state;
    to_plan();
    script_wait(&s, 30000);
    quiet("plan-waits");
}

static void test_plan_refused(void **state)
{
    (void)state;
    to_plan();
    script_plan(&s, false);
    golden_sizes(&s.ui, "plan-refused");
    script_end_all(&s);
}

static void test_plan_failed(void **state)
{
    (void)state;
    to_plan();
    script_fail(&s, ASK_PLAN, "/srv/barman/orders-db1/base", "Permission denied",
                "Run as the user that owns the repository.");
    quiet("plan-failed");
}

static void test_plan_in_place(void **state)
{
    (void)state;
    to_where();
    script_place(&s, "/usr/lib/postgresql/17/bin");
    script_keys(&s, "j ");
    script_place(&s, "/usr/lib/postgresql/17/bin");
    script_keys(&s, "\n");
    script_plan(&s, true);
    script_keys(&s, "\norders-d");
    quiet("plan-in-place");
}

static void test_run(void **state)
{
    uint32_t job = to_run();

    (void)state;
    script_wait(&s, 13 * 60000);
    script_say(&s, job, SAY_OUT,
               "Starting local restore for server orders-db1 using backup 20260822T020003");
    script_say(&s, job, SAY_OUT, "Destination directory: " STORY_DEST);
    script_say(&s, job, SAY_WARN, "a file of the backup was read twice: 'base/16402/24655'");
    script_say(&s, job, SAY_OUT, "Copying the base backup.");
    for (uint64_t i = 0; i < 30; i++) {
        script_progress(&s, job,
                        (struct progress){.done = UINT64_C(251255586816) + i,
                                          .total = UINT64_C(448833560000),
                                          .per_sec = UINT64_C(300000000) + i % 7 * 5000000,
                                          .phase = "copy",
                                          .what = "base/16402/24576.41"});
    }
    quiet("run");
}

static void test_run_starting(void **state)
{
    (void)state;
    to_plan();
    script_plan(&s, true);
    script_keys(&s, "\n");
    quiet("run-starting");
}

static void test_run_failed(void **state)
{
    (void)state;
    script_end(&s, to_run(), ROW_FAILED,
               "cannot write: '" STORY_DEST "/base/16402/24576.41': No space left on device",
               "Free space there, then run the same restore again.");
    quiet("run-failed");
}

static void test_run_died(void **state)
{
    (void)state;
    script_end(&s, to_run(), ROW_DIED, "", "");
    quiet("run-died");
}

static void test_run_replay(void **state)
{
    uint32_t job = to_replay();

    (void)state;
    script_wait(&s, 44000);
    for (uint64_t i = 0; i < 30; i++) {
        script_progress(&s, job,
                        (struct progress){.done = UINT64_C(2816000000) + i,
                                          .total = UINT64_C(3480000000),
                                          .per_sec = UINT64_C(64000000) + i % 5 * 4000000,
                                          .phase = "replay",
                                          .what = "replayed to 2026-08-22 02:51:07+02:00"});
    }
    script_say(&s, job, SAY_OUT, "starting point-in-time recovery to XID 88120441");
    quiet("run-replay");
}

static void test_run_copy_failed(void **state)
{
    (void)state;
    script_end(&s, to_replay(), ROW_FAILED,
               "cannot start the copy: '" STORY_DEST
               "': FATAL:  recovery ended before configured recovery target was reached",
               "Choose an earlier target.");
    quiet("run-copy-failed");
}

static void test_check(void **state)
{
    (void)state;
    to_check();
    script_copy(&s, COPY_PAUSED);
    script_compare(&s);
    quiet("check");
}

static void test_check_waits(void **state)
{
    (void)state;
    to_check();
    script_wait(&s, 4000);
    quiet("check-waits");
}

static void test_check_open(void **state)
{
    (void)state;
    to_check();
    script_copy(&s, COPY_OPEN);
    script_fail(&s, ASK_COMPARE, "orders-db1", "connection refused",
                "Is production up? The copy can be looked at with psql: o.");
    quiet("check-open");
}

static void test_check_failed(void **state)
{
    (void)state;
    to_check();
    script_copy(&s, COPY_FAILED);
    quiet("check-failed");
}

static void test_check_drop(void **state)
{
    (void)state;
    to_check();
    script_copy(&s, COPY_PAUSED);
    script_compare(&s);
    script_keys(&s, "Dorders-db2");
    quiet("check-drop");
}

static void test_check_in_place(void **state)
{
    (void)state;
    to_where();
    script_place(&s, "/usr/lib/postgresql/17/bin");
    script_keys(&s, "j ");
    script_place(&s, "/usr/lib/postgresql/17/bin");
    script_keys(&s, "\n");
    script_plan(&s, true);
    script_keys(&s, "\norders-db1\n");
    script_end(&s, script_start(&s, "restore"), ROW_DONE, "Restore completed", "");
    script_keys(&s, "\n");
    quiet("check-in-place");
}

static void test_check_files(void **state)
{
    uint32_t job;

    (void)state;
    to_where();
    script_place(&s, NULL);
    script_keys(&s, "\n");
    script_plan(&s, true);
    script_keys(&s, "\n");
    job = script_start(&s, "restore");
    script_end(&s, job, ROW_DONE, "Restore completed", "");
    script_keys(&s, "\n");
    quiet("check-files");
}

TEST_MAIN(ONE(test_when_waits); ONE(test_when_xid); ONE(test_when_stale); ONE(test_when_twice);
          ONE(test_when_hole); ONE(test_when_failed); ONE(test_when_no_offset);
          ONE(test_when_of_yesterday); ONE(test_when_wrong); ONE(test_where);
          ONE(test_where_waits); ONE(test_where_no_binaries); ONE(test_where_typed_directory);
          ONE(test_where_in_place); ONE(test_where_types); ONE(test_plan);
          ONE(test_plan_evidence); ONE(test_plan_waits); ONE(test_plan_refused);
          ONE(test_plan_failed); ONE(test_plan_in_place); ONE(test_run); ONE(test_run_starting);
          ONE(test_run_failed); ONE(test_run_died); ONE(test_run_replay);
          ONE(test_run_copy_failed); ONE(test_check); ONE(test_check_waits);
          ONE(test_check_open); ONE(test_check_failed); ONE(test_check_drop);
          ONE(test_check_in_place); ONE(test_check_files))
