/* SPDX-License-Identifier: PostgreSQL */
#include "ui/state.h"

#include "base/field.h"
#include "base/file.h"
#include "ui/entry.h"
#include "ui/place.h"
#include "ui/wizard.h"

#include <stddef.h>
#include <string.h>

#define AT(member)      offsetof(struct state, member)
#define IS_TEXT(member) FIELD_CHARS, AT(member), sizeof((struct state *)0)->member

#define LIST_OF(name, pane)                                                                    \
    {name ".sort", FIELD_ENUM, AT(list[pane].sort), 100},                                      \
        {name ".reversed", FIELD_BOOL, AT(list[pane].is_reversed), 0},                         \
    {                                                                                          \
        name ".filter", IS_TEXT(list[pane].filter)                                             \
    }

static const struct field fields[] = {
    {"theme", IS_TEXT(theme)},
    {"server", IS_TEXT(server)},
    {"saved", FIELD_I64, AT(saved_us), 0},
    {"pane", FIELD_ENUM, AT(pane), PANE_COUNT - 1},
    LIST_OF("servers", PANE_SERVERS),
    LIST_OF("backups", PANE_BACKUPS),
    LIST_OF("wal", PANE_WAL),
    LIST_OF("jobs", PANE_JOBS),
    {"wizard.begun", FIELD_BOOL, AT(wizard.is_begun), 0},
    {"wizard.step", FIELD_ENUM, AT(wizard.step), VIEW_CHECK},
    {"wizard.begun_at", FIELD_I64, AT(wizard.begun_us), 0},
    {"wizard.home", IS_TEXT(wizard.home)},
    {"wizard.server", IS_TEXT(wizard.words.server)},
    {"wizard.backup", IS_TEXT(wizard.words.backup)},
    {"wizard.target", FIELD_ENUM, AT(wizard.words.goal.kind), GOAL_IMMEDIATE},
    {"wizard.target_text", IS_TEXT(wizard.words.goal.text)},
    {"wizard.exclusive", FIELD_BOOL, AT(wizard.words.goal.is_exclusive), 0},
    {"wizard.point", IS_TEXT(wizard.words.goal.point)},
    {"wizard.timeline", FIELD_U32, AT(wizard.words.goal.tli), UINT32_MAX},
    {"wizard.action", IS_TEXT(wizard.words.goal.action)},
    {"wizard.where", FIELD_ENUM, AT(wizard.words.where), WHERE_FILES},
    {"wizard.destination", IS_TEXT(wizard.words.destination)},
    {"wizard.destination_typed", FIELD_BOOL, AT(wizard.destination_typed), 0},
    {"wizard.jobs", FIELD_U32, AT(wizard.words.jobs), 1024},
    {"wizard.cursor", FIELD_I64, AT(wizard.at_us), 0},
    {"wizard.from", FIELD_I64, AT(wizard.from_us), 0},
    {"wizard.to", FIELD_I64, AT(wizard.to_us), 0},
    {"wizard.typed", FIELD_BOOL, AT(wizard.types), 0},
    {"wizard.chosen", FIELD_BOOL, AT(wizard.is_chosen), 0},
    {"wizard.port", FIELD_U32, AT(wizard.words.port), 65535},
    {"wizard.restore_job", FIELD_U32, AT(wizard.restore_job), UINT32_MAX},
    {"wizard.copy_job", FIELD_U32, AT(wizard.copy_job), UINT32_MAX},
    {"wizard.wants_copy", FIELD_BOOL, AT(wizard.wants_copy), 0},
};

/* Elements of arrays: the key ends in ".NUMBER", from 0. */
struct row {
    struct field field;
    size_t stride, most;
    size_t count_at; /* of the size_t that counts them */
};

static const struct row rows[] = {
    {{"wizard.tablespace", FIELD_CHARS, AT(wizard.words.move[0].name), NAME_CAP},
     sizeof(struct tablespace_move),
     ASK_MOVES_MAX,
     AT(wizard.words.moves)},
    {{"wizard.location", FIELD_CHARS, AT(wizard.words.move[0].location), ASK_PATH_CAP},
     sizeof(struct tablespace_move),
     ASK_MOVES_MAX,
     AT(wizard.words.moves)},
    {{"wizard.table", FIELD_CHARS, AT(wizard.table[0]), 2 * NAME_CAP},
     2 * NAME_CAP,
     ASK_TABLES,
     AT(wizard.tables)},
};

