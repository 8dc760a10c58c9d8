/* SPDX-License-Identifier: PostgreSQL */
/* A running job: what signals do to it, and what its socket says. The job is a forked child. */
#include "job_tools.h"

static bool until_cancelled(const struct task *t, void *arg, struct err *err)
{
    struct pollfd fd = {.fd = t->cancel_fd, .events = POLLIN};
    struct progress p = {.done = 1, .phase = "waiting for disk", .what = "base/7"};

    task_progress(t, &p);
    task_say(t, SAY_OUT, "ready");
    poll(&fd, 1, 30000);
    if (arg) { /* slow to stop */
        poll(NULL, 0, *(int *)arg);
    }
    return task_go_on(t, err);
}

/* ---- signals ---- */

static pid_t in_child(struct job_spec spec, int slow_ms)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct err err = {0};
        spec.arg = slow_ms ? &slow_ms : NULL;
        _exit(job_run(&spec, &err) ? 0 : err.code == ERR_CANCEL ? 40 : 1);
    }
    return pid;
}

static int status_of(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const struct signal_row {
    const char *label;
    enum job_kind kind;
    int signo[3];
    int slow_ms;
    int status;
    const char *fact; /* in the journal */
} signals[] = {
    {"SIGINT", JOB_WRITES, {SIGINT}, 0, 40, "cancel\tby=SIGINT"},
    {"SIGTERM", JOB_WRITES, {SIGTERM}, 0, 40, "cancel\tby=SIGTERM"},
    {"SIGHUP of a reader", JOB_READS, {SIGHUP}, 0, 40, "cancel\tby=SIGHUP"},
    {"SIGHUP does not stop a writer", JOB_WRITES, {SIGHUP, SIGINT}, 0, 40, "cancel\tby=SIGINT"},
    {"SIGPIPE does not stop anybody",
     JOB_READS,
     {SIGPIPE, SIGTERM},
     0,
     40,
     "cancel\tby=SIGTERM"},
    {"a second SIGINT",
     JOB_WRITES,
     {SIGINT, SIGINT},
     600,
     40,
     "waiting for waiting for disk, at base/7"},
};

static void signalled(void **state)
{
    const struct signal_row *r = *state;
    struct heard h = {0};
    struct job_spec spec = spec_of(until_cancelled, &h);
    struct arena a;
    pid_t pid;

    new_home();
    arena_init(&a, 0);
    spec.kind = r->kind;
    pid = in_child(spec, r->slow_ms);
    await(1, "line=ready");
    assert_int_equal(info_of(&a, 1).state, JOB_RUNNING);
    assert_int_equal(info_of(&a, 1).pid, pid);
    for (int i = 0; i < 3 && r->signo[i]; i++) {
        int64_t begin = clock_mono_ns();
        assert_int_equal(kill(pid, r->signo[i]), 0);
        if (i == 0 && r->signo[i] == SIGINT) {
            await(1, "cancel\tby=SIGINT");
            assert_true(clock_mono_ns() - begin <
                        NS_PER_S); /* 100 ms, and this machine's load */
        }
        poll(NULL, 0, 60);
    }
    assert_int_equal(status_of(pid), r->status);
    assert_non_null(strstr(read_in(&a, 1, "journal").p, r->fact));
    assert_non_null(strstr(read_in(&a, 1, "journal").p, "code=ERR_CANCEL"));
    assert_int_equal(info_of(&a, 1).state, JOB_FAILED);
    arena_release(&a);
    drop_home();
}

/* As after nohup: what was ignored stays ignored. */
static void ignored_signals_stay_ignored(void **state)
{
    struct heard h = {0};
    struct job_spec spec = spec_of(until_cancelled, &h);
    struct arena a;
    pid_t pid;

    (void)state;
    new_home();
    arena_init(&a, 0);
    spec.kind = JOB_READS;
    signal(SIGHUP, SIG_IGN);
    pid = in_child(spec, 0);
    signal(SIGHUP, SIG_DFL);
    await(1, "line=ready");
    assert_int_equal(kill(pid, SIGHUP), 0);
    poll(NULL, 0, 60);
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(status_of(pid), 40);
    assert_null(strstr(read_in(&a, 1, "journal").p, "SIGHUP"));
    arena_release(&a);
    drop_home();
}

static void died(void **state)
{
    struct heard h = {0};
    struct job_spec spec = spec_of(until_cancelled, &h);
    struct err err = {0};
    struct job_info info;
    struct arena a;
    pid_t pid;
    int fd;

    (void)state;
    new_home();
    arena_init(&a, 0);
    pid = in_child(spec, 0);
    await(1, "line=ready");
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(status_of(pid), -1);
    info = info_of(&a, 1);
    assert_int_equal(info.state, JOB_DIED);
    assert_non_null(strstr(info.last, "line=ready"));
    assert_int_equal(info.pid, pid);
    assert_false(job_connect(home, 1, &fd, &err)); /* its socket file is still there */
    assert_int_equal(err.code, ERR_MISSING);
    arena_release(&a);
    drop_home();
}

/* ---- the socket ---- */

/* The next packet into mem; false when the job has gone. */
static bool packet(int fd, char mem[8192])
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ssize_t n;

    assert_int_equal(poll(&p, 1, 20000), 1);
    n = recv(fd, mem, 8191, 0);
    mem[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static void await_packet(int fd, const char *text, char mem[8192])
{
    do {
        assert_true(packet(fd, mem));
    } while (!strstr(mem, text));
}

static void followed_and_cancelled(void **state)
{
    struct heard h = {0};
    struct job_spec spec = spec_of(until_cancelled, &h);
    struct err err = {0};
    struct arena a;
    char mem[8192], path[PATH_CAP];
    struct stat st;
    int fd, late;
    pid_t pid;

    (void)state;
    new_home();
    arena_init(&a, 0);
    pid = in_child(spec, 0);
    await(1, "line=ready");
    str_fmt(path, sizeof path, "%s/.barkeep/jobs/1/sock", home);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_true(job_connect(home, 1, &fd, &err));
    assert_int_equal(send(fd, "facts 0", 7, 0), 7);
    assert_true(packet(fd, mem));
    assert_ptr_equal(strstr(mem, "fact 0\t"), mem);
    assert_non_null(strstr(mem, "\tbegan\tverb=backup\t"));
    await_packet(fd, "fact 1\t", mem);
    assert_non_null(strstr(mem, "line=ready"));
    await_packet(fd, "progress\t", mem);
    assert_non_null(
        strstr(mem, "done=1\ttotal=0\tper_sec=0\tphase=waiting for disk\twhat=base/7"));
    assert_true(job_connect(home, 1, &late, &err)); /* from line 1 on only */
    assert_int_equal(send(late, "facts 1", 7, 0), 7);
    assert_true(packet(late, mem));
    assert_ptr_equal(strstr(mem, "fact 1\t"), mem);
    assert_true(job_cancel(home, 1, &err));
    await_packet(fd, "cancel\tby=socket", mem);
    await_packet(fd, "ended\tresult=failed\tcode=ERR_CANCEL", mem);
    assert_false(packet(fd, mem));
    await_packet(late, "ended", mem);
    assert_int_equal(status_of(pid), 40);
    close(fd);
    close(late);
    assert_false(job_cancel(home, 1, &err));
    assert_int_equal(err.code, ERR_MISSING);
    assert_false(job_cancel(home, 2, &err));
    assert_int_equal(err.code, ERR_MISSING);
    arena_release(&a);
    drop_home();
}

static const struct request_row {
    const char *label;
    const char *text;
} requests[] = {
    {"a word", "hello"},
    {"half an order", "cance"},
    {"facts of nothing", "facts"},
    {"negative line", "facts -1"},
    {"line and more", "facts 1 2"},
    {"too long a number", "facts 99999999999999999999999"},
    {"order with an LF", "cancel\n"},
};

/* Who speaks otherwise is sent away, and the job goes on. */
static void not_understood(void **state)
{
    const struct request_row *r = *state;
    struct heard h = {0};
    struct job_spec spec = spec_of(until_cancelled, &h);
    struct err err = {0};
    char mem[8192];
    pid_t pid;
    int fd;

    new_home();
    pid = in_child(spec, 0);
    await(1, "line=ready");
    assert_true(job_connect(home, 1, &fd, &err));
    assert_true(send(fd, r->text, strlen(r->text), 0) > 0);
    assert_false(packet(fd, mem));
    close(fd);
    assert_true(job_connect(home, 1, &fd, &err));
    assert_int_equal(send(fd, "facts 99", 8, 0), 8); /* more than there are: from the end on */
    assert_true(packet(fd, mem));
    assert_ptr_equal(strstr(mem, "progress\t"), mem);
    assert_true(job_cancel(home, 1, &err));
    assert_int_equal(status_of(pid), 40);
    close(fd);
    drop_home();
}

/* More clients than are served, and one that never reads, while the job talks a lot. */
static bool talk_then_wait(const struct task *t, void *arg, struct err *err)
{
    int lines = 2000;

    return until_cancelled(t, NULL, err) ||
           (task_say(t, SAY_OUT, "now"), noisy(t, &lines, err)) || (arg && false);
}

static void nobody_is_waited_for(void **state)
{
    struct heard h = {0};
    struct job_spec spec = spec_of(talk_then_wait, &h);
    struct err err = {0};
    struct arena a;
    char mem[8192];
    int fd[12];
    pid_t pid;

    (void)state;
    new_home();
    arena_init(&a, 0);
    pid = in_child(spec, 0);
    await(1, "line=ready");
    for (int i = 0; i < 12; i++) {
        assert_true(job_connect(home, 1, &fd[i], &err));
        send(fd[i], "facts 0", 7, MSG_NOSIGNAL);
    }
    for (int i = 0; i < 8; i++) { /* all are being served */
        assert_true(packet(fd[i], mem));
    }
    assert_false(packet(fd[11], mem)); /* sent away */
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(status_of(pid), 0);
    assert_int_equal(info_of(&a, 1).state, JOB_DONE);
    for (int i = 0; i < 12; i++) {
        close(fd[i]);
    }
    arena_release(&a);
    drop_home();
}

/* sun_path has 108 bytes, a home has more. */
static void deep_home(void **state)
{
    struct heard h = {0};
    struct job_spec spec = spec_of(until_cancelled, &h);
    struct err err = {0};
    char top[PATH_CAP];
    pid_t pid;
    size_t n;

    (void)state;
    new_home();
    str_copy(top, sizeof top, home);
    for (int i = 0; i < 5; i++) {
        n = strlen(home);
        str_copy(home + n, sizeof home - n,
                 "/a-directory-with-a-name-such-as-people-like-them");
    }
    assert_true(dir_make(home, &err));
    pid = in_child(spec, 0);
    await(1, "line=ready");
    assert_true(job_cancel(home, 1, &err));
    assert_int_equal(status_of(pid), 40);
    str_copy(home, sizeof home, top);
    drop_home();
}

/* Progress is told at most ten times a second, and the last of it is told. */
static bool hurry(const struct task *t, void *arg, struct err *err)
{
    int64_t until = clock_mono_ns() + 450 * NS_PER_MS;
    struct progress p = {.total = 9};

    (void)arg;
    (void)err;
    while (clock_mono_ns() < until) {
        p.done++;
        task_progress(t, &p);
        if (p.done % 1000 == 0) {
            task_say(t, SAY_LOG, "a fact in between must not hurry the rest");
        }
    }
    p.done = UINT64_MAX;
    task_progress(t, &p);
    poll(NULL, 0, 300);
    return true;
}

static void progress_is_paced(void **state)
{
    struct heard h = {0};
    struct job_spec spec = spec_of(hurry, &h);
    struct err err = {0};

    (void)state;
    spec.home = NULL;
    assert_true(job_run(&spec, &err));
    assert_in_range(h.steps, 2, 8);
    assert_true(h.progress.done == UINT64_MAX);
}

TEST_MAIN(ROWS(signals, signalled), ONE(ignored_signals_stay_ignored), ONE(died),
          ONE(followed_and_cancelled), ROWS(requests, not_understood),
          ONE(nobody_is_waited_for), ONE(deep_home), ONE(progress_is_paced))
