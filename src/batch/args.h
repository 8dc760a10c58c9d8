/* SPDX-License-Identifier: PostgreSQL */
/* args.h - a command line, taken apart by the table of command.h.
 *
 * Grammar  global options, the command, then its options and operands in any order. Long
 *          options may be cut short as long as they stay unambiguous; "--name=value" and
 *          "--name value", "-j4" and "-j 4", "-qd" for "-q -d"; "--" ends the options.
 * Names    as barman (the last part of argv[0]) only the rows and options that Barman has.
 * Errors   ERR_USAGE (exit 2), and what may have been meant; as barman in argparse's words.
 * Source   Python's argparse, which Barman's command line is made of.
 */
#ifndef BATCH_ARGS_H
#define BATCH_ARGS_H

#include "barkeep/arena.h"
#include "command.h"

#define ARGS_OPTION_MAX  48 /* of one command, or global */
#define ARGS_OPERAND_MAX 4

struct arg_value {
    bool given;
    const char *text; /* the last one given */
    uint64_t number;
    const char **list; /* ARG_LIST: all of them */
    size_t listed;
};

struct args {
    const struct command *command; /* NULL: none was named */
    struct arg_value global[ARGS_OPTION_MAX];
    struct arg_value option[ARGS_OPTION_MAX];
    const char *operand[ARGS_OPERAND_MAX]; /* NULL from the first that was left out */
    const char **server;                   /* OPERAND_SERVER and _SERVERS */
    size_t servers;
    bool help;    /* --help, or nothing at all: then */
    bool is_bare; /* no command, and neither --help nor --version */
    bool version;
    bool as_barman; /* called by that name */
};

MUST_CHECK bool args_parse(struct arena *a, int argc, char **argv, struct args *out,
                           struct err *err);

/* What was said of an option of the command, or a global one. Asking for an option that is in
 * neither table is a bug. */
bool arg_given(const struct args *args, const char *name);
const char *arg_text(const struct args *args, const char *name); /* NULL: not given */
uint64_t arg_number(const struct args *args, const char *name, uint64_t otherwise);
const struct arg_value *arg_value(const struct args *args, const char *name);

#endif