#define FIELDS (sizeof fields / sizeof fields[0])
#define ROWS   (sizeof rows / sizeof rows[0])

_Static_assert(sizeof(enum goal_kind) == sizeof(int32_t), "FIELD_ENUM");

/* ---- values ---- */

static bool take_text(struct str value, char *out, size_t cap)
{
    struct sbuf b;
    uint64_t byte;

    sbuf_init(&b, out, cap);
    while (value.n) {
        if (!str_take_lit(&value, "\\x")) {
            if (value.p[0] == '\\') {
                return false;
            }
            sbuf_char(&b, value.p[0]);
            value = str_skip(value, 1);
            continue;
        }
        if (value.n < 2 || !str_hex_u64(str_n(value.p, 2), 2, &byte) || byte == 0) {
            return false;
        }
        sbuf_char(&b, (char)byte);
        value = str_skip(value, 2);
    }
    return sbuf_ok(&b);
}

static void put_text(struct sbuf *b, const char *text)
{
    for (size_t i = 0; text[i]; i++) {
        unsigned char c = (unsigned char)text[i];
        bool is_edge = i == 0 || text[i + 1] == '\0';

        if (c < 0x20 || c == 0x7F || c == '\\' || c == ';' || (c == ' ' && is_edge)) {
            sbuf_fmt(b, "\\x%02X", c);
        } else {
            sbuf_char(b, (char)c);
        }
    }
}

/* The field of a struct at base. */
static bool take_value(const struct field *f, struct str value, char *base)
{
    bool yes = str_eq(value, "yes");

    switch (f->kind) {
    case FIELD_CHARS:
        return take_text(value, base + f->at, f->most);
    case FIELD_BOOL:
        memcpy(base + f->at, &yes, sizeof yes);
        return yes || str_eq(value, "no");
    default:
        return field_take_number(f, value, base);
    }
}

/* Nothing for what is empty: that is what a reader begins with. */
static void put_value(const struct field *f, const char *key, const char *base, struct sbuf *b)
{
    char number[FMT_CAP];

    if (f->kind != FIELD_CHARS) {
        if (field_number(f, base, number)[0]) {
            sbuf_fmt(b, "%s = %s\n", key, f->kind == FIELD_BOOL ? "yes" : number);
        }
    } else if (base[f->at]) {
        sbuf_fmt(b, "%s = ", key);
        put_text(b, base + f->at);
        sbuf_char(b, '\n');
    }
}

/* ---- reading ---- */

/* "wizard.table.3" -> the row, and its number. false: another key, or too large a number. */
static bool find_row(struct str key, const struct row **row, size_t *index)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct str rest = key;
        uint64_t number;

        if (str_take_lit(&rest, rows[i].field.key) && str_take_char(&rest, '.') &&
            str_u64(rest, rows[i].most - 1, &number)) {
            *row = &rows[i];
            *index = (size_t)number;
            return true;
        }
    }
    return false;
}

static bool take_entry(const struct entries *e, struct state *s, struct err *err)
{
    char *base = (char *)s;
    const struct field *f = NULL;
    const struct row *row;
    size_t index, count;

    for (size_t i = 0; i < FIELDS && !f; i++) {
        f = str_eq(e->key, fields[i].key) ? &fields[i] : NULL;
    }
    if (!f && !find_row(e->key, &row, &index)) {
        return true;
    }
    if (!f) {
        f = &row->field;
        memcpy(&count, base + row->count_at, sizeof count);
        count = count > index ? count : index + 1;
        memcpy(base + row->count_at, &count, sizeof count);
        base += index * row->stride;
    }
    return take_value(f, e->value, base) ||
           entry_bad(e, err, "The file is written anew at the end.",
                     "'%.*s' cannot be the value of '%s'", (int)e->value.n, e->value.p, f->key);
}

