/* SPDX-License-Identifier: PostgreSQL */
#include "cfg/value.h"

#include "base/bug.h"
#include "cfg/config.h"

#include <string.h>

/* %(key)s whose values have %(key)s: how deep, and how many in one value. */
#define DEPTH_MAX  10
#define LOOKUP_MAX 1000

struct expansion {
    const struct value_scope *scope;
    struct sbuf out;
    int lookups;
};

static struct str unquote(struct str s)
{
    if (s.n >= 2 && (s.p[0] == '\'' || s.p[0] == '"') && s.p[s.n - 1] == s.p[0]) {
        return str_n(s.p + 1, s.n - 2);
    }
    return s;
}

static struct ini_entry *lookup(const struct value_scope *scope, struct str key)
{
    struct ini_section *const in[] = {scope->section, scope->defaults, scope->barman};

    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++) {
        struct ini_entry *e = ini_entry(in[i], key);
        if (e) {
            e->referenced = true;
            return e;
        }
    }
    return NULL;
}

/* A percent sign may stand as "%%" and, in files written for releases that interpolated twice,
 * as "%%%%". */
static enum value_expanded expand(struct expansion *x, struct str text, int depth)
{
    enum value_expanded worst = VALUE_EXPANDED, one;
    struct ini_entry *e;
    size_t end;

    while (text.n) {
        if (str_take_lit(&text, "%%")) {
            str_take_lit(&text, "%%");
            sbuf_char(&x->out, '%');
        } else if (str_starts(text, "%(") && str_find(text, ')', &end) && end + 1 < text.n &&
                   text.p[end + 1] == 's') {
            e = lookup(x->scope, str_n(text.p + 2, end - 2));
            if (!e || depth == 0 || ++x->lookups > LOOKUP_MAX) {
                return VALUE_LOST;
            }
            one = expand(x, unquote(str_of(e->value)), depth - 1);
            worst = one > worst ? one : worst;
            text = str_skip(text, end + 2);
        } else {
            worst = text.p[0] == '%' && worst < VALUE_PERCENT ? VALUE_PERCENT : worst;
            sbuf_char(&x->out, text.p[0]);
            text = str_skip(text, 1);
        }
        if (worst == VALUE_LOST || x->out.overflow) {
            return VALUE_LOST;
        }
    }
    return worst;
}

enum value_expanded value_expand(struct arena *a, const struct value_scope *scope,
                                 const char *text, const char **out)
{
    struct str s = str_of(text);
    char mem[CFG_VALUE_MAX];
    enum value_expanded how = VALUE_EXPANDED;
    struct expansion x = {.scope = scope};

    *out = NULL;
    if (strchr(text, '%')) {
        sbuf_init(&x.out, mem, sizeof mem);
        how = expand(&x, s, DEPTH_MAX);
        s = str_n(x.out.p, x.out.len);
    }
    if (how == VALUE_LOST || str_eq(s, "None")) {
        return how;
    }
    s = unquote(s);
    if (s.n) {
        *out = arena_strndup(a, s.p, s.n);
        return *out ? how : VALUE_LOST;
    }
    return how;
}

static bool parse_bool(struct str s, bool *out)
{
    static const char *const yes[] = {"true", "t", "yes", "1", "on"};
    static const char *const no[] = {"false", "f", "no", "0", "off"};

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (str_eq_nocase(s, yes[i]) || str_eq_nocase(s, no[i])) {
            *out = str_eq_nocase(s, yes[i]);
            return true;
        }
    }
    return false;
}

static bool parse_int(const char *range, struct str s, int64_t *out)
{
    struct str high = str_of(range), low;
    int64_t v, limit;
    size_t dots;

    if (!str_i64(s, &v)) {
        return false;
    }
    if (range) {
        BUG_IF(!str_find(high, '.', &dots));
        low = str_n(high.p, dots);
        high = str_skip(high, dots + 2);
        if ((str_i64(low, &limit) && v < limit) || (str_i64(high, &limit) && v > limit)) {
            return false;
        }
    }
    *out = v;
    return true;
}

/* "3 DAYS" in seconds; a month has 31 days. */
static bool parse_span(struct str s, int64_t *out)
{
    static const struct {
        const char *one, *many;
        int64_t seconds;
    } units[] = {
        {"hour", "hours", 3600},
        {"day", "days", 86400},
        {"week", "weeks", 7 * 86400},
        {"month", "months", 31 * 86400},
    };
    uint64_t n;

    if (!str_take_u64(&s, 1000000, &n) || s.n == 0 || (s.p[0] != ' ' && s.p[0] != '\t')) {
        return false;
    }
    s = str_trim(s);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (str_eq_nocase(s, units[i].one) || str_eq_nocase(s, units[i].many)) {
            *out = (int64_t)n * units[i].seconds;
            return true;
        }
    }
    return false;
}

