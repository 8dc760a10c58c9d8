/* SPDX-License-Identifier: PostgreSQL */
#include "pylit.h"

#include "base/doc.h"
#include "base/fmt.h"

#include <string.h>

#define DEPTH_MAX 16

static void skip_blanks(struct str *s)
{
    while (s->n && (s->p[0] == ' ' || s->p[0] == '\t')) {
        *s = str_skip(*s, 1);
    }
}

/* Code point to UTF-8; 0 for what is none. */
static size_t put_utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return c ? 1 : 0;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return c >= 0xD800 && c < 0xE000 ? 0 : 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return c < 0x110000 ? 4 : 0;
}

static bool simple_escape(char c, char *out)
{
    static const char from[] = "\\'\"abfnrtv";
    static const char to[] = "\\'\"\a\b\f\n\r\t\v";
    const char *at = c ? strchr(from, c) : NULL;

    if (!at) {
        return false;
    }
    *out = to[at - from];
    return true;
}

/* After the backslash. Writes at most 4 bytes, never more than were read. */
static bool take_escape(struct str *s, char out[4], size_t *n)
{
    uint64_t code;
    int digits;

    if (s->n == 0) {
        return false;
    }
    *n = 1;
    if (simple_escape(s->p[0], out)) {
        *s = str_skip(*s, 1);
        return true;
    }
    digits = s->p[0] == 'x' ? 2 : s->p[0] == 'u' ? 4 : s->p[0] == 'U' ? 8 : 0;
    *s = str_skip(*s, 1);
    if (digits == 0 || s->n < (size_t)digits ||
        !str_hex_u64(str_n(s->p, (size_t)digits), 0, &code) || code > 0x10FFFF) {
        return false;
    }
    *s = str_skip(*s, (size_t)digits);
    *n = put_utf8((uint32_t)code, out);
    return *n > 0;
}

/* A text at the front of *s. out: room for s->n bytes, or NULL to look only. */
static bool take_text(struct str *s, char *out, size_t *len)
{
    struct str in = *s;
    size_t used = 0;
    char quote;

    if (in.n < 2 || (in.p[0] != '\'' && in.p[0] != '"')) {
        return false;
    }
    quote = in.p[0];
    in = str_skip(in, 1);
    while (in.n && in.p[0] != quote) {
        char piece[4] = {in.p[0]};
        size_t n = 1;

        if (in.p[0] == '\0' || in.p[0] == '\n') {
            return false;
        }
        in = str_skip(in, 1);
        if (piece[0] == '\\' && !take_escape(&in, piece, &n)) {
            return false;
        }
        if (out) {
            memcpy(out + used, piece, n);
        }
        used += n;
    }
    if (!str_take_char(&in, quote)) {
        return false;
    }
    *len = used;
    *s = in;
    return true;
}

static bool text_to_arena(struct arena *a, struct str *s, const char **out)
{
    struct str look = *s;
    size_t n;
    char *p;

    if (!take_text(&look, NULL, &n)) {
        return false;
    }
    p = arena_alloc(a, n + 1);
    if (!p || !take_text(s, p, &n)) {
        return false;
    }
    p[n] = '\0';
    *out = p;
    return true;
}

bool pylit_text(struct arena *a, struct str literal, const char **out)
{
    return text_to_arena(a, &literal, out) && literal.n == 0;
}

