/* SPDX-License-Identifier: PostgreSQL */
#include "args.h"

#include "base/bug.h"

#include <string.h>

struct parse {
    struct arena *a;
    char **argv;
    int argc, at;
    struct args *out;
    struct err *err;
};

/* The options in force: the global ones until a command was seen. */
struct option_set {
    const struct arg_option *option;
    size_t n;
    struct arg_value *value;
};

static struct option_set options_of(struct args *args)
{
    if (args->command) {
        return (struct option_set){args->command->option, args->command->options, args->option};
    }
    return (struct option_set){global_options, global_option_count, args->global};
}

static bool wrong(struct parse *p, const char *fmt, const char *a, const char *b)
{
    char text[240];
    struct sbuf out;

    sbuf_init(&out, text, sizeof text);
    for (; *fmt; fmt++) {
        if (*fmt == '$' && a) {
            sbuf_fmt(&out, "%.80s", a);
            a = b;
        } else {
            sbuf_char(&out, *fmt);
        }
    }
    return err_set(p->err, ERR_USAGE, "", "", "%s", text);
}

static bool no_such_option(struct parse *p, struct str name)
{
    struct option_set set = options_of(p->out);
    const char *best = NULL;
    size_t least = name.n / 3 + 2;
    char word[80];

    str_fmt(word, sizeof word, "--%.*s", name.n > 60 ? 60 : (int)name.n, name.p);
    for (size_t i = 0; i < set.n; i++) {
        size_t d = word_distance(name, str_of(set.option[i].name));
        if (d < least) {
            least = d;
            best = set.option[i].name;
        }
    }
    if (best) {
        return wrong(p, "unrecognized argument: $ (did you mean --$?)", word, best);
    }
    for (size_t i = 0; p->out->command && i < global_option_count; i++) {
        if (str_eq(name, global_options[i].name)) {
            return wrong(p, "unrecognized argument: $ (it goes before the command)", word,
                         NULL);
        }
    }
    return wrong(p, "unrecognized argument: $", word, NULL);
}

/* A whole name, or the beginning of exactly one. */
static bool find_long(struct parse *p, struct str name, size_t *at)
{
    struct option_set set = options_of(p->out);
    size_t hits = 0;

    for (size_t i = 0; i < set.n; i++) {
        if (str_eq(name, set.option[i].name)) {
            *at = i;
            return true;
        }
        if (name.n && strncmp(set.option[i].name, name.p, name.n) == 0) {
            *at = i;
            hits++;
        }
    }
    if (hits > 1) {
        char word[80];
        str_fmt(word, sizeof word, "--%.*s", (int)name.n, name.p);
        return wrong(p, "ambiguous option: $", word, NULL);
    }
    return hits == 1 || no_such_option(p, name);
}

static bool is_choice(const struct arg_option *o, const char *text)
{
    struct str rest = str_of(o->value), word;

    while (str_split(&rest, '|', &word)) {
        if (str_eq(word, text)) {
            return true;
        }
    }
    return false;
}

static bool choice_ok(struct parse *p, const struct arg_option *o, const char *text)
{
    if (is_choice(o, text)) {
        return true;
    }
    err_set(p->err, ERR_USAGE, "", "",
            "argument --%s: invalid choice: '%.60s' (choose from %s)", o->name, text, o->value);
    return false;
}

static bool store(struct parse *p, const struct arg_option *o, struct arg_value *v,
                  const char *text)
{
    v->given = true;
    v->text = text;
    switch (o->type) {
    case ARG_FLAG:
    case ARG_TEXT:
        return true;
    case ARG_CHOICE:
    case ARG_MAYBE:
        return choice_ok(p, o, text);
    case ARG_NONNEG:
    case ARG_POS:
        if (!str_u64(str_of(text), INT32_MAX, &v->number) ||
            (o->type == ARG_POS && v->number == 0)) {
            return err_set(p->err, ERR_USAGE, "", "",
                           "argument --%s: '%.60s' is not a valid %s integer", o->name, text,
                           o->type == ARG_POS ? "positive" : "non negative");
        }
        return true;
    case ARG_LIST:
        break;
    }
    if (!v->list) {
        v->list = ARENA_ARRAY(p->a, (size_t)p->argc, const char *);
    }
    if (!v->list) {
        return arena_err(p->a, p->err);
    }
    v->list[v->listed++] = text;
    return true;
}

/* The value of an option that needs one: what is glued to it, or the next word. */
static bool take_value(struct parse *p, const struct arg_option *o, const char *glued,
                       const char **out)
{
    if (glued) {
        *out = glued;
        return true;
    }
    if (o->type == ARG_MAYBE && (p->at == p->argc || !is_choice(o, p->argv[p->at]))) {
        *out = arena_strndup(p->a, o->value, strcspn(o->value, "|"));
        return *out || arena_err(p->a, p->err);
    }
    if (p->at < p->argc && (p->argv[p->at][0] != '-' || !p->argv[p->at][1])) {
        *out = p->argv[p->at++];
        return true;
    }
    return wrong(p, "argument --$: expected one argument", o->name, NULL);
}

