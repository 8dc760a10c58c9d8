/* SPDX-License-Identifier: PostgreSQL */
/* Lanes and pools on real threads, asked through the same task.h that a verb uses. Every test
 * is a verb: it runs on a crew's thread while the test's own thread takes the news. */
#include "workers/crew.h"

#include "barkeep/str.h"
#include "base/clock.h"
#include "harness.h"
#include "repo/direct.h"
#include "workers/road_in.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct watched {
    struct err end;
    bool ok, began;
    int said;
    char last[64];
    struct progress progress;
};

static bool watch(bool (*run)(const struct task *, void *, struct err *), void *arg,
                  int64_t cancel_after_ms, struct watched *w)
{
    struct err err = {0};
    struct road *road = road_new(&err);
    struct crew_spec spec = {.road = road, .job = 9, .name = "verb", .run = run, .arg = arg};
    int64_t cancel_at = clock_mono_ns() + cancel_after_ms * NS_PER_MS;
    struct crew *crew = crew_start(&spec, &err);
    bool ended = false;
    struct news news;

    assert_non_null(crew);
    *w = (struct watched){0};
    while (!ended) {
        while (!ended && road_take(road, &news)) {
            assert_int_equal(news.job, 9);
            w->began |= news.kind == NEWS_JOB_BEGAN;
            w->said += news.kind == NEWS_SAID;
            if (news.kind == NEWS_SAID) {
                str_copy(w->last, sizeof w->last, news_line(&news));
            } else if (news.kind == NEWS_PROGRESS) {
                w->progress = news.progress;
            } else if (news.kind == NEWS_JOB_ENDED) {
                ended = true;
                w->ok = !news.err;
                w->end = news.err ? *news.err : w->end;
            }
            news_release(&news);
        }
        if (!ended) {
            struct pollfd fd = {.fd = road_fd(road), .events = POLLIN};
            int64_t left = (cancel_at - clock_mono_ns()) / NS_PER_MS + 1;
            if (!cancel_after_ms) {
                assert_int_equal(poll(&fd, 1, 20000), 1);
            } else if (left > 0) {
                poll(&fd, 1, (int)left);
            } else {
                crew_cancel(crew); /* and after that, again and again */
                assert_int_equal(poll(&fd, 1, 20000), 1);
            }
        }
    }
    crew_free(crew);
    road_free(road);
    return w->ok;
}

/* ---- the verb's own thread ---- */

static bool speak(const struct task *t, void *arg, struct err *err)
{
    char name[16] = "";
    sigset_t blocked;
    FILE *f = fopen("/proc/thread-self/comm", "r");

    (void)arg;
    (void)err;
    if (f && fgets(name, sizeof name, f)) {
        name[strcspn(name, "\n")] = '\0';
    }
    if (f) {
        fclose(f);
    }
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    task_say(t, SAY_OUT, "one");
    task_say(t, SAY_OUT, "%s int=%d term=%d usr1=%d", name, sigismember(&blocked, SIGINT),
             sigismember(&blocked, SIGTERM), sigismember(&blocked, SIGUSR1));
    return true;
}

static void thread_has_a_name_and_no_signals(void **state)
{
    struct watched w;

    (void)state;
    assert_true(watch(speak, NULL, 0, &w));
    assert_true(w.began);
    assert_int_equal(w.said, 2);
    assert_string_equal(w.last, "verb int=1 term=1 usr1=1");
}

static bool wait_for_cancel(const struct task *t, void *arg, struct err *err)
{
    struct pollfd fd = {.fd = t->cancel_fd, .events = POLLIN};

    (void)arg;
    if (!task_go_on(t, err)) {
        return false;
    }
    for (int i = 0; i < 3; i++) { /* and stays readable */
        if (poll(&fd, 1, 10000) != 1) {
            return err_set(err, ERR_IO, "", "", "not woken");
        }
    }
    return task_go_on(t, err);
}

static void cancel_wakes_and_stays(void **state)
{
    struct watched w;

    (void)state;
    assert_false(watch(wait_for_cancel, NULL, 10, &w));
    assert_int_equal(w.end.code, ERR_CANCEL);
}

/* ---- lanes ---- */

struct belt {
    const struct task *task;
    uint64_t items; /* to put */
    size_t slots;
    int64_t fail_at;                     /* consume() of this one fails; -1: none */
    int nap_ms;                          /* consume() takes that long */
    bool give_up;                        /* the producer ends with lane_fail() */
    uint64_t put, eaten, dropped, early; /* early: more was said, but nothing waited, or v.v. */
    uint64_t ahead;                      /* most items put but not yet eaten */
    _Atomic uint64_t done;
    char seen[20000]; /* how often an item was consumed or dropped */
    bool in_order;
};

