/* SPDX-License-Identifier: PostgreSQL */
/* Processes side by side: what is handed over, in which order, and how they end. */
#include "workers/abreast.h"

#include "barkeep/str.h"

#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LARGE ((size_t)12 << 20) /* beyond what is held and what a pipe takes */

struct heard {
    char text[4096];
    struct sbuf b;
    size_t bytes[8];
    size_t ends;
    struct abreast_end end[8];
    int signo; /* to ourselves when the first word comes; 0: none */
};

static void pause_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

static void on_output(void *arg, size_t i, enum abreast_stream stream, const char *p, size_t n)
{
    struct heard *h = arg;

    h->bytes[i] += n;
    if (n < 100) {
        sbuf_fmt(&h->b, "%s%.*s", stream == ABREAST_ERR ? "!" : "", (int)n, p);
    }
    if (h->signo) {
        kill(getpid(), h->signo);
        h->signo = 0;
    }
}

static void on_end(void *arg, size_t i, struct abreast_end end)
{
    struct heard *h = arg;

    assert_int_equal(i, h->ends); /* in order, each once */
    h->end[h->ends++] = end;
    sbuf_char(&h->b, '/');
}

static struct heard run_spec(struct abreast_spec spec, int signo, enum err_code want)
{
    struct heard h = {.signo = signo};
    struct err err = {0};

    spec.output = on_output;
    spec.ended = on_end;
    spec.arg = &h;

    sbuf_init(&h.b, h.text, sizeof h.text);
    assert_int_equal(abreast_run(&spec, &err), want == ERR_NONE);
    assert_int_equal(err.code, want);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
    return h;
}

static struct heard run(size_t n, size_t most, int (*child)(void *arg, size_t i))
{
    return run_spec((struct abreast_spec){.n = n, .most = most, .child = child}, 0, ERR_NONE);
}

/* The first is the slowest. */
static int slow_first(void *arg, size_t i)
{
    (void)arg;
    pause_ms(i ? 0 : 200);
    printf("out%zu ", i);
    fflush(stdout);
    pause_ms(20);
    fprintf(stderr, "err%zu ", i);
    return (int)i;
}

static void output_comes_in_order(void **state)
{
    struct heard h = run(3, 3, slow_first);

    (void)state;
    assert_string_equal(h.text, "out0 !err0 /out1 !err1 /out2 !err2 /");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(h.end[i].status, i);
        assert_int_equal(h.end[i].signal, 0);
    }
}

static void one_at_a_time(void **state)
{
    struct heard h = run(3, 1, slow_first);

    (void)state;
    assert_string_equal(h.text, "out0 !err0 /out1 !err1 /out2 !err2 /");
}

static void none_at_all(void **state)
{
    struct heard h = run(0, 4, slow_first);

    (void)state;
    assert_int_equal(h.ends, 0);
}

/* Each waits until the other has begun: alone they would never end. */
static int fifo[2][2];

static int meets_the_other(void *arg, size_t i)
{
    char c = 'x';

    (void)arg;
    return write(fifo[i][1], &c, 1) == 1 && read(fifo[1 - i][0], &c, 1) == 1 ? 0 : 9;
}

static void side_by_side(void **state)
{
    struct heard h;

    (void)state;
    assert_int_equal(pipe(fifo[0]), 0);
    assert_int_equal(pipe(fifo[1]), 0);
    h = run(2, 2, meets_the_other);
    assert_int_equal(h.end[0].status, 0);
    assert_int_equal(h.end[1].status, 0);
}

/* The second has more to say than is held while the first takes its time. */
static int says_much(void *arg, size_t i)
{
    static char piece[4096];

    (void)arg;
    pause_ms(i ? 0 : 300);
    for (size_t n = 0; n < (i ? LARGE : 4096); n += sizeof piece) {
        fwrite(piece, 1, sizeof piece, stdout);
    }
    return 0;
}

