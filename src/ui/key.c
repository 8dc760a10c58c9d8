/* SPDX-License-Identifier: PostgreSQL */
#include "key.h"

#include "ui/ui.h"

#include <string.h>

#define WIZARD IN_WIZARD
#define LISTS  IN_LISTS
#define ALL    IN_ALL
#define ROWS   (ALL & ~IN(VIEW_RUN))   /* has a row that is selected */
#define LONG   (LISTS | IN(VIEW_WHEN)) /* has more of them than a page */

/* clang-format off */
const struct key_entry key_table[] = {
    /* move */
    {ACT_UP,         {'k', UI_KEY_UP},        "k  Up",     "up",      "one line up",                     GROUP_MOVE, ROWS, NULL},
    {ACT_DOWN,       {'j', UI_KEY_DOWN},      "j  Down",   "down",    "one line down",                   GROUP_MOVE, ROWS, NULL},
    {ACT_PAGE_UP,    {UI_KEY_PAGE_UP},        "PgUp",      "page up", "one page up",                     GROUP_MOVE, LONG, NULL},
    {ACT_PAGE_DOWN,  {UI_KEY_PAGE_DOWN},      "PgDn",      "page down", "one page down",                 GROUP_MOVE, LONG, NULL},
    {ACT_HALF_UP,    {UI_CTRL('U')},          "Ctrl-U",    "half up", "half a page up",                  GROUP_MOVE, LONG, NULL},
    {ACT_HALF_DOWN,  {UI_CTRL('D')},          "Ctrl-D",    "half down", "half a page down",              GROUP_MOVE, LONG, NULL},
    {ACT_FIRST,      {'g', UI_KEY_HOME},      "g  Home",   "first",   "first line",                      GROUP_MOVE, ROWS, NULL},
    {ACT_LAST,       {'G', UI_KEY_END},       "G  End",    "last",    "last line; in a log: follow it",  GROUP_MOVE, ROWS, NULL},
    {ACT_LEFT,       {'h', UI_KEY_LEFT},      "h  Left",   "earlier", "earlier on the axis, to the left", GROUP_MOVE, IN(VIEW_WAL) | IN(VIEW_WHEN), NULL},
    {ACT_RIGHT,      {'l', UI_KEY_RIGHT},     "l  Right",  "later",   "later on the axis, to the right", GROUP_MOVE, IN(VIEW_WAL) | IN(VIEW_WHEN), NULL},
    {ACT_EVENT_LEFT, {'H'},                   "H",         "event before", "the event before: a backup, a hole, a restore point", GROUP_MOVE, IN(VIEW_WAL) | IN(VIEW_WHEN), NULL},
    {ACT_EVENT_RIGHT,{'L'},                   "L",         "next event", "the next event",               GROUP_MOVE, IN(VIEW_WAL) | IN(VIEW_WHEN), NULL},
    {ACT_ZOOM_IN,    {'+', '='},              "+",         "zoom in", "a shorter time on the axis",      GROUP_MOVE, IN(VIEW_WAL) | IN(VIEW_WHEN), NULL},
    {ACT_ZOOM_OUT,   {'-'},                   "-",         "zoom out", "a longer time on the axis",      GROUP_MOVE, IN(VIEW_WAL) | IN(VIEW_WHEN), NULL},
    {ACT_ZOOM_ALL,   {'0'},                   "0",         "all",     "all there is on the axis",        GROUP_MOVE, IN(VIEW_WAL) | IN(VIEW_WHEN), NULL},
    {ACT_NEXT_PANE,  {UI_KEY_TAB},            "Tab",       "pane",    "next pane or field",              GROUP_MOVE, LISTS | IN(VIEW_WHERE), NULL},
    {ACT_PREV_PANE,  {UI_KEY_BACKTAB},        "Shift-Tab", "pane back", "pane or field before",          GROUP_MOVE, LISTS | IN(VIEW_WHERE), NULL},
    {ACT_PANE_1,     {'1'},                   "1",         "servers", "the servers",                     GROUP_MOVE, IN(VIEW_OVERVIEW), NULL},
    {ACT_PANE_2,     {'2'},                   "2",         "backups", "the backups of the server",       GROUP_MOVE, IN(VIEW_OVERVIEW), NULL},
    {ACT_PANE_3,     {'3'},                   "3",         "WAL",     "the WAL of the server",           GROUP_MOVE, IN(VIEW_OVERVIEW), NULL},
    {ACT_PANE_4,     {'4'},                   "4",         "jobs",    "the jobs",                        GROUP_MOVE, IN(VIEW_OVERVIEW), NULL},
    {ACT_ZOOM_PANE,  {'z'},                   "z",         "one pane", "one pane on the whole screen, and back", GROUP_MOVE, IN(VIEW_OVERVIEW) | IN(VIEW_JOBS), NULL},
    {ACT_OPEN,       {UI_KEY_ENTER, '\r'},    "Enter",     "open",    "open what is selected; in the wizard: next step", GROUP_MOVE, ALL, NULL},
    {ACT_BACK,       {UI_KEY_ESC},            "Esc",       "back",    "back; never quits",               GROUP_MOVE, ALL, "back"},
    /* act on the selected line */
    {ACT_BACKUP,     {'b'},                   "b",         "backup",  "take a base backup of the server now", GROUP_ACT, LISTS, "backup"},
    {ACT_RESTORE,    {'r'},                   "r",         "RESTORE", "bring the server back: the wizard", GROUP_ACT, LISTS, "restore"},
    {ACT_VERIFY,     {'v'},                   "v",         "verify",  "read the backup and hold it against its checksums", GROUP_ACT, IN(VIEW_OVERVIEW) | IN(VIEW_BACKUP), "verify"},
    {ACT_DELETE,     {'D'},                   "D",         "delete",  "delete the backup, drop the copy; needs its name", GROUP_ACT, IN(VIEW_OVERVIEW) | IN(VIEW_BACKUP) | IN(VIEW_CHECK), "delete"},
    {ACT_CANCEL,     {'c'},                   "c",         "cancel",  "cancel the running job",          GROUP_ACT, IN(VIEW_OVERVIEW) | IN(VIEW_JOBS) | IN(VIEW_RUN) | IN(VIEW_CHECK), "cancel"},
    {ACT_LOG,        {'m'},                   "m",         "messages", "all messages of the job",        GROUP_ACT, IN(VIEW_OVERVIEW) | IN(VIEW_RUN) | IN(VIEW_CHECK), NULL},
    {ACT_WAL,        {'t'},                   "t",         "timeline", "timelines, WAL and what can be restored", GROUP_ACT, IN(VIEW_OVERVIEW) | IN(VIEW_BACKUP), "wal"},
    {ACT_CHOOSE,     {' '},                   "Space",     "change",  "choose this one, type this field; at the end: add a table",                 GROUP_ACT, IN(VIEW_WHERE) | IN(VIEW_CHECK), NULL},
    {ACT_PAUSE,      {'p'},                   "p",         "pause",   "stop looking at servers, and go on", GROUP_ACT, LISTS, "pause"},
    {ACT_REFRESH,    {UI_CTRL('R')},          "Ctrl-R",    "look now", "look at the server now",         GROUP_ACT, LISTS, "refresh"},
    /* find */
    {ACT_FILTER,     {'/'},                   "/",         "filter",  "filter this list; find in this log", GROUP_FIND, LISTS, NULL},
    {ACT_NEXT_HIT,   {'n'},                   "n",         "next",    "next line found in the log",      GROUP_FIND, IN(VIEW_JOBS), NULL},
    {ACT_PREV_HIT,   {'N'},                   "N",         "previous", "line found before",              GROUP_FIND, IN(VIEW_JOBS), NULL},
    {ACT_ONLY_HITS,  {'&'},                   "&",         "only hits", "show only lines found, or all", GROUP_FIND, IN(VIEW_JOBS), NULL},
    {ACT_SORT,       {'s'},                   "s",         "sort",    "sort by the next column",         GROUP_FIND, IN(VIEW_OVERVIEW), NULL},
    {ACT_REVERSE,    {'>', '<'},              ">",         "reverse", "reverse the order",               GROUP_FIND, IN(VIEW_OVERVIEW), NULL},
    {ACT_COMMAND,    {':'},                   ":",         "command", "type a command; Tab completes",   GROUP_FIND, ALL, NULL},
    /* the wizard */
    {ACT_TYPE_TIME,  {'@'},                   "@",         "type it", "type the target: a time, xid N, lsn X/Y, name N, latest", GROUP_WIZARD, IN(VIEW_WHEN), NULL},
    {ACT_SIDE,       {'i'},                   "i",         "before/after", "stop before or after the target", GROUP_WIZARD, IN(VIEW_WHEN), NULL},
    {ACT_NEAR_BELOW, {'['},                   "[",         "nearest before", "take the nearest moment before that can be restored", GROUP_WIZARD, IN(VIEW_WHEN), NULL},
    {ACT_NEAR_ABOVE, {']'},                   "]",         "nearest after", "take the nearest moment behind that can be restored", GROUP_WIZARD, IN(VIEW_WHEN), NULL},
    {ACT_EVIDENCE,   {'e'},                   "e",         "evidence", "every check and the command line, whole", GROUP_WIZARD, IN(VIEW_PLAN), NULL},
    {ACT_DETACH,     {'d'},                   "d",         "detach",  "leave it running and go back",    GROUP_WIZARD, IN(VIEW_RUN) | IN(VIEW_CHECK), NULL},
    {ACT_PSQL,       {'o'},                   "o",         "psql",    "open psql in the copy",           GROUP_WIZARD, IN(VIEW_CHECK), NULL},
    {ACT_PROMOTE,    {'P'},                   "P",         "promote", "promote the copy: it becomes writable", GROUP_WIZARD, IN(VIEW_CHECK), NULL},
    {ACT_GO_BACK,    {'B'},                   "B",         "another target", "another target: a new copy, from step 1", GROUP_WIZARD, IN(VIEW_CHECK), NULL},
    {ACT_WRAP,       {'w'},                   "w",         "wrap",    "wrap long lines of the log",      GROUP_FIND, IN(VIEW_JOBS), NULL},
    /* tell others */
    {ACT_COPY,       {'y'},                   "y",         "copy",    "copy the name, or the command line of the plan", GROUP_TELL, ALL, NULL},
    {ACT_COPY_LINE,  {'Y'},                   "Y",         "copy line", "copy the whole line",           GROUP_TELL, LISTS | IN(VIEW_PLAN), NULL},
    {ACT_SAVE,       {'S'},                   "S",         "save",    "save this screen as text",        GROUP_TELL, ALL, "save-screen"},
    {ACT_HELP,       {'?'},                   "?",         "help",    "these keys; / searches",          GROUP_TELL, ALL, "help"},
    {ACT_LAST_ERROR, {'!'},                   "!",         "last error", "show the last error again",    GROUP_TELL, ALL, "error"},
    {ACT_QUIT,       {'q'},                   "q",         "quit",    "leave the console; jobs go on",   GROUP_TELL, ALL, "quit"},
};
/* clang-format on */
const size_t key_count = sizeof key_table / sizeof key_table[0];

