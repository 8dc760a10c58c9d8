/* SPDX-License-Identifier: PostgreSQL */
/* A real pg_control of PostgreSQL 15; the expected values are pg_controldata's
 * (pg_control.txt). The 18 one is the same with its version changed and its checksum moved. */
#include "wal/control.h"

#include "base/crc32c.h"
#include "base/get.h"
#include "core/wal/data.h"
#include "harness.h"

#include <stdlib.h>

static uint8_t file[CONTROL_FILE_SIZE];
static char words[8192];

static void load(void)
{
    assert_int_equal(data_read("pg_control", file, sizeof file), sizeof file);
    words[data_read("pg_control.txt", words, sizeof words - 1)] = '\0';
}

/* What pg_controldata printed behind "key:". */
static const char *word(const char *key)
{
    const char *p = strstr(words, key);

    assert_non_null(p);
    p += strlen(key);
    return p + strspn(p, ": \t");
}

static void sum_up(size_t at)
{
    put_le32(file + at, crc32c_end(crc32c_feed_table(CRC32C_START, file, at)));
}

static uint64_t number(const char *key)
{
    return strtoull(word(key), NULL, 10);
}

static void as_pg_controldata_says(void **state)
{
    struct control c;
    struct err err = {0};
    char lsn[64];

    (void)state;
    load();
    assert_true(control_parse(file, sizeof file, "pg_control", &c, &err));
    assert_int_equal(c.sysid, number("Database system identifier"));
    assert_int_equal(c.version, number("pg_control version number"));
    assert_int_equal(c.cat_version, number("Catalog version number"));
    assert_int_equal(c.major, 15);
    assert_int_equal(c.state, CONTROL_SHUTDOWNED);
    assert_int_equal(strncmp(word("Database cluster state"), control_state_text(c.state),
                             strlen(control_state_text(c.state))),
                     0);
    snprintf(lsn, sizeof lsn, "0/%X\n", (unsigned)c.checkpoint);
    assert_int_equal(strncmp(word("Latest checkpoint location"), lsn, strlen(lsn)), 0);
    snprintf(lsn, sizeof lsn, "0/%X\n", (unsigned)c.checkpoint_copy.redo);
    assert_int_equal(strncmp(word("REDO location"), lsn, strlen(lsn)), 0);
    assert_int_equal(c.checkpoint_copy.tli, number("checkpoint's TimeLineID"));
    assert_int_equal(c.checkpoint_copy.next_oid, number("checkpoint's NextOID"));
    assert_int_equal(c.checkpoint_copy.oldest_xid, number("checkpoint's oldestXID"));
    assert_int_equal(c.min_recovery, 0);
    assert_int_equal(c.settings.wal_level, 1);
    assert_int_equal(c.settings.max_connections, number("max_connections setting"));
    assert_int_equal(c.settings.max_worker_processes, number("max_worker_processes setting"));
    assert_int_equal(c.settings.max_wal_senders, number("max_wal_senders setting"));
    assert_int_equal(c.settings.max_prepared_xacts, 5);
    assert_int_equal(c.settings.max_locks_per_xact, number("max_locks_per_xact setting"));
    assert_int_equal(c.blcksz, number("Database block size"));
    assert_int_equal(c.relseg_size, number("Blocks per segment of large relation"));
    assert_int_equal(c.xlog_blcksz, number("WAL block size"));
    assert_int_equal(c.xlog_seg_size, number("Bytes per WAL segment"));
    assert_int_equal(c.data_checksums, number("Data page checksum version"));
    assert_false(c.wal_log_hints || c.track_commit_timestamp || c.backup_end_required);
}

static const struct row {
    const char *label;
    size_t at;
    int n;
    uint32_t value;
    size_t sum_at; /* where a new checksum is put; 0: none */
    size_t size;   /* 0: all */
    const char *why;
} rows[] = {
    {"not changed", 0, 0, 0, 0, 0, NULL},
    {"least bytes", 0, 0, 0, 0, CONTROL_READ_MIN, NULL},
    {"version 1700", 8, 4, 1700, 288, 0, NULL},
    {"beta of 13 to 16", 12, 4, 202209060, 288, 0, NULL},
    {"version 1800", 8, 4, 1800, 292, 0, NULL},
    {"cut", 0, 0, 0, 0, CONTROL_READ_MIN - 1, "only 295 bytes"},
    {"empty", 0, 0, 0, 0, 1, "only 1 bytes"},
    {"version of 12", 8, 4, 1201, 288, 0, "version 1201"},
    {"version of 19", 8, 4, 1902, 292, 0, "version 1902"},
    {"version 0", 8, 4, 0, 288, 0, "version 0"},
    {"big endian", 8, 4, 0x14050000, 288, 0, "big-endian"},
    {"changed system id", 0, 4, 1, 0, 0, "wrong checksum"},
    {"changed checksum", 288, 4, 1, 0, 0, "wrong checksum"},
    {"checksum at the place of 13", 8, 4, 1800, 288, 0, "wrong checksum"},
    {"page size 0", 216, 4, 0, 288, 0, "impossible sizes"},
    {"page size 9000", 216, 4, 9000, 288, 0, "impossible sizes"},
    {"WAL page 3", 224, 4, 3, 288, 0, "impossible sizes"},
    {"segment size 0", 228, 4, 0, 288, 0, "impossible sizes"},
    {"files of no page", 220, 4, 0, 288, 0, "impossible sizes"},
    {"state 7", 16, 4, 7, 288, 0, "impossible state 7"},
    {"state -1", 16, 4, UINT32_MAX, 288, 0, "impossible state"},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    struct control c;
    struct err err = {0};

    load();
    if (r->n) {
        put_le32(file + r->at, r->value);
    }
    if (r->sum_at) {
        sum_up(r->sum_at);
    }
    assert_int_equal(
        control_parse(file, r->size ? r->size : sizeof file, "/data/pg_control", &c, &err),
        r->why == NULL);
    if (r->why) {
        assert_int_equal(err.code, ERR_FORMAT);
        assert_string_equal(err.what, "/data/pg_control");
        assert_non_null(strstr(err.why, r->why));
        assert_true(err.hint[0] != '\0');
    } else {
        assert_int_equal(c.major, c.version != 1300 ? (int)c.version / 100 : r->n ? 0 : 15);
        assert_int_equal(c.xlog_seg_size, 1048576);
    }
}

static void catalogues(void **state)
{
    (void)state;
    assert_int_equal(control_major_of_catalog(202007201), 13);
    assert_int_equal(control_major_of_catalog(202107181), 14);
    assert_int_equal(control_major_of_catalog(202307071), 16);
    assert_int_equal(control_major_of_catalog(202406281), 17);
    assert_int_equal(control_major_of_catalog(202506291), 18);
    assert_int_equal(control_major_of_catalog(1), 0);
}

TEST_MAIN(ONE(as_pg_controldata_says), ROWS(rows, check_row), ONE(catalogues))
