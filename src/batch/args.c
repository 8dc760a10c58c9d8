/* SPDX-License-Identifier: PostgreSQL */
#include "args_in.h"

#include "base/bug.h"

#include <string.h>

struct option_set parse_options(struct args *args)
{
    if (args->command) {
        return (struct option_set){args->command->option, args->command->options, args->option};
    }
    return (struct option_set){global_options, global_option_count, args->global};
}

bool parse_offers(const struct args *args, const struct arg_option *o)
{
    return !args->as_barman || !o->ours;
}

/* A whole name, or the beginning: how many options that can be; the last one at *at. */
static size_t find_long(struct parse *p, struct str name, size_t *at)
{
    struct option_set set = parse_options(p->out);
    size_t hits = 0;

    for (size_t i = 0; i < set.n; i++) {
        if (!parse_offers(p->out, &set.option[i])) {
            continue;
        }
        if (str_eq(name, set.option[i].name)) {
            *at = i;
            return 1;
        }
        if (name.n && strncmp(set.option[i].name, name.p, name.n) == 0) {
            *at = i;
            hits++;
        }
    }
    return hits;
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
    return is_choice(o, text) || wrong_choice(p, o, text);
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
            return wrong_number(p, o, text);
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

/* A dash alone is a word, and so is a negative number: -1, -1.5, -.5. */
static bool is_option(const char *word)
{
    static const char digits[] = "0123456789";
    const char *rest = word + 1;

    if (word[0] != '-' || !word[1]) {
        return false;
    }
    rest += strspn(rest, digits);
    if (rest[0] == '.' && rest[1]) {
        rest += 1 + strspn(rest + 1, digits);
    }
    return *rest;
}

/* Is the next word the value that may be left out? argparse takes every word for it. */
static bool takes_next(const struct parse *p, const struct arg_option *o)
{
    const char *next = p->at < p->argc ? p->argv[p->at] : NULL;

    return next && (p->out->as_barman ? !is_option(next) : is_choice(o, next));
}

/* The value of an option that needs one: what is glued to it, or the next word. */
static bool take_value(struct parse *p, const struct arg_option *o, const char *glued,
                       const char **out)
{
    if (glued) {
        *out = glued;
        return true;
    }
    if (o->type == ARG_MAYBE && !takes_next(p, o)) {
        *out = arena_strndup(p->a, o->value, strcspn(o->value, "|"));
        return *out || arena_err(p->a, p->err);
    }
    if (p->at < p->argc && !is_option(p->argv[p->at])) {
        *out = p->argv[p->at++];
        return true;
    }
    return wrong_no_value(p, o);
}

static bool parse_long(struct parse *p, const char *word)
{
    struct option_set set = parse_options(p->out);
    struct str name = str_of(word);
    const char *glued = strchr(word, '=');
    size_t i = 0, hits;

    if (glued) {
        name.n = (size_t)(glued++ - word);
    }
    if (str_eq(name, "help")) {
        p->out->help = true;
        return true;
    }
    hits = find_long(p, name, &i);
    if (hits != 1) {
        return hits ? wrong_ambiguous(p, name) : wrong_surplus(p, word, 2);
    }
    if (set.option[i].type == ARG_FLAG) {
        if (glued) {
            return wrong_flag_value(p, &set.option[i], glued);
        }
        return store(p, &set.option[i], &set.value[i], NULL);
    }
    return take_value(p, &set.option[i], glued, &glued) &&
           store(p, &set.option[i], &set.value[i], glued);
}

static size_t find_letter(const struct parse *p, struct option_set set, char letter)
{
    size_t i = 0;

    while (i < set.n &&
           (!parse_offers(p->out, &set.option[i]) || !strchr(set.option[i].letters, letter))) {
        i++;
    }
    return i;
}

static bool no_such_letter(struct parse *p, const struct arg_option *before,
                           const char *letters)
{
    char word[3] = {'-', *letters, '\0'};

    if (p->out->as_barman) {
        return before ? wrong_flag_value(p, before, letters) : wrong_surplus(p, letters, 1);
    }
    return wrong_surplus(p, word, 0);
}

static bool parse_short(struct parse *p, const char *letters)
{
    struct option_set set = parse_options(p->out);
    const struct arg_option *before = NULL;

    for (; *letters; letters++) {
        size_t i = find_letter(p, set, *letters);
        const char *value;

        if (*letters == 'h') {
            p->out->help = true;
            continue;
        }
        if (i == set.n) {
            return no_such_letter(p, before, letters);
        }
        before = &set.option[i];
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

/* argparse takes the names of a list from where the first one stands up to the next option, and
 * a word that may be left out only there, too. */
static bool is_closed(const struct parse *p, const struct operand *o)
{
    return o->kind == OPERAND_COMMAND ||
           ((o->kind == OPERAND_SERVERS || o->kind == OPERAND_MAYBE) && p->listed);
}

static bool parse_word(struct parse *p, const char *word, size_t *operand)
{
    const struct command *c = p->out->command;
    const struct operand *o;

    if (!c) {
        c = command_find(str_of(word));
        p->out->command = c && p->out->as_barman && c->ours ? NULL : c;
        return p->out->command || wrong_command(p, word);
    }
    if (*operand == c->operands || (p->out->as_barman && is_closed(p, &c->operand[*operand]))) {
        return wrong_surplus(p, word, 0);
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
    return wrong_missing(p, operand);
}

static bool is_barman(const char *argv0)
{
    const char *slash = strrchr(argv0, '/');

    return strcmp(slash ? slash + 1 : argv0, "barman") == 0;
}

/* argparse ends at the first --help or --version it sees, we for a command's --help only. */
static bool is_over(const struct args *args)
{
    return (args->help && (args->command || args->as_barman)) ||
           (args->as_barman && arg_given(args, "version"));
}

static bool parse_words(struct parse *p, size_t *operand)
{
    bool only_words = false;

    while (p->at < p->argc) {
        const char *word = p->argv[p->at++];
        bool ok;

        p->listed = p->listed || (p->out->servers > 0 && !only_words && is_option(word) &&
                                  strcmp(word, "--") != 0);
        if (only_words || !is_option(word)) {
            ok = parse_word(p, word, operand);
        } else if (strcmp(word, "--") == 0) {
            only_words = ok = true;
        } else if (word[1] == '-') {
            ok = parse_long(p, word + 2);
        } else {
            ok = parse_short(p, word + 1);
        }
        if (!ok) {
            return false;
        }
        p->over = is_over(p->out);
        if (p->over) {
            return true;
        }
    }
    return true;
}

bool args_parse(struct arena *a, int argc, char **argv, struct args *out, struct err *err)
{
    struct parse p = {.a = a, .argv = argv, .argc = argc, .at = 1, .out = out, .err = err};
    size_t operand = 0;

    *out = (struct args){.as_barman = argc > 0 && is_barman(argv[0])};
    sbuf_init(&p.surplus, p.surplus_text, sizeof p.surplus_text);
    out->server = ARENA_ARRAY(a, (size_t)argc + 1, const char *);
    if (!out->server) {
        return arena_err(a, err);
    }
    if (!parse_words(&p, &operand)) {
        return false;
    }
    out->version = arg_given(out, "version");
    out->is_bare = !out->command && !out->help && !out->version;
    if (p.over) {
        return true; /* whatever else is missing or wrong */
    }
    out->help = out->help || out->is_bare;
    return all_there(&p, operand) && wrong_surplus_end(&p);
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
