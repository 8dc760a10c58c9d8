/* SPDX-License-Identifier: PostgreSQL */
/* desk_program.h - what the desk starts in these tests: the test itself.
 *
 *     PROGRAM -c HOME --batch --job N lines 3000     says so many lines, then ends well
 *                                     wait           until it is cancelled, telling progress
 *                                     fail           begins and fails
 *                                     crash          begins and is killed
 *                                     refuse         ends with 2 and a line on stderr, before
 *                                                    it begins
 */
#ifndef TESTS_WORKERS_DESK_PROGRAM_H
#define TESTS_WORKERS_DESK_PROGRAM_H

#include "job_tools.h"

static inline bool verb_lines(const struct task *t, void *arg, struct err *err)
{
    (void)err;
    for (int i = 0; i < *(int *)arg; i++) {
        task_say(t, SAY_OUT, "line %d", i);
        if (i % 100 == 0) {
            poll(NULL, 0, 1);
        }
    }
    return true;
}

static inline bool verb_wait(const struct task *t, void *arg, struct err *err)
{
    struct pollfd fd = {.fd = t->cancel_fd, .events = POLLIN};
    struct progress p = {.total = 1000, .per_sec = 77, .phase = "copy", .what = "base/1"};
    int64_t until = clock_mono_ns() + 120 * NS_PER_S; /* a test that failed leaves nobody */

    (void)arg;
    task_say(t, SAY_OUT, "ready");
    while (task_go_on(t, err) && clock_mono_ns() < until) {
        p.done += p.done < 1000;
        task_progress(t, &p);
        poll(&fd, 1, 20);
    }
    return false;
}

static inline bool verb_fail(const struct task *t, void *arg, struct err *err)
{
    (void)arg;
    task_say(t, SAY_WARN, "it looks bad");
    return err_set(err, ERR_MISSING, "Look for it.", "/backup", "gone");
}

static inline bool verb_crash(const struct task *t, void *arg, struct err *err)
{
    (void)arg;
    (void)err;
    task_say(t, SAY_OUT, "the last word");
    poll(NULL, 0, 500); /* the journal has it by then, also on a busy machine */
    kill(getpid(), SIGKILL);
    return true;
}

static const struct {
    const char *word;
    bool (*run)(const struct task *t, void *arg, struct err *err);
} verbs[] = {
    {"lines", verb_lines}, {"wait", verb_wait}, {"fail", verb_fail}, {"crash", verb_crash}};

/* argv: PROGRAM -c HOME --batch --job N VERB [NUMBER]; the home stands where FILE does. */
static inline int job_program(int argc, char **argv)
{
    int lines = argc > 7 ? atoi(argv[7]) : 0;
    struct job_spec spec = {.home = argv[2],
                            .number = (uint32_t)atoi(argv[5]),
                            .kind = JOB_WRITES,
                            .verb = argv[6],
                            .server = "s000",
                            .plan = "what was asked\nand more\n",
                            .arg = &lines};
    struct err err = {0};

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(argv[6], verbs[i].word) == 0) {
            spec.run = verbs[i].run;
        }
    }
    if (!spec.run) {
        fprintf(stderr, "first line\nprogram: error: '%s' is no command\n\n", argv[6]);
        return 2;
    }
    return job_run(&spec, &err) ? 0 : 1;
}

#define DESK_TEST_MAIN(...)                                                                    \
    int main(int argc, char **argv)                                                            \
    {                                                                                          \
        static struct harness h;                                                               \
        if (argc > 6 && strcmp(argv[3], "--batch") == 0) {                                     \
            return job_program(argc, argv);                                                    \
        }                                                                                      \
        if (argc > 1) {                                                                        \
            cmocka_set_test_filter(argv[1]);                                                   \
        }                                                                                      \
        __VA_ARGS__;                                                                           \
        return _cmocka_run_group_tests(argv[0], h.test, h.n, NULL, NULL);                      \
    }

#endif
