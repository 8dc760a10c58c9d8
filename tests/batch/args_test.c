/* SPDX-License-Identifier: PostgreSQL */
/* Command lines and what they mean; the grammar is argparse's. */
#include "batch/args.h"

#include "harness.h"

#include <stdlib.h>

#define WORDS_MAX 16

/* "a b c" -> argv; an '_' stands for an empty word, '~' for a blank inside one. */
static int split(const char *line, char mem[512], char *argv[WORDS_MAX])
{
    struct str rest = str_of(line), word;
    char *at = mem;
    int argc = 0;

    while (str_split(&rest, ' ', &word) && argc < WORDS_MAX - 1) {
        argv[argc++] = at;
        for (size_t i = 0; i < word.n; i++) {
            if (word.p[i] != '_') {
                *at++ = word.p[i] == '~' ? ' ' : word.p[i];
            }
        }
        *at++ = '\0';
    }
    argv[argc] = NULL;
    return argc;
}

static const struct {
    const char *label;
    const char *line;
    const char *option, *text; /* of one option; text NULL: only that it was given */
    uint64_t number;
} good[] = {
    {"long option", "barkeep backup --name n pg", "name", "n", 0},
    {"glued long option", "barkeep backup --name=n pg", "name", "n", 0},
    {"glued empty value", "barkeep backup --name= pg", "name", "", 0},
    {"value with an equals sign", "barkeep backup --name=a=b pg", "name", "a=b", 0},
    {"option after the operand", "barkeep backup pg --name n", "name", "n", 0},
    {"the last one counts", "barkeep backup --name a --name b pg", "name", "b", 0},
    {"cut short", "barkeep backup --imm pg", "immediate-checkpoint", NULL, 0},
    {"cut short with a value", "barkeep backup --bw 5 pg", "bwlimit", "5", 5},
    {"a whole name that begins another", "barkeep backup --wait pg", "wait", NULL, 0},
    {"letter", "barkeep backup -w pg", "wait", NULL, 0},
    {"letter with a value", "barkeep restore -j 4 pg latest /d", "jobs", "4", 4},
    {"letter with a glued value", "barkeep restore -j4 pg latest /d", "jobs", "4", 4},
    {"two letters", "barkeep get-wal -Pz pg 0", "gzip", NULL, 0},
    {"the other letter", "barkeep get-wal -x pg 0", "gzip", NULL, 0},
    {"zero is not negative", "barkeep backup --retry-times 0 pg", "retry-times", "0", 0},
    {"zero is no limit", "barkeep switch-wal --archive-timeout 0 pg", "archive-timeout", "0",
     0},
    {"choice", "barkeep restore --target-action pause pg latest /d", "target-action", "pause",
     0},
    {"choice that may be left out, at the end", "barkeep backup pg --reuse-backup",
     "reuse-backup", "link", 0},
    {"choice that may be left out, before a server", "barkeep backup --reuse-backup pg",
     "reuse-backup", "link", 0},
    {"choice that may be left out, before an option", "barkeep backup --reuse-backup -w pg",
     "reuse-backup", "link", 0},
    {"choice that may be left out, given", "barkeep backup --reuse-backup copy pg",
     "reuse-backup", "copy", 0},
    {"choice that may be left out, glued", "barkeep backup --reuse-backup=off pg",
     "reuse-backup", "off", 0},
    {"recover is restore", "barkeep recover --dry-run pg latest /d", "dry-run", NULL, 0},
    {"global option", "barkeep -c f backup pg", "config", "f", 0},
    {"global letters together", "barkeep -qc f backup pg", "quiet", NULL, 0},
    {"global choice", "barkeep --color=never list-servers", "color", "never", 0},
    {"value with blanks", "barkeep restore --target-time 2026-01-01~10:00 pg latest /d",
     "target-time", "2026-01-01 10:00", 0},
    {"a dash alone is a word", "barkeep get-wal -o - pg 0", "output-directory", "-", 0},
    {"theme of the console", "barkeep --theme safe list-servers", "theme", "safe", 0},
    {"symbols of the console", "barkeep -c f --symbols ascii list-servers", "symbols", "ascii",
     0},
    {"alias", "barkeep recover --dry-run pg latest /d", "dry-run", NULL, 0},
    {"called as barman", "barman backup --wait pg", "wait", NULL, 0},
    {"called as barman by its path", "/usr/bin/barman -q list-backups pg", "quiet", NULL, 0},
    {"cut short where barkeep alone has two", "barman keep --targ full pg latest", "target",
     "full", 0},
    {"barkeep's option begins one of Barman's", "barman backup --manifest pg", "manifest", NULL,
     0},
    {"barkeep's alone makes it ambiguous", "barman backup --mani pg", "manifest", NULL, 0},
    {"barman: several servers in a row", "barman backup --immediate-checkpoint a b --wait",
     "wait", NULL, 0},
    {"barman: two dashes between servers", "barman backup --wait a -- b", "wait", NULL, 0},
    {"servers around an option", "barkeep backup a --wait b", "wait", NULL, 0},
    {"barman: operands around an option", "barman keep a --status latest", "status", NULL, 0},
    {"barman: choice left out before an option", "barman backup --reuse-backup --wait a",
     "reuse-backup", "link", 0},
    {"a path that only contains the name", "/barman/barkeep delete --dry-run pg latest",
     "dry-run", NULL, 0},
    {"a name that only begins so", "barman2 delete --dry-run pg latest", "dry-run", NULL, 0},
};