/* "10 Gi" in bytes: the letter alone counts in thousands. */
static bool parse_size(struct str s, int64_t *out)
{
    static const struct {
        const char *name;
        int64_t bytes;
    } units[] = {
        {"", 1},
        {"k", 1000},
        {"Ki", 1024},
        {"M", 1000000},
        {"Mi", INT64_C(1) << 20},
        {"G", 1000000000},
        {"Gi", INT64_C(1) << 30},
        {"T", 1000000000000},
        {"Ti", INT64_C(1) << 40},
    };
    uint64_t n;

    if (!str_take_u64(&s, INT64_MAX, &n)) {
        return false;
    }
    s = str_trim(s);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (str_eq(s, units[i].name)) {
            if (n > (uint64_t)(INT64_MAX / units[i].bytes)) {
                return false;
            }
            *out = (int64_t)n * units[i].bytes;
            return true;
        }
    }
    return false;
}

/* The allowed word as the table writes it, or the number itself where "#" is allowed. */
static const char *parse_word(struct arena *a, const char *values, struct str s)
{
    struct str rest = str_of(values), word;
    int64_t number;

    while (str_split(&rest, '|', &word)) {
        char text[64];

        str_fmt(text, sizeof text, "%.*s", (int)word.n, word.p);
        if (str_eq_nocase(s, text)) {
            return arena_strdup(a, text);
        }
        if (str_eq(word, "#") && str_i64(s, &number)) {
            return arena_strndup(a, s.p, s.n);
        }
    }
    return NULL;
}

static const char *parse_csv(struct arena *a, const char *values, struct str s)
{
    char *mem = arena_alloc(a, s.n + 1);
    struct str item;
    struct sbuf b;

    if (!mem) {
        return NULL;
    }
    sbuf_init(&b, mem, s.n + 1);
    while (str_split(&s, ',', &item)) {
        const char *word;
        item = str_trim(item);
        if (item.n == 0) {
            continue;
        }
        word = values ? parse_word(a, values, item) : arena_strndup(a, item.p, item.n);
        if (!word) {
            return NULL;
        }
        if (cfg_csv_has(mem, word)) {
            continue;
        }
        if (b.len) {
            sbuf_char(&b, ',');
        }
        sbuf_add(&b, word);
    }
    if (cfg_csv_has(mem, "concurrent_backup") && cfg_csv_has(mem, "exclusive_backup")) {
        return NULL;
    }
    return mem;
}

static const char *parse_chars(struct arena *a, struct str s)
{
    char *out = arena_strndup(a, s.p, s.n);

    for (char *p = out; p && *p; p++) {
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9') && *p != '_') {
            return NULL;
        }
    }
    return out;
}

static const char *parse_text(struct arena *a, const struct option *option, const char *text)
{
    struct str s = str_of(text);

    switch (option->type) {
    case OPTION_ENUM:
        return parse_word(a, option->values, str_trim(s));
    case OPTION_CSV:
        return parse_csv(a, option->values, s);
    default:
        return option->values ? parse_chars(a, s) : text;
    }
}

static enum value_state parse_number(const struct option *option, struct str s, void *member)
{
    int64_t v;
    bool ok;

    if (option->type == OPTION_BOOL) {
        bool on;
        if (!parse_bool(s, &on)) {
            return VALUE_BAD;
        }
        *(bool *)member = on;
        return VALUE_SET;
    }
    if (option->type == OPTION_SPAN) {
        ok = parse_span(s, &v);
    } else if (option->type == OPTION_SIZE) {
        ok = parse_size(s, &v);
    } else {
        ok = parse_int(option->values, s, &v);
    }
    if (!ok) {
        return VALUE_BAD;
    }
    *(int64_t *)member = v;
    return VALUE_SET;
}

static bool is_text(enum option_type type)
{
    return type == OPTION_STR || type == OPTION_ENUM || type == OPTION_CSV ||
           type == OPTION_PATH;
}

/* Barman: an empty text is an answer, an empty number is a mistake, an empty interval is
 * nothing. Of the enumerations only compression may be emptied. */
static enum value_state parse_nothing(const struct option *option, void *member)
{
    switch (option->type) {
    case OPTION_SPAN:
    case OPTION_SIZE:
        return VALUE_FALLBACK;
    case OPTION_STR:
    case OPTION_CSV:
    case OPTION_PATH:
        *(const char **)member = NULL;
        return VALUE_UNSET;
    case OPTION_ENUM:
        if (strcmp(option->name, "compression") == 0) {
            *(const char **)member = NULL;
            return VALUE_UNSET;
        }
        return VALUE_BAD;
    default:
        return VALUE_BAD;
    }
}

enum value_state value_parse(struct arena *a, const struct option *option, const char *text,
                             void *member)
{
    const char *word;

    if (!text) {
        return parse_nothing(option, member);
    }
    if (!is_text(option->type)) {
        return parse_number(option, str_trim(str_of(text)), member);
    }
    word = parse_text(a, option, text);
    if (!word) {
        return VALUE_BAD;
    }
    *(const char **)member = word;
    return VALUE_SET;
}

void value_default(const struct option *option, void *member)
{
    if (is_text(option->type)) {
        *(const char **)member = option->def;
    } else if (option->def) {
        BUG_IF(parse_number(option, str_of(option->def), member) != VALUE_SET);
    } else if (option->type == OPTION_BOOL) {
        *(bool *)member = false;
    } else {
        *(int64_t *)member = CFG_UNSET;
    }
}
