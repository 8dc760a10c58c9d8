/* SPDX-License-Identifier: PostgreSQL */
/* What a job leaves on disk, and what job_list() makes of it. */
#include "job_tools.h"

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
    assert_int_equal(h.said[SAY_LOG], 0);
    assert_int_equal(h.said[SAY_DEBUG], 1);
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

static bool indiscreet(const struct task *t, void *arg, struct err *err)
{
    (void)arg;
    task_say(t, SAY_WARN, "host=db password=sesame user=x");
    return err_set(err, ERR_CONNECT, "", "", "refused: postgres://x:sesame@db/");
}

static void no_password_on_record(void **state)
{
    static const char *const files[] = {"journal", "log"};
    struct heard h = {0};
    struct job_spec spec = spec_of(indiscreet, &h);
    struct err err = {0};
    struct arena a;

    (void)state;
    new_home();
    arena_init(&a, 0);
    assert_false(job_run(&spec, &err));
    for (size_t i = 0; i < 2; i++) {
        const char *text = read_in(&a, 1, files[i]).p;
        assert_null(strstr(text, "sesame"));
        assert_non_null(strstr(text, "host=db password=*REDACTED* user=x"));
    }
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

/* It stays, as deep as it is; what is older than the newest goes all the same. */
static void one_that_cannot_be_removed(void **state)
{
    struct err err = {0};
    struct arena a;
    char path[PATH_CAP];
    uint32_t n, *number;
    size_t left;

    (void)state;
    new_home();
    for (int i = 0; i < JOB_KEEP + 5; i++) {
        assert_true(job_allocate(home, &n, &err));
    }
    str_fmt(path, sizeof path, "%s/.barkeep/jobs/1", home);
    for (int i = 0; i < 200; i++) {
        assert_true(str_fmt(path + strlen(path), sizeof path - strlen(path), "/d"));
        assert_int_equal(mkdir(path, 0700), 0);
    }
    assert_false(job_prune(home, &err));
    assert_int_equal(err.os, ELOOP);
    arena_init(&a, 0);
    assert_true(job_numbers(&a, home, &number, &left, &err));
    assert_int_equal(left, JOB_KEEP + 1);
    assert_int_equal(number[0], 1);
    assert_int_equal(number[1], 6);
    arena_release(&a);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(rmdir(path), 0);
        *strrchr(path, '/') = '\0';
    }
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

/* Its last fact is longer than any of those that would still find room before it. */
static bool noisy_and_badly(const struct task *t, void *arg, struct err *err)
{
    char what[900];

    memset(what, 'w', sizeof what);
    what[sizeof what - 1] = '\0';
    return noisy(t, arg, err) && err_set(err, ERR_IO, "Free space.", what, "disk full");
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
        struct job_spec spec = spec_of(noisy_and_badly, &h);
        struct rlimit limit = {100000, 100000};

        spec.arg = &lines;
        setrlimit(RLIMIT_FSIZE, &limit);
        _exit(!job_run(&spec, &err) && h.said[SAY_OUT] == lines ? 0 : 1);
    }
    assert_true(wait(&status) > 0);
    assert_int_equal(status, 0);
    info = info_of(&a, 1);
    assert_int_equal(info.state, JOB_FAILED);
    assert_int_equal(strlen(info.text), 899 + strlen("'': disk full"));
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

TEST_MAIN(ONE(ends_well), ONE(ends_badly), ONE(no_password_on_record), ONE(without_a_directory),
          ONE(home_cannot_be_written), ONE(number_given), ONE(two_at_once_get_two_numbers),
          ONE(only_the_newest_stay), ONE(one_that_cannot_be_removed), ONE(list_of_nothing),
          ROWS(journals, journal_found), ONE(long_journal), ONE(full_disk),
          ONE(signals_are_given_back))
