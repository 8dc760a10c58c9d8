/* SPDX-License-Identifier: PostgreSQL */
/* key.h - every key, what it means and where: one table.
 *
 * Help, the footer and the manual are made from it; themes/keys.ini changes keys, not meanings.
 * One letter, one idea: a test refuses a key with two acts, whatever the views.
 *
 * Keys     Unicode code points as typed, control characters as their code, and the names below
 *          for what has no character.
 */
#ifndef UI_KEY_H
#define UI_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ui;

enum {
    UI_KEY_NONE = 0,
    UI_KEY_UP = 0x110000,
    UI_KEY_DOWN,
    UI_KEY_LEFT,
    UI_KEY_RIGHT,
    UI_KEY_PAGE_UP,
    UI_KEY_PAGE_DOWN,
    UI_KEY_HOME,
    UI_KEY_END,
    UI_KEY_DELETE,
    UI_KEY_BACKSPACE,
    UI_KEY_BACKTAB,
    UI_KEY_RESIZE,
    UI_KEY_TAB = 9,
    UI_KEY_ENTER = 10,
    UI_KEY_ESC = 27,
};
#define UI_CTRL(c) ((c)&0x1f)

/* The acts. One row of key_table for each; several keys may mean one act. */
enum act {
    ACT_NONE,
    /* move */
    ACT_UP,
    ACT_DOWN,
    ACT_PAGE_UP,
    ACT_PAGE_DOWN,
    ACT_HALF_UP,
    ACT_HALF_DOWN,
    ACT_FIRST,
    ACT_LAST,
    ACT_LEFT,
    ACT_RIGHT,
    ACT_EVENT_LEFT,
    ACT_EVENT_RIGHT,
    ACT_ZOOM_IN,
    ACT_ZOOM_OUT,
    ACT_ZOOM_ALL,
    ACT_NEXT_PANE,
    ACT_PREV_PANE,
    ACT_PANE_1,
    ACT_PANE_2,
    ACT_PANE_3,
    ACT_PANE_4,
    ACT_ZOOM_PANE,
    ACT_OPEN,
    ACT_BACK,
    /* find */
    ACT_FILTER,
    ACT_NEXT_HIT,
    ACT_PREV_HIT,
    ACT_ONLY_HITS,
    ACT_SORT,
    ACT_REVERSE,
    ACT_COMMAND,
    /* do */
    ACT_BACKUP,
    ACT_RESTORE,
    ACT_VERIFY,
    ACT_DELETE,
    ACT_CANCEL,
    ACT_LOG,
    ACT_WAL,
    ACT_PAUSE,
    ACT_REFRESH,
    ACT_CHOOSE,
    /* wizard */
    ACT_TYPE_TIME,
    ACT_SIDE,
    ACT_NEAR_BELOW,
    ACT_NEAR_ABOVE,
    ACT_EVIDENCE,
    ACT_DETACH,
    ACT_PSQL,
    ACT_PROMOTE,
    ACT_GO_BACK,
    ACT_WRAP,
    /* tell others */
    ACT_COPY,
    ACT_COPY_LINE,
    ACT_SAVE,
    ACT_HELP,
    ACT_LAST_ERROR,
    ACT_QUIT,
    ACT_COUNT,
};

enum key_group { GROUP_MOVE, GROUP_ACT, GROUP_FIND, GROUP_TELL, GROUP_WIZARD };

struct key_entry {
    enum act act;
    int key[4];        /* 0 ends */
    const char *keys;  /* as help writes them: "j k  ↓ ↑" is told by the row before */
    const char *label; /* for the footer: "back up" */
    const char *help;  /* for help and the manual, one line */
    enum key_group group;
    uint32_t views;      /* bit 1 << enum view_id: where it can mean something */
    const char *command; /* what ':' calls it; NULL: the keys only */
};

extern const struct key_entry key_table[];
extern const size_t key_count;

const struct key_entry *key_entry_of(enum act act);

/* The map in force: the table's keys, or those of a keys.ini. */
struct key_map {
    int key[ACT_COUNT][4];
};
void key_map_init(struct key_map *map);
enum act key_act(const struct key_map *map, int key); /* ACT_NONE: means nothing */
const char *key_text(int key, char out[16]);          /* "Ctrl-D", "PgDn", "r" */

/* Where a reason is a sentence the key is off: NULL means it works now. */
const char *key_off(const struct ui *ui, enum act act);

#endif