static bool eat(void *ctx, void *item, bool more, struct err *err)
{
    struct belt *b = ctx;
    uint64_t no;

    memcpy(&no, item, sizeof no);
    b->in_order &= no == b->eaten;
    b->eaten++;
    b->seen[no]++;
    b->early += more && no + 1 == b->items;
    if (b->nap_ms) {
        poll(NULL, 0, b->nap_ms);
    }
    if ((int64_t)no == b->fail_at) {
        return err_set(err, ERR_IO, "Free space.", "/disk", "full");
    }
    lane_set_mark(b->task, *(struct lane **)(void *)((char *)item + sizeof no), no + 1);
    atomic_store(&b->done, no + 1);
    return true;
}

static void drop(void *ctx, void *item)
{
    struct belt *b = ctx;
    uint64_t no;

    memcpy(&no, item, sizeof no);
    b->seen[no]++;
    b->dropped++;
}

struct parcel {
    uint64_t no;
    struct lane *lane;
};

static bool convey(const struct task *t, void *arg, struct err *err)
{
    struct belt *b = arg;
    struct lane_spec spec = {.name = "eater",
                             .item_size = sizeof(struct parcel),
                             .slots = b->slots,
                             .ctx = b,
                             .consume = eat,
                             .drop = drop};
    struct lane *lane = lane_open(t, &spec, err);

    b->task = t;
    b->in_order = true;
    if (!lane) {
        return false;
    }
    for (; b->put < b->items; b->put++) {
        struct parcel p = {b->put, lane};
        uint64_t done = atomic_load(&b->done);
        if (!lane_put(t, lane, &p, err)) {
            lane_fail(t, lane);
            return false;
        }
        b->ahead = b->put + 1 - done > b->ahead ? b->put + 1 - done : b->ahead;
    }
    if (b->give_up) {
        lane_fail(t, lane);
        return true;
    }
    return lane_close(t, lane, err);
}

static const struct belt_row {
    const char *label;
    uint64_t items;
    size_t slots;
    int64_t fail_at;
    int nap_ms;
    bool give_up;
    int cancel_ms;
    bool ok;
    enum err_code code;
} belts[] = {
    {"many through one slot", 5000, 1, -1, 0, false, 0, true, ERR_NONE},
    {"many through sixteen", 20000, 16, -1, 0, false, 0, true, ERR_NONE},
    {"slow consumer", 60, 4, -1, 1, false, 0, true, ERR_NONE},
    {"nothing at all", 0, 4, -1, 0, false, 0, true, ERR_NONE},
    {"first one fails", 1000, 4, 0, 0, false, 0, false, ERR_IO},
    {"fails in the middle", 5000, 8, 2500, 0, false, 0, false, ERR_IO},
    {"last one fails: close tells", 100, 128, 99, 0, false, 0, false, ERR_IO},
    {"fails while the producer waits", 10, 2, 0, 30, false, 0, false, ERR_IO},
    {"producer gives up", 100, 128, -1, 5, true, 0, true, ERR_NONE},
    {"cancel while waiting for room", 1000, 2, -1, 50, false, 20, false, ERR_CANCEL},
};

static void conveyed(void **state)
{
    const struct belt_row *r = *state;
    struct belt *b = calloc(1, sizeof *b);
    struct watched w;

    *b = (struct belt){.items = r->items,
                       .slots = r->slots,
                       .fail_at = r->fail_at,
                       .nap_ms = r->nap_ms,
                       .give_up = r->give_up};
    assert_int_equal(watch(convey, b, r->cancel_ms, &w), r->ok);
    assert_int_equal(w.end.code, r->code);
    if (r->code == ERR_IO) {
        assert_string_equal(w.end.what, "/disk");
        assert_string_equal(w.end.why, "full");
        assert_int_equal(b->eaten, r->fail_at + 1);
    }
    assert_true(b->in_order);
    assert_int_equal(b->early, 0);
    assert_true(b->ahead <= r->slots + 1); /* done is told a moment after the slot was freed */
    assert_int_equal(b->eaten + b->dropped, b->put);
    for (uint64_t i = 0; i < r->items; i++) { /* each once, those never put not at all */
        assert_int_equal(b->seen[i], i < b->put);
    }
    if (r->ok && !r->give_up) {
        assert_int_equal(b->eaten, r->items);
        assert_int_equal(b->dropped, 0);
    }
    if (r->give_up) {
        assert_true(b->dropped > 0);
    }
    free(b);
}