static void parses(void **state)
{
    const struct {
        const char *label, *line, *option, *text;
        uint64_t number;
    } *row = *state;
    char mem[512], *argv[WORDS_MAX];
    struct args args;
    struct arena a;
    struct err err = {0};

    arena_init(&a, 0);
    assert_true(args_parse(&a, split(row->line, mem, argv), argv, &args, &err));
    assert_non_null(args.command);
    assert_true(arg_given(&args, row->option));
    if (row->text) {
        assert_string_equal(arg_text(&args, row->option), row->text);
    }
    assert_int_equal(arg_number(&args, row->option, 0), row->number);
    arena_release(&a);
}

static const struct {
    const char *label;
    const char *line;
    const char *why;
} bad[] = {
    {"choice that may be left out, none of them", "barkeep backup --reuse-backup=hard pg",
     "argument --reuse-backup: invalid choice: 'hard' (choose from link|copy|off)"},
    {"unknown command", "barkeep fly", "invalid choice: 'fly' is no command"},
    {"mistyped command", "barkeep bakcup pg",
     "invalid choice: 'bakcup' is no command (did you mean 'backup'?)"},
    {"mistyped alias", "barkeep recovr pg", "(did you mean 'recover'?)"},
    {"unknown option", "barkeep backup --fly pg", "unrecognized argument: --fly"},
    {"mistyped option", "barkeep backup --nmae x pg",
     "unrecognized argument: --nmae (did you mean --name?)"},
    {"unknown letter", "barkeep backup -y pg", "unrecognized argument: -y"},
    {"global option behind the command", "barkeep backup --quiet pg",
     "it goes before the command"},
    {"option of a command before it", "barkeep --immediate-checkpoint backup pg",
     "unrecognized argument"},
    {"ambiguous", "barkeep backup --no- pg", "ambiguous option: --no-"},
    {"no value", "barkeep backup pg --name", "argument --name: expected one argument"},
    {"an option for a value", "barkeep backup --name --wait pg",
     "argument --name: expected one argument"},
    {"a value for a flag", "barkeep backup --wait=1 pg", "argument --wait: it takes no value"},
    {"negative number", "barkeep backup --bwlimit=-1 pg",
     "argument --bwlimit: '-1' is not a valid non negative integer"},
    {"no number", "barkeep backup --bwlimit 1k pg", "'1k' is not a valid non negative integer"},
    {"number beyond 32 bits", "barkeep backup --bwlimit 99999999999 pg",
     "is not a valid non negative integer"},
    {"empty number", "barkeep backup --bwlimit= pg", "'' is not a valid non negative integer"},
    {"zero where one is least", "barkeep restore -j 0 pg latest /d",
     "argument --jobs: '0' is not a valid positive integer"},
    {"wrong choice", "barkeep restore --target-action fly pg latest /d",
     "argument --target-action: invalid choice: 'fly' (choose from pause|shutdown|promote)"},
    {"part of a choice", "barkeep restore --target-action pau pg latest /d", "invalid choice"},
    {"no server", "barkeep backup", "the following argument is required: SERVER"},
    {"no backup", "barkeep show-backup pg", "the following argument is required: BACKUP_ID"},
    {"one too many", "barkeep show-backup pg latest x", "unrecognized argument: x"},
    {"operand where there is none", "barkeep cron pg", "unrecognized argument: pg"},
    {"barman: unknown command", "barman fly", "argument command: invalid choice: 'fly' "},
    {"barman: barkeep's command", "barman start-copy pg /d",
     "argument command: invalid choice: 'start-copy' "},
    {"barman: barkeep's command, nearly", "barman estimate-siz pg", "invalid choice"},
    {"barman: barkeep's option", "barman delete --dry-run pg latest",
     "unrecognized arguments: --dry-run"},
    {"barman: barkeep's option with its value", "barman backup --manifest-checksums=sha256 pg",
     "unrecognized arguments: --manifest-checksums=sha256"},
    {"barman: barkeep's option cut short", "barman restore --in-p pg latest /d",
     "unrecognized arguments: --in-p"},
    {"barman: barkeep's letter", "barman verify-backup -j 2 pg latest",
     "unrecognized arguments: -j latest"},
    {"barman: barkeep's global option", "barman --batch list-servers",
     "unrecognized arguments: --batch"},
    {"barman: job number", "barman --job=1 backup pg", "unrecognized arguments: --job=1"},
    {"barman: all that is unknown", "barman show-backup pg a b --x -y",
     "unrecognized arguments: b --x -y"},
    {"barman: a server behind an option", "barman backup a --wait b c",
     "unrecognized arguments: b c"},
    {"barman: a server behind a value", "barman check a --check-timeout 3 b",
     "unrecognized arguments: b"},
    {"barman: a server where a choice may be", "barman backup --reuse-backup a",
     "argument --reuse-backup: invalid choice: 'a'"},
    {"barman: what is missing comes before what is unknown", "barman restore --fly pg",
     "the following arguments are required: backup_id, destination_directory"},
    {"barman: no server", "barman backup", "the following arguments are required: server_name"},
    {"barman: no model is fine, no server is not", "barman config-switch",
     "the following arguments are required: server_name"},
    {"barman: a model behind an option", "barman config-switch pg --reset m",
     "unrecognized arguments: m"},
    {"barman: a model too many", "barman config-switch --reset pg m n",
     "unrecognized arguments: n"},
    {"barman: a number and its dot are a word", "barman config-switch pg -1.5 -.5 -1.",
     "unrecognized arguments: -.5 -1."},
    {"barman: help takes no command", "barman help backup", "unrecognized arguments: backup"},
    {"barman: global option behind the command", "barman backup --quiet pg",
     "unrecognized arguments: --quiet"},
    {"barman: ambiguous", "barman backup --no- pg",
     "ambiguous option: --no- could match --no-immediate-checkpoint, --no-retry, "
     "--no-manifest"},
    {"barman: no value", "barman backup pg --name", "argument --name: expected one argument"},
    {"barman: no value, global", "barman -c", "argument -c/--config: expected one argument"},
    {"barman: a value for a flag", "barman backup --wait=1 pg",
     "argument --wait/-w: ignored explicit argument '1'"},
    {"barman: a value for a flag's letter", "barman -q1 list-servers",
     "argument -q/--quiet: ignored explicit argument '1'"},
    {"barman: negative number", "barman backup --bwlimit -1 pg",
     "argument --bwlimit: '-1' is not a valid non negative integer"},
    {"barman: no number where one is least", "barman backup -j x pg",
     "argument --jobs/-j: 'x' is not a valid input"},
    {"barman: zero where one is least", "barman check-wal-archive --timeline 0 pg",
     "argument --timeline: '0' is not a valid positive integer"},
    {"barman: wrong colour", "barman --color maybe list-servers",
     "argument --color/--colour: invalid choice: 'maybe' (choose from 'never', 'always', "
     "'auto')"},
    {"barman: wrong choice", "barman keep pg latest --target fly",
     "argument --target: invalid choice: 'fly' (choose from 'full', 'standalone')"},
    {"option behind the two dashes", "barkeep show-backup pg -- --x y",
     "unrecognized argument: y"},
};

