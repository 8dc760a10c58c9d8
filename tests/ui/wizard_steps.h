/* SPDX-License-Identifier: PostgreSQL */
/* wizard_steps.h - by keys to each step of the wizard, on the scripted road. */
#ifndef TESTS_UI_WIZARD_STEPS_H
#define TESTS_UI_WIZARD_STEPS_H

#include "wizard_story.h"

static struct script s;

static inline void message_has(const char *text)
{
    if (!strstr(s.ui.message, text)) {
        fail_msg("the message is '%s', not '%s'", s.ui.message, text);
    }
}

static inline void to_where(void)
{
    script_begin(&s);
    script_keys(&s, "r");
    assert_int_equal(s.ui.view, VIEW_WHEN);
    script_wait(&s, 50);
    script_points(&s);
    script_moment(&s);
    script_keys(&s, "@xid 88120441\n");
    script_wait(&s, 50);
    script_moment(&s);
    script_keys(&s, "\n");
    assert_int_equal(s.ui.view, VIEW_WHERE);
}

static inline void to_plan(void)
{
    to_where();
    script_place(&s, "/usr/lib/postgresql/17/bin");
    script_keys(&s, "\n");
    assert_int_equal(s.ui.view, VIEW_PLAN);
}

static inline uint32_t to_run(void)
{
    to_plan();
    script_plan(&s, true);
    script_clear(&s);
    script_keys(&s, "\n");
    assert_int_equal(s.ui.view, VIEW_RUN);
    return script_start(&s, "restore");
}

static inline uint32_t to_replay(void)
{
    uint32_t job = to_run();

    script_clear(&s);
    script_end(&s, job, ROW_DONE, "", "");
    return script_start(&s, "start-copy");
}

static inline void to_check(void)
{
    script_end(&s, to_replay(), ROW_DONE, "", "");
    assert_int_equal(s.ui.view, VIEW_CHECK);
    script_copy(&s, COPY_PAUSED);
    script_compare(&s);
}

/* ---- the whole story ---- */

#endif
