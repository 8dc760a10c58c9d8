/* SPDX-License-Identifier: PostgreSQL */
#include "barkeep/snapshot.h"

#include "barkeep/ask.h"
#include "barkeep/jobs.h"
#include "barkeep/road.h"
#include "harness.h"

#include <stdlib.h>

/* ---- the words: four columns, exactly as the console's page says ---------------------- */

struct word_row {
    const char *label;
    enum light light;
    const char *want;
};
static const struct word_row words[] = {
    {"fail is the worst", LIGHT_FAIL, "FAIL"},
    {"not known is not ok", LIGHT_UNKNOWN, "????"},
    {"warn", LIGHT_WARN, "WARN"},
    {"run keeps its width", LIGHT_RUN, "RUN "},
    {"wait keeps its width", LIGHT_WAIT, "... "},
    {"ok keeps its width", LIGHT_OK, "OK  "},
    {"a light that is none", (enum light)99, "????"},
};
static void test_word(void **state)
{
    const struct word_row *row = *state;

    assert_string_equal(light_word(row->light), row->want);
}

/* ---- the newest stretch: '<' main, other: abandoned; a letter names it ------------------ */

struct newest_row {
    const char *label;
    struct stretch stretch[3];
    size_t n;
    const char *want; /* backup id; NULL: none */
};
static const struct newest_row newests[] = {
    {"none at all", {{0}}, 0, NULL},
    {"only an abandoned one", {{.to.lsn = 9, .backup_id = "a"}}, 1, NULL},
    {"the one that ends last",
     {{.is_main = true, .to.lsn = 9, .backup_id = "a"},
      {.is_main = true, .to.lsn = 7, .backup_id = "b"}},
     2,
     "a"},
    {"an abandoned one ends later",
     {{.is_main = true, .to.lsn = 5, .backup_id = "a"}, {.to.lsn = 7, .backup_id = "b"}},
     2,
     "a"},
    {"of two that end together the later",
     {{.is_main = true, .to.lsn = 5, .backup_id = "a"},
      {.is_main = true, .to.lsn = 5, .backup_id = "b"}},
     2,
     "b"},
};
static void test_newest(void **state)
{
    const struct newest_row *row = *state;
    struct coverage c = {.stretch = row->stretch, .stretches = row->n};
    struct snapshot s = {.coverage = &c};
    const struct stretch *got = snapshot_newest_stretch(&s);

    assert_int_equal(got != NULL, row->want != NULL);
    if (got) {
        assert_string_equal(got->backup_id, row->want);
    }
}

static void test_newest_without_coverage(void **state)
{
    struct snapshot s = {0};

    (void)state;
    assert_null(snapshot_newest_stretch(&s));
}

/* ---- the good backup -------------------------------------------------------------------- */

struct good_row {
    const char *label;
    enum backup_status status[3]; /* newest first */
    size_t n;
    int want; /* -1: none */
};
static const struct good_row goods[] = {
    {"no backup", {0}, 0, -1},
    {"only a failed one", {BACKUP_FAILED}, 1, -1},
    {"only one that runs", {BACKUP_STARTED}, 1, -1},
    {"only an empty one", {BACKUP_EMPTY}, 1, -1},
    {"only one that is synced from elsewhere", {BACKUP_SYNCING}, 1, -1},
    {"waiting for WAL has its copy", {BACKUP_WAITING_FOR_WALS, BACKUP_DONE}, 2, 0},
    {"behind a failed and a running one", {BACKUP_STARTED, BACKUP_FAILED, BACKUP_DONE}, 3, 2},
};
static void test_good(void **state)
{
    const struct good_row *row = *state;
    struct backup_row backup[3] = {0};
    struct snapshot s = {.backup = backup, .backups = row->n};
    const struct backup_row *want = row->want < 0 ? NULL : &backup[row->want];

    for (size_t i = 0; i < row->n; i++) {
        backup[i].status = row->status[i];
    }
    assert_ptr_equal(snapshot_good_backup(&s), want);
}

/* ---- what is given back (under the address sanitizer: all of it) ------------------------ */

static void test_all_is_given_back(void **state)
{
    struct snapshot *s = snapshot_new();
    struct answer *a = calloc(1, sizeof *a);
    struct job_table *t = calloc(1, sizeof *t);
    struct ask one = {.kind = ASK_PLAN, .ticket = 7, .table = {"public.orders"}, .tables = 1};
    struct ask *copy = ask_new(&one);

    (void)state;
    assert_non_null(s);
    assert_non_null(a);
    assert_non_null(t);
    assert_non_null(copy);
    one.ticket = 8;
    assert_int_equal(copy->ticket, 7);
    assert_string_equal(copy->table[0], "public.orders");
    assert_non_null(arena_strdup(&s->arena, "text"));
    assert_non_null(arena_strdup(&a->arena, "text"));
    assert_non_null(arena_strdup(&t->arena, "text"));
    snapshot_free(s);
    answer_free(a);
    job_table_free(t);
    ask_free(copy);
    snapshot_free(NULL);
    answer_free(NULL);
    job_table_free(NULL);
    ask_free(NULL);
}

TEST_MAIN(ROWS(words, test_word), ROWS(newests, test_newest), ONE(test_newest_without_coverage),
          ROWS(goods, test_good), ONE(test_all_is_given_back))
