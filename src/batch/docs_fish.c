/* SPDX-License-Identifier: PostgreSQL */
#include "docs_shell.h"

#include <string.h>

/* "-n 'CONDITION'": behind the command (NULL: before any), and, where Barman does not have it,
 * only by ours; at: only before that operand. */
static void fish_when(FILE *out, const struct command *c, bool ours, const char *at)
{
    fprintf(out, "complete -c barkeep%s -n '", ours || (c && c->ours) ? "" : " -c barman");
    if (c) {
        fputs("__fish_seen_subcommand_from ", out);
        docs_both(out, c);
    } else {
        fputs("__fish_use_subcommand", out);
    }
    if (at) {
        fprintf(out, "; and __barkeep_at %s ", at);
        docs_both(out, c);
    }
    fputs("' ", out);
}

static void fish_option(FILE *out, const struct command *c, const struct arg_option *o)
{
    fish_when(out, c, o->ours, NULL);
    fprintf(out, "-l %s", o->name);
    for (const char *l = o->letters; *l; l++) {
        fprintf(out, " -s %c", *l);
    }
    if (docs_has_words(o)) {
        fputs(" -xa '", out);
        docs_words(out, o);
        fputc('\'', out);
    } else if (o->type != ARG_FLAG) {
        fputs(" -r", out);
    }
    fputs(" -d '", out);
    docs_quoted(out, o->help, "\\");
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

static void fish_operands(FILE *out, const struct command *c)
{
    bool many = docs_wants(c, OPERAND_SERVERS);

    if (many || docs_wants(c, OPERAND_SERVER)) {
        fish_when(out, c, false, many ? NULL : "0");
        fprintf(out, "-a '%s(__barkeep_ask list-servers)'\n", many ? "all " : "");
    }
    if (docs_wants_backup(c)) {
        fish_when(out, c, false, "1");
        fputs("-a 'latest oldest last-failed (__barkeep_ask list-backups (__barkeep_operands ",
              out);
        docs_both(out, c);
        fputs(")[1])'\n", out);
    }
    if (docs_wants(c, OPERAND_COMMAND)) {
        fish_when(out, c, true, "0");
        fputs("-a '", out);
        docs_names(out, DOCS_ALL, " ");
        fputs("'\n", out);
    }
    if (strcmp(c->name, "restore") == 0) {
        fish_when(out, c, false, "2");
        fputs("-F\n", out);
    }
}

void docs_fish(FILE *out)
{
    fputs("# fish completion for barkeep, also by the name barman\n", out);
    fputs(fish_asks, out);
    fputs("set -g __barkeep_valued", out);
    docs_valued(out, DOCS_ALL, global_options, global_option_count);
    for (size_t i = 0; i < command_count; i++) {
        docs_valued(out, DOCS_ALL, command_table[i].option, command_table[i].options);
    }
    fputs("\ncomplete -c barkeep -c barman -f\n", out);
    for (size_t i = 0; i < global_option_count; i++) {
        fish_option(out, NULL, &global_options[i]);
    }
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];

        fish_when(out, NULL, c->ours, NULL);
        fprintf(out, "-a %s -d '", c->name);
        docs_quoted(out, c->help, "\\");
        fputs("'\n", out);
        for (size_t k = 0; k < c->options; k++) {
            fish_option(out, c, &c->option[k]);
        }
        fish_operands(out, c);
    }
}
