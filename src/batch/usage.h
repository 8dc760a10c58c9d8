/* SPDX-License-Identifier: PostgreSQL */
/* usage.h - help, made from the tables of command.h. */
#ifndef BATCH_USAGE_H
#define BATCH_USAGE_H

#include "command.h"

#include <stdio.h>

/* "barkeep [OPTION...] backup [--name NAME] ... SERVER [SERVER...]"; command NULL: of all. */
void usage_line(FILE *out, const struct command *command);
void usage_help(FILE *out, const struct command *command);
/* doc/restore.md, a line each, NULL at the end: 'help restore' prints it too. */
extern const char *const incident_page[];

void usage_version(FILE *out);

#endif
