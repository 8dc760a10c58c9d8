/* SPDX-License-Identifier: PostgreSQL */
#include "ui/state.h"

#include "base/file.h"
#include "ui/entry.h"
#include "ui/place.h"

#include <stddef.h>
#include <string.h>

enum kind {
    TEXT,
    CHOICE, /* int32_t or an enum, 0 .. max */
    NUMBER, /* uint32_t, .. max */
    MOMENT, /* int64_t */
    YES,    /* bool */
};

struct field {
    const char *key;
    enum kind kind;
    size_t at;   /* in struct state, or in an element */
    size_t size; /* of a text */
    uint64_t max;
};

#define AT(member)      offsetof(struct state, member)
#define IS_TEXT(member) TEXT, AT(member), sizeof((struct state *)0)->member, 0

#define LIST_OF(name, pane)                                                                    \
    {name ".sort", CHOICE, AT(list[pane].sort), 0, 100},                                       \
        {name ".reversed", YES, AT(list[pane].is_reversed), 0, 0},                             \
    {                                                                                          \
        name ".filter", IS_TEXT(list[pane].filter)                                             \
    }

static const struct field fields[] = {
    {"theme", IS_TEXT(theme)},
    {"server", IS_TEXT(server)},
    {"saved", MOMENT, AT(saved_us), 0, 0},
    {"pane", CHOICE, AT(pane), 0, PANE_COUNT - 1},
    LIST_OF("servers", PANE_SERVERS),
    LIST_OF("backups", PANE_BACKUPS),
    LIST_OF("wal", PANE_WAL),
    LIST_OF("jobs", PANE_JOBS),
    {"wizard.begun", YES, AT(wizard.is_begun), 0, 0},
    {"wizard.step", CHOICE, AT(wizard.step), 0, VIEW_CHECK},
    {"wizard.begun_at", MOMENT, AT(wizard.begun_us), 0, 0},
    {"wizard.server", IS_TEXT(wizard.words.server)},
    {"wizard.backup", IS_TEXT(wizard.words.backup)},
    {"wizard.target", CHOICE, AT(wizard.words.goal.kind), 0, GOAL_IMMEDIATE},
    {"wizard.target_text", IS_TEXT(wizard.words.goal.text)},
    {"wizard.exclusive", YES, AT(wizard.words.goal.is_exclusive), 0, 0},
    {"wizard.point", IS_TEXT(wizard.words.goal.point)},
    {"wizard.timeline", NUMBER, AT(wizard.words.goal.tli), 0, UINT32_MAX},
    {"wizard.action", IS_TEXT(wizard.words.goal.action)},
    {"wizard.where", CHOICE, AT(wizard.words.where), 0, WHERE_FILES},
    {"wizard.destination", IS_TEXT(wizard.words.destination)},
    {"wizard.destination_typed", YES, AT(wizard.destination_typed), 0, 0},
    {"wizard.jobs", NUMBER, AT(wizard.words.jobs), 0, 1024},
    {"wizard.cursor", MOMENT, AT(wizard.at_us), 0, 0},
    {"wizard.from", MOMENT, AT(wizard.from_us), 0, 0},
    {"wizard.to", MOMENT, AT(wizard.to_us), 0, 0},
    {"wizard.typed", YES, AT(wizard.types), 0, 0},
    {"wizard.port", NUMBER, AT(wizard.words.port), 0, 65535},
    {"wizard.restore_job", NUMBER, AT(wizard.restore_job), 0, UINT32_MAX},
    {"wizard.copy_job", NUMBER, AT(wizard.copy_job), 0, UINT32_MAX},
    {"wizard.wants_copy", YES, AT(wizard.wants_copy), 0, 0},
};

/* Elements of arrays: the key ends in ".NUMBER", from 0. */
struct row {
    struct field field;
    size_t stride, most;
    size_t count_at; /* of the size_t that counts them */
};

static const struct row rows[] = {
    {{"wizard.tablespace", TEXT, AT(wizard.words.move[0].name), NAME_CAP, 0},
     sizeof(struct tablespace_move),
     ASK_MOVES_MAX,
     AT(wizard.words.moves)},
    {{"wizard.location", TEXT, AT(wizard.words.move[0].location), ASK_PATH_CAP, 0},
     sizeof(struct tablespace_move),
     ASK_MOVES_MAX,
     AT(wizard.words.moves)},
    {{"wizard.table", TEXT, AT(wizard.table[0]), 2 * NAME_CAP, 0},
     2 * NAME_CAP,
     ASK_TABLES,
     AT(wizard.tables)},
};

