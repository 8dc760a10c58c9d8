/* SPDX-License-Identifier: PostgreSQL */
/* A backup as a document: what Barman's to_json() gives of the same backup.info, but for the
 * fields that are not set here. */
#include "batch/backup_doc.h"

#include "harness.h"

#include <stdlib.h>
#include <time.h>

/* 2026-11-22 13:43:59.813183+01:00 is 12:43:59.813183 UTC. */
#define END_US INT64_C(1795351439813183)

static const struct tablespace space[] = {{"tbs1", 16384, "/srv/tbs1"}};

static const char *text_of(struct arena *a, const struct backup *b, enum backup_dates dates)
{
    struct doc *d = doc_new(a);
    const char *text;

    backup_doc(d, a, b, dates);
    text = doc_string(d, 0, a);
    assert_non_null(text);
    return text;
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        assert_string_equal(text, part);
    }
}

static void all_fields(void **state)
{
    struct backup b = {
        .id = "20261122T134344",
        .backup_label = "START\n'x'\n",
        .backup_name = "n",
        .begin_offset = 40,
        .begin_time = {END_US - END_US % 1000000, 3600, true},
        .end_time = {END_US, 3600, true},
        .begin_wal = "000000010000000000000004",
        .end_wal = "000000010000000000000004",
        .begin_xlog = 0x4000028,
        .end_xlog = 0x4000000,
        .children_backup_ids = "a,b",
        .copy_stats = "{'copy_time': 1.5}",
        .included_files = "['/a']",
        .snapshots_info = "{'provider': 'aws'}",
        .mode = "postgres",
        .size = 5,
        .status = BACKUP_DONE,
        .tablespace = space,
        .tablespaces = 1,
        .timeline = 1,
        .version = 150018,
        .xlog_segment_size = 16777216,
    };
    struct arena a;
    const char *text;

    (void)state;
    setenv("TZ", "UTC-2", 1);
    tzset();
    arena_init(&a, 0);
    text = text_of(&a, &b, DATES_CTIME);
    has(text, "\"backup_id\": \"20261122T134344\"");
    has(text, "\"backup_label\": \"\\\"START\\\\n'x'\\\\n\\\"\"");
    has(text, "\"begin_offset\": 40");
    has(text, "\"end_offset\": 0"); /* known, since end_wal is */
    has(text, "\"begin_time\": \"Sun Nov 22 13:43:59 2026\"");
    has(text, "\"begin_time_iso\": \"2026-11-22T13:43:59+01:00\"");
    has(text, "\"end_time_iso\": \"2026-11-22T13:43:59.813183+01:00\"");
    has(text, "\"begin_xlog\": \"0/4000028\"");
    has(text, "\"children_backup_ids\": \"a,b\"");
    has(text, "\"copy_stats\": {\"copy_time\": 1.5}");
    has(text, "\"included_files\": [\"/a\"]");
    has(text, "\"snapshots_info\": {\"provider\": \"aws\"}");
    has(text, "\"size\": 5");
    has(text, "\"status\": \"DONE\"");
    has(text, "\"tablespaces\": [[\"tbs1\", 16384, \"/srv/tbs1\"]]");
    has(text, "\"version\": 150018");
    text = text_of(&a, &b, DATES_ISO);
    has(text, "\"end_time\": \"2026-11-22T14:43:59.813183+02:00\"");
    assert_null(strstr(text, "_iso"));
    arena_release(&a);
}

static void nothing_known(void **state)
{
    struct backup b = {.id = "20261122T134344"};
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    assert_string_equal(
        text_of(&a, &b, DATES_CTIME),
        "{\"backup_id\": \"20261122T134344\", \"backup_label\": null, \"begin_offset\": null, "
        "\"begin_time\": null, \"begin_wal\": null, \"begin_xlog\": null, "
        "\"children_backup_ids\": null, \"cluster_size\": null, \"compression\": null, "
        "\"config_file\": null, \"copy_stats\": null, \"data_checksums\": null, "
        "\"deduplicated_size\": null, \"encryption\": null, \"end_offset\": null, "
        "\"end_time\": null, \"end_wal\": null, \"end_xlog\": null, \"error\": null, "
        "\"hba_file\": null, \"ident_file\": null, \"included_files\": null, \"mode\": null, "
        "\"parent_backup_id\": null, \"pgdata\": null, \"server_name\": null, "
        "\"size\": null, \"status\": \"EMPTY\", \"summarize_wal\": null, "
        "\"systemid\": null, \"tablespaces\": null, \"timeline\": null, \"version\": null, "
        "\"xlog_segment_size\": null}");
    arena_release(&a);
}

TEST_MAIN(ONE(all_fields), ONE(nothing_known))
