/* SPDX-License-Identifier: PostgreSQL */
/* The writer behind the lane, run inline by the serial task: a failure is told by the next put
 * or by close, as with threads. Bytes are a function of their
 * position, so that each can be checked in whatever file it landed. */
#include "engine/receive.h"

#include "base/file.h"
#include "harness.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MIB (1024u * 1024u)

struct bench {
    char dir[64];
    struct task_sink said;
    struct task t;
    struct repo repo;
    struct sink sink;
};

static char byte_at(pg_lsn lsn)
{
    return (char)(1 + (lsn * 7 + lsn / MIB) % 251);
}

static void bench_up(struct bench *b, pg_lsn at)
{
    struct err err;

    str_copy(b->dir, sizeof b->dir, "/tmp/barkeep_sink_XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    b->t = task_serial(NULL, NULL, &b->said);
    b->repo = (struct repo){.server = "main", .streaming_dir = b->dir};
    b->sink = (struct sink){.t = &b->t, .repo = &b->repo, .seg_size = MIB, .fd = -1};
    assert_true(sink_open(&b->sink, 1, at, &err));
}

static void bench_down(struct bench *b)
{
    struct err err;

    sink_release(&b->sink);
    assert_true(tree_remove(b->dir, &err));
}

static bool send_wal(struct bench *b, pg_lsn at, size_t n, char change, struct err *err)
{
    struct feed_item item = {.msg = malloc(n), .n = n, .at = at};
    bool ok;

    assert_non_null(item.msg);
    for (size_t i = 0; i < n; i++) {
        item.msg[i] = (char)(byte_at(at + i) ^ change);
    }
    item.data = item.msg;
    ok = lane_put(&b->t, b->sink.lane, &item, err);
    return ok;
}

static void check_file(struct bench *b, const char *name, pg_lsn from, pg_lsn to,
                       pg_lsn zeros_to)
{
    char path[PATH_CAP];
    struct arena a;
    struct str got;
    struct err err;

    arena_init(&a, 0);
    assert_true(path_join(path, b->dir, name, &err));
    assert_true(file_read(&a, path, 2 * MIB, &got, &err));
    assert_int_equal(got.n, zeros_to - from);
    for (pg_lsn lsn = from; lsn < zeros_to; lsn++) {
        assert_int_equal(got.p[lsn - from], lsn < to ? byte_at(lsn) : 0);
    }
    arena_release(&a);
}

/* 034: one message over two boundaries, as no server sends it yet. */
static void r034_message_over_two_boundaries(void **state)
{
    struct bench b;
    struct err err;

    (void)state;
    bench_up(&b, 3 * MIB);
    assert_true(send_wal(&b, 3 * MIB, 100, 0, &err));
    assert_true(send_wal(&b, 3 * MIB + 100, 2 * MIB, 0, &err));
    assert_int_equal(lane_mark(&b.t, b.sink.lane), 5 * MIB); /* what is complete is synced */
    check_file(&b, "000000010000000000000003", 3 * MIB, 4 * MIB, 4 * MIB);
    check_file(&b, "000000010000000000000004", 4 * MIB, 5 * MIB, 5 * MIB);
    check_file(&b, "000000010000000000000005.partial", 5 * MIB, 5 * MIB + 100, 6 * MIB);
    assert_false(sink_has_more(&b.sink));
    assert_true(lane_close(&b.t, b.sink.lane, &err));
    bench_down(&b);
}

/* 031: the same WAL comes again over what a killed process had written. */
static void r031_same_bytes_come_again(void **state)
{
    struct bench b;
    struct err err;

    (void)state;
    bench_up(&b, 3 * MIB);
    assert_true(send_wal(&b, 3 * MIB, 5000, 0, &err));
    sink_release(&b.sink);
    assert_true(lane_close(&b.t, b.sink.lane, &err));
    assert_true(sink_open(&b.sink, 1, 3 * MIB, &err));
    assert_true(send_wal(&b, 3 * MIB, 3000, 0, &err));
    assert_true(sink_has_more(&b.sink));
    assert_true(send_wal(&b, 3 * MIB + 3000, 4000, 0, &err));
    check_file(&b, "000000010000000000000003.partial", 3 * MIB, 3 * MIB + 7000, 4 * MIB);
    assert_true(lane_close(&b.t, b.sink.lane, &err));
    bench_down(&b);
}

/* 041: other bytes than before: nothing of them is written. */
static void r041_other_bytes_come_again(void **state)
{
    struct bench b;
    struct err err = {0};

    (void)state;
    bench_up(&b, 3 * MIB);
    assert_true(send_wal(&b, 3 * MIB, 40000, 0, &err));
    sink_release(&b.sink);
    assert_true(lane_close(&b.t, b.sink.lane, &err));
    assert_true(sink_open(&b.sink, 1, 3 * MIB, &err));
    assert_true(send_wal(&b, 3 * MIB, 20000, 0, &err));
    assert_true(send_wal(&b, 3 * MIB + 20000, 100, 1, &err));
    assert_false(lane_close(&b.t, b.sink.lane, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    assert_true(b.sink.is_diverged);
    check_file(&b, "000000010000000000000003.partial", 3 * MIB, 3 * MIB + 40000, 4 * MIB);
    bench_down(&b);
}

/* Barman leaves an empty file after --reset, a crash one of any size; both get full size. */
static void odd_sizes_become_full(void **state)
{
    char path[PATH_CAP];
    struct bench b;
    struct err err;
    int fd;

    (void)state;
    for (off_t size = 0; size <= 12345; size += 12345) {
        bench_up(&b, 3 * MIB);
        assert_true(path_join(path, b.dir, "000000010000000000000003.partial", &err));
        fd = open(path, O_WRONLY | O_CREAT, 0600);
        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, size), 0);
        close(fd);
        assert_true(send_wal(&b, 3 * MIB, 77, 0, &err));
        check_file(&b, "000000010000000000000003.partial", 3 * MIB, 3 * MIB + 77, 4 * MIB);
        assert_true(lane_close(&b.t, b.sink.lane, &err));
        bench_down(&b);
    }
}

/* ---- a lane on which more may wait --------------------------------------------------- */

struct lane {
    struct lane_spec spec;
    uint64_t mark;
    bool more; /* what the next put tells the consumer */
};

static struct lane waiting;

static struct lane *waiting_open(void *self, const struct lane_spec *spec, struct err *err)
{
    (void)self;
    (void)err;
    waiting = (struct lane){.spec = *spec};
    return &waiting;
}

static bool waiting_put(struct lane *lane, const void *item, struct err *err)
{
    struct feed_item copy = *(const struct feed_item *)item;

    return lane->spec.consume(lane->spec.ctx, &copy, lane->more, err);
}

static bool waiting_close(struct lane *lane, struct err *err)
{
    (void)lane;
    (void)err;
    return true;
}

static void waiting_set_mark(struct lane *lane, uint64_t mark)
{
    lane->mark = mark;
}

static uint64_t waiting_mark(struct lane *lane)
{
    return lane->mark;
}

static const struct task_ops waiting_ops = {
    .lane_open = waiting_open,
    .lane_put = waiting_put,
    .lane_close = waiting_close,
    .lane_set_mark = waiting_set_mark,
    .lane_mark = waiting_mark,
};

static void bench_up_waiting(struct bench *b, pg_lsn at)
{
    struct err err;

    bench_up(b, at);
    assert_true(lane_close(&b->t, b->sink.lane, &err));
    b->t = (struct task){.ops = &waiting_ops, .cancel_fd = -1};
    assert_true(sink_open(&b->sink, 1, at, &err));
}

static bool order_sync(struct bench *b, pg_lsn at, struct err *err)
{
    const struct feed_item item = {.at = at};

    return lane_put(&b->t, b->sink.lane, &item, err);
}

/* While more waits, small messages gather; an order to sync leaves nothing behind, and what is
 * told is what was synced. Sizes fall on all sides of the buffer and of the segment's end. */
static void small_messages_gather(void **state)
{
    static const size_t sizes[] = {1, 300, 65535, 65536, 65537, 131072, 8192, 700};
    pg_lsn at = 3 * MIB;
    struct bench b;
    struct err err;

    (void)state;
    bench_up_waiting(&b, at);
    waiting.more = true;
    for (int round = 0; round < 6; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            assert_true(send_wal(&b, at, sizes[i], 0, &err));
            at += sizes[i];
            assert_true(waiting.mark <= b.sink.written);
        }
    }
    assert_true(b.sink.written < at); /* the last ones still wait for more */
    assert_true(order_sync(&b, at, &err));
    assert_int_equal(waiting.mark, at);
    check_file(&b, "000000010000000000000003", 3 * MIB, 4 * MIB, 4 * MIB);
    check_file(&b, "000000010000000000000004.partial", 4 * MIB, at, 5 * MIB);
    waiting.more = false;
    assert_true(send_wal(&b, at, 10, 0, &err));
    check_file(&b, "000000010000000000000004.partial", 4 * MIB, at + 10, 5 * MIB);
    assert_int_equal(waiting.mark, at);
    bench_down(&b);
}

