/* SPDX-License-Identifier: PostgreSQL */
/* docs_shell.h - what the completions of bash, zsh and fish have in common.
 *
 * One completion serves both names of the program: what is typed decides, as in the program
 * itself, whether what Barman does not have is offered. Names of servers and ids of backups are
 * asked from the program, which answers both within a few milliseconds.
 */
#ifndef BATCH_DOCS_SHELL_H
#define BATCH_DOCS_SHELL_H

#include "command.h"
#include "docs.h"

/* Names and aliases of the commands that Barman has (DOCS_THEIRS), the others (DOCS_OURS), all. */
enum docs_part { DOCS_THEIRS = 1, DOCS_OURS = 2, DOCS_ALL = DOCS_THEIRS | DOCS_OURS };
bool docs_in(enum docs_part part, bool ours);
void docs_names(FILE *out, enum docs_part part, const char *between);
/* "name|alias", each behind `before`. */
void docs_pattern(FILE *out, const struct command *c, const char *before);
/* "name alias" */
void docs_both(FILE *out, const struct command *c);

bool docs_wants(const struct command *c, enum operand_kind kind);
bool docs_wants_backup(const struct command *c);

bool docs_has_words(const struct arg_option *o); /* its value is one of a few */
bool docs_is_path(const struct arg_option *o);
void docs_words(FILE *out, const struct arg_option *o); /* those few, blanks between */
/* " --a -x --b": those that take a value, with a space on both sides of each. */
void docs_valued(FILE *out, enum docs_part part, const struct arg_option *o, size_t n);

/* In a zsh or fish text in single quotes; what stands in `also` gets a backslash. */
void docs_quoted(FILE *out, const char *s, const char *also);

#endif
