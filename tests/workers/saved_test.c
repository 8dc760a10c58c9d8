/* SPDX-License-Identifier: PostgreSQL */
/* What was seen, as text and back; and everything that is not such a text. */
#include "workers/saved.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#define LIVE "live\n"
#define NAME "server\tname=a\n"

static const struct refused_row {
    const char *label;
    const char *entry;
    const char *why;
} refused[] = {
    {"nothing", "", "missing"},
    {"no server line", LIVE, "missing"},
    {"no live line", NAME, "missing"},
    {"no name", "server\n" LIVE, "without a name"},
    {"empty name", "server\tname=\n" LIVE, "empty"},
    {"two servers", NAME NAME LIVE, "too many"},
    {"unknown line", NAME LIVE "dead\n", "unknown line"},
    {"empty line", NAME LIVE "\n", "unknown line"},
    {"unknown key", "server\tname=a\tcolour=red\n" LIVE, "unknown key"},
    {"key twice", "server\tname=a\tname=b\n" LIVE, "unknown key"},
    {"keys out of order", "server\tmade=1\tname=a\n" LIVE, "unknown key"},
    {"no equals sign", "server\tname\n" LIVE, "unknown key"},
    {"TAB at the end", "server\tname=a\t\n" LIVE, "unknown key"},
    {"a light that is none", "server\tname=a\tlight=6\n" LIVE, "number"},
    {"a bool of two", NAME "live\tin_recovery=2\n", "number"},
    {"a timeline too large", NAME "live\ttli=4294967296\n", "number"},
    {"a version too large", NAME "live\tversion=2147483648\n", "number"},
    {"a sign that is not allowed", NAME "live\tlsn=-1\n", "number"},
    {"a blank before a number", NAME "live\tlsn= 1\n", "number"},
    {"hexadecimal", NAME "live\tlsn=0x1\n", "number"},
    {"time too large", NAME "live\tanswered=9223372036854775808\n", "number"},
    {"id too long", NAME LIVE "backup\tid=20261122T1343590\n", "too long"},
    {"stretch without coverage", NAME LIVE "stretch\ttli=1\n", "missing"},
    {"two coverages", NAME LIVE "coverage\ncoverage\n", "too many"},
};

static void is_refused(void **state)
{
    const struct refused_row *r = *state;
    struct err err = {0};

    assert_null(saved_snapshot(str_of(r->entry), &err));
    assert_int_equal(err.code, ERR_FORMAT);
    if (!strstr(err.why, r->why)) {
        fail_msg("'%s', not '%s'", err.why, r->why);
    }
}

static void a_nul_is_refused(void **state)
{
    static const char text[] = "server\tname=a\0b\nlive\n";
    struct err err = {0};

    (void)state;
    assert_null(saved_snapshot(str_n(text, sizeof text - 1), &err));
    assert_int_equal(err.code, ERR_FORMAT);
}

static void too_many_backups(void **state)
{
    char text[4096];
    struct err err = {0};
    struct sbuf b;
    struct snapshot *s;

    (void)state;
    sbuf_init(&b, text, sizeof text);
    sbuf_add(&b, NAME LIVE);
    for (int i = 0; i < SAVED_BACKUPS; i++) {
        sbuf_add(&b, "backup\tid=20261122T134359\n");
    }
    s = saved_snapshot(str_of(text), &err);
    assert_non_null(s);
    assert_int_equal(s->backups, SAVED_BACKUPS);
    snapshot_free(s);
    sbuf_add(&b, "backup\tid=20261122T134359\n");
    assert_null(saved_snapshot(str_of(text), &err));
}

/* ---- there and back ---- */

static const struct backup_row backups[] = {
    {.id = "20261122T134359",
     .name = "weekly \t\x1b[31m=x", /* TAB and ESC must not get through */
     .status = BACKUP_DONE,
     .type = BACKUP_INCREMENTAL,
     .begin = {1795347839813183, -12600, true},
     .end = {1795347900000000, 7200, true},
     .begin_lsn = 0xFFFFFFFFFFFFFFFF,
     .tli = 3,
     .version = 150018,
     .size = UINT64_C(1) << 40,
     .took_s = 60.25,
     .keep = ROW_KEEP_FULL,
     .retention = "OBSOLETE*",
     .is_corrupt = true},
    {.id = "20261121T134359", .status = BACKUP_FAILED, .error = "disk full"},
};
static const struct stretch stretches[] = {
    {.tli = 1, .from = {.us = -5, .lsn = 1, .xid = 7, .is_proven = true}, .backups = 2},
    {.tli = 3, .is_main = true, .is_open = true, .to = {.us = 1795347900000000}},
};
static const struct hole holes[] = {{.why = HOLE_CORRUPT,
                                     .tli = 3,
                                     .segments = 2,
                                     .first = "000000030000004C0000009A",
                                     .to_us = 9,
                                     .hurts = true,
                                     .note = "slot lost"}};
static const struct line_part lines[] = {{.tli = 3, .parent = 1, .is_newest = true}};
static const struct coverage coverage = {.stretch = stretches,
                                         .stretches = 2,
                                         .hole = holes,
                                         .holes = 1,
                                         .line = lines,
                                         .lines = 1,
                                         .seg_size = 16777216,
                                         .last_wal = "000000030000004C000000A0",
                                         .waiting = 3,
                                         .wal_files = 2218};