const struct key_entry *key_entry_of(enum act act)
{
    for (size_t i = 0; i < key_count; i++) {
        if (key_table[i].act == act) {
            return &key_table[i];
        }
    }
    return NULL;
}

void key_map_init(struct key_map *map)
{
    memset(map, 0, sizeof *map);
    for (size_t i = 0; i < key_count; i++) {
        memcpy(map->key[key_table[i].act], key_table[i].key, sizeof map->key[0]);
    }
}

enum act key_act(const struct key_map *map, int key)
{
    for (int act = ACT_NONE + 1; key != UI_KEY_NONE && act < ACT_COUNT; act++) {
        for (size_t i = 0; i < 4 && map->key[act][i]; i++) {
            if (map->key[act][i] == key) {
                return (enum act)act;
            }
        }
    }
    return ACT_NONE;
}

static const struct {
    int key;
    const char *name;
} names[] = {
    {UI_KEY_UP, "Up"},
    {UI_KEY_DOWN, "Down"},
    {UI_KEY_LEFT, "Left"},
    {UI_KEY_RIGHT, "Right"},
    {UI_KEY_PAGE_UP, "PgUp"},
    {UI_KEY_PAGE_DOWN, "PgDn"},
    {UI_KEY_HOME, "Home"},
    {UI_KEY_END, "End"},
    {UI_KEY_DELETE, "Del"},
    {UI_KEY_BACKSPACE, "Backspace"},
    {UI_KEY_BACKTAB, "Shift-Tab"},
    {UI_KEY_TAB, "Tab"},
    {UI_KEY_ENTER, "Enter"},
    {'\r', "Enter"},
    {UI_KEY_ESC, "Esc"},
    {' ', "Space"},
};

const char *key_text(int key, char out[16])
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].key == key) {
            (void)str_copy(out, 16, names[i].name);
            return out;
        }
    }
    if (key > 0 && key < 0x20) {
        (void)str_fmt(out, 16, "Ctrl-%c", key | 0x40);
    } else {
        (void)str_fmt(out, 16, "%c", key > 0x20 && key < 0x7f ? key : '?');
    }
    return out;
}
