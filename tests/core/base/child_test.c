/* SPDX-License-Identifier: PostgreSQL */
/* Expected results are those of sh(1) and of the tools it runs. */
#include "base/child.h"

#include "base/clock.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct row {
    const char *label;
    const char *script;
    const char *input;
    const char *out;
    int status, signal;
    const char *why; /* NULL: it goes well */
} rows[] = {
    {"says hello", "echo hello", "", "hello\n", 0, 0, NULL},
    {"reads its input", "tr a-z A-Z", "quiet", "QUIET", 0, 0, NULL},
    {"no input is the end", "cat; echo end", "", "end\n", 0, 0, NULL},
    {"input nobody reads", "exec 0<&-; echo done", "x", "done\n", 0, 0, NULL},
    {"silent", "exit 0", "", "", 0, 0, NULL},
    {"bytes with NUL stay bytes", "printf 'a\\000b' | wc -c | tr -d ' '", "", "3\n", 0, 0,
     NULL},
    {"status 3", "exit 3", "", "", 3, 0, "exit status 3"},
    {"its last words", "echo first >&2; echo 'no such host' >&2; exit 4", "", "", 4, 0,
     "no such host (exit status 4)"},
    {"words and blank lines", "printf 'why\\n\\n  \\n' >&2; exit 1", "", "", 1, 0,
     "why (exit status 1)"},
    {"output before failure", "echo half; exit 1", "", "half\n", 1, 0, "exit status 1"},
    {"killed", "kill -9 $$", "", "", -1, 9, "was ended by signal 9"},
    {"warns but ends well", "echo careful >&2", "", "", 0, 0, NULL},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    const char *argv[] = {"sh", "-c", r->script, NULL};
    char out[64];
    struct child_end end;
    struct err err = {0};
    struct child_spec spec = {.argv = argv,
                              .input = str_of(r->input),
                              .out = out,
                              .out_cap = sizeof out,
                              .cancel_fd = -1};

    assert_int_equal(child_run(&spec, &end, &err), r->why == NULL);
    assert_string_equal(out, r->out);
    assert_int_equal(end.status, r->status);
    assert_int_equal(end.signal, r->signal);
    assert_false(end.out_cut);
    assert_string_equal(err.why, r->why ? r->why : "");
    assert_int_equal(err.code, r->why ? ERR_IO : ERR_NONE);
}

static void output_is_bounded(void **state)
{
    const char *argv[] = {"sh", "-c",
                          "i=0; while [ $i -lt 20000 ]; do echo 0123456789; "
                          "i=$((i+1)); done",
                          NULL};
    char out[16];
    struct child_end end;
    struct err err = {0};
    struct child_spec spec = {.argv = argv, .out = out, .out_cap = sizeof out, .cancel_fd = -1};

    (void)state;
    assert_true(child_run(&spec, &end, &err));
    assert_string_equal(out, "0123456789\n0123");
    assert_int_equal(end.out_len, 15);
    assert_true(end.out_cut);
}

static void add_line(void *ctx, struct str line)
{
    struct sbuf *b = ctx;

    sbuf_fmt(b, "%.*s|", line.n > 12 ? 12 : (int)line.n, line.p);
}

/* stdout and stderr in the order they were written in; a long line in pieces; the last one
 * without its newline. */
static void lines_as_they_come(void **state)
{
    const char *argv[] = {"sh", "-c",
                          "echo one; echo two >&2; echo three; echo; printf '%01030d\\n' 7; "
                          "printf end; exit 3",
                          NULL};
    char mem[256];
    struct sbuf b;
    struct child_end end;
    struct err err = {0};
    struct child_spec spec = {.argv = argv, .line = add_line, .line_ctx = &b, .cancel_fd = -1};

    (void)state;
    sbuf_init(&b, mem, sizeof mem);
    assert_false(child_run(&spec, &end, &err));
    assert_string_equal(mem, "one|two|three||000000000000|000007|end|");
    assert_int_equal(end.status, 3);
    assert_string_equal(err.why, "end (exit status 3)");
}

/* More than a pipe holds in both directions at once: neither side may wait for the other. */
static void much_in_and_out(void **state)
{
    enum { SIZE = 1 << 20 };
    static char in[SIZE], out[SIZE + 1];
    const char *argv[] = {"cat", NULL};
    struct child_end end;
    struct err err = {0};
    struct child_spec spec = {.argv = argv,
                              .input = str_n(in, SIZE),
                              .out = out,
                              .out_cap = sizeof out,
                              .cancel_fd = -1};

    (void)state;
    for (size_t i = 0; i < SIZE; i++) {
        in[i] = (char)('a' + i % 23);
    }
    assert_true(child_run(&spec, &end, &err));
    assert_int_equal(end.out_len, SIZE);
    assert_memory_equal(in, out, SIZE);
}

