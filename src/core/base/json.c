/* SPDX-License-Identifier: PostgreSQL */
#include "json.h"

#include "bug.h"

#include <stddef.h>
#include <string.h>

/* What the grammar allows next. */
enum {
    WANT_VALUE,
    WANT_VALUE_OR_CLOSE, /* after '[' */
    WANT_KEY,
    WANT_KEY_OR_CLOSE, /* after '{' */
    WANT_COLON,
    WANT_COMMA, /* or the closing bracket */
    WANT_NOTHING,
    BROKEN,
};

/* Inside which token the input was cut. */
enum { LEX_NONE, LEX_STRING, LEX_ESCAPE, LEX_UNIT, LEX_NUMBER, LEX_WORD };

static enum json_token bad(struct json *j, const char *why)
{
    j->state = BROKEN;
    j->why = why;
    return JSON_BAD;
}

void json_init(struct json *j)
{
    /* Not the token: it is large, and len says how much of it counts. */
    memset(j, 0, offsetof(struct json, text));
    j->state = WANT_VALUE;
    j->len = 0;
    j->why = "";
}

void json_feed(struct json *j, const void *p, size_t n)
{
    BUG_IF(j->n != 0 || j->finished);
    j->p = p;
    j->n = n;
}

void json_finish(struct json *j)
{
    j->finished = true;
}

struct str json_text(const struct json *j)
{
    return str_n(j->text, j->len);
}

static void step(struct json *j, size_t n)
{
    j->p += n;
    j->n -= n;
    j->offset += n;
}

/* Length of the UTF-8 sequence at p (RFC 3629), 0 when it is none. */
static size_t utf8_len(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char lo, hi, second_lo, second_hi;
        size_t len;
    } row[] = {
        {0x00, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        if (p[0] < row[i].lo || p[0] > row[i].hi) {
            continue;
        }
        if (row[i].len > n ||
            (n > 1 && row[i].len > 1 && (p[1] < row[i].second_lo || p[1] > row[i].second_hi))) {
            return 0;
        }
        for (size_t k = 2; k < row[i].len; k++) {
            if ((p[k] & 0xC0) != 0x80) {
                return 0;
            }
        }
        return row[i].len;
    }
    return 0;
}

size_t json_char_len(struct str text)
{
    return text.n ? utf8_len((const unsigned char *)text.p, text.n) : 0;
}

static bool utf8_ok(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;

    while (n) {
        size_t len = *p < 0x80 ? 1 : utf8_len(p, n);
        if (len == 0) {
            return false;
        }
        p += len;
        n -= len;
    }
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool digits(struct str *s)
{
    size_t n = 0;

    while (n < s->n && is_digit(s->p[n])) {
        n++;
    }
    *s = str_skip(*s, n);
    return n > 0;
}

static bool number_ok(struct str s)
{
    str_take_char(&s, '-');
    if (!str_take_char(&s, '0') && !digits(&s)) {
        return false;
    }
    if (str_take_char(&s, '.') && !digits(&s)) {
        return false;
    }
    if (str_take_char(&s, 'e') || str_take_char(&s, 'E')) {
        if (!str_take_char(&s, '+')) {
            str_take_char(&s, '-');
        }
        if (!digits(&s)) {
            return false;
        }
    }
    return s.n == 0;
}

static void after_value(struct json *j)
{
    j->state = j->depth ? WANT_COMMA : WANT_NOTHING;
}

static bool put_bytes(struct json *j, const char *p, size_t n)
{
    if (n > JSON_TOKEN_MAX - j->len) {
        return false;
    }
    memcpy(j->text + j->len, p, n);
    j->len += n;
    return true;
}

static bool put_rune(struct json *j, uint32_t c)
{
    char u[4];
    size_t n;

    if (c < 0x80) {
        u[0] = (char)c;
        n = 1;
    } else if (c < 0x800) {
        u[0] = (char)(0xC0 | c >> 6);
        n = 2;
    } else if (c < 0x10000) {
        u[0] = (char)(0xE0 | c >> 12);
        n = 3;
    } else {
        u[0] = (char)(0xF0 | c >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++) {
        u[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3F));
    }
    return put_bytes(j, u, n);
}

/* The four digits of a \u are there. NULL: fine, else what is wrong. */
static const char *unit_done(struct json *j)
{
    uint32_t u = j->unit, high = j->high;

    j->lex = LEX_STRING;
    j->high = 0;
    if (u >= 0xDC00 && u <= 0xDFFF) {
        if (!high) {
            return "a low surrogate without its high one";
        }
        u = 0x10000 + ((high - 0xD800) << 10) + (u - 0xDC00);
    } else if (high) {
        return "a high surrogate without its low one";
    } else if (u >= 0xD800 && u <= 0xDBFF) {
        j->high = u;
        return NULL;
    }
    return put_rune(j, u) ? NULL : "a string is too long";
}

static const char *lex_unit(struct json *j)
{
    char c = *j->p;
    uint32_t v;

    if (is_digit(c)) {
        v = (uint32_t)(c - '0');
    } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
        v = (uint32_t)((c | 0x20) - 'a' + 10);
    } else {
        return "a \\u without four hex digits";
    }
    step(j, 1);
    j->unit = j->unit << 4 | v;
    return ++j->digits == 4 ? unit_done(j) : NULL;
}

