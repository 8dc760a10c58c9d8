/* SPDX-License-Identifier: PostgreSQL */
#include "harness.h"

#include "repo/direct.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* One file of `size` bytes that comes in pieces of `piece`, and is to be read back as it was. */
struct row {
    const char *label;
    const char *dir; /* a tmpfs refuses to be written directly on older kernels */
    size_t size, piece;
};

static const struct row rows[] = {
    {"nothing at all", "/tmp", 0, 32768},
    {"less than a block", "/tmp", 4095, 1000},
    {"a block", "/tmp", 4096, 4096},
    {"a block and one byte", "/tmp", 4097, 512},
    {"a chunk less one byte", "/tmp", DIRECT_CHUNK - 1, 32768},
    {"a chunk", "/tmp", DIRECT_CHUNK, 32768},
    {"a chunk and one byte", "/tmp", DIRECT_CHUNK + 1, 32768},
    {"pieces that cross chunks and blocks", "/tmp", 3 * DIRECT_CHUNK + 12345, 777777},
    {"one piece larger than chunks", "/tmp", 2 * DIRECT_CHUNK + 8192, 3 * DIRECT_CHUNK},
    {"in memory", "/dev/shm", DIRECT_CHUNK + 8192 + 7, 32768},
};

static unsigned char byte_at(size_t i)
{
    return (unsigned char)(i * 2654435761U >> 13);
}

static void feed(struct direct *d, size_t size, size_t piece)
{
    unsigned char *all = malloc(size + 1);
    struct err err;

    assert_non_null(all);
    for (size_t i = 0; i < size; i++) {
        all[i] = byte_at(i);
    }
    for (size_t at = 0; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        assert_true(direct_write(d, all + at, n, &err));
    }
    assert_true(direct_end(d, &err));
    free(all);
}

static void look(const char *path, size_t size)
{
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    for (size_t i = 0; i < size; i++) {
        int c = getc(f);
        if (c != byte_at(i)) {
            fail_msg("byte %zu is %d", i, c);
        }
    }
    assert_int_equal(getc(f), EOF);
    fclose(f);
}

static void test_reads_back(void **state)
{
    const struct row *r = *state;
    struct task_sink sink;
    struct task task = task_serial(NULL, NULL, &sink);
    char path[2][64];
    struct sync sync;
    struct err err;
    struct direct *d;

    sync_init(&sync);
    d = direct_new(&task, &sync, &err);
    assert_non_null(d);
    for (int i = 0; i < 2; i++) { /* the second file begins afresh */
        int fd;
        snprintf(path[i], sizeof path[i], "%s/direct_test.XXXXXX", r->dir);
        fd = mkstemp(path[i]);
        assert_true(fd >= 0);
        assert_true(direct_begin(d, fd, path[i], &err));
        feed(d, r->size, r->piece);
    }
    assert_true(direct_finish(d, &err));
    direct_free(d);
    for (int i = 0; i < 2; i++) {
        look(path[i], r->size);
        unlink(path[i]);
    }
}

static struct direct *on_a_full_disk(const struct task *task, struct sync *sync)
{
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct err err;
    struct direct *d;

    assert_true(fd >= 0);
    sync_init(sync);
    d = direct_new(task, sync, &err);
    assert_non_null(d);
    assert_true(direct_begin(d, fd, "/dev/full", &err));
    return d;
}

static void test_a_full_disk_is_told_at_the_end(void **state)
{
    struct task_sink sink;
    struct task task = task_serial(NULL, NULL, &sink);
    char block[8192] = {0};
    struct sync sync;
    struct err err;
    struct direct *d = on_a_full_disk(&task, &sync);

    (void)state;
    assert_true(direct_write(d, block, sizeof block, &err));
    assert_true(direct_end(d, &err));
    assert_false(direct_finish(d, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.what, "/dev/full");
    direct_free(d);
}

/* The first chunk fails; what is put after it is told so, and the open file is closed. */
static void test_a_full_disk_is_told_by_what_comes_next(void **state)
{
    struct task_sink sink;
    struct task task = task_serial(NULL, NULL, &sink);
    char *chunks = calloc(2, DIRECT_CHUNK);
    struct sync sync;
    struct err err;
    struct direct *d = on_a_full_disk(&task, &sync);

    (void)state;
    assert_non_null(chunks);
    assert_true(direct_write(d, chunks, DIRECT_CHUNK, &err));
    assert_false(direct_write(d, chunks, DIRECT_CHUNK, &err));
    assert_int_equal(err.code, ERR_IO);
    direct_free(d);
    free(chunks);
}

/* A pipe has no cache to empty: it stands for a disk that cannot. */
static bool written_beside_a_pipe(enum sync_way way, uint64_t size, struct err *err)
{
    struct task_sink sink;
    struct task task = task_serial(NULL, NULL, &sink);
    char path[] = "/tmp/direct_test.XXXXXX", *chunk = calloc(1, DIRECT_CHUNK);
    struct sync sync = {.way = way, .n = 1, .path = {"the pipe"}};
    int fds[2], fd = mkstemp(path);
    bool ok = true;
    struct direct *d;

    assert_true(chunk && fd >= 0 && pipe(fds) == 0);
    sync.fd[0] = fds[0];
    d = direct_new(&task, &sync, err);
    assert_non_null(d);
    assert_true(direct_begin(d, fd, path, err));
    for (uint64_t at = 0; ok && at < size; at += DIRECT_CHUNK) {
        ok = direct_write(d, chunk, DIRECT_CHUNK, err);
    }
    ok = ok && direct_end(d, err) && direct_finish(d, err);
    direct_free(d);
    close(fds[0]);
    close(fds[1]);
    unlink(path);
    free(chunk);
    return ok;
}

static void test_the_disk_is_flushed_meanwhile(void **state)
{
    struct err err;

    (void)state;
    assert_true(written_beside_a_pipe(SYNC_FS, DIRECT_FLUSH - DIRECT_CHUNK, &err));
    assert_true(written_beside_a_pipe(SYNC_EACH, 2 * DIRECT_FLUSH, &err));
    assert_false(written_beside_a_pipe(SYNC_FS, 2 * DIRECT_FLUSH, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.what, "the pipe");
}

TEST_MAIN(ROWS(rows, test_reads_back); ONE(test_a_full_disk_is_told_at_the_end);
          ONE(test_a_full_disk_is_told_by_what_comes_next);
          ONE(test_the_disk_is_flushed_meanwhile))