#define FIELDS (sizeof fields / sizeof fields[0])
#define ROWS   (sizeof rows / sizeof rows[0])

_Static_assert(sizeof(enum goal_kind) == sizeof(int32_t), "CHOICE reads enums as int32_t");
_Static_assert(sizeof(unsigned) == sizeof(uint32_t), "NUMBER reads unsigned as uint32_t");

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

static bool take_number(const struct field *f, struct str value, char *at)
{
    uint64_t v;
    uint32_t small;

    if (!str_u64(value, f->max, &v)) {
        return false;
    }
    small = (uint32_t)v;
    memcpy(at, &small, sizeof small);
    return true;
}

static bool take_value(const struct field *f, struct str value, char *at)
{
    int64_t moment;
    bool yes = str_eq(value, "yes");

    switch (f->kind) {
    case TEXT:
        return take_text(value, at, f->size);
    case CHOICE:
    case NUMBER:
        return take_number(f, value, at);
    case MOMENT:
        if (!str_i64(value, &moment)) {
            return false;
        }
        memcpy(at, &moment, sizeof moment);
        return true;
    case YES:
        memcpy(at, &yes, sizeof yes);
        return yes || str_eq(value, "no");
    }
    return false;
}

/* Nothing for what is empty: that is what a reader begins with. */
static void put_value(const struct field *f, const char *key, const char *at, struct sbuf *b)
{
    uint32_t number;
    int64_t moment;
    bool yes;

    switch (f->kind) {
    case TEXT:
        if (at[0]) {
            sbuf_fmt(b, "%s = ", key);
            put_text(b, at);
            sbuf_char(b, '\n');
        }
        return;
    case CHOICE:
    case NUMBER:
        memcpy(&number, at, sizeof number);
        if (number) {
            sbuf_fmt(b, "%s = %u\n", key, number);
        }
        return;
    case MOMENT:
        memcpy(&moment, at, sizeof moment);
        if (moment) {
            sbuf_fmt(b, "%s = %lld\n", key, (long long)moment);
        }
        return;
    case YES:
        memcpy(&yes, at, sizeof yes);
        if (yes) {
            sbuf_fmt(b, "%s = yes\n", key);
        }
        return;
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
    size_t at, index, count;

    for (size_t i = 0; i < FIELDS && !f; i++) {
        f = str_eq(e->key, fields[i].key) ? &fields[i] : NULL;
    }
    if (f) {
        at = f->at;
    } else if (find_row(e->key, &row, &index)) {
        f = &row->field;
        at = f->at + index * row->stride;
        memcpy(&count, base + row->count_at, sizeof count);
        count = count > index ? count : index + 1;
        memcpy(base + row->count_at, &count, sizeof count);
    } else {
        return true;
    }
    return take_value(f, e->value, base + at) ||
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
        put_value(&fields[i], fields[i].key, base + fields[i].at, out);
    }
    for (size_t i = 0; i < ROWS; i++) {
        size_t count;

        memcpy(&count, base + rows[i].count_at, sizeof count);
        for (size_t k = 0; k < count; k++) {
            str_fmt(key, sizeof key, "%s.%zu", rows[i].field.key, k);
            put_value(&rows[i].field, key, base + rows[i].field.at + k * rows[i].stride, out);
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

bool state_save(const struct state *s, struct err *err)
{
    char path[PATH_CAP];
    struct arena a;
    struct sbuf b;
    char *mem;
    bool ok;

    arena_init(&a, 0);
    mem = arena_alloc(&a, ENTRY_FILE_MAX);
    if (!mem) {
        return arena_err(&a, err);
    }
    sbuf_init(&b, mem, ENTRY_FILE_MAX);
    state_print(s, &b);
    ok = sbuf_ok(&b) && place_state_made(path, "ui.ini", err) &&
         file_replace(path, str_n(b.p, b.len), err);
    arena_release(&a);
    return ok;
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

void state_apply(const struct state *s, struct ui *ui)
{
    int64_t age = ui->model.now_us - s->saved_us;

    for (size_t i = 0; i < ui->model.servers; i++) {
        if (strcmp(ui->model.name[i], s->server) == 0) {
            ui_select_server(ui, s->server);
        }
    }
    ui->pane = (enum pane)s->pane;
    for (int i = 0; i < PANE_COUNT; i++) {
        ui->list[i].sort = s->list[i].sort;
        ui->list[i].is_reversed = s->list[i].is_reversed; /* a filter could hide what fails */
    }
    if (s->wizard.is_begun && age >= 0 && age < STATE_WIZARD_US) {
        ui->wizard = s->wizard;
    }
}
