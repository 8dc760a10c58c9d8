/* SPDX-License-Identifier: PostgreSQL */
/* Jobs from the outside: what is in the directory, what the socket says, what signals do. A job
 * that gets signals or dies runs in a forked child. */
#include "workers/job.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "harness.h"
#include "workers/job_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char home[PATH_CAP];

static void new_home(void)
{
    strcpy(home, "/tmp/barkeep-job-XXXXXX");
    assert_non_null(mkdtemp(home));
}

static void drop_home(void)
{
    struct err err;

    assert_true(tree_remove(home, &err));
}

static struct str read_in(struct arena *a, uint32_t number, const char *name)
{
    char path[PATH_CAP];
    struct err err = {0};
    struct str s;

    str_fmt(path, sizeof path, "%s/.barkeep/jobs/%u/%s", home, number, name);
    if (!file_read(a, path, 4 << 20, &s, &err)) {
        fail_msg("%s: %s", path, err.why);
    }
    return s;
}

/* Until the text is in the job's journal; at most 20 s. */
static void await(uint32_t number, const char *text)
{
    for (int i = 0; i < 2000; i++) {
        char path[PATH_CAP];
        struct arena a;
        struct err err;
        struct str s;
        bool there = false;

        str_fmt(path, sizeof path, "%s/.barkeep/jobs/%u/journal", home, number);
        arena_init(&a, 0);
        if (file_kind(path, NULL) == FILE_REGULAR && file_read(&a, path, 4 << 20, &s, &err)) {
            there = strstr(s.p, text) != NULL;
        }
        arena_release(&a);
        if (there) {
            return;
        }
        poll(NULL, 0, 10);
    }
    fail_msg("'%s' did not come", text);
}

static struct job_info info_of(struct arena *a, uint32_t number)
{
    struct job_list list;
    struct err err = {0};

    assert_true(job_list(a, home, &list, &err));
    for (size_t i = 0; i < list.n; i++) {
        if (list.job[i].number == number) {
            return list.job[i];
        }
    }
    fail_msg("job %u is not in the list", number);
    return (struct job_info){0};
}

/* ---- verbs ---- */

static bool well(const struct task *t, void *arg, struct err *err)
{
    struct progress p = {.done = 3, .total = 4, .phase = "copy", .what = "base/1"};

    (void)arg;
    task_say(t, SAY_OUT, "Starting\tbackup");
    task_say(t, SAY_WARN, "careful");
    task_say(t, SAY_LOG, "only the log");
    task_say(t, SAY_DEBUG, "details");
    task_progress(t, &p);
    return task_go_on(t, err);
}

static bool badly(const struct task *t, void *arg, struct err *err)
{
    (void)arg;
    task_say(t, SAY_OUT, "Starting");
    err_set(err, ERR_IO, "Free space.", "/repo/a\tb", "no space left on device");
    return err_wrap(err, "write");
}

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

static bool noisy(const struct task *t, void *arg, struct err *err)
{
    (void)err;
    for (int i = 0; i < *(int *)arg; i++) {
        task_say(t, SAY_OUT, "%06d %0500d", i, 0);
    }
    return true;
}

struct heard {
    int said[SAY_DEBUG + 1];
    char last[600];
    struct progress progress;
    int steps;
};

static void on_said(void *ctx, enum say kind, const char *line)
{
    struct heard *h = ctx;

    h->said[kind]++;
    str_copy(h->last, sizeof h->last, line);
}

static void on_progress(void *ctx, const struct progress *p)
{
    struct heard *h = ctx;

    h->progress = *p;
    h->steps++;
}

static struct job_spec spec_of(bool (*run)(const struct task *, void *, struct err *),
                               struct heard *h)
{
    return (struct job_spec){.home = home, .kind = JOB_WRITES, .verb = "backup",
                             .server = "orders-db1", .plan = "copy everything\n", .run = run,
                             .watch = {h, on_said, on_progress}};
}

/* ---- what stays on disk ---- */