/* repr() of one character that is not printed as it is. */
static void put_char(struct sbuf *b, char c, char quote)
{
    unsigned char u = (unsigned char)c;

    if (c == quote || c == '\\') {
        sbuf_char(b, '\\');
        sbuf_char(b, c);
    } else if (c == '\n' || c == '\r' || c == '\t') {
        sbuf_add(b, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    } else if (u < 0x20 || u == 0x7F) {
        sbuf_fmt(b, "\\x%02x", u);
    } else {
        sbuf_char(b, c);
    }
}

void pylit_put_text(struct sbuf *b, const char *text)
{
    char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';

    sbuf_char(b, quote);
    for (const char *p = text; *p; p++) {
        put_char(b, *p, quote);
    }
    sbuf_char(b, quote);
}

/* After an item: 1 there is a comma and another item, 0 the end, -1 neither. */
static int after_item(struct str *s, char end)
{
    skip_blanks(s);
    if (str_take_char(s, ',')) {
        skip_blanks(s);
        return str_take_char(s, end) ? 0 : 1;
    }
    return str_take_char(s, end) ? 0 : -1;
}

static bool open_list(struct str *s, bool *empty)
{
    *s = str_trim(*s);
    if (!str_take_char(s, '[')) {
        return false;
    }
    skip_blanks(s);
    *empty = str_take_char(s, ']');
    return true;
}

/* No list has more items than it has commas outside and inside its texts. */
static size_t items_at_most(struct str s)
{
    size_t n = 1;

    for (size_t i = 0; i < s.n; i++) {
        n += s.p[i] == ',';
    }
    return n;
}

bool pylit_list(struct arena *a, struct str literal, struct names *out)
{
    struct names list = {ARENA_ARRAY(a, items_at_most(literal), const char *), 0};
    bool empty;
    int more = 1;

    if (!list.name || !open_list(&literal, &empty)) {
        return false;
    }
    while (!empty && more > 0) {
        if (!text_to_arena(a, &literal, &list.name[list.n])) {
            return false;
        }
        list.n++;
        more = after_item(&literal, ']');
    }
    *out = list;
    return more >= 0 && literal.n == 0;
}

void pylit_put_list(struct sbuf *b, const struct names *list)
{
    sbuf_char(b, '[');
    for (size_t i = 0; i < list->n; i++) {
        sbuf_add(b, i ? ", " : "");
        pylit_put_text(b, list->name[i]);
    }
    sbuf_char(b, ']');
}

static bool take_comma(struct str *s)
{
    skip_blanks(s);
    if (!str_take_char(s, ',')) {
        return false;
    }
    skip_blanks(s);
    return true;
}

/* ('name', oid, 'location'), or a list of the three, as some versions wrote it. */
static bool take_tablespace(struct arena *a, struct str *s, struct tablespace *out)
{
    char end = str_take_char(s, '(') ? ')' : str_take_char(s, '[') ? ']' : '\0';
    uint64_t oid;

    if (!end) {
        return false;
    }
    skip_blanks(s);
    if (!text_to_arena(a, s, &out->name) || !take_comma(s) ||
        !str_take_u64(s, UINT32_MAX, &oid) || !take_comma(s) ||
        !text_to_arena(a, s, &out->location)) {
        return false;
    }
    out->oid = (uint32_t)oid;
    return after_item(s, end) == 0;
}

bool pylit_tablespaces(struct arena *a, struct str literal, const struct tablespace **out,
                       size_t *n)
{
    struct tablespace *list = ARENA_ARRAY(a, items_at_most(literal), struct tablespace);
    size_t count = 0;
    bool empty;
    int more = 1;

    if (!list || !open_list(&literal, &empty)) {
        return false;
    }
    while (!empty && more > 0) {
        if (!take_tablespace(a, &literal, &list[count])) {
            return false;
        }
        count++;
        more = after_item(&literal, ']');
    }
    *out = list;
    *n = count;
    return more >= 0 && literal.n == 0;
}

void pylit_put_tablespaces(struct sbuf *b, const struct tablespace *t, size_t n)
{
    sbuf_char(b, '[');
    for (size_t i = 0; i < n; i++) {
        sbuf_add(b, i ? ", (" : "(");
        pylit_put_text(b, t[i].name);
        sbuf_fmt(b, ", %u, ", t[i].oid);
        pylit_put_text(b, t[i].location);
        sbuf_char(b, ')');
    }
    sbuf_char(b, ']');
}

/* Digits, with an optional sign, fraction and exponent. The value is right to a few parts in
 * 10^15, which is more than a duration needs. */
static void skip_digits(struct str *s, size_t *digits)
{
    for (; s->n && s->p[0] >= '0' && s->p[0] <= '9'; *s = str_skip(*s, 1)) {
        ++*digits;
    }
}

/* The nearest double, as Python reads it; whole: neither a point nor an exponent was there. */
static bool take_number(struct str *s, double *out, bool *whole)
{
    struct str in = *s;
    size_t digits = 0;
    char text[64];

    *whole = true;
    str_take_char(&in, '-');
    skip_digits(&in, &digits);
    if (str_take_char(&in, '.')) {
        *whole = false;
        skip_digits(&in, &digits);
    }
    if (digits == 0) {
        return false;
    }
    if (str_take_char(&in, 'e')) {
        uint64_t e;

        *whole = false;
        if (!str_take_char(&in, '-')) {
            str_take_char(&in, '+');
        }
        if (!str_take_u64(&in, 400, &e)) {
            return false;
        }
    }
    if (!str_fmt(text, sizeof text, "%.*s", (int)(s->n - in.n), s->p)) {
        return false;
    }
    *out = fmt_read_float(text);
    *s = in;
    return true;
}

static bool take_any(struct str *s, int depth);

static bool take_items(struct str *s, char end, bool dict, int depth)
{
    int more = 1;

    skip_blanks(s);
    if (str_take_char(s, end)) {
        return true;
    }
    while (more > 0) {
        if (!take_any(s, depth)) {
            return false;
        }
        if (dict) {
            skip_blanks(s);
            if (!str_take_char(s, ':')) {
                return false;
            }
            skip_blanks(s);
            if (!take_any(s, depth)) {
                return false;
            }
        }
        more = after_item(s, end);
    }
    return more == 0;
}

/* One literal of any kind at the front. */
static bool take_any(struct str *s, int depth)
{
    double number;
    bool whole;
    size_t n;

    if (depth >= DEPTH_MAX || s->n == 0) {
        return false;
    }
    switch (s->p[0]) {
    case '\'':
    case '"':
        return take_text(s, NULL, &n);
    case '[':
        *s = str_skip(*s, 1);
        return take_items(s, ']', false, depth + 1);
    case '(':
        *s = str_skip(*s, 1);
        return take_items(s, ')', false, depth + 1);
    case '{':
        *s = str_skip(*s, 1);
        return take_items(s, '}', true, depth + 1);
    default:
        return take_number(s, &number, &whole) || str_take_lit(s, "None") ||
               str_take_lit(s, "True") || str_take_lit(s, "False");
    }
}

bool pylit_ok(struct str literal)
{
    literal = str_trim(literal);
    return take_any(&literal, 0) && literal.n == 0;
}

bool pylit_number(struct str dict, const char *key, double *out)
{
    int more = 1;
    bool whole;

    dict = str_trim(dict);
    if (!str_take_char(&dict, '{')) {
        return false;
    }
    while (more > 0) {
        struct str name;
        bool found;

        skip_blanks(&dict);
        name = dict;
        if (!take_any(&dict, 0)) {
            return false;
        }
        name.n -= dict.n;
        found = name.n > 2 && str_eq(str_n(name.p + 1, name.n - 2), key);
        skip_blanks(&dict);
        if (!str_take_char(&dict, ':')) {
            return false;
        }
        skip_blanks(&dict);
        if (found) {
            return take_number(&dict, out, &whole);
        }
        if (!take_any(&dict, 0)) {
            return false;
        }
        more = after_item(&dict, '}');
    }
    return false;
}

/* ---- into a document: the literal is known to be well formed ---- */

static bool add_any(struct arena *a, struct str *s, struct doc *in, const char *key);

static bool add_items(struct arena *a, struct str *s, char end, struct doc *in)
{
    int more = 1;

    skip_blanks(s);
    if (str_take_char(s, end)) {
        return true;
    }
    while (more > 0) {
        const char *key = NULL;

        if (end == '}') {
            if (!text_to_arena(a, s, &key)) {
                return false; /* a key that is no text */
            }
            skip_blanks(s);
            str_take_char(s, ':');
            skip_blanks(s);
        }
        if (!add_any(a, s, in, key)) {
            return false;
        }
        more = after_item(s, end);
    }
    return more == 0;
}

static void add_number(double x, bool whole, struct doc *in, const char *key)
{
    bool fits = whole && x > -9e15 && x < 9e15;

    if (key) {
        fits ? doc_int(in, key, (int64_t)x) : doc_real(in, key, x);
    } else {
        fits ? doc_add_int(in, (int64_t)x) : doc_add_real(in, x);
    }
}

static void add_word(struct str *s, struct doc *in, const char *key)
{
    bool none = str_take_lit(s, "None"), yes = !none && str_take_lit(s, "True");

    if (none) {
        key ? doc_text(in, key, NULL) : doc_add_text(in, NULL);
        return;
    }
    if (!yes) {
        str_take_lit(s, "False");
    }
    key ? doc_bool(in, key, yes) : doc_add_bool(in, yes);
}

static bool add_any(struct arena *a, struct str *s, struct doc *in, const char *key)
{
    char open = s->n ? s->p[0] : '\0';
    const char *text;
    double number;
    bool whole;

    switch (open) {
    case '\'':
    case '"':
        if (!text_to_arena(a, s, &text)) {
            return false;
        }
        key ? doc_text(in, key, text) : doc_add_text(in, text);
        return true;
    case '[':
    case '(':
        *s = str_skip(*s, 1);
        return add_items(a, s, open == '[' ? ']' : ')',
                         key ? doc_array(in, key) : doc_add_array(in));
    case '{':
        *s = str_skip(*s, 1);
        return add_items(a, s, '}', key ? doc_object(in, key) : doc_add_object(in));
    default:
        if (take_number(s, &number, &whole)) {
            add_number(number, whole, in, key);
        } else {
            add_word(s, in, key);
        }
        return true;
    }
}

bool pylit_doc(struct arena *a, struct str literal, struct doc *in, const char *key)
{
    literal = str_trim(literal);
    return pylit_ok(literal) && add_any(a, &literal, in, key);
}
