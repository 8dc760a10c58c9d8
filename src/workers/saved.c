/* SPDX-License-Identifier: PostgreSQL */
#include "saved_in.h"

#include <stdlib.h>
#include <string.h>

/* ---- to text ---- */

/* TAB and LF part the text, and no text of a server's may pretend to. */
static void put_text(struct sbuf *b, const char *key, const char *text)
{
    if (!text || !text[0]) {
        return;
    }
    sbuf_fmt(b, "\t%s=", key);
    for (size_t i = 0; text[i] && i < SAVED_VALUE_MAX; i++) {
        unsigned char c = (unsigned char)text[i];
        sbuf_char(b, c < 0x20 || c == 0x7f ? ' ' : text[i]);
    }
}

static void put_field(struct sbuf *b, const struct field *f, const char *row)
{
    const char *p = row + f->at;
    char number[FMT_CAP];

    if (f->kind == FIELD_TEXT) {
        memcpy(&p, row + f->at, sizeof p);
        put_text(b, f->key, p);
    } else if (f->kind == FIELD_CHARS) {
        put_text(b, f->key, p);
    } else if (field_number(f, row, number)[0]) {
        sbuf_fmt(b, "\t%s=%s", f->key, number);
    }
}

static void put_row(struct sbuf *b, enum row_kind kind, const void *row)
{
    const struct kind *k = &saved_kinds[kind];

    sbuf_add(b, k->word);
    for (size_t i = 0; i < k->fields; i++) {
        put_field(b, &k->field[i], row);
    }
    sbuf_char(b, '\n');
}

/* The last `max` of n rows. */
static void put_last(struct sbuf *b, enum row_kind kind, const void *rows, size_t n)
{
    const char *p = rows;

    for (size_t i = n > saved_kinds[kind].max ? n - saved_kinds[kind].max : 0; i < n; i++) {
        put_row(b, kind, p + i * saved_kinds[kind].size);
    }
}

void saved_text_free(char *text)
{
    free(text);
}

static void put_snapshot(struct sbuf *b, const struct snapshot *s)
{
    put_row(b, ROW_SERVER, s);
    put_row(b, ROW_LIVE, s);
    for (size_t i = 0; i < s->backups && i < SAVED_BACKUPS; i++) {
        put_row(b, ROW_BACKUP, &s->backup[i]);
    }
    if (s->coverage) {
        put_row(b, ROW_COVERAGE, s->coverage);
        put_last(b, ROW_STRETCH, s->coverage->stretch, s->coverage->stretches);
        put_last(b, ROW_HOLE, s->coverage->hole, s->coverage->holes);
        put_last(b, ROW_LINE, s->coverage->line, s->coverage->lines);
    }
}

char *saved_text_new(const struct snapshot *s)
{
    char *text = malloc(SAVED_ENTRY_MAX), *fitting;
    struct sbuf b;

    if (!text) {
        return NULL;
    }
    sbuf_init(&b, text, SAVED_ENTRY_MAX);
    put_snapshot(&b, s);
    if (!sbuf_ok(&b)) {
        free(text);
        return NULL;
    }
    fitting = realloc(text, b.len + 1);
    return fitting ? fitting : text;
}

/* ---- from text ---- */

static bool bad(struct err *err, const char *why)
{
    return err_set(err, ERR_FORMAT, "", "seen", "%s", why);
}

static bool take_text(struct arena *a, const struct field *f, struct str v, char *row,
                      struct err *err)
{
    const char *text;

    if (f->kind == FIELD_TEXT) {
        text = arena_strndup(a, v.p, v.n);
        memcpy(row + f->at, &text, sizeof text);
        return text || arena_err(a, err);
    }
    if (v.n >= f->most) {
        return bad(err, "a value is too long");
    }
    memcpy(row + f->at, v.p, v.n);
    return true;
}

static bool take_field(struct arena *a, const struct field *f, struct str v, char *row,
                       struct err *err)
{
    if (v.n == 0) {
        return bad(err, "a value is empty");
    }
    if (f->kind == FIELD_TEXT || f->kind == FIELD_CHARS) {
        return take_text(a, f, v, row, err);
    }
    return field_take_number(f, v, row) || bad(err, "not a number that can be");
}

/* rest: what follows the word. */
static bool take_row(struct arena *a, const struct kind *k, struct str rest, void *row,
                     struct err *err)
{
    struct str part;
    size_t i = 0;

    while (str_split(&rest, '\t', &part)) {
        struct str v;

        for (;; i++) {
            if (i == k->fields) {
                return bad(err, "an unknown key, or one out of its order");
            }
            v = part;
            if (str_take_lit(&v, k->field[i].key) && str_take_char(&v, '=')) {
                break;
            }
        }
        if (!take_field(a, &k->field[i++], v, row, err)) {
            return false;
        }
    }
    return true;
}

static const struct kind *kind_of(struct str *line)
{
    struct str word;

    if (!str_split(line, '\t', &word)) {
        return NULL;
    }
    for (size_t i = 0; i < ROW_KINDS; i++) {
        if (str_eq(word, saved_kinds[i].word)) {
            return &saved_kinds[i];
        }
    }
    return NULL;
}

struct reading {
    struct snapshot *s;
    struct coverage *coverage;
    size_t n[ROW_KINDS];
    void *rows[ROW_KINDS];
};

