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

static bool has_words(const struct arg_option *o)
{
    return o->type == ARG_CHOICE || o->type == ARG_MAYBE;
}

static bool is_path(const struct arg_option *o)
{
    return o->value && (strcmp(o->value, "FILE") == 0 || strcmp(o->value, "DIR") == 0);
}

/* " --a -x --b": those that take a value, with a space on both sides of each. */
static void valued(FILE *out, const struct arg_option *o, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (o[i].type == ARG_FLAG) {
            continue;
        }
        fprintf(out, " --%s", o[i].name);
        for (const char *l = o[i].letters; *l; l++) {
            fprintf(out, " -%c", *l);
        }
    }
}

/* A pattern of a case: the command ("*": none), a colon, the option or one of its letters. */
static void bash_option(FILE *out, const char *command, const struct arg_option *o)
{
    fprintf(out, "%s:--%s", command, o->name);
    for (const char *l = o->letters; *l; l++) {
        fprintf(out, "|%s:-%c", command, *l);
    }
}

/* What may stand behind an option that takes a value, in the lines of a case; c NULL: behind one
 * of the global options, before any command. */
static void bash_values(FILE *out, const struct command *c, const struct arg_option *o,
                        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!has_words(&o[i]) && !is_path(&o[i])) {
            continue;
        }
        fputs("        ", out);
        bash_option(out, c ? c->name : "*", &o[i]);
        if (c && c->alias) {
            fputc('|', out);
            bash_option(out, c->alias, &o[i]);
        }
        fputs(") ", out);
        if (has_words(&o[i])) {
            fputs("words='", out);
            for (const char *p = o[i].value; *p; p++) {
                fputc(*p == '|' ? ' ' : *p, out);
            }
            fputs("' ;;\n", out);
        } else {
            fputs("compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n",
                  out);
        }
    }
}

/* "a|b", each with the number of words before: backup:1|... */
static void bash_at(FILE *out, const struct command *c, const char *at)
{
    fprintf(out, "        %s:%s", c->name, at);
    if (c->alias) {
        fprintf(out, "|%s:%s", c->alias, at);
    }
    fputs(") words=\"", out);
}

static void bash_operands(FILE *out)
{
    fputs("        case $cmd:$operand in\n        help:0) words='", out);
    names(out, " ");
    fputs("' ;;\n", out);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];
        bool many = wants(c, OPERAND_SERVERS);

        if (many || wants(c, OPERAND_SERVER)) {
            bash_at(out, c, many ? "*" : "0");
            fprintf(out, "%s$(_barkeep_ask list-servers)\" ;;\n", many ? "all " : "");
        }
        if (wants_backup(c)) {
            bash_at(out, c, "1");
            fputs("latest oldest last-failed $(_barkeep_ask list-backups \"$server\")\" ;;\n",
                  out);
        }
    }
    fputs("        restore:2|recover:2) compopt -o filenames\n"
          "            COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
          "        esac\n",
          out);
}

/* What each command's options are, and which of them take a value. */
static void bash_commands(FILE *out)
{
    fputs("_barkeep_options()\n{\n    options='' valued=''\n    case $1 in\n    '') options='",
          out);
    options(out, global_options, global_option_count);
    fputs("'\n        valued='", out);
    valued(out, global_options, global_option_count);
    fputs(" ' ;;\n", out);
    for (size_t i = 0; i < command_count; i++) {
        fputs("    ", out);
        pattern(out, &command_table[i]);
        fputs(") options='", out);
        options(out, command_table[i].option, command_table[i].options);
        fputs("'\n        valued='", out);
        valued(out, command_table[i].option, command_table[i].options);
        fputs(" ' ;;\n", out);
    }
    fputs("    esac\n}\n\n", out);
}

/* The line is read as the program reads it: options with their values, then the command, then
 * its operands. bash gives "--a=b" in three words. */