static const struct snapshot whole = {.server = "orders-db1",
                                      .description = "eu",
                                      .made_us = 1795347839813183,
                                      .live = {.state = LIVE_OK,
                                               .answered_us = 1795347839000000,
                                               .version_text = "15.18",
                                               .systemid = "7301234567890123456",
                                               .version = 150018,
                                               .in_recovery = true,
                                               .tli = 3,
                                               .lsn = 0x4C9A0000F8,
                                               .archiver_known = true},
                                      .backup = backups,
                                      .backups = 2,
                                      .is_receiving = true,
                                      .streams = true,
                                      .coverage = &coverage,
                                      .light = LIGHT_WARN,
                                      .sentence = "a hole",
                                      .todo = ""};

static void there_and_back(void **state)
{
    char *text = saved_text_new(&whole), *again;
    struct err err = {0};
    struct snapshot *s = saved_snapshot(str_of(text), &err);

    (void)state;
    assert_non_null(s);
    assert_true(s->is_saved);
    assert_string_equal(s->server, "orders-db1");
    assert_int_equal(s->made_us, whole.made_us);
    assert_int_equal(s->light, LIGHT_WARN);
    assert_string_equal(s->sentence, "a hole");
    assert_string_equal(s->todo, "");
    assert_int_equal(s->live.state, LIVE_NOT_ASKED);
    assert_int_equal(s->live.lsn, 0x4C9A0000F8);
    assert_string_equal(s->live.version_text, "15.18");
    assert_true(s->live.in_recovery && s->streams && !s->archives && !s->is_receiving);
    assert_int_equal(s->backups, 2);
    assert_string_equal(s->backup[0].name, "weekly   [31m=x");
    assert_int_equal(s->backup[0].begin.offset_s, -12600);
    assert_true(s->backup[0].begin_lsn == UINT64_MAX);
    assert_true(s->backup[0].took_s > 60.24 && s->backup[0].took_s < 60.26);
    assert_int_equal(s->backup[0].keep, ROW_KEEP_FULL);
    assert_string_equal(s->backup[0].retention, "OBSOLETE*");
    assert_null(s->backup[1].retention);
    assert_string_equal(s->backup[1].error, "disk full");
    assert_null(s->backup[1].name);
    assert_int_equal(s->coverage->stretch[0].from.us, -5);
    assert_int_equal(s->coverage->stretch[0].from.xid, 7);
    assert_true(s->coverage->stretch[1].is_open);
    assert_string_equal(s->coverage->hole[0].note, "slot lost");
    assert_int_equal(s->coverage->line[0].parent, 1);
    assert_string_equal(s->coverage->last_wal, "000000030000004C000000A0");
    again = saved_text_new(s); /* all but what is not believed after a while */
    assert_int_equal(strlen(again) + strlen("state=1\t") + strlen("receiving=1\t"),
                     strlen(text));
    saved_text_free(again);
    saved_text_free(text);
    snapshot_free(s);
}

/* ---- the file ---- */

static const char file[] = SAVED_HEAD NAME LIVE "server\tname=b\n" LIVE "coverage\n"
                                                "end\tservers=2\n";

static void entries_of_a_file(void **state)
{
    struct saved_file f;
    struct err err = {0};
    struct str entry;

    (void)state;
    assert_true(saved_open(&f, str_of(file), &err));
    assert_true(saved_next(&f, &entry));
    assert_true(str_eq(entry, NAME LIVE));
    assert_true(saved_next(&f, &entry));
    assert_true(str_eq(entry, "server\tname=b\n" LIVE "coverage\n"));
    assert_false(saved_next(&f, &entry));
    assert_true(saved_open(&f, str_of(SAVED_HEAD "end\tservers=0\n"), &err));
    assert_false(saved_next(&f, &entry));
}

/* Wherever it was torn, it says nothing. */
static void every_torn_file(void **state)
{
    struct saved_file f;

    (void)state;
    for (size_t n = 0; n < sizeof file - 1; n++) {
        struct err err = {0};
        assert_false(saved_open(&f, str_n(file, n), &err));
        assert_int_equal(err.code, ERR_FORMAT);
    }
}

static const struct file_row {
    const char *label;
    const char *text;
} files[] = {
    {"another version", "barkeep-seen 2\nend\tservers=0\n"},
    {"one server too few", SAVED_HEAD NAME LIVE "end\tservers=2\n"},
    {"one server too many", SAVED_HEAD NAME LIVE NAME LIVE "end\tservers=1\n"},
    {"something behind the end", SAVED_HEAD "end\tservers=0\n" NAME},
    {"no number", SAVED_HEAD "end\tservers=\n"},
    {"a number and more", SAVED_HEAD "end\tservers=0x\n"},
};

static void file_refused(void **state)
{
    const struct file_row *r = *state;
    struct saved_file f;
    struct err err = {0};

    assert_false(saved_open(&f, str_of(r->text), &err));
    assert_int_equal(err.code, ERR_FORMAT);
}

static void no_memory_is_told(void **state)
{
    char *text = saved_text_new(&whole);
    long n = 0;

    (void)state;
    for (;; n++) {
        struct err err = {0};
        struct snapshot *s;
        arena_fail_after(n + 1);
        s = saved_snapshot(str_of(text), &err);
        arena_fail_after(0);
        if (s) {
            snapshot_free(s);
            break;
        }
        assert_int_equal(err.code, ERR_MEMORY);
    }
    assert_true(n > 0);
    saved_text_free(text);
}

TEST_MAIN(ROWS(refused, is_refused), ONE(a_nul_is_refused), ONE(too_many_backups),
          ONE(there_and_back), ONE(entries_of_a_file), ONE(every_torn_file),
          ROWS(files, file_refused), ONE(no_memory_is_told))
