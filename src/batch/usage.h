/* SPDX-License-Identifier: PostgreSQL */
/* usage.h - help, made from the tables of command.h. */
#ifndef BATCH_USAGE_H
#define BATCH_USAGE_H

#include "command.h"

#include <stdio.h>

/* "barkeep [OPTION...] backup [--name NAME] ... SERVER [SERVER...]"; command NULL: of all. */
void usage_line(FILE *out, const struct command *command);
void usage_help(FILE *out, const struct command *command);
void usage_version(FILE *out);

/* "[--jobs N]": an option as usage shows it. */
void usage_option(FILE *out, const struct arg_option *option);

#endif
