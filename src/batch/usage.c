/* SPDX-License-Identifier: PostgreSQL */
#include "usage.h"

#include <string.h>

#define WIDTH  80
#define COLUMN 26 /* where explanations begin */

/* Words of text from column `at` on, each line indented by `indent`. */
static void wrap(FILE *out, size_t at, size_t indent, const char *text)
{
    struct str rest = str_of(text), word;

    while (str_split(&rest, ' ', &word)) {
        if (at > indent && at + 1 + word.n > WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", (int)word.n, word.p);
        at += word.n;
    }
    fputc('\n', out);
}

static void row(FILE *out, const char *left, const char *right)
{
    size_t n = strlen(left) + 2;

    fprintf(out, "  %s", left);
    if (n + 2 > COLUMN) {
        fprintf(out, "\n%*s", COLUMN, "");
    } else {
        fprintf(out, "%*s", (int)(COLUMN - n), "");
    }
    wrap(out, COLUMN, COLUMN, right);
}

static void value_of(const struct arg_option *o, struct sbuf *b)
{
    if (o->type == ARG_CHOICE || o->type == ARG_MAYBE) {
        sbuf_fmt(b, " {%s}", o->value);
    } else if (o->type != ARG_FLAG) {
        sbuf_fmt(b, " %s", o->value);
    }
}

static void option_row(FILE *out, const struct arg_option *o)
{
    char left[160];
    struct sbuf b;

    sbuf_init(&b, left, sizeof left);
    for (const char *l = o->letters; *l; l++) {
        sbuf_fmt(&b, "-%c, ", *l);
    }
    sbuf_fmt(&b, "--%s", o->name);
    value_of(o, &b);
    row(out, left, o->help);
}

void usage_line(FILE *out, const struct command *c)
{
    fprintf(out, "usage: barkeep [OPTION...]");
    if (!c) {
        fprintf(out, " COMMAND ...\n");
        return;
    }
    fprintf(out, " %s", c->name);
    if (c->options) {
        fprintf(out, " [OPTION...]");
    }
    for (size_t i = 0; i < c->operands; i++) {
        const struct operand *o = &c->operand[i];

        if (o->kind == OPERAND_COMMAND || o->kind == OPERAND_MAYBE) {
            fprintf(out, " [%s]", o->name);
        } else if (o->kind == OPERAND_SERVERS) {
            fprintf(out, " %s [%s...]", o->name, o->name);
        } else {
            fprintf(out, " %s", o->name);
        }
    }
    fputc('\n', out);
}

static void help_main(FILE *out)
{
    usage_line(out, NULL);
    fprintf(out, "\nBackup and recovery for PostgreSQL.\n\nOptions:\n");
    for (size_t i = 0; i < global_option_count; i++) {
        option_row(out, &global_options[i]);
    }
    fprintf(out, "\nCommands:\n");
    for (size_t i = 0; i < command_count; i++) {
        char left[80];

        str_fmt(left, sizeof left, "%s%s%s", command_table[i].name,
                command_table[i].alias ? ", " : "",
                command_table[i].alias ? command_table[i].alias : "");
        row(out, left, command_table[i].help);
    }
    fprintf(out, "\n'barkeep help COMMAND' explains one.\n");
}

void usage_help(FILE *out, const struct command *c)
{
    if (!c) {
        help_main(out);
        return;
    }
    usage_line(out, c);
    fputc('\n', out);
    wrap(out, 0, 0, c->about);
    if (c->alias) {
        fprintf(out, "\nAlso called %s.\n", c->alias);
    }
    if (c->operands) {
        fprintf(out, "\nArguments:\n");
    }
    for (size_t i = 0; i < c->operands; i++) {
        row(out, c->operand[i].name, c->operand[i].help);
    }
    fprintf(out, "\nOptions:\n");
    row(out, "-h, --help", "show this help and exit");
    for (size_t i = 0; i < c->options; i++) {
        option_row(out, &c->option[i]);
    }
    if (strcmp(c->name, "restore") == 0) {
        fputc('\n', out);
        for (const char *const *line = incident_page; *line; line++) {
            fprintf(out, "%s\n", *line);
        }
    }
}

void usage_version(FILE *out)
{
    fprintf(out, "%s barkeep\n", BARKEEP_VERSION);
}
