/* SPDX-License-Identifier: PostgreSQL */
/* Command lines, a word a line; the first byte says by which name the program is called, and whether
 * the first word is a command of the table. */
#include "base/bug.h"
#include "batch/args.h"

#include <string.h>

#define LINE_CAP  4096
#define WORDS_MAX 64

static void check_operands(const struct args *args)
{
    const struct command *c = args->command;
    size_t operands = 0;

    while (operands < ARGS_OPERAND_MAX && args->operand[operands]) {
        operands++;
    }
    BUG_IF(operands > c->operands);
    for (size_t i = operands; i < c->operands; i++) {
        BUG_IF(c->operand[i].kind == OPERAND_SERVER || c->operand[i].kind == OPERAND_TEXT);
        BUG_IF(c->operand[i].kind == OPERAND_SERVERS && args->servers == 0);
    }
}

static void check_option(const struct args *args, const struct arg_option *o,
                         const struct arg_value *v)
{
    BUG_IF(args->as_barman && o->ours);
    BUG_IF((o->type == ARG_FLAG) != (v->text == NULL));
    BUG_IF(o->type == ARG_POS && v->number == 0);
    BUG_IF(o->type == ARG_LIST && v->listed == 0);
}

/* What was taken is what the table asks for. */
static void check(const struct args *args, int argc)
{
    const struct command *c = args->command;

    BUG_IF(args->as_barman && c && c->ours);
    BUG_IF(args->servers > (size_t)argc);
    if (!c || args->help || args->version) {
        return;
    }
    check_operands(args);
    for (size_t i = 0; i < c->options; i++) {
        if (args->option[i].given) {
            check_option(args, &c->option[i], &args->option[i]);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char barkeep[] = "/usr/bin/barkeep", barman[] = "barman", mem[LINE_CAP], verb[64];
    char *argv[WORDS_MAX + 1], *line, *next = mem;
    struct args args;
    struct err err = {0};
    struct arena a;
    int argc = 0;

    if (size < 1 || size >= LINE_CAP) {
        return 0;
    }
    memcpy(mem, data + 1, size - 1);
    mem[size - 1] = '\0';
    argv[argc++] = data[0] & 1 ? barman : barkeep;
    if (data[0] & 2) {
        str_copy(verb, sizeof verb, command_table[(data[0] >> 2) % command_count].name);
        argv[argc++] = verb;
    }
    while (argc < WORDS_MAX && (line = next)) {
        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
        }
        argv[argc++] = line;
    }
    argv[argc] = NULL;
    arena_init(&a, 1 << 24);
    if (args_parse(&a, argc, argv, &args, &err)) {
        BUG_IF(err.code != ERR_NONE);
        check(&args, argc);
    } else {
        BUG_IF(err.code != ERR_USAGE || !err.why[0]);
    }
    arena_release(&a);
    return 0;
}
