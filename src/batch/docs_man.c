/* SPDX-License-Identifier: PostgreSQL */
#include "docs.h"

#include "cfg/option.h"
#include "command.h"

#include <string.h>

/* Text of ours into roff: hyphens that stay hyphens, no line that begins with a macro. */
static void text(FILE *out, const char *s)
{
    if (*s == '.' || *s == '\'') {
        fputs("\\&", out);
    }
    for (; *s; s++) {
        if (*s == '\\') {
            fputs("\\e", out);
        } else if (*s == '-') {
            fputs("\\-", out);
        } else {
            fputc(*s, out);
        }
    }
}

static void option(FILE *out, const struct arg_option *o)
{
    fputs(".TP\n", out);
    for (const char *l = o->letters; *l; l++) {
        fprintf(out, "\\fB\\-%c\\fR, ", *l);
    }
    fputs("\\fB\\-\\-", out);
    text(out, o->name);
    fputs("\\fR", out);
    if (o->type == ARG_CHOICE || o->type == ARG_MAYBE) {
        fputs(" \\fR", out);
        text(out, o->value);
    } else if (o->type != ARG_FLAG) {
        fputs(" \\fI", out);
        text(out, o->value);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    text(out, o->help);
    fputc('\n', out);
}

static void synopsis(FILE *out, const struct command *c)
{
    fputs(".SS \"", out);
    text(out, c->name);
    if (c->alias) {
        fputs(", ", out);
        text(out, c->alias);
    }
    fputs("\"\n.B barkeep ", out);
    text(out, c->name);
    if (c->options) {
        fputs(" \\fR[\\fIOPTION\\fR...]", out);
    }
    for (size_t i = 0; i < c->operands; i++) {
        const char *name = c->operand[i].name;

        if (c->operand[i].kind == OPERAND_COMMAND || c->operand[i].kind == OPERAND_MAYBE) {
            fprintf(out, " \\fR[\\fI%s\\fR]", name);
        } else if (c->operand[i].kind == OPERAND_SERVERS) {
            fprintf(out, " \\fI%s\\fR [\\fI%s\\fR...]", name, name);
        } else {
            fprintf(out, " \\fI%s\\fR", name);
        }
    }
    fputs("\n.PP\n", out);
}

static void command(FILE *out, const struct command *c)
{
    synopsis(out, c);
    text(out, c->about);
    fputc('\n', out);
    for (size_t i = 0; i < c->operands; i++) {
        fprintf(out, ".TP\n\\fI%s\\fR\n", c->operand[i].name);
        text(out, c->operand[i].help);
        fputc('\n', out);
    }
    for (size_t i = 0; i < c->options; i++) {
        option(out, &c->option[i]);
    }
}

static const char *type_text(const struct option *o)
{
    switch (o->type) {
    case OPTION_BOOL:
        return "on, off";
    case OPTION_INT:
        return "a number";
    case OPTION_SPAN:
        return "N HOURS, DAYS, WEEKS or MONTHS";
    case OPTION_SIZE:
        return "bytes, or a number with k, Ki, M, Mi, G, Gi, T, Ti";
    case OPTION_CSV:
        return o->values ? "any of the following, commas between" : "a list, commas between";
    case OPTION_ENUM:
        return "one of the following";
    case OPTION_PATH:
        return "a path";
    case OPTION_STR:
        break;
    }
    return "a text";
}

/* "a|b|#" as "a, b, a number". */
static void words(FILE *out, const char *values)
{
    struct str rest = str_of(values), word;
    const char *comma = ": ";

    while (str_split(&rest, '|', &word)) {
        fputs(comma, out);
        if (str_eq(word, "#")) {
            fputs("a number", out);
        } else {
            fprintf(out, "%.*s", (int)word.n, word.p);
        }
        comma = ", ";
    }
}

static void setting(FILE *out, const struct option *o)
{
    fputs(".TP\n\\fB", out);
    text(out, o->name);
    fputs("\\fR\n", out);
    text(out, o->text);
    fprintf(out, ".\nValue: %s", type_text(o));
    if (o->values && (o->type == OPTION_ENUM || o->type == OPTION_CSV)) {
        words(out, o->values);
    }
    if (o->def) {
        fprintf(out, "; default %s", o->def);
    }
    fputs(".\n", out);
    if (o->acts == OPTION_LATER) {
        fputs("This version knows it but does not act on it.\n", out);
    }
}

static void settings(FILE *out)
{
    fputs(
        ".SH CONFIGURATION\n"
        "The files are Barman's: sections in brackets, one option a line. Each section but\n"
        ".B [barman]\n"
        "and models (model = true) is a server. What may also stand in\n"
        ".B [barman]\n"
        "holds for all servers that do not say otherwise. An option that is set but that this\n"
        "version does not act on is told with a warning.\n"
        ".SS Only in [barman]\n",
        out);
    for (size_t i = 0; i < GLOBAL_COUNT; i++) {
        setting(out, &global_option_table[i]);
    }
    for (size_t kind = 0; kind < 2; kind++) {
        fputs(kind ? ".SS Of servers\n" : ".SS Of servers, and in [barman] for all\n", out);
        for (size_t i = 0; i < OPTION_COUNT; i++) {
            if ((strchr(option_table[i].scope, 'G') == NULL) == (kind == 1)) {
                setting(out, &option_table[i]);
            }
        }
    }
}

void docs_man(FILE *out)
{
    fputs(
        ".TH BARKEEP 1 \"\" \"barkeep " BARKEEP_VERSION "\" \"User Commands\"\n"
        ".SH NAME\nbarkeep \\- backup and recovery for PostgreSQL\n"
        ".SH SYNOPSIS\n.B barkeep\n[\\fIOPTION\\fR...] \\fICOMMAND\\fR ...\n.br\n"
        ".B barkeep\n[\\fIOPTION\\fR...]\n"
        ".SH DESCRIPTION\n"
        "Takes base backups and WAL of PostgreSQL servers over the replication protocol, and\n"
        "brings them back up to a moment. It reads Barman's configuration and keeps Barman's\n"
        "catalogue.\n"
        ".PP\nWithout a command it is the console: servers, backups and WAL on one screen, "
        "and\n"
        "the way back step by step; press \\fB?\\fR for its keys. Where there is no terminal "
        "it\n"
        "prints what\n.B barkeep status all\n"
        "does.\n"
        ".SH OPTIONS\nThese come before the command.\n",
        out);
    for (size_t i = 0; i < global_option_count; i++) {
        option(out, &global_options[i]);
    }
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < command_count; i++) {
        command(out, &command_table[i]);
    }
    settings(out);
    fputs(".SH EXIT STATUS\n"
          ".TP\n0\nNo error was said; warnings do not count.\n"
          ".TP\n1\nAn error was said, a check of an active server failed, or the work was "
          "cancelled.\n"
          ".TP\n2\nThe command line is wrong; with\n.BR check\\ \\-\\-nagios :\n"
          "something is wrong.\n"
          ".TP\n3\nOnly\n.BR get\\-wal :\nan impossible WAL name, or the output cannot be "
          "opened.\n"
          ".SH FILES\n"
          ".TP\n\\fI~/.barman.conf\\fR, \\fI/etc/barman.conf\\fR, "
          "\\fI/etc/barman/barman.conf\\fR\n"
          "The configuration: the first of these that there is.\n"
          ".TP\n\\fIBARMAN_HOME/.barkeep/jobs/N\\fR\n"
          "Plan, log and journal of job N.\n"
          ".TP\n\\fI~/.config/barkeep\\fR, \\fI~/.local/state/barkeep\\fR\n"
          "Themes and keys of your own; what the console remembers of you.\n"
          ".SH ENVIRONMENT\n"
          ".TP\n\\fBBARMAN_CONFIG_FILE\\fR\nThe configuration file, unless\n"
          ".B \\-c\nis given.\n"
          ".TP\n\\fBBARKEEP_PG_BIN\\fR\nWhere\n.B start\\-copy\n"
          "looks first for the programs of a server: in MAJOR/bin below it, then in it.\n"
          ".TP\n\\fBNO_COLOR\\fR\nThe console draws without colours.\n",
          out);
}
