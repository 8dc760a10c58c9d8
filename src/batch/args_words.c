/* SPDX-License-Identifier: PostgreSQL */
#include "args_in.h"

#include <string.h>

static bool say(struct parse *p, const struct sbuf *b)
{
    return err_set(p->err, ERR_USAGE, "", "", "%s", b->p);
}

/* The option as the complaint names it: argparse has the letters before the name for global
 * options and behind it for those of commands. */
static void add_option(struct parse *p, struct sbuf *b, const struct arg_option *o)
{
    bool global = !p->out->command;

    sbuf_add(b, "argument ");
    if (p->out->as_barman && o->theirs) {
        sbuf_fmt(b, "%s: ", o->theirs);
        return;
    }
    for (const char *l = o->letters; p->out->as_barman && global && *l; l++) {
        sbuf_fmt(b, "-%c/", *l);
    }
    sbuf_fmt(b, "--%s", o->name);
    for (const char *l = o->letters; p->out->as_barman && !global && *l; l++) {
        sbuf_fmt(b, "/-%c", *l);
    }
    sbuf_add(b, ": ");
}

static void add_choices(struct parse *p, struct sbuf *b, const char *choices)
{
    struct str rest = str_of(choices), word;
    const char *between = "";

    if (!p->out->as_barman) {
        sbuf_fmt(b, " (choose from %s)", choices);
        return;
    }
    sbuf_add(b, " (choose from ");
    while (str_split(&rest, '|', &word)) {
        sbuf_fmt(b, "%s'%.*s'", between, (int)word.n, word.p);
        between = ", ";
    }
    sbuf_add(b, ")");
}

static struct sbuf *begin(struct parse *p)
{
    sbuf_init(&p->words, p->words_text, sizeof p->words_text);
    return &p->words;
}

bool wrong_command(struct parse *p, const char *word)
{
    const char *near = command_near(str_of(word));
    struct sbuf *b = begin(p);

    if (p->out->as_barman) {
        sbuf_fmt(b, "argument command: invalid choice: '%.80s' (see 'barman --help')", word);
    } else {
        sbuf_fmt(b, "invalid choice: '%.80s' is no command", word);
    }
    if (near && !p->out->as_barman) {
        sbuf_fmt(b, " (did you mean '%s'?)", near);
    }
    return say(p, b);
}

/* The option that may have been meant, or where it belongs. */
static void add_near(struct parse *p, struct sbuf *b, struct str name)
{
    struct option_set set = parse_options(p->out);
    const char *best = NULL;
    size_t least = name.n / 3 + 2;

    for (size_t i = 0; i < set.n; i++) {
        size_t d = word_distance(name, str_of(set.option[i].name));
        if (d < least) {
            least = d;
            best = set.option[i].name;
        }
    }
    if (best) {
        sbuf_fmt(b, " (did you mean --%s?)", best);
        return;
    }
    for (size_t i = 0; p->out->command && i < global_option_count; i++) {
        if (str_eq(name, global_options[i].name)) {
            sbuf_add(b, " (it goes before the command)");
        }
    }
}

bool wrong_surplus(struct parse *p, const char *word, size_t dashes)
{
    struct str name = str_n(word, dashes ? strcspn(word, "=") : strlen(word));
    struct sbuf *b = begin(p);

    if (p->out->as_barman) {
        sbuf_fmt(&p->surplus, " %.*s%.80s", (int)dashes, "--", word);
        return true;
    }
    sbuf_fmt(b, "unrecognized argument: %.*s%.*s", (int)dashes, "--",
             name.n > 80 ? 80 : (int)name.n, name.p);
    if (dashes == 2) {
        add_near(p, b, name);
    }
    return say(p, b);
}

bool wrong_surplus_end(struct parse *p)
{
    struct sbuf *b = begin(p);

    if (!p->surplus.len) {
        return true;
    }
    sbuf_fmt(b, "unrecognized arguments:%s", p->surplus.p);
    p->out->command = NULL; /* argparse's main parser says it, not that of the command */
    return say(p, b);
}

bool wrong_ambiguous(struct parse *p, struct str name)
{
    struct option_set set = parse_options(p->out);
    const char *before = " could match ";
    struct sbuf *b = begin(p);

    sbuf_fmt(b, "ambiguous option: --%.*s", name.n > 60 ? 60 : (int)name.n, name.p);
    for (size_t i = 0; p->out->as_barman && i < set.n; i++) {
        if (parse_offers(p->out, &set.option[i]) &&
            strncmp(set.option[i].name, name.p, name.n) == 0) {
            sbuf_fmt(b, "%s--%s", before, set.option[i].name);
            before = ", ";
        }
    }
    return say(p, b);
}

bool wrong_choice(struct parse *p, const struct arg_option *o, const char *text)
{
    struct sbuf *b = begin(p);

    add_option(p, b, o);
    sbuf_fmt(b, "invalid choice: '%.60s'", text);
    add_choices(p, b, o->value);
    return say(p, b);
}

static bool is_integer(const char *text)
{
    text += *text == '-' || *text == '+';
    return *text && !text[strspn(text, "0123456789")];
}

bool wrong_number(struct parse *p, const struct arg_option *o, const char *text)
{
    struct sbuf *b = begin(p);

    add_option(p, b, o);
    if (p->out->as_barman && o->type == ARG_POS && !is_integer(text)) {
        sbuf_fmt(b, "'%.60s' is not a valid input", text);
    } else {
        sbuf_fmt(b, "'%.60s' is not a valid %s integer", text,
                 o->type == ARG_POS ? "positive" : "non negative");
    }
    return say(p, b);
}

bool wrong_no_value(struct parse *p, const struct arg_option *o)
{
    struct sbuf *b = begin(p);

    add_option(p, b, o);
    sbuf_add(b, "expected one argument");
    return say(p, b);
}

bool wrong_flag_value(struct parse *p, const struct arg_option *o, const char *value)
{
    struct sbuf *b = begin(p);

    add_option(p, b, o);
    if (p->out->as_barman) {
        sbuf_fmt(b, "ignored explicit argument '%.60s'", value);
    } else {
        sbuf_add(b, "it takes no value");
    }
    return say(p, b);
}

bool wrong_missing(struct parse *p, size_t operand)
{
    const struct command *c = p->out->command;
    const char *between = " ";
    struct sbuf *b = begin(p);

    if (!p->out->as_barman) {
        sbuf_fmt(b, "the following argument is required: %s", c->operand[operand].name);
        return say(p, b);
    }
    sbuf_add(b, "the following arguments are required:");
    for (; operand < c->operands && c->operand[operand].kind != OPERAND_MAYBE; operand++) {
        sbuf_fmt(b, "%s%s", between, c->operand[operand].theirs);
        between = ", ";
    }
    return say(p, b);
}
