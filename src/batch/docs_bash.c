/* SPDX-License-Identifier: PostgreSQL */
#include "docs_shell.h"

#include <string.h>

/* "--a --b", for the option's dashes and all. */
static void options(FILE *out, enum docs_part part, const struct arg_option *o, size_t n)
{
    const char *gap = "";

    for (size_t i = 0; i < n; i++) {
        if (docs_in(part, o[i].ours)) {
            fprintf(out, "%s--%s", gap, o[i].name);
            gap = " ";
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
static void values(FILE *out, const struct command *c, const struct arg_option *o, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!docs_has_words(&o[i]) && !docs_is_path(&o[i])) {
            continue;
        }
        fputs("        ", out);
        bash_option(out, c ? c->name : "*", &o[i]);
        if (c && c->alias) {
            fputc('|', out);
            bash_option(out, c->alias, &o[i]);
        }
        fputs(") ", out);
        if (docs_has_words(&o[i])) {
            fputs("words='", out);
            docs_words(out, &o[i]);
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

static void operands(FILE *out)
{
    fputs("        case $cmd:$operand in\n        help:0) $as_barman || words='", out);
    docs_names(out, DOCS_ALL, " ");
    fputs("' ;;\n", out);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];
        bool many = docs_wants(c, OPERAND_SERVERS);

        if (many || docs_wants(c, OPERAND_SERVER)) {
            bash_at(out, c, many ? "*" : "0");
            fprintf(out, "%s$(_barkeep_ask list-servers)\" ;;\n", many ? "all " : "");
        }
        if (docs_wants_backup(c)) {
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

static void case_row(FILE *out, enum docs_part part, const struct arg_option *o, size_t n)
{
    fputs(") options='", out);
    options(out, part, o, n);
    fputs("'\n        valued='", out);
    docs_valued(out, part, o, n);
    fputs(" ' ;;\n", out);
}

static bool has_ours(const struct arg_option *o, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (o[i].ours) {
            return true;
        }
    }
    return false;
}

/* What each command's options are, and which of them take a value. Barman's rows come first:
 * only where they differ. */
static void commands(FILE *out)
{
    fputs("_barkeep_options() # those of a command, or '': those before it\n{\n"
          "    options='' valued=''\n    case $as_barman:$1 in\n    true:",
          out);
    case_row(out, DOCS_THEIRS, global_options, global_option_count);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];

        if (!c->ours && has_ours(c->option, c->options)) {
            fputs("    ", out);
            docs_pattern(out, c, "true:");
            case_row(out, DOCS_THEIRS, c->option, c->options);
        }
    }
    fputs("    ", out);
    for (size_t i = 0, n = 0; i < command_count; i++) {
        if (command_table[i].ours) {
            fputs(n++ ? "|" : "", out);
            docs_pattern(out, &command_table[i], "true:");
        }
    }
    fputs(") cmd=- ;; # no command at all\n    *:", out);
    case_row(out, DOCS_ALL, global_options, global_option_count);
    for (size_t i = 0; i < command_count; i++) {
        fputs("    ", out);
        docs_pattern(out, &command_table[i], "*:");
        case_row(out, DOCS_ALL, command_table[i].option, command_table[i].options);
    }
    fputs("    esac\n}\n\n", out);
}

/* The line is read as the program reads it: options with their values, then the command, then
 * its operands. bash gives "--a=b" in three words. */
static const char bash_reads[] =
    "_barkeep()\n{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} word after=''\n"
    "    local i cmd='' server='' operand=0 words='' options valued as_barman=false config=()\n"
    "    COMPREPLY=()\n"
    "    [[ $cur != = ]] || cur=''\n"
    "    [[ ${program##*/} != barman ]] || as_barman=true\n"
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
    commands(out);
    fputs(bash_reads, out);
    values(out, NULL, global_options, global_option_count);
    for (size_t i = 0; i < command_count; i++) {
        values(out, &command_table[i], command_table[i].option, command_table[i].options);
    }
    fputs("        esac\n    elif [[ $cur == -* ]]; then\n"
          "        words=$options\n    elif [[ -z $cmd ]]; then\n        words='",
          out);
    docs_names(out, DOCS_THEIRS, " ");
    fputs("'\n        $as_barman || words+=' ", out);
    docs_names(out, DOCS_OURS, " ");
    fputs("'\n    else\n", out);
    operands(out);
    fputs("    fi\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
          "complete -F _barkeep barkeep barman\n",
          out);
}