static void ends_well(void **state)
{
    struct heard h = {0};
    struct job_spec spec = spec_of(well, &h);
    struct err err = {0};
    struct str journal, line;
    struct job_info info;
    struct stat st;
    struct arena a;
    char path[PATH_CAP];

    (void)state;
    new_home();
    arena_init(&a, 0);
    assert_true(job_run(&spec, &err));
    assert_int_equal(err.code, ERR_NONE);
    assert_int_equal(h.said[SAY_OUT], 1);
    assert_int_equal(h.said[SAY_WARN], 1);
    assert_int_equal(h.said[SAY_LOG] + h.said[SAY_DEBUG], 0);
    assert_string_equal(read_in(&a, 1, "plan").p, "copy everything\n");
    assert_non_null(strstr(read_in(&a, 1, "log").p, " log only the log\n"));
    assert_non_null(strstr(read_in(&a, 1, "log").p, " warn careful\n"));
    journal = read_in(&a, 1, "journal");
    assert_int_equal(strlen(journal.p), journal.n); /* the rest was given back */
    assert_true(str_line(&journal, &line));
    assert_true(str_eq(fact_kind(line), "began"));
    assert_true(str_eq(fact_get(line, "verb"), "backup"));
    assert_true(str_eq(fact_get(line, "server"), "orders-db1"));
    assert_true(str_line(&journal, &line));
    assert_true(str_eq(fact_get(line, "kind"), "out"));
    assert_true(str_eq(fact_get(line, "line"), "Starting backup")); /* the TAB divides */
    assert_true(str_line(&journal, &line));
    assert_true(str_eq(fact_get(line, "kind"), "warn"));
    assert_true(str_line(&journal, &line));
    assert_true(str_eq(fact_kind(line), "ended"));
    assert_true(str_eq(fact_get(line, "result"), "ok"));
    assert_false(str_line(&journal, &line));
    info = info_of(&a, 1);
    assert_int_equal(info.state, JOB_DONE);
    assert_string_equal(info.verb, "backup");
    assert_string_equal(info.server, "orders-db1");
    assert_int_equal(info.pid, getpid());
    str_fmt(path, sizeof path, "%s/.barkeep", home);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    str_fmt(path, sizeof path, "%s/.barkeep/jobs/1/sock", home);
    assert_int_equal(file_kind(path, NULL), FILE_NONE);
    arena_release(&a);
    drop_home();
}

