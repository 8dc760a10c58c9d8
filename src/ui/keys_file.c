/* SPDX-License-Identifier: PostgreSQL */
#include "ui/keys_file.h"

#include "barkeep/arena.h"
#include "base/file.h"
#include "ui/entry.h"
#include "ui/place.h"

#include <string.h>

static const char *const act_names[ACT_COUNT] = {
    [ACT_UP] = "up",
    [ACT_DOWN] = "down",
    [ACT_PAGE_UP] = "page_up",
    [ACT_PAGE_DOWN] = "page_down",
    [ACT_HALF_UP] = "half_up",
    [ACT_HALF_DOWN] = "half_down",
    [ACT_FIRST] = "first",
    [ACT_LAST] = "last",
    [ACT_LEFT] = "left",
    [ACT_RIGHT] = "right",
    [ACT_EVENT_LEFT] = "event_left",
    [ACT_EVENT_RIGHT] = "event_right",
    [ACT_ZOOM_IN] = "zoom_in",
    [ACT_ZOOM_OUT] = "zoom_out",
    [ACT_ZOOM_ALL] = "zoom_all",
    [ACT_NEXT_PANE] = "next_pane",
    [ACT_PREV_PANE] = "prev_pane",
    [ACT_PANE_1] = "pane_1",
    [ACT_PANE_2] = "pane_2",
    [ACT_PANE_3] = "pane_3",
    [ACT_PANE_4] = "pane_4",
    [ACT_ZOOM_PANE] = "zoom_pane",
    [ACT_OPEN] = "open",
    [ACT_BACK] = "back",
    [ACT_FILTER] = "filter",
    [ACT_NEXT_HIT] = "next_hit",
    [ACT_PREV_HIT] = "prev_hit",
    [ACT_ONLY_HITS] = "only_hits",
    [ACT_SORT] = "sort",
    [ACT_REVERSE] = "reverse",
    [ACT_COMMAND] = "command",
    [ACT_BACKUP] = "backup",
    [ACT_RESTORE] = "restore",
    [ACT_VERIFY] = "verify",
    [ACT_DELETE] = "delete",
    [ACT_CANCEL] = "cancel",
    [ACT_LOG] = "log",
    [ACT_WAL] = "wal",
    [ACT_PAUSE] = "pause",
    [ACT_REFRESH] = "refresh",
    [ACT_CHOOSE] = "choose",
    [ACT_TYPE_TIME] = "type_target",
    [ACT_SIDE] = "side",
    [ACT_NEAR_BELOW] = "nearest-before",
    [ACT_NEAR_ABOVE] = "nearest-after",
    [ACT_EVIDENCE] = "evidence",
    [ACT_DETACH] = "detach",
    [ACT_PSQL] = "psql",
    [ACT_PROMOTE] = "promote",
    [ACT_GO_BACK] = "other_target",
    [ACT_WRAP] = "wrap",
    [ACT_COPY] = "copy",
    [ACT_COPY_LINE] = "copy_line",
    [ACT_SAVE] = "save",
    [ACT_HELP] = "help",
    [ACT_LAST_ERROR] = "last_error",
    [ACT_QUIT] = "quit",
};

const char *keys_act_name(enum act act)
{
    return act_names[act];
}

/* ---- one key ---- */

static bool named_key(struct str word, int *key)
{
    static const int keys[] = {
        UI_KEY_UP,        UI_KEY_DOWN, UI_KEY_LEFT,  UI_KEY_RIGHT,  UI_KEY_PAGE_UP,
        UI_KEY_PAGE_DOWN, UI_KEY_HOME, UI_KEY_END,   UI_KEY_DELETE, UI_KEY_BACKSPACE,
        UI_KEY_BACKTAB,   UI_KEY_TAB,  UI_KEY_ENTER, UI_KEY_ESC,    ' ',
    };
    char name[16];

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (str_eq_nocase(word, key_text(keys[i], name))) {
            *key = keys[i];
            return true;
        }
    }
    *key = ';';
    return str_eq_nocase(word, "Semicolon");
}

/* Ctrl-A .. Ctrl-Y. Some are keys of their own (Tab, Enter, Backspace), some are signals. */
static bool control_key(struct str word, int *key)
{
    char letter;

    if (word.n != 6 || !str_eq_nocase(str_n(word.p, 5), "Ctrl-")) {
        return false;
    }
    letter = word.p[5];
    letter = letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
    *key = UI_CTRL(letter);
    return letter >= 'A' && letter <= 'Y' && !strchr("CHIJM", letter);
}

