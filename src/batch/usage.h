/* SPDX-License-Identifier: PostgreSQL */
/* usage.h - help, made from the tables of command.h. */
#ifndef BATCH_USAGE_H
#define BATCH_USAGE_H

#include "command.h"

#include <stdio.h>

/* As whom the program answers: what is Barman's only, or everything. */
enum usage_name { USAGE_BARKEEP, USAGE_BARMAN };

/* "usage: barkeep [OPTION...] backup [OPTION...] SERVER [SERVER...]"; command NULL: of all. */
void usage_line(FILE *out, enum usage_name name, const struct command *command);
void usage_help(FILE *out, enum usage_name name, const struct command *command);
/* doc/restore.md, a line each, NULL at the end: 'help restore' prints it too. */
extern const char *const incident_page[];

void usage_version(FILE *out, enum usage_name name);

#endif
