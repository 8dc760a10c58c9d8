/* SPDX-License-Identifier: PostgreSQL */
#include "cfg/ini.h"

#include "base/file.h"
#include "cfg/config.h"

#include <ini.h>
#include <stdio.h>
#include <string.h>

#define KEY_MAX 48 /* inih keeps 49 bytes of a name; no option is that long */

/* One file on its way through inih. The logical line last fed is the one the handler is called
 * for, since inih asks for a line only when it is done with the one before. */
struct feed {
    struct arena *a;
    struct ini *ini;
    const char *path;
    const char *frozen;
    struct str rest; /* not yet cut */
    int line;        /* number of the last physical line cut off */
    int *line_of;    /* inih's line number -> first physical line; 1 and up */
    int fed;
    struct ini_section *section; /* where entries go; NULL before the first */
    struct str key;
    const char *value;
    struct err *err;
    bool failed;
};

static bool at_line(struct feed *f, const char *why)
{
    char where[PATH_CAP + 16];

    f->failed = true;
    str_fmt(where, sizeof where, "%s:%d", f->path, f->line_of[f->fed]);
    err_set(f->err, ERR_CONFIG, "Correct that line.", where, "%s", why);
    return err_wrap(f->err, "read the configuration");
}

static bool out_of_memory(struct feed *f)
{
    f->failed = true;
    return arena_err(f->a, f->err);
}

static const char *where_now(struct feed *f)
{
    return arena_fmt(f->a, "%s:%d", f->path, f->line_of[f->fed]);
}

static bool is_comment(struct str line)
{
    line = str_trim(line);
    return str_starts(line, "#") || str_starts(line, ";");
}

static size_t indent_of(struct str line)
{
    size_t n = 0;

    while (n < line.n && (line.p[n] == ' ' || line.p[n] == '\t')) {
        n++;
    }
    return n;
}

static bool find_delimiter(struct str line, size_t *at)
{
    for (*at = 0; *at < line.n; ++*at) {
        if (line.p[*at] == '=' || line.p[*at] == ':') {
            return true;
        }
    }
    return false;
}

/* The value that begins in `first`, with the lines after it that are indented deeper than its
 * key. Blank lines inside stay, those at the end go. */
static const char *cut_value(struct feed *f, struct str first, size_t indent)
{
    char mem[CFG_VALUE_MAX];
    struct str rest = f->rest, line;
    struct sbuf b;
    const char *kept;
    size_t newlines = 1;

    sbuf_init(&b, mem, sizeof mem);
    sbuf_add_n(&b, first.p, first.n);
    for (int ahead = 1; str_line(&rest, &line); ahead++) {
        struct str text = str_trim(line);

        if (text.n == 0 || is_comment(line)) {
            newlines += text.n == 0;
            continue;
        }
        if (indent_of(line) <= indent) {
            break;
        }
        for (; newlines && !b.overflow; newlines--) {
            sbuf_char(&b, '\n');
        }
        sbuf_add_n(&b, text.p, text.n);
        f->rest = rest;
        f->line += ahead;
        ahead = 0;
        newlines = 1;
    }
    if (b.overflow) {
        at_line(f, "the value is too long");
        return NULL;
    }
    first = str_trim(str_n(b.p, b.len));
    kept = arena_strndup(f->a, first.p, first.n);
    if (!kept) {
        out_of_memory(f);
    }
    return kept;
}

static bool open_section(struct feed *f, struct str name)
{
    struct ini_section **at = &f->ini->section;

    while (*at && !str_eq(name, (*at)->name)) {
        at = &(*at)->next;
    }
    if (!*at) {
        *at = ARENA_NEW(f->a, struct ini_section);
        if (!*at) {
            return out_of_memory(f);
        }
        (*at)->name = arena_strndup(f->a, name.p, name.n);
        (*at)->where = where_now(f);
        if (!(*at)->name || !(*at)->where) {
            return out_of_memory(f);
        }
    }
    f->section = *at;
    return true;
}

