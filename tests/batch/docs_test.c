/* SPDX-License-Identifier: PostgreSQL */
/* Every command, option and setting is in what is made from the tables. */
#include "batch/command.h"
#include "batch/docs.h"
#include "batch/usage.h"
#include "cfg/option.h"

#include "harness.h"

#include <stdlib.h>

/* What a writer writes, without the backslashes of roff. */
static char *written(void (*write)(FILE *out))
{
    char *text = NULL, *to;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    assert_non_null(out);
    write(out);
    fclose(out);
    to = text;
    for (const char *from = text; *from; from++) {
        if (*from != '\\') {
            *to++ = *from;
        }
    }
    *to = '\0';
    return text;
}

static void has(const char *text, const char *before, const char *word)
{
    char whole[128];

    str_fmt(whole, sizeof whole, "%s%s", before, word);
    if (!strstr(text, whole)) {
        fail_msg("'%s' is missing", whole);
    }
}

static void whole_help(FILE *out)
{
    usage_help(out, USAGE_BARKEEP, NULL);
    for (size_t i = 0; i < command_count; i++) {
        usage_help(out, USAGE_BARKEEP, &command_table[i]);
    }
}

static void all_there(void (*write)(FILE *out), const char *dashes)
{
    char *text = written(write);

    for (size_t i = 0; i < global_option_count; i++) {
        has(text, dashes, global_options[i].name);
    }
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];

        has(text, "", c->name);
        has(text, "", c->alias ? c->alias : c->name);
        for (size_t k = 0; k < c->options; k++) {
            has(text, dashes, c->option[k].name);
        }
    }
    free(text);
}

static void help_has_all(void **state)
{
    (void)state;
    all_there(whole_help, "--");
}

static void man_has_all(void **state)
{
    char *text = written(docs_man);

    (void)state;
    all_there(docs_man, "--");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        has(text, "fB", option_table[i].name);
    }
    for (size_t i = 0; i < GLOBAL_COUNT; i++) {
        has(text, "fB", global_option_table[i].name);
    }
    free(text);
}

static void completions_have_all(void **state)
{
    (void)state;
    all_there(docs_bash, "--");
    all_there(docs_zsh, "--");
    all_there(docs_fish, "-l ");
}

/* Nothing of the help is wider than a small terminal, but the incident page. */
static void help_is_narrow(void **state)
{
    (void)state;
    for (size_t i = 0; i < command_count; i++) {
        char *text = NULL;
        size_t n = 0;
        FILE *out = open_memstream(&text, &n);
        struct str rest, line;

        usage_help(out, USAGE_BARKEEP, &command_table[i]);
        fclose(out);
        rest = str_of(text);
        while (str_line(&rest, &line) && !str_starts(line, "# ")) {
            assert_true(line.n <= 80);
        }
        free(text);
    }
}

/* Called as barman, help names nothing that would be refused. */
static void help_of_barman(void **state)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    (void)state;
    usage_help(out, USAGE_BARMAN, NULL);
    for (size_t i = 0; i < command_count; i++) {
        if (!command_table[i].ours) {
            usage_help(out, USAGE_BARMAN, &command_table[i]);
        }
    }
    fclose(out);
    has(text, "", "receive-wal");
    has(text, "--", "keep-descriptors");
    assert_null(strstr(text, "--dry-run, "));
    assert_null(strstr(text, "  --dry-run"));
    assert_null(strstr(text, "  --batch"));
    assert_null(strstr(text, "  --in-place"));
    assert_null(strstr(text, "start-copy"));
    assert_null(strstr(text, "usage: barkeep"));
    free(text);
}

TEST_MAIN(ONE(help_of_barman), ONE(help_has_all), ONE(man_has_all), ONE(completions_have_all),
          ONE(help_is_narrow))