static const char *lex_escape(struct json *j)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = *j->p;
    const char *at = c ? strchr(from, c) : NULL;

    if (c == 'u') {
        j->lex = LEX_UNIT;
        j->unit = 0;
        j->digits = 0;
    } else if (!at) {
        return "an unknown escape";
    } else if (j->high) {
        return "a high surrogate without its low one";
    } else if (!put_bytes(j, &to[at - from], 1)) {
        return "a string is too long";
    } else {
        j->lex = LEX_STRING;
    }
    step(j, 1);
    return NULL;
}

static enum json_token string_done(struct json *j)
{
    step(j, 1);
    j->lex = LEX_NONE;
    if (j->high) {
        return bad(j, "a high surrogate without its low one");
    }
    if (!utf8_ok(j->text, j->len)) {
        return bad(j, "a string that is not UTF-8");
    }
    if (j->state == WANT_KEY || j->state == WANT_KEY_OR_CLOSE) {
        j->state = WANT_COLON;
        return JSON_KEY;
    }
    after_value(j);
    return JSON_STRING;
}

/* Everything up to the next byte that means something goes at once. */
static const char *lex_plain(struct json *j)
{
    size_t n = 0;

    while (n < j->n && j->p[n] != '"' && j->p[n] != '\\' && (unsigned char)j->p[n] >= 0x20) {
        n++;
    }
    if (n && j->high) {
        return "a high surrogate without its low one";
    }
    if (!put_bytes(j, j->p, n)) {
        return "a string is too long";
    }
    step(j, n);
    return NULL;
}

static const char *lex_piece(struct json *j)
{
    switch (j->lex) {
    case LEX_UNIT:
        return lex_unit(j);
    case LEX_ESCAPE:
        return lex_escape(j);
    default:
        return lex_plain(j);
    }
}

static enum json_token lex_string(struct json *j)
{
    while (j->n) {
        const char *why = lex_piece(j);
        if (why) {
            return bad(j, why);
        }
        if (j->lex != LEX_STRING || !j->n) {
            continue;
        }
        if (*j->p == '"') {
            return string_done(j);
        }
        if (*j->p == '\\') {
            j->lex = LEX_ESCAPE;
            step(j, 1);
        } else if ((unsigned char)*j->p < 0x20) {
            return bad(j, "a control character inside a string");
        }
    }
    return j->finished ? bad(j, "ends inside a string") : JSON_MORE;
}

static enum json_token number_done(struct json *j)
{
    j->lex = LEX_NONE;
    if (!number_ok(json_text(j))) {
        return bad(j, "a malformed number");
    }
    after_value(j);
    return JSON_NUMBER;
}

static enum json_token lex_number(struct json *j)
{
    while (j->n) {
        char c = *j->p;
        if (!is_digit(c) && !strchr("+-.eE", c ? c : ' ')) {
            return number_done(j);
        }
        if (!put_bytes(j, &c, 1)) {
            return bad(j, "a number is too long");
        }
        step(j, 1);
    }
    return j->finished ? number_done(j) : JSON_MORE;
}

static enum json_token lex_word(struct json *j)
{
    while (j->n && *j->p >= 'a' && *j->p <= 'z' && j->len < 6) {
        j->text[j->len++] = *j->p;
        step(j, 1);
    }
    if (!j->n && !j->finished && j->len < 6) {
        return JSON_MORE;
    }
    j->lex = LEX_NONE;
    after_value(j);
    if (str_eq(json_text(j), "true")) {
        return JSON_TRUE;
    }
    if (str_eq(json_text(j), "false")) {
        return JSON_FALSE;
    }
    if (str_eq(json_text(j), "null")) {
        return JSON_NULL;
    }
    return bad(j, "an unknown word");
}

