/* SPDX-License-Identifier: PostgreSQL */
/* parts.h - the parts of the console's state: which view, lists, what is typed, the wizard.
 * ui.h puts them together.
 */
#ifndef UI_PARTS_H
#define UI_PARTS_H

#include "barkeep/ask.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ui;

enum view_id {
    VIEW_OVERVIEW,
    VIEW_BACKUP, /* one backup */
    VIEW_WAL,    /* timelines of one server */
    VIEW_JOBS,   /* jobs, and the log of one */
    VIEW_WHEN,   /* the wizard, five steps */
    VIEW_WHERE,
    VIEW_PLAN,
    VIEW_RUN,
    VIEW_CHECK,
    VIEW_COUNT,
};
#define IN(view) (1u << (view))
#define IN_LISTS (IN(VIEW_OVERVIEW) | IN(VIEW_BACKUP) | IN(VIEW_WAL) | IN(VIEW_JOBS))
#define IN_WIZARD                                                                              \
    (IN(VIEW_WHEN) | IN(VIEW_WHERE) | IN(VIEW_PLAN) | IN(VIEW_RUN) | IN(VIEW_CHECK))
#define IN_ALL (IN_LISTS | IN_WIZARD)

enum ui_flags { UI_NOTHING = 0, UI_REDRAW = 1, UI_QUIT = 2, UI_SAVE = 4, UI_SUSPEND = 8 };

/* ---- lists ------------------------------------------------------------------------------ */

#define FILTER_CAP 64

struct list {          /* a pane of rows */
    char at[NAME_CAP]; /* identity of the selected row; "": the first */
    size_t row, top;   /* where it was last seen; first row shown */
    int sort;          /* column, from 0 */
    bool is_reversed;
    char filter[FILTER_CAP];
    size_t shown, total; /* at the last drawing */
    size_t height;       /* rows there was room for, then */
};

enum pane { PANE_SERVERS, PANE_BACKUPS, PANE_WAL, PANE_JOBS, PANE_COUNT };

/* ---- prompts and dialogs ------------------------------------------------------------------ */

enum prompt_kind {
    PROMPT_NONE,
    PROMPT_COMMAND,
    PROMPT_FILTER,
    PROMPT_TIME,   /* a moment for the wizard */
    PROMPT_YESNO,  /* level 1 */
    PROMPT_FIELD,  /* a field of step 2 */
    PROMPT_CHOICE, /* one of the lines the wizard offers: its digit, or Esc */
};

#define PROMPT_CAP 1024

struct prompt {
    enum prompt_kind kind;
    char text[PROMPT_CAP];
    size_t at;          /* cursor, in bytes */
    char question[200]; /* PROMPT_YESNO */
    char command[2048]; /* what yes will run, as a command line; "" */
    unsigned (*yes)(struct ui *ui);
    unsigned (*no)(struct ui *ui); /* NULL: nothing is done */
    size_t field;                  /* PROMPT_FIELD */
    size_t recall;                 /* place in the history of its kind */
    char told[200];                /* what is wrong with what was typed; "" */
};

#define HISTORY_LINES 20

struct history { /* of typed lines, the newest last */
    char line[HISTORY_LINES][200];
    size_t n;
};

#define DIALOG_LINES 10

struct dialog { /* level 3 */
    bool is_open;
    char title[80];
    char line[DIALOG_LINES][160];
    size_t lines;
    char ask[80]; /* "Type the id of the backup to delete it:" */
    char word[NAME_CAP];
    char typed[NAME_CAP];
    unsigned (*done)(struct ui *ui);
};

#endif
