/* SPDX-License-Identifier: PostgreSQL */
/* Jobs of the desk, started for real: this program is what it starts. */
#include "desk_engine.h"
#include "desk_questions.h"

#include "workers/job_dir.h"

#include <sys/stat.h>

static const char lines_3000[] = "lines\0003000\0";
static const char lines_3[] = "lines\0003\0";
static const char wait_words[] = "wait\0";
static const char fail_words[] = "fail\0";
static const char crash_words[] = "crash\0";
static const char refuse_words[] = "refuse\0";

/* ---- start ---- */

static const struct run_row {
    const char *label;
    const char *words;
    enum row_state state;
    const char *text; /* verb|server|plan|text */
} runs[] = {
    {"ends well", lines_3, ROW_DONE, "lines|s000|what was asked|line 2"},
    {"fails", fail_words, ROW_FAILED, "fail|s000|what was asked|'/backup': gone"},
    {"dies", crash_words, ROW_DIED, "crash|s000|what was asked|the last word"},
};

static void started_and_over(void **state)
{
    const struct run_row *r = *state;
    struct job_row row;
    char text[256];

    new_desk('q', 1);
    give((struct order){.kind = ORDER_START, .ticket = 1, .words = r->words});
    row = await_row(1, r->state, text);
    assert_string_equal(text, r->text);
    assert_true(row.began_us > 0 && row.ended_us >= row.began_us);
    drop_desk();
}

static void ran_before_the_console(void **state)
{
    char text[256];
    struct job_row row;

    (void)state;
    new_desk('q', 1);
    assert_int_equal(start_job(fail_words, NULL), 1);
    free_desk();
    poll(NULL, 0, 300);
    open_desk();
    row = await_row(1, ROW_FAILED, text);
    assert_string_equal(text, "fail|s000|what was asked|'/backup': gone");
    assert_int_equal(row.number, 1);
    drop_desk();
}

static void refused_before_it_began(void **state)
{
    char why[300], path[PATH_CAP];

    (void)state;
    new_desk('q', 1);
    assert_int_equal(start_job(refuse_words, why), 0);
    assert_string_equal(
        why, "start the job: program: error: 'refuse' is no command (exit status 2)");
    str_fmt(path, sizeof path, "%s/.barkeep/jobs/1", home);
    assert_int_equal(file_kind(path, NULL), FILE_NONE); /* as if it had never been */
    assert_int_equal(start_job(lines_3, NULL), 1);
    drop_desk();
}

static void no_such_program(void **state)
{
    char why[300];
    struct err err = {0};

    (void)state;
    new_home();
    set_servers('q', 1);
    desk =
        desk_new(&(struct desk_spec){.config = &config, .program = "/nowhere/barkeep"}, &err);
    road = desk_end(desk);
    assert_int_equal(start_job(lines_3, why), 0);
    assert_non_null(strstr(why, "o such file"));
    drop_desk();
}

static void no_home_to_write_in(void **state)
{
    char why[300];

    (void)state;
    new_home();
    set_servers('q', 1);
    config.barman_home = "/nowhere/at/all";
    open_desk();
    assert_int_equal(start_job(lines_3, why), 0);
    assert_non_null(strstr(why, "o such file"));
    drop_desk();
}

/* ---- follow ---- */

/* All lines of the followed job, each once and in order; gives the number of them and the
 * failure it ended with. */
static int follow_to_the_end(uint32_t number, struct err *end)
{
    bool began = false;
    int lines = 0;

    for (;;) {
        struct news news;
        char line[32];

        if (!next_news(&news, LOOK_MS)) {
            fail_msg("%d lines of job %u, and then nothing", lines, number);
        }
        if (news.job == number && news.kind == NEWS_JOB_BEGAN) {
            assert_false(began);
            began = true;
        } else if (news.job == number && news.kind == NEWS_SAID) {
            assert_true(began);
            if (strncmp(news_line(&news), "line ", 5) == 0) {
                str_fmt(line, sizeof line, "line %d", lines);
                assert_string_equal(news_line(&news), line);
            }
            assert_true(news.said.at_us > 1700000000 * US_PER_S);
            lines++;
        } else if (news.job == number && news.kind == NEWS_JOB_ENDED) {
            *end = news.err ? *news.err : (struct err){0};
            assert_true(began);
            news_release(&news);
            return lines;
        }
        news_release(&news);
    }
}