static enum json_token open_bracket(struct json *j, char close)
{
    if (j->depth == JSON_DEPTH_MAX) {
        return bad(j, "nested too deeply");
    }
    j->open[j->depth++] = close;
    step(j, 1);
    j->state = close == '}' ? WANT_KEY_OR_CLOSE : WANT_VALUE_OR_CLOSE;
    return close == '}' ? JSON_OBJECT : JSON_ARRAY;
}

static enum json_token close_bracket(struct json *j)
{
    char c = *j->p;
    bool may = j->state == WANT_COMMA || j->state == WANT_KEY_OR_CLOSE ||
               j->state == WANT_VALUE_OR_CLOSE;

    if (!may || !j->depth || j->open[j->depth - 1] != c) {
        return bad(j, "a closing bracket where none may be");
    }
    j->depth--;
    step(j, 1);
    after_value(j);
    return c == '}' ? JSON_OBJECT_END : JSON_ARRAY_END;
}

static enum json_token begin_value(struct json *j)
{
    char c = *j->p;

    if (c == '{' || c == '[') {
        return open_bracket(j, c == '{' ? '}' : ']');
    }
    j->len = 0;
    if (c == '"') {
        j->lex = LEX_STRING;
        step(j, 1);
        return lex_string(j);
    }
    if (c == '-' || is_digit(c)) {
        j->lex = LEX_NUMBER;
        return lex_number(j);
    }
    if (c >= 'a' && c <= 'z') {
        j->lex = LEX_WORD;
        return lex_word(j);
    }
    return bad(j, "a value was expected");
}

static enum json_token begin_key(struct json *j)
{
    if (*j->p != '"') {
        return bad(j, "a key in quotes was expected");
    }
    j->len = 0;
    j->lex = LEX_STRING;
    step(j, 1);
    return lex_string(j);
}

/* The byte at hand is no blank and begins something. JSON_MORE: it was punctuation. */
static enum json_token begin(struct json *j)
{
    char c = *j->p;

    if (c == '}' || c == ']') {
        return close_bracket(j);
    }
    switch (j->state) {
    case WANT_VALUE:
    case WANT_VALUE_OR_CLOSE:
        return begin_value(j);
    case WANT_KEY:
    case WANT_KEY_OR_CLOSE:
        return begin_key(j);
    case WANT_COLON:
        if (c != ':') {
            return bad(j, "a colon was expected");
        }
        j->state = WANT_VALUE;
        break;
    case WANT_COMMA:
        if (c != ',') {
            return bad(j, "a comma or a closing bracket was expected");
        }
        j->state = j->open[j->depth - 1] == '}' ? WANT_KEY : WANT_VALUE;
        break;
    default:
        return bad(j, "something follows the value");
    }
    step(j, 1);
    return JSON_MORE;
}

static enum json_token resume(struct json *j)
{
    switch (j->lex) {
    case LEX_NUMBER:
        return lex_number(j);
    case LEX_WORD:
        return lex_word(j);
    default:
        return lex_string(j);
    }
}

enum json_token json_next(struct json *j)
{
    if (j->state == BROKEN) {
        return JSON_BAD;
    }
    if (j->lex != LEX_NONE) {
        return resume(j);
    }
    while (j->n) {
        char c = *j->p;
        enum json_token token = JSON_MORE;
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
            step(j, 1);
        } else {
            token = begin(j);
        }
        if (token != JSON_MORE) {
            return token;
        }
    }
    if (!j->finished || j->lex != LEX_NONE) {
        return j->finished ? resume(j) : JSON_MORE;
    }
    return j->state == WANT_NOTHING ? JSON_END : bad(j, "ends too early");
}

void json_put(struct sbuf *b, struct str text)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";

    sbuf_char(b, '"');
    while (text.n) {
        unsigned char c = (unsigned char)text.p[0];
        const char *at = c ? strchr(plain, c) : NULL;
        size_t len = utf8_len((const unsigned char *)text.p, text.n);

        if (at) {
            sbuf_char(b, '\\');
            sbuf_char(b, letter[at - plain]);
        } else if (c < 0x20 || c == 0x7F) {
            sbuf_fmt(b, "\\u%04x", c);
        } else if (len == 0) {
            sbuf_add(b, "\\ufffd");
            len = 1;
        } else {
            sbuf_add_n(b, text.p, len);
        }
        text = str_skip(text, len);
    }
    sbuf_char(b, '"');
}

bool json_text_ok(struct str text)
{
    return utf8_ok(text.p, text.n);
}
