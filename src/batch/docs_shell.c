/* SPDX-License-Identifier: PostgreSQL */
/* Completions. Names of servers and ids of backups are asked from barkeep itself, which answers
 * both within a few milliseconds. */
#include "docs.h"

#include "command.h"

#include <string.h>

static bool wants(const struct command *c, enum operand_kind kind)
{
    for (size_t i = 0; i < c->operands; i++) {
        if (c->operand[i].kind == kind) {
            return true;
        }
    }
    return false;
}

static bool wants_backup(const struct command *c)
{
    return c->operands > 1 && strcmp(c->operand[1].name, "BACKUP_ID") == 0;
}

static void names(FILE *out, const char *between)
{
    for (size_t i = 0; i < command_count; i++) {
        fprintf(out, "%s%s", i ? between : "", command_table[i].name);
        if (command_table[i].alias) {
            fprintf(out, "%s%s", between, command_table[i].alias);
        }
    }
}

/* "--a --b", for the option's dashes and all. */
static void options(FILE *out, const struct arg_option *o, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fprintf(out, "%s--%s", i ? " " : "", o[i].name);
    }
}

static void pattern(FILE *out, const struct command *c)
{
    fputs(c->name, out);
    if (c->alias) {
        fprintf(out, "|%s", c->alias);
    }
}

/* Words after an option that takes one of a few. */
static void bash_choices(FILE *out, const struct arg_option *o, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (o[i].type == ARG_CHOICE) {
            fprintf(out, "    --%s) words='", o[i].name);
            for (const char *p = o[i].value; *p; p++) {
                fputc(*p == '|' ? ' ' : *p, out);
            }
            fputs("'; plain=1 ;;\n", out);
        }
    }
}

/* "a|b", each with the number of words before: backup:1|... */
static void bash_at(FILE *out, const struct command *c, const char *at)
{
    fprintf(out, "            %s:%s", c->name, at);
    if (c->alias) {
        fprintf(out, "|%s:%s", c->alias, at);
    }
    fputs(") words=\"", out);
}

static void bash_operands(FILE *out)
{
    fputs("            case $cmd:$operand in\n            help:0) words='", out);
    names(out, " ");
    fputs("' ;;\n", out);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];
        bool many = wants(c, OPERAND_SERVERS);

        if (many || wants(c, OPERAND_SERVER)) {
            bash_at(out, c, many ? "*" : "0");
            fprintf(out, "%s$(barkeep list-servers --minimal 2>/dev/null)\" ;;\n",
                    many ? "all " : "");
        }
        if (wants_backup(c)) {
            bash_at(out, c, "1");
            fputs("latest oldest last-failed "
                  "$(barkeep list-backups --minimal \"$server\" 2>/dev/null)\" ;;\n",
                  out);
        }
    }
    fputs("            restore:2|recover:2) COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
          "            *) words='' ;;\n"
          "            esac\n",
          out);
}

static void bash_options(FILE *out)
{
    fputs("    if [[ -z $plain && -z $cmd ]]; then\n        words='", out);
    options(out, global_options, global_option_count);
    fputs("'\n        [[ $cur == -* ]] || words='", out);
    names(out, " ");
    fputs("'\n    elif [[ -z $plain ]]; then\n        case $cmd in\n", out);
    for (size_t i = 0; i < command_count; i++) {
        fputs("        ", out);
        pattern(out, &command_table[i]);
        fputs(") words='", out);
        options(out, command_table[i].option, command_table[i].options);
        fputs("' ;;\n", out);
    }
    fputs("        esac\n        if [[ $cur != -* ]]; then\n", out);
}

void docs_bash(FILE *out)
{
    fputs("# bash completion for barkeep\n"
          "_barkeep()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    local i cmd='' server='' operand=0 words='' plain=''\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in\n"
          "        -c|--config|--color|--colour|--log-level|--job) i=$((i + 1)) ;;\n"
          "        -*) ;;\n"
          "        *)\n"
          "            if [[ -z $cmd ]]; then cmd=${COMP_WORDS[i]}\n"
          "            else operand=$((operand + 1)); [[ -n $server ]] || "
          "server=${COMP_WORDS[i]}; fi ;;\n"
          "        esac\n"
          "    done\n"
          "    case $prev in\n",
          out);
    bash_choices(out, global_options, global_option_count);
    for (size_t i = 0; i < command_count; i++) {
        bash_choices(out, command_table[i].option, command_table[i].options);
    }
    fputs("    -c|--config) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n    esac\n", out);
    bash_options(out);
    bash_operands(out);
    fputs("        fi\n    fi\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
          "complete -F _barkeep barkeep\n",
          out);
}

/* In a zsh or fish text in single quotes. zsh's own marks in a description are ':', '[', ']'.
 */
static void quoted(FILE *out, const char *s, const char *also)
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