static bool parse_key(struct str word, int *key)
{
    if (word.n == 1 && word.p[0] > 0x20 && word.p[0] < 0x7f) {
        *key = word.p[0];
        return true;
    }
    return named_key(word, key) || control_key(word, key);
}

/* ---- one line ---- */

static int find_act(struct str name)
{
    for (int act = ACT_NONE + 1; act < ACT_COUNT; act++) {
        if (str_eq(name, act_names[act])) {
            return act;
        }
    }
    return ACT_NONE;
}

static bool take_keys(const struct entries *e, int out[4], struct err *err)
{
    struct str rest = e->value, word;
    size_t n = 0;

    memset(out, 0, 4 * sizeof out[0]);
    if (str_eq(e->value, "none")) {
        return true;
    }
    while (entry_word(&rest, &word)) {
        if (n == 4) {
            return entry_bad(e, err, "Leave some out.", "an act has at most four keys");
        }
        if (!parse_key(word, &out[n++])) {
            return entry_bad(e, err,
                             "Write a character, a name as PgUp, or Ctrl- and a letter.",
                             "'%.*s' is no key that can be chosen", (int)word.n, word.p);
        }
    }
    return true;
}

static bool take_entry(const struct entries *e, struct key_map *map, unsigned line[ACT_COUNT],
                       struct err *err)
{
    int act = find_act(e->key);

    if (act == ACT_NONE) {
        return entry_bad(e, err, "themes/keys.ini lists them.", "no act is called '%.*s'",
                         (int)e->key.n, e->key.p);
    }
    if (line[act]) {
        return entry_bad(e, err, "Remove one of them.", "'%s' is there in line %u already",
                         act_names[act], line[act]);
    }
    line[act] = e->line;
    return take_keys(e, map->key[act], err);
}

/* ---- all of it ---- */

/* Another act that has the key; ACT_NONE: nobody. */
static int other_with(const struct key_map *map, int act, int key)
{
    for (int other = ACT_NONE + 1; other < ACT_COUNT; other++) {
        for (size_t i = 0; i < 4 && other != act && map->key[other][i]; i++) {
            if (map->key[other][i] == key) {
                return other;
            }
        }
    }
    return ACT_NONE;
}

/* A key the file gives away may not mean something else, in the file or by default. */
static bool no_key_twice(struct entries *e, const struct key_map *map,
                         const unsigned line[ACT_COUNT], struct err *err)
{
    char name[16];

    for (int act = ACT_NONE + 1; act < ACT_COUNT; act++) {
        for (size_t i = 0; i < 4 && line[act] && map->key[act][i]; i++) {
            int other = other_with(map, act, map->key[act][i]);

            if (other != ACT_NONE) {
                e->line = line[act] > line[other] ? line[act] : line[other];
                return entry_bad(e, err, "Give one of the two another key.",
                                 "%s would mean both '%s' and '%s'",
                                 key_text(map->key[act][i], name), act_names[act],
                                 act_names[other]);
            }
        }
    }
    return true;
}

bool keys_parse(struct str text, const char *what, struct key_map *map, struct err *err)
{
    struct key_map m = *map;
    unsigned line[ACT_COUNT] = {0};
    struct entries e;
    enum entry_next next;

    entries_begin(&e, text, what);
    while ((next = entries_next(&e, err)) == ENTRY_IS) {
        if (!take_entry(&e, &m, line, err)) {
            return false;
        }
    }
    if (next == ENTRY_BAD || !no_key_twice(&e, &m, line, err)) {
        return false;
    }
    *map = m;
    return true;
}

bool keys_load(struct key_map *map, struct err *err)
{
    char path[PATH_CAP];
    struct err local = {0};
    struct arena a;
    struct str text;
    bool ok;

    if (!place_config(path, "keys.ini", &local)) {
        return true; /* nowhere to look */
    }
    arena_init(&a, 2 * ENTRY_FILE_MAX);
    ok = file_read(&a, path, ENTRY_FILE_MAX, &text, &local) &&
         keys_parse(text, path, map, &local);
    arena_release(&a);
    if (!ok && local.code != ERR_MISSING) {
        *err = local;
        return err_wrap(err, "use these keys");
    }
    return true;
}
