/* SPDX-License-Identifier: PostgreSQL */
#include "core/repo/fixture.h"

#include "engine/archive_wal.h"
#include "said.h"

static struct archive_wal verb(struct fx *f, unsigned from)
{
    return (struct archive_wal){
        .repo = &f->r,
        .store.rules = {.systemid = FX_SYSID, .seg_size = FX_SEG, .major = 15},
        .from = from,
    };
}

static void nothing_there(void **state)
{
    struct archive_result result;
    struct err err = {0};
    struct said said;
    struct archive_wal what;
    struct fx f;

    (void)state;
    fx_init(&f);
    what = verb(&f, ARCHIVE_STREAMING | ARCHIVE_INCOMING);
    assert_true(archive_wal(said_init(&said), &what, &result, &err));
    assert_string_equal(said.out, "Processing xlog segments from streaming for main\n"
                                  "\tno file found\n"
                                  "Processing xlog segments from file archival for main\n"
                                  "\tno file found\n");
    what.talk = ARCHIVE_SAYS_FILES;
    assert_true(archive_wal(said_init(&said), &what, &result, &err));
    assert_string_equal(said.out, "");
    fx_release(&f);
}

/* An idle server: its last complete segment goes too, the live partial stays. */
static void streaming_first_then_incoming(void **state)
{
    struct archive_result result;
    struct err err = {0};
    struct said said;
    struct archive_wal what;
    struct fx f;

    (void)state;
    fx_init(&f);
    fx_segment(f.r.incoming_dir, 1);
    fx_segment(f.r.streaming_dir, 2);
    fx_segment(f.r.streaming_dir, 3);
    fx_seg_write(fx_fmt("%s/000000010000000000000004.partial", f.r.streaming_dir),
                 fx_seg(1, 4));
    fx_text(fx_fmt("%s/00000002.history", f.r.streaming_dir), "1\t0/400000\tx\n");
    fx_text(fx_fmt("%s/.000000010000000000000005.x7", f.r.incoming_dir), "rsync is writing");
    fx_text(fx_fmt("%s/000000010000000000000006.tmp", f.r.incoming_dir), "so is somebody");
    what = verb(&f, ARCHIVE_STREAMING | ARCHIVE_INCOMING);
    assert_true(archive_wal(said_init(&said), &what, &result, &err));
    assert_string_equal(said.out, "Processing xlog segments from streaming for main\n"
                                  "\t000000010000000000000002\n"
                                  "\t000000010000000000000003\n"
                                  "\t00000002.history\n"
                                  "Processing xlog segments from file archival for main\n"
                                  "\t000000010000000000000001\n");
    assert_string_equal(said.error, "");
    assert_int_equal(result.stored, 4);
    assert_string_equal(fx_only(f.r.streaming_dir), "000000010000000000000004.partial");
    assert_int_equal(fx_count(f.r.incoming_dir), 2);
    assert_int_equal(fx_xlogdb_lines(&f.r), 4);
    fx_release(&f);
}

static void all_partials_but_the_last(void **state)
{
    struct archive_result result;
    struct err err = {0};
    struct said said;
    struct archive_wal what;
    struct fx f;

    (void)state;
    fx_init(&f);
    fx_seg_write(fx_fmt("%s/000000010000000000000003.partial", f.r.streaming_dir),
                 fx_seg(1, 3));
    fx_seg_write(fx_fmt("%s/000000020000000000000003.partial", f.r.streaming_dir),
                 fx_seg(1, 3));
    what = verb(&f, ARCHIVE_STREAMING);
    assert_true(archive_wal(said_init(&said), &what, &result, &err));
    assert_string_equal(fx_only(f.r.streaming_dir), "000000020000000000000003.partial");
    assert_int_equal(result.stored, 1);
    assert_int_equal(fx_xlogdb_lines(&f.r), 1);
    fx_release(&f);
}

static void in_batches(void **state)
{
    struct archive_result result;
    struct err err = {0};
    struct said said;
    struct archive_wal what;
    struct fx f;

    (void)state;
    fx_init(&f);
    for (uint64_t no = 1; no <= 3; no++) {
        fx_segment(f.r.incoming_dir, no);
    }
    what = verb(&f, ARCHIVE_INCOMING);
    what.incoming_batch = 2;
    assert_true(archive_wal(said_init(&said), &what, &result, &err));
    assert_string_equal(said.out,
                        "Processing xlog segments from file archival for main (batch size: 2)\n"
                        "\t000000010000000000000001\n"
                        "\t000000010000000000000002\n");
    assert_true(archive_wal(said_init(&said), &what, &result, &err));
    assert_string_equal(said.out, "Processing xlog segments from file archival for main\n"
                                  "\t000000010000000000000003\n");
    fx_release(&f);
}

/* Packed side by side, a group at a time: the order of the list is that of the names, a bad file
 * in between is left out, the batch is what it says. */