static void program_is_missing(void **state)
{
    const char *argv[] = {"/nonexistent/program", NULL};
    struct child_end end;
    struct err err = {0};
    struct child_spec spec = {.argv = argv, .cancel_fd = -1};
    pid_t pid;

    (void)state;
    assert_false(child_run(&spec, &end, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(err.os, ENOENT);
    assert_string_equal(err.what, "/nonexistent/program");
    assert_false(child_detach(argv, CHILD_QUIET, &pid, &err));
    assert_int_equal(err.os, ENOENT);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie is left */
    assert_int_equal(errno, ECHILD);
}

static void deadline_ends_the_whole_group(void **state)
{
    const char *argv[] = {"sh", "-c", "sleep 50 & sleep 50", NULL};
    struct child_end end;
    struct err err = {0};
    int64_t begin = clock_mono_ns();
    struct child_spec spec = {
        .argv = argv, .cancel_fd = -1, .deadline_ns = begin + 200 * NS_PER_MS};

    (void)state;
    assert_false(child_run(&spec, &end, &err));
    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_int_equal(end.signal, SIGTERM);
    assert_true(clock_mono_ns() - begin < 3 * NS_PER_S);
}

static void who_ignores_sigterm_is_killed(void **state)
{
    const char *argv[] = {"sh", "-c", "trap '' TERM; while :; do sleep 1; done", NULL};
    struct child_end end;
    struct err err = {0};
    int64_t begin = clock_mono_ns();
    struct child_spec spec = {.argv = argv, .cancel_fd = -1, .deadline_ns = begin + NS_PER_MS};

    (void)state;
    assert_false(child_run(&spec, &end, &err));
    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_int_equal(end.signal, SIGKILL);
    assert_true(clock_mono_ns() - begin >= CHILD_GRACE_MS * NS_PER_MS);
}

static void cancel_by_descriptor(void **state)
{
    const char *argv[] = {"sleep", "50", NULL};
    int fd[2];
    struct child_end end;
    struct err err = {0};

    (void)state;
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(write(fd[1], "x", 1), 1);
    struct child_spec spec = {.argv = argv, .cancel_fd = fd[0]};
    assert_false(child_run(&spec, &end, &err));
    assert_int_equal(err.code, ERR_CANCEL);
    close(fd[0]);
    close(fd[1]);
}

/* It ends although a process it left behind keeps its output open. */
static void daemon_left_behind(void **state)
{
    const char *argv[] = {"sh", "-c", "sleep 8 & echo $!", NULL};
    char out[32];
    struct child_end end;
    struct err err = {0};
    int64_t begin = clock_mono_ns();
    struct child_spec spec = {.argv = argv, .out = out, .out_cap = sizeof out, .cancel_fd = -1};

    (void)state;
    assert_true(child_run(&spec, &end, &err));
    assert_true(clock_mono_ns() - begin < 4 * NS_PER_S);
    assert_int_equal(kill((pid_t)atoi(out), SIGTERM), 0);
}

/* Whatever the caller blocks or ignores, and whatever it has open. */
static void fresh_signals_and_descriptors(void **state)
{
    const char *argv[] = {"sh", "-c",
                          "grep -E '^Sig(Blk|Ign)' /proc/self/status; "
                          "ls /proc/self/fd | wc -l",
                          NULL};
    char out[256];
    struct child_end end;
    struct err err = {0};
    struct child_spec spec = {.argv = argv, .out = out, .out_cap = sizeof out, .cancel_fd = -1};
    sigset_t all, before;
    char count[16];
    int inherited = 0; /* by this test from whoever started it */

    (void)state;
    for (int fd = 3; fd < 256; fd++) {
        int flags = fcntl(fd, F_GETFD);
        inherited += flags >= 0 && !(flags & FD_CLOEXEC);
    }
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    signal(SIGUSR1, SIG_IGN);
    assert_true(child_run(&spec, &end, &err));
    signal(SIGUSR1, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_non_null(strstr(out, "SigBlk:\t0000000000000000\n"));
    assert_non_null(strstr(out, "SigIgn:\t0000000000000000\n"));
    str_fmt(count, sizeof count, "\n%d\n", inherited + 4); /* 0, 1, 2 and what ls reads */
    assert_non_null(strstr(out, count));
}

static void own_environment(void **state)
{
    const char *argv[] = {"sh", "-c", "echo $COLOUR$HOME", NULL};
    const char *env[] = {"COLOUR=blue", NULL};
    char out[64];
    struct child_end end;
    struct err err = {0};
    struct child_spec spec = {
        .argv = argv, .env = env, .out = out, .out_cap = sizeof out, .cancel_fd = -1};

    (void)state;
    assert_true(child_run(&spec, &end, &err));
    assert_string_equal(out, "blue\n");
    assert_non_null(getenv("PATH")); /* ours stays */
}

static void detached_has_its_own_session(void **state)
{
    const char *argv[] = {"sleep", "50", NULL};
    struct err err = {0};
    pid_t pid;

    (void)state;
    assert_true(child_detach(argv, CHILD_QUIET, &pid, &err));
    assert_int_equal(getsid(pid), pid);
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

TEST_MAIN(ROWS(rows, check_row), ONE(output_is_bounded), ONE(lines_as_they_come),
          ONE(much_in_and_out), ONE(program_is_missing), ONE(deadline_ends_the_whole_group),
          ONE(who_ignores_sigterm_is_killed), ONE(cancel_by_descriptor),
          ONE(daemon_left_behind), ONE(fresh_signals_and_descriptors), ONE(own_environment),
          ONE(detached_has_its_own_session))
