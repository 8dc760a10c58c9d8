/* SPDX-License-Identifier: PostgreSQL */
/* The rows of status that need no server; conninfo is not set, so nobody is asked. */
#include "check_lines.h"

#include "engine/status.h"

#define A "20251228T000000"
#define B "20251230T000000"
#define C "20251231T000000"

static void backup(struct checked *k, const char *id, enum backup_status status,
                   const char *parent)
{
    struct backup b = {.id = "",
                       .status = status,
                       .timeline = 1,
                       .parent_backup_id = parent,
                       .xlog_segment_size = FX_SEG};
    struct err err;

    str_copy(b.id, sizeof b.id, id);
    assert_true(backup_info_save(&k->f.r, &b, &err));
    assert_true(dir_make(fx_fmt("%s/%s/data", k->f.r.base_dir, b.id), &err));
}

static void as_it_is(struct checked *k)
{
    (void)k;
}
static void described(struct checked *k)
{
    k->srv.description = "the orders";
}
static void inactive(struct checked *k)
{
    k->srv.active = false;
}
static void disabled(struct checked *k)
{
    k->srv.disabled = true;
}
static void modelled(struct checked *k)
{
    k->srv.active_model = "dc2";
}
static void passive(struct checked *k)
{
    k->srv.primary_ssh_command = "ssh b";
}
static void policy(struct checked *k)
{
    k->srv.retention_policy = "Redundancy  03";
}
static void window(struct checked *k)
{
    k->srv.retention_policy = "recovery window of 1 month";
}
static void terms(struct checked *k)
{
    k->srv.retention_policy = "keep 2 yearly, 7 daily";
    k->srv.wal_retention_policy = "recovery window of 10 days";
}
static void bad_policy(struct checked *k)
{
    k->srv.retention_policy = "secret words";
}
static void three(struct checked *k)
{
    backup(k, A, BACKUP_DONE, NULL);
    backup(k, B, BACKUP_DONE, A);
    backup(k, C, BACKUP_WAITING_FOR_WALS, NULL);
    k->srv.minimum_redundancy = 2;
}
static void failed_last(struct checked *k)
{
    backup(k, A, BACKUP_DONE, NULL);
    backup(k, B, BACKUP_FAILED, NULL);
    k->srv.minimum_redundancy = 1;
}

static void files_lost(struct checked *k)
{
    struct err err;

    failed_last(k);
    assert_true(tree_remove(fx_fmt("%s/" A, k->f.r.base_dir), &err));
}

static const struct row {
    const char *label;
    void (*change)(struct checked *k);
    const char *key, *want; /* want NULL: there is no such row */
} rows[] = {
    {"no description", as_it_is, "description", NULL},
    {"description", described, "description", "the orders"},
    {"active", as_it_is, "active", "True"},
    {"not active", inactive, "active", "False"},
    {"not disabled", as_it_is, "disabled", "False"},
    {"disabled", disabled, "disabled", "True"},
    {"no model", as_it_is, "active_model", "None"},
    {"model", modelled, "active_model", "dc2"},
    {"no answer", as_it_is, "pg_version", "FAILED trying to get PostgreSQL version"},
    {"nothing more without one", as_it_is, "is_in_recovery", NULL},
    {"passive", passive, "passive_node", "True"},
    {"a passive node asks nobody", passive, "pg_version", NULL},
    {"its way to the primary", passive, "primary_ssh_command", "ssh b"},
    {"no way", as_it_is, "primary_ssh_command", NULL},
    {"no policy", as_it_is, "retention_policies", "not enforced"},
    {"redundancy", policy, "retention_policies",
     "enforced (mode: auto, retention: REDUNDANCY 3, WAL retention: MAIN)"},
    {"window", window, "retention_policies",
     "enforced (mode: auto, retention: RECOVERY WINDOW OF 1 MONTHS, WAL retention: MAIN)"},
    {"terms, and WAL of its own", terms, "retention_policies",
     "enforced (mode: auto, retention: KEEP 7 DAILY, 2 YEARLY, WAL retention: RECOVERY WINDOW "
     "OF 10 DAYS)"},
    {"bad policy", bad_policy, "retention_policies",
     "not enforced (not a retention policy: it must begin with REDUNDANCY, RECOVERY WINDOW OF "
     "or KEEP)"},
    {"no backup", as_it_is, "backups_number", "0"},
    {"no first", as_it_is, "first_backup", "None"},
    {"no last", as_it_is, "last_backup", "None"},
    {"only DONE counts", three, "backups_number", "2"},
    {"first", three, "first_backup", A},
    {"the last may wait for WAL", three, "last_backup", C},
    {"the last is no failed one", failed_last, "last_backup", A},
    {"an incremental is not enough", three, "minimum_redundancy", "FAILED (1/2)"},
    {"one without its files is not enough", files_lost, "minimum_redundancy", "FAILED (0/1)"},
    {"enough", failed_last, "minimum_redundancy", "satisfied (1/1)"},
    {"nothing is wanted", as_it_is, "minimum_redundancy", "satisfied (0/0)"},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    const char *got = NULL;
    struct status out;
    struct checked k;
    struct err err;

    checked_init(&k);
    k.srv.conninfo = NULL;
    row->change(&k);
    assert_true(status_read(&k.said.t, &k.f.r, &k.srv, &k.a, &out, &err));
    for (size_t i = 0; i < out.n; i++) {
        if (strcmp(out.row[i].key, row->key) == 0) {
            assert_null(got);
            got = out.row[i].value;
        }
    }
    if (row->want) {
        assert_non_null(got);
        assert_string_equal(got, row->want);
    } else {
        assert_null(got);
    }
    checked_release(&k);
}

TEST_MAIN(ROWS(rows, check_row))
