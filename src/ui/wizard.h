/* SPDX-License-Identifier: PostgreSQL */
/* wizard.h - the road back: when, where, plan, run, check. One struct wizard in struct ui, one
 * file a step (view_when.c, view_where.c, view_plan.c, view_run.c, view_check.c).
 *
 *     when    a moment on the axis, or typed  -> ASK_MOMENT says what is kept and what is lost
 *     where   beside production, in place, files only -> ASK_PLACE proposes
 *     plan    ASK_PLAN, the dry run; Enter runs it (level 2; in place: level 3)
 *     run     ORDER_START restore, followed; its end starts the copy
 *     check   start-copy, ASK_COPY every second, ASK_COMPARE; psql, promote, keep, drop
 *
 * Nothing is written before step 4. Answers survive the terminal: screen.c saves them.
 */
#ifndef UI_WIZARD_H
#define UI_WIZARD_H

#include "ui/ui.h"

void wizard_begin(struct ui *ui); /* for the selected server; offers what is kept */
unsigned wizard_typed(struct ui *ui, const char *text);               /* PROMPT_TIME: Enter */
unsigned wizard_field(struct ui *ui, size_t field, const char *text); /* PROMPT_FIELD: Enter */
unsigned wizard_choice(struct ui *ui, int key);                       /* PROMPT_CHOICE */

void wizard_news(struct ui *ui); /* something came up the road: a job has ended, an answer */
void wizard_tick(struct ui *ui); /* time has passed: what is due is asked */
int64_t wizard_next_ns(const struct ui *ui); /* when the next is due; INT64_MAX: nothing */
void wizard_not_started(struct ui *ui);
const char *wizard_key_label(const struct ui *ui, enum act act); /* NULL: the table's */

/* Rows 0 and 1 of every step: "RESTORE  1 WHEN 2 where 3 plan 4 run 5 check". */
void wizard_top(struct ui *ui, struct grid *g, enum light light, const char *sentence);

/* The command line of the restore, words in ui's memory, NULL at the end. */
const char *const *wizard_words(struct ui *ui);

/* At the start, with the answers of the last run in place (state.c): asks whether to go on. */
void wizard_offer(struct ui *ui);
/* There is something to come back to, however long ago it was left. */
bool wizard_left_a_copy(const struct wizard *w);

/* ---- between the steps --------------------------------------------------------------------- */

/* wizard_goal.c: targets, typed and told. */
enum goal_reading { GOAL_READ, GOAL_READINGS, GOAL_WRONG };
/* GOAL_READINGS: a time without its offset; ui->wizard.offer has what it may mean.
 * GOAL_WRONG: told says what is wrong. */
enum goal_reading goal_read(struct ui *ui, const char *text, struct goal *goal, char told[200]);
void goal_at(struct goal *goal, int64_t us); /* the time under the cursor, inclusive */
/* "right BEFORE transaction 88120441", behind "STOP  " */
const char *goal_text(const struct goal *goal, char *out, size_t cap);
int64_t goal_us(const struct goal *goal); /* of GOAL_TIME; 0 */
/* "today 03:02:11.479 +02, xid 88120440", and the LSN where there are 100 columns. */
const char *mark_text(const struct mark *mark, int64_t now_us, int cols, char out[128]);

/* wizard.c */
/* The end of the WAL is that of the newest timeline, which has to be named: by itself a recovery
 * stays on the one of its backup. */
void wizard_to_the_end(struct ui *ui);
void wizard_ask_moment(struct ui *ui);                         /* when the cursor has rested */
void wizard_ask_points(struct ui *ui);                         /* the axis has changed */
void wizard_set_goal(struct ui *ui, const struct goal *goal);  /* and asks */
void wizard_ask(struct ui *ui, enum ask_kind kind);            /* now */
bool wizard_is_stale(const struct ui *ui, enum ask_kind kind); /* the answer is of before */
const struct answer *wizard_answer(const struct ui *ui, enum ask_kind kind); /* a good one */
void wizard_leave(struct ui *ui);                   /* to the view it was begun from */
void wizard_step(struct ui *ui, enum view_id step); /* forward, or back where it came from */

#define WIZARD_TABLE                                                                           \
    1000 /* a field: the table that is typed in step 5; below are those of step 2 */
unsigned where_field(struct ui *ui, size_t field, const char *text);
void where_ask_port(struct ui *ui); /* from step 4: asked again, then the copy is started */
unsigned check_field(struct ui *ui, const char *text);

/* view_when.c, view_plan.c, view_run.c, view_check.c: why Enter does nothing there now; NULL: it does. */
const char *when_off(const struct ui *ui);
const char *plan_off(const struct ui *ui);
const char *run_off(const struct ui *ui);
const char *check_off(const struct ui *ui);
const char *plan_next_label(const struct ui *ui);
const char *run_next_label(const struct ui *ui);
const char *check_next_label(const struct ui *ui);
void run_note_phase(struct ui *ui);

/* wizard_jobs.c */
unsigned wizard_run(struct ui *ui);     /* starts the restore, shows it */
unsigned wizard_promote(struct ui *ui); /* asks first */
unsigned wizard_drop(struct ui *ui);    /* level 3 */
unsigned wizard_psql(struct ui *ui);
void wizard_start_copy(struct ui *ui); /* again, of files that stand */
void wizard_jobs_look(struct ui *ui);  /* ends of our jobs, and what follows them */
/* After the terminal was lost: jobs that began before their numbers were kept are found again. */
void wizard_find_jobs(struct ui *ui);
bool wizard_job_runs(const struct ui *ui, uint32_t job);
const char *wizard_destination_name(const struct ui *ui); /* its last part: typed to drop it */

/* wizard_draw.c: what the steps draw alike. */
int wrapped_rows(const char *text, int width); /* how many the next one takes */
/* A text over as many rows as it needs, not behind `last`; the row behind it. */
int draw_wrapped(struct grid *g, int col, int row, int end, int last, enum role role,
                 const char *text);
/* "LABEL  text" with the text wrapped beside the label. */
int draw_fact(struct grid *g, int row, int last, enum role role, const char *label,
              const char *text);
/* "... looking   12 s", or the failure and its hint. The row behind; `row` when there is a good
 * answer to be shown. */
int draw_waiting(struct ui *ui, struct grid *g, int row, int last, enum ask_kind kind,
                 const char *doing);
void draw_state(struct grid *g, int col, int row, enum light light);
const char *path_tail(const char *path, int width, const char *more, char out[128]);

#endif