static void refuses(void **state)
{
    const struct {
        const char *label, *line, *why;
    } *row = *state;
    char mem[512], *argv[WORDS_MAX];
    struct args args;
    struct arena a;
    struct err err = {0};

    arena_init(&a, 0);
    assert_false(args_parse(&a, split(row->line, mem, argv), argv, &args, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_int_equal(err_exit_status(err.code), 2);
    assert_non_null(strstr(err.why, row->why));
    arena_release(&a);
}

static void operands(void **state)
{
    char mem[512], *argv[WORDS_MAX];
    struct args args;
    struct arena a;
    struct err err;

    (void)state;
    arena_init(&a, 0);
    assert_true(
        args_parse(&a, split("barkeep list-backups a b -- -c", mem, argv), argv, &args, &err));
    assert_int_equal(args.servers, 3);
    assert_string_equal(args.server[2], "-c");
    assert_true(args_parse(&a,
                           split("barkeep restore pg auto --tablespace a:/x d --tablespace "
                                 "b:/y",
                                 mem, argv),
                           argv, &args, &err));
    assert_string_equal(args.server[0], "pg");
    assert_string_equal(args.operand[0], "pg");
    assert_string_equal(args.operand[1], "auto");
    assert_string_equal(args.operand[2], "d");
    assert_int_equal(arg_value(&args, "tablespace")->listed, 2);
    assert_string_equal(arg_value(&args, "tablespace")->list[1], "b:/y");
    arena_release(&a);
}

static void helps(void **state)
{
    static const char *const lines[] = {"barkeep",
                                        "barkeep -h",
                                        "barkeep --help",
                                        "barkeep backup -h",
                                        "barkeep restore --help",
                                        "barkeep -q"};
    char mem[512], *argv[WORDS_MAX];
    struct args args;
    struct arena a;
    struct err err;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_true(args_parse(&a, split(lines[i], mem, argv), argv, &args, &err));
        assert_true(args.help);
        assert_int_equal(args.command != NULL, i == 3 || i == 4);
    }
    assert_true(args_parse(&a, split("barkeep -v", mem, argv), argv, &args, &err));
    assert_true(args.version);
    assert_false(args.help);
    arena_release(&a);
}

static const struct {
    const char *label;
    const char *a, *b;
    size_t want;
} words[] = {
    {"equal", "backup", "backup", 0},       {"one dropped", "bckup", "backup", 1},
    {"one more", "backupp", "backup", 1},   {"one changed", "bockup", "backup", 1},
    {"two swapped", "bakcup", "backup", 1}, {"nothing in common", "xyz", "ab", 3},
    {"from nothing", "", "abc", 3},
};

static void distance(void **state)
{
    const struct {
        const char *label, *a, *b;
        size_t want;
    } *row = *state;

    assert_int_equal(word_distance(str_of(row->a), str_of(row->b)), row->want);
    assert_int_equal(word_distance(str_of(row->b), str_of(row->a)), row->want);
}

/* What the parser's fixed arrays and the reader of a table rely on. */
static void table_is_sound(void **state)
{
    (void)state;
    assert_true(global_option_count <= ARGS_OPTION_MAX);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];

        assert_true(c->options <= ARGS_OPTION_MAX && c->operands < ARGS_OPERAND_MAX);
        assert_true(c->help && c->about && c->run);
        assert_true(i == 0 || strcmp(command_table[i - 1].name, c->name) < 0);
        for (size_t k = 0; k < c->options; k++) {
            const struct arg_option *o = &c->option[k];

            assert_true(o->help && strlen(o->name) > 1);
            assert_int_equal(o->type == ARG_FLAG, o->value == NULL);
            for (size_t m = 0; m < k; m++) {
                assert_string_not_equal(o->name, c->option[m].name);
                assert_true(!*o->letters || !strpbrk(c->option[m].letters, o->letters));
            }
            for (size_t m = 0; m < global_option_count; m++) {
                assert_string_not_equal(o->name, global_options[m].name);
            }
        }
    }
}