static void followed_from_its_start_to_its_end(void **state)
{
    struct err end;
    uint32_t number;

    (void)state;
    new_desk('s', 5);
    number = start_job(lines_3000, NULL);
    give((struct order){.kind = ORDER_FOLLOW, .job = number});
    assert_int_equal(follow_to_the_end(number, &end), 3000);
    assert_int_equal(end.code, ERR_NONE);
    give((struct order){.kind = ORDER_FOLLOW, .job = number}); /* now out of the journal */
    assert_int_equal(follow_to_the_end(number, &end), 3000);
    drop_desk();
}

static void followed_again_and_again(void **state)
{
    struct err end;
    uint32_t number, other;

    (void)state;
    new_desk('q', 1);
    other = start_job(lines_3000, NULL);
    number = start_job(lines_3000, NULL);
    for (int i = 0; i < 20; i++) {
        struct news news;
        give((struct order){.kind = ORDER_FOLLOW, .job = i % 3 ? number : other});
        give((struct order){.kind = ORDER_FOLLOW, .job = i % 2 ? 0 : number});
        for (int k = 0; k < i * 7 && next_news(&news, 10); k++) {
            news_release(&news);
        }
    }
    give((struct order){.kind = ORDER_FOLLOW, .job = number});
    assert_int_equal(follow_to_the_end(number, &end), 3000);
    drop_desk();
}

static const struct last_row {
    const char *label;
    const char *words;
    int lines;
    enum err_code code;
    const char *why, *hint;
} lasts[] = {
    {"of one that failed", fail_words, 1, ERR_MISSING, "'/backup': gone", "Look for it."},
    {"of one that died", crash_words, 1, ERR_IO, "ended without a last word", "log"},
};

/* While it runs, and once more when it is long over. */
static void the_end(void **state)
{
    const struct last_row *r = *state;

    new_desk('q', 1);
    assert_int_equal(start_job(r->words, NULL), 1);
    for (int i = 0; i < 2; i++) {
        struct err end;
        give((struct order){.kind = ORDER_FOLLOW, .job = 1});
        assert_int_equal(follow_to_the_end(1, &end), r->lines);
        assert_int_equal(end.code, r->code);
        assert_non_null(strstr(end.why, r->why));
        assert_non_null(strstr(end.hint, r->hint));
    }
    drop_desk();
}

/* Eight others watch the job, so that its socket has no place for us. */
static void followed_without_a_socket(void **state)
{
    struct err end, err = {0};
    char text[256];
    int fd[8];

    (void)state;
    new_desk('q', 1);
    assert_int_equal(start_job(wait_words, NULL), 1);
    free_desk();
    for (int i = 0; i < 8; i++) {
        assert_true(job_connect(home, 1, &fd[i], &err));
    }
    open_desk();
    await_row(1, ROW_RUNNING, text);
    give((struct order){.kind = ORDER_FOLLOW, .job = 1});
    poll(NULL, 0, 300);
    assert_int_equal(send(fd[0], "cancel", 6, 0), 6);
    assert_true(follow_to_the_end(1, &end) >= 2); /* "ready", "stopping" */
    assert_int_equal(end.code, ERR_CANCEL);
    for (int i = 0; i < 8; i++) {
        close(fd[i]);
    }
    drop_desk();
}

/* ---- cancel, progress ---- */

