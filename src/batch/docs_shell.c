/* SPDX-License-Identifier: PostgreSQL */
#include "docs_shell.h"

#include <string.h>

bool docs_in(enum docs_part part, bool ours)
{
    return part & (ours ? DOCS_OURS : DOCS_THEIRS);
}

void docs_names(FILE *out, enum docs_part part, const char *between)
{
    const char *gap = "";

    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];

        if (docs_in(part, c->ours)) {
            fprintf(out, "%s%s%s%s", gap, c->name, c->alias ? between : "",
                    c->alias ? c->alias : "");
            gap = between;
        }
    }
}

void docs_pattern(FILE *out, const struct command *c, const char *before)
{
    fprintf(out, "%s%s", before, c->name);
    if (c->alias) {
        fprintf(out, "|%s%s", before, c->alias);
    }
}

void docs_both(FILE *out, const struct command *c)
{
    fprintf(out, "%s%s%s", c->name, c->alias ? " " : "", c->alias ? c->alias : "");
}

bool docs_wants(const struct command *c, enum operand_kind kind)
{
    for (size_t i = 0; i < c->operands; i++) {
        if (c->operand[i].kind == kind) {
            return true;
        }
    }
    return false;
}

bool docs_wants_backup(const struct command *c)
{
    return c->operands > 1 && strcmp(c->operand[1].name, "BACKUP_ID") == 0;
}

bool docs_has_words(const struct arg_option *o)
{
    return o->type == ARG_CHOICE || o->type == ARG_MAYBE;
}

bool docs_is_path(const struct arg_option *o)
{
    return o->value && (strcmp(o->value, "FILE") == 0 || strcmp(o->value, "DIR") == 0);
}

void docs_words(FILE *out, const struct arg_option *o)
{
    for (const char *p = o->value; *p; p++) {
        fputc(*p == '|' ? ' ' : *p, out);
    }
}

void docs_valued(FILE *out, enum docs_part part, const struct arg_option *o, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (o[i].type == ARG_FLAG || !docs_in(part, o[i].ours)) {
            continue;
        }
        fprintf(out, " --%s", o[i].name);
        for (const char *l = o[i].letters; *l; l++) {
            fprintf(out, " -%c", *l);
        }
    }
}

void docs_quoted(FILE *out, const char *s, const char *also)
{
    for (; *s; s++) {
        if (*s == '\'') {
            fputs("'\\''", out);
        } else if (strchr(also, *s)) {
            fprintf(out, "\\%c", *s);
        } else {
            fputc(*s, out);
        }
    }
}