/* The mark's descriptor tells of marks and of a failure, and is quiet after a read. */
static bool marks(const struct task *t, void *arg, struct err *err)
{
    struct belt *b = arg;
    struct lane_spec spec = {.name = "eater",
                             .item_size = sizeof(struct parcel),
                             .slots = 4,
                             .ctx = b,
                             .consume = eat,
                             .drop = drop};
    struct lane *lane = lane_open(t, &spec, err);
    struct pollfd fd;
    uint64_t n;

    b->task = t;
    if (!lane) {
        return false;
    }
    fd = (struct pollfd){.fd = lane_mark_fd(t, lane), .events = POLLIN};
    b->early += lane_mark(t, lane) != 0 || poll(&fd, 1, 0) != 0;
    for (uint64_t i = 0; i < 3; i++) { /* the third one fails */
        struct parcel p = {i, lane};
        if (!lane_put(t, lane, &p, err)) {
            lane_fail(t, lane);
            return false;
        }
        b->early += poll(&fd, 1, 10000) != 1 || read(fd.fd, &n, sizeof n) != sizeof n;
        b->early += lane_mark(t, lane) != (i < 2 ? i + 1 : 2) || poll(&fd, 1, 0) != 0;
    }
    return lane_close(t, lane, err);
}

static void marks_are_told(void **state)
{
    struct belt *b = calloc(1, sizeof *b);
    struct watched w;

    (void)state;
    *b = (struct belt){.fail_at = 2, .items = 100};
    assert_false(watch(marks, b, 0, &w));
    assert_int_equal(b->early, 0);
    assert_int_equal(w.end.code, ERR_IO);
    free(b);
}

/* ---- pools ---- */

struct field {
    unsigned jobs;
    int pieces, fail_at, next_fails_at, nap_ms;
    int given, done;
    int inside; /* next() or done() at work: never two; no atomic, so that TSan sees it too */
    bool overlapped;
    _Atomic int working, most_at_once, worked;
    _Atomic char seen[10000];
    const struct task *task;
    bool all_fail;
};

static int next_piece(void *ctx, void *piece, struct err *err)
{
    struct field *f = ctx;

    f->overlapped |= f->inside++ != 0;
    if (f->given == f->next_fails_at) {
        f->inside--;
        err_set(err, ERR_MISSING, "", "", "no next");
        return -1;
    }
    memcpy(piece, &f->given, sizeof f->given);
    f->inside--;
    return f->given < f->pieces ? (f->given++, 1) : 0;
}

static bool work(void *ctx, void *piece, struct err *err)
{
    struct field *f = ctx;
    int no, now = atomic_fetch_add(&f->working, 1) + 1, most = atomic_load(&f->most_at_once);

    memcpy(&no, piece, sizeof no);
    while (now > most && !atomic_compare_exchange_weak(&f->most_at_once, &most, now)) {
    }
    atomic_fetch_add(&f->seen[no], 1);
    if (f->nap_ms) {
        poll(NULL, 0, f->nap_ms);
    }
    atomic_fetch_sub(&f->working, 1);
    if (f->all_fail && no != f->fail_at) {
        for (int i = 0; i < 10000 && !atomic_load(&f->worked); i++) {
            poll(NULL, 0, 1);
        }
        poll(NULL, 0, 50); /* later than the first */
    }
    atomic_fetch_add(&f->worked, 1);
    if (no == f->fail_at || f->all_fail) {
        return err_set(err, ERR_IO, "", "", "piece %d", no);
    }
    return true;
}

static void done(void *ctx, const void *piece)
{
    struct field *f = ctx;
    struct progress p = {.phase = "work"};

    (void)piece;
    f->overlapped |= f->inside++ != 0;
    p.done = (uint64_t)++f->done;
    task_progress(f->task, &p);
    f->inside--;
}

static bool till(const struct task *t, void *arg, struct err *err)
{
    struct field *f = arg;
    struct pool_spec spec = {.piece_size = sizeof(int),
                             .jobs = f->jobs,
                             .ctx = f,
                             .next = next_piece,
                             .work = work,
                             .done = done};

    f->task = t;
    return pool_run(t, &spec, err);
}

