/* SPDX-License-Identifier: PostgreSQL */
#include "edit.h"

#include <string.h>

struct line {
    struct str all;  /* with its newline, if it has one */
    struct str text; /* without blanks at its ends */
    size_t indent;
};

/* What is found on the way, as offsets into the text. 0 of `end`: nothing. */
struct found {
    size_t section_end; /* behind the last line of the section that is not blank */
    size_t at, end;     /* of the entry and its continuation lines */
    bool in_section, in_entry, in_any; /* in our entry, in one of any key */
    size_t indent;                     /* of that */
};

static bool next_line(struct str *rest, struct line *out)
{
    size_t n;

    if (rest->n == 0) {
        return false;
    }
    n = str_find(*rest, '\n', &n) ? n + 1 : rest->n;
    out->all = str_n(rest->p, n);
    out->text = str_trim(out->all);
    out->indent = out->text.n ? (size_t)(out->text.p - out->all.p) : 0;
    *rest = str_skip(*rest, n);
    return true;
}

static bool is_comment(struct str text)
{
    return text.n && (text.p[0] == '#' || text.p[0] == ';');
}

/* The name goes on to the last ']' of the line, as the reader takes it. */
static bool is_header(const struct line *l, const char *section)
{
    struct str name = str_skip(l->text, 1);

    while (name.n && name.p[name.n - 1] != ']') {
        name.n--;
    }
    return str_starts(l->text, "[") && name.n > 1 && str_eq(str_n(name.p, name.n - 1), section);
}

static bool is_entry(const struct line *l, const char *key)
{
    size_t at = l->text.n, colon;

    (void)str_find(l->text, '=', &at);
    if (str_find(l->text, ':', &colon) && colon < at) {
        at = colon;
    }
    return at < l->text.n && str_eq_nocase(str_trim(str_n(l->text.p, at)), key);
}

static void look(struct str text, const struct cfg_edit *e, struct found *f)
{
    struct str rest = text;
    struct line l;

    while (next_line(&rest, &l)) {
        size_t from = (size_t)(l.all.p - text.p), to = from + l.all.n;
        bool continues = f->in_any && l.text.n && l.indent > f->indent;

        if (l.text.n == 0 || is_comment(l.text)) {
            continue;
        }
        if (!continues && l.text.p[0] == '[') {
            f->in_section = is_header(&l, e->section);
        }
        if (f->in_section) {
            f->section_end = to;
        }
        if (continues) {
            f->end = f->in_entry ? to : f->end;
            continue;
        }
        f->in_any = l.text.p[0] != '[';
        f->indent = l.indent;
        f->in_entry = f->in_any && f->in_section && is_entry(&l, e->key);
        if (f->in_entry) {
            f->at = from;
            f->end = to;
        }
    }
}

/* The comments among the continuation lines are kept, behind the new line. */
static void put_comments(struct sbuf *b, struct str old)
{
    struct str rest = old;
    struct line l;

    while (next_line(&rest, &l)) {
        if (is_comment(l.text)) {
            sbuf_add_n(b, l.all.p, l.all.n);
        }
    }
}

/* The blanks in front of the next line that says something: with as many the new line neither
 * takes that one for its continuation, nor is one itself of the line before. */
static struct str lead(struct str rest)
{
    struct line l;

    while (next_line(&rest, &l)) {
        if (l.text.n && !is_comment(l.text)) {
            return str_n(l.all.p, l.indent);
        }
    }
    return str_of("");
}

static void put(struct sbuf *b, struct str text, const struct cfg_edit *e,
                const struct found *f)
{
    size_t from = f->end ? f->at : f->section_end ? f->section_end : text.n;
    size_t to = f->end ? f->end : from;
    struct str blanks = lead(str_skip(text, from));

    sbuf_add_n(b, text.p, from);
    if (from && text.p[from - 1] != '\n') {
        sbuf_char(b, '\n');
    }
    if (!f->section_end) {
        sbuf_fmt(b, "%s[%s]\n", from ? "\n" : "", e->section);
    }
    sbuf_add_n(b, blanks.p, blanks.n);
    sbuf_fmt(b, "%s = %s\n", e->key, e->value);
    put_comments(b, str_n(text.p + from, to - from));
    sbuf_add_n(b, text.p + to, text.n - to);
}

bool cfg_edit(struct arena *a, struct str text, const struct cfg_edit *e, struct str *out,
              struct err *err)
{
    size_t cap = 2 * text.n + strlen(e->section) + strlen(e->key) + strlen(e->value) + 16;
    char *mem = arena_alloc(a, cap);
    struct found f = {0};
    struct sbuf b;

    if (strpbrk(e->value, "\r\n")) {
        return err_set(err, ERR_FORMAT, "Give a value of one line.", e->key,
                       "a value with a line break");
    }
    if (!mem) {
        return arena_err(a, err);
    }
    look(text, e, &f);
    sbuf_init(&b, mem, cap);
    put(&b, text, e, &f);
    *out = str_n(mem, b.len);
    return sbuf_ok(&b) || err_set(err, ERR_FORMAT, "", e->key, "a value that is too long");
}
