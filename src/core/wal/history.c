/* SPDX-License-Identifier: PostgreSQL */
#include "wal/history.h"

#include <inttypes.h>
#include <string.h>

static void blanks(struct str *s)
{
    while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t')) {
        *s = str_skip(*s, 1);
    }
}

/* "0/5000000" at the front of the view. */
static bool take_lsn(struct str *s, pg_lsn *out)
{
    size_t n = 0;

    while (n < s->n && s->p[n] != ' ' && s->p[n] != '\t') {
        n++;
    }
    if (!wal_lsn_parse(str_n(s->p, n), out)) {
        return false;
    }
    *s = str_skip(*s, n);
    return true;
}

struct reader {
    struct arena *a;
    pg_tli own;
    struct history_entry *entry;
    size_t n;
    unsigned line;
    char name[WAL_HISTORY_NAME_CAP];
};

static bool bad(const struct reader *r, const char *why, struct err *err)
{
    return err_set(err, ERR_FORMAT, "Fetch the file again from the server.", r->name,
                   "line %u: %s", r->line, why);
}

static bool line_read(struct reader *r, struct str line, struct err *err)
{
    struct history_entry *e = &r->entry[r->n];
    uint64_t tli;

    line = str_trim(line);
    if (line.n == 0 || line.p[0] == '#') {
        return true;
    }
    if (!str_take_u64(&line, UINT32_MAX, &tli)) {
        return bad(r, "does not begin with a timeline number", err);
    }
    size_t before = line.n;
    blanks(&line);
    if (line.n == before || !take_lsn(&line, &e->end)) {
        return bad(r, "the switch position is not one", err);
    }
    blanks(&line);
    if (tli == 0 || (r->n > 0 && tli <= e[-1].tli)) {
        return bad(r, "timelines must grow from line to line", err);
    }
    if (tli >= r->own) {
        return bad(r, "a parent must be below the file's own timeline", err);
    }
    e->tli = (pg_tli)tli;
    e->begin = r->n > 0 ? e[-1].end : 0;
    e->reason = arena_strndup(r->a, line.p, line.n);
    r->n++;
    return e->reason || arena_err(r->a, err);
}

static struct str without_tail_nuls(struct str text)
{
    while (text.n > 0 && text.p[text.n - 1] == '\0') {
        text.n--;
    }
    return text;
}

static size_t count_lines(struct str text)
{
    struct str line;
    size_t n = 0;

    while (str_line(&text, &line)) {
        n++;
    }
    return n;
}

bool history_parse(struct arena *a, pg_tli tli, struct str text, struct history *out,
                   struct err *err)
{
    struct reader r = {.a = a, .own = tli};
    struct str line;
    size_t nul;

    wal_history_name(tli, r.name);
    text = without_tail_nuls(text);
    if (text.n > HISTORY_MAX || str_find(text, '\0', &nul)) {
        return err_set(err, ERR_FORMAT, "Fetch the file again from the server.", r.name,
                       "not a timeline history: %s",
                       text.n > HISTORY_MAX ? "too long" : "it holds NUL bytes");
    }
    r.entry = ARENA_ARRAY(a, count_lines(text) + 1, struct history_entry);
    if (!r.entry) {
        return arena_err(a, err);
    }
    while (str_line(&text, &line)) {
        r.line++;
        if (!line_read(&r, line, err)) {
            return false;
        }
    }
    if (r.n == 0 && tli != 1) {
        return err_set(err, ERR_FORMAT, "Fetch the file again from the server.", r.name,
                       "names no parent timeline");
    }
    r.entry[r.n] = (struct history_entry){
        .tli = tli,
        .begin = r.n > 0 ? r.entry[r.n - 1].end : 0,
        .end = HISTORY_NO_END,
        .reason = "",
    };
    *out = (struct history){.tli = tli, .entry = r.entry, .n = r.n + 1};
    return true;
}

bool history_alone(struct arena *a, pg_tli tli, struct history *out, struct err *err)
{
    struct history_entry *e = ARENA_NEW(a, struct history_entry);

    if (!e) {
        return arena_err(a, err);
    }
    *e = (struct history_entry){.tli = tli, .end = HISTORY_NO_END, .reason = ""};
    *out = (struct history){.tli = tli, .entry = e, .n = 1};
    return true;
}

pg_tli history_owner(const struct history *h, pg_lsn lsn)
{
    for (size_t i = h->n; i-- > 1;) {
        bool has_end = h->entry[i].end != HISTORY_NO_END;
        if (h->entry[i].begin <= lsn && (!has_end || lsn < h->entry[i].end)) {
            return h->entry[i].tli;
        }
    }
    return h->entry[0].tli;
}

const struct history_entry *history_find(const struct history *h, pg_tli tli)
{
    for (size_t i = 0; i < h->n; i++) {
        if (h->entry[i].tli == tli) {
            return &h->entry[i];
        }
    }
    return NULL;
}

bool history_switch_of(const struct history *h, pg_tli tli, pg_lsn *lsn)
{
    const struct history_entry *e = history_find(h, tli);

    if (!e || e->tli == h->tli) {
        return false;
    }
    *lsn = e->end;
    return true;
}

pg_tli history_tli_of_seg(const struct history *h, uint64_t no, uint32_t seg_size)
{
    for (size_t i = h->n; i-- > 1;) {
        if (wal_seg_at(h->entry[i].tli, h->entry[i].begin, seg_size).no <= no) {
            return h->entry[i].tli;
        }
    }
    return h->entry[0].tli;
}

/* Every younger entry must begin at `end` or later: with switch points that go back, the
 * timeline's own end does not tell. */
bool history_reaches(const struct history *h, pg_tli tli, pg_lsn end)
{
    const struct history_entry *e = history_find(h, tli);

    if (!e) {
        return false;
    }
    for (const struct history_entry *young = e + 1; young < h->entry + h->n; young++) {
        if (young->begin < end) {
            return false;
        }
    }
    return true;
}