/* How many of each, so that arrays have their size; and nothing that must not be. */
static bool count_rows(struct str entry, struct reading *r, struct err *err)
{
    struct str line;

    while (str_line(&entry, &line)) {
        const struct kind *k = kind_of(&line);
        if (!k) {
            return bad(err, "an unknown line");
        }
        if (r->n[k - saved_kinds]++ == k->max) {
            return bad(err, "too many lines of a kind");
        }
    }
    if (r->n[ROW_SERVER] != 1 || r->n[ROW_LIVE] != 1 ||
        (!r->n[ROW_COVERAGE] && (r->n[ROW_STRETCH] || r->n[ROW_HOLE] || r->n[ROW_LINE]))) {
        return bad(err, "a line is missing");
    }
    return true;
}

static bool make_rows(struct reading *r, struct err *err)
{
    struct arena *a = &r->s->arena;

    r->rows[ROW_SERVER] = r->rows[ROW_LIVE] = r->s;
    for (size_t i = ROW_BACKUP; i < ROW_KINDS; i++) {
        r->rows[i] = arena_array(a, r->n[i] + 1, saved_kinds[i].size);
        if (!r->rows[i]) {
            return arena_err(a, err);
        }
    }
    r->coverage = r->rows[ROW_COVERAGE];
    return true;
}

static bool fill_rows(struct str entry, struct reading *r, struct err *err)
{
    size_t at[ROW_KINDS] = {0};
    struct str line;

    while (str_line(&entry, &line)) {
        const struct kind *k = kind_of(&line);
        size_t i = (size_t)(k - saved_kinds);
        char *row = r->rows[i];

        if (!take_row(&r->s->arena, k, line, row + at[i]++ * k->size, err)) {
            return false;
        }
    }
    return true;
}

static bool finish(struct reading *r, struct err *err)
{
    struct snapshot *s = r->s;

    if (!s->server) {
        return bad(err, "a server without a name");
    }
    s->backup = r->rows[ROW_BACKUP];
    s->backups = r->n[ROW_BACKUP];
    if (r->n[ROW_COVERAGE]) {
        r->coverage->stretch = r->rows[ROW_STRETCH];
        r->coverage->stretches = r->n[ROW_STRETCH];
        r->coverage->hole = r->rows[ROW_HOLE];
        r->coverage->holes = r->n[ROW_HOLE];
        r->coverage->line = r->rows[ROW_LINE];
        r->coverage->lines = r->n[ROW_LINE];
        s->coverage = r->coverage;
    }
    s->is_saved = true;
    s->is_receiving = false; /* whoever held the lock */
    s->sentence = s->sentence ? s->sentence : "";
    s->todo = s->todo ? s->todo : "";
    s->live.state = s->live.state == LIVE_OFF ? LIVE_OFF : LIVE_NOT_ASKED;
    return true;
}

struct snapshot *saved_snapshot(struct str entry, struct err *err)
{
    struct reading r = {.s = snapshot_new()};

    if (!r.s) {
        err_set(err, ERR_MEMORY, "", "", "out of memory");
        return NULL;
    }
    r.s->arena.max = 4 * SAVED_ENTRY_MAX;
    if (entry.n > SAVED_ENTRY_MAX || memchr(entry.p ? entry.p : "", '\0', entry.n)) {
        bad(err, "too long, or not text");
    } else if (count_rows(entry, &r, err) && make_rows(&r, err) && fill_rows(entry, &r, err) &&
               finish(&r, err)) {
        return r.s;
    }
    snapshot_free(r.s);
    return NULL;
}

static const char *keep(struct arena *a, const char *text)
{
    return text ? arena_strdup(a, text) : NULL;
}

void saved_recall(struct snapshot *into, const struct snapshot *old)
{
    struct live *l = &into->live;

    if (l->state == LIVE_OFF || !old->live.answered_us) {
        return;
    }
    l->answered_us = old->live.answered_us;
    l->version = old->live.version;
    l->in_recovery = old->live.in_recovery;
    l->tli = old->live.tli;
    l->lsn = old->live.lsn;
    l->now_us = old->live.now_us;
    l->version_text = keep(&into->arena, old->live.version_text);
    l->systemid = keep(&into->arena, old->live.systemid);
}

/* ---- the file ---- */

static bool is_first(struct str line)
{
    return str_starts(line, "server\t");
}

bool saved_open(struct saved_file *f, struct str text, struct err *err)
{
    struct str rest = text, line = str_of(""), last = line;
    uint64_t servers = 0, told = 0;

    if (!str_take_lit(&rest, SAVED_HEAD)) {
        return bad(err, "not a file of what was seen");
    }
    f->rest = rest;
    if (!str_ends(rest, "\n")) {
        return bad(err, "its end is missing");
    }
    while (str_line(&rest, &line)) {
        servers += is_first(line);
        last = line;
    }
    if (!str_take_lit(&last, "end\tservers=") || !str_u64(last, UINT32_MAX, &told) ||
        told != servers) {
        return bad(err, "its end is missing");
    }
    f->rest.n = (size_t)(last.p - f->rest.p) - strlen("end\tservers=");
    return true;
}

bool saved_next(struct saved_file *f, struct str *entry)
{
    struct str rest = f->rest, line, before = rest;

    if (rest.n == 0) {
        return false;
    }
    (void)str_line(&rest, &line);
    do {
        before = rest;
    } while (str_line(&rest, &line) && !is_first(line));
    *entry = str_n(f->rest.p, before.n ? (size_t)(before.p - f->rest.p) : f->rest.n);
    f->rest = before;
    return true;
}