static void much_is_not_lost(void **state)
{
    struct heard h = run(3, 3, says_much);

    (void)state;
    assert_int_equal(h.bytes[0], 4096);
    assert_int_equal(h.bytes[1], LARGE);
    assert_int_equal(h.bytes[2], LARGE);
    assert_string_equal(h.text, "///");
}

static int dies(void *arg, size_t i)
{
    (void)arg;
    printf("%zu ", i);
    fflush(stdout);
    if (i == 1) {
        raise(SIGKILL);
    }
    return 0;
}

static void a_killed_one_is_told(void **state)
{
    struct heard h = run(3, 2, dies);

    (void)state;
    assert_string_equal(h.text, "0 /1 /2 /");
    assert_int_equal(h.end[1].status, -1);
    assert_int_equal(h.end[1].signal, SIGKILL);
    assert_int_equal(h.end[2].status, 0);
}

/* It leaves somebody behind who still holds the pipe. */
static int leaves_another(void *arg, size_t i)
{
    (void)arg;
    printf("%zu ", i);
    fflush(stdout);
    if (fork() == 0) {
        pause_ms(5000);
        _exit(0);
    }
    return 0;
}

static void a_grandchild_holds_nothing_up(void **state)
{
    struct timespec before, after;
    struct heard h;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &before);
    h = run(2, 2, leaves_another);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_string_equal(h.text, "0 /1 /");
    assert_true(after.tv_sec - before.tv_sec < 4);
}

static int waits_long(void *arg, size_t i)
{
    (void)arg;
    printf("%zu ", i);
    fflush(stdout);
    pause_ms(60000);
    return 0;
}

static const struct signal_row {
    const char *label;
    int signo;
    bool writes, stops;
} signal_rows[] = {
    {"SIGTERM stops who looks", SIGTERM, false, true},
    {"SIGTERM stops who writes", SIGTERM, true, true},
    {"SIGINT stops who writes", SIGINT, true, true},
    {"SIGHUP stops who looks", SIGHUP, false, true},
    {"SIGHUP does not stop who writes", SIGHUP, true, false},
    {"SIGPIPE does not stop who writes", SIGPIPE, true, false},
};

static int waits(void *arg, size_t i)
{
    (void)arg;
    printf("%zu ", i);
    fflush(stdout);
    pause_ms(300);
    return 0;
}

static void a_signal(void **state)
{
    const struct signal_row *r = *state;
    struct abreast_spec spec = {
        .n = 3, .most = 2, .child = r->stops ? waits_long : waits, .writes = r->writes};
    struct heard h = run_spec(spec, r->signo, r->stops ? ERR_CANCEL : ERR_NONE);
    sigset_t mask;

    assert_int_equal(h.ends, r->stops ? 2 : 3);
    assert_int_equal(h.end[0].signal, r->stops ? SIGTERM : 0);
    assert_int_equal(h.end[1].signal, r->stops ? SIGTERM : 0);
    assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
    assert_false(sigismember(&mask, r->signo));
}

/* kill -9 of the whole: nobody goes on alone. */
static void children_do_not_outlive_us(void **state)
{
    int out[2];
    pid_t pid;
    char c;

    (void)state;
    assert_int_equal(pipe(out), 0);
    pid = fork();
    if (pid == 0) {
        close(out[0]);
        run(2, 2, waits_long);
        _exit(0);
    }
    close(out[1]);
    pause_ms(300);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    alarm(10);
    assert_int_equal(read(out[0], &c, 1), 0); /* all who held the other end are gone */
    alarm(0);
    close(out[0]);
}

TEST_MAIN(ONE(output_comes_in_order), ONE(one_at_a_time), ONE(none_at_all), ONE(side_by_side),
          ONE(much_is_not_lost), ONE(a_killed_one_is_told), ONE(a_grandchild_holds_nothing_up),
          ROWS(signal_rows, a_signal), ONE(children_do_not_outlive_us))
