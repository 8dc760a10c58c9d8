/* SPDX-License-Identifier: PostgreSQL */
/* ui.h - the state of the console between two keys, and what keys do to it.
 *
 *     loop (screen.c)   keys and news in, orders out, one grid a turn
 *       ui_key()        state x key -> state, orders      no screen, no clock, no file
 *       ui_news()       state x news -> state, orders
 *       ui_draw()       state -> cells                    pure
 *
 * A view is a row of view_table: how it is drawn, what an act does in it. Overlays (help, a
 * prompt, a dialog) take every key while they are open.
 *
 * Flags    A handler returns what should happen: UI_REDRAW, UI_QUIT, ... and puts orders into
 *          ui->orders; the loop carries them out. So keys can be tested without a screen.
 * Cursor   follows the thing, not the row: it is kept by name (server, backup id, job number),
 *          and rows do not move under it within 3 s after a key.
 * Asking   0 nothing; 1 y/n in the footer; 2 the plan screen is the question; 3 a box with the
 *          facts of this target, its name typed: no completion, no history, no paste.
 */
#ifndef UI_UI_H
#define UI_UI_H

#include "barkeep/str.h"
#include "ui/cell.h"
#include "ui/key.h"
#include "ui/model.h"
#include "ui/parts.h"
#include "ui/wizard_state.h"

/* ---- all of it --------------------------------------------------------------------------- */

#define UI_MIN_COLS 60
#define UI_MIN_ROWS 16
#define UI_ORDERS   16
#define UI_BACKS    8

struct ui_order { /* an order with room for its words */
    struct order order;
    char words[ORDER_WORDS_CAP];
};

struct ui {
    struct model model;
    struct key_map keys;
    int cols, rows;
    enum symbols symbols;
    char theme[NAME_CAP];

    enum view_id view;
    enum view_id back[UI_BACKS];
    size_t backs;
    enum pane pane;
    bool is_zoomed; /* one pane, whole screen */
    struct list list[PANE_COUNT];
    char server[NAME_CAP];      /* selected server */
    char backup[BACKUP_ID_CAP]; /* opened backup */
    uint32_t job;               /* opened job; 0: none */
    int64_t key_ns;             /* monotonic time of the last key */

    struct arena life;  /* until ui_release() */
    struct arena frame; /* rows of lists while they are drawn or moved in; emptied by each */

    uint32_t *server_order; /* all servers as they are listed, filtered or not */
    bool order_is_old;      /* something changed since; sorted when no key came for 3 s */
    int order_sort;         /* by what it is sorted */
    bool order_is_reversed;
    int64_t jobs_seen_us;  /* jobs that ended later are new; 0: not known */
    int64_t jobs_new_us;   /* the same, while the jobs are looked at */
    struct list file_list; /* of an opened backup */

    /* WAL view */
    int64_t axis_from_us, axis_to_us, axis_at_us;

    /* log */
    bool is_following;
    uint64_t log_top;   /* first line shown, counted from the job's first */
    uint64_t log_at;    /* line of the cursor, when not following */
    size_t log_height;  /* at the last drawing */
    bool log_has_focus; /* else the list of jobs has */
    char find[FILTER_CAP];
    bool only_hits, wraps;

    struct wizard wizard;
    struct prompt prompt;
    struct dialog dialog;
    bool has_help;
    char help_filter[FILTER_CAP];
    size_t help_row;

    enum light message_light;
    char message[1700];
    int64_t message_until_ns; /* 0: until replaced */
    bool message_is_whole;    /* over as many rows as it needs: '!' */
    char last_error[1400], last_hint[200];

    struct history commands, filters;

    struct ui_order order[UI_ORDERS];
    size_t orders;
    uint32_t start_ticket;                        /* of the job that is being started */
    void (*started)(struct ui *ui, uint32_t job); /* what to do when it has a number */
    char start_text[2048];                        /* its command line */
    char doing_backup[BACKUP_ID_CAP];             /* what a question is about */
    uint32_t doing_job;
    uint32_t own_job;       /* started from here: its failure is told; 0: none */
    bool saves_screen;      /* S: by the loop, which says where */
    char copied[16384];     /* what y wants on the clipboard; "" nothing */
    const char *const *run; /* UI_SUSPEND: argv to run on the terminal; NULL:
                                             stop the process (Ctrl-Z) */
    char run_mem[8][256];
    const char *run_argv[9];
};

bool ui_init(struct ui *ui, const char *const *server, size_t servers);
void ui_release(struct ui *ui);

unsigned ui_key(struct ui *ui, int key);
unsigned ui_news(struct ui *ui, struct news *news);
unsigned ui_tick(struct ui *ui); /* time has passed: messages that end, questions to repeat */
void ui_draw(struct ui *ui, struct grid *g); /* remembers only where lists were */

/* When ui_tick() and a paint are wanted next, monotonic; INT64_MAX: never. */
int64_t ui_next_ns(const struct ui *ui);

/* ---- for views --------------------------------------------------------------------------- */

struct view_ops {
    enum view_id id;
    const char *name; /* for the first row and ':' */
    void (*draw)(struct ui *ui, struct grid *g);
    unsigned (*act)(struct ui *ui, enum act act); /* what the common part did not take */
    void (*enter)(struct ui *ui);                 /* NULL: nothing */
};
extern const struct view_ops view_table[VIEW_COUNT];

void ui_goto(struct ui *ui, enum view_id view); /* Esc comes back */
unsigned ui_back(struct ui *ui);
void ui_say(struct ui *ui, enum light light, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void ui_fail(struct ui *ui, const struct err *err); /* message row, and kept for '!' */
void ui_tell_failure(struct ui *ui,
                     const struct job_row *job); /* why it failed, and what to do */
void ui_ask_yes(struct ui *ui, unsigned (*yes)(struct ui *ui), const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What yes would start, shown above the question. Call it right after ui_ask_yes(). */
void ui_ask_shows(struct ui *ui, const char *const *words);

/* What the key does here, for the footer: the table's label unless the place knows better. */
const char *ui_key_label(const struct ui *ui, enum act act);

const struct snapshot *ui_snapshot(const struct ui *ui); /* of the selected server; NULL */
void ui_select_server(struct ui *ui, const char *name);
void *ui_rows(struct ui *ui, size_t n, size_t size);   /* in the frame arena; NULL: no memory */
const struct job_row *ui_job_row(const struct ui *ui); /* selected or opened; NULL */
uint32_t ui_server_index(const struct ui *ui);
const struct backup_row *ui_backup_row(const struct ui *ui); /* selected or opened; NULL */

void ui_order(struct ui *ui, enum order_kind kind, uint32_t server, uint32_t job);
bool ui_ask(struct ui *ui, const struct ask *ask);       /* gives it its ticket */
bool ui_ask_again(struct ui *ui, const struct ask *ask); /* the old answer stays till then */
/* Start a job: words end in NULL. started may be NULL. */
unsigned ui_start(struct ui *ui, const char *const *words,
                  void (*started)(struct ui *ui, uint32_t job));
/* The command line of these words as a person would type it, quoted for a shell:
 * "barkeep -c FILE --batch restore ..." */
const char *ui_command_text(const struct ui *ui, const char *const *words, char *out,
                            size_t cap);
/* The same for what a job has on record, which is quoted already. */
void ui_copy_plan(struct ui *ui, const char *plan);
void ui_copy(struct ui *ui, const char *text); /* to the clipboard, by the loop */

#include "ui/frame.h"

#endif
