/* SPDX-License-Identifier: PostgreSQL */
#include "docs_shell.h"

#include <string.h>

/* How an option is written: (-c --config)'{-c,--config=}' where it has letters. */
static void zsh_name(FILE *out, const struct arg_option *o)
{
    const char *equals = o->type == ARG_FLAG ? "" : "=";

    if (!o->letters[0]) {
        fprintf(out, "'%s--%s%s[", o->type == ARG_LIST ? "*" : "", o->name, equals);
        return;
    }
    fputs("'(", out);
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
    docs_quoted(out, o->help, "[]:");
    fputc(']', out);
    if (docs_has_words(o)) {
        fputs(":value:(", out);
        docs_words(out, o);
        fputc(')', out);
    } else if (o->type != ARG_FLAG) {
        fputs(":", out);
        docs_quoted(out, o->value, "[]:");
        fputs(docs_is_path(o) ? ":_files" : ": ", out);
    }
    fputs("'", out);
}

/* Those options of one part, each between what stands before and behind it. */
static void zsh_options(FILE *out, enum docs_part part, const struct arg_option *o, size_t n,
                        const char *behind)
{
    for (size_t i = 0; i < n; i++) {
        if (docs_in(part, o[i].ours)) {
            fputs("        ", out);
            zsh_option(out, &o[i]);
            fputs(behind, out);
        }
    }
}

/* What Barman does not have is in the array `ours`, which is empty by its name. */
static void zsh_ours(FILE *out, const struct command *c, const struct arg_option *o, size_t n)
{
    fputs("        ours=(\n", out);
    zsh_options(out, DOCS_OURS, o, n, "\n");
    if (c && docs_wants(c, OPERAND_COMMAND)) {
        fprintf(out, "        '1:%s:_barkeep_commands'\n", c->operand[0].name);
    }
    fputs("        )\n        ! _barkeep_is_barman || ours=()\n        _arguments ", out);
    fputs(c ? "$ours \\\n" : "-C $ours \\\n", out);
    zsh_options(out, DOCS_THEIRS, o, n, " \\\n");
}

static const char *zsh_operand(const struct operand *o)
{
    switch (o->kind) {
    case OPERAND_SERVER:
        return "_barkeep_servers";
    case OPERAND_SERVERS:
        return "_barkeep_all_servers";
    case OPERAND_COMMAND:
    case OPERAND_MAYBE:
        return "";
    case OPERAND_TEXT:
        break;
    }
    return strcmp(o->name, "BACKUP_ID") == 0 ? "_barkeep_backups" : "_files";
}

static void zsh_command(FILE *out, const struct command *c)
{
    fputs("    ", out);
    docs_pattern(out, c, "");
    fputs(c->ours ? ")\n        ! _barkeep_is_barman || return 1\n" : ")\n", out);
    zsh_ours(out, c, c->option, c->options);
    for (size_t i = 0; i < c->operands; i++) {
        const struct operand *o = &c->operand[i];

        if (o->kind == OPERAND_SERVERS) {
            fprintf(out, "        '*:%s:%s' \\\n", o->name, zsh_operand(o));
        } else if (o->kind != OPERAND_COMMAND) {
            fprintf(out, "        '%zu:%s:%s' \\\n", i + 1, o->name, zsh_operand(o));
        }
    }
    fputs("        && return ;;\n", out);
}

static void zsh_names(FILE *out, enum docs_part part)
{
    for (size_t i = 0; i < command_count; i++) {
        if (docs_in(part, command_table[i].ours)) {
            fprintf(out, "        '%s:", command_table[i].name);
            docs_quoted(out, command_table[i].help, ":");
            fputs("'\n", out);
        }
    }
}

void docs_zsh(FILE *out)
{
    fputs("#compdef barkeep barman\n"
          "_barkeep_is_barman() { [[ ${program:t} == barman ]] }\n"
          "_barkeep_ask() { $program $config $1 --minimal ${@:2} 2>/dev/null }\n"
          "_barkeep_servers() { local -a w; w=(${(f)\"$(_barkeep_ask list-servers)\"}); "
          "compadd -a w }\n"
          "_barkeep_all_servers() { compadd all; _barkeep_servers }\n"
          "_barkeep_backups() { local -a w; w=(latest oldest last-failed "
          "${(f)\"$(_barkeep_ask list-backups ${line[1]})\"}); "
          "compadd -a w }\n"
          "_barkeep_commands() {\n    local -a w\n    w=(\n",
          out);
    zsh_names(out, DOCS_THEIRS);
    fputs("    )\n    _barkeep_is_barman || w+=(\n", out);
    zsh_names(out, DOCS_OURS);
    fputs("    )\n    _describe command w\n}\n"
          "_barkeep() {\n    local context state state_descr line program=$words[1]\n"
          "    local -a config ours\n    typeset -A opt_args\n",
          out);
    zsh_ours(out, NULL, global_options, global_option_count);
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