static void zsh_option(FILE *out, const struct arg_option *o)
{
    fprintf(out, "        '%s--%s%s[", o->type == ARG_LIST ? "*" : "", o->name,
            o->type == ARG_FLAG ? "" : "=");
    quoted(out, o->help, "[]:");
    fputc(']', out);
    if (o->type == ARG_CHOICE) {
        fputs(":value:(", out);
        for (const char *p = o->value; *p; p++) {
            fputc(*p == '|' ? ' ' : *p, out);
        }
        fputc(')', out);
    } else if (o->type != ARG_FLAG) {
        fputs(":", out);
        quoted(out, o->value, "[]:");
        fputs(strcmp(o->value, "FILE") == 0 || strcmp(o->value, "DIR") == 0 ? ":_files" : ": ",
              out);
    }
    fputs("' \\\n", out);
}

static void zsh_command(FILE *out, const struct command *c)
{
    fputs("    ", out);
    pattern(out, c);
    fputs(")\n        _arguments \\\n", out);
    for (size_t i = 0; i < c->options; i++) {
        zsh_option(out, &c->option[i]);
    }
    for (size_t i = 0; i < c->operands; i++) {
        const char *how = "_files";

        if (c->operand[i].kind == OPERAND_SERVER) {
            how = "_barkeep_servers";
        } else if (c->operand[i].kind == OPERAND_SERVERS) {
            how = "_barkeep_all_servers";
        } else if (c->operand[i].kind == OPERAND_COMMAND) {
            how = "_barkeep_commands";
        } else if (strcmp(c->operand[i].name, "BACKUP_ID") == 0) {
            how = "_barkeep_backups";
        }
        fprintf(out, "        '%s:%s:%s' \\\n",
                c->operand[i].kind == OPERAND_SERVERS ? "*"
                : i == 0                              ? "1"
                : i == 1                              ? "2"
                                                      : "3",
                c->operand[i].name, how);
    }
    fputs("        && return ;;\n", out);
}

void docs_zsh(FILE *out)
{
    fputs("#compdef barkeep\n"
          "_barkeep_servers() { local -a w; w=(${(f)\"$(barkeep list-servers --minimal "
          "2>/dev/null)\"}); compadd -a w }\n"
          "_barkeep_all_servers() { compadd all; _barkeep_servers }\n"
          "_barkeep_backups() { local -a w; w=(latest oldest last-failed "
          "${(f)\"$(barkeep list-backups --minimal ${line[1]} 2>/dev/null)\"}); "
          "compadd -a w }\n"
          "_barkeep_commands() {\n    local -a w\n    w=(\n",
          out);
    for (size_t i = 0; i < command_count; i++) {
        fprintf(out, "        '%s:", command_table[i].name);
        quoted(out, command_table[i].help, ":");
        fputs("'\n", out);
    }
    fputs("    )\n    _describe command w\n}\n"
          "_barkeep() {\n    local context state state_descr line\n    typeset -A opt_args\n"
          "    _arguments -C \\\n",
          out);
    for (size_t i = 0; i < global_option_count; i++) {
        zsh_option(out, &global_options[i]);
    }
    fputs("        '1:command:_barkeep_commands' \\\n        '*::arguments:->rest' && return\n"
          "    case $words[1] in\n",
          out);
    for (size_t i = 0; i < command_count; i++) {
        zsh_command(out, &command_table[i]);
    }
    fputs("    esac\n}\n_barkeep \"$@\"\n", out);
}

static void fish_option(FILE *out, const struct command *c, const struct arg_option *o)
{
    fputs("complete -c barkeep -n '", out);
    if (c) {
        fprintf(out, "__fish_seen_subcommand_from %s%s%s", c->name, c->alias ? " " : "",
                c->alias ? c->alias : "");
    } else {
        fputs("__fish_use_subcommand", out);
    }
    fprintf(out, "' -l %s", o->name);
    for (const char *l = o->letters; *l; l++) {
        fprintf(out, " -s %c", *l);
    }
    if (o->type == ARG_CHOICE) {
        fputs(" -xa '", out);
        for (const char *p = o->value; *p; p++) {
            fputc(*p == '|' ? ' ' : *p, out);
        }
        fputc('\'', out);
    } else if (o->type != ARG_FLAG) {
        fputs(" -r", out);
    }
    fputs(" -d '", out);
    quoted(out, o->help, "\\");
    fputs("'\n", out);
}

void docs_fish(FILE *out)
{
    fputs("# fish completion for barkeep\ncomplete -c barkeep -f\n", out);
    for (size_t i = 0; i < global_option_count; i++) {
        fish_option(out, NULL, &global_options[i]);
    }
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];

        fprintf(out, "complete -c barkeep -n __fish_use_subcommand -a %s -d '", c->name);
        quoted(out, c->help, "\\");
        fputs("'\n", out);
        for (size_t k = 0; k < c->options; k++) {
            fish_option(out, c, &c->option[k]);
        }
        if (wants(c, OPERAND_SERVER) || wants(c, OPERAND_SERVERS)) {
            fprintf(out,
                    "complete -c barkeep -n '__fish_seen_subcommand_from %s%s%s' "
                    "-a '(barkeep list-servers --minimal 2>/dev/null)'\n",
                    c->name, c->alias ? " " : "", c->alias ? c->alias : "");
        }
        if (strcmp(c->name, "restore") == 0) {
            fputs("complete -c barkeep -n '__fish_seen_subcommand_from restore recover' -F\n",
                  out);
        }
    }
}
