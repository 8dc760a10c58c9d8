/* SPDX-License-Identifier: PostgreSQL */
#include "plan/restore.h"

#include "harness.h"

/* As many tablespaces as somebody may have: nothing that refuses is lost. */
static void more_than_fit(void **state)
{
    static struct restore_checks checks;

    (void)state;
    for (int i = 0; i < RESTORE_CHECKS_MAX + 10; i++) {
        restore_check_add(&checks, "destination", VERDICT_OK, "free", "");
    }
    restore_check_add(&checks, "destination", VERDICT_REFUSED, "taken", "Leave.");
    restore_check_add(&checks, "space", VERDICT_OK, "room", "");
    assert_int_equal(checks.n, RESTORE_CHECKS_MAX);
    assert_int_equal(checks.refused, 1);
    assert_string_equal(checks.check[RESTORE_CHECKS_MAX - 1].sentence, "taken");
    assert_string_equal(checks.check[RESTORE_CHECKS_MAX - 2].sentence, "free");
}

/* A tablespace that the WAL creates, twice in the same place. */
static const struct row {
    const char *label;
    enum made_state state;
    enum verdict verdict;
    const char *sentence, *hint; /* NULL: nothing is said */
} rows[] = {
    {"row 58: where it is placed", MADE_PLACED, VERDICT_OK, NULL, NULL},
    {"row 58: in an empty directory", MADE_FREE, VERDICT_WARN,
     "tablespace 16390 is created in the WAL, at LSN 0/3000: PostgreSQL will put it into "
     "'/slow/live'",
     ""},
    {"row 58: nowhere", MADE_ABSENT, VERDICT_WARN, "is not there", "Make that directory"},
    {"row 58: where another is", MADE_TAKEN, VERDICT_REFUSED,
     "would write into '/slow/live', where 'PG_15_202209061' is", "--target-lsn 0/3000"},
};

static void made_in_wal(void **state)
{
    const struct row *row = *state;
    const struct restore_made made[] = {
        {16389, "/slow/live", 0x2000, MADE_PLACED, ""},
        {16390, "/slow/live", 0x3000, row->state, "PG_15_202209061"},
        {16391, "/slow/live", 0x4000, row->state, "PG_15_202209061"},
    };
    const struct backup backup = {.id = "20261120T000000", .status = BACKUP_DONE};
    const struct target target = {.kind = TARGET_END};
    const struct restore_facts facts = {
        .backup = &backup, .choice = "asked for", .target = &target, .made = made, .mades = 3};
    static struct restore_checks checks;
    struct arena a;

    arena_init(&a, 0);
    checks.n = checks.refused = 0;
    assert_int_equal(restore_judge(&a, &facts, &checks), row->verdict != VERDICT_REFUSED);
    assert_int_equal(checks.n, row->sentence ? 2 : 1); /* the first is about the backup */
    if (row->sentence) {
        assert_int_equal(checks.check[1].verdict, row->verdict);
        assert_non_null(strstr(checks.check[1].sentence, row->sentence));
        assert_non_null(strstr(checks.check[1].hint, row->hint));
    }
    arena_release(&a);
}

/* What is streamed from a PostgreSQL after 12 has a manifest. */
static const struct listed {
    const char *label;
    const char *mode;
    int version;
    bool no_manifest;
    bool told;
} listed[] = {
    {"a manifest", "postgres", 150004, false, false},
    {"it is lost", "postgres", 130000, true, true},
    {"rsync makes none", "rsync", 150004, true, false},
    {"PostgreSQL 12 makes none", "postgres", 120022, true, false},
};

static void lost_manifest(void **state)
{
    const struct listed *row = *state;
    const struct backup backup = {.id = "20261120T000000",
                                  .status = BACKUP_DONE,
                                  .mode = row->mode,
                                  .version = row->version};
    const struct target target = {.kind = TARGET_END};
    const struct restore_facts facts = {.backup = &backup,
                                        .choice = "asked for",
                                        .target = &target,
                                        .no_manifest = row->no_manifest};
    static struct restore_checks checks;
    struct arena a;

    arena_init(&a, 0);
    checks.n = checks.refused = 0;
    assert_true(restore_judge(&a, &facts, &checks));
    assert_int_equal(checks.n, row->told ? 2 : 1);
    if (row->told) {
        assert_int_equal(checks.check[1].verdict, VERDICT_WARN);
        assert_non_null(strstr(checks.check[1].sentence, "lost its backup_manifest"));
    }
    arena_release(&a);
}

/* WAL that cannot be decrypted is not called damaged. */
static void locked_wal(void **state)
{
    const struct backup backup = {.id = "20261120T000000", .status = BACKUP_DONE};
    const struct target target = {.kind = TARGET_END};
    const struct wal_evidence wal = {
        .watch = {.begin = 0x1000, .consistent = 0x1100, .end = 0x10FF},
        .fault = WAL_LOCKED,
        .where = "000000010000000000000009",
        .why = "no key",
    };
    const struct restore_facts facts = {
        .backup = &backup, .choice = "asked for", .target = &target, .line = 1, .wal = &wal};
    static struct restore_checks checks;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    assert_false(restore_judge(&a, &facts, &checks));
    assert_non_null(strstr(checks.check[1].sentence,
                           "segment 000000010000000000000009 cannot be decrypted: no key"));
    assert_non_null(strstr(checks.check[1].hint, "Bring the key"));
    arena_release(&a);
}

TEST_MAIN(ONE(more_than_fit), ROWS(rows, made_in_wal), ROWS(listed, lost_manifest),
          ONE(locked_wal))