/* The last message that waits writes all that gathered before it. */
static void last_message_writes_all(void **state)
{
    struct bench b;
    struct err err;

    (void)state;
    bench_up_waiting(&b, 3 * MIB);
    waiting.more = true;
    assert_true(send_wal(&b, 3 * MIB, 300, 0, &err));
    assert_true(send_wal(&b, 3 * MIB + 300, 300, 0, &err));
    assert_int_equal(b.sink.written, 3 * MIB);
    waiting.more = false;
    assert_true(send_wal(&b, 3 * MIB + 600, 300, 0, &err));
    check_file(&b, "000000010000000000000003.partial", 3 * MIB, 3 * MIB + 900, 4 * MIB);
    assert_int_equal(waiting.mark, 0);
    bench_down(&b);
}

/* 041: found also where the other bytes gathered with good ones. */
static void r041_other_bytes_gather(void **state)
{
    struct bench b;
    struct err err = {0};

    (void)state;
    bench_up(&b, 3 * MIB);
    assert_true(send_wal(&b, 3 * MIB, 40000, 0, &err));
    assert_true(lane_close(&b.t, b.sink.lane, &err));
    sink_release(&b.sink);
    b.t = (struct task){.ops = &waiting_ops, .cancel_fd = -1};
    assert_true(sink_open(&b.sink, 1, 3 * MIB, &err));
    waiting.more = true;
    assert_true(send_wal(&b, 3 * MIB, 20000, 0, &err));
    assert_true(send_wal(&b, 3 * MIB + 20000, 100, 1, &err));
    assert_false(order_sync(&b, 3 * MIB + 20100, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    assert_true(b.sink.is_diverged);
    assert_int_equal(waiting.mark, 0);
    check_file(&b, "000000010000000000000003.partial", 3 * MIB, 3 * MIB + 40000, 4 * MIB);
    bench_down(&b);
}

/* A file that is too large, or a complete one of the name: refused, nothing is overwritten. */
static void nothing_is_overwritten(void **state)
{
    char path[PATH_CAP];
    struct bench b;
    struct err err = {0};
    int fd;

    (void)state;
    bench_up(&b, 3 * MIB);
    assert_true(path_join(path, b.dir, "000000010000000000000003", &err));
    assert_true(file_replace(path, STR_LIT("someone's"), &err));
    assert_true(send_wal(&b, 3 * MIB, MIB, 0, &err));
    assert_false(lane_close(&b.t, b.sink.lane, &err));
    assert_int_equal(err.code, ERR_UNSAFE);
    bench_down(&b);

    bench_up(&b, 3 * MIB);
    assert_true(path_join(path, b.dir, "000000010000000000000003.partial", &err));
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, MIB + 1), 0);
    close(fd);
    assert_true(send_wal(&b, 3 * MIB, 10, 0, &err));
    assert_false(lane_close(&b.t, b.sink.lane, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    bench_down(&b);
}

/* Also loads libpq, which the messages of the other tests are given back to. */
static void libpq_is_loaded_first(void **state)
{
    char out[64];

    (void)state;
    assert_string_equal(pg_show_conninfo("host=h password=p user=u", out, sizeof out),
                        "host=h user=u");
    assert_string_equal(pg_show_conninfo("postgresql://u:p@h:5/d", out, sizeof out),
                        "host=h port=5 user=u dbname=d");
    assert_string_equal(pg_show_conninfo("password=a b", out, sizeof out), "local server");
    assert_false(pg_conninfo_value("host=h password=p", "password", out, sizeof out));
    assert_true(pg_conninfo_value("host=h dbname='a b'", "dbname", out, sizeof out));
    assert_string_equal(out, "a b");
}

TEST_MAIN(ONE(libpq_is_loaded_first), ONE(r034_message_over_two_boundaries),
          ONE(r031_same_bytes_come_again), ONE(r041_other_bytes_come_again),
          ONE(small_messages_gather), ONE(last_message_writes_all),
          ONE(r041_other_bytes_gather), ONE(odd_sizes_become_full), ONE(nothing_is_overwritten))