static void ends_badly(void **state)
{
    struct heard h = {0};
    struct job_spec spec = spec_of(badly, &h);
    struct err err = {0};
    struct job_info info;
    struct arena a;

    (void)state;
    new_home();
    arena_init(&a, 0);
    assert_false(job_run(&spec, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.doing, "write");
    info = info_of(&a, 1);
    assert_int_equal(info.state, JOB_FAILED);
    assert_string_equal(info.text, "cannot write: '/repo/a b': no space left on device");
    assert_true(str_eq(fact_get(str_of(info.last), "code"), "ERR_IO"));
    assert_true(str_eq(fact_get(str_of(info.last), "hint"), "Free space."));
    arena_release(&a);
    drop_home();
}

static void without_a_directory(void **state)
{
    struct heard h = {0};
    struct job_spec spec = spec_of(well, &h);
    struct err err = {0};

    (void)state;
    spec.home = NULL;
    assert_true(job_run(&spec, &err));
    assert_int_equal(h.said[SAY_OUT], 1);
    spec.run = badly;
    assert_false(job_run(&spec, &err));
    assert_int_equal(err.code, ERR_IO);
}

static void home_cannot_be_written(void **state)
{
    struct heard h = {0};
    struct job_spec spec = spec_of(well, &h);
    struct err err = {0};
    char log[PATH_CAP], path[PATH_CAP];
    struct arena a;
    struct str s;

    (void)state;
    new_home();
    arena_init(&a, 0);
    str_fmt(log, sizeof log, "%s/log", home);
    assert_true(log_open(log, LOG_INFO, &err));
    str_fmt(path, sizeof path, "%s/not-there", home); /* root may write anywhere else */
    spec.home = path;
    assert_true(job_run(&spec, &err));
    assert_int_equal(h.said[SAY_OUT], 1);
    assert_int_equal(file_kind(path, NULL), FILE_NONE);
    assert_true(file_read(&a, log, 4 << 20, &s, &err));
    assert_non_null(strstr(s.p, "WARNING: backup runs without a job directory: cannot"));
    arena_release(&a);
    drop_home();
}

static void number_given(void **state)
{
    struct heard h = {0};
    struct job_spec spec = spec_of(well, &h);
    struct err err = {0};
    struct arena a;
    uint32_t n = 0;

    (void)state;
    new_home();
    arena_init(&a, 0);
    assert_true(job_allocate(home, &n, &err));
    assert_int_equal(n, 1);
    assert_int_equal(info_of(&a, 1).state, JOB_NEW);
    assert_true(job_allocate(home, &n, &err));
    assert_int_equal(n, 2);
    spec.number = 1;
    assert_true(job_run(&spec, &err));
    assert_int_equal(info_of(&a, 1).state, JOB_DONE);
    assert_false(job_run(&spec, &err)); /* not twice */
    assert_int_equal(err.code, ERR_BUSY);
    assert_int_equal(h.said[SAY_OUT], 1);
    spec.number = 0;
    assert_true(job_run(&spec, &err));
    assert_int_equal(info_of(&a, 3).state, JOB_DONE);
    arena_release(&a);
    drop_home();
}

static void two_at_once_get_two_numbers(void **state)
{
    enum { PROCESSES = 8, EACH = 20 };
    struct job_list list;
    struct err err = {0};
    struct arena a;

    (void)state;
    new_home();
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() == 0) {
            for (int k = 0; k < EACH; k++) {
                uint32_t n;
                if (!job_allocate(home, &n, &err)) {
                    _exit(1);
                }
            }
            _exit(0);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    arena_init(&a, 0);
    assert_true(job_list(&a, home, &list, &err));
    assert_int_equal(list.n, PROCESSES * EACH);
    for (size_t i = 0; i < list.n; i++) {
        assert_int_equal(list.job[i].number, i + 1);
    }
    arena_release(&a);
    drop_home();
}

static void only_the_newest_stay(void **state)
{
    struct heard h = {0};
    struct job_spec spec = spec_of(well, &h);
    struct err err = {0};
    struct job_list list;
    struct arena a;
    uint32_t n;

    (void)state;
    new_home();
    for (int i = 0; i < JOB_KEEP + 5; i++) {
        assert_true(job_allocate(home, &n, &err));
    }
    assert_true(job_run(&spec, &err));
    arena_init(&a, 0);
    assert_true(job_list(&a, home, &list, &err));
    assert_int_equal(list.n, JOB_KEEP + 1);
    assert_int_equal(list.job[0].number, 6);
    assert_int_equal(list.job[JOB_KEEP].number, JOB_KEEP + 6);
    arena_release(&a);
    drop_home();
}

static void list_of_nothing(void **state)
{
    struct job_list list = {.n = 7};
    struct err err = {0};
    struct arena a;

    (void)state;
    new_home();
    arena_init(&a, 0);
    assert_true(job_list(&a, home, &list, &err));
    assert_int_equal(list.n, 0);
    arena_release(&a);
    drop_home();
}

/* ---- journals others might find ---- */

#define BEGAN "2026-11-22 13:00:00+00:00\tbegan\tverb=backup\tserver=a\tpid=7\n"

static const struct journal_row {
    const char *label;
    const char *text;
    size_t n;
    enum job_state state;
    const char *last; /* how its last line ends */
} journals[] = {
    {"empty", "", 0, JOB_NEW, ""},
    {"reserved only", "\0\0\0\0", 4, JOB_NEW, ""},
    {"began", BEGAN "\0\0", sizeof BEGAN + 1, JOB_DIED, "pid=7"},
    {"torn second line", BEGAN "2026-11-22 13:0", sizeof BEGAN + 14, JOB_DIED, "pid=7"},
    {"torn first line", BEGAN, sizeof BEGAN - 2, JOB_NEW, ""},
    {"torn end does not count", BEGAN "x\tended\tresult=ok", sizeof BEGAN + 16, JOB_DIED,
     "pid=7"},
    {"ended", BEGAN "x\tended\tresult=ok\n", sizeof BEGAN + 17, JOB_DONE, "result=ok"},
    {"ended badly", BEGAN "x\tended\tresult=failed\ttext=t\n", sizeof BEGAN + 29, JOB_FAILED,
     "text=t"},
    {"not a journal", "\n\n\xff\xfe\t\t\t=\n", 10, JOB_NEW, "="},
};

static void journal_found(void **state)
{
    const struct journal_row *r = *state;
    struct err err = {0};
    struct job_info info;
    struct arena a;
    char path[PATH_CAP];
    uint32_t n;
    size_t len;

    new_home();
    arena_init(&a, 0);
    assert_true(job_allocate(home, &n, &err));
    str_fmt(path, sizeof path, "%s/.barkeep/jobs/%u/journal", home, n);
    assert_true(file_replace(path, str_n(r->text, r->n), &err));
    info = info_of(&a, n);
    assert_int_equal(info.state, r->state);
    len = strlen(r->last);
    assert_true(strlen(info.last) >= len);
    assert_string_equal(info.last + strlen(info.last) - len, r->last);
    arena_release(&a);
    drop_home();
}

/* Longer than what is looked at in one piece. */
static void long_journal(void **state)
{
    int lines = 2000;
    struct heard h = {0};
    struct job_spec spec = spec_of(noisy, &h);
    struct err err = {0};
    struct str journal, line;
    struct arena a;
    int n = 0;

    (void)state;
    new_home();
    arena_init(&a, 0);
    spec.arg = &lines;
    assert_true(job_run(&spec, &err));
    assert_int_equal(h.said[SAY_OUT], lines);
    assert_int_equal(strlen(h.last), 507);
    journal = read_in(&a, 1, "journal");
    assert_true(journal.n > 10 * JOURNAL_STEP);
    while (str_line(&journal, &line)) {
        uint64_t no;
        struct str text = fact_get(line, "line");
        if (str_eq(fact_kind(line), "said")) {
            assert_true(str_take_u64(&text, UINT32_MAX, &no));
            assert_int_equal(no, n++);
        }
    }
    assert_int_equal(n, lines);
    assert_int_equal(info_of(&a, 1).state, JOB_DONE);
    arena_release(&a);
    drop_home();
}

/* No file may grow beyond 100 kB: the end is told all the same, and how much is missing. */
static void full_disk(void **state)
{
    int lines = 2000, status;
    struct err err = {0};
    struct job_info info;
    struct arena a;
    uint64_t lost;
    struct str journal, line;
    unsigned said = 0;

    (void)state;
    new_home();
    arena_init(&a, 0);
    if (fork() == 0) {
        struct heard h = {0};
        struct job_spec spec = spec_of(noisy, &h);
        struct rlimit limit = {100000, 100000};

        spec.arg = &lines;
        setrlimit(RLIMIT_FSIZE, &limit);
        _exit(job_run(&spec, &err) && h.said[SAY_OUT] == lines ? 0 : 1);
    }
    assert_true(wait(&status) > 0);
    assert_int_equal(status, 0);
    info = info_of(&a, 1);
    assert_int_equal(info.state, JOB_DONE);
    assert_true(str_u64(fact_get(str_of(info.last), "lost"), UINT32_MAX, &lost));
    journal = read_in(&a, 1, "journal");
    while (str_line(&journal, &line)) {
        said += str_eq(fact_kind(line), "said");
    }
    assert_int_equal(said + lost, lines);
    assert_true(said > 50);
    arena_release(&a);
    drop_home();
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
    {"SIGPIPE does not stop anybody", JOB_READS, {SIGPIPE, SIGTERM}, 0, 40,
     "cancel\tby=SIGTERM"},
    {"a second SIGINT", JOB_WRITES, {SIGINT, SIGINT}, 600, 40,
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
            assert_true(clock_mono_ns() - begin < NS_PER_S); /* 100 ms, and this machine's load */
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

static void signals_are_given_back(void **state)
{
    struct heard h = {0};
    struct job_spec spec = spec_of(well, &h);
    struct err err = {0};
    sigset_t before, after;

    (void)state;
    spec.home = NULL;
    sigprocmask(SIG_SETMASK, NULL, &before);
    assert_true(job_run(&spec, &err));
    sigprocmask(SIG_SETMASK, NULL, &after);
    for (int signo = 1; signo < 32; signo++) {
        assert_int_equal(sigismember(&before, signo), sigismember(&after, signo));
    }
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
    assert_non_null(strstr(mem, "done=1\ttotal=0\tper_sec=0\tphase=waiting for disk\twhat=base/7"));
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
    {"a word", "hello"},          {"half an order", "cance"},
    {"facts of nothing", "facts"}, {"negative line", "facts -1"},
    {"line and more", "facts 1 2"}, {"too long a number", "facts 99999999999999999999999"},
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

    return until_cancelled(t, NULL, err) || (task_say(t, SAY_OUT, "now"), noisy(t, &lines, err)) ||
           (arg && false);
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

    (void)state;
    new_home();
    strcpy(top, home);
    for (int i = 0; i < 5; i++) {
        strcat(home, "/a-directory-with-a-rather-long-name-such-as-people-like");
    }
    assert_true(dir_make(home, &err));
    pid = in_child(spec, 0);
    await(1, "line=ready");
    assert_true(job_cancel(home, 1, &err));
    assert_int_equal(status_of(pid), 40);
    strcpy(home, top);
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

TEST_MAIN(ONE(ends_well), ONE(ends_badly), ONE(without_a_directory), ONE(home_cannot_be_written),
          ONE(number_given), ONE(two_at_once_get_two_numbers), ONE(only_the_newest_stay),
          ONE(list_of_nothing), ROWS(journals, journal_found), ONE(long_journal), ONE(full_disk),
          ROWS(signals, signalled), ONE(ignored_signals_stay_ignored),
          ONE(signals_are_given_back), ONE(died), ONE(followed_and_cancelled),
          ROWS(requests, not_understood), ONE(nobody_is_waited_for), ONE(deep_home),
          ONE(progress_is_paced))