static const struct bare_row {
    const char *label;
    const char *line;
    bool is_bare, help;
} bares[] = {
    {"nothing at all", "barkeep", true, true},
    {"a configuration only", "barkeep -c f", true, true},
    {"a theme only", "barkeep --theme mono", true, true},
    {"help", "barkeep --help", false, true},
    {"help letter", "barkeep -c f -h", false, true},
    {"version", "barkeep -v", false, false},
    {"a command", "barkeep list-servers", false, false},
    {"help of a command", "barkeep backup --help", false, true},
    {"barman: nothing at all", "barman", true, true},
    {"barman: a configuration only", "barman -c f", true, true},
    {"barman: version before what is wrong", "barman -v --fly", false, false},
    {"barman: help before what is wrong", "barman --help fly", false, true},
    {"barman: help of a command before what is wrong", "barman backup --fly --help", false,
     true},
};

/* Barman 3.17's own command line, read off its --help; sync-* needs SSH and is not offered. */
static const struct offer_row {
    const char *label, *alias;
    const char *options; /* in the order of the alphabet, without "help" */
} offers[] = {
    {"archive-wal", NULL, ""},
    {"backup", NULL,
     "bwlimit check-timeout immediate-checkpoint incremental jobs jobs-start-batch-period "
     "jobs-start-batch-size keepalive-interval manifest name no-immediate-checkpoint "
     "no-manifest no-retry retry-sleep retry-times reuse-backup wait wait-timeout"},
    {"check", NULL, "check-timeout nagios"},
    {"check-backup", NULL, ""},
    {"check-wal-archive", NULL, "timeline"},
    {"config-switch", NULL, "reset"},
    {"config-update", NULL, ""},
    {"cron", NULL, "keep-descriptors"},
    {"delete", NULL, ""},
    {"diagnose", NULL, "show-config-source"},
    {"generate-manifest", NULL, ""},
    {"get-wal", NULL, "bzip2 gzip keep-compression output-directory partial peek test"},
    {"help", NULL, ""},
    {"keep", NULL, "release status target"},
    {"list-backups", "list-backup", "minimal"},
    {"list-files", NULL, "list-empty-directories target"},
    {"list-processes", "list-process", ""},
    {"list-servers", "list-server", "minimal"},
    {"lock-directory-cleanup", NULL, ""},
    {"put-wal", NULL, "test"},
    {"rebuild-xlogdb", NULL, ""},
    {"receive-wal", NULL, "create-slot drop-slot if-not-exists reset stop"},
    {"replication-status", NULL, "minimal source target"},
    {"restore", "recover",
     "aws-region azure-resource-group bwlimit combine-mode delta-restore exclusive gcp-zone "
     "get-wal jobs jobs-start-batch-period jobs-start-batch-size local-staging-path "
     "network-compression no-delta-restore no-get-wal no-network-compression no-retry "
     "recovery-conf-filename recovery-option-port recovery-staging-path remote-ssh-command "
     "retry-sleep retry-times snapshot-recovery-instance snapshot-recovery-zone "
     "staging-location staging-path staging-wal-directory standby-mode tablespace "
     "target-action target-immediate target-lsn target-name target-time target-tli target-xid"},
    {"show-backup", "show-backups", ""},
    {"show-servers", "show-server", ""},
    {"status", NULL, ""},
    {"switch-wal", "switch-xlog", "archive archive-timeout force"},
    {"terminate-process", NULL, ""},
    {"verify-backup", "verify", ""},
};