static bool parse_long(struct parse *p, const char *word)
{
    struct option_set set = options_of(p->out);
    struct str name = str_of(word);
    const char *glued = strchr(word, '=');
    size_t i = 0;

    if (glued) {
        name.n = (size_t)(glued++ - word);
    }
    if (str_eq(name, "help")) {
        p->out->help = true;
        return true;
    }
    if (!find_long(p, name, &i)) {
        return false;
    }
    if (set.option[i].type == ARG_FLAG) {
        if (glued) {
            return wrong(p, "argument --$: it takes no value", set.option[i].name, NULL);
        }
        return store(p, &set.option[i], &set.value[i], NULL);
    }
    return take_value(p, &set.option[i], glued, &glued) &&
           store(p, &set.option[i], &set.value[i], glued);
}

static bool parse_short(struct parse *p, const char *letters)
{
    struct option_set set = options_of(p->out);

    for (; *letters; letters++) {
        size_t i = 0;
        const char *value;

        if (*letters == 'h') {
            p->out->help = true;
            continue;
        }
        while (i < set.n && !strchr(set.option[i].letters, *letters)) {
            i++;
        }
        if (i == set.n) {
            char word[3] = {'-', *letters, '\0'};
            return wrong(p, "unrecognized argument: $", word, NULL);
        }
        if (set.option[i].type != ARG_FLAG) {
            return take_value(p, &set.option[i], letters[1] ? letters + 1 : NULL, &value) &&
                   store(p, &set.option[i], &set.value[i], value);
        }
        if (!store(p, &set.option[i], &set.value[i], NULL)) {
            return false;
        }
    }
    return true;
}

static bool parse_word(struct parse *p, const char *word, size_t *operand)
{
    const struct command *c = p->out->command;
    const struct operand *o;

    if (!c) {
        const char *near = command_near(str_of(word));

        p->out->command = command_find(str_of(word));
        if (p->out->command) {
            return true;
        }
        return near ? wrong(p, "invalid choice: '$' is no command (did you mean '$'?)", word,
                            near)
                    : wrong(p, "invalid choice: '$' is no command", word, NULL);
    }
    if (*operand == c->operands) {
        return wrong(p, "unrecognized argument: $", word, NULL);
    }
    o = &c->operand[*operand];
    if (o->kind == OPERAND_SERVER || o->kind == OPERAND_SERVERS) {
        p->out->server[p->out->servers++] = word;
    }
    if (o->kind != OPERAND_SERVERS) {
        p->out->operand[(*operand)++] = word;
    }
    return true;
}

static bool all_there(struct parse *p, size_t operand)
{
    const struct command *c = p->out->command;

    if (!c || p->out->help || operand == c->operands ||
        c->operand[operand].kind == OPERAND_COMMAND ||
        c->operand[operand].kind == OPERAND_MAYBE ||
        (c->operand[operand].kind == OPERAND_SERVERS && p->out->servers)) {
        return true;
    }
    return wrong(p, "the following argument is required: $", c->operand[operand].name, NULL);
}

bool args_parse(struct arena *a, int argc, char **argv, struct args *out, struct err *err)
{
    struct parse p = {.a = a, .argv = argv, .argc = argc, .at = 1, .out = out, .err = err};
    bool only_words = false;
    size_t operand = 0;

    *out = (struct args){0};
    out->server = ARENA_ARRAY(a, (size_t)argc + 1, const char *);
    if (!out->server) {
        return arena_err(a, err);
    }
    while (p.at < argc) {
        const char *word = argv[p.at++];
        bool ok;

        if (only_words || word[0] != '-' || !word[1]) {
            ok = parse_word(&p, word, &operand);
        } else if (strcmp(word, "--") == 0) {
            only_words = ok = true;
        } else if (word[1] == '-') {
            ok = parse_long(&p, word + 2);
        } else {
            ok = parse_short(&p, word + 1);
        }
        if (!ok) {
            return false;
        }
        if (out->help && out->command) {
            return true; /* whatever else is missing or wrong */
        }
    }
    out->version = arg_given(out, "version");
    out->is_bare = !out->command && !out->help && !out->version;
    out->help = out->help || out->is_bare;
    return all_there(&p, operand);
}

const struct arg_value *arg_value(const struct args *args, const char *name)
{
    const struct command *c = args->command;

    for (size_t i = 0; c && i < c->options; i++) {
        if (strcmp(c->option[i].name, name) == 0) {
            return &args->option[i];
        }
    }
    for (size_t i = 0; i < global_option_count; i++) {
        if (strcmp(global_options[i].name, name) == 0) {
            return &args->global[i];
        }
    }
    bug_stop(__FILE__, __LINE__, name);
}

bool arg_given(const struct args *args, const char *name)
{
    return arg_value(args, name)->given;
}

const char *arg_text(const struct args *args, const char *name)
{
    return arg_value(args, name)->text;
}

uint64_t arg_number(const struct args *args, const char *name, uint64_t otherwise)
{
    const struct arg_value *v = arg_value(args, name);

    return v->given ? v->number : otherwise;
}
