/* SPDX-License-Identifier: PostgreSQL */
#include "engine/kept_tree.h"
#include "engine/path_set.h"

#include "harness.h"

#include <stdio.h>

static const struct row {
    const char *label; /* and the path */
    enum tree_fate fate;
} rows[] = {
    {"PG_VERSION", TREE_COPY},
    {"base/5/1259", TREE_COPY},
    {"global/pg_control", TREE_LAST},
    {"base/global/pg_control", TREE_COPY},
    {"backup_label", TREE_LAST},
    {"backup_label.old", TREE_COPY},
    {"backup_manifest", TREE_SKIP},
    {"postmaster.pid", TREE_SKIP},
    {"base/postmaster.pid", TREE_COPY},
    {"standby.signal", TREE_SKIP},
    {"recovery.signal", TREE_SKIP},
    {"tablespace_map", TREE_SKIP},
    {"recovery.conf", TREE_SKIP},
    {".barman-recover.info", TREE_SKIP},
    {"base/.barman-recover.info", TREE_COPY},
    {"barman_wal", TREE_EMPTY},
    {"barman_wal/000000010000000000000001", TREE_SKIP},
    {"barman_wal2/x", TREE_COPY},
    {"pg_wal", TREE_EMPTY},
    {"pg_wal/archive_status", TREE_SKIP},
    {"pg_wal/000000010000000000000001", TREE_SKIP},
    {"pg_wal2/x", TREE_COPY},
    {"pg_replslot/slot/state", TREE_SKIP},
    {"pg_stat", TREE_COPY},
    {"pg_stat_tmp", TREE_EMPTY},
    {"global/pg_internal.init", TREE_SKIP},
    {"base/pgsql_tmp/pgsql_tmp4711.0", TREE_SKIP},
    {"pg_tblspc/16384/PG_15_202209061/5/16385", TREE_COPY},
};

static void fate(void **state)
{
    const struct row *r = *state;

    assert_int_equal(kept_tree_fate(r->label), r->fate);
}

static const struct place {
    const char *label; /* and the path */
    size_t space;
    const char *rest;
} places[] = {
    {"base/5/1259", 0, "base/5/1259"},
    {"pg_tblspc/16384/PG_15/x", 1, "PG_15/x"},
    {"pg_tblspc/16384", 1, ""},
    {"pg_tblspc/16385/x", 0, "pg_tblspc/16385/x"},
    {"pg_tblspc/163840/x", 0, "pg_tblspc/163840/x"},
    {"pg_tblspc/16384x/y", 0, "pg_tblspc/16384x/y"},
    {"pg_tblspc/-1/y", 0, "pg_tblspc/-1/y"},
    {"pg_tblspc/4294967297/y", 0, "pg_tblspc/4294967297/y"},
};

static void placed(void **state)
{
    const struct place *p = *state;
    struct tree_space space[2] = {{.oid = 0}, {.oid = 16384}};
    struct kept_tree t = {.space = space, .spaces = 2};
    const char *rest;

    assert_int_equal(kept_tree_space(&t, p->label, &rest) - space, p->space);
    assert_string_equal(rest, p->rest);
}

static void set_of_many(void **state)
{
    struct err err = {0};
    struct path_set *s = path_set_new(&err);
    char path[64];
    bool fresh;

    (void)state;
    assert_non_null(s);
    for (int i = 0; i < 20000; i++) {
        snprintf(path, sizeof path, "base/5/%d", i);
        assert_true(path_set_add(s, path, &fresh, &err));
        assert_true(fresh);
    }
    for (int i = 0; i < 20000; i++) {
        snprintf(path, sizeof path, "base/5/%d", i);
        assert_true(path_set_has(s, path));
        snprintf(path, sizeof path, "base/6/%d", i);
        assert_false(path_set_has(s, path));
    }
    assert_true(path_set_add(s, "base/5/7", &fresh, &err));
    assert_false(fresh);
    path_set_free(s);
}

TEST_MAIN(ROWS(rows, fate); ROWS(places, placed); ONE(set_of_many))