static int by_text(const void *x, const void *y)
{
    const char *const *a = x, *const *b = y;

    return strcmp(*a, *b);
}

static void offers_what_barman_has(void **state)
{
    const struct offer_row *r = *state;
    const struct command *c = command_find(str_of(r->label));
    const char *name[ARGS_OPTION_MAX];
    char text[1024];
    struct sbuf b;
    size_t n = 0;

    assert_non_null(c);
    assert_false(c->ours);
    assert_true(!c->alias == !r->alias && (!c->alias || strcmp(c->alias, r->alias) == 0));
    for (size_t i = 0; i < c->options; i++) {
        if (!c->option[i].ours) {
            name[n++] = c->option[i].name;
        }
    }
    qsort(name, n, sizeof name[0], by_text);
    sbuf_init(&b, text, sizeof text);
    for (size_t i = 0; i < n; i++) {
        sbuf_fmt(&b, "%s%s", i ? " " : "", name[i]);
    }
    assert_string_equal(text, r->options);
    for (size_t i = 0; i < c->operands; i++) {
        assert_true(c->operand[i].theirs || c->operand[i].kind == OPERAND_COMMAND);
    }
}

/* Every row without the mark is one of Barman's. */
static void marks_all_others(void **state)
{
    size_t theirs = 0;

    (void)state;
    for (size_t i = 0; i < command_count; i++) {
        theirs += !command_table[i].ours;
    }
    assert_int_equal(theirs, sizeof offers / sizeof offers[0]);
}

static void is_bare(void **state)
{
    const struct bare_row *r = *state;
    char mem[512], *argv[WORDS_MAX];
    struct err err = {0};
    struct args args;
    struct arena a;
    int argc = split(r->line, mem, argv);

    arena_init(&a, 0);
    assert_true(args_parse(&a, argc, argv, &args, &err));
    assert_int_equal(args.is_bare, r->is_bare);
    assert_int_equal(args.help, r->help);
    arena_release(&a);
}

TEST_MAIN(ROWS(bares, is_bare), ROWS(good, parses), ROWS(bad, refuses), ONE(operands),
          ROWS(offers, offers_what_barman_has), ONE(marks_all_others), ONE(helps),
          ROWS(words, distance), ONE(table_is_sound))