static void cancelled_by_order(void **state)
{
    char text[256];
    struct news news;

    (void)state;
    new_desk('q', 1);
    assert_int_equal(start_job(wait_words, NULL), 1);
    news = await_news(NEWS_PROGRESS);
    assert_int_equal(news.job, 1);
    assert_int_equal(news.progress.total, 1000);
    assert_int_equal(news.progress.per_sec, 77);
    assert_string_equal(news.progress.phase, "copy");
    assert_string_equal(news.progress.what, "base/1");
    give((struct order){.kind = ORDER_CANCEL, .job = 1});
    await_row(1, ROW_CANCELLED, text);
    for (int i = 0; i < 20; i++) { /* and nothing more is heard of how far it came */
        if (next_news(&news, 10)) {
            assert_int_not_equal(news.kind, NEWS_PROGRESS);
            news_release(&news);
        }
    }
    give((struct order){.kind = ORDER_CANCEL, .job = 1}); /* too late: that is said */
    news = await_news(NEWS_SAID);
    assert_int_equal(news.job, 1);
    assert_int_equal(news.said.kind, SAY_ERROR);
    news_release(&news);
    drop_desk();
}

/* Jobs that a shell or cron started: more than are attached to at a time is no matter. */
/* What cannot be read is a row that says so; it neither holds anybody up nor hides the others. */
static void one_that_cannot_be_read(void **state)
{
    char path[PATH_CAP], want[PATH_CAP], text[256];
    struct err err = {0};
    uint32_t n = 0;

    (void)state;
    new_desk('q', 1);
    assert_int_equal(start_job(lines_3, NULL), 1);
    free_desk();
    poll(NULL, 0, 300);
    assert_true(job_allocate(home, &n, &err));
    str_fmt(path, sizeof path, "%s/.barkeep/jobs/%u/lock", home, (unsigned)n);
    assert_int_equal(mkfifo(path, 0600), 0);
    str_fmt(path, sizeof path, "%s/.barkeep/jobs/%u/journal", home, (unsigned)n);
    assert_int_equal(mkfifo(path, 0600), 0);
    open_desk();
    await_row(n, ROW_DIED, text);
    str_fmt(want, sizeof want, "|||'%s': not a regular file", path);
    assert_string_equal(text, want);
    free_desk();
    open_desk();
    await_row(1, ROW_DONE, text);
    drop_desk();
}

static void jobs_of_others(void **state)
{
    bool heard[41] = {false};
    unsigned jobs = 0;
    pid_t pid[40];
    char text[256];

    (void)state;
    new_home();
    set_servers('q', 1);
    for (int i = 0; i < 40; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            struct heard h = {0};
            struct job_spec spec = spec_of(verb_wait, &h);
            struct err err;
            _exit(job_run(&spec, &err) ? 0 : 1);
        }
    }
    for (uint32_t i = 1; i <= 40; i++) {
        await(i, "line=ready");
    }
    open_desk();
    while (jobs < 32) {
        struct news news = await_news(NEWS_PROGRESS);
        jobs += !heard[news.job];
        heard[news.job] = true;
        news_release(&news);
    }
    for (uint32_t i = 1; i <= 40; i++) {
        give((struct order){.kind = ORDER_CANCEL, .job = i});
    }
    await_row(40, ROW_CANCELLED, text);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(waitpid(pid[i], NULL, 0), pid[i]);
    }
    drop_desk();
}

static void jobs_outlive_the_desk(void **state)
{
    char text[256];

    (void)state;
    new_desk('q', 1);
    assert_int_equal(start_job(wait_words, NULL), 1);
    free_desk();
    poll(NULL, 0, 100);
    open_desk();
    assert_true(await_row(1, ROW_RUNNING, text).pid > 0);
    give((struct order){.kind = ORDER_CANCEL, .job = 1});
    await_row(1, ROW_CANCELLED, text);
    drop_desk();
}

DESK_TEST_MAIN(ROWS(runs, started_and_over), ONE(ran_before_the_console),
               ONE(refused_before_it_began), ONE(no_such_program), ONE(no_home_to_write_in),
               ONE(followed_from_its_start_to_its_end), ONE(followed_again_and_again),
               ROWS(lasts, the_end), ONE(followed_without_a_socket), ONE(cancelled_by_order),
               ONE(one_that_cannot_be_read), ONE(jobs_of_others), ONE(jobs_outlive_the_desk))
