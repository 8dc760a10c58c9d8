/* SPDX-License-Identifier: PostgreSQL */
/* args_in.h - a command line half read, and the words for what is wrong with it.
 *
 * Words    barkeep says what may have been meant; called as barman it says what argparse would,
 *          since scripts look for it. Both end with status 2. argparse goes on reading after a
 *          word that it does not know and names all of them at the end: surplus holds them.
 * Errors   ERR_USAGE. Each wrong_x() returns false with err filled, except wrong_surplus().
 */
#ifndef BATCH_ARGS_IN_H
#define BATCH_ARGS_IN_H

#include "args.h"

struct parse {
    struct arena *a;
    char **argv;
    int argc, at;
    struct args *out;
    struct err *err;
    bool over;   /* --help or --version was read */
    bool listed; /* an option came after the first server's name */
    char surplus_text[200], words_text[256];
    struct sbuf surplus, words;
};

/* The options in force: the global ones until a command was seen. */
struct option_set {
    const struct arg_option *option;
    size_t n;
    struct arg_value *value;
};
struct option_set parse_options(struct args *args);
/* Is it known under the name that the program was called by? */
bool parse_offers(const struct args *args, const struct arg_option *o);

bool wrong_command(struct parse *p, const char *word);
/* A word that is neither option nor operand: true when reading goes on. dashes: how many stand
 * in front of it; 0: it would be an operand. */
bool wrong_surplus(struct parse *p, const char *word, size_t dashes);
bool wrong_surplus_end(struct parse *p); /* true: there was none */
bool wrong_ambiguous(struct parse *p, struct str name);
bool wrong_choice(struct parse *p, const struct arg_option *o, const char *text);
bool wrong_number(struct parse *p, const struct arg_option *o, const char *text);
bool wrong_no_value(struct parse *p, const struct arg_option *o);
bool wrong_flag_value(struct parse *p, const struct arg_option *o, const char *value);
bool wrong_missing(struct parse *p, size_t operand); /* that one and those after it */

#endif
