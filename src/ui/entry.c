/* SPDX-License-Identifier: PostgreSQL */
#include "ui/entry.h"

#include <stdio.h>
#include <string.h>

void entries_begin(struct entries *e, struct str text, const char *what)
{
    if (str_starts(text, "\xEF\xBB\xBF")) {
        text = str_skip(text, 3);
    }
    *e = (struct entries){.rest = text, .what = what};
}

bool entry_bad(const struct entries *e, struct err *err, const char *hint, const char *fmt, ...)
{
    char where[1024], why[sizeof err->why];
    va_list ap;

    str_fmt(where, sizeof where, "%s:%u", e->what, e->line);
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    return err_set(err, ERR_FORMAT, hint, where, "%s", why);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Without the comment at its end. */
static struct str value_of(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ';' && (i == 0 || is_blank(text.p[i - 1]))) {
            return str_trim(str_n(text.p, i));
        }
    }
    return str_trim(text);
}

static bool split_line(struct entries *e, struct str line, struct err *err)
{
    static const char hint[] = "Write 'key = value', or begin the line with ';'.";
    size_t at;

    if (line.n > ENTRY_LINE_MAX) {
        return entry_bad(e, err, hint, "the line is longer than %d bytes", ENTRY_LINE_MAX);
    }
    if (memchr(line.p, '\0', line.n)) {
        return entry_bad(e, err, hint, "there is a NUL byte");
    }
    if (!str_find(line, '=', &at)) {
        return entry_bad(e, err, hint, "there is no '='");
    }
    e->key = str_trim(str_n(line.p, at));
    e->value = value_of(str_skip(line, at + 1));
    if (e->key.n == 0) {
        return entry_bad(e, err, hint, "there is nothing before the '='");
    }
    if (e->value.n == 0) {
        return entry_bad(e, err, hint, "there is nothing behind the '='");
    }
    return true;
}

enum entry_next entries_next(struct entries *e, struct err *err)
{
    struct str line;

    while (str_line(&e->rest, &line)) {
        e->line++;
        line = str_trim(line);
        if (line.n && line.p[0] != ';' && line.p[0] != '#') {
            return split_line(e, line, err) ? ENTRY_IS : ENTRY_BAD;
        }
    }
    return ENTRY_END;
}

bool entry_word(struct str *rest, struct str *word)
{
    size_t n = 0;

    *rest = str_trim(*rest);
    while (n < rest->n && !is_blank(rest->p[n])) {
        n++;
    }
    *word = str_n(rest->p, n);
    *rest = str_skip(*rest, n);
    return n > 0;
}
