/* SPDX-License-Identifier: PostgreSQL */
/* wizard_state.h - what the wizard knows between two keys; struct ui holds one of it.
 *
 * Kept   is_begun .. tables are answers and survive the terminal (state.c); the rest is of this
 *        run only.
 * Due    monotonic time at which something is asked; 0: nothing is due.
 */
#ifndef UI_WIZARD_STATE_H
#define UI_WIZARD_STATE_H

#include "barkeep/ask.h"

#define WIZARD_OFFERS 4

struct wizard_offer { /* a reading of a time that was typed without an offset */
    struct goal goal;
    int64_t us;
    char label[80];
};

enum wizard_job { WIZARD_NO_JOB, WIZARD_PROMOTE, WIZARD_DROP };

struct wizard {
    bool is_begun;
    int step; /* enum view_id: where it was left */
    char home
        [ASK_PATH_CAP]; /* of its server and jobs: names and numbers are others' elsewhere */
    struct restore_words words;
    int64_t at_us;          /* the moment under the cursor of the axis */
    int64_t from_us, to_us; /* the axis */
    bool types;             /* the goal was typed, not chosen on the axis */
    bool is_chosen;         /* the goal, by a key or typed: worth going on with */
    bool destination_typed; /* not the proposal */
    uint32_t restore_job, copy_job;
    bool wants_copy; /* start it when the restore has ended well */
    int64_t begun_us;
    char table[ASK_TABLES][2 * NAME_CAP];
    size_t tables;

    /* not kept */
    bool is_resting; /* of the last run: nothing of it happens before somebody goes on */
    size_t row;      /* selected row of the step */
    size_t top;
    bool shows_evidence;
    int64_t moment_due_ns, points_due_ns, copy_due_ns;
    int64_t end_us;        /* newest moment at the last look; 0: none was known */
    int64_t follow_due_ns; /* points of what came since, read when nobody waits for them */
    uint32_t moment_seen, place_seen, plan_seen,
        copy_seen;        /* tickets of answers that were taken */
    bool is_starting;     /* a job of ours has no number yet */
    int phase;            /* how far the restore came, view_run.c */
    bool failed_to_start; /* the copy; Enter tries again */
    enum wizard_job doing;
    uint32_t doing_job;
    struct wizard_offer offer[WIZARD_OFFERS];
    size_t offers;
    char offer_text[80]; /* what was typed */
    const char *word[64 + 2 * ASK_MOVES_MAX];
    char word_mem[ASK_MOVES_MAX + 4][ASK_PATH_CAP + NAME_CAP + 2];
};

#endif
