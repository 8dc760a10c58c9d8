/* SPDX-License-Identifier: PostgreSQL */
#include "usage.h"

#include "engine/hook.h"

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

static const char *const program[] = {[USAGE_BARKEEP] = "barkeep", [USAGE_BARMAN] = "barman"};

static bool offers(enum usage_name name, bool ours)
{
    return name == USAGE_BARKEEP || !ours;
}

void usage_line(FILE *out, enum usage_name name, const struct command *c)
{
    fprintf(out, "usage: %s [OPTION...]", program[name]);
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

        if (o->kind == OPERAND_COMMAND && name == USAGE_BARMAN) {
            continue;
        }
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

static void option_rows(FILE *out, enum usage_name name, const struct arg_option *o, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (offers(name, o[i].ours)) {
            option_row(out, &o[i]);
        }
    }
}

static void help_main(FILE *out, enum usage_name name)
{
    usage_line(out, name, NULL);
    fprintf(out, "\nBackup and recovery for PostgreSQL.\n\nOptions:\n");
    option_rows(out, name, global_options, global_option_count);
    fprintf(out, "\nCommands:\n");
    for (size_t i = 0; i < command_count; i++) {
        char left[80];

        if (!offers(name, command_table[i].ours)) {
            continue;
        }
        str_fmt(left, sizeof left, "%s%s%s", command_table[i].name,
                command_table[i].alias ? ", " : "",
                command_table[i].alias ? command_table[i].alias : "");
        row(out, left, command_table[i].help);
    }
    fprintf(out, "\n'%s' explains one.\n",
            name == USAGE_BARMAN ? "barman COMMAND --help" : "barkeep help COMMAND");
}

static void operand_rows(FILE *out, enum usage_name name, const struct command *c)
{
    for (size_t i = 0; i < c->operands; i++) {
        if (name == USAGE_BARMAN && c->operand[i].kind == OPERAND_COMMAND) {
            continue;
        }
        if (i == 0) {
            fprintf(out, "\nArguments:\n");
        }
        row(out, c->operand[i].name, c->operand[i].help);
    }
}

void usage_help(FILE *out, enum usage_name name, const struct command *c)
{
    if (!c) {
        help_main(out, name);
        return;
    }
    usage_line(out, name, c);
    fputc('\n', out);
    wrap(out, 0, 0, c->about);
    if (c->alias) {
        fprintf(out, "\nAlso called %s.\n", c->alias);
    }
    operand_rows(out, name, c);
    fprintf(out, "\nOptions:\n");
    row(out, "-h, --help", "show this help and exit");
    option_rows(out, name, c->option, c->options);
    if (name == USAGE_BARKEEP && strcmp(c->name, "restore") == 0) {
        fputc('\n', out);
        for (const char *const *line = incident_page; *line; line++) {
            fprintf(out, "%s\n", *line);
        }
    }
}

/* Who asks barman reads Barman's number: it says which command lines and files to expect. */
void usage_version(FILE *out, enum usage_name name)
{
    if (name == USAGE_BARMAN) {
        fprintf(out, "%s Barman by EnterpriseDB (www.enterprisedb.com)\n", HOOK_BARMAN_VERSION);
        return;
    }
    fprintf(out, "%s barkeep\n", BARKEEP_VERSION);
}
