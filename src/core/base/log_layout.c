/* SPDX-License-Identifier: PostgreSQL */
#include "log_layout.h"

#include "barkeep/err.h"
#include "clock.h"

#include <inttypes.h>
#include <string.h>

#define WIDTH_MAX 200

enum kind { TEXT, INTEGER, REAL };
enum fact {
    ASCTIME,
    CREATED,
    LEVELNAME,
    LEVELNO,
    MESSAGE,
    MSECS,
    NAME,
    PROCESS,
    PROCESS_NAME,
    THREAD,
    THREAD_NAME,
    PROGRAM, /* where in the program: we do not say */
    LINE_NO,
};

static const struct {
    const char *key;
    enum fact fact;
    enum kind kind;
} keys[] = {
    {"asctime", ASCTIME, TEXT},     {"created", CREATED, REAL},
    {"filename", PROGRAM, TEXT},    {"funcName", PROGRAM, TEXT},
    {"levelname", LEVELNAME, TEXT}, {"levelno", LEVELNO, INTEGER},
    {"lineno", LINE_NO, INTEGER},   {"message", MESSAGE, TEXT},
    {"module", PROGRAM, TEXT},      {"msecs", MSECS, REAL},
    {"name", NAME, TEXT},           {"pathname", PROGRAM, TEXT},
    {"process", PROCESS, INTEGER},  {"processName", PROCESS_NAME, TEXT},
    {"thread", THREAD, INTEGER},    {"threadName", THREAD_NAME, TEXT},
};

struct field {
    enum fact fact;
    enum kind kind;
    bool left, zero;
    uint64_t width, places;
    bool has_places;
    char as; /* s, d or f */
};

/* "(NAME)"; NULL: taken. */
static const char *take_name(struct str *s, struct field *out)
{
    size_t end, i = 0, n = sizeof keys / sizeof keys[0];

    if (!str_take_char(s, '(') || !str_find(*s, ')', &end)) {
        return "a percent sign with neither another one nor '(NAME)' behind it";
    }
    while (i < n && !str_eq(str_n(s->p, end), keys[i].key)) {
        i++;
    }
    if (i == n) {
        return "it names something that no line has";
    }
    out->fact = keys[i].fact;
    out->kind = keys[i].kind;
    *s = str_skip(*s, end + 1);
    return NULL;
}

/* What follows a percent sign; NULL: taken. */
static const char *take_field(struct str *s, struct field *out)
{
    const char *why;

    *out = (struct field){0};
    why = take_name(s, out);
    if (why) {
        return why;
    }
    for (; s->n && memchr("-0+ #", s->p[0], 5); *s = str_skip(*s, 1)) {
        out->left = out->left || s->p[0] == '-';
        out->zero = out->zero || s->p[0] == '0';
    }
    (void)str_take_u64(s, WIDTH_MAX, &out->width);
    if (str_take_char(s, '.')) {
        out->has_places = true;
        (void)str_take_u64(s, WIDTH_MAX, &out->places);
    }
    if (!s->n || !memchr("sdif", s->p[0], 4)) {
        return "behind '(NAME)' there must be s, d or f";
    }
    out->as = s->p[0] == 'i' ? 'd' : s->p[0];
    *s = str_skip(*s, 1);
    return out->kind == TEXT && out->as != 's' ? "a word cannot be written as a number" : NULL;
}

bool log_layout_ok(const char *layout, struct err *err)
{
    struct str s = str_of(layout);
    const char *why = NULL;
    size_t fields = 0;
    struct field f;

    while (!why && s.n) {
        if (str_take_lit(&s, "%%")) {
            continue;
        }
        if (!str_take_char(&s, '%')) {
            s = str_skip(s, 1);
            continue;
        }
        why = take_field(&s, &f);
        fields++;
    }
    if (!why && !fields) {
        why = "it has no '%(message)s'";
    }
    return !why || err_set(err, ERR_CONFIG, "Correct log_format.", layout,
                           "not the layout of a log line: %s", why);
}

static const char *word_of(const struct log_event *e, enum fact fact)
{
    switch (fact) {
    case MESSAGE:
        return e->text;
    case LEVELNAME:
        return e->level_name;
    case PROCESS_NAME:
        return "MainProcess";
    case THREAD_NAME:
        return "MainThread";
    default:
        return "barkeep";
    }
}

/* Of its second; a clock that was never set may stand before 1970. */
static int64_t micros(int64_t us)
{
    int64_t rest = us % 1000000;

    return rest < 0 ? rest + 1000000 : rest;
}

static double number_of(const struct log_event *e, enum fact fact)
{
    switch (fact) {
    case CREATED:
        return (double)e->now.us / 1e6;
    case MSECS:
        return (double)micros(e->now.us) / 1e3;
    case LEVELNO:
        return e->level;
    case PROCESS:
    case THREAD:
        return (double)e->pid;
    default:
        return 0;
    }
}

static void value_of(const struct log_event *e, const struct field *f, struct sbuf *b)
{
    if (f->fact == ASCTIME) {
        struct civil c = civil_at(e->now.us, e->now.offset_s);

        sbuf_fmt(b, "%04d-%02d-%02d %02d:%02d:%02d,%03d", c.year, c.month, c.day, c.hour,
                 c.minute, c.second, (int)(micros(e->now.us) / 1000));
    } else if (f->kind == TEXT) {
        sbuf_add(b, word_of(e, f->fact));
    } else if (f->as == 'f' || (f->kind == REAL && f->as == 's')) {
        sbuf_fmt(b, "%.*f", f->has_places && f->as == 'f' ? (int)f->places : 6,
                 number_of(e, f->fact));
    } else {
        sbuf_fmt(b, "%" PRId64, (int64_t)number_of(e, f->fact));
    }
}

static void add_padding(struct sbuf *out, size_t n, char c)
{
    while (n--) {
        sbuf_char(out, c);
    }
}

/* f->places cuts a word; the width counts bytes. */
static void add_field(struct sbuf *out, const struct log_event *e, const struct field *f)
{
    char mem[LOG_TEXT_CAP];
    struct sbuf b;
    size_t n, pad;

    sbuf_init(&b, mem, sizeof mem);
    value_of(e, f, &b);
    n = f->as == 's' && f->has_places && f->places < b.len ? (size_t)f->places : b.len;
    pad = f->width > n ? (size_t)f->width - n : 0;
    if (!f->left) {
        add_padding(out, pad, f->zero && f->as != 's' ? '0' : ' ');
    }
    sbuf_add_n(out, b.p, n);
    if (f->left) {
        add_padding(out, pad, ' ');
    }
}

void log_layout_put(struct sbuf *out, const char *layout, const struct log_event *e)
{
    struct str s = str_of(layout);
    struct field f;

    while (s.n) {
        if (str_take_lit(&s, "%%")) {
            sbuf_char(out, '%');
        } else if (str_take_char(&s, '%') && !take_field(&s, &f)) {
            add_field(out, e, &f);
        } else if (s.n) {
            sbuf_char(out, s.p[0]);
            s = str_skip(s, 1);
        }
    }
}