static const char bash_reads[] =
    "_barkeep()\n{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} word after=''\n"
    "    local i cmd='' server='' operand=0 words='' options valued config=()\n"
    "    COMPREPLY=()\n"
    "    [[ $cur != = ]] || cur=''\n"
    "    _barkeep_options ''\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if [[ $word == = ]]; then\n"
    "            continue\n"
    "        elif [[ -n $after ]]; then\n"
    "            [[ $after != @(-c|--config) ]] || config=(-c \"$word\")\n"
    "            after=''\n"
    "        elif [[ $word == -* ]]; then\n"
    "            [[ $valued != *\" $word \"* ]] || after=$word\n"
    "        elif [[ -z $cmd ]]; then\n"
    "            cmd=$word\n"
    "            _barkeep_options \"$cmd\"\n"
    "        else\n"
    "            operand=$((operand + 1))\n"
    "            [[ -n $server ]] || server=$word\n"
    "        fi\n"
    "    done\n"
    "    if [[ -n $after ]]; then\n"
    "        case $cmd:$after in\n";

void docs_bash(FILE *out)
{
    fputs("# bash completion for barkeep, also by the name barman\n"
          "# shellcheck shell=bash disable=SC2207\n\n"
          "_barkeep_ask() # what the configuration of the line says\n{\n"
          "    \"$program\" \"${config[@]}\" \"$1\" --minimal \"${@:2}\" 2>/dev/null\n}\n\n",
          out);
    bash_commands(out);
    fputs(bash_reads, out);
    bash_values(out, NULL, global_options, global_option_count);
    for (size_t i = 0; i < command_count; i++) {
        bash_values(out, &command_table[i], command_table[i].option, command_table[i].options);
    }
    fputs("        esac\n    elif [[ $cur == -* ]]; then\n"
          "        words=$options\n    elif [[ -z $cmd ]]; then\n        words='",
          out);
    names(out, " ");
    fputs("'\n    else\n", out);
    bash_operands(out);
    fputs("    fi\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
          "complete -F _barkeep barkeep barman\n",
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

/* How an option is written: (-c --config)'{-c,--config=}' where it has letters. */
static void zsh_name(FILE *out, const struct arg_option *o)
{
    const char *equals = o->type == ARG_FLAG ? "" : "=";

    if (!o->letters[0]) {
        fprintf(out, "        '%s--%s%s[", o->type == ARG_LIST ? "*" : "", o->name, equals);
        return;
    }
    fputs("        '(", out);
    for (const char *l = o->letters; *l; l++) {
        fprintf(out, "-%c ", *l);
    }
    fprintf(out, "--%s)'{", o->name);
    for (const char *l = o->letters; *l; l++) {
        fprintf(out, "-%c,", *l);
    }
    fprintf(out, "--%s%s}'[", o->name, equals);
}

static void zsh_option(FILE *out, const struct arg_option *o)
{
    zsh_name(out, o);
    quoted(out, o->help, "[]:");
    fputc(']', out);
    if (has_words(o)) {
        fputs(":value:(", out);
        for (const char *p = o->value; *p; p++) {
            fputc(*p == '|' ? ' ' : *p, out);
        }
        fputc(')', out);
    } else if (o->type != ARG_FLAG) {
        fputs(":", out);
        quoted(out, o->value, "[]:");
        fputs(is_path(o) ? ":_files" : ": ", out);
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
        } else if (c->operand[i].kind == OPERAND_MAYBE) {
            how = "";
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
    fputs("#compdef barkeep barman\n"
          "_barkeep_ask() { $program $config $1 --minimal ${@:2} 2>/dev/null }\n"
          "_barkeep_servers() { local -a w; w=(${(f)\"$(_barkeep_ask list-servers)\"}); "
          "compadd -a w }\n"
          "_barkeep_all_servers() { compadd all; _barkeep_servers }\n"
          "_barkeep_backups() { local -a w; w=(latest oldest last-failed "
          "${(f)\"$(_barkeep_ask list-backups ${line[1]})\"}); "
          "compadd -a w }\n"
          "_barkeep_commands() {\n    local -a w\n    w=(\n",
          out);
    for (size_t i = 0; i < command_count; i++) {
        fprintf(out, "        '%s:", command_table[i].name);
        quoted(out, command_table[i].help, ":");
        fputs("'\n", out);
    }
    fputs("    )\n    _describe command w\n}\n"
          "_barkeep() {\n    local context state state_descr line program=$words[1]\n"
          "    local -a config\n    typeset -A opt_args\n"
          "    _arguments -C \\\n",
          out);
    for (size_t i = 0; i < global_option_count; i++) {
        zsh_option(out, &global_options[i]);
    }
    fputs("        '1:command:_barkeep_commands' \\\n        '*::arguments:->rest' && return\n"
          "    config=(${opt_args[-c]:-${opt_args[--config]}})\n"
          "    config=(${config:+-c} $config)\n"
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
    if (has_words(o)) {
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

/* Names are asked with the configuration of the line, by the name that was typed. */
static const char fish_asks[] =
    "function __barkeep_ask\n"
    "    set -l w (commandline -opc)\n"
    "    set -l config\n"
    "    for i in (seq 2 (count $w))\n"
    "        switch $w[$i]\n"
    "            case -c --config\n"
    "                set config -c $w[(math $i + 1)]\n"
    "            case '--config=*'\n"
    "                set config $w[$i]\n"
    "        end\n"
    "    end\n"
    "    $w[1] $config $argv[1] --minimal $argv[2..-1] 2>/dev/null\n"
    "end\n"
    "# the words behind the command that are neither options nor values of options\n"
    "function __barkeep_operands\n"
    "    set -l seen 0\n"
    "    set -l value 0\n"
    "    for w in (commandline -opc)[2..-1]\n"
    "        if test $value = 1\n"
    "            set value 0\n"
    "        else if string match -q -- '-*' $w\n"
    "            contains -- $w $__barkeep_valued; and set value 1\n"
    "        else if test $seen = 1\n"
    "            echo $w\n"
    "        else if contains -- $w $argv\n"
    "            set seen 1\n"
    "        end\n"
    "    end\n"
    "end\n"
    "function __barkeep_at # N COMMAND...: the N-th word behind one of them comes next\n"
    "    test (count (__barkeep_operands $argv[2..-1])) = $argv[1]\n"
    "end\n";

/* "-n 'behind the command'", and before its n-th operand unless at is NULL. */
static void fish_behind(FILE *out, const struct command *c, const char *at)
{
    const char *alias = c->alias ? c->alias : "";
    const char *space = c->alias ? " " : "";

    fprintf(out, "complete -c barkeep -n '__fish_seen_subcommand_from %s%s%s", c->name, space,
            alias);
    if (at) {
        fprintf(out, "; and __barkeep_at %s %s%s%s", at, c->name, space, alias);
    }
    fputs("' ", out);
}

static void fish_operands(FILE *out, const struct command *c)
{
    bool many = wants(c, OPERAND_SERVERS);

    if (many || wants(c, OPERAND_SERVER)) {
        fish_behind(out, c, many ? NULL : "0");
        fprintf(out, "-a '%s(__barkeep_ask list-servers)'\n", many ? "all " : "");
    }
    if (wants_backup(c)) {
        fish_behind(out, c, "1");
        fprintf(out,
                "-a 'latest oldest last-failed "
                "(__barkeep_ask list-backups (__barkeep_operands %s%s%s)[1])'\n",
                c->name, c->alias ? " " : "", c->alias ? c->alias : "");
    }
    if (wants(c, OPERAND_COMMAND)) {
        fish_behind(out, c, "0");
        fputs("-a '", out);
        names(out, " ");
        fputs("'\n", out);
    }
    if (strcmp(c->name, "restore") == 0) {
        fish_behind(out, c, "2");
        fputs("-F\n", out);
    }
}

void docs_fish(FILE *out)
{
    fputs("# fish completion for barkeep, also by the name barman\n", out);
    fputs(fish_asks, out);
    fputs("set -g __barkeep_valued", out);
    valued(out, global_options, global_option_count);
    for (size_t i = 0; i < command_count; i++) {
        valued(out, command_table[i].option, command_table[i].options);
    }
    fputc('\n', out);
    fputs("complete -c barkeep -f\n", out);
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
        fish_operands(out, c);
    }
}