/* Writes what inih shall see of the logical line, and keeps the rest in f. */
static bool shape_line(struct feed *f, struct str line, struct sbuf *out)
{
    size_t indent = indent_of(line), at;
    struct str text = str_trim(line);

    if (str_starts(text, "[")) {
        struct str name = str_skip(text, 1);
        while (name.n && name.p[name.n - 1] != ']') {
            name.n--;
        }
        if (name.n > 1) {
            sbuf_add(out, "[@]\n");
            return open_section(f, str_n(name.p, name.n - 1));
        }
        sbuf_add(out, "[\n");
        return true;
    }
    if (!find_delimiter(text, &at)) {
        sbuf_add(out, "@\n");
        return true;
    }
    f->key = str_trim(str_n(text.p, at));
    f->value = cut_value(f, str_trim(str_skip(text, at + 1)), indent);
    if (!f->value) {
        return false;
    }
    if (f->key.n == 0) {
        return at_line(f, "there is no option name before the '='");
    }
    /* A name that inih would cut short or take for a comment is no option in any case. */
    if (f->key.n <= KEY_MAX && !memchr(f->key.p, ';', f->key.n)) {
        sbuf_add_n(out, f->key.p, f->key.n);
    } else {
        sbuf_char(out, '@');
    }
    sbuf_add(out, "=@\n");
    return true;
}

/* inih's fgets(). */
static char *next_line(char *str, int num, void *stream)
{
    struct feed *f = stream;
    struct str line;
    struct sbuf out;

    sbuf_init(&out, str, (size_t)num);
    while (!f->failed && str_line(&f->rest, &line)) {
        f->line++;
        if (str_trim(line).n == 0 || is_comment(line)) {
            continue;
        }
        f->line_of[++f->fed] = f->line;
        return shape_line(f, line, &out) ? str : NULL;
    }
    return NULL;
}

static bool put_entry(struct feed *f)
{
    struct ini_entry **at = &f->section->entry;
    char *key = arena_strndup(f->a, f->key.p, f->key.n);

    if (!key) {
        return out_of_memory(f);
    }
    for (char *p = key; *p; p++) {
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    }
    while (*at && strcmp((*at)->key, key) != 0) {
        at = &(*at)->next;
    }
    if (f->frozen && strcmp(f->section->name, f->frozen) == 0 &&
        (!*at || strcmp((*at)->value, f->value) != 0)) {
        return at_line(f, "only the main file may set options of [barman]");
    }
    if (!*at) {
        *at = ARENA_NEW(f->a, struct ini_entry);
        if (!*at) {
            return out_of_memory(f);
        }
    }
    (*at)->key = key;
    (*at)->value = f->value;
    (*at)->where = where_now(f);
    return (*at)->where || out_of_memory(f);
}

/* inih's handler: 0 makes inih remember this line as wrong. The names it hands over are our
 * own: the whole ones are in f. */
static int on_entry(void *user, const char *section, const char *name, const char *value)
{
    struct feed *f = user;

    (void)section;
    (void)name;
    (void)value;
    if (f->failed) {
        return 1;
    }
    if (!f->section) {
        at_line(f, "an option stands before the first [section]");
        return 1;
    }
    put_entry(f);
    return 1;
}

bool ini_read_text(struct arena *a, struct ini *ini, const char *path, struct str text,
                   const char *frozen, struct err *err)
{
    struct feed f = {.a = a, .ini = ini, .path = path, .frozen = frozen, .err = err};
    size_t lines = 2, nul;
    int bad;

    if (str_starts(text, "\xEF\xBB\xBF")) {
        text = str_skip(text, 3);
    }
    for (size_t i = 0; i < text.n; i++) {
        lines += text.p[i] == '\n';
    }
    f.rest = text;
    f.line_of = ARENA_ARRAY(a, lines, int);
    if (!f.line_of) {
        return arena_err(a, err);
    }
    if (str_find(text, '\0', &nul)) {
        f.line_of[0] = 1;
        for (size_t i = 0; i < nul; i++) {
            f.line_of[0] += text.p[i] == '\n';
        }
        return at_line(&f, "there is a NUL byte");
    }
    bad = ini_parse_stream(next_line, &f, on_entry, &f);
    if (f.failed) {
        return false;
    }
    if (bad > 0) {
        f.fed = bad;
        return at_line(&f, "neither a [section] nor 'option = value'");
    }
    return true;
}

bool ini_read(struct arena *a, struct ini *ini, const char *path, const char *frozen,
              struct err *err)
{
    struct str text;

    if (!file_read(a, path, CFG_FILE_MAX, &text, err)) {
        return false;
    }
    return ini_read_text(a, ini, path, text, frozen, err);
}

struct ini_section *ini_section(const struct ini *ini, const char *name)
{
    struct ini_section *s = ini->section;

    while (s && strcmp(s->name, name) != 0) {
        s = s->next;
    }
    return s;
}

struct ini_entry *ini_entry(const struct ini_section *section, struct str key)
{
    struct ini_entry *e = section ? section->entry : NULL;

    while (e && !str_eq_nocase(key, e->key)) {
        e = e->next;
    }
    return e;
}