bool state_parse(struct str text, const char *what, struct state *out, struct err *err)
{
    struct entries e;
    enum entry_next next;

    memset(out, 0, sizeof *out);
    entries_begin(&e, text, what);
    while ((next = entries_next(&e, err)) == ENTRY_IS) {
        if (!take_entry(&e, out, err)) {
            break;
        }
    }
    if (next != ENTRY_END) {
        memset(out, 0, sizeof *out);
    }
    return next == ENTRY_END;
}

void state_print(const struct state *s, struct sbuf *out)
{
    const char *base = (const char *)s;
    char key[64];

    sbuf_add(out, "; What barkeep's screen remembers. It writes this file; deleting it is "
                  "harmless.\n");
    for (size_t i = 0; i < FIELDS; i++) {
        put_value(&fields[i], fields[i].key, base, out);
    }
    for (size_t i = 0; i < ROWS; i++) {
        size_t count;

        memcpy(&count, base + rows[i].count_at, sizeof count);
        for (size_t k = 0; k < count; k++) {
            str_fmt(key, sizeof key, "%s.%zu", rows[i].field.key, k);
            put_value(&rows[i].field, key, base + k * rows[i].stride, out);
        }
    }
}

/* ---- the file ---- */

bool state_load(struct state *out, struct err *err)
{
    char path[PATH_CAP];
    struct err local = {0};
    struct arena a;
    struct str text;
    bool ok;

    memset(out, 0, sizeof *out);
    arena_init(&a, 2 * ENTRY_FILE_MAX);
    ok = place_state(path, "ui.ini", &local) &&
         file_read(&a, path, ENTRY_FILE_MAX, &text, &local) &&
         state_parse(text, path, out, &local);
    arena_release(&a);
    if (!ok && local.code != ERR_MISSING) {
        *err = local;
        return err_wrap(err, "use what the screen remembered");
    }
    return true;
}

static void put_state(struct sbuf *b, const void *what)
{
    state_print(what, b);
}

bool state_save(const struct state *s, struct err *err)
{
    char path[PATH_CAP];

    return place_state_made(path, "ui.ini", err) &&
           file_jot(path, ENTRY_FILE_MAX, put_state, s, err); /* a key waits for it */
}

/* ---- to and from the screen ---- */

void state_of(const struct ui *ui, struct state *out)
{
    memset(out, 0, sizeof *out);
    str_copy(out->theme, sizeof out->theme, ui->theme);
    str_copy(out->server, sizeof out->server, ui->server);
    out->pane = (int32_t)ui->pane;
    out->saved_us = ui->model.now_us;
    for (int i = 0; i < PANE_COUNT; i++) {
        out->list[i].sort = ui->list[i].sort;
        out->list[i].is_reversed = ui->list[i].is_reversed;
        str_copy(out->list[i].filter, FILTER_CAP, ui->list[i].filter);
    }
    if (ui->wizard.is_begun) {
        out->wizard = ui->wizard;
    }
}

/* A filter could hide what fails: it is back, and that is said. */
static void apply_list(const struct list *kept, struct ui *ui, enum pane pane)
{
    static const char *const name[] = {"servers", "backups", "WAL", "jobs"};
    struct list *list = &ui->list[pane];

    list->sort = kept->sort;
    list->is_reversed = kept->is_reversed;
    (void)str_copy(list->filter, sizeof list->filter, kept->filter);
    if (list->filter[0]) {
        ui_say(ui, LIGHT_WARN, "%s are filtered as last time: /%s. Esc in pane %d clears that",
               name[pane], list->filter, (int)pane + 1);
    }
}

void state_apply(const struct state *s, struct ui *ui)
{
    int64_t age = ui->model.now_us - s->saved_us;

    for (size_t i = 0; i < ui->model.servers; i++) {
        if (strcmp(ui->model.name[i], s->server) == 0) {
            ui_select_server(ui, s->server);
        }
    }
    ui->pane = (enum pane)s->pane;
    for (int i = PANE_COUNT - 1; i >= 0; i--) { /* the servers are told last, and stay told */
        apply_list(&s->list[i], ui, (enum pane)i);
    }
    if (s->wizard.is_begun &&
        ((age >= 0 && age < STATE_WIZARD_US) || wizard_left_a_copy(&s->wizard))) {
        ui->wizard = s->wizard;
    }
}
