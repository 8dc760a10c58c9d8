/* SPDX-License-Identifier: PostgreSQL */
/* docs.h - the manual page and the shell completions, made from the tables of command.h and
 * option.def. barkeep-docs writes them when barkeep is built.
 */
#ifndef BATCH_DOCS_H
#define BATCH_DOCS_H

#include <stdio.h>

void docs_man(FILE *out); /* barkeep.1, roff with man macros */
void docs_bash(FILE *out);
void docs_zsh(FILE *out);
void docs_fish(FILE *out);

#endif