static const struct field_row {
    const char *label;
    unsigned jobs;
    int pieces, fail_at, next_fails_at, nap_ms, cancel_ms;
    bool ok;
    enum err_code code;
    const char *why;
} fields[] = {
    {"one job", 1, 1000, -1, -1, 0, 0, true, ERR_NONE, ""},
    {"four jobs", 4, 10000, -1, -1, 0, 0, true, ERR_NONE, ""},
    {"four jobs, slow", 4, 40, -1, -1, 2, 0, true, ERR_NONE, ""},
    {"more jobs than pieces", 16, 3, -1, -1, 1, 0, true, ERR_NONE, ""},
    {"more jobs than places", 500, 1000, -1, -1, 0, 0, true, ERR_NONE, ""},
    {"no pieces", 4, 0, -1, -1, 0, 0, true, ERR_NONE, ""},
    {"a piece fails", 4, 5000, 100, -1, 0, 0, false, ERR_IO, "piece 100"},
    {"the first fails", 4, 5000, 0, -1, 0, 0, false, ERR_IO, "piece 0"},
    {"next fails", 4, 5000, -1, 70, 0, 0, false, ERR_MISSING, "no next"},
    {"one job, next fails", 1, 5000, -1, 70, 0, 0, false, ERR_MISSING, "no next"},
    {"cancelled", 3, 5000, -1, -1, 5, 40, false, ERR_CANCEL, "cancelled"},
};

static void worked(void **state)
{
    const struct field_row *r = *state;
    struct field *f = calloc(1, sizeof *f);
    struct watched w;

    f->jobs = r->jobs;
    f->pieces = r->pieces;
    f->fail_at = r->fail_at;
    f->next_fails_at = r->next_fails_at;
    f->nap_ms = r->nap_ms;
    assert_int_equal(watch(till, f, r->cancel_ms, &w), r->ok);
    assert_int_equal(w.end.code, r->code);
    assert_string_equal(w.end.why, r->why);
    assert_false(f->overlapped);
    assert_int_equal(f->worked, f->given); /* what was given out was worked on, once */
    for (int i = 0; i < r->pieces; i++) {
        assert_int_equal(f->seen[i], i < f->given);
    }
    assert_int_equal(f->done, f->given - (r->fail_at >= 0));
    assert_true(f->most_at_once <= (int)r->jobs);
    if (r->ok) {
        assert_int_equal(f->given, r->pieces);
    } else {
        assert_true(f->given < r->pieces); /* it stopped early */
    }
    if (r->nap_ms == 2) {
        assert_int_equal(f->most_at_once, 4);
    }
    free(f);
}

static void first_failure_wins(void **state)
{
    struct field *f = calloc(1, sizeof *f);
    struct watched w;

    (void)state;
    *f = (struct field){
        .jobs = 3, .pieces = 100, .fail_at = 1, .next_fails_at = -1, .all_fail = true};
    assert_false(watch(till, f, 0, &w));
    assert_string_equal(w.end.why, "piece 1");
    assert_in_range(f->given, 2, 3);
    free(f);
}

static bool past_deadline(const struct task *t, void *arg, struct err *err)
{
    struct task late = *t;

    late.deadline_ns = 1;
    (void)arg;
    return task_go_on(&late, err);
}

static void deadline_is_looked_at(void **state)
{
    struct watched w;

    (void)state;
    assert_false(watch(past_deadline, NULL, 0, &w));
    assert_int_equal(w.end.code, ERR_TIMEOUT);
}

/* A file of so many bytes, taken to its end while the disk is still asked to empty its cache. */
#define LARGE (5 * (size_t)DIRECT_FLUSH + 12345)

static bool write_large(const struct task *t, void *arg, struct err *err)
{
    static char piece[DIRECT_CHUNK];
    char *path = arg;
    struct sync sync;
    struct direct *d;
    int fd = mkstemp(path);
    bool ok;

    assert_true(fd >= 0);
    sync_init(&sync);
    assert_true(sync_open(&sync, "/tmp", err));
    d = direct_new(t, &sync, err);
    ok = d && direct_begin(d, fd, path, err);
    for (size_t at = 0; ok && at < LARGE; at += sizeof piece) {
        ok = direct_write(d, piece, LARGE - at < sizeof piece ? LARGE - at : sizeof piece, err);
    }
    ok = ok && direct_end(d, err) && direct_finish(d, err);
    direct_free(d);
    sync_release(&sync);
    return ok;
}

static void flushing_goes_on_to_the_end(void **state)
{
    struct watched w;
    struct stat st;

    (void)state;
    for (int i = 0; i < 3; i++) {
        char path[] = "/tmp/crew_test.XXXXXX";

        assert_true(watch(write_large, path, 0, &w));
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, LARGE);
        unlink(path);
    }
}

TEST_MAIN(ONE(thread_has_a_name_and_no_signals), ONE(cancel_wakes_and_stays),
          ROWS(belts, conveyed), ONE(marks_are_told), ROWS(fields, worked),
          ONE(first_failure_wins), ONE(deadline_is_looked_at), ONE(flushing_goes_on_to_the_end))