static void packed_in_order(void **state)
{
    struct fx_seg bad = fx_seg(1, 7);
    struct archive_result result;
    struct err err = {0};
    struct said said;
    struct archive_wal what;
    const char *list;
    struct fx f;

    (void)state;
    fx_init(&f);
    for (uint64_t no = 1; no <= 40; no++) {
        fx_segment(f.r.incoming_dir, no);
    }
    bad.size = 8192;
    fx_seg_write(fx_fmt("%s/000000010000000000000007", f.r.incoming_dir), bad);
    what = verb(&f, ARCHIVE_INCOMING);
    what.store.pack = CODEC_ZSTD;
    what.store.level = 1;
    what.incoming_batch = 35;
    assert_true(archive_wal(said_init(&said), &what, &result, &err));
    assert_int_equal(result.stored, 35);
    assert_int_equal(result.refused, 1);
    assert_int_equal(fx_count(f.r.incoming_dir), 5); /* the bad one, and 37 to 40 */
    assert_int_equal(fx_count(fx_fmt("%s/0000000100000000", f.r.wals_dir)), 35);
    list = fx_read(fx_fmt("%s/main-xlog.db", f.r.xlogdb_dir));
    for (unsigned no = 1; no <= 36; no++) {
        const char *at = strstr(list, fx_fmt("0000000100000000000000%02X\t", no));

        assert_true((at == NULL) == (no == 7));
        list = at ? at : list;
    }
    fx_release(&f);
}

/* One bad file must not keep the good ones out, nor use up the batch. */
static void a_bad_file_stays_the_others_go(void **state)
{
    struct fx_seg bad = fx_seg(1, 1);
    struct archive_result result;
    struct err err = {0};
    struct said said;
    struct archive_wal what;
    struct fx f;

    (void)state;
    fx_init(&f);
    bad.size = 8192;
    fx_seg_write(fx_fmt("%s/000000010000000000000001", f.r.incoming_dir), bad);
    fx_segment(f.r.incoming_dir, 2);
    what = verb(&f, ARCHIVE_INCOMING);
    what.incoming_batch = 1;
    assert_true(archive_wal(said_init(&said), &what, &result, &err));
    assert_int_equal(result.refused, 1);
    assert_int_equal(result.stored, 1);
    assert_non_null(strstr(said.error, "000000010000000000000001"));
    assert_non_null(strstr(said.error, "8192 bytes"));
    assert_string_equal(fx_only(f.r.incoming_dir), "000000010000000000000001");
    fx_release(&f);
}

static void strangers_and_duplicates(void **state) /* rows 1, 2 and 25 */
{
    struct fx_seg other = fx_seg(1, 1);
    struct archive_result result;
    struct err err = {0};
    struct said said;
    struct archive_wal what;
    struct fx f;

    (void)state;
    fx_init(&f);
    fx_segment(f.r.incoming_dir, 1);
    what = verb(&f, ARCHIVE_INCOMING);
    assert_true(archive_wal(said_init(&said), &what, &result, &err));
    other.fill = 1;
    fx_seg_write(fx_fmt("%s/000000010000000000000001", f.r.incoming_dir), other);
    fx_text(fx_fmt("%s/notes.txt", f.r.incoming_dir), "hello");
    assert_int_equal(mkdir(fx_fmt("%s/a directory", f.r.incoming_dir), 0700), 0);
    assert_true(archive_wal(said_init(&said), &what, &result, &err));
    assert_string_equal(
        said.out, "Processing xlog segments from file archival for main\n"
                  "\t000000010000000000000001\n"
                  "\tError: 000000010000000000000001 is already present in server main. "
                  "File moved to errors directory.\n"
                  "Some unknown objects have been found while processing xlog segments for "
                  "main. Objects moved to errors directory:\n"
                  "\ta directory\n"
                  "\tnotes.txt\n");
    assert_non_null(strstr(said.error, "differs from the archived one"));
    assert_int_equal(result.duplicates, 1);
    assert_int_equal(result.unknown, 2);
    assert_int_equal(fx_count(f.r.incoming_dir), 0);
    assert_int_equal(fx_count(f.r.errors_dir), 3);
    assert_int_equal(fx_xlogdb_lines(&f.r), 1);
    fx_release(&f);
}

static void only_one_at_a_time(void **state)
{
    struct archive_result result;
    struct err err = {0};
    struct said said;
    struct archive_wal what;
    struct lock lock;
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_true(lock_take(&lock, &f.r, LOCK_ARCHIVE_WAL, LOCK_TRY, &err));
    what = verb(&f, ARCHIVE_INCOMING);
    assert_false(archive_wal(said_init(&said), &what, &result, &err));
    assert_int_equal(err.code, ERR_BUSY);
    lock_release(&lock);
    fx_release(&f);
}

static void rules_from_what_is_kept(void **state)
{
    struct identity id = {"7300000000000000001", "15"};
    struct backup b = {.id = "20260101T000000",
                       .status = BACKUP_DONE,
                       .systemid = "7300000000000000001",
                       .xlog_segment_size = FX_SEG};
    struct wal_rules rules;
    struct err err = {0};
    struct fx f;

    (void)state;
    fx_init(&f);
    assert_true(wal_rules_of(&f.r, &rules, &err));
    assert_true(rules.systemid == 0 && rules.seg_size == 0 && rules.major == 0);
    assert_true(identity_save(&f.r, &id, &err) && backup_info_save(&f.r, &b, &err));
    assert_true(wal_rules_of(&f.r, &rules, &err));
    assert_true(rules.systemid == FX_SYSID && rules.seg_size == FX_SEG && rules.major == 15);
    b.systemid = "7300000000000000002"; /* of before an upgrade: says nothing */
    assert_true(backup_info_save(&f.r, &b, &err));
    assert_true(wal_rules_of(&f.r, &rules, &err));
    assert_int_equal(rules.seg_size, 0);
    fx_release(&f);
}

TEST_MAIN(ONE(nothing_there), ONE(streaming_first_then_incoming),
          ONE(all_partials_but_the_last), ONE(in_batches), ONE(packed_in_order),
          ONE(a_bad_file_stays_the_others_go), ONE(strangers_and_duplicates),
          ONE(only_one_at_a_time), ONE(rules_from_what_is_kept))
